"""How long each variant takes to fit beside a bare PyTorch loop of the same objective.

Both train the same network of one hidden layer from a random start, on batches of the
same size, with the same optimiser and for as many epochs; for the variational one it is
skae's module, for it has scales that nobody would write by hand. Each line is the
median of interleaved repetitions, on one thread. The last column is the fit beside that
of the plain autoencoder.

    python benchmarks/speed_variants.py [--repetitions 5]
"""

import argparse
import math
import warnings
from functools import partial

import torch
from speed import compared, make_rows
from threadpoolctl import threadpool_limits
from torch import nn
from torch.nn import functional as F

from skae import (
    Autoencoder,
    BinaryAutoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
    VariationalAutoencoder,
)
from skae.networks import reset_parameters
from skae.variational import VariationalNetwork

SIZES = {"1797 x 64": (1797, 64), "10000 x 784": (10000, 784)}
EPOCHS = {"1797 x 64": 40, "10000 x 784": 5}
WIDTH, N_COMPONENTS, BATCH = 256, 30, 128


class Bare(nn.Module):
    """The network, as one would write it."""

    def __init__(self, n_columns):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(n_columns, WIDTH), nn.ReLU(), nn.Linear(WIDTH, N_COMPONENTS)
        )
        self.decoder = nn.Sequential(
            nn.Linear(N_COMPONENTS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, n_columns)
        )


def plain(net, x):
    """Return the mean squared error."""
    return F.mse_loss(net.decoder(net.encoder(x)), x)


def masking(net, x):
    """Return the error of restoring masked rows."""
    return F.mse_loss(net.decoder(net.encoder(x * (torch.rand_like(x) > 0.3))), x)


def gaussian(net, x):
    """Return the error of restoring noisy rows."""
    return F.mse_loss(net.decoder(net.encoder(x + 0.3 * torch.randn_like(x))), x)


def kl(net, x):
    """Return the error and the divergence of mean activations."""
    code = net.encoder(x).sigmoid()
    means, rate = code.mean(dim=0), 0.05
    net.means = net.means + len(x) / 1024 * (means.detach() - net.means)
    means = means + (net.means - means).detach()
    divergence = (
        rate * (rate / means).log() + (1 - rate) * ((1 - rate) / (1 - means)).log()
    )
    return F.mse_loss(net.decoder(code), x) + 0.5 * divergence.sum()


def l1(net, x):
    """Return the error and the L1 norm of the code."""
    code = net.encoder(x).relu()
    return F.mse_loss(net.decoder(code), x) + 0.005 * code.abs().sum(dim=1).mean()


def topk(net, x):
    """Return the error of decoding the largest entries, and what dead units add."""
    a = net.encoder(x)
    values, index = a.topk(5, dim=1)
    code = torch.zeros(len(x), N_COMPONENTS).scatter(1, index, values)
    loss = F.mse_loss(net.decoder(code), x)
    net.unused += len(x)
    net.unused[(code.detach() != 0).any(dim=0)] = 0
    dead = net.unused >= net.n_rows
    if not dead.any():
        return loss
    values, index = a.masked_fill(~dead, -torch.inf).topk(-(-int(dead.sum()) // 4))
    code = code.detach().scatter(1, index, values)
    return loss + F.mse_loss(net.decoder(code), x) / 4


def contractive(net, x):
    """Return the error and a projection of the Jacobian."""
    x = x.requires_grad_()
    code = net.encoder(x)
    signs = torch.randint(0, 2, code.shape).to(x) * 2 - 1
    (product,) = torch.autograd.grad(code, x, signs, create_graph=True)
    return F.mse_loss(net.decoder(code), x) + 0.001 * product.square().sum(1).mean()


def ordered(net, x):
    """Return the error of decoding leading parts."""
    sizes = torch.randint(1, N_COMPONENTS + 1, (len(x), 1))
    code = net.encoder(x) * (torch.arange(N_COMPONENTS) < sizes)
    return F.mse_loss(net.decoder(code), x)


def variational(net, x):
    """Return the negative evidence lower bound."""
    mean, log_variance = net.posterior(x)
    code = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
    log_scale = net.log_scale
    error = (x - net.decode(code)) * (-log_scale).exp()
    likelihood = (0.5 * error.square() + log_scale).sum(dim=1)
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
    return (likelihood + divergence.sum(dim=1)).mean()


def binary(net, x):
    """Return the error of decoding noisy bits of masked rows, and the balance."""
    a = net.encoder(x * (torch.rand_like(x) > 0.5))
    noisy = a + torch.randn_like(a)
    line = noisy.clamp(-1, 1)
    code = line + (noisy.sign() - line).detach()
    balance = a.mean(dim=0).square() + (a.square().mean(dim=0) - 1).square()
    return F.mse_loss(net.decoder(code), x) + 0.1 * balance.mean()


VARIANTS = {
    "plain": (plain, Autoencoder, {}),
    "denoising, masking": (masking, DenoisingAutoencoder, {}),
    "denoising, gaussian": (gaussian, DenoisingAutoencoder, {"corruption": "gaussian"}),
    "sparse, KL": (kl, SparseAutoencoder, {}),
    "sparse, L1": (l1, SparseAutoencoder, {"sparsity": "l1"}),
    "sparse, top-k": (
        topk,
        SparseAutoencoder,
        {"sparsity": "topk", "n_nonzero_coefs": 5},
    ),
    "contractive": (contractive, ContractiveAutoencoder, {}),
    "ordered": (ordered, Autoencoder, {"ordered": True}),
    "variational": (variational, VariationalAutoencoder, {}),
    "binary": (binary, BinaryAutoencoder, {}),
}


def bare_loop(X, objective, epochs):
    """Minimise `objective` as one would write it without a library."""
    rows = torch.from_numpy((X - X.mean(axis=0)) / X.std())
    net = Bare(X.shape[1])
    if objective is variational:
        net = VariationalNetwork(X.shape[1], N_COMPONENTS, (WIDTH,), "relu")
        reset_parameters(net, torch.Generator())
    net.means = torch.full((N_COMPONENTS,), 0.05)
    net.unused, net.n_rows = torch.zeros(N_COMPONENTS), len(X)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.005, fused=True)
    n_steps, step = epochs * -(-len(X) // BATCH), 0
    for _ in range(epochs):
        total = 0.0
        for index in torch.randperm(len(X)).split(BATCH):
            for group in optimizer.param_groups:
                group["lr"] = 0.0025 * (1 + math.cos(math.pi * step / n_steps))
            optimizer.zero_grad()
            loss = objective(net, rows[index])
            loss.backward()
            optimizer.step()
            total += loss.detach()
            step += 1
        float(total)


def estimator(cls, epochs, params):
    """Return the estimator that does what the bare loop does."""
    return cls(
        N_COMPONENTS,
        hidden_layer_sizes=WIDTH,
        init="random",
        batch_size=BATCH,
        max_iter=epochs,
        learning_rate="cosine",  # as in the bare loop
        learning_rate_init=0.005,
        early_stopping=False,
        weight_decay=0.01,
        random_state=0,
        **params,
    )


def table(X, size, repetitions):
    """Print a line for each variant."""
    epochs = EPOCHS[size]
    print(f"\n| {size} | bare loop, s | skae / bare | skae / plain |")
    print("|---|---|---|---|")
    first = None
    for name, (objective, cls, params) in VARIANTS.items():
        model = estimator(cls, epochs, params)
        functions = {
            "bare": partial(bare_loop, X, objective, epochs),
            "skae": partial(model.fit, X),
        }
        with threadpool_limits(1):
            times = compared(functions, repetitions)
        first = first or times["skae"]
        ratios = times["skae"] / times["bare"], times["skae"] / first
        print(f"| {name} | {times['bare']:.2f} | {ratios[0]:.2f} | {ratios[1]:.2f} |")


def main():
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    repetitions = parser.parse_args().repetitions
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for size, shape in SIZES.items():
        table(make_rows(*shape), size, repetitions)


if __name__ == "__main__":
    main()
