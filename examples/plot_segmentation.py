"""
Which pixels belong to which digit
==================================

Digits are drawn on pieces of photographs. For each pixel, an `AutoencoderRegressor`
says whether it belongs to a 0, a 1, a 4, or to none of them. In held-out scenes it
finds their pixels with a mean intersection over union of 0.8; a logistic regression of
the 9 x 9 pixels around each pixel, which sees ink but no digit, of 0.3. To hand the
positions of the encoder's max-pooling to the decoder makes little difference here.
"""

# %%
# Compose scenes, and fit to their labels
# ---------------------------------------
# Where the environment variable SKAE_DATA names a folder with ``mnist.npz``, its digits
# are used.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import load_digits, load_sample_images
from sklearn.linear_model import LogisticRegression

from skae import AutoencoderRegressor, ConvolutionalAutoencoder

if "SKAE_DATA" in os.environ:
    file = np.load(Path(os.environ["SKAE_DATA"], "mnist.npz"))
    digits, y = file["X_train"][:6000, 4:24, 4:24] / 255, file["y_train"][:6000]
else:
    digits, y = load_digits(return_X_y=True)
    digits = np.kron(digits.reshape(-1, 8, 8) / 16, np.ones((2, 2)))
size, side, kinds = digits.shape[1], digits.shape[1] + 8, (0, 1, 4)
photos = [photo @ [0.3, 0.6, 0.1] / 255 for photo in load_sample_images().images]


def compose(digits, y, n, rng):
    scenes, labels = np.empty((n, side, side)), np.zeros((n, side, side), int)
    for scene, label in zip(scenes, labels, strict=True):
        photo = photos[rng.randint(2)]
        line, column = (rng.randint(length - side) for length in photo.shape)
        scene[:] = photo[line : line + side, column : column + side]
        j, line, column = rng.randint(len(y)), *rng.randint(9, size=2)
        place = slice(line, line + size), slice(column, column + size)
        ink = digits[j] > 0.4
        label[place][ink] = 1 + kinds.index(y[j])
        scene[place][ink] = 0.2 * scene[place][ink] + 0.8
    return scenes.astype(np.float32), labels


def around(scenes):
    padded = np.pad(scenes, ((0, 0), (4, 4), (4, 4)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (9, 9), axis=(1, 2))
    return windows.reshape(-1, 81)


chosen, rng = np.isin(y, kinds), np.random.RandomState(0)
digits, y, n_train = digits[chosen], y[chosen], chosen.sum() * 2 // 3
X_train, y_train = compose(digits[:n_train], y[:n_train], 4000, rng)
X_test, y_test = compose(digits[n_train:], y[n_train:], 300, rng)

some = rng.permutation(y_train.size)[:30000]
pixelwise = LogisticRegression(C=0.1, max_iter=3000, class_weight="balanced")
pixelwise.fit(around(X_train)[some], y_train.ravel()[some])
found = {"logistic regression": pixelwise.predict(around(X_test)).reshape(y_test.shape)}
for name, unpooling in (("regressor", "transposed"), ("with positions", "indices")):
    network = ConvolutionalAutoencoder(128, unpooling=unpooling, random_state=0)
    network.set_params(hidden_layer_sizes=128, max_iter=8)
    regressor = AutoencoderRegressor(network).fit(X_train, np.eye(4)[y_train])
    found[name] = regressor.predict(X_test).argmax(axis=-1)


# %%
# Measure the intersection over union of digits
# ---------------------------------------------
def overlap(predicted, kind):
    both = (predicted == kind) & (y_test == kind)
    return both.sum() / ((predicted == kind) | (y_test == kind)).sum()


overlaps = {}
for name, predicted in found.items():
    each = [overlap(predicted, kind) for kind in (1, 2, 3)]
    overlaps[name] = np.mean(each)
    print(f"{name:19}  mean {overlaps[name]:.2f} of", *(f"{x:.2f}" for x in each))

assert overlaps["regressor"] > overlaps["logistic regression"] + 0.3
assert overlaps["with positions"] > overlaps["logistic regression"] + 0.3

# %%
# Draw some scenes
# ----------------
figure, axes = plt.subplots(5, 10, figsize=(11, 5.8), layout="constrained")
colours = ListedColormap(["0.9", "C0", "C1", "C2"])
drawn = {"scene": X_test, "truth": y_test, **found}
for line, (name, images) in zip(axes, drawn.items(), strict=True):
    settings = (
        {"cmap": "gray", "vmax": 1} if name == "scene" else {"cmap": colours, "vmax": 3}
    )
    for ax, image in zip(line, images, strict=False):
        ax.imshow(image, vmin=0, interpolation="nearest", **settings)
        ax.set(xticks=[], yticks=[])
    label = f"{overlaps[name]:.2f}" if name in overlaps else ""
    line[0].set_ylabel(name.replace(" ", "\n") + "\n" + label)
figure.suptitle("Pixels of a 0 (blue), a 1 (orange), a 4 (green) in held-out scenes")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "segmentation.png"), dpi=110)
else:
    plt.show()
