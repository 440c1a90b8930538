"""The denoising autoencoder."""

from dataclasses import dataclass

from skae._autoencoder import Autoencoder
from skae._docs import documented


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class DenoisingAutoencoder(Autoencoder):
    r"""Autoencoder that restores rows from corrupted ones.

    It learns an encoder :math:`f` and a decoder :math:`g` by

    .. math:: \min_{f,g} \frac{1}{nd}\sum_{i=1}^{n}\sum_{j=1}^{d}
              \mathbb{E}\,\ell\bigl(x_{ij}, g(f(\tilde x_i))_j\bigr)

    over corrupted rows :math:`\tilde x_i`, drawn anew whenever a row is trained on
    [1]_. So `reconstruct` takes noise off rows, and the code depends less on any one
    column. Corruption is a matter of training alone: `transform` is deterministic.

    It is `Autoencoder` with a `corruption`, and starts at PCA: what it restores of
    corrupted rows kept out of training is to be no worse than what PCA does. It may
    reconstruct clean rows worse than PCA, where the code is wide enough to copy them.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    Autoencoder : The same without corruption.
    StackedAutoencoder : Several layers, pretrained as denoising autoencoders.

    References
    ----------
    .. [1] P. Vincent et al., "Stacked denoising autoencoders: learning useful
       representations in a deep network with a local denoising criterion", Journal of
       Machine Learning Research 11, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skae import DenoisingAutoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> clean = X[1200:]
    >>> noisy = clean + np.random.RandomState(0).normal(scale=4, size=clean.shape)
    >>> model = DenoisingAutoencoder(32, corruption="gaussian", corruption_level=0.8,
    ...                              random_state=0).fit(X[:1200])
    >>> pca = PCA(16).fit(X[:1200])
    >>> errors = [((clean - restored) ** 2).mean() for restored in
    ...           (model.reconstruct(noisy),
    ...            pca.inverse_transform(pca.transform(noisy)), noisy)]
    >>> errors == sorted(errors)
    True
    """

    corruption: str | None = "masking"
