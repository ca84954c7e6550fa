"""The version of this package. The build and the `User-Agent` header read it."""

__version__ = "0.1.0"
