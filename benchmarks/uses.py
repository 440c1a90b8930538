"""What detectors, imputers, classifiers and regressors add to the engine's own fits.

The processor's seconds of a whole fit, those of the trainings by the engine that are
part of it, and how many these are: folds and a second stage are trainings too. One
thread, the fastest of some repetitions, scikit-learn's digits and Friedman's function.

    python benchmarks/uses.py [--repetitions 3]
"""

import argparse
import time
import warnings
from unittest.mock import patch

import numpy as np
import torch
from sklearn.datasets import load_digits, make_friedman1
from threadpoolctl import threadpool_limits

from skae import (
    Autoencoder,
    AutoencoderClassifier,
    AutoencoderImputer,
    AutoencoderRegressor,
    ReconstructionOutlierDetector,
)
from skae._net import AutoencoderNet


def uses():
    """Yield a name, an estimator and what it is fitted to."""
    rng = np.random.default_rng(0)
    X, y = load_digits(return_X_y=True)
    few = np.where(rng.random(len(y)) < 0.06, y, -1)
    holed = np.where(rng.random(X.shape) < 0.2, np.nan, X)
    F, f = make_friedman1(2000, noise=1.0, random_state=0)
    classifier = AutoencoderClassifier(random_state=0)
    over = ReconstructionOutlierDetector(Autoencoder(8), random_state=0)
    yield "Autoencoder(8)", Autoencoder(8, random_state=0), (X,)
    yield "outlier detector over it", over, (X,)
    yield "imputer", AutoencoderImputer(random_state=0), (holed,)
    yield "classifier", classifier, (X, y)
    yield "classifier, 6 % labelled", classifier, (X, few)
    yield "regressor", AutoencoderRegressor(random_state=0), (F, f)


def measured(estimator, data):
    """Return the seconds of a fit, those of its trainings, and their number."""
    times, train = [], AutoencoderNet.train

    def timed(*args, **kwargs):
        start = time.process_time()
        watched = train(*args, **kwargs)
        times.append(time.process_time() - start)
        return watched

    with patch.object(AutoencoderNet, "train", timed):
        start = time.process_time()
        estimator.fit(*data)
        seconds = time.process_time() - start
    return seconds, sum(times), len(times)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    repetitions = parser.parse_args().repetitions
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print("| fit | s | of trainings, s | how many | ratio |\n|---|---|---|---|---|")
    with threadpool_limits(1):
        for name, estimator, data in uses():
            estimator.fit(*data)  # what is loaded once costs nobody
            runs = [measured(estimator, data) for _ in range(repetitions)]
            whole, part, count = min(runs)
            cells = f"{whole:.2f} | {part:.2f} | {count} | {whole / part:.2f}"
            print(f"| {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
