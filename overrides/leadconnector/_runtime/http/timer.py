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

    There are two phases: connecting with the head, and the body.
    """

    __slots__ = ("bytes_left", "ends_at", "has_read")

    def __init__(self) -> None:
        self.ends_at = math.inf
        """Seconds of `time.monotonic`."""
        self.bytes_left: float = math.inf
        """How many bytes may still be read."""
        self.has_read = False
        """Whether something was read in this phase."""

    def start_head(self, limits: Limits) -> None:
        """Start the phase that connects, sends the request and receives the head."""
        self._start(limits)
        self.bytes_left = MAXIMUM_HEAD_BYTES

    def start_body(self, limits: Limits) -> None:
        """Start the phase that receives the body. The parser limits its size."""
        self._start(limits)
        self.bytes_left = math.inf

    def _start(self, limits: Limits) -> None:
        self.ends_at = time.monotonic() + limits.phase_seconds(limits.clock())
        self.has_read = False

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
        self.has_read = True
        return received

    def seconds(self, timeout: float | None) -> float | None:
        """Seconds that a step may take now; `None` for no limit.

        Raises:
            TimeoutError: the phase has ended.
        """
        seconds = step_timeout(timeout, self.ends_at)
        # `settimeout(0)` makes the socket non-blocking, which raises `BlockingIOError` instead of a
        # timeout.
        if seconds is not None and seconds <= 0.0:
            raise TimeoutError("timed out")
        return seconds


def end_after(timeout: float | None) -> float:
    """When a step that starts now must end, in seconds of `time.monotonic`."""
    if timeout is None:
        return math.inf
    return time.monotonic() + timeout


def step_timeout(timeout: float | None, ends_at: float) -> float | None:
    """The seconds of one step: its timeout, but not beyond an end; `None` for no limit."""
    remaining = seconds_until(ends_at)
    if timeout is None:
        return remaining
    if remaining is None:
        return timeout
    return min(timeout, remaining)


def seconds_until(ends_at: float) -> float | None:
    """Seconds until an end, at least 0; `None` if it never comes."""
    if ends_at == math.inf:
        return None
    return max(0.0, ends_at - time.monotonic())
