"""
When the network leaves PCA, and when it stays
==============================================

Training starts at PCA, and rows that are kept out of it decide whether to leave. On
digits the network soon explains more of these rows than PCA does, and the best epoch
is kept. On Gaussian noise around a plane there is nothing to gain, for PCA is the best
code there: the fitted autoencoder *is* PCA, to rounding.
"""

# %%
# Fit both, and see what the rows kept out said
# ---------------------------------------------
import os
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skae import Autoencoder

rng = np.random.RandomState(0)
plane = rng.normal(size=(1500, 2)) @ rng.normal(size=(2, 10))
tables = {
    "digits": load_digits().data,
    "Gaussian plane and noise": plane + rng.normal(size=(1500, 10)),
}
fitted = {}
for name, X in tables.items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted[name] = Autoencoder(2, random_state=0).fit(X)
    print(f"{name}: PCA explains {fitted[name].pca_score_:.3f} of the rows kept out,")
    print(f"  what was kept explains {fitted[name].best_validation_score_:.3f}.")
    for warning in caught:
        print(f"  {warning.message}")

digits, gaussian = fitted.values()
assert digits.best_validation_score_ > digits.pca_score_ + 0.15
X = tables["Gaussian plane and noise"]
pca = PCA(2).fit(X)
by_pca = pca.inverse_transform(pca.transform(X))
difference = np.abs(gaussian.reconstruct(X) - by_pca).max()
print(f"Largest difference from PCA's reconstruction of the plane: {difference:.1e}")
assert difference < 1e-4

# %%
# Draw the scores
# ---------------
figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
for ax, (name, autoencoder) in zip(axes, fitted.items(), strict=True):
    scores, kept = autoencoder.validation_scores_, autoencoder.best_validation_score_
    epoch = scores.index(kept) + 1 if kept in scores else 0
    course = [autoencoder.pca_score_, *scores]  # for it starts at PCA
    ax.plot(range(len(course)), course, label="network, after each epoch")
    ax.axhline(autoencoder.pca_score_, color="0.4", ls="--", label="PCA")
    label = f"kept: epoch {epoch}" if epoch else "kept: the start, which is PCA"
    ax.plot(epoch, kept, "o", color="C1", ms=9, label=label)
    ax.set(title=name, xlabel="epoch", xlim=(-1, None), ylim=(0, 0.8))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(frameon=False, loc="lower right")
axes[0].set_ylabel("explained, of the rows kept out")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "leaving_pca.png"), dpi=110)
else:
    plt.show()
