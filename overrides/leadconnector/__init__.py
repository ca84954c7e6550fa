"""A dependable, typed client of HighLevel's API, generated from its OpenAPI description."""

from ._client import AsyncLeadConnector, LeadConnector
from ._contract import Finding
from ._generated.types import UNSET, Unset
from ._quota import Quota, RedisQuota
from ._version import __version__
from .errors import *
from .oauth import FileTokenStore, MemoryTokenStore, OAuth, Tokens, TokenStore

__all__ = [
    "APIConnectionError",
    "APIDecodingError",
    "APIStatusError",
    "APITimeoutError",
    "ArgumentError",
]
__all__ += [
    "AsyncLeadConnector",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigurationError",
]
__all__ += [
    "CredentialsError",
    "DailyQuotaError",
    "DriftError",
    "FileTokenStore",
    "Finding",
    "LeadConnector",
]
__all__ += [
    "LeadConnectorError",
    "MemoryTokenStore",
    "NotFoundError",
    "OAuth",
    "OAuthError",
    "PermissionDeniedError",
]
__all__ += [
    "Quota",
    "QuotaUnavailableError",
    "RateLimitError",
    "ReauthorizationError",
    "RedisQuota",
    "ResponseInfo",
]
__all__ += [
    "ServerError",
    "TokenStore",
    "Tokens",
    "UNSET",
    "UnexpectedStatusError",
    "UnprocessableEntityError",
]
__all__ += ["Unset", "__version__"]
