"""Parks the calls that wait for a rate limit, and wakes only those that can move forward.

Without it, each waiting call would ask the rate limit again and again whether it may be sent.

- `Signal` wakes one waiting call: `ThreadSignal` in a thread, `LoopSignal` in an event loop, and
  `SleepingSignal` where a test replaces the time.
- `WaitingCalls` are the calls that wait for one rate limit, in the order in which they are served.
- `ClientSignals` are the signals of one client's waiting calls. Closing the client wakes them.
"""

import os
import random
import threading
from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Protocol

from . import lazy_asyncio as asyncio

POLL_SECONDS = 1.0
"""How often the first waiting call of a key asks the rate limit, at least.

Another process can give back a reservation, and reports that to nobody.
"""

HIGHEST_POLLS_PER_SECOND = 100.0
"""Polls per second of one rate limit over all its keys.

With more than 100 keys, each key polls less often. A poll costs some 20 microseconds, or one Redis
command: so at most 100 commands a second.
"""

FALLBACK_SECONDS = 1.0
"""Seconds after its send time at which a call that nobody woke asks the rate limit itself.

Usually the call before it in the queue wakes it earlier. But that one can belong to an event loop
that was stopped.
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
        """Whether the call has ended, although it is still in the queue."""


_number = attrgetter("number")

_Queue = deque[WaitingCall]
"""The calls that wait for one key, in the order of their numbers."""


class _Queues:
    """The queues of one process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.by_key = dict[str, _Queue]()


class WaitingCalls:
    """The calls of this process that wait for one rate limit.

    In each queue, the first `active_count` calls are active. An active call sleeps until its send
    time. The first one also asks about once a second whether its time has come earlier. All other
    calls sleep until they become active. The cost per call does not depend on how many wait.

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
        self._queues_by_process = dict[int, _Queues]()

    def join(self, key: str, number: int, signal: Signal) -> WaitingCall:
        """Add a call to the queue of its key, at the position of its number."""
        waiting_call = WaitingCall(key, number, signal)
        queues = self._queues()
        with queues.lock:
            queue = queues.by_key.setdefault(key, _Queue())
            # Nearly always: numbers are given out in ascending order.
            if not queue or queue[-1].number <= number:
                queue.append(waiting_call)
            else:
                insort(queue, waiting_call, key=_number)
        return waiting_call

    def leave(self, waiting_call: WaitingCall) -> None:
        """Remove a call from its queue. The calls that move up are woken."""
        if waiting_call.is_gone:
            return
        waiting_call.is_gone = True
        queues = self._queues()
        with queues.lock:
            queue = queues.by_key.get(waiting_call.key)
            if queue is None:
                # It waited in the parent of this forked process.
                return
            index = _index(queue, waiting_call)
            if index is None:
                return
            del queue[index]
            if index < self._active_count:
                self._wake_those_that_moved_up(queue, index)
            if not queue:
                del queues.by_key[waiting_call.key]

    def wake_first(self, key: str) -> None:
        """Wake the first call of a key: its send time may have changed."""
        queues = self._queues()
        with queues.lock:
            queue = queues.by_key.get(key)
            if queue is None:
                return
            _wake_first(queue)
            if not queue:
                del queues.by_key[key]

    def seconds_to_sleep(self, waiting_call: WaitingCall, wait: float) -> float:
        """Return how long a call sleeps if no signal wakes it.

        Args:
            waiting_call: the call.
            wait: seconds until its send time, as the rate limit stated it last.
        """
        queues = self._queues()
        with queues.lock:
            queue = queues.by_key.get(waiting_call.key, _Queue())
            if queue and queue[0] is waiting_call:
                return min(wait, self._poll_interval(len(queues.by_key)))
            if self._is_active(queue, waiting_call):
                return wait
        return wait + FALLBACK_SECONDS * self._spread()

    def _poll_interval(self, queue_count: int) -> float:
        """Return how often the first call of a key asks."""
        interval = queue_count / HIGHEST_POLLS_PER_SECOND
        if interval <= POLL_SECONDS:
            return POLL_SECONDS
        # Without the spread, calls that started together would also ask together.
        return interval * self._spread()

    def _spread(self) -> float:
        """Return a factor from 0.75 to 1.25.

        The range is our own choice: wide enough to separate calls, without long delays.
        """
        return 0.75 + self._jitter() / 2

    def _is_active(self, queue: _Queue, waiting_call: WaitingCall) -> bool:
        last = min(self._active_count, len(queue))
        return any(queue[index] is waiting_call for index in range(last))

    def _wake_those_that_moved_up(self, queue: _Queue, index: int) -> None:
        """Wake the calls for which something changed when the call at `index` left.

        One became active. If the first call left, the new first call may be sent earlier.
        """
        if index == 0:
            _wake_first(queue)
        if 1 < self._active_count <= len(queue):
            queue[self._active_count - 1].signal.set()

    def _queues(self) -> _Queues:
        process_id = os.getpid()
        queues = self._queues_by_process.get(process_id)
        if queues is None:
            # Atomic, so that all threads get the same queues.
            queues = self._queues_by_process.setdefault(process_id, _Queues())
        return queues


def _wake_first(queue: _Queue) -> None:
    """Wake the first call that can still run. Calls before it that cannot are removed."""
    while queue:
        first = queue[0]
        if not first.is_gone and first.signal.set():
            return
        first.is_gone = True
        queue.popleft()


def _index(queue: _Queue, waiting_call: WaitingCall) -> int | None:
    """Return the position of a call; `None` if it was removed."""
    if queue and queue[0] is waiting_call:
        return 0
    index = bisect_left(queue, waiting_call.number, key=_number)
    # Two reservations of different rate limits can have the same number.
    while index < len(queue) and queue[index].number == waiting_call.number:
        if queue[index] is waiting_call:
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
        """Remove the signal of a call that waits no interval."""
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
