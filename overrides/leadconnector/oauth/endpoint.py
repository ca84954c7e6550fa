"""Sends token requests: a refresh token, an authorization code or an agency's token for new tokens.

The API has two versions of these requests. `NAMES` of `TokenDocument` and `_form_of` know their
names of fields.
"""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

from .._highlevel import (
    DEFAULT_ACCESS_TOKEN_SECONDS,
    LOCATION_TOKEN_NAMES,
    LOCATION_TOKEN_SCOPE,
    USER_AGENT,
    VERSION_HEADER,
)
from .._runtime.http import (
    URL,
    BaseTransport,
    Limits,
    RawResponse,
    SyncTransport,
    common_headers,
    connection_error,
    default_transport,
    form_request,
    is_transport_failure,
    send,
)
from .._runtime.retry import parse_retry_after
from .._runtime.secrets import Secret, Token, redact
from ..errors import (
    APIConnectionError,
    CredentialsError,
    OAuthError,
    ReauthorizationError,
)
from .explanation import explanation_in
from .failures import PERMANENT_FAILURE_PAUSE, FailureMemory, is_permanent
from .tokens import NO_TOKENS, TokenDocument, Tokens, TokenVersion, UserType, camel_case

LIMITS = Limits()
"""How long the body of the endpoint's response may take: the default of all requests.

The request itself has the timeouts for connecting, sending and receiving.
"""

CONNECTION_RETRIES = 2
"""How often a failed attempt to connect is repeated.

Nothing is repeated after the connection exists. The request may then have arrived, and the endpoint
accepts a refresh token only once.
"""

# RFC 6749, appendix A: client credentials, codes and refresh tokens are printable ASCII.
_CREDENTIAL = re.compile(r"[ -~]+")

# The vendor's v3 documents this message of a 400 without an error code of RFC 6749.
_INVALID_GRANT_MESSAGE = "invalid grant"


def is_valid_credential(value: object) -> bool:
    """Whether a value has the syntax of a client id or secret, a code or a refresh token.

    Valid values are printable ASCII and not empty. Untyped callers can pass any object.
    """
    return isinstance(value, str) and _CREDENTIAL.fullmatch(value) is not None


class TokenIssuer(Protocol):
    """Issues new tokens for the tokens of one authorization.

    It is not thread-safe. It is called only from a refresh thread, and at most one of them runs in
    a process.
    """

    def refresh(self, tokens: Tokens, base_url: str, url: str, now: float) -> Tokens:
        """Return new tokens.

        Args:
            tokens: the tokens to replace.
            base_url: the base URL of the client whose call starts the refresh.
            url: the URL of the token endpoint.
            now: seconds since the epoch.

        Raises:
            LeadConnectorError: there are no new tokens.
        """
        ...


@dataclass(frozen=True, slots=True)
class Application:
    """How an application authenticates itself at the token endpoint."""

    client_id: str
    client_secret: Secret[str]
    version: TokenVersion
    transport: BaseTransport | None = field(repr=False)
    """Sends the requests and stays open; `None` opens a new one for each request."""


@dataclass(frozen=True, slots=True)
class _Advice:
    """How the message of a failure ends, by the kind of the failure."""

    invalid_grant: str
    permanent: str
    transient: str
    no_response: str


_PAUSE = f"(the request is not repeated for {PERMANENT_FAILURE_PAUSE:.0f} s)"

_LATER_CALL = "no usable access token, a later call tries again"

_REFRESH_ADVICE = _Advice(
    invalid_grant="the user must authorize anew",
    permanent=f"check the client id, the client secret, token_url and the location {_PAUSE}",
    transient=_LATER_CALL,
    no_response=_LATER_CALL,
)

_EXCHANGE_ADVICE = _Advice(
    invalid_grant=(
        "the code was used already, has expired, or belongs to another redirect_uri: start the "
        "authorization again (no tokens were saved)"
    ),
    permanent=(
        "check the client id, the client secret, redirect_uri, user_type and token_url, then start "
        "the authorization again (no tokens were saved)"
    ),
    transient="start the authorization again (no tokens were saved)",
    no_response=(
        "check token_url and the network, then start the authorization again (no tokens were saved)"
    ),
)

_LOCATION_ADVICE = _Advice(
    invalid_grant="the agency must authorize anew",
    permanent=(
        "check the location's id and the company's id, that the application is installed in the "
        f"location, and that the agency authorized the scope {LOCATION_TOKEN_SCOPE} {_PAUSE}"
    ),
    transient=_LATER_CALL,
    no_response=_LATER_CALL,
)


@dataclass(frozen=True, slots=True)
class _TokenRequest:
    """A token request in the names of v2. Its values can be credentials."""

    url: str
    fields: Mapping[str, Secret[str]]
    advice: _Advice
    previous: Tokens
    """The tokens that the new ones replace; they supply what the response leaves out."""
    agency_token: Token | None = None
    """Authenticates a request for a location's tokens."""
    requires_refresh_token: bool = False
    """Whether new tokens without a refresh token are unusable."""

    @property
    def operation(self) -> str:
        """Names the request in messages."""
        return f"POST {URL(self.url).path}"

    @property
    def host(self) -> str:
        """The host, with its port unless it is the default one."""
        return URL(self.url).netloc.decode("ascii")

    @property
    def secrets(self) -> list[Secret[str]]:
        """The credentials that an error could quote, and the location's id, since logs quote it."""
        secrets = [
            Secret(self.previous.refresh_token),
            Secret(self.previous.access_token),
            Secret(self.previous.location_id),
        ]
        for name in ("client_secret", "code", "refresh_token"):
            if name in self.fields:
                secrets.append(self.fields[name])
        if self.agency_token is not None:
            secrets.append(self.agency_token)
        return secrets


class TokenEndpoint:
    """The token endpoint, for one application; a `TokenIssuer`.

    Args:
        application: how the application authenticates itself.
        user_type: the class of the tokens to refresh, if the tokens do not name it.
    """

    def __init__(self, application: Application, user_type: UserType = "Location") -> None:
        self._application = application
        self._user_type: UserType = user_type
        self._failures = FailureMemory()

    def refresh(self, tokens: Tokens, base_url: str, url: str, now: float) -> Tokens:
        """Exchange a refresh token for new tokens.

        The response usually has a new refresh token, and the endpoint rejects the old one from then
        on. Without a new one, the old one stays valid and is part of the result.

        After a failure, the same request is not sent again for some time. The failure is raised
        again instead. After an `invalid_grant`, it is never sent again.

        Args:
            tokens: the tokens to refresh.
            base_url: unused. Another `TokenIssuer` needs it.
            url: the URL of the token endpoint.
            now: seconds since the epoch.

        Raises:
            CredentialsError: the refresh token is missing or has no valid syntax.
            ReauthorizationError: the refresh token is used up, revoked or expired.
            OAuthError: the endpoint rejected the request, or its response has no access token.
            APIConnectionError: the endpoint sent no complete response.
        """
        if not is_valid_credential(tokens.refresh_token):
            raise CredentialsError(
                "the token store has no valid refresh token: save the tokens of a new authorization"
            )
        refresh_token = Secret(tokens.refresh_token)
        self._failures.check(refresh_token, url, now)
        fields = {
            **self._client_fields(),
            "grant_type": Secret("refresh_token"),
            "refresh_token": refresh_token,
            "user_type": Secret(tokens.user_type or self._user_type),
        }
        try:
            new_tokens = self._send_and_read(
                _TokenRequest(url, fields, _REFRESH_ADVICE, tokens), now
            )
        except (OAuthError, APIConnectionError) as error:
            self._failures.record(refresh_token, url, error, now)
            raise
        self._failures.clear()
        return new_tokens

    def exchange_code(
        self, code: Secret[str], redirect_uri: str, user_type: UserType, url: str, now: float
    ) -> Tokens:
        """Exchange an authorization code for the first tokens.

        Raises:
            ReauthorizationError: the code is used up, expired or invalid.
            OAuthError: the endpoint rejected the request, or its response lacks the access token or
                the refresh token.
            APIConnectionError: the endpoint sent no complete response.
        """
        fields = {
            **self._client_fields(),
            "grant_type": Secret("authorization_code"),
            "code": code,
            "redirect_uri": Secret(redirect_uri),
            "user_type": Secret[str](user_type),
        }
        previous = replace(NO_TOKENS, user_type=user_type)
        request = _TokenRequest(
            url, fields, _EXCHANGE_ADVICE, previous, requires_refresh_token=True
        )
        return self._send_and_read(request, now)

    def location_tokens(
        self, agency_token: Token, company_id: str, location_id: str, url: str, now: float
    ) -> Tokens:
        """Get the tokens of one location with an agency's access token.

        Args:
            agency_token: the access token of the agency.
            company_id: the agency.
            location_id: the location.
            url: the URL of the token endpoint, which has the one for locations beside it.
            now: seconds since the epoch.

        Raises:
            OAuthError: the endpoint rejected the request, or its response has no access token, or
                that of another location.
            APIConnectionError: the endpoint sent no complete response.
        """
        location_url = location_token_url(url, self._application.version)
        fields = {"companyId": Secret(company_id), "locationId": Secret(location_id)}
        previous = replace(
            NO_TOKENS, user_type="Location", company_id=company_id, location_id=location_id
        )
        request = _TokenRequest(location_url, fields, _LOCATION_ADVICE, previous, agency_token)
        return self._send_and_read(request, now)

    def _client_fields(self) -> dict[str, Secret[str]]:
        return {
            "client_id": Secret(self._application.client_id),
            "client_secret": self._application.client_secret,
        }

    def _send_and_read(self, request: _TokenRequest, now: float) -> Tokens:
        response = self._send(request)
        document = TokenDocument(response.body, self._application.version)
        if not response.is_success:
            raise _error_in_response(response, document, request, now)
        problem = _problem_in_success(document, request)
        if problem:
            raise _error_in_response(response, document, request, now, problem)
        return tokens_in_document(document, request.previous, now)

    def _send(self, request: _TokenRequest) -> RawResponse:
        version = self._application.version
        outgoing_request = form_request(
            request.url, _form_of(request, version), _headers_of(request, version)
        )
        try:
            with self._open_transport(request.url) as transport:
                return send(transport, outgoing_request, LIMITS)
        except Exception as error:
            # A traceback keeps the frames of the transport, whose variables have the secrets of the
            # request and the response. An error report would show them.
            error.with_traceback(None)
            if not is_transport_failure(error):
                # `from None`: an earlier error that led to this one has such frames as well.
                raise error from None
            # One attempt: repeated attempts to connect send no request.
            operation = f"{request.operation} at {request.host}"
            failure = connection_error(
                error, operation, outgoing_request, request.secrets, attempts=1
            )
            # The errors that led to the transport's error have frames and texts of their own.
            error.__cause__ = None
            error.__context__ = None
        # Outside of `except`: otherwise the transport's error would be its context, even if it is
        # not its cause because it quotes a secret.
        message = f"{failure}; {request.advice.no_response}"
        raise type(failure)(message, **vars(failure)) from failure.__cause__

    def _open_transport(self, url: str) -> AbstractContextManager[SyncTransport]:
        if self._application.transport is not None:
            # The caller's transport stays open.
            return nullcontext(self._application.transport)
        return default_transport(url, retries=CONNECTION_RETRIES)


def location_token_url(url: str, version: TokenVersion) -> str:
    """The URL for the tokens of a location, which is beside that of the token endpoint."""
    folder = url.rpartition("/")[0]
    return f"{folder}/{LOCATION_TOKEN_NAMES[version]}"


def _form_of(request: _TokenRequest, version: TokenVersion) -> dict[str, str]:
    """The fields of a request in the names of a version."""
    form: dict[str, str] = {}
    for name, secret in request.fields.items():
        form[camel_case(name) if version == "v3" else name] = secret.reveal()
    return form


def _headers_of(request: _TokenRequest, version: TokenVersion) -> dict[str, str]:
    """The headers of a request beside those of the form."""
    headers = common_headers(USER_AGENT)
    # The token endpoint of v2 documents no version. All others require it.
    if version == "v3" or request.agency_token is not None:
        headers[VERSION_HEADER] = version
    if request.agency_token is not None:
        headers["Authorization"] = f"Bearer {request.agency_token.reveal()}"
    return headers


def tokens_in_document(document: TokenDocument, previous: Tokens, now: float) -> Tokens:
    """Return the tokens in a successful response (RFC 6749, section 5.1).

    Args:
        document: the body of the response, which has an access token.
        previous: the tokens before the request.
        now: seconds since the epoch.
    """
    lifetime = document.seconds("expires_in", default=DEFAULT_ACCESS_TOKEN_SECONDS)
    return Tokens(
        access_token=document.access_token,
        # Without a new refresh token, the old one stays valid (RFC 6749, section 6).
        refresh_token=document.refresh_token or previous.refresh_token,
        expires_at=now + lifetime,
        obtained_at=now,
        user_type=document.user_type or previous.user_type,
        location_id=document.text("locationId") or previous.location_id,
        company_id=document.text("companyId") or previous.company_id,
        # RFC 6749, section 5.1: without this member, the scopes are the same.
        scopes=tuple(document.text("scope").split()) or previous.scopes,
    )


def _problem_in_success(document: TokenDocument, request: _TokenRequest) -> str:
    """Why a response with a status of success is unusable; empty if it is usable."""
    if not document.access_token:
        return "the response has no access token"
    if request.requires_refresh_token and not is_valid_credential(document.refresh_token):
        return "the response has no refresh token"
    location_id = request.previous.location_id
    if location_id and document.text("locationId") not in {"", location_id}:
        return "the response has the tokens of another location"
    return ""


def _error_in_response(
    response: RawResponse,
    document: TokenDocument,
    request: _TokenRequest,
    now: float,
    problem: str = "",
) -> OAuthError:
    """The exception for a response without usable tokens.

    Args:
        response: the response.
        document: its body.
        request: the request.
        now: seconds since the epoch.
        problem: what is wrong with a response that has a status of success.
    """
    # A response can have new tokens although it cannot be used.
    new_secrets = [Secret(document.refresh_token), Secret(document.access_token)]
    secrets = [*request.secrets, *new_secrets]
    # A credential can have the syntax of an error code.
    error_code = redact(document.error_code, *secrets)
    description = explanation_in(response.body, error_code, secrets)
    is_invalid_grant = _is_invalid_grant(response, document, description)
    advice = _advice_for(response, document, request.advice, is_invalid_grant=is_invalid_grant)
    error_class = OAuthError
    if is_invalid_grant:
        error_class = ReauthorizationError
    if problem:
        advice = f"{problem}; {advice}"
    return error_class(
        _message(response.status_code, error_code, description, request.operation, advice),
        status_code=response.status_code,
        error=error_code,
        description=description,
        retry_after=parse_retry_after(response.headers, now),
    )


def _is_invalid_grant(response: RawResponse, document: TokenDocument, description: str) -> bool:
    """Whether a refresh token or a code is invalid, expired or revoked."""
    # RFC 6749, section 5.2.
    if document.error_code == "invalid_grant":
        return True
    if response.status_code not in {400, 401}:
        return False
    return description.lower().startswith(_INVALID_GRANT_MESSAGE)


def _advice_for(
    response: RawResponse, document: TokenDocument, advice: _Advice, *, is_invalid_grant: bool
) -> str:
    """What the user can do about a response without an access token."""
    if is_invalid_grant:
        return advice.invalid_grant
    if document.other_version:
        return (
            "the body has the names of another version of the endpoint: pass "
            f'version="{document.other_version}"; {advice.transient}'
        )
    if response.is_success and document.has_unusable_access_token:
        return (
            "the access token in the response contains characters that no header can carry "
            f"(it is not shown here; {advice.transient})"
        )
    if is_permanent(response.status_code):
        return advice.permanent
    return advice.transient


def _message(
    status_code: int, error_code: str, description: str, operation: str, advice: str
) -> str:
    """The message of the exception for a response without an access token.

    Args:
        status_code: the status.
        error_code: the error code of RFC 6749, section 5.2; may be empty.
        description: the endpoint's explanation without credentials; may be empty.
        operation: names the request.
        advice: what the user can do.
    """
    message = f"{operation}: {status_code}"
    if error_code:
        message += f" {error_code}"
    if description:
        message += f": {description}"
    return f"{message}; {advice}"
