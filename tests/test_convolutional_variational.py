"""ConvolutionalVariationalAutoencoder: images drawn, the start, what combines."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skae import ConvolutionalVariationalAutoencoder

FAST = {"channels": (2, 3), "hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")


@pytest.fixture(scope="module")
def images():
    images = load_digits().images
    return images[np.random.RandomState(0).permutation(len(images))]


@pytest.mark.parametrize("noise", ["shared", "per_feature"])
def test_variational_draws_images(images, noise):
    model = ConvolutionalVariationalAutoencoder(3, noise=noise, **FAST)
    drawn = model.fit(images[:200]).sample(5, random_state=0)
    rows = ConvolutionalVariationalAutoencoder(
        3, noise=noise, image_shape=(8, 8), **FAST
    ).fit(images[:200].reshape(200, -1))
    assert drawn.shape == (5, 8, 8)
    np.testing.assert_array_equal(rows.sample(5, random_state=0), drawn.reshape(5, -1))
    assert (model.score_samples(images) >= model.elbo(images) - 1e-9).all()
    assert model.sample_posterior(images, 2, random_state=0).shape == (2, 1797, 3)
    assert not hasattr(model, "sample_gaps")


def test_variational_starts_at_probabilistic_pca(images):
    X = images.reshape(len(images), -1)
    model = ConvolutionalVariationalAutoencoder(
        4, image_shape=(8, 8), learning_rate_init=1e-12, **FAST
    ).fit(X, X_val=X)
    # For scikit-learn's divisor is n - 1.
    assert model.pca_score_ == pytest.approx(PCA(4).fit(X).score(X), abs=0.05)
    assert model.elbo(X).mean() == pytest.approx(model.pca_score_, abs=0.05)


@pytest.mark.parametrize(
    "params",
    [
        {"likelihood": "bernoulli", "corruption": "masking"},
        {"unpooling": "nearest", "ordered": True},
        {"beta": 4.0, "kl_warmup": 1, "init": "random", "noise": "per_feature"},
    ],
    ids=str,
)
def test_variational_goes_with_the_axes_of_the_family(params, images):
    X = images[:80] / 16
    model = ConvolutionalVariationalAutoencoder(4, **FAST, **params).fit(X)
    assert np.isfinite(model.elbo(X)).all()
    np.testing.assert_allclose(
        model.inverse_transform(model.transform(X)), model.reconstruct(X), atol=1e-5
    )


def test_variational_has_no_positions_past_the_code(images):
    with pytest.raises(ValueError, match="unpooling"):
        ConvolutionalVariationalAutoencoder(2, unpooling="indices").fit(images)
