"""
Search among pictures by 64 bits each
=====================================

A `BinaryAutoencoder` makes bits of rows, so that rows with few different bits are
alike. The neighbours that it finds for digits it has not seen show the same digit
nearly as often as those of an exact search by cosine, in a thirty-second of its memory
or less, and more often than those found by the signs of PCA's scores. An exact search
among two hundred candidates that the bits name makes good most of what is left, in
less time than one among all where there are many.
"""

# %%
# Search by bits, and by cosine
# -----------------------------
# Two rows differ in the bits that are ones in the exclusive or of their codes, which a
# table counts, 16 at a time. scikit-learn's nearest neighbours by the Hamming distance
# are the same, and take longer. Where the environment variable SKAE_DATA names a folder
# with ``mnist.npz``, its 60000 larger images are searched, by a code learnt from 8000.
import os
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from skae import BinaryAutoencoder

if "SKAE_DATA" in os.environ:
    images = np.load(Path(os.environ["SKAE_DATA"], "mnist.npz"))
    X_train = images["X_train"].reshape(60000, -1).astype(np.float32) / 255
    X_test = images["X_test"][:500].reshape(500, -1).astype(np.float32) / 255
    y_train, y_test = images["y_train"], images["y_test"][:500]
else:
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
side = round(X_train.shape[1] ** 0.5)
words = np.arange(2**16, dtype=np.uint16)
ones = np.unpackbits(words.view(np.uint8).reshape(-1, 2), axis=1).sum(axis=1)
ones = ones.astype(np.uint8)


def smallest(distances, k):
    nearest = np.argpartition(distances, k)[:k]
    return nearest[np.argsort(distances[nearest], kind="stable")]


def by_cosine(query, rows, k=10):
    return smallest(-(rows @ query), k)


def by_bits(query, columns, k=10):
    pairs = zip(query, columns, strict=True)
    different = sum(ones[word ^ column] for word, column in pairs)
    return smallest(different.astype(np.float32), k)  # numpy parts these fastest


def by_neighbors(query, neighbors):
    return neighbors.kneighbors(query[None], return_distance=False)[0]


def by_both(query, columns_and_rows, k=10):
    columns, rows = columns_and_rows
    candidates = by_bits(query[0], columns, 200)
    return candidates[by_cosine(query[1], rows[candidates], k)]


hashes = BinaryAutoencoder(64, packed=True, random_state=0).fit(X_train[:8000])
pca = PCA(min(64, X_train.shape[1])).fit(X_train[:8000])


def signs(X):
    return np.packbits(pca.transform(X) > 0, axis=1).view(np.uint16)


def in_columns(codes):
    return np.ascontiguousarray(codes.T)


codes, asked = hashes.transform(X_train), hashes.transform(X_test)
apart, asked_apart = np.unpackbits(codes, axis=1), np.unpackbits(asked, axis=1)
neighbors = NearestNeighbors(n_neighbors=10, metric="hamming").fit(apart)
bits, asked = in_columns(codes.view(np.uint16)), asked.view(np.uint16)
unit, asked_unit = normalize(X_train), normalize(X_test)
searches = {
    "cosine": (by_cosine, asked_unit, unit, unit.nbytes),
    "PCA's signs": (by_bits, signs(X_test), in_columns(signs(X_train)), bits.nbytes),
    "bits": (by_bits, asked, bits, bits.nbytes),
    "bits, neighbors": (by_neighbors, asked_apart, neighbors, apart.nbytes),
    "bits, then cosine": (
        by_both,
        list(zip(asked, asked_unit, strict=True)),
        (bits, unit),
        bits.nbytes + unit.nbytes,
    ),
}
found, precision = {}, {}
for name, (search, queries, stored, size) in searches.items():
    begin = perf_counter()
    found[name] = np.array([search(query, stored) for query in queries])
    microseconds = 1e6 * (perf_counter() - begin) / len(queries)
    precision[name] = (y_train[found[name]] == y_test[:, None]).mean()
    print(
        f"{name:17}  of ten neighbours with the same digit {precision[name]:.3f}, "
        f"{microseconds:5.0f} microseconds a query, {size / 2**20:6.2f} MiB"
    )

assert precision["bits"] > precision["PCA's signs"] + 0.04
assert precision["bits"] > precision["cosine"] - 0.06
assert abs(precision["bits, neighbors"] - precision["bits"]) < 0.01  # but for ties
assert precision["bits, then cosine"] > precision["cosine"] - 0.02

# %%
# Draw what two usual queries find
# --------------------------------
# Usual is a query for which each search is right about as often as it is on average.
figure, axes = plt.subplots(6, 11, figsize=(11, 6.2), layout="constrained")
names = ("cosine", "PCA's signs", "bits")
unusual = sum(
    np.abs((y_train[found[name]] == y_test[:, None]).mean(axis=1) - precision[name])
    for name in names
)
for place, digit in enumerate((5, 8)):
    query = np.where(y_test == digit, unusual, np.inf).argmin()
    for line, name in zip(axes[3 * place :], names, strict=False):
        rows = [X_test[query], *X_train[found[name][query]]]
        for ax, row in zip(line, rows, strict=True):
            ax.imshow(row.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
        line[0].spines[:].set(color="C0", linewidth=3)
        line[0].set_ylabel(f"{name}\n{precision[name]:.0%} right", fontsize=11)
        for ax in line[1:][y_train[found[name][query]] != digit]:
            ax.spines[:].set(color="C3", linewidth=3)
figure.suptitle("A digit (blue) and its neighbours; another digit has a red frame")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "retrieval.png"), dpi=110)
else:
    plt.show()
