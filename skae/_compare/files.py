"""Read a file of rows into a data frame, and say what was found in it."""

import csv
import re
from contextlib import suppress
from itertools import islice

import numpy as np

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
MONTH = (
    r"(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?"
    r"|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)\.?"
)
DATE = re.compile(
    r"(\d{4}([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3\d{4}|\d\d\.\d\d\.\d\d"
    rf"|\d\d?[- ]{MONTH}[- ](\d{{4}}|\d\d)|{MONTH} \d\d?,? \d{{4}})([T ]\d.*)?",
    re.IGNORECASE,
)


def read(path):
    """Return the rows in the file at `path`, and notes; raise ValueError if none."""
    source = str(path)
    try:
        return READERS[path.suffix.lower()](path)
    except FileNotFoundError:
        raise ValueError(f"there is no file {source!r}.") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"cannot read {source!r}: it is not UTF-8. Save it as CSV in UTF-8."
        ) from error
    except UNREADABLE as error:
        raise ValueError(f"cannot read {source!r}: {error}") from error


def import_pandas():
    """Return pandas, or say how to install it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'Reading a table needs pandas: pip install "skae[compare]".'
        ) from error
    return pandas


def _read_csv(path):
    pandas = import_pandas()
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

    It has none if all of its fields are numbers, missing, or dates above dates, or if
    some are numbers and one of the others comes again below. But numbers that count
    from 0 are names that pandas gives, beside an empty one for its index.
    """
    counted = [str(i) for i in range(len(first))]
    if first in (counted, ["", *counted[:-1]]) and len(first) > 2:
        return True
    names = [
        i
        for i, field in enumerate(first)
        if not (_is_value(field) or _are_dates(field, *_column(others, i)))
    ]
    again = any(first[i] in _column(others, i) for i in names)
    return bool(names) and not (again and any(map(is_number, first)))


def _is_title(others):
    """Return whether what follows the first line is a line of names, and numbers."""
    names, *rows = others
    with_numbers = [any(map(is_number, row)) for row in rows]
    return not any(map(_is_value, names)) and bool(rows) and all(with_numbers)


def _is_value(field):
    return field.strip().lower() in MISSING or is_number(field)


def _are_dates(*fields):
    return len(fields) > 1 and all(map(DATE.fullmatch, fields[:2]))


def _column(lines, i):
    return [line[i] for line in lines if i < len(line)]


def is_number(text):
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _read_parquet(path):
    pandas = import_pandas()
    path.stat()  # a missing file before a missing reader
    try:
        frame = pandas.read_parquet(path)
    except ImportError as error:
        raise ImportError(
            'Reading Parquet needs pyarrow: pip install "skae[parquet]".'
        ) from error
    # Columns that were made the index are columns still; row numbers are none.
    made = [name for name in frame.index.names if name not in (None, *frame.columns)]
    if not made:
        return frame, []
    frame = frame.reset_index(made)
    return frame, [f"Columns that were the index: {', '.join(map(str, made))}."]


def _read_npy(path):
    pandas = import_pandas()
    array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.ndim < 2 or not array.size:
        raise ValueError("expected an array of rows and columns.")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"expected numbers, got dtype {array.dtype}.")
    notes = []
    if array.ndim > 2:
        notes.append(f"Rows of shape {array.shape[1:]} were flattened.")
    return pandas.DataFrame(array.reshape(len(array), -1)), notes


READERS = {".csv": _read_csv, ".parquet": _read_parquet, ".npy": _read_npy}
