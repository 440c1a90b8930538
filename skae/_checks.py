"""What parameters and values must be like, beyond what scikit-learn checks."""

from math import isfinite
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted, validate_data


def as_widths(sizes, name="hidden_layer_sizes"):
    """Return `sizes` as a tuple of positive int; `name` is that of the parameter."""
    widths = np.atleast_1d(np.asarray(sizes, dtype=object)).tolist()
    if not all(isinstance(w, Integral) and w >= 1 for w in widths):
        raise ValueError(
            f"{name} must be a positive int or a sequence of them, got {sizes!r}."
        )
    return tuple(int(w) for w in widths)


def check_count(value, name):
    """Raise where `value` is not a positive int."""
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be a positive int, got {value!r}.")


def check_fitted(estimator):
    """Raise where scikit-learn's check would, which looks up tags of the fitted too."""
    if not estimator.__sklearn_is_fitted__():
        check_is_fitted(estimator)


def passes_checks(estimator, X):
    """Return whether `validate_data` would find nothing to say or do, at a glance.

    Its questions take as long as encoding a hundred rows, and most arrays need none.
    """
    if type(X) is not np.ndarray or X.dtype not in (np.float32, np.float64):
        return False
    if hasattr(estimator, "feature_names_in_") or X.ndim != 2 or len(X) == 0:
        return False
    # It sums in half the time of X.sum().
    return X.shape[1] == estimator.n_features_in_ and isfinite(np.einsum("ij->", X))


def validated(estimator, *args, **kwargs):
    """Return what `validate_data` does; of infinite values say what to do."""
    try:
        return validate_data(estimator, *args, **kwargs)
    except ValueError as error:
        if "contains infinity" not in str(error):
            raise
        raise ValueError(f"{error} Clip such values, or drop their rows.") from error


def is_missing(value):
    """Return whether `value` is None or one of the kinds of NaN, pandas' own too."""
    kind = type(value).__name__
    return value is None or kind in ("NAType", "NaTType") or bool(value != value)


def check_unit_interval(X, name, columns, what):
    """Raise where a known value of `X` is not in [0, 1], as `what` needs."""
    if sparse.issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    stored = X.data if sparse.issparse(X) else X
    # Unlike min and max, these pass gaps by.
    least, largest = np.fmin.reduce, np.fmax.reduce
    dust = 8 * np.finfo(stored.dtype).eps  # of what has scaled them
    beyond = stored.size and (
        least(stored, axis=None) < -dust or largest(stored, axis=None) > 1 + dust
    )
    if not beyond:
        return
    if sparse.issparse(X):
        both = X.nanmin(axis=0), X.nanmax(axis=0)
        low, high = (np.ravel(each.toarray()) for each in both)
    else:
        low, high = least(X, axis=0), largest(X, axis=0)
    column = int(np.argmax((low < -dust) | (high > 1 + dust)))
    raise ValueError(
        f"{what} needs {name} in [0, 1], but column {columns[column]!r} goes from "
        f"{low[column]:g} to {high[column]:g}. Scale it, for instance by "
        "MinMaxScaler(clip=True)."
    )
