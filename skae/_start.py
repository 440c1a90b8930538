"""Starting points of training: a network that is PCA before its first step."""

import torch
from torch import nn

from skae._axes import principal_axes
from skae._gaps import filled
from skae._rows import blocks, evenly
from skae.networks import zero_last_layer


def start_at_pca(network, rows, generator, corruption=None, filler=None):
    """Make `network` the PCA of `rows`, and scale its corrections to what PCA leaves.

    What `corruption` adds is left too, with new gaps filled by `filler`.

    The code starts as PCA's scores, with unit variance where the code has an
    activation, and the output as PCA's reconstruction. Without an activation that is so
    along axes too on which `rows` do not vary, for others may. Components beyond the
    axes start as random directions that the decoder does not use yet.
    """
    mean, axes, variances = principal_axes(
        rows, network.config["n_components"], generator
    )
    left = mean_square(rows, mean) - float(variances.sum())
    if corruption is not None:
        x = rows.take(evenly(len(rows), 1024))
        shown = filled(corruption(x, generator=generator), filler, nearly=True)
        changed = shown - x
        left += min(float(changed.square().sum(dim=1).mean()), float(variances.sum()))
    left = max(left, 1e-6 * rows.shape[1]) ** 0.5
    # Beside a path, only the layers that correct it are tied.
    tied = network.is_tied and not network.has_path
    plain = tied or network.config["code_activation"] == "identity"
    varies = variances > variances.max() * 1e-12
    # An activation's code would blow up what does not vary, and a penalty on the code
    # may spoil rows that are all the same.
    kept = varies | (plain and bool(varies.any()))
    axes, deviations = axes[kept], variances.sqrt().where(varies, left)[kept]
    units = torch.ones_like(deviations) if plain else deviations
    # Both maps of tied layers share what the output's unit asks of the decoder.
    shared = output_unit(network, rows) ** 0.5 if tied else 1.0
    # A path decodes codes that are divided by their deviations.
    lengths = deviations if network.has_path else units
    encoder, decoder = axes / units[:, None], axes * lengths[:, None]
    set_linear_maps(network, mean, shared * encoder, shared * decoder)
    if network.has_path:
        with torch.no_grad():
            network.code_gain.fill_(left)
            network.code_gain[: len(axes)] = deviations.clamp(max=left) / units
            network.code_scale.fill_(left)
            network.code_scale[: len(axes)] = deviations / units
            unit = output_unit(network, rows)
            network.output_gain.fill_(left / rows.shape[1] ** 0.5 * unit)
    if tied:
        centre_output(network, rows, mean)
    elif not (plain and network.config["output_activation"] == "identity"):
        refit_decoder(network, rows)


@torch.no_grad()
def start_at_hash(network, rows, generator):
    """Make the bits of `network` signs of rotated PCA, each for half of `rows` [1]_.

    Where there are more bits than components, they come in blocks, each a random
    rotation of the first. The decoder is fitted by least squares.

    References
    ----------
    .. [1] Y. Gong and S. Lazebnik, "Iterative quantization: a procrustean approach to
       learning binary codes", CVPR 2011.
    """
    n_bits = network.config["n_components"]
    mean, axes, variances = principal_axes(rows, n_bits, generator)
    axes = axes[: max(1, int((variances > variances.max() * 1e-12).sum()))]
    scores = torch.cat([(rows.exact(b) - mean) @ axes.T for b in blocks(*rows.shape)])
    rotation = _quantising_rotation(scores, generator)
    turns = [
        _rotation(len(axes), generator) for _ in range(len(axes), n_bits, len(axes))
    ]
    rotation = torch.cat([rotation, *(rotation @ t for t in turns)], dim=1)[:, :n_bits]
    scores = scores @ rotation
    deviations = scores.std(dim=0, correction=0)
    deviations[deviations < 1e-9] = 1.0
    middle = scores.sort(dim=0).values[[(len(rows) - 1) // 2, len(rows) // 2]]
    encoder = (axes.T @ rotation / deviations).T
    set_linear_maps(network, mean, encoder, 0 * encoder)
    first, _ = _linear_layers(network)
    shift = middle.mean(dim=0) / deviations
    first.bias[: len(encoder)] -= rounded(shift, first.bias)
    if network.is_tied and not network.has_path:
        centre_output(network, rows, mean)
    else:
        refit_decoder(network, rows)
    if network.has_path:
        network.output_gain.fill_(_root_mean_square_error(network, rows))


def output_unit(network, rows):
    """Return what corrections of 1 in the unit of scaled rows are for the decoder.

    It decodes in the units of the data where the output has an activation, and logits
    of bounded ones have none.
    """
    bounded = "identity", "logistic", "tanh"
    return 1.0 if network.config["output_activation"] in bounded else rows.scale


def _root_mean_square_error(network, rows):
    left = sum(
        (rows.target(x) - network(x).reconstruction).square().sum()
        for x in _batches(network, rows)
    )
    return (left / rows.shape[0] / rows.shape[1]).sqrt()


def _batches(network, rows):
    for block in blocks(*rows.shape):
        yield rows.take(block).to(network.anchor)


def _rotation(size, generator):
    normal = torch.randn(size, size, dtype=torch.float64, generator=generator)
    return torch.linalg.qr(normal).Q


def _quantising_rotation(scores, generator, n_iter=50):
    """Return the rotation that brings `scores` near to their signs."""
    rotation = _rotation(scores.shape[1], generator)
    for _ in range(n_iter):
        signs = (scores @ rotation).sign()
        left, _, right = torch.linalg.svd(scores.T @ signs)
        rotation = left @ right
    return rotation


def mean_square(rows, mean):
    squares = (
        (rows.exact(block) - mean).square().sum() for block in blocks(*rows.shape)
    )
    return float(sum(squares)) / len(rows)


def set_linear_maps(network, mean, encoder, decoder):
    """Make `network` linear: centre, map by `encoder`, and back by `decoder`.

    Both maps have a row for each of the code's first units. Units beyond are left as
    they are in the encoder, unless it is tied to the decoder, where they are zero.
    """
    first, second = _linear_layers(network)
    with torch.no_grad():
        if not isinstance(second, nn.Linear):
            first.weight.zero_()
        first.weight[: len(encoder)] = rounded(encoder, first.weight)
        first.bias.zero_()
        first.bias[: len(encoder)] = rounded(-(encoder @ mean), first.bias)
        second.bias[:] = rounded(mean, second.bias)
        if isinstance(second, nn.Linear):
            second.weight.zero_()
            second.weight[:, : len(decoder)] = rounded(decoder.T, second.weight)


def rounded(values, like):
    """Cast `values`, where to single precision over a grid as fine.

    Else noise in their last digits, as from another unit of the data, would stay
    where they are near zero, and training would make it grow.
    """
    if like.dtype == torch.float32:
        values = torch.round(values * 2**26) / 2**26
    return values.to(like)


def _linear_layers(network):
    """Return the encoder's and the decoder's linear layer, and zero those beside."""
    if not network.has_path:
        return network.encoder[-1], network.decoder[-1]
    _, last = map(zero_last_layer, (network.encoder, network.decoder))
    if network.is_tied:
        # Hidden logistic units are not zero where their input is.
        no_code = torch.zeros(1, network.config["n_components"]).to(last.bias)
        with torch.no_grad():
            last.bias -= network.decoder(no_code)[0]
    return network.encoder_path, network.decoder_path


@torch.no_grad()
def centre_output(network, rows, mean):
    """Let a tied layer decode zeros to `mean`, whatever its output's activation."""
    mean = rows.target(mean)
    if isinstance(network.output_activation, nn.Sigmoid):
        mean = mean.clamp(0.01, 0.99).logit()
    elif isinstance(network.output_activation, nn.Tanh):
        mean = mean.clamp(-0.99, 0.99).atanh()
    bias = network.decoder[-1].bias
    bias[:] = rounded(mean, bias)


@torch.no_grad()
def refit_decoder(network, rows):
    """Fit the linear decoder to the codes by least squares.

    Where the output is logistic, it is fitted to the logits' first-order expansion
    around the columns' means.
    """
    _, decoder = _linear_layers(network)
    moments = targets = 0.0
    for x in _batches(network, rows):
        code = network.encode(x).double()
        code = 2 * code - 1 if network.is_binary else code
        code = torch.cat([code, torch.ones_like(code[:, :1])], dim=1)
        moments = moments + code.T @ code
        targets = targets + code.T @ rows.target(x).double()
    if isinstance(network.output_activation, nn.Sigmoid):
        count = moments[:, -1:]
        mean = (targets[-1] / len(rows)).clamp(0.01, 0.99)
        targets = (targets - count * mean) / (mean * (1 - mean)) + count * mean.logit()
    ridge = 1e-6 * moments.diagonal().mean() * torch.eye(len(moments)).to(moments)
    solution = torch.linalg.solve(moments + ridge, targets)
    decoder.weight[:] = solution[:-1].T.to(decoder.weight)
    if network.has_path:
        decoder.weight.mul_(network.code_scale)
    decoder.bias[:] = solution[-1].to(decoder.bias)


@torch.no_grad()
def principal_components(network, rows):
    """Read principal axes and the variances along them off a linear `network`.

    With the decoder's matrix :math:`B` and the covariance :math:`S` of the code, they
    are the left singular vectors of :math:`B S^{1/2}` and its squared singular values.
    """
    codes = [network.encode(x).cpu().double() for x in _batches(network, rows)]
    codes = torch.cat(codes)
    codes = codes - codes.mean(dim=0)
    values, vectors = torch.linalg.eigh(codes.T @ codes / max(len(codes) - 1, 1))
    root = vectors * values.clamp(min=0).sqrt()
    unit = torch.eye(codes.shape[1]).to(network.anchor)
    matrix = (network.decode(unit) - network.decode(0 * unit)).cpu().double().T
    axes, scales, _ = torch.linalg.svd(matrix @ root, full_matrices=False)
    axes = axes.T
    largest = axes.abs().argmax(dim=1, keepdim=True)
    axes = axes * axes.gather(1, largest).sign()
    return axes.numpy(), scales.square().numpy()
