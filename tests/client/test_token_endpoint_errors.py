"""What a failure at the token endpoint says: the endpoint's own explanation, and no credential."""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    APIConnectionError,
    LeadConnectorError,
    MemoryTokenStore,
    OAuth,
    OAuthError,
    Tokens,
)
from leadconnector._runtime.secrets import Secret
from leadconnector.oauth.explanation import explanation_in

CLIENT_SECRET = "0c1d2e3f-client/secret+of=us"
REFRESH_TOKEN = "refresh-token-of-ours/with+signs="
ACCESS_TOKEN = "access-token-of-ours"
ENCODED_SECRET = "0c1d2e3f-client%2Fsecret%2Bof%3Dus"
SECRETS = [Secret(CLIENT_SECRET), Secret(REFRESH_TOKEN), Secret(ACCESS_TOKEN)]


def refresh(respond: Callable[[], httpx.Response]) -> str:
    """Get a token with an expired one; the endpoint responds with a function."""
    oauth = OAuth(
        client_id="client",
        client_secret=CLIENT_SECRET,
        store=MemoryTokenStore(Tokens(ACCESS_TOKEN, REFRESH_TOKEN, 0.0)),
        transport=httpx.MockTransport(lambda _: respond()),
    )
    return oauth.get_token("https://vendor.example", None, 20.0).reveal()


def failure(status: int, **response: Any) -> OAuthError:
    with pytest.raises(OAuthError) as raised:
        refresh(lambda: httpx.Response(status, **response))
    return raised.value


INACTIVE = "Location is not active"

DOCUMENTS: dict[str, Any] = {
    "RFC 6749": {"error": "invalid_request", "error_description": INACTIVE},
    "the vendor": {"statusCode": 400, "message": INACTIVE, "error": "Bad Request"},
    "a list": {"message": [INACTIVE, "Try later"]},
    "only error": {"error": INACTIVE},
    "an object as error": {"error": {"code": "x", "message": INACTIVE}},
    "msg": {"msg": INACTIVE},
    "detail": {"detail": INACTIVE},
    "details of validation": {"message": [{"property": "x", "constraints": {"y": INACTIVE}}]},
    "errors": {"errors": [{"title": "No", "detail": INACTIVE}]},
    "inside of another object": {"data": {"response": {"error_description": INACTIVE}}},
    "a list at the top": [{"message": INACTIVE}],
    "a text": INACTIVE,
    "another case": {"Message": INACTIVE},
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("status", [400, 401, 403, 422, 429, 500, 503, 200])
def test_the_explanation_is_in_the_exception(name: str, status: int) -> None:
    error = failure(status, json=DOCUMENTS[name])

    assert INACTIVE in str(error)
    assert INACTIVE in error.description
    assert str(status) in str(error)


@pytest.mark.parametrize(
    "message", ["Location is not active", "Invalid client credentials!", "Ungültig: 日本"]
)
def test_explanations_are_quoted_unchanged(message: str) -> None:
    assert failure(401, json={"message": message}).description == message
    assert failure(401, text=message).description == message


def test_the_code_is_not_repeated_as_an_explanation() -> None:
    error = failure(400, json={"error": "invalid_client"})

    assert (error.error, error.description) == ("invalid_client", "")
    assert str(error).count("invalid_client") == 1


@pytest.mark.parametrize("content", [b"", b"null", b"{}", b"<html>No</html>", b"[" * 9999, b"{"])
def test_a_body_without_an_explanation_gives_an_empty_description(content: bytes) -> None:
    assert failure(400, content=content).description == ""


def test_the_message_is_one_line_of_a_bounded_length() -> None:
    error = failure(400, json={"message": "a\nb\x1b[31m\u202e " + "word " * 9999})

    assert error.description.isprintable()
    assert error.description.startswith("a b [31m")
    assert len(error.description) == 200
    assert len(str(error)) < 400


def test_an_error_is_pickled_with_its_description() -> None:
    error = pickle.loads(pickle.dumps(failure(400, json={"message": INACTIVE})))

    assert error.description == INACTIVE


ECHOES: dict[str, Callable[[str], Any]] = {
    "in a sentence": lambda secret: {"message": f"Unknown {secret}!"},
    "as the whole text": lambda secret: {"message": secret},
    "in a form": lambda secret: {
        "message": str(httpx.QueryParams({"client_secret": secret, "refresh_token": secret}))
    },
    "in JSON in a text": lambda secret: {"message": json.dumps({"refresh_token": secret})},
    "beyond the limit": lambda secret: {"message": "x " * 95 + secret},
    "as a name": lambda secret: {"error": {secret: "No"}},
    "as a member": lambda secret: {"error": {"refresh_token": secret, "token": secret}},
    "in a list": lambda secret: {"errors": [[secret], secret]},
    "as plain text": lambda secret: f"Invalid {secret}",
    "twice": lambda secret: {"error": secret * 2, "message": f"{secret},{secret}"},
}


@pytest.mark.parametrize("name", ECHOES)
@pytest.mark.parametrize("secret", [CLIENT_SECRET, REFRESH_TOKEN, ACCESS_TOKEN])
@pytest.mark.parametrize("status", [200, 400, 503])
def test_an_echoed_credential_is_redacted(name: str, secret: str, status: int) -> None:
    error = failure(status, json=ECHOES[name](secret))

    texts = [str(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    assert [text for text in texts if secret in text or secret[:12] in text] == []
    assert ENCODED_SECRET not in str(error)


@pytest.mark.parametrize(
    "echo",
    [
        "code=4c0ffee",
        '"code": "4c0ffee"',
        "code: 4c0ffee",
        "Bearer 4c0ffee",
        "client_secret=4c0ffee&x=1",
        "refresh_token='4c0ffee'",
        "eyJhbGciOiJIUzI1NiJ9.4c0ffee.signature",
    ],
)
def test_what_looks_like_a_credential_is_redacted(echo: str) -> None:
    error = failure(400, json={"message": f"Invalid {echo} here"})

    assert "4c0ffee" not in str(error)
    assert "Invalid" in error.description


@pytest.mark.parametrize("token", ["[redacted]", "two words", "t\u00f6ken", "line\n"])
def test_an_access_token_that_no_header_can_carry_is_the_reason(token: str) -> None:
    error = failure(200, json={"access_token": token, "refresh_token": "new-refresh-token"})

    reason = "the access token in the response contains characters that no header can carry"
    assert reason in str(error)
    assert token not in str(error)


@pytest.mark.parametrize("token", ["", None, 5])
def test_a_response_without_an_access_token_has_another_reason(token: object) -> None:
    error = failure(200, json={"access_token": token, "refresh_token": "new-refresh-token"})

    assert "no header can carry" not in str(error)


json_values = st.recursive(
    st.none() | st.booleans() | st.text() | st.sampled_from([CLIENT_SECRET, REFRESH_TOKEN]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["message", "error", "x", CLIENT_SECRET]), inner)
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_document_has_an_explanation_without_credentials(document: Any) -> None:
    description = explanation_in(json.dumps(document).encode(), "", SECRETS)

    assert CLIENT_SECRET not in description
    assert REFRESH_TOKEN not in description
    assert len(description) <= 200
    assert description.isprintable()


@given(st.binary())
def test_any_bytes_have_an_explanation(body: bytes) -> None:
    assert explanation_in(body, "", SECRETS).isprintable()


def test_a_large_document_is_searched_in_part() -> None:
    nested: Any = {"message": INACTIVE, "data": [[{"x": [1] * 50}] * 50] * 50}

    assert explanation_in(json.dumps(nested).encode(), "", SECRETS) == INACTIVE


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("echo", [{"error": "SECRET"}, {"error": "bad_SECRET_value"}])
def test_a_credential_in_the_error_code_is_redacted(status: int, echo: dict[str, str]) -> None:
    secret = "abcdefgh_secret_value"
    error_code = echo["error"].replace("SECRET", secret)
    oauth = OAuth(
        client_id="client",
        client_secret=secret,
        store=MemoryTokenStore(Tokens("", "refresh-0", 0.0)),
        transport=httpx.MockTransport(lambda _: httpx.Response(status, json={"error": error_code})),
    )

    with pytest.raises(OAuthError) as caught:
        oauth.get_token("https://api.example", None, 10.0)

    assert "[redacted]" in caught.value.error
    assert secret not in repr(vars(caught.value)) + str(caught.value)


def raising(error: Exception, cause: Exception | None = None) -> Callable[[], httpx.Response]:
    def fail() -> httpx.Response:
        raise error from cause

    return fail


class TestCause:
    def test_the_error_of_the_transport_is_the_cause(self) -> None:
        cause = httpx.ConnectError("[Errno 111] Connection refused")
        with pytest.raises(APIConnectionError) as raised:
            refresh(raising(cause))

        assert raised.value.__cause__ is cause
        assert "Connection refused" in "".join(traceback.format_exception(raised.value))

    def test_a_real_connection_error_has_its_cause(self) -> None:
        oauth = OAuth(
            client_id="client",
            client_secret=CLIENT_SECRET,
            store=MemoryTokenStore(Tokens(ACCESS_TOKEN, REFRESH_TOKEN, 0.0)),
        )
        with pytest.raises(APIConnectionError) as raised:
            # Port 1 of loopback: nothing listens there.
            oauth.get_token("http://127.0.0.1:1", None, 20.0)

        assert isinstance(raised.value.__cause__, httpx.ConnectError)
        assert raised.value.failure == "never sent"

    @pytest.mark.parametrize("secret", [CLIENT_SECRET, REFRESH_TOKEN, ACCESS_TOKEN])
    def test_no_cause_and_no_frame_shows_a_credential(self, secret: str) -> None:
        errors: list[Exception] = [
            httpx.ReadError(secret),
            OSError(5, secret),
            httpx.ReadError("reset"),
        ]
        for transport_error in errors:
            with pytest.raises(LeadConnectorError) as raised:
                refresh(raising(transport_error, ValueError(secret)))

            error: BaseException | None = raised.value
            while error is not None:
                assert secret not in f"{error} {error!r} {vars(error)}"
                for frame, _ in traceback.walk_tb(error.__traceback__):
                    if frame.f_globals.get("__name__", "").startswith("leadconnector."):
                        assert secret not in repr(frame.f_locals)
                error = error.__cause__ or error.__context__
