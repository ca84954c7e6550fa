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


class Place:
    """The right to use one connection."""

    __slots__ = ("__weakref__",)


_Waiter = SimpleQueue[Place]
"""Receives the place of one waiting thread.

Its methods are atomic: an exception that a signal handler raises cannot lose a place in them.
"""


class Places:
    """A number of places, which threads acquire in the order in which they come.

    An exception can interrupt a thread at any moment, if a signal handler raises it. Then nobody
    releases the place of that thread. It is free as soon as nothing refers to it, and the waiting
    threads notice that within `CHECK_SECONDS`.

    Args:
        number: how many places there are.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        # A signal handler can use the client while its own thread is in here.
        self._lock = threading.RLock()
        self._in_use: WeakSet[Place] = WeakSet()
        self._waiting: deque[_Waiter] = deque()

    @property
    def in_use(self) -> int:
        """How many places are in use."""
        return len(self._in_use)

    def acquire(self, seconds: float | None) -> Place:
        """Wait for a place.

        Args:
            seconds: how long to wait at most; `None` for no limit.

        Raises:
            TimeoutError: no place became free in time.
        """
        waiter: _Waiter = SimpleQueue()
        try:
            return self._wait(waiter, seconds)
        except BaseException:
            self._leave(waiter)
            raise

    def release(self, place: Place) -> None:
        """Free a place."""
        with self._lock:
            self._in_use.discard(place)
            self._admit()

    def _wait(self, waiter: _Waiter, seconds: float | None) -> Place:
        with self._lock:
            self._waiting.append(waiter)
            self._admit()
        ends_at = math.inf if seconds is None else time.monotonic() + seconds
        while True:
            remaining = max(0.0, ends_at - time.monotonic())
            with suppress(Empty):
                return waiter.get(timeout=min(remaining, CHECK_SECONDS))
            if time.monotonic() >= ends_at:
                raise TimeoutError("all connections are in use")
            with self._lock:
                self._admit()

    def _admit(self) -> None:
        """Give the free places to the threads that wait longest. The caller has the lock."""
        while self._waiting and len(self._in_use) < self._number:
            waiter = self._waiting[0]
            place = Place()
            self._in_use.add(place)
            # An interruption between these two lines loses no waiter and no place. At worst the
            # same thread gets a second place, which nothing refers to later.
            waiter.put(place)
            # A signal handler that came between has removed it already.
            with suppress(ValueError):
                self._waiting.remove(waiter)

    def _leave(self, waiter: _Waiter) -> None:
        """Stop waiting. A place that came at the last moment goes to the next thread."""
        with self._lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            while not waiter.empty():
                self._in_use.discard(waiter.get())
            self._admit()
