"""What is wrong with a token that is rejected, and where credentials are redacted in texts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import AsyncLeadConnector, CredentialsError, LeadConnector, OAuth
from leadconnector._runtime.secrets import REDACTED, Secret, Token, redact

from tests.support.calling import Caller, call_async, call_sync, succeeding

TOKEN = "pit-0f2a1c9e-very-secret"

PROBLEMS: dict[str, tuple[Any, str]] = {
    "empty": ("", "is empty"),
    "a blank": (" ", "only blanks"),
    "blanks": (" \t\n", "only blanks"),
    "Bearer": (f"Bearer {TOKEN}", '"Bearer".*pass the token alone'),
    "bearer in lower case": (f"bearer {TOKEN}", "pass the token alone"),
    "BEARER in upper case": (f"BEARER  {TOKEN}", "pass the token alone"),
    "Bearer with a tab": (f"Bearer\t{TOKEN}", "pass the token alone"),
    "Bearer with a colon": (f"Bearer: {TOKEN}", "pass the token alone"),
    "Bearer and a line break": (f"Bearer {TOKEN}\n", "pass the token alone"),
    "Bearer without a token": ("Bearer ", "pass the token alone"),
    "only Bearer": ("Bearer", "pass the token alone"),
    "Token": (f"Token {TOKEN}", "pass the token alone"),
    "token in lower case": (f"token {TOKEN}", "pass the token alone"),
    "Basic": (f"Basic {TOKEN}", "pass the token alone"),
    "a whole header": (f"Authorization: Bearer {TOKEN}", "pass the token alone"),
    "a line break at the end": (f"{TOKEN}\n", "line break.*strip it"),
    "a Windows line break": (f"{TOKEN}\r\n", "line break.*strip it"),
    "a blank at the start": (f" {TOKEN}", "blank.*strip it"),
    "a blank at the end": (f"{TOKEN} ", "blank.*strip it"),
    "a line break at the start": (f"\n{TOKEN}", "line break.*strip it"),
    "double quotes": (f'"{TOKEN}"', "without quotes"),
    "single quotes": (f"'{TOKEN}'", "without quotes"),
    "typographic quotes": (f"\u201c{TOKEN}\u201d", "without quotes"),
    "quotes and a line break": (f'"{TOKEN}"\n', "without quotes"),
    "quotes around Bearer": (f'"Bearer {TOKEN}"', "without quotes"),
    "a blank within": ("a b", "contains a blank"),
    "a letter that is not ASCII": (f"t\u00f6ken{TOKEN}", "not ASCII"),
    "a byte order mark": (f"\ufeff{TOKEN}", "not ASCII"),
    "a control character": (f"{TOKEN}\x00", "other than letters"),
    "a comma": (f"{TOKEN},", "other than letters"),
    "bytes": (TOKEN.encode(), "bytes: decode it"),
    "a bytearray": (bytearray(TOKEN.encode()), "bytes: decode it"),
    "a number": (5, "must be a str, not int"),
    "a list": ([TOKEN], "must be a str, not list"),
    "a dict": ({"token": TOKEN}, "must be a str, not dict"),
}


@pytest.mark.parametrize("client", [LeadConnector, AsyncLeadConnector])
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_error_says_what_is_wrong_with_the_token(client: Any, name: str) -> None:
    token, problem = PROBLEMS[name]

    with pytest.raises(CredentialsError, match=problem) as raised:
        client(token=token)

    assert TOKEN not in str(raised.value)
    assert "token=" in str(raised.value)
    assert "LEADCONNECTOR_TOKEN" in str(raised.value)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_error_says_what_is_wrong_with_the_token_of_a_callable(call: Caller, name: str) -> None:
    token, problem = PROBLEMS[name]

    with pytest.raises(CredentialsError, match=problem) as raised:
        call(succeeding(), options={"token": lambda: token})

    assert TOKEN not in str(raised.value)
    assert "the callable returned" in str(raised.value)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_error_says_what_is_wrong_with_the_token_of_an_async_callable(name: str) -> None:
    token, problem = PROBLEMS[name]

    async def get_token() -> Any:
        return token

    with pytest.raises(CredentialsError, match=problem):
        call_async(succeeding(), options={"token": get_token})


def test_an_empty_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADCONNECTOR_TOKEN", "")

    with pytest.raises(CredentialsError, match="LEADCONNECTOR_TOKEN, which may be set but empty"):
        LeadConnector()


@pytest.mark.parametrize("content", [f"{TOKEN}\n", f"Bearer {TOKEN}", f"'{TOKEN}'", " "])
def test_an_invalid_environment_variable_is_named(
    content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADCONNECTOR_TOKEN", content)

    with pytest.raises(CredentialsError, match="LEADCONNECTOR_TOKEN") as raised:
        LeadConnector()
    assert TOKEN not in str(raised.value)


def test_none_from_a_callable_is_named(call: Caller) -> None:
    with pytest.raises(CredentialsError, match="the token that the callable returned is None"):
        call(succeeding(), options={"token": lambda: None})


async def coroutine() -> str:
    return TOKEN


class Later:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Any:
        return asyncio.sleep(0).__await__()


@pytest.mark.parametrize("function", [coroutine, Later])
def test_a_sync_client_points_to_the_async_client_for_an_async_callable(
    function: Callable[[], Awaitable[str]],
) -> None:
    # A coroutine that nobody awaits is a warning, and fails the test.
    with pytest.raises(CredentialsError, match="AsyncLeadConnector"):
        call_sync(succeeding(), options={"token": partial(function)})


def test_a_class_is_no_token() -> None:
    with pytest.raises(CredentialsError, match="class OAuth: pass an instance"):
        LeadConnector(token=OAuth)  # type: ignore[arg-type]


def test_a_subclass_of_str_is_sent_as_it_was_validated() -> None:
    class Changing(str):
        __slots__ = ()

        def encode(self, *args: Any, **options: Any) -> bytes:
            return b"x\r\nEvil: header"

    assert type(Token(Secret(Changing(TOKEN))).reveal()) is str


SHORT = st.from_regex(r"[A-Za-z0-9._~+/-]{1,7}", fullmatch=True)
LONG = st.from_regex(r"[A-Za-z0-9._~+/-]{8,60}", fullmatch=True)


@given(LONG, st.text(), st.text())
def test_a_long_secret_is_redacted_everywhere(secret: str, before: str, after: str) -> None:
    text = redact(before + secret + after, Secret(secret))

    assert REDACTED in text
    assert secret not in text.replace(REDACTED, " ")


@given(SHORT)
def test_a_short_secret_is_redacted_as_a_word(secret: str) -> None:
    assert redact(f"» {secret}", Secret(secret)) == f"» {REDACTED}"
    assert redact(f'["{secret}"]', Secret(secret)) == f'["{REDACTED}"]'


@pytest.mark.parametrize("secret", ["a", "o", "to", "token", "status", "1"])
def test_a_short_secret_does_not_garble_words_that_contain_it(secret: str) -> None:
    text = "401: tokens of statuses, another 12 tokens"

    assert redact(text, Secret(secret)) == text


@given(st.text(), st.lists(LONG, min_size=2, max_size=4))
def test_a_secret_that_contains_another_is_redacted_as_a_whole(
    text: str, secrets: list[str]
) -> None:
    joined = "".join(secrets)
    redacted = redact(text + joined, *map(Secret, secrets), Secret(joined))

    assert redacted.endswith(REDACTED)
    assert not any(secret in redacted.replace(REDACTED, " ") for secret in secrets)


def test_an_empty_secret_changes_no_text() -> None:
    assert redact("a text", Secret("")) == "a text"
