"""What may happen to a code between the encoder and the decoder."""

import torch
from torch import nn

__all__ = ["Binary", "TopK", "nested_dropout"]


class TopK(nn.Module):
    """Keep the `k` largest entries of each row, and set the others to zero [1]_.

    Parameters
    ----------
    k : int
        How many entries to keep.

    References
    ----------
    .. [1] A. Makhzani and B. Frey, "k-sparse autoencoders", arXiv:1312.5663, 2013.
    """

    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, activations):
        """Return the activations with all but the `k` largest of a row at zero."""
        values, index = activations.topk(self.k, dim=1, sorted=False)
        return torch.zeros_like(activations).scatter(1, index, values)


class Binary(nn.Module):
    """Round to 1 where positive and else to 0, with the gradient of a line [1]_.

    The gradient is that of :math:`(x + 1) / 2` where :math:`|x| < 1`, and zero beyond.

    References
    ----------
    .. [1] Y. Bengio, N. Leonard and A. Courville, "Estimating or propagating gradients
       through stochastic neurons", arXiv:1308.3432, 2013.
    """

    def forward(self, x):
        """Return zeros and ones of the shape of `x`."""
        line = x.clamp(-1, 1)
        return torch.add((x > 0).to(x), line - line.detach(), alpha=0.5)


def nested_dropout(code, generator):
    """Set the end of each row to zero, from a random size of at least 1 on [1]_.

    Parameters
    ----------
    code : Tensor of shape (n_samples, n_components)
        The code.
    generator : torch.Generator
        Source of the sizes, uniform from 1 to n_components.

    Returns
    -------
    code : Tensor of shape (n_samples, n_components)
        The code, cut.

    References
    ----------
    .. [1] O. Rippel, M. Gelbart and R. Adams, "Learning ordered representations with
       nested dropout", ICML 2014.
    """
    n_rows, width = code.shape
    sizes = torch.randint(1, width + 1, (n_rows, 1), generator=generator)
    kept = torch.arange(width) < sizes
    return code * kept.to(code)
