import os

# Before SciPy is imported: without it one of scikit-learn's checks is skipped.
os.environ["SCIPY_ARRAY_API"] = "1"
# Before any library counts the cores: tests that run side by side share them.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(
    max(1, os.cpu_count() // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)))
)

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    from matplotlib import pyplot

    pyplot.close("all")
