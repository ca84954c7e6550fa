"""A mock server of the API, driven by the spec: an httpx transport, an ASGI app and a socket."""

from importlib import import_module
from typing import TYPE_CHECKING

from .requirements import names_missing_requirement

if TYPE_CHECKING:
    from .access import ANY, TokenAccess
    from .asgi import EmulatorApp
    from .emulator import Dropped, Emulator
    from .faults import Fault, FaultRule
    from .finding import Finding
    from .messages import Delivery, Exchange, Request, Response
    from .proxy import ValidatingProxy
    from .rate_limits import RateLimits
    from .record import Recorder
    from .replay import Replay
    from .server import Server
    from .token_endpoint import TokenEndpoint
    from .transport import EmulatorTransport
    from .webhook_key import SigningKey
    from .webhooks import WebhookDelivery, Webhooks
else:
    # pytest imports this package in every environment that has it, also where a requirement is
    # missing. So a public name is imported only where it is used.
    _MODULES = {
        "ANY": ".access",
        "Delivery": ".messages",
        "Dropped": ".emulator",
        "Emulator": ".emulator",
        "EmulatorApp": ".asgi",
        "EmulatorTransport": ".transport",
        "Exchange": ".messages",
        "Fault": ".faults",
        "FaultRule": ".faults",
        "Finding": ".finding",
        "RateLimits": ".rate_limits",
        "Recorder": ".record",
        "Replay": ".replay",
        "Request": ".messages",
        "Response": ".messages",
        "Server": ".server",
        "SigningKey": ".webhook_key",
        "TokenAccess": ".access",
        "TokenEndpoint": ".token_endpoint",
        "ValidatingProxy": ".proxy",
        "WebhookDelivery": ".webhooks",
        "Webhooks": ".webhooks",
    }

    def __getattr__(name: str) -> object:
        """Import a public name (PEP 562).

        There is no `__dir__`: tools that look at each attribute of each module would import all.

        Raises:
            AttributeError: there is no such name.
            MissingRequirementError: a requirement is not installed.
        """
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        with names_missing_requirement():
            module = import_module(_MODULES[name], __name__)
        value = getattr(module, name)
        # Python does not call this function again for the name.
        globals()[name] = value
        return value


__all__ = [
    "ANY",
    "Delivery",
    "Dropped",
    "Emulator",
    "EmulatorApp",
    "EmulatorTransport",
    "Exchange",
    "Fault",
    "FaultRule",
    "Finding",
    "RateLimits",
    "Recorder",
    "Replay",
    "Request",
    "Response",
    "Server",
    "SigningKey",
    "TokenAccess",
    "TokenEndpoint",
    "ValidatingProxy",
    "WebhookDelivery",
    "Webhooks",
]
