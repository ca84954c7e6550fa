"""Compares the generator's work with the spec, so that nothing is dropped silently.

The generator exits with status 0 even if it dropped an operation or a field. So `verify_schemas`
compares what it understood, before rendering, and `verify_package` what it wrote.
"""

from .package import verify_package
from .schemas import verify_schemas

__all__ = ["verify_package", "verify_schemas"]
