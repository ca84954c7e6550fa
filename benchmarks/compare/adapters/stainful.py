"""The output of stainful."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.compare.adapters.adapter import Adapter, Arguments, Settings

package: Any = import_module("stainful_client")

# The generated method has no parameter for the required header.
VERSION_HEADER = {"Version": "2021-07-28"}


class Stainful(Adapter):
    """Retries and timeouts are on by default."""

    def connect(self, settings: Settings) -> Any:
        """A client in its default configuration."""
        return package.Leadconnector(**self._options(settings))

    def update(self, client: Any, arguments: Arguments) -> Any:
        """Call the generated method."""
        return client.conversations.update(arguments.conversation_id, **self._values(arguments))

    async def start_async_update(self, settings: Settings, arguments: Arguments) -> Any:
        """Call the generated coroutine method."""
        client = package.AsyncLeadconnector(**self._options(settings))
        return await client.conversations.update(
            arguments.conversation_id, **self._values(arguments)
        )

    def data(self, result: Any) -> Any:
        """The model as JSON data."""
        # Not in the mode "json", which turns NaN into null.
        return result.model_dump(by_alias=True, exclude_unset=True)

    def _options(self, settings: Settings) -> dict[str, Any]:
        options: dict[str, Any] = {"api_key": settings.token, "base_url": settings.base_url}
        if settings.timeout is not None:
            options["timeout"] = settings.timeout
        return options

    def _values(self, arguments: Arguments) -> dict[str, Any]:
        values: dict[str, Any] = {
            "location_id": arguments.location_id,
            "starred": arguments.starred,
            "extra_headers": VERSION_HEADER,
        }
        if arguments.unread_count is not None:
            values["unread_count"] = arguments.unread_count
        return values


adapter = Stainful()
