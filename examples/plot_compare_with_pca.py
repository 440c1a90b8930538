"""
Two numbers for a picture of a digit
====================================

PCA and an autoencoder each put images of 64 pixels into a plane. Both are fitted to
the same rows and judged on rows they have not seen: the autoencoder leaves less error,
and a nearest-neighbour classifier tells more digits right from its two numbers.
"""

# %%
# Fit both on two thirds of the digits
# ------------------------------------
import os
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from skae import Autoencoder

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=1 / 3, stratify=y, random_state=0
)
models = {"PCA": PCA(2), "Autoencoder": Autoencoder(2, random_state=0)}
codes, errors, accuracies = {}, {}, {}
for name, model in models.items():
    code_train = model.fit_transform(X_train)
    codes[name] = model.transform(X_test)
    errors[name] = ((X_test - model.inverse_transform(codes[name])) ** 2).mean()
    neighbours = KNeighborsClassifier(10).fit(code_train, y_train)
    accuracies[name] = neighbours.score(codes[name], y_test)
    print(f"{name:11}  held-out squared error {errors[name]:5.2f}", end="")
    print(f"  digits told from the code {accuracies[name]:.0%}")

assert errors["Autoencoder"] < 0.85 * errors["PCA"]
assert accuracies["Autoencoder"] > accuracies["PCA"] + 0.05

# %%
# Draw the held-out digits
# ------------------------
figure, axes = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
for ax, name in zip(axes, models, strict=True):
    for digit in range(10):
        chosen = y_test == digit
        ax.scatter(*codes[name][chosen].T, s=16, color=f"C{digit}", label=digit)
        place = codes[name][chosen].mean(axis=0)
        ax.text(*place, digit, fontsize=16, fontweight="bold", ha="center", va="center")
    ax.set_title(f"{name}: error {errors[name]:.1f}, accuracy {accuracies[name]:.0%}")
    ax.set(xticks=[], yticks=[])
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside right center", title="digit", frameon=False)

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "compare_with_pca.png"), dpi=110)
else:
    plt.show()
