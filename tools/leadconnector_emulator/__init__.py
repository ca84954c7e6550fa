"""The API, played on your own machine from `spec/openapi.yaml`: in process, or on a loopback socket."""

from ._core import Emulator, Request, Response
from ._server import Server
from ._transport import EmulatorTransport

__all__ = ["Emulator", "EmulatorTransport", "Request", "Response", "Server"]
