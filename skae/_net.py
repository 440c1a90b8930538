"""The skorch network that trains an autoencoder; the only file that imports skorch."""

import math
from copy import copy
from dis import opname
from functools import partial

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNet
from skorch.callbacks import Callback, LRScheduler, PrintLog
from torch import nn
from torch.nn import functional as F

from skae._gaps import filled
from skae._rows import BLOCK, Batches, Rows

SCHEDULES = {
    "cosine": lambda progress: 0.5 + 0.5 * math.cos(math.pi * progress),
    "one_cycle": lambda progress: min((progress + 1e-3) / 0.101, (1 - progress) / 0.9),
}

OPTIMIZERS = {
    "adam": (
        torch.optim.AdamW,
        {"fused": True, "betas": (0.9, 0.95), "weight_decay": 0.0},
    ),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    # Set in closed form; skorch wants an optimiser all the same.
    "svd": (torch.optim.SGD, {}),
    "lbfgs": (
        torch.optim.LBFGS,
        {
            "max_iter": 20,
            "history_size": 30,
            "tolerance_grad": 0,
            "tolerance_change": 0,
            "line_search_fn": "strong_wolfe",
        },
    ),
}


class StopTraining(KeyboardInterrupt):
    """Raised by a callback to end training, as skorch's own callbacks do."""


def _is_raised(error):
    """Return whether a statement raised `error`; Ctrl-C comes at any instruction."""
    place = error.__traceback__
    while place.tb_next:
        place = place.tb_next
    return opname[place.tb_frame.f_code.co_code[place.tb_lasti]] == "RAISE_VARARGS"


class AutoencoderNet(NeuralNet):
    """A skorch net that reconstructs its input, in batches of tensors.

    Parameters
    ----------
    module : Module
        The network, with ``forward(x) -> Output``.
    criterion : Objective
        What to minimise.
    generator : torch.Generator
        Source of the order of rows, and of all noise in training.
    schedule : str
        Course of the learning rate, a key of `SCHEDULES`.
    solver : str
        A key of `OPTIMIZERS`.
    watch : Watch
        What ends training and keeps the best weights.
    **kwargs
        Passed to `skorch.NeuralNet`.
    """

    # The rows kept out of training while it lasts, and their batches; what folds had.
    rows_valid_ = watched_ = by_folds_ = None

    def __init__(
        self,
        module,
        criterion,
        *,
        generator,
        schedule,
        solver,
        watch,
        **kwargs,
    ):
        optimizer, options = OPTIMIZERS[solver]
        options = {f"optimizer__{key}": value for key, value in options.items()}
        super().__init__(module, criterion, optimizer=optimizer, **options, **kwargs)
        self.generator, self.watch = generator, watch
        self.schedule, self.solver = schedule, solver
        # Applied to the input, not to the target: corruption(x, generator=...).
        self.corruption = None
        # Which parameters are trained, whatever a callback freezes for a time.
        self.trainable = [p.requires_grad for p in module.parameters()]
        # What fills gaps, NaN, of the input; None where there are none.
        self.filler = None
        # The loss of the start that training is to improve on, if there is one.
        self.loss_unit = None
        # What losses of rows are multiplied by, for parts of the rows to compare.
        self.row_unit = 1.0
        # The least losses of a training so far.
        self.least_ = {}

    @property
    def _default_callbacks(self):
        return [("print_log", PrintLog())] if self.verbose else []

    def train(
        self, rows, rows_valid=None, last_epoch=None, by_folds=None, stirred=False
    ):
        """Train on `rows`, watching `rows_valid`, and return what was watched.

        The schedule is that of `max_epochs` epochs, even if `last_epoch` ends it early.
        Where no rows are left to watch, the losses that folds had go on record. If
        `stirred`, the network leaves its start before the first step.
        """
        self.rows_valid_, self.last_epoch_ = rows_valid, last_epoch
        self.by_folds_, self.least_ = by_folds, {}
        self.watched_ = None
        for penalty in self.criterion.penalties:
            if hasattr(penalty, "forget"):
                penalty.forget()
        if not self.initialized_:
            self.initialize()
        self._prepare_schedule(rows)
        self.watch.begin(self)
        if stirred:
            self.module_.stir(self.generator)
        self.partial_fit(rows)
        self.watch.end(self)
        self.rows_valid_ = self.watched_ = None
        self.module_.eval()
        watched = copy(self.watch)
        self.watch.forget()
        return watched

    def set_filler(self, filler):
        """Set what fills gaps of the input; those of the target do not count then."""
        self.filler, self.criterion.has_gaps = filler, filler is not None

    def set_weight_decay(self, weight_decay):
        """Set the decoupled weight decay of AdamW, also of an optimiser there is."""
        self.optimizer__weight_decay = weight_decay
        for group in self.optimizer_.param_groups if self.initialized_ else ():
            group["weight_decay"] = weight_decay

    def restart(self, weights):
        """Go back to `weights`, without a history and with a fresh optimiser."""
        self.module.load_state_dict(weights)
        for p, trainable in zip(self.module.parameters(), self.trainable, strict=True):
            p.requires_grad_(trainable)
        self.initialize()

    def _prepare_schedule(self, rows):
        self.step_ = 0
        self.parameters_ = list(self.module_.parameters())
        self.n_steps_ = self.max_epochs * -(-len(rows) // self.batch_size)
        hooks = "on_batch_begin", "on_batch_end", "on_grad_computed"
        self.needs_batch_events_ = self.solver == "lbfgs" or any(
            getattr(type(callback), hook) is not getattr(Callback, hook)
            for _, callback in self.callbacks_
            for hook in hooks
        )

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        """Run the epochs; unlike skorch's, a real Ctrl-C is not swallowed."""
        try:
            self.notify("on_train_begin", X=X, y=y)
            self.fit_loop(X, y)
        except StopTraining:
            pass
        self.notify("on_train_end", X=X, y=y)
        return self

    def notify(self, method_name, **kwargs):
        """Call the callbacks, which stop training by raising KeyboardInterrupt.

        So one that they raise counts as a stop, and any other as the user's.
        """
        epoch_ends = method_name == "on_epoch_end"
        if epoch_ends:
            self.watch.look(self)
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as stop:
            if _is_raised(stop):
                raise StopTraining from stop
            raise
        if epoch_ends and self._is_over:
            raise StopTraining

    @property
    def _is_over(self):
        if self.last_epoch_ is None:
            return self.watch.is_over
        return len(self.history) == self.last_epoch_

    def get_split_datasets(self, X, y=None, **fit_params):
        """Return the rows to train on; `Watch` looks after the others."""
        return X, None

    def get_iterator(self, dataset, training=False):
        """Return batches of whole tensors, or a DataLoader for what are not `Rows`."""
        if not isinstance(dataset, Rows):
            return super().get_iterator(dataset, training)
        if not training:
            return Batches(dataset, _at_once(dataset))
        # Many small batches are filled in a fraction of the time if at once.
        ahead = partial(self._shown, generator=self.generator)
        show = None if self.filler is None else ahead
        return Batches(dataset, self.batch_size, self.generator, show)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run an epoch, with batch events only where a callback wants them."""
        if iterator is None:
            return
        self.module_.train(training)
        if self.needs_batch_events_:
            super().run_single_epoch(iterator, training, prefix, step_fn)
            names = f"{prefix}_loss", f"{prefix}_batch_size"
            batches = np.array(self.history[-1, "batches", :, names])
            loss = float(np.average(batches[:, 0], weights=batches[:, 1]))
            if self.solver == "lbfgs":  # which has reported what it began at
                (batch,) = iterator
                loss = self.train_step_single(batch)["loss"].item()
        else:
            loss = self._run_quietly(iterator)
        self.record(f"{prefix}_loss", loss)
        if self.solver == "adam":
            self._zero_faint_averages(len(iterator))

    def _zero_faint_averages(self, n_steps):
        """Zero, every 64 steps or so, what is next to nothing in Adam's averages.

        For units that have died, they decay to denormal numbers, which are slow.
        """
        if len(self.history) % max(1, 64 // n_steps) == 0:
            for state in self.optimizer_.state.values():
                for name in state.keys() & {"exp_avg", "exp_avg_sq"}:
                    state[name].copy_(F.hardshrink(state[name], 1e-30))

    def record(self, name, loss):
        """Put a loss into the history, or raise if it is not finite."""
        if not math.isfinite(loss):
            raise ValueError(
                f"{name} became {loss} in epoch {len(self.history)}. Lower "
                f"learning_rate_init (now {self.lr}), or scale the columns of X."
            )
        least = self.least_.get(name, math.inf)
        self.history.record(name, loss)
        self.history.record(f"{name}_best", loss < least)
        self.least_[name] = min(loss, least)

    @property
    def epoch_losses(self):
        """The training losses of epochs; one that a callback cut short has none."""
        return [epoch["train_loss"] for epoch in self.history if "train_loss" in epoch]

    def _run_quietly(self, iterator):
        self.history.new_batch()  # which some callbacks look for, as `Checkpoint`
        total = 0.0
        for batch in iterator:
            self._set_learning_rate()
            for parameter in self.parameters_:
                parameter.grad = None  # zero_grad is a fiftieth of a small step
            loss = self.train_step_single(batch)["loss"].detach()
            self.optimizer_.step()
            total = total + loss * len(batch[0])
        return float(total) / len(iterator.rows)

    def row_losses(self, rows):
        """Return the objective of each of `rows`, under the same noise in each call."""
        self.module_.eval()
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            losses = [
                self.criterion_.of_rows(*self._outcome(batch, generator))
                for batch in self._watched(rows)
            ]
        return torch.cat(losses).cpu() * self.row_unit

    def _watched(self, rows):
        """Return batches of `rows`; where gaps are filled, those of the first call."""
        if self.filler is None or rows is not self.rows_valid_:
            return self.get_iterator(rows)
        if self.watched_ is None:
            show = partial(self._shown, generator=torch.Generator().manual_seed(0))
            self.watched_ = list(Batches(rows, _at_once(rows), show=show))
        return self.watched_

    def _outcome(self, batch, generator):
        """Return what the objective takes: what the network makes of a batch."""
        x, target, *shown = batch
        shown = shown[0] if shown else self._shown(x, generator)
        output = self.module_(shown, generator)
        if any(getattr(p, "reads_input", True) for p in self.criterion_.penalties):
            x = filled(x, self.filler)
        return self.module_, x, target, output, generator

    def _shown(self, x, generator):
        """Return rows as the network is to see them."""
        if self.corruption is not None:
            x = self.corruption(x, generator=generator)
        return filled(x, self.filler, nearly=True)

    def train_step(self, batch, **fit_params):
        """Make one optimisation step, with skorch's events."""
        self._set_learning_rate()
        return super().train_step(batch)

    def _set_learning_rate(self):
        if self.schedule == "constant":
            return  # and leave the rate to a callback, if there is one for it
        factor = SCHEDULES[self.schedule](self.step_ / self.n_steps_)
        for group in self.optimizer_.param_groups:
            group["lr"] = self.lr * factor
        self.step_ += 1

    def train_step_single(self, batch, **fit_params):
        """Compute the loss of a batch and its gradient."""
        # A line search needs the same objective in each call.
        generator = None if self.solver == "lbfgs" else self.generator
        outcome = self._outcome(batch, generator)
        loss = self.criterion_(*outcome)
        if self.loss_unit is None or self.solver == "lbfgs":
            loss.backward()
        else:
            (loss / self.loss_unit).backward()
            # Else a few extreme rows could throw training far off its start.
            gradients = [p.grad for p in self.parameters_ if p.grad is not None]
            norm = nn.utils.get_total_norm(gradients)
            if norm > 1:
                nn.utils.clip_grads_with_norm_(self.parameters_, 1.0, norm)
        return {"loss": loss, "y_pred": outcome[3].reconstruction}

    def evaluation_step(self, batch, training=False):
        """Return the reconstruction of a batch."""
        x = batch[0] if isinstance(batch, (tuple, list)) else batch
        with torch.set_grad_enabled(training):
            self.module_.train(training)
            return self.module_(filled(x, self.filler)).reconstruction


def cloned_callbacks(callbacks, schedule):
    """Return clones of skorch's `callbacks`; raise if `schedule` overrules one."""
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise ValueError(
                f"callbacks must be a list of instances of skorch callbacks, got "
                f"{callback!r} in it."
            )
        if isinstance(callback, LRScheduler) and schedule != "constant":
            raise ValueError(
                "callbacks has an LRScheduler, which needs learning_rate to be "
                f"'constant', got {schedule!r}."
            )
    return [clone(callback) for callback in callbacks]


def _at_once(rows):
    """Return how many rows to look at together where none are trained on."""
    return max(1, min(4096, 8 * BLOCK // rows.shape[1]))
