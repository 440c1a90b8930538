"""The models of the outlier detector: each reconstructs rows, and scores them."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import clone

# Rows at once, and rows kept out that are enough to measure a small model by.
BLOCK = 4096
FIRST_PASS = 150
# Rows for a small model. Few seldom hold what is rare, many know better what is normal.
FEW, MANY = 256, 1024


@dataclass
class Codebook:
    """Reconstruct a row, in standardised columns, by the nearest of a few rows."""

    fitted: np.ndarray
    errors: np.ndarray | float = 1.0

    @classmethod
    def fit(cls, Z, rng, smallest):
        """Keep a number of rows whose logarithm is uniform."""
        size = np.exp(rng.uniform(np.log(smallest), np.log(len(Z))))
        return cls(Z[: max(1, round(size))])

    def residual(self, Z):
        """Return the rows minus their reconstructions."""
        # Distances by a matrix product take a fifth of the time.
        far = (self.fitted**2).sum(axis=1) / 2 - Z @ self.fitted.T
        least = far.min(axis=1, keepdims=True)
        # The first of equals, in which rounding has no say.
        nearest = (far <= least + 1e-9 * (1 + np.abs(least))).argmax(axis=1)
        return Z - self.fitted[nearest]

    def loss(self, Z):
        """Return the logarithm of the distance, which no copy makes infinite."""
        squares = self.residual(Z) ** 2 / self.errors
        return np.log(squares.mean(axis=1) ** 0.5 + 0.01)


@dataclass
class RandomFeatures:
    """Reconstruct a row from a hidden layer with random weights, by ridge."""

    fitted: dict
    errors: np.ndarray | float = 1.0

    @classmethod
    def fit(cls, Z, rng):
        """Draw a hidden layer narrower than the rows, and fit the decoder."""
        d = Z.shape[1]
        width = rng.randint(2, max(3, min(d, 32)))
        weights = 1.5 * rng.normal(size=(d, width)) / d**0.5
        bias, mean = rng.uniform(-1, 1, width), Z.mean(axis=0)
        hidden = np.tanh(Z @ weights + bias)
        center = hidden.mean(axis=0)
        hidden -= center
        gram = hidden.T @ hidden + np.eye(width)
        decoder = np.linalg.solve(gram, hidden.T @ (Z - mean))
        fitted = {"weights": weights, "bias": bias, "decoder": decoder}
        return cls(fitted | {"intercept": mean - center @ decoder})

    def residual(self, Z):
        """Return the rows minus their reconstructions."""
        f = self.fitted
        hidden = np.tanh(Z @ f["weights"] + f["bias"])
        return Z - hidden @ f["decoder"] - f["intercept"]

    def loss(self, Z):
        """Return minus the log-density of Cauchy errors, but for constants."""
        return np.log1p(self.residual(Z) ** 2 / self.errors).mean(axis=1)


@dataclass
class Reconstructor:
    """Reconstruct a row by a transformer with `inverse_transform`."""

    fitted: object
    mean: np.ndarray
    variance: np.ndarray
    errors: np.ndarray | None = None

    @classmethod
    def fit(cls, estimator, X, use_code):
        """Fit the transformer, and describe its codes by mean and variance."""
        code = _dense(estimator.fit(X).transform(X))
        used = code.var(axis=0) > 1e-12 * max(code.var(axis=0).max(initial=0), 1e-300)
        variance = np.where(used & use_code, code.var(axis=0), np.inf)
        return cls(estimator, code.mean(axis=0), variance)

    def residual(self, X):
        """Return the rows minus their reconstructions."""
        return self._through(X)[1]

    def _through(self, X):
        """Return the codes, and the rows minus their reconstructions."""
        try:
            code = self.fitted.transform(X)
            return _dense(code), X - _dense(self.fitted.inverse_transform(code))
        except ValueError as error:
            raise ValueError(
                f"estimator={self.fitted!r} does not take all rows that it was not "
                f"fitted to: {error} Let its first step keep them in range, as "
                "MinMaxScaler(clip=True) does."
            ) from error

    def loss(self, X):
        """Return the mean squared standardised entry of residual and code."""
        code, residual = self._through(X)
        far = ((code - self.mean) ** 2 / self.variance).sum(axis=1)
        count = X.shape[1] + np.isfinite(self.variance).sum()
        return ((residual**2 / self.errors).sum(axis=1) + far) / count


@dataclass
class BlindModel:
    """A model, the rows it saw, and what makes its losses comparable."""

    model: object
    seen: np.ndarray
    center: float = 0.0
    spread: float = 1.0

    @classmethod
    def standardised(cls, model, seen, Z):
        """Measure losses from the median of rows it did not see."""
        loss = model.loss(_few(Z, unseen_rows(len(Z), seen)))
        return cls(model, seen, np.median(loss), loss.std() or 1.0)

    def loss(self, Z):
        """Return the standardised loss of each row."""
        return _odd_if_nan((self.model.loss(Z) - self.center) / self.spread)

    def squared_residual(self, Z):
        """Return the squared error of each entry."""
        return _odd_if_nan(self.model.residual(Z) ** 2)


def _odd_if_nan(losses):
    """Return `losses` with infinity where the reconstruction was not a number."""
    return np.where(np.isnan(losses), np.inf, losses)


def small_models(Z, rng, n_models, max_samples, trim):
    """Return codebooks and random features, each fitted to few of the rows."""
    pool = _usual_rows(Z, rng) if trim else np.arange(len(Z))
    if max_samples == "auto":
        max_samples = FEW if trim else MANY
    size = min(max_samples, max(1, 2 * len(pool) // 3))
    models = []
    for i in range(n_models):
        seen = rng.permutation(pool)[:size]
        if i % 3 == 2:
            model = RandomFeatures.fit(Z[seen], rng)
        else:
            model = Codebook.fit(Z[seen], rng, -(-size // 4))
        # Absolute errors, for outliers among the rows would swell squared ones.
        errors = np.abs(model.residual(_few(Z, np.setdiff1d(pool, seen))))
        model.errors = errors.mean(axis=0) ** 2 + 0.01
        models.append(BlindModel.standardised(model, seen, Z))
    return models


def _few(Z, rows):
    return Z[rows[:: -(-len(rows) // BLOCK)]]


def _usual_rows(Z, rng):
    """Return the indices of the rows that are not odd to tiny codebooks."""
    total, count = np.zeros(len(Z)), np.zeros(len(Z))
    for _ in range(FIRST_PASS):
        seen = rng.permutation(len(Z))[: min(8, len(Z) // 2)]
        book = Codebook.fit(Z[seen], rng, min(2, len(seen)))
        loss = BlindModel.standardised(book, seen, Z).loss(Z)
        loss[seen] = 0
        total, count = total + loss, count + 1
        count[seen] -= 1
    mean = total / np.maximum(count, 1)
    spread = robust_spread(mean)
    if spread < 1e-4:  # most are the same, and the others far from them, odd or not
        return np.arange(len(Z))
    return np.flatnonzero(mean <= np.median(mean) + spread)


def fold_models(X, rng, estimator, cv, use_code, group):
    """Return a copy of `estimator` for each fold, fitted to the other rows.

    Rows of one `group` are in the same fold, unless they would fill it: then all models
    have seen some of them.
    """
    sizes, models = np.bincount(group, minlength=len(X)), []
    group = np.where(sizes[group] > len(X) / cv, np.arange(len(X)), group)
    groups = np.unique(group)
    for fold in np.array_split(rng.permutation(groups), min(cv, len(groups))):
        seen = np.flatnonzero(~np.isin(group, fold))
        copy = clone(estimator)
        _seed(copy, rng)
        models.append(BlindModel(Reconstructor.fit(copy, X[seen], use_code), seen))
    return models


def _seed(estimator, rng):
    for name, value in sorted(estimator.get_params(deep=True).items()):
        if value is None and name.split("__")[-1] == "random_state":
            estimator.set_params(**{name: rng.randint(np.iinfo(np.int32).max)})


def robust_spread(values):
    """Return 1.4826 times the median absolute deviation."""
    return 1.4826 * np.median(np.abs(values - np.median(values)))


def unseen_rows(n_rows, seen):
    """Return the indices of the rows that are not in `seen`."""
    return np.setdiff1d(np.arange(n_rows), seen)


def _dense(Z):
    return np.asarray(Z.toarray() if sparse.issparse(Z) else Z, dtype=np.float64)
