"""Penalties: small callables ``penalty(network, x, output) -> scalar tensor``."""

from dataclasses import dataclass

__all__ = ["WeightPenalty"]


@dataclass(frozen=True)
class WeightPenalty:
    r"""Elastic-net penalty on the weights, biases excepted.

    .. math:: \alpha \sum_W \left( (1 - \lambda) \lVert W \rVert_F^2
              + \lambda \lVert W \rVert_1 \right)

    Parameters
    ----------
    alpha : float
        Strength of the penalty.
    l1_ratio : float
        The mixing :math:`\lambda` in [0, 1]: 0 is L2 alone, 1 is L1 alone.
    """

    alpha: float
    l1_ratio: float = 0.0

    def __call__(self, network, x, output):
        """Return the penalty of the trained weights; `x` and `output` play no part."""
        weights = [p for p in network.parameters() if p.ndim > 1 and p.requires_grad]
        squares = sum(w.square().sum() for w in weights) if self.l1_ratio < 1 else 0.0
        absolutes = sum(w.abs().sum() for w in weights) if self.l1_ratio > 0 else 0.0
        mixed = (1 - self.l1_ratio) * squares + self.l1_ratio * absolutes
        return self.alpha * mixed
