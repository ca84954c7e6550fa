"""Decides when each request of one rate-limit key may be sent.

Does no I/O and reads no clock: the caller supplies the time. Reservations are served first come,
first served. However a window is laid over the time, it contains no more than `limit` requests.
"""

import math
from bisect import bisect_left, insort
from collections import deque
from enum import Enum
from operator import attrgetter
from typing import NamedTuple

from .headers import LimitState
from .rate import STRETCH, Rate

LATENESS_TOLERANCE_WINDOWS = (STRETCH - 1) / 2
"""How late a request may be sent, and its response may come, without consequence. In windows.

A window is stretched by `STRETCH - 1`, which is 2 x this tolerance: one for the sending, and one
for the response. `in_process` compares: a reservation that is used later is booked again, and
after a later response the request counts later than it was permitted.
"""

MAXIMUM_LAG_WINDOWS = 0.04
"""At most how much later than it was permitted a request counts after a late response. In windows.

The API counts the request at an unknown time before its response. Without this bound, slow
responses would reduce the possible number of requests without limit. With it, they still cost up
to 4 %. A request that the API counts even later can lead to a 429.
"""

GRACE_SECONDS = 2.0
"""How long a waiting reservation blocks those behind it after its send time.

Callers rebook at their send time, or at most `FALLBACK_SECONDS` x 1.25 later (see `waiting`). A
caller that does not is gone, for example its process ended.
"""

NO_NUMBER = 0
"""Stands where there is no reservation. Numbers of reservations are higher."""


class Action(Enum):
    """What is done with a reservation. The values are the names in the Lua script."""

    RESERVE = "reserve"
    """Book a send time for a new number, at the end of the queue."""
    REBOOK = "rebook"
    """Book a send time for an existing number, which keeps its position in the queue."""
    RELEASE = "release"
    """Give a reservation back: nothing was, or will be, sent with it."""
    UPDATE = "update"
    """Apply what the response to a request says."""


BOOKING_ACTIONS = frozenset({Action.RESERVE, Action.REBOOK})
"""The actions that can permit a request."""


class Operation(NamedTuple):
    """One action on one rate-limit key, in a form that this process and Redis can carry out.

    The last three fields belong to UPDATE. An UPDATE without a state has no pause either: the
    response was late, and says nothing else.
    """

    action: Action
    key: str
    number: int = NO_NUMBER
    """The reservation's number; `NO_NUMBER` to reserve."""
    state: LimitState | None = None
    """The state from now on, even if only the pause is new; `None` if the response says nothing."""
    pause: float = 0.0
    """Seconds from now in which no request of the key is sent."""
    day_ends_in: float = 0.0
    """Seconds until the exhausted day of the API ends; 0.0 if the response does not state it."""


class Decision(NamedTuple):
    """The result of an operation. RELEASE and UPDATE only use the state and the time."""

    number: int
    """The number that was booked; `NO_NUMBER` if the day is exhausted: nothing is permitted."""
    wait: float
    """Seconds from `decided_at` until the booked send time.

    0.0: the request is permitted and counted; send it at once. More: it is not permitted; REBOOK
    after this time, or earlier. Without a number, it has no meaning.
    """
    state: LimitState
    """The state of the key after the operation."""
    decided_at: float
    """When it was carried out: the operation's `now`."""
    day_ends_in: float = 0.0
    """Seconds until the exhausted day of the API ends; 0.0 if that is unknown."""


class PermittedRequest(NamedTuple):
    """A request that was permitted. It counts for one window."""

    counted_at: float
    """When it counts: when it was permitted, or later after an UPDATE."""
    number: int
    """The reservation's number.

    `NO_NUMBER` if another process is assumed to have sent the request.
    """


class Waiting(NamedTuple):
    """A reservation whose send time has not come."""

    number: int
    expires_at: float
    """When it no longer blocks those behind it."""


_PADDING = PermittedRequest(-math.inf, NO_NUMBER)
"""Fills the list of permitted requests. It lies so far in the past that it never counts."""

_number = attrgetter("number")
_counted_at = attrgetter("counted_at")


class ReservationQueue:
    """The reservations of one rate-limit key.

    The protocol of a request:

    1. `reserve` returns a wait. At 0.0, the request is permitted and already counted.
    2. Otherwise it is not permitted, and only waits. The caller sleeps and calls `rebook`, until
       that returns 0.0. Time alone never permits a request.
    3. `release` withdraws it, if it is not sent after all. `update` applies its response.

    Args of the methods:
        now: seconds of the caller's clock. It never decreases from one call to the next.
        number: the number of a reservation, so it is not `NO_NUMBER`.
    """

    def __init__(self, rate: Rate) -> None:
        """Start without reservations.

        Args:
            rate: the configured rate. The limit of `state.rate` never exceeds its limit, since
                an advertised rate never raises the configured one.
        """
        self.state = LimitState(rate, day_exhausted=False)
        self.process_count = 1
        """How many processes share the limit. `SharedKey` sets it from the replies of Redis."""
        self._paused_until = -math.inf
        # Only used while the day is exhausted. A probe is a request that finds out whether it still
        # is. The API may have stated when the day ends.
        self._next_probe_at = -math.inf
        self._probe_number = NO_NUMBER
        self._day_ends_at = -math.inf
        self._last_number = NO_NUMBER
        # The last requests, in the order of `counted_at`. It always contains exactly `rate.limit`
        # entries, so that the request `limit` places before the end exists, for every limit in
        # force.
        self._permitted = deque([_PADDING] * rate.limit, maxlen=rate.limit)
        # In the order of the numbers. A deque, since most changes are at its two ends.
        self._waiting = deque[Waiting]()

    def perform(self, operation: Operation, now: float, timestamp: int) -> Decision:
        """Carry out an operation.

        Args:
            operation: what to do; its key is the one of this queue.
            now: seconds of the caller's clock, for all decisions.
            timestamp: microseconds since 1970, only for the number of a new reservation. They
                order the reservations of all processes.
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
        return self._nothing_booked(now)

    def reserve(self, now: float, timestamp: int) -> Decision:
        """Book the next send time. While the day is exhausted, nothing is booked."""
        # Two reservations can have the same microsecond, and the system clock can be put back.
        number = max(timestamp, self._last_number + 1)
        if not self._day_permits(now, number):
            return self._nothing_booked(now)
        self._last_number = number
        return self._book(now, number)

    def rebook(self, now: float, number: int) -> Decision:
        """Book a send time for an existing number. Its position is before all higher numbers.

        If the day is exhausted, the reservation is removed instead. A probe may have to wait, too,
        and keeps its reservation.
        """
        self.release(number)
        if not self._day_permits(now, number):
            return self._nothing_booked(now)
        return self._book(now, number)

    def release(self, number: int) -> None:
        """Remove a reservation, whether it waits or was permitted. Those behind it move forward."""
        index = self._position(number)
        if index < len(self._waiting) and self._waiting[index].number == number:
            del self._waiting[index]
            # A number that waits was not permitted.
            return
        request = self._find_permitted(number)
        if request is not None:
            self._permitted.remove(request)
            # The number of entries stays the same.
            self._permitted.appendleft(_PADDING)

    def update(self, now: float, operation: Operation) -> None:
        """Apply what a response says that arrives now."""
        # Before the new state: the API counted this request in the window that was in force.
        self._postpone_counting(now, operation.number)
        if operation.state is None:
            return
        self.state = operation.state
        # A pause never ends a longer one.
        self._paused_until = max(self._paused_until, now + operation.pause)
        self.set_day_end(now, operation.day_ends_in)

    def set_day_end(self, now: float, day_ends_in: float) -> None:
        """Set when the next request may find out whether the exhausted day is over.

        Args:
            now: the time.
            day_ends_in: seconds until the API's day ends; 0.0 if the API did not state it. Then an
                earlier statement applies. Without one, one request in each window finds out.
        """
        if day_ends_in > 0.0:
            self._day_ends_at = now + day_ends_in
        if not self.state.day_exhausted:
            self._day_ends_at = -math.inf
        self._next_probe_at = now + self.state.rate.seconds
        if self._day_ends_at > now:
            self._next_probe_at = self._day_ends_at
        self._probe_number = NO_NUMBER

    def recent_requests(self, now: float) -> list[PermittedRequest]:
        """Return the requests that still count."""
        window = self.state.rate.stretched_seconds
        return [request for request in self._permitted if now - request.counted_at < window]

    def has_recent_request(self, now: float) -> bool:
        """Return whether a request still counts: whether the last one does."""
        return now - self._permitted[-1].counted_at < self.state.rate.stretched_seconds

    def waiting_count(self, now: float) -> int:
        """Return how many reservations wait."""
        self._drop_expired(now)
        return len(self._waiting)

    def record_request(self, request: PermittedRequest) -> None:
        """Add a request that was permitted elsewhere: by Redis, or to another process."""
        # Assumed requests have no number. Without this condition, each would replace the last one.
        if request.number != NO_NUMBER:
            # It replaces an earlier entry of a reservation that was booked again.
            self.release(request.number)
        # The number of entries stays the same.
        self._permitted.popleft()
        insort(self._permitted, request, key=_counted_at)

    def local_limit(self) -> int:
        """Return how many requests in a window this process may permit: its share, at least one.

        All bookings use it. A process that shares with no other has the whole limit.
        """
        return max(1, self.state.rate.limit // self.process_count)

    def _day_permits(self, now: float, number: int) -> bool:
        """Return whether the day permits a request. An exhausted one permits one in each window."""
        if not self.state.day_exhausted or number == self._probe_number:
            return True
        if now < self._next_probe_at:
            return False
        self._next_probe_at = now + self.state.rate.seconds
        self._probe_number = number
        return True

    def _nothing_booked(self, now: float) -> Decision:
        """Return a decision without a number, which permits no request."""
        return Decision(NO_NUMBER, 0.0, self.state, now, max(0.0, self._day_ends_at - now))

    def _position(self, number: int) -> int:
        """Return how many reservations wait before a number."""
        # Nearly always, it is the last one or the first one.
        if not self._waiting or self._waiting[-1].number < number:
            return len(self._waiting)
        if self._waiting[0].number >= number:
            return 0
        return bisect_left(self._waiting, number, key=_number)

    def _book(self, now: float, number: int) -> Decision:
        self._drop_expired(now)
        position = self._position(number)
        send_time = self._send_time(now, position)
        # Exact, although they are floats: where nothing delays the request, `_send_time` returns
        # `now` itself.
        if send_time == now:
            # The order stays right, since `now` never decreases. `maxlen` drops the oldest entry.
            # It no longer counts: nor does the one `limit` places back, or `now` were too early.
            self._permitted.append(PermittedRequest(now, number))
        else:
            self._waiting.insert(position, Waiting(number, send_time + GRACE_SECONDS))
        return Decision(number, send_time - now, self.state, now)

    def _drop_expired(self, now: float) -> None:
        """Remove those who are gone from the head of the queue. Elsewhere they block nobody yet."""
        while self._waiting and self._waiting[0].expires_at < now:
            self._waiting.popleft()

    def _send_time(self, now: float, position: int) -> float:
        """Return when the reservation with `position` reservations before it may be sent."""
        limit = self.local_limit()
        window = self.state.rate.stretched_seconds
        # Each window serves `limit` of those who wait.
        windows, index = divmod(position, limit)
        # In the first window, a request follows the one `limit` places before it by a window.
        previous = self._permitted[index - limit]
        in_first_window = max(now, self._paused_until, previous.counted_at + window)
        return in_first_window + windows * window

    def _postpone_counting(self, now: float, number: int) -> None:
        """Count a request from its response: the API may have counted it as late as that.

        `in_process` asks for it if a response was late or changed the state.
        """
        request = self._find_permitted(number)
        if request is None:
            return
        latest = request.counted_at + self.state.rate.seconds * MAXIMUM_LAG_WINDOWS
        self._permitted.remove(request)
        insort(self._permitted, PermittedRequest(min(now, latest), number), key=_counted_at)

    def _find_permitted(self, number: int) -> PermittedRequest | None:
        for request in self._permitted:
            if request.number == number:
                return request
        return None
