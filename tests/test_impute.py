"""Gaps: native to every dense estimator, and filled by the imputer."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import (
    load_breast_cancer,
    load_iris,
    load_wine,
    make_low_rank_matrix,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skae import (
    Autoencoder,
    AutoencoderImputer,
    BinaryAutoencoder,
    ContractiveAutoencoder,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    LinearAutoencoder,
    SparseAutoencoder,
    StackedAutoencoder,
    VariationalAutoencoder,
)
from skae._gaps import GapFiller
from skae._objective import Objective
from skae._rows import Batches, Rows, location_and_scale
from skae.corruptions import gaps as make_gaps
from skae.losses import squared_error
from skae.networks import Output

pytestmark = pytest.mark.filterwarnings("ignore:Rows kept out")
QUICK = {"max_iter": 3, "random_state": 0}


def with_gaps(X, share=0.2, seed=0):
    hidden = np.random.default_rng(seed).uniform(size=X.shape) < share
    return np.where(hidden, np.nan, X), hidden


@pytest.fixture(scope="module")
def cancer():
    X = StandardScaler().fit_transform(load_breast_cancer().data)
    return X, *with_gaps(X)


@parametrize_with_checks(
    [AutoencoderImputer(Autoencoder(1, max_iter=3, init="random"))]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_gaps_have_their_conditional_mean():
    """What a Gaussian of the filler's covariance expects, solved without factors."""
    rng, d = np.random.default_rng(0), 6
    model = GapFiller(rng.normal(size=d), rng.normal(size=(d, 3)), rng.uniform(1, 2, d))
    x, hidden = with_gaps(rng.normal(size=(50, d)), 0.5)
    filled = model(torch.from_numpy(x)).numpy()
    covariance = model.loadings @ model.loadings.T + np.diag(model.noise)
    for row, there, got in zip(x, ~hidden, filled, strict=True):
        known = covariance[np.ix_(there, there)]
        expected = model.mean + covariance[:, there] @ np.linalg.solve(
            known, (row - model.mean)[there]
        )
        np.testing.assert_allclose(got[~there], expected[~there], rtol=1e-9)
        np.testing.assert_array_equal(got[there], row[there])


def test_filler_finds_the_factors():
    rng = np.random.default_rng(0)
    loadings, noise = rng.normal(size=(8, 2)), rng.uniform(0.2, 0.5, 8)
    X = rng.normal(size=(5000, 2)) @ loadings.T
    X += noise**0.5 * rng.normal(size=X.shape)
    G, _ = with_gaps(X, 0.3)
    rows = Rows(G, *location_and_scale(G))
    model = GapFiller.fit(rows, torch.Generator().manual_seed(0))
    found = model.loadings @ model.loadings.T + np.diag(model.noise)
    truth = (loadings @ loadings.T + np.diag(noise)) / rows.scale**2
    assert np.abs(found - truth).max() < 0.1 * np.abs(truth).max()


def test_rows_are_filled_nearly_in_training():
    generator = torch.Generator().manual_seed(0)
    X = make_low_rank_matrix(400, 40, effective_rank=6, random_state=0)
    rows = Rows(G := with_gaps(X, 0.3)[0], *location_and_scale(G))
    filler = GapFiller.fit(rows, generator)
    x, _ = rows.batch(slice(400))
    exact, near = filler(x), filler(x, nearly=True)
    known = ~x.isnan()
    assert torch.equal(near[known], x[known])
    off = (near - exact)[~known].square().mean() / exact[~known].square().mean()
    assert off < 0.02


def test_columns_of_which_little_is_known_hide_no_factor():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3)) @ rng.normal(size=(3, 20))
    X += 0.3 * rng.normal(size=X.shape)
    G, hidden = with_gaps(X, 0.2)
    G[1:, :4] = np.nan
    rows = Rows(G, *location_and_scale(G))
    filler = GapFiller.fit(rows, torch.Generator().manual_seed(0))
    filled = filler(rows.batch(slice(600))[0]).numpy()
    off = (filled * rows.scale + rows.mean - X)[:, 4:][hidden[:, 4:]]
    assert (off**2).mean() < 0.1 * X[:, 4:].var()


@pytest.mark.filterwarnings("ignore:n_components=")
def test_columns_without_variance():
    X = np.array([[1.0, np.nan], [1.0, 2.0], [1.0, 2.0]])
    imputer = AutoencoderImputer(Autoencoder(1, corruption="gaps", **QUICK))
    assert (imputer.fit_transform(X) == [1, 2]).all()
    model = Autoencoder(1, corruption="gaps", max_iter=2).fit(np.ones((5, 3)))
    np.testing.assert_allclose(model.reconstruct(np.full((1, 3), np.nan)), 1)


def test_gaps_may_be_prepared_for_later(cancer):
    whole, G, _ = cancer
    model = Autoencoder(2, warm_start=True, **QUICK).fit(whole)
    with pytest.raises(ValueError, match="was fitted to rows without"):
        model.transform(G)
    codes = model.set_params(corruption="gaps").fit(whole).transform(G)
    assert np.isfinite(codes).all()


def test_location_and_scale_leave_gaps_out(cancer):
    _, G, _ = cancer
    G = 1000 + 3 * G
    mean, scale = location_and_scale(G)
    np.testing.assert_allclose(mean, np.nanmean(G, axis=0), rtol=1e-12)
    np.testing.assert_allclose(scale**2, np.nanvar(G, axis=0).mean(), rtol=1e-12)


@pytest.mark.parametrize("over_features", ["mean", "sum"])
def test_gaps_have_neither_loss_nor_gradient(over_features):
    objective = Objective(squared_error, over_features=over_features, has_gaps=True)
    reconstruction = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    target = torch.randn(4, 3, dtype=torch.float64)
    target[0] = torch.nan
    target[1, 2] = torch.nan
    output = Output(reconstruction, None, None, None)
    value = objective(None, None, target, output)
    value.backward()
    squares = (reconstruction - target).square()
    size = {"mean": 8, "sum": 4}[over_features]
    assert value.item() == pytest.approx(squares.nansum().item() / size)
    gaps = target.isnan()
    assert (reconstruction.grad[gaps] == 0).all()
    assert (reconstruction.grad[~gaps] != 0).all()


def test_gaps_are_made_as_other_rows_have_them():
    generator = torch.Generator().manual_seed(0)
    patterns = torch.tensor([[True, True, False, False], [False, False, False, True]])
    others = torch.ones(2, 4).masked_fill(patterns, torch.nan)
    hidden = make_gaps(torch.ones(2000, 4), 0.0, generator, others).isnan()
    first = hidden[:, 0]
    assert 0.45 < first.double().mean() < 0.55
    assert (hidden[first] == patterns[0]).all()
    assert (hidden[~first] == patterns[1]).all()
    alone = make_gaps(torch.ones(2000, 4), 0.3, generator)
    assert 0.27 < alone.isnan().double().mean() < 0.33


@pytest.mark.parametrize("n_rows", [300, 301])
def test_batches_are_shown_ahead_of_the_steps(n_rows, monkeypatch):
    monkeypatch.setattr("skae._rows.BLOCK", 100 * 4)
    X = np.random.RandomState(0).normal(size=(n_rows, 4))
    rows, shown = Rows(X, np.zeros(4), 1.0), []

    def show(x):
        shown.append(len(x))
        return -x

    generators = (torch.Generator().manual_seed(0) for _ in range(2))
    plain, ahead = (
        list(Batches(rows, 16, generator, how))
        for generator, how in zip(generators, (None, show), strict=True)
    )
    assert [len(x) for x, _, _ in ahead[:7]] == [16] * 7
    assert shown[0] == 96
    assert sum(shown) == n_rows
    for part in range(2):
        torch.testing.assert_close(
            torch.cat([batch[part] for batch in ahead]),
            torch.cat([batch[part] for batch in plain]),
        )
    assert all(torch.equal(x, -y) for x, _, y in ahead)


@pytest.mark.parametrize(
    "estimator",
    [
        Autoencoder(5, **QUICK),
        Autoencoder(5, corruption="gaps", **QUICK),
        Autoencoder(5, corruption="swap", **QUICK),
        Autoencoder(5, ordered=True, **QUICK),
        Autoencoder(5, tied_weights=True, solver="lbfgs", **QUICK),
        BinaryAutoencoder(16, max_iter=20, random_state=0),
        ContractiveAutoencoder(5, **QUICK),
        DenoisingAutoencoder(5, **QUICK),
        LinearAutoencoder(5),
        LinearAutoencoder(5, solver="adam", **QUICK),
        SparseAutoencoder(20, **QUICK),
        StackedAutoencoder(5, **QUICK),
        VariationalAutoencoder(5, **QUICK),
    ],
    ids=lambda e: f"{type(e).__name__}-{getattr(e, 'corruption', '')}-{e.solver}",
)
def test_rows_with_gaps_go_everywhere(estimator, cancer):
    X, G, hidden = cancer
    estimator.fit(G[:400])
    for method in ("transform", "reconstruct", "score_samples"):
        assert np.isfinite(getattr(estimator, method)(G[400:])).all()
    assert isinstance(estimator.score(G[400:]), float)
    off = (estimator.reconstruct(G[400:]) - X[400:])[hidden[400:]]
    assert (off**2).mean() < 1.0  # that of the columns' means
    whole = estimator.transform(X[400:])
    some = np.r_[X[400:450], G[450:]]
    np.testing.assert_allclose(estimator.transform(some)[:50], whole[:50], rtol=1e-9)


def test_rows_to_choose_by_may_have_gaps(cancer):
    _, G, _ = cancer
    for ordered in (False, True):
        model = Autoencoder(5, ordered=ordered, **QUICK).fit(G[:400], X_val=G[400:])
        assert model.best_validation_score_ > 0 < model.pca_score_
    with pytest.raises(ValueError, match=r"X_val contains NaN.*rows without"):
        Autoencoder(5).fit(np.nan_to_num(G), X_val=G)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gaps_are_taken_where_training_met_some(cancer, dtype):
    X = cancer[0][:100].astype(dtype)
    autoencoder = Autoencoder(3, **QUICK).fit(X)
    gappy = np.where(X > 1, np.nan, X)
    with pytest.raises(ValueError, match="X contains NaN, but Autoencoder was fitted"):
        autoencoder.transform(gappy)
    codes = autoencoder.set_params(corruption="gaps").fit(X).transform(gappy)
    assert codes.dtype == dtype
    assert np.isfinite(codes).all()


@pytest.mark.parametrize("convert", [np.asarray, csr_array])
def test_gaps_hide_no_value_out_of_range(cancer, convert):
    _, G, _ = cancer
    with pytest.raises(ValueError, match=r"needs X in \[0, 1\], but column 0 goes"):
        Autoencoder(2, loss="binary_cross_entropy", **QUICK).fit(convert(G))


def test_images_admit_no_gaps():
    images = np.random.default_rng(0).uniform(size=(10, 4, 4))
    images[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        ConvolutionalAutoencoder(2, **QUICK).fit(images)


def test_linear_rows_come_back():
    """Of rows of low rank little is left to guess."""
    X = make_low_rank_matrix(300, 20, effective_rank=2, tail_strength=0, random_state=0)
    G, hidden = with_gaps(X, 0.2)
    imputer = AutoencoderImputer(Autoencoder(20, corruption="gaps", **QUICK))
    filled = imputer.fit_transform(G)
    assert ((filled - X)[hidden] ** 2).mean() < 0.1 * X[hidden].var()


def test_new_rows_are_better_than_by_neighbours(cancer):
    X, G, hidden = cancer
    autoencoder = Autoencoder(30, corruption="gaps", max_iter=10, random_state=0)
    imputer = AutoencoderImputer(autoencoder).fit(G[:400])
    by_neighbours = KNNImputer().fit(G[:400]).transform(G[400:])
    off = [
        ((filled - X[400:])[hidden[400:]] ** 2).mean()
        for filled in (imputer.transform(G[400:]), by_neighbours)
    ]
    assert off[0] < 0.7 * off[1]


def test_known_values_stay_bit_by_bit():
    X = load_wine().data * 1e3 + 1e6
    G, hidden = with_gaps(X)
    imputer = AutoencoderImputer(Autoencoder(2, **QUICK)).fit(G)
    filled = imputer.transform(G)
    np.testing.assert_array_equal(filled[~hidden], X[~hidden])
    assert (filled >= np.nanmin(G, axis=0)).all()
    assert (filled <= np.nanmax(G, axis=0)).all()
    np.testing.assert_array_equal(imputer.transform(X), X)
    single = imputer.transform(G.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single[~hidden], X.astype(np.float32)[~hidden])


@pytest.mark.filterwarnings("ignore:Skipping features")
def test_imputer_is_a_drop_in():
    """Columns, names and indicators are those of `SimpleImputer`."""
    X, _ = with_gaps(load_wine().data[:, :4])
    X[:, 2] = np.nan
    frame = pd.DataFrame(X, columns=list("abcd"))
    for keep in (False, True):
        options = {"add_indicator": True, "keep_empty_features": keep}
        ours = AutoencoderImputer(Autoencoder(2, **QUICK), **options)
        theirs = SimpleImputer(**options)
        for imputer in (ours, theirs):
            imputer.set_output(transform="pandas")
        ours, theirs = ours.fit_transform(frame), theirs.fit_transform(frame)
        assert list(ours.columns) == list(theirs.columns)
        same = [name for name in ours if name not in ("a", "b", "d")]
        pd.testing.assert_frame_equal(ours[same], theirs[same])


def test_other_marks_of_gaps():
    X, hidden = with_gaps(load_wine().data)
    by_nan = AutoencoderImputer(Autoencoder(2, **QUICK)).fit_transform(X)
    marked = np.where(hidden, -1.0, X)
    imputer = AutoencoderImputer(Autoencoder(2, **QUICK), missing_values=-1)
    np.testing.assert_array_equal(imputer.fit_transform(marked), by_nan)


def test_nothing_known():
    """A row without a value gets what is expected of any, a column is refused."""
    X, _ = with_gaps(load_wine().data)
    X[0] = np.nan
    filled = AutoencoderImputer(Autoencoder(2, **QUICK)).fit_transform(X)
    assert np.isfinite(filled).all()
    X[:, 3] = np.nan
    with pytest.raises(ValueError, match="Column 3 of X has no value at all"):
        Autoencoder(2, **QUICK).fit(X)
    X[:] = np.nan
    empty = AutoencoderImputer(keep_empty_features=True).fit_transform(X)
    np.testing.assert_array_equal(empty, np.zeros_like(X))


def test_draws_have_the_conditional_distribution():
    """In the linear model that was fitted both moments are known."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 2)) @ rng.normal(size=(2, 5))
    G, gaps = with_gaps(X + 0.5 * rng.normal(size=X.shape), 0.2)
    model = VariationalAutoencoder(
        2, hidden_layer_sizes=(), n_importance_samples=1000, random_state=0
    ).fit(G)
    mean = model.inverse_transform(np.zeros((1, 2)))
    loadings = model.inverse_transform(np.eye(2)) - mean
    covariance = loadings.T @ loadings + model.noise_variance_ * np.eye(5)
    drawn = model.sample_gaps(G[:30], 300, random_state=0)
    assert (drawn == G[:30])[:, ~gaps[:30]].all()
    for row, hidden, draws in zip(G, gaps, drawn.swapaxes(0, 1), strict=False):
        if not hidden.any():
            continue
        known = covariance[np.ix_(~hidden, ~hidden)]
        weights = np.linalg.solve(known, covariance[np.ix_(~hidden, hidden)])
        left = covariance[np.ix_(hidden, hidden)]
        left = left - covariance[np.ix_(hidden, ~hidden)] @ weights
        expected = mean[0, hidden] + (row - mean[0])[~hidden] @ weights
        deviations = np.sqrt(np.diag(left))
        off = (draws[:, hidden].mean(axis=0) - expected) / deviations
        assert np.abs(off).max() < 0.3
        ratio = draws[:, hidden].std(axis=0) / deviations
        assert (ratio > 0.75).all() and (ratio < 1.25).all()


def test_several_imputations():
    X, hidden = with_gaps(load_wine().data)
    X[:, 4] = np.nan
    imputer = AutoencoderImputer(VariationalAutoencoder(2, **QUICK)).fit(X)
    filled = imputer.impute(X, 3, random_state=0)
    assert filled.shape == (3, 178, 12) and np.isfinite(filled).all()
    hidden = np.delete(hidden, 4, axis=1)
    assert (filled[0] == filled[1])[~hidden].all()
    assert (filled[0] != filled[1])[hidden].mean() > 0.9
    with pytest.raises(TypeError, match="VariationalAutoencoder, got Autoencoder"):
        AutoencoderImputer(Autoencoder(2, **QUICK)).fit(X).impute(X)


def test_indicator_where_output_is_polars():
    pytest.importorskip("polars")
    X = np.where(
        np.random.RandomState(0).rand(60, 4) < 0.2, np.nan, load_iris().data[:60]
    )
    imputer = AutoencoderImputer(Autoencoder(2, **QUICK), add_indicator=True)
    with config_context(transform_output="polars"):
        filled = imputer.fit_transform(X)
    assert filled.shape == (60, 8)
    model = AutoencoderImputer(VariationalAutoencoder(2, max_iter=2)).fit(X)
    with pytest.raises(ValueError, match="n_imputations must be a positive int"):
        model.impute(X, n_imputations=0)


def test_cells_far_away_leave_no_gap():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    X[rng.uniform(size=X.shape) < 0.2] = np.nan
    quick = Autoencoder(2, hidden_layer_sizes=8, max_iter=2, corruption="gaps")
    imputer = AutoencoderImputer(quick).fit(X)
    far = np.array([[1e38, np.nan, 1, 2]])
    assert np.isfinite(imputer.transform(far.astype(np.float32))).all()
    assert np.isfinite(imputer.transform(far * 1e270)).all()
    with pytest.raises(ValueError, match="too large to be squared"):
        AutoencoderImputer(quick).fit(X * [1e200, 1, 1, 1])


def test_binary_columns_and_a_bernoulli_model():
    rng = np.random.default_rng(0)
    X = (rng.uniform(size=(80, 5)) < 0.5).astype(float)
    X[rng.uniform(size=X.shape) < 0.2] = np.nan
    model = VariationalAutoencoder(2, likelihood="bernoulli", corruption="gaps")
    imputer = AutoencoderImputer(model.set_params(max_iter=2)).fit(X)
    filled = imputer.transform(X)
    assert filled.min() >= 0 and filled.max() <= 1
    drawn = imputer.impute(X, 3, random_state=0)
    assert drawn.shape == (3, *X.shape) and set(np.unique(drawn)) == {0.0, 1.0}


def test_several_fillings_where_nothing_is_known():
    X = np.full((5, 2), np.nan)
    imputer = AutoencoderImputer(VariationalAutoencoder(2), keep_empty_features=True)
    assert (imputer.fit(X).impute(X, 2) == 0).all()


def test_marks_in_another_precision():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)).astype(np.float32)
    X[:10, 0] = 0.1
    imputer = AutoencoderImputer(
        Autoencoder(1, hidden_layer_sizes=4, max_iter=2, corruption="gaps"),
        missing_values=np.float64(0.1),
    )
    assert (imputer.fit_transform(X)[:10, 0] != np.float32(0.1)).all()


def test_rows_to_watch_without_a_value():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 3))
    X[200:] = np.nan
    model = Autoencoder(2, max_iter=1, validation_fraction=0.001, random_state=0)
    with pytest.raises(ValueError, match="Raise validation_fraction"):
        model.fit(X)


@pytest.mark.filterwarnings("ignore:Rows kept out")  # or the same by chance
def test_scores_of_the_start_are_those_of_pca_however_uneven_gaps_are():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1600, 3)) @ rng.normal(size=(3, 12))
    X += 0.5 * rng.normal(size=X.shape)
    X[:800] *= 4
    X[:800][rng.random((800, 12)) < 0.8] = np.nan
    X = X[~np.isnan(X).all(axis=1)]
    model = Autoencoder(2, max_iter=1, learning_rate_init=1e-12, random_state=0).fit(X)
    assert model.best_validation_score_ == pytest.approx(model.pca_score_, abs=1e-5)


def test_rows_of_gaps_alone_have_no_score(cancer):
    G = cancer[1].copy()
    G[3] = np.nan
    scores = Autoencoder(2, **QUICK).fit(G).score_samples(G)
    assert np.flatnonzero(np.isnan(scores)).tolist() == [3]


@pytest.mark.filterwarnings("ignore:Rows kept out")
@pytest.mark.parametrize("params", [{}, {"corruption": "gaps"}, {"ordered": True}])
def test_pca_beside_the_network_has_not_seen_the_rows_kept_out(params):
    rng = np.random.default_rng(0)
    X = rng.standard_t(3, size=(90, 12)) @ rng.normal(size=(12, 12))
    X[rng.random(X.shape) < 0.4] = np.nan
    model = Autoencoder(6, max_iter=1, learning_rate_init=1e-12, random_state=0)
    model.set_params(**params).fit(X)
    assert model.best_validation_score_ == pytest.approx(model.pca_score_, abs=1e-5)


def test_frozen_autoencoders_are_refused(cancer):
    frozen = FrozenEstimator(Autoencoder(2, max_iter=1).fit(cancer[0]))
    with pytest.raises(ValueError, match="FrozenEstimator"):
        AutoencoderImputer(frozen).fit(cancer[0])


def test_seed_is_handed_to_an_autoencoder_without_one():
    X = np.random.RandomState(0).normal(size=(60, 4))
    X[::3, 1] = np.nan
    imputer = AutoencoderImputer(Autoencoder(2, **QUICK), random_state=0)
    np.testing.assert_array_equal(imputer.fit_transform(X), imputer.fit_transform(X))
    assert imputer.autoencoder_.random_state == 0
    imputer.set_params(autoencoder=VariationalAutoencoder())
    with pytest.raises(TypeError, match="impute needs autoencoder to be a Variational"):
        imputer.impute(X)


@pytest.mark.parametrize(
    "autoencoder",
    [Autoencoder(4), Autoencoder(2, hidden_layer_sizes=()), BinaryAutoencoder(3)],
)
def test_rows_without_gaps_prepare_for_those_to_come(cancer, autoencoder):
    X, holed, _ = cancer
    autoencoder = clone(autoencoder).set_params(**QUICK)
    model = AutoencoderImputer(autoencoder).fit(X[:300])
    filled = model.transform(holed[300:])
    off = np.abs(filled - X[300:]).mean()
    assert off < 0.8 * np.abs(np.nan_to_num(holed[300:]) - X[300:]).mean()
    # The network is the one without.
    plain = autoencoder.fit((X[:300] - model.mean_) / model.scale_).transform(X)
    np.testing.assert_array_equal(model.autoencoder_.transform(X), plain)
    again = pickle.loads(pickle.dumps(model)).transform(holed[300:])
    np.testing.assert_array_equal(again, filled)


class Means(BaseEstimator):
    """An autoencoder of somebody else's."""

    def fit(self, X):
        """Fit nothing."""
        return self

    def reconstruct(self, X):
        """Return zeros, the means of scaled columns."""
        return np.zeros_like(X)


def test_any_autoencoder_that_takes_gaps_will_do(cancer):
    _, holed, hidden = cancer
    filled = AutoencoderImputer(Means()).fit_transform(holed)
    means = np.broadcast_to(np.nanmean(holed, axis=0), holed.shape)
    np.testing.assert_allclose(filled[hidden], means[hidden])
    with pytest.raises(ValueError, match="rows with gaps, got ConvolutionalAuto"):
        AutoencoderImputer(ConvolutionalAutoencoder()).fit(holed)
