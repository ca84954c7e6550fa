"""How long each step of a request may take."""

import math
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from .types import Timeout

BODY_SECONDS = 60.0
"""How long a whole body may take. A server could otherwise send a byte now and then forever."""

READ_SECONDS = 30.0
"""Default of how long an attempt waits for the next bytes."""

CONNECT_SECONDS = 5.0
"""How long an attempt waits for a connection, at most."""

Timeouts = Mapping[str, float | None]
"""Seconds by httpx's names: `connect`, `read`, `write`, `pool`; `None` for no limit."""


class Limits(NamedTuple):
    """How long an attempt may take, in seconds of `clock`."""

    clock: Callable[[], float] = time.monotonic
    timeouts: Timeouts = MappingProxyType({})
    """The timeouts of each step. Each step of progress starts a new timeout."""
    deadline: float = math.inf
    """When the whole call must end."""

    def phase_seconds(self, started_at: float) -> float:
        """Seconds for one phase of a response: its head, or its body.

        Unlike the timeouts of steps, it also ends a response that arrives slowly but steadily.
        """
        read_timeout = self.timeouts.get("read") or 0.0
        longest = max(BODY_SECONDS, read_timeout)
        return max(0.0, min(longest, self.deadline - started_at))

    def step_timeouts(self) -> dict[str, float | None]:
        """The timeouts for httpx, none of them beyond the deadline."""
        # Some transports understand 0 as "no timeout".
        remaining = max(0.001, self.deadline - self.clock())
        timeouts: dict[str, float | None] = {}
        for name, seconds in self.timeouts.items():
            timeouts[name] = remaining if seconds is None else min(seconds, remaining)
        return timeouts


def timeouts_of(timeout: float | Timeout | None) -> Timeouts:
    """The timeouts for the `timeout` option.

    Args:
        timeout: seconds, of which connecting gets at most 5; or all of httpx's timeouts;
            `None` for the default.
    """
    if isinstance(timeout, Timeout):
        return timeout.as_dict()
    seconds = READ_SECONDS if timeout is None else timeout
    return Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)).as_dict()
