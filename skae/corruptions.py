"""Corruptions of the input in training: pure functions of rows and a generator.

Rows come centred, so that zero is a column's mean; gaps in them are NaN. Each function
returns new rows.
"""

from functools import partial

import torch

from skae._rows import blocks

__all__ = ["CORRUPTIONS", "gaps", "gaussian", "masking", "salt_and_pepper", "swap"]


def _uniform(x, generator):
    # In one type, for in another the same generator draws others.
    return torch.rand(x.shape, generator=generator, dtype=torch.float32)


def _chosen(x, level, generator):
    draws = _uniform(x, generator)
    return (draws < level).to(x.device)


def masking(x, level, generator):
    """Set each entry to zero with probability `level`."""
    kept = _uniform(x, generator) >= level
    return x * kept.to(x)  # takes a fraction of the time of masked_fill


def gaussian(x, level, generator, deviation=1.0):
    """Add normal noise of standard deviation ``level * deviation``."""
    noise = torch.randn(x.shape, generator=generator, dtype=torch.float32)
    return x + level * deviation * noise.to(x)


def salt_and_pepper(x, level, generator, low=0.0, high=1.0):
    """Set each entry to `low` or `high` with probability ``level / 2`` each."""
    draws = _uniform(x, generator).to(x.device)
    x = torch.where(draws < level / 2, low, x)
    return torch.where(draws > 1 - level / 2, high, x)


def swap(x, level, generator):
    """Replace each entry, with probability `level`, by that of another row.

    The other row is any other of `x`; where there is none, nothing changes.
    """
    n_rows = len(x)
    if n_rows == 1:
        return x
    steps = torch.randint(1, n_rows, x.shape, generator=generator)
    others = (torch.arange(n_rows)[:, None] + steps) % n_rows
    chosen = _chosen(x, level, generator)
    return torch.where(chosen, x.gather(0, others.to(x.device)), x)


def gaps(x, level, generator, patterns=None):
    """Make gaps, NaN, with probability `level`, and where another row has some.

    The other row is any row of `patterns`, which are rows with gaps.
    """
    if level > 0:
        x = x.masked_fill(_chosen(x, level, generator), torch.nan)
    if patterns is not None:
        others = torch.randint(len(patterns), (len(x),), generator=generator)
        # Arithmetic takes a fraction of the time of masks.
        x = x + 0 * patterns.index_select(0, others.to(patterns.device))
    return x


def _masking(rows, level):
    return partial(masking, level=level)


def _gaussian(rows, level):
    def over_known(function):
        batches = (rows.batch(block)[0].double() for block in blocks(*rows.shape))
        return sum(function(x).nansum(dim=0) for x in batches)

    counts = over_known(lambda x: x.isfinite().double()).clamp(min=1)
    mean = over_known(lambda x: x) / counts
    squares = over_known(lambda x: (x - mean).square())
    deviation = (squares / counts).sqrt().to(rows.take(slice(1)))
    return partial(gaussian, level=level, deviation=deviation)


def _salt_and_pepper(rows, level):
    low, high = torch.inf, -torch.inf
    for block in blocks(*rows.shape):
        x, _ = rows.batch(block)  # with gaps, which are no values
        low = x.nan_to_num(torch.inf).amin(dim=0).clamp(max=low)
        high = x.nan_to_num(-torch.inf).amax(dim=0).clamp(min=high)
    return partial(salt_and_pepper, level=level, low=low, high=high)


def _swap(rows, level):
    return partial(swap, level=level)


def _gaps(rows, level):
    return partial(gaps, level=level, patterns=rows.with_gaps)


# Each takes rows and a level, and returns ``corruption(x, generator=...)``.
CORRUPTIONS = {
    "masking": _masking,
    "gaussian": _gaussian,
    "salt_and_pepper": _salt_and_pepper,
    "swap": _swap,
    "gaps": _gaps,
}
