"""Draw a comparison."""

import numpy as np

# Okabe and Ito's palette, distinct to colour-blind eyes; PCA is grey
PCA_COLOR = "#5b5b5b"
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
LABEL_COLORS = [*COLORS, "#b8a800", "#000000", "#882255", "#8c8c8c"]
MARKERS = ["o", "^", "D", "v", "P", "X", "*"]
STYLE = {
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelsize": 12,
    "legend.frameon": False,
}
SCORES = {
    "accuracy": ("Linear model on the code", "held-out accuracy"),
    "r2_target": ("Linear model on the code", "held-out R² of target"),
    None: ("Held-out rows explained", "held-out R²"),
}
MAX_MAPS = 3
MAX_POINTS = 1000
MAX_NAME, MAX_LABEL = 28, 20
HEIGHTS = [[1], [1, 1.15]]  # without maps of the codes, and with
NOTE = {"textcoords": "offset points", "fontsize": 11}


def import_matplotlib():
    """Import matplotlib, or say what to install."""
    try:
        import matplotlib
        import matplotlib.figure
        import matplotlib.ticker
    except ImportError as error:
        raise ImportError(
            'Drawing needs matplotlib: pip install "skae[compare]".'
        ) from error
    return matplotlib


def new_figure(result):
    """Return an empty pyplot figure of fitting size."""
    import_matplotlib()
    from matplotlib import pyplot

    return pyplot.figure(figsize=figure_size(result), layout="constrained")


def figure_size(result):
    """Return width and height in inches, larger where codes are drawn too."""
    return (11, 9.2) if result.codes else (11, 4.6)


def draw(result, figure):
    """Draw all panels; return their axes."""
    with import_matplotlib().rc_context(STYLE):
        maps = list(result.codes)[:MAX_MAPS]
        grid = figure.add_gridspec(1 + bool(maps), 1, height_ratios=HEIGHTS[bool(maps)])
        axes = list(grid[0].subgridspec(1, 2).subplots())
        _draw_error(axes[0], result)
        _draw_score(axes[1], result)
        if maps:
            axes += list(np.atleast_1d(grid[1].subgridspec(1, len(maps)).subplots()))
        for ax, name in zip(axes[2:], maps, strict=True):
            _draw_map(ax, result, name)
        if maps:
            _draw_key(axes[2:], result.code_y, result.y_name)
        lines = axes[1].get_legend_handles_labels()
        n_columns = 100 // (max(map(len, lines[1])) + 6)
        n_columns = max(1, min(4, n_columns))
        place = "outside upper center"
        figure.legend(*lines, loc=place, ncols=n_columns, fontsize=13)
    return axes


def _draw_error(ax, result):
    _draw_lines(ax, result, "error_vs_pca", skip="PCA")
    ax.axhline(1, color=PCA_COLOR, linestyle="--")
    top = ax.get_ylim()[1]
    if top > 4:
        ax.set_yscale("log")
        ax.set_ylim(min(0.8, *_positive(result)), 1.4 * top)
        ax.yaxis.set_major_locator(
            import_matplotlib().ticker.LogLocator(subs=(1, 2, 5))
        )
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")
    else:
        ax.set_ylim(0, max(1.15, 1.1 * top))
    ax.set_title("Held-out error beside PCA (lower is better)")
    ax.set_ylabel("squared error / PCA's")
    edge = {"xycoords": ("axes fraction", "data"), "va": "center"}
    ax.annotate("PCA", (1, 1), (4, 0), **edge, **NOTE, color=PCA_COLOR)


def _positive(result):
    return [row["error_vs_pca"] * 0.8 for row in result.rows if row["error_vs_pca"] > 0]


def _draw_score(ax, result):
    _draw_lines(ax, result, result.score_name or "r2")
    title, label = SCORES[result.score_name]
    ax.set_title(f"{title} (higher is better)")
    ax.set_ylabel(label)
    low, high = ax.get_ylim()
    least = max(0.0, 0.1 - (high - low)) / 2  # else chance would fill the panel
    ax.set_ylim(low - least, min(1.02, high + least))  # both scores end at 1


def _draw_lines(ax, result, key, skip=None):
    """One line an estimator, mean and spread over folds at evenly spaced sizes."""
    names = [name for name in result.names if name != skip]
    for i, name in enumerate(names):
        rows = [row for row in result.rows if row["estimator"] == name]
        # A small shift keeps the error bars of neighbours apart.
        x = np.arange(len(rows)) + 0.05 * (i - (len(names) - 1) / 2)
        y = [row[key] for row in rows]
        spread = [row[f"{key}_std"] for row in rows]
        ax.errorbar(x, y, spread, label=_plain(name), **_line_style(result, name))
        if skip and len(names) == 1:
            _write_values(ax, x, np.array(y), np.array(spread))
    ax.set_xticks(range(len(result.sizes)), result.sizes)
    ax.set_xlim(-0.4, len(result.sizes) - 0.6)
    ax.set_xlabel("code size (numbers a row)")
    ax.grid(axis="y", color="#e6e6e6")
    ax.set_axisbelow(True)


def _write_values(ax, x, y, spread):
    """Write each value beyond its error bar, away from PCA's line and the axis."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white")]
    known = np.isfinite(y)  # no value where PCA left no error
    for place, value, std in zip(x[known], y[known], spread[known], strict=True):
        above = value >= 1 or value - std < 0.2
        side = 1 if above else -1
        text = ax.annotate(
            f"{value:.2f}",
            (place, value + side * std),
            (0, side * 9),
            va="bottom" if above else "top",
            ha="center",
            **NOTE,
        )
        text.set_path_effects(halo)


def _line_style(result, name):
    style = {"linewidth": 2.2, "markersize": 7, "capsize": 3}
    if name == "PCA":
        return style | {"color": PCA_COLOR, "marker": "s", "linestyle": "--"}
    i = [other for other in result.names if other != "PCA"].index(name)
    color, marker = COLORS[i % len(COLORS)], MARKERS[i % len(MARKERS)]
    return style | {"color": color, "marker": marker}


def _draw_map(ax, result, name):
    """Scatter a code of size 2, coloured by `y`."""
    code, y = result.codes[name], result.code_y
    rows = np.random.RandomState(0).permutation(len(code))[:MAX_POINTS]
    code = code[rows]
    if y is None:
        ax.scatter(*code.T, s=14, color=COLORS[0], alpha=0.6, linewidths=0)
    elif result.score_name == "r2_target":
        ax.scatter(*code.T, s=20, c=y[rows], cmap="viridis", linewidths=0)
    else:
        styles = _label_styles(y)
        rest = ~np.isin(y[rows], list(styles))
        if rest.any():
            ax.scatter(*code[rest].T, s=14, color="#d0d0d0", label="other")
        for label, style in styles.items():
            ax.scatter(*code[y[rows] == label].T, **style)
    score = next(
        row
        for row in result.rows
        if (row["estimator"], row["n_components"]) == (name, 2)
    )
    key = result.score_name or "r2"
    value = f"{SCORES[result.score_name][1].removeprefix('held-out ')} {score[key]:.2f}"
    ax.set_title(f"{_plain(name)}\n{value} from 2 numbers", fontsize=12)
    ax.set(xlabel="code 1", ylabel="code 2", xticks=[], yticks=[])


def _label_styles(y):
    """Colour and marker of each label: the label itself where that is short."""
    labels, counts = np.unique(y, return_counts=True)
    labels = labels[np.argsort(-counts, kind="stable")[: len(LABEL_COLORS)]]
    labels = np.sort(labels)
    short = all(str(label).isascii() and str(label).isalnum() for label in labels)
    short = short and max(len(str(label)) for label in labels) <= 2
    styles = {}
    for i, label in enumerate(labels):
        marker = rf"$\mathbf{{{label}}}$" if short else MARKERS[i % len(MARKERS)]
        size = 46 if short else 26
        styles[label] = {"marker": marker, "s": size, "color": LABEL_COLORS[i]}
        styles[label] |= {"alpha": 0.85, "linewidths": 0}
        # A label drawn at its points needs no entry in a legend.
        styles[label]["label"] = None if short else _plain(label, MAX_LABEL)
    return styles


def _plain(text, most=MAX_NAME):
    """Cut text, keep its "$" from starting a formula, its "_" from hiding a label."""
    text = str(text)
    if len(text) > most:  # the end is often what tells one from another
        text = f"{text[: most // 2]}…{text[1 - most // 2 :]}"
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def _draw_key(axes, y, title):
    """Say what the colours of the scatters mean, once."""
    ax = axes[-1]
    handles, labels = ax.get_legend_handles_labels()
    if labels:
        ax.legend(
            handles,
            labels,
            loc="center left",
            bbox_to_anchor=(1, 0.5),
            title=_plain(title, MAX_LABEL),
        )
    elif y is not None and ax.collections[0].get_array() is not None:
        ax.figure.colorbar(ax.collections[0], ax=axes, label=_plain(title))
