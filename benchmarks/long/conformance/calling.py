"""Calls the methods of both clients, and records what they send and report."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import httpx

from benchmarks.long.conformance.wire import SentRequest

TOKEN = "conformance-token"


@dataclass(frozen=True)
class Reply:
    """A response of the API."""

    status: int
    content_type: str | None = None
    content: bytes = b""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one call."""

    value: object
    """The result, or the exception."""
    is_raised: bool
    requests: tuple[SentRequest, ...]
    kinds: tuple[tuple[str, str], ...]
    """Kind and path of each finding."""


class Caller:
    """Calls a client whose transport returns one reply.

    Args:
        package: the module of the client.
        is_async: which client to use.
        base_url: its base URL; `None` for that of the document.
    """

    def __init__(self, package: Any, *, is_async: bool, base_url: str | None = None) -> None:
        self.is_async = is_async
        self._reply = Reply(204)
        self._requests: list[SentRequest] = []
        self._findings: list[Any] = []
        self._runner = asyncio.Runner()
        client_class = package.AsyncLeadConnector if is_async else package.LeadConnector
        self.client = client_class(
            token=TOKEN,
            base_url=base_url,
            allow_http=True,
            transport=httpx.MockTransport(self._respond),
            on_drift=self._findings.append,
            retries=0,
            rate_limit=None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._value(self.client.close)
        self._runner.close()

    def call(
        self, method: Callable[..., object], arguments: Mapping[str, object], reply: Reply
    ) -> Outcome:
        """Call a method. Its exception is an outcome as well."""
        self._reply = reply
        self._requests.clear()
        self._findings.clear()
        is_raised = False
        try:
            value = self._value(method, **arguments)
        except Exception as error:  # the caller of this method checks its class
            value = error
            is_raised = True
        kinds = tuple((finding.kind, finding.path) for finding in self._findings)
        return Outcome(value, is_raised, tuple(self._requests), kinds)

    def _value(self, method: Callable[..., object], /, **arguments: object) -> object:
        result = method(**arguments)
        if not inspect.isawaitable(result):
            return result
        return self._runner.run(_awaited(cast("Awaitable[object]", result)))

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self._requests.append(SentRequest.of(request))
        headers: dict[str, str] = {}
        if self._reply.content_type is not None:
            headers["Content-Type"] = self._reply.content_type
        return httpx.Response(self._reply.status, headers=headers, content=self._reply.content)


async def _awaited(result: Awaitable[object]) -> object:
    return await result
