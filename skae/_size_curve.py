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
    """

    def __init__(self):
        self.forget()

    def forget(self):
        """Forget what was added."""
        self.left_ = self.total_ = 0.0

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

    def explained(self):
        """Return the share of the variance that each size explains."""
        return (1 - self.left_ / self.total_.clamp(min=1e-30)).double().cpu().numpy()
