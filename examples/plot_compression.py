"""
Bits per pixel: a code learnt for digits, and JPEG
==================================================

A codec that has learnt one kind of image needs few bits for more of the kind. To give
back held-out digits at 18 dB, rounded codes of an autoencoder take a fifth of JPEG's
bits and seven tenths of those of rounded PCA scores. It is no codec for everything:
taught on one photograph, it needs more bits than JPEG for another one.

Bits are what an arithmetic coder makes of the rounded codes, by how often it saw each
number in training. The weights of the decoder are left out, as are JPEG's headers and
tables.
"""

# %%
# Codecs
# ------
# Where the environment variable SKAE_DATA names a folder with ``mnist.npz``, its larger
# digits are used.
import io
import os
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images
from sklearn.decomposition import PCA

from skae import Autoencoder
from skae.metrics import peak_signal_noise_ratio


def by_jpeg(picture):
    """Yield bits per pixel and the restored picture, for some qualities."""
    pixels = Image.fromarray(np.rint(255 * picture).astype(np.uint8))
    for quality in range(1, 40, 2):
        file = io.BytesIO()
        pixels.save(file, "JPEG", quality=quality, optimize=True)
        n_bytes = len(file.getvalue()) - file.getvalue().index(b"\xff\xda")
        yield 8 * n_bytes / picture.size, np.asarray(Image.open(file)) / 255


def unit(model, codes, j):
    """Return how far component j has to go to move the reconstruction by 1."""
    step = 0.1 * codes[:, j].std() * np.eye(codes.shape[1])[j]
    moved = model.inverse_transform(codes + step) - model.inverse_transform(codes)
    return step[j] / np.sqrt((moved**2).sum(axis=1).mean())


def by_codes(model, X_train, X_test):
    """Yield bits per pixel and the restored rows, for some sizes of a step."""
    codes, n = model.fit(X_train).transform(np.vstack([X_train, X_test])), len(X_train)
    units = np.array([unit(model, codes[:500], j) for j in range(codes.shape[1])])
    for step in np.linspace(0.1, 1, 13) * X_test.shape[1] ** 0.5 / 8:
        bits, symbols = 0, np.rint(codes / (step * units)).astype(int)
        for column in (symbols - symbols.min(axis=0)).T:
            seen = np.bincount(column[:n], minlength=column.max() + 1) + 0.1
            bits -= np.log2(seen / seen.sum())[column[n:]].sum()
        restored = model.inverse_transform(symbols[n:] * step * units)
        yield bits / X_test.size, restored.clip(0, 1)


def mosaic(rows, n_columns):
    side = round(rows.shape[1] ** 0.5)
    lines = rows.reshape(-1, n_columns, side, side).swapaxes(1, 2)
    return lines.reshape(-1, n_columns * side)


def blocks(picture, step):
    windows = np.lib.stride_tricks.sliding_window_view(picture, (8, 8))
    return windows[::step, ::step].reshape(-1, 64)


# %%
# Digits, each a block of JPEG's, and photographs in blocks
# ---------------------------------------------------------
if "SKAE_DATA" in os.environ:
    file = np.load(Path(os.environ["SKAE_DATA"], "mnist.npz"))
    images = np.vstack([file["X_train"][:4000], file["X_test"][:600]]) / 255
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))  # whole blocks of JPEG's
    sizes, decibels = (16, 32, 64), 20
else:
    images, sizes, decibels = load_digits().images / 16, (8, 16, 32), 18
X = images.reshape(len(images), -1)
one, other = (photo @ [0.3, 0.6, 0.1] / 255 for photo in load_sample_images().images)
scenes = {
    "digits": (X[:-600], X[-600:], 24, sizes, "auto", decibels),
    "a photograph": (blocks(one, 4), blocks(other[:424], 8), 80, (8, 24), 5, 28),
}
warnings.filterwarnings("ignore", "Rows kept out of training")
curves, cheapest = {}, {}
for scene, (X_train, X_test, n_columns, sizes, max_iter, decibels) in scenes.items():
    picture, coded = mosaic(X_test, n_columns), {"PCA": [], "autoencoder": []}
    for k in sizes:
        network = Autoencoder(k, max_iter=max_iter, random_state=0)
        for name, model in (("PCA", PCA(k, random_state=0)), ("autoencoder", network)):
            found = by_codes(model, X_train, X_test)
            coded[name] += [(bits, mosaic(rows, n_columns)) for bits, rows in found]
    coded["JPEG"] = list(by_jpeg(picture))
    for name, found in coded.items():
        found.sort(key=lambda pair: pair[0])
        ratios = [peak_signal_noise_ratio(picture, image) for _, image in found]
        ratios = np.maximum.accumulate(ratios)
        curves[scene, name] = np.array([bits for bits, _ in found]), ratios
        bits, image = found[np.argmax(ratios > decibels)]
        cheapest[scene, name] = bits, image
        print(f"{scene} at {decibels} dB: {name:11} {bits:.3f} bits a pixel")

needed = {key: bits for key, (bits, _) in cheapest.items()}
assert needed["digits", "autoencoder"] < 0.8 * needed["digits", "PCA"]
assert needed["digits", "autoencoder"] < 0.35 * needed["digits", "JPEG"]
assert needed["a photograph", "autoencoder"] > needed["a photograph", "JPEG"]

# %%
# Draw the curves, and digits at the same error
# ---------------------------------------------
titles = {
    "digits": "More of the kind: held-out digits",
    "a photograph": "Another photograph",
}
figure, axes = plt.subplot_mosaic(
    [list(scenes), ["strips", "strips"]],
    figsize=(11, 6.6),
    height_ratios=(1.4, 1),
    layout="constrained",
)
for (scene, name), (bits, ratios) in curves.items():
    better = np.diff(ratios, prepend=0) > 0
    axes[scene].plot(bits[better], ratios[better], label=name, linewidth=2.5)
for scene, title in titles.items():
    axes[scene].set(title=title, xlabel="bits per pixel", ylabel="PSNR in dB")
    axes[scene].set_xlim(0)
    axes[scene].grid(alpha=0.3)
axes["digits"].legend()
strips = {"original": mosaic(X[-600:], 24)}
for name in ("JPEG", "PCA", "autoencoder"):
    bits, picture = cheapest["digits", name]
    strips[f"{name}, {bits:.2f} bits"] = picture
side = images.shape[1]
lines = [
    np.pad(picture[:side], ((0, side // 4), (0, 0))) for picture in strips.values()
]
axes["strips"].imshow(np.vstack(lines), cmap="gray_r", vmin=0, vmax=1)
axes["strips"].set_yticks(side / 2 + 1.25 * side * np.arange(4), strips, fontsize=11)
axes["strips"].set(xticks=[], title=f"Held-out digits at {scenes['digits'][-1]} dB")
axes["strips"].tick_params(length=0)
axes["strips"].spines[:].set_visible(False)

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "compression.png"), dpi=110)
else:
    plt.show()
