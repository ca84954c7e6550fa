"""A mock server of the API, driven by the spec: an httpx transport, an ASGI app and a socket."""

from .access import ANY, TokenAccess
from .asgi import EmulatorApp
from .emulator import Dropped, Emulator
from .faults import Fault
from .messages import Delivery, Exchange, Request, Response
from .rate_limits import RateLimits
from .server import Server
from .token_endpoint import TokenEndpoint
from .transport import EmulatorTransport

__all__ = [
    "ANY",
    "Delivery",
    "Dropped",
    "Emulator",
    "EmulatorApp",
    "EmulatorTransport",
    "Exchange",
    "Fault",
    "RateLimits",
    "Request",
    "Response",
    "Server",
    "TokenAccess",
    "TokenEndpoint",
]
