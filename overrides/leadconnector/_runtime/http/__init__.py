"""The only part that imports httpx and httpcore: sends one request within time and size limits.

The API and the token endpoint use it alike. It also makes requests and transports.

- `sending`: sends a request and reads the whole response.
- `limits`: how long each step may take.
- `body`: decompresses a body up to a maximum size.
- `failures`: what the error of a transport means, and the exception that it becomes.
- `urls`: which base URLs and proxies are valid.
- `requests`: makes requests.
- `transports`: makes the default transports.
- `pool`: the default transports. They limit the number of connections, and reuse them.
- `fair_semaphore`: the limit on connections, for threads.
- `routes`: makes connections, directly or through a proxy.
- `network`: opens sockets, and limits the time of all that happens on them.
- `tls`: TLS over these sockets.
"""

from .body import MAXIMUM_BODY_BYTES
from .failures import (
    connection_error,
    decisive_error,
    failure_of,
    is_final,
    is_interruption,
    is_transport_failure,
)
from .limits import BODY_SECONDS, CONNECT_SECONDS, READ_SECONDS, Limits, Timeouts, timeouts_of
from .requests import (
    PARSED_URLS,
    PreparedRequest,
    RequestFactory,
    case_insensitive,
    common_headers,
    form_request,
)
from .sending import LimitedAsyncTransport, LimitedTransport, RawResponse, send, send_async
from .transports import DefaultTransports, default_transport
from .types import URL, AsyncBaseTransport, BaseTransport, InvalidURL, Request, Timeout
from .urls import check_base_url, environment_proxy

__all__ = [
    "BODY_SECONDS",
    "CONNECT_SECONDS",
    "MAXIMUM_BODY_BYTES",
    "PARSED_URLS",
    "READ_SECONDS",
    "URL",
    "AsyncBaseTransport",
    "BaseTransport",
    "DefaultTransports",
    "InvalidURL",
    "LimitedAsyncTransport",
    "LimitedTransport",
    "Limits",
    "PreparedRequest",
    "RawResponse",
    "Request",
    "RequestFactory",
    "Timeout",
    "Timeouts",
    "case_insensitive",
    "check_base_url",
    "common_headers",
    "connection_error",
    "decisive_error",
    "default_transport",
    "environment_proxy",
    "failure_of",
    "form_request",
    "is_final",
    "is_interruption",
    "is_transport_failure",
    "send",
    "send_async",
    "timeouts_of",
]
