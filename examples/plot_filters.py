"""
What units look for: strokes, parts and maps
============================================

Each of PCA's components covers the whole digit. The units of a denoising autoencoder
look for strokes, which widen with the share q of the pixels that are hidden from it in
training: only what neighbours say of each other then helps. Units of a sparse code, of
which a digit may use only a few, are parts: more of a filter lies in few pixels. Those
of a convolutional autoencoder are the same at every place, so their maps move with the
image.
"""

# %%
# Fit them to digits
# ------------------
# Where the environment variable SKAE_DATA names a folder with ``mnist.npz``, its larger
# images are used.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_sample_images
from sklearn.decomposition import PCA

from skae import ConvolutionalAutoencoder, DenoisingAutoencoder, SparseAutoencoder

if "SKAE_DATA" in os.environ:
    file = np.load(Path(os.environ["SKAE_DATA"], "mnist.npz"))
    X, n_components, n_epochs = file["X_train"][:4000].reshape(4000, -1) / 255, 144, 40
else:
    X, n_components, n_epochs = load_digits().data / 16, 64, 150
side = round(X.shape[1] ** 0.5)

common = {
    "hidden_layer_sizes": (),
    "init": "random",
    "tied_weights": True,
    "random_state": 0,
}
models = {
    f"Denoising, q = {q}": DenoisingAutoencoder(
        n_components,
        corruption_level=q,
        code_activation="relu",
        **common,
    )
    for q in (0, 0.25, 0.5)
}
models["Sparse"] = SparseAutoencoder(
    n_components, sparsity="topk", n_nonzero_coefs=20, max_iter=n_epochs, **common
)
filters = {"PCA": PCA(32, random_state=0).fit(X).components_}
for name, model in models.items():
    nothing = model.fit(X).inverse_transform(np.zeros((1, model.n_components)))
    filters[name] = model.inverse_transform(np.eye(model.n_components)) - nothing


# %%
# How wide is a stroke, and how much of a filter lies in few pixels?
# ------------------------------------------------------------------
# The width is half a wavelength, by the mean frequency of the filter's energy.
def width(rows):
    energy = np.abs(np.fft.fft2(rows.reshape(-1, side, side))) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    means = (energy * frequency).sum(axis=(1, 2)) / energy.sum(axis=(1, 2))
    return np.median(0.5 / means)


def share(rows):
    energy = np.sort(rows**2, axis=1)[:, ::-1]
    largest = energy[:, : rows.shape[1] // 10].sum(axis=1)
    return np.mean(largest / energy.sum(axis=1))


widths = {name: width(rows) for name, rows in filters.items()}
shares = {name: share(rows) for name, rows in filters.items()}
for name in filters:
    print(
        f"{name:20} width {widths[name]:.2f} pixels, largest tenth {shares[name]:.2f}"
    )

assert widths["Denoising, q = 0"] < widths["Denoising, q = 0.25"] - 0.1
assert widths["Denoising, q = 0.25"] < widths["Denoising, q = 0.5"] - 0.05
assert shares["Sparse"] > 1.15 * max(
    shares[name] for name in shares if name != "Sparse"
)

# %%
# Do feature maps move with the image?
# ------------------------------------
# A window two pixels lower is compared with the maps of the window moved by one pixel.
photo = load_sample_images().images[0] @ [0.3, 0.6, 0.1] / 255
windows = np.lib.stride_tricks.sliding_window_view(photo, (64, 64))
convolutional = ConvolutionalAutoencoder(
    16, channels=(8, 16), init="random", max_iter=5, random_state=0
)
convolutional.fit(windows[::12, ::12].reshape(-1, 64, 64))
window, lower = windows[[180, 182], 150]
maps, moved = convolutional.feature_maps(np.array([window, lower]), layer=0)
together = np.corrcoef(maps[2:-1].ravel(), moved[1:-2].ravel())[0, 1]
apart = np.corrcoef(maps[2:-1].ravel(), moved[2:-1].ravel())[0, 1]
print(f"maps of two windows correlate {apart:.3f}, {together:.3f} after the move")

assert together > 0.99

# %%
# Draw filters and maps
# ---------------------
figure, axes = plt.subplots(2, 5, figsize=(12, 5.6), layout="constrained")
for ax, (name, rows) in zip(axes[0], filters.items(), strict=True):
    rows = rows[:25] / np.abs(rows[:25]).max(axis=1, keepdims=True)
    tiles = np.pad(rows.reshape(25, side, side), ((0, 0), (1, 1), (1, 1)))
    tiles = tiles.reshape(5, 5, side + 2, side + 2).swapaxes(1, 2)
    ax.imshow(tiles.reshape(5 * (side + 2), -1), cmap="RdBu", vmin=-1, vmax=1)
    ax.set_title(f"{name}\nwidth {widths[name]:.2f}, in a tenth {shares[name]:.2f}")
axes[1, 0].imshow(window, cmap="gray")
axes[1, 0].set_title("A window of a photograph")
strongest = np.argsort(-maps.var(axis=(0, 1)))
for ax, j in zip(axes[1, 1:], strongest, strict=False):
    ax.imshow(maps[..., j], cmap="magma")
    ax.set_title("one of its feature maps")
for ax in axes.ravel():
    ax.set(xticks=[], yticks=[])

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "filters.png"), dpi=110)
else:
    plt.show()
