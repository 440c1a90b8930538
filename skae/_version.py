"""The version, readable without importing PyTorch."""

__version__ = "0.1.0"
