"""What a call costs without a network: the policies, the whole call, and the plain generated function beside it.

The transport answers at once, so that nothing but the client is measured: one thread, microseconds of wall time, the
best of several rounds, in which those that are compared take turns.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Unpack

import httpx
from leadconnector import LeadConnector, RateLimit
from leadconnector._generated.api.conversations import update_conversation as generated
from leadconnector._generated.client import AuthenticatedClient
from leadconnector.client import Options
from leadconnector.models import ApiVersion, UpdateConversationRequest

CALLS, ROUNDS, LOCATIONS, KNOWN = 2_000, 15, 1_000, 100
"""So that no location comes near to its quota: 30 calls each. A client remembers the URLs of 512 conversations."""

ANSWER = {
    "success": True,
    "conversation": {
        **dict.fromkeys(
            ("id", "locationId", "contactId", "assignedTo", "userId"), "tDtDnQdgm2LXpyiqYvZ6"
        ),
        "lastMessageBody": "Hello, this is the message body.",
        "lastMessageDate": "1628008053263",
        "lastMessageType": "TYPE_SMS",
        "unreadCount": 1,
        "inbox": True,
        "starred": True,
        "deleted": False,
    },
}
BODY = json.dumps(ANSWER).encode()
HEADERS = [
    (b"Content-Type", b"application/json; charset=utf-8"),
    (b"Content-Length", b"%d" % len(BODY)),
    (b"X-RateLimit-Limit-Daily", b"200000"),
    (b"X-RateLimit-Daily-Remaining", b"199999"),
    (b"X-RateLimit-Interval-Milliseconds", b"10000"),
    (b"X-RateLimit-Max", b"100"),
    (b"X-RateLimit-Remaining", b"99"),
]


class NullTransport(httpx.BaseTransport):
    """Answers every request with the same success."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer."""
        return httpx.Response(200, headers=HEADERS, stream=httpx.ByteStream(BODY))


def ours(conversations: int, **options: Unpack[Options]) -> Callable[[int], object]:
    """A call of the client with these options, that goes through so many conversations."""
    client = LeadConnector(token="a-token", transport=NullTransport(), **options)

    def call(number: int) -> object:
        return client.conversations.update_conversation(
            f"conversation-{number % conversations}",
            location_id=f"location-{number % LOCATIONS}",
            unread_count=1,
            starred=True,
        )

    return call


def plain() -> Callable[[int], object]:
    """A call of the generated function, as the generator leaves it."""
    transport = {"transport": NullTransport()}
    client = AuthenticatedClient(
        "https://services.leadconnectorhq.com", token="a-token", httpx_args=transport
    )

    def call(number: int) -> object:
        body = UpdateConversationRequest(
            location_id=f"location-{number % LOCATIONS}", unread_count=1, starred=True
        )
        return generated.sync(
            f"conversation-{number}", client=client, body=body, version=ApiVersion("2021-07-28")
        )

    return call


def measured(calls: dict[str, Callable[[int], object]]) -> dict[str, float]:
    """Microseconds of each, the best of all rounds."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            begun = time.perf_counter()
            for number in range(CALLS):
                call(number)
            best[name] = min(best[name], (time.perf_counter() - begun) / CALLS * 1e6)
    return best


def main() -> None:
    """Measure and tell."""
    found = measured(
        {
            "the plain generated function": plain(),
            "the client, every policy on, a new conversation each time": every(CALLS),
            "the client, every policy on, conversations that it knows": every(KNOWN),
            "the client, every policy off, a new conversation each time": ours(
                CALLS, rate_limit=None, retries=0
            ),
        }
    )
    for name, microseconds in found.items():
        print(f"{name}: {microseconds:.1f} µs")
    function, new, known, off = found.values()
    print(
        f"policies: {new - off:.1f} µs; of the plain function: {known / function:.2f}, new {new / function:.2f}"
    )


def every(conversations: int) -> Callable[[int], object]:
    """A call with every policy on."""
    return ours(conversations, rate_limit=RateLimit(), deadline=60.0, retries=2, on_drift=print)


if __name__ == "__main__":
    main()
