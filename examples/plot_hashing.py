"""
Search among digits by 32 bits each
===================================

A `BinaryAutoencoder` makes bits of rows, so that rows with few different bits are
alike. Of the neighbours that it finds for digits it has not seen, more show the same
digit than of those found by the signs of PCA's scores. A search among
the pixels themselves needs 64 times the memory or more, and finds no better ones.
"""

# %%
# Search by the bits
# ------------------
# Where the environment variable SKAE_DATA names a folder with ``mnist.npz``, its larger
# images are used.
import os
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors

from skae import BinaryAutoencoder

if "SKAE_DATA" in os.environ:
    images = np.load(Path(os.environ["SKAE_DATA"], "mnist.npz"))
    X_train = images["X_train"][:8000].reshape(8000, -1) / 255
    X_test = images["X_test"][:500].reshape(500, -1) / 255
    y_train, y_test = images["y_train"][:8000], images["y_test"][:500]
else:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
side = round(X_train.shape[1] ** 0.5)


def find(codes, queries, metric):
    search = NearestNeighbors(n_neighbors=50, metric=metric, algorithm="brute")
    begin = perf_counter()
    found = search.fit(codes).kneighbors(queries, return_distance=False)
    seconds = (perf_counter() - begin) / len(queries)
    return found, f"{1e6 * seconds:4.0f} microseconds a query"


pca = PCA(32).fit(X_train)
hashes = BinaryAutoencoder(32, random_state=0).fit(X_train)
codes = {
    "pixels": (X_train, X_test, "euclidean"),
    "PCA's signs": (pca.transform(X_train) > 0, pca.transform(X_test) > 0, "hamming"),
    "bits": (hashes.transform(X_train), hashes.transform(X_test), "hamming"),
}
found, precision = {}, {}
for name, (train, test, metric) in codes.items():
    found[name], speed = find(train, test, metric)
    precision[name] = (y_train[found[name]] == y_test[:, None]).mean()
    print(f"{name:11}  neighbours with the same digit {precision[name]:.2f}, {speed}")

assert precision["bits"] > precision["PCA's signs"] + 0.15
assert precision["bits"] > precision["pixels"] - 0.1

# %%
# The same with bytes
# -------------------
# The bits of two rows differ where the exclusive or of their bytes has ones, which a
# table counts.
packed = hashes.set_params(packed=True)
stored, asked = packed.transform(X_train), packed.transform(X_test)
ones = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1)
begin = perf_counter()
different = sum(
    ones[byte[:, None] ^ of_rows]
    for byte, of_rows in zip(asked.T, stored.T, strict=True)
)
nearest = np.argpartition(different, 50, axis=1)[:, :50]
seconds = (perf_counter() - begin) / len(asked)
size, images_size = stored.nbytes, X_train.astype(np.float32).nbytes
print(
    f"{1e6 * seconds:.0f} microseconds a query in {size} bytes for {len(stored)} rows,"
)
print(f"whose pixels take {images_size}")

assert (y_train[nearest] == y_test[:, None]).mean() > precision["bits"] - 0.02

# %%
# Draw what three of the queries find
# -----------------------------------
figure, axes = plt.subplots(6, 12, figsize=(11, 6), layout="constrained")
for place, digit in enumerate((3, 5, 8)):
    query = np.flatnonzero(y_test == digit)[1]
    for line, name in zip(axes[2 * place :], ("PCA's signs", "bits"), strict=False):
        rows = [X_test[query], *X_train[found[name][query, :11]]]
        for ax, row in zip(line, rows, strict=True):
            ax.imshow(row.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, fontsize=11)
        wrong = y_train[found[name][query, :11]] != y_test[query]
        for ax in line[1:][wrong]:
            ax.spines[:].set(color="C3", linewidth=3)
figure.suptitle("A digit and its neighbours by 32 bits; another digit has a red frame")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "hashing.png"), dpi=110)
else:
    plt.show()
