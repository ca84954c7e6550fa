"""A process for `test_agency`: threads and tasks call the API for many locations of one agency."""

from __future__ import annotations

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor

from leadconnector import AgencyOAuth, AsyncLeadConnector, FileAgencyTokenStore, LeadConnector

THREADS = 8


def call_with_threads(oauth: AgencyOAuth, url: str, locations: list[str]) -> int:
    """Update one conversation of each location with a sync client. Returns the successes."""
    with LeadConnector(token=oauth, base_url=url, rate_limit=None) as client:

        def call(location: str) -> bool:
            response = client.conversations.update_conversation(location, location_id=location)
            return bool(response.success)

        with ThreadPoolExecutor(THREADS) as executor:
            return sum(executor.map(call, locations))


async def call_with_tasks(oauth: AgencyOAuth, url: str, locations: list[str]) -> int:
    """Update one conversation of each location with an async client. Returns the successes."""
    async with AsyncLeadConnector(token=oauth, base_url=url, rate_limit=None) as client:
        # A client of one location, for the other way to use its token.
        calls = [
            client.for_location(location).conversations.update_conversation(
                location, location_id=location
            )
            for location in locations
        ]
        return sum(bool(response.success) for response in await asyncio.gather(*calls))


def main(folder: str, url: str, locations_json: str) -> None:
    locations: list[str] = json.loads(locations_json)
    store = FileAgencyTokenStore(folder)
    oauth = AgencyOAuth(client_id="client", client_secret="client-secret", store=store)
    # A line of the test starts all processes at once.
    sys.stdin.readline()
    with ThreadPoolExecutor(1) as executor:
        successes = executor.submit(call_with_threads, oauth, url, locations)
        print(asyncio.run(call_with_tasks(oauth, url, locations)) + successes.result())


if __name__ == "__main__":
    main(*sys.argv[1:])
