"""Read a table from a name or a file, and say how it becomes numbers."""

import csv
import re
from collections import namedtuple
from contextlib import suppress
from decimal import Decimal
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

BUILT_IN = {
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
    "diabetes": lambda: datasets.load_diabetes(scaled=False),
}
# What reading a file that is not what its name says may end in.
UNREADABLE = (
    ValueError,
    EOFError,
    OSError,
    MemoryError,
    NotImplementedError,
    csv.Error,
)
SEPARATORS = ",;\t|"
SOME = 200  # lines by which the format of a file is told
MISSING = {"", "?", "na", "n/a", "nan", "null", "none"}
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ]\d.*)?$")
MAX_LEVELS = 50  # text with more distinct values is taken for names or prose
HONEST = "All of this is learnt from each fold's training rows alone."
SCALED = "centred and scaled to unit variance (StandardScaler)"
FILLED = "filled with the column's median (SimpleImputer)"

Table = namedtuple("Table", "name X y preprocessor notes")


def load(source, target=None):
    """Return the table that `source` names; raise ValueError or OSError if none."""
    if source in BUILT_IN:
        if target is not None:
            raise ValueError(f"--target is for files; {source} brings its own target.")
        return _load_built_in(source)
    path = Path(source)
    readers = {".csv": _read_csv, ".parquet": _read_parquet, ".npy": _read_npy}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"the data must be {', '.join(BUILT_IN)}, or a file ending in "
            f"{', '.join(readers)}; got {source!r}. Other text files can be renamed."
        )
    try:
        frame, notes = reader(path)
    except FileNotFoundError:
        raise ValueError(f"there is no file {source!r}.") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"cannot read {source!r}: it is not UTF-8. Save it as CSV in UTF-8."
        ) from error
    except UNREADABLE as error:
        raise ValueError(f"cannot read {source!r}: {error}") from error
    return _from_frame(path.name, frame, target, notes)


def _load_built_in(name):
    data = BUILT_IN[name]()
    notes = [f"{name}: {_shape(data.data)}, as shipped with scikit-learn."]
    if name == "digits":
        notes.append("Pixels share one unit and are taken as they are, from 0 to 16.")
        return Table(name, data.data, data.target, None, notes)
    notes += [f"Every column is {SCALED}.", HONEST]
    return Table(name, data.data, data.target, StandardScaler(), notes)


def _import_pandas():
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'Reading a table needs pandas: pip install "skae[compare]".'
        ) from error
    return pandas


def _read_csv(path):
    pandas = _import_pandas()
    options = {
        "encoding": "utf-8-sig",
        "na_values": ["?"],
        "low_memory": False,
        "skipinitialspace": True,
    }
    options["sep"] = separator = _separator(pandas, path, options)
    first, *others = _some_lines(path, separator) or [[]]
    notes = []
    if first and not _has_header(first, others):
        options["header"] = None
        notes.append("The file has no header; columns count from 0.")
    frame = pandas.read_csv(path, **options)
    if separator != ",":
        other = pandas.read_csv(path, **options, decimal=",")
        if _count_numeric(other) > _count_numeric(frame) and (
            separator == ";" or not _has_thousands(frame, other)
        ):
            frame = other
            notes.append("Commas in numbers were read as decimal points.")
    extra = max(map(len, others), default=0) - len(first)
    if extra <= 0 or "header" in options:
        return frame, notes
    whole, names = frame.reset_index(), list(frame)
    if whole.iloc[:, -extra:].isna().all(axis=None):  # rows end in separators
        return whole.iloc[:, :-extra].set_axis(names, axis=1), notes
    if len(first) == 1 < extra or _is_title(others):
        raise ValueError(
            f"its first line, {separator.join(first)!r}, has {len(first)} of "
            f"{len(first) + extra} names. If it is a title, remove it."
        )
    notes.append("Columns without a name, the first ones, are left out.")
    return whole.iloc[:, extra:], notes


def _separator(pandas, path, options):
    """Return the separator that finds most numbers, or else most columns."""
    best, found = (0, 1), ","
    for separator in SEPARATORS:
        for decimal in ".,":
            with suppress(pandas.errors.ParserError, ValueError):
                frame = pandas.read_csv(
                    path, **options, sep=separator, decimal=decimal, nrows=SOME
                )
                size = _count_numeric(frame), frame.shape[1]
                if size > best and frame.shape[1] > 1:
                    best, found = size, separator
    return found


def _count_numeric(frame):
    return frame.select_dtypes("number").shape[1]


def _has_thousands(frame, other):
    """Return whether all commas in what only `other` reads as numbers group digits."""
    numbers = other.select_dtypes("number").columns
    texts = frame[numbers].select_dtypes(exclude="number").to_numpy().ravel()
    grouped = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+").fullmatch
    return all(grouped(text) for text in map(str, texts) if "," in text)


def _some_lines(path, separator):
    """Return the fields of the first lines that are not blank, as far as they go."""
    found = []
    with open(path, encoding="utf-8-sig", newline="") as file:
        with suppress(csv.Error):  # of fields longer than its limit
            found.extend(
                islice(filter(None, csv.reader(file, delimiter=separator)), SOME)
            )
    return found


def _has_header(first, others):
    """Return whether the first line has names.

    It has none if all of its fields are numbers or missing, or if some are numbers and
    one of the others comes again below. But numbers that count from 0 are names that
    pandas gives, beside an empty one for its index.
    """
    counted = [str(i) for i in range(len(first))]
    if first in (counted, ["", *counted[:-1]]) and len(first) > 2:
        return True
    names = [i for i, field in enumerate(first) if not _is_value(field)]
    again = any(first[i] in line[i : i + 1] for i in names for line in others)
    return bool(names) and not (again and any(map(_is_number, first)))


def _is_title(others):
    """Return whether what follows the first line is a line of names, and numbers."""
    names, *rows = others
    with_numbers = [any(map(_is_number, row)) for row in rows]
    return not any(map(_is_value, names)) and bool(rows) and all(with_numbers)


def _is_value(field):
    return field.strip().lower() in MISSING or _is_number(field)


def _is_number(text):
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _read_parquet(path):
    pandas = _import_pandas()
    path.stat()  # a missing file before a missing reader
    try:
        return pandas.read_parquet(path), []
    except ImportError as error:
        raise ImportError(
            'Reading Parquet needs pyarrow: pip install "skae[parquet]".'
        ) from error


def _read_npy(path):
    pandas = _import_pandas()
    array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.ndim < 2 or not array.size:
        raise ValueError("expected an array of rows and columns.")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"expected numbers, got dtype {array.dtype}.")
    notes = []
    if array.ndim > 2:
        notes.append(f"Rows of shape {array.shape[1:]} were flattened.")
    return pandas.DataFrame(array.reshape(len(array), -1)), notes


def _from_frame(name, frame, target, notes):
    names = frame.columns.map(str)
    stripped = names.str.strip()
    frame = frame.set_axis(stripped if stripped.is_unique else names, axis=1)
    notes = [f"{name}: {_shape(frame)}.", *notes]
    if len(frame) < 2:
        raise ValueError(f"{name} has {_shape(frame)}; a comparison needs more rows.")
    if target is not None and target not in frame:
        raise ValueError(f"--target: no column {target!r}; {_hint(target, frame)}")
    columns = {column: _simplify(frame[column]) for column in frame}
    y = columns.pop(target, None)
    if y is not None and y.dtype.kind == "M":
        raise ValueError(f"--target: {target!r} holds dates.")
    reasons = {column: _reason_to_leave(columns[column]) for column in columns}
    left_out = [f"{column} ({reason})" for column, reason in reasons.items() if reason]
    if left_out:
        notes.append(f"Columns left out: {', '.join(left_out)}.")
    kept = {column: columns[column] for column in columns if not reasons[column]}
    if not kept:
        raise ValueError(f"{name} has no column to compress. {' '.join(notes[1:])}")
    frame = _import_pandas().DataFrame(kept)
    if y is not None:
        frame, y = _drop_unknown(frame, y, notes)
    return Table(name, frame, y, _make_preprocessor(frame, notes), notes)


def _shape(table):
    n_rows, n_columns = table.shape
    return (
        f"{n_rows} row{'s' * (n_rows != 1)}, {n_columns} column{'s' * (n_columns != 1)}"
    )


def _hint(target, frame):
    near = get_close_matches(target, frame.columns, n=3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    more = ", ..." if frame.shape[1] > 10 else ""
    return f"there is {', '.join(frame.columns[:10])}{more}"


def _drop_unknown(frame, y, notes):
    """Return the rows whose target is known."""
    known = y.notna()
    if known.sum() < 2:
        raise ValueError(f"--target: {y.name!r} is known in {known.sum()} rows only.")
    if y.nunique() < 2:
        raise ValueError(f"--target: {y.name!r} has one value only.")
    if not known.all():
        notes.append(f"{(~known).sum()} rows without a value of {y.name} left out.")
    frame, y = frame[known], y[known]
    if y.dtype.kind == "f" and (y == y.round()).all() and y.abs().max() < 2**53:
        y = y.astype(int)  # labels read 0 and 1, not 0.0 and 1.0
    return frame, y


def _simplify(column):
    """Return a column as floats, dates or text, its gaps as missing values."""
    pandas = _import_pandas()
    types = pandas.api.types
    if types.is_numeric_dtype(column) and not types.is_complex_dtype(column):
        numbers = column.to_numpy(dtype=float, na_value=np.nan, copy=True)
        numbers[np.isinf(numbers)] = np.nan
        return pandas.Series(numbers, column.index, name=column.name)
    if types.is_datetime64_any_dtype(column):
        return column
    if types.is_timedelta64_dtype(column):
        return column.dt.total_seconds()
    known = column.notna()
    if all(isinstance(value, Decimal) for value in column[known]):
        return column.where(known, np.nan).astype(float)
    texts = column.astype(object).map(str)
    if known.any() and all(map(DATE.match, texts[known])):
        options = {"errors": "coerce", "format": "mixed", "utc": True}
        dates = pandas.to_datetime(texts.where(known), **options)
        if dates[known].notna().all():
            return dates
    return texts.where(known, np.nan).astype(object)


def _reason_to_leave(column):
    n_values = column.nunique(dropna=column.dtype.kind != "O")
    if n_values <= 1:
        return "one value at most"
    if column.dtype.kind == "M":
        return "dates"
    if column.dtype.kind == "O":
        if n_values <= MAX_LEVELS:
            return None
        return _like_numbers(column) or f"{n_values} distinct texts"
    return "row numbers" if (np.diff(column) == 1).all() and len(column) > 2 else None


def _like_numbers(column):
    """Return what keeps a column of text, mostly numbers, from being one of them."""
    texts = column.dropna()
    others = [text for text in texts if not _is_number(text)]
    if 2 * len(others) > len(texts):
        return None
    some = ", ".join(map(repr, list(dict.fromkeys(others or texts))[:2]))
    return f"{len(texts) - len(others)} of {len(texts)} are like numbers, but {some}"


def _make_preprocessor(frame, notes):
    """Return the transformer of mixed columns; note what it does."""
    numeric = [column for column in frame if frame[column].dtype.kind == "f"]
    text = [column for column in frame if column not in numeric]
    gaps = frame.isna().sum()
    if numeric:
        filled = f"{gaps[numeric].sum()} gaps {FILLED}, then " * bool(
            gaps[numeric].any()
        )
        notes.append(f"Numeric columns ({len(numeric)}): {filled}{SCALED}.")
    if text:
        own = f"; {gaps[text].sum()} gaps are a level of their own" * bool(
            gaps[text].any()
        )
        notes.append(
            f"Categorical columns ({', '.join(text)}): one column of 0 and 1 for each "
            f"level, one in all where there are two (OneHotEncoder){own}."
        )
        odd = {column: _like_numbers(frame[column]) for column in text}
        odd = [f"{column} ({why})" for column, why in odd.items() if why]
        if odd:
            notes.append(f"Taken as text: {', '.join(odd)}.")
    notes += [HONEST, "Errors are measured on the columns so prepared."]
    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    encode = OneHotEncoder(
        handle_unknown="ignore", drop="if_binary", sparse_output=False
    )
    return make_column_transformer(
        (make_pipeline(fill, StandardScaler()), numeric), (encode, text)
    )
