"""The convolutional network: strided convolutions down, fractional strides up."""

from itertools import pairwise

from torch import nn
from torch.nn.utils import skip_init

from skae.networks import ACTIVATIONS, PathNetwork, multilayer_perceptron

__all__ = ["ConvolutionalNetwork", "halved"]


def halved(size):
    """Return the size of maps after a convolution of stride 2."""
    return tuple(-(-side // 2) for side in size)


class ToMaps(nn.Module):
    """Make maps, channels first, of rows of pixels, channels last.

    Parameters
    ----------
    size : tuple of int
        Height and width.
    n_channels : int
        Number of channels.
    """

    def __init__(self, size, n_channels):
        super().__init__()
        self.shape = (*size, n_channels)

    def forward(self, x):
        """Return maps of shape (n_samples, n_channels, height, width)."""
        return x.reshape(len(x), *self.shape).permute(0, 3, 1, 2)


class ToRows(nn.Module):
    """Make rows of pixels, channels last, of maps, channels first."""

    def forward(self, maps):
        """Return rows of shape (n_samples, height * width * n_channels)."""
        return maps.permute(0, 2, 3, 1).flatten(start_dim=1)


def _down(n_inputs, n_outputs, kernel_size):
    padding = kernel_size // 2
    return skip_init(
        nn.Conv2d, n_inputs, n_outputs, kernel_size, stride=2, padding=padding
    )


def _up(n_inputs, n_outputs, kernel_size, size):
    # With an odd kernel half a side is doubled less one; `missing` is what lacks.
    missing = tuple(
        side + 1 - 2 * half for side, half in zip(size, halved(size), strict=True)
    )
    return skip_init(
        nn.ConvTranspose2d,
        n_inputs,
        n_outputs,
        kernel_size,
        stride=2,
        padding=kernel_size // 2,
        output_padding=missing,
    )


def _repeat_and_smooth(n_inputs, n_outputs, kernel_size, size):
    convolution = skip_init(
        nn.Conv2d, n_inputs, n_outputs, kernel_size, padding=kernel_size // 2
    )
    return nn.Sequential(nn.Upsample(size=size, mode="nearest"), convolution)


UNPOOLING = {"transposed": _up, "nearest": _repeat_and_smooth}


class ConvolutionalNetwork(PathNetwork):
    """Strided convolutions and dense layers to the code, and mirrored ones back.

    Each convolution halves the sides of its maps, rounded up, and each one back has
    exactly the size of the maps that it mirrors, so images of any size will do. Rows of
    pixels go in and come out, channels last.

    Parameters
    ----------
    image_shape : tuple of int
        Height, width and number of channels of the images.
    n_components : int
        Width of the code.
    channels : tuple of int, default=(16, 32)
        Number of maps of each convolution of the encoder.
    kernel_size : int, default=3
        Side of the kernels, odd.
    unpooling : {"transposed", "nearest"}, default="transposed"
        How maps grow in the decoder: by convolutions of a fractional stride, or by
        repeating pixels before a convolution.
    hidden_layer_sizes : tuple of int, default=()
        Widths of dense layers between the last maps and the code.
    activation : str, default="relu"
        Activation of all hidden layers.
    code_activation : str, default="identity"
        Activation of the code; also "binary".
    output_activation : str, default="identity"
        Activation of the reconstruction.
    linear_path : bool, default=False
        Whether to put a linear path beside them all.
    n_nonzero_coefs : int or None, default=None
        How many of the code's largest entries to keep; None keeps all.
    ordered : bool, default=False
        Whether to decode, in training, leading parts of the code of random sizes.
    """

    def __init__(
        self,
        image_shape,
        n_components,
        channels=(16, 32),
        kernel_size=3,
        unpooling="transposed",
        hidden_layer_sizes=(),
        activation="relu",
        code_activation="identity",
        output_activation="identity",
        linear_path=False,
        n_nonzero_coefs=None,
        ordered=False,
    ):
        config = dict(locals())
        *size, n_colours = image_shape
        sizes, counts = [tuple(size)], [n_colours, *channels]
        for _ in channels:
            sizes.append(halved(sizes[-1]))
        n_last = sizes[-1][0] * sizes[-1][1] * counts[-1]
        widths = [n_last, *hidden_layer_sizes, n_components]
        nonlinear = ACTIVATIONS[activation]
        encoder = nn.Sequential(ToMaps(size, n_colours))
        for n_inputs, n_outputs in pairwise(counts):
            encoder.extend([_down(n_inputs, n_outputs, kernel_size), nonlinear()])
        encoder.append(ToRows()).extend(multilayer_perceptron(widths, activation))
        decoder = multilayer_perceptron(widths[::-1], activation)
        decoder.extend([nonlinear(), ToMaps(sizes[-1], counts[-1])])
        for level in range(len(channels), 0, -1):
            n_inputs, n_outputs = counts[level], counts[level - 1]
            decoder.append(
                UNPOOLING[unpooling](n_inputs, n_outputs, kernel_size, sizes[level - 1])
            )
            decoder.append(ToRows() if level == 1 else nonlinear())
        n_features = size[0] * size[1] * n_colours
        super().__init__(config, n_features, encoder, decoder, linear_path)
        self.map_shapes = [(*s, n) for s, n in zip(sizes[1:], channels, strict=True)]

    def maps(self, x, layer):
        """Return the maps of the encoder's convolution `layer`, rows of pixels."""
        found = self.encoder[: 3 + 2 * layer](x)
        return ToRows()(found)
