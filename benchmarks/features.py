"""Codes as features: accuracy of a logistic regression on them, for rows never seen.

Every model is the first step of a Pipeline, before a StandardScaler and a
LogisticRegression with its defaults, fitted to the same rows; PCA is TruncatedSVD for
texts, which stay sparse. A table's standard deviations are over seeds, which draw the
rows (3000 of sensors and of texts) and start the networks. Other people, and later
texts, are the test where data are from `SKAE_DATA`.

    SKAE_DATA=folder python benchmarks/features.py [--seeds 3] [--only digits]
"""

import argparse
import time
import warnings

import numpy as np
import torch
from data import archive, word_counts
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skae import Autoencoder, DenoisingAutoencoder, SparseAutoencoder

N_ROWS = 3000


def digits(seed):
    """Return training and test rows of the digits, and their labels."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, random_state=seed)


def sample(name, seed):
    """Return the places of some of the training rows of an archive."""
    n_rows = len(archive(name)["y_train"])
    return np.random.default_rng(seed).permutation(n_rows)[:N_ROWS]


def activities(seed):
    """Return standardised features of sensor data; other people do the test."""
    arrays, rows = archive("har_features"), sample("har_features", seed)
    scaler = StandardScaler().fit(arrays["X_train"][rows])
    X = [scaler.transform(X) for X in (arrays["X_train"][rows], arrays["X_test"])]
    return *X, arrays["y_train"][rows], arrays["y_test"]


def newsgroups(seed):
    """Return tf-idf of texts, sparse; the test is later texts."""
    arrays, rows = archive("newsgroups20_bow"), sample("newsgroups20_bow", seed)
    train, test = word_counts("train")[rows], word_counts("test")
    tfidf = TfidfTransformer(sublinear_tf=True).fit(train)
    y = arrays["y_train"][rows], arrays["y_test"]
    return tfidf.transform(train), tfidf.transform(test), *y


def models(linear, seed):
    """Return ``{name: model}``; None is the columns themselves."""
    found = {"all columns": None}
    for k in (8, 16, 32):
        found[f"PCA, {k}"] = linear(k, random_state=seed)
        found[f"Autoencoder, {k}"] = Autoencoder(k, random_state=seed)
    wide = dict(hidden_layer_sizes=(), code_activation="relu", init="random")
    found["DenoisingAutoencoder, 256 units"] = DenoisingAutoencoder(
        256, corruption_level=0.3, random_state=seed, **wide
    )
    found["SparseAutoencoder, 25 of 256 units"] = SparseAutoencoder(
        256, sparsity="topk", n_nonzero_coefs=25, random_state=seed
    )
    return found


def accuracy(model, train, test, y, y_test):
    """Return the accuracy of a logistic regression on what `model` makes of rows."""
    steps = [model, StandardScaler()] if model else []
    pipeline = make_pipeline(*steps, LogisticRegression(max_iter=2000))
    return pipeline.fit(train, y).score(test, y_test)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    loads = {"digits": (digits, PCA)}
    if archive("har_features"):
        loads["activities"] = activities, PCA
        loads["newsgroups"] = newsgroups, TruncatedSVD
    only = arguments.only.split(",") if arguments.only else loads
    start, cells = time.process_time(), {name: [] for name in models(PCA, 0)}
    for load, linear in (loads[name] for name in only):
        scores = {name: [] for name in cells}
        for seed in range(arguments.seeds):
            rows = load(seed)
            with threadpool_limits(1):
                for name, model in models(linear, seed).items():
                    scores[name].append(accuracy(model, *rows))
        for name, found in scores.items():
            cells[name].append(f"{np.mean(found):.3f} ± {np.std(found):.3f}")
    print("| features | " + " | ".join(only) + " |\n" + "|---" * (len(only) + 1) + "|")
    for name, line in cells.items():
        print(f"| {name} | " + " | ".join(line) + " |")
    seconds = time.process_time() - start
    print(f"\n{arguments.seeds} seeds, {seconds:.0f} s of one processor.")


if __name__ == "__main__":
    main()
