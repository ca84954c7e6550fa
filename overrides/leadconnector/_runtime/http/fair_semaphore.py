"""Bounds the number of requests that threads send at once, in the order in which they come.

The standard library's semaphore for threads is not fair: a thread that releases it and acquires it
again overtakes all that wait. `asyncio.Semaphore` is fair, so the async client uses that.
"""

import math
import threading
import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from weakref import WeakSet

CHECK_SECONDS = 1.0
"""How often a waiting thread checks whether a permit was lost by its user.

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

    An exception can interrupt a thread at any moment, if a signal handler raises it. Then nobody
    releases the permit of that thread. It is free as soon as nothing refers to it, and the waiting
    threads notice that within `CHECK_SECONDS`.

    Args:
        maximum: how many permits there are.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        # Not a `Lock`: a signal handler can interrupt its own thread in here, and use the client.
        # Of the locks of a call, only this one and that of the connections allow that; see
        # docs/known-limitations.md.
        self._lock = threading.RLock()
        self._in_use: WeakSet[Permit] = WeakSet()
        self._waiting: deque[_Waiter] = deque()

    @property
    def in_use(self) -> int:
        """How many permits are in use."""
        return len(self._in_use)

    def acquire(self, timeout: float | None) -> Permit:
        """Wait for a permit.

        Args:
            timeout: seconds to wait at most; `None` for no limit.

        Raises:
            TimeoutError: no permit became free in time.
        """
        with self._lock:
            # Most calls need not wait, and this is much cheaper.
            if not self._waiting and self.in_use < self._maximum:
                return self._new_permit()
        waiter: _Waiter = SimpleQueue()
        try:
            return self._wait(waiter, timeout)
        except BaseException:
            self._leave(waiter)
            raise

    def release(self, permit: Permit) -> None:
        """Free a permit."""
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
            try:
                waiter = self._waiting[0]
            except IndexError:
                return
            # An interruption between `put` and `_remove` loses no waiter and no permit. At worst
            # the same thread gets a second permit, which nothing refers to later.
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
        # Not after a look whether it is there: a signal handler that uses the client can remove it
        # in between.
        with suppress(ValueError):
            self._waiting.remove(waiter)
