"""Lets one test hold for the sync and the async client: makes a client, a call, and closes it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import httpx
from leadconnector import AsyncLeadConnector, LeadConnector
from leadconnector.models import UpdateConversationResponse

TOKEN = "9c48df2694a849b6089f9d0d3513efe"
CONVERSATION_ID = "tDtDnQdgm2LXpyiqYvZ6"
LOCATION_ID = "tDtDnQdgm2LXpyiqYvZ6"

ANSWER: dict[str, Any] = {
    "success": True,
    "conversation": {"id": CONVERSATION_ID, "locationId": LOCATION_ID, "contactId": "contact", "deleted": False},
}
"""The smallest documented success, with an id."""


class Caller(Protocol):
    """Makes one call with a client of its own."""

    def __call__(
        self,
        transport: Any,
        conversation_id: Any = CONVERSATION_ID,
        /,
        options: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> UpdateConversationResponse:
        """Call `update_conversation`; the client takes the options, and the arguments are untyped on purpose."""
        ...


def call_sync(
    transport: Any, conversation_id: Any = CONVERSATION_ID, /, options: dict[str, Any] | None = None, **arguments: Any
) -> UpdateConversationResponse:
    """A `Caller` with `LeadConnector`."""
    made_with: dict[str, Any] = {"token": TOKEN, "transport": transport, **(options or {})}
    called_with: dict[str, Any] = {"location_id": LOCATION_ID, **arguments}
    with LeadConnector(**made_with) as client:
        return client.conversations.update_conversation(conversation_id, **called_with)


def call_async(
    transport: Any, conversation_id: Any = CONVERSATION_ID, /, options: dict[str, Any] | None = None, **arguments: Any
) -> UpdateConversationResponse:
    """A `Caller` with `AsyncLeadConnector`."""

    made_with: dict[str, Any] = {"token": TOKEN, "transport": transport, **(options or {})}
    called_with: dict[str, Any] = {"location_id": LOCATION_ID, **arguments}

    async def run() -> UpdateConversationResponse:
        async with AsyncLeadConnector(**made_with) as client:
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
