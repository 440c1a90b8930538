"""The contraction penalty against closed forms and finite differences."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_iris
from skorch.callbacks import Freezer

from skae import Autoencoder, ContractiveAutoencoder
from skae.networks import DenseNetwork, reset_parameters
from skae.penalties import squared_jacobian_norm


def network(*sizes, **kwargs):
    n_features, *hidden, n_components = sizes
    net = DenseNetwork(n_features, n_components, tuple(hidden), **kwargs).double()
    reset_parameters(net, torch.Generator().manual_seed(0))
    return net.eval()


def rows(n=5, d=7):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, d, dtype=torch.float64, generator=generator)


def finite_differences(net, x, step=1e-5):
    total = torch.zeros(len(x), dtype=x.dtype)
    with torch.no_grad():
        for j in range(x.shape[1]):
            e = torch.zeros_like(x)
            e[:, j] = step
            slope = (net.encode(x + e) - net.encode(x - e)) / (2 * step)
            total += slope.square().sum(dim=1)
    return total


def test_one_logistic_layer_has_the_closed_form():
    net, x = network(7, 6, code_activation="logistic"), rows()
    h, weight = net.encode(x), net.encoder[0].weight
    expected = ((h * (1 - h)) ** 2 * weight.square().sum(dim=1)).sum(dim=1)
    torch.testing.assert_close(
        squared_jacobian_norm(net, x), expected, rtol=1e-9, atol=0
    )
    single = squared_jacobian_norm(net.float(), x.float())
    torch.testing.assert_close(single.double(), expected, rtol=1e-5, atol=0)


def test_one_linear_layer_has_the_norm_of_its_weight():
    net = network(7, 6)
    norms = squared_jacobian_norm(net, rows())
    torch.testing.assert_close(norms, net.encoder[0].weight.square().sum().expand(5))


@pytest.mark.parametrize(
    "sizes, kwargs",
    [
        ((7, 6), {"code_activation": "tanh"}),
        ((7, 6), {"n_nonzero_coefs": 2}),
        ((7, 9, 3), {"activation": "tanh"}),
        ((7, 9, 8, 6), {"activation": "gelu", "code_activation": "logistic"}),
        ((7, 9, 6), {"activation": "silu", "linear_path": True}),
    ],
)
def test_exact_norm_equals_finite_differences(sizes, kwargs):
    net, x = network(*sizes, **kwargs), rows()
    torch.testing.assert_close(
        squared_jacobian_norm(net, x), finite_differences(net, x), rtol=1e-6, atol=1e-9
    )


def test_wide_codes_of_deep_encoders_are_estimated_without_bias():
    net, x = network(7, 9, 6, activation="tanh"), rows(n=1)
    exact = squared_jacobian_norm(net, x).item()
    generator = torch.Generator().manual_seed(0)
    draws = squared_jacobian_norm(net, x.expand(20_000, -1), generator)
    assert draws.std() > 0
    assert abs(draws.mean() - exact) < 4 * draws.std() / 20_000**0.5


@pytest.mark.parametrize("n_components", [4, 6])
def test_gradient_of_the_norm_is_right(n_components):
    net, x = network(7, 9, n_components, activation="tanh").train(), rows()
    weight = net.encoder[0].weight

    def total():
        generator = torch.Generator().manual_seed(0)
        return squared_jacobian_norm(net, x, generator).sum()

    (gradient,) = torch.autograd.grad(total(), weight)
    with torch.no_grad():
        before = weight[2, 3].item()
        sums = []
        for step in (1e-5, -1e-5):
            weight[2, 3] = before + step
            sums.append(total().item())
    assert gradient[2, 3].item() == pytest.approx((sums[0] - sums[1]) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("hidden_layer_sizes", [(), (32,)])
def test_norm_falls_as_contraction_grows(hidden_layer_sizes):
    X = load_digits().data[:600]
    norms = []
    for contraction in (0.0, 0.01, 0.1):
        model = ContractiveAutoencoder(
            30,
            contraction=contraction,
            hidden_layer_sizes=hidden_layer_sizes,
            activation="tanh",
            code_activation="logistic",
            tied_weights=True,
            init="random",
            random_state=0,
        ).fit(X)
        x = torch.from_numpy((X - model.mean_) / model.scale_).float()
        norms.append(squared_jacobian_norm(model.net_.module_, x).mean().item())
    assert norms == sorted(norms, reverse=True)
    assert norms[-1] < 0.6 * norms[0]


def test_rows_kept_out_are_judged_with_the_penalty():
    X = load_iris().data
    params = {"hidden_layer_sizes": 4, "max_iter": 1, "random_state": 0}
    params["weight_decay"] = 0.0  # nor another step
    plain = Autoencoder(init="random", learning_rate_init=1e-9, **params).fit(
        X, X_val=X
    )
    model = ContractiveAutoencoder(
        contraction=0.5, init="random", learning_rate_init=1e-9, **params
    ).fit(X, X_val=X)
    x = torch.from_numpy((X - model.mean_) / model.scale_).float()
    penalty = 0.5 * squared_jacobian_norm(model.net_.module_, x).mean().item()
    # The loss of the mean is 1 on these rows.
    difference = plain.best_validation_score_ - model.best_validation_score_
    assert difference == pytest.approx(penalty, rel=1e-4)
    assert np.isfinite(model.score(X))


def test_frozen_encoder():
    X = np.random.RandomState(0).normal(size=(60, 5))
    model = Autoencoder(2, init="random", hidden_layer_sizes=(), contraction=0.1)
    model.set_params(callbacks=[Freezer("encoder.*")], max_iter=3, random_state=0)
    first, last = model.fit(X).loss_curve_[:: model.n_iter_ - 1]
    assert last < first
