"""Rows of the training data, known again among others."""

import numpy as np

# Of a standard deviation: more than rounding moves a row, as to float32 and back.
NEAR = 1e-6
N_PROJECTIONS = 8


class KnownRows:
    """The distinct rows of a matrix, each told from others by random projections.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    center, scale : ndarray of shape (n_features,)
        What makes columns of different units comparable.

    Attributes
    ----------
    first : ndarray of shape (n_samples,)
        For each row of `X`, the smallest index of a row that it equals.
    """

    def __init__(self, X, center, scale):
        self.center, self.scale = center, scale
        marks = self._marks(X)
        distinct, equal = [], np.arange(len(X))
        for i in np.lexsort(marks.T[::-1]):
            for j in reversed(distinct):
                if marks[i, 0] - marks[j, 0] > NEAR:
                    distinct.append(i)
                    break
                if np.abs(marks[i] - marks[j]).max() <= NEAR:
                    equal[i] = j
                    break
            else:
                distinct.append(i)
        # Of copies, rounding says which was met first: the smallest index does not.
        first = np.arange(len(X))
        np.minimum.at(first, equal, np.arange(len(X)))
        self.first = first[equal]
        self.index, self.marks = first[distinct], marks[distinct]

    def _marks(self, X):
        directions = np.random.RandomState(0).normal(size=(X.shape[1], N_PROJECTIONS))
        directions /= np.linalg.norm(directions, axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            return ((X - self.center) / self.scale) @ directions

    def find(self, X):
        """Return for each row of `X` the entry of `first` it would have, or -1."""
        marks, found = self._marks(X), np.full(len(X), -1)
        low = np.searchsorted(self.marks[:, 0], marks[:, 0] - NEAR)
        high = np.searchsorted(self.marks[:, 0], marks[:, 0] + NEAR, side="right")
        for step in range(int((high - low).max(initial=0))):
            rows = np.flatnonzero(low + step < high)
            near = (
                np.abs(self.marks[low[rows] + step] - marks[rows]).max(axis=1) <= NEAR
            )
            found[rows[near]] = self.index[low[rows[near]] + step]
        return found
