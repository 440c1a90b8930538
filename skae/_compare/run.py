"""Run a comparison: every estimator, code size and fold."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import column_or_1d

from skae._checks import is_missing
from skae._compare.measure import configure, measure, prepare
from skae._compare.result import Comparison, Printer

PREDICTORS = {
    "classification": LogisticRegression(max_iter=1000),
    "regression": Ridge(),
}
MAX_LABELS = 20  # integers with more distinct values than this are a quantity


def compare(
    X,
    y=None,
    *,
    estimators=None,
    n_components=(2, 8, 16),
    cv=3,
    preprocessor=None,
    predictor=None,
    random_state=0,
    verbose=0,
):
    """Compare autoencoders with PCA on held-out rows, over code sizes and folds.

    Every estimator is fitted on the training rows of each fold and judged on the
    rows left out: how much of them its reconstruction explains, how much error it
    leaves beside PCA, what a linear model can read from the code, and whether
    neighbours in the code are neighbours in the data.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows to compress. Anything `preprocessor` accepts, where one is given:
        without one neither gaps nor categories, and images as rows.
    y : array-like of shape (n_samples,), default=None
        Labels or numbers that a linear model predicts from the code. Text, booleans
        and whole numbers with at most 20 distinct values are labels.
    estimators : dict of str to estimator, default=None
        Transformers with `inverse_transform` and one `n_components` parameter, their
        own or that of a pipeline step. None compares `Autoencoder()`. The entry named
        "PCA" is the yardstick; a plain `PCA()` is added where there is none.
    n_components : int or sequence of int, default=(2, 8, 16)
        Code sizes. Those that leave PCA no error by construction, not below the
        number of columns and of training rows, are dropped with a warning.
    cv : int, cross-validation splitter or list of pairs, default=3
        Number of shuffled folds, stratified where `y` holds labels; a splitter that
        needs no groups; or pairs of indices of training and test rows, as
        ``list(GroupKFold().split(X, groups=groups))``.
    preprocessor : transformer, default=None
        Fitted on the training rows of each fold; all errors are measured in the space
        it produces. None takes `X` as it is.
    predictor : estimator, default=None
        Classifier or regressor scored on the code. None takes logistic regression
        for labels and ridge regression for numbers, on the standardised code.
    random_state : int, RandomState instance or None, default=0
        Decides the folds, and seeds each estimator whose own `random_state` is None.
    verbose : int, default=0
        1 prints each row of the table once it is known, and shows a progress bar
        where standard error is a terminal.

    Returns
    -------
    Comparison
        Its `table`, `records`, `plot` and `to_html` hold, draw and write the result.

    See Also
    --------
    sklearn.decomposition.PCA : The yardstick.
    sklearn.manifold.trustworthiness : Agreement of neighbours in code and data.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import NMF
    >>> from skae import compare
    >>> X, y = load_iris(return_X_y=True)
    >>> nmf = NMF(init="nndsvda", max_iter=2000)
    >>> result = compare(X, y, estimators={"NMF": nmf}, n_components=2)
    >>> for row in result.rows:
    ...     print(f"{row['estimator']} {row['r2']:.2f} {row['accuracy']:.2f}")
    PCA 0.98 0.94
    NMF 0.98 0.97
    """
    estimators = _check_estimators(estimators)
    y_name = str(getattr(y, "name", None) or "y")
    X, y = _check_data(X, y, preprocessor)
    predictor = _check_predictor(predictor, y)
    # None would be NumPy's global state, which a draw would change.
    rng = np.random.RandomState() if random_state is None else random_state
    rng = check_random_state(rng)
    score_name = _score_name(predictor)
    splits = _split(X, y, cv, score_name == "accuracy", rng)
    seeds = rng.randint(2**31 - 1, size=len(splits))

    def folds():  # prepared anew for each size, so that one copy is held at a time
        for number, (split, seed) in enumerate(zip(splits, seeds, strict=True)):
            yield prepare(number, X, y, split, preprocessor, int(seed))

    sizes = _check_sizes(n_components, folds())
    result = Comparison([], list(estimators), sizes, len(splits), score_name)
    result.y_name = y_name
    with Printer(result, verbose) as printer:
        for size in sizes:
            for fold in folds():
                for record in _measure_all(estimators, size, fold, predictor, result):
                    result.records.append(record)
                    printer.advance()
            printer.rows(size)
    return result


def _measure_all(estimators, size, fold, predictor, result):
    """Yield one record an estimator; PCA comes first, as the others need its error."""
    pca_error = None
    for name, estimator in estimators.items():
        estimator = configure(name, estimator, size, fold.seed)
        try:
            record, code = measure(estimator, fold)
            if predictor is not None:
                score = clone(predictor).fit(code.train, fold.y_train)
                record[result.score_name] = float(score.score(code.test, fold.y_test))
        except Exception as error:
            error.add_note(f"This was {name!r} with n_components={size}.")
            raise
        pca_error = record["mse"] if pca_error is None else pca_error
        # Where PCA leaves nothing but rounding, a ratio to it says nothing.
        exact = pca_error <= 1e-12 * record["mse_of_mean"]
        record["error_vs_pca"] = np.nan if exact else record["mse"] / pca_error
        if size == 2 and fold.number == 0 and code.test.shape[1] == 2:
            result.codes[name], result.code_y = code.test, fold.y_test
        head = {"estimator": name, "n_components": size, "fold": fold.number}
        yield head | record


def _split(X, y, cv, stratify, rng):
    if isinstance(cv, Integral):
        largest = np.unique(y, return_counts=True)[1].max() if stratify else X.shape[0]
        if stratify and largest < 2:
            raise ValueError("No label of y occurs twice: it has no classes to learn.")
        if not 2 <= cv <= largest:
            what = "rows of the most frequent label in y" if stratify else "rows"
            raise ValueError(
                f"cv must be a number of folds between 2 and that of {what}, "
                f"{largest}, got {cv}."
            )
        kind = StratifiedKFold if stratify else KFold
        cv = kind(cv, shuffle=True, random_state=rng.randint(2**31 - 1))
    elif not hasattr(cv, "get_n_splits") and not _are_pairs(cv):
        raise ValueError(
            f"cv must be an int, a splitter or pairs of training and test rows, got "
            f"{cv!r}."
        )
    return list(check_cv(cv).split(X, y))


def _are_pairs(cv):
    pairs = isinstance(cv, list | tuple) and len(cv) > 0
    return pairs and all(isinstance(p, list | tuple) and len(p) == 2 for p in cv)


def _check_estimators(estimators):
    if estimators is None:
        from skae import Autoencoder  # the package imports this module

        estimators = {"Autoencoder": Autoencoder()}
    if not isinstance(estimators, dict) or not estimators:
        raise ValueError(
            f"estimators must be a dict of name to estimator, got {estimators!r}."
        )
    for name, estimator in estimators.items():
        if not isinstance(name, str) or isinstance(estimator, type):
            raise ValueError(
                "estimators must be a dict of str to instances, got "
                f"{name!r}: {estimator!r}."
            )
        lacks = [
            method
            for method in ("get_params", "fit", "transform", "inverse_transform")
            if not hasattr(estimator, method)
        ]
        if lacks:
            raise ValueError(
                f"estimators[{name!r}] must have fit, transform and inverse_transform, "
                f"got {type(estimator).__name__} without {' and '.join(lacks)}."
            )
    return {"PCA": estimators.get("PCA", PCA())} | estimators


def _check_data(X, y, preprocessor):
    if preprocessor is None:
        try:
            X = check_array(X, dtype=[np.float64, np.float32], input_name="X")
        except ValueError as error:
            if any(word in str(error) for word in ("NaN", "dim", "convert")):
                error.add_note(
                    "Without a preprocessor, X must be rows of numbers without gaps: "
                    "give one, such as SimpleImputer(), or reshape images to rows."
                )
            raise
    elif not hasattr(X, "shape"):
        X = np.asarray(X)
    if y is not None:
        y = column_or_1d(y)
        check_consistent_length(X, y)
        unknown = np.array([is_missing(value) for value in y])
        if unknown.any():
            raise ValueError(
                f"y is missing in {unknown.sum()} of {len(y)} rows. Leave them out."
            )
        if y.dtype.kind == "O":
            numbers = all(isinstance(value, Real) for value in y)
            y = y.astype(float if numbers else str)
    return X, y


def _check_predictor(predictor, y):
    if y is None:
        if predictor is not None:
            raise ValueError(f"predictor needs y, got y=None with {predictor!r}.")
        return None
    if predictor is not None:
        if not hasattr(predictor, "predict"):
            raise ValueError(f"predictor must be an estimator, got {predictor!r}.")
        if not is_classifier(predictor) and y.dtype.kind not in "biuf":
            raise ValueError(
                f"y must hold numbers for a regressor as predictor, got {str(y[0])!r}."
            )
        return predictor
    return linear_model("classification" if holds_labels(y) else "regression")


def linear_model(task):
    """Return what by default predicts from the code."""
    return make_pipeline(StandardScaler(), PREDICTORS[task])


def holds_labels(y):
    """Tell labels from quantities."""
    if y.dtype.kind not in "iuf":
        return True
    return np.unique(y).size <= MAX_LABELS and bool((y == np.round(y)).all())


def _score_name(predictor):
    if predictor is None:
        return None
    return "accuracy" if is_classifier(predictor) else "r2_target"


def _check_sizes(n_components, folds):
    given = list(n_components) if np.iterable(n_components) else [n_components]
    if not given or not all(isinstance(s, Integral) and s >= 1 for s in given):
        raise ValueError(
            "n_components must be a positive int or a sequence of them, "
            f"got {n_components!r}."
        )
    largest = min(min(fold.X_train.shape) for fold in folds) - 1
    if largest < 1:
        raise ValueError("X has one column or training row: nothing to compress.")
    sizes = sorted({int(size) for size in given if size <= largest})
    dropped = sorted({int(size) for size in given if size > largest})
    reason = f"below the number of columns and of training rows, at most {largest}"
    if not sizes:
        raise ValueError(f"n_components must be {reason}, got {n_components!r}.")
    if dropped:
        names = ", ".join(map(str, dropped))
        warnings.warn(f"n_components dropped: {names} (not {reason}).", stacklevel=3)
    return sizes
