"""A linear head on codes, and class probabilities for the rows without a label."""

from warnings import catch_warnings, simplefilter

import numpy as np
import torch
from scipy import sparse
from scipy.special import softmax
from torch.nn import functional as F

from skae._threads import limited_blas

# What cross-validation chooses from: inverse strengths of the head's penalty,
STRENGTHS = np.logspace(-4, 4, 9)
# shares of a row's probabilities that come from its neighbours, and powers of them.
SHARES = (0.5, 0.8, 0.9)
POWERS = (1.0, 2.0, 4.0)
N_NEIGHBOURS = 10
N_STEPS = 20


def is_label(y):
    """Return which of `y` are labels: all but -1, unless 1 is the only other one."""
    every = np.ones(len(y), dtype=bool)
    texts = {k for k in y if isinstance(k, str)}
    if "-1" in texts and texts != {"-1", "1"}:
        raise ValueError(
            "y has strings, and '-1' is one of them. If it marks rows without a label, "
            "give an object array with the integer -1: y = y.astype(object); "
            "y[y == '-1'] = -1. If it is a class, rename it."
        )
    if y.dtype.kind in "US":
        return every
    is_one = np.array([not isinstance(k, str) and k == 1 for k in y])
    found = np.array([isinstance(k, str) or k != -1 for k in y])
    return every if found.any() and is_one[found].all() else found


def soft_cross_entropy(output, target):
    r"""Return :math:`-\sum_k t_{ik} \log p_{ik}`, of shape (n_samples, 1)."""
    logarithms = F.log_softmax(output.logits, dim=1)
    return -(target * logarithms).sum(dim=1, keepdim=True)


class Labels:
    """The codes of rows, and what is known of their classes.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_components)
        The codes.
    index : ndarray of int of shape (n_labelled,)
        Which rows have a label.
    y : ndarray of int of shape (n_labelled,)
        Their classes, counted from 0.
    weights : ndarray of shape (n_classes,)
        Weights of the classes.
    folds : list of (ndarray, ndarray)
        Which labels to learn from, and which to judge by.

    Attributes
    ----------
    strength : float
        Inverse strength of the head's penalty.
    share : float
        Share of a row's probabilities that comes from its neighbours.
    power : float
        What these are then raised to.
    """

    def __init__(self, codes, index, y, weights, folds):
        self.codes, self.index, self.y, self.weights = codes, index, y, weights
        self.strength, self.share, self.power = 1.0, 0.0, 1.0
        is_partial = len(index) < len(codes)
        self.graph = neighbours(codes) if is_partial else None
        if folds:
            losses = [self._loss_of_head(folds, strength) for strength in STRENGTHS]
            self.strength = STRENGTHS[np.argmin(losses)]
        if folds and is_partial:
            losses = self._losses_of_spread(folds)
            self.share, self.power = min(losses, key=losses.get)

    def head(self, known, strength=None):
        """Return slopes and intercepts, fitted to the labels at `known`."""
        # Here, for it brings much of scikit-learn along.
        from sklearn.linear_model import LogisticRegression

        y = self.y[known]
        model = LogisticRegression(C=strength or self.strength, max_iter=300)
        codes = self.codes[self.index[known]]
        with catch_warnings(), limited_blas(codes.size * len(self.weights)):
            simplefilter("ignore")  # those not converged are beaten by others
            model.fit(codes, y, self.weights[y])
        slopes, intercepts = model.coef_, model.intercept_
        if len(slopes) == 1:
            halves = np.array([[-0.5], [0.5]])
            slopes, intercepts = halves * slopes, (halves * intercepts)[:, 0]
        return slopes, intercepts

    def probabilities(self, head, rows=slice(None)):
        """Return class probabilities by a linear head."""
        slopes, intercepts = head
        return softmax(self.codes[rows] @ slopes.T + intercepts, axis=1)

    def spread(self, head, known, share, power):
        r"""Return class probabilities that agree with those of neighbours.

        .. math:: P \leftarrow \lambda S P + (1 - \lambda) P_0

        with the head's probabilities and the labels at `known` in :math:`P_0`, and the
        graph :math:`S`.
        """
        start = self.probabilities(head)
        start[self.index[known]] = np.eye(start.shape[1])[self.y[known]]
        found = start
        for _ in range(N_STEPS if share else 0):
            found = share * (self.graph @ found) + (1 - share) * start
        found = found**power
        return found / found.sum(axis=1, keepdims=True)

    def targets(self, head, known):
        """Return what to train on: known labels, and for other rows probabilities."""
        found = self.spread(head, known, self.share, self.power)
        found[self.index] = np.eye(found.shape[1])[self.y]
        return found * self.weights

    def _loss(self, probabilities, known):
        y = self.y[known]
        found = probabilities[np.arange(len(y)), y].clip(1e-12)
        return -float(self.weights[y] @ np.log(found))

    def _loss_of_head(self, folds, strength):
        return sum(
            self._loss(
                self.probabilities(self.head(train, strength), self.index[test]), test
            )
            for train, test in folds
        )

    def _losses_of_spread(self, folds):
        heads = [self.head(train) for train, _ in folds]
        choices = [(0.0, 1.0), *((s, p) for s in SHARES for p in POWERS)]
        return {
            choice: sum(
                self._loss(self.spread(head, train, *choice)[self.index[test]], test)
                for head, (train, test) in zip(heads, folds, strict=True)
            )
            for choice in choices
        }


def neighbours(codes):
    r"""Return the graph :math:`D^{-1/2} A D^{-1/2}` of near codes [1]_.

    :math:`A` has ones where either of two codes is among the other's 10 nearest.

    References
    ----------
    .. [1] D. Zhou, O. Bousquet, T. N. Lal, J. Weston and B. Schölkopf, "Learning with
       local and global consistency", NIPS 2003.
    """
    from sklearn.neighbors import kneighbors_graph

    near = kneighbors_graph(codes, min(N_NEIGHBOURS, len(codes) - 1))
    near = sparse.csr_array(near.maximum(near.T))
    roots = np.ravel(near.sum(axis=1)) ** -0.5
    near.data *= np.repeat(roots, np.diff(near.indptr)) * roots[near.indices]
    return near


def stratified_folds(y, n_folds, generator):
    """Return which labels to learn from, and which to judge by, for each fold.

    No class is missing among the former; a class with one row is never among the
    latter.
    """
    order = torch.randperm(len(y), generator=generator).numpy()
    fold = np.full(len(y), -1)
    for k in np.unique(y):
        rows = order[y[order] == k]
        if len(rows) > 1:
            # Else the first folds would get all rows of rare classes.
            fold[rows] = (np.arange(len(rows)) + k) % n_folds
    found = [f for f in range(n_folds) if (fold == f).any()]
    return [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in found]
