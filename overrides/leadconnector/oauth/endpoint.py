"""Exchanges a refresh token for new tokens at the token endpoint."""

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from .._highlevel import ACCESS_TOKEN_SECONDS, REFRESH_FORM, USER_AGENT
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
"""Of time and size for the endpoint's response; the timeouts are those of the request."""

CONNECTION_RETRIES = 2
"""Repeated attempts to connect. No later failure is retried: the token may be used up by then."""

# RFC 6749, appendix A: client credentials and refresh tokens are printable ASCII.
_FORM_VALUE = re.compile(r"[ -~]+")


def is_form_value(value: object) -> bool:
    """Whether a value is text that the form of the token endpoint can carry."""
    return isinstance(value, str) and _FORM_VALUE.fullmatch(value) is not None


class TokenEndpoint:
    """The token endpoint, for one application.

    Args:
        client_id: the application's.
        client_secret: the application's.
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
        """Return the new tokens for a refresh token, which is used up afterwards.

        Args:
            tokens: the tokens to refresh.
            url: the URL of the token endpoint.
            now: seconds since the epoch.

        Raises:
            CredentialsError: there is no refresh token that can be sent.
            ReauthorizationError: the refresh token is used up, revoked or expired. It is not sent
                again.
            OAuthError: the endpoint rejected the request, or its response has no access token.
            APIConnectionError: the endpoint sent no complete response.
        """
        if not is_form_value(tokens.refresh_token):
            raise CredentialsError(
                "the token store has no refresh token that can be sent: save an authorisation's"
            )
        response = self._response(tokens, url)
        try:
            return tokens_in_response(response, tokens, URL(url).path, now)
        except ReauthorizationError:
            # The endpoint would reject this refresh token every time.
            self._rejection = _Rejection(Secret(tokens.refresh_token), response)
            raise

    def _response(self, tokens: Tokens, url: str) -> RawResponse:
        """The remembered response to a rejected refresh token; otherwise the endpoint's."""
        rejection = self._rejection
        if rejection is not None and rejection.refresh_token.reveal() == tokens.refresh_token:
            return rejection.response
        return self._send(tokens, url)

    def _send(self, tokens: Tokens, url: str) -> RawResponse:
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
            # The frames of the transport have the request and the response in their variables.
            error.with_traceback(None)
            if not is_transport_failure(error):
                raise error from None
            secrets = [self._client_secret, Secret(tokens.refresh_token)]
            name = f"POST {request.url.path}"
            raise connection_error(error, name, request, secrets, attempts=1) from None

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
    response: RawResponse, refreshed: Tokens, endpoint_path: str, now: float
) -> Tokens:
    """Return the tokens in a response of the token endpoint (RFC 6749, section 5).

    Args:
        response: the response.
        refreshed: the tokens that were refreshed.
        endpoint_path: the path of the endpoint, for messages.
        now: seconds since the epoch.

    Raises:
        ReauthorizationError: the refresh token is used up, revoked or expired.
        OAuthError: the response has no access token for another reason.
    """
    document = TokenDocument(response.body)
    if response.is_success and document.access_token:
        lifetime = document.seconds("expires_in", default=ACCESS_TOKEN_SECONDS)
        return Tokens(
            access_token=document.access_token,
            # Without a new refresh token, the old one stays valid (RFC 6749, section 6).
            refresh_token=document.refresh_token or refreshed.refresh_token,
            expires_at=now + lifetime,
        )
    status_code = response.status_code
    code = document.error_code
    message = f"POST {endpoint_path}: {status_code} {code or '(no code)'}, no usable access token"
    if code == "invalid_grant":
        message = f"{message}: the user must authorise anew"
        raise ReauthorizationError(message, status_code=status_code, error=code)
    raise OAuthError(message, status_code=status_code, error=code)
