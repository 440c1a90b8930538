"""LinearAutoencoder, and linear networks of the family, against closed forms."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.preprocessing import scale

from skae import Autoencoder, LinearAutoencoder

DATA = {
    "digits": load_digits().data,
    "breast cancer": scale(load_breast_cancer().data),
    "wine": scale(load_wine().data),
}
every_table = pytest.mark.parametrize("name", DATA)
every_size = pytest.mark.parametrize("k", [2, 4, 8])


def excess(model, X, k):
    """Training error above PCA's, relative to it."""
    pca = PCA(k).fit(X)
    floor = ((X - pca.inverse_transform(pca.transform(X))) ** 2).sum()
    return ((X - model.reconstruct(X)) ** 2).sum() / floor - 1


def scaled_eigenvalues(X):
    X = X - X.mean(axis=0)
    return np.linalg.eigvalsh(X.T @ X / len(X))[::-1] / X.var(axis=0).mean()


def assert_axes_align(model, X, k):
    pca = PCA().fit(X)
    variances = pca.explained_variance_
    for i in range(k):
        neighbours = np.r_[variances[max(i - 1, 0)], variances[i + 1]]
        ratio = np.maximum(neighbours, variances[i]) / np.minimum(
            neighbours, variances[i]
        )
        if (ratio[1] if i == 0 else ratio.min()) > 1.05:
            cosine = abs(model.components_[i] @ pca.components_[i])
            assert cosine >= 0.999


@every_table
@every_size
def test_closed_form_is_pca(name, k):
    X = DATA[name]
    model, pca = LinearAutoencoder(k).fit(X), PCA(k).fit(X)
    assert abs(excess(model, X, k)) < 1e-10
    np.testing.assert_allclose(model.components_, pca.components_, atol=1e-8)
    np.testing.assert_allclose(model.explained_variance_, pca.explained_variance_)
    np.testing.assert_allclose(
        model.transform(X) * model.scale_, pca.transform(X), atol=1e-8
    )


@pytest.mark.parametrize("k", [2, 8, 16])
def test_closed_form_on_columns_of_very_different_scale(k):
    X = load_breast_cancer().data
    assert abs(excess(LinearAutoencoder(k).fit(X), X, k)) < 1e-6


def test_closed_form_with_more_columns_than_rows():
    X = np.random.RandomState(0).normal(size=(30, 100))
    assert abs(excess(LinearAutoencoder(5).fit(X), X, 5)) < 1e-10
    assert LinearAutoencoder(30).fit(X).score(X) == pytest.approx(1)


@pytest.mark.parametrize("rank", [5, 200])
def test_krylov_space_reaches_pca(rank, monkeypatch):
    monkeypatch.setattr("skae._axes.DIRECT", 10)
    rng = np.random.RandomState(0)
    X = rng.normal(size=(300, rank)) * np.linspace(2, 1, rank)
    X = X @ np.linalg.qr(rng.normal(size=(200, rank)))[0].T
    model = LinearAutoencoder(8, random_state=0).fit(X)
    if rank > 8:
        assert 0 <= excess(model, X, 8) < 1e-6
    else:
        assert model.score(X) == pytest.approx(1)


@every_table
@pytest.mark.parametrize("k", [2, 8])
def test_gradients_from_a_random_start_reach_pca(name, k):
    X = DATA[name]
    model = LinearAutoencoder(k, solver="adam", random_state=0).fit(X)
    assert 0 <= excess(model, X, k) < 1e-3
    assert_axes_align(model, X, k)


@every_table
@pytest.mark.parametrize("k", [2, 8])
def test_full_batch_reaches_pca(name, k):
    X = DATA[name]
    model = LinearAutoencoder(k, solver="lbfgs", max_iter=15, random_state=0).fit(X)
    assert -1e-9 <= excess(model, X, k) < 1e-5
    assert_axes_align(model, X, k)


@pytest.mark.parametrize("tied", [False, True])
def test_linear_network_of_the_family_reaches_pca(tied):
    X = DATA["breast cancer"]
    model = Autoencoder(
        4,
        hidden_layer_sizes=(),
        init="random",
        solver="lbfgs",
        max_iter=20,
        early_stopping=False,
        tied_weights=tied,
        random_state=0,
    ).fit(X)
    assert -1e-9 <= excess(model, X, 4) < 1e-5
    assert_axes_align(model, X, 4)


def test_deep_linear_network_is_not_below_the_floor():
    X = DATA["wine"]
    model = Autoencoder(
        2,
        hidden_layer_sizes=8,
        activation="identity",
        init="random",
        max_iter=300,
        early_stopping=False,
        random_state=0,
    ).fit(X)
    assert -1e-6 <= excess(model, X, 2) < 1e-2
    assert_axes_align(model, X, 2)


def regularised_minimum(eigenvalues, k, penalty):
    leading, rest = eigenvalues[:k], eigenvalues[k:]
    kept = leading > penalty
    shrunk = 2 * penalty - penalty**2 / leading
    return np.where(kept, shrunk, leading).sum() + rest.sum()


@pytest.mark.parametrize("solver", ["svd", "lbfgs"])
def test_l2_penalty_shrinks_singular_values(solver):
    X, k = DATA["wine"], 6
    d = X.shape[1]
    eigenvalues = scaled_eigenvalues(X)
    alpha = eigenvalues[3] * 1.01 / d
    model = LinearAutoencoder(
        k, solver=solver, alpha=alpha, max_iter=30, random_state=0
    ).fit(X)
    module = model.net_.module_
    encoder = module.encoder[-1].weight.detach().numpy()
    decoder = module.decoder[-1].weight.detach().numpy()
    np.testing.assert_allclose(encoder, decoder.T, atol=2e-4)
    values = np.linalg.svd(decoder, compute_uv=False)
    expected = np.sqrt(np.maximum(0, 1 - alpha * d / eigenvalues[:k]))
    np.testing.assert_allclose(values**2, expected**2, atol=1e-3)
    scaled = (X - model.mean_) / model.scale_
    residual = scaled - scaled @ encoder.T @ decoder.T
    objective = (residual**2).sum() / len(X)
    objective += alpha * d * ((encoder**2).sum() + (decoder**2).sum())
    minimum = regularised_minimum(eigenvalues, k, alpha * d)
    assert objective == pytest.approx(minimum, rel=1e-5)
    assert model.loss_curve_[-1] == pytest.approx(minimum / d, rel=1e-4)


@pytest.mark.parametrize("tied", [False, True])
def test_closed_form_is_the_minimum_of_its_objective(tied):
    params = {"n_components": 3, "tied_weights": tied, "alpha": 0.05}
    closed = LinearAutoencoder(**params).fit(DATA["wine"])
    found = LinearAutoencoder(**params, solver="lbfgs", random_state=0)
    found.set_params(max_iter=200).fit(DATA["wine"])
    assert closed.loss_curve_[-1] == pytest.approx(found.loss_curve_[-1], rel=1e-6)


def test_loss_with_gaps_is_that_of_known_entries():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 10))
    X += 0.1 * rng.normal(size=X.shape)
    X[rng.random(X.shape) < rng.uniform(0, 0.6, size=(200, 1))] = np.nan
    model = LinearAutoencoder(3).fit(X)
    expected = np.nanmean((X - model.reconstruct(X)) ** 2) / model.scale_**2
    # In training gaps are nearly filled.
    assert model.loss_curve_[-1] == pytest.approx(expected, rel=0.1)


def test_map_is_the_projection_on_the_leading_axes():
    X = DATA["wine"]
    model = LinearAutoencoder(3, solver="lbfgs", max_iter=20, random_state=0).fit(X)
    module = model.net_.module_
    projection = (module.decoder[-1].weight @ module.encoder[-1].weight).detach()
    np.testing.assert_allclose(projection, projection.T, atol=1e-5)
    np.testing.assert_allclose(projection @ projection, projection, atol=1e-5)
    assert float(projection.trace()) == pytest.approx(3, abs=1e-5)


def test_closed_form_refuses_l1():
    with pytest.raises(ValueError, match=r"solver='svd' knows no L1.*l1_ratio=0.5"):
        LinearAutoencoder(alpha=0.1, l1_ratio=0.5).fit(DATA["wine"])


def test_l1_penalty_makes_weights_sparse():
    X = DATA["wine"]
    params = {"solver": "adam", "alpha": 0.02, "max_iter": 1000, "random_state": 0}
    dense = LinearAutoencoder(4, **params).fit(X)
    sparse = LinearAutoencoder(4, l1_ratio=1.0, **params).fit(X)

    def share(model):
        weights = model.net_.module_.decoder[-1].weight.detach().numpy()
        return (np.abs(weights) < 1e-2).mean()

    assert share(sparse) > share(dense) + 0.2
