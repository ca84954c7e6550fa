"""The vendor's OAuth server: access tokens expire; refresh tokens are single-use and rotate."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .access import ANY, TokenAccess, UserType, check_texts, check_user_type
from .arguments import check_number, check_redirect_uris
from .installations import AuthorizationCode, AuthorizationCodes, Installation
from .oauth_messages import (
    FORM_MEDIA_TYPE,
    TokenRequest,
    TokenRequestError,
    TokenResponse,
    form_fields,
    media_type,
    read_token_request,
)

TOKEN_PATH = "/oauth/token"
"""The vendor's path, on the API's host."""

MAXIMUM_REMEMBERED_TOKENS = 20_000
"""The access tokens, and likewise the used and the unused refresh tokens, that the endpoint
remembers. Each has a fixed length, so that this bounds the memory to about 25 MiB."""

INVALID_CLIENT = "Invalid client credentials!"
"""The live API's message for a wrong client id or secret."""

INACTIVE_LOCATION = "Location is not active"
"""The live API's message for a location whose agency has paused it or does not pay for it. Its
refresh tokens stay valid."""

USER_ID = "emulated-user"
"""The user who authorizes the application."""


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

    With it, the emulator has the page `/oauth/chooselocation`, where a user authorizes the
    application; `/oauth/token`; and `/oauth/locationToken`, which exchanges an agency's token.

    Args:
        client_id: the application's id.
        client_secret: the application's secret.
        refresh_tokens: the refresh tokens that are valid at first, each with its location.
        expires_in: seconds for which an access token is valid; the vendor's are valid for a day.
        scopes: the scopes of the tokens that it issues; `ANY` for every scope. A test may replace
            them: the tokens that are issued later have the new scopes. An authorization can ask for
            these scopes only, and its tokens have those that it asked for.
        user_type: the class of the tokens that it issues. With `Company`, a refresh returns tokens
            that operations of a location reject. Tokens of an authorization have its own class.
        company: the agency that the authorization page shows.
        locations: the locations of the agency with their names, or only their ids. Without them,
            the page shows the location of the spec's example, and the agency has every location.
        inactive_locations: locations for which the endpoint issues no tokens. A test may replace
            them.
        redirect_uris: the redirect URIs of the application; `ANY` for each one.
        code_expires_in: seconds for which an authorization code is valid.
        location_refresh_tokens: whether `/oauth/locationToken` also returns a refresh token, as the
            live API does. The vendor's document of v2 lists none.

    Raises:
        TypeError: `scopes`, `inactive_locations` or `redirect_uris` is one string; a number of
            seconds is not a number.
        ValueError: `user_type` is unknown; a number of seconds is negative or not finite; a
            redirect URI is not absolute.
    """

    client_id: str = "client"
    client_secret: str = field(default="client-secret", repr=False)
    refresh_tokens: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    expires_in: float = 86_399.0
    scopes: Collection[str] | None = ANY
    user_type: UserType = "Location"
    company: str = "company-1"
    locations: Mapping[str, str] | Collection[str] = field(default_factory=dict[str, str])
    inactive_locations: Collection[str] = ()
    redirect_uris: Collection[str] | None = ANY
    code_expires_in: float = 60.0
    location_refresh_tokens: bool = True
    refreshes: int = field(default=0, init=False)
    """How many times a refresh token was exchanged."""
    exchanges: int = field(default=0, init=False)
    """How many authorization codes were exchanged."""
    location_tokens: int = field(default=0, init=False)
    """How many times an agency's token was exchanged for the tokens of a location."""
    dropped_tokens: int = field(default=0, init=False)
    """How many access and refresh tokens became invalid early, because too many later ones were
    issued."""

    def __post_init__(self) -> None:
        self.reset()

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute; a test may replace those that are checked."""
        if name == "scopes":
            check_texts("the scopes of a token", value)
        elif name in {"expires_in", "code_expires_in"}:
            check_number(name, value)
        elif name == "user_type":
            check_user_type(value)
        elif name in {"inactive_locations", "locations", "redirect_uris"}:
            check_texts(f"{name} of a token endpoint", value)
            if name == "redirect_uris":
                check_redirect_uris(value)
        super().__setattr__(name, value)

    def reset(self) -> None:
        """Revoke every issued token and code, and accept the first refresh tokens again."""
        self._installation_by_refresh_token: dict[str, Installation] = {}
        for refresh_token, location in self.refresh_tokens.items():
            self._installation_by_refresh_token[refresh_token] = Installation(location)
        # The refresh tokens that were issued and not used, the oldest one first.
        self._issued_refresh_tokens: OrderedDict[str, None] = OrderedDict()
        # Both have the oldest entry first.
        self._used_refresh_tokens: OrderedDict[str, None] = OrderedDict()
        self._grant_by_access_token: OrderedDict[str, Grant] = OrderedDict()
        self._codes = AuthorizationCodes()
        self.refreshes = 0
        self.exchanges = 0
        self.location_tokens = 0
        self.dropped_tokens = 0

    def issue(
        self, location: str, now: float, *, expires_in: float | None = None
    ) -> tuple[str, str]:
        """Issue an access token and a refresh token for a location, as an installation does.

        Args:
            location: the location that both tokens are valid for.
            now: seconds of the emulator's clock.
            expires_in: seconds for which the access token is valid; by default the endpoint's.

        Raises:
            TypeError: `expires_in` is not a number.
            ValueError: it is negative or not finite.
        """
        if expires_in is not None:
            check_number("expires_in", expires_in)
        return self._issue(Installation(location), now, expires_in=expires_in)

    def authorize(
        self,
        redirect_uri: str,
        now: float,
        *,
        location: str | None = None,
        scopes: Collection[str] | None = None,
    ) -> str:
        """Issue an authorization code, as the page does when a user approves.

        Args:
            redirect_uri: the redirect URI of the authorization.
            now: seconds of the emulator's clock.
            location: the location that the user chose; `None` for the agency.
            scopes: the scopes that the application asked for. Default: those of the endpoint.

        Raises:
            TypeError: `scopes` is one string.
        """
        check_texts("scopes", scopes)
        installation = Installation(self.company, self.company, "Company", scopes)
        if location is not None:
            installation = Installation(location, self.company, "Location", scopes)
        return self._codes.issue(installation, redirect_uri, now + self.code_expires_in)

    def location(self, access_token: str, now: float) -> str | None:
        """The location of an access token; `None` if the token is unknown or has expired."""
        grant = self._valid_grant(access_token, now)
        return None if grant is None else grant.location

    def access(self, access_token: str, now: float) -> TokenAccess | None:
        """What an access token is valid for; `None` if it is unknown or has expired."""
        grant = self._valid_grant(access_token, now)
        return None if grant is None else grant.access

    def has_location(self, location: str) -> bool:
        """Whether the agency has a location."""
        return not self.locations or location in self.locations

    def exchange(self, content_type: str, body: bytes, now: float) -> TokenResponse:
        """Respond to a token request of v2. Errors are those of RFC 6749, section 5.2."""
        if media_type(content_type) != FORM_MEDIA_TYPE:
            return TokenRequest({}).error("invalid_request", f"the body must be {FORM_MEDIA_TYPE}")
        return self.respond(read_token_request(form_fields(body), is_v3=False), now)

    def respond(self, request: TokenRequest, now: float) -> TokenResponse:
        """Respond to a token request of any version."""
        # The order follows RFC 6749: the client is authenticated before its grant is checked.
        if not self._is_client(request):
            return request.error("invalid_client", INVALID_CLIENT, status=401)
        try:
            return request.success(self._new_tokens(request, now))
        except TokenRequestError as rejection:
            return rejection.response

    def _new_tokens(self, request: TokenRequest, now: float) -> dict[str, Any]:
        """The tokens that a request gets.

        Raises:
            TokenRequestError: the request is invalid.
        """
        name = request.name("grant_type")
        match request.field("grant_type"):
            case "authorization_code":
                return self._exchange_code(request, now)
            case "refresh_token":
                return self._exchange_refresh_token(request, now)
            case "":
                raise request.rejection("invalid_request", f"Missing parameter: {name}")
            case _:
                raise request.rejection("unsupported_grant_type", f"Invalid parameter: {name}")

    def issue_for_location(
        self, agency_access: TokenAccess, location: str, now: float
    ) -> dict[str, Any]:
        """Issue the tokens of a location to an agency.

        Args:
            agency_access: what the agency's token is valid for.
            location: the location.
            now: seconds of the emulator's clock.

        Returns:
            The members of the response, with the names of v2.
        """
        installation = Installation(location, self.company, "Location", agency_access.scopes)
        self.location_tokens += 1
        content = self._token_members(installation, now)
        if not self.location_refresh_tokens:
            self._forget_refresh_token(content.pop("refresh_token"))
        return content

    def _issue(
        self, installation: Installation, now: float, *, expires_in: float | None = None
    ) -> tuple[str, str]:
        access_token = f"access-{secrets.token_urlsafe(24)}"
        refresh_token = f"refresh-{secrets.token_urlsafe(24)}"
        lifetime = self.expires_in if expires_in is None else expires_in
        grant = Grant(
            installation.owner,
            now + lifetime,
            self._scopes_of(installation),
            self._user_type_of(installation),
        )
        self._grant_by_access_token[access_token] = grant
        self._installation_by_refresh_token[refresh_token] = installation
        self._issued_refresh_tokens[refresh_token] = None
        self._drop_oldest_refresh_token()
        self._drop_oldest_access_tokens(now)
        return access_token, refresh_token

    def _scopes_of(self, installation: Installation) -> Collection[str] | None:
        if installation.scopes is None:
            return self.scopes
        return installation.scopes

    def _user_type_of(self, installation: Installation) -> UserType:
        return installation.user_type or self.user_type

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
        installation = self._installation_by_refresh_token.pop(token, None)
        self._issued_refresh_tokens.pop(token, None)
        return grant is not None or installation is not None

    def _valid_grant(self, access_token: str, now: float) -> Grant | None:
        grant = self._grant_by_access_token.get(access_token)
        if grant is None or now >= grant.expires_at:
            return None
        return grant

    def _forget_refresh_token(self, refresh_token: str) -> None:
        del self._installation_by_refresh_token[refresh_token]
        del self._issued_refresh_tokens[refresh_token]

    def _drop_oldest_refresh_token(self) -> None:
        """Drop the oldest unused refresh token if there are too many."""
        if len(self._issued_refresh_tokens) <= MAXIMUM_REMEMBERED_TOKENS:
            return
        oldest_token, _ = self._issued_refresh_tokens.popitem(last=False)
        del self._installation_by_refresh_token[oldest_token]
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

    def _is_client(self, request: TokenRequest) -> bool:
        if request.field("client_id") != self.client_id:
            return False
        return request.field("client_secret") == self.client_secret

    # Authorization codes

    def _exchange_code(self, request: TokenRequest, now: float) -> dict[str, Any]:
        """Use a code up, and issue the first tokens of an installation.

        Raises:
            TokenRequestError: the request is invalid.
        """
        for name in ("code", "redirect_uri"):
            if not request.field(name):
                problem = f"Missing parameter: {request.name(name)}"
                raise request.rejection("invalid_request", problem)
        code = self._codes.get(request.field("code"))
        if code is None:
            raise request.rejection("invalid_grant", "Invalid grant: authorization code is invalid")
        if code.is_used:
            problem = "Invalid grant: authorization code was used already"
            raise request.rejection("invalid_grant", problem)
        # Each attempt uses the code up, also a wrong one.
        code.is_used = True
        _check_code(request, code, now)
        self._check_installation(request, code.installation)
        self.exchanges += 1
        return self._token_members(code.installation, now)

    def _check_installation(self, request: TokenRequest, installation: Installation) -> None:
        """Check that the owner of an installation gets tokens of the class of the request.

        Raises:
            TokenRequestError: it is inactive, or the class is another one.
        """
        user_type = self._user_type_of(installation)
        if request.field("user_type") not in {"", user_type}:
            problem = f"{request.name('user_type')} must be {user_type}"
            raise request.rejection("invalid_request", problem)
        if installation.owner in self.inactive_locations:
            raise request.rejection("invalid_request", INACTIVE_LOCATION)

    # Refresh tokens

    def _exchange_refresh_token(self, request: TokenRequest, now: float) -> dict[str, Any]:
        """Use a refresh token up, and issue the next two tokens.

        Raises:
            TokenRequestError: the request is invalid.
        """
        refresh_token = request.field("refresh_token")
        installation = self._installation_by_refresh_token.get(refresh_token)
        if installation is None:
            raise self._invalid_refresh_token(request, refresh_token)
        # The vendor's own field.
        if request.field("user_type") not in {"Location", self._user_type_of(installation)}:
            problem = f"{request.name('user_type')} must be Location"
            raise request.rejection("invalid_request", problem)
        if installation.owner in self.inactive_locations:
            raise request.rejection("invalid_request", INACTIVE_LOCATION)
        self._use_up(refresh_token)
        self.refreshes += 1
        return self._token_members(installation, now)

    def _use_up(self, refresh_token: str) -> None:
        del self._installation_by_refresh_token[refresh_token]
        self._issued_refresh_tokens.pop(refresh_token, None)
        # Remembered only for the error message: a token used twice is a client's typical mistake.
        self._used_refresh_tokens[refresh_token] = None
        if len(self._used_refresh_tokens) > MAXIMUM_REMEMBERED_TOKENS:
            self._used_refresh_tokens.popitem(last=False)

    def _invalid_refresh_token(
        self, request: TokenRequest, refresh_token: str
    ) -> TokenRequestError:
        if refresh_token in self._used_refresh_tokens:
            problem = "Invalid grant: the refresh token was used already"
            return request.rejection("invalid_grant", problem)
        return request.rejection("invalid_grant", "Invalid grant: refresh token is invalid")

    def _token_members(self, installation: Installation, now: float) -> dict[str, Any]:
        """The members of a success with new tokens, with the names of v2."""
        access_token, refresh_token = self._issue(installation, now)
        user_type = self._user_type_of(installation)
        content: dict[str, Any] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": int(self.expires_in),
            "refresh_token": refresh_token,
            "userType": user_type,
        }
        owner_name = "companyId" if user_type == "Company" else "locationId"
        content[owner_name] = installation.owner
        if installation.company:
            content["companyId"] = installation.company
            content["userId"] = USER_ID
        if installation.company and user_type == "Company":
            content["isBulkInstallation"] = True
            content["approvedLocations"] = list(self.locations)
        scopes = self._scopes_of(installation)
        if scopes is not None:
            # RFC 6749, section 3.3: scopes are separated by blanks.
            content["scope"] = " ".join(sorted(scopes))
        return content


def _check_code(request: TokenRequest, code: AuthorizationCode, now: float) -> None:
    """Check that a code is valid for a request.

    Raises:
        TokenRequestError: it has expired, or belongs to another redirect URI.
    """
    if now >= code.expires_at:
        raise request.rejection("invalid_grant", "Invalid grant: authorization code has expired")
    if request.field("redirect_uri") != code.redirect_uri:
        problem = f"Invalid grant: {request.name('redirect_uri')} does not match"
        raise request.rejection("invalid_grant", problem)
