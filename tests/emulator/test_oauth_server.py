"""The emulated OAuth server: the authorization page, codes, and the tokens of locations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leadconnector_emulator import Emulator, Request, Response, Server, TokenEndpoint
from leadconnector_emulator.cli import greeting, main
from leadconnector_emulator.installations import MAXIMUM_CODES
from leadconnector_emulator.rejection import MISSING_SCOPE, WRONG_CLASS

from tests.support.calling import CONVERSATION_ID, LOCATION_ID

PAGE = "/oauth/chooselocation"
REDIRECT_URI = "https://app.example/callback"
SCOPES = "conversations.write oauth.write"
PARAMETERS = {
    "response_type": "code",
    "client_id": "client",
    "redirect_uri": REDIRECT_URI,
    "scope": SCOPES,
    "state": "a&b=c",
}
FORM = "application/x-www-form-urlencoded"
LOCATIONS = {LOCATION_ID: "Main street", "other": "Second <street>"}


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def endpoint() -> TokenEndpoint:
    return TokenEndpoint(locations=LOCATIONS)


@pytest.fixture
def emulator(endpoint: TokenEndpoint, clock: Clock) -> Emulator:
    return Emulator(
        tokens=[],
        token_endpoint=endpoint,
        required_scopes=["conversations.write"],
        clock=clock,
    )


def content(response: Response) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(response.body))


def show(emulator: Emulator, **changes: str | None) -> Response:
    """Open the authorization page; `None` removes a parameter."""
    values = {**PARAMETERS, **changes}
    query = urlencode({name: value for name, value in values.items() if value is not None})
    return emulator.respond(Request("GET", f"{PAGE}?{query}", {}))


def decide(emulator: Emulator, **fields: str) -> Response:
    """Submit the form of the authorization page."""
    body = urlencode({**PARAMETERS, "decision": "approve", **fields}).encode()
    return emulator.respond(Request("POST", PAGE, {"content-type": FORM}, body))


def redirect_parameters(response: Response) -> dict[str, str]:
    assert response.status == 303
    url = urlsplit(response.headers["Location"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == REDIRECT_URI
    return {name: values[0] for name, values in parse_qs(url.query).items()}


def exchange(
    emulator: Emulator, code: str, *, is_v3: bool = False, media_type: str = FORM, **changes: str
) -> Response:
    fields = {
        "client_id": "client",
        "client_secret": "client-secret",
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        **changes,
    }
    headers = {"content-type": media_type}
    if is_v3:
        headers["version"] = "v3"
        fields = {camel_case(name): value for name, value in fields.items()}
    body = urlencode(fields) if media_type == FORM else json.dumps(fields)
    return emulator.respond(Request("POST", "/oauth/token", headers, body.encode()))


def camel_case(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(word.title() for word in words)


def agency_tokens(emulator: Emulator, scopes: str = SCOPES) -> dict[str, Any]:
    code = redirect_parameters(decide(emulator, choice="agency", scope=scopes))["code"]
    return content(exchange(emulator, code, user_type="Company"))


def location_token(
    emulator: Emulator,
    token: str,
    *,
    path: str = "/oauth/locationToken",
    fields: Mapping[str, str] | None = None,
    **headers: str | None,
) -> Response:
    """Exchange an agency's token; `None` removes a header."""
    all_headers = {
        "authorization": f"Bearer {token}",
        "version": "2021-07-28" if path == "/oauth/locationToken" else "v3",
        "content-type": FORM,
        **headers,
    }
    present = {name: value for name, value in all_headers.items() if value is not None}
    form = {"companyId": "company-1", "locationId": LOCATION_ID} if fields is None else fields
    return emulator.respond(Request("POST", path, present, urlencode(form).encode()))


def update(emulator: Emulator, token: str, location: str = LOCATION_ID) -> Response:
    headers = {
        "authorization": f"Bearer {token}",
        "version": "2021-07-28",
        "content-type": "application/json",
    }
    body = json.dumps({"locationId": location}).encode()
    return emulator.respond(Request("PUT", f"/conversations/{CONVERSATION_ID}", headers, body))


class TestPage:
    def test_it_shows_the_scopes_and_the_choices(self, emulator: Emulator) -> None:
        response = show(emulator)
        page = response.body.decode()
        assert response.status == 200
        for text in ("conversations.write", "oauth.write", "company-1", "Main street"):
            assert text in page
        assert "Second &lt;street&gt; (other)" in page

    def test_without_locations_it_shows_that_of_the_example(self) -> None:
        page = show(Emulator(token_endpoint=TokenEndpoint())).body.decode()
        assert f"The location {LOCATION_ID}" in page

    def test_its_policy_permits_only_its_form_and_the_redirect(self, emulator: Emulator) -> None:
        policy = show(emulator).headers["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "form-action 'self' https://app.example" in policy

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"client_id": "other"}, "client_id"),
            ({"client_id": None}, "client_id"),
            ({"redirect_uri": None}, "redirect_uri"),
            ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri"),
            ({"redirect_uri": "https://app.example/\r\nX: y"}, "redirect_uri"),
            ({"redirect_uri": "https://app.example/#x"}, "redirect_uri"),
            ({"redirect_uri": "https://[::1"}, "redirect_uri"),
            ({"redirect_uri": "https://app.example;script-src"}, "redirect_uri"),
            ({"redirect_uri": "https://user@app.example"}, "redirect_uri"),
        ],
    )
    def test_a_request_without_a_valid_redirect_is_not_redirected(
        self, emulator: Emulator, changes: dict[str, Any], problem: str
    ) -> None:
        for response in (show(emulator, **changes), decide(emulator, **{**changes, "choice": "x"})):
            assert response.status == 400
            assert "Location" not in response.headers
        assert problem in show(emulator, **changes).body.decode()

    def test_a_redirect_to_another_host_is_rejected(
        self, emulator: Emulator, endpoint: TokenEndpoint
    ) -> None:
        endpoint.redirect_uris = {REDIRECT_URI}
        assert show(emulator).status == 200
        response = show(emulator, redirect_uri="https://evil.example/callback")
        assert (response.status, "Location" in response.headers) == (400, False)

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": None}, "unsupported_response_type"),
            ({"scope": None}, "invalid_scope"),
            ({"scope": "unknown"}, "invalid_scope"),
        ],
    )
    def test_other_errors_are_redirected_with_the_state(
        self,
        emulator: Emulator,
        endpoint: TokenEndpoint,
        changes: dict[str, str | None],
        error: str,
    ) -> None:
        endpoint.scopes = set(SCOPES.split())
        parameters = redirect_parameters(show(emulator, **changes))
        assert (parameters["error"], parameters["state"]) == (error, "a&b=c")
        assert parameters["error_description"]

    @pytest.mark.parametrize("decision", ["deny", ""])
    def test_a_refusal_is_redirected(self, emulator: Emulator, decision: str) -> None:
        parameters = redirect_parameters(decide(emulator, decision=decision))
        assert (parameters["error"], parameters["state"]) == ("access_denied", "a&b=c")

    @pytest.mark.parametrize("choice", ["", "location:elsewhere", LOCATION_ID, "company-1"])
    def test_an_unknown_choice_issues_no_code(self, emulator: Emulator, choice: str) -> None:
        assert decide(emulator, choice=choice).status == 400

    def test_another_body_than_a_form_is_rejected(self, emulator: Emulator) -> None:
        request = Request("POST", PAGE, {"content-type": "application/json"}, b"{}")
        assert emulator.respond(request).status == 400

    def test_a_query_of_the_redirect_uri_is_kept(self, emulator: Emulator) -> None:
        response = decide(emulator, choice="agency", redirect_uri=f"{REDIRECT_URI}?a=b")
        assert response.headers["Location"].startswith(f"{REDIRECT_URI}?a=b&code=")

    @given(values=st.fixed_dictionaries({name: st.text() for name in PARAMETERS}))
    @settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_parameters_get_a_response(
        self, emulator: Emulator, values: dict[str, str]
    ) -> None:
        for changes in (values, {**values, "client_id": "client"}):
            for response in (show(emulator, **changes), decide(emulator, **changes)):
                assert response.status in {200, 303, 400}
        page = show(emulator, scope=f"x {values['scope']}", state=values["state"]).body.decode()
        assert "<script" not in page

    def test_other_methods_and_emulators_without_oauth_have_no_page(
        self, emulator: Emulator
    ) -> None:
        response = emulator.respond(Request("PUT", PAGE, {}))
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")
        assert show(Emulator()).status == 404


class TestCodes:
    @pytest.mark.parametrize("is_v3", [False, True])
    def test_a_code_becomes_tokens_of_the_location(self, emulator: Emulator, is_v3: bool) -> None:
        code = redirect_parameters(decide(emulator, choice=f"location:{LOCATION_ID}"))["code"]
        response = exchange(emulator, code, is_v3=is_v3, user_type="Location")
        tokens = content(response)
        names = ["access_token", "token_type", "expires_in", "refresh_token"]
        if is_v3:
            names = [camel_case(name) for name in names]
        assert {*tokens} == {*names, "userType", "locationId", "companyId", "userId", "scope"}
        assert (tokens["userType"], tokens["locationId"]) == ("Location", LOCATION_ID)
        assert tokens["scope"] == SCOPES
        assert response.headers["Cache-Control"] == "no-store"
        assert update(emulator, tokens[names[0]]).status == 200
        assert update(emulator, tokens[names[0]], "other").status == 401

    def test_the_approved_scopes_are_those_of_the_tokens(self, emulator: Emulator) -> None:
        response = decide(emulator, choice=f"location:{LOCATION_ID}", scope="contacts.readonly")
        tokens = content(exchange(emulator, redirect_parameters(response)["code"]))
        assert tokens["scope"] == "contacts.readonly"
        rejection = update(emulator, tokens["access_token"])
        assert content(rejection)["message"] == MISSING_SCOPE

    def test_an_agencys_token_is_rejected_by_operations_of_a_location(
        self, emulator: Emulator
    ) -> None:
        tokens = agency_tokens(emulator)
        assert (tokens["userType"], tokens["companyId"]) == ("Company", "company-1")
        assert tokens["approvedLocations"] == list(LOCATIONS)
        assert "locationId" not in tokens
        assert content(update(emulator, tokens["access_token"]))["message"] == WRONG_CLASS

    def test_v3_also_accepts_json(self, emulator: Emulator, endpoint: TokenEndpoint) -> None:
        code = endpoint.authorize(REDIRECT_URI, emulator.clock(), location=LOCATION_ID)
        response = exchange(emulator, code, is_v3=True, media_type="application/json")
        assert response.status == 200

    def test_names_of_v3_need_its_version(self, emulator: Emulator) -> None:
        form = urlencode({"clientId": "client", "clientSecret": "client-secret"}).encode()
        for version, message in ((None, "not found"), ("2021-07-28", "invalid")):
            headers = {"content-type": FORM}
            if version is not None:
                headers["version"] = version
            response = emulator.respond(Request("POST", "/oauth/token", headers, form))
            assert response.status == 401
            assert message in content(response)["message"]

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({}, "Missing parameter: clientId"),
            ({"clientId": "c", "clientSecret": "s"}, "Missing parameter: grantType"),
        ],
    )
    def test_v3_names_a_missing_parameter(
        self, emulator: Emulator, fields: dict[str, str], message: str
    ) -> None:
        headers = {"content-type": FORM, "version": "v3"}
        body = urlencode(fields).encode()
        response = emulator.respond(Request("POST", "/oauth/token", headers, body))
        assert content(response) == {"statusCode": 400, "message": message}

    @pytest.mark.parametrize("is_v3", [False, True])
    def test_each_error_has_the_form_of_its_version(
        self, emulator: Emulator, endpoint: TokenEndpoint, clock: Clock, is_v3: bool
    ) -> None:
        def issue() -> str:
            return endpoint.authorize(REDIRECT_URI, clock(), location=LOCATION_ID)

        used_code = issue()
        assert exchange(emulator, used_code).status == 200
        expired_code = endpoint.authorize(REDIRECT_URI, clock() - 60.0, location=LOCATION_ID)
        endpoint.inactive_locations = {"other"}
        inactive_code = endpoint.authorize(REDIRECT_URI, clock(), location="other")
        cases: list[tuple[str, dict[str, str], int, str]] = [
            (used_code, {}, 400, "used already"),
            (expired_code, {}, 400, "expired"),
            (inactive_code, {}, 400, "Location is not active"),
            ("unknown", {}, 400, "authorization code is invalid"),
            (issue(), {"redirect_uri": "https://other.example/"}, 400, "does not match"),
            (issue(), {"client_secret": "wrong"}, 401, "Invalid client credentials!"),
            (issue(), {"user_type": "Company"}, 400, "must be Location"),
            ("", {}, 400, "Missing parameter: code"),
            (issue(), {"grant_type": "password"}, 400, "Invalid parameter"),
        ]
        for code, changes, status, text in cases:
            response = exchange(emulator, code, is_v3=is_v3, **changes)
            error = content(response)
            assert response.status == status
            explanation = error["message"] if is_v3 else error["error_description"]
            assert text in explanation
            assert ("statusCode" in error) == is_v3

    def test_a_wrong_redirect_uri_uses_the_code_up(
        self, emulator: Emulator, endpoint: TokenEndpoint
    ) -> None:
        code = endpoint.authorize(REDIRECT_URI, emulator.clock(), location=LOCATION_ID)
        assert exchange(emulator, code, redirect_uri="https://other.example/").status == 400
        assert exchange(emulator, code).status == 400
        assert endpoint.exchanges == 0

    def test_codes_are_bounded_and_a_reset_revokes_them(
        self, emulator: Emulator, endpoint: TokenEndpoint
    ) -> None:
        codes = [endpoint.authorize(REDIRECT_URI, emulator.clock()) for _ in range(MAXIMUM_CODES)]
        last_code = endpoint.authorize(REDIRECT_URI, emulator.clock())
        assert exchange(emulator, codes[0]).status == 400
        assert exchange(emulator, codes[1]).status == 200
        emulator.reset()
        assert exchange(emulator, last_code).status == 400
        assert (endpoint.exchanges, endpoint.location_tokens) == (0, 0)

    def test_an_inactive_location_keeps_its_refresh_token(
        self, emulator: Emulator, endpoint: TokenEndpoint, clock: Clock
    ) -> None:
        _, refresh_token = endpoint.issue(LOCATION_ID, clock())
        fields: dict[str, Any] = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        endpoint.inactive_locations = {LOCATION_ID}
        rejection = exchange(emulator, "", user_type="Location", **fields)
        assert content(rejection)["error_description"] == "Location is not active"
        endpoint.inactive_locations = ()
        assert exchange(emulator, "", user_type="Location", **fields).status == 200


class TestLocationTokens:
    @pytest.mark.parametrize("path", ["/oauth/locationToken", "/oauth/location-token"])
    def test_an_agencys_token_gets_those_of_each_location(
        self, emulator: Emulator, endpoint: TokenEndpoint, path: str
    ) -> None:
        agency_token = agency_tokens(emulator)["access_token"]
        for location in LOCATIONS:
            fields = {"companyId": "company-1", "locationId": location}
            response = location_token(emulator, agency_token, path=path, fields=fields)
            tokens = content(response)
            assert (response.status, tokens["locationId"]) == (200, location)
            is_v3 = path == "/oauth/location-token"
            token = tokens["accessToken" if is_v3 else "access_token"]
            assert ("refreshToken" if is_v3 else "refresh_token") in tokens
            other_location = next(iter({*LOCATIONS} - {location}))
            assert update(emulator, token, location).status in {200, 400}
            assert update(emulator, token, other_location).status == 401
        assert endpoint.location_tokens == len(LOCATIONS)

    def test_the_refresh_token_is_an_option(
        self, emulator: Emulator, endpoint: TokenEndpoint
    ) -> None:
        endpoint.location_refresh_tokens = False
        agency_token = agency_tokens(emulator)["access_token"]
        assert "refresh_token" not in content(location_token(emulator, agency_token))

    def test_each_step_has_its_error(
        self, emulator: Emulator, endpoint: TokenEndpoint, clock: Clock
    ) -> None:
        agency_token = agency_tokens(emulator)["access_token"]
        token_of_location, _ = endpoint.issue(LOCATION_ID, clock())
        weak_token = agency_tokens(emulator, "conversations.write")["access_token"]
        endpoint.inactive_locations = {"other"}

        def fields(location: str, company: str = "company-1") -> dict[str, str]:
            return {"companyId": company, "locationId": location}

        cases: list[tuple[dict[str, Any], int, str]] = [
            ({"version": None}, 401, "version header was not found."),
            ({"version": "v3"}, 401, "version header is invalid"),
            ({"token": "unknown"}, 401, "Invalid token: access token is invalid"),
            ({"authorization": "Basic x"}, 401, "Invalid token: access token is invalid"),
            ({"token": token_of_location}, 401, WRONG_CLASS),
            ({"token": weak_token}, 401, MISSING_SCOPE),
            ({"fields": {}}, 422, "companyId should not be empty"),
            ({"fields": fields(LOCATION_ID, "company-2")}, 400, "this company"),
            ({"fields": fields("elsewhere")}, 400, "not installed in this location"),
            ({"fields": fields("other")}, 400, "Location is not active"),
        ]
        for changes, status, text in cases:
            arguments = {"token": agency_token, **changes}
            response = location_token(emulator, arguments.pop("token"), **arguments)
            assert (response.status, text in str(content(response)["message"])) == (status, True)
        assert endpoint.location_tokens == 0

    def test_an_expired_token_of_the_agency_is_rejected(
        self, emulator: Emulator, clock: Clock
    ) -> None:
        agency_token = agency_tokens(emulator)["access_token"]
        clock.seconds += 86_399
        assert location_token(emulator, agency_token).status == 401

    def test_the_page_shows_no_credentials_of_the_requests(self, emulator: Emulator) -> None:
        agency_token = agency_tokens(emulator)["access_token"]
        location_token(emulator, agency_token)
        with Server(emulator) as server:
            log = json.dumps(server._page._log())
        for secret in (agency_token, "client-secret", "code-"):
            assert secret not in log


class TestOptions:
    @pytest.mark.parametrize(
        "option",
        ["--company=x", "--oauth-location=x", "--inactive-location=x", "--redirect-uri=x"],
    )
    def test_options_of_oauth_need_it(
        self, option: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as raised:
            main(["--port=0", option])
        assert raised.value.code == 2
        assert "needs --oauth" in capsys.readouterr().err

    def test_the_greeting_names_the_urls(self) -> None:
        emulator = Emulator(token_endpoint=TokenEndpoint())
        text = greeting("http://127.0.0.1:8080", "emulator", emulator)
        assert 'token_url="http://127.0.0.1:8080/oauth/token"' in text
        assert 'authorization_page="http://127.0.0.1:8080/oauth/chooselocation"' in text
        assert "oauth" not in greeting("http://127.0.0.1:8080", "emulator", Emulator())


@pytest.mark.parametrize("name", ["locations", "inactive_locations", "redirect_uris"])
def test_one_string_is_no_collection(name: str) -> None:
    options: dict[str, Any] = {name: "location-1"}
    with pytest.raises(TypeError, match=f"{name} of a token endpoint"):
        TokenEndpoint(**options)
