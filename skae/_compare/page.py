"""Write a comparison as HTML."""

import base64
import io
import platform
from html import escape
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ["skae", "torch", "scikit-learn", "numpy"]
METHOD = """\
Every number is a mean over {n_folds} folds, ± its standard deviation; the rows of \
each fold are judged by estimators fitted on the other rows.
R² is the share of the held-out rows' spread about the training mean that the \
reconstruction explains. Error / PCA is the squared error divided by that of PCA with \
the same code size on the same rows: below 1 is better than PCA; nan says that PCA \
left no error.
{score}
Trustworthiness says how far the 5 nearest neighbours in the code are neighbours in \
the data too (1 is best), on at most 1000 held-out rows.
Error bars are that standard deviation; codes of size 2 are drawn for the held-out \
rows of the first fold.
Seconds are wall time of one fit on the training rows and of one transform of the \
held-out rows, on the machine that made this page."""
SCORES = {
    "accuracy": "Accuracy is that of a classifier trained on the training rows' code.",
    "r2_target": "R² of target is that of a regressor on the training rows' code.",
    None: "",
}
CSS = """
body {font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff;
  max-width: 68rem; margin: 2.5rem auto; padding: 0 1.5rem}
h1 {font-size: 1.7rem; line-height: 1.2; margin-bottom: .3rem}
h2 {font-size: 1.15rem; margin-top: 2.2rem}
img {max-width: 100%; height: auto}
.lead {font-size: 1.15rem}
.wide {overflow-x: auto}
footer {color: #666; font-size: .85rem; margin-top: 2.5rem;
  border-top: 1px solid #ddd; padding-top: .6rem}
"""
TABLE_CSS = """
.skae-comparison {border-collapse: collapse; font-variant-numeric: tabular-nums}
.skae-comparison th, .skae-comparison td {padding: .3em .8em; text-align: right;
  white-space: nowrap}
.skae-comparison th:first-child, .skae-comparison td:first-child {text-align: left}
.skae-comparison thead th {border-bottom: 2px solid currentColor}
.skae-comparison .first td {border-top: 1px solid #bbb}
.skae-comparison .best {font-weight: 700; color: #0072b2}
"""


def table(result):
    """Return the table; the smallest error of each code size is marked."""
    # As shown: of those that look alike the first, so that PCA needs no excuse.
    best = {
        size: min(_errors(result, size), default=None, key=lambda e: round(e[0], 3))
        for size in result.sizes
    }
    error = result.metrics.index("error_vs_pca") + 2
    lines = []
    for row in result.rows:
        size, name = row["n_components"], row["estimator"]
        is_best = best[size] is not None and best[size][1] == name
        cells = [
            f'<td class="best">{escape(cell)}</td>'
            if is_best and i == error
            else f"<td>{escape(cell)}</td>"
            for i, cell in enumerate(result.cells(row))
        ]
        first = ' class="first"' if name == result.names[0] else ""
        lines.append(f"<tr{first}>{''.join(cells)}</tr>")
    head = "".join(f"<th>{escape(heading)}</th>" for heading in result.headings)
    return (
        f'<style>{TABLE_CSS}</style><div class="wide"><table class="skae-comparison">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _errors(result, size):
    return [
        (row["error_vs_pca"], row["estimator"])
        for row in result.rows
        if row["n_components"] == size and row["error_vs_pca"] == row["error_vs_pca"]
    ]


def page(result, title, notes):
    """Return a whole page, picture included."""
    score = SCORES[result.score_name]
    method = METHOD.format(n_folds=result.n_folds, score=score).splitlines()
    data = f"<h2>The data</h2>{_list(notes)}" if notes else ""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{CSS}</style></head><body>
<h1>{escape(title)}</h1>
<p class="lead">{escape(result.summary)}</p>
<img alt="Error beside PCA, and scores, over code sizes" src="{_image(result)}">
<h2>All numbers</h2>
{table(result)}
{data}
<h2>How it was measured</h2>
{_list(method)}
<footer>{escape(_versions())}</footer>
</body></html>
"""


def _list(items):
    return (
        "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items if item) + "</ul>"
    )


def _image(result):
    data = base64.b64encode(png(result)).decode("ascii")
    return f"data:image/png;base64,{data}"


def png(result):
    """Return the picture as PNG, drawn without pyplot and its open windows."""
    from skae._compare.picture import draw, figure_size, import_matplotlib

    matplotlib = import_matplotlib()
    figure = matplotlib.figure.Figure(figure_size(result), layout="constrained")
    draw(result, figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def _versions():
    parts = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # run from a checkout that is not installed
            continue
    return ", ".join(parts)
