"""This project's client."""

from __future__ import annotations

from typing import Any

from leadconnector import AsyncLeadConnector, LeadConnector

from benchmarks.compare.adapters.adapter import Adapter, Arguments, Settings


class LeadconnectorClient(Adapter):
    """Retries, timeouts and the rate limit are on by default."""

    has_deadline = True

    def connect(self, settings: Settings) -> Any:
        """A client in its default configuration."""
        return LeadConnector(**self._options(settings))

    def update(self, client: Any, arguments: Arguments) -> Any:
        """Call the generated method."""
        return client.conversations.update_conversation(
            arguments.conversation_id, **self._values(arguments)
        )

    async def start_async_update(self, settings: Settings, arguments: Arguments) -> Any:
        """Call the generated coroutine method."""
        async with AsyncLeadConnector(**self._options(settings)) as client:
            return await client.conversations.update_conversation(
                arguments.conversation_id, **self._values(arguments)
            )

    def data(self, result: Any) -> Any:
        """The model as JSON data."""
        return result.to_dict()

    def _options(self, settings: Settings) -> dict[str, Any]:
        options: dict[str, Any] = {"base_url": settings.base_url, "token": settings.token}
        if settings.timeout is not None:
            options["timeout"] = settings.timeout
        if settings.deadline is not None:
            options["deadline"] = settings.deadline
        return options

    def _values(self, arguments: Arguments) -> dict[str, Any]:
        values: dict[str, Any] = {
            "location_id": arguments.location_id,
            "starred": arguments.starred,
        }
        if arguments.unread_count is not None:
            values["unread_count"] = arguments.unread_count
        return values


adapter = LeadconnectorClient()
