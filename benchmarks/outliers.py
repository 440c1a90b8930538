"""Outlier detection on the tables of ADBench, beside IsolationForest and PyOD.

Columns are standardised by the rows fitted to. In the first table all rows are fitted
to and scored; in the second, half of the normal rows are fitted to and the rest is
scored, and ours is told by ``trim=False`` that rows are normal. The sets are those in
``adbench`` below the folder `SKAE_DATA`. All run in turn on one thread.

    SKAE_DATA=folder python benchmarks/outliers.py [--seeds 3] [--only glass,wine]
"""

import argparse
import os
import random
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from pyod.models.auto_encoder import AutoEncoder
from pyod.models.ecod import ECOD
from pyod.models.knn import KNN
from pyod.models.pca import PCA
from pyod.models.vae import VAE
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skae import ReconstructionOutlierDetector

DETECTORS = {
    "skae": lambda seed, normal: ReconstructionOutlierDetector(
        random_state=seed, trim=not normal
    ),
    "IsolationForest": lambda seed, normal: IsolationForest(random_state=seed),
    "KNN": lambda seed, normal: KNN(),
    "ECOD": lambda seed, normal: ECOD(),
    "PCA": lambda seed, normal: PCA(random_state=seed),
    "AutoEncoder": lambda seed, normal: AutoEncoder(random_state=seed, verbose=0),
    "VAE": lambda seed, normal: VAE(random_state=seed, verbose=0),
}


def rows(path, seed, normal):
    """Return rows to fit to, rows to score and which of these are outliers."""
    with np.load(path, allow_pickle=False) as arrays:
        X, y = arrays["X"].astype(float), arrays["y"].astype(int)
    train = np.arange(len(X))
    if normal:
        order = np.random.default_rng(seed).permutation(np.flatnonzero(y == 0))
        train = order[: len(order) // 2]
    test = np.setdiff1d(np.arange(len(X)), train) if normal else train
    scaler = StandardScaler().fit(X[train])
    return scaler.transform(X[train]), scaler.transform(X[test]), y[test]


def run(name, train, test, y, seed, normal):
    """Return the area under the ROC curve, the average precision and the seconds."""
    np.random.seed(seed), torch.manual_seed(seed), random.seed(seed)
    start = time.perf_counter()
    detector = DETECTORS[name](seed, normal).fit(train)
    if hasattr(detector, "decision_scores_"):  # PyOD's: higher is odder
        odd = detector.decision_function(test) if normal else detector.decision_scores_
    else:
        odd = -detector.score_samples(test)
    seconds = time.perf_counter() - start
    odd = np.nan_to_num(odd, posinf=np.finfo(np.float32).max)
    return roc_auc_score(y, odd), average_precision_score(y, odd), seconds


def table(paths, seeds, normal):
    """Print a line for each set, and the means."""
    print("| set | " + " | ".join(DETECTORS) + " |")
    print("|---" * (len(DETECTORS) + 1) + "|", flush=True)
    every = []
    for path in paths:
        results = []
        for seed in range(seeds):
            given = rows(path, seed, normal)
            results.append([run(name, *given, seed, normal) for name in DETECTORS])
        every.append(np.mean(results, axis=0))
        cells = [f"{auc:.3f} / {ap:.3f}" for auc, ap, _ in every[-1]]
        print(f"| {path.stem} | " + " | ".join(cells) + " |", flush=True)
    cells = [f"{auc:.3f} / {ap:.3f}" for auc, ap, _ in np.mean(every, axis=0)]
    print("| **mean** | " + " | ".join(cells) + " |")
    cells = [f"{seconds:.1f}" for seconds in np.sum(every, axis=0)[:, 2]]
    print("| seconds a seed | " + " | ".join(cells) + " |\n", flush=True)


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    if "SKAE_DATA" not in os.environ:
        print("SKAE_DATA has to name a folder with the outlier sets, adbench/*.npz.")
        return
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    paths = sorted(Path(os.environ["SKAE_DATA"]).glob("adbench/*.npz"))
    if arguments.only:
        paths = [path for path in paths if path.stem in arguments.only.split(",")]
    with threadpool_limits(1):
        for normal in (False, True):
            name = "Half of the normal rows fitted to" if normal else "All rows"
            print(f"{name}: area under the ROC curve / average precision\n")
            table(paths, arguments.seeds, normal)


if __name__ == "__main__":
    main()
