"""ConvolutionalAutoencoder: shapes of all kinds, the start, images in and out."""

import tracemalloc
import warnings

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch.nn import functional as F

from skae import Autoencoder, ConvolutionalAutoencoder
from skae.convolutional import ConvolutionalNetwork, Unpool
from skae.networks import reset_parameters

FAST = {"channels": (2, 3), "hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")


@pytest.fixture(scope="module")
def images():
    images = load_digits().images
    return images[np.random.RandomState(0).permutation(len(images))]


every_way_up = pytest.mark.parametrize(
    "unpooling", ["transposed", "nearest", "indices"]
)
every_kernel = pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])


@every_way_up
@every_kernel
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


@every_way_up
@every_kernel
@pytest.mark.parametrize("size", [(1, 6), (7, 4), (5, 5)])
def test_no_pixel_is_left_out(size, kernel_size, unpooling):
    network = ConvolutionalNetwork((*size, 1), 2, (3,), kernel_size, unpooling)
    reset_parameters(network, torch.Generator().manual_seed(0))
    first = network.encoder[1] if unpooling != "indices" else network.encoder[:-4]
    maps = torch.ones(1, 1, *size, requires_grad=True)
    first(maps).sum().backward()
    assert (maps.grad != 0).all()
    if unpooling != "indices":  # whose maps are zero but at positions
        *_, last = (m for m in network.decoder.modules() if hasattr(m, "weight"))
        with torch.no_grad():
            last.bias.zero_()
            half = torch.ones(1, 3, *network.map_shapes[0][:2])
            assert (network.decoder[3:-1](half) != 0).all()


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (1, 1), (1, 4)])
def test_unpooling_puts_the_largest_back(size):
    maps = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    pooled, positions = F.max_pool2d(maps, 2, ceil_mode=True, return_indices=True)
    largest = F.interpolate(pooled, scale_factor=2)[..., : size[0], : size[1]]
    expected = torch.where(maps == largest, maps, torch.zeros(()))
    assert torch.equal(Unpool(size)(pooled, positions), expected)


def test_positions_go_past_the_code(images):
    model = ConvolutionalAutoencoder(3, unpooling="indices", **FAST)
    model.fit(images[:200])
    network = model.net_.module_
    x = torch.from_numpy(images[:2].reshape(2, -1) - model.mean_) / model.scale_
    code, positions = network.analyse(x.float())
    other = [p.flip(0) for p in positions]
    assert torch.equal(network(x.float()).logits, network.logits(code, *positions))
    assert not torch.equal(
        network.logits(code, *positions), network.logits(code, *other)
    )
    residual = ((images - model.reconstruct(images)) ** 2).sum()
    total = ((images - images[:200].mean(axis=0)) ** 2).sum()
    assert model.score(images) == pytest.approx(1 - residual / total)
    np.testing.assert_allclose(
        -model.score_samples(images).mean(), residual / images.size, rtol=1e-6
    )
    with pytest.raises(ValueError, match=r"unpooling='indices'.*reconstruct\(X\)"):
        model.inverse_transform(model.transform(images))


def test_positions_make_up_for_a_narrow_code(images):
    scores = [
        ConvolutionalAutoencoder(
            2, unpooling=unpooling, channels=(8,), max_iter=10, random_state=0
        )
        .fit(images[:1000])
        .score(images[1000:])
        for unpooling in ("nearest", "indices")
    ]
    assert scores[1] > scores[0] + 0.1


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
        6, image_shape=(8, 8), learning_rate_init=1e-12, weight_decay=0.0, **FAST
    ).fit(X)
    pca = PCA(6).fit(X)
    np.testing.assert_allclose(
        model.reconstruct(X), pca.inverse_transform(pca.transform(X)), atol=1e-4
    )


def test_decodes_linearly_by_what_it_trains_and_encodes_by_pca(images):
    params = {"image_shape": (8, 8), "early_stopping": False, **FAST}
    model = ConvolutionalAutoencoder(6, weight_decay=0.0, **params)
    X = images.reshape(len(images), -1)
    start, end = (
        clone(model).set_params(learning_rate_init=rate).fit(X).net_.module_
        for rate in (1e-12, 0.01)
    )
    for name in ("weight", "bias"):
        encoders = (getattr(network.encoder_path, name) for network in (start, end))
        decoders = (getattr(network.decoder_path, name) for network in (start, end))
        assert torch.equal(*encoders)
        assert not torch.allclose(*decoders)


def test_beats_pca_and_sees_that_neighbours_are_neighbours(images):
    X = images.reshape(len(images), -1)
    pca = PCA(8).fit(X[:1300])
    params = {"image_shape": (8, 8), "max_iter": 15, "random_state": 0}
    score = ConvolutionalAutoencoder(8, **params).fit(X[:1300]).score(X[1300:])
    residual = X[1300:] - pca.inverse_transform(pca.transform(X[1300:]))
    total = ((X[1300:] - pca.mean_) ** 2).sum()
    assert score > 1 - 0.7 * (residual**2).sum() / total
    shuffled = np.random.RandomState(0).permutation(64)
    other = ConvolutionalAutoencoder(8, **params)
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
    assert model.score(small) == same.score(small.astype(np.float32) / 255)


def test_other_types_are_taken_as_they_are(images):
    model = ConvolutionalAutoencoder(3, **FAST)
    small = (images[:60] * 15).astype(np.uint8)
    by_byte = model.fit(small).reconstruct(small)
    by_number = model.fit(small.astype(np.int64)).reconstruct(small.astype(np.int64))
    assert by_byte.dtype == np.float32
    # One is scaled in single precision, and Adam makes much of small gradients.
    np.testing.assert_allclose(255 * by_byte, by_number, rtol=1e-4, atol=5e-2)
    black = small > 100
    codes = model.fit(black).transform(black)
    np.testing.assert_array_equal(
        model.fit(black.astype(np.float32)).transform(black.astype(np.float32)), codes
    )


def test_integers_become_floats_a_block_at_a_time(images, monkeypatch):
    monkeypatch.setattr("skae._rows.BLOCK", 1 << 12)
    X = np.tile((images * 15).astype(np.uint8), (3, 1, 1))
    model = ConvolutionalAutoencoder(2, **{**FAST, "channels": 1, "max_iter": 1})
    model.set_params(batch_size=2048).fit(X[:1000])
    tracemalloc.start()
    model.fit(X).score_samples(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.5 * X.size * 4  # PyTorch's own copy is not traced


@pytest.mark.parametrize(
    "params",
    [
        {"corruption": "masking", "loss": "binary_cross_entropy"},
        {"sparsity": "topk", "n_nonzero_coefs": 2, "init": "random"},
        {"sparsity": "kl", "init": "random", "unpooling": "nearest"},
        {"contraction": 0.01},
        {"ordered": True, "corruption": "swap"},
        {"code_activation": "binary"},
        {"activation": "relu", "sparsity": "l1"},
        {"corruption": "gaussian", "kernel_size": 4, "alpha": 0.01},
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


@pytest.mark.parametrize(
    "params",
    [
        {"corruption": "masking", "loss": "binary_cross_entropy"},
        {"sparsity": "kl", "init": "random"},
        {"contraction": 0.01, "kernel_size": 3},
        {"code_activation": "binary"},
    ],
    ids=str,
)
def test_positions_go_with_the_axes_of_the_family(params, images):
    X = images[:80] / 16
    model = ConvolutionalAutoencoder(6, unpooling="indices", **FAST, **params).fit(X)
    assert np.isfinite(model.reconstruct(X)).all()
    codes = model.transform(X)
    assert np.array_equal(model.fit(X).transform(X), codes)


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
    refused("kernel_size.*must be an int in the range", kernel_size=1)
    refused("channels first", np.zeros((5, 3, 32, 32)))
    refused(r"one shape, got shapes \[\(2, 2\), \(3, 3\)\]", [np.eye(2), np.eye(3)])
    mixed = np.empty(2, dtype=object)
    mixed[:] = [np.eye(2), np.eye(3)]
    refused(r"one shape, got shapes \[\(2, 2\), \(3, 3\)\]", mixed)
    refused("unpooling='indices' needs ordered", unpooling="indices", ordered=True)
    refused(
        "unpooling='indices' needs sparsity",
        unpooling="indices",
        sparsity="topk",
        n_nonzero_coefs=1,
    )
    refused("NaN", np.where(images[:20] > 15, np.nan, images[:20]))
    model = ConvolutionalAutoencoder(2, **FAST).fit(images[:20])
    with pytest.raises(ValueError, match=r"shape \(4, 16\).*fitted .*\(8, 8\)"):
        model.transform(images[:20].reshape(20, 4, 16))
    with pytest.raises(ValueError, match=r"63 features.*64 features"):
        model.transform(rows[:, 1:])
    with pytest.raises(ValueError, match=r"shape \(4, 16\).*fitted .*\(8, 8\)"):
        ConvolutionalAutoencoder(2, **FAST).fit(
            images[:20], X_val=images[:20].reshape(20, 4, 16)
        )
    small = (images[:20] * 15).astype(np.uint8)
    with pytest.raises(ValueError, match=r"63 features.*64 features"):
        model.transform(small.reshape(20, -1)[:, 1:])


def test_images_of_one_row_are_what_rows_are_without_a_shape():
    X = np.random.RandomState(0).normal(size=(50, 9))
    model = ConvolutionalAutoencoder(2, **FAST).fit(X)
    assert model.image_shape_ == (1, 9)
    assert isinstance(model, Autoencoder)


def test_bytes_in_the_other_order(images):
    pixels = (images[:200] * 4000).astype(np.uint16)
    model = ConvolutionalAutoencoder(3, **FAST).fit(pixels)
    other = pixels.astype(pixels.dtype.newbyteorder(">"))
    np.testing.assert_array_equal(model.transform(other), model.transform(pixels))
    assert clone(model).fit(other).scale_ == model.scale_


def test_many_channels_of_few_lines_are_images():
    windows = np.random.RandomState(0).rand(60, 1, 32, 9)
    model = ConvolutionalAutoencoder(3, **FAST).fit(windows)
    assert model.image_shape_ == (1, 32, 9)
    square = np.random.RandomState(0).rand(60, 3, 8, 8)
    with pytest.raises(ValueError, match="looks like channels first"):
        ConvolutionalAutoencoder(3, **FAST).fit(square)
    model = ConvolutionalAutoencoder(3, image_shape=(3, 8, 8), **FAST)
    assert model.fit(square).reconstruct(square).shape == square.shape


def test_faults_of_pixels_name_shapes(images):
    model = ConvolutionalAutoencoder(2, channels=2)
    with pytest.raises(ValueError, match=r"X contains NaN: images of shape \(8, 8\)"):
        model.fit(np.where(images > 0.9, np.nan, images))
    with pytest.raises(ValueError, match=r"or images.*got shape \(2, 1, 8, 8, 1\)"):
        model.fit(images[:2].reshape(2, 1, 8, 8, 1))


def test_nothing_to_convolve():
    with pytest.raises(ValueError, match="channels must have one at least"):
        ConvolutionalAutoencoder(3, channels=()).fit(np.random.rand(9, 8, 8))
    with pytest.raises(ValueError, match="X must have one image at least"):
        ConvolutionalAutoencoder(3).fit(np.zeros((0, 8, 8)))


def framed(dtype):
    """Return what makes a data frame of one type."""
    pandas = pytest.importorskip("pandas")
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    return lambda rows: pandas.DataFrame(rows).astype(dtype)


FRAMES = "uint8", "UInt8", "uint8[pyarrow]", "Sparse[uint8]"


@pytest.mark.parametrize("kind", [*FRAMES, "polars", "csr", ">u2"])
def test_bytes_are_scaled_in_whatever_holds_them(kind):
    rows = (load_digits().data[:60] * 15.9).astype(np.uint8)
    if kind in FRAMES:
        make = framed(kind)
    elif kind == ">u2":
        rows = rows * np.uint16(257)
        pandas = pytest.importorskip("pandas")

        def make(rows):
            return pandas.DataFrame(rows.astype(kind))
    else:
        make = csr_array if kind == "csr" else pytest.importorskip(kind).DataFrame
    model = ConvolutionalAutoencoder(4, channels=4, image_shape=(8, 8), max_iter=2)
    model.set_params(hidden_layer_sizes=8, random_state=0).fit(rows)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X has feature names")
        found = model.transform(make(rows))
    np.testing.assert_allclose(found, model.transform(rows), atol=1e-4)


def test_fitted_maps_are_decoded_as_they_were_fitted():
    images = load_digits().images[:60]
    model = ConvolutionalAutoencoder(4, channels=4, max_iter=1, unpooling="indices")
    model.fit(images).set_params(unpooling="transposed")
    with pytest.raises(ValueError, match="positions"):
        model.inverse_transform(np.zeros((1, 4)))


def test_gaps_are_not_for_images(images):
    with pytest.raises(ValueError, match="corruption='gaps' is for rows with gaps"):
        ConvolutionalAutoencoder(2, corruption="gaps").fit(images)
