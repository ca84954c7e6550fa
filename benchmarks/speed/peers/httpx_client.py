"""Raw httpx, to which the others are compared."""

from __future__ import annotations

from typing import Any

import httpx

from benchmarks.speed.peer import (
    HEADERS,
    RATE_LIMIT_HEADERS,
    RESPONSE_BODY,
    AsyncCall,
    Peer,
    SyncCall,
    body_of,
)


class NullTransport(httpx.BaseTransport):
    """Returns the same success for every request."""

    headers = (
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(RESPONSE_BODY))),
        *RATE_LIMIT_HEADERS.items(),
    )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The success."""
        stream = httpx.ByteStream(RESPONSE_BODY)
        return httpx.Response(200, headers=self.headers, stream=stream)


class HttpxClient(Peer):
    """One client, with its default limits."""

    def sync_call(self) -> SyncCall:
        """`Client.put`."""
        return self._sync_call(httpx.Client(headers=HEADERS))

    def null_call(self) -> SyncCall:
        """`Client.put` with a transport of the benchmark."""
        return self._sync_call(httpx.Client(headers=HEADERS, transport=NullTransport()))

    def _sync_call(self, client: httpx.Client) -> SyncCall:
        def call(number: int) -> Any:
            response = client.put(self.url(number), json=body_of(number))
            response.raise_for_status()
            return response.json()

        return call

    async def async_call(self) -> AsyncCall:
        """`AsyncClient.put`."""
        client = httpx.AsyncClient(headers=HEADERS)

        async def call(number: int) -> Any:
            response = await client.put(self.url(number), json=body_of(number))
            response.raise_for_status()
            return response.json()

        return call


peer = HttpxClient
