"""The outlier detector: its formulas, its threshold, and scikit-learn's signs."""

import builtins
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.decomposition import NMF, PCA, KernelPCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skae import Autoencoder, DenoisingAutoencoder, VariationalAutoencoder
from skae import ReconstructionOutlierDetector as Detector
from skae._known_rows import KnownRows

DETECTORS = {
    "ensemble": Detector(n_estimators=6),
    "ensemble, not trimmed": Detector(n_estimators=6, trim=False),
    "PCA": Detector(PCA(1)),
}
every_detector = pytest.mark.parametrize(
    "detector", DETECTORS.values(), ids=DETECTORS.keys()
)


@pytest.fixture(scope="module")
def X():
    return load_wine().data


def seeded(detector, **params):
    return clone(detector).set_params(random_state=0, **params)


@parametrize_with_checks(list(DETECTORS.values()))
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("use_code", [True, False])
def test_pca_in_closed_form(X, use_code):
    detector = Detector(PCA(2), cv=3, use_code=use_code, random_state=0).fit(X)
    folds = np.array_split(np.random.RandomState(0).permutation(len(X)), 3)
    axes, means, spreads, errors = [], [], [], np.zeros(X.shape[1])
    for fold in folds:
        train = np.delete(X, fold, axis=0)
        means.append(train.mean(axis=0))
        values, vectors = np.linalg.eigh(np.cov(train.T, bias=True))
        axes.append(vectors[:, -2:])
        spreads.append(values[-2:])
        centred = X[fold] - means[-1]
        errors += ((centred - centred @ axes[-1] @ axes[-1].T) ** 2).sum(axis=0)
    errors /= len(X)
    np.testing.assert_allclose(detector.feature_errors_, errors)

    def entries(rows, k):
        code = (rows - means[k]) @ axes[k]
        residual = (rows - means[k] - code @ axes[k].T) ** 2 / errors
        return residual, code**2 / spreads[k]

    def score(rows, k):
        residual, code = entries(rows, k)
        both = np.hstack([residual, code]) if use_code else residual
        return -both.mean(axis=1)

    for k, fold in enumerate(folds):
        np.testing.assert_allclose(detector.score_samples(X[fold]), score(X[fold], k))
    new = X[:20] * 1.1
    expected = np.mean([score(new, k) for k in range(3)], axis=0)
    np.testing.assert_allclose(detector.score_samples(new), expected)
    expected = np.mean([entries(new, k)[0] for k in range(3)], axis=0)
    np.testing.assert_allclose(detector.feature_scores(new), expected)


@every_detector
def test_offset_is_the_quantile_of_held_out_scores(detector, X):
    fitted = seeded(detector, contamination=0.1).fit(X)
    scores = fitted.score_samples(X)
    assert fitted.offset_ == np.percentile(scores, 10)
    decision = fitted.decision_function(X)
    np.testing.assert_array_equal(decision, scores - fitted.offset_)
    np.testing.assert_array_equal(fitted.predict(X), np.where(decision < 0, -1, 1))
    np.testing.assert_array_equal(fitted.predict(X), seeded(fitted).fit_predict(X))
    assert (fitted.predict(X) == -1).sum() == 18
    auto = seeded(detector).fit(X)
    scores, median = auto.score_samples(X), np.median(auto.score_samples(X))
    spread = 1.4826 * np.median(np.abs(scores - median))
    assert auto.offset_ == pytest.approx(median - 2 * spread)


def test_codebooks_and_features_in_closed_form(X):
    detector = Detector(n_estimators=3, trim=False, random_state=0).fit(X)
    new = X[:30] + 1e-3
    Z, rows = ((A - X.mean(axis=0)) / X.std(axis=0) for A in (X, new))

    def from_book(A, book):
        return A - book[((A[:, None] - book) ** 2).sum(axis=2).argmin(axis=1)]

    def from_layer(A, f):
        layer = np.tanh(A @ f["weights"] + f["bias"])
        return A - layer @ f["decoder"] - f["intercept"]

    def joint(u):
        return np.log(np.sqrt(u.mean(axis=1)) + 0.01)

    def apart(u):
        return np.log(1 + u).mean(axis=1)

    mean = np.zeros(len(new))
    pairs = (from_book, joint), (from_book, joint), (from_layer, apart)
    for (residual, loss), model in zip(pairs, detector._models, strict=True):
        held_out, fitted = np.delete(Z, model.seen, axis=0), model.model.fitted
        errors = np.abs(residual(held_out, fitted)).mean(axis=0) ** 2 + 0.01
        usual = loss(residual(held_out, fitted) ** 2 / errors)
        odd = loss(residual(rows, fitted) ** 2 / errors)
        mean += (odd - np.median(usual)) / usual.std() / 3
    np.testing.assert_allclose(detector.score_samples(new), -mean)


def test_many_normal_rows_are_all_worth_knowing():
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(400, 5))

    def draw(centers):
        rows = centers[rng.integers(0, 400, 3000)]
        return rows + 0.05 * rng.normal(size=rows.shape)

    train, new, odd = draw(centers), draw(centers), draw(rng.normal(size=(400, 5)))
    detector = Detector(n_estimators=6, trim=False, random_state=0)
    areas = []
    for size in ("auto", 256):
        fitted = clone(detector).set_params(max_samples=size).fit(train)
        scores = fitted.score_samples(np.r_[new, odd])
        areas.append(roc_auc_score(np.repeat([1, 0], 3000), scores))
    assert areas[0] > areas[1] + 0.1
    few = clone(detector).set_params(trim=True).fit(train)
    assert {len(model.seen) for model in few._models} == {256}


def test_columns_that_are_predictable_count_more():
    rng = np.random.default_rng(0)

    def draw(n):
        x = rng.normal(size=(n, 4))
        x[:, 1] = x[:, 0] + 0.05 * rng.normal(size=n)
        return x

    new, odd = draw(1000), draw(1000)
    odd[:, 1] = odd[:, 0] + 0.8
    detector = Detector(trim=False, random_state=0).fit(draw(1000))
    scores = np.r_[detector.score_samples(new), detector.score_samples(odd)]
    assert roc_auc_score(np.repeat([1, 0], 1000), scores) > 0.91


@pytest.mark.parametrize("n_rows", [1, 7])
def test_rounding_does_not_choose_among_rows_as_near(n_rows):
    rng = np.random.default_rng(0)
    column = np.repeat([0.0, 1.0], [420, 180])
    X, new = (rng.permuted(np.tile(column, (12, 1)), axis=1).T for _ in range(2))
    detector = Detector(n_estimators=6, trim=False, random_state=0).fit(X)
    expected = detector.feature_scores(new[:98])
    parts = [detector.feature_scores(new[i : i + n_rows]) for i in range(0, 98, n_rows)]
    np.testing.assert_allclose(np.vstack(parts), expected, rtol=1e-9, atol=1e-12)


@every_detector
def test_new_rows_are_flagged_as_often_as_asked(detector):
    rates = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        mix = rng.normal(size=(5, 5))
        train, new = rng.normal(size=(600, 5)) @ mix, rng.normal(size=(3000, 5)) @ mix
        fitted = clone(detector).set_params(contamination=0.05, random_state=seed)
        if fitted.estimator is None:
            fitted.set_params(n_estimators=30)
        rates.append((fitted.fit(train).predict(new) == -1).mean())
    assert np.mean(rates) == pytest.approx(0.05, abs=0.015)


@every_detector
def test_finds_planted_rows(detector):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)) * [4, 1, 1, 1]
    X[:6, 2] = [10, -11, 12, -13, 14, -15]
    fitted = seeded(detector, n_estimators=60).fit(X)
    scores = fitted.score_samples(X)
    assert set(np.argsort(scores)[:6]) == set(range(6))


def test_feature_scores_name_the_column(X):
    frame = pd.DataFrame(X, columns=load_wine().feature_names, index=range(7, 185))
    odd = frame.iloc[:3].copy()
    odd["ash"] += 5.0
    for detector in (Detector(random_state=0), Detector(PCA(3), random_state=0)):
        fitted = detector.fit(frame)
        scores = fitted.feature_scores(odd)
        assert list(scores.columns) == list(frame.columns)
        assert list(scores.index) == [7, 8, 9]
        assert (scores.idxmax(axis=1) == "ash").all()
        usual = fitted.feature_scores(frame)
        np.testing.assert_allclose(usual.mean(axis=0), 1)
        assert isinstance(fitted.set_params().fit(X).feature_scores(X), np.ndarray)


@every_detector
def test_rows_are_scored_alone(detector, X):
    fitted = seeded(detector).fit(X[:100])
    alone = [fitted.score_samples(X[i : i + 1])[0] for i in range(len(X))]
    np.testing.assert_allclose(fitted.score_samples(X), alone, rtol=1e-9)


@every_detector
def test_same_seed_same_bits_and_stored(detector, X):
    fitted = seeded(detector).fit(X)
    expected = fitted.score_samples(X)
    np.testing.assert_array_equal(seeded(detector).fit(X).score_samples(X), expected)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.score_samples(X), expected)
    other = clone(fitted).set_params(random_state=1).fit(X)
    assert not np.array_equal(other.score_samples(X), expected)


def test_units_do_not_matter(X):
    expected = Detector(random_state=0).fit(X).score_samples(X)
    moved = X * np.logspace(-3, 3, X.shape[1]) + 5
    scores = Detector(random_state=0).fit(moved).score_samples(moved)
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Rows kept out of training give no:UserWarning")
@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), PCA(2)),
        KernelPCA(2, kernel="rbf", fit_inverse_transform=True),
        make_pipeline(MinMaxScaler(clip=True), NMF(2, max_iter=1000, tol=1e-2)),
        Autoencoder(2, hidden_layer_sizes=4, max_iter=2),
        DenoisingAutoencoder(2, hidden_layer_sizes=4, max_iter=2),
        VariationalAutoencoder(2, hidden_layer_sizes=4, max_iter=2),
    ],
    ids=["pipeline", "KernelPCA", "NMF", "plain", "denoising", "variational"],
)
def test_any_transformer(estimator):
    X = load_iris().data
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    detector = Detector(estimator, cv=2, contamination=0.1, random_state=0).fit(X)
    assert (detector.predict(X) == -1).sum() == pytest.approx(15, abs=1)
    assert np.isfinite(detector.feature_scores(X + 0.1)).all()
    repeated = clone(detector).fit(X)
    np.testing.assert_array_equal(repeated.score_samples(X), detector.score_samples(X))
    Detector(clone(estimator), cv=2).fit(X)
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])


class Coder(BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


@every_detector
def test_bad_input_leaves_no_trace(detector, X):
    fresh, fitted = seeded(detector), seeded(detector).fit(X)
    states = dict(vars(fresh)), dict(vars(fitted))
    for model in (fresh, fitted):
        with pytest.raises(ValueError, match="infinity"):
            model.fit(np.where(X > 1000, np.inf, X))
        with pytest.raises(ValueError, match=r"'contamination'.*\(0.0, 0.5\].*0.7"):
            clone(model).set_params(contamination=0.7).fit(X)
    assert (vars(fresh), vars(fitted)) == states
    with pytest.raises(NotFittedError):
        fresh.predict(X)
    message = r"estimator must be .* got Coder\(\) without inverse_transform"
    with pytest.raises(ValueError, match=message):
        Detector(Coder()).fit(X)
    with pytest.raises(ValueError, match="without transform and inverse_transform"):
        Detector(Detector()).fit(X)


@every_detector
@pytest.mark.parametrize("shape", [(2, 3), (7, 1), (4, 30)])
def test_odd_shapes(detector, shape):
    X = np.random.RandomState(0).normal(size=shape)
    if detector.estimator is not None and shape[0] == 2:
        X = np.vstack([X, X + 1])
    if shape[1] > 1:
        X[:, 0] = 0.1
    fitted = seeded(detector).fit(X)
    assert np.isfinite(fitted.score_samples(X + 1)).all()
    assert np.isfinite(fitted.feature_scores(X)).all()


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_what_is_reconstructed_as_nan_is_an_outlier(X):
    model = make_pipeline(PowerTransformer(), PCA(2))
    detector = seeded(Detector(model, contamination=0.1)).fit(X)
    far = X[:5].copy()
    far[:, 0] *= 3
    np.testing.assert_array_equal(detector.predict(far), -1)
    assert np.isinf(detector.score_samples(far)).all()
    with pytest.raises(ValueError, match=r"reconstructs column \d+ .* NaN or infinite"):
        seeded(Detector(make_pipeline(PowerTransformer(), PCA(3)))).fit(
            load_breast_cancer().data
        )


def test_what_cannot_be_fitted_to_parts_or_squared_is_refused(X):
    with pytest.raises(ValueError, match="FrozenEstimator"):
        Detector(FrozenEstimator(PCA(2).fit(X))).fit(X)
    with pytest.raises(ValueError, match="too large to be squared"):
        Detector().fit(np.vstack([X, np.full((1, X.shape[1]), 1e200)]))


def test_a_fitted_detector_is_not_changed_by_parameters():
    X = load_iris().data
    detector = Detector(n_estimators=9, random_state=0).fit(X)
    scores = detector.score_samples(X)
    detector.set_params(estimator=PCA(2))
    np.testing.assert_array_equal(detector.score_samples(X), scores)


def test_frozen_estimators_in_pipelines_are_refused():
    X = load_iris().data
    frozen = make_pipeline(StandardScaler(), FrozenEstimator(PCA(2).fit(X)))
    with pytest.raises(ValueError, match="FrozenEstimator"):
        Detector(frozen).fit(X)


@pytest.mark.parametrize("copies", [1, 3])
def test_copies_of_a_row_do_not_vouch_for_each_other(copies):
    X = np.random.default_rng(0).normal(size=(200, 8)) * [5, *[1] * 7]
    odd = np.eye(1, 8, 3) * 25
    rows = np.vstack([X, *[odd] * copies])
    detector = Detector(PCA(2), use_code=False, random_state=0).fit(rows)
    assert detector.predict(odd) == [-1]


@pytest.mark.filterwarnings("ignore:invalid value")  # scikit-learn's PCA
def test_rows_that_are_all_copies_can_be_fitted():
    X = np.ones((6, 2))
    assert (Detector(PCA(1), random_state=0).fit(X).predict(X) == 1).all()


def test_a_class_is_not_an_estimator():
    with pytest.raises(ValueError, match="must be an instance, got <class"):
        Detector(PCA).fit(load_iris().data)


@every_detector
def test_training_rows_are_known_but_for_rounding(detector, X):
    pipeline = make_pipeline(StandardScaler(), PCA(8), seeded(detector)).fit(X)
    alone = [pipeline.score_samples(row[None])[0] for row in X[:20]]
    np.testing.assert_allclose(alone, pipeline.score_samples(X)[:20], rtol=1e-6)
    Z = StandardScaler().fit_transform(X)
    model = seeded(detector).fit(Z)
    single = model.score_samples(Z.astype(np.float32))
    np.testing.assert_allclose(single, model.score_samples(Z), atol=1e-4)


@pytest.mark.parametrize("case", ["normal", "far rows", "heavy tails", "one column"])
def test_known_rows_are_those_that_are_near(case):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(500, 1 if case == "one column" else 3))
    if case == "far rows":
        X[:3] *= 1e9
    if case == "heavy tails":
        X = np.exp(4 * X)
    X = X[rng.randint(500, size=3000)]
    known = KnownRows(X)
    _, group = np.unique(X, axis=0, return_inverse=True)
    smallest = np.array([np.flatnonzero(group == g)[0] for g in group])
    assert (known.group != smallest).mean() < (0.02 if case == "one column" else 1e-9)
    np.testing.assert_array_equal(known.find(X), known.group)
    np.testing.assert_array_equal(known.find(X * (1 + 1e-9)), known.group)
    assert (known.find(X + 1e-3 * X.std(axis=0)) == -1).mean() > 0.5
    assert known.find(X[:0]).shape == (0,)


def test_a_far_row_does_not_make_all_rows_known():
    X = np.r_[np.random.RandomState(0).normal(size=(300, 8)), [[1e9] * 8]]
    model = Detector(PCA(3), random_state=0).fit(X)
    assert (model._blind(X).sum(axis=0) == 1).all()


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_columns_that_were_constant_are_measured_by_their_size(unit):
    rng = np.random.RandomState(0)
    X, new = rng.normal(size=(200, 4)), rng.normal(size=(1, 4))

    def score(factor):
        rows = np.c_[X, np.full(200, 2 * factor)]
        model = Detector(n_estimators=6, random_state=0).fit(rows)
        return model.score_samples(np.c_[new, [[3 * factor]]])

    np.testing.assert_allclose(score(unit), score(1), rtol=1e-6)


def test_most_rows_the_same_do_not_hide_the_others():
    rng = np.random.RandomState(0)
    active = rng.uniform(1, 3, 100)[:, None] * [1, 2, 3, 1, 2, 3]
    active += 0.05 * rng.normal(size=active.shape)
    X = np.r_[np.zeros((900, 6)), active, 8 * rng.normal(size=(5, 6))]
    scores = Detector(random_state=0).fit(X).score_samples(X)
    assert roc_auc_score(np.arange(1005) >= 1000, -scores) > 0.99


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of scikit-learn
def test_copies_that_fill_a_fold_are_spread_over_all():
    X = np.r_[np.zeros((299, 3)), [[1.0, 1, 1]]]
    model = Detector(PCA(2), random_state=0).fit(X)
    assert [len(m.seen) for m in model._models] == [240] * 5
    np.testing.assert_array_equal(model.predict(X), [1] * 299 + [-1])


def test_estimators_that_refuse_new_rows_are_named():
    Z = np.abs(np.random.default_rng(0).normal(size=(100, 4)))
    pipeline = make_pipeline(MinMaxScaler(), NMF(2, max_iter=500))
    with pytest.raises(ValueError, match=r"Negative values .* MinMaxScaler\(clip=True"):
        Detector(pipeline, random_state=0).fit(Z)


def test_scores_of_named_columns_say_what_to_install(X, monkeypatch):
    def without_pandas(name, *args, found=builtins.__import__, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return found(name, *args, **kwargs)

    table = pl.DataFrame(X, schema=load_wine().feature_names)
    fitted = Detector(n_estimators=3, random_state=0).fit(table)
    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(ImportError, match="pip install pandas"):
        fitted.feature_scores(table)
