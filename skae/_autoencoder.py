"""The autoencoder: undercomplete, overcomplete, deep, tied, regularised."""

import warnings
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.utils._param_validation import Interval, StrOptions

from skae._base import BaseAutoencoder
from skae._docs import documented
from skae._start import start_at_pca
from skae.losses import LOSSES
from skae.networks import ACTIVATIONS, DenseNetwork, reset_parameters


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class Autoencoder(BaseAutoencoder):
    r"""Autoencoder with dense layers, which starts at PCA.

    It learns an encoder :math:`f` and a decoder :math:`g` by

    .. math:: \min_{f,g} \frac{1}{nd}\sum_{i=1}^{n}\sum_{j=1}^{d}
              \ell\bigl(x_{ij}, g(f(x_i))_j\bigr)
              + \alpha\sum_W\left((1-\lambda)\lVert W\rVert_F^2
              + \lambda\lVert W\rVert_1\right)

    with `loss` :math:`\ell`, `alpha` :math:`\alpha` and `l1_ratio` :math:`\lambda`, on
    rows that are centred and divided by one number, `scale_`. So the result does not
    depend on the units of the data, but it does depend, as PCA's, on the proportions
    between columns: scale them first where they have different units.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    LinearAutoencoder : The autoencoder that equals PCA.
    sklearn.decomposition.PCA : The best linear code.

    References
    ----------
    .. [1] M. A. Kramer, "Nonlinear principal component analysis using autoassociative
       neural networks", AIChE Journal 37(2), 1991.
    .. [2] G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data
       with neural networks", Science 313, 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skae import Autoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> autoencoder = Autoencoder(n_components=8, random_state=0).fit(X[:1200])
    >>> autoencoder.transform(X[1200:]).shape
    (597, 8)
    >>> pca = PCA(n_components=8).fit(X[:1200])
    >>> def error(model):
    ...     X_hat = model.inverse_transform(model.transform(X[1200:]))
    ...     return ((X[1200:] - X_hat) ** 2).sum()
    >>> bool(error(autoencoder) < 0.7 * error(pca))
    True
    """

    hidden_layer_sizes: int | tuple = (256, 128)
    activation: str = "relu"
    code_activation: str = "identity"
    output_activation: str = "auto"
    loss: str = "squared_error"
    init: str = "pca"

    _parameter_constraints = {
        **BaseAutoencoder._parameter_constraints,
        "hidden_layer_sizes": [
            Interval(Integral, 1, None, closed="left"),
            "array-like",
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "code_activation": [StrOptions(set(ACTIVATIONS))],
        "output_activation": [StrOptions({"auto", *ACTIVATIONS})],
        "loss": [StrOptions(set(LOSSES))],
        "init": [StrOptions({"pca", "random"})],
    }

    @property
    def _output(self):
        if self.output_activation != "auto":
            return self.output_activation
        return "logistic" if self.loss == "binary_cross_entropy" else "identity"

    @property
    def _bounded(self):
        return self._output != "identity"

    def _check_values(self, X, name):
        if self._output != "logistic":
            return
        stored = X.data if sparse.issparse(X) else X
        if stored.size and (stored.min() < 0 or stored.max() > 1):
            low, high = (
                np.ravel(m.toarray() if sparse.issparse(m) else m)
                for m in (X.min(axis=0), X.max(axis=0))
            )
            column = int(np.argmax((low < 0) | (high > 1)))
            names = getattr(self, "feature_names_in_", range(X.shape[1]))
            raise ValueError(
                f"A logistic output (loss={self.loss!r}, output_activation="
                f"{self.output_activation!r}) needs {name} in [0, 1], but column "
                f"{names[column]!r} goes from {low[column]:g} to {high[column]:g}. "
                "Scale it, for instance by MinMaxScaler(clip=True)."
            )

    def _make_loss(self):
        return LOSSES[self.loss]

    def _make_network(self, n_features):
        if self.loss == "binary_cross_entropy" and self._output != "logistic":
            raise ValueError(
                "loss='binary_cross_entropy' needs output_activation='logistic' or "
                f"'auto', got {self.output_activation!r}."
            )
        self._warn_if_identity(n_features)
        return DenseNetwork(
            n_features,
            self.n_components,
            _as_widths(self.hidden_layer_sizes),
            self.activation,
            self.code_activation,
            self._output,
            self.tied_weights,
            linear_path=self.init == "pca",
        )

    def _warn_if_identity(self, n_features):
        starts_as_copy = self.init == "pca" and _as_widths(self.hidden_layer_sizes)
        if self.n_components < n_features:
            return
        if starts_as_copy or not self._make_penalties():
            warnings.warn(
                f"n_components={self.n_components} is not below the {n_features} "
                "columns of X, and nothing keeps the autoencoder from copying its "
                "input. Lower n_components, or set init='random' and alpha.",
                UserWarning,
                stacklevel=6,
            )

    def _initialize(self, network, rows, generator):
        reset_parameters(network, generator)
        if self.init == "pca":
            start_at_pca(network, rows, generator)


def _as_widths(hidden_layer_sizes):
    widths = np.atleast_1d(np.asarray(hidden_layer_sizes, dtype=object)).tolist()
    if not all(isinstance(w, Integral) and w >= 1 for w in widths):
        raise ValueError(
            "hidden_layer_sizes must be a positive int or a sequence of them, got "
            f"{hidden_layer_sizes!r}."
        )
    return tuple(int(w) for w in widths)
