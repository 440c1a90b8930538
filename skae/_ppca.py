"""Probabilistic PCA in closed form, and a variational network that starts at it."""

import math
from dataclasses import dataclass

import torch
from torch import nn

from skae._axes import principal_axes
from skae._rows import blocks
from skae._start import (
    centre_output,
    mean_square,
    output_unit,
    refit_decoder,
    rounded,
    set_linear_maps,
)
from skae.variational import LOG_SCALE_FLOOR


@dataclass
class ProbabilisticPCA:
    r"""The model :math:`x = \mu + U(\Lambda - \sigma^2 I)^{1/2} z + \sigma\varepsilon`.

    Its likelihood is the largest if :math:`U, \Lambda` are the leading principal axes
    and the variances along them, and :math:`\sigma^2` the mean of those left out.

    Attributes
    ----------
    mean : Tensor of shape (n_features,)
        The columns' means.
    axes : Tensor of shape (n_axes, n_features)
        The axes with a variance above the noise's.
    variances : Tensor of shape (n_axes,)
        Variances along them.
    noise : float
        Variance of the noise.
    """

    mean: torch.Tensor
    axes: torch.Tensor
    variances: torch.Tensor
    noise: float

    @classmethod
    def fit(cls, rows, n_components, generator):
        """Return the model of `rows`; all directions but one are the most it takes."""
        d = rows.shape[1]
        # As many axes as columns would leave none for the noise.
        k = min(n_components, d - 1)
        mean, axes, variances = principal_axes(rows, k, generator)
        left = mean_square(rows, mean) - float(variances.sum())
        noise = max(left / (d - len(variances)), math.exp(2 * LOG_SCALE_FLOOR))
        used = variances > noise
        return cls(mean, axes[used], variances[used], noise)

    def log_likelihood(self, rows):
        """Return the mean logarithm of the density at `rows`."""
        d, q = rows.shape[1], len(self.axes)
        total = 0.0
        for block in blocks(*rows.shape):
            x = rows.exact(block) - self.mean
            scores = (x @ self.axes.T).square()
            left = x.square().sum() - scores.sum()
            total += float((scores / self.variances).sum() + left / self.noise)
        logs = float(self.variances.log().sum()) + (d - q) * math.log(self.noise)
        return -0.5 * (d * math.log(2 * math.pi) + logs + total / len(rows))


def reference_log_likelihood(parts, n_components, generator):
    """Return that of the rows watched, by models of the rows trained on."""
    total = n_rows = 0
    for rows, rows_valid in parts:
        ppca = ProbabilisticPCA.fit(rows, n_components, generator)
        total += len(rows_valid) * ppca.log_likelihood(rows_valid)
        n_rows += len(rows_valid)
    return total / n_rows


@torch.no_grad()
def start_at_ppca(network, rows, generator):
    r"""Make `network` the probabilistic PCA of `rows` [1]_.

    The code's mean is :math:`(\Lambda - \sigma^2 I)^{1/2}\Lambda^{-1}U^\top(x - \mu)`,
    its variance :math:`\sigma^2\Lambda^{-1}`: the exact posterior, so that the bound
    is the log-likelihood. Where the output has an activation, the decoder is fitted to
    these codes.

    References
    ----------
    .. [1] J. Lucas et al., "Don't blame the ELBO! A linear VAE perspective on posterior
       collapse", NeurIPS 2019, arXiv:1911.02469.
    """
    c = network.config
    ppca = ProbabilisticPCA.fit(rows, c["n_components"], generator)
    n_used, lengths = len(ppca.axes), (ppca.variances - ppca.noise).sqrt()
    encoder = torch.zeros(c["n_components"], rows.shape[1], dtype=torch.float64)
    decoder = encoder.clone()
    encoder[:n_used] = ppca.axes * (lengths / ppca.variances)[:, None]
    decoder[:n_used] = ppca.axes * lengths[:, None]
    log_variance = torch.zeros(len(encoder), dtype=torch.float64)
    log_variance[:n_used] = -torch.log1p(lengths.square() / ppca.noise)
    spread = torch.zeros_like(log_variance)
    tied = network.is_tied and not network.has_path
    if tied:
        # The two differ in length, which the codes' spread makes up for.
        unit = output_unit(network, rows)
        spread[:n_used] = (unit * ppca.variances).log() / 2
        encoder, decoder = (
            encoder * spread.exp()[:, None],
            unit * decoder / spread.exp()[:, None],
        )
    set_linear_maps(network, ppca.mean, encoder, decoder)
    network.log_spread.copy_(rounded(spread, network.log_spread))
    _start_noise(network, log_variance + 2 * spread, ppca.noise, rows)
    if network.has_path:
        left = (ppca.noise * (rows.shape[1] - n_used)) ** 0.5
        network.code_gain[:n_used] = (left / ppca.variances.sqrt()).clamp(max=1)
        network.output_gain.fill_(
            max(ppca.noise, 1e-6) ** 0.5 * output_unit(network, rows)
        )
    if tied:
        centre_output(network, rows, ppca.mean)
    elif c["output_activation"] != "identity":
        _fit_output(network, rows, log_variance)


def _start_noise(network, log_variance, noise, rows):
    nn.init.zeros_(network.variance_head.weight)
    nn.init.zeros_(network.variance_head.bias)
    network.log_variance_start.copy_(rounded(log_variance, network.noise))
    # What `log_scale` is to be comes out of a softplus.
    floor = float(network.noise_floor)
    above = max(0.5 * math.log(noise) - LOG_SCALE_FLOOR, 1e-3)
    inverse = above + math.log(-math.expm1(-above))
    start = torch.tensor(floor + inverse, dtype=torch.float64)
    network.noise_start.copy_(rounded(start, network.noise))


def _fit_output(network, rows, log_variance):
    refit_decoder(network, rows)
    path = network.decoder_path if network.has_path else network.decoder[-1]
    if isinstance(path, nn.Linear):
        # Codes are uncorrelated, and draws of them vary more than their means.
        path.weight.mul_(-torch.expm1(log_variance).to(path.weight))
