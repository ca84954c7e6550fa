"""Decides when each request of one key may be sent. Pure: the caller supplies the time.

Callers queue for the next free place, first come, first served. However a window is laid over the
time, it contains no more than `limit` requests.
"""

import math
from bisect import bisect_left, insort
from collections import deque
from enum import Enum
from operator import attrgetter
from typing import NamedTuple

from .headers import LimitState
from .rate import STRETCH, Rate

TOLERANCE = (STRETCH - 1) / 2
"""How late a reservation may be used, in windows, before it must be booked again.

Also how late its response may come before the request counts later than it was sent. Both kinds
of lateness together stay within the stretch of the window.
"""

LONGEST_LAG = 0.04
"""How much later than it was sent a request may count, in windows.

Without this bound, slow responses would reduce the number of requests that are possible.
"""

GRACE_SECONDS = 2.0
"""How long a waiting reservation blocks those behind it after its time has come.

Callers ask about once a second. A caller that does not is gone, for example its process ended.
"""

NO_NUMBER = 0
"""The number of an entry without a reservation."""


class Action(Enum):
    """What is done with a reservation. The values are the names in the Lua script."""

    RESERVE = "reserve"
    """Book a new place at the end of the queue."""
    REBOOK = "rebook"
    """Compute the wait of a reservation anew. Its number keeps its place in the queue."""
    RELEASE = "release"
    """Give a reservation back: nothing was, or will be, sent with it."""
    UPDATE = "update"
    """Apply what the response to a request says."""


BOOKING_ACTIONS = frozenset({Action.RESERVE, Action.REBOOK})
"""The actions that can permit a request."""


class Operation(NamedTuple):
    """One action on one key, in a form that both this process and Redis can carry out."""

    action: Action
    key: str
    number: int = NO_NUMBER
    """The reservation's number; `NO_NUMBER` to reserve."""
    state: LimitState | None = None
    """Of an update: the state from now on; `None` if it does not change."""
    pause: float = 0.0
    """Of an update: seconds from now in which no request of the key is sent."""


class Decision(NamedTuple):
    """The result of an operation."""

    number: int
    """The reservation's number; `NO_NUMBER` if the operation booked none."""
    wait: float
    """Seconds from `decided_at` until the request may be sent."""
    state: LimitState
    """The state of the key after the operation."""
    decided_at: float
    """When it was carried out, on the rate limit's clock."""


class Send(NamedTuple):
    """A request that was permitted."""

    counted_at: float
    """When it counts: when it was sent, or later if its response was late."""
    number: int


class Waiting(NamedTuple):
    """A reservation whose time has not come."""

    number: int
    expires_at: float
    """When it no longer blocks those behind it."""


_NO_SEND = Send(-math.inf, NO_NUMBER)
_number = attrgetter("number")
_counted_at = attrgetter("counted_at")


class ReservationQueue:
    """The reservations of one key. All times are seconds of the caller's clock."""

    def __init__(self, rate: Rate) -> None:
        self.state = LimitState(rate, day_exhausted=False)
        self.process_count = 1
        """How many processes share the rate. Each keeps to its share where it decides alone."""
        self._paused_until = -math.inf
        # Only used while the day is exhausted.
        self._next_probe_at = -math.inf
        self._last_number = NO_NUMBER
        # The last `limit` requests, by time. It is always full, so that the request `limit` places
        # back exists. A lower advertised limit uses the end of it.
        self._sends = deque([_NO_SEND] * rate.limit, maxlen=rate.limit)
        # By number.
        self._waiting = list[Waiting]()

    def perform(self, operation: Operation, now: float, timestamp: int) -> Decision:
        """Carry out an operation.

        Args:
            operation: what to do; its key is the one of this queue.
            now: the time.
            timestamp: microseconds since 1970, from which a new reservation takes its number.
        """
        match operation.action:
            case Action.RESERVE:
                return self.reserve(now, timestamp)
            case Action.REBOOK:
                return self.rebook(now, operation.number)
            case Action.RELEASE:
                self.release(operation.number)
            case Action.UPDATE:
                self.update(now, operation)
        return Decision(NO_NUMBER, 0.0, self.state, now)

    def reserve(self, now: float, timestamp: int) -> Decision:
        """Book the next place; nothing is booked while the day is exhausted.

        The API does not document when the day ends. So one request in each window is let through
        to find out.
        """
        if self.state.day_exhausted:
            if now < self._next_probe_at:
                return Decision(NO_NUMBER, 0.0, self.state, now)
            self._next_probe_at = now + self.state.rate.seconds
        # Two reservations can have the same microsecond, and the system clock can be put back.
        self._last_number = max(timestamp, self._last_number + 1)
        return self._book(now, self._last_number)

    def rebook(self, now: float, number: int) -> Decision:
        """Book a place for an existing number: before all higher numbers."""
        self.release(number)
        return self._book(now, number)

    def release(self, number: int) -> None:
        """Remove a reservation, whether it waits or was permitted. Those behind it move forward."""
        index = bisect_left(self._waiting, number, key=_number)
        if index < len(self._waiting) and self._waiting[index].number == number:
            del self._waiting[index]
        send = self._find_send(number)
        if send is not None:
            self._sends.remove(send)
            self._sends.appendleft(_NO_SEND)

    def update(self, now: float, operation: Operation) -> None:
        """Apply what a response says that arrives now."""
        self._count_later(now, operation.number)
        if operation.state is None:
            return
        self.state = operation.state
        # A pause never ends a longer one.
        self._paused_until = max(self._paused_until, now + operation.pause)
        self._next_probe_at = now + self.state.rate.seconds

    def recent_sends(self, now: float) -> list[Send]:
        """Return the requests that still count."""
        window = self.state.rate.stretched_seconds
        return [send for send in self._sends if now - send.counted_at < window]

    def has_recent_send(self, now: float) -> bool:
        """Return whether a request still counts: whether the last one does."""
        return now - self._sends[-1].counted_at < self.state.rate.stretched_seconds

    def record_send(self, send: Send) -> None:
        """Add a request that was permitted elsewhere."""
        if send.number != NO_NUMBER:
            # It replaces an earlier entry of a reservation that was booked again.
            self.release(send.number)
        self._sends.popleft()
        insort(self._sends, send, key=_counted_at)

    def share(self) -> int:
        """Return how many requests in a window this process may send alone: at least one."""
        return max(1, self.state.rate.limit // self.process_count)

    def _book(self, now: float, number: int) -> Decision:
        self._drop_expired(now)
        position = bisect_left(self._waiting, number, key=_number)
        free_at = self._free_at(now, position)
        if free_at == now:
            self._sends.append(Send(now, number))
        else:
            self._waiting.insert(position, Waiting(number, free_at + GRACE_SECONDS))
        return Decision(number, free_at - now, self.state, now)

    def _drop_expired(self, now: float) -> None:
        """Remove those who are gone from the head of the queue. Elsewhere they block nobody yet."""
        while self._waiting and self._waiting[0].expires_at < now:
            del self._waiting[0]

    def _free_at(self, now: float, position: int) -> float:
        """Return when the place is free that has `position` reservations before it."""
        limit = self.share()
        window = self.state.rate.stretched_seconds
        # Each window serves `limit` of those who wait.
        windows, index = divmod(position, limit)
        # The place is free a window after the request `limit` places before it.
        previous = self._sends[index - limit]
        first_free_at = max(now, self._paused_until, previous.counted_at + window)
        return first_free_at + windows * window

    def _count_later(self, now: float, number: int) -> None:
        """Count a request from its response: the API may have counted it as late as that."""
        send = self._find_send(number)
        if send is None:
            return
        latest = send.counted_at + self.state.rate.seconds * LONGEST_LAG
        self._sends.remove(send)
        insort(self._sends, Send(min(now, latest), number), key=_counted_at)

    def _find_send(self, number: int) -> Send | None:
        for send in self._sends:
            if send.number == number:
                return send
        return None
