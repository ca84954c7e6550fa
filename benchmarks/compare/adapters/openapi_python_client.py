"""The output of openapi-python-client without this project's templates and hand-written layer."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.compare.adapters.adapter import Adapter, Arguments, Settings

client_module: Any = import_module("plain_client")
models: Any = import_module("plain_client.models")
operation: Any = import_module("plain_client.api.conversations.update_conversation")
httpx: Any = import_module("httpx")


class OpenapiPythonClient(Adapter):
    """Its README recommends `raise_on_unexpected_status`. It has no retries."""

    def connect(self, settings: Settings) -> Any:
        """A client whose timeout is that of the scenario, or the default: none."""
        options: dict[str, Any] = {"raise_on_unexpected_status": True}
        if settings.timeout is not None:
            options["timeout"] = httpx.Timeout(settings.timeout)
        return client_module.AuthenticatedClient(
            base_url=settings.base_url, token=settings.token, **options
        )

    def update(self, client: Any, arguments: Arguments) -> Any:
        """Call the generated function that returns the parsed body."""
        return operation.sync(
            arguments.conversation_id,
            client=client,
            body=self._body(arguments),
            version=models.ApiVersion("2021-07-28"),
        )

    async def start_async_update(self, settings: Settings, arguments: Arguments) -> Any:
        """Call the generated coroutine."""
        async with self.connect(settings) as client:
            return await operation.asyncio(
                arguments.conversation_id,
                client=client,
                body=self._body(arguments),
                version=models.ApiVersion("2021-07-28"),
            )

    def data(self, result: Any) -> Any:
        """The model as JSON data."""
        return result.to_dict()

    def _body(self, arguments: Arguments) -> Any:
        body = models.UpdateConversationRequest(
            location_id=arguments.location_id, starred=arguments.starred
        )
        if arguments.unread_count is not None:
            body.unread_count = arguments.unread_count
        return body


adapter = OpenapiPythonClient()
