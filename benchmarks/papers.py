"""Published tables, with the same protocol run again on skae.

Every line of a table has the paper, the protocol, the paper's number, ours, and how
long ours took. The quick mode, of some two minutes, has fewer images, units and epochs
than the full one. Each line says how many.

    python benchmarks/papers.py [--full] [table ...]
"""

import argparse
import time
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from data import archive, images, labels, word_counts
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM
from skorch.callbacks import Callback

from skae import (
    Autoencoder,
    BinaryAutoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
    StackedAutoencoder,
    VariationalAutoencoder,
)


@dataclass
class Row:
    """A line of a table: what a paper reports beside what comes out here.

    `published` and `ours` have an entry for each of the table's quantities.
    """

    model: str
    paper: str
    protocol: str
    published: tuple
    ours: tuple
    seconds: float


@dataclass
class Table:
    """A title, the names of what is measured, and a function that yields rows."""

    title: str
    measured: tuple
    rows: callable


def timed(function):
    """Return what `function` returns, and the seconds of processors it took."""
    start = time.process_time()
    returned = function()
    return returned, time.process_time() - start


def epochs_of(model):
    """Return how many epochs a model was trained for, in words."""
    return f"{len(model.loss_curve_)} epochs"


# -- a code of 30 numbers ---------------------------------------------------------


def squared_error(model, X):
    """Return the squared error of a reconstruction, summed over a row's pixels."""
    codes = model.transform(X)
    return float(np.square(X - model.inverse_transform(codes)).sum(axis=1).mean())


def thirty_numbers(full):
    """Reconstruct MNIST's test images from 30 numbers."""
    train, test = images("mnist")
    science = "Hinton & Salakhutdinov 2006"
    pca, seconds = timed(lambda: PCA(30, svd_solver="covariance_eigh").fit(train))
    protocol = f"{len(train)} images"
    error = squared_error(pca, test)
    yield Row("PCA", science, protocol, ("13.87",), (error,), seconds)

    common = dict(loss="binary_cross_entropy", early_stopping=False, random_state=0)
    linear = Autoencoder(
        30, hidden_layer_sizes=(), max_iter=20 if full else 3, **common
    )
    linear, seconds = timed(lambda: linear.fit(train))
    protocol = f"{len(train)} images, cross-entropy, {epochs_of(linear)}"
    error = squared_error(linear, test)
    yield Row("logistic PCA", science, protocol, ("~8.01",), (error,), seconds)

    widths = (1000, 500) if full else (500, 250)
    deep = Autoencoder(
        30,
        hidden_layer_sizes=widths,
        activation="silu",
        max_iter=40 if full else 3,
        weight_decay=0.7 if full else "auto",
        **common,
    )
    deep, seconds = timed(lambda: deep.fit(train))
    error = squared_error(deep, test)
    protocol = (
        f"{len(train)} images, 784-{'-'.join(map(str, widths))}-30 from PCA, "
        f"cross-entropy, {epochs_of(deep)}"
    )
    published = {
        science: "3.00",
        "a replica without pretraining": "2.65",
        "Martens 2010, Hessian-free": "~2.28",
    }
    yield Row(
        "deep autoencoder",
        "; ".join(published),
        protocol,
        ("; ".join(published.values()),),
        (error,),
        seconds,
    )


# -- pretraining ------------------------------------------------------------------


def pretraining(full):
    """Train a deep logistic network from a random start, and from its layers."""
    train, test = images("mnist")
    train = train[: 20000 if full else 4000]
    widths = (1000, 500, 250) if full else (200, 100, 50)
    n_epochs = 20 if full else 10
    n_pretrain = 10
    error = float(np.square(test - train.mean(axis=0)).sum(axis=1).mean())
    paper = "Hinton & Salakhutdinov 2006"
    yield Row("mean image", "", f"{len(train)} images", ("",), (error,), 0.0)

    machine = BernoulliRBM(
        learning_rate=0.1, batch_size=100, n_iter=n_pretrain, random_state=0
    )
    shallow = dict(
        hidden_layer_sizes=(),
        init="random",
        code_activation="logistic",
        loss="binary_cross_entropy",
        max_iter=n_pretrain,
        early_stopping=False,
    )
    layers = {
        "random start": None,
        "Boltzmann machines": machine,
        "denoising layers": DenoisingAutoencoder(corruption_level=0.2, **shallow),
    }
    published = {"random start": "~ the mean image", "Boltzmann machines": "3.00"}
    for solver, rate in (("sgd", 1.0), ("adam", 0.002)):
        for name, layer in layers.items():
            model = StackedAutoencoder(
                30,
                hidden_layer_sizes=widths,
                activation="logistic",
                code_activation="identity",
                loss="binary_cross_entropy",
                layer=layer,
                init="layers" if layer else "random",
                solver=solver,
                learning_rate_init=rate,
                weight_decay=0.0,
                max_iter=n_epochs,
                early_stopping=False,
                random_state=0,
            )
            _, seconds = timed(lambda model=model: model.fit(train))
            before = f"{n_pretrain} epochs a layer, then " if layer else ""
            protocol = (
                f"{len(train)} images, 784-{'-'.join(map(str, widths))}-30, {before}"
                f"{n_epochs} epochs of {solver}"
            )
            yield Row(
                f"{name}, {solver}",
                paper if name in published else "",
                protocol,
                (published.get(name, ""),),
                (squared_error(model, test),),
                seconds,
            )


# -- contraction ------------------------------------------------------------------


def jacobians(model, X):
    """Return the mean norm of the code's derivatives by the pixels of rows.

    The code is logistic and of one layer: its derivatives are h (1 - h) W.
    """
    slopes = model.transform(X)
    slopes = slopes * (1 - slopes)
    weight = model.net_.module_.single_layer.weight.detach().numpy() / model.scale_
    return float(np.sqrt(slopes**2 @ (weight**2).sum(axis=1)).mean())


def contraction(full):
    """Compare derivatives and saturation of codes of logistic units."""
    train, test = images("mnist")
    train = train[: 20000 if full else 5000]
    n_units = 1000 if full else 300
    common = dict(
        hidden_layer_sizes=(),
        init="random",
        tied_weights=True,
        code_activation="logistic",
        loss="binary_cross_entropy",
        weight_decay=0.0,
        max_iter=10,
        early_stopping=False,
        random_state=0,
    )
    gaussian = dict(corruption="gaussian", corruption_level=1.0)
    models = {
        "contractive": (
            ContractiveAutoencoder(n_units, contraction=0.003, **common),
            (".73e-4", "86.36"),
        ),
        "denoising, Gaussian": (
            DenoisingAutoencoder(n_units, **gaussian, **common),
            (".86e-4", "17.77"),
        ),
        "denoising, masking": (
            DenoisingAutoencoder(n_units, corruption_level=0.25, **common),
            ("7.87e-4", "68.19"),
        ),
        "weight decay": (
            Autoencoder(n_units, **(common | {"alpha": 1e-5})),
            ("5.00e-4", "12.97"),
        ),
        "plain": (Autoencoder(n_units, **common), ("17.5e-4", "49.90")),
    }
    for name, (model, published) in models.items():
        _, seconds = timed(lambda model=model: model.fit(train))
        codes = model.transform(test)
        saturated = 100 * float(((codes < 0.05) | (codes > 0.95)).mean())
        ours = jacobians(model, test), saturated, squared_error(model, test)
        protocol = f"{len(train)} images, {n_units} tied units, {epochs_of(model)}"
        yield Row(name, "Rifai et al. 2011", protocol, (*published, ""), ours, seconds)


# -- linear classifiers of codes --------------------------------------------------


def classified(train, test, strength):
    """Return the percentage that a linear classifier gets wrong of the test rows."""
    y_train, y_test = labels("mnist")
    mean, unit = train.mean(axis=0), np.sqrt(train.var(axis=0).sum())
    model = LogisticRegression(C=strength, max_iter=200)
    model.fit((train - mean) / unit, y_train[: len(train)])
    right = model.score((test - mean) / unit, y_test[: len(test)])
    return 100 * (1 - right)


def linear_classifiers(full):
    """Classify MNIST by a logistic regression of codes learnt without labels."""
    train, test = images("mnist")
    train = train if full else train[:5000]
    n_units, n_coefs = (1000, 25) if full else (300, 25)
    paper = "Makhzani & Frey 2013"
    protocol = f"{len(train)} images"
    error, seconds = timed(lambda: classified(train, test, 10.0))
    yield Row("pixels", paper, protocol, ("~7.2",), (error,), seconds)
    common = dict(max_iter=10, early_stopping=False, random_state=0)
    models = {
        "denoising": (
            DenoisingAutoencoder(
                n_units,
                hidden_layer_sizes=(),
                init="random",
                code_activation="relu",
                corruption_level=0.2,
                **common,
            ),
            paper,
            "~1.95",
        ),
        f"top {n_coefs}": (
            SparseAutoencoder(
                n_units,
                sparsity="topk",
                n_nonzero_coefs=n_coefs,
                tied_weights=True,
                learning_rate_init=0.003,
                **common,
            ),
            f"{paper}; Makhzani & Frey 2015, winner takes all, 2000 units",
            "~1.35; ~1.2",
        ),
    }
    for name, (model, paper, published) in models.items():

        def fit_and_classify(model=model):
            model.fit(train)
            return classified(model.transform(train), model.transform(test), 100.0)

        error, seconds = timed(fit_and_classify)
        protocol = f"{len(train)} images, {n_units} units, {epochs_of(model)}"
        yield Row(name, paper, protocol, (published,), (error,), seconds)


# -- the likelihood of a variational autoencoder ----------------------------------


class FreshDraws(Callback):
    """Draw the pixels of the training images anew before each epoch.

    A pixel is 1 with its own value as the probability, and else 0.
    """

    def __init__(self, n_rows):
        self.n_rows = n_rows

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        """Put a draw in the place of the rows that are trained on."""
        rows = dataset_train
        mean = torch.from_numpy(rows.mean).float()
        probabilities = torch.from_numpy(images("mnist")[0][: self.n_rows])
        for p, x in zip(
            probabilities.split(4096), rows.tensor.split(4096), strict=True
        ):
            draw = torch.bernoulli(p, generator=net.generator)
            x.copy_((draw - mean) / rows.scale)


def binarised(X, seed):
    """Return a draw of ones where a pixel's own value is the probability."""
    return (np.random.default_rng(seed).random(X.shape, np.float32) < X).astype("f4")


def variational(full):
    """Estimate the negative log-likelihood of binarised test images."""
    train, test = images("mnist")
    if not full:
        train = train[:12000]
    model = VariationalAutoencoder(
        50,
        hidden_layer_sizes=(200, 200),
        likelihood="bernoulli",
        activation="silu",
        max_iter=200 if full else 10,
        early_stopping=False,
        callbacks=[FreshDraws(len(train))],
        n_importance_samples=5000 if full else 200,
        random_state=0,
    )
    model, seconds = timed(lambda: model.fit(binarised(train, 0)))
    rows = binarised(test[: 1000 if full else 200], 1)
    ours = -model.score_samples(rows).mean(), -model.elbo(rows).mean()
    protocol = (
        f"{len(train)} images drawn anew each epoch, 784-200-200-50, "
        f"{epochs_of(model)}; {len(rows)} test images, "
        f"{model.n_importance_samples} draws each; {model.active_units_.sum()} units "
        "active"
    )
    paper = "Burda et al. 2016, one layer, k = 1"
    yield Row("VAE", paper, protocol, ("~86.76", ""), ours, seconds)


# -- semantic hashing -------------------------------------------------------------


def collections(full):
    """Return, for each collection, rows to search, queries, and their labels."""
    rng = np.random.default_rng(0)
    n_train, n_test = (10000, 1000) if full else (2000, 200)
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(X))
    X, y = X[order] / 16, y[order]
    found = {"digits": (X[:-500], X[-500:], y[:-500], y[-500:])}
    for title, name in (("MNIST", "mnist"), ("Fashion-MNIST", "fashion_mnist")):
        rows = rng.permutation(60000)[:n_train], rng.permutation(10000)[:n_test]
        parts = (images(name), labels(name))
        found[title] = [p[r] for part in parts for p, r in zip(part, rows, strict=True)]
    if archive("newsgroups20_bow"):
        train, test = word_counts("train"), word_counts("test")
        tfidf = TfidfTransformer(sublinear_tf=True).fit(train)
        n_train, n_test = (len(train.indptr), 1000) if full else (2000, 200)
        y = [archive("newsgroups20_bow")[f"y_{part}"] for part in ("train", "test")]
        rows = [
            rng.permutation(np.flatnonzero(np.diff(counts.indptr)))[:n]
            for counts, n in ((train, n_train), (test, n_test))
        ]
        found["20 Newsgroups"] = [
            *(tfidf.transform(X)[r] for X, r in zip((train, test), rows, strict=True)),
            *(labels[r] for labels, r in zip(y, rows, strict=True)),
        ]
    return found


def precision(bits, queries, y, y_queries, n_nearest=100):
    """Return the share of the nearest rows by Hamming distance with a query's label.

    Of rows as near as each other the first ones count.
    """
    signs, query_signs = (2.0 * b.astype(np.float32) - 1 for b in (bits, queries))
    distances = bits.shape[1] - query_signs @ signs.T
    order = np.argsort(distances, axis=1, kind="stable")[:, :n_nearest]
    return float((y[order] == y_queries[:, None]).mean())


class Signs:
    """Bits that are the signs of principal components, rotated or not.

    The rotation is that of iterative quantisation (Gong & Lazebnik 2011).
    """

    def __init__(self, n_bits, rotated):
        self.n_bits, self.rotated = n_bits, rotated

    def fit(self, X):
        X = X.toarray() if hasattr(X, "toarray") else X
        self.pca_ = PCA(min(self.n_bits, X.shape[1]), random_state=0).fit(X)
        scores = self.pca_.transform(X)
        rng = np.random.default_rng(0)
        size = scores.shape[1]
        self.rotation_ = np.eye(size)
        if self.rotated:
            self.rotation_ = np.linalg.qr(rng.normal(size=(size, size))).Q
            for _ in range(50):
                signs = np.where(scores @ self.rotation_ > 0, 1.0, -1.0)
                left, _, right = np.linalg.svd(scores.T @ signs)
                self.rotation_ = left @ right
        return self

    def transform(self, X):
        X = X.toarray() if hasattr(X, "toarray") else X
        return self.pca_.transform(X) @ self.rotation_ > 0


# Bits, and the best figure for 20 Newsgroups without labels, by NASH-DN.
PUBLISHED_BITS = {16: "~.531", 32: "~.623", 64: "~.538"}


def hashing(full):
    """Search by bits: the share of the hundred nearest rows with the query's label."""
    sizes = tuple(PUBLISHED_BITS)
    for title, (X, queries, y, y_queries) in collections(full).items():
        texts = title == "20 Newsgroups"
        n_epochs = 40 if full or title == "digits" else 30 if texts else 20
        models = {
            "signs of PCA": [Signs(k, rotated=False) for k in sizes],
            "ITQ": [Signs(k, rotated=True) for k in sizes],
            "BinaryAutoencoder": [
                BinaryAutoencoder(k, random_state=0, max_iter=n_epochs) for k in sizes
            ],
        }
        for name, family in models.items():

            def search(family=family, X=X, queries=queries, y=y, y_queries=y_queries):
                for model in family:
                    model.fit(X)
                    yield precision(
                        model.transform(X), model.transform(queries), y, y_queries
                    )

            ours, seconds = timed(lambda search=search: tuple(search()))
            protocol = f"{X.shape[0]} rows, {queries.shape[0]} queries"
            if name == "BinaryAutoencoder":
                protocol += f", at most {n_epochs} epochs"
            yield Row(
                f"{title}: {name}",
                "Shen et al. 2018 (NASH-DN)" if texts else "",
                protocol,
                tuple(PUBLISHED_BITS[k] if texts else "" for k in sizes),
                ours,
                seconds,
            )


TABLES = {
    "thirty": Table(
        "MNIST from 30 numbers", ("squared error a test image",), thirty_numbers
    ),
    "pretraining": Table(
        "A deep logistic network from a random start, and pretrained",
        ("squared error a test image",),
        pretraining,
    ),
    "contraction": Table(
        "Derivatives of codes",
        ("norm of the Jacobian", "saturated units, %", "squared error"),
        contraction,
    ),
    "classifiers": Table(
        "Linear classifiers of codes of MNIST", ("test error, %",), linear_classifiers
    ),
    "vae": Table(
        "A variational autoencoder of binarised MNIST",
        ("negative log-likelihood, nats", "negative ELBO, nats"),
        variational,
    ),
    "hashing": Table(
        "Precision of the hundred nearest by Hamming distance",
        ("16 bits", "32 bits", "64 bits"),
        hashing,
    ),
}


def show(table, full):
    """Print a table line by line."""
    measured = [f"{m}: published | ours" for m in table.measured]
    columns = ["model", "paper", "protocol", *measured, "CPU s"]
    n_columns = len(columns) + len(measured)
    print(f"\n### {table.title}\n\n| {' | '.join(columns)} |\n|{'---|' * n_columns}")
    for row in table.rows(full):
        pairs = zip(row.published, row.ours, strict=True)
        numbers = " | ".join(f"{paper} | {ours:.4g}" for paper, ours in pairs)
        print(
            f"| {row.model} | {row.paper} | {row.protocol} | {numbers} | "
            f"{row.seconds:.1f} |",
            flush=True,
        )


def main():
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="table", help=", ".join(TABLES))
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    if unknown := set(arguments.tables) - set(TABLES):
        parser.error(f"no table {', '.join(unknown)}; there are {', '.join(TABLES)}")
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    for name in arguments.tables or TABLES:
        show(TABLES[name], arguments.full)
    print(f"\n{time.perf_counter() - start:.0f} s by the clock.")


if __name__ == "__main__":
    main()
