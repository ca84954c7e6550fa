"""Parks the calls that wait for a rate limit, and wakes only those that can move forward.

Without it, each waiting call would ask the rate limit again and again whether it may be sent.

- `Signal` wakes one waiting call: `ThreadSignal` in a thread, `LoopSignal` in an event loop, and
  `SleepingSignal` where a test replaces the time.
- `WaitingCalls` are the calls that wait for one rate limit, in the order in which they are served.
- `ClientSignals` are the signals of one client's waiting calls. Closing the client wakes them.
"""

import asyncio
import os
import random
import threading
from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Protocol

POLL_SECONDS = 1.0
"""How often the first waiting call of a key asks the rate limit, at least.

Another process can give back a reservation, and reports that to nobody.
"""

HIGHEST_POLLS_PER_SECOND = 100.0
"""How often all first calls of one rate limit ask together. With many keys, each asks less often.

A question costs some 20 microseconds, or one Redis command: so at most 100 commands a second.
"""

FALLBACK_SECONDS = 1.0
"""How long after its stated send time a call still waits to be woken. Then it asks on its own.

Usually the call before it wakes it earlier. That one can belong to an event loop that was stopped.
"""

CLOSING_CHAINS = 8
"""How many calls a client that is closed wakes at once. Each of them wakes the next one.

An event loop runs them in one pass, in less than a millisecond. Its other tasks run in between.
"""


class Signal(Protocol):
    """Wakes one waiting call."""

    def set(self) -> bool:
        """Wake the call, or its next wait. Returns whether the call can still run.

        Any thread can use it.
        """
        ...

    async def wait(self, seconds: float) -> None:
        """Wait until the signal is set, but for these seconds at most.

        Only the call itself uses it. In a thread, it blocks and never suspends.
        """
        ...


class ThreadSignal:
    """The `Signal` of a call that blocks its thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> bool:
        """See `Signal`."""
        self._event.set()
        return True

    async def wait(self, seconds: float) -> None:
        """See `Signal`."""
        self._event.wait(seconds)
        self._event.clear()


class LoopSignal:
    """The `Signal` of a call in the running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_set = False
        # Only while the call waits.
        self._future: asyncio.Future[None] | None = None

    def set(self) -> bool:
        """See `Signal`. The call cannot run if its event loop is closed."""
        if self._is_set:
            return not self._loop.is_closed()
        self._is_set = True
        try:
            self._loop.call_soon_threadsafe(self._finish)
        except RuntimeError:
            return False
        return True

    async def wait(self, seconds: float) -> None:
        """See `Signal`."""
        if not self._is_set:
            self._future = self._loop.create_future()
            timer = self._loop.call_later(seconds, self._finish)
            try:
                await self._future
            finally:
                timer.cancel()
                self._future = None
        self._is_set = False

    def _finish(self) -> None:
        """End the wait, if there is one. Runs in the event loop."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


class SleepingSignal:
    """The `Signal` of a call whose `sleep` was replaced: it has a clock of its own.

    Nothing interrupts such a sleep. So the call asks the rate limit after each `POLL_SECONDS`.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep

    def set(self) -> bool:
        """See `Signal`. It has no effect."""
        return True

    async def wait(self, seconds: float) -> None:
        """See `Signal`."""
        await self._sleep(min(seconds, POLL_SECONDS))


class WaitingCall:
    """A call that waits for its turn."""

    def __init__(self, key: str, number: int, signal: Signal) -> None:
        self.key = key
        """The rate-limit key."""
        self.number = number
        """The number of its reservation: lower numbers are served first."""
        self.signal = signal
        self.is_gone = False
        """Whether the call has ended, although it is still in the line."""


_number = attrgetter("number")

_Line = deque[WaitingCall]
"""The calls that wait for one key, in the order of their numbers."""


class _Lines:
    """The lines of one process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.by_key = dict[str, _Line]()


class WaitingCalls:
    """The calls of this process that wait for one rate limit.

    In each line, the first `active_count` calls are active. An active call sleeps until its send
    time. The first one also asks about once a second whether its time has come earlier. All other
    calls sleep until they become active. So N calls cost N times the same, however many wait.

    Its methods can be called by any thread. They never raise. A forked process starts without
    waiting calls: those of its parent continue in the parent.

    Args:
        active_count: how many calls of a key ask at the same time. Where asking takes time, a
            single one would limit how many calls are served in a second.
        jitter: returns a number from 0 to 1. It keeps many calls from asking at the same moment.
    """

    def __init__(self, active_count: int, jitter: Callable[[], float] = random.random) -> None:
        self._active_count = active_count
        self._jitter = jitter
        # By process id: in a forked process, a lock can be taken for ever by the parent.
        self._lines_by_process = dict[int, _Lines]()

    def join(self, key: str, number: int, signal: Signal) -> WaitingCall:
        """Add a call to the line of its key, at the position of its number."""
        waiting_call = WaitingCall(key, number, signal)
        lines = self._lines()
        with lines.lock:
            line = lines.by_key.setdefault(key, _Line())
            # Nearly always: numbers are given out in ascending order.
            if not line or line[-1].number <= number:
                line.append(waiting_call)
            else:
                insort(line, waiting_call, key=_number)
        return waiting_call

    def leave(self, waiting_call: WaitingCall) -> None:
        """Remove a call from its line. The calls that move up are woken."""
        if waiting_call.is_gone:
            return
        waiting_call.is_gone = True
        lines = self._lines()
        with lines.lock:
            line = lines.by_key.get(waiting_call.key)
            if line is None:
                # It waited in the parent of this forked process.
                return
            index = _index(line, waiting_call)
            if index is None:
                return
            del line[index]
            if index < self._active_count:
                self._wake_those_that_moved_up(line, index)
            if not line:
                del lines.by_key[waiting_call.key]

    def wake_first(self, key: str) -> None:
        """Wake the first call of a key: its send time may have changed."""
        lines = self._lines()
        with lines.lock:
            line = lines.by_key.get(key)
            if line is None:
                return
            _wake_first(line)
            if not line:
                del lines.by_key[key]

    def seconds_to_sleep(self, waiting_call: WaitingCall, wait: float) -> float:
        """Return how long a call sleeps if no signal wakes it.

        Args:
            waiting_call: the call.
            wait: seconds until its send time, as the rate limit stated it last.
        """
        lines = self._lines()
        with lines.lock:
            line = lines.by_key.get(waiting_call.key, _Line())
            if line and line[0] is waiting_call:
                return min(wait, self._poll_seconds(len(lines.by_key)))
            if self._is_active(line, waiting_call):
                return wait
        return wait + FALLBACK_SECONDS * self._spread()

    def _poll_seconds(self, line_count: int) -> float:
        """Return how often the first call of a key asks."""
        longer = line_count / HIGHEST_POLLS_PER_SECOND
        if longer <= POLL_SECONDS:
            return POLL_SECONDS
        # Without the spread, calls that started together would also ask together.
        return longer * self._spread()

    def _spread(self) -> float:
        """Return a factor from 0.75 to 1.25."""
        return 0.75 + self._jitter() / 2

    def _is_active(self, line: _Line, waiting_call: WaitingCall) -> bool:
        last = min(self._active_count, len(line))
        return any(line[index] is waiting_call for index in range(last))

    def _wake_those_that_moved_up(self, line: _Line, index: int) -> None:
        """Wake the calls for which something changed when the call at `index` left.

        One became active. The first one, if it is another one now, may be sent earlier.
        """
        if index == 0:
            _wake_first(line)
        if 1 < self._active_count <= len(line):
            line[self._active_count - 1].signal.set()

    def _lines(self) -> _Lines:
        process_id = os.getpid()
        lines = self._lines_by_process.get(process_id)
        if lines is None:
            # Atomic, so that all threads get the same lines.
            lines = self._lines_by_process.setdefault(process_id, _Lines())
        return lines


def _wake_first(line: _Line) -> None:
    """Wake the first call that can still run. Calls before it that cannot are removed."""
    while line:
        first = line[0]
        if not first.is_gone and first.signal.set():
            return
        first.is_gone = True
        line.popleft()


def _index(line: _Line, waiting_call: WaitingCall) -> int | None:
    """Return the position of a call; `None` if it was removed."""
    if line and line[0] is waiting_call:
        return 0
    index = bisect_left(line, waiting_call.number, key=_number)
    # Two reservations of different rate limits can have the same number.
    while index < len(line) and line[index].number == waiting_call.number:
        if line[index] is waiting_call:
            return index
        index += 1
    return None


class ClientSignals:
    """The signals of all calls of one client that wait.

    It needs no lock: each operation on the dictionary is atomic. So it is also safe in a forked
    process, and when the garbage collector ends a call.
    """

    def __init__(self) -> None:
        self._signals = OrderedDict[Signal, None]()
        self._is_closing = False

    def add(self, signal: Signal) -> None:
        """Add the signal of a call that starts to wait."""
        self._signals[signal] = None
        if self._is_closing:
            # The client was closed at this moment.
            signal.set()

    def remove(self, signal: Signal) -> None:
        """Remove the signal of a call that waits no longer."""
        self._signals.pop(signal, None)
        if self._is_closing:
            self._wake_next()

    def close(self) -> None:
        """Wake all waiting calls, one after the other: each one wakes the next when it ends.

        Woken at once, thousands of them would block their event loop for seconds.
        """
        self._is_closing = True
        for _ in range(CLOSING_CHAINS):
            self._wake_next()

    def _wake_next(self) -> None:
        while self._signals:
            try:
                signal, _ = self._signals.popitem(last=False)
            except KeyError:
                # Another thread was faster.
                return
            if signal.set():
                return
