"""Arranges the parsed spec as resource classes with methods, for the templates and the contract.

The generator decides types and names of models and properties. This package only arranges them as
keyword arguments. The decisions are here, not in the templates, so that they are typed and tested.
"""

from .encodings import BodyEncodings
from .resources import RAW_RESPONSES, arrange_resources
from .views import Argument, Location, OperationView, Resource, ResponseView

__all__ = [
    "RAW_RESPONSES",
    "Argument",
    "BodyEncodings",
    "Location",
    "OperationView",
    "Resource",
    "ResponseView",
    "arrange_resources",
]
