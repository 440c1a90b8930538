"""The encoder-decoder for pairs, which starts at ridge regression."""

import warnings
from dataclasses import KW_ONLY, dataclass
from functools import partial

import numpy as np
from sklearn.base import RegressorMixin, _fit_context, clone
from sklearn.metrics import r2_score
from sklearn.utils import check_array

from skae._autoencoder import Autoencoder
from skae._base import fitting
from skae._checks import validated
from skae._pixels import as_rows
from skae._ridge import PairRows, ridge_regression
from skae._rows import as_float, blocks
from skae._selection import SURE, fit_and_choose
from skae._supervised import FLOATS, SupervisedBase, as_given, look_at, quietly
from skae._threads import limited_threads
from skae.losses import squared_error
from skae.supervised import PairNetwork, SkipNetwork


@dataclass(eq=False, repr=False)
class AutoencoderRegressor(RegressorMixin, SupervisedBase):
    r"""Encoder-decoder for pairs, which starts at ridge regression.

    It predicts one array from another: clean images from damaged ones, in colour from
    grey ones, large from small ones, or any columns from others. It learns an affine
    map and, beside it, an encoder :math:`f` and a decoder :math:`g`, by

    .. math:: \min_{W, b}\ \lVert Y - X W - b\rVert_F^2 + \alpha\lVert W\rVert_F^2,
              \qquad
              \min_{f,g}\ \lVert Y - X W - b - g(f(X))\rVert_F^2

    one after the other. The penalty :math:`\alpha` is that of generalised
    cross-validation [1]_. The decoder starts at zero, so that the prediction starts at
    ridge regression, and leaves it only for what rows kept out of training gain by.

    Where the autoencoder is convolutional, the decoder is handed the encoder's maps
    beside the code [2]_: the code is too small to say where each line of a picture is.

    `X` and `y` are rows, or images of shape (n_samples, height, width) or (n_samples,
    height, width, channels). They may have different sizes. Images of unsigned
    integers of 8 or 16 bits are divided by the largest number that their type can hold;
    what is predicted is in that unit, and may be a little beyond 0 and 1. As with the
    autoencoders, columns count by their variance: scale those of `X`, and of `y`, that
    have different units.

    Parameters
    ----------
    autoencoder : autoencoder or None, default=None
        Says the layers, the size of the code and how to train. Its corruption is
        applied to `X` in training; its loss and its penalties, of `alpha` too, play no
        part. A copy is trained. If it is fitted, its encoder is where the copy starts,
        so it may have learnt from rows of which no `y` is known; put it into a
        `sklearn.frozen.FrozenEstimator` where a search or a pipeline is to clone it.
        None is ``Autoencoder(32)``.
    skip_connections : bool, default=True
        Whether a convolutional decoder is handed the encoder's maps. Those with
        ``unpooling='indices'`` are handed the positions of its pooling instead.
    random_state : int, RandomState instance or None, default=None
        Source of randomness where the `random_state` of `autoencoder` is None. The
        global random state is never touched.

    Attributes
    ----------
    alpha_ : float
        The penalty of ridge regression, as in `sklearn.linear_model.Ridge`.
    gain_ : float or None
        Share of ridge regression's squared error on the rows kept out of training that
        the network takes away; 0 where the prediction is ridge regression. None
        where no rows are kept out.
    net_ : AutoencoderNet
        The skorch net. Its ``module_`` is the PyTorch network.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Mean squared error in training, an entry an epoch; ridge regression's is 1.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`. Only where all of them are strings.

    See Also
    --------
    AutoencoderClassifier : Classes instead of numbers.
    ConvolutionalAutoencoder : An autoencoder of images.
    sklearn.linear_model.RidgeCV : Where this one starts.

    Notes
    -----
    Ridge regression needs the principal axes of `X`. Where it has more than 2048
    rows and columns, it is confined to the first 256 of them.

    References
    ----------
    .. [1] G. H. Golub, M. Heath and G. Wahba, "Generalized cross-validation as a method
       for choosing a good ridge parameter", Technometrics 21(2), 1979.
    .. [2] O. Ronneberger, P. Fischer and T. Brox, "U-Net: convolutional networks for
       biomedical image segmentation", MICCAI 2015, arXiv:1505.04597.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderRegressor, ConvolutionalAutoencoder
    >>> images = load_digits().images
    >>> noisy = images + np.random.default_rng(0).normal(scale=4, size=images.shape)
    >>> autoencoder = ConvolutionalAutoencoder(16, channels=(8, 16), max_iter=10)
    >>> model = AutoencoderRegressor(autoencoder, random_state=0)
    >>> model.fit(noisy[:1200], images[:1200]).predict(noisy[1200:]).shape
    (597, 8, 8)
    >>> model.gain_ > 0.05
    True
    """

    autoencoder: object = None
    _: KW_ONLY
    skip_connections: bool = True
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints = {
        "autoencoder": "no_validation",
        "skip_connections": ["boolean"],
        "random_state": ["random_state"],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Fit ridge regression, and the encoder-decoder to what it leaves.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or images
            What to predict from.
        y : array-like of shape (n_samples,), (n_samples, n_outputs) or images
            What to predict.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is not acceptable, or if the loss stops being
            finite. The estimator is then as it was before.
        """
        with fitting(self):
            engine = self._engine_for(Autoencoder(32))
            X, Y = self._validate_pairs(X, y, engine)
            rows, net = self._rows_and_net(engine, X, partial(PairRows, Y=Y))
            network = self._make_network(engine, net.module, Y)
            network.to(rows.dtype).start_at(net.module, rows, net.generator)
            net = self._net_of(engine, network, net, rows, squared_error)
            with limited_threads(net.module, net.batch_size):
                choice = self._train(engine, net, rows)
            self._keep(engine, net, choice)
            self.alpha_ = self._ridge.alpha * engine.scale_**2
        return self

    def _validate_pairs(self, X, y, engine):
        X, self._input_shape = as_given(X, engine)
        y, shape = as_given(y, expected=self._input_shape, name="y")
        X, y = validated(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=FLOATS,
            multi_output=True,
            y_numeric=True,
        )
        y = check_array(y, dtype=FLOATS, ensure_2d=False, input_name="y")
        with np.errstate(over="ignore"):
            if not np.isfinite(y.var(dtype=np.float64)):
                raise ValueError(
                    f"y has values too large to be squared: up to {np.abs(y).max():g}."
                )
        self._gives_images = shape is not None
        self._output_shape = shape or y.shape[1:]
        return X, y.reshape(len(y), -1)

    def _make_network(self, engine, whole, Y):
        """Return a network from the code of the network `whole` to `Y`."""
        encoder = type(whole), whole.config
        output = self._output_engine(engine, Y)
        size = getattr(output, "image_shape_", ())
        if getattr(engine, "unpooling", None) == "indices":
            if size[:2] != engine.image_shape_[:2]:
                raise ValueError(
                    "unpooling='indices' needs y to have images of the size of those "
                    f"in X, got {size[:2]} and {engine.image_shape_[:2]}."
                )
        elif self.skip_connections and size:
            return SkipNetwork(encoder, (*size, 1)[:3])
        n_components = whole.config["n_components"]
        decoder = quietly(output._make_network, Y.shape[1], n_components)
        return PairNetwork(encoder, (type(decoder), decoder.config))

    def _output_engine(self, engine, Y):
        """Return an autoencoder of `Y` like `engine`, but without a linear path."""
        output = clone(engine)
        shape = self._output_shape if self._gives_images else None
        own = {"init": "random", "tied_weights": False, "image_shape": shape}
        if not self._gives_images and hasattr(engine, "image_shape_"):
            pixels = engine.image_shape_[0] * engine.image_shape_[1]
            if Y.shape[1] % pixels == 0:
                own["image_shape"] = (*engine.image_shape_[:2], Y.shape[1] // pixels)
        known = output.get_params()
        output.set_params(**{name: own[name] for name in own if name in known})
        look_at(output, Y[:1], shape, reset=True)
        return output

    def _train(self, engine, net, rows):
        deviations = []

        def begin(part):
            self._ridge = ridge_regression(part, net.generator)
            rows.leave(self._ridge)
            deviations.append(self._ridge.deviation)
            net.row_unit = (deviations[-1] / deviations[0]) ** 2

        parts = engine._parts(net, rows, None, cautious=True)
        engine._set_patience(net, parts, cautious=True)
        choice, _ = fit_and_choose(net, rows, parts, SURE, begin=begin)
        if choice is not None and choice.epoch == 0:
            warnings.warn(
                "Rows kept out of training give no reason to prefer the network to "
                "ridge regression: the fitted estimator is ridge regression.",
                UserWarning,
                stacklevel=4,
            )
        return choice

    def predict(self, X):
        """Return what is predicted from each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or images
            What to predict from.

        Returns
        -------
        y : ndarray
            The predictions, in the shape that `y` has in `fit` and in the floating type
            of `X`.
        """
        X = self._validate(X)
        engine, ridge = self._engine, self._ridge
        n_outputs = len(ridge.intercept)
        y = engine._apply(lambda network, x: network(x).logits, X, n_outputs)
        y *= ridge.deviation
        for rows in blocks(X.shape[0], max(X.shape[1], n_outputs)):
            x = as_float(X, rows, X.dtype) - engine.mean_.astype(X.dtype)
            y[rows] += ridge(x / engine.scale_)
        return y.reshape(-1, *self._output_shape)

    def score(self, X, y, sample_weight=None):
        """Return the coefficient of determination of the prediction.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or images
            What to predict from.
        y : array-like of shape (n_samples,), (n_samples, n_outputs) or images
            What should be predicted.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            R²; the best is 1. Columns of `y` count alike, as in scikit-learn; pixels
            of images count by their variance.
        """
        prediction = self.predict(X)
        if self._gives_images:
            shape = self._output_shape
            both = prediction, y
            (prediction, _), (y, _) = (as_rows(each, shape, "y") for each in both)
        average = "variance_weighted" if self._gives_images else "uniform_average"
        score = r2_score(
            y, prediction, sample_weight=sample_weight, multioutput=average
        )
        return float(score)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
