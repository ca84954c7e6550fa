"""Everything that a call can raise, in one tree.

    LeadConnectorError
    ├── ConfigurationError          a client cannot be made like this (also a ValueError)
    │   └── CredentialsError        no token, or one that cannot be sent
    ├── ArgumentError               an argument of a call is not acceptable; nothing was sent (also a ValueError)
    ├── ClientClosedError           the client was closed before the call
    ├── OAuthError                  the token endpoint gave no new token
    │   └── ReauthorizationError        and never will: the user must authorise the application again
    ├── RateLimitUnavailableError       the shared quota cannot be asked, and is to fail closed; nothing was sent
    ├── APIConnectionError          no whole answer came
    │   └── APITimeoutError         not in time
    ├── APIDecodingError            the answer said success, but is not what the spec describes
    │   └── DriftError                  it can be read all the same; raised with `strict=True` alone
    └── APIStatusError              the answer was not a success
        ├── BadRequestError             400
        ├── AuthenticationError         401
        ├── PermissionDeniedError       403
        ├── NotFoundError               404
        ├── UnprocessableEntityError    422
        ├── RateLimitError              429
        │   └── DailyRateLimitError             the location's requests of the day are used up
        ├── ServerError                 500 and above
        └── UnexpectedStatusError       any other

No exception holds a credential: a token that the API sends back is redacted.
"""

# Imported under names that `from .errors import *` leaves out: the package's root has the classes alone.
from collections.abc import Mapping as _Mapping
from dataclasses import dataclass as _dataclass
from typing import Literal as _Literal

from ._runtime.finding import Finding


@_dataclass(frozen=True, eq=False)
class ResponseInfo:
    """What came with an answer besides its data."""

    status_code: int
    headers: _Mapping[str, str]
    """Looked up without regard to case."""
    request_id: str | None
    """What the API's support can find this call by, where the answer has such a thing."""
    attempts: int
    """How many requests it took, the first included."""


class LeadConnectorError(Exception):
    """The root of every exception that this package raises on purpose. Its details are attributes, also in a pickle."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.__dict__.update(details)


class ConfigurationError(LeadConnectorError, ValueError):
    """A client cannot be made with these options, or with this environment."""

    @classmethod
    def unless(cls, holds: bool, problem: str) -> None:
        """Raise it, unless what is wanted of an option holds."""
        if not holds:
            raise cls(problem)


class CredentialsError(ConfigurationError):
    """There is no token, or it is not one that can be sent. The message never shows it."""


class ArgumentError(LeadConnectorError, ValueError):
    """An argument of a call is not acceptable. Nothing was sent."""

    argument: str
    """The name of the argument."""


class ClientClosedError(LeadConnectorError):
    """A call on a client that was closed."""


class OAuthError(LeadConnectorError):
    """The token endpoint refused to give a new token, or its answer cannot be understood."""

    status_code: int
    error: str
    """The code that RFC 6749 (section 5.2) has for it, such as `invalid_client`; empty where there was none."""


class ReauthorizationError(OAuthError):
    """The refresh token is used up, revoked or expired: the user must authorise the application again."""


class RateLimitUnavailableError(LeadConnectorError):
    """What several processes share their quota through cannot be reached. Nothing was sent."""


class APIConnectionError(LeadConnectorError):
    """The API could not be reached, or the connection ended before the answer did."""

    attempts: int
    """How many requests were tried."""
    failure: _Literal["never sent", "lost", "invalid request"]
    """Of the last of them: `never sent` surely had no effect; `lost` may have had one, as no whole answer tells."""


class APITimeoutError(APIConnectionError):
    """No whole answer came in time."""


class APIDecodingError(LeadConnectorError, ResponseInfo):
    """The answer's status is a success, but its body is not what the spec describes."""

    path: str
    """Where in the body, as a JSON path; `$` is the whole."""
    findings: tuple[Finding, ...]
    """All that is not as documented."""


class DriftError(APIDecodingError):
    """A success that is not as documented, though it could be read: only with `strict=True`."""


class APIStatusError(LeadConnectorError, ResponseInfo):
    """The answer's status is not a documented success."""

    body: object
    """The model of the documented error where the body fits it, else the JSON as received, else the text."""
    messages: list[str]
    """What the API says is wrong; empty where it says nothing."""
    retry_after: float | None
    """Seconds to wait that the answer asks for, where it does."""


class BadRequestError(APIStatusError):
    """400: the request could not be carried out as it was sent."""


class AuthenticationError(APIStatusError):
    """401: the token is missing, unknown or expired."""


class PermissionDeniedError(APIStatusError):
    """403: the token may not do this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing."""


class UnprocessableEntityError(APIStatusError):
    """422: a value in the request is not acceptable."""


class RateLimitError(APIStatusError):
    """429: too many requests."""


class DailyRateLimitError(RateLimitError):
    """The location's requests of the day are used up. Where that was known before, nothing was sent: attempts is 0."""


class ServerError(APIStatusError):
    """500 and above: the API, or something in front of it, failed."""


class UnexpectedStatusError(APIStatusError):
    """Any other status: a redirect, or a success that the operation does not document."""
