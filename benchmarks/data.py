"""The tables of the benchmarks: scikit-learn's own, generated ones, and `SKAE_DATA`'s.

Every case is a function of a seed that returns training and test rows. Tables are
standardised by the training rows; images are in [0, 1]. `SKAE_DATA` names a folder of
``.npz`` archives; without it, MNIST and Fashion-MNIST come from OpenML, and the other
archives are left out.
"""

import os
from functools import cache, partial
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

LARGEST = 6000


@cache
def archive(name):
    """Return the arrays of an archive of `SKAE_DATA`, or None."""
    path = Path(os.environ.get("SKAE_DATA", "")) / f"{name}.npz"
    if not os.environ.get("SKAE_DATA") or not path.exists():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


@cache
def _pictures(name):
    found = archive(name)
    if found is None:
        openml = {"mnist": "mnist_784", "fashion_mnist": "Fashion-MNIST"}[name]
        X, y = datasets.fetch_openml(openml, version=1, as_frame=False, return_X_y=True)
        X, y = X.astype(np.uint8), y.astype(np.uint8)
        found = {"X_train": X[:60000], "X_test": X[60000:]}
        found |= {"y_train": y[:60000], "y_test": y[60000:]}
    return found


def labels(name):
    """Return the labels of the training and of the test images."""
    found = _pictures(name)
    return found["y_train"], found["y_test"]


@cache
def images(name):
    """Return training and test images in rows of pixels, in [0, 1], float32."""
    found = _pictures(name)
    return [
        np.reshape(found[part], (len(found[part]), -1)).astype(np.float32) / 255
        for part in ("X_train", "X_test")
    ]


def split(X, seed, standardise=True):
    """Return three quarters of the rows for training and one for testing."""
    X = X[~np.isnan(X).any(axis=1)]
    train, test = train_test_split(X, test_size=0.25, random_state=seed)
    train = train[:LARGEST]
    if standardise:
        scaler = StandardScaler().fit(train)
        train, test = scaler.transform(train), scaler.transform(test)
    return train, test


def bundled(name, seed):
    """Split a table of scikit-learn."""
    X = getattr(datasets, f"load_{name}")().data
    return split(X / 16 if name == "digits" else X, seed, name != "digits")


def generated(name, seed):
    """Split a generated table: cases that have gone wrong for autoencoders."""
    rng = np.random.default_rng(sum(map(ord, name)))
    if name == "noise":
        X = rng.normal(size=(300, 20))
    elif name == "60 rows":
        X = np.tanh(rng.normal(size=(60, 4)) @ rng.normal(size=(4, 19)))
        X += 0.3 * rng.normal(size=X.shape)
    elif name == "repeated columns":
        X = datasets.load_wine().data
        X = np.c_[X, X[:, :4], np.ones((len(X), 2))]
    elif name == "heavy tails":
        X = 0.3 * rng.normal(size=(8000, 9))
        hot = rng.random(8000) < 0.1
        size = 6 * rng.lognormal(0, 1.2, 8000) * rng.choice([1, 1, 1, 1, -1], 8000)
        X[np.flatnonzero(hot), rng.integers(0, 9, hot.sum())] += size[hot]
    elif name == "swiss roll":
        X, _ = datasets.make_swiss_roll(2000, noise=0.1, random_state=0)
        X = X @ rng.normal(size=(3, 20)) * 0.1 + 0.1 * rng.normal(size=(2000, 20))
    return split(X, seed)


def stored(name, key, seed):
    """Split a table of `SKAE_DATA`."""
    return split(archive(name)[key].astype(float), seed)


def adult(seed):
    """Split the numeric columns of the census."""
    arrays = archive("adult")
    return split(arrays["X_train"][:, ~arrays["is_categorical"]].astype(float), seed)


def air_quality(seed):
    """Split the columns of the air quality that are mostly there."""
    X = archive("air_quality")["X"].astype(float)
    return split(X[:, np.isnan(X).mean(axis=0) < 0.5], seed)


def activities(seed):
    """Return features of sensor data; other people do the test."""
    arrays = archive("har_features")
    rows = np.random.default_rng(seed).permutation(len(arrays["X_train"]))[:LARGEST]
    scaler = StandardScaler().fit(arrays["X_train"][rows])
    return [
        scaler.transform(X).astype(np.float32)
        for X in (arrays["X_train"][rows], arrays["X_test"])
    ]


def faces(seed):
    """Return frames of a film; the test is blocks of a hundred other frames."""
    X = archive("frey_faces")["X"].reshape(1965, -1).astype(np.float32) / 255
    blocks = np.arange(len(X)) // 100
    test = np.isin(blocks, np.random.default_rng(seed).permutation(20)[:4])
    return X[~test], X[test]


def word_counts(part):
    """Return the counts of words in texts, a sparse matrix of float32."""
    arrays = archive("newsgroups20_bow")
    fields = (arrays[f"X_{part}_{field}"] for field in ("data", "indices", "indptr"))
    counts = csr_matrix(tuple(fields), shape=tuple(arrays[f"X_{part}_shape"]))
    return counts.astype(np.float32)


def newsgroups(seed):
    """Return the logarithms of word counts in texts; later texts are the test."""
    train, test = (np.log1p(word_counts(part).toarray()) for part in ("train", "test"))
    rows = np.random.default_rng(seed).permutation(11314)[: LARGEST // 2]
    return train[rows], test[: LARGEST // 4]


def photographs(seed):
    """Return small colour photographs."""
    arrays = archive("cifar10_subset")
    return [
        arrays[part].reshape(len(arrays[part]), -1).astype(np.float32) / 255
        for part in ("X_train", "X_test")
    ]


def pictures(name, seed):
    """Return a sample of the training images, and a sample of the test images."""
    train, test = images(name)
    rows = np.random.default_rng(seed).permutation(len(train))[:LARGEST]
    return train[rows], test[:2000]


def cases():
    """Return ``{name: (load, sizes)}`` of what is there."""
    found = {
        "iris": (partial(bundled, "iris"), (1, 2)),
        "wine": (partial(bundled, "wine"), (2, 4, 8)),
        "diabetes": (partial(bundled, "diabetes"), (2, 4)),
        "breast cancer": (partial(bundled, "breast_cancer"), (2, 8, 16)),
        "digits": (partial(bundled, "digits"), (2, 8, 16, 32)),
        "noise": (partial(generated, "noise"), (5,)),
        "60 rows": (partial(generated, "60 rows"), (3,)),
        "repeated columns": (partial(generated, "repeated columns"), (3,)),
        "heavy tails": (partial(generated, "heavy tails"), (2,)),
        "swiss roll": (partial(generated, "swiss roll"), (2,)),
        "MNIST": (partial(pictures, "mnist"), (8, 16, 32)),
        "Fashion-MNIST": (partial(pictures, "fashion_mnist"), (16,)),
    }
    if archive("wine_quality"):
        found |= {
            "wine quality": (partial(stored, "wine_quality", "X"), (2, 4)),
            "adult": (adult, (3,)),
            "air quality": (air_quality, (3,)),
            "gene expression": (partial(stored, "khan_srbct", "X"), (2, 8)),
            "activities": (activities, (8, 32)),
            "faces": (faces, (4,)),
            "newsgroups": (newsgroups, (16,)),
            "CIFAR-10": (photographs, (32,)),
        }
        for path in sorted(Path(os.environ["SKAE_DATA"]).glob("adbench/*.npz")):
            n_columns = archive(f"adbench/{path.stem}")["X"].shape[1]
            k = 2 if n_columns < 10 else 4 if n_columns < 30 else 8
            found[f"ADBench {path.stem}"] = (
                partial(stored, f"adbench/{path.stem}", "X"),
                (k,),
            )
    return found
