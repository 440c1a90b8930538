"""What a stack of layers unrolls into: a network, and how its weights are set."""

from dataclasses import dataclass
from numbers import Integral

import torch
from sklearn.neural_network import BernoulliRBM
from torch import nn

from skae._autoencoder import Autoencoder
from skae._checks import as_widths
from skae.layers import TopK
from skae.networks import DenseNetwork, TiedLinear


class ScaledTiedLinear(TiedLinear):
    """A linear layer with another's weight, transposed, and fixed gains of inputs."""

    def __init__(self, source):
        super().__init__(source)
        self.register_buffer("gain", torch.ones(source.out_features))

    def forward(self, x):
        """Return ``(gain * x) @ source.weight + bias``."""
        return super().forward(self.gain * x)


class UnrolledNetwork(DenseNetwork):
    """A dense network that a stack of layers unrolls into.

    Parameters
    ----------
    *args, **kwargs
        See `DenseNetwork`.
    hidden_nonzero_coefs : int or None, default=None
        How many of their largest entries the encoder's hidden layers keep.
    """

    def __init__(self, *args, hidden_nonzero_coefs=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.config["hidden_nonzero_coefs"] = hidden_nonzero_coefs
        if hidden_nonzero_coefs:
            for i in range(1, len(self.encoder), 2):
                selection = TopK(hidden_nonzero_coefs)
                self.encoder[i] = nn.Sequential(self.encoder[i], selection)
        if self.config["tied_weights"]:
            for encode, (i, _) in zip(self.encoder[::2], self._decoding(), strict=True):
                self.decoder[i] = ScaledTiedLinear(encode)

    @property
    def is_linear(self):
        """Whether encoding and decoding are linear maps."""
        return super().is_linear and not self.config["hidden_nonzero_coefs"]

    def _decoding(self):
        """Return the decoder's linear layers with their places, the last one first."""
        return list(enumerate(self.decoder))[::-2]

    def pairs(self):
        """Return the linear layers of encoder and decoder, a pair for each level."""
        decoding = [layer for _, layer in self._decoding()]
        return list(zip(self.encoder[::2], decoding, strict=True))


@dataclass
class Maps:
    """The affine maps of a fitted layer, to its code and back, in float64.

    Attributes
    ----------
    weight, bias : Tensor
        Those of the encoder.
    back, back_bias : Tensor
        Those of the decoder.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    back: torch.Tensor
    back_bias: torch.Tensor

    @classmethod
    def of(cls, layer, mean, scale):
        """Return those that take, and give, rows centred by `mean` over `scale`."""
        if isinstance(layer, BernoulliRBM):
            return cls.of_machine(layer, mean, scale)
        network = layer.net_.module_
        encode, decode = network.encoder[0], network.decoder[0]
        back = encode.weight.T if layer.tied_weights else decode.weight
        tensors = encode.weight, encode.bias, back, decode.bias
        weight, bias, back, back_bias = (t.detach().cpu().double() for t in tensors)
        ratio = scale / layer.scale_
        shift = torch.from_numpy((mean - layer.mean_) / layer.scale_)
        bias = bias + weight @ shift
        if not layer._bounded:
            back, back_bias = back / ratio, (back_bias - shift) / ratio
        return cls(weight * ratio, bias, back, back_bias)

    @classmethod
    def of_machine(cls, machine, mean, scale):
        """Return those of a machine, which takes rows as they are."""
        arrays = (
            machine.components_,
            machine.intercept_hidden_,
            machine.intercept_visible_,
        )
        weight, bias, back_bias = (torch.from_numpy(a).double() for a in arrays)
        bias = bias + weight @ torch.from_numpy(mean)
        return cls(weight * scale, bias, weight.T, back_bias)

    def decode_logits(self, code):
        """Let the decoder take the logits of a logistic `code` instead of it.

        The logistic function is replaced by the line that fits it best there.
        """
        logits = code.double().logit(eps=1e-7)
        centred = logits - logits.mean(dim=0)
        variance = centred.square().sum(dim=0).clamp(min=1e-12)
        slopes = (centred * code).sum(dim=0) / variance
        offsets = code.mean(dim=0) - slopes * logits.mean(dim=0)
        self.back_bias = self.back_bias + self.back @ offsets
        self.back = self.back * slopes

    def decode_signs(self):
        """Let the decoder take -1 and 1 instead of 0 and 1."""
        self.back_bias = self.back_bias + self.back.sum(dim=1) / 2
        self.back = self.back / 2

    @torch.no_grad()
    def put_into(self, encode, decode):
        """Copy the maps into a pair of linear layers."""
        encode.weight[:], encode.bias[:] = self.weight, self.bias
        decode.bias[:] = self.back_bias
        if isinstance(decode, ScaledTiedLinear):
            norms = self.weight.square().sum(dim=1).clamp(min=1e-300)
            decode.gain[:] = (self.back.T * self.weight).sum(dim=1) / norms
        else:
            decode.weight[:] = self.back


def check_machine(machine, activation, code_activation, output_activation):
    """Raise where layers that are all like `machine` have other activations."""
    for name, value, possible in (
        ("activation", activation, ("logistic",)),
        ("code_activation", code_activation, ("logistic", "identity", "binary")),
        ("output_activation", output_activation, ("logistic",)),
    ):
        if value not in possible:
            raise ValueError(
                f"layer={machine!r} needs {name} to be 'auto' or in {possible}, got "
                f"{value!r}."
            )


def check_layer(layer, activation, output_activation):
    """Raise where `layer` has a code or a network that cannot be unrolled."""
    if type(layer)._make_network is not Autoencoder._make_network:
        raise ValueError(
            "layer must be an Autoencoder with a dense network and no other kind of "
            f"code, or a BernoulliRBM, got {layer!r}."
        )
    sizes = as_widths(layer.hidden_layer_sizes)
    preset = as_widths(type(layer).hidden_layer_sizes)
    codes = sorted({"auto", activation} - {"binary"})
    outputs = sorted({"auto", output_activation})
    for name, holds, wanted in (
        ("n_components", isinstance(layer.n_components, Integral), "an int"),
        ("hidden_layer_sizes", sizes in ((), preset), "(), for a single layer"),
        ("ordered", not layer.ordered, "False"),
        ("code_activation", layer.code_activation in codes, f"one of {codes}"),
        ("output_activation", layer.output_activation in outputs, f"one of {outputs}"),
    ):
        if not holds:
            raise ValueError(
                f"layer needs {name} to be {wanted}, got {getattr(layer, name)!r}."
            )
