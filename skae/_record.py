"""What a fit keeps of itself: sizes, scores and curves, as attributes."""

import warnings
from numbers import Integral

import numpy as np

from skae._selection import reference_losses
from skae._start import principal_components


class FitRecord:
    """Sets the attributes that tell how a fit went; part of `BaseAutoencoder`."""

    def _keep_size(self, net, curve=None):
        self.n_components_ = net.module_.config["n_components"]
        self.__dict__.pop("explained_variance_ratio_", None)
        if curve is None:
            return
        explained = curve.explained()
        if not isinstance(self.n_components, Integral):
            enough = explained >= self.n_components
            if enough.any():
                self.n_components_ = int(enough.argmax()) + 1
            else:
                warnings.warn(
                    f"n_components={self.n_components!r} is out of reach: a code as "
                    f"wide as PCA would need, {len(enough)}, explains "
                    f"{explained[-1]:.1%} of the rows kept out of training. It is "
                    "kept.",
                    UserWarning,
                    stacklevel=5,
                )
        explained = explained[: self.n_components_]
        self.explained_variance_ratio_ = np.diff(explained, prepend=0.0)

    def _keep_scores(self, net, parts, choice):
        self.pca_score_ = self.best_validation_score_ = self.validation_scores_ = None
        if choice is None:
            return
        loss, _ = self._make_loss()
        by_pca, by_mean = reference_losses(loss, parts, net)
        by_mean = by_mean or 1.0
        self.pca_score_ = 1 - by_pca / by_mean
        self.best_validation_score_ = 1 - choice.loss / by_mean
        self.validation_scores_ = [1 - loss / by_mean for loss in choice.losses]

    def _warn_of_start(self, net):
        # An imputer that stays at its start is as good as asked for.
        if self._imitates_gaps or self._is_start_perfect():
            return
        warnings.warn(
            "Rows kept out of training give no reason to prefer the network to "
            + self._describe_start(net.module_.config["n_components"]),
            UserWarning,
            stacklevel=5,
        )

    def _is_start_perfect(self):
        """Return whether there was nothing to gain."""
        return self.pca_score_ >= 1 - 1e-6

    def _describe_start(self, n_components):
        """Return what training started at, to end a warning."""
        return (
            f"PCA: the fitted autoencoder is PCA with n_components={n_components}, "
            f"which explains {self.pca_score_:.1%} of them."
        )

    def _keep(self, net, rows, going_on):
        self.net_, net.corruption = net, None
        earlier = self.loss_curve_ if going_on else []
        self.loss_curve_ = [*earlier, *net.epoch_losses]
        self.n_iter_ = len(self.loss_curve_)
        self.__dict__.pop("components_", None)
        self.__dict__.pop("explained_variance_", None)
        if net.module_.is_linear:
            axes, variances = principal_components(net.module_, rows)
            self.components_ = axes[: self.n_components_]
            self.explained_variance_ = variances[: self.n_components_] * self.scale_**2
