"""Fern's output, as crozier writes it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.compare.adapters.adapter import Adapter, Arguments, Settings

package: Any = import_module("fern_client")


class Fern(Adapter):
    """Retries and timeouts are on by default."""

    def connect(self, settings: Settings) -> Any:
        """A client in its default configuration."""
        return package.FernClient(**self._options(settings))

    def update(self, client: Any, arguments: Arguments) -> Any:
        """Call the generated method."""
        return client.conversations.update_conversation(
            arguments.conversation_id, **self._values(arguments)
        )

    async def start_async_update(self, settings: Settings, arguments: Arguments) -> Any:
        """Call the generated coroutine method."""
        client = package.AsyncFernClient(**self._options(settings))
        return await client.conversations.update_conversation(
            arguments.conversation_id, **self._values(arguments)
        )

    def data(self, result: Any) -> Any:
        """The model as JSON data."""
        # Not in the mode "json", which turns NaN into null.
        return result.model_dump(by_alias=True, exclude_unset=True)

    def _options(self, settings: Settings) -> dict[str, Any]:
        options: dict[str, Any] = {
            "base_url": settings.base_url,
            "token": settings.token,
            "version": "2021-07-28",
        }
        if settings.timeout is not None:
            options["timeout"] = settings.timeout
        return options

    def _values(self, arguments: Arguments) -> dict[str, Any]:
        values: dict[str, Any] = {
            "location_id": arguments.location_id,
            "starred": arguments.starred,
        }
        if arguments.unread_count is not None:
            values["unread_count"] = arguments.unread_count
        return values


adapter = Fern()
