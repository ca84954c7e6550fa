"""The vendor's token endpoint: access tokens expire; refresh tokens are single-use and rotate."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from .access import ANY, TokenAccess, UserType, check_texts, check_user_type

TOKEN_PATH = "/oauth/token"
"""The vendor's path, on the API's host."""

FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"

MAXIMUM_REMEMBERED_TOKENS = 20_000
"""The access tokens, and likewise the used and the unused refresh tokens, that the endpoint
remembers. Each has a fixed length, so that this bounds the memory to about 25 MiB."""


@dataclass(frozen=True)
class TokenResponse:
    """The status and the JSON of a response to a token request."""

    status: int
    content: dict[str, Any]


@dataclass(frozen=True)
class Grant:
    """What an access token is valid for."""

    location: str
    """The location; the company, for a token of a company."""
    expires_at: float
    """Seconds of the emulator's clock."""
    scopes: Collection[str] | None = ANY
    user_type: UserType = "Location"

    @property
    def access(self) -> TokenAccess:
        """What the token is valid for."""
        return TokenAccess({self.location}, self.scopes, self.user_type)


@dataclass
class TokenEndpoint:
    """Issues tokens for one application.

    Args:
        client_id: the application's id.
        client_secret: the application's secret.
        refresh_tokens: the refresh tokens that are valid at first, each with its location.
        expires_in: seconds for which an access token is valid; the vendor's are valid for a day.
        scopes: the scopes of the tokens that it issues; `ANY` for every scope. A test may replace
            them: the tokens that are issued later have the new scopes.
        user_type: the class of the tokens that it issues. With `Company`, a refresh returns tokens
            that operations of a location reject.

    Raises:
        TypeError: `scopes` is one string.
        ValueError: `user_type` is unknown.
    """

    client_id: str = "client"
    client_secret: str = "client-secret"
    refresh_tokens: Mapping[str, str] = field(default_factory=dict[str, str])
    expires_in: float = 86_399.0
    scopes: Collection[str] | None = ANY
    user_type: UserType = "Location"
    refreshes: int = field(default=0, init=False)
    """How many times a refresh token was exchanged."""
    dropped_tokens: int = field(default=0, init=False)
    """How many access and refresh tokens became invalid early, because too many later ones were
    issued."""

    def __post_init__(self) -> None:
        self.reset()

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute; a test may replace the scopes and the class, which are checked."""
        if name == "scopes":
            check_texts("the scopes of a token", value)
        elif name == "user_type":
            check_user_type(value)
        super().__setattr__(name, value)

    def reset(self) -> None:
        """Revoke every issued token, and accept the first refresh tokens again."""
        self._location_by_refresh_token = dict(self.refresh_tokens)
        # The refresh tokens that were issued and not used, the oldest one first.
        self._issued_refresh_tokens: OrderedDict[str, None] = OrderedDict()
        # Both have the oldest entry first.
        self._used_refresh_tokens: OrderedDict[str, None] = OrderedDict()
        self._grant_by_access_token: OrderedDict[str, Grant] = OrderedDict()
        self.refreshes = 0
        self.dropped_tokens = 0

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
        grant = Grant(location, now + lifetime, self.scopes, self.user_type)
        self._grant_by_access_token[access_token] = grant
        self._location_by_refresh_token[refresh_token] = location
        self._issued_refresh_tokens[refresh_token] = None
        self._drop_oldest_refresh_token()
        self._drop_oldest_access_tokens(now)
        return access_token, refresh_token

    def location(self, access_token: str, now: float) -> str | None:
        """The location of an access token; `None` if the token is unknown or has expired."""
        grant = self._valid_grant(access_token, now)
        return None if grant is None else grant.location

    def access(self, access_token: str, now: float) -> TokenAccess | None:
        """What an access token is valid for; `None` if it is unknown or has expired."""
        grant = self._valid_grant(access_token, now)
        return None if grant is None else grant.access

    def grants(self, now: float) -> dict[str, Grant]:
        """What each access token is valid for that was issued and has not expired."""
        grants: dict[str, Grant] = {}
        for token, grant in self._grant_by_access_token.items():
            if now < grant.expires_at:
                grants[token] = grant
        return grants

    def expire(self, access_token: str, now: float) -> bool:
        """Let an access token expire; return whether it was valid. Its refresh token stays valid.

        Args:
            access_token: the token.
            now: seconds of the emulator's clock.
        """
        grant = self._valid_grant(access_token, now)
        if grant is None:
            return False
        self._grant_by_access_token[access_token] = replace(grant, expires_at=now)
        return True

    def revoke(self, token: str) -> bool:
        """Make an access token or a refresh token invalid; return whether the endpoint knew it."""
        grant = self._grant_by_access_token.pop(token, None)
        location = self._location_by_refresh_token.pop(token, None)
        self._issued_refresh_tokens.pop(token, None)
        return grant is not None or location is not None

    def _valid_grant(self, access_token: str, now: float) -> Grant | None:
        grant = self._grant_by_access_token.get(access_token)
        if grant is None or now >= grant.expires_at:
            return None
        return grant

    def _drop_oldest_refresh_token(self) -> None:
        """Drop the oldest unused refresh token if there are too many."""
        if len(self._issued_refresh_tokens) <= MAXIMUM_REMEMBERED_TOKENS:
            return
        oldest_token, _ = self._issued_refresh_tokens.popitem(last=False)
        del self._location_by_refresh_token[oldest_token]
        self.dropped_tokens += 1

    def _drop_oldest_access_tokens(self, now: float) -> None:
        """Drop the oldest tokens if they have expired, or are too many."""
        grants = self._grant_by_access_token
        while grants:
            oldest_token, oldest_grant = next(iter(grants.items()))
            has_expired = now >= oldest_grant.expires_at
            if not has_expired and len(grants) <= MAXIMUM_REMEMBERED_TOKENS:
                return
            if not has_expired:
                self.dropped_tokens += 1
            del grants[oldest_token]

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
        # The vendor's own field. A request for a company's tokens is out of scope, unless the
        # endpoint issues only those.
        if form.get("user_type") not in {"Location", self.user_type}:
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
        self._issued_refresh_tokens.pop(refresh_token, None)
        # Remembered only for the error message: a token used twice is a client's typical mistake.
        self._used_refresh_tokens[refresh_token] = None
        if len(self._used_refresh_tokens) > MAXIMUM_REMEMBERED_TOKENS:
            self._used_refresh_tokens.popitem(last=False)
        self.refreshes += 1
        next_access_token, next_refresh_token = self.issue(location, now)
        content: dict[str, Any] = {
            "access_token": next_access_token,
            "token_type": "Bearer",
            "expires_in": int(self.expires_in),
            "refresh_token": next_refresh_token,
            "userType": self.user_type,
        }
        owner_name = "companyId" if self.user_type == "Company" else "locationId"
        content[owner_name] = location
        if self.scopes is not None:
            # RFC 6749, section 3.3: scopes are separated by blanks.
            content["scope"] = " ".join(sorted(self.scopes))
        return TokenResponse(200, content)

    def _invalid_refresh_token(self, refresh_token: str) -> TokenResponse:
        if refresh_token in self._used_refresh_tokens:
            return _error("invalid_grant", "the refresh token was used already")
        return _error("invalid_grant", "the refresh token is unknown")


def _error(error: str, description: str, *, status: int = 400) -> TokenResponse:
    return TokenResponse(status, {"error": error, "error_description": description})
