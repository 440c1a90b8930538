"""What is special to Autoencoder: its start, its choice, its parameters."""

import signal
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_circles
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, scale
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
)

from skae import Autoencoder, LinearAutoencoder, VariationalAutoencoder
from skae._axes import principal_axes
from skae._rows import Rows, location_and_scale
from skae.networks import ACTIVATIONS

FAST = {"hidden_layer_sizes": (32, 16), "random_state": 0}


@pytest.fixture(scope="module")
def digits():
    return load_digits().data / 16


def pca_error(X, X_test, k):
    pca = PCA(k).fit(X)
    return ((X_test - pca.inverse_transform(pca.transform(X_test))) ** 2).sum()


def error(model, X):
    return ((X - model.reconstruct(X)) ** 2).sum()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("hidden", [(), (16, 8)])
@pytest.mark.parametrize("k", [1, 5, 64])
def test_start_is_pca(digits, tied, hidden, k):
    model = Autoencoder(k, hidden_layer_sizes=hidden, tied_weights=tied)
    model.set_params(max_iter=1, learning_rate_init=1e-12, early_stopping=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(digits)
    pca = PCA(k).fit(digits)
    expected = pca.inverse_transform(pca.transform(digits))
    np.testing.assert_allclose(model.reconstruct(digits), expected, atol=1e-5)


def test_beats_pca_on_digits(digits):
    train, test = digits[:1200], digits[1200:]
    model = Autoencoder(8, random_state=0).fit(train)
    assert error(model, test) < 0.65 * pca_error(train, test, 8)
    assert model.best_validation_score_ > model.pca_score_ + 0.1
    assert len(model.validation_scores_) == model.n_iter_ == len(model.loss_curve_)


@pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["noise", "tiny", "wide", "iris", "heavy"])
def test_never_worse_than_pca(name, seed):
    rng = np.random.RandomState(seed)
    X = {
        "noise": lambda: rng.normal(size=(400, 10)),
        "tiny": lambda: rng.normal(size=(24, 5)),
        "wide": lambda: (
            rng.normal(size=(40, 3)) @ rng.normal(size=(3, 200))
            + rng.normal(size=(40, 200))
        ),
        "iris": lambda: scale(load_iris().data)[rng.permutation(150)],
        "heavy": lambda: rng.standard_t(1.5, size=(600, 6)),
    }[name]()
    n = len(X) * 3 // 4
    model = Autoencoder(2, random_state=seed).fit(X[:n])
    assert error(model, X[n:]) <= 1.005 * pca_error(X[:n], X[n:], 2)


@pytest.mark.parametrize("seed", range(3))
def test_leaves_pca_where_symmetry_hides_all_gradients(seed):
    X, _ = make_circles(3000, noise=0.05, factor=0.5, random_state=seed)
    model = Autoencoder(1, random_state=seed).fit(X[:2400])
    assert error(model, X[2400:]) < 0.35 * pca_error(X[:2400], X[2400:], 1)
    assert len(model.validation_scores_) == model.n_iter_ == len(model.net_.history)


def test_axes_of_equal_variance_are_all_found():
    X = np.eye(30)
    for seed in range(40):
        some = torch.randperm(30, generator=torch.Generator().manual_seed(seed))[:20]
        rows = Rows(X, *location_and_scale(X)).subset(some)
        _, axes, variances = principal_axes(rows, 1, torch.Generator())
        assert len(axes) == 1
        np.testing.assert_allclose(variances * X.var(axis=0).mean(), 1 / 20)


@pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")
@pytest.mark.parametrize(
    "model",
    [
        Autoencoder(11, random_state=0),
        Autoencoder(11, tied_weights=True, random_state=0),
        Autoencoder(11, hidden_layer_sizes=(), random_state=0),
        LinearAutoencoder(11),
    ],
    ids=["default", "tied", "linear", "closed form"],
)
def test_decodes_columns_that_were_constant(model):
    X = np.random.RandomState(0).normal(size=(900, 12))
    X[:600, 8:] = 0
    model.fit(X[:600])
    # As PCA's, eleven components leave one direction of those four.
    assert error(model, X[600:]) < 0.5 * (X[600:, 8:] ** 2).sum()


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_columns_that_hardly_varied_do_not_blow_up(activation):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(600, 8))
    X[:300, 3:] *= 1e-7
    X[300:, 3:] *= 0.01
    model = Autoencoder(6, code_activation=activation, **FAST).fit(X[:300])
    assert error(model, X[300:]) < 0.2 * (X[300:] ** 2).sum()


def test_extreme_rows_do_not_throw_training_off():
    rng = np.random.RandomState(0)
    X = 0.3 * rng.normal(size=(3000, 9))
    hot = np.flatnonzero(rng.uniform(size=3000) < 0.1)
    X[hot, rng.randint(9, size=len(hot))] += 6 * rng.lognormal(0, 1.2, size=len(hot))
    model = Autoencoder(2, random_state=0).fit(X[:2400])
    assert error(model, X[2400:]) < 0.6 * pca_error(X[:2400], X[2400:], 2)


def test_says_when_the_data_give_no_reason_to_leave_pca():
    X = np.random.RandomState(0).normal(size=(200, 6))
    with pytest.warns(UserWarning, match="no reason to prefer.*n_components=2"):
        model = Autoencoder(2, **FAST).fit(X)
    assert error(model, X) == pytest.approx(pca_error(X, X, 2), rel=1e-5)
    assert model.n_iter_ >= 1


def test_penalties_that_rows_kept_out_reject_are_named(digits):
    model = Autoencoder(4, hidden_layer_sizes=(), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(digits)  # a linear network that is PCA is what was asked for
    with pytest.warns(UserWarning, match="no reason to prefer.*n_components=4"):
        model.set_params(alpha=1.0).fit(digits)


def test_curve_on_one_number():
    rng = np.random.RandomState(0)
    t = rng.uniform(-1, 1, size=(1200, 1))
    X = np.hstack([t, t**2, t**3]) + 0.01 * rng.normal(size=(1200, 3))
    model = Autoencoder(1, random_state=0).fit(scale(X[:1000]))
    assert model.best_validation_score_ > 0.99 > 0.9 > model.pca_score_


def test_overcomplete_warns_and_is_nearly_exact():
    X = scale(load_iris().data)
    with pytest.warns(UserWarning, match="n_components=6 is not below the 4 columns"):
        model = Autoencoder(6, init="random", early_stopping=False, max_iter=300)
        model.set_params(weight_decay=0.0, **FAST).fit(X)
    assert model.score(X) > 0.999
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Autoencoder(6, alpha=1e-3, init="random", max_iter=1, **FAST).fit(X)


def test_starts_well_where_components_are_more_than_the_rank():
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(300, 3)) @ rng.uniform(size=(3, 20))
    model = Autoencoder(8, output_activation="relu", early_stopping=False)
    model.set_params(max_iter=1, learning_rate_init=1e-12, weight_decay=0.0)
    assert model.set_params(random_state=0).fit(X).score(X) > 1 - 1e-8


def test_tied_weights_are_one_tensor():
    model = Autoencoder(2, tied_weights=True, early_stopping=False, **FAST)
    module = model.fit(scale(load_iris().data)).net_.module_
    names = [name for name, _ in module.named_parameters()]
    assert "decoder.0.weight" not in names and "decoder.0.bias" in names
    decoder = module.decoder_path.weight / module.code_scale
    torch.testing.assert_close(decoder, module.encoder_path.weight.T)
    z = torch.randn(5, 2)
    layer = module.encoder[-1]
    expected = z @ layer.weight + module.decoder[0].bias
    torch.testing.assert_close(module.decoder[0](z), expected)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_penalty_on_weights_is_its_formula(l1_ratio):
    X = scale(load_iris().data)
    model = Autoencoder(1, alpha=0.3, l1_ratio=l1_ratio, max_iter=1, **FAST)
    module = model.set_params(early_stopping=False, init="random").fit(X).net_.module_
    weights = [m.weight for m in module.modules() if hasattr(m, "weight")]
    expected = 0.3 * sum(
        (1 - l1_ratio) * w.square().sum() + l1_ratio * w.abs().sum() for w in weights
    )
    [penalty] = model._make_penalties(None)
    assert penalty(module, None, None, None).item() == pytest.approx(expected.item())


def test_stronger_penalty_gives_smaller_weights():
    X = scale(load_iris().data)

    def norm(alpha):
        model = Autoencoder(1, alpha=alpha, early_stopping=False, **FAST).fit(X)
        return sum(p.square().sum().item() for p in model.net_.module_.parameters())

    assert norm(0.1) < norm(0.001) < norm(0.0)


@pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_learns(digits, activation):
    params = {"activation": activation, "code_activation": activation}
    model = Autoencoder(16, max_iter=5, **params, **FAST)
    assert model.fit(digits).score(digits) > 0.3


@pytest.mark.parametrize("init", ["pca", "random"])
@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "binary_cross_entropy"]
)
def test_every_loss_is_what_it_says(digits, loss, init):
    model = Autoencoder(8, loss=loss, init=init, max_iter=15, **FAST).fit(digits)
    assert model.score(digits) > 0.3
    x, r = digits[:50], model.reconstruct(digits[:50])
    s = model.scale_
    e = np.abs(x - r) / s
    entries = {
        "squared_error": lambda: (x - r) ** 2,
        "absolute_error": lambda: np.abs(x - r),
        "huber": lambda: np.where(e <= 1, e**2 / 2, e - 0.5) * s**2,
        "binary_cross_entropy": lambda: -x * np.log(r) - (1 - x) * np.log(1 - r),
    }[loss]()
    np.testing.assert_allclose(model.score_samples(x), -entries.mean(axis=1), rtol=1e-6)


def test_losses_of_bounded_outputs_are_in_units_of_the_data(digits):
    model = Autoencoder(4, output_activation="logistic", max_iter=3, **FAST)
    model.fit(digits[:300])
    squares = ((digits - model.reconstruct(digits)) ** 2).mean(axis=1)
    np.testing.assert_allclose(-model.score_samples(digits), squares, rtol=1e-5)


def test_cross_entropy_is_not_below_the_entropy_of_the_data(digits):
    model = Autoencoder(32, loss="binary_cross_entropy", max_iter=10, **FAST)
    model.fit(digits)
    x = digits.clip(1e-12, 1 - 1e-12)
    entropy = (-x * np.log(x) - (1 - x) * np.log(1 - x)).mean()
    assert -model.score_samples(digits).mean() >= entropy
    assert 0 <= model.reconstruct(digits).min() <= model.reconstruct(digits).max() <= 1


def test_cross_entropy_takes_what_is_scaled_to_the_unit_interval():
    X = MinMaxScaler().fit_transform(load_breast_cancer().data)
    assert X.max() > 1  # by rounding
    Autoencoder(2, loss="binary_cross_entropy", max_iter=1, **FAST).fit(X)


def test_cross_entropy_names_the_column_out_of_range():
    X = load_iris(as_frame=True).data / 8
    X["petal width (cm)"] *= 10
    with pytest.raises(ValueError, match=r"in \[0, 1\].*'petal width \(cm\)'.*MinMax"):
        Autoencoder(loss="binary_cross_entropy").fit(X)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_components": 0}, "n_components"),
        ({"hidden_layer_sizes": (8, 0)}, r"hidden_layer_sizes.*\(8, 0\)"),
        ({"hidden_layer_sizes": (8.5,)}, "hidden_layer_sizes"),
        ({"activation": "Relu"}, "activation"),
        ({"loss": "mse"}, "loss"),
        ({"solver": "svd"}, "solver"),
        ({"l1_ratio": 2}, "l1_ratio"),
        ({"device": "abacus"}, "device.*'abacus'"),
        ({"callbacks": ["stop"]}, "callbacks.*'stop'"),
        (
            {"loss": "binary_cross_entropy", "output_activation": "tanh"},
            "needs output_activation to be 'logistic'.*'tanh'",
        ),
    ],
)
def test_bad_parameters_are_named(params, match):
    X = load_iris().data / 8
    model = Autoencoder(**params)
    with pytest.raises(ValueError, match=match):
        model.fit(X)
    assert not hasattr(model, "n_features_in_")


def test_loss_that_is_not_finite_names_the_cause():
    X = load_breast_cancer().data
    model = Autoencoder(
        2, init="random", solver="sgd", learning_rate_init=1e6, random_state=0
    )
    with pytest.raises(ValueError, match=r"learning_rate_init.*1000000"):
        model.fit(X)
    assert not hasattr(model, "net_")


def full_batch(**params):
    return Autoencoder(
        2,
        init="random",
        batch_size=1000,
        learning_rate="constant",
        weight_decay=0.0,
        early_stopping=False,
        **{**FAST, **params},
    )


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_start_goes_on_where_it_stopped(solver):
    X = scale(load_iris().data)
    whole = full_batch(solver=solver, max_iter=6).fit(X)
    parts = full_batch(solver=solver, max_iter=2, warm_start=True).fit(X)
    parts.set_params(max_iter=4).fit(X)
    assert parts.n_iter_ == 6
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-6)
    np.testing.assert_allclose(parts.transform(X), whole.transform(X), atol=1e-6)


def test_warm_start_refuses_another_architecture():
    X = scale(load_iris().data)
    model = full_batch(max_iter=1, warm_start=True).fit(X)
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        model.set_params(hidden_layer_sizes=(5,)).fit(X)


def test_early_stopping_keeps_the_best_epoch(digits):
    model = Autoencoder(8, n_iter_no_change=3, max_iter=100, init="random", **FAST)
    model.set_params(learning_rate_init=0.02, learning_rate="constant").fit(digits)
    scores = model.validation_scores_
    assert len(scores) == model.n_iter_ < 100
    assert model.best_validation_score_ == max(scores)
    assert np.argmax(scores) == len(scores) - 4


@pytest.mark.filterwarnings("ignore:Rows kept out:UserWarning")
def test_folds_may_end_at_different_epochs():
    X = scale(load_breast_cancer().data)
    model = Autoencoder(2, n_iter_no_change=2, **FAST).fit(X)
    assert len(model.validation_scores_) < 40 and np.isfinite(model.score(X))


def test_tolerance_ends_training_without_rows_kept_out(digits):
    model = Autoencoder(4, early_stopping=False, tol=1.0, n_iter_no_change=2, **FAST)
    model.fit(digits)
    assert model.n_iter_ == 3 and model.validation_scores_ is None


def test_rows_given_serve_instead_of_a_split(digits):
    model = Autoencoder(4, max_iter=3, **FAST).fit(digits[:600], X_val=digits[600:])
    assert 1 - error(model, digits[600:]) / (
        (digits[600:] - digits[:600].mean(axis=0)) ** 2
    ).sum() == pytest.approx(model.best_validation_score_, abs=0.01)


def test_callbacks_are_cloned_and_called(digits):
    stop = EarlyStopping(monitor="valid_loss", patience=1, threshold=0.5)
    clip = GradientNormClipping(0.1)
    model = Autoencoder(4, callbacks=[stop, clip], max_iter=9, init="random", **FAST)
    model.fit(digits)
    assert model.n_iter_ < 9
    assert stop.dynamic_threshold_ is None  # it is set where training begins
    assert "EarlyStopping" in dict(model.net_.callbacks_)


class StopsAtOnce(Callback):
    """Ends training after its first batch."""

    def on_batch_end(self, net, **kwargs):
        """End it."""
        raise KeyboardInterrupt


@pytest.mark.filterwarnings("ignore:Rows kept out")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_callback_may_stop_within_an_epoch(digits, early_stopping):
    model = Autoencoder(2, callbacks=[StopsAtOnce()], early_stopping=early_stopping)
    model.set_params(**FAST).fit(digits)
    assert model.loss_curve_ == []
    if early_stopping:
        pca = pca_error(digits, digits, 2)
        assert error(model, digits) == pytest.approx(pca, rel=1e-4)


class IsInterrupted(Callback):
    """Meets Ctrl-C, in the middle of its work, and has nothing against it."""

    def on_epoch_end(self, net, **kwargs):
        """Be interrupted."""
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise


def test_ctrl_c_is_the_users_even_within_a_callback(digits):
    model = Autoencoder(2, callbacks=[IsInterrupted()], **FAST)
    before = dict(vars(model))
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(digits[:200])
    finally:
        signal.signal(signal.SIGINT, handler)
    assert vars(model) == before


def test_a_row_is_left_to_train_on(digits):
    model = Autoencoder(1, init="random", validation_fraction=0.8, **FAST)
    assert model.fit(digits[:2]).n_iter_ > 0


def test_the_net_is_a_skorch_net(digits):
    scoring = EpochScoring(lambda net, X, y=None: len(X), name="rows", on_train=True)
    model = Autoencoder(4, callbacks=[scoring], max_iter=2, init="random", **FAST)
    model.fit(digits)
    assert len(model.net_.history[:, "train_loss"]) == 2
    x = ((digits[:7] - model.mean_) / model.scale_).astype(np.float32)
    expected = (model.reconstruct(digits[:7]) - model.mean_) / model.scale_
    np.testing.assert_allclose(model.net_.predict(x), expected, atol=1e-4)


def test_verbose_prints_a_line_an_epoch(digits, capsys):
    model = Autoencoder(4, max_iter=2, early_stopping=False, verbose=True, **FAST)
    model.fit(digits[:100])
    assert len(capsys.readouterr().out.strip().splitlines()) == 4


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
def test_every_solver_and_schedule_learns(digits, solver, schedule):
    model = Autoencoder(8, solver=solver, learning_rate=schedule, max_iter=4, **FAST)
    rate = {"adam": 0.01, "sgd": 0.3, "lbfgs": 1.0}[solver]
    model.set_params(init="random", batch_size=32, learning_rate_init=rate)
    assert model.fit(digits).score(digits) > 0.2


def test_html_and_text_show_the_parameters():
    model = Autoencoder(3, max_iter=1, early_stopping=False, **FAST)
    model.fit(scale(load_iris().data))
    assert "n_components=3" in repr(model)
    assert "Autoencoder" in model._repr_html_()


def test_only_rows_to_decode_must_be_in_range():
    X = load_iris().data / 10
    model = Autoencoder(2, loss="binary_cross_entropy", init="random", **FAST).fit(X)
    outside = X + 0.5
    assert np.isfinite(model.transform(outside)).all()
    assert np.isfinite(model.reconstruct(outside)).all()
    assert model.score(outside) < 1
    for call in (model.fit, model.score_samples):
        with pytest.raises(ValueError, match=r"needs X in \[0, 1\], but column 0"):
            call(outside)


def test_warm_start_heeds_a_changed_learning_rate():
    X = scale(load_iris().data)
    params = {"learning_rate": "constant", "early_stopping": False, "weight_decay": 0}
    model = Autoencoder(2, init="random", warm_start=True, **params, **FAST)
    before = model.fit(X).transform(X)
    after = model.set_params(learning_rate_init=1e-12).fit(X).transform(X)
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_tied_logistic_layers_start_at_pca():
    X = load_iris().data
    model = Autoencoder(
        2,
        tied_weights=True,
        activation="logistic",
        hidden_layer_sizes=8,
        max_iter=1,
        learning_rate_init=1e-12,
        early_stopping=False,
        weight_decay=0.0,
    ).fit(X)
    pca = PCA(2).fit(X)
    expected = pca.inverse_transform(pca.transform(X))
    np.testing.assert_allclose(model.reconstruct(X), expected, atol=1e-5)


def test_a_start_that_is_not_pca_is_not_called_so():
    X = np.random.default_rng(0).normal(size=(100, 6))
    model = Autoencoder(2, code_activation="relu", max_iter=2, random_state=0)
    model.set_params(learning_rate_init=1e-9)
    with pytest.warns(UserWarning, match="prefer the network to its start, which"):
        model.fit(X)


@pytest.mark.filterwarnings("ignore:Rows kept out of training give no:UserWarning")
@pytest.mark.parametrize(("n_rows", "k", "seed"), [(60, 3, 0), (30, 2, 1)])
def test_scores_of_folds_that_end_early_are_of_the_same_rows(n_rows, k, seed):
    X = np.random.RandomState(seed).standard_t(3, size=(n_rows, 2 * k + 1))
    model = Autoencoder(k, random_state=seed, max_iter=40).fit(X)
    assert error(model, X) == pytest.approx(pca_error(X, X, k), rel=1e-4)
    assert model.best_validation_score_ == pytest.approx(model.pca_score_, abs=1e-5)


@pytest.mark.filterwarnings("ignore:Rows kept out of training give no:UserWarning")
@pytest.mark.parametrize("params", [{"corruption": "masking"}, {"ordered": True}])
def test_pca_has_the_same_noise_as_the_network(params):
    X = np.random.RandomState(0).standard_t(3, size=(90, 12))
    model = Autoencoder(6, max_iter=1, learning_rate_init=1e-12, random_state=0)
    model.set_params(**params).fit(X)
    assert model.best_validation_score_ == pytest.approx(model.pca_score_, abs=1e-6)


def test_lbfgs_records_where_an_epoch_ends():
    X = load_digits().data[:200]
    model = Autoencoder(3, hidden_layer_sizes=8, solver="lbfgs", max_iter=3)
    model.set_params(early_stopping=False, init="random", random_state=0).fit(X)
    expected = -model.score_samples(X).mean() / model.scale_**2
    assert model.loss_curve_[-1] == pytest.approx(expected, rel=1e-9)


def test_rows_kept_out_are_not_those_that_a_linear_start_has_seen():
    X = np.random.RandomState(0).normal(size=(60, 20))
    model = Autoencoder(5, hidden_layer_sizes=(), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # being PCA is what was asked for
        model.fit(X)
    assert model.best_validation_score_ == pytest.approx(model.pca_score_, abs=0.02)
    assert model.pca_score_ < PCA(5).fit(X).explained_variance_ratio_.sum() - 0.1


def test_only_pca_is_called_pca():
    X = np.random.RandomState(0).normal(size=(300, 8))
    model = Autoencoder(6, sparsity="topk", n_nonzero_coefs=3, random_state=0)
    with pytest.warns(UserWarning, match="prefer the network to its start, which"):
        model.set_params(learning_rate_init=1e-9, max_iter=3).fit(X)


@pytest.mark.parametrize("hidden", [(), (32, 16)])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", [Autoencoder, VariationalAutoencoder])
def test_units_do_not_matter_to_outputs_without_bounds(kind, tied, hidden):
    rng = np.random.RandomState(0)
    X = np.tanh(rng.normal(size=(200, 2)) @ rng.normal(size=(2, 10)))
    X = np.maximum(0, X + 0.2 * rng.normal(size=X.shape) + 0.5)
    model = kind(2, output_activation="relu", tied_weights=tied, max_iter=3)
    model.set_params(hidden_layer_sizes=hidden, random_state=0)
    if not hidden:  # single layers have no gains that keep steps in proportion
        model.set_params(learning_rate_init=1e-12)
    scores = [model.fit(unit * X).score(unit * X) for unit in (1, 0.1, 1e3)]
    np.testing.assert_allclose(scores, scores[0], atol=3e-3)
    assert scores[0] > 0.5


def outcome(function, *args):
    """Return what `function` returns or raises, and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = function(*args).tobytes()
        except ValueError as error:
            found = str(error)
    return found, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("named", [False, True])
def test_arrays_taken_at_a_glance_are_those_that_pass(digits, monkeypatch, named):
    model = Autoencoder(2, hidden_layer_sizes=(), max_iter=2, random_state=0)
    model.fit(digits[:100])
    if named:
        model.feature_names_in_ = np.array([f"x{i}" for i in range(64)], dtype=object)
    rows = digits[100:110]
    gap, endless = rows.copy(), rows.copy()
    gap[0, 0], endless[0, 0] = np.nan, np.inf
    given = [
        *(rows, rows.astype("f4"), rows.astype("f2"), rows.astype(">f8"), rows * 1j),
        *(rows[::2, ::-1], np.asfortranarray(rows), np.ma.array(rows), rows.tolist()),
        *(rows[:0], rows[0], rows[None], rows[:, 1:], gap, endless, rows * 1e305),
        *(np.full((10, 64), 1e38, "f4"), rows.astype(object), rows.astype(str)),
    ]
    found = [outcome(model.transform, X) for X in given]
    monkeypatch.setattr("skae._base.passes_checks", lambda estimator, X: False)
    assert found == [outcome(model.transform, X) for X in given]
