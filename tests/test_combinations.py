"""The axes of the family beside each other, and a variant from outside."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits

from skae import Autoencoder
from skae._docs import documented
from skae.losses import LOSSES
from skae.penalties import ActivityPenalty

AXES = {
    "corruption": [None, "masking", "gaussian", "salt_and_pepper", "swap"],
    "sparsity": [None, "kl", "l1", "topk"],
    "contraction": [0.0, 0.01],
    "tied_weights": [False, True],
    "loss": [*LOSSES],
    "ordered": [False, True],
    "code_activation": ["auto", "binary"],
    "hidden_layer_sizes": [(), (8,)],
    "init": ["pca", "random"],
}


def refused(params):
    """Return whether a pair of `params` makes no sense."""
    regularised = params["sparsity"] or params["contraction"]
    binary = params["code_activation"] == "binary"
    return (binary and regularised) or (
        params["sparsity"] == "topk" and params["ordered"]
    )


def sampled_grid(n, seed=0):
    grid = list(itertools.product(*AXES.values()))
    chosen = np.random.RandomState(seed).choice(len(grid), n, replace=False)
    return [dict(zip(AXES, grid[i], strict=True)) for i in chosen]


@pytest.fixture(scope="module")
def images():
    return load_digits().data[:200] / 16


@pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")
@pytest.mark.parametrize("params", sampled_grid(100), ids=str)
def test_axes_combine_or_say_why_not(params, images):
    model = Autoencoder(6, n_nonzero_coefs=2, max_iter=2, random_state=0, **params)
    if refused(params):
        with pytest.raises(ValueError, match=r"needs .* to be"):
            model.fit(images)
        assert not hasattr(model, "net_")
        return
    model.fit(images)
    codes = model.transform(images)
    assert codes.shape == (200, 6)
    assert np.isfinite(model.reconstruct(images)).all()
    np.testing.assert_allclose(
        model.reconstruct(images), model.inverse_transform(codes), atol=1e-6
    )
    np.testing.assert_array_equal(clone(model).fit(images).transform(images), codes)
    if params["sparsity"] == "topk":
        assert ((codes != 0).sum(axis=1) <= 2).all()
    if params["code_activation"] == "binary":
        assert set(np.unique(codes)) <= {0, 1}
    if params["loss"] == "binary_cross_entropy":
        assert 0 <= model.reconstruct(images).min() <= model.reconstruct(images).max()
        assert model.reconstruct(images).max() <= 1


@pytest.mark.parametrize(
    "params, names",
    [
        (
            {"sparsity": "kl", "code_activation": "relu"},
            ("sparsity", "code_activation"),
        ),
        (
            {"sparsity": "topk", "n_nonzero_coefs": 9},
            ("n_components", "n_nonzero_coefs"),
        ),
        ({"corruption": "masking", "solver": "lbfgs"}, ("corruption", "solver")),
        ({"ordered": True, "solver": "lbfgs"}, ("ordered", "solver")),
        (
            {"code_activation": "binary", "solver": "lbfgs"},
            ("code_activation", "solver"),
        ),
        (
            {"corruption": "swap", "corruption_level": 2},
            ("corruption", "corruption_level"),
        ),
        ({"n_components": 0.5}, ("n_components", "ordered")),
        (
            {"sparsity": "topk", "n_nonzero_coefs": 2, "ordered": True},
            ("sparsity", "ordered"),
        ),
        (
            {"code_activation": "binary", "sparsity": "l1"},
            ("code_activation", "sparsity"),
        ),
        (
            {"code_activation": "binary", "contraction": 1.0},
            ("code_activation", "contraction"),
        ),
    ],
)
def test_pairs_without_sense_are_named(params, names, images):
    model = Autoencoder(**{"n_components": 6, **params})
    with pytest.raises(ValueError, match=".*".join(names)):
        model.fit(images)
    assert not hasattr(model, "net_") and not hasattr(model, "mean_")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("params", [{"corruption": "gaussian"}, {"sparsity": "topk"}])
def test_wide_codes_that_something_regularises_do_not_warn(params, images):
    Autoencoder(64, init="random", max_iter=1, **params).fit(images)
    with pytest.warns(UserWarning, match="copying its input"):
        Autoencoder(64, init="random", max_iter=1).fit(images)


@dataclass(frozen=True)
class DiscrepancyPenalty:
    """Maximum mean discrepancy between codes and a standard normal prior."""

    weight: float

    def __call__(self, network, x, output, generator):
        code = output.code
        prior = torch.randn(code.shape, generator=generator).to(code)

        def kernel(a, b):
            scale = 2.0 * code.shape[1]
            return (scale / (scale + torch.cdist(a, b).square())).mean()

        gap = kernel(code, code) + kernel(prior, prior) - 2 * kernel(code, prior)
        return (self.weight * gap).expand(len(x))


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class WassersteinAutoencoder(Autoencoder):
    """Wasserstein autoencoder.

    Parameters
    ----------
    {parameters}
    """

    weight: float = 1.0
    _parameter_docs = {
        **Autoencoder._parameter_docs,
        "weight": ("float", "Weight of the discrepancy."),
    }

    def _make_penalties(self, rows):
        return (*super()._make_penalties(rows), DiscrepancyPenalty(self.weight))


def test_a_wasserstein_autoencoder_is_a_penalty_away():
    X = load_digits().data[:1000]  # of fewer, folds would take longer

    def distance_from_prior(weight):
        model = WassersteinAutoencoder(2, weight=weight, random_state=0).fit(X)
        codes = model.transform(X)
        return np.abs(np.cov(codes.T) - np.eye(2)).max()

    assert distance_from_prior(10.0) < 0.25 < distance_from_prior(0.0)


def test_penalties_of_rows_count_where_rows_are_judged(images):
    class Active(Autoencoder):
        def _make_penalties(self, rows):
            return (ActivityPenalty(1.0),)

    params = {"init": "random", "learning_rate_init": 1e-9, "max_iter": 1}
    scores = [
        cls(3, random_state=0, hidden_layer_sizes=4, **params)
        .fit(images, X_val=images)
        .best_validation_score_
        for cls in (Autoencoder, Active)
    ]
    assert scores[1] < scores[0]
