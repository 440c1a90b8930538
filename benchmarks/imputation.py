"""Imputation of removed values, beside KNNImputer and IterativeImputer.

From complete tables, at most 1500 rows of each, values are removed in three ways: one
in five, one in two, and a block of a third of the columns in most rows. Imputers are
fitted to 70 % of the rows, gaps and all, and fill those of the others. A number is the
root mean square error of removed values in new rows, in units of the columns' standard
deviations. Tables are scikit-learn's and those of `SKAE_DATA`, if it is set; all run in
turn on one thread. ``--trees`` adds IterativeImputer with trees, which takes long.

    SKAE_DATA=folder python benchmarks/imputation.py [--seeds 1] [--only iris] [--trees]

``--protocol`` is the one by which Mattei and Frellsen (2019) report MIWAE: half of the
standardised breast cancer table removed at random, and imputed where it was. ``--cost``
is the processor's time of a fit to rows of which a fifth is missing, beside that of as
many epochs on whole rows of which a fifth is masked.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from speed import make_rows
from threadpoolctl import threadpool_limits

from skae import Autoencoder, AutoencoderImputer

IMPUTERS = {
    "skae": lambda seed: AutoencoderImputer(random_state=seed),
    "KNN": lambda seed: KNNImputer(),
    "Iterative": lambda seed: IterativeImputer(random_state=seed),
    "mean": lambda seed: SimpleImputer(),
}
COSTLY = (1000, 10), (1000, 30), (3000, 30), (3000, 64), (2000, 200), (2000, 784)
TREES = ExtraTreesRegressor(100, max_depth=8, random_state=0)
STORED = (
    "wine_quality",
    *(
        f"adbench/{name}"
        for name in (
            "glass Pima Ionosphere letter cardio Waveform PageBlocks mammography "
            "annthyroid"
        ).split()
    ),
)


def tables(only):
    """Yield names and complete tables."""
    for name in ("iris", "wine", "breast_cancer", "diabetes", "digits"):
        if not only or name in only:
            yield name, getattr(datasets, f"load_{name}")(return_X_y=True)[0]
    folder = os.environ.get("SKAE_DATA")
    for path in STORED if folder else ():
        if not only or path.split("/")[-1] in only:
            with np.load(Path(folder) / f"{path}.npz", allow_pickle=False) as arrays:
                yield path.split("/")[-1], arrays["X"].astype(float)


def removed(shape, way, rng):
    """Return where values are removed."""
    if way != "block":
        return rng.uniform(size=shape) < way
    width = max(1, shape[1] // 3)
    first = rng.integers(0, shape[1] - width + 1, size=(shape[0], 1))
    columns = np.arange(shape[1])
    block = (columns >= first) & (columns < first + width)
    return block & (rng.uniform(size=(shape[0], 1)) < 0.7)


def case(X, way, seed):
    """Return training rows and new rows with gaps, the whole ones, and the gaps."""
    rng = np.random.default_rng(seed)
    X = X[rng.permutation(len(X))[:1500]]
    X = X[:, X.std(axis=0) > 1e-9]
    n_train = int(0.7 * len(X))
    X = X - X[:n_train].mean(axis=0)
    X /= np.maximum(X[:n_train].std(axis=0), 1e-9)
    gaps = removed(X.shape, way, rng)
    holed = np.where(gaps, np.nan, X)
    return holed[:n_train], holed[n_train:], X[n_train:], gaps[n_train:]


def run(imputer, train, holed, whole, gaps):
    """Return the root mean square error and the seconds."""
    start = time.perf_counter()
    filled = imputer.fit(train).transform(holed)
    seconds = time.perf_counter() - start
    return np.sqrt(((filled - whole)[gaps] ** 2).mean()), seconds


def comparison(arguments):
    """Print a line for each table and way, and the means."""
    print("| table | removed | " + " | ".join(IMPUTERS) + " |")
    print("|---" * (len(IMPUTERS) + 2) + "|", flush=True)
    every = []
    for name, X in tables(arguments.only.split(",") if arguments.only else ()):
        for way in (0.2, 0.5, "block"):
            results = []
            for seed in range(arguments.seeds):
                given = case(X, way, seed)
                results.append([run(make(seed), *given) for make in IMPUTERS.values()])
            every.append(np.mean(results, axis=0))
            cells = [f"{error:.3f}" for error, _ in every[-1]]
            print(f"| {name} | {way} | " + " | ".join(cells) + " |", flush=True)
    errors, seconds = np.moveaxis(every, 2, 0)
    means = errors.mean(axis=0)
    print("| **mean** | | " + " | ".join(f"{e:.3f}" for e in means) + " |")
    print("| seconds | | " + " | ".join(f"{s:.0f}" for s in seconds.sum(axis=0)) + " |")
    best = np.mean(errors[:, 0] <= errors[:, 1:].min(axis=1))
    print(f"\nratio to the better mean {means[0] / means[1:].min():.3f}, best in")
    print(f"{best:.0%} of the cases, above the columns' mean in ", end="")
    print(f"{np.mean(errors[:, 0] > errors[:, list(IMPUTERS).index('mean')]):.0%}")


def protocol():
    """Print mean squared errors on the breast cancer table, as published."""
    X = datasets.load_breast_cancer().data
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    rng = np.random.RandomState(1234)
    gaps = np.zeros(X.size, dtype=bool)
    gaps[rng.choice(X.size, X.size // 2, replace=False)] = True
    gaps = gaps.reshape(X.shape)
    holed = np.where(gaps, np.nan, X)
    print("| imputer | mean squared error |\n|---|---|")
    for name, make in IMPUTERS.items():
        error, _ = run(make(0), holed, holed, X, gaps)
        print(f"| {name} | {error**2:.4f} |", flush=True)
    print("| MIWAE, published | 0.2867 |")


def cost(repetitions=7):
    """Print the processor's least time of fits to rows with gaps and to masked rows."""
    print("| rows | masked, s | with gaps, s | ratio |\n|---|---|---|---|")
    plain = Autoencoder(10, max_iter=40, early_stopping=False, random_state=0)
    masked = clone(plain).set_params(corruption="masking", corruption_level=0.2)
    holed = clone(plain).set_params(corruption="gaps", corruption_level=0.0)
    for shape in COSTLY:
        X = make_rows(*shape)
        gaps = removed(shape, 0.2, np.random.default_rng(0))
        pairs = (masked, X), (holed, np.where(gaps, np.nan, X))
        runs = [[fit_seconds(*pair) for pair in pairs] for _ in range(repetitions)]
        least = np.min(runs, axis=0)
        cells = f"{least[0]:.2f} | {least[1]:.2f} | {least[1] / least[0]:.2f}"
        print(f"| {' x '.join(map(str, shape))} | {cells} |", flush=True)


def fit_seconds(model, X):
    """Return the seconds of the processor that a fit takes."""
    start = time.process_time()
    model.fit(X)
    return time.process_time() - start


def main():
    """Print one table or the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--trees", action="store_true")
    parser.add_argument("--protocol", action="store_true")
    parser.add_argument("--cost", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.trees:
        IMPUTERS["Iterative, trees"] = lambda seed: IterativeImputer(
            TREES, random_state=seed
        )
    with threadpool_limits(1):
        if arguments.cost:
            cost()
        elif arguments.protocol:
            protocol()
        else:
            comparison(arguments)


if __name__ == "__main__":
    main()
