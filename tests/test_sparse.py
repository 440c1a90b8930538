"""Sparse codes: the penalties' formulas, and what they make of the digits."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_digits

from skae import SparseAutoencoder
from skae.layers import TopK
from skae.networks import DenseNetwork, Output
from skae.penalties import DeadUnitPenalty, KLSparsityPenalty, kl_sparsity


@pytest.fixture(scope="module")
def digits():
    X = load_digits().data
    return X[np.random.RandomState(0).permutation(len(X))]


def test_divergence_has_its_gradient():
    means = torch.linspace(0.01, 0.99, 50, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(kl_sparsity(means, 0.05), means)
    expected = -0.05 / means + 0.95 / (1 - means)
    torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-6)


def test_divergence_is_zero_at_its_target_and_finite_at_the_ends():
    at = torch.full((3,), 0.05, dtype=torch.float64)
    assert abs(kl_sparsity(at, 0.05).item()) < 1e-12
    assert kl_sparsity(at + 0.01, 0.05) > 0
    assert kl_sparsity(torch.tensor([0.0, 1.0]), 0.05).isfinite()


def test_divergence_is_that_of_bernoulli_variables():
    means = torch.tensor([0.03, 0.2, 0.7])
    expected = torch.distributions.kl_divergence(
        torch.distributions.Bernoulli(0.05), torch.distributions.Bernoulli(means)
    )
    torch.testing.assert_close(kl_sparsity(means, 0.05), expected.sum())


def test_small_batches_share_a_running_mean():
    network = DenseNetwork(2, 1).train()
    penalty = KLSparsityPenalty(1.0, 0.5, window=8)
    for mean in (0.2, 0.6):
        code = torch.full((2, 1), mean, requires_grad=True)
        value = penalty(
            network, code, Output(None, code, None, code), torch.Generator()
        )
    running = 0.2 + 2 / 8 * (0.6 - 0.2)
    expected = kl_sparsity(torch.tensor([running]), 0.5)
    torch.testing.assert_close(value.mean(), expected)
    (gradient,) = torch.autograd.grad(value.mean(), code)
    slope = -0.5 / running + 0.5 / (1 - running)
    torch.testing.assert_close(gradient, torch.full((2, 1), slope / 2))
    still = penalty(network.eval(), code, Output(None, code, None, code), None)
    torch.testing.assert_close(still.mean(), kl_sparsity(torch.tensor([0.6]), 0.5))


@pytest.mark.parametrize("k", [1, 3, 8])
def test_topk_keeps_the_largest(k):
    x = torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    kept = TopK(k)(x)
    assert ((kept != 0).sum(dim=1) == k).all()
    least = torch.where(kept != 0, kept, torch.inf).amin(dim=1, keepdim=True)
    assert ((x >= least) == (kept != 0)).all()
    assert torch.equal(kept[kept != 0], x[kept != 0])


def test_topk_recovers_codes_of_an_orthonormal_dictionary():
    generator = torch.Generator().manual_seed(0)
    atoms = torch.linalg.qr(torch.randn(16, 16, generator=generator).double()).Q
    codes = TopK(3)(torch.rand(20, 16, generator=generator).double() + 0.1)
    network = DenseNetwork(16, 16, tied_weights=True, n_nonzero_coefs=3).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.encoder[0].weight[:] = atoms
    torch.testing.assert_close(network.encode(codes @ atoms), codes)
    torch.testing.assert_close(network(codes @ atoms).reconstruction, codes @ atoms)


def test_dead_units_and_no_others_learn_what_is_left():
    network = DenseNetwork(4, 6, n_nonzero_coefs=1).train()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-0.1, 0.1, generator=generator)
        network.encoder[0].bias[:2] = 5.0
    penalty = DeadUnitPenalty(torch.clone, n_rows=20)
    x = torch.randn(10, 4, generator=generator)
    assert penalty(network, x, network(x), generator).item() == 0
    value = penalty(network, x, network(x), generator)
    assert value > 0
    (gradient,) = torch.autograd.grad(value, network.encoder[0].weight)
    used = (network(x).code != 0).any(dim=0)
    assert (gradient[used] == 0).all()
    assert (gradient[~used] != 0).any()


@pytest.mark.parametrize(
    ("n_components", "least"), [(10, 0.45), (25, 0.7), (64, 0.9), (256, 0.9)]
)
def test_divergence_brings_mean_activations_to_the_target(digits, n_components, least):
    model = SparseAutoencoder(n_components, random_state=0).fit(digits)
    codes = model.transform(digits)
    np.testing.assert_allclose(model.mean_activations_, codes.mean(axis=0), rtol=1e-4)
    assert np.abs(model.mean_activations_ - 0.05).max() < 0.02
    assert codes.min() >= 0 and codes.max() <= 1
    assert model.score(digits) > least


def test_topk_beats_l1_at_as_many_nonzeros_and_has_few_dead_units(digits):
    train, test = digits[:1300], digits[1300:]
    l1 = SparseAutoencoder(256, sparsity="l1", sparsity_weight=0.03, random_state=0)
    n_nonzero = int((l1.fit(train).transform(test) != 0).sum(axis=1).mean())
    topk = SparseAutoencoder(
        256, sparsity="topk", n_nonzero_coefs=n_nonzero, random_state=0
    ).fit(train)
    assert topk.score(test) > l1.score(test)
    dead = ~(topk.transform(train) != 0).any(axis=0)
    assert dead.mean() < 0.05


def test_stronger_l1_gives_smaller_codes_and_at_last_none(digits):
    sizes = []
    for weight in (0.001, 0.01, 0.1, 100.0):
        model = SparseAutoencoder(
            64, sparsity="l1", sparsity_weight=weight, random_state=0
        ).fit(digits[:600])
        sizes.append(np.abs(model.transform(digits[:600])).sum(axis=1).mean())
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.01 * sizes[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_codes_come_and_go_as_csr(digits, dtype):
    X = digits[:300].astype(dtype)
    params = {"sparsity": "topk", "n_nonzero_coefs": 4, "max_iter": 3}
    model = SparseAutoencoder(32, random_state=0, **params).fit(X)
    dense = model.transform(X)
    codes = model.set_params(sparse_output=True).transform(X)
    assert sparse.issparse(codes) and codes.dtype == dtype
    assert codes.nnz == 4 * 300
    np.testing.assert_array_equal(codes.toarray(), dense)
    np.testing.assert_array_equal(
        model.inverse_transform(codes), model.inverse_transform(dense)
    )
    np.testing.assert_allclose(
        model.reconstruct(X), model.inverse_transform(codes), rtol=1e-5, atol=1e-4
    )
