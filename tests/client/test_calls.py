"""The request of a call, its result, and the information about the response, for both clients."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from leadconnector import UNSET, LeadConnector, ResponseInfo
from leadconnector.models import ConversationFeedback, LastMessageType, UpdateConversationResponse

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    Caller,
    conversation_of,
    returning,
    succeeding,
)


def request_of(
    call: Caller,
    conversation_id: str = CONVERSATION_ID,
    /,
    options: dict[str, Any] | None = None,
    **named: Any,
) -> httpx.Request:
    requests: list[httpx.Request] = []
    call(
        succeeding(requests),
        conversation_id,
        options=options,
        **named,
    )
    (request,) = requests
    return request


def test_a_call_sends_the_documented_request(call: Caller) -> None:
    request = request_of(call, unread_count=2, starred=True, feedback={"score": 5})

    assert request.method == "PUT"
    assert (
        str(request.url) == f"https://services.leadconnectorhq.com/conversations/{CONVERSATION_ID}"
    )
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["version"] == "2021-07-28"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert json.loads(request.content) == {
        "locationId": LOCATION_ID,
        "unreadCount": 2,
        "starred": True,
        "feedback": {"score": 5},
    }


def test_an_omitted_argument_is_not_sent(call: Caller) -> None:
    assert json.loads(request_of(call).content) == {"locationId": LOCATION_ID}
    assert json.loads(request_of(call, starred=UNSET).content) == {"locationId": LOCATION_ID}


def test_false_and_zero_are_sent(call: Caller) -> None:
    assert json.loads(request_of(call, starred=False, unread_count=0).content) == {
        "locationId": LOCATION_ID,
        "starred": False,
        "unreadCount": 0,
    }


def test_integers_stay_integers_on_the_wire(call: Caller) -> None:
    assert b'"unreadCount":3}' in request_of(call, unread_count=3).content
    assert b'"unreadCount":3.5}' in request_of(call, unread_count=3.5).content


def test_feedback_can_be_a_mapping_or_its_model(call: Caller) -> None:
    model = ConversationFeedback.from_dict({"score": 5})

    request = request_of(call, feedback=model)
    assert request.content == request_of(call, feedback={"score": 5}).content


@pytest.mark.parametrize(
    ("conversation_id", "path"),
    [
        ("a/b", "a%2Fb"),
        ("a/../b", "a%2F..%2Fb"),
        ("%2F", "%252F"),
        ("é日本", "%C3%A9%E6%97%A5%E6%9C%AC"),
        ("a b", "a%20b"),
        ("a?b#c", "a%3Fb%23c"),
        ("a;b,c=d&e+f@g:h", "a%3Bb%2Cc%3Dd%26e%2Bf%40g%3Ah"),
    ],
)
def test_an_id_is_percent_encoded_in_the_path(
    call: Caller, conversation_id: str, path: str
) -> None:
    assert request_of(call, conversation_id).url.raw_path == f"/conversations/{path}".encode()


def test_the_version_of_the_call_overrides_that_of_the_client(call: Caller) -> None:
    assert request_of(call, options={"version": "v3"}).headers["version"] == "v3"
    assert (
        request_of(call, options={"version": "v3"}, version="2021-04-15").headers["version"]
        == "2021-04-15"
    )


def test_the_base_url_can_have_a_path(call: Caller) -> None:
    request = request_of(call, options={"base_url": "https://gateway.example/highlevel/"})

    assert str(request.url) == f"https://gateway.example/highlevel/conversations/{CONVERSATION_ID}"


def test_every_request_has_all_four_timeouts(call: Caller) -> None:
    assert request_of(call).extensions["timeout"] == {
        "connect": 5.0,
        "read": 30.0,
        "write": 30.0,
        "pool": 30.0,
    }
    assert request_of(call, options={"timeout": 2}).extensions["timeout"] == dict.fromkeys(
        ("connect", "read", "write", "pool"), 2
    )


def test_a_call_returns_the_success_model(call: Caller) -> None:
    response_body = {
        **SUCCESS_BODY,
        "conversation": {
            **SUCCESS_BODY["conversation"],
            "lastMessageType": "TYPE_SMS",
            "unreadCount": 4,
        },
    }

    updated = call(returning(200, json=response_body))

    assert isinstance(updated, UpdateConversationResponse)
    assert updated.success is True
    assert conversation_of(updated).id == CONVERSATION_ID
    assert conversation_of(updated).last_message_type is LastMessageType.TYPE_SMS
    assert conversation_of(updated).unread_count == 4
    assert conversation_of(updated).inbox is UNSET


def test_an_unknown_enum_value_and_an_undocumented_field_are_kept(call: Caller) -> None:
    conversation = {
        **SUCCESS_BODY["conversation"],
        "lastMessageType": "TYPE_TELEPATHY",
        "mood": {"is": "good"},
    }

    updated = call(returning(200, json={**SUCCESS_BODY, "conversation": conversation}))

    kind = conversation_of(updated).last_message_type
    assert isinstance(kind, LastMessageType)
    assert kind.is_unknown
    assert kind == "TYPE_TELEPATHY"
    assert conversation_of(updated)["mood"] == {"is": "good"}
    assert updated.to_dict()["conversation"] == conversation


@pytest.mark.parametrize("name", ["starred", "lastMessageType", "unreadCount", "id"])
def test_null_in_an_optional_field_is_decoded_as_absent(call: Caller, name: str) -> None:
    conversation = {**SUCCESS_BODY["conversation"], name: None}

    updated = call(returning(200, json={**SUCCESS_BODY, "conversation": conversation}))

    assert name not in conversation_of(updated).to_dict()


def test_a_scalar_of_the_wrong_type_is_returned_unchanged(call: Caller) -> None:
    response_body = {
        "success": "no",
        "conversation": {**SUCCESS_BODY["conversation"], "deleted": "false", "unreadCount": "12"},
    }

    assert call(returning(200, json=response_body)).to_dict() == response_body


@pytest.mark.parametrize(
    ("name", "value"), [("lastMessageType", 7), ("assignedTo", {"id": 1}), ("starred", [True])]
)
def test_an_optional_value_that_its_model_cannot_represent_is_decoded_as_absent(
    call: Caller, name: str, value: object
) -> None:
    conversation = {**SUCCESS_BODY["conversation"], name: value}

    updated = call(returning(200, json={**SUCCESS_BODY, "conversation": conversation}))

    assert updated.to_dict() == SUCCESS_BODY


def test_a_byte_order_mark_before_the_json_is_ignored(call: Caller) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(SUCCESS_BODY).encode()

    assert call(returning(200, content=body)).to_dict() == SUCCESS_BODY


def test_on_response_receives_status_headers_and_attempts(call: Caller) -> None:
    infos: list[ResponseInfo] = []
    headers = {"X-RateLimit-Remaining": "99", "x-request-id": "abc"}

    call(
        returning(200, json=SUCCESS_BODY, headers=headers),
        options={"on_response": infos.append},
    )

    (info,) = infos
    assert (info.status_code, info.attempts, info.request_id) == (200, 1, "abc")
    assert info.headers["x-ratelimit-remaining"] == info.headers["X-RateLimit-Remaining"] == "99"


def test_an_exception_of_on_response_reaches_the_caller(call: Caller) -> None:
    def fail(info: ResponseInfo) -> None:
        raise LookupError(info.status_code)

    with pytest.raises(LookupError, match="200"):
        call(succeeding(), options={"on_response": fail})


def test_with_options_shares_the_connections_and_does_not_change_the_original() -> None:
    requests: list[httpx.Request] = []
    infos: list[ResponseInfo] = []
    client = LeadConnector(token=TOKEN, transport=succeeding(requests))

    changed_client = client.with_options(timeout=1.5, version="v3", on_response=infos.append)
    changed_client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
    client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert type(changed_client) is LeadConnector
    assert [request.extensions["timeout"]["read"] for request in requests] == [1.5, 30.0]
    assert [request.headers["version"] for request in requests] == ["v3", "2021-07-28"]
    assert len(infos) == 1


def test_cookies_of_the_api_are_not_sent_back() -> None:
    requests: list[httpx.Request] = []
    cookie = {"set-cookie": "session=1; Path=/"}
    transport = returning(200, headers=cookie, json=SUCCESS_BODY, requests=requests)
    with LeadConnector(token=TOKEN, transport=transport) as client:
        for _ in range(2):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert "cookie" not in requests[1].headers
