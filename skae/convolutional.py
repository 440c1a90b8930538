"""The convolutional network: convolutions that halve maps, and mirrored ones."""

from itertools import pairwise

from torch import nn
from torch.nn import functional as F
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


class Unpool(nn.Module):
    """Put the entries of maps where those were that pooling chose, among zeros.

    Parameters
    ----------
    size : tuple of int
        Height and width to return.
    """

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, maps, positions):
        """Return maps of shape (n_samples, n_channels, *size)."""
        return F.max_unpool2d(maps, positions, 2, output_size=self.size)


class Encoder(nn.Sequential):
    """Layers, of which those of pooling say where the largest entries were."""

    def with_positions(self, x):
        """Return what the layers make of `x`, and a list of the poolings' positions."""
        positions = []
        for layer in self:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                x, where = x
                positions.append(where)
        return x, positions

    def forward(self, x):
        """Return what the layers make of `x`."""
        return self.with_positions(x)[0]


class Decoder(nn.Sequential):
    """Layers, of which those of unpooling get the positions of a mirrored encoder."""

    def forward(self, z, *positions):
        """Return what the layers make of `z`."""
        positions = list(positions)
        for layer in self:
            z = layer(z, positions.pop()) if isinstance(layer, Unpool) else layer(z)
        return z


# Of a side of odd length a convolution of stride 2 pads one pixel more, where its
# kernel is even: so it has half of them, rounded up, and leaves no pixel out.
def _strided(n_inputs, n_outputs, kernel_size, size):
    padding = tuple((kernel_size - 1 + side % 2) // 2 for side in size)
    return [
        skip_init(
            nn.Conv2d, n_inputs, n_outputs, kernel_size, stride=2, padding=padding
        )
    ]


def _transposed(n_inputs, n_outputs, kernel_size, size):
    layer = skip_init(
        nn.ConvTranspose2d,
        n_inputs,
        n_outputs,
        kernel_size,
        stride=2,
        padding=tuple((kernel_size - 1 + side % 2) // 2 for side in size),
        output_padding=tuple((kernel_size + side) % 2 for side in size),
    )
    return [layer]


def flat(n_inputs, n_outputs, kernel_size):
    """Return layers that keep the size of maps."""
    before, after = (kernel_size - 1) // 2, kernel_size // 2
    layer = skip_init(nn.Conv2d, n_inputs, n_outputs, kernel_size, padding=before)
    pad = nn.ZeroPad2d((0, after - before, 0, after - before))
    return [layer] if before == after else [pad, layer]


def _repeated(n_inputs, n_outputs, kernel_size, size):
    grow = nn.Upsample(size=tuple(size), mode="nearest")
    return [grow, *flat(n_inputs, n_outputs, kernel_size)]


def _pooled(n_inputs, n_outputs, kernel_size, size):
    pool = nn.MaxPool2d(2, ceil_mode=True, return_indices=True)
    return [*flat(n_inputs, n_outputs, kernel_size), pool]


def _unpooled(n_inputs, n_outputs, kernel_size, size):
    return [Unpool(tuple(size)), *flat(n_inputs, n_outputs, kernel_size)]


# How maps shrink in the encoder and grow in the decoder.
UNPOOLING = {
    "transposed": (_strided, _transposed),
    "nearest": (_strided, _repeated),
    "indices": (_pooled, _unpooled),
}


class ConvolutionalNetwork(PathNetwork):
    """Convolutions and dense layers to the code, and mirrored ones back.

    Each level halves the sides of its maps, rounded up, and each one back has exactly
    the size of the maps that it mirrors, so images of any size will do. Rows of pixels
    go in and come out, channels last.

    Parameters
    ----------
    image_shape : tuple of int
        Height, width and number of channels of the images.
    n_components : int
        Width of the code.
    channels : tuple of int, default=(16, 32)
        Number of maps of each convolution of the encoder.
    kernel_size : int, default=3
        Side of the kernels.
    unpooling : {"transposed", "nearest", "indices"}, default="transposed"
        How maps grow in the decoder: by convolutions of a fractional stride; by
        repeating pixels before a convolution; or by putting them where the encoder's
        pooling found them, which then decoding needs beside the code.
    hidden_layer_sizes : tuple of int, default=()
        Widths of dense layers between the last maps and the code.
    activation : str, default="relu"
        Activation of all hidden layers.
    code_activation : str, default="identity"
        Activation of the code; also "binary".
    output_activation : str, default="identity"
        Activation of the reconstruction.
    linear_path : bool, default=False
        Whether to put a linear path beside them all, of which the decoder is trained.
    n_nonzero_coefs : int or None, default=None
        How many of the code's largest entries to keep; None keeps all.
    ordered : bool, default=False
        Whether to decode, in training, leading parts of the code of random sizes.
    """

    # Convolutions have little else that is apart for each pixel.
    trains_path = True

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
        shrink, grow = UNPOOLING[unpooling]
        encoder, ends = Encoder(ToMaps(size, n_colours)), []
        for level, (n_inputs, n_outputs) in enumerate(pairwise(counts)):
            encoder.extend(shrink(n_inputs, n_outputs, kernel_size, sizes[level]))
            encoder.append(nonlinear())
            ends.append(len(encoder))
        encoder.append(ToRows()).extend(multilayer_perceptron(widths, activation))
        decoder = Decoder(*multilayer_perceptron(widths[::-1], activation))
        decoder.extend([nonlinear(), ToMaps(sizes[-1], counts[-1])])
        for level in range(len(channels), 0, -1):
            n_inputs, n_outputs = counts[level], counts[level - 1]
            decoder.extend(grow(n_inputs, n_outputs, kernel_size, sizes[level - 1]))
            decoder.append(ToRows() if level == 1 else nonlinear())
        n_features = size[0] * size[1] * n_colours
        super().__init__(config, n_features, encoder, decoder, linear_path)
        self.map_shapes = [(*s, n) for s, n in zip(sizes[1:], channels, strict=True)]
        self.ends = ends

    def analyse(self, x):
        """Return what the code of `x` is made of, and the positions of poolings."""
        if self.config["unpooling"] != "indices":
            return super().analyse(x)
        z, positions = self.encoder.with_positions(x)
        return self.activate_from(x, z), positions

    def maps(self, x, layer):
        """Return the maps of the encoder's convolution `layer`, rows of pixels."""
        return ToRows()(self.encoder[: self.ends[layer]](x))
