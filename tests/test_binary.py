"""Bits: their gradient, packing, balance, and what their neighbours share."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import NearestNeighbors

from skae import BinaryAutoencoder
from skae.layers import Binary
from skae.networks import Output
from skae.penalties import BalancePenalty


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(X))
    return X[order[:1297]], X[order[1297:]], y[order[:1297]], y[order[1297:]]


@pytest.fixture(scope="module")
def hashes(digits):
    return {
        k: BinaryAutoencoder(k, random_state=0).fit(digits[0]) for k in (16, 32, 64)
    }


def precision(codes, queries, y, y_queries, n_neighbors=100):
    search = NearestNeighbors(metric="hamming", algorithm="brute")
    found = search.fit(codes).kneighbors(queries, n_neighbors, return_distance=False)
    return (y[found] == y_queries[:, None]).mean()


def test_step_passes_the_gradient_of_a_line():
    x = torch.tensor([-2.0, -0.5, -1e-9, 0.0, 1e-9, 0.5, 2.0], requires_grad=True)
    bits = Binary()(x)
    assert bits.tolist() == [0, 0, 0, 0, 1, 1, 1]
    bits.sum().backward()
    assert x.grad.tolist() == [0, 0.5, 0.5, 0.5, 0.5, 0.5, 0]


def test_balance_penalty_is_its_formula():
    a = torch.tensor([[1.0, 2.0], [-1.0, 0.0]])
    penalty = BalancePenalty(0.5)(None, a, Output(None, None, None, a), None)
    expected = 0.5 * ((0 + 0) + (1 + (2 - 1) ** 2)) / 2
    torch.testing.assert_close(penalty, torch.full((1,), expected))


@pytest.mark.parametrize("k", [16, 32, 64])
def test_neighbours_share_labels_more_often_than_those_of_pca(digits, hashes, k):
    train, test, y_train, y_test = digits
    model, pca = hashes[k], PCA(k).fit(train)
    codes = model.transform(train)
    by_pca = precision(
        pca.transform(train) > 0, pca.transform(test) > 0, y_train, y_test
    )
    assert precision(codes, model.transform(test), y_train, y_test) > by_pca + 0.2
    assert codes.mean(axis=0).min() > 0.2
    assert codes.mean(axis=0).max() < 0.8


def test_bits_come_and_go_as_bytes(digits, hashes):
    test, model = digits[1], hashes[32]
    bits = model.transform(test)
    assert bits.dtype == np.uint8 and set(np.unique(bits)) == {0, 1}
    expected = model.inverse_transform(bits)
    try:
        packed = model.set_params(packed=True).transform(test)
        np.testing.assert_array_equal(np.unpackbits(packed, axis=1), bits)
        np.testing.assert_array_equal(model.inverse_transform(packed), expected)
        assert len(model.get_feature_names_out()) == packed.shape[1] == 4
        differing = np.unpackbits(packed[0] ^ packed[1]).sum()
        assert differing == (bits[0] != bits[1]).sum()
        with pytest.raises(ValueError, match=r"X has 4 columns of int64.*packed=True"):
            model.inverse_transform(packed.astype(np.int64))
    finally:
        model.set_params(packed=False)
    with pytest.raises(ValueError, match="zeros and ones"):
        model.inverse_transform(bits + 1)
    np.testing.assert_allclose(model.reconstruct(test), expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")
@pytest.mark.parametrize("shape", [(60, 3), (5, 40), (61, 1)])
def test_more_bits_than_components_are_still_balanced_at_the_start(shape):
    X = np.random.RandomState(0).normal(size=shape)
    model = BinaryAutoencoder(12, learning_rate_init=1e-9, max_iter=1, random_state=0)
    bits = model.fit(X).transform(X)
    assert (np.abs(bits.sum(axis=0) - len(X) / 2) <= 0.5).all()


def test_start_is_a_rotation_of_pca_nearer_to_its_signs(digits):
    X = digits[0]
    model = BinaryAutoencoder(
        16, learning_rate_init=1e-9, max_iter=1, early_stopping=False, random_state=0
    ).fit(X)
    path = model.net_.module_.encoder_path.weight.detach().double().numpy()
    axes = PCA(16).fit(X).components_
    np.testing.assert_allclose(path @ axes.T @ axes, path, atol=1e-5)
    directions = path / np.linalg.norm(path, axis=1, keepdims=True)
    np.testing.assert_allclose(directions @ directions.T, np.eye(16), atol=1e-4)
    X = X - X.mean(axis=0)

    def distance(directions):
        scores = X @ directions.T
        signs = np.sign(scores)
        return ((scores / scores.std() - signs) ** 2).mean()

    assert distance(directions) < distance(axes)


def test_warning_says_that_the_start_is_signs(digits):
    model = BinaryAutoencoder(8, learning_rate_init=1e-30, max_iter=1, random_state=0)
    with pytest.warns(UserWarning, match="signs of 8 rotated principal components"):
        model.fit(digits[0][:300])


def test_other_code_activations_are_refused(digits):
    with pytest.raises(ValueError, match=r"code_activation .* 'binary'"):
        BinaryAutoencoder(code_activation="tanh").fit(digits[0])


@pytest.mark.parametrize("sizes", [(), (32,)])
def test_the_start_decodes_bits_by_least_squares(digits, sizes):
    train, test = digits[0][:1200], digits[1]  # no row is the middle one of its column
    model = BinaryAutoencoder(16, hidden_layer_sizes=sizes, early_stopping=False)
    model.set_params(max_iter=1, learning_rate_init=1e-12, weight_decay=0.0).fit(train)
    expected = LinearRegression().fit(model.transform(train), train)
    expected = expected.predict(model.transform(test))
    np.testing.assert_allclose(model.reconstruct(test), expected, atol=1e-3)


def test_leading_bytes_of_an_ordered_code():
    X = load_digits().data[:200]
    model = BinaryAutoencoder(16, ordered=True, packed=True, max_iter=2, random_state=0)
    codes = model.fit(X).transform(X)
    leading = model.inverse_transform(codes[:, :1])
    model.set_params(packed=False)
    bits = np.unpackbits(codes[:, :1], axis=1)
    np.testing.assert_array_equal(leading, model.inverse_transform(bits))


def test_tied_logistic_start_decodes_the_mean():
    X = load_digits().data[:300] / 16
    model = BinaryAutoencoder(16, tied_weights=True, hidden_layer_sizes=(), max_iter=1)
    model.set_params(output_activation="logistic", learning_rate_init=1e-12)
    assert model.set_params(random_state=0).fit(X).score(X) > -0.5
