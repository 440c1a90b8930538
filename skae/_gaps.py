"""Gaps in rows: what to expect in them, given what is known beside them."""

from dataclasses import dataclass

import numpy as np
import torch

from skae._axes import principal_axes
from skae._rows import Rows

MAX_RANK = 32
# Rows that count as much as the prior of the loadings.
PRIOR_ROWS = 20
N_ITER = 3
# Of conjugate gradients, by which rows are filled in training: the most steps, and
# what may be left of what the first was to mend.
N_STEPS, NEAR = 8, 0.02
# Multiply-adds of an iteration; of more rows only some are looked at.
WORK = 1 << 30
BATCH = 512


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
        :math:`v` over `PRIOR_ROWS`; what the prior keeps them from explaining counts
        as noise, which is kinder to few rows than the largest posterior. Few iterations
        do, from a good start and with parameters expanded as by Liu, Rubin and Wu
        (1998).
        """
        n, d = rows.shape
        rank = min(d, MAX_RANK)
        n_rows = min(n, max(1000, WORK // (d * rank**2)))
        if n_rows < n:
            rows = rows.subset(torch.randperm(n, generator=generator)[:n_rows])
        x = torch.cat([part.double().cpu() for part in _batches(rows)])
        known = known_in(x).float()
        counts = known.sum(dim=0).clamp(min=1)
        start = x.nansum(dim=0) / counts
        x = (x - start).nan_to_num(0.0)
        variances = x.square().sum(dim=0) / counts
        variances = variances.clamp(min=1e-9)
        deviations = variances.sqrt()
        x = (x / deviations).float()
        # Of many rows, half bring the model near enough for the last iteration.
        half = slice(None, None, 2 if len(x) > 1000 else 1)
        loadings = _loadings(x[half], counts / len(x), rank, generator)
        model = x.new_zeros(d), loadings, 1 - loadings.square().sum(dim=1)
        for _ in range(N_ITER - 1):
            model = _improved(x[half], known[half], *model)
        mean, loadings, noise = _improved(x, known, *model)
        # The rotation that makes the factors independent given whole rows.
        _, rotation = torch.linalg.eigh(loadings.T @ (loadings / noise[:, None]))
        mean, loadings = start + deviations * mean, loadings @ rotation
        loadings, noise = deviations[:, None] * loadings, variances * noise
        return cls(mean.numpy(), loadings.numpy(), noise.numpy())

    def __call__(self, x, nearly=False):
        """Return rows `x`, a tensor, with their gaps, NaN, filled.

        To fill them nearly takes a fraction of the time.
        """
        some = x.sum(dim=1).isnan()
        if not some.any():
            return x
        if some.all():
            parts = [self._filled(part, nearly) for part in x.split(BATCH)]
            return torch.cat(parts)
        x = x.clone()
        x[some] = self(x[some], nearly)
        return x

    def _filled(self, x, nearly):
        mean, loadings, noise = (torch.tensor(v).to(x) for v in vars(self).values())
        known = known_in(x)
        centred = (x - mean).nan_to_num_(0.0)
        if nearly:
            z = _factors_nearly(centred, known, loadings, noise)
        else:
            z = _factors(centred, *_precision(known, loadings, noise))
        expected = torch.addmm(mean, z, loadings.T)
        return expected.lerp_(x.nan_to_num(0.0), known)


def filled(x, filler, nearly=False):
    """Return `x` with its gaps filled, where there may be any."""
    return x if filler is None else filler(x, nearly)


def known_in(x):
    """Return 1 where the finite `x` is known, and 0 in its gaps, NaN."""
    # NaN is not equal to itself. To convert a mask takes several times as long.
    x = x.detach()
    return torch.eq(x, x, out=torch.empty_like(x))


def _batches(rows):
    for start in range(0, len(rows), BATCH):
        yield rows.batch(slice(start, min(start + BATCH, len(rows))))[0]


def _loadings(x, shares, rank, generator):
    """Return loadings to start from, for rows `x`, 0 in gaps, known in some `shares`.

    If these were known independently of each other, dividing by the roots of the shares
    would leave covariances times these roots, and variances larger by a known amount.
    A factor that starts at zero would stay there.
    """
    d, roots = len(shares), shares.sqrt()
    rows = Rows((x / roots).numpy(), np.zeros(d), 1.0, x.dtype)
    _, axes, scales = principal_axes(rows, rank, generator)
    loadings = torch.zeros(d, rank, dtype=x.dtype)
    excess = (1 - shares).mean()
    loadings[:, : len(axes)] = axes.T * (scales - excess).clamp(min=1e-3).sqrt()
    loadings /= roots[:, None]
    explained = loadings.square().sum(dim=1, keepdim=True)
    return loadings / (explained / 0.9).clamp(min=1).sqrt()


def _precision(known, loadings, noise):
    """Return the root of the factors' precision given known entries, and W / psi."""
    rank = loadings.shape[1]
    scaled = loadings / noise[:, None]
    products = (scaled[:, :, None] * loadings[:, None, :]).flatten(start_dim=1)
    precision = (known @ products).view(-1, rank, rank)
    precision.diagonal(dim1=1, dim2=2).add_(1.0)
    # Unlike cholesky, it does not look at each matrix for an error that cannot be.
    return torch.linalg.cholesky_ex(precision).L, scaled


def _factors(x, root, scaled):
    """Return the factors' means for rows `x`, 0 in gaps."""
    return torch.cholesky_solve((x @ scaled)[:, :, None], root)[:, :, 0]


def _factors_nearly(x, known, loadings, noise):
    """Return nearly the factors' means for rows `x`, 0 in gaps."""
    scaled = loadings / noise[:, None]
    diagonal = 1 + known @ (scaled * loadings)
    left = x @ scaled
    steepest = direction = left / diagonal
    z, size = 0.0, _inner(left, steepest)
    enough = NEAR**2 * float(size.sum())
    for _ in range(min(loadings.shape[1], N_STEPS)):
        image = direction + (direction @ loadings.T).mul_(known) @ scaled
        step = size / _inner(direction, image).clamp(min=1e-30)
        z, left = z + step * direction, left - step * image
        steepest, was = left / diagonal, size
        size = _inner(left, steepest)
        if float(size.sum()) <= enough:
            break
        direction = steepest + size / was.clamp(min=1e-30) * direction
    return z


def _inner(a, b):
    return (a * b).sum(dim=1, keepdim=True)


def _improved(x, known, mean, loadings, noise):
    """Return the model after an iteration, for rows `x` of variance 1, 0 in gaps."""
    d, rank = loadings.shape
    moments, products = x.new_zeros(d, (rank + 1) ** 2), x.new_zeros(d, rank + 1)
    spread = x.new_zeros(rank, rank)
    for part, there in zip(x.split(BATCH), known.split(BATCH), strict=True):
        centred = (part - mean) * there
        root, scaled = _precision(there, loadings, noise)
        z = _factors(centred, root, scaled)
        # A factor that is always 1 has the mean as its loading.
        z = torch.cat([z, torch.ones_like(z[:, :1])], dim=1)
        seconds = z[:, :, None] * z[:, None, :]
        seconds[:, :rank, :rank] += torch.cholesky_inverse(root)
        spread += seconds[:, :rank, :rank].sum(dim=0)
        moments += there.T @ seconds.flatten(start_dim=1)
        products += part.T @ z
    moments = moments.view(d, rank + 1, rank + 1)
    counts = known.sum(dim=0).clamp(min=1)
    prior = x.new_full((rank + 1,), float(PRIOR_ROWS))
    prior[rank] = 1e-9
    ridge = torch.diag(prior) * noise[:, None, None]
    solution = torch.linalg.solve(moments + ridge, products)
    left = x.square().sum(dim=0) - (solution * products).sum(dim=1)
    noise = (left / counts).clamp(min=0.01)
    # Factors have unit variance; what they lack is given to the loadings.
    expansion = torch.linalg.cholesky(spread / len(x))
    return solution[:, rank], solution[:, :rank] @ expansion, noise
