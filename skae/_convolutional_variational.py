"""The variational autoencoder of images, with convolutions."""

from dataclasses import dataclass
from typing import ClassVar

from sklearn.utils._param_validation import StrOptions

from skae._convolutional import ConvolutionalAutoencoder
from skae._docs import PARAMETERS, documented
from skae._variational import VariationalAutoencoder
from skae.variational import ConvolutionalVariationalNetwork

_IMAGES = ("image_shape", "channels", "kernel_size")


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class ConvolutionalVariationalAutoencoder(
    VariationalAutoencoder, ConvolutionalAutoencoder
):
    r"""Variational autoencoder of images, with convolutions.

    It is `VariationalAutoencoder`, with its objective,

    .. math:: \min \frac1n \sum_{i=1}^n \left(
              -\mathbb E_{q(z \mid x_i)} \sum_{j=1}^d \log p(x_{ij} \mid z)
              + \beta \operatorname{KL}\bigl(q(z \mid x_i) \,\Vert\, \mathcal N(0, I)
              \bigr) \right)

    over the network and the images of `ConvolutionalAutoencoder` [1]_. Training starts
    at probabilistic PCA. What `sample` draws are images if `fit` got images.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    VariationalAutoencoder : The same with dense layers.
    ConvolutionalAutoencoder : Without a distribution of codes and rows.

    References
    ----------
    .. [1] D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014,
       arXiv:1312.6114.
    .. [2] Y. Burda, R. Grosse and R. Salakhutdinov, "Importance weighted autoencoders",
       ICLR 2016, arXiv:1509.00519.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import ConvolutionalVariationalAutoencoder
    >>> images = load_digits().images
    >>> vae = ConvolutionalVariationalAutoencoder(8, max_iter=20, random_state=0)
    >>> vae.fit(images[:1200]).sample(3, random_state=0).shape
    (3, 8, 8)
    >>> bool(vae.elbo(images[1200:]).mean() > vae.pca_score_)
    True
    """

    unpooling: str = "transposed"
    activation: str = ConvolutionalAutoencoder.activation
    hidden_layer_sizes: int | tuple = ConvolutionalAutoencoder.hidden_layer_sizes
    # The divergence keeps it from learning single images by heart.
    _fading = None
    # Class variables are no parameters.
    tied_weights: ClassVar[bool] = False

    _parameter_constraints = {
        **{
            name: allowed
            for name, allowed in VariationalAutoencoder._parameter_constraints.items()
            if name != "tied_weights"
        },
        **{
            name: ConvolutionalAutoencoder._parameter_constraints[name]
            for name in _IMAGES
        },
        # Positions past the code would have no likelihood.
        "unpooling": [StrOptions({"transposed", "nearest"})],
    }
    _parameter_docs = {
        **ConvolutionalAutoencoder._parameter_docs,
        **VariationalAutoencoder._parameter_docs,
        "weight_decay": PARAMETERS["weight_decay"],
        "unpooling": (
            "{'transposed', 'nearest'}",
            "How maps grow in the decoder: by transposed convolutions, or by\n"
            "repeating pixels before a convolution, which leaves no checkerboard.",
        ),
    }
    _attribute_docs = {
        **ConvolutionalAutoencoder._attribute_docs,
        **VariationalAutoencoder._attribute_docs,
    }

    def _make_network(self, n_features, n_components):
        self._check_together(n_components)
        return self._image_network(
            ConvolutionalVariationalNetwork, n_components, noise=self.noise
        )
