"""The generated code of this project, without its hand-written part."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.speed.peer import (
    TOKEN,
    VERSION,
    AsyncCall,
    Peer,
    SyncCall,
    conversation_id,
    location_id,
)
from benchmarks.speed.peers.httpx_client import NullTransport

client_module: Any = import_module("generated.client")
models: Any = import_module("generated.models")
operation: Any = import_module("generated.api.conversations.update_conversation")


class PlainFunctions(Peer):
    """The functions `sync` and `asyncio` of the operation."""

    def sync_call(self) -> SyncCall:
        """The function `sync`."""
        return self._sync_call({})

    def null_call(self) -> SyncCall:
        """The function `sync` with a transport of the benchmark."""
        return self._sync_call({"transport": NullTransport()})

    def _sync_call(self, httpx_args: dict[str, Any]) -> SyncCall:
        client = self._client(httpx_args)
        version = models.ApiVersion(VERSION)

        def call(number: int) -> Any:
            return operation.sync(
                conversation_id(number), client=client, body=request_body(number), version=version
            )

        return call

    async def async_call(self) -> AsyncCall:
        """The function `asyncio`."""
        client = self._client({})
        version = models.ApiVersion(VERSION)

        async def call(number: int) -> Any:
            return await operation.asyncio(
                conversation_id(number), client=client, body=request_body(number), version=version
            )

        return call

    def _client(self, httpx_args: dict[str, Any]) -> Any:
        return client_module.AuthenticatedClient(
            self.settings.base_url, token=TOKEN, httpx_args=httpx_args
        )


def request_body(number: int) -> Any:
    """The model of the body."""
    return models.UpdateConversationRequest(
        location_id=location_id(number), unread_count=1, starred=True
    )


peer = PlainFunctions
