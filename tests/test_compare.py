"""Comparison with PCA: numbers against oracles, then the table and the picture."""

import builtins
import warnings
from html import escape

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import NMF, PCA, IncrementalPCA, KernelPCA, TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.manifold import trustworthiness
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

from skae import (
    BinaryAutoencoder,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
    StackedAutoencoder,
)
from skae._compare import compare

X, y = load_iris(return_X_y=True)
SVD = {"SVD": TruncatedSVD()}


def halves(X):
    """Two fixed folds, so that an oracle can repeat them."""
    return KFold(2).split(X)


class Mean(TransformerMixin, BaseEstimator):
    """Reconstructs the training mean: R² is 0."""

    def __init__(self, n_components=1, random_state=None):
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        return np.zeros((len(X), self.n_components))

    def inverse_transform(self, Z):
        return np.tile(self.mean_, (len(Z), 1))


def test_numbers_match_their_definitions():
    result = compare(X, y, estimators=SVD, n_components=2, cv=KFold(2, shuffle=False))
    for record in result.records:
        train, test = list(halves(X))[record["fold"]]
        pca = PCA(2).fit(X[train])
        estimator = pca if record["estimator"] == "PCA" else TruncatedSVD(2)
        code = estimator.fit(X[train]).transform(X[test])
        error = np.sum((X[test] - estimator.inverse_transform(code)) ** 2)
        pca_error = np.sum(
            (X[test] - pca.inverse_transform(pca.transform(X[test]))) ** 2
        )
        spread = np.sum((X[test] - X[train].mean(axis=0)) ** 2)
        assert record["r2"] == pytest.approx(1 - error / spread, rel=1e-6)
        assert record["error_vs_pca"] == pytest.approx(error / pca_error, rel=1e-6)
        expected = trustworthiness(X[test], code, n_neighbors=5)
        assert record["trustworthiness"] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("kind", ["accuracy", "r2_target"])
def test_score_is_that_of_a_linear_model_on_the_code(kind):
    linear = {"accuracy": LogisticRegression(max_iter=1000), "r2_target": Ridge()}[kind]
    target = y if kind == "accuracy" else X[:, 0] + 0.01 * y
    rows = np.random.RandomState(0).permutation(len(X))
    split = KFold(2)
    result = compare(X[rows], target[rows], n_components=1, cv=split, estimators=SVD)
    train, test = next(iter(split.split(X)))
    pca = PCA(1).fit(X[rows][train])
    model = make_pipeline(StandardScaler(), linear)
    model.fit(pca.transform(X[rows][train]), target[rows][train])
    expected = model.score(pca.transform(X[rows][test]), target[rows][test])
    assert result.records[0][kind] == pytest.approx(expected)


def test_folds_of_groups_are_given_as_pairs_of_rows():
    splits = list(GroupKFold(3).split(X, groups=np.arange(len(X)) % 7))
    result = compare(X, y, estimators=SVD, n_components=2, cv=splits)
    of_pca = [record for record in result.records if record["estimator"] == "PCA"]
    assert [record["fold"] for record in of_pca] == [0, 1, 2]
    for record, (train, test) in zip(of_pca, splits, strict=True):
        model = PCA(2).fit(X[train])
        restored = model.inverse_transform(model.transform(X[test]))
        spread = ((X[test] - X[train].mean(axis=0)) ** 2).sum()
        expected = 1 - ((X[test] - restored) ** 2).sum() / spread
        assert record["r2"] == pytest.approx(expected)


def test_table_is_the_mean_and_spread_of_the_folds():
    pandas = pytest.importorskip("pandas")
    result = compare(X, estimators=SVD, n_components=(1, 2))
    assert isinstance(result.table, pandas.DataFrame)
    assert list(result.table["estimator"]) == ["PCA", "SVD"] * 2
    assert list(result.table["n_components"]) == [1, 1, 2, 2]
    folds = [r["r2"] for r in result.records if r["estimator"] == "SVD"][:3]
    assert result.table["r2"][1] == pytest.approx(np.mean(folds))
    assert result.table["r2_std"][1] == pytest.approx(np.std(folds))
    assert "accuracy" not in result.table


def test_pca_beside_itself_is_one():
    result = compare(X, estimators={"again": PCA()}, n_components=(1, 2, 3))
    assert all(row["error_vs_pca"] == 1 for row in result.rows)


def test_the_mean_explains_nothing():
    result = compare(X, estimators={"mean": Mean()}, n_components=1)
    assert result.records[1]["r2"] == 0


def test_no_ratio_where_pca_leaves_no_error():
    flat = np.outer(np.arange(30.0), [1, 2, 3])
    result = compare(flat, estimators={"mean": Mean()}, n_components=1)
    assert np.isnan(result.rows[1]["error_vs_pca"])
    assert "nan" in str(result)
    assert result.summary == "Nothing was compared with PCA, or PCA left no error."


def test_same_seed_same_numbers_and_global_state_untouched():
    before = np.random.get_state()[1].copy()
    estimators = {
        "SVD": TruncatedSVD(),
        "NMF": NMF(max_iter=30, init="random", tol=0.1),
    }
    first, second = (
        compare(X, y, estimators=estimators, n_components=2, random_state=3)
        for _ in range(2)
    )
    for a, b in zip(first.records, second.records, strict=True):
        a, b = ({k: v for k, v in r.items() if "seconds" not in k} for r in (a, b))
        assert a == b
    np.testing.assert_array_equal(before, np.random.get_state()[1])
    other = compare(X, y, estimators=SVD, n_components=2, random_state=4)
    assert other.records[0]["r2"] != first.records[0]["r2"]


def test_arguments_stay_as_they_are():
    estimator, scaler = Mean(), StandardScaler()
    compare(X, estimators={"mean": estimator}, n_components=2, preprocessor=scaler)
    assert vars(estimator) == {"n_components": 1, "random_state": None}
    assert not hasattr(scaler, "mean_")


def test_a_seed_of_its_own_is_kept():
    seen = []

    class Seeded(Mean):
        def fit(self, X, y=None):
            seen.append(self.random_state)
            return super().fit(X)

    compare(X, estimators={"a": Seeded(random_state=7)}, n_components=1)
    assert seen == [7, 7, 7]
    compare(X, estimators={"a": Seeded()}, n_components=1)
    assert len(set(seen[3:])) == 3 and None not in seen[3:]


def test_preprocessor_learns_from_training_rows():
    split = KFold(2)
    result = compare(
        X, estimators=SVD, n_components=1, cv=split, preprocessor=StandardScaler()
    )
    train, test = next(iter(split.split(X)))
    scaler = StandardScaler().fit(X[train])
    Z_train, Z_test = scaler.transform(X[train]), scaler.transform(X[test])
    pca = PCA(1).fit(Z_train)
    error = np.sum((Z_test - pca.inverse_transform(pca.transform(Z_test))) ** 2)
    spread = np.sum((Z_test - Z_train.mean(axis=0)) ** 2)
    assert result.records[0]["r2"] == pytest.approx(1 - error / spread)


def test_pipelines_and_kernels_join():
    estimators = {
        "NMF": make_pipeline(
            MinMaxScaler(clip=True), NMF(init="nndsvda", max_iter=1000)
        ),
        "kernel": KernelPCA(fit_inverse_transform=True),
    }
    result = compare(X, y, estimators=estimators, n_components=2)
    assert result.names == ["PCA", "NMF", "kernel"]
    assert all(row["error_vs_pca"] > 0.9 for row in result.rows)


def test_own_yardstick_is_taken():
    pca = {"PCA": IncrementalPCA(batch_size=10), "exact": PCA()}
    result = compare(X, estimators=pca, n_components=2)
    assert result.names == ["PCA", "exact"]
    assert result.rows[0]["error_vs_pca"] == 1
    assert result.rows[1]["error_vs_pca"] != 1


def test_own_predictor_decides_the_task():
    forest = RandomForestClassifier(5, random_state=0)
    assert compare(X, y, estimators=SVD, n_components=2).score_name == "accuracy"
    classified = compare(X, y, estimators=SVD, n_components=2, predictor=forest)
    assert classified.score_name == "accuracy"
    regressed = compare(X, y, estimators=SVD, n_components=2, predictor=Ridge())
    assert regressed.score_name == "r2_target"


def test_whole_numbers_with_many_values_are_a_quantity():
    X, y = load_diabetes(return_X_y=True)
    assert np.array_equal(y, y.round())
    with pytest.warns(UserWarning, match="n_components dropped: 16"):
        assert compare(X, y, estimators=SVD).score_name == "r2_target"


def test_text_labels_and_series():
    pandas = pytest.importorskip("pandas")
    names = pandas.Series(np.array(["a", "b", "c"])[y], name="kind")
    result = compare(X, names, estimators=SVD, n_components=2)
    assert result.score_name == "accuracy" and result.y_name == "kind"


def test_frames_reach_the_preprocessor():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=list("abcd"))
    arguments = {"estimators": SVD, "n_components": 2, "preprocessor": StandardScaler()}
    of_frame, of_array = compare(frame, **arguments), compare(X, **arguments)
    for one, other in zip(of_frame.rows, of_array.rows, strict=True):
        assert one["r2"] == pytest.approx(other["r2"])


def test_too_large_sizes_are_dropped_aloud():
    with pytest.warns(UserWarning, match=r"n_components dropped: 4, 9 .* at most 3"):
        result = compare(X, estimators=SVD, n_components=(9, 2, 4))
    assert result.sizes == [2]


def test_few_rows_limit_the_size_too():
    with pytest.warns(UserWarning, match="at most 1"):
        compare(X[::30], estimators=SVD, n_components=(1, 2), cv=2, random_state=1)


class NoInverse(TransformerMixin, BaseEstimator):
    def __init__(self, n_components=1):
        self.n_components = n_components

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[:, : self.n_components]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"estimators": {"cut": NoInverse()}}, r"\['cut'\].*without inverse_transform"),
        ({"estimators": {"s": StandardScaler()}}, "exactly one n_components.*got none"),
        ({"estimators": {"two": make_pipeline(PCA(), PCA())}}, "pca-1__n_components"),
        ({"estimators": [PCA()]}, "estimators must be a dict"),
        ({"estimators": {}}, "estimators must be a dict"),
        ({"n_components": 0}, "n_components must be a positive int"),
        ({"n_components": ()}, "n_components must be a positive int"),
        ({"n_components": 1.5}, "n_components must be a positive int"),
        ({"n_components": 4}, "n_components must be below.*at most 3, got 4"),
        (
            {"cv": 1},
            "cv must be a number of folds between 2 and that of rows, 150, got 1",
        ),
        (
            {"cv": 151},
            "cv must be a number of folds between 2 and that of rows, 150, got 151",
        ),
        ({"cv": []}, "cv must be an int, a splitter or pairs"),
        ({"cv": [1, 2]}, "cv must be an int, a splitter or pairs"),
        ({"cv": "x"}, "cv must be an int, a splitter or pairs .* got 'x'"),
        ({"cv": 51, "y": y}, "rows of the most frequent label in y, 50, got 51"),
        ({"predictor": Ridge()}, "predictor needs y"),
        ({"predictor": Ridge(), "y": ["a", "b"] * 75}, "y must hold numbers.*got 'a'"),
        ({"y": y[:9]}, "inconsistent numbers of samples"),
        ({"X": np.full((9, 3), np.nan)}, "Input X contains NaN"),
    ],
)
def test_errors_name_the_parameter(arguments, message):
    arguments = {"X": X, "n_components": 2, "estimators": SVD} | arguments
    with pytest.raises(ValueError, match=message):
        compare(**arguments)


def test_a_failing_estimator_is_named():
    with pytest.raises(ValueError, match="Negative values") as caught:
        compare(-X, estimators={"parts": NMF()}, n_components=2)
    assert caught.value.__notes__ == ["This was 'parts' with n_components=2."]


def test_a_reconstruction_of_another_shape_is_refused():
    class Short(Mean):
        def inverse_transform(self, Z):
            return super().inverse_transform(Z)[:, :2]

    with pytest.raises(
        ValueError, match=r"shape of the data, \(50, 4\), got \(50, 2\)"
    ):
        compare(X, estimators={"short": Short()}, n_components=1)


def test_table_without_pandas(monkeypatch):
    result = compare(X, estimators=SVD, n_components=2)
    hide(monkeypatch, "pandas")
    assert result.table == result.rows
    assert "SVD" in result._repr_html_()


def test_plot_without_matplotlib_says_what_to_install(monkeypatch):
    result = compare(X, estimators=SVD, n_components=2)
    hide(monkeypatch, "matplotlib")
    with pytest.raises(ImportError, match=r'pip install "skae\[compare\]"'):
        result.plot()


def hide(monkeypatch, package):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)


def test_verbose_prints_the_rows_of_the_text_table(capsys):
    result = compare(X, y, estimators=SVD, n_components=(1, 2), verbose=1)
    printed = capsys.readouterr()
    assert printed.out == f"{result}\n"
    assert printed.err == ""
    assert repr(result) == str(result)
    assert len({len(line) for line in str(result).splitlines()}) == 1


def test_names_are_escaped_in_html():
    result = compare(X, estimators={"<b>": PCA()}, n_components=1)
    html = result._repr_html_()
    assert "&lt;b&gt;" in html and "<b>" not in html


TARGETS = {
    "none": None,
    "labels": y,
    "long": np.array(["_lo$ng", "an$other", "third one"])[y],
    "many": np.array([f"label {i % 15}" for i in range(150)]),
    "numbers": X[:, 3] + 0.001 * np.arange(150),
}


@pytest.mark.parametrize("target", TARGETS)
def test_plot_draws_every_kind_of_target(target):
    figures = pytest.importorskip("matplotlib.figure")
    estimators = {"mean_$1$": Mean(), "_SVD": TruncatedSVD(), "_twice_$": PCA()}
    result = compare(X, TARGETS[target], estimators=estimators, n_components=(1, 2))
    figure = figures.Figure(layout="constrained", figsize=(11, 9))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert result.plot(figure) is result
        figure.canvas.draw()
    assert result.figure_ is figure
    assert len(result.axes_) == 2 + 3
    names = [text.get_text().strip() for text in figure.legends[0].get_texts()]
    assert names == ["PCA", r"mean_\$1\$", "_SVD", r"_twice_\$"]


def test_plot_makes_a_figure_and_leaves_the_style_alone():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    before = dict(pyplot.rcParams)
    result = compare(X, estimators=SVD, n_components=1).plot()
    assert dict(pyplot.rcParams) == before
    assert len(result.axes_) == 2  # no codes of size 2 to draw
    pyplot.close(result.figure_)


def test_page_needs_no_other_file(tmp_path):
    pytest.importorskip("matplotlib")
    result = compare(X, y, estimators=SVD, n_components=2)
    path = tmp_path / "page.html"
    page = result.to_html(path, title="A & B", notes=["gaps <filled>"])
    assert path.read_text(encoding="utf-8") == page
    assert "A &amp; B" in page and "gaps &lt;filled&gt;" in page
    assert "data:image/png;base64," in page and "http" not in page
    assert "Accuracy is that of" in page and escape(result.summary) in page


def test_missing_targets_are_refused():
    names = y.astype(object)
    for gap in (None, np.nan):
        names[::7] = gap
        with pytest.raises(ValueError, match="y is missing in 22 of 150 rows"):
            compare(X, names, n_components=2)


def test_numbers_among_objects_are_numbers():
    result = compare(X, X[:, 0].astype(object), n_components=2, estimators=SVD, cv=2)
    assert "r2_target" in result.rows[0]


def test_no_seed_leaves_the_global_state(monkeypatch):
    before = np.random.get_state()[1].copy()
    compare(X, n_components=2, estimators=SVD, cv=2, random_state=None)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_rounding_beats_nobody():
    result = compare(X, estimators={"other": PCA()}, n_components=2, cv=2)
    for record in result.records:
        if record["estimator"] == "other":
            record["error_vs_pca"] = 1 - 1e-9
    assert result.summary.startswith("Nothing beat PCA")


def test_codes_of_all_kinds_and_stacks_in_pipelines():
    X = load_iris().data
    estimators = {
        "sparse": SparseAutoencoder(sparsity="l1", sparse_output=True, max_iter=2),
        "bits": BinaryAutoencoder(packed=True, max_iter=2),
        "stack": make_pipeline(
            StandardScaler(), StackedAutoencoder(layer=DenoisingAutoencoder(max_iter=2))
        ),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = compare(X, estimators=estimators, n_components=2, cv=2)
    assert "bits" not in result.codes and {"sparse", "stack"} < set(result.codes)
    assert result.to_html()


@pytest.mark.parametrize("wrong", [{"PCA": PCA}, {1: PCA()}])
def test_estimators_that_are_classes_or_have_no_name(wrong):
    with pytest.raises(ValueError, match="a dict of str to instances"):
        compare(load_iris().data, estimators=wrong, n_components=2)


def test_preprocessed_small_integers_are_numbers():
    X = np.random.default_rng(0).integers(0, 16, size=(60, 16), dtype=np.uint8)
    conv = ConvolutionalAutoencoder(2, image_shape=(4, 4), channels=2, max_iter=1)
    conv.set_params(early_stopping=False)
    found = [
        compare(X, estimators={"conv": conv}, n_components=2, preprocessor=given)
        for given in (None, FunctionTransformer())
    ]
    one, other = (result.rows[1]["error_vs_pca"] for result in found)
    assert one == pytest.approx(other, rel=1e-6)


def test_sparse_preprocessors_join():
    frame = pytest.importorskip("pandas").DataFrame({"a": list("uvwxyz") * 20})
    result = compare(
        frame, estimators={"PCA": PCA()}, n_components=2, preprocessor=OneHotEncoder()
    )
    assert 0.2 < result.rows[0]["r2"] < 0.7


def test_of_errors_that_look_alike_the_first_is_marked():
    result = compare(X, estimators={"again": PCA(svd_solver="arpack")}, n_components=2)
    for record in result.records:
        record["error_vs_pca"] -= 1e-9 * (record["estimator"] == "again")
    html = result._repr_html_()
    line = next(part for part in html.split("<tr") if 'class="best"' in part)
    assert "again" not in line


def test_long_names_and_labels_are_cut():
    names = [f"an estimator with a rather long name, number {i}" for i in range(4)]
    labels = np.array([f"a label that is long, number {i}" for i in range(3)])[y]
    estimators = dict.fromkeys(names, PCA())
    pytest.importorskip("matplotlib")
    result = compare(X, labels, estimators=estimators, n_components=2).plot()
    figure = result.figure_
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    widths = [ax.get_window_extent().width for ax in figure.axes[2:5]]
    assert min(widths) > 0.15 * figure.bbox.width
