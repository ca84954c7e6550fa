"""Keeps the requests of one process within the API's rate limit, so that none is rejected."""

import os
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from weakref import WeakValueDictionary

from .._highlevel import LIMIT_HEADERS, RATE_LIMIT_REQUESTS, RATE_LIMIT_SECONDS
from .._runtime.http import RawResponse
from .._runtime.observed_limits import MAXIMUM_KEYS, ObservedLimits
from .._runtime.rate_limit_status import RateLimitStatus
from .._runtime.scalars import Duration
from .._runtime.waiting import WaitingCalls
from ..errors import DailyRateLimitError
from .headers import (
    LimitState,
    UsualLimit,
    day_end_after_response,
    pause_after_response,
    says_certainly_nothing_new,
    state_after_response,
)
from .rate import configured_rate
from .reservations import (
    LATENESS_TOLERANCE_WINDOWS,
    NO_NUMBER,
    Action,
    Decision,
    Operation,
    ReservationQueue,
)


class Reservation(NamedTuple):
    """A reservation for one request of one rate-limit key.

    With a wait, it is a position in a queue, and permits nothing until `remaining` returns 0.0.
    """

    key: str
    number: int
    """The position in the queue: lower numbers are served first.

    Microseconds since 1970, or one more than the last number.
    """
    requested_at: float
    """When it was reserved, on the rate limit's clock."""
    wait: float
    """Seconds from then until its send time. 0.0: the request is permitted; send it at once."""
    state: LimitState
    """What was known about the key.

    If the day was exhausted, this request finds out whether it still is.
    """


class RateLimit:
    """Limits the requests of one process in any window of time, per rate-limit key.

    All its threads and event loops can share one.

    A caller reserves. It sends at once if the reservation has no wait, and otherwise once
    `remaining` returns 0.0. It releases a reservation that it does not use. No method sleeps. A
    forked process starts without reservations.

    Args:
        limit: requests in a window. The API allows each application 100 in 10 s for each location.
        seconds: length of the window, as a number of seconds or a `timedelta`.
        clock: returns seconds that never decrease.

    Raises:
        ConfigurationError: the limit is not 1 to a million, or the seconds not 1e-6 to 86,400.
    """

    uses_network: bool = False
    """Whether the methods wait for a network. An event loop then calls them in a thread."""

    _active_calls: int = 1
    """How many waiting calls of a key ask at the same time; see `WaitingCalls`."""

    def __init__(
        self,
        limit: int = RATE_LIMIT_REQUESTS,
        seconds: Duration = RATE_LIMIT_SECONDS,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = configured_rate(limit, seconds)
        self._clock = clock
        # What the last response without news said. All responses share it: they usually agree.
        self._usual_limit: UsualLimit | None = None
        # By process id: in a forked process, a lock can be taken for ever by the parent.
        self._locks = dict[int, threading.Lock]()
        # By process id and rate-limit key: a forked process starts with new queues.
        self._queues = lru_cache(MAXIMUM_KEYS)(self._new_queue)
        # The same queues. A look-up here makes no new one, and removes no other.
        self._existing_queues = WeakValueDictionary[tuple[int, str], ReservationQueue]()
        self.waiting_calls = WaitingCalls(self._active_calls)
        """The calls that wait for this rate limit. The sessions of clients use it."""
        self.observed_limits = ObservedLimits(LIMIT_HEADERS, self._now)
        """What responses say about the limits of the API. The sessions of clients fill it."""

    def reserve(self, key: str) -> Reservation:
        """Reserve the next request of a key.

        Raises:
            DailyRateLimitError: the requests of the day are used up. One call in each window
                succeeds, to find out whether they still are.
            RateLimitUnavailableError: a shared rate limit cannot be reached and fails closed.
        """
        return self._book(Operation(Action.RESERVE, key))

    def rebook(self, reservation: Reservation) -> Reservation:
        """Book a send time again for a reservation, which keeps its position in the queue.

        The new reservation has the same number, and the wait from now on. Without a wait, send the
        request at once, and do not rebook that reservation.

        Raises:
            DailyRateLimitError: the requests of the day were used up meanwhile.
            RateLimitUnavailableError: a shared rate limit cannot be reached and fails closed.
        """
        if reservation.wait == 0.0 and not self._is_late(reservation):
            # It was permitted when it was reserved.
            return reservation
        return self._book(Operation(Action.REBOOK, reservation.key, reservation.number))

    def remaining(self, reservation: Reservation) -> float:
        """Return 0.0 and permit the request, or return the seconds until its send time.

        At 0.0, send it at once, and do not ask for this reservation again. Otherwise ask again when
        the seconds have passed. They can also become fewer, so a caller may ask earlier.
        The request is not permitted without another call, which books its send time again.

        Raises:
            DailyRateLimitError: the requests of the day were used up meanwhile.
            RateLimitUnavailableError: a shared rate limit cannot be reached and fails closed.
        """
        return self.rebook(reservation).wait

    def release(self, reservation: Reservation) -> None:
        """Give back a reservation without a request. Those behind it move forward. Never raises."""
        operation = Operation(Action.RELEASE, reservation.key, reservation.number)
        self._perform(operation)
        self.waiting_calls.wake_first(reservation.key)

    def needs_update(self, reservation: Reservation, response: RawResponse | None) -> bool:
        """Return whether `update` has anything to do. It usually has not. Uses no network.

        Args:
            reservation: the reservation that permitted the request.
            response: the response; `None` if the request was sent but got no complete response.
        """
        if self._is_late(reservation):
            return True
        return response is not None and self._has_news(reservation, response)

    def update(self, reservation: Reservation, response: RawResponse | None) -> None:
        """Apply a response: its lateness, another rate, a pause, and whether the day is exhausted.

        Never raises. The arguments are those of `needs_update`.
        """
        operation = self._update_operation(reservation, response)
        self._perform(operation)
        if operation.state is not None:
            # A higher rate lets the first call send earlier. An exhausted day ends its wait.
            self.waiting_calls.wake_first(reservation.key)

    def status(self, key: str) -> RateLimitStatus:
        """Return what is known about the rate limit of a key. Sends no request to the API.

        Never raises.
        """
        # Imported here, which keeps the import of the package fast: few programs need it.
        from .._runtime.limit_status import Usage, limit_status  # noqa: PLC0415

        usage = Usage()
        with self._lock():
            queue = self._existing_queues.get((os.getpid(), key))
            if queue is not None:
                now = self._clock()
                usage = Usage(len(queue.recent_requests(now)), queue.waiting_count(now))
        return limit_status(self.observed_limits, key, usage)

    def _now(self) -> float:
        """Return the time of the clock. A test can replace the clock."""
        return self._clock()

    def _book(self, operation: Operation) -> Reservation:
        """Carry out an operation that books."""
        decision = self._perform(operation)
        if decision.number == NO_NUMBER:
            # Nothing was booked, since the day is exhausted.
            raise _daily_limit_error(decision.day_ends_in or None)
        return Reservation(
            operation.key, decision.number, decision.decided_at, decision.wait, decision.state
        )

    def _update_operation(
        self, reservation: Reservation, response: RawResponse | None
    ) -> Operation:
        if response is None or not self._has_news(reservation, response):
            # Only the request counts later.
            return Operation(Action.UPDATE, reservation.key, reservation.number)
        return Operation(
            Action.UPDATE,
            reservation.key,
            reservation.number,
            state=state_after_response(reservation.state, response, self._rate),
            pause=pause_after_response(response, self._rate),
            day_ends_in=day_end_after_response(response, time.time()),
        )

    def _has_news(self, reservation: Reservation, response: RawResponse) -> bool:
        """Return whether a response changes anything. It runs after every request."""
        if says_certainly_nothing_new(response, reservation.state, self._usual_limit):
            return False
        has_news = self._changes_state(reservation, response)
        if not has_news:
            self._usual_limit = UsualLimit.of(response, reservation.state)
        return has_news

    def _changes_state(self, reservation: Reservation, response: RawResponse) -> bool:
        if pause_after_response(response, self._rate) > 0.0:
            return True
        state = state_after_response(reservation.state, response, self._rate)
        if state != reservation.state:
            return True
        # This request found out that the exhausted day is not over.
        return state.day_exhausted and day_end_after_response(response, time.time()) > 0.0

    def _is_late(self, reservation: Reservation) -> bool:
        """Return whether it is too late now, to send the request or to get its response."""
        due_at = reservation.requested_at + reservation.wait
        tolerance = reservation.state.rate.seconds * LATENESS_TOLERANCE_WINDOWS
        return self._clock() - due_at > tolerance

    def _perform(self, operation: Operation) -> Decision:
        """Carry out an operation. `RedisRateLimit` has Redis do it."""
        with self._lock():
            queue = self._queues(os.getpid(), operation.key)
            # Read under the lock, so that no later operation has an earlier time.
            return queue.perform(operation, self._clock(), timestamp())

    def _lock(self) -> threading.Lock:
        """Return the lock of this process, for all rate-limit keys."""
        process_id = os.getpid()
        lock = self._locks.get(process_id)
        if lock is None:
            # Atomic, so that all threads get the same lock.
            lock = self._locks.setdefault(process_id, threading.Lock())
        return lock

    def _new_queue(self, process_id: int, key: str) -> ReservationQueue:
        """Return a new queue. `lru_cache` stores it by the arguments."""
        queue = ReservationQueue(self._rate)
        self._existing_queues[process_id, key] = queue
        return queue


def timestamp() -> int:
    """Return the microseconds since 1970, from which reservations take their numbers."""
    return time.time_ns() // 1000


def _daily_limit_error(retry_after: float | None) -> DailyRateLimitError:
    return DailyRateLimitError(
        "the API's requests of the day are used up for this location: "
        "call again on the API's next day",
        status_code=429,
        attempts=0,
        retry_after=retry_after,
        headers={},
        request_id=None,
        body=None,
        messages=[],
    )
