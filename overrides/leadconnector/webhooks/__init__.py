"""Verifies the events that the API sends to a webhook: `verify` returns one only if it is genuine.

The models of events are here and in `leadconnector.models`. Each is imported at its first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import models as _models
from .._generated import webhooks as _generated_webhooks
from .event import WebhookEvent
from .keys import PUBLIC_KEY, PublicKey
from .verification import MAXIMUM_AGE, verify

# What type checkers and editors read.
if TYPE_CHECKING:
    from .._generated.webhooks import *

__all__ = [
    "MAXIMUM_AGE",
    "PUBLIC_KEY",
    "PublicKey",
    "WebhookEvent",
    "verify",
]
__all__ += _generated_webhooks.__all__

# Hidden from type checkers. With a function `__getattr__`, they would accept every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import the model of an event at its first use (PEP 562).

        Raises:
            AttributeError: there is no such model.
        """
        if name not in _generated_webhooks.__all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(_models, name)

    def __dir__() -> list[str]:
        """Every name, also those that are not imported yet."""
        return sorted({*globals(), *__all__})
