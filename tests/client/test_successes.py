"""A success returns its typed result, however its body deviates from the spec, for both clients."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import UNSET, APIDecodingError, DriftError, Finding, LeadConnector
from leadconnector._generated import Operation
from leadconnector._runtime.contract import OperationContract
from leadconnector._runtime.http import RawResponse
from leadconnector._runtime.response import ResponseReader
from leadconnector._runtime.secrets import Secret
from leadconnector.models import UpdateConversationResponse

from tests.support.calling import SUCCESS_BODY, TOKEN, Caller, call_sync, returning

REQUIRED_PLACES = [
    ("success",),
    ("conversation",),
    ("conversation", "locationId"),
    ("conversation", "contactId"),
    ("conversation", "deleted"),
]
ATTRIBUTES = {
    "success": "success",
    "conversation": "conversation",
    "locationId": "location_id",
    "contactId": "contact_id",
    "deleted": "deleted",
}
PRIVATE_TEXT = "my diagnosis"


def body_without(place: tuple[str, ...]) -> dict[str, Any]:
    """The success body without the property at a place."""
    body = copy.deepcopy(SUCCESS_BODY)
    parent = body
    for name in place[:-1]:
        parent = parent[name]
    del parent[place[-1]]
    return body


def body_with_null(place: tuple[str, ...]) -> dict[str, Any]:
    """The success body with null at a place."""
    body = copy.deepcopy(SUCCESS_BODY)
    parent = body
    for name in place[:-1]:
        parent = parent[name]
    parent[place[-1]] = None
    return body


def value_at(result: Any, place: tuple[str, ...]) -> object:
    """The attribute of a result at a place of its body."""
    for name in place:
        result = getattr(result, ATTRIBUTES[name])
    return result


def path_of(place: tuple[str, ...]) -> str:
    """The JSON path of a place."""
    return ".".join(["$", *place])


DEVIATING_BODIES = [
    *[(body_without(place), place, "missing") for place in REQUIRED_PLACES],
    *[(body_with_null(place), place, "null") for place in REQUIRED_PLACES],
]


@pytest.mark.parametrize(("body", "place", "kind"), DEVIATING_BODIES)
def test_a_required_property_that_is_missing_or_null_is_unset_and_a_finding(
    call: Caller, body: Any, place: tuple[str, ...], kind: str
) -> None:
    findings: list[Finding] = []

    result = call(returning(200, json=body), options={"on_drift": findings.append})

    assert value_at(result, place) is UNSET
    assert [(finding.kind, finding.path) for finding in findings] == [(kind, path_of(place))]


@pytest.mark.parametrize(("body", "place", "kind"), DEVIATING_BODIES)
def test_strict_raises_for_such_a_property_and_keeps_the_result(
    call: Caller, body: Any, place: tuple[str, ...], kind: str
) -> None:
    with pytest.raises(DriftError) as caught:
        call(returning(200, json=body), options={"strict": True})

    error = caught.value
    assert value_at(error.result, place) is UNSET
    assert (error.status_code, error.path, error.body) == (200, path_of(place), body)
    assert [finding.kind for finding in error.findings] == [kind]


MISPLACED_VALUES: list[tuple[tuple[str, ...], Any]] = [
    (("conversation",), []),
    (("conversation",), "none"),
    (("conversation",), 5),
    (("conversation", "locationId"), []),
    (("conversation", "contactId"), {}),
    (("conversation", "deleted"), []),
    (("conversation", "deleted"), {"a": 1}),
    (("success",), {}),
]


@pytest.mark.parametrize(("place", "value"), MISPLACED_VALUES)
def test_a_required_property_that_no_model_can_store_is_unset_and_a_finding(
    call: Caller, place: tuple[str, ...], value: object
) -> None:
    body = body_with_null(place)
    parent = body
    for name in place[:-1]:
        parent = parent[name]
    parent[place[-1]] = value
    findings: list[Finding] = []

    result = call(returning(200, json=body), options={"on_drift": findings.append})

    assert value_at(result, place) is UNSET
    assert [(finding.kind, finding.path) for finding in findings] == [
        ("wrong-type", path_of(place))
    ]
    with pytest.raises(DriftError) as caught:
        call(returning(200, json=body), options={"strict": True})
    assert value_at(caught.value.result, place) is UNSET


JSON_NAMES = [
    "id",
    "locationId",
    "contactId",
    "assignedTo",
    "userId",
    "lastMessageBody",
    "lastMessageDate",
    "lastMessageType",
    "unreadCount",
    "inbox",
    "starred",
    "deleted",
]


@st.composite
def bodies_with_gaps(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """A body in which any properties are missing or null, and how many required or null ones."""
    conversation: dict[str, Any] = {}
    expected_findings = 0
    for name in JSON_NAMES:
        state = draw(st.sampled_from(["present", "missing", "null"]))
        if state == "present":
            conversation[name] = SUCCESS_BODY["conversation"].get(name, True)
        if state == "null":
            conversation[name] = None
    body: dict[str, Any] = {"conversation": conversation}
    if draw(st.booleans()):
        body["success"] = True
    for name in ("locationId", "contactId", "deleted"):
        expected_findings += name not in conversation
    expected_findings += "success" not in body
    expected_findings += list(conversation.values()).count(None)
    return body, expected_findings


@given(bodies_with_gaps())
def test_any_missing_and_null_properties_leave_a_result(
    case: tuple[dict[str, Any], int],
) -> None:
    body, expected_findings = case
    findings: list[Finding] = []

    result = call_sync(returning(200, json=body), options={"on_drift": findings.append})

    assert isinstance(result, UpdateConversationResponse)
    gaps = [finding for finding in findings if finding.kind in {"missing", "null"}]
    assert len(gaps) == expected_findings
    present = {name: value for name, value in body["conversation"].items() if value is not None}
    # The same value stands for each property, so some have another type and stay as received.
    assert result.to_dict()["conversation"].items() <= present.items()


# Statuses in the 200s that the operation does not document.


@pytest.mark.parametrize("status", [201, 202, 203, 206, 207, 226, 299])
def test_an_undocumented_success_returns_the_result_and_is_a_finding(
    call: Caller, status: int
) -> None:
    findings: list[Finding] = []

    result = call(returning(status, json=SUCCESS_BODY), options={"on_drift": findings.append})

    assert result.to_dict() == SUCCESS_BODY
    assert [(finding.kind, finding.value) for finding in findings] == [
        ("undocumented-status", str(status))
    ]


@pytest.mark.parametrize("status", [201, 202, 204, 205])
@pytest.mark.parametrize("content", [b"", b" \r\n"])
def test_an_undocumented_success_without_a_body_is_a_result_without_values(
    call: Caller, status: int, content: bytes
) -> None:
    findings: list[Finding] = []

    result = call(returning(status, content=content), options={"on_drift": findings.append})

    assert result == UpdateConversationResponse()
    assert (result.success, result.conversation) == (UNSET, UNSET)
    assert [(finding.kind, finding.value) for finding in findings] == [
        ("undocumented-status", str(status))
    ]


@pytest.mark.parametrize(("status", "content"), [(201, json.dumps(SUCCESS_BODY)), (204, "")])
def test_strict_raises_for_an_undocumented_success_and_keeps_the_result(
    call: Caller, status: int, content: str
) -> None:
    with pytest.raises(DriftError, match=str(status)) as caught:
        call(returning(status, text=content), options={"strict": True})

    assert isinstance(caught.value.result, UpdateConversationResponse)
    assert caught.value.status_code == status


def test_an_undocumented_success_is_sent_once(call: Caller) -> None:
    requests: list[httpx.Request] = []

    call(returning(202, json=SUCCESS_BODY, requests=requests))

    assert len(requests) == 1


def test_a_deviating_body_of_an_undocumented_success_is_a_result_and_all_findings(
    call: Caller,
) -> None:
    findings: list[Finding] = []

    result = call(returning(201, json={"success": True}), options={"on_drift": findings.append})

    assert (result.success, result.conversation) == (True, UNSET)
    assert [finding.kind for finding in findings] == ["undocumented-status", "missing"]


# Bodies that no model fits.


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    ("content", "body", "path"),
    [
        (b"<html>Oops</html>", "<html>Oops</html>", "$"),
        (b"[1]", [1], "$"),
        (b'"text"', "text", "$"),
        (b"null", None, "$"),
        (b'{"success": tr', '{"success": tr', "$"),
    ],
)
def test_a_body_that_no_model_fits_is_raised_as_received(
    call: Caller, status: int, content: bytes, body: object, path: str
) -> None:
    with pytest.raises(APIDecodingError) as caught:
        call(returning(status, content=content))

    error = caught.value
    assert type(error) is APIDecodingError
    assert (error.body, error.path, error.status_code) == (body, path, status)
    assert f"the API reported success ({status})" in str(error)
    assert "probably executed" in str(error)


def test_an_empty_body_of_the_documented_success_is_raised(call: Caller) -> None:
    with pytest.raises(APIDecodingError) as caught:
        call(returning(200, content=b""))

    assert (caught.value.body, caught.value.path) == ("", "$")


@pytest.mark.parametrize("content", [b"", b"  ", b"OK", b"<html>Oops</html>", b'{"a": tr'])
def test_a_body_that_is_not_of_its_documented_media_type_is_a_finding(
    call: Caller, content: bytes
) -> None:
    findings: list[Finding] = []
    response = returning(200, content=content, headers={"content-type": "application/json"})

    with pytest.raises(APIDecodingError) as caught:
        call(response, options={"on_drift": findings.append})

    assert [finding.kind for finding in findings] == ["invalid-body"]
    assert caught.value.findings == tuple(findings)


def test_the_body_of_a_decoding_error_is_in_no_message_and_has_no_token(call: Caller) -> None:
    body = [PRIVATE_TEXT, TOKEN]

    with pytest.raises(APIDecodingError) as caught:
        call(returning(200, json=body))

    error = caught.value
    assert error.body == [PRIVATE_TEXT, "[redacted]"]
    assert PRIVATE_TEXT not in str(error) + repr(error)
    copied_error = pickle.loads(pickle.dumps(error))
    assert (copied_error.body, copied_error.path) == (error.body, error.path)


def test_a_drift_error_survives_pickle_with_its_result(call: Caller) -> None:
    with pytest.raises(DriftError) as caught:
        call(returning(200, json={"success": True}), options={"strict": True})

    copied_error = pickle.loads(pickle.dumps(caught.value))

    assert copied_error.result == caught.value.result
    assert copied_error.result.conversation is UNSET


# Operations that the spec does not have yet.


def returned_by(
    successes: Mapping[str, str], status: int, content: bytes, *, error_keys: Iterable[str] = ()
) -> object:
    """What a call of an operation returns.

    Args:
        successes: the kind of content of each documented success, by its key. The result of each is
            a pair of its key and the data.
        status: the status of the response.
        content: its body.
        error_keys: the keys of the documented errors.
    """
    responses: dict[str, dict[str, Any]] = {
        key: {"content": kind, "pointer": f"/{key}", "media_types": []}
        for key, kind in {**successes, **dict.fromkeys(error_keys, "json")}.items()
    }
    entry: dict[str, Any] = {
        "name": "GET /a",
        "method": "GET",
        "arguments": [],
        "responses": responses,
    }
    operation: Operation[object] = Operation(
        operation_id="get",
        build=dict,
        success={key: partial(pair, key) for key in successes},
        errors={key: partial(pair, key) for key in error_keys},
    )
    with LeadConnector(token=TOKEN, transport=returning(200)) as client:
        reader = ResponseReader(
            operation,
            OperationContract({**entry, "pointer": "/get"}, {}),
            client._settings,
            [Secret(TOKEN)],
            1,
        )
    return reader.read(RawResponse(status, httpx.Headers(), content))


def pair(key: str, data: object) -> tuple[str, object]:
    return key, data


READINGS: list[tuple[dict[str, str], int, bytes, Any]] = [
    ({"200": "json"}, 200, b"1", ("200", 1)),
    ({"200": "json"}, 201, b"1", ("200", 1)),
    ({"200": "json", "201": "json"}, 201, b"1", ("201", 1)),
    ({"200": "json", "201": "json"}, 202, b"1", ("200", 1)),
    ({"204": "none", "201": "json"}, 202, b"1", ("201", 1)),
    ({"201": "json", "204": "none"}, 202, b"", ("204", None)),
    ({"204": "none"}, 200, b"1", ("204", None)),
    ({"204": "none"}, 200, b"<html>", ("204", None)),
    ({"200": "text"}, 202, b"", ("200", "")),
    ({"200": "bytes"}, 202, b"\xff", ("200", b"\xff")),
    ({"200": "json"}, 204, b"", ("200", {})),
    ({"2XX": "json"}, 207, b"1", ("2XX", 1)),
    ({"default": "json"}, 207, b"1", ("default", 1)),
]


@pytest.mark.parametrize(("successes", "status", "content", "result"), READINGS)
def test_an_undocumented_success_is_read_as_the_documented_one_that_fits(
    successes: Mapping[str, str], status: int, content: bytes, result: object
) -> None:
    assert returned_by(successes, status, content) == result


def test_a_success_is_not_read_as_the_default_that_documents_errors() -> None:
    assert returned_by({"200": "json"}, 201, b"1", error_keys=["default"]) == ("200", 1)
