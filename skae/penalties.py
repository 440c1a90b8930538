"""Penalties: small callables ``penalty(network, x, output, generator)``.

One that returns a vector, of a number for each row or of one for all, is a part of the
objective: its mean is added in training, and it counts where rows kept out of training
are judged. One that returns a scalar is a means to an end, and counts in training only.

Where one has ``reads_input = False`` it does not look at `x`, whose gaps are then not
filled for its sake. Where one has a method ``forget()``, it is called before training
starts, and again for each fold.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

__all__ = [
    "ActivityPenalty",
    "BalancePenalty",
    "ContractionPenalty",
    "DeadUnitPenalty",
    "KLSparsityPenalty",
    "WeightPenalty",
    "kl_sparsity",
    "squared_jacobian_norm",
]


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
    reads_input = False

    def __call__(self, network, x, output, generator):
        """Return the penalty of the trained weights, a scalar."""
        weights = [p for p in network.parameters() if p.ndim > 1 and p.requires_grad]
        squares = sum(w.square().sum() for w in weights) if self.l1_ratio < 1 else 0.0
        absolutes = sum(w.abs().sum() for w in weights) if self.l1_ratio > 0 else 0.0
        mixed = (1 - self.l1_ratio) * squares + self.l1_ratio * absolutes
        return self.alpha * mixed


@dataclass(frozen=True)
class ActivityPenalty:
    r"""L1 norm of the code, :math:`\beta \sum_j |z_{ij}|` for row :math:`i`.

    Parameters
    ----------
    weight : float
        Strength :math:`\beta` of the penalty.
    """

    weight: float
    reads_input = False

    def __call__(self, network, x, output, generator):
        """Return the penalty of each row."""
        return self.weight * output.code.abs().sum(dim=1)


def kl_sparsity(means, target):
    r"""Return the divergence of mean activations from a target [1]_.

    .. math:: \sum_j \rho \log\frac{\rho}{\hat\rho_j}
              + (1 - \rho) \log\frac{1 - \rho}{1 - \hat\rho_j}

    Parameters
    ----------
    means : Tensor of shape (n_components,)
        Mean activations :math:`\hat\rho_j` in (0, 1).
    target : float
        The target :math:`\rho` in (0, 1).

    Returns
    -------
    divergence : Tensor
        A scalar, zero only where all means are at the target.

    References
    ----------
    .. [1] A. Ng, "Sparse autoencoder", CS294A lecture notes, Stanford, 2011.
    """
    # PyTorch's cross-entropy has an error of its own for what is not a number.
    means = means.clamp(1e-12, 1 - 6e-8)
    ratios = math.log(target) - means.log(), math.log(1 - target) - (1 - means).log()
    return (target * ratios[0] + (1 - target) * ratios[1]).sum()


class KLSparsityPenalty:
    """`kl_sparsity` of the code's mean activations over the latest rows.

    A small batch is too few rows for a mean of a few per cent. So in training the
    divergence and its derivative are taken at a running mean over about `window` rows,
    with the gradient of the batch's own mean. Where there is no generator, and so no
    noise, batches are all rows, and their mean is all there is.

    Parameters
    ----------
    weight : float
        Strength of the penalty.
    target : float
        Mean activation aimed at, in (0, 1).
    window : int, default=1024
        Rows that the running mean reaches back over.
    """

    reads_input = False

    def __init__(self, weight, target, window=1024):
        self.weight, self.target, self.window = weight, target, window
        self.forget()

    def forget(self):
        """Forget the mean of earlier rows."""
        self.running = None

    def __call__(self, network, x, output, generator):
        """Return the penalty of all rows, in a vector."""
        means = output.code.mean(dim=0)
        if network.training and generator is not None:
            share = min(1.0, len(x) / self.window)
            if self.running is None:
                share = 1.0
            old = means.detach() if self.running is None else self.running
            self.running = old + share * (means.detach() - old)
            means = means + (self.running - means).detach()
        return self.weight * kl_sparsity(means, self.target).reshape(1)


class DeadUnitPenalty:
    r"""Let units that no row has used for an epoch fit what the others leave [1]_.

    .. math:: \frac{1}{4 d} \lVert x_i - g(z_i + \tilde z_i) \rVert^2

    for the code :math:`z_i`, held fixed, and :math:`\tilde z_i`, the activations of
    dead units, as far as they are among the row's largest quarter of those. It is zero
    where no unit is dead. Were all dead units used by each row, none would grow large
    enough to be used again.

    Parameters
    ----------
    target : callable
        What the decoder is to return for the input that it takes.
    n_rows : int
        Rows after which a unit that none has used counts as dead.

    References
    ----------
    .. [1] L. Gao et al., "Scaling and evaluating sparse autoencoders",
       arXiv:2406.04093, 2024.
    """

    weight = 1 / 4

    def __init__(self, target, n_rows):
        self.target, self.n_rows = target, n_rows
        self.forget()

    def forget(self):
        """Forget how long units have not been used."""
        self.unused = None

    def __call__(self, network, x, output, generator):
        """Return the mean penalty of the rows, a scalar."""
        # A line search, which has no generator, needs the same objective in each call.
        if not network.training or generator is None:
            return x.new_zeros(())
        used = (output.code.detach() != 0).any(dim=0)
        before = torch.zeros_like(used, dtype=torch.long)
        self.unused = (before if self.unused is None else self.unused) + len(x)
        self.unused[used] = 0
        dead = self.unused >= self.n_rows
        if not dead.any():
            return x.new_zeros(())
        activations = output.activations.masked_fill(~dead, -torch.inf)
        values, index = activations.topk(-(-int(dead.sum()) // 4), dim=1)
        code = output.code.detach().scatter(1, index, values)
        return self.weight * F.mse_loss(network.decode(code), self.target(x))


@dataclass(frozen=True)
class BalancePenalty:
    r"""Distance of the activations' means from 0 and of their mean squares from 1.

    .. math:: \frac{\beta}{k} \sum_j \left((\operatorname{mean}_i a_{ij})^2
              + (\operatorname{mean}_i a_{ij}^2 - 1)^2\right)

    It keeps bits balanced, and the noise before them from losing its meaning.

    Parameters
    ----------
    weight : float
        Strength :math:`\beta` of the penalty.
    """

    weight: float
    reads_input = False

    def __call__(self, network, x, output, generator):
        """Return the penalty of all rows, in a vector."""
        a = output.activations
        terms = a.mean(dim=0).square() + (a.square().mean(dim=0) - 1).square()
        return self.weight * terms.mean().reshape(1)


@dataclass(frozen=True)
class ContractionPenalty:
    r"""Squared norm of the encoder's Jacobian, :math:`\beta \lVert J(x_i) \rVert_F^2`.

    Parameters
    ----------
    weight : float
        Strength :math:`\beta` of the penalty.
    """

    weight: float

    def __call__(self, network, x, output, generator):
        """Return the penalty of each row."""
        return self.weight * squared_jacobian_norm(network, x, generator)


# Widths of the code up to which the Jacobian is computed row by row.
EXACT_WIDTH = 4


def squared_jacobian_norm(network, x, generator=None):
    r"""Return :math:`\lVert \partial z / \partial x \rVert_F^2` of each row [1]_.

    It is exact for an encoder of a single layer, where it is
    :math:`\sum_j h_j'^2 \lVert W_j \rVert^2`, and for codes of at most 4 numbers, from
    as many backward passes. For other encoders it is an unbiased estimate: the squared
    norm of :math:`v^\top J` for one random vector of signs :math:`v`, a single backward
    pass.

    Parameters
    ----------
    network : Network
        The network whose encoder to differentiate.
    x : Tensor of shape (n_samples, n_features)
        Where.
    generator : torch.Generator or None, default=None
        Source of the signs. None makes the result exact for all encoders.

    Returns
    -------
    norms : Tensor of shape (n_samples,)
        The squared norms, with a gradient if `network` is in training.

    References
    ----------
    .. [1] S. Rifai et al., "Contractive auto-encoders: explicit invariance during
       feature extraction", ICML 2011.
    """
    keep = network.training
    with torch.enable_grad():
        if network.single_layer is not None:
            # In training, a callback may have frozen the weights.
            a = network.encoder(x)
            a = a if a.requires_grad else a.requires_grad_()
            code = network.discretise(network.code_activation(a))
            (slopes,) = torch.autograd.grad(code.sum(), a, create_graph=keep)
            return slopes.square() @ network.single_layer.weight.square().sum(dim=1)
        x = x.detach().requires_grad_()
        code = network.encode(x)
        vectors = torch.eye(code.shape[1]).to(code)[:, None]
        if generator is not None and code.shape[1] > EXACT_WIDTH:
            signs = torch.randint(0, 2, code.shape, generator=generator)
            vectors = (2 * signs - 1)[None].to(code)
        products = (
            torch.autograd.grad(
                code, x, v.expand_as(code), create_graph=keep, retain_graph=True
            )[0]
            for v in vectors
        )
        return sum(product.square().sum(dim=1) for product in products)
