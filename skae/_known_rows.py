"""Rows of the training data, known again among others."""

import numpy as np

# How far apart in units of a column's spread rows may be that are taken for one:
# rounding moves a row by less, to single precision too where columns are centred.
NEAR = 1e-6
N_PROJECTIONS = 8


class KnownRows:
    """The distinct rows of a matrix, each told from others by random projections.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.

    Attributes
    ----------
    group : ndarray of shape (n_samples,)
        A number for each row, the same for rows that are copies of each other: the
        smallest index among them.
    """

    def __init__(self, X):
        self._center = np.median(X, axis=0)
        off = np.abs(X - self._center)
        # What outliers do not stretch, or else all other rows would be near.
        unit = [np.median(o[o > 0]) if o.any() else 0 for o in off.T]
        self._unit = np.where(unit, unit, np.abs(self._center))
        self._unit[self._unit < 1e-100] = 1.0
        marks = self._marks(X)
        distinct, copied = [], np.arange(len(X))
        leads, low = marks[:, 0], 0
        for i in np.lexsort(marks.T[::-1]):
            while low < len(distinct) and leads[distinct[low]] < leads[i] - NEAR:
                low += 1
            near = (j for j in distinct[low:] if _are_near(marks[j], marks[i]))
            copied[i] = next(near, i)
            if copied[i] == i:
                distinct.append(i)
        # Of copies, rounding says which was met first: the smallest index does not.
        smallest = np.arange(len(X))
        np.minimum.at(smallest, copied, np.arange(len(X)))
        self.group = smallest[copied]
        self._distinct, self._marks_of = smallest[distinct], marks[distinct]

    def _marks(self, X):
        directions = np.random.RandomState(0).normal(size=(X.shape[1], N_PROJECTIONS))
        directions /= np.linalg.norm(directions, axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.arcsinh((X - self._center) / self._unit) @ directions

    def find(self, X):
        """Return for each row of `X` the number of its group, or -1 for none."""
        marks, found = self._marks(X), np.full(len(X), -1)
        low = np.searchsorted(self._marks_of[:, 0], marks[:, 0] - NEAR)
        high = np.searchsorted(self._marks_of[:, 0], marks[:, 0] + NEAR, side="right")
        for step in range(int((high - low).max(initial=0))):
            rows = np.flatnonzero((low + step < high) & (found < 0))
            others = low[rows] + step
            near = _are_near(self._marks_of[others], marks[rows])
            found[rows[near]] = self._distinct[others[near]]
        return found


def _are_near(marks, others):
    return np.abs(marks - others).max(axis=-1) <= NEAR
