"""Training: warm starts, callbacks, and what a fitted model no longer depends on."""

import pickle
import warnings
from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    Freezer,
    LRScheduler,
    TrainEndCheckpoint,
    Unfreezer,
)

from skae import (
    Autoencoder,
    AutoencoderClassifier,
    BinaryAutoencoder,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    LinearAutoencoder,
    SparseAutoencoder,
    StackedAutoencoder,
)
from skae._net import SCHEDULES
from skae._objective import Objective
from skae._selection import LIKELY, SURE, Watch, choose

FAST = {"hidden_layer_sizes": 16, "max_iter": 4, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore:Rows kept out of training give no")


@pytest.fixture(scope="module")
def X():
    return load_digits().data[:300] / 16


def test_epochs_one_at_a_time_do_not_fade_the_weights(X):
    model = Autoencoder(4, init="random", early_stopping=False, warm_start=True)
    model.set_params(hidden_layer_sizes=32, max_iter=1, random_state=0)
    for _ in range(60):
        model.fit(X)
    assert model.score(X) > 0.6
    once = Autoencoder(4, warm_start=True, random_state=0).fit(X)
    before = once.score(X)
    once.set_params(max_iter=2, early_stopping=False)
    for _ in range(3):
        once.fit(X)
    assert once.score(X) > before - 0.02


@pytest.mark.filterwarnings("ignore:n_components=70 is not below")
@pytest.mark.parametrize("integer", [np.int64, np.uint8])
def test_integers_of_numpy(X, integer):
    params = {"max_iter": integer(2), "batch_size": integer(100), "random_state": 0}
    for model in (
        Autoencoder(integer(70), ordered=True, hidden_layer_sizes=np.array([8])),
        SparseAutoencoder(integer(70), sparsity="topk", n_nonzero_coefs=integer(3)),
        ConvolutionalAutoencoder(
            integer(9), image_shape=(8, 8), kernel_size=integer(3), corruption="swap"
        ),
    ):
        assert np.isfinite(model.set_params(**params).fit(X).score(X))
    assert LinearAutoencoder(integer(3)).fit(X).n_components_ == 3


@pytest.mark.parametrize(
    "activations",
    [
        {"code_activation": "logistic"},
        {"code_activation": "tanh"},
        {"output_activation": "logistic"},
        {"loss": "binary_cross_entropy"},
    ],
)
def test_tied_layers_start_where_others_do(X, activations):
    params = {"learning_rate_init": 1e-30, **FAST, **activations}
    plain, tied = (
        Autoencoder(8, tied_weights=tied, **params).fit(X) for tied in (False, True)
    )
    np.testing.assert_allclose(tied.reconstruct(X), plain.reconstruct(X), atol=1e-5)


@pytest.mark.parametrize("n_rows", [300, 1100])
@pytest.mark.parametrize(
    "callback",
    [
        EarlyStopping(patience=2),
        LRScheduler("ReduceLROnPlateau", monitor="valid_loss"),
        Checkpoint(),
        Checkpoint(monitor=None),
        TrainEndCheckpoint(),
    ],
    ids=["stop", "plateau", "checkpoint", "each epoch", "at the end"],
)
def test_callbacks_of_skorch(callback, n_rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X = load_digits().data[:n_rows] / 16
    model = Autoencoder(4, callbacks=[callback], learning_rate="constant", **FAST)
    model.fit(X)
    assert model.n_iter_ == len(model.loss_curve_) > 0
    assert "valid_loss" in model.net_.history[-1]


def test_schedulers_need_a_constant_rate(X):
    model = Autoencoder(4, callbacks=[LRScheduler("StepLR", step_size=1)], **FAST)
    with pytest.raises(ValueError, match=r"LRScheduler.*'constant', got 'one_cycle'"):
        model.fit(X)


def test_fitted_model_keeps_what_it_was_fitted_with(X):
    model = Autoencoder(4, warm_start=True, **FAST).fit(X)
    scores, restored = model.score_samples(X), model.reconstruct(X)
    model.set_params(
        loss="absolute_error", output_activation="logistic", solver="lbfgs"
    )
    loaded = pickle.loads(pickle.dumps(model))
    for same in (model, loaded):
        np.testing.assert_array_equal(same.score_samples(X), scores)
        np.testing.assert_array_equal(same.reconstruct(X), restored)
    model.set_params(loss="squared_error", output_activation="auto", solver="sgd")
    assert deepcopy(model).fit(X).net_.solver == "sgd"


def test_fit_leaves_neither_patterns_nor_curves_in_memory(X):
    holed = np.where(np.random.RandomState(0).rand(*X.shape) < 0.1, np.nan, X)
    net = Autoencoder(4, **FAST).fit(holed).net_
    assert net.corruption is None
    assert net.watch.curves_ == [] and net.watch.start_ is None


def test_modes_of_torch_around_fit_do_not_matter(X):
    holed = np.where(np.random.RandomState(0).rand(*X.shape) < 0.1, np.nan, X)
    expected = Autoencoder(4, **FAST).fit(X).transform(X)
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            code = Autoencoder(4, **FAST).fit(X).transform(X)
        np.testing.assert_array_equal(code, expected)
    X = X[:100]
    models = [Autoencoder(4, ordered=True, **FAST), BinaryAutoencoder(4, **FAST)]
    for corruption in ("masking", "gaussian", "salt_and_pepper", "swap", "gaps"):
        models.append(Autoencoder(4, corruption=corruption, **FAST))
    expected = [model.fit(X).score_samples(X) for model in models]
    torch.set_default_dtype(torch.float64)
    try:
        scores = [model.fit(X).score_samples(X) for model in models]
        assert np.isfinite(Autoencoder(4, **FAST).fit(holed).score(holed))
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(scores, expected)


def test_unit_of_the_loss_is_not_that_of_the_first_rows():
    rng = np.random.RandomState(0)
    angles = rng.uniform(0, 3, 2000)[:, None]
    curve = np.cos(angles * np.arange(1, 7)) + 0.01 * rng.normal(size=(2000, 6))
    curve -= curve.mean(axis=0)
    rows = np.vstack([np.zeros((4200, 6)), curve])
    model = Autoencoder(2, early_stopping=False, max_iter=5, random_state=0)
    first, unit = model.fit(rows).score(curve), model.net_.loss_unit
    last = model.fit(rows[::-1]).score(curve)
    assert first > 0.9 * last > 0.8
    assert unit == pytest.approx(model.net_.loss_unit, rel=0.2)


def test_constant_column_however_large_leaves_the_scale(X):
    beside = np.column_stack([X * 1e-4, np.full(len(X), 1.7e12)])
    model = Autoencoder(4, **FAST).fit(beside)
    assert model.scale_ == pytest.approx(
        beside[:, :64].var(axis=0).sum() ** 0.5 / 65**0.5
    )


def test_layers_of_a_stack_have_their_parameters_checked(X):
    params = {"hidden_layer_sizes": (8,), "max_iter": 1}
    for wrong in ({"sparsity": "few"}, {"contraction": -1.0}, {"init": "pac"}):
        layer = DenoisingAutoencoder(max_iter=1).set_params(**wrong)
        with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
            StackedAutoencoder(4, layer=layer, **params).fit(X)
    layer = BernoulliRBM(learning_rate=-1)
    with pytest.raises(ValueError, match="The 'learning_rate' parameter of Bernoulli"):
        StackedAutoencoder(4, layer=layer, **params).fit(X)
    engine = Autoencoder(alpha=-1)
    with pytest.raises(ValueError, match="The 'alpha' parameter of Autoencoder"):
        AutoencoderClassifier(engine, pretrain=False).fit(X, load_digits().target[:300])


def test_divergence_is_named_whatever_the_penalty(X):
    with pytest.raises(
        ValueError, match=r"became (nan|inf) .* Lower learning_rate_init"
    ):
        SparseAutoencoder(8, learning_rate_init=1e30).fit(X)


def test_validation_rows_without_values_are_refused(X):
    holed = np.where(np.random.RandomState(0).rand(*X.shape) < 0.1, np.nan, X)
    with pytest.raises(ValueError, match="X_val has no value at all"):
        Autoencoder(4, **FAST).fit(holed, X_val=np.full((3, 64), np.nan))


def test_range_is_that_of_summed_entries():
    parts = sparse.csr_array(([0.6, 0.6, 0.1], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    assert parts.nnz == 3
    with pytest.raises(ValueError, match=r"column 0 goes from 0 to 1\.2"):
        Autoencoder(1, loss="binary_cross_entropy", **FAST).fit(parts)


def test_no_second_warning_where_pca_loses_nothing(X):
    with pytest.warns(UserWarning) as caught:
        Autoencoder(70, **FAST).fit(X)
    assert ["is not below the 64" in str(w.message) for w in caught] == [True]


def test_warm_start_that_gains_nothing_is_not_called_pca(X, recwarn):
    model = Autoencoder(4, random_state=0, warm_start=True, max_iter=20).fit(X)
    model.set_params(learning_rate_init=1e-9, max_iter=1)
    before = model.transform(X)
    for _ in range(2):
        model.fit(X)
    np.testing.assert_allclose(model.transform(X), before, atol=1e-4)
    assert not recwarn.list


class LooksOnBatches(Callback):
    """Makes skorch run its own loop over batches."""

    def on_batch_end(self, net, **kwargs):
        pass


@pytest.mark.parametrize("early_stopping", [True, False])
def test_parameters_unfrozen_by_a_callback_get_gradients_of_one_batch(
    X, early_stopping
):
    def curve(*more):
        unfreezer = Unfreezer("encoder*", at=2)
        model = Autoencoder(4, callbacks=[unfreezer, *more], **FAST)
        return model.set_params(early_stopping=early_stopping).fit(X).loss_curve_

    np.testing.assert_allclose(curve(), curve(LooksOnBatches()), rtol=1e-5)


def test_what_one_fold_freezes_is_trained_in_the_next(X):
    seen = []

    class Watches(Callback):
        def on_epoch_begin(self, net, **kwargs):
            weight = dict(net.module_.named_parameters())["decoder.0.weight"]
            seen.append((len(net.history), weight.requires_grad))

    callbacks = [Watches(), Freezer("decoder.*", at=3)]
    Autoencoder(4, callbacks=callbacks, **FAST).fit(X)
    assert seen.count((1, True)) > 1 and (1, False) not in seen


def test_all_rows_are_trained_on_up_to_the_epoch_of_the_folds(X):
    # A rate that falls so fast that the loss of training soon stands still.
    model = DenoisingAutoencoder(
        4, corruption_level=0.5, solver="sgd", n_iter_no_change=3, random_state=0
    ).fit(load_digits().data[:400])
    assert model.n_iter_ == 1 + int(np.argmax(model.validation_scores_))


def watched(curves, **limits):
    """Return a `Watch` of epochs with such losses of rows, the first the start's.

    After it come the number of the epoch whose weights are kept, and when it was over.
    """
    losses = iter(torch.tensor(curves))
    net = SimpleNamespace(
        rows_valid_=(),
        row_losses=lambda rows: next(losses),
        record=lambda name, loss: None,
        module_=torch.nn.Linear(1, 1),
    )
    watch, ends = Watch(tol=0.0), []
    vars(watch).update(limits)
    watch.begin(net)
    for epoch in range(1, len(curves)):
        torch.nn.init.constant_(net.module_.weight, epoch)
        watch.look(net)
        ends.append(watch.is_over)
    kept = watch.weights_ and int(watch.weights_["weight"])
    return watch, kept, ends


def test_training_ends_when_epochs_in_a_row_are_above_the_start():
    losses = [[5.0], [4.9], [5.1], [5.0], [4.95], [5.2], [5.3], [5.1]]
    assert watched(losses, trial=3)[2] == [False] * 6 + [True]


@pytest.mark.parametrize(
    "epochs, chosen",
    [
        # The third has the least mean, by a few rows: the second is the best sure one.
        ([[0.9] * 16, [0.8] * 16, [1.1] * 12 + [0.0] * 4], 2),
        # All rows gain a little, and then one loses more than they gain together.
        ([[0.9] * 16, [0.8] * 15 + [9.0]], 1),
        # More rows gain than lose, but not by more than chance.
        ([[0.5] * 11 + [1.1] * 5], 0),
        ([[1.1] * 16, [1.2] * 16], 0),
    ],
)
def test_the_best_epoch_that_rows_are_sure_of_is_kept(epochs, chosen):
    watch, kept, _ = watched([[1.0] * 16, *epochs], evidence=SURE)
    assert choose([watch], SURE).epoch == chosen and (kept or 0) == chosen


def test_each_part_of_the_rows_must_gain():
    gains, _, _ = watched([[1.0] * 40, [0.5] * 40])
    loses, _, _ = watched([[1.0] * 4, [1.1] * 4])
    assert choose([gains, loses], LIKELY).epoch == 1
    assert choose([gains, loses], SURE).epoch == 0


def test_linear_networks_do_not_decay(X):
    model = LinearAutoencoder(4, solver="adam", max_iter=2).fit(X)
    assert model.net_.optimizer_.param_groups[0]["weight_decay"] == 0


def test_values_too_large_to_be_squared_are_refused(X):
    with pytest.raises(ValueError, match="Column 3 of X has values too large"):
        Autoencoder(2).fit(X * np.where(np.arange(64) == 3, 1e200, 1.0))


@pytest.mark.parametrize("wrong", [np.full((3, 64), np.inf), np.ones((3, 5))])
def test_faults_of_the_rows_to_watch_are_theirs(X, wrong):
    with pytest.raises(ValueError, match=r"^X_val: "):
        Autoencoder(2).fit(X, X_val=wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        np.ones((3, 7, 8)),
        np.ones((3, 1, 8, 8)),
        np.ones((0, 8, 8)),
        np.ones((3, 63), dtype=np.uint8),
        [np.ones((8, 8)), np.ones((7, 8))],
    ],
)
def test_faults_of_the_images_to_watch_are_theirs(X, wrong):
    model = ConvolutionalAutoencoder(2, channels=2)
    with pytest.raises(ValueError, match=r"^X_val"):
        model.fit(X[:20].reshape(-1, 8, 8), X_val=wrong)


@pytest.mark.parametrize("params", [{"corruption": "gaps"}, {"activation": "relu"}])
def test_default_device_of_pytorch_does_not_matter(X, params):
    X = np.where(X > 0.9, np.nan, X) if "corruption" in params else X
    model = Autoencoder(2, **FAST, **params, output_activation="relu")
    expected = clone(model).fit(X).score_samples(X)
    try:
        torch.set_default_device("meta")
        model.fit(X)
        for fitted in (model, pickle.loads(pickle.dumps(model))):
            np.testing.assert_array_equal(fitted.score_samples(X), expected)
    finally:
        torch.set_default_device(None)


def test_rows_to_watch_are_looked_at_in_blocks(monkeypatch, X):
    seen = []

    def looks(criterion, network, x, *args):
        seen.append(len(x))
        return of_rows(criterion, network, x, *args)

    of_rows = Objective.of_rows
    monkeypatch.setattr(Objective, "of_rows", looks)
    model = Autoencoder(2, **FAST)
    expected = model.fit(X).best_validation_score_
    assert max(seen) == len(X)
    monkeypatch.setattr("skae._net.BLOCK", 64)
    seen.clear()
    assert model.fit(X).best_validation_score_ == pytest.approx(expected, abs=1e-6)
    assert max(seen) == 8


def test_schedules():
    progress = np.linspace(0, 1, 11)
    cosine, one_cycle = (
        [SCHEDULES[name](p) for p in progress] for name in ("cosine", "one_cycle")
    )
    np.testing.assert_allclose(cosine, np.cos(np.pi * progress / 2) ** 2, atol=1e-12)
    # A tenth of the way up, and the rest down.
    np.testing.assert_allclose(one_cycle[1:], (1 - progress[1:]) / 0.9, atol=1e-12)
    assert 0 < one_cycle[0] < 0.02 and SCHEDULES["one_cycle"](0.05) < 0.6


@pytest.mark.parametrize(
    "model, n_rows, batch_size, n_epochs",
    [
        (Autoencoder(), 100, 32, 50),
        (Autoencoder(), 1800, 64, 36),
        (Autoencoder(), 10_000, 128, 36),
        (Autoencoder(), 1_000_000, 256, 36),
        (Autoencoder(), 300, 32, 36),
        (Autoencoder(corruption="gaps"), 1800, 64, 69),
        (Autoencoder(corruption="gaps"), 300, 32, 60),
        (Autoencoder(corruption="gaps"), 12, 12, 500),
        (Autoencoder(solver="lbfgs"), 1800, 1800, 50),
        (LinearAutoencoder(solver="adam"), 1800, 1024, 2000),
        (ConvolutionalAutoencoder(), 2000, 64, 36),
        (ConvolutionalAutoencoder(), 10_000, 64, 36),
        (ConvolutionalAutoencoder(), 20_000, 128, 36),
    ],
)
def test_what_auto_means(model, n_rows, batch_size, n_epochs):
    net = clone(model).set_params(max_iter=1).fit(np.eye(4)).net_
    model._set_budget(net, n_rows)
    assert (net.batch_size, net.max_epochs) == (batch_size, n_epochs)
    group = net.optimizer_.param_groups[0]
    if model.solver == "adam" and not net.module.is_linear:
        n_batches = -(-n_rows // batch_size)
        images = isinstance(model, ConvolutionalAutoencoder)
        usual = max(100, n_epochs * n_batches) / 2
        fading = max(150, 2 * n_batches) if images else usual
        decay = group["weight_decay"] * model.learning_rate_init
        assert decay * fading == pytest.approx(1)


@pytest.mark.parametrize(
    "init, n_folds, patience, trial",
    [
        ("pca", 1, 14, 8),
        ("random", 1, 14, np.inf),
        ("pca", 3, np.inf, np.inf),
    ],
)
def test_what_auto_patience_means(init, n_folds, patience, trial):
    model = Autoencoder(init=init)
    watch = SimpleNamespace(patience=np.inf, trial=np.inf)
    net = SimpleNamespace(watch=watch, max_epochs=40)
    model._set_patience(net, [("rows", "rows")] * n_folds, cautious=init == "pca")
    assert (watch.patience, watch.trial) == (patience, trial)


def test_rows_too_small_for_their_type_are_zero():
    X = np.random.default_rng(0).normal(size=(20, 4)) * 1e-50
    model = LinearAutoencoder(2).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code = model.transform(X[:2].astype(np.float32))
    np.testing.assert_allclose(code, model.transform(0 * X[:2]), atol=1e-5)


def test_devices_that_hold_no_numbers_are_refused(X):
    with pytest.raises(ValueError, match="device must be"):
        Autoencoder(2, device="meta").fit(X)


def test_averages_of_dead_units_become_zero(X):
    class Kill(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) > 2:
                net.module_.encoder[0].bias.data.fill_(-1e3)

    model = Autoencoder(
        2, hidden_layer_sizes=8, batch_size=8, max_iter=100, early_stopping=False
    )
    model.set_params(callbacks=[Kill()], warm_start=True, random_state=0)
    net = model.fit(X[:64]).net_
    states = net.optimizer_.state
    assert not states[net.module_.encoder[0].weight]["exp_avg"].any()
    assert states[net.module_.encoder[0].weight]["exp_avg_sq"].any()
