"""A mock server of the API, driven by the spec: an httpx transport, an ASGI app and a socket."""

from .asgi import EmulatorApp
from .emulator import ANY, Emulator
from .faults import Fault
from .messages import Delivery, Exchange, Request, Response
from .rate_limits import RateLimits
from .server import Server
from .token_endpoint import TokenEndpoint
from .transport import EmulatorTransport

__all__ = [
    "ANY",
    "Delivery",
    "Emulator",
    "EmulatorApp",
    "EmulatorTransport",
    "Exchange",
    "Fault",
    "RateLimits",
    "Request",
    "Response",
    "Server",
    "TokenEndpoint",
]
