"""Docstrings follow numpydoc, with the exceptions scikit-learn makes."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest

import skae

validate = pytest.importorskip("numpydoc.validate").validate

EVERYWHERE = {"RT02", "GL01", "GL02"}
PROPERTIES = {"PR02", "GL08"}
METHODS = {"ES01", "SA01", "EX01"}
# Small internal parts: the term of the objective that a name stands for says enough.
PARTS = {"ES01", "SA01", "EX01", "PR01", "RT01", "RT03"}


def methods(cls):
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        module = getattr(inspect.unwrap(getattr(cls, name)), "__module__", None) or ""
        if isinstance(member, property):
            module = member.fget.__module__
        if not name.startswith("_") and module.startswith("skae"):
            yield name, isinstance(member, property)


def documented():
    """Yield the path of everything public, and the error codes it may have."""
    for name in skae.__all__:
        thing = getattr(skae, name)
        if inspect.isclass(thing):
            yield f"skae.{name}", EVERYWHERE
            for method, is_property in methods(thing):
                codes = EVERYWHERE | METHODS | (PROPERTIES if is_property else set())
                yield f"skae.{name}.{method}", codes
        elif callable(thing):
            yield f"skae.{name}", EVERYWHERE
    for path in Path(skae.__file__).parent.glob("[a-z]*.py"):
        module = path.stem
        codes = EVERYWHERE if module == "metrics" else EVERYWHERE | PARTS
        for name in import_module(f"skae.{module}").__all__:
            if callable(getattr(import_module(f"skae.{module}"), name)):
                yield f"skae.{module}.{name}", codes


@pytest.mark.parametrize("path, ignored", list(documented()))
def test_numpydoc(path, ignored):
    errors = [
        f"{code}: {message}"
        for code, message in validate(path)["errors"]
        if code not in ignored
    ]
    assert not errors, "\n".join([path, *errors])
