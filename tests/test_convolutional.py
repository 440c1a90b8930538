"""ConvolutionalAutoencoder: shapes of all kinds, the start, images in and out."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skae import Autoencoder, ConvolutionalAutoencoder
from skae.convolutional import ConvolutionalNetwork
from skae.networks import reset_parameters

FAST = {"channels": (2, 3), "hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")


@pytest.fixture(scope="module")
def images():
    images = load_digits().images
    return images[np.random.RandomState(0).permutation(len(images))]


@pytest.mark.parametrize("unpooling", ["transposed", "nearest"])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize(
    "image_shape", [(28, 28, 1), (7, 5, 3), (1, 9, 1), (13, 1, 2), (1, 1, 1), (2, 3, 4)]
)
@pytest.mark.parametrize("channels", [(4,), (2, 3, 4)])
def test_every_size_comes_back(image_shape, channels, kernel_size, unpooling):
    network = ConvolutionalNetwork(
        image_shape, 5, channels, kernel_size, unpooling, hidden_layer_sizes=(6,)
    )
    reset_parameters(network, torch.Generator().manual_seed(0))
    x = torch.randn(3, int(np.prod(image_shape)))
    output = network(x)
    assert output.code.shape == (3, 5)
    assert output.reconstruction.shape == x.shape
    height, width, _ = image_shape
    for layer, n_channels in enumerate(channels):
        height, width = -(-height // 2), -(-width // 2)
        assert network.map_shapes[layer] == (height, width, n_channels)
        maps = network.maps(x, layer)
        assert maps.shape == (3, height * width * n_channels)


def test_maps_are_those_of_a_convolution(images):
    model = ConvolutionalAutoencoder(3, activation="tanh", **FAST).fit(images[:100])
    layer = model.net_.module_.encoder[1]
    x = torch.from_numpy((images[:5] - model.mean_.reshape(8, 8)) / model.scale_)
    expected = layer.double()(x[:, None]).tanh().permute(0, 2, 3, 1)
    layer.float()
    maps = model.feature_maps(images[:5], layer=0)
    np.testing.assert_allclose(maps, expected.detach(), rtol=1e-6, atol=1e-9)
    assert model.feature_maps(images[:5]).shape == (5, 2, 2, 3)
    with pytest.raises(ValueError, match="layer must be"):
        model.feature_maps(images[:5], layer=2)


def test_starts_at_pca(images):
    X = images.reshape(len(images), -1)
    model = ConvolutionalAutoencoder(
        6, image_shape=(8, 8), learning_rate_init=1e-12, **FAST
    ).fit(X)
    pca = PCA(6).fit(X)
    np.testing.assert_allclose(
        model.reconstruct(X), pca.inverse_transform(pca.transform(X)), atol=1e-4
    )


def test_beats_pca_and_sees_that_neighbours_are_neighbours(images):
    X = images.reshape(len(images), -1)
    pca = PCA(8).fit(X[:1300])
    model = ConvolutionalAutoencoder(8, image_shape=(8, 8), random_state=0)
    score = model.fit(X[:1300]).score(X[1300:])
    residual = X[1300:] - pca.inverse_transform(pca.transform(X[1300:]))
    total = ((X[1300:] - pca.mean_) ** 2).sum()
    assert score > 1 - 0.7 * (residual**2).sum() / total
    shuffled = np.random.RandomState(0).permutation(64)
    other = ConvolutionalAutoencoder(8, image_shape=(8, 8), random_state=0)
    assert other.fit(X[:1300, shuffled]).score(X[1300:, shuffled]) < score


def test_gives_back_what_it_was_given(images):
    X = images.reshape(len(images), -1)[:50]
    by_rows = ConvolutionalAutoencoder(3, image_shape=(8, 8), **FAST).fit(X)
    by_images = ConvolutionalAutoencoder(3, **FAST).fit(images[:50])
    with_channel = ConvolutionalAutoencoder(3, **FAST).fit(images[:50, :, :, None])
    codes = by_rows.transform(X)
    np.testing.assert_array_equal(by_images.transform(images[:50]), codes)
    np.testing.assert_array_equal(
        with_channel.transform(images[:50, :, :, None]), codes
    )
    np.testing.assert_array_equal(by_rows.transform(images[:50]), codes)
    assert by_rows.inverse_transform(codes).shape == (50, 64)
    assert by_images.inverse_transform(codes).shape == (50, 8, 8)
    assert with_channel.inverse_transform(codes).shape == (50, 8, 8, 1)
    assert by_images.reconstruct(images[:50]).shape == (50, 8, 8)
    assert by_images.reconstruct(X).shape == (50, 64)
    assert by_images.score(images[:50]) == by_rows.score(X)
    assert by_images.score_samples(images[:50]).shape == (50,)
    assert by_images.image_shape_ == by_rows.image_shape_ == (8, 8)


def test_unsigned_integers_are_scaled(images):
    small = (images[:60] * 15).astype(np.uint8)
    model = ConvolutionalAutoencoder(3, loss="binary_cross_entropy", **FAST).fit(small)
    same = ConvolutionalAutoencoder(3, loss="binary_cross_entropy", **FAST).fit(
        small.astype(np.float32) / 255
    )
    np.testing.assert_array_equal(
        model.transform(small), same.transform(small.astype(np.float32) / 255)
    )
    assert model.reconstruct(small).max() <= 1
    rows = small.reshape(60, -1)
    np.testing.assert_array_equal(model.transform(rows), model.transform(small))


@pytest.mark.parametrize(
    "params",
    [
        {"corruption": "masking", "loss": "binary_cross_entropy"},
        {"sparsity": "topk", "n_nonzero_coefs": 2, "init": "random"},
        {"sparsity": "kl", "init": "random", "unpooling": "nearest"},
        {"contraction": 0.01},
        {"ordered": True, "corruption": "swap"},
        {"code_activation": "binary"},
    ],
    ids=str,
)
def test_goes_with_the_axes_of_the_family(params, images):
    X = images[:80] / 16
    model = ConvolutionalAutoencoder(6, **FAST, **params).fit(X)
    assert np.isfinite(model.reconstruct(X)).all()
    np.testing.assert_allclose(
        model.inverse_transform(model.transform(X)), model.reconstruct(X), atol=1e-5
    )


def test_bad_input_is_named(images):
    def refused(match, X=images[:20], **params):
        model = ConvolutionalAutoencoder(2, **{**FAST, **params})
        with pytest.raises(ValueError, match=match):
            model.fit(X)
        assert not hasattr(model, "net_") and not hasattr(model, "image_shape_")

    rows = images[:20].reshape(20, -1)
    refused(r"image_shape=\(7, 9\) needs 63 pixels.*64", rows, image_shape=(7, 9))
    refused(r"image_shape=\(4, 16\).*\(8, 8\)", image_shape=(4, 16))
    refused(r"image_shape must be \(height, width\)", rows, image_shape=(64,))
    refused("image_shape must be a positive int", rows, image_shape=(8, -8))
    refused("channels must be a positive int", channels=(0,))
    refused("kernel_size must be odd, got 4", kernel_size=4)
    refused("channels first", np.zeros((5, 3, 32, 32)))
    refused(r"one shape, got shapes \[\(2, 2\), \(3, 3\)\]", [np.eye(2), np.eye(3)])
    refused("NaN", np.where(images[:20] > 15, np.nan, images[:20]))
    model = ConvolutionalAutoencoder(2, **FAST).fit(images[:20])
    with pytest.raises(ValueError, match=r"shape \(4, 16\).*fitted .*\(8, 8\)"):
        model.transform(images[:20].reshape(20, 4, 16))


def test_images_of_one_row_are_what_rows_are_without_a_shape():
    X = np.random.RandomState(0).normal(size=(50, 9))
    model = ConvolutionalAutoencoder(2, **FAST).fit(X)
    assert model.image_shape_ == (1, 9)
    assert isinstance(model, Autoencoder)
