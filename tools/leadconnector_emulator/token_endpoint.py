"""The vendor's token endpoint: access tokens expire; refresh tokens are single-use and rotate."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

TOKEN_PATH = "/oauth/token"
"""The vendor's path, on the API's host."""

FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class TokenResponse:
    """The status and the JSON of a response to a token request."""

    status: int
    content: dict[str, Any]


@dataclass(frozen=True)
class Grant:
    """What an access token is valid for."""

    location: str
    expires_at: float
    """Seconds of the emulator's clock."""


@dataclass
class TokenEndpoint:
    """Issues tokens for one application.

    Args:
        client_id: the application's id.
        client_secret: the application's secret.
        refresh_tokens: the refresh tokens that are valid at first, each with its location.
        expires_in: seconds for which an access token is valid; the vendor's are valid for a day.
    """

    client_id: str = "client"
    client_secret: str = "client-secret"
    refresh_tokens: Mapping[str, str] = field(default_factory=dict[str, str])
    expires_in: float = 86_399.0
    refreshes: int = field(default=0, init=False)
    """How many times a refresh token was exchanged."""

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Revoke every issued token, and accept the first refresh tokens again."""
        self._location_by_refresh_token = dict(self.refresh_tokens)
        self._used_refresh_tokens: set[str] = set()
        self._grant_by_access_token: dict[str, Grant] = {}
        self.refreshes = 0

    def issue(
        self, location: str, now: float, *, expires_in: float | None = None
    ) -> tuple[str, str]:
        """Issue an access token and a refresh token for a location, as an installation does.

        Args:
            location: the location that both tokens are valid for.
            now: seconds of the emulator's clock.
            expires_in: seconds for which the access token is valid; by default the endpoint's.
        """
        access_token = f"access-{secrets.token_urlsafe(24)}"
        refresh_token = f"refresh-{secrets.token_urlsafe(24)}"
        lifetime = self.expires_in if expires_in is None else expires_in
        self._grant_by_access_token[access_token] = Grant(location, now + lifetime)
        self._location_by_refresh_token[refresh_token] = location
        return access_token, refresh_token

    def location(self, access_token: str, now: float) -> str | None:
        """The location of an access token; `None` if the token is unknown or has expired."""
        grant = self._grant_by_access_token.get(access_token)
        if grant is None or now >= grant.expires_at:
            return None
        return grant.location

    def exchange(self, content_type: str, body: bytes, now: float) -> TokenResponse:
        """Respond to a token request. Errors are those of RFC 6749, section 5.2."""
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type != FORM_MEDIA_TYPE:
            return _error("invalid_request", f"the body must be {FORM_MEDIA_TYPE}")

        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        # The order follows RFC 6749: the client is authenticated before its grant is checked.
        if not self._is_client(form):
            description = "the client id or its secret is wrong"
            return _error("invalid_client", description, status=401)
        if form.get("grant_type") != "refresh_token":
            return _error("unsupported_grant_type", "grant_type must be refresh_token")
        # The vendor's own field. Its other value, `Company`, is out of scope.
        if form.get("user_type") != "Location":
            return _error("invalid_request", "user_type must be Location")

        refresh_token = form.get("refresh_token", "")
        if refresh_token not in self._location_by_refresh_token:
            return self._invalid_refresh_token(refresh_token)
        return self._refresh(refresh_token, now)

    def _is_client(self, form: Mapping[str, str]) -> bool:
        if form.get("client_id") != self.client_id:
            return False
        return form.get("client_secret") == self.client_secret

    def _refresh(self, refresh_token: str, now: float) -> TokenResponse:
        """Use a refresh token up, and issue the next two tokens."""
        location = self._location_by_refresh_token.pop(refresh_token)
        # Remembered only for the error message: a token used twice is a client's typical mistake.
        self._used_refresh_tokens.add(refresh_token)
        self.refreshes += 1
        next_access_token, next_refresh_token = self.issue(location, now)
        content = {
            "access_token": next_access_token,
            "token_type": "Bearer",
            "expires_in": int(self.expires_in),
            "refresh_token": next_refresh_token,
            "userType": "Location",
            "locationId": location,
        }
        return TokenResponse(200, content)

    def _invalid_refresh_token(self, refresh_token: str) -> TokenResponse:
        if refresh_token in self._used_refresh_tokens:
            return _error("invalid_grant", "the refresh token was used already")
        return _error("invalid_grant", "the refresh token is unknown")


def _error(error: str, description: str, *, status: int = 400) -> TokenResponse:
    return TokenResponse(status, {"error": error, "error_description": description})
