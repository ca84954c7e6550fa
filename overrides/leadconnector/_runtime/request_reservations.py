"""Reserves the requests of a session with the rate limit, and waits for their send times.

It is the part of `session` that needs the rate limit. The terms are explained there.
"""

from typing import Any

from .call import Call
from .call_io import CallIO
from .call_log import report_rate_limit_wait
from .protocols import RateLimiter, Reservation
from .retry import Attempt
from .waiting import WaitingCall


class RequestReservations:
    """Reserves requests with one rate limit, and reports their outcomes to it.

    Args:
        io: does all that takes time.
        rate_limit: the rate limit.
    """

    def __init__(self, io: CallIO, rate_limit: RateLimiter[Any]) -> None:
        self._io = io
        self._rate_limit = rate_limit

    async def reserve(self, call: Call[Any]) -> Reservation:
        """Reserve the next request of a call, and wait for its send time.

        Raises:
            APITimeoutError: the rate limit permits the request only after the deadline.
            ClientClosedError: the client was closed during the wait.
            DailyRateLimitError: the requests of the day are used up.
            RateLimitUnavailableError: a shared rate limit cannot be reached and fails closed.
        """
        rate_limit = self._rate_limit
        # Before the `try`: if this fails or is cancelled, there is no reservation to release.
        reservation: Reservation = await self._io.reserve(
            rate_limit, rate_limit.reserve, call.rate_limit_key
        )
        try:
            call.check_deadline(wait=reservation.wait, purpose="the rate limit")
            if reservation.wait > 0.0:
                return await self._wait(call, reservation)
        except GeneratorExit:
            # Somebody closes the coroutine. Python permits no `await` in it from now on, so nothing
            # is released. The reservation ends by itself some time after its send time.
            raise
        except BaseException:
            # The calls behind this one move forward. Time limits of gevent, dramatiq and pytest
            # derive from `BaseException`, so `except Exception` would miss them.
            await self._io.call_rate_limit(rate_limit, rate_limit.release, reservation)
            raise
        return reservation

    async def report_outcome(self, reservation: Reservation, attempt: Attempt) -> None:
        """Report the outcome of a request to the rate limit. `release` and `update` never raise."""
        rate_limit = self._rate_limit
        if attempt.was_never_sent:
            await self._io.call_rate_limit(rate_limit, rate_limit.release, reservation)
            return
        response = attempt.response
        # A response usually changes nothing. The check uses no network, so `CallIO` is not needed.
        if rate_limit.needs_update(reservation, response):
            await self._io.call_rate_limit(rate_limit, rate_limit.update, reservation, response)

    async def _wait(self, call: Call[Any], reservation: Reservation) -> Reservation:
        """Wait in the queue of the key until the rate limit permits the request.

        Returns:
            The reservation that permits it. It has the same number.

        Raises:
            APITimeoutError: the rate limit permits the request only after the deadline.
            ClientClosedError: the client was closed meanwhile.
            DailyRateLimitError: the requests of the day were used up meanwhile.
        """
        report_rate_limit_wait(call, reservation.wait)
        waiting_calls = self._rate_limit.waiting_calls
        signal = self._io.new_signal()
        waiting_call = waiting_calls.join(call.rate_limit_key, reservation.number, signal)
        try:
            return await self._sleep_until_permitted(call, reservation, waiting_call)
        except GeneratorExit:
            # The garbage collector can close a coroutine in the middle of any code of this thread,
            # also of code that has the lock of the queue. To leave the queue needs this lock. So
            # the call is only marked. `leave` below then does nothing, and the other calls skip it.
            waiting_call.is_gone = True
            raise
        finally:
            self._io.discard_signal(signal)
            waiting_calls.leave(waiting_call)

    async def _sleep_until_permitted(
        self, call: Call[Any], reservation: Reservation, waiting_call: WaitingCall
    ) -> Reservation:
        """Sleep until the send time or until a signal, and ask the rate limit again.

        It returns and raises like `_wait`.
        """
        rate_limit = self._rate_limit
        while reservation.wait > 0.0:
            seconds = rate_limit.waiting_calls.seconds_to_sleep(waiting_call, reservation.wait)
            await waiting_call.signal.wait(call.seconds_within_deadline(seconds))
            # Here, this is for its error: another thread or task can close the client meanwhile.
            self._io.ensure_open()
            reservation = await self._io.reserve(rate_limit, rate_limit.rebook, reservation)
            call.check_deadline(wait=reservation.wait, purpose="the rate limit")
        return reservation
