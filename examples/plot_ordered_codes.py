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
    ax.plot(
        sizes, curves[name], style, color={"PCA": "0.4"}.get(name, "C0"), label=name
    )
ax.set(xlabel="leading components", ylabel="held-out error, share of the variance")
ax.set(ylim=(0, None), xticks=sizes[1::2])
ax.legend(frameon=False)
ax.set_title(f"80 %: {share.n_components_} components, PCA {by_pca}")
shown = (1, 2, 4, 8, 16)
mosaic = [[rows[n - 1] for n in shown] + [X_test[1]] for rows in drawn.values()]
mosaic = [[np.pad(row.reshape(side, side), 1) for row in line] for line in mosaic]
ax = right.subplots()
ax.imshow(np.block(mosaic), cmap="gray_r", vmin=0, vmax=1)
middle = (np.arange(6) + 0.5) * (side + 2) - 0.5
ax.set_xticks(middle, [*shown, "original"])
ax.set_yticks(middle[:2], drawn)
ax.tick_params(length=0, labelsize=12)
ax.spines[:].set_visible(False)

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "ordered_codes.png"), dpi=110)
else:
    plt.show()
