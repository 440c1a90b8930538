"""Metrics against scikit-image and by hand; scorers in searches with PCA in them."""

import pickle
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.decomposition import NMF, PCA, KernelPCA
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler

from skae import Autoencoder, ConvolutionalAutoencoder
from skae.metrics import (
    neg_reconstruction_error_scorer,
    peak_signal_noise_ratio,
    reconstruction_r2_scorer,
    structural_similarity,
)

reference = pytest.importorskip("skimage.metrics")
METRICS = [peak_signal_noise_ratio, structural_similarity]
SCORERS = [neg_reconstruction_error_scorer, reconstruction_r2_scorer]
every_metric = pytest.mark.parametrize("metric", METRICS)
every_scorer = pytest.mark.parametrize("scorer", SCORERS)


@pytest.fixture(scope="module")
def X():
    return load_digits().data[:300]


@pytest.fixture(scope="module")
def images():
    """Return five colour images of 9 x 12 pixels, and noisy ones."""
    rng = np.random.RandomState(0)
    clean = rng.uniform(size=(5, 9, 12, 3))
    return clean, clean + rng.normal(scale=0.2, size=clean.shape)


def test_psnr_by_hand():
    X = np.zeros((2, 4))
    assert peak_signal_noise_ratio(X, X + 0.1) == pytest.approx(20)
    assert peak_signal_noise_ratio(X, X + 0.1, data_range=10) == pytest.approx(40)
    one_pixel = X.copy()
    one_pixel[0, 0] = 0.8
    assert peak_signal_noise_ratio(X, one_pixel) == pytest.approx(
        -10 * np.log10(0.64 / 8)
    )
    assert peak_signal_noise_ratio(X, X) == np.inf


def test_psnr_is_scikit_images(images):
    expected = reference.peak_signal_noise_ratio(*images, data_range=1)
    assert peak_signal_noise_ratio(*images) == pytest.approx(expected)


def test_ssim_is_scikit_images(images):
    expected = [
        reference.structural_similarity(x, y, data_range=1, win_size=5, channel_axis=2)
        for x, y in zip(*images, strict=True)
    ]
    found = structural_similarity(*images, win_size=5)
    assert found == pytest.approx(np.mean(expected), abs=1e-12)


def test_ssim_of_one_window_by_hand():
    x, y = np.random.RandomState(0).uniform(size=(2, 7, 7))
    covariance = np.cov(x.ravel(), y.ravel())
    c1, c2 = 0.01**2, 0.03**2
    expected = (2 * x.mean() * y.mean() + c1) * (2 * covariance[0, 1] + c2)
    expected /= x.mean() ** 2 + y.mean() ** 2 + c1
    expected /= covariance[0, 0] + covariance[1, 1] + c2
    assert structural_similarity(x[None], y[None]) == pytest.approx(expected)


def test_rows_are_images_with_a_shape(images):
    rows = [X.reshape(len(X), -1) for X in images]
    assert structural_similarity(*rows, image_shape=(9, 12, 3)) == (
        structural_similarity(*images)
    )
    grey = [X[..., 0] for X in images]
    channel = [X[..., :1] for X in images]
    assert structural_similarity(*grey) == structural_similarity(*channel)
    rows = [X.reshape(len(X), -1) for X in grey]
    assert structural_similarity(*rows, image_shape=(9, 12)) == (
        structural_similarity(*grey)
    )


@every_metric
def test_integers_are_measured_in_their_range(metric, images):
    bytes_ = [np.clip(255 * X, 0, 255).astype(np.uint8) for X in images]
    floats = [X / 255 for X in bytes_]
    assert metric(*bytes_) == pytest.approx(metric(*floats))
    assert metric(*bytes_, data_range=510) != pytest.approx(metric(*bytes_))


@every_metric
def test_an_unknown_range_is_refused(metric, images):
    clean, noisy = images
    with pytest.raises(ValueError, match=r"data_range must be given.*to 1[0-9]\."):
        metric(16 * clean, 16 * noisy)
    assert metric(16 * clean, 16 * noisy, data_range=16) == pytest.approx(
        metric(clean, noisy)
    )
    pixels = (255 * clean).astype(np.uint8)
    with pytest.raises(ValueError, match=r"data_range .* uint8 .* float64"):
        metric(pixels, noisy)
    with pytest.raises(ValueError, match=r"data_range must be in \(0, inf\), got 0"):
        metric(clean, noisy, data_range=0)


@every_metric
def test_bad_images_are_named(metric, images):
    clean, noisy = images
    with pytest.raises(ValueError, match=r"\(5, 9, 12, 3\) and \(4, 9, 12, 3\)"):
        metric(clean, noisy[:4])
    with pytest.raises(ValueError, match="and entries"):
        metric(clean[:0], noisy[:0])
    broken = noisy.copy()
    broken[2, 3, 4, 1] = np.nan
    with pytest.raises(ValueError, match="X_pred has entries that are NaN"):
        metric(clean, broken)


def test_bad_shapes_for_ssim_are_named(images):
    clean, noisy = images
    rows = clean.reshape(5, -1), noisy.reshape(5, -1)
    with pytest.raises(ValueError, match=r"rows with image_shape, got \(5, 324\)"):
        structural_similarity(*rows)
    with pytest.raises(ValueError, match=r"the 324 pixels of X_true, got \(9, 12\)"):
        structural_similarity(*rows, image_shape=(9, 12))
    for win_size in (11, 4, 1):
        with pytest.raises(ValueError, match=rf"win_size .*\(9, 12, 3\), .*{win_size}"):
            structural_similarity(clean, noisy, win_size=win_size)


def test_ssim_says_what_to_install(images, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ImportError, match=r"pip install 'skae\[images\]'"):
        structural_similarity(*images)


@pytest.mark.parametrize(
    "estimator",
    [
        PCA(3),
        NMF(3, init="nndsvda", tol=0.1),
        make_pipeline(StandardScaler(), PCA(3)),
        Autoencoder(3, max_iter=5, random_state=0),
        make_pipeline(StandardScaler(), Autoencoder(3, max_iter=5, random_state=0)),
    ],
    ids=["PCA", "NMF", "scaled PCA", "Autoencoder", "scaled Autoencoder"],
)
@pytest.mark.filterwarnings("ignore:Rows kept out of training:UserWarning")
def test_scorers_are_scikit_learns_metrics(estimator, X):
    estimator.fit(X[:200])
    held_out = X[200:]
    restored = estimator.inverse_transform(estimator.transform(held_out))
    error = mean_squared_error(held_out, restored)
    explained = (
        1
        - ((held_out - restored) ** 2).sum()
        / ((held_out - held_out.mean(axis=0)) ** 2).sum()
    )
    found = neg_reconstruction_error_scorer(estimator, held_out)
    assert found == pytest.approx(-error)
    found = reconstruction_r2_scorer(estimator, held_out)
    assert found == pytest.approx(explained)
    assert type(found) is float


def test_r2_weighs_columns_by_their_variance(X):
    pca, columns = PCA(3).fit(X), X.std(axis=0) > 0
    restored = pca.inverse_transform(pca.transform(X))
    expected = r2_score(
        X[:, columns], restored[:, columns], multioutput="variance_weighted"
    )
    assert reconstruction_r2_scorer(pca, X) == pytest.approx(expected)
    assert reconstruction_r2_scorer(pca, X) == pytest.approx(
        pca.explained_variance_ratio_.sum()
    )


def test_r2_of_rows_that_are_all_alike():
    X = np.random.RandomState(0).normal(size=(9, 3))
    same = np.tile(X[0], (4, 1))
    assert reconstruction_r2_scorer(FunctionTransformer().fit(X), same) == 1
    assert reconstruction_r2_scorer(PCA(1).fit(X), same) == 0


@every_scorer
def test_search_with_pca_in_the_grid(scorer, X):
    # Scaled columns would be judged in other proportions than they are learnt in.
    centre = StandardScaler(with_std=False)
    pipeline = Pipeline([("centre", centre), ("reduce", PCA())])
    models = [PCA(4), Autoencoder(4, max_iter=20, random_state=0)]
    grid = [
        {"reduce": models},
        {"reduce": [PCA()], "reduce__n_components": [1, 64]},
    ]
    search = GridSearchCV(pipeline, grid, scoring=scorer, cv=2, error_score="raise")
    search.fit(X)
    by_pca, by_network, worst, best = search.cv_results_["mean_test_score"]
    assert worst < by_pca < by_network < best
    assert search.best_params_["reduce__n_components"] == 64
    assert scorer(search, X) == pytest.approx(search.score(X))


@every_scorer
def test_scorers_go_to_other_processes(scorer, X):
    assert pickle.loads(pickle.dumps(scorer)) is scorer
    scores = cross_val_score(PCA(2), X, scoring=scorer, cv=2)
    expected = [
        scorer(PCA(2).fit(X[150:]), X[:150]),
        scorer(PCA(2).fit(X[:150]), X[150:]),
    ]
    np.testing.assert_allclose(scores, expected)


@every_scorer
def test_sparse_rows_and_frames(scorer, X):
    pandas = pytest.importorskip("pandas")
    pipeline = make_pipeline(MaxAbsScaler(), Autoencoder(3, random_state=0, max_iter=1))
    kept = sparse.csr_matrix(X)
    pipeline.fit(X)
    assert scorer(pipeline, kept) == pytest.approx(scorer(pipeline, X))
    identity = MaxAbsScaler().fit(kept)
    assert scorer(identity, kept) == pytest.approx(scorer(identity, X))
    frame = pandas.DataFrame(X).add_prefix("pixel_")
    pca = PCA(3).fit(frame)
    expected = scorer(PCA(3).fit(X), X)
    assert scorer(pca.set_output(transform="pandas"), frame) == pytest.approx(expected)


@every_scorer
def test_images_are_scored_as_their_rows(scorer, X):
    images = X.reshape(-1, 8, 8) / 16
    model = ConvolutionalAutoencoder(
        3, channels=4, init="random", max_iter=2, random_state=0
    )
    by_rows = scorer(model.set_params(image_shape=(8, 8)).fit(X / 16), X / 16)
    assert scorer(model.fit(images), images) == pytest.approx(by_rows, rel=1e-3)


@every_scorer
def test_what_cannot_be_scored_is_named(scorer, X):
    for model in (StandardScaler, KernelPCA):
        assert np.isfinite(scorer(model(**_invertible(model)).fit(X), X))
    nothing = make_pipeline(PCA(2), FunctionTransformer(np.square))
    nothing.steps.append(("last", _OneWay()))
    with pytest.raises(TypeError, match="Pipeline has no inverse_transform"):
        scorer(nothing.fit(X), X)
    with pytest.raises(TypeError, match="_OneWay has no inverse_transform"):
        scorer(_OneWay(), X)
    cut = FunctionTransformer(inverse_func=lambda X: X[:, :3], check_inverse=False)
    with pytest.raises(
        ValueError, match=r"reconstruction .*\(300, 64\) and \(300, 3\)"
    ):
        scorer(cut.fit(X), X)
    gone = FunctionTransformer(inverse_func=np.log, check_inverse=False)
    with (
        pytest.warns(RuntimeWarning, match="divide by zero"),
        pytest.raises(ValueError, match="its reconstruction has entries that are NaN"),
    ):
        scorer(gone.fit(X), X)
    with pytest.raises(ValueError, match=r"X must be of floats, got uint8"):
        scorer(PCA(2).fit(X), X.astype(np.uint8))


def _invertible(model):
    return (
        {"n_components": 2, "fit_inverse_transform": True}
        if (model is KernelPCA)
        else {}
    )


class _OneWay(FunctionTransformer):
    inverse_transform = property()


def test_bytes_beside_floats_need_a_range():
    pixels = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    with pytest.raises(ValueError, match="data_range must be given"):
        peak_signal_noise_ratio(pixels / 255, pixels)
    with pytest.raises(ValueError, match="but image_shape is"):
        structural_similarity(pixels, pixels, image_shape=(4, 16))
    grey = structural_similarity(
        pixels[..., None], pixels[..., None], image_shape=(8, 8)
    )
    assert grey == 1


def test_r2_of_rows_that_are_alike_but_for_rounding():
    model = PCA(1).fit(load_digits().data[:20, :3])
    assert reconstruction_r2_scorer(model, np.full((10, 3), 0.1)) == 0.0


def test_sparse_rows_and_other_orders_of_bytes(images):
    rows = images[0].reshape(5, -1)
    half = peak_signal_noise_ratio(rows, rows / 2)
    assert peak_signal_noise_ratio(sparse.csr_array(rows), rows / 2) == half
    big, little = (rows * 9).astype(">u2"), (rows * 8).astype("<u2")
    native = peak_signal_noise_ratio(big.astype("u2"), little.astype("u2"))
    assert peak_signal_noise_ratio(big, little) == native
    with pytest.raises(ValueError, match="must be real, got complex"):
        peak_signal_noise_ratio(rows.astype(complex), rows)
