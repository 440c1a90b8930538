"""
A photograph without its watermark
==================================

Half-transparent words lie over a photograph. Two thirds of it are known with and
without them. An `AutoencoderRegressor`, fitted to patches of those, takes the words off
the last third, where they are at other places, and brings it five decibels nearer to
the original.
"""

# %%
# Fit to patches of the left side, predict the right one
# ------------------------------------------------------
# Each pixel is in several patches, whose predictions are averaged.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_sample_image

from skae import Autoencoder, AutoencoderRegressor
from skae.metrics import peak_signal_noise_ratio, structural_similarity

SIZE, STEP = 16, 4
photo = load_sample_image("china.jpg")[:424].astype(np.float32) / 255
words = Image.new("L", (640, 424))
for line in range(11):
    for column in range(-1, 6):
        place = (120 * column + 53 * line % 120, 40 * line)
        ImageDraw.Draw(words).text(place, "skae", 255, ImageFont.load_default(30))
opacity = 0.5 * np.asarray(words, np.float32)[..., None] / 255
marked = (1 - opacity) * photo + opacity
known, unknown = slice(0, 432), slice(432, 640)


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


X, Y, X_new = (
    patches(image) for image in (marked[:, known], photo[:, known], marked[:, unknown])
)
network = Autoencoder(64, max_iter=15, random_state=0)
regressor = AutoencoderRegressor(network).fit(X, Y)
target = photo[:, unknown]
restored = assembled(regressor.predict(X_new), target.shape).clip(0, 1)
drawn = {"left as it is": marked[:, unknown], "restored": restored, "original": target}
ratios = {}
for name in ("left as it is", "restored"):
    ratios[name] = peak_signal_noise_ratio(target, drawn[name])
    similarity = structural_similarity(target[None], drawn[name][None])
    print(f"{name:13}  {ratios[name]:.1f} dB, SSIM {similarity:.2f}")

assert ratios["restored"] > ratios["left as it is"] + 4

# %%
# Draw the right side
# -------------------
figure, axes = plt.subplots(1, 3, figsize=(11, 7.6), layout="constrained")
for ax, (name, image) in zip(axes, drawn.items(), strict=True):
    ax.imshow(image)
    ax.set(xticks=[], yticks=[])
    ax.set_title(name + (f": {ratios[name]:.1f} dB" if name in ratios else ""))
figure.suptitle("The part of the photograph that was not known without words")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "watermark.png"), dpi=110)
else:
    plt.show()
