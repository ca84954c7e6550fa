"""A dependable, typed client of HighLevel's API, generated from its OpenAPI description."""

from ._client import AsyncLeadConnector, LeadConnector
from ._generated.types import UNSET, Unset
from ._version import __version__
from .errors import *

__all__ = ["APIConnectionError", "APIDecodingError", "APIStatusError", "APITimeoutError", "ArgumentError"]
__all__ += ["AsyncLeadConnector", "AuthenticationError", "BadRequestError", "ClientClosedError", "ConfigurationError"]
__all__ += ["CredentialsError", "DailyQuotaError", "DriftError", "LeadConnector", "LeadConnectorError"]
__all__ += ["NotFoundError", "OAuthError", "PermissionDeniedError", "QuotaUnavailableError", "RateLimitError"]
__all__ += ["ReauthorizationError", "ResponseInfo", "ServerError", "UNSET", "UnexpectedStatusError"]
__all__ += ["UnprocessableEntityError", "Unset", "__version__"]
