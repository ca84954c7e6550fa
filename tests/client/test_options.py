"""Which values the options accept, and what a caller of a wrong option reads."""

from __future__ import annotations

import asyncio
import datetime
import inspect
import math
import pydoc
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock, create_autospec

import httpx
import numpy
import pytest
from leadconnector import (
    AsyncLeadConnector,
    ConfigurationError,
    CredentialsError,
    Finding,
    LeadConnector,
    NotFoundError,
    ResponseInfo,
)

from tests.support.calling import (
    SUCCESS_BODY,
    TOKEN,
    Caller,
    call_async,
    call_sync,
    succeeding,
)

CLIENTS = [LeadConnector, AsyncLeadConnector]

both = pytest.mark.parametrize("client", CLIENTS)

OPTIONS = [
    "token",
    "base_url",
    "version",
    "timeout",
    "deadline",
    "retries",
    "rate_limit",
    "on_response",
    "on_drift",
    "strict",
    "default_headers",
    "tracing",
    "allow_http",
    "transport",
]


def type_error(function: Any, *positional: object, **options: object) -> str:
    with pytest.raises(TypeError) as caught:
        function(*positional, **options)
    return str(caught.value)


@both
def test_a_positional_argument_names_the_class_and_the_option(client: Any) -> None:
    message = type_error(client, TOKEN)

    name = client.__name__
    assert message == f"{name}() takes keyword arguments only, such as {name}(token=…)"


@both
@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("max_retries", "retries"),
        ("retry", "retries"),
        ("request_timeout", "timeout"),
        ("timeouts", "timeout"),
        ("api_key", "token"),
        ("access_token", "token"),
        ("Token", "token"),
        ("url", "base_url"),
        ("baseUrl", "base_url"),
        ("api_version", "version"),
        ("ratelimit", "rate_limit"),
        ("on_drifts", "on_drift"),
        ("http_client", "transport"),
        ("proxies", "transport"),
        ("privateIntegrationToken", "token"),
        ("apiKey", "token"),
        ("apikey", "token"),
        ("quota", "rate_limit"),
        ("max_retry", "retries"),
        ("maxRetries", "retries"),
        ("oauth", "token"),
        ("session", "transport"),
        ("limits", "transport"),
        ("tracer_provider", "tracing"),
    ],
)
def test_an_unknown_option_names_the_class_and_the_option_that_is_meant(
    client: Any, name: str, option: str
) -> None:
    message = type_error(client, token=TOKEN, **{name: 2})

    unexpected = f"{client.__name__}() got an unexpected keyword argument {name!r}"
    assert message == f"{unexpected}; did you mean {option!r}?"


@both
@pytest.mark.parametrize("name", ["colour", "sessions", "x", "", "é"])
def test_an_option_like_no_other_lists_all_options(client: Any, name: str) -> None:
    message = type_error(client, **{name: "blue"})

    assert message.endswith(f"the options are {', '.join(OPTIONS)}")


def test_a_subclass_is_named() -> None:
    class Ours(LeadConnector):
        pass

    assert type_error(Ours, TOKEN).startswith("Ours() takes keyword arguments only")


@pytest.mark.parametrize("option", ["base_url", "token", "transport", "allow_http"])
def test_with_options_rejects_options_that_belong_to_the_connections(option: str) -> None:
    with LeadConnector(token=TOKEN) as client:
        message = type_error(client.with_options, **{option: "http://evil.example"})

    assert message == (
        f"LeadConnector.with_options() cannot change {option!r}: make a new LeadConnector"
    )


def test_with_options_takes_no_positional_argument() -> None:
    client: Any = LeadConnector(token=TOKEN)

    message = type_error(client.with_options, "x")

    assert message == "LeadConnector.with_options() takes keyword arguments only"


@pytest.mark.parametrize("option", ["conventions", "unknown"])
def test_with_options_rejects_unknown_options(option: str) -> None:
    with LeadConnector(token=TOKEN) as client:
        message = type_error(client.with_options, **{option: 1})

    unexpected = "LeadConnector.with_options() got an unexpected keyword argument"
    assert message.startswith(f"{unexpected} {option!r}; the options are version, timeout,")


@both
@pytest.mark.parametrize(
    "wrong",
    [
        {"options": {"tokn": "the-secret"}},
        {"options": {"token": "the-secret", "max_retries": 1}},
        {"options": {"token": "the-secret", "timeout": -1}},
        {"positional": ["the-secret"]},
    ],
)
def test_no_variable_of_a_constructor_shows_the_token(client: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ConfigurationError)) as caught:
        client(*wrong.get("positional", []), **wrong.get("options", {}))

    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [frame for frame in frames if "leadconnector" in frame.f_code.co_filename]
    ours = [frame for frame in ours if "tests" not in frame.f_code.co_filename]
    assert ours
    assert not [frame for frame in ours if "the-secret" in repr(frame.f_locals)]


@both
def test_the_signature_lists_all_options_with_their_defaults(client: Any) -> None:
    parameters = inspect.signature(client).parameters

    assert list(parameters) == OPTIONS
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters.values())
    assert parameters["retries"].default == 2
    assert parameters["rate_limit"].default == "default"


@both
@pytest.mark.parametrize("option", OPTIONS)
def test_help_describes_every_option(client: Any, option: str) -> None:
    text = pydoc.plain(pydoc.render_doc(client))

    assert f"{option}:" in text


@both
@pytest.mark.parametrize("is_instance", [True, False])
def test_an_autospec_has_the_resources_and_their_signatures(client: Any, is_instance: bool) -> None:
    mock = create_autospec(client, instance=is_instance)

    with pytest.raises(TypeError, match="location_id"):
        mock.conversations.update_conversation("an id")
    with pytest.raises(AttributeError):
        mock.conversations.update_conversatio("an id", location_id="a location")
    result = mock.conversations.update_conversation("an id", location_id="a location")
    assert asyncio.iscoroutine(result) is (client is AsyncLeadConnector)
    if asyncio.iscoroutine(result):
        result.close()


@both
def test_a_mock_with_the_spec_of_a_client_has_the_resources(client: Any) -> None:
    assert Mock(spec=client).conversations is not None


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        (numpy.float64(3), 3.0),
        (numpy.float32(3), 3.0),
        (numpy.int64(3), 3.0),
        (numpy.uint8(3), 3.0),
        (Fraction(7, 2), 3.5),
        (datetime.timedelta(seconds=3, milliseconds=500), 3.5),
        (numpy.timedelta64(3500, "ms"), 3.5),
        (numpy.timedelta64(3_500_000_000, "ns"), 3.5),
        (numpy.longdouble(3), 3.0),
    ],
)
def test_a_timeout_can_be_any_real_number_or_a_timedelta(
    call: Caller, timeout: Any, seconds: float
) -> None:
    requests: list[Any] = []

    call(succeeding(requests), options={"timeout": timeout})

    read_timeout = requests[0].extensions["timeout"]["read"]
    assert (read_timeout, type(read_timeout)) == (seconds, float)


@both
@pytest.mark.parametrize(
    "deadline", [numpy.float64(3), numpy.int32(3), datetime.timedelta(seconds=3), Fraction(3)]
)
def test_a_deadline_can_be_any_real_number_or_a_timedelta(client: Any, deadline: Any) -> None:
    changed = client(token=TOKEN).with_options(deadline=deadline)

    for settings in (client(token=TOKEN, deadline=deadline)._settings, changed._settings):
        assert (settings.deadline, type(settings.deadline)) == (3.0, float)


@both
@pytest.mark.parametrize("option", ["timeout", "deadline"])
@pytest.mark.parametrize(
    "duration",
    [
        datetime.timedelta(0),
        datetime.timedelta(seconds=-1),
        datetime.timedelta(days=2),
        datetime.timedelta.max,
        numpy.float64("nan"),
        numpy.float64("inf"),
        numpy.bool_(True),
        numpy.timedelta64("NaT", "s"),
        numpy.timedelta64(3, "ns"),
        numpy.timedelta64(300, "D"),
        numpy.timedelta64(2**62, "D"),
        numpy.array([1.0, 2.0]),
        True,
        "3",
        3j,
        10**400,
    ],
)
def test_an_invalid_duration_is_rejected(client: Any, option: str, duration: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} must be above 0 s"):
        client(token=TOKEN, **{option: duration})


@both
@pytest.mark.parametrize("retries", [numpy.int64(3), numpy.uint8(3), 3])
def test_retries_can_be_any_whole_number(client: Any, retries: Any) -> None:
    settings = client(token=TOKEN, retries=retries)._settings

    assert (settings.retries, type(settings.retries)) == (3, int)


@both
@pytest.mark.parametrize(
    "retries",
    [True, 1.0, numpy.float64(1), numpy.bool_(True), numpy.timedelta64(1, "s"), -1, 101, "1", None],
)
def test_retries_must_be_a_whole_number(client: Any, retries: Any) -> None:
    with pytest.raises(ConfigurationError, match="retries must be a whole number"):
        client(token=TOKEN, retries=retries)


@both
@pytest.mark.parametrize("rate_limit", ["no", 10, True])
def test_the_rate_limit_must_be_one(client: Any, rate_limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="rate_limit must be a RateLimit, or None"):
        client(token=TOKEN, rate_limit=rate_limit)


def deferred(function: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    """A plain function that returns the coroutine of an async one."""

    def call(argument: object) -> Awaitable[None]:
        return function(argument)

    return call


def deviating_success() -> httpx.MockTransport:
    """Responds with a success that is two findings."""
    body = {**SUCCESS_BODY, "first": 1, "second": 2}
    return httpx.MockTransport(lambda request: httpx.Response(200, json=body))


@both
@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, 86_401])
@pytest.mark.parametrize("step", ["connect", "read", "write", "pool"])
def test_an_httpx_timeout_with_an_invalid_value_is_rejected(
    client: Any, step: str, seconds: float
) -> None:
    timeout = httpx.Timeout(3.0, **{step: seconds})

    with pytest.raises(ConfigurationError, match=r"timeout .* httpx\.Timeout of such values"):
        client(token=TOKEN, timeout=timeout)


def test_an_httpx_timeout_without_a_limit_is_accepted() -> None:
    LeadConnector(token=TOKEN, timeout=httpx.Timeout(None)).close()


@both
@pytest.mark.parametrize("version", ["", " v3", "v3 ", "v\n3", "vé", 20210728, b"v3", True])
def test_a_version_that_no_header_can_carry_is_rejected(client: Any, version: Any) -> None:
    with pytest.raises(ConfigurationError, match="version must be printable ASCII"):
        client(token=TOKEN, version=version)


@both
def test_a_class_is_no_transport(client: Any) -> None:
    with pytest.raises(ConfigurationError, match="transport must be an instance"):
        client(token=TOKEN, transport=httpx.MockTransport)


def generator(argument: object) -> Iterator[object]:
    yield argument


async def async_generator(argument: object) -> AsyncIterator[object]:
    yield argument


@both
@pytest.mark.parametrize("option", ["on_response", "on_drift"])
@pytest.mark.parametrize("callback", [generator, async_generator, partial(generator)])
def test_a_generator_is_no_callback(client: Any, option: str, callback: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} must be a function, not a generator"):
        client(token=TOKEN, **{option: callback})


@both
@pytest.mark.parametrize("mock_class", [Mock, MagicMock])
def test_a_mock_with_the_spec_of_a_function_is_a_callback(client: Any, mock_class: Any) -> None:
    def observe(info: ResponseInfo) -> None:
        """Do nothing."""

    client(token=TOKEN, on_response=mock_class(spec=observe))


class AsyncCallable:
    """An object that is called like an async function."""

    async def __call__(self, argument: object) -> None:
        """Do nothing."""


async def do_nothing(argument: object) -> None:
    """Do nothing."""


@pytest.mark.parametrize("option", ["on_response", "on_drift"])
@pytest.mark.parametrize(
    "callback",
    [
        do_nothing,
        partial(do_nothing),
        partial(partial(do_nothing)),
        AsyncCallable(),
        AsyncMock(),
    ],
)
def test_the_sync_client_rejects_an_async_callback(option: str, callback: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} must not be async"):
        LeadConnector(token=TOKEN, **{option: callback})
    client = LeadConnector(token=TOKEN)
    with pytest.raises(ConfigurationError, match=f"{option} must not be async"):
        client.with_options(**{option: callback})


@pytest.mark.parametrize("token", [do_nothing, partial(do_nothing), AsyncCallable(), AsyncMock()])
def test_the_sync_client_rejects_an_async_callable_for_the_token(token: Any) -> None:
    with pytest.raises(CredentialsError, match="token must not be async"):
        LeadConnector(token=token)


@pytest.mark.parametrize("option", ["on_response", "on_drift"])
def test_the_sync_client_reports_a_callback_that_returns_a_coroutine(option: str) -> None:
    with pytest.raises(ConfigurationError, match=r"must not be async.*the request was sent"):
        call_sync(deviating_success(), options={option: deferred(do_nothing)})


@pytest.mark.parametrize("make", [partial, deferred])
def test_the_async_client_awaits_async_callbacks(make: Any) -> None:
    arguments: list[Any] = []

    async def note(argument: object) -> None:
        await asyncio.sleep(0)
        arguments.append(argument)

    call_async(deviating_success(), options={"on_response": make(note), "on_drift": make(note)})

    [info, first, second] = arguments
    assert isinstance(info, ResponseInfo)
    assert [finding.path for finding in (first, second)] == ["$.first", "$.second"]


def test_the_async_client_awaits_on_response_before_it_raises_the_error_of_a_status() -> None:
    statuses: list[int] = []

    async def note(info: ResponseInfo) -> None:
        await asyncio.sleep(0)
        statuses.append(info.status_code)

    transport = httpx.MockTransport(lambda request: httpx.Response(404))
    with pytest.raises(NotFoundError):
        call_async(transport, options={"on_response": note})

    assert statuses == [404]


def test_the_first_error_of_an_async_callback_reaches_the_caller_after_all_have_ended() -> None:
    ended: list[str] = []

    async def fail(info: ResponseInfo) -> None:
        raise FileNotFoundError("the first")

    async def fail_later(finding: Finding) -> None:
        await asyncio.sleep(0)
        ended.append(finding.path)
        raise LookupError("a later one")

    with pytest.raises(FileNotFoundError, match="the first"):
        call_async(deviating_success(), options={"on_response": fail, "on_drift": fail_later})

    assert ended == ["$.first", "$.second"]
