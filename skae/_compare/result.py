"""The result of a comparison: its numbers as a table, a picture and a page."""

import numpy as np

# key -> heading and format; the score on the code has one of two keys, or none
METRICS = {
    "r2": ("R²", "{:.3f}"),
    "error_vs_pca": ("error / PCA", "{:.3f}"),
    "accuracy": ("accuracy", "{:.3f}"),
    "r2_target": ("R² of target", "{:.3f}"),
    "trustworthiness": ("trustworthiness", "{:.3f}"),
    "fit_seconds": ("fit s", "{:.4f}"),
    "transform_seconds": ("transform s", "{:.4f}"),
}


class Comparison:
    """What `skae.compare` measured.

    It prints as a table, and shows as one in a notebook; `table` holds the numbers,
    `plot` draws them, and `to_html` writes both to a page.

    Parameters
    ----------
    records : list of dict
        One dict for each estimator, code size and fold.
    names : list of str
        Names of the estimators, the yardstick "PCA" first.
    sizes : list of int
        Code sizes.
    n_folds : int
        Number of folds.
    score_name : {"accuracy", "r2_target"} or None
        What the linear model on the code was scored by.

    Attributes
    ----------
    codes : dict of str to ndarray of shape (n_test, 2)
        Codes of the first fold's held-out rows, where size 2 was compared.
    code_y : ndarray of shape (n_test,) or None
        What `y` says of these rows.
    y_name : str
        Name of `y` in the picture.
    figure_ : matplotlib Figure
        The figure drawn by `plot`.
    axes_ : list of matplotlib Axes
        Its panels.

    See Also
    --------
    skae.compare : Makes one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skae import compare
    >>> X = np.random.RandomState(0).normal(size=(60, 4))
    >>> whitened = {"whitened": PCA(whiten=True)}
    >>> result = compare(X, estimators=whitened, n_components=(1, 2))
    >>> [round(row["error_vs_pca"], 6) for row in result.rows]
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, records, names, sizes, n_folds, score_name=None):
        self.records = records
        self.names = names
        self.sizes = sizes
        self.n_folds = n_folds
        self.score_name = score_name
        self.codes = {}
        self.code_y = None
        self.y_name = "y"

    @property
    def metrics(self):
        """Keys of what was measured, in the order of the table."""
        scores = {"accuracy", "r2_target"} - {self.score_name}
        return [key for key in METRICS if key not in scores]

    @property
    def rows(self):
        """List of dicts: for each size and estimator, mean and spread over folds."""
        return [
            self._row(name, size)
            for size in self.sizes
            for name in self.names
            if self._select(name, size)
        ]

    @property
    def table(self):
        """`rows` as a pandas DataFrame; the list itself where pandas is missing."""
        try:
            import pandas
        except ImportError:
            return self.rows
        return pandas.DataFrame(self.rows)

    def _select(self, name, size):
        return [
            record
            for record in self.records
            if (record["estimator"], record["n_components"]) == (name, size)
        ]

    def _row(self, name, size):
        chosen = self._select(name, size)
        values = {key: [record[key] for record in chosen] for key in self.metrics}
        row = {"estimator": name, "n_components": size}
        row |= {key: float(np.mean(value)) for key, value in values.items()}
        return row | {f"{key}_std": float(np.std(v)) for key, v in values.items()}

    def cells(self, row):
        """Return the texts of one row, in the order of `headings`.

        Parameters
        ----------
        row : dict
            An item of `rows`.

        Returns
        -------
        list of str
            The texts; mean ± standard deviation where there are several folds.
        """
        cells = [row["estimator"], str(row["n_components"])]
        for key in self.metrics:
            text = METRICS[key][1].format(row[key])
            if not key.endswith("seconds") and self.n_folds > 1:
                text += " ± " + METRICS[key][1].format(row[f"{key}_std"])
            cells.append(text)
        return cells

    @property
    def headings(self):
        """Headings of the printed table."""
        return ["estimator", "size", *(METRICS[key][0] for key in self.metrics)]

    def line(self, cells):
        """Return one line of the printed table.

        Parameters
        ----------
        cells : list of str
            Texts of one row, or `headings`.

        Returns
        -------
        str
            The texts, each at the width of its column.
        """
        first = max(map(len, [*self.names, "estimator"]))
        widths = [4, *(max(13, len(heading)) for heading in self.headings[2:-2]), 9, 11]
        rest = (f"{cell:>{w}}" for cell, w in zip(cells[1:], widths, strict=True))
        return "  ".join([f"{cells[0]:<{first}}", *rest])

    @property
    def summary(self):
        """One sentence: the largest gain over PCA, or that there is none."""
        others = [
            row
            for row in self.rows
            if row["estimator"] != "PCA" and np.isfinite(row["error_vs_pca"])
        ]
        if not others:
            return "Nothing was compared with PCA, or PCA left no error."
        best = min(others, key=lambda row: row["error_vs_pca"])
        ratio, size = best["error_vs_pca"], best["n_components"]
        who = f"{best['estimator']} with {size} number{'s' * (size > 1)} a row"
        if ratio >= 0.995:
            return f"Nothing beat PCA; {who} came closest, {ratio:.2f} times its error."
        text = f"{who} leaves {1 - ratio:.0%} less held-out error than PCA"
        if self.score_name:
            score, pca = best[self.score_name], self._row("PCA", size)[self.score_name]
            heading = METRICS[self.score_name][0]
            text += f"; {heading} from it is {score:.2f}, from PCA's code {pca:.2f}"
        return f"{text}."

    def __str__(self):
        """Return the table as text."""
        lines = [self.headings, *map(self.cells, self.rows)]
        return "\n".join(map(self.line, lines))

    __repr__ = __str__

    def _repr_html_(self):
        from skae._compare.page import table

        return table(self)

    def plot(self, figure=None):
        """Draw error relative to PCA, what the code predicts, and codes of size 2.

        Parameters
        ----------
        figure : matplotlib Figure or SubFigure, default=None
            Where to draw; None makes a new figure with pyplot.

        Returns
        -------
        Comparison
            Itself, with `figure_` and `axes_` set.
        """
        from skae._compare.picture import draw, new_figure

        self.figure_ = new_figure(self) if figure is None else figure
        self.axes_ = draw(self, self.figure_)
        return self

    def to_html(self, path=None, *, title="Autoencoders beside PCA", notes=()):
        """Make a page of the table and the picture that needs no other file.

        Parameters
        ----------
        path : str or path-like, default=None
            Where to write the page; None writes nothing.
        title : str, default="Autoencoders beside PCA"
            Heading of the page.
        notes : sequence of str, default=()
            What was done to the data, one sentence an item.

        Returns
        -------
        str
            The page.
        """
        from skae._compare.page import page

        text = page(self, title, notes)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return text


class Printer:
    """Print rows of the table as they become known, above a progress bar."""

    def __init__(self, result, verbose):
        self.result, self.verbose = result, verbose

    def __enter__(self):
        if self.verbose:
            from tqdm import tqdm

            result = self.result
            n_fits = len(result.names) * len(result.sizes) * result.n_folds
            # disable=None: no bar where standard error is not a terminal
            self.bar = tqdm(total=n_fits, unit="fit", disable=None, leave=False)
            self._print(result.headings)
        return self

    def __exit__(self, *exception):
        if self.verbose:
            self.bar.close()

    def advance(self):
        """Count one fit."""
        if self.verbose:
            self.bar.update()

    def rows(self, size):
        """Print the rows of one code size."""
        if self.verbose:
            for row in self.result.rows:
                if row["n_components"] == size:
                    self._print(self.result.cells(row))

    def _print(self, cells):
        self.bar.clear()
        print(self.result.line(cells), flush=True)
        self.bar.refresh()
