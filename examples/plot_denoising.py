"""
Taking noise off digits
=======================

A `DenoisingAutoencoder` is trained to give back clean rows for noisy ones. Noisy digits
that it has not seen come out nearer to the clean ones than by PCA, even by PCA with the
number of components that is best for the very digits they are judged on.
"""

# %%
# Fit to clean digits, and restore noisy ones
# -------------------------------------------
# Where the environment variable SKAE_DATA names a folder with ``mnist.npz``, its larger
# images are used.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skae import DenoisingAutoencoder

if "SKAE_DATA" in os.environ:
    images = np.load(Path(os.environ["SKAE_DATA"], "mnist.npz"))
    X_train = images["X_train"][:6000].reshape(6000, -1) / 255
    clean = images["X_test"][:1000].reshape(1000, -1) / 255
else:
    X = load_digits().data / 16
    X_train, clean = X[:1200], X[1200:]
side = round(X_train.shape[1] ** 0.5)

# The noise of each pixel is as large as the pixel's own standard deviation.
rng = np.random.RandomState(0)
noisy = clean + X_train.std(axis=0) * rng.normal(size=clean.shape)


def by_pca(n_components):
    pca = PCA(n_components).fit(X_train)
    return pca.inverse_transform(pca.transform(noisy))


def error(restored):
    return ((restored - clean) ** 2).sum() / ((clean - X_train.mean(axis=0)) ** 2).sum()


sizes = [size for size in (4, 8, 12, 16, 24, 32, 48, 64, 96) if size < X_train.shape[1]]
best = min(sizes, key=lambda size: error(by_pca(size)))
denoiser = DenoisingAutoencoder(
    32, corruption="gaussian", corruption_level=1.0, random_state=0
).fit(X_train)
drawn = {
    "clean": clean,
    "noisy": noisy,
    f"PCA({best})": by_pca(best),
    "denoised": denoiser.reconstruct(noisy),
}
errors = {name: error(rows) for name, rows in drawn.items()}
for name in list(drawn)[1:]:
    print(f"{name:8}  error, as a share of the digits' variance {errors[name]:.2f}")

assert errors["denoised"] < 0.8 * errors[f"PCA({best})"] < 0.8 * errors["noisy"]

# %%
# Draw ten of them
# ----------------
figure, axes = plt.subplots(4, 10, figsize=(11, 5), layout="constrained")
for line, (name, rows) in zip(axes, drawn.items(), strict=True):
    for ax, row in zip(line, rows, strict=False):
        ax.imshow(row.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    share = f"\nerror {errors[name]:.2f}" if errors[name] else ""
    line[0].set_ylabel(name + share, fontsize=11)
figure.suptitle("Held-out digits with noise as large as each pixel's own deviation")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "denoising.png"), dpi=110)
else:
    plt.show()
