"""Measures the cost of a call of the client without a network.

Compares the whole call, with and without rate limit and retries, with the plain generated
function. The transport responds at once, so only the client's own code is measured: one thread,
microseconds of wall time. The variants take turns, and the best of several rounds counts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from leadconnector import LeadConnector, RateLimit
from leadconnector._generated.api.conversations import update_conversation as generated
from leadconnector._generated.client import AuthenticatedClient
from leadconnector.models import ApiVersion, UpdateConversationRequest

CALLS = 2_000
"""Calls of each variant in a round."""

ROUNDS = 15

LOCATIONS = 1_000
"""Calls go round these locations. Each location gets 30 of them, far below its rate limit."""

CACHED_CONVERSATIONS = 100
"""Few enough for the client to cache their URLs. It caches those of 512 conversations."""

CONVERSATION_ID = "tDtDnQdgm2LXpyiqYvZ6"
RESPONSE = {
    "success": True,
    "conversation": {
        "id": CONVERSATION_ID,
        "locationId": CONVERSATION_ID,
        "contactId": CONVERSATION_ID,
        "assignedTo": CONVERSATION_ID,
        "userId": CONVERSATION_ID,
        "lastMessageBody": "Hello, this is the message body.",
        "lastMessageDate": "1628008053263",
        "lastMessageType": "TYPE_SMS",
        "unreadCount": 1,
        "inbox": True,
        "starred": True,
        "deleted": False,
    },
}
BODY = json.dumps(RESPONSE).encode()
# The headers of a real response that the client reads.
HEADERS = [
    (b"Content-Type", b"application/json; charset=utf-8"),
    (b"Content-Length", b"%d" % len(BODY)),
    (b"X-RateLimit-Limit-Daily", b"200000"),
    (b"X-RateLimit-Daily-Remaining", b"199999"),
    (b"X-RateLimit-Interval-Milliseconds", b"10000"),
    (b"X-RateLimit-Max", b"100"),
    (b"X-RateLimit-Remaining", b"99"),
]

NumberedCall = Callable[[int], object]
"""A call to measure. Its argument is the number of the call in the round."""


@dataclass(frozen=True)
class Variant:
    """One way to make a call."""

    name: str
    call: NumberedCall


class NullTransport(httpx.BaseTransport):
    """Returns the same success for every request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The success."""
        return httpx.Response(200, headers=HEADERS, stream=httpx.ByteStream(BODY))


def main() -> None:
    """Measure and print."""
    plain = Variant("the plain generated function", generated_call())
    uncached = Variant(
        "the client, all policies on, a new conversation each time", call_with_policies(CALLS)
    )
    cached = Variant(
        "the client, all policies on, cached conversations",
        call_with_policies(CACHED_CONVERSATIONS),
    )
    without_policies = Variant(
        "the client, all policies off, a new conversation each time",
        client_call(CALLS, rate_limit=None, retries=0),
    )
    variants = [plain, uncached, cached, without_policies]
    times = measure(variants)
    for variant in variants:
        print(f"{variant.name}: {times[variant]:.1f} µs")
    policies = times[uncached] - times[without_policies]
    cached_ratio = times[cached] / times[plain]
    uncached_ratio = times[uncached] / times[plain]
    print(
        f"policies: {policies:.1f} µs; "
        f"relative to the plain function: {cached_ratio:.2f}, uncached {uncached_ratio:.2f}"
    )


def measure(variants: list[Variant]) -> dict[Variant, float]:
    """Microseconds per call of each variant, in its best round."""
    best = dict.fromkeys(variants, float("inf"))
    # The variants take turns, so that a busy moment of the machine affects all of them.
    # The best round is the one with the least disturbance.
    for _ in range(ROUNDS):
        for variant in variants:
            best[variant] = min(best[variant], time_round(variant.call))
    return best


def time_round(call: NumberedCall) -> float:
    """Microseconds per call, as the mean of one round."""
    start = time.perf_counter()
    for number in range(CALLS):
        call(number)
    seconds = time.perf_counter() - start
    return seconds / CALLS * 1e6


def call_with_policies(conversations: int) -> NumberedCall:
    """A call of the client with rate limit, deadline, retries and drift detection."""
    return client_call(
        conversations, rate_limit=RateLimit(), deadline=60.0, retries=2, on_drift=print
    )


def client_call(conversations: int, **options: Any) -> NumberedCall:
    """A call of the client.

    Args:
        conversations: how many conversations the calls go round.
        options: the options of the client.
    """
    client = LeadConnector(token="a-token", transport=NullTransport(), **options)

    def call(number: int) -> object:
        return client.conversations.update_conversation(
            f"conversation-{number % conversations}",
            location_id=f"location-{number % LOCATIONS}",
            unread_count=1,
            starred=True,
        )

    return call


def generated_call() -> NumberedCall:
    """A call of the function that the generator writes, without the hand-written layer."""
    client = AuthenticatedClient(
        "https://services.leadconnectorhq.com",
        token="a-token",
        httpx_args={"transport": NullTransport()},
    )

    def call(number: int) -> object:
        body = UpdateConversationRequest(
            location_id=f"location-{number % LOCATIONS}", unread_count=1, starred=True
        )
        return generated.sync(
            f"conversation-{number}", client=client, body=body, version=ApiVersion("2021-07-28")
        )

    return call


if __name__ == "__main__":
    main()
