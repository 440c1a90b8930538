"""
Ratings that nobody has given yet
=================================

Of a table of ratings four fifths are missing, which means unknown, not zero. An
`Autoencoder` takes such rows as they are: missing entries have no part in its loss. The
ratings it expects are nearer to those that were kept from it than what scikit-learn's
NMF and TruncatedSVD make of a filled table, and than a factorisation that leaves
missing entries out as well, as these people like what is near to their taste, and that
is no matrix of low rank.
"""

# %%
# People, films, and ratings of a few
# -----------------------------------
# People and films have places in a plane, and people like what is near to them; three
# more traits count by their products; some people rate higher, and some films are
# better. Some films are rated far more often than others.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import NMF, TruncatedSVD

from skae import Autoencoder

rng = np.random.default_rng(0)
n_people, n_films = 2000, 200
people, films = rng.uniform(-1, 1, (n_people, 2)), rng.uniform(-1, 1, (n_films, 2))
near = np.exp(-2 * ((people[:, None] - films) ** 2).sum(axis=2))
traits = rng.normal(size=(n_people, 3)) @ rng.normal(size=(3, n_films))
liked = 0.7 * (near - near.mean()) / near.std() + 0.3 * traits / traits.std()
liked = 3.3 + 0.9 * liked / liked.std()
liked += 0.4 * rng.normal(size=(n_people, 1)) + 0.5 * rng.normal(size=n_films)
ratings = np.clip(np.rint(liked + 0.4 * rng.normal(size=liked.shape)), 1, 5)

often = np.clip(0.2 * rng.lognormal(0, 0.7, size=n_films), 0.02, 0.9)
rated = rng.random(ratings.shape) < often
held_out = rated & (rng.random(ratings.shape) < 0.2)
given = np.where(rated & ~held_out, ratings, np.nan)
missing = np.isnan(given)
print(f"{missing.mean():.0%} of {n_people} x {n_films} ratings are missing")

# %%
# Expect the others
# -----------------
# What fills the table for NMF and TruncatedSVD are means of films, moved by how much
# higher a person rates. The sizes of all but the autoencoder are the best ones for the
# very ratings that are held out.
SIZES = (2, 4, 8, 16, 32)


def error(expected):
    return float(((expected.clip(1, 5) - ratings)[held_out] ** 2).mean() ** 0.5)


def factorised(size, n_rounds=10, penalty=2.0):
    """Least squares for people and for films in turn, of what is given alone."""
    rest = np.where(missing, 0, given - filled_by_means)
    factors = [rng.normal(size=(n, size)) for n in ratings.shape]
    for turn in range(2 * n_rounds):
        mine, others = factors[turn % 2], factors[1 - turn % 2]
        known, wanted = (m if turn % 2 == 0 else m.T for m in (~missing, rest))
        for i, row in enumerate(known):
            gram = others[row].T @ others[row] + penalty * np.eye(size)
            mine[i] = np.linalg.solve(gram, others[row].T @ wanted[i, row])
    return filled_by_means + factors[0] @ factors[1].T


film_means = np.broadcast_to(np.nanmean(given, axis=0), given.shape)
higher = np.where(missing, 0, given - film_means).sum(axis=1, keepdims=True)
filled_by_means = film_means + higher / (5 + (~missing).sum(axis=1, keepdims=True))
filled = np.where(missing, filled_by_means, given)
centre = filled.mean(axis=0)
models = {
    "TruncatedSVD": [TruncatedSVD(k, random_state=0) for k in SIZES],
    "NMF": [NMF(k, init="nndsvda", max_iter=2000, random_state=0) for k in SIZES],
}
expected = {"means of films": [film_means]}
for name, family in models.items():
    shift = centre if name == "TruncatedSVD" else 0
    expected[name] = [
        shift + model.inverse_transform(model.fit_transform(filled - shift))
        for model in family
    ]
expected["factors of given ratings"] = [factorised(size) for size in (4, 6, 8)]
autoencoder = Autoencoder(8, random_state=0).fit(given)
expected["autoencoder"] = [autoencoder.reconstruct(given)]

errors = {name: min(map(error, found)) for name, found in expected.items()}
for name, value in errors.items():
    print(f"{name:25} root mean squared error {value:.3f}")
print(f"{'noise of ratings':25} root mean squared error {error(liked):.3f}")

assert errors["autoencoder"] < 0.85 * min(errors["NMF"], errors["TruncatedSVD"])
assert errors["autoencoder"] < errors["factors of given ratings"]
assert errors["autoencoder"] < 0.85 * errors["means of films"]

# %%
# Draw some of the table
# ----------------------
# People are in the order of their place from left to right, and so are films.
rows = np.sort(rng.permutation(n_people)[:70])
rows = rows[people[rows, 0].argsort()]
columns = films[:, 0].argsort()[::3]
figure = plt.figure(figsize=(12, 4.2), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(2.2, 1))
titles = ("given", "expected", "truth, without noise")
pieces = (given, expected["autoencoder"][0], liked)
axes = left.subplots(1, 3)
for ax, title, piece in zip(axes, titles, pieces, strict=True):
    shown = ax.imshow(
        piece[np.ix_(rows, columns)], vmin=1, vmax=5, cmap="RdYlBu_r", aspect="auto"
    )
    ax.set(title=title, xticks=[], yticks=[], xlabel="films", facecolor="0.8")
axes[0].set_ylabel("people")
left.colorbar(shown, ax=axes, label="rating", shrink=0.8)
ax = right.subplots()
bars = {**errors, "noise of ratings": error(liked)}
colors = [*["0.75"] * (len(errors) - 1), "C0", "0.9"]
drawn = ax.barh(list(bars), list(bars.values()), color=colors)
ax.bar_label(drawn, list(bars), label_type="center", fontsize=11)
ax.bar_label(drawn, [f"{value:.3f}" for value in bars.values()], padding=4)
ax.invert_yaxis()
ax.set(title="root mean squared error of ratings kept back", xticks=[], yticks=[])
ax.spines[:].set_visible(False)

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "recommendation.png"), dpi=110)
else:
    plt.show()
