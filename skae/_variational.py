"""The variational autoencoder, a model of the rows' density."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import torch
from sklearn.utils._param_validation import Interval, StrOptions

from skae._autoencoder import Autoencoder
from skae._checks import as_widths
from skae._density import DensityVerbs
from skae._docs import documented
from skae._ppca import reference_log_likelihood, start_at_ppca
from skae._rows import blocks
from skae.networks import reset_parameters
from skae.variational import (
    LIKELIHOODS,
    LOG_SCALE_FLOOR,
    GaussianKLPenalty,
    KLWarmup,
    VariationalNetwork,
)


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class VariationalAutoencoder(DensityVerbs, Autoencoder):
    r"""Variational autoencoder, which starts at probabilistic PCA.

    Rows are modelled as :math:`x \sim p(x \mid z)`, :math:`z \sim \mathcal N(0, I)`,
    with a decoder that computes the parameters of :math:`p(x \mid z)`; an encoder
    computes a posterior :math:`q(z \mid x) = \mathcal N(\mu(x), \operatorname{diag}
    \sigma^2(x))`. Both are learnt by [1]_

    .. math:: \min \frac1n \sum_{i=1}^n \left(
              -\mathbb E_{q(z \mid x_i)} \sum_{j=1}^d \log p(x_{ij} \mid z)
              + \beta \operatorname{KL}\bigl(q(z \mid x_i) \,\Vert\, \mathcal N(0, I)
              \bigr) \right)

    a sum over features and a mean over rows. So ``beta=1`` is the negative evidence
    lower bound (ELBO) in nats per row: no constant hides in it. `transform` is the
    posterior's mean :math:`\mu(x)`, without noise.

    With ``likelihood='gaussian'`` and ``init='pca'`` training starts at probabilistic
    PCA in closed form, where the bound equals the log-likelihood [3]_. It leaves only
    where rows kept out of training gain by it, as measured by their bound.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    Autoencoder : Without a distribution of codes and rows.
    sklearn.decomposition.PCA : Its `score` is the log-likelihood of probabilistic PCA.
    sklearn.decomposition.FactorAnalysis : The linear model with noise per feature.

    References
    ----------
    .. [1] D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014,
       arXiv:1312.6114.
    .. [2] Y. Burda, R. Grosse and R. Salakhutdinov, "Importance weighted autoencoders",
       ICLR 2016, arXiv:1509.00519.
    .. [3] J. Lucas et al., "Don't blame the ELBO! A linear VAE perspective on posterior
       collapse", NeurIPS 2019, arXiv:1911.02469.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skae import VariationalAutoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> vae = VariationalAutoencoder(n_components=8, random_state=0).fit(X[:1200])
    >>> pca = PCA(n_components=8).fit(X[:1200])
    >>> bool(vae.score_samples(X[1200:]).mean() > pca.score(X[1200:]) + 10)
    True
    >>> vae.sample(3, random_state=0).shape
    (3, 64)
    """

    likelihood: str = "gaussian"
    noise: str = "shared"
    beta: float = 1.0
    kl_warmup: int = 0
    n_importance_samples: int = 100
    # Class variables are no parameters: `likelihood` and the prior leave no choice.
    loss: ClassVar[None] = None
    code_activation: ClassVar[str] = "identity"
    sparsity: ClassVar[None] = None
    sparsity_weight: ClassVar[None] = None
    sparsity_target: ClassVar[None] = None
    n_nonzero_coefs: ClassVar[None] = None

    _parameter_constraints = {
        **{
            name: allowed
            for name, allowed in Autoencoder._parameter_constraints.items()
            if name not in ("loss", "code_activation", "n_nonzero_coefs")
            and not name.startswith("sparsity")
        },
        # A line search would bear no noise.
        "solver": [StrOptions({"adam", "sgd"})],
        "likelihood": [StrOptions(set(LIKELIHOODS))],
        "noise": [StrOptions({"shared", "per_feature"})],
        "beta": [Interval(Real, 0, None, closed="left")],
        "kl_warmup": [Interval(Integral, 0, None, closed="left")],
        "n_importance_samples": [Interval(Integral, 1, None, closed="left")],
    }
    _parameter_docs = {
        **Autoencoder._parameter_docs,
        "likelihood": (
            "{'gaussian', 'bernoulli'}",
            "Distribution of a row given its code: normal around the reconstruction,\n"
            "with learnt noise; or zeros and ones with the reconstruction as their\n"
            "probabilities. 'bernoulli' needs `X` in [0, 1].",
        ),
        "noise": (
            "{'shared', 'per_feature'}",
            "Whether 'gaussian' has noise of one size, or of one for each feature.",
        ),
        "beta": (
            "float",
            "Weight of the divergence from the prior, in [0, inf); 1 is the ELBO.",
        ),
        "kl_warmup": (
            "int",
            "Epochs over which the weight of the divergence rises from 0 to `beta` in\n"
            "training, against codes that go unused. Rows kept out are always judged\n"
            "with the full weight.",
        ),
        "n_importance_samples": (
            "int",
            "Draws from the posterior for each row in `score_samples` and `elbo`, at\n"
            "least 1. More bring the first closer to the log-likelihood, and make the\n"
            "second less noisy.",
        ),
        "alpha": (
            "float",
            "Strength of the penalty on weights (not biases), in [0, inf). It is\n"
            "added to the negative ELBO of a row, and spares what is not trained of\n"
            "the linear path: all of it, but for the decoder of images.",
        ),
        "output_activation": (
            "str",
            "Activation of the reconstruction. 'auto' is 'logistic' for\n"
            "``likelihood='bernoulli'``, which accepts no other, else 'identity'.",
        ),
        "contraction": (
            "float",
            "Weight of the mean squared norm of the Jacobian of the posterior's mean,\n"
            "in [0, inf), estimated for codes of more than 4 components.",
        ),
        "solver": (
            "{'adam', 'sgd'}",
            "Optimiser. 'adam' is AdamW. 'sgd' has a Nesterov momentum of 0.9.",
        ),
        "init": (
            "{'pca', 'random'}",
            "'pca' puts a linear path beside the hidden layers that is probabilistic\n"
            "PCA and, but for the decoder of images, stays so; the hidden layers\n"
            "start at zero and are trained to correct it. 'random' is the plain\n"
            "network.",
        ),
    }
    _attribute_docs = {
        "explained_variance_ratio_": Autoencoder._attribute_docs[
            "explained_variance_ratio_"
        ],
        "loss_curve_": (
            "list of float",
            "Training objective, an entry an epoch: the negative ELBO of scaled rows\n"
            "in nats, with the divergence weighted, and penalties.",
        ),
        "validation_scores_": (
            "list of float or None",
            "Mean of minus the objective of the rows kept out, an entry an epoch: for\n"
            "``beta=1`` and without penalties the ELBO, in nats a row of `X` in its\n"
            "own units. None where no rows are kept out, as in the two below.",
        ),
        "pca_score_": (
            "float or None",
            "Mean log-likelihood, in the same units, of probabilistic PCA with as\n"
            "many components, fitted without the rows kept out. None for\n"
            "``likelihood='bernoulli'``, for a density does not compare to\n"
            "probabilities, and where these rows have gaps.",
        ),
        "noise_variance_": (
            "float or ndarray of shape (n_features,)",
            "Variance of the noise in the units of `X`. Only for\n"
            "``likelihood='gaussian'``.",
        ),
        "active_units_": (
            "ndarray of bool of shape (n_components,)",
            "Components that say anything of the training rows: the variance of their\n"
            "posterior means is above 0.01 [2]_. The others are nothing but noise.",
        ),
    }
    _loss_parameter = "likelihood"

    @property
    def _output(self):
        if self.output_activation != "auto":
            return self.output_activation
        return "logistic" if self.likelihood == "bernoulli" else "identity"

    _over_features = "sum"

    def _make_loss(self):
        return LIKELIHOODS[self.likelihood], 0

    def _check_together(self, n_components):
        super()._check_together(n_components)
        if self.likelihood == "bernoulli" and self._output != "logistic":
            self._refuse("likelihood", "output_activation", "'logistic' or 'auto'")

    def _warn_if_identity(self, n_features, n_components):
        """Stay silent: the divergence keeps any code from being a copy."""

    def _make_network(self, n_features, n_components):
        self._check_together(n_components)
        return VariationalNetwork(
            n_features,
            n_components,
            as_widths(self.hidden_layer_sizes),
            self.activation,
            output_activation=self._output,
            tied_weights=self.tied_weights,
            linear_path=self.init == "pca",
            ordered=self.ordered,
            noise=self.noise,
        )

    def _make_penalties(self, rows):
        return (GaussianKLPenalty(self.beta), *super()._make_penalties(rows))

    def _callbacks(self):
        going_on = self.warm_start and hasattr(self, "net_")
        n_before = self.n_iter_ if going_on else 0
        # A fit before may have ended with a part of the weight.
        warms = self.kl_warmup or going_on
        warmup = [KLWarmup(self.kl_warmup, n_before)] if warms else []
        return [*warmup, *super()._callbacks()]

    def _initialize(self, network, rows, generator):
        reset_parameters(network, generator)
        network.kl_weight.fill_(0.0 if self.kl_warmup else 1.0)
        unit = math.log(rows.scale) if rows.bounded else 0.0
        network.noise_floor.fill_(LOG_SCALE_FLOOR + unit)
        network.noise_start.fill_(unit)
        if self.init == "pca":
            start_at_ppca(network, rows, generator)

    def _set_budget(self, net, n_rows):
        super()._set_budget(net, n_rows)
        # A log-likelihood may be zero or negative, but its unit is always a nat.
        if net.module.has_path or self.solver == "sgd":
            net.loss_unit = float(self.n_features_in_)

    def _set_loss_unit(self, net, rows):
        """Keep the unit that `_set_budget` sets."""

    def _log_unit(self, network):
        """Return what a log-density of `network` loses in the units of the data."""
        plain = network.config["output_activation"] == "identity"
        return self.n_features_in_ * math.log(self.scale_) if plain else 0.0

    def _keep_scores(self, net, parts, choice):
        self.pca_score_ = self.best_validation_score_ = self.validation_scores_ = None
        if choice is None:
            return
        watched = [rows_valid for _, rows_valid in parts]
        n_known = sum(rows.share_known * len(rows) for rows in watched)
        share = n_known / sum(len(rows) for rows in watched)
        log_unit = share * self._log_unit(net.module_)
        self.best_validation_score_ = -choice.loss - log_unit
        self.validation_scores_ = [-loss - log_unit for loss in choice.losses]
        n_components = net.module_.config["n_components"]
        if self.likelihood == "gaussian" and share == 1:
            by_pca = reference_log_likelihood(parts, n_components, net.generator)
            self.pca_score_ = by_pca - self.n_features_in_ * math.log(self.scale_)

    def _is_start_perfect(self):
        return False  # a density can always be larger

    def _describe_start(self, n_components):
        return (
            "probabilistic PCA: the fitted autoencoder is its start, the linear model "
            f"with n_components={n_components}, whose ELBO is "
            f"{self.best_validation_score_:.4g} nats for each of them."
        )

    def _keep(self, net, rows, going_on):
        super()._keep(net, rows, going_on)
        self.__dict__.pop("noise_variance_", None)
        total = squares = 0.0
        with torch.no_grad():
            for block in blocks(*rows.shape):
                code = self._code(net.module_, rows.take(block)).cpu().double()
                total, squares = total + code.sum(0), squares + code.square().sum(0)
            if self.likelihood == "gaussian":
                unit = 1.0 if self._bounded else self.scale_
                log_scale = net.module_.log_scale.cpu().double()
                variances = ((2 * log_scale).exp() * unit**2).numpy()
                shared = self.noise == "shared"
                self.noise_variance_ = float(variances[0]) if shared else variances
        variances = squares / len(rows) - (total / len(rows)).square()
        self.active_units_ = (variances > 0.01).numpy()
