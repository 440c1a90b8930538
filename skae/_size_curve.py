"""What leading parts of ordered codes explain."""

import torch

from skae._gaps import filled
from skae._rows import blocks, evenly

# Codes to decode for a curve of sizes, if rows are that many.
CURVE_DECODINGS = 8192


class SizeCurve:
    """Squared error of rows decoded from leading parts of their code.

    Attributes
    ----------
    left_ : Tensor of shape (n_components,)
        Sum of the squared errors, for each number of components.
    total_ : Tensor
        The same for the mean.
    size_ : Tensor
        The same for zero.
    """

    def __init__(self):
        self.forget()

    def forget(self):
        """Forget what was added."""
        self.left_ = self.total_ = self.size_ = 0.0

    @torch.no_grad()
    def add(self, net, rows):
        """Add the errors of `rows`, or of some from all over them if they are many."""
        network, width = net.module_, net.module_.config["n_components"]
        # Each size decodes all rows again, so many of both would cost epochs.
        n_rows = max(128, CURVE_DECODINGS // width)
        rows = rows.subset(evenly(len(rows), n_rows))
        kept = torch.ones(width, width).tril()
        for block in blocks(*rows.shape):
            x, target = rows.batch(block)
            code = network.encode(filled(x, net.filler))
            errors = [target - network.decode(code * size) for size in kept.to(code)]
            squares = torch.stack([e.square().nansum() for e in errors])
            self.left_ = self.left_ + squares
            mean = rows.target(torch.zeros_like(x))
            self.total_ = self.total_ + (target - mean).square().nansum()
            self.size_ = self.size_ + target.square().nansum()

    def explained(self):
        """Return the share of the variance that each size explains.

        Where there is none it is 1 for what decodes the rows, and else 0.
        """
        dust = 1e-12 * self.size_  # of rounding
        shares = 1 - self.left_ / self.total_
        shares = torch.where(self.total_ > dust, shares, self.left_ <= dust)
        return shares.double().cpu().numpy()
