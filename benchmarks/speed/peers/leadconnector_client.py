"""This project's client: by default, with the extra `fast`, and over the transport of httpx."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import httpx
from leadconnector import AsyncLeadConnector, LeadConnector
from leadconnector._runtime.http import DirectTransport, Limits, OutgoingRequest, RawResponse

from benchmarks.speed.peer import (
    RATE_LIMIT_HEADERS,
    RESPONSE_BODY,
    TOKEN,
    AsyncCall,
    NotOfferedError,
    Peer,
    SyncCall,
    conversation_id,
    location_id,
)
from benchmarks.speed.peers.httpx_client import NullTransport


class DirectNullTransport(DirectTransport):
    """Returns the same success for every request, below the connections of the client."""

    def exchange(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        """The success, after the work on a request that every connection needs."""
        request.data()
        headers: Mapping[str, str] = {
            "content-type": "application/json",
            "content-length": str(len(RESPONSE_BODY)),
            **{name.lower(): value for name, value in RATE_LIMIT_HEADERS.items()},
        }
        return RawResponse(200, headers, RESPONSE_BODY)

    def close(self) -> None:
        """Nothing to do."""

    def abandon(self) -> None:
        """Nothing to do."""


class LeadconnectorClient(Peer):
    """All policies are on: rate limit, deadline, retries and drift detection."""

    def sync_call(self) -> SyncCall:
        """The method of the resource."""
        options: dict[str, Any] = {}
        if self.settings.variant == "httpx":
            options["transport"] = httpx.HTTPTransport()
        return sync_call(self._client(options))

    def null_call(self) -> SyncCall:
        """The method of the resource, without a network.

        Raises:
            NotOfferedError: the variant differs only in how it parses bytes of the network.
        """
        if self.settings.variant == "fast":
            raise NotOfferedError("without a network there is nothing to parse")
        if self.settings.variant == "httpx":
            return sync_call(self._client({"transport": NullTransport()}))
        client = self._client({})
        # There is no public way: a direct transport is an internal part of the client.
        client._connections._create_transport = DirectNullTransport  # pyright: ignore[reportPrivateUsage]
        return sync_call(client)

    def _client(self, options: dict[str, Any]) -> LeadConnector:
        return LeadConnector(
            token=TOKEN, base_url=self.settings.base_url, deadline=60.0, on_drift=print, **options
        )

    async def async_call(self) -> AsyncCall:
        """The coroutine method of the resource."""
        options: dict[str, Any] = {}
        if self.settings.variant == "httpx":
            options["transport"] = httpx.AsyncHTTPTransport()
        client = AsyncLeadConnector(
            token=TOKEN, base_url=self.settings.base_url, deadline=60.0, on_drift=print, **options
        )

        async def call(number: int) -> object:
            return await client.conversations.update_conversation(
                conversation_id(number),
                location_id=location_id(number),
                unread_count=1,
                starred=True,
            )

        return call

    def check(self) -> None:
        """The row `fast` exists only if the client uses the parser.

        Raises:
            NotOfferedError: the client did not import it.
        """
        if self.settings.variant == "fast" and "httptools" not in sys.modules:
            raise NotOfferedError("the client of this checkout does not use httptools")


def sync_call(client: LeadConnector) -> SyncCall:
    """A function that calls a client."""

    def call(number: int) -> object:
        return client.conversations.update_conversation(
            conversation_id(number), location_id=location_id(number), unread_count=1, starred=True
        )

    return call


peer = LeadconnectorClient
