"""Ordered codes: nested dropout against PCA, and sizes chosen by a share."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skae import Autoencoder
from skae.layers import nested_dropout


@pytest.fixture(scope="module")
def digits():
    X = load_digits().data
    X = X[np.random.RandomState(0).permutation(len(X))]
    return X[:1300], X[1300:]


def explained(model, Z, X):
    residual = X - model.inverse_transform(Z)
    return 1 - (residual**2).sum() / ((X - model.mean_) ** 2).sum()


def test_sizes_are_uniform_and_cut_the_end():
    code = torch.ones(40_000, 4)
    cut = nested_dropout(code, torch.Generator().manual_seed(0))
    assert torch.equal(cut, cut.cummin(dim=1).values)
    expected = torch.tensor([1.0, 0.75, 0.5, 0.25])
    torch.testing.assert_close(cut.mean(dim=0), expected, atol=0.01, rtol=0)


def test_linear_components_come_in_the_order_of_pca():
    rng = np.random.RandomState(0)
    X = (
        rng.normal(size=(2000, 6))
        * [5, 4, 3, 2, 1, 0.5]
        @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    )
    model = Autoencoder(
        4,
        ordered=True,
        hidden_layer_sizes=(),
        init="random",
        learning_rate_init=0.03,
        max_iter=150,
        early_stopping=False,
        random_state=0,
    ).fit(X)
    decoder = model.net_.module_.decoder[0].weight.detach().numpy()
    directions = decoder / np.linalg.norm(decoder, axis=0)
    cosines = np.abs(directions.T @ PCA(4).fit(X).components_.T)
    np.testing.assert_allclose(cosines, np.eye(4), atol=0.03)


def test_every_leading_part_is_a_code_better_than_pca(digits):
    train, test = digits
    model = Autoencoder(8, ordered=True, random_state=0).fit(train)
    pca = PCA(8).fit(train)
    scores = pca.transform(test)
    Z = model.transform(test)
    for size in range(1, 9):
        cut = np.where(np.arange(8) < size, scores, 0)
        by_pca = (
            1
            - ((test - pca.inverse_transform(cut)) ** 2).sum()
            / ((test - model.mean_) ** 2).sum()
        )
        assert explained(model, Z[:, :size], test) > by_pca
    np.testing.assert_allclose(
        model.inverse_transform(Z[:, :3]),
        model.inverse_transform(np.c_[Z[:, :3], np.zeros((len(Z), 5))]),
    )


def test_curve_is_that_of_rows_kept_out(digits):
    train, test = digits
    model = Autoencoder(5, ordered=True, random_state=0).fit(train, X_val=test)
    Z = model.transform(test)
    curve = [explained(model, Z[:, :size], test) for size in range(1, 6)]
    np.testing.assert_allclose(
        np.cumsum(model.explained_variance_ratio_), curve, rtol=1e-4
    )


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_share_picks_the_smallest_size_that_explains_it(digits, share):
    train, test = digits
    model = Autoencoder(share, ordered=True, random_state=0).fit(train, X_val=test)
    size = model.n_components_
    Z = model.transform(test)
    assert Z.shape == (len(test), size)
    assert model.score(test) >= share - 1e-6
    if size > 1:
        assert explained(model, Z[:, : size - 1], test) < share
    assert size < PCA(share).fit(train).n_components_
    assert len(model.explained_variance_ratio_) == size
    assert len(model.get_feature_names_out()) == size


@pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")
@pytest.mark.filterwarnings("ignore:n_components=.* is out of reach")
def test_share_of_few_rows_and_after_a_warm_start(digits):
    X = digits[0][:200]
    params = {"hidden_layer_sizes": 8, "max_iter": 3, "random_state": 0}
    model = Autoencoder(0.5, ordered=True, warm_start=True, **params).fit(X)
    assert model.fit(X).transform(X).shape[1] == model.n_components_
    linear = Autoencoder(0.5, ordered=True, **{**params, "hidden_layer_sizes": ()})
    assert len(linear.fit(X).components_) == linear.n_components_


def test_mean_activations_are_those_of_the_share(digits):
    model = Autoencoder(0.5, ordered=True, sparsity="l1", init="random")
    model.set_params(hidden_layer_sizes=8, max_iter=3, random_state=0)
    with pytest.warns(UserWarning, match=r"0\.5 is out of reach: .* need, 5, explains"):
        model.fit(digits[0][:200])
    means = model.mean_activations_
    np.testing.assert_allclose(
        means, model.transform(digits[0][:200]).mean(axis=0), rtol=1e-4
    )


def test_codes_without_order_cannot_be_cut(digits):
    model = Autoencoder(4, hidden_layer_sizes=8, max_iter=1, init="random")
    model.fit(digits[0])
    with pytest.raises(ValueError, match="X has 2 columns"):
        model.inverse_transform(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"n_components=0\.5 is a share"):
        Autoencoder(0.5).fit(digits[0])


@pytest.mark.filterwarnings("ignore:Rows kept out of training give no")
def test_the_share_is_that_of_rows_that_pca_has_not_seen_either():
    rng = np.random.RandomState(0)
    few, many = (rng.randn(n, 60) for n in (60, 500))
    loadings = rng.randn(5, 60) / 2
    few, many = (x + rng.randn(len(x), 5) @ loadings for x in (few, many))
    with pytest.warns(UserWarning, match=r"0\.8 is out of reach"):
        model = Autoencoder(0.8, ordered=True, max_iter=5, random_state=0).fit(few)
    explained = model.explained_variance_ratio_.sum()
    assert explained == pytest.approx(model.score(many), abs=0.06)


def test_folds_too_small_to_be_sure_have_a_curve_of_their_best_epochs():
    rng = np.random.default_rng(8)
    t = rng.uniform(-2, 2, (40, 1))
    X = np.hstack([t, t**2, np.sin(2 * t)]) @ rng.normal(size=(3, 10))
    X += 0.6 * rng.normal(size=X.shape)
    model = Autoencoder(0.6, ordered=True, random_state=8).fit(X)
    assert model.explained_variance_ratio_.sum() >= 0.6


@pytest.mark.parametrize("params", [{}, {"init": "random"}, {"loss": "absolute_error"}])
@pytest.mark.parametrize("value", [0.0, 0.3, 1e5])
def test_sizes_where_nothing_varies(value, params):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.filterwarnings("ignore", "Rows kept out")
        for output in ("identity", "relu"):
            model = Autoencoder(2, ordered=True, max_iter=2, random_state=0, **params)
            model.set_params(output_activation=output).fit(np.full((5, 3), value))
            assert set(model.explained_variance_ratio_) <= {0.0, 1.0}
