"""Permanent rejections of a valid token: a missing scope, and the wrong class."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import AuthenticationError, LeadConnector
from leadconnector_emulator import (
    ANY,
    Emulator,
    EmulatorTransport,
    RateLimits,
    Request,
    Response,
    TokenAccess,
    TokenEndpoint,
)
from leadconnector_emulator.spec import SPEC

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN

WRITE = "conversations.write"
READ = "conversations.readonly"

MISSING_SCOPE = "The token is not authorized for this scope."
WRONG_CLASS = (
    "This authClass type is not allowed to access this scope. Please verify your IAM configuration"
    " if this is not the case."
)

SCOPES = st.sets(st.sampled_from(["a", "b", "c"]))


def update(emulator: Emulator, token: str = TOKEN) -> Response:
    """Star the conversation."""
    headers = {
        "authorization": f"Bearer {token}",
        "version": "2021-07-28",
        "content-type": "application/json",
    }
    body = json.dumps({"locationId": LOCATION_ID, "starred": False}).encode()
    return emulator.respond(Request("PUT", f"/conversations/{CONVERSATION_ID}", headers, body))


def content(response: Response) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(response.body))


def refresh(emulator: Emulator, refresh_token: str, user_type: str = "Location") -> Response:
    form = {
        "client_id": "client",
        "client_secret": "client-secret",
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "user_type": user_type,
    }
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return emulator.respond(Request("POST", "/oauth/token", headers, urlencode(form).encode()))


def spec_with_security(tmp_path: Path, security: list[dict[str, list[str]]]) -> Path:
    document = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    document["paths"]["/conversations/{conversationId}"]["put"]["security"] = security
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@cache
def requiring_emulator(required_scopes: frozenset[str]) -> Emulator:
    """An emulator. The cache avoids loading the spec for every example."""
    return Emulator(required_scopes=required_scopes)


class TestScopes:
    @pytest.mark.parametrize(
        ("scopes", "status"), [(ANY, 200), ({WRITE}, 200), ([READ, WRITE], 200), ({READ}, 401)]
    )
    def test_a_token_needs_the_required_scopes(self, scopes: Any, status: int) -> None:
        emulator = Emulator(tokens={TOKEN: TokenAccess(scopes=scopes)}, required_scopes=[WRITE])
        assert update(emulator).status == status

    def test_a_missing_scope_has_the_message_of_the_live_api_and_changes_nothing(self) -> None:
        emulator = Emulator(tokens={TOKEN: TokenAccess(scopes=())}, required_scopes=[WRITE])
        before = emulator.get("conversations", CONVERSATION_ID)
        response = update(emulator)
        assert content(response) == {
            "statusCode": 401,
            "message": MISSING_SCOPE,
            "error": "Unauthorized",
        }
        assert response.status == 401
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_without_required_scopes_no_scope_is_needed(self) -> None:
        assert update(Emulator(tokens={TOKEN: TokenAccess(scopes=())})).status == 200

    @pytest.mark.parametrize(
        ("alternatives", "scopes", "status"),
        [
            ([f"{WRITE}"], {WRITE}, 200),
            ([f"{WRITE}"], {READ}, 401),
            ([f"{WRITE} {READ}"], {WRITE}, 401),
            ([f"{WRITE}", f"{READ}"], {READ}, 200),
            ([f"{WRITE}", ""], {"other"}, 401),
            ([""], {"option"}, 200),
        ],
    )
    def test_the_scopes_of_the_spec_take_precedence_over_the_option(
        self, tmp_path: Path, alternatives: list[str], scopes: set[str], status: int
    ) -> None:
        security = [{"bearer": alternative.split()} for alternative in alternatives]
        emulator = Emulator(
            spec_with_security(tmp_path, security),
            tokens={TOKEN: TokenAccess(scopes=scopes)},
            required_scopes=["option"],
        )
        assert update(emulator).status == status

    @given(token_scopes=SCOPES, required_scopes=SCOPES)
    def test_a_token_passes_exactly_if_it_has_every_required_scope(
        self, token_scopes: set[str], required_scopes: set[str]
    ) -> None:
        emulator = requiring_emulator(frozenset(required_scopes))
        emulator.tokens[TOKEN] = TokenAccess(scopes=token_scopes)
        expected_status = 200 if required_scopes <= token_scopes else 401
        assert update(emulator).status == expected_status

    def test_a_rejected_request_is_counted_by_the_rate_limit(self) -> None:
        emulator = Emulator(
            tokens={TOKEN: TokenAccess(scopes=())},
            required_scopes=[WRITE],
            rate_limits=RateLimits(burst=2),
        )
        assert [update(emulator).status for _ in range(3)] == [401, 401, 429]


class TestClass:
    def test_a_token_of_a_company_is_rejected_where_a_location_is_named(self) -> None:
        emulator = Emulator(tokens={TOKEN: TokenAccess(user_type="Company")})
        before = emulator.get("conversations", CONVERSATION_ID)
        response = update(emulator)
        assert (response.status, content(response)["message"]) == (401, WRONG_CLASS)
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_a_token_of_a_company_is_valid_where_no_location_is_named(self, tmp_path: Path) -> None:
        document = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
        operation: dict[str, Any] = {
            "security": [{"bearer": []}],
            "responses": {"200": {"description": "Done"}},
        }
        document["paths"] = {"/companies": {"get": operation}}
        path = tmp_path / "openapi.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        emulator = Emulator(path, tokens={TOKEN: TokenAccess(user_type="Company")})
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert emulator.respond(Request("GET", "/companies", headers)).status == 200

    def test_locations_scopes_and_class_apply_together(self) -> None:
        access = TokenAccess(locations={LOCATION_ID}, scopes={WRITE}, user_type="Location")
        emulator = Emulator(tokens={TOKEN: access}, required_scopes=[WRITE])
        assert update(emulator).status == 200
        elsewhere = TokenAccess(locations={"elsewhere"}, scopes={WRITE})
        emulator = Emulator(tokens={TOKEN: elsewhere}, required_scopes=[WRITE])
        assert update(emulator).status == 401

    @pytest.mark.parametrize("user_type", ["company", "Agency", None])
    def test_an_unknown_class_raises_valueerror(self, user_type: Any) -> None:
        for create in (TokenAccess, TokenEndpoint):
            with pytest.raises(ValueError, match="user_type must be Location or Company"):
                create(user_type=user_type)

    @pytest.mark.parametrize("options", [{"scopes": WRITE}, {"locations": LOCATION_ID}])
    def test_one_string_instead_of_a_collection_raises_typeerror(
        self, options: dict[str, Any]
    ) -> None:
        with pytest.raises(TypeError, match="collections of strings"):
            TokenAccess(**options)


class TestTokenEndpoint:
    def test_issued_tokens_have_the_scopes_of_the_endpoint(self) -> None:
        endpoint = TokenEndpoint(refresh_tokens={"first": LOCATION_ID}, scopes={WRITE, READ})
        emulator = Emulator(token_endpoint=endpoint, required_scopes=[WRITE])
        tokens = content(refresh(emulator, "first"))
        assert tokens["scope"] == f"{READ} {WRITE}"
        assert update(emulator, tokens["access_token"]).status == 200

    def test_a_new_token_lacks_the_scope_too_until_the_endpoint_grants_it(self) -> None:
        endpoint = TokenEndpoint(refresh_tokens={"first": LOCATION_ID}, scopes={READ})
        emulator = Emulator(token_endpoint=endpoint, required_scopes=[WRITE])
        tokens = content(refresh(emulator, "first"))
        tokens = content(refresh(emulator, tokens["refresh_token"]))
        assert content(update(emulator, tokens["access_token"]))["message"] == MISSING_SCOPE
        endpoint.scopes = {READ, WRITE}
        assert update(emulator, tokens["access_token"]).status == 401
        tokens = content(refresh(emulator, tokens["refresh_token"]))
        assert update(emulator, tokens["access_token"]).status == 200

    def test_without_scopes_the_response_states_none(self) -> None:
        endpoint = TokenEndpoint(refresh_tokens={"first": LOCATION_ID})
        emulator = Emulator(token_endpoint=endpoint)
        assert "scope" not in content(refresh(emulator, "first"))

    def test_an_endpoint_of_a_company_issues_tokens_that_locations_reject(self) -> None:
        endpoint = TokenEndpoint(refresh_tokens={"first": "company-1"}, user_type="Company")
        emulator = Emulator(token_endpoint=endpoint)
        tokens = content(refresh(emulator, "first"))
        assert (tokens["userType"], tokens["companyId"]) == ("Company", "company-1")
        assert "locationId" not in tokens
        assert content(update(emulator, tokens["access_token"]))["message"] == WRONG_CLASS
        assert refresh(emulator, tokens["refresh_token"], "Company").status == 200

    def test_a_request_for_a_companys_tokens_is_rejected_by_default(self) -> None:
        emulator = Emulator(token_endpoint=TokenEndpoint(refresh_tokens={"first": LOCATION_ID}))
        response = refresh(emulator, "first", "Company")
        assert (response.status, content(response)["error"]) == (400, "invalid_request")

    def test_a_configured_token_is_independent_of_the_endpoint(self) -> None:
        endpoint = TokenEndpoint(user_type="Company")
        assert update(Emulator(tokens=[TOKEN], token_endpoint=endpoint)).status == 200


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (TokenAccess(scopes={READ}), MISSING_SCOPE),
        (TokenAccess(user_type="Company"), WRONG_CLASS),
    ],
)
def test_the_client_raises_with_the_message(access: TokenAccess, message: str) -> None:
    emulator = Emulator(tokens={TOKEN: access}, required_scopes=[WRITE])
    with (
        LeadConnector(token=TOKEN, transport=EmulatorTransport(emulator)) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
    assert caught.value.messages == [message]


@pytest.mark.parametrize("token", ["", " ", "Bearer abc", "bearer abc", "a b", "a\n", "\xe9"])
@pytest.mark.parametrize("is_mapping", [False, True])
def test_an_invalid_token_raises_valueerror(token: str, is_mapping: bool) -> None:
    tokens = {token: ANY} if is_mapping else [token]
    with pytest.raises(ValueError, match="a token"):
        Emulator(tokens=tokens)


@pytest.mark.parametrize("token", [None, 5, b"abc"])
def test_a_token_that_is_no_string_raises_typeerror(token: Any) -> None:
    with pytest.raises(TypeError, match="a token must be a string"):
        Emulator(tokens=[token])


def test_scopes_and_class_of_a_token_endpoint_are_checked_when_a_test_replaces_them() -> None:
    endpoint = TokenEndpoint()
    invalid_scopes: Any = WRITE
    with pytest.raises(TypeError, match="scopes"):
        endpoint.scopes = invalid_scopes
    invalid_class: Any = "company"
    with pytest.raises(ValueError, match="user_type"):
        endpoint.user_type = invalid_class
    assert endpoint == TokenEndpoint()


def test_the_spec_may_be_a_path_as_text() -> None:
    assert update(Emulator(str(SPEC), tokens=[TOKEN])).status == 200


@pytest.mark.parametrize(
    "options",
    [{"interval": timedelta(seconds=10)}, {"interval": "10"}, {"burst": "5"}, {"daily": True}],
)
def test_a_rate_limit_that_is_not_a_number_raises_with_its_name(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"{next(iter(options))} must be a number"):
        RateLimits(**options)
