"""
One code of any size
====================

With ``ordered=True`` leading parts of the code are codes too, as PCA's are: one fit
gives a curve of error by size, below that of PCA at every size. A share instead of a
size picks the smallest one that explains it, on rows kept out of training.
"""

# %%
# Fit once, and cut the code
# --------------------------
# Where the environment variable SKAE_DATA names a folder with ``mnist.npz``, its larger
# images are used.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import Autoencoder

if "SKAE_DATA" in os.environ:
    images = np.load(Path(os.environ["SKAE_DATA"], "mnist.npz"))
    X_train = images["X_train"][:6000].reshape(6000, -1) / 255
    X_test = images["X_test"][:1000].reshape(1000, -1) / 255
else:
    X_train, X_test = train_test_split(load_digits().data / 16, random_state=0)
side = round(X_train.shape[1] ** 0.5)

sizes = np.arange(1, 17)
ordered = Autoencoder(16, ordered=True, random_state=0).fit(X_train)
pca = PCA(16).fit(X_train)
total = ((X_test - pca.mean_) ** 2).sum()
curves, drawn = {"PCA": [], "ordered": []}, {"PCA": [], "ordered": []}
for size in sizes:
    first = np.where(np.arange(16) < size, pca.transform(X_test), 0)
    restored = {
        "PCA": pca.inverse_transform(first),
        "ordered": ordered.inverse_transform(ordered.transform(X_test)[:, :size]),
    }
    for name, rows in restored.items():
        curves[name].append(((X_test - rows) ** 2).sum() / total)
        drawn[name].append(rows[1])
for size in (1, 2, 4, 8, 16):
    print(f"{size:2} components: error of PCA {curves['PCA'][size - 1]:.2f}, ", end="")
    print(f"of the ordered code {curves['ordered'][size - 1]:.2f}")

assert (np.array(curves["ordered"]) < curves["PCA"]).all()

# %%
# Ask for a share
# ---------------
share = Autoencoder(0.8, ordered=True, random_state=0).fit(X_train)
by_pca = PCA(0.8).fit(X_train).n_components_
print(f"80 % of the variance: {share.n_components_} components, PCA {by_pca};")
print(f"of rows never seen they explain {share.score(X_test):.2f}")

assert share.n_components_ < by_pca
assert share.score(X_test) > 0.77

# %%
# Draw the curves, and one digit by its first components
# ------------------------------------------------------
figure = plt.figure(figsize=(11, 4.4), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1, 1.1))
ax = left.subplots()
for name, style in (("PCA", "o--"), ("ordered", "o-")):
    ax.plot(sizes, curves[name], style, color={"PCA": "0.4"}.get(name, "C0"), label=name)
ax.axvline(share.n_components_, color="C1", label="80 % explained")
ax.set(xlabel="leading components", ylabel="held-out error, share of the variance")
ax.set(ylim=(0, None), xticks=sizes[1::2])
ax.legend(frameon=False)
shown = (1, 2, 4, 8, 16)
axes = right.subplots(2, 6)
for line, (name, rows) in zip(axes, drawn.items(), strict=True):
    pictures = [*(rows[size - 1] for size in shown), X_test[1]]
    for ax, row, size in zip(line, pictures, (*shown, "original"), strict=True):
        ax.imshow(row.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[], title=size)
    line[0].set_ylabel(name, fontsize=12)

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "ordered_codes.png"), dpi=110)
else:
    plt.show()
