"""What a fitted autoencoder does: scikit-learn's verbs, and how it is stored."""

from copy import deepcopy

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from torch.nn import functional as F

from skae._checks import check_fitted
from skae._gaps import filled
from skae._rows import BLOCK, as_float, blocks, in_units, scaled_rows
from skae._storage import dump, load_network, load_training, on_cpu
from skae._threads import limited_threads
from skae.networks import Output

# Rows that go through the network at once; what layers make of more leaves the cache.
AT_ONCE = 1024


def widened(code, network):
    """Fill leading columns of a code up with zeros."""
    missing = network.config["n_components"] - code.shape[1]
    return F.pad(code, (0, missing)) if missing else code


class AutoencoderVerbs(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """The methods of a fitted autoencoder, which need `net_`, `mean_` and `scale_`.

    The network takes rows scaled to ``(x - mean_) / scale_``; what it decodes is on
    the same scale, unless its output is bounded and so in the data's own units.
    """

    def transform(self, X):
        """Return the code of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to encode.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            The codes, in the floating type of `X` where they are not bits.
        """
        check_fitted(self)
        X = self._validate(X)
        return self._present(self._apply(self._code, X, self.n_components_))

    def inverse_transform(self, X):
        """Return the row that each code stands for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes to decode. With ``ordered=True`` also any number of the leading
            columns.

        Returns
        -------
        decoded : ndarray of shape (n_samples, n_features)
            The reconstructions, in the units of the training data.
        """
        check_fitted(self)
        X = check_array(X, dtype=[np.float64, np.float32], input_name="X")
        ordered = self.net_.module_.config.get("ordered")
        if X.shape[1] > self.n_components_ or (
            X.shape[1] < self.n_components_ and not ordered
        ):
            raise ValueError(
                f"X has {X.shape[1]} columns, but {type(self).__name__} decodes "
                f"n_components={self.n_components_}."
            )
        decoded = self._apply(
            lambda network, z: network.decode(widened(z, network)),
            X,
            self.n_features_in_,
            scaled=False,
        )
        return self._in_units(decoded)

    def reconstruct(self, X):
        """Return each row encoded and decoded.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to reconstruct.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The reconstructions, in the units of the training data.
        """
        check_fitted(self)
        return self._reconstructed(self._validate(X))

    def score_samples(self, X):
        """Return how well each row is reconstructed; higher is more normal.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Minus the loss of each row, averaged over its entries, in the units of
            `X`: for the squared error minus the mean squared error. Gaps do not count;
            a row of gaps alone has NaN.
        """
        check_fitted(self)
        X = self._validate(X, "X")
        objective, in_data_units = self.net_.criterion_, self._decodes_units

        def row_losses(network, x):
            target = in_units(x, self.mean_, self.scale_) if in_data_units else x
            losses = objective.loss_of_rows(self._through(network, x), target)
            if objective.has_gaps:  # then there is nothing to judge by
                losses[x.isnan().all(dim=1)] = torch.nan
            return losses[:, None]

        losses = self._apply(row_losses, X, 1)[:, 0].astype(np.float64)
        return -losses * (1.0 if in_data_units else self.scale_**objective.power)

    def score(self, X, y=None):
        r"""Return the explained variance of the reconstruction of `X`.

        .. math:: 1 - \frac{\sum_i \lVert x_i - \hat x_i \rVert^2}
                  {\sum_i \lVert x_i - \bar x \rVert^2}

        with the training mean :math:`\bar x`, for every loss: 1 is perfect, 0 is no
        better than the mean. Where no row differs from the mean it is 1 for a perfect
        reconstruction and else 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to reconstruct.
        y : None
            Ignored.

        Returns
        -------
        score : float
            The explained variance; the best is 1.
        """
        check_fitted(self)
        X = self._validate(X)
        reconstruction = self._reconstructed(X)
        residual = total = 0.0
        for rows in blocks(*X.shape):
            x = as_float(X, rows)
            known = ~np.isnan(x)
            residual += float(((x - reconstruction[rows])[known] ** 2).sum())
            total += float(((x - self.mean_)[known] ** 2).sum())
        return 1 - residual / total if total > 0 else float(residual == 0)

    def _code(self, network, x):
        """Return the code of rows `x`, as many columns of it as were chosen."""
        return network.encode(filled(x, self._filler))[:, : self.n_components_]

    def _reconstructed(self, X):
        decoded = self._apply(
            lambda network, x: self._through(network, x).reconstruction, X, X.shape[1]
        )
        return self._in_units(decoded)

    def _present(self, codes):
        """Return the codes as `transform` gives them to users."""
        return codes

    def _through(self, network, x):
        activations, beside = network.analyse(filled(x, self._filler))
        code = network.discretise(activations)[:, : self.n_components_]
        logits = network.logits(widened(code, network), *beside)
        return Output(network.output_activation(logits), code, logits, code)

    def _apply(self, function, X, width, scaled=True):
        """Return ``function(network, rows)`` for all rows, in the type of `X`."""
        network, anchor = self._network_in(X.dtype)
        result = np.empty((X.shape[0], width), dtype=X.dtype)
        with limited_threads(network, X.shape[0]), torch.inference_mode(), on_cpu():
            for rows in blocks(X.shape[0], max(X.shape[1], width, BLOCK // AT_ONCE)):
                if scaled:
                    x = scaled_rows(X, rows, self.mean_, self.scale_)
                else:
                    x = as_float(X, rows, X.dtype)
                x = torch.from_numpy(x).to(anchor)
                result[rows] = function(network, x).cpu().numpy()
        return result

    def _network_in(self, dtype):
        """Return the network with weights in `dtype`, maybe a copy, and its anchor."""
        network = self.net_.module_
        single = dtype == np.float32 or self.net_.device == "mps"
        wanted = torch.float32 if single else torch.float64
        if network.anchor.dtype != wanted:
            network = deepcopy(network).to(wanted)
        return network, network.anchor

    @property
    def _decodes_units(self):
        """Whether the fitted network decodes rows in the units of the data."""
        config = self.net_.module_.config
        return config.get("output_activation", "identity") != "identity"

    def _in_units(self, decoded):
        if not self._decodes_units:
            decoded *= self.scale_
            decoded += self.mean_.astype(decoded.dtype)
        return decoded

    @property
    def _n_features_out(self):
        return self.n_components_

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self._admits_gaps
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self):
        state = super().__getstate__()
        if "net_" in state:
            state = {**state, "net_": dump(self.net_, with_training=self.warm_start)}
        return state

    def __setstate__(self, state):
        stored = state.get("net_")
        super().__setstate__(state)
        if stored is not None:
            network, generator = load_network(stored)
            try:
                device = self._device()
            except ValueError:
                device = "cpu"  # this machine lacks the one it was fitted on
            net = self._make_net(network, generator, device, stored)
            self.net_ = load_training(net, stored)
