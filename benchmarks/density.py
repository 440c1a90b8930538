"""Log-likelihood of held-out digits: variational autoencoder and scikit-learn's models.

Grey levels are integers, of which a density can be made as large as one likes: a column
that is always 0 is enough. So known noise is added, the same for all models: uniform
over one level, which makes the density a lower bound of the integers' probability, or
normal with a standard deviation of one level. All models are fitted to the same rows,
what is in their grids is chosen on the same quarter of them, and the figures are those
of the quarter of all rows that is held out: nats a row, in grey levels.

    python benchmarks/density.py [--seeds 3]
"""

import argparse
import time
import warnings

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, ShuffleSplit, train_test_split
from sklearn.neighbors import KernelDensity
from threadpoolctl import threadpool_limits

from skae import VariationalAutoencoder

NOISES = {
    "uniform": lambda rng, shape: rng.uniform(size=shape),
    "normal": lambda rng, shape: rng.normal(size=shape),
}


def models(seed):
    """Return ``{name: (model, grid)}``."""
    variational = VariationalAutoencoder(
        noise="per_feature", corruption_level=0.5, max_iter=200, random_state=seed
    )
    mixture = GaussianMixture(random_state=seed)
    components = {"n_components": (8, 16, 32, 48, 56, 60)}
    return {
        "PCA": (PCA(random_state=seed), components),
        "FactorAnalysis": (FactorAnalysis(random_state=seed), components),
        "KernelDensity": (KernelDensity(), {"bandwidth": (1.2, 1.6, 2, 2.4, 3)}),
        "GaussianMixture": (
            mixture,
            {
                "n_components": (5, 10, 20, 40, 80, 120),
                "covariance_type": ("full", "tied", "diag"),
                "reg_covar": (0.03, 0.1, 0.3),
            },
        ),
        "VariationalAutoencoder, defaults": (
            VariationalAutoencoder(random_state=seed),
            {"n_components": (8, 16, 32)},
        ),
        "VariationalAutoencoder": (
            variational,
            {"n_components": (8, 16, 32), "corruption": (None, "gaussian")},
        ),
    }


def log_likelihood(model, X, y=None):
    """Return the mean over rows, in nats."""
    return float(model.score_samples(X).mean())


def run(model, grid, train, test, seed):
    """Return the held-out log-likelihood, what was chosen, and the seconds."""
    start = time.perf_counter()
    quarter = ShuffleSplit(1, test_size=0.25, random_state=seed)
    search = GridSearchCV(model, grid, scoring=log_likelihood, cv=quarter).fit(train)
    chosen = ", ".join(f"{value}" for value in search.best_params_.values())
    score = log_likelihood(search.best_estimator_, test)
    return score, chosen, time.perf_counter() - start


def main():
    """Print a table for each noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    digits = load_digits().data
    for noise, draw in NOISES.items():
        print(f"| {noise} noise | nats a held-out row | chosen with seed 0 | s |")
        print("|---|---|---|---|", flush=True)
        for name in models(0):
            results = []
            for seed in range(arguments.seeds):
                X = digits + draw(np.random.default_rng(seed), digits.shape)
                rows = train_test_split(X, random_state=seed)
                with threadpool_limits(1):
                    results.append(run(*models(seed)[name], *rows, seed))
            scores, chosen, seconds = zip(*results, strict=True)
            print(
                f"| {name} | {np.mean(scores):.1f} ± {np.std(scores):.1f} | "
                f"{chosen[0]} | {np.mean(seconds):.1f} |",
                flush=True,
            )
        print()


if __name__ == "__main__":
    main()
