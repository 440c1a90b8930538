"""Command line: ``python -m skae compare``."""

import argparse
import csv
import sys
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from skae._compare import compare
from skae._compare.page import png
from skae._compare.picture import import_matplotlib
from skae._compare.run import PREDICTORS, holds_labels, linear_model
from skae._compare.tables import BUILT_IN, load
from skae._version import __version__


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        0 where all went well, 2 where the input was at fault, 130 on Ctrl-C.
    """
    options = _make_parser().parse_args(argv)
    try:
        _compare(options)
    except KeyboardInterrupt:
        print("skae compare: interrupted, nothing written", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError) as error:
        print(f"skae compare: error: {_one_line(error)}", file=sys.stderr)
        return 2
    return 0


def _one_line(error):
    """Return what `error` says, by the names of the options."""
    notes = getattr(error, "__notes__", ())
    text = " ".join(" ".join([str(error), *notes]).split())
    text = text.replace("cv must", "--folds must")
    return text.replace("n_components", "--components")


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        """Say what is wrong in one line, without the usage."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def _make_parser():
    parser = _Parser(prog="skae", description="Autoencoders for scikit-learn.")
    commands = parser.add_subparsers(required=True, metavar="compare")
    command = commands.add_parser(
        "compare",
        help="compare an autoencoder with PCA on your table",
        description="Compare an autoencoder with PCA on held-out rows of a table; "
        "write comparison.csv, comparison.png and report.html.",
    )
    add = command.add_argument
    files = f"{', '.join(BUILT_IN)}, or a .csv, .parquet or .npy file"
    add("data", nargs="?", default="digits", help=f"{files} (default: digits)")
    add("--target", metavar="COL", help="column that the code should tell")
    add("--task", choices=PREDICTORS, help="what the target is (guessed from it)")
    sizes = {"type": _sizes, "default": (2, 8, 16), "metavar": "N,N,..."}
    add("--components", **sizes, help="code sizes (default: 2,8,16)")
    place = {"type": Path, "default": "skae-comparison", "metavar": "DIR"}
    add("--output", **place, help="where to write (default: %(default)s)")
    whole = {"metavar": "N", "help": "(default: %(default)s)"}
    add("--folds", default=3, type=partial(_whole, least=2), **whole)
    add("--seed", default=0, type=partial(_whole, least=0), **whole)
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _whole(text, least):
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(
            f"expected a whole number of at least {least}, got {text!r}"
        )
    return int(text)


def _sizes(text):
    try:
        sizes = tuple(int(part) for part in text.split(","))
        if min(sizes) < 1:
            raise ValueError
        return sizes
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected positive whole numbers such as 2,8,16, got {text!r}"
        ) from None


def _compare(options):
    import_matplotlib()  # before the long work, not after it
    if options.output.is_file():
        raise ValueError(f"--output: {str(options.output)!r} is a file, not a folder.")
    table = load(options.data, options.target)
    if options.task and table.y is None:
        raise ValueError("--task needs a --target.")
    predictor = _make_predictor(table, options.task)
    _make_folder(options.output)
    print(*table.notes, "", sep="\n", flush=True)
    with _warnings_as_notes(table.notes):
        result = compare(
            table.X,
            table.y,
            n_components=options.components,
            cv=options.folds,
            preprocessor=table.preprocessor,
            predictor=predictor,
            random_state=options.seed,
            verbose=1,
        )
    print(f"\n{result.summary}")
    _write(result, table, options.output)


def _make_folder(path):
    """Make the folder to write to, and see whether one can."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=path).close()
    except OSError as error:
        raise ValueError(f"--output: cannot write to {str(path)!r}: {error}") from error


def _make_predictor(table, task):
    """Return the linear model for the task, guessed where it is not given."""
    if table.y is None:
        return None
    y = np.asarray(table.y)
    if task == "classification" and not holds_labels(y) and (y != np.round(y)).any():
        raise ValueError("--task classification: the target holds decimal numbers.")
    if task == "regression" and y.dtype.kind not in "biuf":
        raise ValueError(f"--task regression: the target holds {str(y[0])!r}.")
    task = task or ("classification" if holds_labels(y) else "regression")
    values = f"{np.unique(y).size} labels" if task == "classification" else "numbers"
    table.notes.append(f"Target: {getattr(table.y, 'name', 'y')}, {values} ({task}).")
    return linear_model(task)


@contextmanager
def _warnings_as_notes(notes):
    """Show each warning once, in a line, and keep it for the report."""

    def show(message, *args, **kwargs):
        note = f"Warning: {_one_line(message)}"
        if note not in notes:
            notes.append(note)
            print(note, file=sys.stderr, flush=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        warnings.showwarning = show
        yield


def _write(result, table, directory):
    with open(directory / "comparison.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, result.rows[0])
        writer.writeheader()
        writer.writerows(result.rows)
    (directory / "comparison.png").write_bytes(png(result))
    title = f"Autoencoder beside PCA: {table.name}"
    result.to_html(directory / "report.html", title=title, notes=table.notes)
    names = ("comparison.csv", "comparison.png", "report.html")
    print("Wrote", ", ".join(str(directory / name) for name in names))


if __name__ == "__main__":
    sys.exit(main())
