"""The classifier on an autoencoder's code, which starts at logistic regression."""

from dataclasses import KW_ONLY, dataclass
from functools import partial

import numpy as np
import torch
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from skae._autoencoder import Autoencoder
from skae._base import fitting
from skae._checks import is_missing, validated
from skae._labels import Labels, is_label, soft_cross_entropy, stratified_folds
from skae._rows import TargetRows, blocks
from skae._selection import FOLDS_BELOW, LIKELY, N_FOLDS, fit_and_choose
from skae._supervised import FLOATS, SupervisedBase, as_given, as_seen, quietly
from skae._threads import limited_threads
from skae.supervised import HeadNetwork

# Rows to see in training where most have no label: their targets are guesses.
ENOUGH = 6400


@dataclass(eq=False, repr=False)
class AutoencoderClassifier(ClassifierMixin, SupervisedBase):
    r"""Classifier on an autoencoder's code, for rows of which few have a label.

    The autoencoder learns a code :math:`z = f(x)` from all rows. A linear layer on the
    code starts at logistic regression, fitted to the rows with a label. Then layer and
    encoder are trained together to minimise the cross-entropy

    .. math:: -\frac1n \sum_{i=1}^n \sum_k w_k\, t_{ik} \log p_{ik}, \qquad
              p_i = \operatorname{softmax}(V f(x_i) + b)

    with class weights :math:`w_k`. For a row with a label, :math:`t_i` is that. For
    one without, it is what logistic regression says, made to agree with near codes
    [1]_ by 20 steps of

    .. math:: P \leftarrow \lambda S P + (1 - \lambda) P_0

    after which the entries of :math:`P` are raised to a power and scaled to sum to 1 in
    each row. In :math:`P_0` are logistic regression and the labels, and :math:`S` is
    the normalised graph of each code's 10 nearest. So labels count for the cluster that
    they are in, where there are such; :math:`\lambda`, which may be zero, the power,
    and the strength of logistic regression's penalty are those that do best in
    cross-validation over the labels. And logistic regression is only left if labels
    kept out of training gain by it by more than a standard error.

    Rows with -1 in `y` have no label, as in `sklearn.semi_supervised`; beside strings
    it is the integer in an array of objects. Where the only other label is 1, it is a
    class. `score` takes it for one too: give it rows with labels alone.

    `X` is rows, or images for a convolutional autoencoder, as in
    `AutoencoderRegressor`. Scale columns that have different units.

    Parameters
    ----------
    autoencoder : autoencoder or None, default=None
        Says the layers, the size of the code and how to train. Its corruption is
        applied to `X` in both trainings, its loss and penalties only in the first. A
        copy is trained. If it is fitted, the copy is only fine-tuned; put it into a
        `sklearn.frozen.FrozenEstimator` where a search or a pipeline is to clone it.
        None is ``Autoencoder(32)``. Where rows have no label, ``max_iter='auto'``
        means 10 epochs of fine-tuning, or as many as show 6400 rows.
    pretrain : bool, default=True
        Whether to fit the autoencoder first, if it is not fitted. Else the encoder
        starts where the autoencoder would: at PCA, by default.
    class_weight : dict, 'balanced' or None, default=None
        Weight of each class. 'balanced' weighs them inversely to the numbers of
        their labels. None gives all the same.
    random_state : int, RandomState instance or None, default=None
        Source of randomness where the `random_state` of `autoencoder` is None. The
        global random state is never touched.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    C_ : float
        Inverse strength of the penalty of logistic regression.
    share_ : float
        The share :math:`\lambda` that comes from near codes; 0 where all rows have
        labels.
    gain_ : float or None
        Share of the cross-entropy of logistic regression, on labels kept out of
        training, that fine-tuning takes away; 0 where that was not done. None where
        no labels are kept out.
    net_ : AutoencoderNet
        The skorch net. Its ``module_`` is the PyTorch network.
    n_iter_ : int
        Number of epochs of fine-tuning run.
    loss_curve_ : list of float
        Cross-entropy in fine-tuning, an entry an epoch.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`. Only where all of them are strings.

    See Also
    --------
    AutoencoderRegressor : Numbers instead of classes.
    sklearn.semi_supervised.SelfTrainingClassifier : For any classifier.

    References
    ----------
    .. [1] D. Zhou, O. Bousquet, T. N. Lal, J. Weston and B. Schölkopf, "Learning with
       local and global consistency", NIPS 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import Autoencoder, AutoencoderClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> few = np.where(np.arange(1200) < 50, y[:1200], -1)
    >>> autoencoder = Autoencoder(16, max_iter=20)
    >>> model = AutoencoderClassifier(autoencoder, random_state=0).fit(X[:1200], few)
    >>> model.score(X[1200:], y[1200:]) > 0.8
    True
    """

    autoencoder: object = None
    _: KW_ONLY
    pretrain: bool = True
    class_weight: dict | str | None = None
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints = {
        "autoencoder": "no_validation",
        "pretrain": ["boolean"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Fit the autoencoder and the linear layer, and then both together.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or images
            All rows.
        y : array-like of shape (n_samples,)
            Their labels, or -1. An array of objects may hold strings, and beside -1
            also integers or truth values.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the input is not acceptable, if there are not labels of
            two classes, if an array of strings has "-1" beside others than "1", or if
            the loss stops being finite. The estimator is then as it was before.
        """
        with fitting(self):
            engine = self._engine_for(Autoencoder(32))
            X, y, known = self._validate_labelled(X, y, engine)
            if self.pretrain and not hasattr(engine, "net_"):
                quietly(engine.fit, as_seen(engine, X, self._input_shape))
            n_classes = len(self.classes_)
            rows_of = partial(TargetRows, n_outputs=n_classes)
            rows, net = self._rows_and_net(engine, X, rows_of)
            encoder = type(net.module), net.module.config
            network = HeadNetwork(encoder, n_classes).to(rows.dtype)
            network.start_at(net.module, rows, net.generator)
            if len(y) < len(rows) and engine.max_iter == "auto":
                engine.set_params(max_iter=max(10, -(-ENOUGH // len(rows))))
            net = self._net_of(engine, network, net, rows, soft_cross_entropy)
            with limited_threads(net.module, net.batch_size):
                choice = self._train(engine, net, rows, y, known)
            self._keep(engine, net, choice)
        return self

    def _validate_labelled(self, X, y, engine):
        X, self._input_shape = as_given(X, engine)
        values = () if y is None or sparse.issparse(y) else np.ravel(np.asarray(y))
        if any(map(is_missing, values)):
            raise ValueError("y has missing values. Mark rows without a label by -1.")
        X, y = validated(self, X, y, accept_sparse="csr", dtype=FLOATS)
        known = np.flatnonzero(is_label(y))
        if not len(known):
            raise ValueError(
                "y has no label: all are -1, which marks rows without one. Label "
                "some rows of each class."
            )
        labels = y[known]
        # Beside -1, an array of objects may hold integers or truth values.
        mixed = y.dtype == object and len(known) < len(y)
        if mixed and not any(isinstance(k, str) for k in labels):
            plain = np.array(labels.tolist())
            labels = plain if plain.ndim == 1 else labels
        check_classification_targets(labels)
        self.classes_, y = np.unique(labels, return_inverse=True)
        if len(self.classes_) == 1:
            raise ValueError(
                f"y has labels of 1 class, {self.classes_.tolist()[0]!r}: 2 at least "
                "are needed."
            )
        weights = compute_class_weight(
            self.class_weight, classes=self.classes_, y=labels
        )
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise ValueError(
                f"class_weight must be in [0, inf), got {self.class_weight!r}."
            )
        if not weights[y].any():
            raise ValueError(
                f"class_weight leaves no label any weight, got {self.class_weight!r}."
            )
        self._weights = weights / weights[y].mean()
        return X, y, known

    def _train(self, engine, net, rows, y, known):
        n_folds, n_used = N_FOLDS, None
        if len(y) >= FOLDS_BELOW:
            n_folds, n_used = max(2, round(1 / engine.validation_fraction)), 1
        folds = stratified_folds(y, n_folds, net.generator)[:n_used]
        labels = Labels(_codes(net.module, rows), known, y, self._weights, folds)
        self.C_, self.share_ = float(labels.strength), labels.share

        def begin(part):
            used = np.arange(len(y))
            if part.index is not None:
                used = used[np.isin(known, part.index.numpy())]
            head = labels.head(used)
            targets = labels.targets(head, used)
            rows.targets[:] = torch.from_numpy(targets).to(rows.targets)
            net.module.set_head(*head)

        parts = [_without(rows, known[test]) for _, test in folds]
        parts = parts if engine.early_stopping else [(rows, None)]
        if parts:
            engine._set_patience(net, parts, cautious=True)
            return fit_and_choose(net, rows, parts, LIKELY, begin=begin)[0]
        # One label a class: there is none to judge by.
        begin(rows)
        net.initialize()
        net.module_.eval()

    def _logits(self, X):
        X = self._validate(X)
        width = len(self.classes_)
        return self._engine._apply(lambda network, x: network(x).logits, X, width)

    def decision_function(self, X):
        """Return the logits of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or images
            Rows to classify.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The logits, in the order of `classes_`; for two classes the second's
            less the first's.
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X):
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or images
            Rows to classify.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
            The probabilities, in the order of `classes_`.
        """
        return softmax(self._logits(X), axis=1)

    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or images
            Rows to classify.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes)
            The logarithms, in the order of `classes_`; finite where the probabilities
            round to 0.
        """
        return log_softmax(self._logits(X), axis=1)

    def predict(self, X):
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or images
            Rows to classify.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The classes.
        """
        best = self._logits(X).argmax(axis=1)
        return self.classes_[best]


def _without(rows, left_out):
    rest = np.setdiff1d(np.arange(len(rows)), left_out)
    return tuple(rows.subset(torch.from_numpy(part)) for part in (rest, left_out))


@torch.no_grad()
def _codes(network, rows):
    """Return the codes as the head gets them, in double precision."""
    scale = network.code_scale
    shown = (rows.take(block).to(scale) for block in blocks(*rows.shape))
    codes = torch.cat([network.encode(x) for x in shown]) / scale
    return codes.double().numpy()
