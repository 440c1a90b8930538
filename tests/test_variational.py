"""What is special to VariationalAutoencoder: its bound, its start, its density."""

import warnings
from functools import partial

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.preprocessing import scale
from skorch.callbacks import Callback
from torch.distributions import Bernoulli, Normal, kl_divergence

from skae import VariationalAutoencoder
from skae.penalties import ContractionPenalty
from skae.variational import GaussianKLPenalty, gaussian_kl

pytestmark = pytest.mark.filterwarnings("ignore:Rows kept out of training:UserWarning")
# A fit that stays where it starts.
STILL = {"max_iter": 1, "learning_rate_init": 1e-12, "early_stopping": False}
LINEAR = {
    "hidden_layer_sizes": (),
    "early_stopping": False,
    "learning_rate": "cosine",
    "random_state": 0,
}


@pytest.fixture(scope="module")
def digits():
    return load_digits().data


@pytest.fixture(scope="module")
def gaussian():
    """Rows with three large variances, in mixed directions."""
    rng = np.random.RandomState(0)
    mixing = np.linalg.qr(rng.normal(size=(6, 6)))[0] * [3, 2, 1.5, 0.5, 0.4, 0.3]
    return rng.normal(size=(800, 6)) @ mixing.T + 5


def ppca(X, k):
    """Return the maximum-likelihood probabilistic PCA of `X`, as a distribution."""
    values, vectors = np.linalg.eigh(np.cov(X.T, bias=True).reshape(X.shape[1], -1))
    k = min(k, X.shape[1] - 1)
    noise = values[: X.shape[1] - k].mean()
    values[: X.shape[1] - k] = noise
    return multivariate_normal(X.mean(axis=0), vectors * values @ vectors.T), noise


@pytest.fixture(scope="module")
def fitted(digits):
    return VariationalAutoencoder(8, random_state=0).fit(digits[:1200])


@pytest.mark.parametrize("scale", [1e-4, 1.0, 3.0])
def test_kl_is_that_of_torch(scale):
    rng = torch.Generator().manual_seed(0)
    mean, log_variance = scale * torch.randn(2, 50, 7, generator=rng).double()
    posterior = Normal(mean, (0.5 * log_variance).exp())
    expected = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(
        gaussian_kl(mean, log_variance), expected, rtol=1e-6, atol=1e-14
    )
    assert gaussian_kl(0 * mean, 0 * log_variance).abs().max() == 0


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_objective_is_the_bound_with_beta_as_it_says(digits, likelihood, beta):
    model = VariationalAutoencoder(3, likelihood=likelihood, hidden_layer_sizes=8)
    model.set_params(beta=beta, init="random", max_iter=1, random_state=0)
    net = model.fit(digits[:200] / 16).net_
    network, rows = net.module_, model._rows(digits[200:300] / 16)
    x = rows.take(slice(None))
    for training in (False, True):
        network.train(training)
        generator = torch.Generator().manual_seed(3)
        outcome = net._outcome((x, rows.target(x)), generator)
        mean, log_variance = network.posterior(x)
        noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(3))
        z = mean + (0.5 * log_variance).exp() * noise
        decoded = network.decode(z)
        if likelihood == "gaussian":
            density = Normal(decoded, network.log_scale.exp()).log_prob(x)
        else:
            density = Bernoulli(decoded, validate_args=False).log_prob(rows.target(x))
        posterior = Normal(mean, (0.5 * log_variance).exp())
        divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1)
        expected = beta * divergence - density.sum(dim=1)
        losses = net.criterion_.of_rows(*outcome)
        torch.testing.assert_close(losses, expected, rtol=1e-4, atol=1e-4)
        objective = net.criterion_(*outcome)
        torch.testing.assert_close(objective, expected.mean(), rtol=1e-5, atol=1e-4)
        weights = [*network.encoder.parameters(), *network.variance_head.parameters()]
        for one, other in zip(
            torch.autograd.grad(objective, weights),
            torch.autograd.grad(expected.mean(), weights),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("k", [1, 3, 6, 8])
@pytest.mark.parametrize("hidden", [(), (16, 8)])
@pytest.mark.parametrize("noise", ["shared", "per_feature"])
def test_start_is_probabilistic_pca(gaussian, k, hidden, noise):
    model = VariationalAutoencoder(k, hidden_layer_sizes=hidden, noise=noise, **STILL)
    model.set_params(n_importance_samples=3).fit(gaussian)
    expected, variance = ppca(gaussian, k)
    # The posterior is exact, so that draws have no say.
    for scores in (model.elbo(gaussian), model.score_samples(gaussian)):
        np.testing.assert_allclose(scores, expected.logpdf(gaussian), atol=1e-3)
    np.testing.assert_allclose(model.noise_variance_, variance, rtol=1e-5)
    if k < 6:
        if not hidden:
            axes = model.components_ @ PCA(k).fit(gaussian).components_.T
            np.testing.assert_allclose(np.abs(axes), np.eye(k), atol=1e-4)
        gap = expected.logpdf(gaussian).mean() - PCA(k).fit(gaussian).score(gaussian)
        assert 0 <= gap < 6 / (4 * 800**2) * 1.1


def test_start_has_the_covariance_of_probabilistic_pca(gaussian):
    model = VariationalAutoencoder(3, **STILL).fit(gaussian)
    X, cov = model.sample(100_000, random_state=0), ppca(gaussian, 3)[0].cov
    np.testing.assert_allclose(X.mean(axis=0), gaussian.mean(axis=0), atol=0.05)
    gap = np.linalg.norm(np.cov(X.T) - cov)
    assert gap < 4 * (6 / len(X)) ** 0.5 * np.linalg.norm(cov)


@pytest.mark.parametrize("init", ["pca", "random"])
def test_linear_reaches_probabilistic_pca_from_below(gaussian, init):
    model = VariationalAutoencoder(3, init=init, max_iter=100, **LINEAR)
    model.set_params(learning_rate_init=0.02).fit(gaussian)
    exact = ppca(gaussian, 3)[0].logpdf(gaussian)
    scores = model.score_samples(gaussian)
    error = (scores - exact).std() / len(exact) ** 0.5
    gap = exact.mean() - scores.mean()
    assert -4 * error - 1e-3 < gap < 0.005 * abs(exact.mean())
    assert PCA(3).fit(gaussian).score(gaussian) - scores.mean() < 0.005 * -exact.mean()


def test_linear_with_noise_per_feature_reaches_factor_analysis():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(1000, 2)) @ rng.normal(size=(2, 8))
    X += np.geomspace(0.5, 2, 8) * rng.normal(size=X.shape)
    model = VariationalAutoencoder(2, noise="per_feature", max_iter=100, **LINEAR)
    score = model.set_params(learning_rate_init=0.02).fit(X).score_samples(X).mean()
    exact = FactorAnalysis(2, tol=1e-8, max_iter=10_000).fit(X)
    assert -0.005 < exact.score(X) - score < 0.005 * -exact.score(X)
    np.testing.assert_allclose(model.noise_variance_, exact.noise_variance_, rtol=0.4)


class StillNoise(Callback):
    def on_train_begin(self, net, **kwargs):
        net.module_.noise.requires_grad_(False)


@pytest.mark.parametrize("beta, n_active", [(0.2, 3), (1.0, 2), (2.0, 1)])
def test_codes_collapse_where_water_filling_says(beta, n_active):
    rng = np.random.RandomState(0)
    X = np.linalg.qr(rng.normal(size=(600, 6)))[0]
    X -= X.mean(axis=0)
    X = np.linalg.qr(X)[0] * [3, 1.6, 0.8, 0.4, 0.3, 0.3]
    model = VariationalAutoencoder(4, init="random", beta=beta, **LINEAR)
    model.set_params(callbacks=[StillNoise()], max_iter=120, learning_rate_init=0.02)
    network = model.fit(X).net_.module_
    threshold = beta * float(network.log_scale.exp()) ** 2
    eigenvalues = (X**2).mean(axis=0) / model.scale_**2
    leading = eigenvalues[:4]
    assert (leading > threshold).sum() == n_active == model.active_units_.sum()
    x = model._rows(X).take(slice(None))
    with torch.no_grad():
        divergence = float(gaussian_kl(*network.posterior(x)).mean())
        output = network(x.repeat(50, 1), torch.Generator().manual_seed(0))
    expected = np.maximum(0, 0.5 * np.log(leading / threshold)).sum()
    assert divergence == pytest.approx(expected, abs=0.06)
    distortion = float((output.reconstruction - x.repeat(50, 1)).square().sum(1).mean())
    expected = np.minimum(leading, threshold).sum() + eigenvalues[4:].sum()
    assert distortion == pytest.approx(expected, rel=0.03)


def test_bound_tightens_with_importance_samples(digits, fitted):
    test, model = digits[1200:], clone(fitted)
    model.__dict__.update(vars(fitted))
    means = []
    for k in (1, 10, 100):
        scores, bounds = (
            m(test)
            for m in (
                model.set_params(n_importance_samples=k).score_samples,
                model.elbo,
            )
        )
        assert (bounds <= scores + 1e-9).all()
        means.append(scores.mean())
        if k == 1:
            np.testing.assert_array_equal(bounds, scores)
    assert means[0] + 1 < means[1] < means[2] - 0.2


def test_score_of_a_row_is_its_own(digits, fitted):
    test = digits[1200:1300]
    scores = fitted.score_samples(test)
    np.testing.assert_array_equal(scores, fitted.score_samples(test))
    np.testing.assert_allclose(scores[::-1], fitted.score_samples(test[::-1]))
    np.testing.assert_allclose(scores[7:8], fitted.score_samples(test[7:8]))
    np.testing.assert_allclose(scores, fitted.score_samples(sparse.csr_array(test)))
    single = fitted.score_samples(test.astype(np.float32))
    # Rounded rows draw other noise.
    assert single.mean() == pytest.approx(scores.mean(), abs=0.5)
    bounds = fitted.elbo(np.repeat(test[:1], 3, axis=0))
    assert np.ptp(bounds) < 1e-9


def test_bound_is_the_mean_over_draws(digits, fitted):
    """Recompute it with torch's densities and other draws."""
    test = digits[1200:1250]
    network, rng = fitted.net_.module_, torch.Generator().manual_seed(0)
    x = torch.from_numpy((test - fitted.mean_) / fitted.scale_).float()
    weights = []
    with torch.no_grad():
        mean, log_variance = network.posterior(x)
        posterior = Normal(mean, (0.5 * log_variance).exp())
        noise = Normal(0.0, network.log_scale.exp() * fitted.scale_)
        for _ in range(400):
            z = mean + posterior.stddev * torch.randn(mean.shape, generator=rng)
            residual = (x - network.decode(z)) * fitted.scale_
            weight = noise.log_prob(residual).sum(1) - posterior.log_prob(z).sum(1)
            weights.append(weight + Normal(0.0, 1.0).log_prob(z).sum(1))
    weights = torch.stack(weights).double()
    error = float(weights.var(0).mean() * (1 / 100 + 1 / 400) / len(test)) ** 0.5
    assert fitted.elbo(test).mean() == pytest.approx(
        float(weights.mean()), abs=4 * error
    )


def test_units_shift_the_density(digits):
    model = VariationalAutoencoder(4, hidden_layer_sizes=16, max_iter=5, random_state=0)
    X, factor = digits[:400], 4.0
    one, other = clone(model).fit(X), clone(model).fit(factor * X)
    shift = 64 * np.log(factor)
    for method in ("score_samples", "elbo"):
        np.testing.assert_allclose(
            getattr(other, method)(factor * X), getattr(one, method)(X) - shift
        )
    for name in ("pca_score_", "best_validation_score_"):
        assert getattr(other, name) == pytest.approx(getattr(one, name) - shift)
    assert other.noise_variance_ == pytest.approx(factor**2 * one.noise_variance_)


def test_units_of_rows_with_gaps_shift_by_what_is_known(digits):
    X = np.where(np.random.RandomState(0).rand(300, 64) < 0.5, np.nan, digits[:300])
    model = VariationalAutoencoder(2, hidden_layer_sizes=8, max_iter=2, random_state=0)
    one, other = clone(model).fit(X, X_val=X), clone(model).fit(4 * X, X_val=4 * X)
    shift = np.isfinite(X).mean() * 64 * np.log(4)
    assert other.best_validation_score_ == pytest.approx(
        one.best_validation_score_ - shift
    )
    assert other.elbo(4 * X).mean() == pytest.approx(one.elbo(X).mean() - shift)
    assert one.pca_score_ is None


def test_beats_probabilistic_pca_on_digits(digits, fitted):
    train, test = digits[:1200], digits[1200:]
    pca = PCA(8).fit(train).score(test)
    assert fitted.elbo(test).mean() > pca + 8
    assert fitted.score_samples(test).mean() > pca + 12
    assert fitted.best_validation_score_ > fitted.pca_score_ + 10
    assert fitted.score(test) > 0.75
    assert fitted.active_units_.all()


def test_scores_are_those_of_the_rows_kept_out(digits):
    train, test = digits[:1200], digits[1200:]
    model = VariationalAutoencoder(8, random_state=0).fit(train, X_val=test)
    # Constant columns have no density, but shared noise gives them one.
    expected = PCA(8).fit(train)
    assert model.pca_score_ == pytest.approx(expected.score(test), abs=0.1)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.elbo(test).mean() == pytest.approx(
        model.best_validation_score_, abs=0.5
    )


@pytest.mark.parametrize("name", ["noise", "gaussian", "iris", "wine", "cancer"])
def test_never_below_probabilistic_pca(gaussian, name):
    rng = np.random.RandomState(0)
    X = {
        "noise": lambda: rng.normal(size=(300, 8)),
        "gaussian": lambda: gaussian,
        "iris": lambda: scale(load_iris().data),
        "wine": lambda: scale(load_wine().data),
        "cancer": lambda: scale(load_breast_cancer().data),
    }[name]()
    X = X[rng.permutation(len(X))]
    n = len(X) * 3 // 4
    model = VariationalAutoencoder(2, random_state=0).fit(X[:n])
    assert model.score_samples(X[n:]).mean() > PCA(2).fit(X[:n]).score(X[n:]) - 0.02


def test_says_when_the_data_give_no_reason_to_leave():
    X = np.random.RandomState(0).normal(size=(200, 6))
    with pytest.warns(UserWarning, match="prefer the network to probabilistic PCA"):
        model = VariationalAutoencoder(2, random_state=0).fit(X)
    np.testing.assert_allclose(
        model.score_samples(X), ppca(X, 2)[0].logpdf(X), atol=1e-3
    )


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "2"])
def test_numbers_of_draws_are_positive_ints(digits, fitted, wrong):
    for draw in (
        fitted.sample,
        partial(fitted.sample_posterior, digits[:3]),
        partial(fitted.sample_gaps, digits[:3]),
    ):
        with pytest.raises(ValueError, match="n_samples must be a positive int"):
            draw(wrong)


def test_samples_look_like_the_digits(digits, fitted):
    X, train = fitted.sample(5000, random_state=0), digits[:1200]
    assert np.abs(X.mean(axis=0) - train.mean(axis=0)).max() < 2
    assert np.abs(X.mean() - train.mean()) < 0.25
    total = train.var(axis=0).sum()
    assert 0.7 * total < X.var(axis=0).sum() < 1.1 * total
    np.testing.assert_array_equal(X, fitted.sample(5000, random_state=0))
    assert (fitted.sample(2) != fitted.sample(2)).any()


def test_posterior_samples_have_its_moments(digits, fitted):
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    Z = fitted.sample_posterior(digits[:20], 4000, random_state=0)
    assert Z.shape == (4000, 20, 8)
    x = torch.from_numpy((digits[:20] - fitted.mean_) / fitted.scale_).float()
    with torch.no_grad():
        mean, log_variance = fitted.net_.module_.posterior(x)
    deviation = np.exp(0.5 * log_variance.numpy())
    errors = np.abs(Z.mean(axis=0) - fitted.transform(digits[:20])) / deviation
    assert errors.max() < 5 / 4000**0.5
    np.testing.assert_allclose(fitted.transform(digits[:20]), mean, atol=1e-4)
    np.testing.assert_allclose(Z.std(axis=0), deviation, rtol=0.08)
    fitted.sample(3), fitted.elbo(digits[:20])
    single = fitted.sample_posterior(digits[:20].astype(np.float32))
    assert single.dtype == np.float32
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])


def test_active_units_are_burdas(digits, fitted):
    variances = fitted.transform(digits[:1200]).var(axis=0)
    np.testing.assert_array_equal(fitted.active_units_, variances > 0.01)


@pytest.mark.parametrize("init", ["pca", "random"])
def test_bernoulli_on_binary_digits(digits, init):
    X = (digits > 7).astype(float)
    train, test = X[:1200], X[1200:]
    model = VariationalAutoencoder(
        6, likelihood="bernoulli", init=init, hidden_layer_sizes=64, random_state=0
    ).fit(train)
    p = train.mean(axis=0).clip(1e-3, 1 - 1e-3)
    independent = (test * np.log(p) + (1 - test) * np.log(1 - p)).sum(axis=1).mean()
    assert model.pca_score_ is None and not hasattr(model, "noise_variance_")
    assert model.score_samples(test).mean() > independent + 5
    assert model.elbo(test).mean() == pytest.approx(model.best_validation_score_, abs=2)
    draws = model.sample(3000, random_state=0)
    assert set(np.unique(draws)) == {0.0, 1.0}
    assert np.abs(draws.mean(axis=0) - train.mean(axis=0)).max() < 0.2


def test_bernoulli_start_knows_more_than_the_means(digits):
    X = (digits > 7).astype(float)
    model = VariationalAutoencoder(6, likelihood="bernoulli", **STILL).fit(X)
    p = X.mean(axis=0).clip(1e-9, 1 - 1e-9)
    independent = (X * np.log(p) + (1 - X) * np.log(1 - p)).sum(axis=1).mean()
    assert model.elbo(X).mean() > independent + 2


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("unit", [1e-5, 1e4])
def test_least_noise_is_in_the_unit_of_the_data(unit, ordered):
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(300, 3)) @ rng.normal(size=(3, 8)))
    model = VariationalAutoencoder(3, output_activation="relu", max_iter=5)
    model.set_params(hidden_layer_sizes=16, random_state=0, ordered=ordered)
    if ordered:  # stays where it starts
        model.set_params(learning_rate_init=1e-9)
    expected = model.fit(X).noise_variance_
    found = model.fit(unit * X).noise_variance_
    np.testing.assert_allclose(found / unit**2, expected, rtol=1e-3)
    floor = float(model.net_.module_.noise_floor)
    assert floor == pytest.approx(np.log(model.scale_) - 8)


def test_bernoulli_names_the_column():
    X = np.random.RandomState(0).uniform(size=(20, 3))
    X[3, 1] = 1.5
    model = VariationalAutoencoder(1, likelihood="bernoulli")
    message = r"likelihood='bernoulli'.*needs X in \[0, 1\], but column 1 goes .* 1.5"
    with pytest.raises(ValueError, match=message):
        model.fit(X)


class Record(Callback):
    def on_epoch_end(self, net, **kwargs):
        weights.append(float(net.module_.kl_weight))


weights = []


def test_warm_up_goes_from_none_to_all(digits):
    model = VariationalAutoencoder(2, kl_warmup=4, max_iter=6, warm_start=True)
    model.set_params(callbacks=[Record()], hidden_layer_sizes=8, random_state=0)
    expected = [0, 0.25, 0.5, 0.75, 1, 1]
    weights.clear()
    clone(model).fit(digits[:300])
    # Each fold warms up.
    assert weights[:12] == expected * 2
    weights.clear()
    model.set_params(early_stopping=False).fit(digits[:300]).fit(digits[:300])
    assert weights == expected + [1] * 6
    network, penalty = model.net_.module_, GaussianKLPenalty(2.0)
    network.kl_weight.fill_(0.5)
    x = model._rows(digits[:300]).take(slice(None))
    for training, weight in ((True, 1.0), (False, 2.0)):
        output = network.train(training)(x)
        torch.testing.assert_close(
            penalty(network, x, output, None),
            weight * gaussian_kl(output.code, output.log_variance),
        )


@pytest.mark.parametrize(
    "params",
    [
        {"corruption": "gaussian"},
        {"contraction": 0.1},
        {"alpha": 1e-3, "tied_weights": True},
        {"tied_weights": True, "hidden_layer_sizes": ()},
        {"ordered": True},
        {"ordered": True, "n_components": 0.6},
        {"output_activation": "logistic"},
        {"solver": "sgd", "init": "random"},
        {"kl_warmup": 2, "beta": 0.5, "noise": "per_feature"},
    ],
)
@pytest.mark.filterwarnings("ignore:n_components=.* is out of reach")
def test_axes_combine(digits, params):
    X = digits[:300] / 16
    model = VariationalAutoencoder(4, hidden_layer_sizes=16, max_iter=3, random_state=0)
    model.set_params(**params).fit(X)
    assert model.active_units_.shape == (model.n_components_,)
    assert np.isfinite(model.elbo(X)).all()
    assert model.sample(3, 0).shape == (3, 64)
    assert model.sample_posterior(X, 2).shape == (2, 300, model.n_components_)
    penalties = model.net_.criterion_.penalties
    kinds = [type(penalty) for penalty in penalties]
    assert kinds[0] is GaussianKLPenalty
    assert (ContractionPenalty in kinds) == ("contraction" in params)


def test_contraction_is_of_the_code_as_it_is(gaussian):
    model = VariationalAutoencoder(2, contraction=0.1, max_iter=20, **LINEAR)
    network = model.fit(gaussian).net_.module_
    assert network.log_spread.abs().min() > 1e-3
    x = model._rows(gaussian[:3]).take(slice(None))
    jacobian = torch.autograd.functional.jacobian(network.encode, x[:1])[0, :, 0]
    norms = ContractionPenalty(2.0)(network, x, network(x), None)
    expected = (2 * jacobian.square().sum()).expand(3)
    torch.testing.assert_close(norms.detach(), expected, rtol=1e-4, atol=0)


def test_what_makes_no_sense_is_refused(digits):
    for params, message in (
        ({"solver": "lbfgs"}, "'solver' parameter of VariationalAutoencoder must be"),
        (
            {"likelihood": "bernoulli", "output_activation": "relu"},
            "likelihood='bernoulli' needs output_activation to be 'logistic'",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            VariationalAutoencoder(2, **params).fit(digits / 16)
    with pytest.raises(TypeError, match="loss"):
        VariationalAutoencoder(2, loss="huber")


@pytest.mark.parametrize("noise", ["shared", "per_feature"])
@pytest.mark.parametrize("init", ["pca", "random"])
def test_no_noise_at_all_stays_finite(noise, init):
    rng = np.random.RandomState(0)
    X = np.repeat(rng.normal(size=(60, 1)), 4, axis=1) * [1, 2, 0, 3]
    for rows in (X, X[:1], X[:, :1], 0 * X):
        model = VariationalAutoencoder(2, noise=noise, init=init, random_state=0)
        model.set_params(max_iter=20, hidden_layer_sizes=8).fit(rows)
        assert np.isfinite(model.score_samples(rows)).all()
        assert np.isfinite(model.sample(10, 0)).all()
        assert np.isfinite(model.score(rows))


def test_far_rows_have_a_finite_score(digits, fitted):
    scores = fitted.score_samples(np.vstack([digits[0], 1e4 * digits[1]]))
    assert np.isfinite(scores).all() and scores[1] < scores[0] - 1e4


def test_ordered_share_counts_its_own_components_only(digits):
    model = VariationalAutoencoder(0.5, ordered=True, hidden_layer_sizes=16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(random_state=0, max_iter=10).fit(digits)
    width = model.net_.module_.config["n_components"]
    assert model.transform(digits).shape[1] == model.n_components_ <= width
    assert model.inverse_transform(model.transform(digits)).shape == digits.shape


def test_a_fitted_model_is_not_changed_by_parameters():
    X = load_iris().data / 10
    model = VariationalAutoencoder(2, max_iter=2, random_state=0).fit(X)
    scores, drawn = model.score_samples(X), model.sample(3, random_state=0)
    model.set_params(likelihood="bernoulli")
    np.testing.assert_array_equal(model.score_samples(X), scores)
    np.testing.assert_array_equal(model.sample(3, random_state=0), drawn)


@pytest.mark.parametrize("output", ["logistic", "tanh"])
def test_tied_without_hidden_layers_with_any_output(digits, output):
    model = VariationalAutoencoder(
        2, tied_weights=True, hidden_layer_sizes=(), output_activation=output
    )
    X = digits[:300] / 16
    assert model.set_params(max_iter=2, random_state=0).fit(X).score(X) > 0.05


def test_tied_starts_at_probabilistic_pca_too():
    rng = np.random.RandomState(0)
    X = (rng.normal(size=(400, 3)) * [3, 2, 1]) @ rng.normal(size=(3, 6))
    X += 0.5 * rng.normal(size=X.shape)
    bounds = [
        VariationalAutoencoder(
            2,
            tied_weights=tied,
            hidden_layer_sizes=(),
            max_iter=1,
            learning_rate_init=1e-12,
            early_stopping=False,
        ).fit(X)
        for tied in (False, True)
    ]
    untied, tied = (model.elbo(X) for model in bounds)
    np.testing.assert_allclose(tied, untied, rtol=1e-4)


def test_warm_up_goes_on_from_fit_to_fit(digits):
    model = VariationalAutoencoder(2, kl_warmup=5, max_iter=1, warm_start=True)
    model.set_params(early_stopping=False, hidden_layer_sizes=8, random_state=0)
    found = [float(model.fit(digits[:99]).net_.module_.kl_weight) for _ in range(7)]
    np.testing.assert_allclose(found, [0, 0.2, 0.4, 0.6, 0.8, 1, 1])
    model.set_params(warm_start=False).fit(digits[:99])
    model.set_params(warm_start=True, kl_warmup=0).fit(digits[:99])
    assert float(model.net_.module_.kl_weight) == 1
