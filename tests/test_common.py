"""What holds for every estimator; a new variant joins by one line in ESTIMATORS."""

import inspect
import pickle
import threading
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch.callbacks import Callback

import skae
from skae import (
    Autoencoder,
    BinaryAutoencoder,
    ContractiveAutoencoder,
    ConvolutionalAutoencoder,
    ConvolutionalVariationalAutoencoder,
    DenoisingAutoencoder,
    LinearAutoencoder,
    SparseAutoencoder,
    StackedAutoencoder,
    VariationalAutoencoder,
)
from skae._base import BaseAutoencoder

SMALL = {"max_iter": 2, "batch_size": 16}
ESTIMATORS = {
    "Autoencoder": Autoencoder(hidden_layer_sizes=(16, 8), **SMALL),
    "Autoencoder, random": Autoencoder(hidden_layer_sizes=8, init="random", **SMALL),
    "Autoencoder, tied": Autoencoder(tied_weights=True, alpha=1e-3, **SMALL),
    "Autoencoder, linear": Autoencoder(hidden_layer_sizes=(), **SMALL),
    "Autoencoder, lbfgs": Autoencoder(
        hidden_layer_sizes=4, solver="lbfgs", max_iter=1, early_stopping=False
    ),
    "Autoencoder, ordered": Autoencoder(2, ordered=True, **SMALL),
    "BinaryAutoencoder": BinaryAutoencoder(2, hidden_layer_sizes=8, **SMALL),
    "BinaryAutoencoder, packed": BinaryAutoencoder(2, packed=True, **SMALL),
    "ContractiveAutoencoder": ContractiveAutoencoder(hidden_layer_sizes=8, **SMALL),
    "ConvolutionalAutoencoder": ConvolutionalAutoencoder(
        channels=(2, 3), hidden_layer_sizes=4, **SMALL
    ),
    "ConvolutionalVariationalAutoencoder": ConvolutionalVariationalAutoencoder(
        channels=(2, 3), hidden_layer_sizes=4, **SMALL
    ),
    "DenoisingAutoencoder": DenoisingAutoencoder(hidden_layer_sizes=8, **SMALL),
    "SparseAutoencoder": SparseAutoencoder(2, sparsity_target=0.3, max_iter=10),
    "SparseAutoencoder, topk": SparseAutoencoder(
        2, sparsity="topk", n_nonzero_coefs=1, **SMALL
    ),
    "VariationalAutoencoder": VariationalAutoencoder(hidden_layer_sizes=8, **SMALL),
    "StackedAutoencoder": StackedAutoencoder(
        hidden_layer_sizes=(8, 4), layer=Autoencoder(init="random", **SMALL), **SMALL
    ),
    "LinearAutoencoder": LinearAutoencoder(),
    "LinearAutoencoder, sgd": LinearAutoencoder(
        solver="sgd", learning_rate_init=0.01, **SMALL
    ),
}

pytestmark = [
    pytest.mark.filterwarnings("ignore:n_components=.* is not below the:UserWarning"),
    pytest.mark.filterwarnings("ignore:Rows kept out of training give no:UserWarning"),
]
every_estimator = pytest.mark.parametrize(
    "estimator", ESTIMATORS.values(), ids=ESTIMATORS.keys()
)


def seeded(estimator, **params):
    return clone(estimator).set_params(**{"random_state": 0, **params})


@pytest.fixture(scope="module")
def X():
    return load_iris().data


@parametrize_with_checks(list(ESTIMATORS.values()))
def test_scikit_learn(estimator, check):
    check(estimator)


# Checks that scikit-learn runs on its own estimators only.
OWN_CHECKS = [
    "check_param_validation",
    "check_get_feature_names_out_error",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_dataframe_column_names_consistency",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_inplace_ensure_writeable",
]


@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
@pytest.mark.parametrize("check", OWN_CHECKS)
@every_estimator
def test_scikit_learn_on_itself(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


def test_every_public_estimator_is_here():
    public = {
        thing
        for name in skae.__all__
        if inspect.isclass(thing := getattr(skae, name))
        and issubclass(thing, BaseAutoencoder)
    }
    assert public == {type(estimator) for estimator in ESTIMATORS.values()}


@every_estimator
def test_constructor_is_a_dataclass_with_plain_defaults(estimator):
    assert "__dataclass_fields__" in vars(type(estimator))
    for value in type(estimator)().get_params().values():
        assert isinstance(value, str | int | float | bool | tuple | None)


def bits(estimator):
    state = estimator.net_.module_.state_dict()
    return b"".join(value.numpy().tobytes() for value in state.values())


@every_estimator
def test_same_seed_same_bits(estimator, X):
    once = seeded(estimator).fit(X)
    expected = bits(once)
    assert bits(once.fit(X)) == expected
    assert bits(clone(once).fit(X)) == expected
    fitted = [seeded(estimator) for _ in range(2)]
    threads = [threading.Thread(target=e.fit, args=(X,)) for e in fitted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [bits(e) for e in fitted] == [expected] * 2


class LooksOn(Callback):
    """Wants events of batches, and does nothing."""

    def on_batch_end(self, net, **kwargs):
        """Do nothing."""


@every_estimator
def test_a_callback_that_looks_on_changes_no_bit(estimator, X):
    plain = seeded(estimator).fit(X)
    watched = seeded(estimator, callbacks=[LooksOn()]).fit(X)
    assert bits(plain) == bits(watched)
    assert plain.loss_curve_ == pytest.approx(watched.loss_curve_)


def test_same_bits_in_worker_processes(X):
    fits = [joblib.delayed(seeded(e).fit)(X) for e in ESTIMATORS.values()]
    fitted = joblib.Parallel(n_jobs=2)(fits)
    expected = [bits(seeded(e).fit(X)) for e in ESTIMATORS.values()]
    assert [bits(e) for e in fitted] == expected


@every_estimator
def test_global_random_states_are_untouched(estimator, X):
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    fitted = seeded(estimator, random_state=None).fit(X, X_val=X[:20])
    fitted.inverse_transform(fitted.transform(X))
    fitted.score(X), fitted.score_samples(X), fitted.reconstruct(X)
    pickle.loads(pickle.dumps(fitted))
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])


@every_estimator
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_types(estimator, X, dtype):
    X = X.astype(dtype)
    fitted = seeded(estimator).fit(X)
    code = fitted.transform(X)
    assert code.shape == (150, len(fitted.get_feature_names_out()))
    assert fitted.inverse_transform(code).shape == X.shape
    assert fitted.reconstruct(X).dtype == dtype
    if get_tags(estimator).transformer_tags.preserves_dtype:
        assert code.dtype == fitted.inverse_transform(code).dtype == dtype
    np.testing.assert_allclose(
        fitted.reconstruct(X), fitted.inverse_transform(code), rtol=1e-5, atol=1e-5
    )
    assert fitted.score_samples(X).shape == (150,)
    assert isinstance(fitted.score(X), float)


@every_estimator
def test_scores_are_what_they_say(estimator, X):
    fitted = seeded(estimator).fit(X[:100])
    errors = (X[100:] - fitted.reconstruct(X[100:])) ** 2
    total = ((X[100:] - X[:100].mean(axis=0)) ** 2).sum()
    assert fitted.score(X[100:]) == pytest.approx(1 - errors.sum() / total, rel=1e-9)
    if not hasattr(fitted, "elbo"):  # else a row's score is its log-likelihood
        np.testing.assert_allclose(
            fitted.score_samples(X[100:]), -errors.mean(axis=1), rtol=1e-7
        )


@every_estimator
def test_containers_give_the_same_code(estimator, X):
    fitted = seeded(estimator).fit(X)
    expected = fitted.transform(X)
    names = [f"column {i}" for i in range(4)]
    for frame in (pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)):
        other = seeded(estimator).fit(frame)
        np.testing.assert_array_equal(other.transform(frame), expected)
        assert list(other.feature_names_in_) == names
    with config_context(transform_output="pandas"):
        columns = fitted.transform(X).columns
    prefix = type(estimator).__name__.lower()
    assert list(columns) == [f"{prefix}{i}" for i in range(expected.shape[1])]
    rows = sparse.csr_array(X)
    other = seeded(estimator).fit(rows, X_val=rows[:10])
    same = seeded(estimator).fit(X, X_val=X[:10])
    np.testing.assert_allclose(other.transform(rows), same.transform(X), atol=1e-9)
    assert other.score(rows) == pytest.approx(same.score(X), rel=1e-9)


@every_estimator
@pytest.mark.parametrize("warm_start", [False, True])
def test_stored_and_loaded(estimator, X, tmp_path, warm_start):
    fitted = seeded(estimator, warm_start=warm_start).fit(X)
    joblib.dump(fitted, tmp_path / "model")
    for other in (
        pickle.loads(pickle.dumps(fitted)),
        joblib.load(tmp_path / "model", mmap_mode="r"),
        deepcopy(fitted),
    ):
        np.testing.assert_array_equal(other.transform(X), fitted.transform(X))
        assert other.net_.history[:, "train_loss"] == fitted.loss_curve_
        if warm_start and type(fitted) is Autoencoder:
            assert bits(other.fit(X)) == bits(deepcopy(fitted).fit(X))


def test_loads_where_its_device_is_missing(X):
    model = Autoencoder(2, max_iter=1, random_state=0).fit(X)
    codes = model.transform(X)
    model.device = "xpu"
    with pytest.raises(ValueError, match="device must be"):
        model.fit(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(X), codes)


def test_loads_whatever_its_parameters_have_become(X):
    model = Autoencoder(2, max_iter=1, random_state=0).fit(X)
    model.set_params(loss="mse", callbacks=["none"])
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.score_samples(X), model.score_samples(X))


def test_gaps_are_filled_from_a_mapped_file(X, tmp_path):
    holed = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    model = Autoencoder(2, max_iter=1, random_state=0).fit(holed)
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    np.testing.assert_array_equal(mapped.transform(holed), model.transform(holed))


def test_stored_size_is_that_of_the_weights(X):
    fitted = Autoencoder(max_iter=50, early_stopping=False).fit(X)
    weights = sum(p.numel() * 4 for p in fitted.net_.module_.parameters())
    assert len(pickle.dumps(fitted)) < weights + 20_000


@every_estimator
def test_concurrent_transform(estimator, X):
    fitted = seeded(estimator).fit(X)
    expected = fitted.transform(X)
    results = joblib.Parallel(n_jobs=8, backend="threading")(
        joblib.delayed(fitted.transform)(X) for _ in range(32)
    )
    assert all((result == expected).all() for result in results)


@every_estimator
@pytest.mark.parametrize("load", [load_iris, load_digits])
def test_units_do_not_matter(estimator, load):
    X = load().data[:200]
    fitted = seeded(estimator).fit(X)
    for factor, offset in ((1, 1000), (1000, 0), (1e-3, 0)):
        other = seeded(estimator).fit(X * factor + offset)
        assert other.score(X * factor + offset) == pytest.approx(
            fitted.score(X), abs=1e-9
        )
        np.testing.assert_allclose(
            other.transform(X * factor + offset), fitted.transform(X), atol=1e-8
        )


@every_estimator
def test_pipeline_and_grid_search(estimator, X):
    y = load_iris(as_frame=True).target_names[load_iris().target]
    pipeline = make_pipeline(
        StandardScaler(), seeded(estimator), LogisticRegression(max_iter=1000)
    )
    name = type(estimator).__name__.lower()
    grids = [{f"{name}__n_components": [1, 2]}, {f"{name}__alpha": [0.01]}]
    if hasattr(estimator, "hidden_layer_sizes"):
        grids.append({f"{name}__hidden_layer_sizes": [(4, 2)]})
    searches = [
        GridSearchCV(pipeline, grids, n_jobs=n_jobs, cv=2, refit=False).fit(X, y)
        for n_jobs in (1, 2)
    ]
    assert searches[0].cv_results_["mean_test_score"].max() > 0.6
    np.testing.assert_array_equal(
        searches[0].cv_results_["mean_test_score"],
        searches[1].cv_results_["mean_test_score"],
    )


@every_estimator
def test_validation_rows_go_through_a_pipeline(estimator, X):
    with config_context(enable_metadata_routing=True):
        model = seeded(estimator).set_fit_request(X_val=True)
        pipeline = make_pipeline(StandardScaler(), model)
        pipeline.set_params(transform_input=["X_val"]).fit(X, X_val=X[::3])
    scaled = StandardScaler().fit(X).transform(X)
    direct = seeded(estimator).fit(scaled, X_val=scaled[::3])
    assert bits(pipeline[-1]) == bits(direct)


@every_estimator
def test_a_failed_fit_leaves_no_trace(estimator, X, monkeypatch):
    fresh = seeded(estimator)
    before = dict(vars(fresh))
    with pytest.raises(ValueError, match="infinity"):
        fresh.fit(np.where(X > 7, np.inf, X))
    assert vars(fresh) == before
    fitted = seeded(estimator).fit(X)
    before = dict(vars(fitted))

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("skae._net.AutoencoderNet.row_losses", interrupted)
    monkeypatch.setattr("skae._net.AutoencoderNet.train_step_single", interrupted)
    for model in (fresh, fitted):
        with pytest.raises(KeyboardInterrupt):
            model.fit(X[:, :3])
    assert vars(fitted) == before
    with pytest.raises(NotFittedError):
        fresh.transform(X)


@every_estimator
@pytest.mark.parametrize("shape", [(1, 4), (17, 1), (5, 4), (33, 4), (4, 40)])
def test_odd_shapes(estimator, shape):
    X = np.random.RandomState(0).normal(size=shape)
    model = seeded(estimator, n_components=1).fit(X)
    assert model.transform(X).shape == (len(X), 1)
    assert np.isfinite(model.reconstruct(X)).all()
    assert model.n_iter_ >= 1


@every_estimator
def test_constant_data(estimator):
    X = np.full((20, 3), 0.1)
    model = seeded(estimator, n_components=1).fit(X)
    assert np.isfinite(model.transform(X)).all()
    if getattr(estimator, "init", None) == "pca" or estimator.solver == "svd":
        np.testing.assert_allclose(model.reconstruct(X), X, atol=1e-6)
    X[:, 0] = np.arange(20)
    assert np.isfinite(seeded(estimator, n_components=1).fit(X).score(X))


@every_estimator
def test_read_only_memory_map(estimator, X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    fitted = seeded(estimator).fit(mapped)
    np.testing.assert_array_equal(
        fitted.transform(mapped), seeded(estimator).fit(X).transform(X)
    )


@every_estimator
def test_wrong_code_width_is_named(estimator, X):
    fitted = seeded(estimator).fit(X)
    with pytest.raises(ValueError, match=r"X has 3 columns.*n_components=2"):
        fitted.inverse_transform(np.ones((2, 3)))


@every_estimator
def test_threads_are_left_as_they_were(estimator, X):
    before = torch.get_num_threads()
    seeded(estimator).fit(X).transform(X)
    assert torch.get_num_threads() == before
