"""A client library for accessing LeadConnector"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import get_data
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from .client import AuthenticatedClient, Client
    from .types import APIResponse, Pagination, RequestOptions

T = TypeVar("T")
ItemT = TypeVar("ItemT")


@cache
def load_contract() -> Mapping[str, Any]:
    """The whole machine-readable contract of the spec.

    Generation writes it beside this module. A client reads only the parts that it uses, with
    `contract_text`.
    """
    return cast("Mapping[str, Any]", json.loads(contract_text()))


def contract_text() -> str:
    """The text of the contract. It has the size of the spec, so keep it only for a moment."""
    # It can also read a package in a ZIP file. `importlib.resources` would import much more.
    content = cast("bytes", get_data(__name__, "contract.json"))
    return content.decode()


@dataclass(frozen=True, slots=True)
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

    def call(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        options: RequestOptions | None,
    ) -> T:
        """Execute an operation. Arguments that the caller omitted are `UNSET`."""
        ...

    def call_raw(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        options: RequestOptions | None,
    ) -> APIResponse[T]:
        """Execute an operation, and return the whole response."""
        ...

    def iterate(
        self,
        operation: Operation[T],
        pagination: Pagination[T, ItemT],
        arguments: Mapping[str, object],
        max_items: int | None,
        options: RequestOptions | None,
    ) -> Iterator[ItemT]:
        """Iterate over the items of all pages. Each page is a call."""
        ...


class AsyncSession(Protocol):
    """Executes operations for the async resource classes."""

    async def call(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        options: RequestOptions | None,
    ) -> T:
        """Execute an operation. Arguments that the caller omitted are `UNSET`."""
        ...

    async def call_raw(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        options: RequestOptions | None,
    ) -> APIResponse[T]:
        """Execute an operation, and return the whole response."""
        ...

    def iterate(
        self,
        operation: Operation[T],
        pagination: Pagination[T, ItemT],
        arguments: Mapping[str, object],
        max_items: int | None,
        options: RequestOptions | None,
    ) -> AsyncIterator[ItemT]:
        """Iterate over the items of all pages. Each page is a call."""
        ...


__all__ = (
    "AsyncSession",
    "AuthenticatedClient",
    "Client",
    "Operation",
    "Session",
    "contract_text",
    "load_contract",
)

# Hidden from type checkers. With a function `__getattr__`, they would accept every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import upstream's client at its first use (PEP 562)."""
        if name not in {"AuthenticatedClient", "Client"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(".client", __name__), name)

    def __dir__() -> list[str]:
        """Every name, also those that are not imported yet."""
        return sorted({*globals(), *__all__})
