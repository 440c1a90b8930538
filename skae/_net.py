"""The skorch network that trains an autoencoder; the only file that imports skorch."""

import math
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, PrintLog
from threadpoolctl import ThreadpoolController
from torch import nn

from skae._rows import Batches

SCHEDULES = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: 0.5 + 0.5 * math.cos(math.pi * progress),
    "one_cycle": lambda progress: (
        (progress + 0.01) / 0.21
        if progress < 0.2
        else 0.5 + 0.5 * math.cos(math.pi * (progress - 0.2) / 0.8)
    ),
}

OPTIMIZERS = {
    "adam": (torch.optim.Adam, {"fused": True}),
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

# Multiply-adds a batch up to which a second thread costs more than it brings.
SINGLE_THREAD_WORK = 1 << 28


@cache
def _thread_pools():
    return ThreadpoolController()


@contextmanager
def limited_threads(n_parameters, n_rows):
    """Keep small work on one thread; the limit is this thread's own and ends here."""
    if n_parameters * n_rows > SINGLE_THREAD_WORK:
        yield
    else:
        with _thread_pools().limit(limits=1, user_api="openmp"):
            yield


class StopTraining(KeyboardInterrupt):
    """Raised by a callback to end training, as skorch's own callbacks do."""


class Objective(nn.Module):
    """Mean loss plus penalties: what training minimises."""

    def __init__(self, loss, penalties=()):
        super().__init__()
        self.loss, self.penalties = loss, penalties

    def forward(self, network, x, target, output):
        """Return the objective of one batch, a scalar tensor."""
        value = self.loss(output, target).mean()
        for penalty in self.penalties:
            value = value + penalty(network, x, output)
        return value


class KeepBest(Callback):
    """Keep the best epoch's weights in memory, and stop when nothing improves.

    The loss watched is that of the validation rows where there are any, else the
    training loss; only in the first case are the best weights put back, the start's
    being the first candidate.
    """

    def __init__(self, tol, patience):
        self.tol, self.patience = tol, patience

    def on_train_begin(self, net, **kwargs):
        """Take the weights at the start as the first candidate."""
        self.weights_, self.epoch_, self.misses_ = None, 0, 0
        self.best_ = self.target_ = math.inf
        if net.rows_valid_ is not None:
            self.best_ = self.target_ = net.mean_loss(net.rows_valid_)
            self._keep(net)

    def _keep(self, net):
        state = net.module_.state_dict()
        self.weights_ = {name: value.clone() for name, value in state.items()}

    def on_epoch_end(self, net, **kwargs):
        """Compare the epoch just ended with the best so far."""
        monitor = "train_loss" if net.rows_valid_ is None else "valid_loss"
        loss = net.history[-1, monitor]
        if loss < self.best_:
            self.best_, self.epoch_ = loss, len(net.history)
            if net.rows_valid_ is not None:
                self._keep(net)
        self.misses_ += 1
        if loss < self.target_ - self.tol:
            self.target_, self.misses_ = loss, 0
        if self.misses_ >= self.patience:
            raise StopTraining

    def on_train_end(self, net, **kwargs):
        """Put the best weights back."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)
            self.weights_ = None


class AutoencoderNet(NeuralNet):
    """A skorch net that reconstructs its input, in batches of tensors.

    Parameters
    ----------
    module : Module
        The network, with ``forward(x) -> Output``.
    criterion : Objective
        What to minimise.
    generator : torch.Generator
        Source of the order of rows.
    corruption : Module or None
        Applied to the input, not to the target, in training only.
    schedule : str
        Course of the learning rate, a key of `SCHEDULES`.
    solver : str
        A key of `OPTIMIZERS`.
    **kwargs
        Passed to `skorch.NeuralNet`.
    """

    def __init__(
        self, module, criterion, *, generator, corruption, schedule, solver, **kwargs
    ):
        optimizer, options = OPTIMIZERS[solver]
        options = {f"optimizer__{key}": value for key, value in options.items()}
        super().__init__(module, criterion, optimizer=optimizer, **options, **kwargs)
        self.generator, self.corruption = generator, corruption
        self.schedule, self.solver = schedule, solver

    @property
    def _default_callbacks(self):
        return [("print_log", PrintLog())] if self.verbose else []

    def train(self, rows, rows_valid=None):
        """Train on `rows` for up to `max_epochs`, watching `rows_valid`."""
        self.rows_valid_ = rows_valid
        if not self.initialized_:
            self.initialize()
        self._prepare_schedule(rows)
        work = sum(p.numel() for p in self.module_.parameters())
        with limited_threads(work, min(self.batch_size, len(rows))):
            self.partial_fit(rows)
        self.rows_valid_ = None
        self.module_.eval()
        return self

    def _prepare_schedule(self, rows):
        self.step_ = 0
        self.n_steps_ = self.max_epochs * -(-len(rows) // self.batch_size)
        hooks = "on_batch_begin", "on_batch_end", "on_grad_computed"
        self.needs_batch_events_ = self.solver == "lbfgs" or any(
            getattr(type(callback), hook) is not getattr(Callback, hook)
            for _, callback in self.callbacks_
            for hook in hooks
        )

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        """Run the epochs; unlike skorch's, a real Ctrl-C is not swallowed."""
        self.notify("on_train_begin", X=X, y=y)
        try:
            self.fit_loop(X, y)
        except StopTraining:
            pass
        self.notify("on_train_end", X=X, y=y)
        return self

    def notify(self, method_name, **kwargs):
        """Call the callbacks; skorch's stop training by raising KeyboardInterrupt."""
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as stop:
            raise StopTraining from stop

    def get_split_datasets(self, X, y=None, **fit_params):
        """Return the rows to train on and those to watch."""
        return X, self.rows_valid_

    def get_iterator(self, dataset, training=False):
        """Return batches of whole tensors instead of a DataLoader."""
        generator = self.generator if training else None
        return Batches(dataset, self.batch_size if training else 4096, generator)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run an epoch, with batch events only where a callback wants them."""
        if iterator is None:
            return
        if self.needs_batch_events_:
            super().run_single_epoch(iterator, training, prefix, step_fn)
            losses, sizes = zip(
                *self.history[-1, "batches", :, (f"{prefix}_loss", f"{prefix}_batch_size")],
                strict=True,
            )
            loss = math.fsum(map(float.__mul__, losses, map(float, sizes))) / sum(sizes)
        else:
            loss = self._run_quietly(iterator, training)
        if not math.isfinite(loss):
            raise ValueError(
                f"The {prefix} loss became {loss} in epoch {len(self.history)}. Lower "
                f"learning_rate_init (now {self.lr}), or scale the columns of X."
            )
        self.history.record(f"{prefix}_loss", loss)

    def _run_quietly(self, iterator, training):
        if not training:
            return self._mean_loss(iterator)
        self.module_.train()
        total = 0.0
        for batch in iterator:
            self._set_learning_rate()
            self.optimizer_.zero_grad()
            loss = self.train_step_single(batch)["loss"].detach()
            self.optimizer_.step()
            total = total + loss * len(batch[0])
        return float(total) / len(iterator.rows)

    def mean_loss(self, rows):
        """Return the objective on `rows`, without training or corruption."""
        return self._mean_loss(self.get_iterator(rows))

    def _mean_loss(self, batches):
        losses = [self.validation_step(b)["loss"] * len(b[0]) for b in batches]
        return float(sum(losses)) / len(batches.rows)

    def train_step(self, batch, **fit_params):
        """Make one optimisation step, with skorch's events."""
        self._set_learning_rate()
        return super().train_step(batch)

    def _set_learning_rate(self):
        factor = SCHEDULES[self.schedule](self.step_ / self.n_steps_)
        for group in self.optimizer_.param_groups:
            group["lr"] = self.lr * factor
        self.step_ += 1

    def train_step_single(self, batch, **fit_params):
        """Compute the loss of a batch and its gradient."""
        x, target = batch
        x = x if self.corruption is None else self.corruption(x)
        output = self.module_(x)
        loss = self.criterion_(self.module_, x, target, output)
        loss.backward()
        return {"loss": loss, "y_pred": output.reconstruction}

    def validation_step(self, batch, **fit_params):
        """Compute the loss of a batch, uncorrupted."""
        x, target = batch
        self.module_.eval()
        with torch.no_grad():
            output = self.module_(x)
            loss = self.criterion_(self.module_, x, target, output)
        return {"loss": loss, "y_pred": output.reconstruction}

    def evaluation_step(self, batch, training=False):
        """Return the reconstruction of a batch."""
        x = batch[0] if isinstance(batch, (tuple, list)) else batch
        with torch.set_grad_enabled(training):
            self.module_.train(training)
            return self.module_(x).reconstruction


def dump(net, with_training):
    """Return what it takes to build `net` again: arrays and plain values."""
    stored = {
        "network": type(net.module_),
        "config": net.module_.config,
        "weights": _as_arrays(net.module_.state_dict()),
        "generator": net.generator.get_state().numpy(),
        "history": [{k: v for k, v in e.items() if k != "batches"} for e in net.history],
    }
    if with_training:
        stored["optimizer"] = _as_arrays(net.optimizer_.state_dict())
    return stored


def load_network(stored):
    """Return the network and the generator that `dump` stored."""
    network = stored["network"](**stored["config"])
    weights = _as_tensors(stored["weights"])
    network.to(next(iter(weights.values())).dtype).load_state_dict(weights)
    generator = torch.Generator()
    generator.set_state(torch.from_numpy(np.array(stored["generator"])))
    return network.eval(), generator


def load_training(net, stored):
    """Initialise `net` and give it the history and, if stored, the optimiser."""
    net.initialize()
    for epoch in stored["history"]:
        net.history.new_epoch()
        net.history[-1].update(epoch)
    if "optimizer" in stored:
        net.optimizer_.load_state_dict(_as_tensors(stored["optimizer"]))
    return net


def _as_arrays(tree):
    if isinstance(tree, dict):
        return {key: _as_arrays(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_as_arrays(value) for value in tree]
    return tree.cpu().numpy().copy() if isinstance(tree, torch.Tensor) else tree


def _as_tensors(tree):
    if isinstance(tree, dict):
        return {key: _as_tensors(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_as_tensors(value) for value in tree]
    # A copy, for what joblib maps from a file must not be written to.
    return torch.from_numpy(np.array(tree)) if isinstance(tree, np.ndarray) else tree
