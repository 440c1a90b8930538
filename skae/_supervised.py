"""What supervised estimators share: an autoencoder that is built on, not changed."""

import warnings
from copy import deepcopy

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skae._base import BaseAutoencoder
from skae._checks import validated
from skae._linear import LinearAutoencoder
from skae._pixels import as_rows
from skae._rows import location_and_scale

FLOATS = [np.float64, np.float32]


class SupervisedBase(BaseEstimator):
    """Base of estimators that train the encoder of a copy of `autoencoder`.

    The copy is `_engine`, with a net that predicts. It gets rows as it would by its own
    `fit`, scaled by its `mean_` and `scale_`.
    """

    def _engine_for(self, default):
        """Return a copy of the autoencoder, with what it has learnt if it is fitted."""
        given = self.autoencoder
        given = given.estimator if isinstance(given, FrozenEstimator) else given
        given = default if given is None else given
        if not isinstance(given, BaseAutoencoder) or isinstance(
            given, LinearAutoencoder
        ):
            raise ValueError(
                "autoencoder must be None or an autoencoder of this package other than "
                f"LinearAutoencoder, got {given!r}."
            )
        engine = deepcopy(given) if hasattr(given, "net_") else clone(given)
        engine._validate_params()
        engine.set_params(warm_start=False).set_output(transform="default")
        if engine.random_state is None:
            engine.set_params(random_state=self.random_state)
        return engine

    def _validate(self, X):
        check_is_fitted(self)
        X, shape = as_given(X, self._engine, self._input_shape)
        known = self._input_shape or getattr(self._engine, "image_shape_", None)
        if shape is not None and shape != known:
            raise ValueError(
                f"X has images of shape {shape}, but {type(self).__name__} was fitted "
                f"to {'rows' if known is None else f'images of shape {known}'}."
            )
        return validated(self, X, reset=False, accept_sparse="csr", dtype=FLOATS)

    def _rows_and_net(self, engine, X, rows_of):
        """Return rows, and the net of the autoencoder that training starts at.

        The rows are ``rows_of(X, mean, scale, dtype, device)``.
        """
        fitted = hasattr(engine, "net_")
        both = [getattr(e, "feature_names_in_", None) for e in (self, engine)]
        if fitted and not any(names is None for names in both):
            if list(both[0]) != list(both[1]):
                raise ValueError(
                    "autoencoder was fitted to other columns, or in another order: "
                    f"{list(both[1])}, got {list(both[0])}."
                )
        vars(engine).pop("feature_names_in_", None)  # it gets arrays from here on
        look_at(engine, X, self._input_shape, reset=not fitted)
        if not fitted:
            engine.mean_, engine.scale_ = location_and_scale(X)
        place = engine._dtype, engine._device()
        rows = rows_of(X, engine.mean_, engine.scale_, *place)
        if fitted:
            return rows, engine.net_
        engine._begin_gaps(rows)
        engine._learn_gaps(rows)
        net = quietly(engine._new_net, rows)
        engine._initialize(net.module, rows, net.generator)
        return rows, net

    def _net_of(self, engine, network, net, rows, loss):
        """Return a net that trains `network` as `engine` would train its own."""
        if hasattr(engine, "kl_warmup"):
            engine.set_params(kl_warmup=0)  # there is no divergence
        net = engine._make_net(network, net.generator)
        net.criterion.loss, net.criterion.over_features = loss, "mean"
        net.corruption = engine._make_corruption(rows)
        engine._set_budget(net, len(rows))
        net.loss_unit = 1.0
        return net

    def _keep(self, engine, net, choice):
        engine.net_, self._engine = net, engine
        self.loss_curve_ = net.epoch_losses
        self.n_iter_ = len(self.loss_curve_)
        self.gain_ = None
        if choice is not None:
            self.gain_ = (choice.start - choice.loss) / (choice.start or 1.0)

    @property
    def net_(self):
        """The skorch net that predicts."""
        return self._engine.net_

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_engine")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def as_given(A, engine=None, expected=None, name="X"):
    """Return images as rows of pixels and their shape, and else `A` and None.

    Where `engine` takes images, rows of small integers are pixels too; where a shape
    is `expected`, if they have as many pixels. Without an engine rows stay as they are.
    Images of the `expected` shape, or of the engine's, are taken however they look.
    """
    rows, shape = as_rows(A, expected or getattr(engine, "image_shape", None), name)
    are_pixels = hasattr(engine, "image_shape")
    if engine is not None and expected is not None:
        n_columns = np.shape(A)[1] if np.ndim(A) > 1 else 1
        are_pixels = n_columns % np.prod(expected[:2]) == 0
    return (rows, shape) if shape is not None or are_pixels else (A, None)


def look_at(engine, X, shape, reset):
    """Let `engine` see rows, or images, if it takes some and `shape` says so."""
    engine._validate(as_seen(engine, X, shape), reset=reset)


def as_seen(engine, X, shape):
    """Return the rows `X` as images, if `engine` takes some and `shape` says so."""
    is_image = shape is not None and hasattr(engine, "image_shape")
    return X.reshape(-1, *shape) if is_image else X


def quietly(function, *args):
    """Call `function` without what an autoencoder would warn of by itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_components=.* is not below")
        warnings.filterwarnings("ignore", "Rows kept out of training give no")
        return function(*args)
