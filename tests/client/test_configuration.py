"""A client is made right, or not at all; for both clients."""

from __future__ import annotations

import asyncio
import copy
import pickle
import traceback
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    AsyncLeadConnector,
    ClientClosedError,
    ConfigurationError,
    CredentialsError,
    LeadConnector,
    LeadConnectorError,
)
from leadconnector._runtime.http import check_base_url
from leadconnector._runtime.secrets import Secret, Token

from tests.support.calling import (
    ANSWER,
    CONVERSATION_ID,
    LOCATION_ID,
    TOKEN,
    Caller,
    answering,
    call_async,
)

CLIENTS = [LeadConnector, AsyncLeadConnector]

both = pytest.mark.parametrize("client", CLIENTS)


def nothing() -> httpx.MockTransport:
    return answering(lambda: httpx.Response(200, json=ANSWER))


@both
def test_without_a_token_the_error_says_where_it_is_looked_for(client: Any) -> None:
    with pytest.raises(CredentialsError, match=r"token=.*LEADCONNECTOR_TOKEN"):
        client()


@both
@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "a b",
        f"{TOKEN}\n",
        f"\r{TOKEN}",
        f"Bearer {TOKEN}",
        "tökén",
        "a\x00b",
        "\ud800",
        5,
        b"bytes",
        [],
    ],
)
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(client: Any, token: Any) -> None:
    with pytest.raises(CredentialsError) as caught:
        client(token=token)

    told = str(caught.value) + repr(caught.value)
    assert TOKEN not in told
    assert "tökén" not in told


@both
def test_an_empty_token_in_the_environment_is_refused(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADCONNECTOR_TOKEN", "")

    with pytest.raises(CredentialsError):
        client()


def test_the_token_and_the_base_url_are_taken_from_the_environment(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADCONNECTOR_TOKEN", "from-the-environment")
    monkeypatch.setenv("LEADCONNECTOR_BASE_URL", "http://127.0.0.1:9")
    requests: list[httpx.Request] = []

    call(answering(lambda: httpx.Response(200, json=ANSWER), requests), options={"token": None})

    assert requests[0].headers["authorization"] == "Bearer from-the-environment"
    assert requests[0].url.host == "127.0.0.1"


def test_what_is_passed_comes_before_the_environment(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADCONNECTOR_TOKEN", "from-the-environment")
    monkeypatch.setenv("LEADCONNECTOR_BASE_URL", "http://127.0.0.1:9")
    requests: list[httpx.Request] = []

    call(
        answering(lambda: httpx.Response(200, json=ANSWER), requests),
        options={"token": "passed", "base_url": "https://passed.example"},
    )

    assert requests[0].headers["authorization"] == "Bearer passed"
    assert requests[0].url.host == "passed.example"


@both
@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "services.leadconnectorhq.com",
        "ftp://services.leadconnectorhq.com",
        "https://",
        "https:///conversations",
        "http://services.leadconnectorhq.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "https://user:password@services.leadconnectorhq.com",
        "https://user@services.leadconnectorhq.com",
        "https://services.leadconnectorhq.com?a=b",
        "https://services.leadconnectorhq.com/?",
        "https://services.leadconnectorhq.com#a",
        "https://services.leadconnectorhq.com:port",
        "https://serv ices",
        "https:user:password@services.leadconnectorhq.com",
        "user:password@services.leadconnectorhq.com",
        "https://services.leadconnectorhq.com:99999999",
        httpx.URL("https://services.leadconnectorhq.com"),
        "\x00",
        7,
    ],
)
def test_an_unusable_base_url_is_refused(client: Any, base_url: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client(token=TOKEN, base_url=base_url)

    assert "base URL" in str(caught.value)
    assert "password@" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.1.2.3", "localhost", "[::1]:8080"])
def test_plain_http_is_accepted_for_loopback(host: str) -> None:
    assert check_base_url(f"http://{host}/", "the base URL") == f"http://{host}"


@given(st.text() | st.from_regex(r"https?://[a-z0-9.@:/?#-]{0,20}", fullmatch=True))
def test_whatever_the_base_url_is_a_token_never_travels_in_clear_to_another_machine(
    text: str,
) -> None:
    try:
        url = httpx.URL(check_base_url(text, "the base URL"))
    except ConfigurationError:
        return
    assert url.scheme == "https" or url.host in {"localhost", "::1"} or url.host.startswith("127.")
    assert (url.userinfo, url.query, url.fragment) == (b"", b"", "")


@given(st.text() | st.binary() | st.none() | st.integers())
def test_whatever_a_token_is_it_is_refused_without_being_shown_or_can_be_sent(token: Any) -> None:
    try:
        assert Token(Secret(token)).reveal() == token
    except CredentialsError as error:
        shown = str(error)
        assert len(repr(token)) < 16 or repr(token) not in shown
        return
    assert httpx.Headers({"Authorization": f"Bearer {token}"})["authorization"].isascii()


@both
@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 1e300, 10**400, True, "30"])
def test_an_unusable_timeout_is_refused(client: Any, timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        client(token=TOKEN, timeout=timeout)
    with pytest.raises(ConfigurationError, match="timeout"):
        client(token=TOKEN, transport=nothing()).with_options(timeout=timeout)


def test_httpx_timeouts_are_taken_as_they_are(call: Caller) -> None:
    requests: list[httpx.Request] = []
    timeout = httpx.Timeout(connect=1, read=2, write=3, pool=4)

    call(
        answering(lambda: httpx.Response(200, json=ANSWER), requests), options={"timeout": timeout}
    )

    assert requests[0].extensions["timeout"] == {"connect": 1, "read": 2, "write": 3, "pool": 4}


def test_a_callable_gives_the_token_of_each_request() -> None:
    tokens = iter(["first", "second"])
    requests: list[httpx.Request] = []
    transport = answering(lambda: httpx.Response(200, json=ANSWER), requests)
    with LeadConnector(token=lambda: next(tokens), transport=transport) as client:
        for _ in range(2):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert [request.headers["authorization"] for request in requests] == [
        "Bearer first",
        "Bearer second",
    ]


def test_the_async_client_takes_an_async_callable() -> None:
    async def token() -> str:
        return "awaited"

    requests: list[httpx.Request] = []
    call_async(
        answering(lambda: httpx.Response(200, json=ANSWER), requests), options={"token": token}
    )

    assert requests[0].headers["authorization"] == "Bearer awaited"


def test_what_a_tokens_callable_raises_is_not_taken_for_a_failed_connection(call: Caller) -> None:
    def fail() -> str:
        raise FileNotFoundError("the vault")

    with pytest.raises(FileNotFoundError, match="the vault"):
        call(nothing(), options={"token": fail})


def test_a_callable_that_gives_no_token_is_told_before_anything_is_sent(call: Caller) -> None:
    requests: list[httpx.Request] = []

    with pytest.raises(CredentialsError):
        call(
            answering(lambda: httpx.Response(200, json=ANSWER), requests),
            options={"token": lambda: None},
        )

    assert requests == []


@both
def test_a_client_shows_its_address_and_no_token(client: Any) -> None:
    made = client(token=TOKEN, transport=nothing())

    assert repr(made) == f"{client.__name__}(base_url='https://services.leadconnectorhq.com')"
    parts: list[dict[str, Any]] = [vars(made), vars(made.conversations)]
    assert TOKEN not in repr(parts)


@both
@pytest.mark.parametrize("take", [pickle.dumps, copy.deepcopy])
def test_neither_a_client_nor_its_resources_are_pickled_or_copied_whole(
    client: Any, take: Any
) -> None:
    made = client(token=TOKEN, transport=nothing())
    for part in (made, made.conversations):
        with pytest.raises(TypeError, match="credential"):
            take(part)


@both
def test_a_client_is_not_copied_as_both_would_close_the_same_connections(client: Any) -> None:
    with pytest.raises(TypeError, match="credential"):
        copy.copy(client(token=TOKEN, transport=nothing()))


def test_a_closed_client_says_so() -> None:
    client = LeadConnector(token=TOKEN, transport=nothing())
    other = client.with_options(timeout=3)
    client.close()
    client.close()

    assert repr(client).endswith(", closed)")
    for closed in (client, other):
        with pytest.raises(ClientClosedError, match="closed"):
            closed.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)


def test_a_closed_async_client_says_so() -> None:
    async def run() -> None:
        client = AsyncLeadConnector(token=TOKEN, transport=nothing())
        await client.close()
        await client.close()
        with pytest.raises(ClientClosedError, match="closed"):
            await client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    asyncio.run(run())


def test_the_client_closes_the_transport_that_it_was_given() -> None:
    closed: list[str] = []

    class Transport(httpx.MockTransport):
        def close(self) -> None:
            closed.append("closed")

    with LeadConnector(token=TOKEN, transport=Transport(lambda request: httpx.Response(200))):
        assert closed == []
    assert closed == ["closed"]


@both
def test_an_unusable_option_leaves_a_traceback_without_the_token(client: Any) -> None:
    with pytest.raises(LeadConnectorError) as caught:
        client(token=TOKEN, base_url="http://example.com")

    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "url", ["https://.", f"https://{'a' * 64}.example", "https://a..example", "https://.example"]
)
def test_a_host_that_no_resolver_takes_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        LeadConnector(token="secret", base_url=url)


@pytest.mark.parametrize("strict", ["no", 0, None])
def test_what_says_neither_true_nor_false_is_no_choice_of_strictness(strict: Any) -> None:
    with pytest.raises(ConfigurationError, match="strict"):
        LeadConnector(token="secret", strict=strict)
