"""Training rows as the network sees them: centred, scaled, in one floating type."""

from copy import copy

import numpy as np
import torch
from scipy import sparse
from torch.utils.data import Dataset

BLOCK = 1 << 21


def blocks(n_rows, n_columns):
    """Yield slices of rows that hold `BLOCK` entries at most, all of one size or so."""
    n_blocks = -(-n_rows // max(1, BLOCK // max(1, n_columns)))
    for i in range(n_blocks):
        yield slice(i * n_rows // n_blocks, (i + 1) * n_rows // n_blocks)


def evenly(n_rows, most):
    """Return the indices of at most so many of `n_rows` rows, from all over them."""
    return torch.linspace(0, n_rows - 1, min(n_rows, most)).long()


def as_float(X, rows, dtype=np.float64):
    """Return `rows` of a dense or CSR matrix as a new dense array."""
    return np.array(_dense(X[rows]), dtype=dtype, order="C")


def scaled_rows(X, rows, mean, scale):
    """Return `rows` of `X` centred and divided by `scale`, as a new dense array."""
    # In the type of X, unless the scale would be zero in it.
    dtype = X.dtype if scale > np.finfo(X.dtype).tiny else np.float64
    x = np.subtract(_dense(X[rows]), mean, dtype=dtype, order="C")
    x /= scale
    return x.astype(X.dtype, copy=False)


def _dense(block):
    return block.toarray() if sparse.issparse(block) else block


def location_and_scale(X):
    r"""Return the columns' means and one scale for the whole matrix.

    The scale is :math:`\sqrt{\operatorname{mean}_j \operatorname{var}_j}`: one number,
    so that squared errors keep the proportions they have in the units of `X`.
    Everything is summed in float64 around the mean of some rows, so that a large
    offset costs no precision. Gaps, NaN, are left out.
    """
    n_rows, n_columns = X.shape
    some = next(blocks(min(n_rows, 1000), n_columns))
    total, _, counts = _sums(as_float(X, some), 0.0)
    around = total / np.maximum(counts, 1)
    total, squares, counts = np.zeros((3, n_columns))
    for rows in blocks(n_rows, n_columns):
        sums = _sums(as_float(X, rows), around)
        for so_far, added in zip((total, squares, counts), sums, strict=True):
            so_far += added
    if not np.isfinite(squares).all():
        raise ValueError(
            f"Column {int(np.isfinite(squares).argmin())} of X has values too large to "
            "be squared. Scale it."
        )
    shift = total / np.maximum(counts, 1)
    mean = around + shift
    variances = squares / np.maximum(counts, 1) - shift**2
    rounding = 8 * np.finfo(np.float64).eps * np.abs(mean)
    scale = float(np.sqrt(variances[variances > rounding**2].sum() / n_columns))
    return mean, scale or 1.0


def _sums(x, around):
    """Return sums of the columns of ``x - around``, of their squares, and the counts.

    They are computed in place.
    """
    x -= around
    total, counts = x.sum(axis=0), np.full(x.shape[1], float(len(x)))
    if np.isnan(total).any():
        gaps = np.isnan(x)
        x[gaps] = 0.0
        total, counts = x.sum(axis=0), counts - gaps.sum(axis=0)
    return total, np.einsum("ij,ij->j", x, x), counts


def in_units(x, mean, scale):
    """Return the scaled rows `x` in the units of the data."""
    return x * scale + torch.tensor(mean).to(x)


class Rows(Dataset):
    """Rows of a matrix, centred and scaled, as tensors.

    Dense input is converted once; CSR input is converted batch by batch, unless it has
    gaps. Subsets share the converted matrix, so that folds cost no memory.

    Parameters
    ----------
    X : {ndarray, csr_array} of shape (n_samples, n_features)
        The matrix in its own units.
    mean : ndarray of shape (n_features,)
        What to subtract.
    scale : float
        What to divide by.
    dtype : torch.dtype
        Type of the tensors.
    device : torch.device
        Where they live.
    bounded : bool
        Whether the network decodes rows in their own units, for its output is bounded.

    Attributes
    ----------
    with_gaps : Tensor of shape (n_samples, n_features) or None
        The whole matrix with NaN where values are missing; None if nowhere.
    principal : tuple or None
        What `principal_axes` has found of these rows.
    filler : GapFiller or None
        What was fitted to them to fill gaps.
    """

    def __init__(
        self, X, mean, scale, dtype=torch.float32, device="cpu", bounded=False
    ):
        self.raw, self.mean, self.scale = X, mean, scale
        self.dtype, self.device, self.bounded = dtype, device, bounded
        self.index = self.tensor = self.with_gaps = None
        self.principal = self.filler = None
        if sparse.issparse(X) and np.isnan(X.data.sum()):
            self.raw = X.toarray()
        if not sparse.issparse(self.raw):
            tensor = torch.empty(X.shape, dtype=dtype)
            for block in blocks(*X.shape):
                tensor[block] = torch.from_numpy(self._scaled(block))
            self.tensor = tensor.to(device)
            if self.tensor.sum().isnan():
                # Both, for each is wanted in every step: floats are fast, masks slow.
                self.with_gaps = self.tensor
                self.tensor = self.tensor.nan_to_num(0.0)

    def __len__(self):
        return self.raw.shape[0] if self.index is None else len(self.index)

    @property
    def shape(self):
        """The numbers of rows and columns."""
        return len(self), self.raw.shape[1]

    @property
    def share_known(self):
        """The share of entries that are not missing."""
        if self.with_gaps is None:
            return 1.0
        chosen = slice(None) if self.index is None else self.index
        return 1 - float(self._part(self.with_gaps, chosen).isnan().float().mean())

    def __getitem__(self, index):
        x, target = self.batch(torch.tensor([index]))
        return x[0], target[0]

    def subset(self, index):
        """Return the rows at `index`, a tensor of integers, as new `Rows`."""
        part = copy(self)
        part.principal = part.filler = None
        part.index = index if self.index is None else self.index[index]
        return part

    def fill(self, filler):
        """Put what `filler` makes of them into the gaps, where `take` shows it."""
        if self.with_gaps is None:
            return
        self.principal = None
        for block in blocks(*self.shape):
            self.tensor[block] = filler(self.batch(block)[0])

    def _scaled(self, chosen):
        return scaled_rows(self.raw, chosen, self.mean, self.scale)

    def exact(self, chosen):
        """Return the rows at `chosen`, a slice, in the precision of the data.

        The network's copy may have less: columns of very small variance would drown
        in its rounding.
        """
        single = self.tensor is not None and self.raw.dtype == np.float32
        if single or self.with_gaps is not None:
            return self.take(chosen).double().cpu()
        chosen = chosen if self.index is None else self.index[chosen].numpy()
        return torch.from_numpy(self._scaled(chosen)).double()

    def take(self, chosen):
        """Return the rows at `chosen`, a slice or tensor, with their gaps filled."""
        chosen = chosen if self.index is None else self.index[chosen]
        if self.tensor is None:
            chosen = chosen if isinstance(chosen, slice) else chosen.numpy()
            scaled = torch.from_numpy(self._scaled(chosen))
            return scaled.to(self.device, self.dtype)
        return self._part(self.tensor, chosen)

    def _part(self, tensor, chosen):
        if isinstance(chosen, slice):
            return tensor[chosen]
        return tensor.index_select(0, chosen.to(self.device))

    def batch(self, chosen):
        """Return the rows at `chosen`, and what the network is to make of them.

        Both have NaN in gaps.
        """
        if self.with_gaps is None:
            x = self.take(chosen)
        else:
            chosen = chosen if self.index is None else self.index[chosen]
            x = self._part(self.with_gaps, chosen)
        return x, self.target(x)

    def target(self, x):
        """Return what the network is to decode from the scaled rows `x`."""
        return in_units(x, self.mean, self.scale) if self.bounded else x


class TargetRows(Rows):
    """Rows with targets of their own, which start at zero.

    Parameters
    ----------
    X, mean, scale, dtype, device
        See `Rows`.
    n_outputs : int
        Number of columns of `targets`.
    """

    def __init__(self, X, mean, scale, dtype, device, n_outputs):
        super().__init__(X, mean, scale, dtype, device)
        self.targets = torch.zeros(len(self), n_outputs, dtype=dtype, device=device)

    def batch(self, chosen):
        """Return the rows at `chosen`, and their targets."""
        index = chosen if self.index is None else self.index[chosen]
        return self.take(chosen), self._part(self.targets, index)


class Batches:
    """An iterator of ``(x, target)`` over `Rows`, shuffled by its own generator.

    With ``show(x)``, batches have a third part: what it makes of the rows, of which it
    gets many batches at once.
    """

    def __init__(self, rows, batch_size, generator=None, show=None):
        self.rows, self.batch_size, self.generator = rows, batch_size, generator
        self.show = show

    def __len__(self):
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self):
        if self.show is None:
            yield from map(self.rows.batch, self._chosen(self.batch_size))
            return
        entries = self.batch_size * self.rows.shape[1]
        for chosen in self._chosen(self.batch_size * max(1, BLOCK // entries)):
            x, target = self.rows.batch(chosen)
            parts = (p.split(self.batch_size) for p in (x, target, self.show(x)))
            yield from zip(*parts, strict=True)

    def _chosen(self, step):
        n = len(self.rows)
        if self.generator is None or self.batch_size >= n:
            return (slice(i, min(i + step, n)) for i in range(0, n, step))
        return torch.randperm(n, generator=self.generator).split(step)
