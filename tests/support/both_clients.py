"""Runs one piece of code with either client: a call of any kind, sync or awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from leadconnector import AsyncLeadConnector, LeadConnector

from tests.support.calling import Clock, options_of_client, timed

Use = Callable[[Any], Any]
"""Makes a call with a client, and returns its result. With the async client, that is awaited."""


class Runner(Protocol):
    """Makes a client, uses it, and closes it."""

    def __call__(
        self, transport: Any, use: Use, /, clock: Clock | None = None, **options: Any
    ) -> Any:
        """Return what `use` returns.

        Args:
            transport: the transport of the client.
            use: makes the call.
            clock: the clock of the client. Default: a new one.
            options: further options of the client.
        """
        ...


def run_sync(transport: Any, use: Use, /, clock: Clock | None = None, **options: Any) -> Any:
    """A `Runner` with `LeadConnector`."""
    clock = clock or Clock()
    with LeadConnector(**options_of_client(transport, clock, options)) as client:
        timed(client, clock)
        return use(client)


def run_async(transport: Any, use: Use, /, clock: Clock | None = None, **options: Any) -> Any:
    """A `Runner` with `AsyncLeadConnector`."""
    clock = clock or Clock()

    async def run() -> Any:
        async with AsyncLeadConnector(**options_of_client(transport, clock, options)) as client:
            timed(client, clock)
            return await use(client)

    return asyncio.run(run())


RUNNERS: dict[str, Runner] = {"sync": run_sync, "async": run_async}
