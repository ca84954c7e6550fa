"""Public values survive pickle, copy and deepcopy, on every supported Python.

Only then can they leave a process of a `ProcessPoolExecutor`, or go through a queue.
"""

from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    UNSET,
    APIConnectionError,
    APIDecodingError,
    APIStatusError,
    DriftError,
    Finding,
    LeadConnectorError,
    NotFoundError,
    RateLimitError,
    ResponseInfo,
    Tokens,
    errors,
    models,
)

from tests.support.calling import SUCCESS_BODY, call_async, call_sync, responding, returning

HEADERS = httpx.Headers({"X-Request-Id": "r", "Retry-After": "7"})

DETAILS: dict[str, object] = {
    "status_code": 429,
    "headers": HEADERS,
    "request_id": "r",
    "attempts": 3,
    "body": models.BadRequest(status_code=400, message="No"),
    "messages": ["No", "Never"],
    "retry_after": 7.0,
    "path": "$.conversation",
    "findings": (Finding("kind", "rule", "PUT /a", "/paths", "$", "text"),),
    "argument": "unread_count",
    "failure": "lost",
    "error": "invalid_grant",
}
"""A value of each documented attribute of an exception."""


def pickle_copy(protocol: int, value: Any) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


DUPLICATES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": partial(pickle_copy, protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}

each_duplicate = pytest.mark.parametrize("duplicate", DUPLICATES.values(), ids=DUPLICATES.keys())


def exception_classes() -> list[type[LeadConnectorError]]:
    members = [member for _, member in inspect.getmembers(errors, inspect.isclass)]
    return [member for member in members if issubclass(member, LeadConnectorError)]


each_exception = pytest.mark.parametrize("error_class", exception_classes())


class ApplicationError(NotFoundError):
    """An exception of an application that derives its own from ours."""

    order: str


@each_duplicate
@pytest.mark.parametrize("error_class", [*exception_classes(), ApplicationError])
def test_an_exception_with_every_attribute_survives(
    error_class: type[LeadConnectorError], duplicate: Callable[[Any], Any]
) -> None:
    original = error_class("the message", **DETAILS, order="an attribute of the application")
    original.add_note("a note")

    twin = duplicate(original)

    assert twin is not original
    assert str(twin) == "the message"
    assert twin.args == original.args
    assert vars(twin) == vars(original)
    assert twin.headers["x-request-id"] == "r"
    assert twin.__notes__ == ["a note"]
    assert type(twin) is error_class


@each_exception
def test_attributes_of_an_exception_can_be_set_and_deleted_like_those_of_any_exception(
    error_class: type[LeadConnectorError],
) -> None:
    error = error_class("the message", **DETAILS)

    error.status_code = 503  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    error.__traceback__ = None
    error.__cause__ = ValueError()
    del error.request_id  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

    assert vars(error)["status_code"] == 503
    assert "request_id" not in vars(error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@given(
    error_class=st.sampled_from(exception_classes()),
    message=st.text(),
    details=st.dictionaries(st.sampled_from(sorted(DETAILS)), json_values),
    duplicate=st.sampled_from(list(DUPLICATES.values())),
)
def test_an_exception_with_any_details_survives(
    error_class: type[LeadConnectorError],
    message: str,
    details: dict[str, Any],
    duplicate: Callable[[Any], Any],
) -> None:
    twin = duplicate(error_class(message, **details))

    assert (type(twin), str(twin), vars(twin)) == (error_class, message, details)


def response_info() -> ResponseInfo:
    return ResponseInfo(200, HEADERS, "r", 1)


@each_duplicate
def test_a_response_info_survives_and_stays_read_only(duplicate: Callable[[Any], Any]) -> None:
    twin = duplicate(response_info())

    with pytest.raises(AttributeError):
        twin.status_code = 500
    with pytest.raises(AttributeError):
        del twin.status_code
    assert vars(twin) == vars(response_info())
    assert type(twin) is ResponseInfo


@each_duplicate
@pytest.mark.parametrize(
    "value",
    [
        DETAILS["findings"],
        models.UpdateConversationResponse.from_dict(SUCCESS_BODY),
        models.UpdateConversationResponse.from_dict({**SUCCESS_BODY, "undocumented": [1]}),
        DETAILS["body"],
        models.LastMessageType.TYPE_SMS,
        models.LastMessageType("TYPE_OF_TOMORROW"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_survives(value: object, duplicate: Callable[[Any], Any]) -> None:
    twin = duplicate(value)

    assert type(twin) is type(value)
    assert twin == value
    assert repr(twin) == repr(value)


@each_duplicate
def test_the_unset_value_stays_the_same_object(duplicate: Callable[[Any], Any]) -> None:
    assert duplicate(UNSET) is UNSET


@each_duplicate
def test_tokens_are_neither_copied_nor_pickled(duplicate: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="a credential is not pickled or copied"):
        duplicate(Tokens("access", "refresh", 0.0))


def raise_status_error(call: str) -> None:
    body = {"message": "No"}
    _call(call, lambda: httpx.Response(429, json=body, headers={"x-request-id": "r"}))


def raise_decoding_error(call: str) -> None:
    _call(call, lambda: httpx.Response(200, text="<html>"))


def raise_drift_error(call: str) -> None:
    _call(call, lambda: httpx.Response(200, json={**SUCCESS_BODY, "success": "yes"}))


def raise_connection_error(call: str) -> None:
    def respond() -> httpx.Response:
        raise httpx.ConnectError("no route")

    _call(call, respond)


def return_result(call: str) -> models.UpdateConversationResponse:
    return {"sync": call_sync, "async": call_async}[call](returning(200, json=SUCCESS_BODY))


def _call(call: str, respond: Callable[[], httpx.Response]) -> None:
    caller = {"sync": call_sync, "async": call_async}[call]
    caller(responding(respond), options={"strict": True, "retries": 0})


@pytest.fixture(scope="module")
def worker_processes() -> Any:
    # The start method that works on every system, and with threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        yield executor


@pytest.mark.parametrize("call", ["sync", "async"])
class TestProcessPool:
    @pytest.mark.parametrize(
        ("function", "error_class"),
        [
            (raise_status_error, RateLimitError),
            (raise_decoding_error, APIDecodingError),
            (raise_drift_error, DriftError),
            (raise_connection_error, APIConnectionError),
        ],
    )
    def test_an_exception_of_a_call_reaches_the_parent_process(
        self,
        worker_processes: ProcessPoolExecutor,
        call: str,
        function: Callable[[str], None],
        error_class: type[LeadConnectorError],
    ) -> None:
        with pytest.raises(LeadConnectorError) as local:
            function(call)
        with pytest.raises(LeadConnectorError) as remote:
            worker_processes.submit(function, call).result(timeout=60)

        assert type(remote.value) is type(local.value) is error_class
        assert str(remote.value) == str(local.value)
        assert vars(remote.value) == vars(local.value)

    def test_the_result_of_a_call_reaches_the_parent_process(
        self, worker_processes: ProcessPoolExecutor, call: str
    ) -> None:
        result = worker_processes.submit(return_result, call).result(timeout=60)

        assert result == return_result(call)


def test_an_exception_group_of_status_errors_survives() -> None:
    group = ExceptionGroup("two", [RateLimitError("a", **DETAILS), NotFoundError("b", **DETAILS)])

    twin = pickle.loads(pickle.dumps(group))

    assert [vars(error) for error in twin.exceptions] == [DETAILS, DETAILS]
    assert all(isinstance(error, APIStatusError) for error in twin.exceptions)
