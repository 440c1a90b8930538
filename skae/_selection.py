"""Choosing, on rows kept out of training, how far to depart from the start."""

import math
from dataclasses import dataclass
from functools import partial

import torch

from skae._axes import principal_axes
from skae._gaps import filled
from skae.layers import nested_dropout
from skae.networks import Output

N_FOLDS = 3
# Rows below which a tenth of them is too few to choose on.
FOLDS_BELOW = 1000


@dataclass(frozen=True)
class Evidence:
    """How much rows kept out of training must gain to leave the start.

    ``evidence(gains)`` says whether their gains, shape (..., n_rows), are enough.

    Attributes
    ----------
    of_all : float
        Standard errors that the mean gain must be above.
    by_count : float or None
        Standard deviations of chance that the number of rows that gain must be above
        that of those that lose, for of the mean alone a few extreme rows would decide;
        None does not count them.
    of_each : bool
        Whether each part of the rows must gain in some epoch.
    """

    of_all: float
    by_count: float | None = None
    of_each: bool = False

    def __call__(self, gains):
        gains, root = gains.double(), gains.shape[-1] ** 0.5
        errors = gains.std(dim=-1, correction=0) / root
        enough = gains.mean(dim=-1) > self.of_all * errors
        if self.by_count is not None:
            enough &= gains.sign().sum(dim=-1) > self.by_count * root
        return enough


# More than chance would let them gain.
SURE = Evidence(1.0, by_count=2.0, of_each=True)
# For cross-entropies, of which most rows have next to none to gain or lose.
LIKELY = Evidence(1.0)
# For a few hidden entries of each row, of which counting says little.
ANY = Evidence(0.0)


class Watch:
    """Follow the losses of the rows kept out of training, and keep the best weights.

    They are the best of those that there is `evidence` for. Where no rows are kept out,
    only the training loss is followed, and the last weights stay.

    Parameters
    ----------
    tol : float
        Improvement of the loss that counts.

    Attributes
    ----------
    evidence : Evidence or None
        What rows must gain for weights to be kept; None asks nothing of them.
    patience : float
        Epochs without it that end training.
    trial : float
        Epochs in a row that end training if none is better than the start.
    start_ : Tensor of shape (n_rows,)
        Losses of the rows kept out, before training.
    curves_ : list of Tensor of shape (n_rows,)
        Their losses after each epoch.
    """

    def __init__(self, tol):
        self.tol, self.patience, self.trial = tol, math.inf, math.inf
        self.evidence = None

    def begin(self, net):
        """Forget earlier training, and compute the losses at the start."""
        self.forget()
        if net.rows_valid_ is not None:
            self.start_ = net.row_losses(net.rows_valid_)

    def forget(self):
        """Forget what was watched."""
        self.weights_ = self.start_ = None
        self.curves_, self.misses_, self.worse_ = [], 0, 0
        self.best_ = self.least_kept_ = self.target_ = math.inf

    def look(self, net):
        """Compare the epoch just ended with the best so far."""
        if net.rows_valid_ is None:
            loss = net.history[-1, "train_loss"]
            if net.by_folds_:
                net.record("valid_loss", net.by_folds_[len(net.history) - 1])
        else:
            losses = net.row_losses(net.rows_valid_)
            self.curves_.append(losses)
            loss = float(losses.mean())
            net.record("valid_loss", loss)
            self.best_ = min(self.best_, loss)
            is_better = loss < float(self.start_.mean())
            self.worse_ = 0 if is_better else self.worse_ + 1
            gain = self.start_ - losses
            is_sure = self.evidence is None or self.evidence(gain)
            if loss < self.least_kept_ and is_sure:
                self._keep(net, loss)
        self.misses_ += 1
        if loss < self.target_ - self.tol:
            self.target_, self.misses_ = loss, 0

    @property
    def is_hopeless(self):
        """Whether no epoch so far is better than the start."""
        return self.start_ is not None and self.best_ >= float(self.start_.mean())

    @property
    def is_over(self):
        """Whether there is no point in further epochs."""
        return self.misses_ >= self.patience or self.worse_ >= self.trial

    def _keep(self, net, loss):
        state = net.module_.state_dict()
        self.weights_ = {name: value.clone() for name, value in state.items()}
        self.least_kept_ = loss

    def end(self, net):
        """Put the best weights back."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)
            self.weights_ = None


@dataclass
class Choice:
    """What the rows kept out of training say.

    Attributes
    ----------
    epoch : int
        Epoch with the smallest mean loss of those that there is evidence for, counted
        from 1; 0 is the start.
    start : float
        Mean loss of the start.
    losses : list of float
        Mean loss after each epoch.
    """

    epoch: int
    start: float
    losses: list

    @property
    def loss(self):
        """Mean loss at the epoch chosen."""
        return self.losses[self.epoch - 1] if self.epoch else self.start


def choose(watches, evidence):
    """Choose an epoch by what was watched of each part of the rows."""
    start = torch.cat([watch.start_ for watch in watches])
    n_epochs = min(len(watch.curves_) for watch in watches)
    if n_epochs == 0:  # a callback has stopped training within the first one
        return Choice(0, float(start.mean()), [])
    curves = [torch.stack(watch.curves_[:n_epochs]) for watch in watches]
    losses = torch.cat(curves, dim=1)
    means, enough = losses.mean(dim=1), evidence(start - losses)
    if evidence.of_each and any(watch.is_hopeless for watch in watches):
        enough[:] = False
    best = int(means.where(enough, math.inf).argmin())
    return Choice(best + 1 if enough[best] else 0, float(start.mean()), means.tolist())


def folds(rows, generator):
    """Return pairs of rows to train on and rows to watch, a fold each."""
    parts = torch.randperm(len(rows), generator=generator).chunk(N_FOLDS)
    rest = [torch.cat(parts[:i] + parts[i + 1 :]) for i in range(len(parts))]
    return [(rows.subset(r), rows.subset(p)) for r, p in zip(rest, parts, strict=True)]


def fit_and_choose(net, rows, parts, evidence, curve=None, begin=None):
    """Train `net` on the `parts` of `rows`, and choose the epoch they agree on.

    It is that of the least mean loss among those by which rows kept out gain with
    `evidence` enough. Where `SURE` finds none, a network that can be stirred is, and
    trained once more. What rows kept out say of leading parts of the code is added to
    `curve`. With several parts, all rows are then trained on up to that epoch.
    ``begin(rows)`` sets what training on them starts at; by default that is what
    `net` has. The parts trained on are returned after the choice.
    """
    begin = begin or (lambda rows: None)
    start = {name: value.clone() for name, value in net.module.state_dict().items()}
    watch_parts = partial(_watch_parts, net, parts, evidence, curve, begin, start)
    # The rows of a fold alone are too few to be sure.
    net.watch.evidence = evidence if len(parts) == 1 else None
    choice, watched = watch_parts()
    if choice is None:
        return None, watched
    # A start that fills gaps is as good as asked for, and what folds gain from random
    # starts says little of one with all rows.
    may_stir = evidence is SURE and len(parts) == 1 and net.module.can_stir
    stirred = choice.epoch == 0 and may_stir
    if stirred:
        choice, watched = watch_parts(stirred)
    if choice.epoch == 0:
        net.module_.load_state_dict(start)
        if curve:
            curve.forget()
            for rows_train, rows_valid in watched:
                begin(rows_train)
                curve.add(net, rows_valid)
        begin(rows)
    elif len(watched) > 1:
        net.restart(start)
        begin(rows)
        net.train(rows, last_epoch=choice.epoch, by_folds=choice.losses)
    return choice, watched


def _watch_parts(net, parts, evidence, curve, begin, start, stirred=False):
    """Return what `parts` say, None if none are watched, and those trained on.

    The others are spared if one shows no gain where each must, or the first two none.
    """
    choice, watches = None, []
    if curve:
        curve.forget()
    for rows_train, rows_valid in parts:
        if watches or stirred:
            net.restart(start)
        begin(rows_train)
        watches.append(net.train(rows_train, rows_valid, stirred=stirred))
        if curve:
            curve.add(net, rows_train if rows_valid is None else rows_valid)
        if rows_valid is not None:
            choice = choose(watches, evidence)
        if evidence.of_each and watches[-1].is_hopeless:
            break
        if len(watches) == 2 and min(choice.losses, default=math.inf) >= choice.start:
            break
    return choice, parts[: len(watches)]


def reference_losses(loss, parts, net):
    """Return the mean losses, on the rows watched, of PCA and of the mean.

    Both are fitted to the rows trained on. PCA gets the rows corrupted and their gaps
    filled, and its scores are cut, as the network's input and code are.
    """
    corruption, ordered = net.corruption, net.module.config.get("ordered")
    by_pca = by_mean = size = 0.0
    for rows, rows_valid in parts:
        n_components = net.module.config["n_components"]
        mean, axes, _ = principal_axes(rows, n_components, net.generator)
        filler = rows.filler or net.filler
        noise = torch.Generator().manual_seed(0)
        # Filled rows are kept by the net, and so corrupted before any code is cut.
        cuts = torch.Generator().manual_seed(0) if filler else noise
        for x, target in net.get_iterator(rows_valid):
            m, a = mean.to(x), axes.to(x)
            x = corruption(x, generator=noise) if corruption else x
            x = filled(x, filler, nearly=True)
            scores = (x - m) @ a.T
            scores = nested_dropout(scores, cuts) if ordered else scores
            for_pca = rows.target(m + scores @ a)
            for_mean = rows.target(m).expand_as(x)
            by_pca += _sum_of_rows(loss(_decoded(for_pca, rows), target))
            by_mean += _sum_of_rows(loss(_decoded(for_mean, rows), target))
            size += len(x)
    return by_pca / size, by_mean / size


def _sum_of_rows(losses):
    """Return the sum of the rows' mean losses, by which epochs are judged too."""
    return float(losses.nanmean(dim=1).nan_to_num(0.0).sum())


def _decoded(reconstruction, rows):
    logits = reconstruction.logit(eps=1e-6) if rows.bounded else reconstruction
    return Output(reconstruction, None, logits, None)
