"""Limits how many requests threads send at once. Waiting threads are served in their order.

The standard library's semaphore for threads is not fair: a thread that releases it and acquires it
again can overtake the threads that wait. `asyncio.Semaphore` is fair; the async client uses that.
"""

import math
import threading
import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from weakref import WeakSet

CHECK_SECONDS = 1.0
"""How often a waiting thread checks for permits that nobody will release.

Our own choice: such a loss is rare, and a check takes a few microseconds.
"""


class Permit:
    """The right to use one connection."""

    __slots__ = ("__weakref__",)


_Waiter = SimpleQueue[Permit]
"""Receives the permit of one waiting thread.

Its methods are atomic: an exception that a signal handler raises cannot lose a permit in them.
"""


class FairSemaphore:
    """A number of permits, which threads acquire in the order in which they come.

    A signal handler can raise an exception at any moment. Then nobody releases the permit of that
    thread. The permit is free as soon as nothing refers to it, and the waiting threads notice that
    within `CHECK_SECONDS`.

    Args:
        maximum: how many permits there are.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        # Not a `Lock`: a signal handler can interrupt the thread that has this lock, and use the
        # client. Of the locks of a call, only this one and that of the connections can be acquired
        # twice; see docs/known-limitations.md.
        self._lock = threading.RLock()
        # Weak, so that a permit disappears by itself if nobody can release it.
        self._in_use: WeakSet[Permit] = WeakSet()
        self._waiting: deque[_Waiter] = deque()

    @property
    def in_use(self) -> int:
        """How many permits are in use."""
        return len(self._in_use)

    def acquire(self, timeout: float | None) -> Permit:
        """Wait for a permit. Keep it until its release.

        Args:
            timeout: seconds to wait at most; `None` for no limit.

        Raises:
            TimeoutError: no permit became free in time.
        """
        with self._lock:
            # Mostly a permit is free. Then no queue is needed, which is much cheaper.
            if not self._waiting and self.in_use < self._maximum:
                return self._new_permit()
        waiter: _Waiter = SimpleQueue()
        try:
            return self._wait(waiter, timeout)
        except BaseException:
            self._leave(waiter)
            raise

    def release(self, permit: Permit) -> None:
        """Free a permit, and give it to the thread that waits longest."""
        with self._lock:
            self._in_use.discard(permit)
            self._admit()

    def _wait(self, waiter: _Waiter, timeout: float | None) -> Permit:
        with self._lock:
            self._waiting.append(waiter)
            self._admit()
        ends_at = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            remaining = max(0.0, ends_at - time.monotonic())
            with suppress(Empty):
                return waiter.get(timeout=min(remaining, CHECK_SECONDS))
            if time.monotonic() >= ends_at:
                raise TimeoutError("all connections are in use")
            with self._lock:
                self._admit()

    def _admit(self) -> None:
        """Give the free permits to the threads that wait longest. The caller has the lock."""
        while self.in_use < self._maximum:
            # No check first: a signal handler that uses the client can empty it in between.
            try:
                waiter = self._waiting[0]
            except IndexError:
                return
            # If this is interrupted behind `put`, the waiter stays in the line, and gets a second
            # permit later. Nobody refers to that one, so it becomes free again.
            waiter.put(self._new_permit())
            self._remove(waiter)

    def _new_permit(self) -> Permit:
        permit = Permit()
        self._in_use.add(permit)
        return permit

    def _leave(self, waiter: _Waiter) -> None:
        """Stop waiting. A permit that came at the last moment goes to the next thread."""
        with self._lock:
            self._remove(waiter)
            while not waiter.empty():
                self._in_use.discard(waiter.get())
            self._admit()

    def _remove(self, waiter: _Waiter) -> None:
        # No check first: see `_admit`.
        with suppress(ValueError):
            self._waiting.remove(waiter)
