"""What a fitted model of the rows' density does: likelihoods and draws."""

import math

import numpy as np
import torch
from scipy.special import ndtri
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skae._checks import check_count
from skae._gaps import filled
from skae._rows import as_float, in_units
from skae._verbs import widened

# SplitMix64 (Steele et al. 2014), whose every number can be had without the others.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def _mixed(x):
    x = (x ^ (x >> np.uint64(30))) * _FACTORS[0]
    x = (x ^ (x >> np.uint64(27))) * _FACTORS[1]
    return x ^ (x >> np.uint64(31))


class RowNoise:
    """Standard normal numbers that depend on a row's values and a seed alone.

    So a row has the same score wherever it stands, and rows have independent errors.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        The rows.
    seed : int
        Another one gives other numbers.
    """

    def __init__(self, x, seed):
        # Adding 0 makes -0 equal to 0.
        values = x.nan_to_num().cpu().double().numpy() + 0.0
        columns = np.arange(1, x.shape[1] + 1, dtype=np.uint64) * _STEP
        salt = _mixed(columns + np.uint64(seed % 2**63))
        self.keys = _mixed(_mixed(values.view(np.uint64) ^ salt).sum(axis=1))

    def draw(self, index, width):
        """Return the draw at `index`, of shape (n_samples, width), in float64."""
        first = index * width + 1
        steps = np.arange(first, first + width, dtype=np.uint64) * _STEP
        whole = _mixed(self.keys[:, None] + steps) >> np.uint64(11)
        return torch.from_numpy(ndtri((whole + 0.5) * 2.0**-53))


def log_weight(output, drawn, noise, target, objective):
    r"""Return :math:`\log p(x, z) - \log q(z \mid x)` of each row.

    Parameters
    ----------
    output : VariationalOutput
        The posterior, with what is decoded from `drawn`.
    drawn : Tensor of shape (n_samples, n_components)
        Codes :math:`z` drawn from the posterior.
    noise : Tensor of shape (n_samples, n_components)
        The standard normal numbers they were made of.
    target : Tensor of shape (n_samples, n_features)
        The rows :math:`x`.
    objective : Objective
        With minus the logarithm of the likelihood, as its loss.

    Returns
    -------
    log_weight : Tensor of shape (n_samples,)
        Its mean over draws is the evidence lower bound.
    """
    ratio = noise.square() + output.log_variance - drawn.square()
    return 0.5 * ratio.sum(dim=1) - objective.loss_of_rows(output, target)


def _random(random_state):
    # Not scikit-learn's global RandomState, which a draw would change.
    if random_state is None:
        return np.random.default_rng()
    return check_random_state(random_state)


class DensityVerbs:
    """The methods of a fitted model whose network has a `posterior` of the code.

    They need `likelihood`, `n_importance_samples` and the attributes of any fitted
    autoencoder; the noise of rows comes from the seed of the fit.
    """

    def _posterior(self, network, x):
        """Return the posterior of rows `x`, as many columns of it as were chosen."""
        mean, log_variance = network.posterior(filled(x, self._filler))
        return mean[:, : self.n_components_], log_variance[:, : self.n_components_]

    def _log_weights(self, network, x):
        """Yield a log-weight of each row and its code, for draws from posteriors."""
        objective = self.net_.criterion_
        target = in_units(x, self.mean_, self.scale_) if self._decodes_units else x
        mean, log_variance = self._posterior(network, x)
        noise = RowNoise(x, self.net_.generator.initial_seed())
        log_unit = self._log_unit(network) * (~x.isnan()).to(mean).mean(dim=1)
        for index in range(self.n_importance_samples):
            drawn = noise.draw(index, self.n_components_).to(mean)
            z = mean + (0.5 * log_variance).exp() * drawn
            output = network.output(mean, log_variance, widened(z, network))
            yield log_weight(output, z, drawn, target, objective) - log_unit, z

    def _over_draws(self, X, reduce):
        check_is_fitted(self)
        X = self._validate(X, "X")

        def of_rows(network, x):
            total = None
            for weight, _ in self._log_weights(network, x):
                total = weight if total is None else reduce(total, weight)
            return total[:, None]

        return self._apply(of_rows, X, 1)[:, 0].astype(np.float64)

    def score_samples(self, X):
        r"""Return the log-likelihood of each row, estimated from below.

        .. math:: \log \frac1K \sum_{k=1}^K \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad
                  z_k \sim q(z \mid x)

        with :math:`K` the `n_importance_samples`. Its expectation is never above
        :math:`\log p(x)`, and comes closer with every further draw [1]_. A row has the
        same score in each call, whatever the rows beside it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Log-likelihoods in nats; for ``likelihood='gaussian'`` those of a density
            in the units of `X`.

        References
        ----------
        .. [1] Y. Burda, R. Grosse and R. Salakhutdinov, "Importance weighted
           autoencoders", ICLR 2016, arXiv:1509.00519.
        """
        sums = self._over_draws(X, torch.logaddexp)
        return sums - math.log(self.n_importance_samples)

    def elbo(self, X):
        r"""Return the evidence lower bound of each row.

        .. math:: \frac1K \sum_{k=1}^K \log\frac{p(x, z_k)}{q(z_k \mid x)}

        for the very draws of `score_samples`, which it is never above, and equal to
        where ``n_importance_samples=1``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        bounds : ndarray of shape (n_samples,)
            In nats and the units of `X`, with the divergence's weight at 1.
        """
        return self._over_draws(X, torch.add) / self.n_importance_samples

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the model: codes from the prior, then rows given the codes.

        They have the noise that the likelihood has. For rows without it, decode codes
        from the prior: ``inverse_transform(rng.normal(size=(n, n_components)))``.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        random_state : int, RandomState instance or None, default=None
            Source of the draws; None gives others in each call.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The rows, in the units of the training data; zeros and ones for
            ``likelihood='bernoulli'``.
        """
        check_is_fitted(self)
        check_count(n_samples, "n_samples")
        rng = _random(random_state)
        codes = rng.normal(size=(n_samples, self.n_components_))
        return self._noisy(self.inverse_transform(codes), rng)

    def _noisy(self, decoded, rng):
        """Return draws from the likelihood whose means are `decoded`."""
        if not hasattr(self, "noise_variance_"):  # the likelihood is Bernoulli's
            return (rng.uniform(size=decoded.shape) < decoded).astype(decoded.dtype)
        noise = rng.normal(size=(len(decoded), self.n_features_in_))
        noise = (self.noise_variance_**0.5 * noise).reshape(decoded.shape)
        return decoded + noise.astype(decoded.dtype)

    @available_if(lambda self: self._admits_gaps)
    def sample_gaps(self, X, n_samples=1, random_state=None):
        r"""Draw what may be in the gaps of each row, given what is known of it [1]_.

        Of ``n_importance_samples`` codes drawn from the posterior, one is chosen with
        probability in proportion to :math:`p(x_o, z) / q(z \mid x)`, for the known
        entries :math:`o`; then the gaps are drawn given that code, with noise.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Rows, with NaN in gaps.
        n_samples : int, default=1
            How often to fill each row.
        random_state : int, RandomState instance or None, default=None
            Source of the draws; None gives others in each call.

        Returns
        -------
        filled : ndarray of shape (n_samples, n_rows, n_features)
            The rows, their known entries as they are.

        References
        ----------
        .. [1] P.-A. Mattei and J. Frellsen, "MIWAE: deep generative modelling and
           imputation of incomplete data sets", ICML 2019, arXiv:1812.02633.
        """
        check_is_fitted(self)
        check_count(n_samples, "n_samples")
        X = self._validate(X, "X")
        X = as_float(X, slice(None), X.dtype)
        rng, k = _random(random_state), self.n_components_

        def chosen(network, x):
            pairs = list(self._log_weights(network, x))
            weights = torch.stack([weight for weight, _ in pairs])
            codes = torch.stack([code for _, code in pairs])
            # The largest of log-weights plus Gumbel noise is a draw by the weights.
            noise = rng.gumbel(size=(n_samples, *weights.shape))
            best = (weights + torch.from_numpy(noise).to(weights)).argmax(dim=1)
            return codes[best, torch.arange(len(x))].transpose(0, 1).flatten(1)

        codes = self._apply(chosen, X, n_samples * k)
        codes = codes.reshape(len(X), n_samples, k).swapaxes(0, 1)
        drawn = [self._noisy(self.inverse_transform(z), rng) for z in codes]
        return np.where(np.isnan(X), np.stack(drawn), X)

    def sample_posterior(self, X, n_samples=1, random_state=None):
        """Draw codes of each row from its posterior.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            The rows.
        n_samples : int, default=1
            How many codes of each row.
        random_state : int, RandomState instance or None, default=None
            Source of the draws; None gives others in each call.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_rows, n_components)
            The codes, in the floating type of `X`; each ``Z[i]`` can be decoded.
        """
        check_is_fitted(self)
        check_count(n_samples, "n_samples")
        X = self._validate(X)
        k = self.n_components_
        both = self._apply(lambda n, x: torch.cat(self._posterior(n, x), 1), X, 2 * k)
        noise = _random(random_state).normal(size=(n_samples, len(both), k))
        return both[:, :k] + np.exp(0.5 * both[:, k:]) * noise.astype(both.dtype)
