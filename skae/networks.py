"""Networks: modules with ``encode(x)``, ``decode(z)`` and ``forward(x)``."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

__all__ = ["ACTIVATIONS", "DenseNetwork", "Output", "linear", "reset_parameters"]

ACTIVATIONS = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
}


@dataclass(slots=True)
class Output:
    """What a network returns for a batch.

    Attributes
    ----------
    reconstruction : Tensor of shape (n_samples, n_features)
        The decoded batch.
    code : Tensor of shape (n_samples, n_components)
        The encoded batch.
    logits : Tensor of shape (n_samples, n_features)
        The reconstruction before the output activation.
    """

    reconstruction: torch.Tensor
    code: torch.Tensor
    logits: torch.Tensor


def linear(n_inputs, n_outputs, bias=True):
    """Return a linear layer without drawing from the global random state."""
    return skip_init(nn.Linear, n_inputs, n_outputs, bias=bias)


def reset_parameters(network, generator):
    """Draw Glorot-uniform weights from `generator`; biases become zero."""
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter, generator=generator)
        else:
            nn.init.zeros_(parameter)


class TiedLinear(nn.Module):
    """A linear layer whose weight is another layer's, transposed."""

    def __init__(self, source):
        super().__init__()
        # A tuple keeps the source from being registered, and saved, twice.
        self._source = (source,)
        self.bias = nn.Parameter(torch.empty(source.in_features))

    def forward(self, x):
        """Return ``x @ source.weight + bias``."""
        return F.linear(x, self._source[0].weight.t(), self.bias)


def _multilayer_perceptron(sizes, activation):
    layers = []
    for n_inputs, n_outputs in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [linear(n_inputs, n_outputs), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


def _transposed(encoder, activation):
    layers = []
    for layer in reversed([m for m in encoder if isinstance(m, nn.Linear)]):
        layers += [TiedLinear(layer), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


class DenseNetwork(nn.Module):
    r"""Mirrored multilayer perceptrons, optionally beside a linear path.

    .. math:: z = g_z(A x + a + e(x)), \qquad \hat x = g_x(B z + b + d(z))

    with perceptrons :math:`e` and :math:`d`. Without the linear path,
    :math:`A = B = 0`. Without hidden layers the perceptrons are single linear
    layers, and the whole network is linear where both activations are the identity.

    Parameters
    ----------
    n_features : int
        Width of the input.
    n_components : int
        Width of the code.
    hidden_layer_sizes : tuple of int, default=()
        Widths of the encoder's hidden layers; the decoder mirrors them.
    activation : str, default="gelu"
        Activation of the hidden layers, a key of `ACTIVATIONS`.
    code_activation : str, default="identity"
        Activation of the code.
    output_activation : str, default="identity"
        Activation of the reconstruction.
    tied_weights : bool, default=False
        Whether each decoder layer's weight is an encoder layer's, transposed.
    linear_path : bool, default=False
        Whether to put the linear path beside hidden layers.

    Attributes
    ----------
    config : dict
        The arguments above, from which an equal network can be built.
    """

    def __init__(
        self,
        n_features,
        n_components,
        hidden_layer_sizes=(),
        activation="gelu",
        code_activation="identity",
        output_activation="identity",
        tied_weights=False,
        linear_path=False,
    ):
        config = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        super().__init__()
        self.config = config
        sizes = [n_features, *hidden_layer_sizes, n_components]
        self.encoder = _multilayer_perceptron(sizes, activation)
        self.decoder = (
            _transposed(self.encoder, activation)
            if tied_weights
            else _multilayer_perceptron(sizes[::-1], activation)
        )
        self.encoder_path = self.decoder_path = None
        if linear_path and hidden_layer_sizes:
            self.encoder_path = linear(n_features, n_components)
            self.decoder_path = (
                TiedLinear(self.encoder_path)
                if tied_weights
                else linear(n_components, n_features)
            )
        self.code_activation = ACTIVATIONS[code_activation]()
        self.output_activation = ACTIVATIONS[output_activation]()

    @property
    def is_linear(self):
        """Whether encoding and decoding are linear maps."""
        c = self.config
        hidden = c["activation"] if c["hidden_layer_sizes"] else "identity"
        return {hidden, c["code_activation"], c["output_activation"]} == {"identity"}

    def encode(self, x):
        """Return the code of `x`, of shape (n_samples, n_components)."""
        z = self.encoder(x)
        if self.encoder_path is not None:
            z = z + self.encoder_path(x)
        return self.code_activation(z)

    def logits(self, z):
        """Return the reconstruction of code `z` before the output activation."""
        x = self.decoder(z)
        if self.decoder_path is not None:
            x = x + self.decoder_path(z)
        return x

    def decode(self, z):
        """Return the reconstruction of code `z`, (n_samples, n_features)."""
        return self.output_activation(self.logits(z))

    def forward(self, x):
        """Return the `Output` for `x` of shape (n_samples, n_features)."""
        code = self.encode(x)
        logits = self.logits(code)
        return Output(self.output_activation(logits), code, logits)
