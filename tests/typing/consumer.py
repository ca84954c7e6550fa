"""Code of a user, which mypy --strict and pyright strict check. It is never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

import httpx
import leadconnector
from leadconnector import (
    APIDecodingError,
    APIStatusError,
    ArgumentError,
    AsyncLeadConnector,
    DriftError,
    Finding,
    LeadConnector,
    ResponseInfo,
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
        transport=httpx.MockTransport(lambda request: httpx.Response(200)),
    )
    assert_type(client.with_options(timeout=1.0), LeadConnector)
    with client as same:
        assert_type(same, LeadConnector)


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
