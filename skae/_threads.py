"""How many threads small work may use."""

from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

# Multiply-adds of a batch up to which a second thread costs more than it brings.
SINGLE_THREAD_WORK = 1 << 28


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


def _work(network):
    return sum(parameter.numel() for parameter in network.parameters())
