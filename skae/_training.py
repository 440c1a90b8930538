"""How a net is trained: how long, from which start, and watched on which rows."""

import numpy as np
import torch

from skae._axes import principal_axes
from skae._rows import evenly
from skae._selection import ANY, FOLDS_BELOW, SURE, fit_and_choose, folds
from skae._size_curve import SizeCurve


class Training:
    """Trains the net that `BaseAutoencoder` has made, which this is a part of."""

    def _set_budget(self, net, n_rows):
        """Set what depends on the number of rows."""
        batch_size, max_iter = self.batch_size, self.max_iter
        if batch_size == "auto":
            # Gradients' noise and the number of steps both grow with the root of n.
            factor, least, most = self._auto_batch
            power = np.rint(np.log2(factor * n_rows**0.5))
            batch_size = 2 ** int(np.clip(power, least, most))
        line_search = self.solver == "lbfgs"
        batch_size = n_rows if line_search else min(int(batch_size), n_rows)
        n_batches = -(-n_rows // batch_size)
        steps = self._auto_steps(n_rows)
        usual = 50 if line_search else max(36, -(-steps // n_batches))
        max_iter = usual if max_iter == "auto" else int(max_iter)
        net.batch_size, net.max_epochs = batch_size, max_iter
        if self.solver == "adam" and not net.module.is_linear:
            # A warm start may go on by an epoch a call: each is one of the usual ones.
            n_epochs = max(max_iter, usual) if net.initialized_ else max_iter
            if self._fading is None:
                fading_steps = max(100, n_epochs * n_batches) / 2
            else:
                least, n_epochs_to_fade = self._fading
                fading_steps = max(least, n_epochs_to_fade * n_batches)
            weight_decay = 1 / (self.learning_rate_init * fading_steps)
            if self.weight_decay != "auto":
                weight_decay = self.weight_decay
            net.set_weight_decay(weight_decay)

    def _beginner(self, net, rows):
        """Return ``begin(part)``: it sets what training on a part of `rows` starts at.

        Each call draws the same numbers.
        """
        seed = int(torch.randint(2**31 - 1, (), generator=net.generator))

        def begin(part):
            self._learn_gaps(part)
            net.set_filler(self._filler)
            rows.fill(self._filler)
            part.filler = self._filler
            # Of what it fills, for later parts are filled by others.
            if self._filler is not None and part is not rows:
                n_components = net.module.config["n_components"]
                principal_axes(part, n_components, torch.Generator().manual_seed(seed))
            net.module.cpu()  # where generators draw; an earlier part has moved it
            self._initialize(net.module, part, torch.Generator().manual_seed(seed))
            net.module.to(net.device)
            if net.module.has_path:
                self._set_loss_unit(net, part)

        return begin

    def _fit_network(self, net, rows, X_val, begin):
        linear = net.module.is_linear and getattr(self, "init", None) == "pca"
        linear = linear and not self._meets_gaps  # PCA of filled rows is not the best
        cautious = begin is not None and (net.module.has_path or linear)
        parts = self._parts(net, rows, X_val, cautious)
        self._set_patience(net, parts, cautious)
        curve = SizeCurve() if net.module.config.get("ordered") else None
        evidence = SURE if cautious and not self._imitates_gaps else ANY
        choice, parts = fit_and_choose(net, rows, parts, evidence, curve, begin)
        self._keep_size(net, curve)
        self._keep_scores(net, parts, choice)
        # A warm start that gains nothing stays where the fit before it ended, and a
        # linear network that is PCA is what was asked for, unless by a penalty.
        more_was_asked = net.module.has_path or self.alpha
        if more_was_asked and cautious and choice is not None and not choice.epoch:
            self._warn_of_start(net)

    def _set_patience(self, net, parts, cautious):
        if self.n_iter_no_change != "auto":
            net.watch.patience = self.n_iter_no_change or np.inf
        elif len(parts) == 1 and parts[0][1] is not None:
            net.watch.patience = np.ceil(net.max_epochs / 3)
            net.watch.trial = np.ceil(net.max_epochs / 5) if cautious else np.inf

    def _parts(self, net, rows, X_val, cautious):
        """Return pairs of rows to train on and rows, or None, to watch."""
        if X_val is not None:
            rows_valid = self._rows(X_val)
            if rows_valid.share_known == 0:
                raise ValueError("X_val has no value at all: every entry is missing.")
            return [(rows, rows_valid)]
        n_rows = len(rows)
        if not self.early_stopping:
            return [(rows, None)]
        if n_rows == 1:
            return [(rows, rows)]
        if cautious and n_rows < FOLDS_BELOW:
            return folds(rows, net.generator)
        n_valid = round(self.validation_fraction * n_rows)
        n_valid = min(max(n_valid, 1), n_rows - 1)
        order = torch.randperm(n_rows, generator=net.generator)
        rows_valid = rows.subset(order[:n_valid])
        if rows_valid.share_known == 0:
            raise ValueError(
                f"The rows kept out of training, {n_valid} of {n_rows}, have no value "
                "at all. Raise validation_fraction, or drop the rows without values."
            )
        return [(rows.subset(order[n_valid:]), rows_valid)]

    def _set_loss_unit(self, net, rows):
        """Let gradients be those of a loss of 1, however little PCA has left of it."""
        if not net.initialized_:
            net.initialize()
        some = rows.subset(evenly(len(rows), 4096))
        net.loss_unit = max(float(net.row_losses(some).mean()), 1e-12)
