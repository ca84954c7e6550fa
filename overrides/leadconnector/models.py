"""The generated models of the API's requests and responses, under a public name.

A model is imported at its first use, so that a large API costs no more than the models in use.
"""

from typing import TYPE_CHECKING

from . import _requirements
from ._generated import models as _models

# What type checkers and editors read.
if TYPE_CHECKING:
    from ._generated.models import *

__all__ = _models.__all__  # pyright: ignore[reportUnsupportedDunderAll]

# Hidden from type checkers. With a function `__getattr__`, they would accept every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a model at its first use (PEP 562).

        Raises:
            AttributeError: there is no such model.
            ModuleNotFoundError: a requirement of the client is not installed.
        """
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            model = getattr(_models, name)
        except ModuleNotFoundError as error:
            raise _requirements.missing_requirement(error, __name__.rpartition(".")[0]) from None
        # The next use finds it without this function.
        globals()[name] = model
        return model

    def __dir__() -> list[str]:
        """Every model, also those that are not imported yet."""
        return sorted({*globals(), *__all__})
