"""Runs one test with both clients: makes a client, calls the operation, and closes the client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import httpx
from leadconnector import AsyncLeadConnector, LeadConnector, RateLimit
from leadconnector.models import Conversation, UpdateConversationResponse

from benchmarks.long.fuzzing.constants import (
    CONVERSATION_ID,
    LOCATION_ID,
    SMALLEST_SUCCESS,
    TOKEN,
)

__all__ = ["CONVERSATION_ID", "LOCATION_ID", "TOKEN"]

SUCCESS_BODY: dict[str, Any] = dict(SMALLEST_SUCCESS)
"""The body of the smallest documented success, with an id."""


def conversation_of(response: UpdateConversationResponse) -> Conversation:
    """The conversation of a response that has one."""
    assert isinstance(response.conversation, Conversation)
    return response.conversation


@dataclass
class Clock:
    """A clock that advances only when a client sleeps, or when a test moves it."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list[float])

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Record the wait and advance the clock."""
        self.waits.append(seconds)
        self.seconds += seconds

    async def sleep_async(self, seconds: float) -> None:
        """`sleep` for async clients. Other tasks run meanwhile."""
        self.sleep(seconds)
        await asyncio.sleep(0)


def with_settings(client: Any, **changes: Any) -> None:
    """Replace settings of a client, such as `clock`, `random` and `sleep`."""
    client._settings = replace(client._settings, **changes)
    # A resource that was used before has a session with the earlier settings.
    with suppress(AttributeError):
        del client.conversations
    client._make_resources()


def timed(client: Any, clock: Clock, random: Callable[[], float] = lambda: 1.0) -> None:
    """Make a client use a clock. By default its random waits are the longest ones."""
    with_settings(
        client,
        clock=clock,
        now=clock,
        sleep=clock.sleep,
        sleep_async=clock.sleep_async,
        random=random,
    )


class Caller(Protocol):
    """Makes one call with a new client."""

    def __call__(
        self,
        transport: Any,
        conversation_id: Any = CONVERSATION_ID,
        /,
        options: dict[str, Any] | None = None,
        clock: Clock | None = None,
        **arguments: Any,
    ) -> UpdateConversationResponse:
        """Call `update_conversation`.

        Args:
            transport: the transport of the client, or `None`.
            conversation_id: the first argument of the call.
            options: options of the client.
            clock: the clock of the client. Default: a new one.
            arguments: the other arguments of the call, untyped on purpose.
        """
        ...


def options_of_client(
    transport: Any, clock: Clock, options: dict[str, Any] | None
) -> dict[str, Any]:
    """The options of a client that uses a transport and a clock."""
    return {
        "token": TOKEN,
        "transport": transport,
        "rate_limit": RateLimit(clock=clock),
        **(options or {}),
    }


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
    client_options = options_of_client(transport, clock, options)
    call_arguments: dict[str, Any] = {"location_id": LOCATION_ID, **arguments}
    with LeadConnector(**client_options) as client:
        timed(client, clock)
        return client.conversations.update_conversation(conversation_id, **call_arguments)


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
    client_options = options_of_client(transport, clock, options)
    call_arguments: dict[str, Any] = {"location_id": LOCATION_ID, **arguments}

    async def run() -> UpdateConversationResponse:
        async with AsyncLeadConnector(**client_options) as client:
            timed(client, clock)
            return await client.conversations.update_conversation(conversation_id, **call_arguments)

    return asyncio.run(run())


def responding(
    respond: Callable[[], httpx.Response], requests: list[httpx.Request] | None = None
) -> httpx.MockTransport:
    """A transport that calls a function for each response.

    Args:
        respond: makes a response, or raises.
        requests: records the requests.
    """

    def handle(request: httpx.Request) -> httpx.Response:
        if requests is not None:
            requests.append(request)
        return respond()

    return httpx.MockTransport(handle)


def returning(
    status: int, *, requests: list[httpx.Request] | None = None, **response: Any
) -> httpx.MockTransport:
    """A transport that returns equal responses, made with the keyword arguments of httpx."""

    def respond() -> httpx.Response:
        return httpx.Response(status, **response)

    return responding(respond, requests)


def succeeding(requests: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """A transport that returns the smallest documented success."""
    return returning(200, requests=requests, json=SUCCESS_BODY)
