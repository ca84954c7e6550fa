"""The end of the current phase of a request, and how much it may still receive."""

import math
import time

import httpx

from .limits import Limits

MAXIMUM_HEAD_BYTES = 256 * 1024
"""Bytes that are read before the head of a response is complete: 256 KiB.

h11 limits a single head to 100 KiB, but not the number of interim responses (`100 Continue`) before
it. The last read can contain the start of the body.
"""


class PhaseTimer:
    """The end of the current phase of a request.

    There are two phases: connecting with the head, and the body. All times are seconds of the
    client's clock.
    """

    __slots__ = ("_phase", "_phase_seconds", "bytes_left", "clock", "ends_at")

    def __init__(self) -> None:
        self.clock = time.monotonic
        self.ends_at = math.inf
        self.bytes_left: float = math.inf
        """How many bytes may still be read."""
        self._phase = ""
        self._phase_seconds = math.inf

    def start_head(self, limits: Limits) -> None:
        """Start the phase that connects, sends the request and receives the head."""
        self._start("the head", limits)
        self.bytes_left = MAXIMUM_HEAD_BYTES

    def start_body(self, limits: Limits) -> None:
        """Start the phase that receives the body. The parser limits its size."""
        self._start("the body", limits)
        self.bytes_left = math.inf

    def _start(self, phase: str, limits: Limits) -> None:
        self.clock = limits.clock
        started_at = limits.clock()
        self._phase = phase
        self._phase_seconds = limits.phase_seconds(started_at)
        self.ends_at = started_at + self._phase_seconds

    def check_bytes_left(self) -> None:
        """Check that more bytes may be read.

        Raises:
            httpx.RemoteProtocolError: there are too many for a head.
        """
        if self.bytes_left < 0:
            raise httpx.RemoteProtocolError(
                f"the server sent more than {MAXIMUM_HEAD_BYTES} bytes before its response"
            )

    def counted(self, received: bytes) -> bytes:
        """Count received bytes. Returns them, so that no variable contains them."""
        self.bytes_left -= len(received)
        return received

    def end_after(self, timeout: float | None) -> float:
        """When a step that starts now must end, at the latest with the phase.

        Args:
            timeout: seconds; `None` for no other limit.
        """
        if timeout is None:
            return self.ends_at
        return min(self.clock() + timeout, self.ends_at)

    def seconds(self, timeout: float | None, ends_at: float = math.inf) -> float | None:
        """Seconds that a step may take now; `None` for no limit.

        Args:
            timeout: the timeout of the step; `None` for no limit of its own.
            ends_at: when a step that this one is a part of must end.

        Raises:
            TimeoutError: the phase or the other step has ended.
        """
        end = min(ends_at, self.ends_at)
        if end == math.inf:
            return timeout
        seconds = end - self.clock()
        if timeout is not None:
            seconds = min(seconds, timeout)
        # `settimeout(0)` makes the socket non-blocking, which raises `BlockingIOError` instead of a
        # timeout.
        if seconds <= 0.0:
            raise TimeoutError(self._reason(ends_at))
        return seconds

    def _reason(self, ends_at: float) -> str:
        """What took too long: another step, or the phase."""
        if ends_at < self.ends_at:
            return "timed out"
        return f"{self._phase} took longer than {self._phase_seconds:.3g} s"
