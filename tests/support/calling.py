"""Lets one test hold for the sync and the async client: makes a client, a call, and closes it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import httpx
from leadconnector import AsyncLeadConnector, LeadConnector, RateLimit
from leadconnector.models import UpdateConversationResponse

TOKEN = "9c48df2694a849b6089f9d0d3513efe"
CONVERSATION_ID = "tDtDnQdgm2LXpyiqYvZ6"
LOCATION_ID = "tDtDnQdgm2LXpyiqYvZ6"

ANSWER: dict[str, Any] = {
    "success": True,
    "conversation": {
        "id": CONVERSATION_ID,
        "locationId": LOCATION_ID,
        "contactId": "contact",
        "deleted": False,
    },
}
"""The smallest documented success, with an id."""


@dataclass
class Clock:
    """A time that goes on when a client waits, and at no other time unless it is moved."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list[float])

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Note the wait, and let its time pass."""
        self.waits.append(seconds)
        self.seconds += seconds

    async def sleep_async(self, seconds: float) -> None:
        """`sleep` that lets other tasks run."""
        self.sleep(seconds)
        await asyncio.sleep(0)


def with_settings(client: Any, **changes: Any) -> None:
    """Put other parts in a client's settings: clock, random, sleep."""
    client._settings = replace(client._settings, **changes)
    client._make_resources()


def timed(client: Any, clock: Clock, random: Callable[[], float] = lambda: 1.0) -> None:
    """Let a client live in the time of a clock, and draw the longest waits."""
    with_settings(
        client,
        clock=clock,
        now=clock,
        sleep=clock.sleep,
        sleep_async=clock.sleep_async,
        random=random,
    )


class Caller(Protocol):
    """Makes one call with a client of its own."""

    def __call__(
        self,
        transport: Any,
        conversation_id: Any = CONVERSATION_ID,
        /,
        options: dict[str, Any] | None = None,
        clock: Clock | None = None,
        **arguments: Any,
    ) -> UpdateConversationResponse:
        """Call `update_conversation`, in the time of the clock (by default one of its own).

        The client takes the options, and the arguments are untyped on purpose.
        """
        ...


def call_sync(
    transport: Any,
    conversation_id: Any = CONVERSATION_ID,
    /,
    options: dict[str, Any] | None = None,
    clock: Clock | None = None,
    **arguments: Any,
) -> UpdateConversationResponse:
    """A `Caller` with `LeadConnector`."""
    clock = clock or Clock()
    made_with: dict[str, Any] = {
        "token": TOKEN,
        "transport": transport,
        "rate_limit": RateLimit(clock=clock),
        **(options or {}),
    }
    called_with: dict[str, Any] = {"location_id": LOCATION_ID, **arguments}
    with LeadConnector(**made_with) as client:
        timed(client, clock)
        return client.conversations.update_conversation(conversation_id, **called_with)


def call_async(
    transport: Any,
    conversation_id: Any = CONVERSATION_ID,
    /,
    options: dict[str, Any] | None = None,
    clock: Clock | None = None,
    **arguments: Any,
) -> UpdateConversationResponse:
    """A `Caller` with `AsyncLeadConnector`."""

    clock = clock or Clock()
    made_with: dict[str, Any] = {
        "token": TOKEN,
        "transport": transport,
        "rate_limit": RateLimit(clock=clock),
        **(options or {}),
    }
    called_with: dict[str, Any] = {"location_id": LOCATION_ID, **arguments}

    async def run() -> UpdateConversationResponse:
        async with AsyncLeadConnector(**made_with) as client:
            timed(client, clock)
            return await client.conversations.update_conversation(conversation_id, **called_with)

    return asyncio.run(run())


def answering(
    response: Callable[[], httpx.Response], requests: list[httpx.Request] | None = None
) -> httpx.MockTransport:
    """A transport that gives the same answer to each request, and notes the requests."""

    def handle(request: httpx.Request) -> httpx.Response:
        if requests is not None:
            requests.append(request)
        return response()

    return httpx.MockTransport(handle)
