"""The API, played on your own machine from `spec/openapi.yaml`: in process, as an ASGI application, or on a socket."""

from ._asgi import EmulatorApp
from ._core import ANY, Emulator
from ._faults import Fault
from ._messages import Delivery, Exchange, Request, Response
from ._oauth import TokenEndpoint
from ._quota import RateLimits
from ._server import Server
from ._transport import EmulatorTransport

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
