"""
Parts of a picture, by a sparse code
====================================

A code wider than it needs to be, of which each row may use only a few entries, is made
of smaller parts than PCA's: what a unit adds to the picture stays in a few places,
while each of PCA's components covers the whole digit. On images of 28 pixels a side the
parts are strokes. On the 8 of scikit-learn's digits, where a stroke is but a few
pixels, the difference is small, but there.
"""

# %%
# Fit both to images
# ------------------
# Where the environment variable SKAE_DATA names a folder with ``mnist.npz``, its larger
# images are used.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skae import SparseAutoencoder

if "SKAE_DATA" in os.environ:
    images = np.load(Path(os.environ["SKAE_DATA"], "mnist.npz"))
    X, n_components = images["X_train"][:6000].reshape(6000, -1) / 255, 256
else:
    X, n_components = load_digits().data / 16, 100
side = round(X.shape[1] ** 0.5)

pca = PCA(40).fit(X)
sparse = SparseAutoencoder(
    n_components,
    sparsity="topk",
    n_nonzero_coefs=20,
    tied_weights=True,
    learning_rate_init=0.01,
    random_state=0,
).fit(X)
nothing = sparse.inverse_transform(np.zeros((1, n_components)))
filters = {
    "PCA": pca.components_,
    "sparse": sparse.inverse_transform(np.eye(n_components)) - nothing,
}

# %%
# How much of a filter lies in a tenth of its pixels?
# ---------------------------------------------------
shares = {}
for name, rows in filters.items():
    energy = np.sort(rows**2, axis=1)[:, ::-1]
    largest = energy[:, : X.shape[1] // 10].sum(axis=1)
    shares[name] = (largest / energy.sum(axis=1)).mean()
    print(f"{name:6}  energy in the largest tenth of the pixels {shares[name]:.2f}")
print(f"The sparse code explains {sparse.score(X):.2f} of the variance,")
print(f"with 20 of {n_components} entries a row.")

assert shares["sparse"] > shares["PCA"] + 0.05
assert sparse.score(X) > 0.8

# %%
# Draw 40 of each
# ---------------
figure, axes = plt.subplots(1, 2, figsize=(11, 4.1), layout="constrained")
for ax, (name, rows) in zip(axes, filters.items(), strict=True):
    rows = rows[:40] / np.abs(rows[:40]).max(axis=1, keepdims=True)
    tiles = np.pad(rows.reshape(40, side, side), ((0, 0), (1, 1), (1, 1)))
    picture = tiles.reshape(5, 8, side + 2, side + 2).swapaxes(1, 2)
    picture = picture.reshape(5 * (side + 2), 8 * (side + 2))
    ax.imshow(picture, cmap="RdBu", vmin=-1, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"{name}: {shares[name]:.0%} in the largest tenth of the pixels")
figure.suptitle("What one number of the code adds to the picture")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "sparse_filters.png"), dpi=110)
else:
    plt.show()
