"""The autoencoder with dense layers, and every axis along which variants differ."""

import warnings
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real

import torch
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions

from skae._axes import principal_axes
from skae._base import BaseAutoencoder
from skae._checks import as_widths, check_unit_interval
from skae._docs import documented
from skae._rows import blocks, in_units
from skae._start import start_at_hash, start_at_pca
from skae.corruptions import CORRUPTIONS
from skae.losses import LOSSES
from skae.networks import (
    ACTIVATIONS,
    CODE_ACTIVATIONS,
    DenseNetwork,
    reset_parameters,
)
from skae.penalties import (
    ActivityPenalty,
    BalancePenalty,
    ContractionPenalty,
    DeadUnitPenalty,
    KLSparsityPenalty,
)


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
    code_activation: str = "auto"
    output_activation: str = "auto"
    loss: str = "squared_error"
    corruption: str | None = None
    corruption_level: float = 0.1
    sparsity: str | None = None
    sparsity_weight: float | str = "auto"
    sparsity_target: float = 0.05
    n_nonzero_coefs: int = 10
    contraction: float = 0.0
    ordered: bool = False
    init: str = "pca"

    _parameter_constraints = {
        **BaseAutoencoder._parameter_constraints,
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
        ],
        "hidden_layer_sizes": [
            Interval(Integral, 1, None, closed="left"),
            "array-like",
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "code_activation": [StrOptions({"auto", *CODE_ACTIVATIONS})],
        "output_activation": [StrOptions({"auto", *ACTIVATIONS})],
        "loss": [StrOptions(set(LOSSES))],
        "corruption": [StrOptions(set(CORRUPTIONS)), None],
        "corruption_level": [Interval(Real, 0, None, closed="left")],
        "sparsity": [StrOptions({"kl", "l1", "topk"}), None],
        "sparsity_weight": [
            Interval(Real, 0, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "sparsity_target": [Interval(Real, 0, 1, closed="neither")],
        "n_nonzero_coefs": [Interval(Integral, 1, None, closed="left")],
        "contraction": [Interval(Real, 0, None, closed="left")],
        "ordered": ["boolean"],
        "init": [StrOptions({"pca", "random"})],
    }
    _parameter_docs = {
        "n_components": (
            "int or float",
            "Number of components of the code, at least 1. With ``ordered=True`` also\n"
            "a share in (0, 1): the smallest code whose reconstruction explains that\n"
            "share of the variance of rows kept out of training, of those at most as\n"
            "wide as PCA would need; a warning says if none does.",
        ),
    }
    _attribute_docs = {
        "mean_activations_": (
            "ndarray of shape (n_components,)",
            "Mean of each component of the training rows' codes. Only with `sparsity`.",
        ),
        "explained_variance_ratio_": (
            "ndarray of shape (n_components,)",
            "Share of the variance of rows kept out of training that each further\n"
            "component adds to what those before it explain; of training rows where\n"
            "none are kept out. Of many rows, 8192 divided by `n_components` are\n"
            "looked at, and at least 128. Only with `ordered`.",
        ),
    }

    # The parameter that asks for a logistic output.
    _loss_parameter = "loss"

    @property
    def _code_activation(self):
        if self.code_activation != "auto":
            return self.code_activation
        return {"kl": "logistic", "l1": "relu"}.get(self.sparsity, "identity")

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
        parameter = self._loss_parameter
        check_unit_interval(
            X,
            name,
            getattr(self, "feature_names_in_", range(X.shape[1])),
            f"A logistic output ({parameter}={getattr(self, parameter)!r}, "
            f"output_activation={self.output_activation!r})",
        )

    def _check_together(self, n_components):
        """Raise where parameters make no sense beside each other."""
        if not isinstance(self.n_components, Integral) and not self.ordered:
            raise ValueError(
                f"n_components={self.n_components!r} is a share of the variance, which "
                "needs ordered=True. For a number of components give an int."
            )
        topk = self.sparsity == "topk"
        binary = self._code_activation == "binary"
        noise = next((n for n in ("corruption", "ordered") if getattr(self, n)), None)
        noise = "code_activation" if binary else noise
        if self.loss == "binary_cross_entropy" and self._output != "logistic":
            self._refuse("loss", "output_activation", "'logistic' or 'auto'")
        if self.sparsity == "kl" and self._code_activation != "logistic":
            self._refuse("sparsity", "code_activation", "'logistic' or 'auto'")
        if binary and self.sparsity:
            self._refuse("code_activation", "sparsity", "None")
        if binary and self.contraction:
            self._refuse("code_activation", "contraction", "0: a step has no slope")
        if topk and self.n_nonzero_coefs > n_components:
            self._refuse("n_components", "n_nonzero_coefs", "at most as many")
        if topk and self.ordered:
            self._refuse("sparsity", "ordered", "False: both choose what is decoded")
        if noise and self.solver == "lbfgs" and self.max_iter != 0:
            self._refuse(
                noise,
                "solver",
                "'adam' or 'sgd': a line search needs the same loss in each call",
            )
        if self.corruption and self.corruption != "gaussian":
            if self.corruption_level > 1:
                self._refuse("corruption", "corruption_level", "in [0, 1]")

    def _refuse(self, given, other, wanted):
        raise ValueError(
            f"{given}={getattr(self, given)!r} needs {other} to be {wanted}, got "
            f"{getattr(self, other)!r}."
        )

    def _make_loss(self):
        return LOSSES[self.loss]

    def _make_network(self, n_features, n_components):
        self._check_together(n_components)
        self._warn_if_identity(n_features, n_components)
        return DenseNetwork(
            n_features,
            n_components,
            as_widths(self.hidden_layer_sizes),
            self.activation,
            self._code_activation,
            self._output,
            self.tied_weights,
            linear_path=self.init == "pca",
            n_nonzero_coefs=self.n_nonzero_coefs if self.sparsity == "topk" else None,
            ordered=self.ordered,
        )

    def _make_corruption(self, rows):
        if not self.corruption:
            return super()._make_corruption(rows)
        return CORRUPTIONS[self.corruption](rows, self.corruption_level)

    @property
    def _imitates_gaps(self):
        return self.corruption == "gaps"

    def _auto_steps(self, n_rows):
        if not self._imitates_gaps:
            return super()._auto_steps(n_rows)
        # What else a row could have lost is soon learnt from few, and slowly from many.
        return min(max(500, 2 * n_rows), 2000)

    def _make_penalties(self, rows):
        penalties = super()._make_penalties(rows)
        if self.contraction:
            penalties += (ContractionPenalty(self.contraction),)
        if self._code_activation == "binary":
            penalties += (BalancePenalty(0.1),)
        if self.sparsity == "kl":
            weight = self._sparsity_weight(self._kl_weight)
            penalties += (KLSparsityPenalty(weight, self.sparsity_target),)
        elif self.sparsity == "l1":
            penalties += (ActivityPenalty(self._sparsity_weight(0.005)),)
        elif self.sparsity == "topk":
            # Not the method of `rows`, which would keep them in memory.
            decoded = partial(in_units, mean=rows.mean, scale=rows.scale)
            decoded = decoded if self._bounded else torch.nn.Identity()
            penalties += (DeadUnitPenalty(decoded, len(rows)),)
        return penalties

    def _sparsity_weight(self, usual):
        return usual if self.sparsity_weight == "auto" else self.sparsity_weight

    @property
    def _kl_weight(self):
        if not isinstance(self.n_components, Integral):
            return 0.5
        # Each of few units has more to gain by being used.
        return max(0.5, 32 / self.n_components)

    def _warn_if_identity(self, n_features, n_components):
        kept_from_copying = (
            self.corruption or self.sparsity or self._code_activation == "binary"
        )
        if n_components < n_features or kept_from_copying:
            return
        starts_as_copy = self.init == "pca" and as_widths(self.hidden_layer_sizes)
        # A subclass with penalties of its own knows what they are for.
        own = type(self)._make_penalties is not Autoencoder._make_penalties
        if starts_as_copy or not (self.alpha or self.contraction or own):
            warnings.warn(
                f"n_components={n_components} is not below the {n_features} "
                "columns of X, and nothing keeps the autoencoder from copying its "
                "input. Lower n_components, set corruption or sparsity, or set "
                "init='random' and alpha or contraction.",
                UserWarning,
                stacklevel=6,
            )

    def _initialize(self, network, rows, generator):
        reset_parameters(network, generator)
        if self.sparsity == "kl":
            rate = torch.tensor(self.sparsity_target)
            torch.nn.init.constant_(network.encoder[-1].bias, float(rate.logit()))
        if self.init == "pca" and self._code_activation == "binary":
            start_at_hash(network, rows, generator)
        elif self.init == "pca":
            corruption = self._make_corruption(rows)
            start_at_pca(network, rows, generator, corruption, self._filler)

    def _describe_start(self, n_components):
        if self._code_activation == "binary":
            return (
                f"its start: the fitted code is the signs of {n_components} rotated "
                "principal components."
            )
        selects = self.sparsity == "topk"
        if self._code_activation == self._output == "identity" and not selects:
            return super()._describe_start(n_components)
        return f"its start, which explains {self.best_validation_score_:.1%} of them."

    def _code_size(self, rows, generator):
        share = self.n_components
        if isinstance(share, Integral):
            return int(share)
        # A code of this size explains the share even where it is PCA's.
        _, _, variances = principal_axes(rows, min(rows.shape), generator)
        explained = variances.cumsum(0) / variances.sum().clamp(min=1e-300)
        return min(int((explained < share).sum()) + 1, len(variances))

    def _keep(self, net, rows, going_on):
        super()._keep(net, rows, going_on)
        self.__dict__.pop("mean_activations_", None)
        if self.sparsity:
            with torch.no_grad():
                sums = [
                    net.module_.encode(rows.take(b)).sum(dim=0)
                    for b in blocks(*rows.shape)
                ]
            means = (sum(sums) / len(rows)).double().cpu().numpy()
            self.mean_activations_ = means[: self.n_components_]
