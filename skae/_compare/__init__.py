"""Autoencoders beside PCA: one table, one picture."""

from skae._compare.result import Comparison
from skae._compare.run import compare

__all__ = ["Comparison", "compare"]
