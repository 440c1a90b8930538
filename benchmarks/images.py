"""ConvolutionalAutoencoder beside dense layers and PCA: errors, seconds and memory.

Errors are squared errors of held-out images relative to the dense Autoencoder's, which
has as many components, on one thread. The convolutional one is given as many epochs as
take as long as the dense fit, three times as long, and its own number; the table says
how long they really took. Then come the seconds of a fit beside a bare PyTorch loop of
the same network, and the memory that a fit of 60,000 images of bytes adds.

    python benchmarks/images.py [--rows 6000] [--seeds 2] [--only errors,bounds]
        [--images MNIST] [--hidden 256,128]
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
import torch
from data import archive, bundled, faces, images, photographs
from sklearn.base import clone
from sklearn.decomposition import PCA
from speed import added_memory, compared
from threadpoolctl import threadpool_limits
from torch import nn
from torch.nn import functional as F

from skae import (
    Autoencoder,
    ConvolutionalAutoencoder,
    ConvolutionalVariationalAutoencoder,
    VariationalAutoencoder,
)

EPOCHS, BATCH, N_COMPONENTS = 3, 128, 16


def sample(name, n_rows, seed):
    """Return some training images in rows, and some test images."""
    train, test = images(name)
    rows = np.random.default_rng(seed).permutation(len(train))[:n_rows]
    return train[rows], test[:2000]


def cases(n_rows):
    """Return ``{name: (load, image_shape, sizes)}`` of what is there."""
    found = {
        "MNIST": (partial(sample, "mnist", n_rows), (28, 28), (16, 32)),
        "Fashion-MNIST": (partial(sample, "fashion_mnist", n_rows), (28, 28), (16, 32)),
        "digits": (partial(bundled, "digits"), (8, 8), (8,)),
    }
    if archive("frey_faces"):
        found["faces"] = faces, (28, 20), (4,)
        found["CIFAR-10"] = photographs, (32, 32, 3), (32,)
    return found


def fitted(model, train):
    """Return the fitted model and the processor's seconds."""
    start = time.process_time()
    model.fit(train)
    return model, time.process_time() - start


def epochs_for(seconds, model, train):
    """Return how many epochs take `seconds`, by the times of one and of four."""
    model = clone(model).set_params(n_iter_no_change=None)  # none ends early
    model.set_params(max_iter=1).fit(train[:1000])  # what is loaded once costs nobody
    _, one = fitted(model.set_params(max_iter=1), train)
    _, four = fitted(model.set_params(max_iter=4), train)
    return max(1, round(1 + 3 * (seconds - one) / (four - one)))


def errors(model, train, test, k, seed):
    """Return errors relative to the dense one, then seconds relative to its."""

    def error(model):
        codes = model.transform(test)
        return float(((test - model.inverse_transform(codes)) ** 2).sum())

    pca = error(PCA(k, random_state=seed).fit(train))
    dense, seconds = fitted(Autoencoder(k, random_state=seed), train)
    model = clone(model).set_params(n_components=k, random_state=seed)
    found, times = [pca], [1.0]
    for budget in (seconds, 3 * seconds, None):
        epochs = epochs_for(budget, model, train) if budget else "auto"
        _, spent = fitted(model.set_params(max_iter=epochs), train)
        found.append(error(model))
        times.append(spent / seconds)
    return np.array([*(np.array(found) / error(dense)), *times[1:], seconds])


def table_of_errors(n_rows, n_seeds, names, hidden):
    """Print a line for each set and size, the means over seeds."""
    model = ConvolutionalAutoencoder()
    if hidden:
        model.set_params(hidden_layer_sizes=tuple(map(int, hidden.split(","))))
    print("\n| images | rows | k | PCA | same time | three times | default |", end="")
    print(" times, beside dense | dense, s |\n|---|---|---|---|---|---|---|---|---|")
    for name, (load, image_shape, sizes) in cases(n_rows).items():
        model.set_params(image_shape=image_shape)
        for k in sizes if not names or name in names.split(",") else ():
            runs = []
            for seed in range(n_seeds):
                train, test = load(seed)
                runs.append(errors(model, train, test, k, seed))
            pca, same, three, own, *times, seconds = np.mean(runs, axis=0)
            print(
                f"| {name} | {len(train)} | {k} | {pca:.2f} | {same:.2f} | {three:.2f} "
                f"| {own:.2f} | {', '.join(f'{t:.1f}' for t in times)} "
                f"| {seconds:.1f} |",
                flush=True,
            )


def table_of_bounds(n_rows, n_seeds):
    """Print the held-out bounds of variational autoencoders, and their seconds."""
    print("\n| images | model | ELBO, nats | s |\n|---|---|---|---|")
    models = {
        "dense": VariationalAutoencoder,
        "convolutional": partial(
            ConvolutionalVariationalAutoencoder, image_shape=(28, 28)
        ),
    }
    for name in ("MNIST", "Fashion-MNIST"):
        load, _, _ = cases(n_rows)[name]
        for label, make in models.items():
            runs = []
            for seed in range(n_seeds):
                train, test = load(seed)
                model = make(N_COMPONENTS, likelihood="bernoulli", random_state=seed)
                model, seconds = fitted(
                    model.set_params(n_importance_samples=10), train
                )
                runs.append((model.elbo(test).mean(), seconds))
            bound, seconds = np.mean(runs, axis=0)
            print(f"| {name} | {label} | {bound:.1f} | {seconds:.1f} |", flush=True)


class Bare(nn.Module):
    """The network, as one would write it."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 4, 2, 1),
            nn.GELU(),
            nn.Conv2d(16, 32, 4, 2, 1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(1568, 256),
            nn.GELU(),
            nn.Linear(256, N_COMPONENTS),
        )
        self.decoder = nn.Sequential(
            nn.Linear(N_COMPONENTS, 256),
            nn.GELU(),
            nn.Linear(256, 1568),
            nn.GELU(),
            nn.Unflatten(1, (32, 7, 7)),
            nn.ConvTranspose2d(32, 16, 4, 2, 1),
            nn.GELU(),
            nn.ConvTranspose2d(16, 1, 4, 2, 1),
        )

    def forward(self, x):
        """Return the reconstruction of images `x`."""
        return self.decoder(self.encoder(x))


def bare_loop(X):
    """Train as one would write it without a library."""
    maps = torch.from_numpy((X - X.mean(axis=0)) / X.std()).reshape(-1, 1, 28, 28)
    network = Bare()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.005, fused=True)
    n_steps, step = EPOCHS * -(-len(maps) // BATCH), 0
    for _ in range(EPOCHS):
        total = 0.0
        for index in torch.randperm(len(maps)).split(BATCH):
            x = maps[index]
            for group in optimizer.param_groups:
                group["lr"] = 0.005 * (1 - step / n_steps)
            optimizer.zero_grad()
            loss = F.mse_loss(network(x), x)
            loss.backward()
            optimizer.step()
            total += loss.detach()
            step += 1
        float(total)


def table_of_seconds(repetitions=5):
    """Print the seconds of the bare loop and of the same fit, and their ratio."""
    X = np.random.default_rng(0).random((5000, 784), dtype=np.float32)
    model = ConvolutionalAutoencoder(
        N_COMPONENTS,
        image_shape=(28, 28),
        init="random",
        kernel_size=4,
        batch_size=BATCH,
        max_iter=EPOCHS,
        early_stopping=False,
        weight_decay=0.01,
        learning_rate_init=0.005,
        random_state=0,
    )
    from_pca = clone(model).set_params(init="pca")
    times = compared(
        {
            "bare loop": partial(bare_loop, X),
            "skae, the same": partial(model.fit, X),
            "skae, from PCA": partial(from_pca.fit, X),
        },
        repetitions,
    )
    print("\n| fit of 5000 x 28 x 28, 3 epochs | s | beside the loop |\n|---|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {seconds:.2f} | {seconds / times['bare loop']:.2f} |")


def memory():
    """Print the peak of the resident memory in a fit, beyond that before it."""
    print("\n| images of bytes | as float32, MiB | fit and transform add, MiB |")
    print("|---|---|---|")
    for n_rows in (20000, 60000):
        setup = f"""
from skae import ConvolutionalAutoencoder
X = np.random.default_rng(0).integers(0, 256, ({n_rows}, 28, 28), dtype=np.uint8)
model = ConvolutionalAutoencoder(4, channels=(4, 8), max_iter=1, random_state=0)
model.fit(X[:2000])
"""
        added = added_memory(setup, "model.fit(X).transform(X)")
        print(f"| {n_rows} x 28 x 28 | {n_rows * 784 * 4 / 2**20:.0f} | {added:.0f} |")


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="errors,bounds,speed,memory")
    parser.add_argument("--images", default="", help="of which to print errors")
    parser.add_argument("--hidden", default="", help="hidden_layer_sizes")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    only = arguments.only.split(",")
    with threadpool_limits(1):
        if "errors" in only:
            table_of_errors(
                arguments.rows, arguments.seeds, arguments.images, arguments.hidden
            )
        if "bounds" in only:
            table_of_bounds(arguments.rows, arguments.seeds)
        if "speed" in only:
            table_of_seconds()
    if "memory" in only:
        memory()


if __name__ == "__main__":
    main()
