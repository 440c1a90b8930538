"""
Activities of other people, from few labels
===========================================

Windows of sensor data cost nothing, labels of them do. So a `DenoisingAutoencoder`
learns a code of all windows, and a linear classifier learns from ten labelled windows
of each activity. For people that neither has seen, it is right more often with that
code than with PCA's, and than with the numbers of the window. (Of recordings there are
also features made by hand, all of which together are as good as their code.)

PCA's scores of a wave go up and down with its phase, and their mean is zero whatever
the wave. The code's units are rectified: each answers to waves like its own, at some
phase, and is silent at others. So sums of them say how strong such waves are.
"""

# %%
# Windows of people who move
# --------------------------
# Where the environment variable SKAE_DATA names a folder with ``har_windows.npz`` and
# ``har_features.npz``, these are recordings by a smartphone at the waist, as they are
# and as features made by hand. Otherwise windows of an accelerometer are made up, of
# people who wear it askew in their own way, and step at their own pace and strength.
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skae import DenoisingAutoencoder

# Degrees of tilt; steps a second; strength of them up and down, at twice their pace,
# and to the side.
ACTIVITIES = {
    "walking": (5, 1.8, 0.3, 0.5, 0.3),
    "walking upstairs": (12, 1.5, 0.25, 0.2, 0.5),
    "running": (10, 2.7, 0.9, 0.3, 0.3),
    "sitting": (25, 1, 0.02, 0, 0),
    "standing": (5, 1, 0.03, 0, 0),
    "lying": (85, 1, 0.02, 0, 0),
}


def window(activity, askew, pace, strength, rng):
    tilt, steps, size, twice, side = ACTIVITIES[activity]
    forward, sideways = np.radians(rng.normal([tilt + askew[0], askew[1]], 4))
    down = [np.cos(forward) * np.cos(sideways), np.sin(forward), np.sin(sideways)]
    seconds = np.arange(64) / 25
    phase = 2 * np.pi * (steps * pace * rng.normal(1, 0.04) * seconds + rng.random())
    movement = [
        np.cos(phase) + twice * np.cos(2 * phase + 1),
        0.6 * np.sin(phase + 0.5) + 0.5 * twice * np.sin(2 * phase),
        side * np.cos(phase / 2 + np.pi * rng.integers(2)),
    ]
    size *= strength * rng.lognormal(0, 0.15)
    return down + size * np.transpose(movement) + 0.05 * rng.normal(size=(64, 3))


def made_up(n_people, rng):
    windows, y = [], []
    for _ in range(n_people):
        askew, pace = rng.normal(0, 8, size=2), rng.normal(1, 0.1)
        strength = rng.lognormal(0, 0.25)
        for label, activity in enumerate(ACTIVITIES):
            for _ in range(24):
                windows.append(window(activity, askew, pace, strength, rng))
                y.append(label)
    return np.array(windows), np.array(y)


rng = np.random.default_rng(0)
views = {}
if "SKAE_DATA" in os.environ:
    folder = Path(os.environ["SKAE_DATA"])
    arrays = np.load(folder / "har_windows.npz")
    rows = rng.permutation(len(arrays["X_train"]))[:3000]
    W_train, W_test = arrays["X_train"][rows] / 1000, arrays["X_test"] / 1000
    y_train, y_test = arrays["y_train"][rows], arrays["y_test"]
    names = [name.lower().replace("_", " ") for name in arrays["class_names"]]
    arrays = np.load(folder / "har_features.npz")
    scaler = StandardScaler().fit(arrays["X_train"][rows])
    parts = arrays["X_train"][rows], arrays["X_test"]
    views["features made by hand"] = [scaler.transform(part) for part in parts]
else:
    W_train, y_train = made_up(14, rng)
    W_test, y_test = made_up(6, rng)
    names = list(ACTIVITIES)
sizes = W_train.std(axis=(0, 1))  # those of the sensor's channels
flat = [(W / sizes).reshape(len(W), -1) for W in (W_train, W_test)]
views = {f"windows of {flat[0].shape[1]} numbers": flat, **views}

# %%
# Learn from few labels
# ---------------------
NUMBERS = (2, 5, 10, 20, 50)


def accuracies(Z_train, Z_test, n_labels):
    """Return the accuracy for other people, of ten draws of the labelled windows."""
    found = []
    for draw in range(10):
        order = np.random.default_rng(draw).permutation(len(y_train))
        labelled = [order[y_train[order] == k][:n_labels] for k in range(len(names))]
        labelled = np.concatenate(labelled)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(Z_train[labelled], y_train[labelled])
        found.append(model.score(Z_test, y_test))
    return np.array(found)


curves = {}
for view, (X_train, X_test) in views.items():
    denoising = DenoisingAutoencoder(
        256,
        hidden_layer_sizes=(),
        code_activation="relu",
        tied_weights=True,
        init="random",
        corruption_level=0.6,
        random_state=0,
    )
    families = {
        "code of 256 units": [denoising],
        "PCA, the best of 8, 16, 32": [PCA(8), PCA(16), PCA(32)],
        "all numbers": [FunctionTransformer()],
    }
    print(f"{view}, {len(X_train)} of them, ten labels an activity")
    curves[view] = {}
    for name, models in families.items():
        codes = [(m.fit_transform(X_train), m.transform(X_test)) for m in models]
        curves[view][name] = np.array(
            [max((accuracies(*Z, n) for Z in codes), key=np.mean) for n in NUMBERS]
        )
        ten = curves[view][name][NUMBERS.index(10)]
        print(f"  {name:26}  accuracy {ten.mean():.2f} ± {ten.std():.2f}")
    ours, by_pca, by_all = (c[NUMBERS.index(10)].mean() for c in curves[view].values())
    assert ours > by_pca + 0.02
    assert ours > by_all + 0.05 or view.startswith("features")

# %%
# Draw a window of each activity, and what labels are worth
# ---------------------------------------------------------
figure = plt.figure(figsize=(11, 4.8), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1, 0.6 + 0.6 * len(views)))
for k, ax in enumerate(left.subplots(3, 2, sharex=True, sharey=True).T.ravel()):
    ax.plot(W_train[y_train == k][3, :, :3], linewidth=1)
    ax.set_title(names[k], fontsize=10)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
left.suptitle("acceleration along three axes")
axes = np.atleast_1d(right.subplots(1, len(views), sharey=True))
for ax, (view, lines) in zip(axes, curves.items(), strict=True):
    for (name, scores), color in zip(lines.items(), ("C0", "C1", "0.5"), strict=True):
        mean, spread = scores.mean(axis=1), scores.std(axis=1)
        ax.plot(NUMBERS, mean, "o-", color=color, label=name)
        ax.fill_between(
            NUMBERS, mean - spread, mean + spread, color=color, alpha=0.15, linewidth=0
        )
    ax.set(xscale="log", xlabel="labelled windows of each activity", title=view)
    ax.set_xticks(NUMBERS, NUMBERS)
    ax.minorticks_off()
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("accuracy for other people")
axes[0].legend(frameon=False, fontsize=10)

if "SKAE_FIGURES" in os.environ:
    figure.savefig(Path(os.environ["SKAE_FIGURES"], "sensors.png"), dpi=110)
else:
    plt.show()
