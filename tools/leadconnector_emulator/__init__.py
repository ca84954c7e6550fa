"""The API, played on your own machine from `spec/openapi.yaml`: in process, as an ASGI application, or on a socket."""

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
    "TokenEndpoint",
    "RateLimits",
    "Request",
    "Response",
    "Server",
]
