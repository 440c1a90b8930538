"""The terms of a variational autoencoder: network, likelihoods, divergence."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from skae._net import Callback
from skae.convolutional import ConvolutionalNetwork
from skae.losses import binary_cross_entropy
from skae.networks import DenseNetwork, Output, linear

__all__ = [
    "LIKELIHOODS",
    "ConvolutionalVariationalNetwork",
    "GaussianKLPenalty",
    "KLWarmup",
    "Posterior",
    "VariationalNetwork",
    "VariationalOutput",
    "gaussian_kl",
    "gaussian_nll",
]

# Least standard deviation of the noise, of rows with an average variance of 1. Below
# it, single precision is noise itself.
LOG_SCALE_FLOOR = -8.0
LOG_VARIANCE_RANGE = (-24.0, 8.0)


@dataclass(slots=True)
class VariationalOutput(Output):
    """What a variational network returns for a batch.

    Attributes
    ----------
    log_variance : Tensor of shape (n_samples, n_components)
        Logarithms of the posterior's variances; its means are `code`.
    log_scale : Tensor of shape (1,) or (n_features,)
        Logarithm of the standard deviation of the noise.
    """

    log_variance: torch.Tensor
    log_scale: torch.Tensor


def gaussian_nll(output, target):
    r"""Return :math:`\frac12\log 2\pi + \log\sigma + (x - \hat x)^2 / 2\sigma^2`."""
    deviations = (target - output.reconstruction) * (-output.log_scale).exp()
    return 0.5 * (deviations.square() + math.log(2 * math.pi)) + output.log_scale


LIKELIHOODS = {"gaussian": gaussian_nll, "bernoulli": binary_cross_entropy}


def gaussian_kl(mean, log_variance):
    r"""Return the divergence of normal distributions from the standard normal one.

    .. math:: \frac12 \sum_j \left(\mu_j^2 + \sigma_j^2 - 1 - \log\sigma_j^2\right)

    Parameters
    ----------
    mean : Tensor of shape (n_samples, n_components)
        Their means.
    log_variance : Tensor of shape (n_samples, n_components)
        Logarithms of their variances.

    Returns
    -------
    divergence : Tensor of shape (n_samples,)
        In nats, zero only for the standard normal distribution.
    """
    # expm1, for exp(v) - 1 - v is all rounding where v is small.
    terms = mean.square() + torch.expm1(log_variance) - log_variance
    return 0.5 * terms.sum(dim=1)


@dataclass(frozen=True)
class GaussianKLPenalty:
    r"""`gaussian_kl` of the posterior, :math:`\beta \operatorname{KL}_i` for row i.

    In training it is also weighted by the network's `kl_weight`.

    Parameters
    ----------
    beta : float
        Weight :math:`\beta` of the divergence.
    """

    beta: float
    reads_input = False

    def __call__(self, network, x, output, generator):
        """Return the penalty of each row."""
        weight = self.beta * network.kl_weight if network.training else self.beta
        return weight * gaussian_kl(output.code, output.log_variance)


class KLWarmup(Callback):
    """Let the divergence's weight rise from 0 to 1 over the first epochs.

    Parameters
    ----------
    n_epochs : int
        How many; 0 gives it its weight at once.
    n_before : int, default=0
        Epochs of the fits that this one goes on with.
    """

    def __init__(self, n_epochs, n_before=0):
        self.n_epochs, self.n_before = n_epochs, n_before

    def on_epoch_begin(self, net, **kwargs):
        """Set the weight, never below what an earlier fit reached."""
        n_done = self.n_before + len(net.history) - 1
        weight = min(1.0, n_done / self.n_epochs) if self.n_epochs else 1.0
        net.module_.kl_weight.clamp_(min=weight)


class Posterior:
    r"""What makes the code of a `PathNetwork` one with a normal distribution.

    It stands before the class of the network among the bases.

    .. math:: z = \mu(x) + e^{v(x)/2} \odot \varepsilon, \qquad
              \varepsilon \sim \mathcal N(0, I)

    :math:`\mu` is that network's code; the logarithm of the variances, :math:`v`,
    comes from a second head on its last hidden layer. The noise of the reconstruction
    is learnt too.

    Parameters
    ----------
    *args : tuple
        Passed to the network.
    noise : {"shared", "per_feature"}, default="shared"
        Whether all features have noise of the same size.
    **kwargs : dict
        Passed to the network.
    """

    # The spread scales what the only layer returns: its weight alone is no Jacobian.
    single_layer = None

    # From probabilistic PCA of circles it gained nothing.
    can_stir = False

    def __init__(self, *args, noise="shared", **kwargs):
        super().__init__(*args, **kwargs)
        self.config["noise"] = noise
        n_components = self.config["n_components"]
        n_scales = self.n_features if noise == "per_feature" else 1
        self.variance_head = linear(self.encoder[-1].in_features, n_components)
        self.noise = nn.Parameter(torch.zeros(n_scales))
        # The logarithm of the least noise, in the unit that the decoder decodes in.
        self.register_buffer("noise_floor", torch.tensor(LOG_SCALE_FLOOR))
        # Where variance and noise start: weight decay pulls there, and not to 1.
        self.register_buffer("log_variance_start", torch.zeros(n_components))
        self.register_buffer("noise_start", torch.zeros(()))
        # What the decoder undoes: it fits the codes to the prior for no other's cost.
        self.log_spread = nn.Parameter(torch.zeros(n_components))
        # Rises where the divergence is given its weight little by little.
        self.register_buffer("kl_weight", torch.ones(()))

    @property
    def log_scale(self):
        """Logarithm of the noise's standard deviation, softly above its floor."""
        above = self.noise_start - self.noise_floor + self.noise
        return self.noise_floor + F.softplus(above)

    def posterior(self, x):
        """Return the means and the logarithms of the variances of the codes of `x`."""
        hidden = x
        *layers, last = self.encoder
        for layer in layers:
            hidden = layer(hidden)
        mean = self.on_path(x, last(hidden))
        log_variance = self.log_variance_start + self.variance_head(hidden)
        log_variance = log_variance - 2 * self.log_spread
        return self._narrowed(mean), log_variance.clamp(*LOG_VARIANCE_RANGE)

    def _narrowed(self, mean):
        return mean * (-self.log_spread).exp()

    def activate_from(self, x, z):
        """Return the posterior's mean for `x`, where the encoder makes `z` of it."""
        return self._narrowed(self.on_path(x, z))

    def logits(self, z):
        """Return the reconstruction of code `z` before the output activation."""
        return super().logits(z * self.log_spread.exp())

    def forward(self, x, generator=None):
        """Return the `VariationalOutput` for `x`, at the mean without `generator`."""
        code, log_variance = self.posterior(x)
        shown = code
        if generator is not None:
            noise = torch.randn(code.shape, generator=generator, dtype=code.dtype)
            shown = code + (0.5 * log_variance).exp() * noise.to(code.device)
            shown = self.disturbed(shown, generator)
        return self.output(code, log_variance, shown)

    def output(self, code, log_variance, shown):
        """Return the `VariationalOutput` of a posterior whose draws are `shown`."""
        logits = self.logits(shown)
        reconstruction = self.output_activation(logits)
        return VariationalOutput(
            reconstruction, code, logits, code, log_variance, self.log_scale
        )


class VariationalNetwork(Posterior, DenseNetwork):
    """A `DenseNetwork` whose code has a normal distribution."""


class ConvolutionalVariationalNetwork(Posterior, ConvolutionalNetwork):
    """A `ConvolutionalNetwork` whose code has a normal distribution."""
