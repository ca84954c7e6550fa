"""A typed client of HighLevel's API, generated from its OpenAPI document: the public names.

A name is imported on its first use. So `python -m PACKAGE verify` runs where the dependencies of
the client are not installed, and a program imports only the parts that it uses.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

# What type checkers, editors and freezing tools read. `_NAMES_BY_MODULE` repeats it for run time,
# and a test compares the two.
if TYPE_CHECKING:
    from ._generated.types import UNSET, APIResponse, File, Unset
    from ._runtime.finding import Finding
    from ._runtime.request_options import RequestOptions
    from .client import AsyncLeadConnector, LeadConnector
    from .errors import (
        APIConnectionError,
        APIDecodingError,
        APIStatusError,
        APITimeoutError,
        ArgumentError,
        AuthenticationError,
        BadRequestError,
        ClientClosedError,
        ConfigurationError,
        CredentialsError,
        DailyRateLimitError,
        DriftError,
        LeadConnectorError,
        NotFoundError,
        OAuthError,
        PermissionDeniedError,
        RateLimitError,
        RateLimitUnavailableError,
        ReauthorizationError,
        ResponseInfo,
        ServerError,
        UnexpectedStatusError,
        UnprocessableEntityError,
        WebhookBodyError,
        WebhookDuplicateError,
        WebhookError,
        WebhookSignatureError,
        WebhookTimestampError,
    )
    from .oauth import (
        AgencyOAuth,
        AgencyTokenStore,
        FileAgencyTokenStore,
        FileTokenStore,
        MemoryAgencyTokenStore,
        MemoryTokenStore,
        OAuth,
        Tokens,
        TokenStore,
    )
    from .rate_limit import RateLimit, RateLimitStatus, RedisRateLimit
    from .tracing import OpenTelemetryTracing

__all__ = [
    "APIConnectionError",
    "APIDecodingError",
    "APIResponse",
    "APIStatusError",
    "APITimeoutError",
    "AgencyOAuth",
    "AgencyTokenStore",
    "ArgumentError",
    "AsyncLeadConnector",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigurationError",
    "CredentialsError",
    "DailyRateLimitError",
    "DriftError",
    "File",
    "FileAgencyTokenStore",
    "FileTokenStore",
    "Finding",
    "LeadConnector",
    "LeadConnectorError",
    "MemoryAgencyTokenStore",
    "MemoryTokenStore",
    "NotFoundError",
    "OAuth",
    "OAuthError",
    "OpenTelemetryTracing",
    "PermissionDeniedError",
    "RateLimit",
    "RateLimitError",
    "RateLimitStatus",
    "RateLimitUnavailableError",
    "ReauthorizationError",
    "RedisRateLimit",
    "RequestOptions",
    "ResponseInfo",
    "ServerError",
    "TokenStore",
    "Tokens",
    "UNSET",
    "UnexpectedStatusError",
    "UnprocessableEntityError",
    "Unset",
    "WebhookBodyError",
    "WebhookDuplicateError",
    "WebhookError",
    "WebhookSignatureError",
    "WebhookTimestampError",
    "__version__",
]

_NAMES_BY_MODULE = {
    "._generated.types": ["UNSET", "APIResponse", "File", "Unset"],
    "._runtime.finding": ["Finding"],
    "._runtime.request_options": ["RequestOptions"],
    ".client": ["AsyncLeadConnector", "LeadConnector"],
    ".errors": [
        "APIConnectionError",
        "APIDecodingError",
        "APIStatusError",
        "APITimeoutError",
        "ArgumentError",
        "AuthenticationError",
        "BadRequestError",
        "ClientClosedError",
        "ConfigurationError",
        "CredentialsError",
        "DailyRateLimitError",
        "DriftError",
        "LeadConnectorError",
        "NotFoundError",
        "OAuthError",
        "PermissionDeniedError",
        "RateLimitError",
        "RateLimitUnavailableError",
        "ReauthorizationError",
        "ResponseInfo",
        "ServerError",
        "UnexpectedStatusError",
        "UnprocessableEntityError",
        "WebhookBodyError",
        "WebhookDuplicateError",
        "WebhookError",
        "WebhookSignatureError",
        "WebhookTimestampError",
    ],
    ".oauth": [
        "AgencyOAuth",
        "AgencyTokenStore",
        "FileAgencyTokenStore",
        "FileTokenStore",
        "MemoryAgencyTokenStore",
        "MemoryTokenStore",
        "OAuth",
        "Tokens",
        "TokenStore",
    ],
    ".rate_limit": ["RateLimit", "RateLimitStatus", "RedisRateLimit"],
    ".tracing": ["OpenTelemetryTracing"],
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}
_PUBLIC_MODULES = frozenset(
    {"auth", "client", "errors", "models", "oauth", "rate_limit", "tracing", "webhooks"}
)
"""They are attributes after `import leadconnector`, as if this module had imported them."""


# Hidden from type checkers. With a function `__getattr__`, they would accept every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a public name or module on its first use (PEP 562).

        Raises:
            AttributeError: there is no such name.
            ModuleNotFoundError: a requirement of the client is not installed.
        """
        if name in _PUBLIC_MODULES:
            return _import_module(f".{name}")
        if name not in _MODULE_OF_NAME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = _import_module(_MODULE_OF_NAME[name])
        value: object = getattr(module, name)
        # The next use finds it without this function.
        globals()[name] = value
        return value

    def _import_module(name: str) -> object:
        try:
            return import_module(name, __name__)
        except ModuleNotFoundError as error:
            from ._requirements import missing_requirement  # noqa: PLC0415  # rarely needed

            raise missing_requirement(error, __name__) from None

    def __dir__() -> list[str]:
        """Every public name, also those that are not imported yet."""
        return sorted({*globals(), *__all__, *_PUBLIC_MODULES})
