"""Networks: modules with ``encode``, ``decode`` and ``forward``."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from skae.layers import Binary, TopK, nested_dropout

__all__ = [
    "ACTIVATIONS",
    "DenseNetwork",
    "Network",
    "Output",
    "PathNetwork",
    "linear",
    "multilayer_perceptron",
    "reset_parameters",
    "zero_last_layer",
]

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
CODE_ACTIVATIONS = (*ACTIVATIONS, "binary")
# Components up to which a second training, where the first gained nothing, may pay.
STIRRED_UP_TO = 4


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
    activations : Tensor of shape (n_samples, n_components)
        What the code is made of: it, before its largest entries are chosen or it is
        rounded to bits.
    """

    reconstruction: torch.Tensor
    code: torch.Tensor
    logits: torch.Tensor
    activations: torch.Tensor


class Network(nn.Module):
    """Base of networks: a subclass defines `activate` and `logits`, and a `config`.

    Attributes
    ----------
    config : dict
        The constructor's arguments, from which an equal network can be built. It has
        ``n_components``, the width of the code.
    anchor : Tensor of shape (0,)
        A buffer of the weights' type, on their device.
    """

    # Whether there is a linear path, and so a start at PCA that the rest corrects.
    has_path = False
    # Whether encoding and decoding are linear maps.
    is_linear = False
    # Whether the decoder's weights are the encoder's, transposed.
    is_tied = False
    # The encoder's linear layer, where it has only one.
    single_layer = None
    # Whether `stir` moves it away from a start that gradients may not lead away from.
    can_stir = False

    def __init__(self, config):
        super().__init__()
        self.config = {
            k: v for k, v in config.items() if k not in ("self", "__class__")
        }
        self.output_activation = nn.Identity()
        # To look for these at the weights takes longer.
        self.register_buffer("anchor", torch.empty(0), persistent=False)

    def activate(self, x):
        """Return what the code of `x` is made of, (n_samples, n_components)."""
        raise NotImplementedError

    def logits(self, z):
        """Return the reconstruction of code `z` before the output activation."""
        raise NotImplementedError

    def analyse(self, x):
        """Return what the code of `x` is made of, and what else decodes it, a tuple.

        The latter follows the code in the arguments of `logits`: nothing, unless the
        decoder is handed more than the code.
        """
        return self.activate(x), ()

    def discretise(self, activations, generator=None):
        """Return the code that is made of `activations`: these."""
        return activations

    def encode(self, x):
        """Return the code of `x`, of shape (n_samples, n_components)."""
        return self.discretise(self.activate(x))

    def decode(self, z):
        """Return the reconstruction of code `z`, (n_samples, n_features)."""
        return self.output_activation(self.logits(z))

    def disturbed(self, code, generator):
        """Return the code that is decoded in training: the code itself."""
        return code

    def forward(self, x, generator=None):
        """Return the `Output` for `x`, without noise where `generator` is None."""
        activations, beside = self.analyse(x)
        shown = code = self.discretise(activations, generator)
        if generator is not None:
            shown = self.disturbed(code, generator)
        logits = self.logits(shown, *beside)
        return Output(self.output_activation(logits), code, logits, activations)


def linear(n_inputs, n_outputs, bias=True):
    """Return a linear layer without drawing from the global random state."""
    return skip_init(nn.Linear, n_inputs, n_outputs, bias=bias)


def reset_parameters(network, generator):
    r"""Draw the parameters of all layers with weights from `generator`.

    As in PyTorch, weights and biases are uniform on :math:`\pm 1/\sqrt{m}` where
    :math:`m` inputs meet in a unit.
    """
    for module in network.modules():
        weight = getattr(module, "weight", None)
        own = list(module.parameters(recurse=False))
        if weight is not None and weight.ndim > 1:
            bound = weight[0].numel() ** -0.5
            for parameter in own:
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
        else:
            for parameter in own:
                nn.init.zeros_(parameter)


def _last_layer(part):
    *_, last = (m for m in part.modules() if list(m.parameters(recurse=False)))
    return last


def zero_last_layer(part):
    """Set the parameters of the last layer of `part` to zero, and return it."""
    last = _last_layer(part)
    for parameter in last.parameters():
        nn.init.zeros_(parameter)
    return last


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


def multilayer_perceptron(sizes, activation):
    """Return linear layers between `sizes`, with activations between them."""
    layers = []
    for n_inputs, n_outputs in pairwise(sizes):
        layers += [linear(n_inputs, n_outputs), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


def _transposed(encoder, activation):
    layers = []
    for layer in reversed([m for m in encoder if isinstance(m, nn.Linear)]):
        layers += [TiedLinear(layer), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


class PathNetwork(Network):
    """An encoder and a decoder, optionally as corrections of a linear path.

    Parameters
    ----------
    config : dict
        The constructor's arguments. It has ``n_components``, ``code_activation``,
        ``output_activation``, ``n_nonzero_coefs`` and ``ordered``.
    n_features : int
        Width of the input.
    encoder, decoder : Sequential
        They map rows to codes, and back, before activations.
    linear_path : bool
        Whether to put the linear path beside them.
    """

    # Whether training moves the path's decoder too.
    trains_path = False

    def __init__(self, config, n_features, encoder, decoder, linear_path):
        super().__init__(config)
        self.n_features, self.has_path = n_features, linear_path
        self.encoder, self.decoder = encoder, decoder
        n_components = config["n_components"]
        if linear_path:
            self.encoder_path = linear(n_features, n_components).requires_grad_(False)
            self.decoder_path = linear(n_components, n_features)
            self.decoder_path.requires_grad_(self.trains_path)
            self.register_buffer("code_gain", torch.ones(n_components))
            self.register_buffer("code_scale", torch.ones(n_components))
            self.register_buffer("output_gain", torch.ones(()))
        self.is_binary = config["code_activation"] == "binary"
        self.code_activation = ACTIVATIONS.get(config["code_activation"], nn.Identity)()
        self.selection = Binary() if self.is_binary else nn.Identity()
        if config["n_nonzero_coefs"]:
            self.selection = TopK(config["n_nonzero_coefs"])
        self.output_activation = ACTIVATIONS[config["output_activation"]]()

    def on_path(self, x, z):
        """Return what the linear path makes of `x` with the encoder's correction."""
        if self.has_path:
            z = torch.addcmul(self.encoder_path(x), self.code_gain, z)
        return z

    def activate(self, x):
        """Return what the code of `x` is made of, (n_samples, n_components)."""
        return self.activate_from(x, self.encoder(x))

    def activate_from(self, x, z):
        """Return what the code of `x` is made of, where the encoder makes `z` of it."""
        return self.code_activation(self.on_path(x, z))

    def discretise(self, activations, generator=None):
        """Return the code that is made of `activations`: all, the largest, or bits."""
        if self.is_binary and generator is not None:
            options = {"generator": generator, "dtype": torch.float32}
            noise = torch.randn(activations.shape, **options)
            activations = activations + noise.to(activations)
        return self.selection(activations)

    def logits(self, z, *beside):
        """Return the reconstruction of code `z` before the output activation."""
        if self.is_binary:
            z = 2 * z - 1
        if not self.has_path:
            return self.decoder(z, *beside)
        z = z / self.code_scale
        x = self.decoder(z, *beside)
        return torch.addcmul(self.decoder_path(z), self.output_gain, x)

    def disturbed(self, code, generator):
        """Return the code that is decoded in training, cut where it is ordered."""
        return nested_dropout(code, generator) if self.config["ordered"] else code


class DenseNetwork(PathNetwork):
    r"""Mirrored multilayer perceptrons, optionally as corrections of a linear path.

    .. math:: z = g_z(A x + a + s \odot e(x)), \qquad
              \hat x = g_x(B u + b + r\, d(u)), \quad u = z \oslash t

    with perceptrons :math:`e` and :math:`d`. The linear path :math:`A, a, B, b` and the
    gains :math:`s, r, t` are set once and not trained. Without the linear path,
    :math:`A = B = 0` and all gains are 1. Without hidden layers the perceptrons are
    single linear layers, and the network is linear where both activations are the
    identity.

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
        Activation of the code; also "binary", which makes bits of it. In training they
        are those of the code with standard normal noise, and the decoder gets -1 for 0.
    output_activation : str, default="identity"
        Activation of the reconstruction.
    tied_weights : bool, default=False
        Whether each decoder layer's weight is an encoder layer's, transposed.
    linear_path : bool, default=False
        Whether to put the linear path beside hidden layers.
    n_nonzero_coefs : int or None, default=None
        How many of the code's largest entries to keep; None keeps all.
    ordered : bool, default=False
        Whether to decode, in training, leading parts of the code of random sizes.
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
        n_nonzero_coefs=None,
        ordered=False,
    ):
        config = dict(locals())
        sizes = [n_features, *hidden_layer_sizes, n_components]
        encoder = multilayer_perceptron(sizes, activation)
        decoder = (
            _transposed(encoder, activation)
            if tied_weights
            else multilayer_perceptron(sizes[::-1], activation)
        )
        has_path = linear_path and len(sizes) > 2
        super().__init__(config, n_features, encoder, decoder, has_path)

    @property
    def can_stir(self):
        """Whether it is PCA with so few components that symmetry may keep it there."""
        few = self.config["n_components"] <= STIRRED_UP_TO
        return few and self.has_path and not self.is_tied

    def stir(self, generator):
        """Draw the last layers' parameters, which are zero where the path is PCA.

        Of symmetric rows, such as circles, scores do not tell the mean of what they
        leave, so no gradient leads away from PCA.
        """
        device = self.anchor.device
        self.cpu()  # where generators draw
        for part in (self.encoder, self.decoder):
            reset_parameters(_last_layer(part), generator)
        self.to(device)

    @property
    def is_linear(self):
        """Whether encoding and decoding are linear maps."""
        c = self.config
        hidden = c["activation"] if c["hidden_layer_sizes"] else "identity"
        steps = {hidden, c["code_activation"], c["output_activation"]}
        return steps == {"identity"} and not c["n_nonzero_coefs"]

    @property
    def is_tied(self):
        """Whether the decoder's weights are the encoder's, transposed."""
        return self.config["tied_weights"]

    @property
    def single_layer(self):
        """The encoder's linear layer, where it has only one."""
        return None if self.config["hidden_layer_sizes"] else self.encoder[0]
