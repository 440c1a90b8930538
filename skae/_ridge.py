"""Ridge regression, and the rows of what it leaves."""

from dataclasses import dataclass

import numpy as np
import torch

from skae._axes import DIRECT, principal_axes
from skae._rows import TargetRows, as_float, blocks

# Axes that ridge regression is confined to where both sides are long.
N_AXES = 256


@dataclass
class RidgeMap:
    """An affine map of scaled rows, through principal axes.

    Attributes
    ----------
    alpha : float
        Strength of the penalty.
    deviation : float
        Root of the mean squared residual of the rows it was fitted to.
    mean : ndarray of shape (n_features,)
        What is subtracted from the rows first.
    axes : ndarray of shape (n_features, n_axes)
        What they are multiplied by,
    weights : ndarray of shape (n_axes, n_outputs)
        and then.
    intercept : ndarray of shape (n_outputs,)
        What is added.
    """

    alpha: float
    deviation: float
    mean: np.ndarray
    axes: np.ndarray
    weights: np.ndarray
    intercept: np.ndarray

    def __call__(self, x):
        """Return the outputs of the rows `x`, in their floating type."""
        parts = self.mean, self.axes, self.weights, self.intercept
        mean, axes, weights, intercept = (part.astype(x.dtype) for part in parts)
        return np.linalg.multi_dot([x - mean, axes, weights]) + intercept


def ridge_regression(rows, generator):
    r"""Return ridge regression with the penalty that generalised cross-validation asks.

    With the thin singular value decomposition :math:`U S V^\top` of the n centred rows,
    the penalty :math:`\alpha` minimises [1]_

    .. math:: \frac{\lVert Y - \hat Y_\alpha\rVert^2}
              {\left(n - 1 - \sum_i s_i^2/(s_i^2 + \alpha)\right)^2}

    Parameters
    ----------
    rows : PairRows of shape (n_samples, n_features)
        The rows and their outputs.
    generator : torch.Generator
        Used where both sides are long, and only 256 axes count.

    Returns
    -------
    ridge : RidgeMap
        The map.

    References
    ----------
    .. [1] G. H. Golub, M. Heath and G. Wahba, "Generalized cross-validation as a method
       for choosing a good ridge parameter", Technometrics 21(2), 1979.
    """
    n, d = rows.shape
    n_axes = min(n, d) if min(n, d) <= DIRECT else N_AXES
    mean, axes, variances = principal_axes(rows, n_axes, generator)
    used = variances > variances.max() * 1e-12
    axes, squares = axes[used], n * variances[used]
    intercept = sum(rows.outputs(block).sum(dim=0) for block in blocks(n, d)) / n
    products = torch.zeros(len(axes), len(intercept), dtype=torch.float64)
    total = 0.0
    for block in blocks(n, max(d, len(intercept))):
        centred = rows.outputs(block) - intercept
        products += ((rows.exact(block) - mean) @ axes.T).T @ centred
        total += float(centred.square().sum())
    alpha, residual = _penalty(squares, products, total, n)
    # What is below is rounding.
    deviation = max(residual, 1e-12 * total) / (n * len(intercept))
    weights = products / (squares + alpha)[:, None]
    arrays = (part.numpy() for part in (mean, axes.T, weights, intercept))
    return RidgeMap(alpha, deviation**0.5 or 1.0, *arrays)


def _penalty(squares, products, total, n):
    """Return the penalty, and the sum of squares that is left with it."""
    if not len(squares):
        return 0.0, total
    explained = products.square().sum(dim=1) / squares
    alphas = squares.max() * torch.logspace(-8, 4, 97, dtype=torch.float64)
    left = alphas[:, None] / (squares + alphas[:, None])
    # As many axes as the rows have leave nothing but rounding unexplained.
    rest = total - explained.sum() if len(squares) < n - 1 else explained.new_zeros(())
    residuals = rest.clamp(min=0) + left.square() @ explained
    freedom = n - 1 - len(squares) + left.sum(dim=1)
    best = (residuals / freedom.square()).argmin()
    return float(alphas[best]), float(residuals[best])


class PairRows(TargetRows):
    """Rows, and what ridge regression leaves of their outputs as their targets.

    Parameters
    ----------
    X, mean, scale, dtype, device
        See `Rows`.
    Y : ndarray of shape (n_samples, n_outputs)
        The outputs.
    """

    def __init__(self, X, mean, scale, dtype, device, Y):
        super().__init__(X, mean, scale, dtype, device, Y.shape[1])
        self.Y = Y

    def outputs(self, chosen):
        """Return the outputs at `chosen`, a slice, in double precision."""
        chosen = chosen if self.index is None else self.index[chosen].numpy()
        return torch.from_numpy(as_float(self.Y, chosen))

    def leave(self, ridge):
        """Make the targets what `ridge` leaves of all outputs, in its deviations."""
        for block in blocks(len(self), max(self.shape[1], self.Y.shape[1])):
            residual = self.outputs(block).numpy() - ridge(self.exact(block).numpy())
            residual = torch.from_numpy(residual / ridge.deviation)
            self.targets[block] = residual.to(self.targets)
