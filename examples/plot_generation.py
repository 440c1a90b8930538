"""
New digits from a variational autoencoder
=========================================

A `VariationalAutoencoder` is a model of where rows come from: codes drawn from a normal
distribution are decoded into new rows. It gives rows it has not seen a larger density
than probabilistic PCA does, and what it draws varies more, if less than digits do.
"""

# %%
# Fit both, and draw codes from the prior
# ---------------------------------------
# Where the environment variable SKAE_DATA names a folder with ``mnist.npz``, its larger
# images are used.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skae import VariationalAutoencoder

if "SKAE_DATA" in os.environ:
    images = np.load(Path(os.environ["SKAE_DATA"], "mnist.npz"))
    X_train = images["X_train"][:8000].reshape(8000, -1) / 255
    X_test = images["X_test"][:500].reshape(500, -1) / 255
else:
    X = load_digits().data / 16
    X_train, X_test = X[:1200], X[1200:]
side = round(X_train.shape[1] ** 0.5)

vae = VariationalAutoencoder(8, random_state=0).fit(X_train)
pca = PCA(8).fit(X_train)
gain = vae.score_samples(X_test).mean() - pca.score(X_test)
print(f"log-likelihood of held-out digits, above PCA's  {gain:.1f} nats each")

Z = np.random.RandomState(0).normal(size=(1000, 8))
deviations = (pca.explained_variance_ - pca.noise_variance_) ** 0.5
samples = {
    "probabilistic PCA": pca.inverse_transform(deviations * Z),
    "variational": vae.inverse_transform(Z),
}
varied = {}
for name, rows in samples.items():
    varied[name] = rows.var(axis=0).sum() / X_test.var(axis=0).sum()
    print(f"{name:17}  variance of samples, of that of digits {varied[name]:.2f}")

assert gain > 5
assert varied["probabilistic PCA"] < varied["variational"] < 1

# %%
# Draw samples, and a walk from one digit to another
# --------------------------------------------------
start, end = vae.transform(X_test[[3, 5]])
walk = vae.inverse_transform(np.linspace(start, end, 12))
figure, axes = plt.subplots(5, 12, figsize=(11, 5), layout="constrained")
pictures = np.concatenate([samples["probabilistic PCA"][:24], samples["variational"]])
for ax, row in zip(axes[:4].ravel(), pictures, strict=False):
    ax.imshow(row.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
for ax, row in zip(axes[4], walk, strict=True):
    ax.imshow(row.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
for ax in axes.ravel():
    ax.set(xticks=[], yticks=[])
for line, label in zip(axes[::2], ("PCA", "variational", "a walk"), strict=True):
    line[0].set_ylabel(label, fontsize=12)
figure.suptitle("Two rows of samples of each, and a walk between two digits")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "generation.png"), dpi=110)
else:
    plt.show()
