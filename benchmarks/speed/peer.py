"""What every peer does: the request, its arguments, and how a worker calls it.

A worker imports this in the environment of a peer. So it needs only the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

TOKEN = "benchmark"
VERSION = "2021-07-28"
LOCATIONS = 1_000
"""The calls go round these locations. Each stays below 100 calls in 10 s, the API's rate limit."""

HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Version": VERSION,
    "Content-Type": "application/json",
    "Accept": "application/json",
}

RESPONSE = {
    "success": True,
    "conversation": {
        "id": "tDtDnQdgm2LXpyiqYvZ6",
        "locationId": "tDtDnQdgm2LXpyiqYvZ6",
        "contactId": "tDtDnQdgm2LXpyiqYvZ6",
        "assignedTo": "tDtDnQdgm2LXpyiqYvZ6",
        "userId": "tDtDnQdgm2LXpyiqYvZ6",
        "lastMessageBody": "Hello, this is the message body.",
        "lastMessageDate": "1628008053263",
        "lastMessageType": "TYPE_SMS",
        "unreadCount": 1,
        "inbox": True,
        "starred": True,
        "deleted": False,
    },
}
RESPONSE_BODY = json.dumps(RESPONSE).encode()

RATE_LIMIT_HEADERS = {
    "X-RateLimit-Limit-Daily": "200000",
    "X-RateLimit-Daily-Remaining": "199999",
    "X-RateLimit-Interval-Milliseconds": "10000",
    "X-RateLimit-Max": "100",
    "X-RateLimit-Remaining": "99",
}
"""Headers of the real API, which every peer receives."""

SyncCall: TypeAlias = Callable[[int], object]
"""Makes one call. The argument is the number of the call, and decides the conversation."""

AsyncCall: TypeAlias = Callable[[int], Awaitable[object]]


class NotOfferedError(Exception):
    """The peer has no such interface. The message says what it lacks."""


@dataclass(frozen=True)
class Settings:
    """Where a peer sends its requests."""

    base_url: str
    certificate: str | None = None
    """The file with the certificate of the server, for TLS."""
    variant: str = ""
    """Which of several configurations a module uses."""


class Peer:
    """A peer. A method that it does not override means that it lacks this interface."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def sync_call(self) -> SyncCall:
        """Make a client, and return a function that calls it."""
        raise NotOfferedError("it has no sync interface")

    async def async_call(self) -> AsyncCall:
        """Make a client in the running event loop, and return a function that calls it."""
        raise NotOfferedError("it has no async interface")

    def null_call(self) -> SyncCall:
        """Make a client whose transport returns a success at once."""
        raise NotOfferedError("its transport cannot be replaced")

    def check(self) -> None:
        """Verify, after a call, that the client is what the row says.

        Raises:
            NotOfferedError: it is not.
        """

    def url(self, number: int) -> str:
        """The URL of a call."""
        return f"{self.settings.base_url}/conversations/{conversation_id(number)}"


def conversation_id(number: int) -> str:
    """A new conversation for each call."""
    return f"conversation-{number}"


def location_id(number: int) -> str:
    """The location of a call."""
    return f"location-{number % LOCATIONS}"


def body_of(number: int) -> dict[str, Any]:
    """The JSON body of a call."""
    return {"locationId": location_id(number), "unreadCount": 1, "starred": True}


def is_success(result: Any) -> bool:
    """Whether a call returned the parsed response."""
    if isinstance(result, dict):
        return result.get("success") is True  # pyright: ignore[reportUnknownMemberType]
    return getattr(result, "success", None) is True
