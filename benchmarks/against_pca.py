"""Held-out squared error of Autoencoder() relative to PCA's, a line a case.

Beside it stands the network that a user of skorch would write by hand. Both run with
one thread, on the same rows, in turn; with two jobs two seeds run beside each other.

    python benchmarks/against_pca.py [--seeds 2] [--jobs 2] [--only digits,iris]
"""

import argparse
import time
import warnings

import numpy as np
import torch
from data import cases
from joblib import Parallel, delayed
from reference import fit_reference
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from skae import Autoencoder


def timed(fit):
    """Return what `fit` returns, and the seconds it took."""
    start = time.perf_counter()
    fitted = fit()
    return fitted, time.perf_counter() - start


def run(name, k, seed):
    """Return the rows and columns, and what `errors` returns."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    Autoencoder(1, max_iter=1).fit(np.eye(9))  # what is loaded once costs no case
    train, test = cases()[name][0](seed)
    with threadpool_limits(1):
        return train.shape, *errors(train, test, k, seed)


def errors(train, test, k, seed):
    """Return the two errors relative to PCA's, and the seconds of the two fits."""
    pca = PCA(k, random_state=seed).fit(train)
    floor = ((test - pca.inverse_transform(pca.transform(test))) ** 2).sum()
    model, seconds = timed(lambda: Autoencoder(k, random_state=seed).fit(train))
    plain, plain_seconds = timed(lambda: fit_reference(train, k, seed))
    rows = np.asarray(test, dtype=np.float32)
    return (
        ((test - model.reconstruct(test)) ** 2).sum() / floor,
        ((test - plain.predict(rows)) ** 2).sum() / floor,
        seconds,
        plain_seconds,
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    print("| case | rows x columns | k | skae / PCA | by hand / PCA | s | by hand s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    lines, every = [], []
    parallel = Parallel(n_jobs=arguments.jobs)
    for name, (_, sizes) in cases().items():
        if arguments.only and name not in arguments.only.split(","):
            continue
        for k in sizes:
            seeds = range(arguments.seeds)
            shapes, *runs = zip(
                *parallel(delayed(run)(name, k, seed) for seed in seeds), strict=True
            )
            ours, plain, seconds, plain_seconds = np.mean(runs, axis=1)
            lines.append((ours, plain, seconds, plain_seconds))
            every += [
                (error, name, seed) for error, seed in zip(runs[0], seeds, strict=True)
            ]
            print(
                f"| {name} | {shapes[0][0]} x {shapes[0][1]} | {k} | {ours:.3f} | "
                f"{plain:.3f} | {seconds:.1f} | {plain_seconds:.1f} |",
                flush=True,
            )
    ours, plain, seconds, plain_seconds = np.array(lines).T
    geometric = [np.exp(np.log(column).mean()) for column in (ours, plain)]
    worst, name, seed = max(every)
    print(
        f"\n{len(lines)} cases, {arguments.seeds} seeds each. Geometric mean "
        f"{geometric[0]:.3f}, by hand {geometric[1]:.3f}, ratio "
        f"{geometric[0] / geometric[1]:.3f}. Largest beside the one by hand "
        f"{(ours / plain).max():.3f}. Seconds {seconds.sum():.0f} and "
        f"{plain_seconds.sum():.0f} a seed, ratio "
        f"{seconds.sum() / plain_seconds.sum():.3f}.\nWorst case beside PCA "
        f"{ours.max():.4f}, worst of {len(every)} fits {worst:.4f} ({name}, "
        f"seed {seed})."
    )


if __name__ == "__main__":
    main()
