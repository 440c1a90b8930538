"""Rates and moments of the corruptions."""

import numpy as np
import pytest
import torch

from skae import DenoisingAutoencoder
from skae._rows import Rows
from skae.corruptions import CORRUPTIONS, gaussian, masking, salt_and_pepper, swap

SHAPE = 4000, 50


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def x():
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1)) + 3


def within(rate, expected, n=SHAPE[0] * SHAPE[1]):
    return abs(rate - expected) < 4 * (expected * (1 - expected) / n) ** 0.5


@pytest.mark.parametrize("level", [0.1, 0.5])
def test_masking_has_its_rate(x, generator, level):
    masked = masking(x, level, generator)
    changed = masked != x
    assert within(changed.float().mean(), level)
    assert (masked[changed] == 0).all()


@pytest.mark.parametrize("level", [0.1, 0.5])
def test_gaussian_has_its_moments(x, generator, level):
    deviation = torch.linspace(0.1, 5, SHAPE[1])
    noise = (gaussian(x, level, generator, deviation) - x) / (level * deviation)
    assert abs(noise.mean()) < 4 * noise.numel() ** -0.5
    assert noise.std() == pytest.approx(1, abs=0.01)
    assert abs(noise.std(dim=0) - 1).max() < 4 * (2 * SHAPE[0]) ** -0.5


@pytest.mark.parametrize("level", [0.1, 0.5])
def test_salt_and_pepper_has_its_rates(x, generator, level):
    low, high = x.amin(dim=0) - 1, x.amax(dim=0) + 1
    noisy = salt_and_pepper(x, level, generator, low, high)
    assert within((noisy == low).float().mean(), level / 2)
    assert within((noisy == high).float().mean(), level / 2)
    untouched = (noisy != low) & (noisy != high)
    assert torch.equal(noisy[untouched], x[untouched])


@pytest.mark.parametrize("level", [0.1, 0.5])
def test_swap_takes_values_of_the_same_column_from_other_rows(generator, level):
    x = torch.arange(SHAPE[0] * SHAPE[1], dtype=torch.float64).reshape(SHAPE)
    swapped = swap(x, level, generator)
    assert within((swapped != x).double().mean(), level)
    assert torch.equal(swapped % SHAPE[1], x % SHAPE[1])


def test_swap_has_nothing_to_take_from_a_single_row(generator):
    x = torch.ones(1, 3)
    assert torch.equal(swap(x, 1.0, generator), x)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_columns_statistics_come_from_the_rows(name, generator):
    rng = np.random.RandomState(0)
    X = rng.normal(size=SHAPE) * np.linspace(0.1, 5, SHAPE[1]) + 7
    rows = Rows(X, X.mean(axis=0), 2.0, torch.float64)
    corrupted = CORRUPTIONS[name](rows, 1.0)(rows.tensor, generator=generator)
    corrupted = corrupted.numpy() * 2 + X.mean(axis=0)
    if name == "masking":
        np.testing.assert_allclose(corrupted, np.tile(X.mean(axis=0), (SHAPE[0], 1)))
    elif name == "gaussian":
        ratio = (corrupted - X).std(axis=0) / X.std(axis=0)
        np.testing.assert_allclose(ratio, 1, atol=0.05)
    elif name == "salt_and_pepper":
        extremes = np.stack([X.min(axis=0), X.max(axis=0)])
        assert np.isclose(corrupted[:, None], extremes).any(axis=1).all()
    elif name == "gaps":
        assert np.isnan(corrupted).all()
    else:
        for column, values in zip(corrupted.T, X.T, strict=True):
            values = np.sort(values)
            nearest = np.searchsorted(values, column - 1e-9).clip(max=len(values) - 1)
            np.testing.assert_allclose(column, values[nearest], atol=1e-8)


def test_noise_is_in_units_of_what_is_known():
    X = np.random.RandomState(0).normal(size=(2000, 3)) * [1, 2, 5]
    X[np.random.RandomState(1).rand(*X.shape) < 0.75] = np.nan
    rows = Rows(X, np.nanmean(X, axis=0), 2.0, torch.float64)
    deviation = CORRUPTIONS["gaussian"](rows, 1.0).keywords["deviation"].numpy()
    np.testing.assert_allclose(2 * deviation, np.nanstd(X, axis=0), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruption_is_a_matter_of_training_alone(name):
    X = np.random.RandomState(0).normal(size=(60, 5))
    model = DenoisingAutoencoder(
        2, corruption=name, hidden_layer_sizes=8, max_iter=3, random_state=0
    ).fit(X)
    np.testing.assert_array_equal(model.transform(X), model.transform(X))
    np.testing.assert_array_equal(model.reconstruct(X), model.reconstruct(X))
    np.testing.assert_array_equal(model.score_samples(X), model.score_samples(X))


def test_salt_and_pepper_are_values_and_not_what_fills_gaps():
    X = np.random.default_rng(0).normal(size=(40, 3))
    expected = X.min(axis=0), X.max(axis=0)
    holed = np.vstack([X, np.where(np.arange(3) == 1, 0.0, np.nan)[None]])
    rows = Rows(holed, np.zeros(3), 1.0, torch.float64)
    rows.fill(lambda x: x.nan_to_num(9.0))
    found = CORRUPTIONS["salt_and_pepper"](rows, 0.1).keywords
    np.testing.assert_allclose(found["low"], expected[0])
    np.testing.assert_allclose(found["high"], expected[1])
