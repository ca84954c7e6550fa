"""Every exception that the package raises on purpose, in one tree.

    LeadConnectorError
    ├── ConfigurationError              an option or the environment is invalid; also a ValueError
    │   └── CredentialsError            there is no token, or it cannot be sent
    ├── ArgumentError                   an argument is invalid, nothing was sent; also a ValueError
    ├── ClientClosedError               the client was closed before the call
    ├── OAuthError                      the token endpoint returned no new token
    │   └── ReauthorizationError        the user must authorize the application again
    ├── RateLimitUnavailableError       the shared rate limit is unreachable, nothing was sent
    ├── APIConnectionError              no complete response arrived
    │   └── APITimeoutError             no complete response arrived in time
    ├── APIDecodingError                a success whose body fits no model
    │   └── DriftError                  it fits, but deviates from the spec; needs `strict=True`
    ├── WebhookError                    a request is no event of the API, or must not be processed
    │   ├── WebhookSignatureError       it is not signed by the API
    │   ├── WebhookTimestampError       it is signed, but too old or without a time
    │   ├── WebhookDuplicateError       it was received before
    │   └── WebhookBodyError            it is signed, but its body is no event
    └── APIStatusError                  the status is no success
        ├── BadRequestError             400
        ├── AuthenticationError         401
        ├── PermissionDeniedError       403
        ├── NotFoundError               404
        ├── UnprocessableEntityError    422
        ├── RateLimitError              429
        │   └── DailyRateLimitError     the location's requests of the day are used up
        ├── ServerError                 500 and above
        └── UnexpectedStatusError       any other status

No exception contains a credential. A token that the API sends back is redacted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

# A leaf module: all others import it, so at run time it imports nothing of the package.
if TYPE_CHECKING:
    from ._runtime.finding import Finding


@dataclass(frozen=True, eq=False)
class ResponseInfo:
    """A response without its data.

    Read-only, except where an exception is one: its attributes can be set, as those of any
    exception.
    """

    status_code: int
    headers: Mapping[str, str]
    """The lookup ignores case."""
    request_id: str | None
    """Identifies the call to the API's support, if the response has such an id."""
    attempts: int
    """How many requests the call sent."""


class LeadConnectorError(Exception):
    """The root of the tree.

    All subclasses keep this constructor, so that `with_message` works for each of them.

    Args:
        message: one line for people.
        **details: exactly the attributes that the class documents. A pickle keeps them.
    """

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.__dict__.update(details)

    def with_message(self, message: str) -> Self:
        """A copy with another message, but with the same attributes and the same cause.

        Each waiter for a failed OAuth refresh gets a copy: Python adds the traceback of each
        `raise` to the exception.
        """
        copy = type(self)(message, **vars(self))
        copy.__cause__ = self.__cause__
        return copy

    # Some subclasses also derive from `ResponseInfo`, which is frozen. Since Python 3.13,
    # `BaseException` only inherits these two methods, so that the frozen ones would come first.
    # pickle and copy set attributes and would fail.
    __setattr__ = Exception.__setattr__
    __delattr__ = Exception.__delattr__


class ConfigurationError(LeadConnectorError, ValueError):
    """An option or an environment variable is invalid."""


class CredentialsError(ConfigurationError):
    """There is no token, or it cannot be sent. The message does not show it."""


class ArgumentError(LeadConnectorError, ValueError):
    """An argument of a call is invalid. Nothing was sent."""

    argument: str
    """The name of the argument."""


class ClientClosedError(LeadConnectorError):
    """A call on a closed client."""


class OAuthError(LeadConnectorError):
    """The token endpoint rejected the request, or its response cannot be used."""

    status_code: int
    error: str
    """The error code of RFC 6749, section 5.2, such as `invalid_client`; may be empty."""
    description: str
    """The endpoint's explanation in one line, without credentials; may be empty."""
    retry_after: float | None
    """Seconds that the response asks to wait, if it does."""


class ReauthorizationError(OAuthError):
    """The refresh token or the authorization code is used up, revoked or expired.

    The user must authorize the application again.
    """


class RateLimitUnavailableError(LeadConnectorError):
    """The rate limit that several processes share is unreachable. Nothing was sent."""


class APIConnectionError(LeadConnectorError):
    """The API could not be reached, or the connection ended before the whole response arrived."""

    attempts: int
    """How many requests the call sent."""
    failure: Literal["never sent", "lost", "invalid request"]
    """What is known about the last request.

    - `never sent`: the API did not receive it, so it had no effect.
    - `lost`: it may have had an effect.
    - `invalid request`: it is not valid HTTP.
    """


class APITimeoutError(APIConnectionError):
    """No whole response arrived in time."""


class APIDecodingError(LeadConnectorError, ResponseInfo):
    """The API reported success, but no generated model fits the body.

    The update was probably made. Do not assume that it is lost, and do not repeat it because of
    this exception. `body` has what the API sent.
    """

    body: object
    """JSON data as received, or the text if the body is no JSON. No message shows it."""
    path: str
    """The JSON path of the problem in the body; `$` is the whole body."""
    findings: tuple[Finding, ...]
    """All deviations from the spec."""


class DriftError(APIDecodingError):
    """A success that fits its model but deviates from the spec. Raised only with `strict=True`.

    The update was probably made, as for `APIDecodingError`.
    """

    result: object
    """The model that the call returns without `strict`."""


class WebhookError(LeadConnectorError):
    """A request to a webhook is no event of the API, or must not be processed.

    No message shows a part of the body or of the signature.
    """


class WebhookSignatureError(WebhookError):
    """The request has no valid signature: it does not come from the API, or it was changed."""

    reason: Literal["missing", "malformed", "mismatch"]
    """What is wrong with the signature.

    - `missing`: there is none.
    - `malformed`: it is no Ed25519 signature in base64.
    - `mismatch`: it was made with another key, or for another body.
    """


class WebhookTimestampError(WebhookError):
    """The event is signed, but its time is outside of the replay window."""

    reason: Literal["missing", "too old", "in the future"]
    """What is wrong with the time. It is `missing` also if it cannot be read."""


class WebhookDuplicateError(WebhookError):
    """The event was received before. Respond with success, so that it is not sent again."""

    event_id: str
    """The id of the event."""


class WebhookBodyError(WebhookError):
    """The request is signed, but its body is no event."""


class APIStatusError(LeadConnectorError, ResponseInfo):
    """The status is no success."""

    body: object
    """The generated model of the error; if the body does not match it, its JSON data or text.

    The model has each value as received, also one of another type than the spec has.
    """
    messages: list[str]
    """All texts of the body that explain the error, in its order; may be empty."""
    retry_after: float | None
    """Seconds that the response asks to wait, if it does."""


class BadRequestError(APIStatusError):
    """400: the API could not process the request."""


class AuthenticationError(APIStatusError):
    """401: the token is missing, unknown or expired, or not valid for this call.

    If a new token was rejected as well, the message says so and names probable causes, such as a
    missing scope.
    """


class PermissionDeniedError(APIStatusError):
    """403: the token lacks a permission."""


class NotFoundError(APIStatusError):
    """404: the resource does not exist."""


class UnprocessableEntityError(APIStatusError):
    """422: a value in the request is invalid."""


class RateLimitError(APIStatusError):
    """429: too many requests."""


class DailyRateLimitError(RateLimitError):
    """The location's requests of the day are used up.

    If an earlier response showed this, nothing was sent: `attempts` is 0. `retry_after` is the
    seconds until the day ends, if the API states that.
    """


class ServerError(APIStatusError):
    """500 and above: the API, or a system in front of it, failed."""


class UnexpectedStatusError(APIStatusError):
    """Any other status, such as a redirect."""
