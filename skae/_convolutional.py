"""The convolutional autoencoder, for images."""

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skae._autoencoder import Autoencoder
from skae._checks import as_widths, validated
from skae._docs import documented
from skae._pixels import Pixels, flattened, is_integers
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
    Beside the convolutions there is the same linear path, of which the decoder is
    trained with them: training starts at PCA and leaves it only where rows kept out of
    training gain by it.

    `X` is rows of pixels with `image_shape`, or images of shape (n_samples, height,
    width) or (n_samples, height, width, channels), channels last. What is given as
    images comes back as images. An array of unsigned integers of 8 or 16 bits, or of
    truth values, is divided by the largest number that its type can hold, so that its
    pixels are in [0, 1]; other types are taken as they are. Reconstructions are in the
    same unit, and may be a little beyond it unless ``output_activation='logistic'``.
    Any size of image will do.

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
    kernel_size: int = 4
    unpooling: str = "transposed"
    activation: str = "gelu"
    # A second one takes more steps to train.
    hidden_layer_sizes: int | tuple = (256,)
    # Epochs of convolutions are dear: a larger rate makes fewer of them do.
    learning_rate_init: float = 0.01
    # And they need fewer rows for a step: each has many positions.
    _auto_batch = 0.75, 6, 7
    # And they learn single images by heart unless weights fade in about two epochs.
    _fading = 150, 2
    _admits_gaps = False
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
        "kernel_size": [Interval(Integral, 2, None, closed="left")],
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
        "kernel_size": ("int", "Side of the kernels, at least 2."),
        "batch_size": (
            "int or 'auto'",
            "Rows in a batch; cut to the number of rows. 'auto' is 64, or 128 from\n"
            "about 15,000 rows on.",
        ),
        "weight_decay": (
            "float or 'auto'",
            "Weight decay of AdamW, in [0, inf): each step takes it times the\n"
            "learning rate off all trained parameters. 'auto' is 1 divided by\n"
            "`learning_rate_init` and by the steps of two epochs, or by 150 if these\n"
            "are fewer: the steps in which unused weights fade to 1/e. Only used by\n"
            "``solver='adam'``.",
        ),
        "unpooling": (
            "{'transposed', 'nearest', 'indices'}",
            "How maps grow in the decoder: by transposed convolutions; by repeating\n"
            "pixels before a convolution, which leaves no checkerboard; or with\n"
            "'indices' by putting them where the encoder's max-pooling, which then\n"
            "halves the maps, found them. These positions reach the decoder past the\n"
            "code: there is no `inverse_transform`, and the error of `reconstruct`\n"
            "and the scores are not those of the code alone.",
        ),
        "hidden_layer_sizes": (
            "int or sequence of int",
            "Widths of dense layers between the last maps and the code. With few\n"
            "images a second layer needs more epochs.",
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
        X, shape = flattened(X, self.image_shape, name or "X")
        if reset:
            self.image_shape_ = self._shape_of(X, shape)
            self._came_as_images = shape is not None
        elif shape is not None and shape != self.image_shape_:
            raise ValueError(
                f"{name or 'X'} has images of shape {shape}, but "
                f"{type(self).__name__} was fitted to images of shape "
                f"{self.image_shape_}."
            )
        if is_integers(X):
            return Pixels(validated(self, X, reset=reset, dtype=None))
        try:
            return super()._validate(X, name, reset)
        except ValueError as error:
            if "contains NaN" not in str(error):
                raise
            raise ValueError(
                f"{name or 'X'} contains NaN: images of shape {self.image_shape_} may "
                "have no gaps here. Fill the missing pixels first."
            ) from error

    def _check_together(self, n_components):
        super()._check_together(n_components)
        if self.corruption == "gaps":
            raise ValueError(
                f"corruption='gaps' is for rows with gaps, and {type(self).__name__} "
                "takes images without. Set corruption='masking', or another."
            )
        if self.unpooling == "indices" and self.ordered:
            self._refuse("unpooling", "ordered", "False: positions have no order")
        if self.unpooling == "indices" and self.sparsity == "topk":
            self._refuse(
                "unpooling",
                "sparsity",
                "None, 'kl' or 'l1', for dead units are decoded from codes alone",
            )

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
        return self._image_network(ConvolutionalNetwork, n_components)

    def _image_network(self, network_class, n_components, **options):
        height, width, *n_colours = self.image_shape_
        channels = as_widths(self.channels, "channels")
        if not channels:
            raise ValueError(f"channels must have one at least, got {self.channels!r}.")
        return network_class(
            (height, width, *(n_colours or (1,))),
            n_components,
            channels,
            int(self.kernel_size),
            self.unpooling,
            as_widths(self.hidden_layer_sizes),
            self.activation,
            self._code_activation,
            self._output,
            linear_path=self.init == "pca",
            n_nonzero_coefs=self.n_nonzero_coefs if self.sparsity == "topk" else None,
            ordered=self.ordered,
            **options,
        )

    def inverse_transform(self, X):
        """Return the image that each code stands for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes to decode. With ``ordered=True`` also any number of the leading
            columns.

        Returns
        -------
        decoded : ndarray of shape (n_samples, n_features) or (n_samples, *image_shape_)
            The reconstructions: rows or images, as in `fit`.

        Raises
        ------
        ValueError
            With ``unpooling='indices'``, for a code does not tell the positions.
        """
        check_is_fitted(self)
        if self.net_.module_.config["unpooling"] == "indices":
            raise ValueError(
                "unpooling='indices' decodes with the positions of the encoder's "
                "pooling, which a code does not tell. Use reconstruct(X), or "
                "unpooling='transposed' or 'nearest'."
            )
        rows = super().inverse_transform(X)
        return rows.reshape(-1, *self.image_shape_) if self._came_as_images else rows

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
        if not isinstance(layer, Integral) or not -len(shapes) <= layer < len(shapes):
            raise ValueError(
                f"layer must be an index of {len(shapes)} convolutions, got {layer!r}."
            )
        layer, shape = layer % len(shapes), shapes[layer]
        maps = self._apply(
            lambda network, x: network.maps(x, layer), X, int(np.prod(shape))
        )
        return maps.reshape(-1, *shape)
