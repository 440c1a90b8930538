"""The contractive autoencoder."""

from dataclasses import dataclass

from skae._autoencoder import Autoencoder
from skae._docs import documented


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class ContractiveAutoencoder(Autoencoder):
    r"""Autoencoder whose code changes little where its input does.

    It learns an encoder :math:`f` and a decoder :math:`g` by

    .. math:: \min_{f,g} \frac{1}{nd}\sum_{i=1}^{n}\sum_{j=1}^{d}
              \ell\bigl(x_{ij}, g(f(x_i))_j\bigr)
              + \frac{\beta}{n}\sum_{i=1}^{n}
              \left\lVert\frac{\partial f(x_i)}{\partial x}\right\rVert_F^2

    with `contraction` :math:`\beta` [1]_, on rows centred and divided by `scale_`. The
    Jacobian's norm is exact for an encoder of one layer, where it is a sum over units,
    and for codes of at most 4 components; else it is estimated, without bias, from one
    random projection a row.

    It is `Autoencoder` with a `contraction`, and starts at PCA. A smaller code beside a
    larger decoder makes the penalty small too: `tied_weights` or a bounded
    `code_activation` with ``init='random'``, as in the paper, forbid that.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    Autoencoder : The same without the penalty.
    DenoisingAutoencoder : Robust by noise instead of by a penalty.

    References
    ----------
    .. [1] S. Rifai et al., "Contractive auto-encoders: explicit invariance during
       feature extraction", ICML 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import ContractiveAutoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> def distance(contraction):
    ...     model = ContractiveAutoencoder(
    ...         30, contraction=contraction, hidden_layer_sizes=(), init="random",
    ...         code_activation="logistic", tied_weights=True, random_state=0)
    ...     codes = model.fit(X[:1200]).transform(X[1200:])
    ...     moved = model.transform(X[1200:] + 1.0)
    ...     return float(((codes - moved) ** 2).mean())
    >>> distance(contraction=0.1) < distance(contraction=0.001)
    True
    """

    contraction: float = 0.001
