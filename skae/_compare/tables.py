"""Find the table that a name or a file stands for, and say how it becomes numbers."""

import re
from collections import namedtuple
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skae._compare.files import DATE, READERS, import_pandas, is_number, read
from skae._compare.run import MAX_LABELS

BUILT_IN = {
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
    "diabetes": lambda: datasets.load_diabetes(scaled=False),
}
MAX_LEVELS = 50  # text with more distinct values is taken for names or prose
# So is text with more than these few, if they are more than this share of the rows.
FEW_LEVELS, MAX_SHARE = 10, 0.5
LARGEST = 1e150  # of which sums of squares are finite
# What is beside the digits where numbers are written for people.
ORNAMENTS = re.compile(r"[\s%$€£']|,(?=\d{3}(\D|$))")
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
    if path.suffix.lower() not in READERS:
        raise ValueError(
            f"the data must be {', '.join(BUILT_IN)}, or a file ending in "
            f"{', '.join(READERS)}; got {source!r}. Other text files can be renamed."
        )
    frame, notes = read(path)
    return _from_frame(path.name, frame, target, notes)


def _load_built_in(name):
    data = BUILT_IN[name]()
    notes = [f"{name}: {_shape(data.data)}, as shipped with scikit-learn."]
    if name == "digits":
        notes.append("Pixels share one unit and are taken as they are, from 0 to 16.")
        return Table(name, data.data, data.target, None, notes)
    notes += [f"Every column is {SCALED}.", HONEST]
    return Table(name, data.data, data.target, StandardScaler(), notes)


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
    if y is not None:
        notes += _check_target(y)
    reasons = {column: _reason_to_leave(columns[column]) for column in columns}
    left_out = [f"{column} ({reason})" for column, reason in reasons.items() if reason]
    if left_out:
        notes.append(f"Columns left out: {', '.join(left_out)}.")
    kept = {column: columns[column] for column in columns if not reasons[column]}
    if not kept:
        raise ValueError(f"{name} has no column to compress. {' '.join(notes[1:])}")
    frame = import_pandas().DataFrame(kept)
    if y is not None:
        frame, y = _drop_unknown(frame, y, notes)
    return Table(name, frame, y, _make_preprocessor(frame, notes), notes)


def _check_target(y):
    """Return notes on the target; raise ValueError if nothing is to be learnt of it."""
    if y.dtype.kind == "M":
        raise ValueError(f"--target: {y.name!r} holds dates.")
    why = _like_numbers(y) if y.dtype.kind == "O" else None
    if why and y.nunique() > MAX_LABELS and _count_like(y.dropna()) > 0.9 * y.count():
        raise ValueError(f"--target: of {y.name!r} {why}. Make them numbers or gaps.")
    return [f"The target {y.name} is taken as labels: {why}."] if why else []


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
    pandas = import_pandas()
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
    if known.any() and all(map(DATE.fullmatch, texts[known])):
        options = {"errors": "coerce", "format": "mixed", "utc": True}
        options["dayfirst"] = not texts[known].iloc[0][:4].isdigit()
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
        n_levels, most = column.nunique(), MAX_SHARE * column.count()
        if n_levels <= min(MAX_LEVELS, max(FEW_LEVELS, most)):
            return None
        return _like_numbers(column) or f"{n_levels} distinct texts"
    if column.abs().max() > LARGEST:
        return "values too large to be squared"
    return "row numbers" if (np.diff(column) == 1).all() and len(column) > 2 else None


def _like_numbers(column):
    """Return what keeps a column of text, mostly numbers, from being one of them."""
    texts = column.dropna()
    like = _count_like(texts)
    if 2 * like < len(texts):
        return None
    others = [text for text in texts if not is_number(text)]
    some = ", ".join(map(repr, list(dict.fromkeys(others or texts))[:2]))
    return f"{like} of {len(texts)} are like numbers, but {some}"


def _count_like(texts):
    return sum(is_number(ORNAMENTS.sub("", text)) for text in texts)


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
