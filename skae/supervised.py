"""The networks of supervised estimators: an encoder, and something that it serves."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from skae._rows import blocks
from skae.convolutional import UNPOOLING, ToMaps, ToRows, flat, halved
from skae.networks import (
    ACTIVATIONS,
    Network,
    linear,
    multilayer_perceptron,
    reset_parameters,
    zero_last_layer,
)

__all__ = ["EncodingNetwork", "HeadNetwork", "PairNetwork", "SkipNetwork"]


class EncodingNetwork(Network):
    """Base of networks that make something else of an autoencoder's code.

    A subclass defines `logits`, by layers in `head`, the last of which starts at zero.

    Parameters
    ----------
    config : dict
        The constructor's arguments. ``config["encoder"]`` is the autoencoder's class
        and its `config`.

    Attributes
    ----------
    code_scale : Tensor of shape (n_components,)
        What the code is divided by first.
    """

    # Whether each component of the code is divided by its own size.
    scales_apart = True

    def __init__(self, config):
        super().__init__(config)
        encoding, inputs = config["encoder"]
        self.encoder = encoding(**inputs)
        self.encoder.decoder = self.encoder.decoder_path = nn.Identity()
        self.register_buffer("code_scale", torch.ones(inputs["n_components"]))

    def activate(self, x):
        """Return what the code of `x` is made of, (n_samples, n_components)."""
        return self.encoder.activate(x)

    def analyse(self, x):
        """Return what the code of `x` is made of, and what else is handed over."""
        return self.encoder.analyse(x)

    def discretise(self, activations, generator=None):
        """Return the code that is made of `activations`."""
        return self.encoder.discretise(activations, generator)

    def disturbed(self, code, generator):
        """Return the code that is used in training."""
        return self.encoder.disturbed(code, generator)

    @torch.no_grad()
    def start_at(self, encoder, rows, generator):
        """Take the weights of `encoder`, and return zero for all rows."""
        self.encoder.load_state_dict(encoder.state_dict(), strict=False)
        reset_parameters(self.head, generator)
        zero_last_layer(getattr(self.head, "decoder", self.head))
        shown = (rows.take(b).to(self.code_scale) for b in blocks(*rows.shape))
        codes = [self.encode(x) for x in shown]
        sizes = torch.cat(codes).square().mean(dim=0)
        if not self.scales_apart:
            sizes = sizes.mean()
        largest = float(sizes.max().sqrt())
        least = 1e-3 * largest if largest > 1e-20 else 1.0
        self.code_scale[:] = sizes.sqrt().clamp(min=least)


class HeadNetwork(EncodingNetwork):
    """The encoder of a network, and a linear layer on its code.

    Parameters
    ----------
    encoder : tuple of (type, dict)
        The class of the network and its `config`.
    n_outputs : int
        Width of the linear layer.
    """

    # Components of small variance should not get the weight of others.
    scales_apart = False

    def __init__(self, encoder, n_outputs):
        super().__init__(dict(locals()))
        self.head = linear(encoder[1]["n_components"], n_outputs)

    @torch.no_grad()
    def set_head(self, weight, bias):
        """Set the linear layer to two arrays."""
        own = self.head.weight, self.head.bias
        for parameter, value in zip(own, (weight, bias), strict=True):
            parameter[:] = torch.from_numpy(value).to(parameter)

    def logits(self, z, *beside):
        """Return the outputs for code `z`, (n_samples, n_outputs)."""
        return self.head(z / self.code_scale)


class PairNetwork(EncodingNetwork):
    """The encoder of one network, and the decoder of another one.

    Parameters
    ----------
    encoder, decoder : tuple of (type, dict)
        The class of each network and its `config`.
    """

    def __init__(self, encoder, decoder):
        super().__init__(dict(locals()))
        decoding, outputs = decoder
        self.head = decoding(**outputs)
        self.head.encoder = nn.Identity()

    def logits(self, z, *beside):
        """Return the output of code `z`, (n_samples, n_outputs)."""
        return self.head.logits(z / self.code_scale, *beside)


class SkipNetwork(EncodingNetwork):
    """A convolutional encoder, and a decoder that is handed its maps too [1]_.

    At each size the decoder adds the encoder's maps, resized where the output has
    another size, to its own. So the code need not carry what is where.

    Parameters
    ----------
    encoder : tuple of (type, dict)
        The class and the `config` of a convolutional network.
    output_shape : tuple of int
        Height, width and number of channels of the output.

    References
    ----------
    .. [1] O. Ronneberger, P. Fischer and T. Brox, "U-Net: convolutional networks for
       biomedical image segmentation", MICCAI 2015, arXiv:1505.04597.
    """

    def __init__(self, encoder, output_shape):
        super().__init__(dict(locals()))
        c = encoder[1]
        *size, n_colours = output_shape
        nonlinear, kernel_size = ACTIVATIONS[c["activation"]], c["kernel_size"]
        # Maps of full size cost most.
        counts = [max(1, c["channels"][0] // 2), *c["channels"]]
        self.sizes = [tuple(size)]
        for _ in c["channels"]:
            self.sizes.append(halved(self.sizes[-1]))
        n_last = self.sizes[-1][0] * self.sizes[-1][1] * counts[-1]
        widths = c["n_components"], *c["hidden_layer_sizes"][::-1], n_last
        expand = multilayer_perceptron(widths, c["activation"])
        expand.extend([nonlinear(), ToMaps(self.sizes[-1], counts[-1])])
        _, grow = UNPOOLING[c["unpooling"]]
        levels = zip(pairwise(counts), self.sizes, strict=False)
        up = [nn.Sequential(*grow(n, m, kernel_size, s)) for (m, n), s in levels]
        given = [c["image_shape"][2], *c["channels"]]
        beside = zip(
            given, counts, [kernel_size, *[1] * len(c["channels"])], strict=True
        )
        last = [
            *flat(counts[0], counts[0], kernel_size),
            nonlinear(),
            *flat(counts[0], n_colours, kernel_size),
            ToRows(),
        ]
        self.head = nn.ModuleDict(
            {
                "expand": expand,
                "up": nn.ModuleList(up),
                "beside": nn.ModuleList(
                    nn.Sequential(*flat(*sizes)) for sizes in beside
                ),
                "last": nn.Sequential(*last),
            }
        )
        self.nonlinear = nonlinear()

    def analyse(self, x):
        """Return what the code of `x` is made of, and maps, the largest first."""
        layers, ends = self.encoder.encoder, [1, *self.encoder.ends]
        maps = [layers[:1](x)]
        for start, end in pairwise(ends):
            maps.append(layers[start:end](maps[-1]))
        z = layers[ends[-1] :](maps[-1])
        return self.encoder.activate_from(x, z), maps

    def logits(self, z, *maps):
        """Return the output of code `z` and of the encoder's maps."""
        y = self.head["expand"](z / self.code_scale)
        for level in reversed(range(len(maps))):
            given, size = maps[level], self.sizes[level]
            if given.shape[2:] != size:
                given = F.interpolate(given, size=size, mode="bilinear")
            y = self.nonlinear(y + self.head["beside"][level](given))
            y = self.head["up"][level - 1](y) if level else y
        return self.head["last"](y)
