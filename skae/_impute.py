"""Imputation of missing values by an autoencoder."""

from dataclasses import KW_ONLY, dataclass
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import (
    FLOAT_DTYPES,
    _check_feature_names_in,
    check_is_fitted,
)

from skae._autoencoder import Autoencoder
from skae._base import BaseAutoencoder, fitting
from skae._checks import check_count, validated

MAX_COMPONENTS = 64
# Standard deviations: what is known is taken as no further from the mean.
FARTHEST = 1e6


@dataclass(eq=False, repr=False)
class AutoencoderImputer(TransformerMixin, BaseEstimator):
    r"""Imputation of missing values by an autoencoder.

    An autoencoder :math:`g \circ f` is fitted to rows with gaps: with the entries that
    are known, :math:`o`, and what is hidden of them in training, :math:`h`,

    .. math:: \min_{f,g} \operatorname{mean}_{ij \in o}
              \ell\bigl(x_{ij}, g(f(\tilde x_i))_j\bigr)

    where :math:`\tilde x_i` has its gaps, and :math:`h` beside them, filled with their
    conditional mean in factor analysis. So training starts at a linear imputer that is
    the best for Gaussian rows, and leaves it only where it gets nearer to hidden
    entries of rows kept out of training [1]_. Columns are scaled to a variance of 1
    before.

    New rows are imputed without another fit. Known values stay as they are, bit by bit,
    and what is put in is never outside the range of its column in training.

    Parameters
    ----------
    autoencoder : estimator or None, default=None
        The autoencoder to fit; it is cloned, and learns to fill gaps even where the
        rows of `fit` have none. None is `Autoencoder` with
        ``corruption='gaps'`` and as many components as columns, but at most 64.
        Where most values are missing, as of ratings, a small code is better:
        ``Autoencoder(8, corruption='gaps')``.
    missing_values : int, float or np.nan, default=np.nan
        What stands for a missing value. In pandas' nullable columns it is NaN too.
    add_indicator : bool, default=False
        Whether to append a column of zeros and ones for each column that had gaps in
        `fit`, as `sklearn.impute.MissingIndicator` makes them.
    keep_empty_features : bool, default=False
        Whether to keep columns without a value in `fit`, as zeros; else they are
        dropped.
    random_state : int, RandomState instance or None, default=None
        Source of randomness where the `random_state` of `autoencoder` is None. The
        global random state is never touched.

    Attributes
    ----------
    autoencoder_ : estimator
        The fitted autoencoder, which takes scaled rows of the columns with values.
    mean_ : ndarray of shape (n_features_in_,)
        Means of the columns' known values; 0 where `autoencoder` has a bounded
        output, and so takes columns as they are.
    scale_ : ndarray of shape (n_features_in_,)
        Their standard deviations; 1 where that is 0, or the output is bounded.
    indicator_ : MissingIndicator or None
        The indicator; None without `add_indicator`.
    n_features_in_ : int
        Number of columns in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where all are strings.

    See Also
    --------
    Autoencoder : Takes rows with gaps itself, and encodes them.
    sklearn.impute.KNNImputer : Means of the nearest rows.

    References
    ----------
    .. [1] P. Vincent et al., "Extracting and composing robust features with denoising
       autoencoders", ICML 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from skae import AutoencoderImputer
    >>> X, _ = load_wine(return_X_y=True)
    >>> gaps = np.random.default_rng(0).uniform(size=X.shape) < 0.2
    >>> imputer = AutoencoderImputer(random_state=0)
    >>> filled = imputer.fit_transform(np.where(gaps, np.nan, X))
    >>> bool((filled[~gaps] == X[~gaps]).all()), bool(np.isnan(filled).any())
    (True, False)
    >>> off = ((filled - X) / X.std(axis=0))[gaps]
    >>> bool((off**2).mean() < 0.6)
    True
    """

    autoencoder: BaseEstimator | None = None
    _: KW_ONLY
    missing_values: float = np.nan
    add_indicator: bool = False
    keep_empty_features: bool = False
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints = {
        "autoencoder": [HasMethods(["fit", "reconstruct"]), None],
        "missing_values": [Real],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "random_state": ["random_state"],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the autoencoder to rows with gaps.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X` or a parameter is not acceptable. The estimator is then as it was.
        """
        with fitting(self):
            X, gaps = self._validate(X, reset=True)
            self._empty = gaps.all(axis=0)
            known = np.where(gaps, 0.0, X)
            counts = np.maximum(len(X) - gaps.sum(axis=0), 1)
            self.mean_ = known.sum(axis=0, dtype=np.float64) / counts
            off = np.where(gaps, 0.0, known - self.mean_)
            with np.errstate(over="ignore"):
                deviations = np.sqrt((off**2).sum(axis=0) / counts)
            if not np.isfinite(deviations).all():
                raise ValueError(
                    "X has values too large to be squared: up to "
                    f"{np.abs(known).max():g}."
                )
            flat = deviations <= 8 * np.finfo(X.dtype).eps * np.abs(self.mean_)
            self.scale_ = np.where(flat, 1.0, deviations)
            if getattr(self.autoencoder, "_bounded", False):
                self.mean_, self.scale_ = 0 * self.mean_, np.ones_like(self.scale_)
            bounds = np.where(gaps, np.inf, X), np.where(gaps, -np.inf, X)
            self._range = bounds[0].min(axis=0), bounds[1].max(axis=0)
            self.indicator_ = None
            if self.add_indicator:
                # Here, for it brings much of scikit-learn along.
                from sklearn.impute import MissingIndicator

                indicator = MissingIndicator(error_on_new=False)
                indicator.set_output(transform="default")
                self.indicator_ = indicator.fit(np.where(gaps, np.nan, X))
            self._fit_autoencoder(X, gaps)
        return self

    def _fit_autoencoder(self, X, gaps):
        self.autoencoder_ = None
        if self._empty.all():
            return
        if self.autoencoder is None:
            autoencoder = Autoencoder(
                min(int((~self._empty).sum()), MAX_COMPONENTS),
                corruption="gaps",
                random_state=self.random_state,
            )
        else:
            if isinstance(self.autoencoder, FrozenEstimator):
                raise ValueError(
                    "autoencoder is fitted to scaled rows, which a FrozenEstimator "
                    "does not let happen. Give the one inside it."
                )
            if not getattr(self.autoencoder, "_admits_gaps", True):
                raise ValueError(
                    "autoencoder must take rows with gaps, got "
                    f"{type(self.autoencoder).__name__}."
                )
            autoencoder = clone(self.autoencoder)
            if getattr(autoencoder, "random_state", 0) is None:
                autoencoder.set_params(random_state=self.random_state)
        if hasattr(autoencoder, "set_output"):
            autoencoder.set_output(transform="default")
        scaled = self._scaled(X, gaps)
        self.autoencoder_ = autoencoder.fit(scaled)
        if isinstance(autoencoder, BaseAutoencoder):
            autoencoder._expect_gaps(scaled)

    def _scaled(self, X, gaps):
        kept = ~self._empty
        scaled = (X[:, kept] - self.mean_[kept]) / self.scale_[kept]
        scaled = np.clip(scaled, -FARTHEST, FARTHEST)
        return np.where(gaps[:, kept], np.nan, scaled).astype(X.dtype)

    def _validate(self, X, reset=False):
        nan = bool(np.isnan(self.missing_values))
        X = validated(
            self,
            X,
            reset=reset,
            dtype=FLOAT_DTYPES[:2],
            ensure_all_finite="allow-nan" if nan else True,
        )
        return X, np.isnan(X) if nan else X == X.dtype.type(self.missing_values)

    def impute(self, X, n_imputations=5, random_state=None):
        """Return `X` filled several times, with the spread of what may be in its gaps.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.
        n_imputations : int, default=5
            How often to fill each row.
        random_state : int, RandomState instance or None, default=None
            Source of the draws; None gives others in each call.

        Returns
        -------
        filled : ndarray of shape (n_imputations, n_samples, n_features_out)
            The rows, each time as `transform` returns them, but with draws in the gaps.

        Raises
        ------
        TypeError
            If `autoencoder` is not variational: it has no distribution to draw from.
        ValueError
            If `X` or `n_imputations` is not acceptable.
        """
        check_is_fitted(self)
        check_count(n_imputations, "n_imputations")
        filler = self.autoencoder if self.autoencoder_ is None else self.autoencoder_
        if not hasattr(filler, "sample_gaps"):
            raise TypeError(
                "impute needs autoencoder to be a VariationalAutoencoder, got "
                f"{filler!r}."
            )
        X, gaps = self._validate(X)
        scaled = self._scaled(X, gaps)
        if self.autoencoder_ is None:  # no column has a value
            return np.stack([self._filled(X, gaps, scaled)] * n_imputations)
        drawn = self.autoencoder_.sample_gaps(scaled, n_imputations, random_state)
        return np.stack([self._filled(X, gaps, restored) for restored in drawn])

    def transform(self, X):
        """Return `X` with its gaps filled.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features_out)
            The rows without gaps, in their floating type.
        """
        check_is_fitted(self)
        X, gaps = self._validate(X)
        scaled = self._scaled(X, gaps)
        if gaps.any() and self.autoencoder_ is not None:
            scaled = self.autoencoder_.reconstruct(scaled)
        return self._filled(X, gaps, scaled)

    def _filled(self, X, gaps, restored):
        """Return `X` with what was `restored`, in scaled columns, in its gaps."""
        filled, kept = X.copy(), ~self._empty
        restored = restored * self.scale_[kept] + self.mean_[kept]
        low, high = (bound[kept] for bound in self._range)
        restored = np.clip(restored, low, high)
        filled[:, kept] = np.where(gaps[:, kept], restored, X[:, kept])
        filled[:, self._empty] = 0.0
        if not self.keep_empty_features:
            filled = filled[:, ~self._empty]
        if self.indicator_ is not None:
            shown = self.indicator_.transform(np.where(gaps, np.nan, X))
            filled = np.hstack([filled, shown.astype(filled.dtype)])
        return filled

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of `X`; None is those of `fit`.

        Returns
        -------
        names : ndarray of str of shape (n_features_out,)
            Names of the columns that are kept, and of the indicator's.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        kept = names if self.keep_empty_features else names[~self._empty]
        if self.indicator_ is None:
            return kept
        return np.concatenate([kept, self.indicator_.get_feature_names_out(names)])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        missing = self.missing_values  # which nothing has checked yet
        tags.input_tags.allow_nan = isinstance(missing, Real) and bool(
            np.isnan(missing)
        )
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
