"""What a control request reads of the parts that not every emulator has."""

from __future__ import annotations

from dataclasses import asdict

from .control_problem import ControlProblemError
from .emulator import Emulator
from .schema import JsonObject

NO_PROXY = (
    "there are no findings: only a proxy compares exchanges with the spec; start it with"
    " --upstream URL, or with ValidatingProxy(URL)"
)

NO_WEBHOOKS = (
    "the emulator sends no events: start it with --webhook-url URL, or with"
    " Emulator(webhooks=Webhooks(URL))"
)


def findings_json(emulator: Emulator) -> JsonObject:
    """What a proxy has found since the last reset.

    Raises:
        ControlProblemError: 409, the emulator is no proxy.
    """
    # A mock server does not need the modules of a proxy.
    from .proxy import ValidatingProxy  # noqa: PLC0415

    if not isinstance(emulator, ValidatingProxy):
        raise ControlProblemError(409, NO_PROXY)
    return {
        "findings": [asdict(finding) for finding in emulator.findings],
        "failed_exchanges": emulator.failed_exchanges,
        "unchecked_exchanges": emulator.unchecked_exchanges,
    }


def webhooks_json(emulator: Emulator) -> JsonObject:
    """The events that were sent, without their content, and the key that verifies them.

    Raises:
        ControlProblemError: 409, the emulator sends no events.
    """
    webhooks = emulator.webhooks
    if webhooks is None:
        raise ControlProblemError(409, NO_WEBHOOKS)
    deliveries: list[JsonObject] = []
    for delivery in webhooks.deliveries:
        deliveries.append(
            {
                "event_type": delivery.event_type,
                "event_id": delivery.event_id,
                "state": delivery.state,
                "attempts": delivery.attempts,
                "status": delivery.status,
            }
        )
    return {
        "url": webhooks.visible_url,
        "public_key": webhooks.public_key,
        "dropped": webhooks.dropped,
        "deliveries": deliveries,
    }
