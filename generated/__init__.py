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
    """The machine-readable contract of the spec.

    Generation writes it beside this module. It is parsed once per process.
    """
    return cast(
        "Mapping[str, Any]",
        json.loads((files(__name__) / "contract.json").read_bytes()),
    )


@frozen
class Operation(Generic[T]):
    """One operation of the API: how to build its request and decode its responses."""

    operation_id: str
    build: Callable[..., dict[str, Any]]
    """Takes the arguments by name. Returns keyword arguments for `httpx.Client.request`."""
    success: Mapping[str, Callable[[Any], T]]
    """Decode the parsed body of a success, by status (`200`, `2XX` or `default`)."""
    errors: Mapping[str, Callable[[Any], object]]
    """Decode the parsed body of an error, by status."""


class Session(Protocol):
    """Executes operations for the resource classes, blocking."""

    def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Execute an operation. Arguments that the caller omitted are `UNSET`."""
        ...


class AsyncSession(Protocol):
    """Executes operations for the async resource classes."""

    async def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Execute an operation. Arguments that the caller omitted are `UNSET`."""
        ...


__all__ = (
    "AsyncSession",
    "AuthenticatedClient",
    "Client",
    "Operation",
    "Session",
    "load_contract",
)
