"""Images as rows of pixels."""

import numpy as np
from scipy import sparse

# The types of pixels that are scaled, and what is 1.
WHITE = {np.dtype(bool): 1, np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


class Pixels:
    """Rows of pixels in [0, 1], made from small integers a block at a time.

    Parameters
    ----------
    integers : ndarray of shape (n_samples, n_features)
        Pixels in a type of `WHITE`.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, integers):
        self.integers, self.shape = integers, integers.shape

    def __getitem__(self, rows):
        block = self.integers[rows].astype(self.dtype)
        block /= WHITE[self.integers.dtype.newbyteorder("=")]
        return block


def flattened(X, expected=None, name="X"):
    """Return `X` as rows of pixels, and the shape of its images, or None for rows.

    Images that look like channels first are refused, unless they are as `expected`.
    """
    if sparse.issparse(X) or hasattr(X, "columns"):
        return _in_unit_interval(X), None
    try:
        images = np.asarray(X)
    except ValueError as error:
        raise ValueError(_differing(X, name)) from error
    if images.dtype == object and images.ndim == 1 and np.ndim(images[0]) > 1:
        raise ValueError(_differing(X, name))
    if images.ndim > 4:
        raise ValueError(
            f"{name} must be rows, or images of shape (n_samples, height, width) or "
            f"(n_samples, height, width, channels), got shape {images.shape}."
        )
    if images.ndim < 3:
        return images, None
    shape = images.shape[1:]
    if not len(images):
        raise ValueError(
            f"{name} must have one image at least, got shape {images.shape}."
        )
    channels_first = (
        len(shape) == 3
        and shape[0] in (1, 3, 4)
        and min(shape[1:]) > 4
        and max(shape[1:]) <= 2 * min(shape[1:])
    )
    if channels_first and (expected is None or shape != tuple(np.ravel(expected))):
        raise ValueError(
            f"{name} must be images of shape (n_samples, height, width, channels), "
            f"got {images.shape}, which looks like channels first."
        )
    return images.reshape(len(images), -1), shape


def _in_unit_interval(X):
    """Return a table or sparse matrix divided by what is 1 in its one integer type."""
    dtypes = X.dtypes if hasattr(X, "dtypes") else [getattr(X, "dtype", None)]
    types = {_name(dtype) for dtype in dtypes}
    white = {str(dtype): white for dtype, white in WHITE.items() if white > 1}
    return X / white[types.pop()] if len(types) == 1 and types <= set(white) else X


def _name(dtype):
    """Return the name that NumPy has for a type, also of pandas or Polars."""
    kind = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
    if isinstance(kind, np.dtype):
        return kind.newbyteorder("=").name
    return str(kind).lower()


def _differing(X, name):
    shapes = sorted({np.shape(image) for image in X})
    return f"{name} must be images of one shape, got shapes {shapes[:5]}."


def as_rows(X, expected=None, name="X"):
    """Return what `flattened` does, with small integers as floats in [0, 1]."""
    rows, shape = flattened(X, expected, name)
    return (Pixels(rows)[:] if is_integers(rows) else rows), shape


def is_integers(rows):
    """Return whether `rows` are an array of a type in `WHITE`."""
    return isinstance(rows, np.ndarray) and rows.dtype.newbyteorder("=") in WHITE
