"""Routes the requests of OAuth: the authorization page, token requests, and tokens of locations."""

from __future__ import annotations

import json
from collections.abc import Callable

from .access import TokenAccess
from .consent_page import AUTHORIZATION_PATH, ConsentPage
from .messages import Request, Response
from .oauth_messages import (
    FORM_MEDIA_TYPE,
    V3,
    TokenRequest,
    TokenResponse,
    api_error,
    form_fields,
    media_type,
    read_token_request,
    request_fields,
    success,
)
from .rejection import MISSING_SCOPE, WRONG_CLASS, RejectionError
from .token_endpoint import INACTIVE_LOCATION, TOKEN_PATH, TokenEndpoint
from .validation import VERSION_INVALID, VERSION_MISSING

LOCATION_TOKEN_PATHS = {"/oauth/locationToken": "2021-07-28", "/oauth/location-token": V3}
"""The paths for the tokens of a location, each with the only version that it accepts."""

LOCATION_TOKEN_SCOPE = "oauth.write"
"""The scope that the vendor documents for the tokens of a location."""

INVALID_TOKEN = "Invalid token: access token is invalid"
"""The message of a 401 in the vendor's documents."""


class OAuthServer:
    """Responds to the requests of OAuth. The caller holds the emulator's lock.

    Args:
        endpoint: issues the tokens.
        example_location: the location that the authorization page shows if the endpoint has none.
    """

    def __init__(self, endpoint: TokenEndpoint, example_location: str) -> None:
        self._endpoint = endpoint
        page = ConsentPage(endpoint, example_location)
        self._handlers: dict[tuple[str, str], Callable[[Request, float], Response]] = {
            ("GET", AUTHORIZATION_PATH): page.show,
            ("POST", AUTHORIZATION_PATH): page.decide,
            ("POST", TOKEN_PATH): self._respond_to_token_request,
        }
        for path in LOCATION_TOKEN_PATHS:
            self._handlers["POST", path] = self._respond_with_location_tokens

    def respond(self, request: Request, now: float) -> Response | None:
        """Respond to a request of OAuth; `None` for any other request.

        Args:
            request: the request.
            now: seconds of the emulator's clock.
        """
        handler = self._handlers.get((request.method, request.path))
        if handler is None:
            return None
        return handler(request, now)

    def allowed_methods(self, path: str) -> set[str]:
        """The methods of a path of OAuth; empty for any other path."""
        return {method for method, known_path in self._handlers if known_path == path}

    def _respond_to_token_request(self, request: Request, now: float) -> Response:
        version = request.headers.get("version", "")
        if version == V3:
            return _json_response(self._respond_to_v3(request, now))
        content_type = request.headers.get("content-type", "")
        if media_type(content_type) == FORM_MEDIA_TYPE and "clientId" in form_fields(request.body):
            # A request with the names of v3, but without its header.
            message = VERSION_INVALID if version else VERSION_MISSING
            return _json_response(api_error(401, message))
        return _json_response(self._endpoint.exchange(content_type, request.body, now))

    def _respond_to_v3(self, request: Request, now: float) -> TokenResponse:
        fields = request_fields(request)
        if fields is None:
            return api_error(400, "the body must be a form or JSON")
        token_request = read_token_request(fields, is_v3=True)
        for name in ("client_id", "client_secret", "grant_type"):
            if name not in token_request.fields:
                return _missing_parameter(token_request, name)
        return self._endpoint.respond(token_request, now)

    def _respond_with_location_tokens(self, request: Request, now: float) -> Response:
        try:
            return _json_response(self._location_tokens(request, now))
        except RejectionError as rejection:
            return _json_response(api_error(rejection.status, rejection.message))

    def _location_tokens(self, request: Request, now: float) -> TokenResponse:
        """Exchange an agency's token.

        Raises:
            RejectionError: the first step that rejects the request decides.
        """
        version = LOCATION_TOKEN_PATHS[request.path]
        _check_version(request, version)
        access = self._agency_access(request, now)
        fields = request_fields(request) or {}
        missing_names = [name for name in ("companyId", "locationId") if not fields.get(name)]
        if missing_names:
            raise RejectionError(422, [f"{name} should not be empty" for name in missing_names])
        if not access.includes_location(fields["companyId"]):
            raise RejectionError(400, "The token is not one of this company")
        location = fields["locationId"]
        self._check_location(location)
        content = self._endpoint.issue_for_location(access, location, now)
        return success(content, is_v3=version == V3)

    def _check_location(self, location: str) -> None:
        if not self._endpoint.has_location(location):
            raise RejectionError(400, "The application is not installed in this location")
        if location in self._endpoint.inactive_locations:
            raise RejectionError(400, INACTIVE_LOCATION)

    def _agency_access(self, request: Request, now: float) -> TokenAccess:
        """What the agency's token is valid for.

        Raises:
            RejectionError: it is no valid token of an agency, or lacks the scope.
        """
        access: TokenAccess | None = None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            access = self._endpoint.access(token, now)
        if access is None:
            raise RejectionError(401, INVALID_TOKEN)
        if access.user_type != "Company":
            raise RejectionError(401, WRONG_CLASS)
        if not access.includes_scopes({LOCATION_TOKEN_SCOPE}):
            raise RejectionError(401, MISSING_SCOPE)
        return access


def _check_version(request: Request, required_version: str) -> None:
    version = request.headers.get("version", "")
    if not version:
        raise RejectionError(401, VERSION_MISSING)
    if version != required_version:
        raise RejectionError(401, VERSION_INVALID)


def _missing_parameter(request: TokenRequest, name: str) -> TokenResponse:
    """The vendor's documented 400 for a parameter that is missing."""
    return request.error("invalid_request", f"Missing parameter: {request.name(name)}")


def _json_response(response: TokenResponse) -> Response:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        # RFC 6749, section 5.1: a response with a token must not be cached.
        "Cache-Control": "no-store",
    }
    return Response(response.status, json.dumps(response.content).encode(), headers)
