"""The only part that imports httpx and parsers of HTTP: sends one request within limits.

The API and the token endpoint use it alike. It also makes requests and transports.

- `sending`: sends a request and receives the whole response, with any transport.
- `limits`: how long each step may take.
- `body`: decompresses a body up to a maximum size.
- `failures`: what the error of a transport means, and the exception that it becomes.
- `urls`: which base URLs and proxies are valid.
- `requests`: makes requests.
- `outgoing`: a request, as bytes or as the object of httpx.
- `received`: a whole response.

The default transports, from the outside to the inside:

- `transports`: makes them.
- `pool`: limits the number of connections, and reuses them.
- `sync_pool`, `async_pool`: the pools of both clients.
- `fair_semaphore`: the limit on connections, for threads.
- `connection`: sends one request after the other on a connection.
- `parsers`: selects the parser of a response.
- `h11_parser`, `httptools_parser`: the two parsers.
- `response_parser`: their interface.
- `routes`, `tunnels`: connect to the API, directly or through a proxy.
- `tls`: TLS over a socket.
- `sockets`: one socket, with a limit on the time of all that happens on it.
- `thread_socket`, `loop_socket`: the sockets of both clients.
- `timer`: these limits.
- `addresses`: connects to the addresses of a host, in an event loop.

Where the limits of the default transports are:

- the number of connections, and the wait for one: `pool`;
- the time of each phase (connecting with the head, the body) and of each step: `timer`;
- the share of each address in the time to connect: `thread_socket`;
- the bytes before the body: `timer`, and for one head the parser;
- the bytes of the body: the parser before, and `body` after decompression.
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
from .outgoing import OutgoingRequest, PreparedRequest
from .received import RawResponse
from .requests import RequestFactory, case_insensitive, common_headers, form_request
from .sending import (
    AsyncTransport,
    DirectAsyncTransport,
    DirectTransport,
    SyncTransport,
    send,
    send_async,
)
from .transports import DefaultTransports, default_transport
from .types import URL, AsyncBaseTransport, BaseTransport, InvalidURL, Request, Timeout
from .urls import check_base_url, environment_proxy

__all__ = [
    "BODY_SECONDS",
    "CONNECT_SECONDS",
    "MAXIMUM_BODY_BYTES",
    "READ_SECONDS",
    "URL",
    "AsyncBaseTransport",
    "AsyncTransport",
    "BaseTransport",
    "DefaultTransports",
    "DirectAsyncTransport",
    "DirectTransport",
    "InvalidURL",
    "Limits",
    "OutgoingRequest",
    "PreparedRequest",
    "RawResponse",
    "Request",
    "RequestFactory",
    "SyncTransport",
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
