"""Autoencoders as scikit-learn estimators."""

from skae._autoencoder import Autoencoder
from skae._binary import BinaryAutoencoder
from skae._classifier import AutoencoderClassifier
from skae._contractive import ContractiveAutoencoder
from skae._convolutional import ConvolutionalAutoencoder
from skae._convolutional_variational import ConvolutionalVariationalAutoencoder
from skae._denoising import DenoisingAutoencoder
from skae._impute import AutoencoderImputer
from skae._linear import LinearAutoencoder
from skae._outlier import ReconstructionOutlierDetector
from skae._regressor import AutoencoderRegressor
from skae._sparse import SparseAutoencoder
from skae._stacked import StackedAutoencoder
from skae._variational import VariationalAutoencoder
from skae._version import __version__

__all__ = [
    "Autoencoder",
    "AutoencoderClassifier",
    "AutoencoderImputer",
    "AutoencoderRegressor",
    "BinaryAutoencoder",
    "Comparison",
    "ContractiveAutoencoder",
    "ConvolutionalAutoencoder",
    "ConvolutionalVariationalAutoencoder",
    "DenoisingAutoencoder",
    "LinearAutoencoder",
    "ReconstructionOutlierDetector",
    "SparseAutoencoder",
    "StackedAutoencoder",
    "VariationalAutoencoder",
    "__version__",
    "compare",
]


def __getattr__(name):
    # The comparison needs far more of scikit-learn than the estimators do.
    if name in ("Comparison", "compare"):
        from skae import _compare

        return getattr(_compare, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
