"""The options of both clients are validated when a client is instance."""

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
    CONVERSATION_ID,
    LOCATION_ID,
    TOKEN,
    Caller,
    call_async,
    succeeding,
)

CLIENTS = [LeadConnector, AsyncLeadConnector]

both = pytest.mark.parametrize("client", CLIENTS)


def unused_transport() -> httpx.MockTransport:
    return succeeding()


@both
def test_without_a_token_the_error_names_the_option_and_the_variable(client: Any) -> None:
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
def test_an_invalid_token_is_rejected_and_not_shown(client: Any, token: Any) -> None:
    with pytest.raises(CredentialsError) as caught:
        client(token=token)

    shown_texts = str(caught.value) + repr(caught.value)
    assert TOKEN not in shown_texts
    assert "tökén" not in shown_texts


@both
def test_an_empty_token_in_the_environment_is_rejected(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADCONNECTOR_TOKEN", "")

    with pytest.raises(CredentialsError):
        client()


def test_the_environment_supplies_the_token_and_the_base_url(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADCONNECTOR_TOKEN", "from-the-environment")
    monkeypatch.setenv("LEADCONNECTOR_BASE_URL", "http://127.0.0.1:9")
    requests: list[httpx.Request] = []

    call(succeeding(requests), options={"token": None})

    assert requests[0].headers["authorization"] == "Bearer from-the-environment"
    assert requests[0].url.host == "127.0.0.1"


def test_options_override_the_environment(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADCONNECTOR_TOKEN", "from-the-environment")
    monkeypatch.setenv("LEADCONNECTOR_BASE_URL", "http://127.0.0.1:9")
    requests: list[httpx.Request] = []

    call(
        succeeding(requests),
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
def test_an_invalid_base_url_is_rejected(client: Any, base_url: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client(token=TOKEN, base_url=base_url)

    assert "base URL" in str(caught.value)
    assert "password@" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.1.2.3", "localhost", "[::1]:8080"])
def test_plain_http_is_accepted_for_loopback(host: str) -> None:
    assert check_base_url(f"http://{host}/", "the base URL") == f"http://{host}"


@given(st.text() | st.from_regex(r"https?://[a-z0-9.@:/?#-]{0,20}", fullmatch=True))
def test_no_base_url_sends_a_token_in_clear_to_another_machine(
    text: str,
) -> None:
    try:
        url = httpx.URL(check_base_url(text, "the base URL"))
    except ConfigurationError:
        return
    assert url.scheme == "https" or url.host in {"localhost", "::1"} or url.host.startswith("127.")
    assert (url.userinfo, url.query, url.fragment) == (b"", b"", "")


@given(st.text() | st.binary() | st.none() | st.integers())
def test_any_token_is_valid_or_rejected_without_being_shown(token: Any) -> None:
    try:
        assert Token(Secret(token)).reveal() == token
    except CredentialsError as error:
        shown = str(error)
        assert len(repr(token)) < 16 or repr(token) not in shown
        return
    assert httpx.Headers({"Authorization": f"Bearer {token}"})["authorization"].isascii()


def test_plain_http_to_another_machine_names_the_option_that_permits_it() -> None:
    with pytest.raises(ConfigurationError, match=r"unencrypted.*allow_http=True"):
        check_base_url("http://emulator:8080", "the base URL")


@both
@pytest.mark.parametrize(
    "base_url", ["http://emulator:8080", "http://10.0.0.1", "http://api.test.svc.cluster.local/a"]
)
def test_plain_http_to_another_machine_is_accepted_with_allow_http(
    client: Any, base_url: str
) -> None:
    instance = client(token=TOKEN, base_url=base_url, allow_http=True)

    assert base_url in repr(instance)


@both
@pytest.mark.parametrize(
    "base_url", ["http://user@emulator", "http://emulator?a=b", "ftp://emulator", "http://"]
)
def test_allow_http_permits_nothing_else(client: Any, base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        client(token=TOKEN, base_url=base_url, allow_http=True)


@both
@pytest.mark.parametrize("allow_http", ["false", 1, None])
def test_allow_http_must_be_a_bool(client: Any, allow_http: Any) -> None:
    with pytest.raises(ConfigurationError, match="allow_http must be True or False"):
        client(token=TOKEN, allow_http=allow_http)


@both
@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 1e300, 10**400, True, "30"])
def test_an_invalid_timeout_is_rejected(client: Any, timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        client(token=TOKEN, timeout=timeout)
    with pytest.raises(ConfigurationError, match="timeout"):
        client(token=TOKEN, transport=unused_transport()).with_options(timeout=timeout)


def test_an_httpx_timeout_is_used_unchanged(call: Caller) -> None:
    requests: list[httpx.Request] = []
    timeout = httpx.Timeout(connect=1, read=2, write=3, pool=4)

    call(succeeding(requests), options={"timeout": timeout})

    assert requests[0].extensions["timeout"] == {"connect": 1, "read": 2, "write": 3, "pool": 4}


def test_a_callable_supplies_the_token_of_each_request() -> None:
    tokens = iter(["first", "second"])
    requests: list[httpx.Request] = []
    transport = succeeding(requests)
    with LeadConnector(token=lambda: next(tokens), transport=transport) as client:
        for _ in range(2):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert [request.headers["authorization"] for request in requests] == [
        "Bearer first",
        "Bearer second",
    ]


def test_the_async_client_awaits_an_async_callable() -> None:
    async def token() -> str:
        return "awaited"

    requests: list[httpx.Request] = []
    call_async(succeeding(requests), options={"token": token})

    assert requests[0].headers["authorization"] == "Bearer awaited"


def test_an_exception_of_the_token_callable_reaches_the_caller(call: Caller) -> None:
    def fail() -> str:
        raise FileNotFoundError("the vault")

    with pytest.raises(FileNotFoundError, match="the vault"):
        call(unused_transport(), options={"token": fail})


def test_a_callable_without_a_valid_token_raises_before_a_request(call: Caller) -> None:
    requests: list[httpx.Request] = []

    with pytest.raises(CredentialsError):
        call(
            succeeding(requests),
            options={"token": lambda: None},
        )

    assert requests == []


@both
def test_the_repr_of_a_client_shows_its_url_and_no_token(client: Any) -> None:
    instance = client(token=TOKEN, transport=unused_transport())

    assert repr(instance) == f"{client.__name__}(base_url='https://services.leadconnectorhq.com')"
    parts: list[dict[str, Any]] = [vars(instance), vars(instance.conversations)]
    assert TOKEN not in repr(parts)


@both
@pytest.mark.parametrize("take", [pickle.dumps, copy.deepcopy])
def test_a_client_and_its_resources_cannot_be_pickled_or_copied(client: Any, take: Any) -> None:
    instance = client(token=TOKEN, transport=unused_transport())
    for part in (instance, instance.conversations):
        with pytest.raises(TypeError, match="credential"):
            take(part)


@both
def test_a_client_cannot_be_copied_because_both_would_close_the_connections(client: Any) -> None:
    with pytest.raises(TypeError, match="credential"):
        copy.copy(client(token=TOKEN, transport=unused_transport()))


def test_a_call_on_a_closed_client_raises() -> None:
    client = LeadConnector(token=TOKEN, transport=unused_transport())
    changed = client.with_options(timeout=3)
    client.close()
    client.close()

    assert repr(client).endswith(", closed)")
    for closed_client in (client, changed):
        with pytest.raises(ClientClosedError, match="closed"):
            closed_client.conversations.update_conversation(
                CONVERSATION_ID, location_id=LOCATION_ID
            )


def test_a_call_on_a_closed_async_client_raises() -> None:
    async def run() -> None:
        client = AsyncLeadConnector(token=TOKEN, transport=unused_transport())
        await client.close()
        await client.close()
        with pytest.raises(ClientClosedError, match="closed"):
            await client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    asyncio.run(run())


def test_the_client_closes_a_custom_transport() -> None:
    closed: list[str] = []

    class Transport(httpx.MockTransport):
        def close(self) -> None:
            closed.append("closed")

    with LeadConnector(token=TOKEN, transport=Transport(lambda request: httpx.Response(200))):
        assert closed == []
    assert closed == ["closed"]


@both
def test_the_traceback_of_an_invalid_option_does_not_show_the_token(client: Any) -> None:
    with pytest.raises(LeadConnectorError) as caught:
        client(token=TOKEN, base_url="http://example.com")

    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "url", ["https://.", f"https://{'a' * 64}.example", "https://a..example", "https://.example"]
)
def test_a_host_with_invalid_labels_is_rejected(url: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        LeadConnector(token="secret", base_url=url)


@pytest.mark.parametrize("strict", ["no", 0, None])
def test_strict_must_be_a_bool(strict: Any) -> None:
    with pytest.raises(ConfigurationError, match="strict"):
        LeadConnector(token="secret", strict=strict)
