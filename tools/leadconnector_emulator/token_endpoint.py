"""The vendor's token endpoint: access tokens that expire, refresh tokens that are single use and rotate."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

PATH = "/oauth/token"


@dataclass(frozen=True)
class Grant:
    """What a token was given for."""

    location: str
    expires: float
    """When, in seconds of the emulator's clock."""


@dataclass
class TokenEndpoint:
    """Issues tokens for one application.

    Args:
        client_id: the application's.
        client_secret: the application's.
        refresh_tokens: those that may be used first, each with the location that it is for.
        expires_in: seconds that an access token lives; the vendor's live a day.
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
        """Forget every token that was issued, and accept the first ones again."""
        self._refreshing = dict(self.refresh_tokens)
        self._used: set[str] = set()
        self._access: dict[str, Grant] = {}
        self.refreshes = 0

    def issue(
        self, location: str, now: float, *, expires_in: float | None = None
    ) -> tuple[str, str]:
        """A new access token and its refresh token, as after an installation."""
        access, refresh = (
            f"access-{secrets.token_urlsafe(24)}",
            f"refresh-{secrets.token_urlsafe(24)}",
        )
        lifetime = self.expires_in if expires_in is None else expires_in
        self._access[access] = Grant(location, now + lifetime)
        self._refreshing[refresh] = location
        return access, refresh

    def location(self, access_token: str, now: float) -> str | None:
        """The location that an access token is for; `None` where it is unknown or has expired."""
        grant = self._access.get(access_token)
        return grant.location if grant is not None and now < grant.expires else None

    def exchange(self, content_type: str, body: bytes, now: float) -> tuple[int, dict[str, Any]]:
        """Answer a request to the token endpoint: a status and JSON, errors as RFC 6749 (section 5.2) has them."""
        if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            return _refused("invalid_request", "the body must be application/x-www-form-urlencoded")
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        if (form.get("client_id"), form.get("client_secret")) != (
            self.client_id,
            self.client_secret,
        ):
            return 401, _refused("invalid_client", "the client id or its secret is wrong")[1]
        if form.get("grant_type") != "refresh_token":
            return _refused("unsupported_grant_type", "grant_type must be refresh_token")
        if form.get("user_type") != "Location":
            return _refused("invalid_request", "user_type must be Location")
        location = self._refreshing.pop(form.get("refresh_token", ""), None)
        if location is None:
            used = form.get("refresh_token") in self._used
            return _refused(
                "invalid_grant", f"the refresh token {'was used already' if used else 'is unknown'}"
            )
        self._used.add(form["refresh_token"])
        self.refreshes += 1
        access, refresh = self.issue(location, now)
        return 200, {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(self.expires_in),
            "refresh_token": refresh,
            "userType": "Location",
            "locationId": location,
        }


def _refused(error: str, description: str) -> tuple[int, dict[str, Any]]:
    return 400, {"error": error, "error_description": description}
