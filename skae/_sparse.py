"""The sparse autoencoder."""

from dataclasses import dataclass, field

from scipy import sparse

from skae._autoencoder import Autoencoder
from skae._docs import documented


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class SparseAutoencoder(Autoencoder):
    r"""Autoencoder with a wide code of which few entries are active in any row.

    It learns an encoder :math:`f` and a decoder :math:`g` by

    .. math:: \min_{f,g} \frac{1}{nd}\sum_{i=1}^{n}\sum_{j=1}^{d}
              \ell\bigl(x_{ij}, g(z_i)_j\bigr) + \beta\,\Omega(z_1, \dots, z_n),
              \qquad z_i = f(x_i)

    with `sparsity_weight` :math:`\beta`. For ``sparsity='kl'`` the code is logistic and

    .. math:: \Omega = \sum_j \rho\log\frac{\rho}{\hat\rho_j}
              + (1-\rho)\log\frac{1-\rho}{1-\hat\rho_j},
              \qquad \hat\rho_j = \frac{1}{n}\sum_i z_{ij}

    with `sparsity_target` :math:`\rho` [1]_; where batches have fewer than 1024 rows,
    :math:`\hat\rho_j` is a running mean over about so many. For ``'l1'`` the code is
    rectified and :math:`\Omega = \frac{1}{n}\sum_{ij} |z_{ij}|`. For ``'topk'`` all but
    the `n_nonzero_coefs` largest entries of a row's code are set to zero, also by
    `transform` [2]_, and units that no row of an epoch has used learn what the others
    leave [3]_.

    It is `Autoencoder` with one layer, a random start and a larger learning rate. PCA
    has no sparse code, so nothing is promised beside it.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    Autoencoder : The same axes, with other defaults.
    sklearn.decomposition.DictionaryLearning : Sparse codes by optimisation of each row.

    References
    ----------
    .. [1] A. Ng, "Sparse autoencoder", CS294A lecture notes, Stanford, 2011.
    .. [2] A. Makhzani and B. Frey, "k-sparse autoencoders", arXiv:1312.5663, 2013.
    .. [3] L. Gao et al., "Scaling and evaluating sparse autoencoders",
       arXiv:2406.04093, 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import SparseAutoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> model = SparseAutoencoder(256, sparsity="topk", n_nonzero_coefs=8,
    ...                           sparse_output=True, random_state=0).fit(X[:1200])
    >>> codes = model.transform(X[1200:])
    >>> codes.shape, codes.nnz
    ((597, 256), 4776)
    >>> model.score(X[1200:]) > 0.8
    True
    """

    n_components: int | float = field(default=100, kw_only=False)
    hidden_layer_sizes: int | tuple = ()
    sparsity: str | None = "kl"
    init: str = "random"
    learning_rate_init: float = 0.01
    sparse_output: bool = False

    _parameter_constraints = {
        **Autoencoder._parameter_constraints,
        "sparse_output": ["boolean"],
    }
    _parameter_docs = {
        **Autoencoder._parameter_docs,
        "sparse_output": (
            "bool",
            "Whether `transform` returns a `scipy.sparse.csr_array`.",
        ),
    }

    def _present(self, codes):
        return sparse.csr_array(codes) if self.sparse_output else codes

    def inverse_transform(self, X):
        """Return the row that each code stands for.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_components)
            Codes to decode.

        Returns
        -------
        decoded : ndarray of shape (n_samples, n_features)
            The reconstructions, in the units of the training data.
        """
        return super().inverse_transform(X.toarray() if sparse.issparse(X) else X)
