"""The binary autoencoder, for semantic hashing."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skae._autoencoder import Autoencoder
from skae._docs import documented


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class BinaryAutoencoder(Autoencoder):
    r"""Autoencoder whose code is bits, for search by Hamming distance.

    It learns an encoder :math:`f` and a decoder :math:`g` by

    .. math:: \min_{f,g} \frac{1}{nd}\sum_{i=1}^{n}\sum_{j=1}^{d}
              \mathbb{E}\,\ell\bigl(x_{ij}, g(b_i)_j\bigr)
              + \frac{0.1}{k}\sum_{j=1}^{k}\left((\bar a_j)^2
              + (\overline{a_j^2} - 1)^2\right),
              \qquad b_i = [f(\tilde x_i) + \varepsilon_i > 0]

    over corrupted rows :math:`\tilde x_i` and standard normal noise
    :math:`\varepsilon_i`, where bars are means of the activations
    :math:`a_{ij} = f(\tilde x_i)_j` over a batch: the noise makes rows that are alike
    share bits [1]_, the second term keeps bits balanced. Gradients pass the step as if
    it were a line [2]_. `transform` has neither noise nor corruption.

    Training starts at the signs of rotated principal components [3]_, and leaves them
    only where rows kept out of training gain by it. The code is made for search:
    another may reconstruct better. A decoder of bits does not compare with PCA's real
    numbers, so nothing is promised beside them. Scale columns of different units first.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    Autoencoder : Codes of real numbers.
    sklearn.neighbors.NearestNeighbors : Search, with ``metric='hamming'``.

    References
    ----------
    .. [1] R. Salakhutdinov and G. Hinton, "Semantic hashing", International Journal of
       Approximate Reasoning 50(7), 2009.
    .. [2] Y. Bengio, N. Leonard and A. Courville, "Estimating or propagating gradients
       through stochastic neurons", arXiv:1308.3432, 2013.
    .. [3] Y. Gong and S. Lazebnik, "Iterative quantization: a procrustean approach to
       learning binary codes", CVPR 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from skae import BinaryAutoencoder
    >>> X, y = load_digits(return_X_y=True)
    >>> hashes = BinaryAutoencoder(32, random_state=0).fit(X[:1200])
    >>> hashes.transform(X[:1])[0, :8]
    array([...], dtype=uint8)
    >>> search = make_pipeline(hashes, KNeighborsClassifier(metric="hamming"))
    >>> search.fit(X[:1200], y[:1200]).score(X[1200:], y[1200:]) > 0.85
    True
    """

    n_components: int | float = field(default=32, kw_only=False)
    code_activation: str = "binary"
    corruption: str | None = "masking"
    corruption_level: float = 0.5
    packed: bool = False

    _parameter_constraints = {
        **Autoencoder._parameter_constraints,
        "packed": ["boolean"],
    }
    _parameter_docs = {
        **Autoencoder._parameter_docs,
        "packed": (
            "bool",
            "Whether `transform` packs 8 bits into a byte, as `numpy.packbits` does.",
        ),
    }

    def _check_together(self, n_components):
        if self.code_activation != "binary":
            raise ValueError(
                "code_activation of a BinaryAutoencoder must be 'binary', got "
                f"{self.code_activation!r}."
            )
        super()._check_together(n_components)

    def _present(self, codes):
        bits = codes.astype(np.uint8)
        return np.packbits(bits, axis=1) if self.packed else bits

    def inverse_transform(self, X):
        """Return the row that the bits stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components) or (n_samples, n_bytes)
            Bits to decode, as `transform` returns them. With ``ordered=True`` also any
            number of the leading columns.

        Returns
        -------
        decoded : ndarray of shape (n_samples, n_features)
            The reconstructions, in the units of the training data.
        """
        check_is_fitted(self)
        X = check_array(X, input_name="X")
        if self.packed:
            ordered = self.net_.module_.config["ordered"]
            least = 1 if ordered else self._n_features_out
            fits = least <= X.shape[1] <= self._n_features_out
            if X.dtype != np.uint8 or not fits:
                raise ValueError(
                    f"X has {X.shape[1]} columns of {X.dtype}, but with packed=True "
                    f"n_components={self.n_components_} make {self._n_features_out} of "
                    "uint8."
                )
            n_bits = min(8 * X.shape[1], self.n_components_)
            X = np.unpackbits(X, axis=1, count=n_bits)
        if not ((X == 0) | (X == 1)).all():
            raise ValueError("X must be zeros and ones, got other values.")
        return super().inverse_transform(X)

    @property
    def _n_features_out(self):
        return -(-self.n_components_ // 8) if self.packed else self.n_components_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
