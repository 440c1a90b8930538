"""DenoisingAutoencoder against the closed forms of linear denoisers."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import scale

from skae import Autoencoder, DenoisingAutoencoder

LINEAR = {"hidden_layer_sizes": (), "early_stopping": False, "max_iter": 200}


def linear_map(model):
    """Return the matrix and the offset of a fitted linear autoencoder."""
    module, d = model.net_.module_.double(), model.n_features_in_
    with torch.no_grad():
        offset = module(torch.zeros(1, d, dtype=torch.float64)).reconstruction
        images = module(torch.eye(d, dtype=torch.float64)).reconstruction
    return (images - offset).T.numpy(), offset[0].numpy()


def moments(covariance, corruption, level):
    """Return the cross-moment of clean and corrupted rows, and the corrupted ones'."""
    diagonal = np.diag(np.diag(covariance))
    if corruption == "gaussian":
        return covariance, covariance + level**2 * diagonal
    kept = 1 - level
    return kept * covariance, kept**2 * covariance + kept * level * diagonal


@pytest.mark.parametrize("k", [2, 30])
@pytest.mark.parametrize("corruption, level", [("gaussian", 0.5), ("masking", 0.3)])
def test_linear_denoiser_reaches_the_ridge_map(corruption, level, k):
    X = scale(load_breast_cancer().data)
    model = DenoisingAutoencoder(
        k, corruption=corruption, corruption_level=level, random_state=0, **LINEAR
    ).fit(X)
    scaled = (X - model.mean_) / model.scale_
    covariance = scaled.T @ scaled / len(X)
    cross, corrupted = moments(covariance, corruption, level)
    gains = np.linalg.eigvalsh(cross @ np.linalg.solve(corrupted, cross.T))[::-1]
    least = np.trace(covariance) - gains[:k].sum()
    matrix, offset = linear_map(model)
    quadratic = -2 * matrix @ cross.T + matrix @ corrupted @ matrix.T
    error = np.trace(covariance + quadratic) + offset @ offset
    assert least * (1 - 1e-9) <= error < 1.01 * least


def test_gaussian_noise_shrinks_components_as_ridge_does():
    rng = np.random.RandomState(0)
    X = scale(rng.normal(size=(1500, 3)) @ rng.normal(size=(3, 3)))
    model = DenoisingAutoencoder(
        3, corruption="gaussian", corruption_level=0.5, random_state=0, **LINEAR
    ).fit(X)
    covariance = X.T @ X / len(X)
    expected = covariance @ np.linalg.inv(covariance + 0.25 * np.eye(3))
    np.testing.assert_allclose(linear_map(model)[0], expected, atol=0.02)


@pytest.mark.parametrize("corruption", ["masking", "gaussian", "salt_and_pepper"])
def test_restores_better_than_pca_and_than_the_plain_autoencoder(corruption):
    X = load_digits().data
    model = DenoisingAutoencoder(16, corruption=corruption, random_state=0).fit(
        X[:1200]
    )
    plain = Autoencoder(16, random_state=0).fit(X[:1200])
    pca = PCA(16).fit(X[:1200])
    rng = np.random.RandomState(0)
    clean, noisy = X[1200:], X[1200:].copy()
    hit = rng.uniform(size=noisy.shape) < 0.3
    if corruption == "masking":
        noisy[hit] = np.broadcast_to(X[:1200].mean(axis=0), noisy.shape)[hit]
    elif corruption == "gaussian":
        noisy += 0.3 * X.std(axis=0) * rng.normal(size=noisy.shape)
    else:
        ends = np.where(rng.uniform(size=noisy.shape) < 0.5, X.min(0), X.max(0))
        noisy[hit] = ends[hit]

    def error(restored):
        return ((restored - clean) ** 2).mean()

    assert error(model.reconstruct(noisy)) < error(plain.reconstruct(noisy))
    assert error(model.reconstruct(noisy)) < error(
        pca.inverse_transform(pca.transform(noisy))
    )


def test_wide_code_does_not_copy_noise():
    X = load_digits().data
    model = DenoisingAutoencoder(
        64, corruption="gaussian", corruption_level=1.0, random_state=0
    ).fit(X[:1200])
    noise = X.std(axis=0) * np.random.RandomState(0).normal(size=(597, 64))
    error = ((model.reconstruct(X[1200:] + noise) - X[1200:]) ** 2).mean()
    assert error < 0.5 * (noise**2).mean()


def test_mixture_of_normals_is_restored_as_well_as_can_be():
    # Tweedie's formula: the best restoration of x + noise is x + s^2 d log p / dx.
    rng = np.random.RandomState(0)

    def draw(n):
        return rng.choice([-2.0, 2.0], size=(n, 1)) + 0.5 * rng.normal(size=(n, 1))

    X, clean = draw(6_000), draw(20_000)
    model = DenoisingAutoencoder(
        1, corruption="gaussian", corruption_level=0.5 / X.std(), random_state=0
    ).fit(X)
    noisy = clean + 0.5 * rng.normal(size=clean.shape)
    weight = 1 / (1 + np.exp(-8 * noisy))
    best = sum(
        w * (mean + 0.5 * (noisy - mean)) for w, mean in ((1 - weight, -2), (weight, 2))
    )
    errors = [((r - clean) ** 2).mean() for r in (best, model.reconstruct(noisy))]
    assert errors[0] < errors[1] < 1.02 * errors[0]
