"""HighLevel's own SDK for Python."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from benchmarks.compare.adapters.adapter import Adapter, Arguments, AsyncClient, Settings

package: Any = import_module("highlevel")


class VendorSdk(Adapter):
    """Its timeout is on by default. It has no retries, and only an asyncio interface."""

    def connect(self, settings: Settings) -> Any:
        """A client, and an event loop for its coroutines."""
        return AsyncClient(self._client(settings), asyncio.Runner())

    def update(self, client: Any, arguments: Arguments) -> Any:
        """Run the coroutine method in the client's event loop."""
        return client.runner.run(self._update(client.client, arguments))

    def update_many(self, client: Any, arguments: Iterable[Arguments], workers: int) -> list[Any]:
        """Run the updates as tasks."""

        async def update_all() -> list[Any]:
            semaphore = asyncio.Semaphore(workers)

            async def update_one(item: Arguments) -> Any:
                async with semaphore:
                    return await self._update(client.client, item)

            tasks = [update_one(item) for item in arguments]
            return list(await asyncio.gather(*tasks, return_exceptions=True))

        results: list[Any] = client.runner.run(update_all())
        return results

    async def start_async_update(self, settings: Settings, arguments: Arguments) -> Any:
        """Call the coroutine method."""
        return await self._update(self._client(settings), arguments)

    def data(self, result: Any) -> Any:
        """The result is JSON data."""
        return result

    def _client(self, settings: Settings) -> Any:
        client = package.HighLevel(private_integration_token=settings.token)
        # The SDK has no option for these. `get_http_client` is public.
        http_client = client.get_http_client()
        http_client.base_url = settings.base_url
        if settings.timeout is not None:
            http_client.timeout = settings.timeout
        return client

    async def _update(self, client: Any, arguments: Arguments) -> Any:
        # A dictionary, as in the SDK's README: its models cannot be sent.
        body = {"locationId": arguments.location_id, "starred": arguments.starred}
        if arguments.unread_count is not None:
            body["unreadCount"] = arguments.unread_count
        return await client.conversations.update_conversation(arguments.conversation_id, body)


adapter = VendorSdk()
