"""Retrieval by bits beside exact search by cosine: precision, microseconds and memory.

Precision is the share of the nearest ten rows, or hundred, that have the query's label.
Codes are fitted to at most 10000 rows, and all rows are searched. "cosine" is a product
with rows of length one, in float32 (CSR for texts), "Hamming" counts the ones of an
exclusive or of packed bits, and "Hamming, then cosine" puts the 200 rows that it finds
in the order of the exact search. Microseconds are those for coding a query and
searching for it, one query at a time and a hundred at once; the searches take turns,
and the fastest of three turns counts. Memory is that of what is searched.

    SKAE_DATA=folder python benchmarks/hashes.py [--bits 64] [--only MNIST]
"""

import argparse
import time
import warnings

import numpy as np
import torch
from data import archive, images, labels, word_counts
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from skae import BinaryAutoencoder

N_QUERIES, N_NEAREST, N_CANDIDATES = 400, 100, 200


def digits():
    """Return the small digits."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    return train_test_split(X, y, test_size=N_QUERIES, random_state=0)


def mnist():
    """Return all training images, and some of the test images as queries."""
    (X, queries), (y, y_queries) = images("mnist"), labels("mnist")
    return X, queries[:N_QUERIES], y, y_queries[:N_QUERIES]


def newsgroups():
    """Return tf-idf of the texts that have words in them; later texts are queries."""
    counts = [word_counts(part) for part in ("train", "test")]
    y = [archive("newsgroups20_bow")[f"y_{part}"] for part in ("train", "test")]
    tfidf = TfidfTransformer(sublinear_tf=True).fit(counts[0])
    rows = [np.flatnonzero(np.diff(X.indptr)) for X in counts]
    rows[1] = rows[1][:N_QUERIES]
    X, queries = (tfidf.transform(X[r]) for X, r in zip(counts, rows, strict=True))
    return X, queries, y[0][rows[0]], y[1][rows[1]]


def smallest(distances, k):
    """Return the places of the k smallest of each row, in order."""
    found = np.argpartition(distances, k, axis=1)[:, :k]
    order = np.take_along_axis(distances, found, axis=1).argsort(axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)


def dense(X):
    """Return an array."""
    return X.toarray() if sparse.issparse(X) else X


class Cosine:
    """Exact search by the cosine of rows, or of codes."""

    def __init__(self, X, code=lambda X: X):
        self.code = code
        self.rows = normalize(code(X))
        parts = (
            ("data", "indices", "indptr") if sparse.issparse(self.rows) else ("data",)
        )
        self.n_bytes = sum(getattr(self.rows, part).nbytes for part in parts)

    def nearest(self, X, k=N_NEAREST):
        """Return the places of the nearest rows."""
        return smallest(-dense(normalize(self.code(X)) @ self.rows.T), k)


class Hamming:
    """Search by packed bits, 64 at a time."""

    def __init__(self, X, code):
        self.code = code
        self.rows = self.words(X)
        self.n_bytes = self.rows.nbytes

    def words(self, X):
        """Return the bits of rows as numbers of 64 bits, a column for each row."""
        packed = self.code(X)
        padded = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
        return np.ascontiguousarray(padded.view(np.uint64).T)

    def nearest(self, X, k=N_NEAREST):
        """Return the places of the nearest rows."""
        pairs = zip(self.words(X), self.rows, strict=True)
        ones = sum(np.bitwise_count(query[:, None] ^ row) for query, row in pairs)
        # numpy takes twenty times as long to part small integers.
        return smallest(ones.astype(np.float32), k)


class HammingThenCosine:
    """The nearest by bits, in the order of the exact search."""

    def __init__(self, bits, exact):
        self.bits, self.exact = bits, exact
        self.n_bytes = bits.n_bytes + exact.n_bytes

    def nearest(self, X):
        """Return the places of the nearest rows."""
        found = self.bits.nearest(X, N_CANDIDATES)
        unit = normalize(X)
        near = [
            dense(self.exact.rows[places] @ unit[[i]].T)[:, 0]
            for i, places in enumerate(found)
        ]
        return np.take_along_axis(found, smallest(-np.array(near), N_NEAREST), axis=1)


class Neighbors:
    """The search of scikit-learn, by bits in bytes of their own."""

    def __init__(self, X, code):
        self.code = lambda X: np.unpackbits(code(X), axis=1).astype(bool)
        search = NearestNeighbors(
            n_neighbors=N_NEAREST, metric="hamming", algorithm="brute"
        )
        rows = self.code(X)
        self.search, self.n_bytes = search.fit(rows), rows.nbytes

    def nearest(self, X):
        """Return the places of the nearest rows."""
        return self.search.kneighbors(self.code(X), return_distance=False)


def searches(X, n_bits):
    """Return ``{name: search}``, and the seconds of fitting the bits."""
    rows = X[np.random.default_rng(0).permutation(X.shape[0])[:10000]]
    size = min(n_bits, X.shape[1] // 2)
    linear = TruncatedSVD(size, algorithm="arpack", random_state=0).fit(rows)
    start = time.perf_counter()
    bits = BinaryAutoencoder(n_bits, packed=True, random_state=0).fit(rows)
    seconds = time.perf_counter() - start
    exact, hamming = Cosine(X), Hamming(X, bits.transform)
    return {
        "cosine": exact,
        f"cosine of {size} singular vectors": Cosine(X, linear.transform),
        "Hamming": hamming,
        "Hamming, NearestNeighbors": Neighbors(X, bits.transform),
        "Hamming, then cosine": HammingThenCosine(hamming, exact),
    }, seconds


def microseconds(search, queries, size):
    """Return the microseconds a query takes in batches of `size`."""
    # A hundred queries say enough of searching one by one.
    queries = queries[: 100 if size == 1 else None]
    start = time.perf_counter()
    for first in range(0, queries.shape[0], size):
        search.nearest(queries[first : first + size])
    return 1e6 * (time.perf_counter() - start) / queries.shape[0]


def table(name, load, n_bits):
    """Print a line for each search."""
    X, queries, y, y_queries = load()
    found, seconds = searches(X, n_bits)
    times = {search: [] for search in found}
    for _ in range(3):
        for search, lines in times.items():
            lines.append([microseconds(found[search], queries, n) for n in (1, 100)])
    title = f"{name}, {X.shape[0]} x {X.shape[1]}, {n_bits} bits"
    print(f"| {title} | of 10 | of 100 | us one by one | us in batches | MiB |")
    print("|---|---|---|---|---|---|")
    for search, model in found.items():
        right = y[model.nearest(queries)] == y_queries[:, None]
        shares = right[:, :10].mean(), right.mean()
        one, many = np.min(times[search], axis=0)
        cells = [f"{share:.3f}" for share in shares] + [f"{one:.0f}", f"{many:.0f}"]
        print(f"| {search} | {' | '.join(cells)} | {model.n_bytes / 2**20:.2f} |")
    print(f"\nThe bits were fitted in {seconds:.0f} s.\n", flush=True)


def main():
    """Print a table for each collection."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bits", type=int, default=64)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    found = {"digits": digits, "MNIST": mnist}
    found |= {"20 Newsgroups": newsgroups} if archive("newsgroups20_bow") else {}
    with threadpool_limits(1):
        for name, load in found.items():
            if not arguments.only or name in arguments.only.split(","):
                table(name, load, arguments.bits)


if __name__ == "__main__":
    main()
