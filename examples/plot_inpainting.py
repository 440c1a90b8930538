"""
What was behind the block
=========================

A block is cut out of images, in their middle. An `AutoencoderRegressor`, fitted to
pairs of cut and whole images, fills the hole of held-out ones from what is around it.
It comes four decibels nearer to what was there than the mean of the training images.
"""

# %%
# Fit to cut and whole digits
# ---------------------------
# Where the environment variable SKAE_DATA names a folder with ``frey_faces.npz``, the
# frames of a film of a face are used; every fifth hundred of them is held out.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skae import Autoencoder, AutoencoderRegressor
from skae.metrics import peak_signal_noise_ratio

if "SKAE_DATA" in os.environ:
    images = np.load(Path(os.environ["SKAE_DATA"], "frey_faces.npz"))["X"] / 255
    held_out = np.arange(len(images)) // 100 % 5 == 0
    lines, columns, cmap = slice(10, 20), slice(5, 15), "gray"
else:
    images = load_digits().images / 16
    held_out = np.arange(len(images)) >= 1200
    lines, columns, cmap = slice(2, 6), slice(2, 6), "gray_r"
train, test = images[~held_out], images[held_out]


def cut(images, filling=0):
    images = images.copy()
    images[:, lines, columns] = filling
    return images


network = Autoencoder(64, random_state=0)
regressor = AutoencoderRegressor(network).fit(cut(train), train)
inside = regressor.predict(cut(test)).clip(0, 1)[:, lines, columns]
filled = {
    "mean": cut(test, train.mean(axis=0)[lines, columns]),
    "regressor": cut(test, inside),
}
ratios = {
    name: peak_signal_noise_ratio(test[:, lines, columns], x[:, lines, columns])
    for name, x in filled.items()
}
for name, ratio in ratios.items():
    print(f"filled by {name:9}  {ratio:.1f} dB inside the block")

assert ratios["regressor"] > ratios["mean"] + 3.5

# %%
# Draw some
# ---------
drawn = {"cut": cut(test, np.nan), **filled, "whole": test}
shown = np.linspace(0, len(test) - 1, 11).astype(int)
height = 11 * 4 / 11 * images.shape[1] / images.shape[2]
figure, axes = plt.subplots(4, 11, figsize=(11, height + 0.6), layout="constrained")
colours = plt.get_cmap(cmap).with_extremes(bad="C1")
for line, (name, rows) in zip(axes, drawn.items(), strict=True):
    for ax, image in zip(line, rows[shown], strict=True):
        ax.imshow(image, cmap=colours, vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    label = f"{name}\n{ratios[name]:.1f} dB" if name in ratios else name
    line[0].set_ylabel(label, fontsize=12)
figure.suptitle("Held-out images with a block cut out, and filled")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "inpainting.png"), dpi=110)
else:
    plt.show()
