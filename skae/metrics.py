"""How near a reconstruction is to what it stands for: metrics, and scorers of models.

Metrics compare two arrays. Scorers take an estimator that has `transform` and
`inverse_transform`, as PCA, NMF, a `Pipeline` of transformers or an autoencoder, and
rows to reconstruct; give them as `scoring` to `GridSearchCV` or `cross_validate`.
"""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

__all__ = [
    "neg_reconstruction_error_scorer",
    "peak_signal_noise_ratio",
    "reconstruction_r2_scorer",
    "structural_similarity",
]


def peak_signal_noise_ratio(X_true, X_pred, *, data_range=None):
    r"""Return the peak signal-to-noise ratio in decibels; higher is better.

    .. math:: 10 \log_{10} \frac{R^2}{\operatorname{MSE}}, \qquad
              \operatorname{MSE} = \frac{1}{nd}\sum_{i=1}^{n}\sum_{j=1}^{d}
              (x_{ij} - \hat x_{ij})^2

    with `data_range` :math:`R`. One mean squared error is taken of all images; the
    mean of the images' own ratios is larger, unless they are all alike.

    Parameters
    ----------
    X_true : array-like of shape (n_samples, ...)
        The images as they should be, in rows or in any other shape.
    X_pred : array-like of the shape of `X_true`
        The images as they are.
    data_range : float, default=None
        Distance from the least to the largest value that a pixel can have, in
        (0, inf). None is the range of unsigned integers' type, and else 1.

    Returns
    -------
    ratio : float
        The ratio, inf where nothing differs.

    Raises
    ------
    ValueError
        If the shapes differ, a value is not finite, or `data_range` is not positive,
        or None where the values of `X_true` do not tell it or the types differ.

    See Also
    --------
    structural_similarity : Closer to what people see.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import peak_signal_noise_ratio
    >>> X = np.array([[0.0, 0.5], [0.5, 1.0]])
    >>> round(peak_signal_noise_ratio(X, X + 0.1), 6)
    20.0
    """
    X_true, X_pred, data_range = _compared(X_true, X_pred, data_range)
    error = float(np.mean((X_true - X_pred) ** 2))
    return float(10 * np.log10(data_range**2 / error)) if error else np.inf


def structural_similarity(
    X_true, X_pred, *, image_shape=None, data_range=None, win_size=7
):
    r"""Return the mean structural similarity of images; the best is 1.

    For each window of an image and the same one of the other it is [1]_

    .. math:: \frac{(2\mu_x\mu_y + c_1)(2\sigma_{xy} + c_2)}
              {(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)},
              \qquad c_1 = (0.01 R)^2, \quad c_2 = (0.03 R)^2

    with means, variances and the covariance of the windows' pixels and `data_range`
    :math:`R`, in [-1, 1]. It is averaged over windows, channels and images.
    scikit-image computes it.

    Parameters
    ----------
    X_true : array-like of shape (n_samples, height, width), \
            (n_samples, height, width, channels) or (n_samples, n_pixels)
        The images as they should be; rows of pixels need `image_shape`.
    X_pred : array-like of the shape of `X_true`
        The images as they are.
    image_shape : tuple of int, default=None
        Height and width, or height, width and channels, of the images in the rows.
        None takes images as they come.
    data_range : float, default=None
        As in `peak_signal_noise_ratio`.
    win_size : int, default=7
        Side of the windows, odd and at most the shorter side of the images.

    Returns
    -------
    similarity : float
        The mean similarity.

    Raises
    ------
    ImportError, ValueError
        If scikit-image is missing, if the shapes are not those of images, if
        `win_size` does not fit into them, and as `peak_signal_noise_ratio` does.

    See Also
    --------
    peak_signal_noise_ratio : The squared error, in decibels.

    References
    ----------
    .. [1] Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality
       assessment: from error visibility to structural similarity", IEEE Transactions
       on Image Processing 13(4), 2004.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae.metrics import structural_similarity
    >>> X = load_digits().images[:10] / 16
    >>> structural_similarity(X, X)
    1.0
    """
    try:
        from skimage import metrics
    except ImportError as error:
        raise ImportError(
            "structural_similarity needs scikit-image: pip install 'skae[images]'."
        ) from error
    X_true, X_pred, data_range = _compared(X_true, X_pred, data_range)
    X_true, X_pred = (_as_images(X, image_shape) for X in (X_true, X_pred))
    if win_size % 2 == 0 or not 1 < win_size <= min(X_true.shape[1:3]):
        raise ValueError(
            "win_size must be odd, above 1 and at most the shorter side of images of "
            f"shape {X_true.shape[1:]}, got {win_size!r}."
        )
    each = [
        metrics.structural_similarity(
            x, y, win_size=win_size, data_range=data_range, channel_axis=-1
        )
        for x, y in zip(X_true, X_pred, strict=True)
    ]
    return float(np.mean(each))


def reconstruction_r2_scorer(estimator, X, y=None):
    r"""Score an estimator by the variance that its reconstruction of `X` explains.

    .. math:: 1 - \frac{\sum_i \lVert x_i - \hat x_i \rVert^2}
              {\sum_i \lVert x_i - \bar x \rVert^2}

    where the mean :math:`\bar x` is that of the rows of `X`, for an estimator need
    not know another; `Autoencoder.score` takes that of the training rows. Where all
    rows are alike it is 1 for a perfect reconstruction and else 0. A `Pipeline` is
    scored in the units of its input, whatever its steps do to them.

    Parameters
    ----------
    estimator : fitted estimator
        Has `transform` and `inverse_transform`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to reconstruct, or images for an estimator that takes them.
    y : None
        Ignored.

    Returns
    -------
    score : float
        The explained variance; the best is 1, and 0 is no better than the mean.

    Raises
    ------
    TypeError
        If the estimator lacks one of the two methods.
    ValueError
        If the reconstruction has another shape than `X` or is not finite, or if `X`
        is of unsigned integers, which some estimators scale and others do not.

    See Also
    --------
    neg_reconstruction_error_scorer : In the squared unit of the data.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import Pipeline
    >>> from skae import Autoencoder
    >>> from skae.metrics import reconstruction_r2_scorer
    >>> models = [PCA(4), Autoencoder(4, max_iter=20, random_state=0)]
    >>> search = GridSearchCV(Pipeline([("reduce", None)]), {"reduce": models}, cv=2,
    ...                       scoring=reconstruction_r2_scorer)
    >>> search.fit(load_digits().data).best_params_
    {'reduce': Autoencoder(max_iter=20, n_components=4, random_state=0)}
    """
    X, X_hat = _reconstructed(estimator, X)
    residual = float(((X - X_hat) ** 2).sum())
    total = float(((X - X.mean(axis=0)) ** 2).sum())
    rounding = X.size * (8 * np.finfo(np.float64).eps * np.abs(X).max()) ** 2
    return 1 - residual / total if total > rounding else float(residual <= rounding)


def neg_reconstruction_error_scorer(estimator, X, y=None):
    r"""Score an estimator by minus the mean squared error of its reconstruction.

    .. math:: -\frac{1}{nd} \sum_{i=1}^{n} \lVert x_i - \hat x_i \rVert^2

    Parameters
    ----------
    estimator : fitted estimator
        Has `transform` and `inverse_transform`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to reconstruct, or images for an estimator that takes them.
    y : None
        Ignored.

    Returns
    -------
    score : float
        Minus the error, at most 0.

    Raises
    ------
    TypeError, ValueError
        As `reconstruction_r2_scorer`.

    See Also
    --------
    reconstruction_r2_scorer : As a share of the variance.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from skae.metrics import neg_reconstruction_error_scorer
    >>> X, _ = load_iris(return_X_y=True)
    >>> round(neg_reconstruction_error_scorer(PCA(2).fit(X), X), 3)
    -0.025
    """
    X, X_hat = _reconstructed(estimator, X)
    return -float(np.mean((X - X_hat) ** 2))


def _compared(X_true, X_pred, data_range):
    """Return both as float64, and the range of the values."""
    X_true, X_pred = dense(X_true), dense(X_pred)
    if data_range is None:
        data_range = _range(X_true, X_pred.dtype)
    elif not 0 < data_range < np.inf:
        raise ValueError(f"data_range must be in (0, inf), got {data_range!r}.")
    return *_as_floats(X_true, X_pred, "X_true", "X_pred"), float(data_range)


def _range(X, other):
    """Return the range of the values of `X`, if its type or they tell it."""
    if X.dtype.kind == "u" and X.dtype == other:
        return np.iinfo(X.dtype).max
    if "u" in (X.dtype.kind, other.kind):
        raise ValueError(
            f"data_range must be given where X_true is of {X.dtype} but X_pred of "
            f"{other}: they may be in different units."
        )
    if X.size and (X.min() < 0 or X.max() > 1):
        raise ValueError(
            "data_range must be given where X_true leaves [0, 1]: it is of "
            f"{X.dtype} and goes from {X.min():g} to {X.max():g}."
        )
    return 1.0


def _as_floats(X, X_hat, name, other):
    """Return both as float64, or raise where they cannot be compared."""
    if X.shape != X_hat.shape or not X.size:
        raise ValueError(
            f"{name} and {other} must have one shape, and entries, got {X.shape} and "
            f"{X_hat.shape}."
        )
    if "c" in (X.dtype.kind, X_hat.dtype.kind):
        raise ValueError(f"{name} and {other} must be real, got complex numbers.")
    X, X_hat = X.astype(np.float64), X_hat.astype(np.float64)
    for values, called in ((X, name), (X_hat, other)):
        if not np.isfinite(values).all():
            raise ValueError(f"{called} has entries that are NaN or infinite.")
    return X, X_hat


def _with_channels(shape):
    return (*shape, 1)[:3]


def _as_images(X, image_shape):
    """Return images with an axis of channels."""
    image_shape = None if image_shape is None else tuple(np.ravel(image_shape).tolist())
    if (
        X.ndim > 2
        and image_shape is not None
        and _with_channels(X.shape[1:]) != _with_channels(image_shape)
    ):
        raise ValueError(
            f"X_true has images of shape {X.shape[1:]}, but image_shape is "
            f"{image_shape!r}."
        )
    if X.ndim == 2 and image_shape is not None:
        if np.prod(image_shape) != X.shape[1]:
            raise ValueError(
                f"image_shape must have the {X.shape[1]} pixels of X_true, got "
                f"{image_shape!r}."
            )
        X = X.reshape(-1, *image_shape)
    if X.ndim not in (3, 4):
        raise ValueError(
            "X_true must be images of shape (n_samples, height, width) or (n_samples, "
            f"height, width, channels), or rows with image_shape, got {X.shape}."
        )
    return X[..., None] if X.ndim == 3 else X


def _reconstructed(estimator, X):
    """Return `X` and its reconstruction, dense and in float64."""
    for method in ("transform", "inverse_transform"):
        if not hasattr(estimator, method):
            raise TypeError(f"{type(estimator).__name__} has no {method}.")
    X_true = dense(X)
    if X_true.dtype.kind == "u":
        raise ValueError(
            f"X must be of floats, got {X_true.dtype}: some estimators scale integers "
            "and others do not. Scale them first, such as X / 255."
        )
    X_hat = dense(estimator.inverse_transform(estimator.transform(X)))
    return _as_floats(X_true, X_hat, "X", "its reconstruction")


def dense(X):
    """Return `X` as an array, in this machine's order of bytes and with NaN in gaps."""
    if hasattr(X, "columns"):
        X = check_array(X, ensure_all_finite=False)
    X = X.toarray() if sparse.issparse(X) else np.asarray(X)
    return X.astype(X.dtype.newbyteorder("="), copy=False)
