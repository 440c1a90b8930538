"""The convolutional autoencoder, for images."""

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skae._autoencoder import Autoencoder, as_widths
from skae._docs import documented
from skae.convolutional import UNPOOLING, ConvolutionalNetwork


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class ConvolutionalAutoencoder(Autoencoder):
    r"""Autoencoder of images, with convolutions.

    It learns an encoder :math:`f` of convolutions that halve the image, and a decoder
    :math:`g` of transposed ones that double it, by the objective of `Autoencoder`,

    .. math:: \min_{f,g} \frac{1}{nd}\sum_{i=1}^{n}\sum_{j=1}^{d}
              \ell\bigl(x_{ij}, g(f(x_i))_j\bigr)

    and all penalties, corruptions and kinds of code of `Autoencoder` go with it [1]_.
    Beside the convolutions there is the same linear path: training starts at PCA and
    leaves it only where rows kept out of training gain by it.

    `X` is rows of pixels with `image_shape`, or images of shape (n_samples, height,
    width) or (n_samples, height, width, channels), channels last. What is given as
    images comes back as images. Pixels that are unsigned integers of 8 or 16 bits are
    divided by the largest that their type can hold. Any size of image will do.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    Autoencoder : The same with dense layers.

    References
    ----------
    .. [1] J. Masci, U. Meier, D. Ciresan and J. Schmidhuber, "Stacked convolutional
       auto-encoders for hierarchical feature extraction", ICANN 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import ConvolutionalAutoencoder
    >>> images = load_digits().images
    >>> model = ConvolutionalAutoencoder(8, channels=(8, 16), random_state=0)
    >>> model.fit(images[:1200]).transform(images[1200:]).shape
    (597, 8)
    >>> model.reconstruct(images[1200:]).shape
    (597, 8, 8)
    >>> model.score(images[1200:]) > 0.7
    True
    """

    image_shape: tuple | None = None
    channels: tuple = (16, 32)
    kernel_size: int = 3
    unpooling: str = "transposed"
    activation: str = "silu"
    hidden_layer_sizes: int | tuple = (128,)
    # Class variables are no parameters.
    tied_weights: ClassVar[bool] = False

    _parameter_constraints = {
        **{
            name: allowed
            for name, allowed in Autoencoder._parameter_constraints.items()
            if name != "tied_weights"
        },
        "image_shape": ["array-like", None],
        "channels": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "unpooling": [StrOptions(set(UNPOOLING))],
    }
    _parameter_docs = {
        **Autoencoder._parameter_docs,
        "image_shape": (
            "tuple of int or None",
            "Height and width, or height, width and channels, of the images in the\n"
            "rows of `X`; the pixels of a row are in the order of height, width and\n"
            "channels. None takes images as they come, and rows as images of a height\n"
            "of 1.",
        ),
        "channels": (
            "int or sequence of int",
            "Number of maps of each convolution of the encoder, from the input on;\n"
            "each halves the sides of the maps, rounded up.",
        ),
        "kernel_size": ("int", "Side of the kernels, odd."),
        "unpooling": (
            "{'transposed', 'nearest'}",
            "How maps grow in the decoder: by transposed convolutions, or by\n"
            "repeating pixels before a convolution, which leaves no checkerboard.",
        ),
        "hidden_layer_sizes": (
            "int or sequence of int",
            "Widths of dense layers between the last maps and the code.",
        ),
    }
    _attribute_docs = {
        **Autoencoder._attribute_docs,
        "image_shape_": (
            "tuple of int",
            "Shape of the images: height, width and, where they have them, channels.",
        ),
    }

    def _validate(self, X, name=None, reset=False):
        X, shape = as_rows(X)
        if reset:
            self.image_shape_ = self._shape_of(X, shape)
            self._came_as_images = shape is not None
        elif shape is not None and shape != self.image_shape_:
            raise ValueError(
                f"X has images of shape {shape}, but {type(self).__name__} was fitted "
                f"to images of shape {self.image_shape_}."
            )
        return super()._validate(X, name, reset)

    def _shape_of(self, X, shape):
        """Return the shape of the images in `X`, whose own may be `shape`."""
        if self.image_shape is None:
            if shape is None:
                width = np.shape(X)[1] if np.ndim(X) == 2 else 1
                return (1, width)
            return shape
        asked = as_widths(self.image_shape, "image_shape")
        if len(asked) not in (2, 3):
            raise ValueError(
                "image_shape must be (height, width) or (height, width, channels), got "
                f"{self.image_shape!r}."
            )
        columns = np.shape(X)[1] if np.ndim(X) == 2 else 1
        if (shape is not None and shape != asked) or np.prod(asked) != columns:
            raise ValueError(
                f"image_shape={asked} needs {np.prod(asked)} pixels a row, got X with "
                f"{columns} ({shape or 'no images'})."
            )
        return asked

    def _make_network(self, n_features, n_components):
        self._check_together(n_components)
        self._warn_if_identity(n_features, n_components)
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {self.kernel_size!r}.")
        height, width, *n_colours = self.image_shape_
        return ConvolutionalNetwork(
            (height, width, *(n_colours or (1,))),
            n_components,
            as_widths(self.channels, "channels"),
            self.kernel_size,
            self.unpooling,
            as_widths(self.hidden_layer_sizes),
            self.activation,
            self._code_activation,
            self._output,
            linear_path=self.init == "pca",
            n_nonzero_coefs=self.n_nonzero_coefs if self.sparsity == "topk" else None,
            ordered=self.ordered,
        )

    def inverse_transform(self, Z):
        """Return the image that each code stands for.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Codes to decode. With ``ordered=True`` also any number of the leading
            columns.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features) or (n_samples, *image_shape_)
            The reconstructions: rows or images, as in `fit`.
        """
        X = super().inverse_transform(Z)
        return X.reshape(-1, *self.image_shape_) if self._came_as_images else X

    def reconstruct(self, X):
        """Return each image encoded and decoded.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, *image_shape_)
            Rows or images to reconstruct.

        Returns
        -------
        X : ndarray of the shape of `X`
            The reconstructions.
        """
        return super().reconstruct(X).reshape(np.shape(X))

    def feature_maps(self, X, layer=-1):
        """Return what a convolution of the encoder makes of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, *image_shape_)
            Rows or images.
        layer : int, default=-1
            Which of the convolutions, an index of `channels`.

        Returns
        -------
        maps : ndarray of shape (n_samples, height, width, n_channels)
            The maps after the activation, channels last.
        """
        check_is_fitted(self)
        X = self._validate(X)
        shapes = self.net_.module_.map_shapes
        if not -len(shapes) <= layer < len(shapes):
            raise ValueError(
                f"layer must be an index of {len(shapes)} convolutions, got {layer!r}."
            )
        layer, shape = layer % len(shapes), shapes[layer]
        maps = self._apply(
            lambda network, x: network.maps(x, layer), X, int(np.prod(shape))
        )
        return maps.reshape(-1, *shape)


def as_rows(X):
    """Return `X` as rows of pixels, and the shape of its images, or None for rows."""
    if sparse.issparse(X) or hasattr(X, "columns"):
        return X, None
    try:
        images = np.asarray(X)
    except ValueError as error:
        shapes = sorted({np.shape(image) for image in X})
        raise ValueError(
            f"X must be images of one shape, got shapes {shapes[:5]}."
        ) from error
    if images.dtype in (np.uint8, np.uint16):
        images = images.astype(np.float32) / np.iinfo(images.dtype).max
    if images.ndim not in (3, 4):
        return images, None
    shape = images.shape[1:]
    if len(shape) == 3 and shape[0] in (1, 3, 4) and shape[2] > 4:
        raise ValueError(
            "X must be images of shape (n_samples, height, width, channels), got "
            f"{images.shape}, which looks like channels first."
        )
    return images.reshape(len(images), -1), shape
