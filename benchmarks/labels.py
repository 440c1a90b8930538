"""Classes where few rows have a label, and numbers, beside scikit-learn's own ways.

The first table: 6000 rows of MNIST and of sensor features (other people do the test),
of which 1, 3 or 10 % have a label, drawn anew for each draw with the same share of each
class. All encoders have a code of 32. The autoencoder is pretrained once, for it sees
no labels. "PCA start" is the same classifier without pretraining; "random start" is the
same network, trained on the labels alone, and `MLPClassifier` has the same layers. "PCA
codes" and "all columns" are logistic regression, with a penalty from cross-validation.

The second table: the coefficient of determination on a quarter of the rows of tables,
for random splits. Columns and targets are standardised.

MNIST comes from OpenML where `SKAE_DATA` does not name a folder with the archives; the
sensors and the wines are then left out. All run in turn on one thread.

    SKAE_DATA=folder python benchmarks/labels.py [--draws 5] [--only MNIST,tables]
"""

import argparse
import time
import warnings

import numpy as np
import torch
from data import LARGEST, archive, images, labels
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skae import Autoencoder, AutoencoderClassifier, AutoencoderRegressor

SHARES = (0.01, 0.03, 0.1)


def digits():
    """Return images and labels to fit to, and to test on."""
    (train, test), (y_train, y_test) = images("mnist"), labels("mnist")
    rows = np.random.default_rng(0).permutation(len(train))[:LARGEST]
    return train[rows], y_train[rows], test, y_test


def sensors():
    """Return standardised features and labels to fit to, and to test on."""
    arrays = archive("har_features")
    rows = np.random.default_rng(0).permutation(len(arrays["X_train"]))[:LARGEST]
    scaler = StandardScaler().fit(arrays["X_train"][rows])
    train, test = (scaler.transform(arrays[f"X_{part}"]) for part in ("train", "test"))
    return train[rows], arrays["y_train"][rows], test, arrays["y_test"]


def logistic_regression():
    """Return logistic regression that chooses its penalty."""
    grid = {"C": np.logspace(-4, 4, 9)}
    return GridSearchCV(LogisticRegression(max_iter=300), grid, cv=3)


def classifiers(X):
    """Return functions of a seed, each with whether it sees rows without a label."""
    autoencoder = Autoencoder(32, random_state=0).fit(X)
    pca = PCA(32, random_state=0).fit(X)
    # A wide grid of penalties makes up for the scale of the codes.
    pca = FrozenEstimator(pca)
    plain = Autoencoder(32, init="random")
    start = {"pretrain": False}
    return {
        "skae": (lambda s: AutoencoderClassifier(autoencoder, random_state=s), True),
        "PCA start": (lambda s: AutoencoderClassifier(random_state=s, **start), True),
        "random start": (
            lambda s: AutoencoderClassifier(plain, random_state=s, **start),
            False,
        ),
        "MLPClassifier": (
            lambda s: MLPClassifier((256, 128, 32), random_state=s),
            False,
        ),
        "PCA codes": (
            lambda s: make_pipeline(pca, logistic_regression()),
            False,
        ),
        "all columns": (lambda s: logistic_regression(), False),
    }


def accuracy(make, seed, X, y, known, test, sees_all):
    """Return the share of right classes, in percent, and the seconds of the fit."""
    partly = np.full(len(y), -1)
    partly[known] = y[known]
    model, start = make(seed), time.perf_counter()
    model.fit(X, partly) if sees_all else model.fit(X[known], y[known])
    seconds = time.perf_counter() - start
    return 100 * model.score(*test), seconds


def table_of_classes(only, draws):
    """Print a line for each data set and share."""
    cases = {"MNIST": digits}
    if archive("har_features"):
        cases["sensors"] = sensors
    for name in [name for name in cases if name in only or not only]:
        X, y, *test = cases[name]()
        models = classifiers(X)
        print(f"\n| {name} | " + " | ".join(models) + " |")
        print("|---" * (len(models) + 1) + "|", flush=True)
        for share in SHARES:
            results = []
            for draw in range(draws):
                known, _ = train_test_split(
                    np.arange(len(y)), train_size=share, stratify=y, random_state=draw
                )
                results.append(
                    [
                        accuracy(make, draw, X, y, known, test, sees_all)
                        for make, sees_all in models.values()
                    ]
                )
            results = np.array(results)
            means, spreads = results[..., 0].mean(axis=0), results[..., 0].std(axis=0)
            cells = [f"{m:.1f} ± {s:.1f}" for m, s in zip(means, spreads, strict=True)]
            print(f"| {share:.0%} | " + " | ".join(cells) + " |")
            cells = [f"{s:.1f}" for s in results[..., 1].mean(axis=0)]
            print("| seconds | " + " | ".join(cells) + " |", flush=True)


def tables():
    """Return rows and targets of each table."""
    found = {
        "diabetes": load_diabetes(return_X_y=True),
        "Friedman 1": make_friedman1(1000, noise=1.0, random_state=0),
        "Friedman 1, 100 rows": make_friedman1(100, noise=1.0, random_state=0),
    }
    if wines := archive("wine_quality"):
        found["wine quality"] = wines["X"].astype(float), wines["y"].astype(float)
    return found


REGRESSORS = {
    "skae": lambda seed: AutoencoderRegressor(random_state=seed),
    "RidgeCV": lambda seed: RidgeCV(np.logspace(-4, 4, 25)),
    "MLPRegressor": lambda seed: MLPRegressor(random_state=seed),
    "MLPRegressor, stopped early": lambda seed: MLPRegressor(
        early_stopping=True, random_state=seed
    ),
}


def table_of_numbers(draws):
    """Print a line for each table."""
    print("\n| table | " + " | ".join(REGRESSORS) + " |")
    print("|---" * (len(REGRESSORS) + 1) + "|", flush=True)
    for name, (X, y) in tables().items():
        scores = []
        for seed in range(draws):
            X_train, X_test, y_train, y_test = train_test_split(
                X, y, test_size=0.25, random_state=seed
            )
            models = [
                TransformedTargetRegressor(
                    make_pipeline(StandardScaler(), make(seed)),
                    transformer=StandardScaler(),
                )
                for make in REGRESSORS.values()
            ]
            scores.append(
                [m.fit(X_train, y_train).score(X_test, y_test) for m in models]
            )
        means, spreads = np.mean(scores, axis=0), np.std(scores, axis=0)
        cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(means, spreads, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    only = [name for name in arguments.only.split(",") if name]
    with threadpool_limits(1):
        if not only or "tables" in only:
            table_of_numbers(arguments.draws)
        table_of_classes(only, arguments.draws)


if __name__ == "__main__":
    main()
