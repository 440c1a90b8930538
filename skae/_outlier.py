"""Outliers, by what autoencoders that did not see a row fail to reconstruct of it."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skae._base import fitting
from skae._checks import validated
from skae._known_rows import KnownRows
from skae._outlier_models import (
    BLOCK,
    BlindModel,
    fold_models,
    robust_spread,
    small_models,
)


@dataclass(eq=False, repr=False)
class ReconstructionOutlierDetector(OutlierMixin, BaseEstimator):
    r"""Outlier detector over any transformer with `inverse_transform`.

    Several models are fitted, each to a part of the rows. The score of a row is

    .. math:: s(x) = -\frac{1}{\lvert M(x)\rvert} \sum_{m \in M(x)}
              \frac{\ell_m(x) - a_m}{b_m}

    over the models :math:`M(x)` that did not see it: all of them for a new row, those
    of the other folds or samples for a row of the training data, also when it is
    scored again later. So an outlier cannot be learnt by the model that judges it,
    and the threshold `offset_` is a quantile of held-out scores, which new rows
    from the same source fall below about as often; more often where rows are few beside
    columns.

    With an `estimator`, a copy is fitted to all rows but a fold's, `cv` times, and

    .. math:: \ell_m(x) = \frac{1}{d + q}\left(\sum_{j=1}^{d}
              \frac{(x_j - \hat x_j)^2}{s_j^2} + \sum_{k=1}^{q}
              \frac{(z_k - \bar z_k)^2}{v_k}\right), \qquad a_m = 0, \quad b_m = 1

    with the held-out mean squared error :math:`s_j^2` of column j over all folds, and
    mean and variance of the code's components on the model's own rows. The second sum
    finds rows that are far out and yet well reconstructed; `use_code` leaves it out.

    Without an `estimator`, columns are standardised and `n_estimators` small
    autoencoders in closed form are each fitted to `max_samples` rows at most. Two of
    three are codebooks, whose reconstruction is the nearest of some rows drawn at
    random, with :math:`u_j = (x_j - \hat x_j)/s_{mj}` and
    :math:`\ell_m = \log(\lVert u\rVert/\sqrt{d} + 1/100)`. Each third has one hidden
    layer of random weights [1]_ and a decoder by ridge regression, with
    :math:`\ell_m = \frac{1}{d}\sum_j\log(1 + u_j^2)`. From rows it did not see come
    :math:`s_{mj}^2`, the mean absolute error squared plus 0.01, and :math:`a_m, b_m`,
    the loss's median and deviation. Small samples seldom hold what is rare [2]_, [3]_.

    Parameters
    ----------
    estimator : transformer or None, default=None
        Has `fit`, `transform` and `inverse_transform`, as an autoencoder, `PCA` or a
        `Pipeline`. It gets rows as they are: scale them in a pipeline where columns
        have different units. None is the ensemble above.
    contamination : 'auto' or float, default='auto'
        Share of the rows to call outliers, in (0, 0.5]. 'auto' calls those outliers
        whose score is more than two robust standard deviations (1.4826 times the
        median absolute deviation) below the median of the training rows' scores.
    use_code : bool, default=True
        Whether the code counts beside the residual. Only used with an `estimator`.
    cv : int, default=5
        Number of folds, at least 2. Only used with an `estimator`.
    n_estimators : int, default=60
        Number of autoencoders, at least 3. Only used without an `estimator`.
    max_samples : int or 'auto', default='auto'
        At least 2 rows that each is fitted to, at most two thirds. 'auto' is 256, and
        1024 where `trim` is False. Only used without an `estimator`.
    trim : bool, default=True
        Whether a first pass, with codebooks of 2 to 8 rows, keeps the oddest rows
        out of all samples: those worse than the median by a robust standard deviation,
        at most half. False is for normal rows. Only used without an `estimator`.
    random_state : int, RandomState instance or None, default=None
        Source of folds, samples and random weights, and of the estimator's own
        `random_state` where that is None. The global random state is never touched.

    Attributes
    ----------
    estimators_ : list
        Fitted copies of `estimator`. Without one, what each small model was fitted
        to: the rows of a codebook as an array, or a hidden layer's weights as a dict.
    offset_ : float
        Threshold: ``decision_function(X) = score_samples(X) - offset_``.
    feature_errors_ : ndarray of shape (n_features,)
        Held-out mean squared error of each column, in the units of `X`.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`. Only where all of them are strings.

    See Also
    --------
    Autoencoder : A network to give as `estimator`.
    sklearn.ensemble.IsolationForest : Outliers by random splits.

    References
    ----------
    .. [1] G.-B. Huang, Q.-Y. Zhu and C.-K. Siew, "Extreme learning machine: theory and
       applications", Neurocomputing 70, 2006.
    .. [2] F. T. Liu, K. M. Ting and Z.-H. Zhou, "Isolation forest", ICDM 2008.
    .. [3] J. Chen, S. Sathe, C. Aggarwal and D. Turaga, "Outlier detection with
       autoencoder ensembles", SDM 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skae import ReconstructionOutlierDetector
    >>> X = np.vstack([load_iris().data[:50], [[5.0, 3.4, 1.5, 4.0]]])
    >>> detector = ReconstructionOutlierDetector(random_state=0).fit(X)
    >>> detector.predict(X[-2:])
    array([ 1, -1])
    >>> int(detector.feature_scores(X[-1:]).argmax())
    3
    """

    estimator: object = None
    _: KW_ONLY
    contamination: float | str = "auto"
    use_code: bool = True
    cv: int = 5
    n_estimators: int = 60
    max_samples: int | str = "auto"
    trim: bool = True
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints = {
        "estimator": "no_validation",
        "contamination": [
            StrOptions({"auto"}),
            Interval(Real, 0, 0.5, closed="right"),
        ],
        "use_code": ["boolean"],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_estimators": [Interval(Integral, 3, None, closed="left")],
        "max_samples": [
            StrOptions({"auto"}),
            Interval(Integral, 2, None, closed="left"),
        ],
        "trim": ["boolean"],
        "random_state": ["random_state"],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the models and the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, outliers among them or not.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is unacceptable, or if `estimator` returns NaN
            for rows that it was not fitted to, or refuses them. The detector is
            unchanged.
        """
        with fitting(self):
            X = validated(self, X, dtype=np.float64, ensure_min_samples=2)
            self._check_estimator()
            # None would be scikit-learn's global state, which a draw would change.
            seed = self.random_state
            rng = check_random_state(np.random.RandomState() if seed is None else seed)
            self._describe(X)
            Z = self._scaled(X)
            if self.estimator is None:
                sizes = self.n_estimators, self.max_samples
                self._models = small_models(Z, rng, *sizes, self.trim)
            else:
                fold = self.estimator, self.cv, self.use_code
                self._models = fold_models(Z, rng, *fold, self._known.group)
            self._measure(X)
        return self

    def _describe(self, X):
        with np.errstate(over="ignore"):
            spread, size = X.std(axis=0), np.abs(X).max(axis=0)
        if not np.isfinite(spread).all():
            raise ValueError(
                f"X has values too large to be squared: up to {size.max():g}."
            )
        self._is_ensemble = self.estimator is None
        self._mean = X.mean(axis=0)
        # The unit of a constant column is its size, if it has one.
        constant = np.where(size > 1e-100, size, 1.0)
        self._scale = np.where(spread > 1e-12 * size, spread, constant)
        self._known = KnownRows(X)

    def _check_estimator(self):
        if isinstance(self.estimator, type):
            raise ValueError(f"estimator must be an instance, got {self.estimator!r}.")
        within = getattr(self.estimator, "get_params", dict)().values()
        if any(isinstance(e, FrozenEstimator) for e in (self.estimator, *within)):
            raise ValueError(
                "estimator is fitted to parts of the rows, which a FrozenEstimator "
                "does not let happen. Give the one inside it."
            )
        wanted = ("fit", "transform", "inverse_transform")
        missing = [name for name in wanted if not hasattr(self.estimator, name)]
        if self.estimator is not None and missing:
            raise ValueError(
                "estimator must be None or a transformer with fit, transform and "
                f"inverse_transform, got {self.estimator!r} without "
                f"{' and '.join(missing)}."
            )

    def _scaled(self, X):
        # An estimator of the user's gets rows as they are.
        return (X - self._mean) / self._scale if self._is_ensemble else X

    def _measure(self, X):
        """Set the held-out errors of columns, and the threshold."""
        errors = self._mean_over_models(X, BlindModel.squared_residual).mean(axis=0)
        if not np.isfinite(errors).all():
            column = int(np.argmin(np.isfinite(errors)))
            names = getattr(self, "feature_names_in_", range(len(errors)))
            raise ValueError(
                f"estimator={self.estimator!r} reconstructs column {names[column]!r} "
                "of rows it was not fitted to with values that are NaN or infinite. "
                "Take another, as one without PowerTransformer."
            )
        unit = 1.0 if self.estimator is None else self._scale**2
        # A column that is always reconstructed would make any rounding odd.
        self._errors = np.maximum(errors, 1e-12 * unit)
        self.feature_errors_ = self._errors * self._scale**2 / unit
        for model in self._models:
            if self.estimator is not None:
                model.model.errors = self._errors
        self.estimators_ = [model.model.fitted for model in self._models]
        self.offset_ = self._threshold(-self._mean_over_models(X, BlindModel.loss))

    def _threshold(self, scores):
        if self.contamination == "auto":
            return float(np.median(scores) - 2 * robust_spread(scores))
        return float(np.percentile(scores, 100 * self.contamination))

    def _mean_over_models(self, X, function):
        """Return the mean of ``function(model, rows)`` over models blind to a row."""
        blind = self._blind(X)
        Z, total = self._scaled(X), [None] * -(-len(X) // BLOCK)
        for b in range(len(total)):
            rows = slice(b * BLOCK, (b + 1) * BLOCK)
            for model, counts in zip(self._models, blind[:, rows], strict=True):
                value = function(model, Z[rows])
                weight = counts.reshape(-1, *[1] * (value.ndim - 1))
                value = np.where(weight, value, 0.0)
                total[b] = value if total[b] is None else total[b] + value
        total, count = np.concatenate(total), blind.sum(axis=0)
        return total / count.reshape(-1, *[1] * (total.ndim - 1))

    def _blind(self, X):
        """Return which models, in rows, were fitted without each row of `X`."""
        found, group = self._known.find(X), self._known.group
        blind = [~np.isin(found, group[model.seen]) for model in self._models]
        blind = np.array(blind)
        blind[:, ~blind.any(axis=0)] = True
        return blind

    def _validate(self, X):
        check_is_fitted(self)
        return validated(self, X, dtype=np.float64, reset=False)

    def score_samples(self, X):
        """Return how normal each row is; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score. One that equals a row of the training data, but for a
            millionth of its columns' spread, is scored by the models that were fitted
            without it and its copies.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The scores, which do not depend on the other rows of `X`; minus infinity
            where a reconstruction is NaN.
        """
        return -self._mean_over_models(self._validate(X), BlindModel.loss)

    def decision_function(self, X):
        """Return the scores minus the threshold; negative values are outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        decision : ndarray of shape (n_samples,)
            ``score_samples(X) - offset_``.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """Return 1 for rows that are normal and -1 for outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            The labels.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def feature_scores(self, X):
        """Return how odd each entry is: its squared error beside its column's.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to explain.

        Returns
        -------
        scores : ndarray or DataFrame of shape (n_samples, n_features)
            Squared errors, a mean over the models that did not see the row, divided by
            `feature_errors_`: about 1 for a usual entry. A pandas DataFrame if `X`
            has columns with names.
        """
        Z = self._validate(X)
        scores = self._mean_over_models(Z, BlindModel.squared_residual) / self._errors
        if not (hasattr(X, "columns") and hasattr(self, "feature_names_in_")):
            return scores
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "feature_scores of a table with names returns one of pandas, which is "
                "not installed: pip install pandas, or give an array."
            ) from error
        index = getattr(X, "index", None)
        return pd.DataFrame(scores, columns=self.feature_names_in_, index=index)
