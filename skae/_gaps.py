"""Gaps in rows: what to expect in them, given what is known beside them."""

from dataclasses import dataclass

import numpy as np
import torch

from skae._axes import principal_axes
from skae._rows import Rows

MAX_RANK = 32
# Rows that count as much as the prior of the loadings.
PRIOR_ROWS = 20
N_ITER = 20
# Multiply-adds of an iteration; of more rows only some are looked at.
WORK = 1 << 31
BATCH = 1024


@dataclass
class GapFiller:
    r"""Factor analysis, by which gaps are filled with their conditional mean.

    .. math:: x = \mu + W z + \varepsilon, \qquad z \sim \mathcal N(0, I), \qquad
              \varepsilon \sim \mathcal N(0, \operatorname{diag}\psi)

    For the known entries :math:`o` of a row, :math:`z` has the mean
    :math:`(I + W_o^\top\psi_o^{-1}W_o)^{-1}W_o^\top\psi_o^{-1}(x_o - \mu_o)`, and what
    is expected in the others is :math:`\mu + W z`.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
        The mean :math:`\mu`.
    loadings : ndarray of shape (n_features, n_factors)
        The matrix :math:`W`.
    noise : ndarray of shape (n_features,)
        The variances :math:`\psi`.
    """

    mean: np.ndarray
    loadings: np.ndarray
    noise: np.ndarray

    @classmethod
    def fit(cls, rows, generator):
        """Return the model of `rows`, by expectation maximisation with a prior.

        The loadings of a column of variance :math:`v` are normal with variance
        :math:`v` over `PRIOR_ROWS`.
        """
        n, d = rows.shape
        rank = min(d, MAX_RANK)
        n_rows = min(n, max(1000, WORK // (d * rank**2)))
        if n_rows < n:
            rows = rows.subset(torch.randperm(n, generator=generator)[:n_rows])
        x = torch.cat([part.double().cpu() for part in _batches(rows)])
        known = ~x.isnan()
        counts = known.sum(dim=0).clamp(min=1)
        mean = torch.where(known, x, 0.0).sum(dim=0) / counts
        x = torch.where(known, x - mean, 0.0)
        variances = x.square().sum(dim=0) / counts
        variances = variances.clamp(min=1e-9 * variances.max().clamp(min=1e-300))
        centred = Rows(x.numpy(), np.zeros(d), 1.0, x.dtype)
        _, axes, scales = principal_axes(centred, rank, generator)
        loadings = torch.zeros(d, rank, dtype=x.dtype)
        loadings[:, : len(axes)] = axes.T * scales.sqrt()
        left = variances - loadings.square().sum(dim=1)
        model = mean, loadings, left.clamp(min=0.1 * variances)
        for _ in range(N_ITER):
            model = _improved(x, known, mean, variances, *model)
        return cls(*(part.numpy() for part in model))

    def __call__(self, x):
        """Return rows `x`, a tensor, with their gaps, NaN, filled."""
        gaps = x.isnan()
        some = gaps.any(dim=1)
        if not some.any():
            return x
        model = (torch.from_numpy(part).to(x) for part in vars(self).values())
        mean, loadings, noise = model
        filled = x.clone()
        for chosen in some.nonzero()[:, 0].split(BATCH):
            part, missing = x[chosen], gaps[chosen]
            centred = torch.where(missing, 0.0, part - mean)
            z = _factors(centred, *_precision(~missing, loadings, noise))
            filled[chosen] = torch.where(missing, mean + z @ loadings.T, part)
        return filled


def filled(x, filler):
    """Return `x` with its gaps filled, where there may be any."""
    return x if filler is None else filler(x)


def _batches(rows):
    for start in range(0, len(rows), BATCH):
        yield rows.batch(slice(start, min(start + BATCH, len(rows))))[0]


def _precision(known, loadings, noise):
    """Return the root of the factors' precision given known entries, and W / psi."""
    rank = loadings.shape[1]
    scaled = loadings / noise[:, None]
    products = (scaled[:, :, None] * loadings[:, None, :]).flatten(start_dim=1)
    precision = (known.to(loadings) @ products).view(-1, rank, rank)
    precision.diagonal(dim1=1, dim2=2).add_(1.0)
    # Unlike cholesky, it does not look at each matrix for an error that cannot be.
    return torch.linalg.cholesky_ex(precision).L, scaled


def _factors(x, root, scaled):
    """Return the factors' means for rows `x`, 0 in gaps."""
    return torch.cholesky_solve((x @ scaled)[:, :, None], root)[:, :, 0]


def _improved(x, known, start, variances, mean, loadings, noise):
    """Return the model after an iteration, for rows `x` less `start`, 0 in gaps."""
    d, rank = loadings.shape
    moments = torch.zeros(d, (rank + 1) ** 2, dtype=x.dtype)
    products = torch.zeros(d, rank + 1, dtype=x.dtype)
    for part, there in zip(x.split(BATCH), known.split(BATCH), strict=True):
        centred = torch.where(there, part + start - mean, 0.0)
        root, scaled = _precision(there, loadings, noise)
        z = _factors(centred, root, scaled)
        # A factor that is always 1 has the mean as its loading.
        z = torch.cat([z, torch.ones_like(z[:, :1])], dim=1)
        seconds = z[:, :, None] * z[:, None, :]
        seconds[:, :rank, :rank] += torch.cholesky_inverse(root)
        moments += there.to(x).T @ seconds.flatten(start_dim=1)
        products += torch.where(there, part, 0.0).T @ z
    moments = moments.view(d, rank + 1, rank + 1)
    counts = known.sum(dim=0).clamp(min=1)
    prior = torch.full((rank + 1,), float(PRIOR_ROWS), dtype=x.dtype)
    prior[rank] = 1e-9
    ridge = torch.diag(prior) * (noise / variances)[:, None, None]
    solution = torch.linalg.solve(moments + ridge, products)
    left = x.square().sum(dim=0) - (solution * products).sum(dim=1)
    noise = torch.maximum(left / counts, 0.01 * variances)
    return start + solution[:, rank], solution[:, :rank], noise
