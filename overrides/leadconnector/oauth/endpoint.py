"""Exchanges a refresh token for new tokens at the token endpoint, and limits failing attempts."""

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from .._highlevel import DEFAULT_ACCESS_TOKEN_SECONDS, REFRESH_FORM, USER_AGENT
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
from .._runtime.secrets import Secret, redact
from ..errors import (
    APIConnectionError,
    CredentialsError,
    OAuthError,
    ReauthorizationError,
)
from .explanation import explanation_in
from .refresh import error_for_waiter
from .tokens import TokenDocument, Tokens

LIMITS = Limits()
"""How long the body of the endpoint's response may take: the default of all requests.

The request itself has the timeouts for connecting, sending and receiving.
"""

CONNECTION_RETRIES = 2
"""How often a failed attempt to connect is repeated.

Nothing is repeated after the connection exists. The request may then have arrived, and the endpoint
accepts a refresh token only once.
"""

PERMANENT_FAILURE_PAUSE = 300.0
"""Seconds in which a request that the endpoint rejected is not sent again: our own choice.

The same request would fail again, unless somebody changes the application or the location in the
meantime.
"""

FIRST_TRANSIENT_PAUSE = 1.0
"""Seconds to the next attempt after the second transient failure in a row. It doubles with each.

There is no pause after the first one, which is often an accident, such as a lost connection.
"""

LONGEST_TRANSIENT_PAUSE = 30.0
"""Seconds to the next attempt after a transient failure, at most."""

LONGEST_RETRY_AFTER = 60.0
"""Seconds; a longer `Retry-After` of the endpoint is cut to this, as for the rate limit."""

# A 4xx means that the same request fails again, except for these two (RFC 9110, section 15.5.9, and
# RFC 6585, section 4).
_TRANSIENT_CLIENT_ERRORS = frozenset({408, 429})

# RFC 6749, appendix A: client credentials and refresh tokens are printable ASCII.
_CREDENTIAL = re.compile(r"[ -~]+")


def is_valid_credential(value: object) -> bool:
    """Whether a value has the syntax of a client id, a client secret or a refresh token.

    Valid values are printable ASCII and not empty. Untyped callers can pass any object.
    """
    return isinstance(value, str) and _CREDENTIAL.fullmatch(value) is not None


class TokenEndpoint:
    """The token endpoint, for one application.

    It is not thread-safe. `OAuth` calls it only from a refresh thread, and at most one of them runs
    in a process.

    Args:
        client_id: the client id of the application.
        client_secret: the client secret of the application.
        transport: sends the requests and stays open; `None` opens a new one for each request.
    """

    def __init__(
        self, client_id: str, client_secret: Secret[str], transport: BaseTransport | None
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._transport = transport
        self._last_failure: _Failure | None = None

    def refresh(self, tokens: Tokens, url: str, now: float) -> Tokens:
        """Exchange a refresh token for new tokens.

        The response usually has a new refresh token, and the endpoint rejects the old one from then
        on. Without a new one, the old one stays valid and is part of the result.

        After a failure, the same request is not sent again for some time. The failure is raised
        again instead. After an `invalid_grant`, it is never sent again.

        Args:
            tokens: the tokens to refresh.
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
        last_failure = self._last_failure
        if last_failure is not None and not last_failure.concerns(tokens, url):
            last_failure = None
        if last_failure is not None and last_failure.is_in_force(now):
            raise error_for_waiter(last_failure.error)
        try:
            new_tokens = self._send_and_read(tokens, url, now)
        except (OAuthError, APIConnectionError) as error:
            number = 1
            if last_failure is not None:
                number = last_failure.number + 1
            self._last_failure = _Failure(Secret(tokens.refresh_token), url, error, number, now)
            raise
        self._last_failure = None
        return new_tokens

    def _send_and_read(self, tokens: Tokens, url: str, now: float) -> Tokens:
        operation = f"POST {URL(url).path}"
        response = self._send(tokens, url, operation)
        document = TokenDocument(response.body)
        if not response.is_success or not document.access_token:
            raise self._error_in_response(response, document, tokens, operation, now)
        return tokens_in_document(document, tokens, now)

    def _error_in_response(
        self,
        response: RawResponse,
        document: TokenDocument,
        tokens: Tokens,
        operation: str,
        now: float,
    ) -> OAuthError:
        """The exception for a response without an access token."""
        # A response can have new tokens although it cannot be used.
        new_secrets = [Secret(document.refresh_token), Secret(document.access_token)]
        secrets = [*self._secrets(tokens), *new_secrets]
        # A credential can have the syntax of an error code.
        error_code = redact(document.error_code, *secrets)
        description = explanation_in(response.body, error_code, secrets)
        message = message_of_response(response.status_code, error_code, description, operation)
        error_class = OAuthError
        # RFC 6749, section 5.2: the refresh token is invalid, expired or revoked.
        if document.error_code == "invalid_grant":
            error_class = ReauthorizationError
        return error_class(
            message,
            status_code=response.status_code,
            error=error_code,
            description=description,
            retry_after=parse_retry_after(response.headers, now),
        )

    def _send(self, tokens: Tokens, url: str, operation: str) -> RawResponse:
        request = form_request(
            url,
            REFRESH_FORM
            | {
                "client_id": self._client_id,
                "client_secret": self._client_secret.reveal(),
                "refresh_token": tokens.refresh_token,
            },
            common_headers(USER_AGENT),
        )
        try:
            with self._open_transport(url) as transport:
                return send(transport, request, LIMITS)
        except Exception as error:
            # A traceback keeps the frames of the transport, whose variables have the secrets of the
            # request and the response. An error report would show them.
            error.with_traceback(None)
            if not is_transport_failure(error):
                # `from None`: an earlier error that led to this one has such frames as well.
                raise error from None
            # One attempt: repeated attempts to connect send no request.
            failure = connection_error(error, operation, request, self._secrets(tokens), attempts=1)
            # The errors that led to the transport's error have frames and texts of their own.
            error.__cause__ = None
            error.__context__ = None
        # Outside of `except`: otherwise the transport's error would be its context, even if it is
        # not its cause because it quotes a secret.
        raise failure from failure.__cause__

    def _secrets(self, tokens: Tokens) -> list[Secret[str]]:
        """The credentials that an error could quote."""
        return [
            self._client_secret,
            Secret(tokens.refresh_token),
            Secret(tokens.access_token),
        ]

    def _open_transport(self, url: str) -> AbstractContextManager[SyncTransport]:
        if self._transport is not None:
            # The caller's transport stays open.
            return nullcontext(self._transport)
        return default_transport(url, retries=CONNECTION_RETRIES)


@dataclass(frozen=True, slots=True)
class _Failure:
    """The last of several failures of the same request in a row."""

    refresh_token: Secret[str]
    url: str
    error: OAuthError | APIConnectionError = field(repr=False)
    """It is copied for each caller."""
    number: int
    """How many failures there were in a row."""
    failed_at: float

    def concerns(self, tokens: Tokens, url: str) -> bool:
        """Whether the request for these tokens is the one that failed."""
        return self.refresh_token.reveal() == tokens.refresh_token and self.url == url

    def is_in_force(self, now: float) -> bool:
        """Whether the request is not sent now."""
        # The refresh token never becomes valid again.
        if isinstance(self.error, ReauthorizationError):
            return True
        # If the clock has been set back, the failure is in the future, maybe by years.
        return 0.0 <= now - self.failed_at < pause_after(self.error, self.number)


def pause_after(error: OAuthError | APIConnectionError, number: int) -> float:
    """Seconds until a request that failed is sent again.

    Args:
        error: the last failure.
        number: how many failures there were in a row.
    """
    if isinstance(error, OAuthError) and is_permanent(error.status_code):
        return PERMANENT_FAILURE_PAUSE
    pause = 0.0
    if number > 1:
        # The limit of the exponent only prevents an overflow.
        pause = FIRST_TRANSIENT_PAUSE * 2.0 ** min(number - 2, 10)
    pause = min(pause, LONGEST_TRANSIENT_PAUSE)
    if isinstance(error, OAuthError) and error.retry_after is not None:
        pause = max(pause, min(error.retry_after, LONGEST_RETRY_AFTER))
    return pause


def is_permanent(status_code: int) -> bool:
    """Whether a status of the endpoint means that the same request fails again."""
    return 400 <= status_code < 500 and status_code not in _TRANSIENT_CLIENT_ERRORS


def tokens_in_document(document: TokenDocument, previous: Tokens, now: float) -> Tokens:
    """Return the tokens in a successful response (RFC 6749, section 5.1).

    Args:
        document: the body of the response, which has an access token.
        previous: the tokens before the refresh.
        now: seconds since the epoch.
    """
    lifetime = document.seconds("expires_in", default=DEFAULT_ACCESS_TOKEN_SECONDS)
    return Tokens(
        access_token=document.access_token,
        # Without a new refresh token, the old one stays valid (RFC 6749, section 6).
        refresh_token=document.refresh_token or previous.refresh_token,
        expires_at=now + lifetime,
        obtained_at=now,
    )


def message_of_response(status_code: int, error_code: str, description: str, operation: str) -> str:
    """The message of the exception for a response without an access token.

    Args:
        status_code: the status.
        error_code: the error code of RFC 6749, section 5.2; may be empty.
        description: the endpoint's explanation without credentials; may be empty.
        operation: names the request.
    """
    message = f"{operation}: {status_code}"
    if error_code:
        message += f" {error_code}"
    if description:
        message += f": {description}"
    if error_code == "invalid_grant":
        return f"{message}; the user must authorize anew"
    if is_permanent(status_code):
        return (
            f"{message}; check the client id, the client secret, token_url and the location "
            f"(the request is not repeated for {PERMANENT_FAILURE_PAUSE:.0f} s)"
        )
    return f"{message}; no usable access token, a later call tries again"
