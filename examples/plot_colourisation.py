"""
Colours for a grey photograph
=============================

An `AutoencoderRegressor`, fitted to grey and coloured patches of both sides of a
photograph, gives colours to the band between, of which it knows the grey values only.
It comes eight decibels nearer to the colours than the grey copy, and more than one
nearer than the mean colour of pixels that are as bright.
"""

# %%
# Fit to patches of both sides, predict the band between
# ------------------------------------------------------
# Each pixel of the band is in several patches, whose predictions are averaged.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from skae import AutoencoderRegressor, ConvolutionalAutoencoder
from skae.metrics import peak_signal_noise_ratio, structural_similarity

SIZE, STEP = 16, 4
photo = load_sample_image("flower.jpg")[:424].astype(np.float32) / 255
grey = photo @ np.array([0.299, 0.587, 0.114], np.float32)
left, band, right = slice(0, 320), slice(320, 512), slice(512, 640)


def places(shape):
    for line in range(0, shape[0] - SIZE + 1, STEP):
        for column in range(0, shape[1] - SIZE + 1, STEP):
            yield slice(line, line + SIZE), slice(column, column + SIZE)


def patches(image):
    return np.array([image[place] for place in places(image.shape)])


def assembled(found, shape):
    total, counts = np.zeros(shape), np.zeros(shape)
    for patch, place in zip(found, places(shape), strict=True):
        total[place] += patch
        counts[place] += 1
    return total / counts


X, Y = (
    np.vstack([patches(image[:, side]) for side in (left, right)])
    for image in (grey, photo)
)
network = ConvolutionalAutoencoder(64, max_iter=5, random_state=0)
regressor = AutoencoderRegressor(network).fit(X, Y)
restored = regressor.predict(patches(grey[:, band]))

# %%
# Compare with copies of the grey, and the mean colour of pixels as bright
# ------------------------------------------------------------------------
target, levels = photo[:, band], np.rint(64 * grey).astype(int)
known = np.r_[left, right]
bright, colours = levels[:, known].ravel(), photo[:, known].reshape(-1, 3)
counts = np.bincount(bright, minlength=65).clip(1)
means = np.array([np.bincount(bright, x, minlength=65) / counts for x in colours.T]).T
drawn = {
    "grey copy": np.repeat(grey[:, band, None], 3, axis=2),
    "by brightness": means[levels[:, band]],
    "regressor": assembled(restored, target.shape).clip(0, 1),
}
ratios = {name: peak_signal_noise_ratio(target, image) for name, image in drawn.items()}
for name, image in drawn.items():
    similarity = structural_similarity(target[None], image[None])
    print(f"{name:13}  {ratios[name]:.1f} dB, SSIM {similarity:.2f}")

assert ratios["regressor"] > ratios["grey copy"] + 6
assert ratios["regressor"] > ratios["by brightness"] + 1

# %%
# Draw the band between its neighbours
# ------------------------------------
figure, axes = plt.subplots(2, 2, figsize=(11, 7.6), layout="constrained")
drawn["the photograph"] = target
for ax, (name, image) in zip(axes.ravel(), drawn.items(), strict=True):
    whole = photo.copy()
    whole[:, band] = image
    ax.imshow(whole)
    ax.axvline(band.start, color="white", linestyle=":")
    ax.axvline(band.stop, color="white", linestyle=":")
    ax.set(xticks=[], yticks=[])
    ax.set_title(name + (f": {ratios[name]:.1f} dB" if name in ratios else ""))
figure.suptitle("The colours between the lines are not known")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "colourisation.png"), dpi=110)
else:
    plt.show()
