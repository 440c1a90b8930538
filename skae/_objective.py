"""What training minimises, and what rows kept out of it are judged by."""

from torch import nn

from skae._gaps import known_in


class Objective(nn.Module):
    """Mean over rows of loss and penalties: what training minimises.

    Parameters
    ----------
    loss : callable
        ``loss(output, target)``, a value for each entry.
    penalties : tuple of callable
        See `skae.penalties`.
    over_features : {"mean", "sum"}
        What makes one number of a row's entries.
    has_gaps : bool
        Whether targets may have gaps, NaN, which are then left out of the loss.
    power : int
        Power of the data's unit that the loss is measured in.
    """

    def __init__(
        self, loss, penalties=(), over_features="mean", has_gaps=False, power=0
    ):
        super().__init__()
        self.loss, self.penalties = loss, penalties
        self.over_features, self.has_gaps = over_features, has_gaps
        self.power = power

    def entries(self, output, target):
        """Return the losses of entries, 0 in gaps, and which are known, 1 or 0.

        None for the latter says that all are.
        """
        if not self.has_gaps:
            return self.loss(output, target), None
        known = known_in(target)
        return self.loss(output, target.nan_to_num(0.0)) * known, known

    def loss_of_rows(self, output, target):
        """Return the loss of each row, without penalties."""
        entries, known = self.entries(output, target)
        rows = entries.sum(dim=1)
        if self.over_features == "sum":
            return rows
        return rows / (entries.shape[1] if known is None else _number(known, dim=1))

    def forward(self, network, x, target, output, generator=None):
        """Return what training minimises, a scalar."""
        entries, known = self.entries(output, target)
        if self.over_features == "sum":
            number = len(entries)
        else:
            number = entries.numel() if known is None else _number(known)
        value = entries.sum() / number  # whose gradient is cheaper than that of mean
        for penalty in self.penalties:
            value = value + penalty(network, x, output, generator).mean()
        return value

    def of_rows(self, network, x, target, output, generator=None):
        """Return the objective of each row, without penalties that are not of rows."""
        rows = self.loss_of_rows(output, target)
        for penalty in self.penalties:
            value = penalty(network, x, output, generator)
            rows = rows + value if value.ndim else rows
        return rows


def _number(known, dim=None):
    return known.sum(dim=dim).clamp(min=1)
