"""Judge one estimator on one fold."""

import time
from collections import namedtuple

import numpy as np
from sklearn.base import clone
from sklearn.manifold import trustworthiness
from sklearn.utils import check_array

from skae.metrics import dense

MAX_NEIGHBOUR_ROWS = 1000  # trustworthiness costs rows squared
N_NEIGHBORS = 5

Fold = namedtuple("Fold", "number X_train X_test y_train y_test seed")
Code = namedtuple("Code", "train test")


def measure(estimator, fold):
    """Fit on one fold's training rows and judge the reconstruction of the others."""
    start = time.perf_counter()
    estimator.fit(fold.X_train)
    fitted = time.perf_counter()
    code = estimator.transform(fold.X_test)
    transformed = time.perf_counter()
    reconstruction = dense(estimator.inverse_transform(code))
    code = dense(code)
    if reconstruction.shape != fold.X_test.shape:
        raise ValueError(
            "inverse_transform must return the shape of the data, "
            f"{fold.X_test.shape}, got {reconstruction.shape}."
        )
    mse = _mean_square(fold.X_test - reconstruction)
    mse_of_mean = _mean_square(fold.X_test - fold.X_train.mean(axis=0))
    record = {
        "r2": 1 - mse / mse_of_mean if mse_of_mean > 0 else np.nan,
        "mse": mse,
        "mse_of_mean": mse_of_mean,
        "trustworthiness": _trustworthiness(fold, code),
        "fit_seconds": fitted - start,
        "transform_seconds": transformed - fitted,
    }
    return record, Code(dense(estimator.transform(fold.X_train)), code)


def _mean_square(difference):
    return float(np.mean(np.square(difference, dtype=np.float64)))


def _trustworthiness(fold, code):
    n_rows = min(len(code), MAX_NEIGHBOUR_ROWS)
    n_neighbors = min(N_NEIGHBORS, (n_rows - 1) // 2)
    if n_neighbors < 1:
        return np.nan
    rows = np.random.RandomState(fold.seed).permutation(len(code))[:n_rows]
    return float(
        trustworthiness(fold.X_test[rows], code[rows], n_neighbors=n_neighbors)
    )


def configure(name, estimator, size, seed):
    """Clone with a code size, and a seed where the estimator has none of its own."""
    params = estimator.get_params()
    found = [key for key in params if key.split("__")[-1] == "n_components"]
    # A step's own size comes before that of what is inside the step.
    depth = min((key.count("__") for key in found), default=0)
    found = [key for key in found if key.count("__") == depth]
    if len(found) != 1:
        raise ValueError(
            f"estimators[{name!r}] must have exactly one n_components parameter, "
            f"its own or that of one step, got {found or 'none'}."
        )
    seeded = [
        key
        for key, value in params.items()
        if key.split("__")[-1] == "random_state" and value is None
    ]
    return clone(estimator).set_params(
        **{found[0]: size}, **dict.fromkeys(seeded, seed)
    )


def prepare(number, X, y, split, preprocessor, seed):
    X_train, X_test = (X.iloc[r] if hasattr(X, "iloc") else X[r] for r in split)
    if preprocessor is not None:
        preprocessor = clone(preprocessor)
        floats = {"dtype": [np.float64, np.float32], "input_name": "X"}
        X_train = check_array(dense(preprocessor.fit_transform(X_train)), **floats)
        X_test = check_array(dense(preprocessor.transform(X_test)), **floats)
    y_train, y_test = (None, None) if y is None else (y[r] for r in split)
    return Fold(number, X_train, X_test, y_train, y_test, seed)
