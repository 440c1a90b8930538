"""
Digits from eight numbers
=========================

Images of 64 pixels are reduced to eight numbers and drawn again from them. All of
them are held out of training. The autoencoder leaves about half of PCA's squared
error.
"""

# %%
# Reconstruct held-out digits
# ---------------------------
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import Autoencoder

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=1 / 3, stratify=y, random_state=0
)
pca = PCA(8).fit(X_train)
autoencoder = Autoencoder(8, random_state=0).fit(X_train)
drawn = {
    "original": X_test,
    "PCA": pca.inverse_transform(pca.transform(X_test)),
    "Autoencoder": autoencoder.reconstruct(X_test),
}
errors = {name: ((X_test - images) ** 2).mean() for name, images in drawn.items()}
for name in ("PCA", "Autoencoder"):
    print(f"{name:11}  held-out squared error {errors[name]:.2f}")
ratio = errors["Autoencoder"] / errors["PCA"]
print(f"Autoencoder / PCA  {ratio:.2f}")

assert ratio < 0.75

# %%
# Draw the first held-out image of each digit
# -------------------------------------------
first = [np.flatnonzero(y_test == digit)[0] for digit in range(10)]
figure, axes = plt.subplots(3, 10, figsize=(11, 4), layout="constrained")
for line, (name, images) in zip(axes, drawn.items(), strict=True):
    for ax, row in zip(line, first, strict=True):
        ax.imshow(images[row].reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    error = f"\nerror {errors[name]:.1f}" if errors[name] else ""
    line[0].set_ylabel(name + error, fontsize=12)
figure.suptitle("Held-out digits, drawn from eight numbers each")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "reconstructions.png"), dpi=110)
else:
    plt.show()
