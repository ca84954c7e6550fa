"""The texts in the body of an error that explain it, as `messages`, for both clients."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import APIStatusError, BadRequestError, LeadConnector, NotFoundError
from leadconnector._generated import Operation
from leadconnector._highlevel import ERROR_VOCABULARY
from leadconnector._runtime.contract import OperationContract
from leadconnector._runtime.explanations import (
    MAXIMUM_CHARACTERS,
    MAXIMUM_EXPLANATIONS,
    explanations_in_json,
)
from leadconnector._runtime.http import RawResponse
from leadconnector._runtime.response import ResponseReader
from leadconnector._runtime.secrets import Secret
from leadconnector._runtime.text import MAXIMUM_QUOTED_CHARACTERS
from leadconnector.models import BadRequest, UnprocessableEntity

from tests.support.calling import TOKEN, Caller, returning


def error_of(call: Caller, status: int = 400, **response: Any) -> APIStatusError:
    """The exception for a response."""
    with pytest.raises(APIStatusError) as caught:
        call(returning(status, **response), options={"retries": 0})
    return caught.value


def class_validator(name: str, *children: Any, **constraints: str) -> dict[str, Any]:
    """One error of class-validator, as NestJS sends it. It repeats the request in `target`."""
    return {
        "target": {"message": "the text of a customer", "feedback": {"title": "private"}},
        "value": "another text of a customer",
        "property": name,
        "constraints": constraints,
        "children": list(children),
    }


BODIES: dict[str, tuple[Any, list[str]]] = {
    "a text": ({"message": "No"}, ["No"]),
    "texts": ({"message": ["No", "Never"]}, ["No", "Never"]),
    "class-validator": (
        {
            "statusCode": 400,
            "message": [class_validator("x", isString="x must be a string")],
            "error": "Bad Request",
        },
        ["x must be a string"],
    ),
    "class-validator, nested": (
        {
            "message": [
                class_validator(
                    "feedback",
                    class_validator("score", isInt="score must be an int", min="score is too low"),
                )
            ]
        },
        ["score must be an int", "score is too low"],
    ),
    "class-validator without message": (
        {"errors": [{"property": "x", "constraints": {"isString": "x must be a string"}}]},
        ["x must be a string"],
    ),
    "an object": ({"message": {"isString": "x must be a string"}}, ["x must be a string"]),
    "error": ({"error": "No such location"}, ["No such location"]),
    "error that repeats the status": ({"error": "Bad Request"}, ["Bad Request"]),
    "message and error": ({"message": "No", "error": "Bad Request"}, ["No"]),
    "message and another error": ({"error": "Forbidden", "message": "No"}, ["Forbidden", "No"]),
    "error object": ({"error": {"code": "E1", "status": "X", "message": "No"}}, ["No"]),
    "msg": ({"msg": "No"}, ["No"]),
    "detail": ({"detail": "No"}, ["No"]),
    "FastAPI": (
        {"detail": [{"loc": ["body", "x"], "msg": "field required", "type": "missing"}]},
        ["field required"],
    ),
    "FastAPI with input": (
        {"detail": [{"type": "t", "loc": ["x"], "msg": "No", "input": {"title": "private"}}]},
        ["No"],
    ),
    "RFC 9457": (
        {
            "type": "https://example.com/credit",
            "title": "Out of credit",
            "status": 400,
            "detail": "Your balance is 30",
            "instance": "/accounts/1",
            "errors": [{"detail": "must be positive", "pointer": "#/age"}],
        },
        ["Out of credit", "Your balance is 30", "must be positive"],
    ),
    "OAuth": (
        {"error": "invalid_grant", "error_description": "The token expired"},
        ["invalid_grant", "The token expired"],
    ),
    "GraphQL": (
        {
            "data": None,
            "errors": [
                {"message": "No", "path": ["a"], "extensions": {"code": "C"}},
                {"message": "Never", "locations": [{"line": 1}]},
            ],
        },
        ["No", "Never"],
    ),
    "JSON:API": (
        {"errors": [{"id": "i", "status": "422", "title": "Bad", "detail": "Too short"}]},
        ["Bad", "Too short"],
    ),
    "Laravel": (
        {"message": "Invalid", "errors": {"email": ["is invalid"], "title": ["is too short"]}},
        ["Invalid", "is invalid", "is too short"],
    ),
    "fields as texts": ({"errors": {"email": "is invalid"}}, ["is invalid"]),
    "Django": (
        {"email": ["is invalid"], "non_field_errors": ["do not match"]},
        ["is invalid", "do not match"],
    ),
    "Google": (
        {
            "error": {
                "code": 400,
                "message": "No",
                "status": "INVALID_ARGUMENT",
                "details": [
                    {
                        "@type": "type.googleapis.com/google.rpc.BadRequest",
                        "fieldViolations": [{"field": "x", "description": "must be positive"}],
                    }
                ],
            }
        },
        ["No", "must be positive"],
    ),
    "Spring": (
        {"status": 400, "errors": [{"field": "x", "code": "Min", "defaultMessage": "too low"}]},
        ["too low"],
    ),
    "zod": (
        {"issues": [{"code": "too_small", "expected": "string", "path": ["x"], "message": "No"}]},
        ["No"],
    ),
    "RFC 7807": (
        {"invalid-params": [{"name": "age", "reason": "must be positive"}]},
        ["must be positive"],
    ),
    "Mongoose": (
        {"errors": {"x": {"message": "No", "kind": "required", "path": "x", "value": "private"}}},
        ["No"],
    ),
    "NestJS, nested": (
        {"statusCode": 400, "message": {"message": ["No"], "error": "Bad Request"}},
        ["No"],
    ),
    ".NET": ({"Message": "An error.", "ExceptionMessage": "No"}, ["An error.", "No"]),
    "a fault": ({"fault": {"faultstring": "No", "detail": {"errorcode": "E1"}}}, ["No"]),
    "other spellings": (
        {"ErrorMessage": "No", "error-description": "Never", "Errors": ["Nor that"]},
        ["No", "Never", "Nor that"],
    ),
    "a wrapper": ({"data": {"message": "No"}}, ["No"]),
    "a list of objects": ([{"message": "No"}, {"message": "Never"}], ["No", "Never"]),
    "a list of texts": (["No", "Never"], ["No", "Never"]),
    "a JSON text": ("No", ["No"]),
    "repeated texts": ({"message": ["No", "No"], "errors": [{"message": "No"}]}, ["No"]),
    "the order of the body": ({"errors": ["1st"], "message": "2nd"}, ["1st", "2nd"]),
    "no texts": ({"message": [7, None, True, 1.5, "400", "", " "]}, []),
    "a status": ({"statusCode": 400, "code": "E1", "traceId": "t"}, []),
    "the request": ({"request": {"message": "private"}, "conversation": {"title": "private"}}, []),
    "a list of pairs": ([["message", "x"]], []),
    "null": (None, []),
    "zod, flat": ({"formErrors": ["F"], "fieldErrors": {"name": ["N"]}}, ["F", "N"]),
    "errorText": ({"errorText": "No"}, ["No"]),
    "errorInfo": ({"errorInfo": {"reason": "No", "message": "Never"}}, ["No", "Never"]),
    "failure": ({"failure": "No"}, ["No"]),
    "cause": ({"cause": "No"}, ["No"]),
    "info": ({"info": "No"}, ["No"]),
    "text": ({"text": "No"}, ["No"]),
    "joi": ({"validation": {"body": {"source": "body", "message": "No"}}}, ["No"]),
    "Slack": ({"ok": False, "response_metadata": {"messages": ["No"]}}, ["No"]),
    "DRF": ({"unreadCount": "A valid integer is required."}, ["A valid integer is required."]),
    "a code": ({"errorCode": "E 1", "errorId": "i 2", "errorType": "T 3"}, []),
    "codes only": ({"error": {"code": "E1", "status": "X"}}, []),
    "values of the request": ({"errors": [{"field": "x", "value": "a private text"}]}, []),
}


@pytest.mark.parametrize(
    "field", ["name", "type", "id", "code", "location", "status", "url", "value", "key"]
)
@pytest.mark.parametrize(
    "template",
    [
        '{"errors": {"FIELD": "is bad"}}',
        '{"errors": {"FIELD": ["is bad"]}}',
        '{"errors": {"FIELD": {"message": "is bad"}}}',
        '{"errors": {"FIELD": {"_errors": ["is bad"]}}}',
        '{"errors": [{"FIELD": "is bad"}]}',
        '{"message": {"FIELD": "is bad"}}',
        '{"error": "Bad Request", "message": {"FIELD": "is bad"}}',
        '{"message": [{"property": "x", "constraints": {"FIELD": "is bad"}}]}',
    ],
)
def test_a_field_with_the_name_of_an_identifier_is_explained(field: str, template: str) -> None:
    data = json.loads(template.replace("FIELD", field))

    assert explanations_in_json(data, ERROR_VOCABULARY, 400) == ["is bad"]


@pytest.mark.parametrize(("body", "messages"), BODIES.values(), ids=BODIES.keys())
def test_every_explanation_of_a_body_is_a_message(
    call: Caller, body: Any, messages: list[str]
) -> None:
    assert error_of(call, json=body).messages == messages


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 500, 302])
def test_every_status_has_its_explanations(call: Caller, status: int) -> None:
    body = {"message": [class_validator("x", isString="x must be a string")]}

    assert error_of(call, status, json=body).messages == ["x must be a string"]


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (401, "Unauthorized"),
        (408, "Request Time-out"),
        (408, "Request Timeout"),
        (413, "Content Too Large"),
        (413, "Payload Too Large"),
        (413, "Request Entity Too Large"),
        (414, "Request-URI Too Large"),
        (414, "Request-URI Too Long"),
        (414, "URI Too Long"),
        (416, "Range Not Satisfiable"),
        (416, "Requested Range Not Satisfiable"),
        (422, "Unprocessable Entity"),
        (422, "Unprocessable Content"),
        (429, "too many requests"),
        (503, "Service Unavailable"),
        (504, "Gateway Time-out"),
        (504, "Gateway Timeout"),
    ],
)
def test_a_text_that_repeats_the_status_is_a_message_only_if_it_is_the_only_one(
    call: Caller, status: int, phrase: str
) -> None:
    assert error_of(call, status, json={"error": phrase}).messages == [phrase]
    assert error_of(call, status, json={"error": phrase, "message": "No"}).messages == ["No"]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("slow down", ["slow down"]),
        ("  slow\r\n down ", ["slow down"]),
        ("x" * 1000, ["x" * MAXIMUM_QUOTED_CHARACTERS]),
        (
            "<!DOCTYPE html><html><head><title>502 Bad Gateway</title>"
            "<style>p {color: red}</style><script>track('me')</script></head>"
            "<body><h1>502 Bad Gateway</h1><p>nginx &amp; more</p></body></html>",
            ["502 Bad Gateway 502 Bad Gateway nginx & more"],
        ),
        ("<html></html>", []),
        ("<br>", []),
        ("", []),
        ("123 45", []),
        ('{"message": "a text of a cust', []),
        ("[1, 2", []),
    ],
)
def test_a_body_that_is_no_json_is_a_short_excerpt(
    call: Caller, text: str, messages: list[str]
) -> None:
    error = error_of(call, 502, text=text)

    assert (error.messages, error.body) == (messages, text)


@pytest.mark.parametrize(
    "content",
    [
        b'{"message": "No", "more": NaN}',
        b'{"message": "No", "more": "\xff"}',
        '{"message": "No"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"message": "No"}',
    ],
    ids=["NaN", "invalid UTF-8", "UTF-16", "byte order mark"],
)
def test_a_body_that_is_no_strict_json_is_explained_too(call: Caller, content: bytes) -> None:
    assert error_of(call, content=content).messages == ["No"]


@pytest.mark.parametrize("content", [b"\xff\xfe", "{}no".encode("utf-16")])
def test_bytes_are_no_explanation(call: Caller, content: bytes) -> None:
    assert error_of(call, content=content).messages == []


@pytest.mark.parametrize(
    "text",
    [
        f"<p>The token {TOKEN} is invalid</p>",
        f"The token {TOKEN} is invalid",
        "<p>The token " + "".join(f"&#{ord(letter)};" for letter in TOKEN) + " is invalid</p>",
    ],
    ids=["HTML", "text", "escaped"],
)
def test_the_token_is_redacted_in_an_excerpt(call: Caller, text: str) -> None:
    error = error_of(call, 401, text=text)

    assert error.messages == ["The token [redacted] is invalid"]
    assert TOKEN not in str(error)


def test_the_token_is_redacted_in_the_explanations_of_any_form(call: Caller) -> None:
    body = {"message": [class_validator("x", isString=f"{TOKEN} is not valid")], "msg": TOKEN}

    error = error_of(call, 401, json=body)

    assert error.messages == ["[redacted] is not valid", "[redacted]"]


@pytest.mark.parametrize(
    ("status", "model_class", "message"),
    [
        (400, BadRequest, [class_validator("x", isString="x must be a string")]),
        (400, BadRequest, ["No", "Never"]),
        (400, BadRequest, {"isString": "x must be a string"}),
        (422, UnprocessableEntity, "No"),
        (422, UnprocessableEntity, {"isString": "x must be a string"}),
    ],
)
def test_the_model_of_an_error_has_the_message_as_received(
    call: Caller, status: int, model_class: type, message: object
) -> None:
    body = {"statusCode": status, "message": message, "new": None}

    error = error_of(call, status, json=body)

    assert isinstance(error.body, model_class)
    assert error.body.message == message  # type: ignore[attr-defined]
    assert error.body.to_dict() == body  # type: ignore[attr-defined]


def test_a_null_in_an_error_is_absent(call: Caller) -> None:
    error = error_of(call, 400, json={"message": None, "msg": "No"})

    assert error.body == BadRequest.from_dict({"msg": "No"})
    assert error.messages == ["No"]


# Limits


def test_the_number_of_messages_is_limited() -> None:
    body = {"message": [f"No {number}" for number in range(MAXIMUM_EXPLANATIONS * 3)]}

    messages = explanations_in_json(body, ERROR_VOCABULARY, 400)

    assert messages == [f"No {number}" for number in range(MAXIMUM_EXPLANATIONS)]


def test_the_length_of_a_message_is_limited() -> None:
    body = {"message": "x" * MAXIMUM_CHARACTERS * 3}

    assert explanations_in_json(body, ERROR_VOCABULARY, 400) == ["x" * MAXIMUM_CHARACTERS]


@pytest.mark.parametrize(("depth", "messages"), [(20, ["No"]), (900, [])])
def test_the_depth_of_the_search_is_limited(depth: int, messages: list[str]) -> None:
    body: dict[str, Any] = {"message": "No"}
    for _ in range(depth):
        body = {"children": [body]}

    assert explanations_in_json(body, ERROR_VOCABULARY, 400) == messages


def test_the_number_of_searched_values_is_limited() -> None:
    body = {"errors": [{"code": 1}] * 100_000 + ["No"]}

    assert explanations_in_json(body, ERROR_VOCABULARY, 400) == []


json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*sorted(ERROR_VOCABULARY.explanation_names), "data", "code", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def texts_of(data: Any) -> list[str]:
    """Every text in JSON data, without blanks at both ends."""
    if isinstance(data, str):
        return [data.strip()]
    items: list[Any] = []
    if isinstance(data, list):
        items = [*data]
    if isinstance(data, dict):
        members: dict[str, Any] = {**data}
        items = [*members.values()]
    return [text for item in items for text in texts_of(item)]


@given(json_data)
def test_messages_are_different_texts_of_the_body_in_its_order(data: Any) -> None:
    messages = explanations_in_json(data, ERROR_VOCABULARY, 400)

    assert len(set(messages)) == len(messages)
    # A text can be elsewhere in the body as well, where it explains nothing.
    remaining_texts = iter(texts_of(data))
    assert all(message in remaining_texts for message in messages)
    assert all(any(letter.isalpha() for letter in message) for message in messages)


@given(st.lists(st.text(min_size=1, max_size=5), max_size=4), st.sampled_from(["msg", "detail"]))
def test_every_text_below_an_explanatory_name_is_a_message(texts: list[str], name: str) -> None:
    expected = {text.strip() for text in texts if any(letter.isalpha() for letter in text)}
    expected_without_phrase = expected - {"Bad Request"}

    messages = explanations_in_json({name: texts}, ERROR_VOCABULARY, 400)

    assert set(messages) in (expected, expected_without_phrase)


def test_the_text_of_the_exception_has_all_messages_in_one_short_line(call: Caller) -> None:
    body = {"message": [class_validator(f"x{n}", isString=f"x{n}\nis bad") for n in range(99)]}

    error = error_of(call, json=body)

    assert isinstance(error, BadRequestError)
    assert "x0 is bad; x1 is bad" in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 400


# Operations that the spec does not have yet.


@pytest.mark.parametrize("kind", ["json", "text", "bytes", "none"])
@pytest.mark.parametrize(
    ("content", "messages"),
    [(b'{"message": ["No"]}', ["No"]), (b"<p>No</p>", ["No"]), (b"No", ["No"]), (b"", [])],
)
def test_an_error_is_explained_whatever_content_the_spec_has(
    kind: str, content: bytes, messages: list[str]
) -> None:
    response: dict[str, Any] = {"content": kind, "pointer": "/404", "media_types": []}
    entry: dict[str, Any] = {"name": "GET /a", "method": "GET", "arguments": [], "pointer": "/get"}
    contract = OperationContract({**entry, "responses": {"404": response}}, {})
    operation: Operation[object] = Operation(
        operation_id="get", build=dict, success={}, errors={"404": lambda data: data}
    )
    with LeadConnector(token=TOKEN, transport=returning(404)) as client:
        reader = ResponseReader(operation, contract, client._settings, [Secret(TOKEN)], 1)

    with pytest.raises(NotFoundError) as caught:
        reader.read(RawResponse(404, {}, content))

    assert caught.value.messages == messages
    assert bool(caught.value.body) == bool(content)
