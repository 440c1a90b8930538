"""The regressor and the classifier: where they start, and what they leave it for."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch.callbacks import Callback
from threadpoolctl import threadpool_info, threadpool_limits

from skae import (
    Autoencoder,
    AutoencoderClassifier,
    AutoencoderRegressor,
    BinaryAutoencoder,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    LinearAutoencoder,
    SparseAutoencoder,
    StackedAutoencoder,
    VariationalAutoencoder,
)
from skae._labels import Labels, stratified_folds
from skae._threads import limited_blas

pytestmark = pytest.mark.filterwarnings(
    "ignore:Rows kept out of training give no:UserWarning"
)

SMALL = {"max_iter": 2, "batch_size": 16}
TINY = Autoencoder(4, hidden_layer_sizes=8, **SMALL)
IMAGES = ConvolutionalAutoencoder(4, channels=(2, 3), hidden_layer_sizes=8, **SMALL)
ENGINES = {
    "dense": TINY,
    "random": clone(TINY).set_params(init="random"),
    "tied": clone(TINY).set_params(tied_weights=True),
    "lbfgs": clone(TINY).set_params(solver="lbfgs", max_iter=1),
    "not stopped": clone(TINY).set_params(early_stopping=False, ordered=True),
    "cross-entropy": clone(TINY).set_params(loss="binary_cross_entropy"),
    "binary": BinaryAutoencoder(4, hidden_layer_sizes=8, **SMALL),
    "denoising": DenoisingAutoencoder(4, hidden_layer_sizes=8, **SMALL),
    "sparse": SparseAutoencoder(4, sparsity_target=0.3, **SMALL),
    "stacked": StackedAutoencoder(
        4, hidden_layer_sizes=8, layer=Autoencoder(init="random", **SMALL), **SMALL
    ),
    "variational": VariationalAutoencoder(4, hidden_layer_sizes=8, **SMALL),
    "images": IMAGES,
    "positions": clone(IMAGES).set_params(unpooling="indices"),
}
ONCE = clone(IMAGES).set_params(max_iter=1)
CHECKED = [
    AutoencoderRegressor(TINY),
    AutoencoderRegressor(ONCE),
    AutoencoderClassifier(TINY),
    AutoencoderClassifier(ONCE, pretrain=False),
]


@pytest.fixture(scope="module")
def digits():
    images, y = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8) / 16
    noise = np.random.default_rng(0).normal(scale=0.3, size=images.shape)
    return images, images + noise, y


@parametrize_with_checks(CHECKED)
def test_scikit_learn(estimator, check):
    check(estimator)


def reference_ridge(X, Y):
    """Return ridge regression with the penalty of least GCV, by brute force."""
    x, y = X - X.mean(axis=0), (Y - Y.mean(axis=0)).reshape(len(Y), -1)
    values = []
    left, lengths, _ = np.linalg.svd(x, full_matrices=False)
    alphas = lengths.max() ** 2 * np.logspace(-8, 4, 97)
    for alpha in alphas:
        # What is left of y is summed, not subtracted: wide rows leave next to nothing.
        shrunk = alpha / (lengths**2 + alpha)
        residual = (left * shrunk) @ (left.T @ y) + (y - left @ (left.T @ y))
        freedom = len(x) - 1 - len(lengths) + shrunk.sum()
        values.append((residual**2).sum() / freedom**2)
    return Ridge(alphas[np.argmin(values)]).fit(X, Y)


@pytest.mark.parametrize("n_outputs", [None, 1, 3])
@pytest.mark.parametrize("shape", [(60, 5), (40, 200)])
def test_linear_data_gives_ridge_regression(shape, n_outputs):
    rng = np.random.default_rng(0)
    X = 100 + rng.normal(size=shape) * np.linspace(1, 5, shape[1])
    # Less noise would leave the penalty of wide rows to rounding.
    noise = 9 if shape[0] > shape[1] else 90
    Y = X @ rng.normal(size=(shape[1], n_outputs or 1)) + noise * rng.normal(
        size=(shape[0], n_outputs or 1)
    )
    Y = Y if n_outputs else Y[:, 0]
    with pytest.warns(UserWarning, match="the fitted estimator is ridge regression"):
        model = AutoencoderRegressor(random_state=0).fit(X, Y)
    ridge = reference_ridge(X, Y)
    assert model.alpha_ == pytest.approx(ridge.alpha)
    assert model.gain_ == 0
    new = 100 + rng.normal(size=(7, shape[1]))
    expected = ridge.predict(new).reshape(7, *Y.shape[1:])
    np.testing.assert_allclose(model.predict(new), expected, rtol=1e-6)
    assert model.score(X, Y) == pytest.approx(ridge.score(X, Y))
    single = model.predict(new.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-2)


def test_folds_are_compared_in_one_unit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2))
    y = np.exp(2 * X[:, 0])  # of which a few rows make most
    losses, errors = [], []

    class Look(Callback):
        def on_train_begin(self, net, **kwargs):
            if net.rows_valid_ is not None:
                losses.append(float(net.watch.start_.mean()))
                train, test = kwargs["X"].index.numpy(), net.rows_valid_.index.numpy()
                predicted = reference_ridge(X[train], y[train]).predict(X[test])
                errors.append(np.square(predicted - y[test]).mean())

    engine = Autoencoder(2, max_iter=10, learning_rate_init=0.01, callbacks=[Look()])
    AutoencoderRegressor(engine, random_state=0).fit(X, y)
    assert len(losses) > 1
    ratios = np.divide(losses, errors)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-3)


def test_curves_leave_ridge_regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 3))
    Y = np.c_[np.sin(2 * X[:, 0]), X[:, 1] * X[:, 2]] + 0.05 * rng.normal(size=(900, 2))
    model = AutoencoderRegressor(random_state=0).fit(X[:600], Y[:600])
    ridge = reference_ridge(X[:600], Y[:600]).score(X[600:], Y[600:])
    assert model.score(X[600:], Y[600:]) > max(0.9, ridge + 0.3)
    assert 0.8 < model.gain_ < 1


def test_units_do_not_matter():
    X, y = load_diabetes(return_X_y=True)
    y = y + 100 * np.sin(40 * X[:, 2])
    model = AutoencoderRegressor(TINY, random_state=0)
    expected = model.fit(X, y).predict(X)
    assert model.gain_ is not None
    moved = clone(model).fit(1000 * X + 3, y / 64 - 7).predict(1000 * X + 3)
    np.testing.assert_allclose((moved + 7) * 64, expected, rtol=1e-4)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
def test_any_autoencoder(engine, digits):
    clean, noisy, y = digits
    clean, noisy, y = clean[:60].clip(0, 1), noisy[:60].clip(0, 1), y[:60]
    if not hasattr(engine, "image_shape"):
        clean, noisy = clean.reshape(60, -1), noisy.reshape(60, -1)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    params = engine.get_params()
    for kind, target in ((AutoencoderRegressor, clean), (AutoencoderClassifier, y)):
        model = kind(engine, random_state=0).fit(noisy, target)
        predicted = model.predict(noisy)
        assert predicted.shape == target.shape
        again = clone(model).fit(noisy, target).predict(noisy)
        np.testing.assert_array_equal(again, predicted)
        for copied in (pickle.loads(pickle.dumps(model)), deepcopy(model)):
            np.testing.assert_array_equal(copied.predict(noisy), predicted)
    assert engine.get_params() == params
    assert not hasattr(engine, "net_")
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
def test_any_decoder_starts_at_ridge_regression(engine, digits):
    clean, noisy, _ = digits
    clean, noisy = clean[:60], noisy[:60].clip(0, 1)
    rows, target = noisy.reshape(60, -1), clean.reshape(60, -1)
    engine = clone(engine).set_params(solver="adam", learning_rate_init=1e-30)
    for skip in (False, True):
        model = AutoencoderRegressor(engine, skip_connections=skip, random_state=0)
        shown = (noisy, clean) if hasattr(engine, "image_shape") else (rows, target)
        predicted = model.fit(*shown).predict(shown[0]).reshape(60, -1)
        ridge = Ridge(model.alpha_).fit(rows, target)
        np.testing.assert_allclose(predicted, ridge.predict(rows), atol=1e-6)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ((7, 5), (7, 5, 3)),
        ((4, 3), (8, 6)),
        ((6, 6, 3), (6, 6)),
        ((5, 4), ()),
        ((5, 4), (3,)),
        ((9,), (5, 4, 2)),
    ],
)
def test_shapes_may_differ(inputs, outputs, skip):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, *inputs)), rng.normal(size=(40, *outputs))
    for engine in (TINY, IMAGES):
        model = AutoencoderRegressor(engine, skip_connections=skip, random_state=0)
        predicted = model.fit(X, Y).predict(X[:7].astype(np.float32))
        assert predicted.shape == (7, *outputs)
        assert predicted.dtype == np.float32
        assert model.score(X, Y) <= 1


def test_rows_of_pixels_are_images(digits):
    clean, noisy, _ = digits
    rows, images = (
        AutoencoderRegressor(engine, random_state=0).fit(A[:80], B[:80]).predict(A)
        for engine, A, B in (
            (
                clone(IMAGES).set_params(image_shape=(8, 8)),
                noisy.reshape(-1, 64),
                clean.reshape(-1, 64),
            ),
            (IMAGES, noisy, clean),
        )
    )
    np.testing.assert_array_equal(rows, images.reshape(-1, 64))


def test_integer_images_are_scaled(digits):
    clean, _, _ = digits
    integers = np.rint(255 * clean[:50]).astype(np.uint8)
    floats = integers.astype(np.float32) / 255
    model = AutoencoderRegressor(IMAGES, random_state=0)
    expected = model.fit(floats, floats).predict(floats)
    found = clone(model).fit(integers, integers).predict(integers)
    np.testing.assert_array_equal(found, expected)


def test_score_of_images_weighs_pixels(digits):
    clean, noisy, _ = digits
    model = AutoencoderRegressor(IMAGES, random_state=0).fit(noisy[:90], clean[:90])
    flat = [A.reshape(len(A), -1) for A in (clean, model.predict(noisy))]
    expected = r2_score(*flat, multioutput="variance_weighted")
    assert model.score(noisy, clean) == pytest.approx(expected)


def test_skip_connections_denoise_better(digits):
    clean, noisy, _ = digits
    engine = ConvolutionalAutoencoder(2, channels=(8, 16), max_iter=10)
    scores = [
        AutoencoderRegressor(engine, skip_connections=skip, random_state=0)
        .fit(noisy[:1000], clean[:1000])
        .score(noisy[1000:], clean[1000:])
        for skip in (True, False)
    ]
    assert scores[0] > scores[1]


def test_rare_labels_use_those_without(digits):
    _, noisy, y = digits
    rows = np.random.default_rng(0).permutation(len(y))
    rows, new = rows[:1000], rows[1000:]
    partly = np.full(1000, -1)
    for digit in range(10):
        few = np.flatnonzero(y[rows] == digit)[:4]
        partly[few] = digit
    X, known = noisy[rows].reshape(1000, -1), partly >= 0
    engine = Autoencoder(16, hidden_layer_sizes=64, max_iter=10)
    model = AutoencoderClassifier(engine, random_state=0).fit(X, partly)
    alone = LogisticRegression(max_iter=1000).fit(X[known], partly[known])
    new, y = noisy[new].reshape(len(new), -1), y[new]
    assert model.score(new, y) > alone.score(new, y) + 0.03
    assert model.share_ > 0
    assert model.gain_ > 0


def test_starts_at_logistic_regression():
    X, y = load_iris(return_X_y=True)
    engine = Autoencoder(2, learning_rate_init=1e-12, random_state=0).fit(X)
    still = AutoencoderClassifier(engine, random_state=0).fit(X[::2], y[::2])
    codes = engine.transform(X) / (engine.transform(X[::2]) ** 2).mean() ** 0.5
    head = LogisticRegression(C=still.C_, max_iter=1000).fit(codes[::2], y[::2])
    expected = head.predict_proba(codes)
    np.testing.assert_allclose(still.predict_proba(X), expected, atol=1e-3)


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    codes = np.r_[rng.normal(size=(30, 2)), 4 + rng.normal(size=(30, 2))]
    y = np.arange(60) // 30
    index = np.array([0, 1, 2, 30, 31, 32])
    return Labels(codes, index, y[index], np.ones(2), [])


def test_spread_in_closed_form(labels):
    near = ((labels.codes[:, None] - labels.codes) ** 2).sum(axis=2)
    np.fill_diagonal(near, np.inf)
    A = np.zeros((60, 60))
    np.put_along_axis(A, near.argsort(axis=1)[:, :10], 1, axis=1)
    A = np.maximum(A, A.T)
    S = A / np.sqrt(np.outer(A.sum(axis=0), A.sum(axis=0)))
    np.testing.assert_allclose(labels.graph.toarray(), S)
    known = np.arange(6)
    head = labels.head(known)
    start = labels.probabilities(head)
    start[labels.index] = np.eye(2)[labels.y]
    limit = np.linalg.solve(np.eye(60) - 0.5 * S, 0.5 * start)
    limit = limit**2 / (limit**2).sum(axis=1, keepdims=True)
    spread = labels.spread(head, known, 0.5, 2.0)
    np.testing.assert_allclose(spread, limit, atol=1e-5)
    np.testing.assert_array_equal(
        labels.targets(head, known)[labels.index], np.eye(2)[labels.y]
    )


def test_folds_keep_every_class_to_learn_from():
    y = np.repeat([0, 1, 2, 3], [1, 2, 3, 20])
    folds = stratified_folds(y, 3, torch.Generator().manual_seed(0))
    for train, test in folds:
        assert set(y[train]) == {0, 1, 2, 3}
        np.testing.assert_array_equal(np.sort(np.r_[train, test]), np.arange(26))
    tested = np.sort(np.concatenate([test for _, test in folds]))
    np.testing.assert_array_equal(tested, np.arange(1, 26))


def test_one_label_a_class():
    X, y = load_iris(return_X_y=True)
    partly = np.full(150, -1)
    partly[[0, 50, 100]] = 0, 1, 2
    model = AutoencoderClassifier(TINY, random_state=0).fit(X, partly)
    assert model.gain_ is None
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([-1, 1], [-1, 1]),
        ([-1, 2, 3], [2, 3]),
        (["-1", "1"], ["-1", "1"]),
        (np.array(["-1", "1"], dtype=object), ["-1", "1"]),
        ([-1.0, 0.0, 1.0], [0, 1]),
    ],
)
def test_what_is_no_label(labels, classes):
    X = load_iris().data[:60]
    y = np.resize(labels, 60)
    model = AutoencoderClassifier(TINY, random_state=0)
    assert model.fit(X, y).classes_.tolist() == classes
    assert set(model.predict(X)) <= set(classes)
    mixed = np.resize(np.array([-1, "a", "b"], dtype=object), 60)
    assert model.fit(X, mixed).classes_.tolist() == ["a", "b"]


def test_class_weights():
    rng = np.random.default_rng(0)
    y = (rng.random(400) < 0.1).astype(int)
    X = rng.normal(size=(400, 3)) + y[:, None]
    counts = [
        AutoencoderClassifier(TINY, class_weight=weight, random_state=0)
        .fit(X, y)
        .predict(X)
        .sum()
        for weight in (None, {0: 1, 1: 9}, "balanced")
    ]
    assert counts[0] < 40 < min(counts[1:])
    np.testing.assert_allclose(counts[1], counts[2], atol=10)


@pytest.mark.parametrize("kind", [AutoencoderRegressor, AutoencoderClassifier])
def test_a_fitted_autoencoder_is_a_start(kind, digits):
    _, noisy, y = digits
    X = noisy.reshape(len(y), -1)
    engine = clone(TINY).set_params(random_state=0).fit(X)
    before = {k: v.clone() for k, v in engine.net_.module_.state_dict().items()}
    codes = engine.transform(X)
    still = clone(TINY).set_params(random_state=0, learning_rate_init=1e-12)
    frozen = kind(still.fit(X), random_state=0).fit(X[:200], y[:200])
    network, scaled = frozen.net_.module_, (X - still.mean_) / still.scale_
    with torch.no_grad():
        code = network.encode(torch.from_numpy(scaled).float()).numpy()
    np.testing.assert_allclose(code, still.transform(X), atol=1e-4)
    kind(engine, random_state=0).fit(X[:200], y[:200])
    for name, value in engine.net_.module_.state_dict().items():
        assert torch.equal(value, before[name])
    np.testing.assert_array_equal(engine.transform(X), codes)
    kept = clone(kind(FrozenEstimator(engine), random_state=0)).fit(X[:200], y[:200])
    other = clone(kind(engine, random_state=0)).fit(X[:200], y[:200])
    assert not np.array_equal(kept.predict(X), other.predict(X))


@pytest.mark.parametrize("kind", [AutoencoderRegressor, AutoencoderClassifier])
def test_search(kind):
    X, y = load_iris(return_X_y=True)
    model = kind(TINY, random_state=0)
    grid = {"autoencoder__n_components": [1, 3]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X[::3], y[::3])
    best = search.best_params_["autoencoder__n_components"]
    encoder = search.best_estimator_.net_.module_.encoder
    assert encoder.config["n_components"] == best
    pipe = make_pipeline(StandardScaler(), model).fit(X, y)
    assert pipe.score(X, y) > 0.8


@pytest.mark.parametrize("kind", [AutoencoderRegressor, AutoencoderClassifier])
def test_sparse_rows(kind):
    X, y = load_iris(return_X_y=True)
    model = kind(TINY, random_state=0)
    dense = model.fit(X, y).predict(X)
    found = clone(model).fit(sparse.csr_array(X), y).predict(sparse.csr_array(X))
    np.testing.assert_allclose(found, dense, atol=1e-3)


@pytest.mark.parametrize("kind", [AutoencoderRegressor, AutoencoderClassifier])
def test_bad_input_leaves_no_trace(kind, digits):
    clean, noisy, y = digits
    clean, noisy, y = clean[:40], noisy[:40], y[:40]
    target = clean if kind is AutoencoderRegressor else y
    fresh = kind(IMAGES, random_state=0)
    fitted = clone(fresh).fit(noisy, target)
    states = dict(vars(fresh)), dict(vars(fitted))
    gap = np.where(np.arange(40)[:, None, None] == 3, np.nan, noisy)
    for model in (fresh, fitted):
        for X, t, message in (
            (gap, target, "NaN"),
            (noisy[:9], target, "inconsistent numbers of samples"),
            (np.moveaxis(noisy[:, :, :, None].repeat(3, 3), 3, 1), target, "channels"),
            ([np.ones((2, 2)), np.ones((3, 2))], target[:2], r"shapes \[\(2, 2\), "),
        ):
            with pytest.raises(ValueError, match=message):
                model.fit(X, t)
    assert (vars(fresh), vars(fitted)) == states
    with pytest.raises(NotFittedError):
        fresh.predict(noisy)
    with pytest.raises(ValueError, match=r"shape \(4, 16\).*shape \(8, 8\)"):
        fitted.predict(noisy.reshape(40, 4, 16))
    with pytest.raises(ValueError, match="has 63 features"):
        fitted.predict(noisy.reshape(40, 64)[:, 1:])
    for wrong in (LinearAutoencoder(), Ridge()):
        with pytest.raises(ValueError, match="autoencoder must be None or an auto"):
            kind(wrong).fit(noisy, target)


def test_bad_targets():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"y has no label: all are -1.*Label some"):
        AutoencoderClassifier(TINY).fit(X, np.full(150, -1))
    objects = [np.array([k, "b"], dtype=object) for k in (None, np.nan)]
    objects.append(np.array(["-1", "b"], dtype=object))
    for missing in (np.array(["a", -1]), np.array([np.nan, 1.0]), *objects):
        with pytest.raises(ValueError, match="without a label"):
            AutoencoderClassifier(TINY).fit(X, np.resize(missing, 150))
    with pytest.raises(ValueError, match="y has labels of 1 class, 7"):
        AutoencoderClassifier(TINY).fit(X, np.where(y, -1, 7))
    with pytest.raises(ValueError, match="Input y contains NaN"):
        AutoencoderRegressor(TINY).fit(X, np.where(y, np.nan, 1.0))
    engine = clone(IMAGES).set_params(unpooling="indices")
    images = np.random.default_rng(0).random((20, 4, 4))
    with pytest.raises(
        ValueError, match=r"images of the size .* \(8, 8\) and \(4, 4\)"
    ):
        AutoencoderRegressor(engine).fit(images, images.repeat(2, 1).repeat(2, 2))


def test_rows_of_bytes_are_the_same_pixels_as_images():
    images, y = load_digits(return_X_y=True)
    bytes_ = (images[:200] * 15).astype(np.uint8).reshape(-1, 8, 8)
    rows, y = bytes_.reshape(200, 64), y[:200]
    engine = clone(IMAGES).set_params(image_shape=(8, 8))
    for kind, target in (
        (AutoencoderClassifier, y),
        (AutoencoderRegressor, rows / 255),
    ):
        model = kind(engine, random_state=0).fit(rows, target)
        floats = kind(engine, random_state=0).fit(rows / np.float32(255), target)
        np.testing.assert_allclose(
            model.predict(rows[:9]), floats.predict(rows[:9] / np.float32(255)), 1e-4
        )
    fitted = clone(engine).fit(rows)
    model = AutoencoderClassifier(fitted, random_state=0).fit(rows, y)
    assert model._engine.scale_ == fitted.scale_ < 1


def test_images_that_look_like_channels_first_where_they_are_asked_for():
    images = np.random.RandomState(0).rand(60, 3, 8, 6)
    engine = clone(IMAGES).set_params(image_shape=(3, 8, 6))
    model = AutoencoderClassifier(engine, random_state=0)
    assert model.fit(images, np.arange(60) % 2).predict(images).shape == (60,)
    model = AutoencoderRegressor(engine, random_state=0).fit(images, images)
    assert model.predict(images).shape == images.shape
    assert np.isfinite(model.score(images, images))


def test_autoencoder_of_other_columns_is_refused():
    data = load_iris(as_frame=True)
    fitted = clone(TINY).set_params(n_components=3).fit(data.data)
    for kind in (AutoencoderClassifier, AutoencoderRegressor):
        kind(fitted).fit(data.data, data.target)
        with pytest.raises(ValueError, match="fitted to other columns"):
            kind(fitted).fit(data.data.iloc[:, ::-1], data.target)


def test_images_and_rows_of_bytes_are_the_same():
    images = (load_digits().images[:100] * 15.9).astype(np.uint8)
    rows = images.reshape(100, -1)
    model = AutoencoderRegressor(Autoencoder(8, max_iter=2, random_state=0))
    model.set_params(random_state=0).fit(images, images)
    expected = model.predict(images)
    np.testing.assert_array_equal(model.predict(rows), expected)
    assert model.score(images, rows) == model.score(images, images)
    with pytest.raises(ValueError, match="was fitted to rows"):
        model.fit(rows / 255, rows / 255).predict(images)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_small_integers_to_predict_keep_their_unit(kind):
    X = np.random.default_rng(0).normal(size=(120, 5))
    y = (X[:, 0] * 20 + 90).astype(kind)
    model = AutoencoderRegressor(Autoencoder(2, max_iter=2), random_state=0)
    assert model.fit(X, y).score(X, y) > 0.99
    images = np.repeat(X, 5, axis=1).reshape(-1, 5, 5)
    conv = ConvolutionalAutoencoder(2, channels=2, max_iter=1)
    for target in (y, np.c_[y, y]):
        model = AutoencoderRegressor(conv, random_state=0).fit(images, target)
        assert model.predict(images).mean() == pytest.approx(y.mean(), rel=0.1)
        assert model.score(images, target) > 0.9


def test_rows_of_pixels_are_scored_in_the_unit_they_are_predicted_in():
    rows = (load_digits().data[:100] * 15).astype(np.uint8)
    conv = ConvolutionalAutoencoder(2, channels=2, max_iter=1, image_shape=(8, 8))
    model = AutoencoderRegressor(conv, random_state=0).fit(rows, rows)
    assert model.score(rows, rows) > 0.9


def test_logarithms_of_probabilities():
    X, y = load_iris(return_X_y=True)
    model = AutoencoderClassifier(Autoencoder(2, max_iter=1), random_state=0).fit(X, y)
    expected = np.log(model.predict_proba(X))
    np.testing.assert_allclose(model.predict_log_proba(X), expected, rtol=1e-6)
    assert np.isfinite(model.predict_log_proba(1e6 * X)).all()


@pytest.mark.parametrize("n_columns", [63, 64])
def test_rows_of_small_integers_beside_images_keep_their_unit(n_columns, digits):
    y = np.random.RandomState(0).randint(100, size=(60, n_columns)).astype(np.uint8)
    model = AutoencoderRegressor(IMAGES, random_state=0).fit(digits[0][:60], y)
    assert model.predict(digits[0][:60]).mean() == pytest.approx(y.mean(), rel=0.01)


@pytest.mark.parametrize("kind", ["bool", "int", "str"])
def test_labels_of_any_kind_beside_those_unknown(kind):
    X, y = load_iris(return_X_y=True)
    labels = (y == 0 if kind == "bool" else y).astype(kind)
    some = labels.astype(object)
    some[::2] = -1
    model = AutoencoderClassifier(TINY, random_state=0).fit(X, some)
    assert set(model.classes_) == set(labels)
    assert model.score(X[1::2], labels[1::2]) > 0.8


def test_objects_that_scikit_learn_could_not_score_are_refused():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="Unknown label type"):
        AutoencoderClassifier(TINY).fit(X, y.astype(object))


def test_what_leaves_nothing_to_learn_is_named():
    X, y = load_iris(return_X_y=True)
    for wrong in (-1, np.nan):
        with pytest.raises(ValueError, match=r"class_weight must be in \[0, inf\)"):
            AutoencoderClassifier(TINY, class_weight={0: wrong}).fit(X, y)
    with pytest.raises(ValueError, match="class_weight leaves no label any weight"):
        AutoencoderClassifier(TINY, class_weight=dict.fromkeys(range(3), 0)).fit(X, y)
    with pytest.raises(ValueError, match="y has values too large to be squared"):
        AutoencoderRegressor(TINY).fit(X, y * 1e160)


def test_small_heads_are_fitted_on_one_thread(monkeypatch):
    found, fit = [], LogisticRegression.fit

    def n_threads():
        pools = (p for p in threadpool_info() if p["user_api"] == "blas")
        return {pool["num_threads"] for pool in pools}

    def watched(*args):
        found.append(n_threads())
        return fit(*args)

    monkeypatch.setattr(LogisticRegression, "fit", watched)
    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        if 2 not in before:
            pytest.skip("there is no BLAS whose threads can be set")
        AutoencoderClassifier(TINY).fit(*load_iris(return_X_y=True))
        with limited_blas(1 << 40):
            assert n_threads() == before
        assert n_threads() == before
    assert found and all(threads == {1} for threads in found)


@pytest.mark.parametrize("n_rows", [2, 5, 13, 100])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_constant_rows_have_the_mean_as_their_prediction(n_rows, early_stopping):
    y = np.random.default_rng(0).normal(size=n_rows)
    engine = Autoencoder(8, max_iter=20, early_stopping=early_stopping)
    model = AutoencoderRegressor(engine, random_state=0)
    model.fit(np.full((n_rows, 3), 0.7), y)
    far = model.predict([[0.7] * 3, [0.7001] * 3])
    np.testing.assert_allclose(far, y.mean(), atol=0.2)
