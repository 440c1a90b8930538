"""Principal axes of rows, by what their shape allows."""

import torch
from scipy.linalg import eigh

from skae._rows import blocks


def principal_axes(rows, n_components, generator):
    """Return the leading principal axes of `rows`.

    Parameters
    ----------
    rows : Rows of shape (n_samples, n_features)
        The data.
    n_components : int
        How many axes; at most ``min(n_samples, n_features)`` come back.
    generator : torch.Generator
        Used where both sides are long and the axes come from a Krylov space [1]_.

    Returns
    -------
    mean : Tensor of shape (n_features,)
        The columns' means.
    axes : Tensor of shape (n_axes, n_features)
        Orthonormal rows, the largest variance first, signs as in scikit-learn's PCA.
    variances : Tensor of shape (n_axes,)
        Variances along them, with divisor n_samples.

    References
    ----------
    .. [1] C. Musco and C. Musco, "Randomized block Krylov methods for stronger and
       faster approximate singular value decomposition", NIPS 2015.
    """
    n, d = rows.shape
    k = min(n_components, n, d)
    if rows.principal is None or len(rows.principal[1]) < k:
        rows.principal = _principal(rows, max(k, 1), generator)
    mean, axes, variances = rows.principal
    return mean, axes[:k], variances[:k]


def _principal(rows, k, generator):
    n, d = rows.shape
    mean = sum(rows.exact(block).sum(0) for block in blocks(n, d)) / n
    if min(n, d) > max(DIRECT, N_STEPS * (k + OVERSAMPLING)):
        variances, axes = _block_lanczos(rows, mean, k, generator)
    elif d <= n:
        variances, axes = _leading(_covariance(rows, mean), k)
    else:
        variances, axes = _axes_from_gram(rows, mean, k)
    largest = axes.abs().argmax(dim=1, keepdim=True)
    return mean, axes * axes.gather(1, largest).sign(), variances.clamp(min=0)


# The side up to which an exact eigendecomposition is a matter of seconds.
DIRECT = 2048


def _centred(rows, mean):
    for block in blocks(*rows.shape):
        yield rows.exact(block) - mean


def _leading(symmetric, k):
    n = len(symmetric)
    values, vectors = eigh(symmetric.numpy(), subset_by_index=(n - k, n - 1))
    if len(values) < k:  # LAPACK loses some of many equal ones
        values, vectors = eigh(symmetric.numpy())
        values, vectors = values[n - k :], vectors[:, n - k :]
    values, vectors = torch.from_numpy(values), torch.from_numpy(vectors)
    return values.flip(0), vectors.flip(1).T


def _covariance(rows, mean):
    n, d = rows.shape
    covariance = torch.zeros(d, d, dtype=torch.float64)
    for x in _centred(rows, mean):
        covariance.addmm_(x.T, x)
    return covariance / n


def _axes_from_gram(rows, mean, k):
    x = torch.empty(*rows.shape, dtype=torch.float64)
    for block in blocks(*rows.shape):
        x[block] = rows.exact(block) - mean
    values, vectors = _leading(x @ x.T / len(rows), k)
    # Beyond the rank the axes are noise around zero; QR completes the basis.
    return values, torch.linalg.qr((vectors @ x).T).Q.T


# Blocks of the Krylov space, each as wide as what is wanted and a little more.
N_STEPS, OVERSAMPLING = 8, 10


def _block_lanczos(rows, mean, k, generator):
    n, d = rows.shape
    basis = torch.empty(d, 0, dtype=torch.float64)
    images = basis.clone()
    block = torch.randn(d, k + OVERSAMPLING, dtype=torch.float64, generator=generator)
    for _ in range(N_STEPS):
        # Of the whole basis, for then rounding leaves nothing parallel to it.
        block = torch.linalg.qr(torch.cat([basis, block], 1)).Q[:, basis.shape[1] :]
        image = sum(x.T @ (x @ block) for x in _centred(rows, mean)) / n
        basis, images = torch.cat([basis, block], 1), torch.cat([images, image], 1)
        block = image
    values, vectors = _leading(basis.T @ images, k)
    return values, (basis @ vectors.T).T
