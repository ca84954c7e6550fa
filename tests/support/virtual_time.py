"""An event loop whose time passes only while all its tasks wait, so that no test sleeps."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _VirtualTimeSelector(selectors.DefaultSelector):
    """Advances the virtual time instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is None:
            raise RuntimeError("all tasks of the event loop wait, and no timer will wake one")
        # At least a nanosecond, since a rounded sum could stay below the time of a timer.
        self.seconds += max(timeout, 1e-9)
        return events


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop with virtual time. `time` is also the clock of a client or a rate limit."""

    def __init__(self) -> None:
        self._virtual_selector = _VirtualTimeSelector()
        super().__init__(self._virtual_selector)
        self.passes = 0
        """How many passes the loop has made. Each runs all tasks that are ready."""

    def time(self) -> float:
        return self._virtual_selector.seconds

    def _run_once(self) -> None:
        self.passes += 1
        super()._run_once()  # type: ignore[misc]


def run_in_virtual_time(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a new event loop with virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)


def virtual_loop() -> VirtualTimeLoop:
    """Return the running event loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop
