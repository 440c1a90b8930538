"""
How likely is a digit? Densities in one unit
============================================

`VariationalAutoencoder.score_samples` is a log-likelihood in the units of the rows, so
it compares with those of scikit-learn's densities. Held-out digits get more from it
than from a mixture of Gaussians, a kernel density and probabilistic PCA, whose sizes
are chosen by cross-validation.
"""

# %%
# Add known noise, and fit
# ------------------------
# A density of whole numbers can be as large as one likes: a pixel that is always white
# is enough. So normal noise is added, of one of the digits' sixteen grey levels.
# (`benchmarks/density.py` also has uniform noise. There a mixture with variances of its
# own for each component wins, as white pixels have far less noise than others.)
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KernelDensity

from skae import VariationalAutoencoder

rng = np.random.default_rng(0)
digits = load_digits().data
X_train, X_test = train_test_split(
    digits + rng.normal(size=digits.shape), random_state=0
)


def log_likelihood(model, X, y=None):
    return float(model.score_samples(X).mean())


grids = {
    "probabilistic PCA": (PCA(), {"n_components": (8, 16, 32, 48)}),
    "kernel density": (KernelDensity(), {"bandwidth": (1.6, 2, 2.4)}),
    "Gaussian mixture": (
        GaussianMixture(covariance_type="diag", random_state=0),
        {"n_components": (10, 20, 40, 80), "reg_covar": (0.03, 0.3)},
    ),
}
models = {
    name: GridSearchCV(model, grid, scoring=log_likelihood, cv=3).fit(X_train)
    for name, (model, grid) in grids.items()
}
models = {name: search.best_estimator_ for name, search in models.items()}
models["variational"] = VariationalAutoencoder(
    16,
    noise="per_feature",
    corruption="gaussian",
    corruption_level=0.5,
    max_iter=200,
    random_state=0,
).fit(X_train)

scores = {name: log_likelihood(model, X_test) for name, model in models.items()}
for name, score in scores.items():
    print(f"{name:17}  {score:.1f} nats a held-out digit")

assert scores["variational"] > max(list(scores.values())[:-1]) + 1

# %%
# Compare, and draw from each
# ---------------------------
pca = models["probabilistic PCA"]
deviations = (pca.explained_variance_ - pca.noise_variance_) ** 0.5
codes = deviations * rng.normal(size=(9, pca.n_components_))
noise = pca.noise_variance_**0.5 * rng.normal(size=(9, 64))
draws = [
    pca.inverse_transform(codes) + noise,
    models["kernel density"].sample(9, random_state=0),
    rng.permutation(models["Gaussian mixture"].sample(9)[0]),
    models["variational"].sample(9, random_state=0),
]
figure = plt.figure(figsize=(12, 4.2), layout="constrained")
left, right = figure.subplots(1, 2, width_ratios=(1, 1.7))
for place, (name, model) in enumerate(models.items()):
    ends = log_likelihood(model, X_train), scores[name]
    color = "C0" if name == "variational" else "0.5"
    left.plot(ends, (place, place), color=color, linewidth=2, zorder=1)
    left.scatter(ends, (place, place), color=("white", color), edgecolor=color, s=80)
    left.text(ends[1], place - 0.2, f"{ends[1]:.1f}", ha="center", color=color)
left.set(xlabel="mean log-likelihood, nats", xlim=(-158, None), ylim=(3.5, -0.5))
left.set_title("held-out digits, and training digits (hollow)")
left.set_yticks(range(4), models, fontsize=12)
left.spines[["top", "right"]].set_visible(False)
lines = [
    list(np.pad(rows.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))) for rows in draws
]
right.imshow(np.block(lines), cmap="gray_r", vmin=0, vmax=16, aspect="auto")
right.set_title("draws")
right.axis("off")

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "density.png"), dpi=110)
else:
    plt.show()
