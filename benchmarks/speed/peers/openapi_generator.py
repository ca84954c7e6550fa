"""The output of OpenAPI Generator, with urllib3 or with aiohttp."""

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

package: Any = import_module("openapi_client")


class OpenapiGenerator(Peer):
    """The library that it was generated for decides whether it is sync or async."""

    def sync_call(self) -> SyncCall:
        """The method of the class with the operations."""
        if self.settings.variant == "aiohttp":
            return super().sync_call()
        conversations = self._conversations()
        version = package.ApiVersion(VERSION)

        def call(number: int) -> Any:
            return conversations.update_conversation(
                conversation_id(number), version, request_body(number)
            )

        return call

    async def async_call(self) -> AsyncCall:
        """The coroutine method of the class with the operations."""
        if self.settings.variant != "aiohttp":
            return await super().async_call()
        conversations = self._conversations()
        version = package.ApiVersion(VERSION)

        async def call(number: int) -> Any:
            return await conversations.update_conversation(
                conversation_id(number), version, request_body(number)
            )

        return call

    def _conversations(self) -> Any:
        configuration = package.Configuration(host=self.settings.base_url, access_token=TOKEN)
        configuration.ssl_ca_cert = self.settings.certificate
        return package.ConversationsApi(package.ApiClient(configuration))


def request_body(number: int) -> Any:
    """The model of the body."""
    return package.UpdateConversationRequest(
        location_id=location_id(number), unread_count=1, starred=True
    )


peer = OpenapiGenerator
