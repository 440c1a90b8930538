"""The linear autoencoder, which spans the same subspace as PCA."""

from dataclasses import dataclass

import torch
from sklearn.utils._param_validation import StrOptions

from skae._axes import principal_axes
from skae._base import BaseAutoencoder
from skae._docs import documented
from skae._start import set_linear_maps
from skae.networks import DenseNetwork


@documented
@dataclass(eq=False, repr=False, kw_only=True)
class LinearAutoencoder(BaseAutoencoder):
    r"""Linear autoencoder: PCA in closed form, or trained by gradients.

    It minimises, over an encoder :math:`A`, a decoder :math:`B` and their biases,

    .. math:: \frac{1}{nd}\sum_{i=1}^{n}\lVert x_i - B A x_i\rVert^2
              + \alpha\left(\lVert A\rVert_F^2 + \lVert B\rVert_F^2\right)

    on rows centred by `mean_` and divided by `scale_`. Every minimum without `alpha`
    projects on the span of the leading principal axes [1]_. With `alpha`, the minimum
    has :math:`A = B^\top` and the singular values of :math:`B` are
    :math:`\sqrt{\max(0, 1 - \alpha d/\lambda_i)}` for the eigenvalues
    :math:`\lambda_i` of the scaled rows' covariance [2]_: components whose variance is
    below :math:`\alpha d` vanish. (With `l1_ratio`, L1 takes its share of the penalty.)

    ``solver='svd'`` sets this minimum in closed form, with :math:`A = B^\top`; without
    `alpha` its code is PCA's divided by `scale_`. The other solvers start at random
    weights and find the same subspace, in other coordinates. Scale columns for them:
    they hardly find axes whose variance is a millionth of the first one's.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    Autoencoder : With hidden layers.
    sklearn.decomposition.PCA : The same subspace.

    References
    ----------
    .. [1] P. Baldi and K. Hornik, "Neural networks and principal component analysis:
       learning from examples without local minima", Neural Networks 2(1), 1989.
    .. [2] D. Kunin et al., "Loss landscapes of regularized linear autoencoders",
       ICML 2019, arXiv:1901.08168.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skae import LinearAutoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> linear = LinearAutoencoder(n_components=4).fit(X)
    >>> pca = PCA(n_components=4).fit(X)
    >>> np.allclose(linear.scale_ * linear.transform(X), pca.transform(X))
    True
    """

    solver: str = "svd"
    learning_rate: str = "cosine"
    learning_rate_init: float = 0.03
    batch_size: int | str = 1024
    early_stopping: bool = False

    _parameter_constraints = {
        **BaseAutoencoder._parameter_constraints,
        "solver": [StrOptions({"svd", "adam", "sgd", "lbfgs"})],
    }
    _parameter_docs = {
        "solver": (
            "{'svd', 'adam', 'sgd', 'lbfgs'}",
            "'svd' is the closed form, for which the parameters of training and\n"
            "`X_val` play no part. 'sgd' has a Nesterov momentum of 0.9. 'lbfgs'\n"
            "works on all rows at once, makes 20 iterations an epoch, and needs none\n"
            "of `batch_size`, `learning_rate` and `learning_rate_init`.",
        ),
        "max_iter": (
            "int or 'auto'",
            "Number of epochs at most. 'auto' is 36, or as many as make 4000\n"
            "steps; 50 for ``solver='lbfgs'``.",
        ),
    }

    def _auto_steps(self, n_rows):
        return 4000

    def _make_network(self, n_features, n_components):
        if self.solver == "svd" and self.alpha and self.l1_ratio:
            raise ValueError(
                "solver='svd' knows no L1 penalty: set l1_ratio=0 or another solver, "
                f"got l1_ratio={self.l1_ratio!r} with alpha={self.alpha!r}."
            )
        return DenseNetwork(n_features, n_components, tied_weights=self.tied_weights)

    def _fit_network(self, net, rows, X_val, begin):
        if self.solver != "svd":
            super()._fit_network(net, rows, X_val, begin)
            return
        if begin is not None:
            begin(rows)
        self._set_minimum(net, rows)
        penalties = net.criterion.penalties
        net.initialize()
        net.history.new_epoch()
        with torch.no_grad():
            penalty = sum(p(net.module_, None, None, None) for p in penalties)
        losses = net.row_losses(rows).double()
        if rows.with_gaps is not None:  # entries count alike, in whatever row
            n_known = rows.with_gaps.isfinite().sum(dim=1).cpu()
            losses *= n_known / n_known.double().mean()
        net.record("train_loss", float(losses.mean()) + float(penalty))
        self._keep_size(net)
        self._keep_scores(net, [], None)

    def _set_minimum(self, net, rows):
        mean, axes, variances = principal_axes(
            rows, net.module.config["n_components"], net.generator
        )
        # Axes on which these rows do not vary stay, unless by a penalty: others may.
        variances = variances.clamp(min=max(float(variances.max()) * 1e-13, 1e-300))
        # The penalty counts a weight that is shared once.
        alpha = self.alpha / 2 if self.tied_weights else self.alpha
        shrunk = (1 - alpha * rows.shape[1] / variances).clamp(min=0).sqrt()
        maps = axes * shrunk[:, None]
        torch.nn.init.zeros_(net.module.encoder[-1].weight)
        set_linear_maps(net.module, mean, maps, maps)
