"""Code of a user, which mypy --strict and pyright strict check. It is never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_type

import httpx
import leadconnector
from leadconnector import (
    AgencyOAuth,
    AgencyTokenStore,
    APIDecodingError,
    APIResponse,
    APIStatusError,
    ArgumentError,
    AsyncLeadConnector,
    DriftError,
    FileAgencyTokenStore,
    Finding,
    LeadConnector,
    MemoryAgencyTokenStore,
    OAuth,
    OpenTelemetryTracing,
    RateLimitStatus,
    RequestOptions,
    ResponseInfo,
    Tokens,
    Unset,
)
from leadconnector.models import (
    Conversation,
    ConversationFeedback,
    ConversationUnreadUpdate,
    LastMessageType,
    UpdateConversationResponse,
)
from leadconnector.webhooks import WebhookEvent, verify


def a_call_returns_the_success_model(client: LeadConnector) -> None:
    updated = client.conversations.update_conversation(
        "id", location_id="l", unread_count=1, starred=True
    )
    assert_type(updated, UpdateConversationResponse)
    assert_type(updated.success, bool | Unset)
    assert_type(updated.conversation, Conversation | Unset)
    if updated.conversation:
        assert_type(updated.conversation, Conversation)
        assert_type(updated.conversation.deleted, bool | Unset)
        assert_type(updated.conversation.starred, bool | Unset)
        assert_type(updated.conversation.last_message_type, LastMessageType | Unset)


async def an_awaited_call_returns_the_success_model(client: AsyncLeadConnector) -> None:
    updated = await client.conversations.update_conversation(
        "id", location_id="l", feedback={"a": 1}
    )
    assert_type(updated, UpdateConversationResponse)


def a_raw_response_has_the_model(client: LeadConnector, options: RequestOptions | None) -> None:
    response = client.conversations.with_raw_response.update_conversation(
        "id", location_id="l", unread_count=1, options=options
    )
    assert_type(response, APIResponse[UpdateConversationResponse])
    assert_type(response.status_code, int)
    assert_type(response.headers, Mapping[str, str])
    assert_type(response.request_id, str | None)
    assert_type(response.attempts, int)
    assert_type(response.content, bytes)
    assert_type(response.parse(), UpdateConversationResponse)
    assert_type(client.request("GET", "/path"), APIResponse[Any])


async def an_awaited_raw_response_has_the_model(client: AsyncLeadConnector) -> None:
    response = await client.conversations.with_raw_response.update_conversation(
        "id", location_id="l", options=RequestOptions(timeout=5, headers={"X-Trace": "1"})
    )
    assert_type(response, APIResponse[UpdateConversationResponse])
    assert_type(response.parse(), UpdateConversationResponse)
    assert_type(await client.request("GET", "/path", query={"ids": ["a", 1]}), APIResponse[Any])


def wrong_options_are_errors(client: LeadConnector) -> None:
    RequestOptions(retries="2")  # type: ignore[arg-type]  # pyright: ignore
    client.conversations.update_conversation(
        "id",
        location_id="l",
        options={"timeout": 5},  # type: ignore[arg-type]  # pyright: ignore
    )
    client.conversations.with_raw_response.update_conversation(
        "id",
        location=5,  # type: ignore[call-arg]  # pyright: ignore
    )


def a_mapping_or_a_model_is_feedback(client: LeadConnector, mapping: Mapping[str, object]) -> None:
    client.conversations.update_conversation("id", location_id="l", feedback=mapping)
    client.conversations.update_conversation("id", location_id="l", feedback=ConversationFeedback())


def unset_is_told_apart_by_its_truth_or_its_type(conversation: Conversation) -> str:
    if isinstance(conversation.last_message_type, Unset):
        return "none"
    assert_type(conversation.last_message_type, LastMessageType)
    assert_type(conversation.last_message_type.is_unknown, bool)
    return conversation.last_message_type.value


def options_are_typed(seen: list[ResponseInfo]) -> None:
    client = LeadConnector(
        token=lambda: "token",
        base_url="https://gateway.example",
        version="v3",
        timeout=httpx.Timeout(3),
        on_response=seen.append,
        default_headers={"X-Gateway": "eu"},
        transport=httpx.MockTransport(lambda request: httpx.Response(200)),
    )
    assert_type(client.with_options(timeout=1.0), LeadConnector)
    with client as same:
        assert_type(same, LeadConnector)


def the_state_of_the_rate_limit_is_typed(client: LeadConnector) -> None:
    status = client.rate_limit("id")
    assert_type(status, RateLimitStatus)
    assert_type(status.remaining, int | None)
    assert_type(status.daily_resets_at, datetime | None)


async def the_async_state_of_the_rate_limit_is_typed(client: AsyncLeadConnector) -> None:
    assert_type(await client.rate_limit("id"), RateLimitStatus)


def tracing_is_an_option_of_both_clients(tracing: OpenTelemetryTracing) -> None:
    LeadConnector(token="token", tracing=tracing).with_options(tracing=None)
    AsyncLeadConnector(token="token", tracing=tracing)


async def the_async_client_takes_an_async_token() -> None:
    async def token() -> str:
        return "token"

    async with AsyncLeadConnector(token=token) as client:
        assert_type(client, AsyncLeadConnector)
        await client.close()


def the_body_and_the_result_of_a_success_are_objects(
    error: APIDecodingError, drift: DriftError, finding: Finding
) -> None:
    assert_type(error.body, object)
    assert_type(drift.result, object)
    assert_type(finding.value, str)


def errors_are_typed(error: APIStatusError, refused: ArgumentError) -> None:
    assert_type(error.status_code, int)
    assert_type(error.messages, list[str])
    assert_type(error.request_id, str | None)
    assert_type(error.headers, Mapping[str, str])
    assert_type(error.attempts, int)
    assert_type(refused.argument, str)


def an_event_is_a_model_or_open(
    pairs: list[tuple[bytes, bytes]], environ: dict[str, object], headers: httpx.Headers
) -> None:
    event = verify(b"", pairs, public_key=["old", b"new"], is_duplicate=set[str]().__contains__)
    if isinstance(event, WebhookEvent):
        assert_type(event.data, Mapping[str, Any])
    else:
        assert_type(event, ConversationUnreadUpdate)
        assert_type(event.unread_count, float | Unset)
    verify(bytearray(), environ)
    verify(memoryview(b""), headers, maximum_age=None)
    verify("text", headers)  # type: ignore[arg-type]  # pyright: ignore


def a_misspelled_name_is_an_error() -> object:
    # mypy reports an ignored error that does not exist.
    return leadconnector.LeadConector  # type: ignore[attr-defined]  # pyright: ignore


async def an_authorization_returns_tokens(oauth: OAuth) -> None:
    url = oauth.authorization_url("https://app.example/", ["conversations.write"], "state")
    assert_type(url, str)
    assert_type(oauth.exchange_code("code", "https://app.example/", user_type="Company"), Tokens)
    assert_type(await oauth.exchange_code_async("code", "https://app.example/"), Tokens)
    oauth.exchange_code("code", "https://app.example/", user_type="Agency")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def a_client_for_a_location_is_of_the_same_class(store: AgencyTokenStore) -> None:
    oauth = AgencyOAuth(client_id="id", client_secret="secret", store=store, version="v3")
    assert_type(LeadConnector(token=oauth).for_location("l"), LeadConnector)
    assert_type(AsyncLeadConnector(token=oauth).for_location("l"), AsyncLeadConnector)


def each_store_of_an_agency_is_one() -> list[AgencyTokenStore]:
    return [MemoryAgencyTokenStore(), FileAgencyTokenStore("tokens")]
