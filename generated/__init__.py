"""A client library for accessing LeadConnector"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Generic, Protocol, TypeVar, cast

from attrs import frozen

from .client import AuthenticatedClient, Client

T = TypeVar("T")


@cache
def load_contract() -> Mapping[str, Any]:
    """What code needs of the spec while it runs, as generation wrote it beside this module; read once."""
    return cast(
        "Mapping[str, Any]",
        json.loads((files(__name__) / "contract.json").read_bytes()),
    )


@frozen
class Operation(Generic[T]):
    """One operation of the API: how its request is written and how its answers are read."""

    operation_id: str
    build: Callable[..., dict[str, Any]]
    """From the arguments by name to httpx's keyword arguments for a request."""
    success: Mapping[str, Callable[[Any], T]]
    """By documented status (`200`, `2XX`, `default`): from the body's data to what the call returns."""
    errors: Mapping[str, Callable[[Any], object]]
    """The same for the statuses that are raised."""


class Session(Protocol):
    """What the resource classes need of whoever carries a call out."""

    def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out with these arguments, an argument that was left out being `UNSET`."""
        ...


class AsyncSession(Protocol):
    """`Session` for async code."""

    async def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out with these arguments, an argument that was left out being `UNSET`."""
        ...


__all__ = (
    "AsyncSession",
    "AuthenticatedClient",
    "Client",
    "Operation",
    "Session",
    "load_contract",
)
