import os

# Before SciPy is imported: without it one of scikit-learn's checks is skipped.
os.environ["SCIPY_ARRAY_API"] = "1"

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    from matplotlib import pyplot

    pyplot.close("all")
