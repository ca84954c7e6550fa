"""Exchanges a refresh token for new tokens at the token endpoint."""

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from .._highlevel import DEFAULT_ACCESS_TOKEN_SECONDS, REFRESH_FORM, USER_AGENT
from .._runtime.http import (
    URL,
    BaseTransport,
    Limits,
    RawResponse,
    common_headers,
    connection_error,
    default_transport,
    form_request,
    is_transport_failure,
    send,
)
from .._runtime.secrets import Secret
from ..errors import CredentialsError, OAuthError, ReauthorizationError
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
        self._rejection: _Rejection | None = None

    def refresh(self, tokens: Tokens, url: str, now: float) -> Tokens:
        """Exchange a refresh token for new tokens.

        The response usually has a new refresh token, and the endpoint rejects the old one from then
        on. Without a new one, the old one stays valid and is part of the result.

        Args:
            tokens: the tokens to refresh.
            url: the URL of the token endpoint.
            now: seconds since the epoch.

        Raises:
            CredentialsError: the refresh token is missing or has no valid syntax.
            ReauthorizationError: the refresh token is used up, revoked or expired. It is not sent
                again.
            OAuthError: the endpoint rejected the request, or its response has no access token.
            APIConnectionError: the endpoint sent no complete response.
        """
        if not is_valid_credential(tokens.refresh_token):
            raise CredentialsError(
                "the token store has no valid refresh token: save the tokens of a new authorization"
            )
        operation = f"POST {URL(url).path}"
        response = self._remembered_or_sent(tokens, url, operation)
        try:
            return tokens_in_response(response, tokens, operation, now)
        except ReauthorizationError:
            # The endpoint would reject this refresh token every time.
            self._rejection = _Rejection(Secret(tokens.refresh_token), response)
            raise

    def _remembered_or_sent(self, tokens: Tokens, url: str, operation: str) -> RawResponse:
        """The remembered response if it rejected this refresh token; otherwise a new response."""
        rejection = self._rejection
        if rejection is not None and rejection.refresh_token.reveal() == tokens.refresh_token:
            return rejection.response
        return self._send(tokens, url, operation)

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
            secrets = [self._client_secret, Secret(tokens.refresh_token)]
            # One attempt: repeated attempts to connect send no request.
            failure = connection_error(error, operation, request, secrets, attempts=1)
            # `from None` also removes the transport's error as the cause.
            raise failure from None

    def _open_transport(self, url: str) -> AbstractContextManager[BaseTransport]:
        if self._transport is not None:
            # The caller's transport stays open.
            return nullcontext(self._transport)
        return default_transport(url, retries=CONNECTION_RETRIES)


@dataclass(frozen=True, slots=True)
class _Rejection:
    """A response that rejected a refresh token for good."""

    refresh_token: Secret[str]
    response: RawResponse


def tokens_in_response(
    response: RawResponse, previous: Tokens, operation: str, now: float
) -> Tokens:
    """Return the tokens in a response of the token endpoint (RFC 6749, section 5).

    Args:
        response: the response.
        previous: the tokens before the refresh.
        operation: names the request in messages.
        now: seconds since the epoch.

    Raises:
        ReauthorizationError: the refresh token is used up, revoked or expired.
        OAuthError: the response has no access token for another reason.
    """
    document = TokenDocument(response.body)
    if not response.is_success or not document.access_token:
        raise _error_in_response(response, document, operation)
    lifetime = document.seconds("expires_in", default=DEFAULT_ACCESS_TOKEN_SECONDS)
    return Tokens(
        access_token=document.access_token,
        # Without a new refresh token, the old one stays valid (RFC 6749, section 6).
        refresh_token=document.refresh_token or previous.refresh_token,
        expires_at=now + lifetime,
    )


def _error_in_response(
    response: RawResponse, document: TokenDocument, operation: str
) -> OAuthError:
    """The exception for a response without an access token."""
    status_code = response.status_code
    code = document.error_code
    message = f"{operation}: {status_code} {code or '(no code)'}, no usable access token"
    # RFC 6749, section 5.2: the refresh token is invalid, expired or revoked.
    if code == "invalid_grant":
        message = f"{message}: the user must authorize anew"
        return ReauthorizationError(message, status_code=status_code, error=code)
    return OAuthError(message, status_code=status_code, error=code)
