"""The output of OpenAPI Generator for Python, with its default HTTP library."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.compare.adapters.adapter import Adapter, Arguments, Settings

package: Any = import_module("openapi_client")
urllib3: Any = import_module("urllib3")

RETRYABLE_STATUSES = (429, 500, 502, 503, 504)


class OpenapiGenerator(Adapter):
    """Its option `retries` is on. Timeouts are an argument of each call, without a default."""

    def connect(self, settings: Settings) -> Any:
        """A client with two retries, as the other clients have by default."""
        # `raise_on_status=False` leaves a last error status to the client, which has exceptions
        # for it. urllib3 would raise `MaxRetryError`.
        retries = urllib3.Retry(
            total=2,
            backoff_factor=0.5,
            status_forcelist=RETRYABLE_STATUSES,
            raise_on_status=False,
        )
        configuration = package.Configuration(
            host=settings.base_url, access_token=settings.token, retries=retries
        )
        conversations = package.ConversationsApi(package.ApiClient(configuration))
        return OpenapiGeneratorClient(conversations, settings.timeout)

    def update(self, client: Any, arguments: Arguments) -> Any:
        """Call the method that returns the model."""
        values = {"location_id": arguments.location_id, "starred": arguments.starred}
        if arguments.unread_count is not None:
            values["unread_count"] = arguments.unread_count
        options: dict[str, Any] = {}
        if client.timeout is not None:
            options["_request_timeout"] = client.timeout
        return client.conversations.update_conversation(
            arguments.conversation_id,
            package.ApiVersion("2021-07-28"),
            package.UpdateConversationRequest(**values),
            **options,
        )

    def data(self, result: Any) -> Any:
        """The model as JSON data."""
        return result.to_dict()


class OpenapiGeneratorClient:
    """The generated class with the operations, and the timeout of each call."""

    def __init__(self, conversations: Any, timeout: float | None) -> None:
        self.conversations = conversations
        self.timeout = timeout

    def __repr__(self) -> str:
        return repr(self.conversations.api_client.configuration)


adapter = OpenapiGenerator()
