"""Autoencoders as scikit-learn estimators."""

from skae._autoencoder import Autoencoder
from skae._compare import Comparison, compare
from skae._linear import LinearAutoencoder
from skae._version import __version__

__all__ = ["Autoencoder", "Comparison", "LinearAutoencoder", "__version__", "compare"]
