"""Reconstruction losses: pure functions, one value for each entry of the data.

Each takes the network's output and the target, both in the units the network
is trained in, and returns a tensor of the target's shape. Training minimises
its mean; `score_samples` averages it over the features of a row.
"""

from torch.nn import functional as F

__all__ = ["LOSSES", "absolute_error", "binary_cross_entropy", "huber", "squared_error"]


def squared_error(output, target):
    r"""Return :math:`(x - \hat x)^2` of shape (n_samples, n_features)."""
    return F.mse_loss(output.reconstruction, target, reduction="none")


def absolute_error(output, target):
    r"""Return :math:`|x - \hat x|` of shape (n_samples, n_features)."""
    return (output.reconstruction - target).abs()


def huber(output, target):
    r"""Return Huber's loss with :math:`\delta = 1`, shape (n_samples, n_features).

    It is :math:`\frac12 e^2` for :math:`|e| \le 1` and :math:`|e| - \frac12`
    beyond, with :math:`e = x - \hat x`.
    """
    return F.huber_loss(output.reconstruction, target, reduction="none")


def binary_cross_entropy(output, target):
    r"""Return :math:`-x\log\hat x-(1-x)\log(1-\hat x)`, (n_samples, n_features).

    It is computed from the logits of :math:`\hat x`, so that it stays finite and
    keeps its gradient where :math:`\hat x` rounds to 0 or 1.
    """
    return F.binary_cross_entropy_with_logits(output.logits, target, reduction="none")


# With each loss the power of the data's unit that it is measured in.
LOSSES = {
    "squared_error": (squared_error, 2),
    "absolute_error": (absolute_error, 1),
    "huber": (huber, 2),
    "binary_cross_entropy": (binary_cross_entropy, 0),
}
