"""Choosing, on rows kept out of training, how far to depart from the start."""

from dataclasses import dataclass

import torch

from skae._rows import blocks, principal_axes
from skae.networks import Output

N_FOLDS = 5
# Rows below which a tenth of them is too few to choose on.
FOLDS_BELOW = 1000


@dataclass
class Choice:
    """What the rows kept out of training say.

    Attributes
    ----------
    epoch : int
        Epoch with the smallest mean loss, counted from 1; 0 is the start.
    loss : float
        Mean loss there.
    losses : list of float
        Mean loss after each epoch.
    """

    epoch: int
    loss: float
    losses: list


def choose(curves, start, cautious):
    """Choose from losses of shape (epochs, rows) and those of the start, (rows,).

    A cautious choice leaves the start only if the rows gain by more than one standard
    error of the mean gain, and if more of them gain than lose by more than a standard
    deviation of that count: the mean alone would let a few extreme rows decide.
    """
    means = curves.mean(dim=1)
    epoch = int(means.argmin())
    gain = (start - curves[epoch]).double()
    if cautious:
        root = len(gain) ** 0.5
        by_mean = gain.mean() > gain.std(correction=0) / root
        better = by_mean and gain.sign().sum() > root
    else:
        better = gain.mean() > 0
    if better:
        return Choice(epoch + 1, float(means[epoch]), means.tolist())
    return Choice(0, float(start.mean()), means.tolist())


def folds(rows, generator):
    """Return pairs of rows to train on and rows to watch, a fold each."""
    parts = torch.randperm(len(rows), generator=generator).chunk(N_FOLDS)
    rest = [torch.cat(parts[:i] + parts[i + 1 :]) for i in range(len(parts))]
    return [(rows.subset(r), rows.subset(p)) for r, p in zip(rest, parts, strict=True)]


def fit_and_choose(net, rows, parts, cautious):
    """Train `net` on the `parts` of `rows`, and choose the epoch they agree on.

    With several parts, all rows are then trained on up to that epoch. The start is
    that of all rows in each part, so that the comparison errs on its side.
    """
    start = {name: value.clone() for name, value in net.module.state_dict().items()}
    watches = []
    for rows_train, rows_valid in parts:
        if watches:
            net.restart(start)
        watches.append(net.train(rows_train, rows_valid))
    if watches[0].start_ is None:
        return None
    n_epochs = min(len(watch.curves_) for watch in watches)
    curves = [torch.stack(watch.curves_[:n_epochs]) for watch in watches]
    choice = choose(
        torch.cat(curves, dim=1), torch.cat([w.start_ for w in watches]), cautious
    )
    if choice.epoch == 0:
        net.module_.load_state_dict(start)
    elif len(parts) > 1:
        net.restart(start)
        net.train(rows, last_epoch=choice.epoch)
    return choice


def reference_losses(loss, parts, n_components, generator):
    """Return the mean losses, on the rows watched, of PCA and of the mean.

    Both are fitted to the rows trained on.
    """
    by_pca = by_mean = size = 0.0
    for rows, rows_valid in parts:
        mean, axes, _ = principal_axes(rows, n_components, generator)
        for block in blocks(*rows_valid.shape):
            x = rows_valid.take(block)
            m, a = mean.to(x), axes.to(x)
            target = rows_valid.target(x)
            for_pca = rows.target(m + (x - m) @ a.T @ a)
            for_mean = rows.target(m).expand_as(x)
            by_pca += float(loss(_decoded(for_pca, rows), target).sum())
            by_mean += float(loss(_decoded(for_mean, rows), target).sum())
            size += target.numel()
    return by_pca / size, by_mean / size


def _decoded(reconstruction, rows):
    logits = reconstruction.logit(eps=1e-6) if rows.bounded else reconstruction
    return Output(reconstruction, None, logits)
