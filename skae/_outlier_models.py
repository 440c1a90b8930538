"""The models of the outlier detector: each reconstructs rows, and scores them."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist


@dataclass
class Codebook:
    """Reconstruct a row, in standardised columns, by the nearest of a few rows."""

    fitted: np.ndarray

    @classmethod
    def fit(cls, Z, rng, smallest):
        """Keep a number of rows whose logarithm is uniform."""
        size = np.exp(rng.uniform(np.log(smallest), np.log(len(Z))))
        return cls(Z[: max(1, round(size))])

    def residual(self, Z):
        """Return the rows minus their reconstructions."""
        return Z - self.fitted[cdist(Z, self.fitted, "sqeuclidean").argmin(axis=1)]

    def loss(self, Z):
        """Return the logarithm of the distance, which no copy makes infinite."""
        nearest = cdist(Z, self.fitted).min(axis=1)
        return np.log(nearest + Z.shape[1] ** 0.5 / 100)


@dataclass
class RandomFeatures:
    """Reconstruct a row from a hidden layer with random weights, by ridge."""

    fitted: dict
    errors: np.ndarray

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
        fitted["intercept"] = mean - center @ decoder
        model = cls(fitted, np.ones(d))
        model.errors = (model.residual(Z) ** 2).mean(axis=0) + 0.01
        return model

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
        return X - _dense(self.fitted.inverse_transform(self.fitted.transform(X)))

    def loss(self, X):
        """Return the mean squared standardised entry of residual and code."""
        raw = self.fitted.transform(X)
        residual = X - _dense(self.fitted.inverse_transform(raw))
        far = ((_dense(raw) - self.mean) ** 2 / self.variance).sum(axis=1)
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
        """Measure losses from the median of the rows it did not see."""
        loss = model.loss(Z[np.setdiff1d(np.arange(len(Z)), seen)])
        return cls(model, seen, np.median(loss), loss.std() or 1.0)

    def loss(self, Z):
        """Return the standardised loss of each row."""
        return (self.model.loss(Z) - self.center) / self.spread

    def squared_residual(self, Z):
        """Return the squared error of each entry."""
        return self.model.residual(Z) ** 2


def _dense(Z):
    return np.asarray(Z.toarray() if sparse.issparse(Z) else Z, dtype=np.float64)
