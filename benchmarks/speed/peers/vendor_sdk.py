"""HighLevel's own SDK."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.speed.peer import TOKEN, AsyncCall, Peer, body_of, conversation_id

package: Any = import_module("highlevel")


class VendorSdk(Peer):
    """It has only coroutine methods."""

    async def async_call(self) -> AsyncCall:
        """The coroutine method."""
        client = package.HighLevel(private_integration_token=TOKEN)
        # The SDK has no option for it. `get_http_client` is public.
        client.get_http_client().base_url = self.settings.base_url

        async def call(number: int) -> Any:
            return await client.conversations.update_conversation(
                conversation_id(number), body_of(number)
            )

        return call


peer = VendorSdk
