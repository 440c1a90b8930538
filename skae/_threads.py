"""How many threads small work may use."""

from contextlib import contextmanager
from functools import cache
from threading import Lock

import torch
from threadpoolctl import ThreadpoolController

# Multiply-adds of a batch up to which a second thread costs more than it brings.
SINGLE_THREAD_WORK = 1 << 28
_BLAS = Lock()


@cache
def _thread_pools():
    return ThreadpoolController()


@contextmanager
def limited_threads(network, n_rows):
    """Keep small work on one thread; the limit is this thread's own and ends here."""
    if torch.get_num_threads() == 1 or _work(network) * n_rows > SINGLE_THREAD_WORK:
        yield
    else:
        with _thread_pools().limit(limits=1, user_api="openmp"):
            yield


@contextmanager
def limited_blas(work):
    """Keep SciPy's optimiser on one thread if a step has so few multiply-adds.

    It calls BLAS for the smallest of matrices, whose threads wait for each other where
    something else is busy. The limit is the whole process's, so one has it at a time:
    else the last to leave could restore what the first had set.
    """
    if work > SINGLE_THREAD_WORK:
        yield
    else:
        with _BLAS, _thread_pools().limit(limits=1, user_api="blas"):
            yield


def _work(network):
    return sum(parameter.numel() for parameter in network.parameters())
