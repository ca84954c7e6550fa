"""Measures whether a call becomes slower with the number of locations of a rate limit.

It prints JSON: by the number of locations, the microseconds of a call without a network.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import count

import httpx
from leadconnector import LeadConnector, RateLimit

from .peer import RESPONSE_BODY
from .statistics import spread

CALLS = 200
"""Calls in a round."""

ROUNDS = 5


class NullTransport(httpx.BaseTransport):
    """Returns a success without the headers of the API's rate limit, which would lower ours."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The success."""
        headers = {"Content-Type": "application/json", "Content-Length": str(len(RESPONSE_BODY))}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(RESPONSE_BODY))


def measure(locations: int) -> float:
    """Microseconds per call in the median round, after one call for each location."""
    # No call may wait, not even if all are for one location. The memory of a location grows with
    # the limit, so it is not higher.
    limit = RateLimit(1 + ROUNDS * CALLS)
    client = LeadConnector(token="token", transport=NullTransport(), rate_limit=limit)
    for number in range(locations):
        update(client, number)
    numbers = count()
    durations: list[float] = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(CALLS):
            update(client, next(numbers) % locations)
        durations.append((time.process_time() - start) / CALLS * 1e6)
    return spread(durations).median


def update(client: LeadConnector, number: int) -> None:
    """One call for a location."""
    client.conversations.update_conversation(
        f"conversation-{number}", location_id=f"location-{number}", starred=True
    )


def main() -> None:
    """Measure the numbers of locations in the arguments."""
    print(json.dumps({text: measure(int(text)) for text in sys.argv[1:]}))


if __name__ == "__main__":
    main()
