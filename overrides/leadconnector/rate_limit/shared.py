"""Shares one rate limit between all processes that use one Redis, and bridges its outages.

A *rate-limit key* is what the API counts requests by, for example a location. A *Redis key* is the
name of a value in Redis. An *update* applies a late or otherwise relevant response. A *report*
names the requests that this process permitted without Redis.
"""

import os
from functools import lru_cache

from .._highlevel import RATE_LIMIT_REQUESTS, RATE_LIMIT_SECONDS
from .._runtime.http import RawResponse
from .._runtime.limit_status import limit_status
from .._runtime.observed_limits import MAXIMUM_KEYS, Observation, Observations
from .._runtime.rate_limit_status import RateLimitStatus
from .._runtime.scalars import Duration
from .._runtime.secrets import Secret
from ..errors import RateLimitUnavailableError
from .circuit_breaker import CircuitBreaker
from .in_process import RateLimit, Reservation, timestamp
from .redis_script import (
    MAXIMUM_CONNECTIONS,
    ReadingRequest,
    RedisScript,
    RedisUnavailableError,
    ScriptReply,
    Server,
    SharedStatus,
)
from .reservations import BOOKING_ACTIONS, NO_NUMBER, Action, Decision, Operation
from .shared_key import SharedKey, State

PREFIX = "leadconnector:rate-limit"
"""The beginning of each Redis key that the script uses."""


class RedisRateLimit(RateLimit):
    """A `RateLimit` that is shared by all processes that use the same Redis and prefix.

    Redis decides before each request, and about once a second for the first waiting caller of each
    key in each process (less often with over 100 waiting keys; see `WaitingCalls`). It also gets an
    update after each late response. While Redis is away, each process keeps to its share of the
    limit, or sends nothing. Redis is tried again each second. `State` describes the return to it.

    While Redis decides, all processes together stay within the limit, as the threads of one
    `RateLimit` do. During an outage and after it, they can exceed it in these cases:

    - The share depends on the number of processes that Redis stated last. A process that starts
      during the outage, or uses a new rate-limit key, assumes that it is alone.
    - A share is at least one request, also where there are more processes than requests.
    - For 1.5 seconds after the first report, some processes decide alone while Redis already
      decides for those that had nothing to report. Each side may use what the other one uses.
    - A process that is idle then reports with its next operation. Until that, Redis does not know
      what the process sent during the outage.

    Args:
        server: a URL such as `redis://:password@host:6379/0`, with options of redis-py such as
            `?socket_timeout=2`; or a `redis.Redis` with timeouts of its own.
        limit: requests in a window.
        seconds: length of the window, as a number of seconds or a `timedelta`.
        prefix: the beginning of each Redis key.
        fail_open: whether requests are sent while Redis is away.

    Raises:
        ConfigurationError: an argument is invalid, or redis-py is not installed.
    """

    uses_network = True
    # They use different connections, so that they need not wait for each other.
    _active_calls = MAXIMUM_CONNECTIONS

    def __init__(
        self,
        server: Server,
        limit: int = RATE_LIMIT_REQUESTS,
        seconds: Duration = RATE_LIMIT_SECONDS,
        *,
        prefix: str = PREFIX,
        fail_open: bool = True,
    ) -> None:
        secret_server = Secret(server)
        # The next lines can raise. A traceback can show local variables, arguments included, and
        # the URL can contain a password.
        del server
        super().__init__(limit, seconds)
        self._redis = RedisScript(secret_server, prefix)
        self._fail_open = fail_open
        self._circuit_breaker = CircuitBreaker()
        # Unique, so that Redis can count the processes of all machines.
        self._name = os.urandom(16).hex()
        # By process id and rate-limit key: a forked process starts with new ones, since it has
        # sent nothing itself.
        self._shared_keys = lru_cache(MAXIMUM_KEYS)(self._new_shared_key)

    def close(self) -> None:
        """Close the connections, also those of a client that was passed. A call opens new ones."""
        self._redis.close()

    def needs_update(self, reservation: Reservation, response: RawResponse | None) -> bool:
        """Return whether `update` has anything to do; see `RateLimit`.

        Headers are shared with the next operation. An operation of their own would be a second one
        for each call. So it is made only for the first response of a key.
        """
        if super().needs_update(reservation, response):
            return True
        return self.observed_limits.has_never_shared(reservation.key)

    def status(self, key: str) -> RateLimitStatus:
        """Return what all processes know about the rate limit of a key. Never raises.

        While Redis is away, it is what this process knows.
        """
        shared = self._read(key)
        if shared is None:
            return super().status(key)
        now = self._clock()
        observations = _with_other_times(shared.observations, now)
        return limit_status(self.observed_limits, key, shared.usage, observations)

    def _read(self, key: str) -> SharedStatus | None:
        """Return what Redis knows about a key; `None` if it does not respond."""
        now = self._clock()
        if not self._circuit_breaker.allows(now):
            return None
        observations = self.observed_limits.observations_to_share(key)
        request = ReadingRequest(key, self._rate, _with_other_times(observations, now))
        try:
            status = self._redis.read(request)
        except RedisUnavailableError as error:
            self._circuit_breaker.failed(self._clock(), str(error))
            return None
        self._circuit_breaker.succeeded()
        self.observed_limits.mark_shared(key, observations)
        return status

    def _perform(self, operation: Operation) -> Decision:
        """Have Redis decide, or decide alone and report that to Redis: the key's state says which.

        The lock protects the key in this process. It is never held while Redis is used.
        """
        key = self._shared_keys(os.getpid(), operation.key)
        # Before Redis is asked: a reservation's lateness is measured from here. So it includes the
        # time that Redis takes, and is never underestimated.
        now = self._clock()
        with self._lock():
            key.end_reporting_period(now)
        # Read without the lock. If another thread changes the state meanwhile, this operation goes
        # on as if it had come a moment earlier. Its report, if any, is complete in each state.
        if key.state is State.ASKING:
            return self._ask_redis(key, operation, now)
        return self._decide_and_report(key, operation)

    def _ask_redis(self, key: SharedKey, operation: Operation, now: float) -> Decision:
        """Carry out an operation in the state ASKING."""
        try:
            reply = self._run_script(key, operation, now, decided_locally=False)
        except RedisUnavailableError as error:
            if self._requires_redis(operation):
                raise _unavailable_error() from error
            return self._continue_without_redis(key, operation, now)
        if reply.memory_lost:
            # Redis has booked nothing, since it does not know what this process sent.
            return self._continue_without_redis(key, operation, now)
        with self._lock():
            key.redis_decided(now, operation, reply)
        return Decision(reply.number, reply.wait, reply.state, now, reply.day_ends_in)

    def _continue_without_redis(self, key: SharedKey, operation: Operation, now: float) -> Decision:
        """Leave the state ASKING, and carry out the operation that Redis did not."""
        with self._lock():
            key.redis_lost(now, operation)
        return self._decide_and_report(key, operation)

    def _decide_and_report(self, key: SharedKey, operation: Operation) -> Decision:
        """Carry out an operation in the states LOCAL and REPORTING.

        The decision comes before the report, so that the report includes it.
        """
        with self._lock():
            decision = key.queue.perform(operation, self._clock(), timestamp())
        try:
            reply = self._run_script(key, operation, decision.decided_at, decided_locally=True)
        except RedisUnavailableError as error:
            with self._lock():
                key.report_failed()
            if self._requires_redis(operation):
                self._take_back(key, decision)
                raise _unavailable_error() from error
            return decision
        if reply.period_over:
            return self._ask_after_late_report(key, operation, decision)
        with self._lock():
            key.report_accepted(decision.decided_at, reply)
        return decision

    def _ask_after_late_report(
        self, key: SharedKey, operation: Operation, decision: Decision
    ) -> Decision:
        """Leave the state REPORTING, and have Redis decide what this process has decided."""
        with self._lock():
            key.report_late()
        if operation.action not in BOOKING_ACTIONS or decision.number == NO_NUMBER:
            # Nothing was permitted.
            return decision
        self._take_back(key, decision)
        # Redis knows the number from the report. A rebooking takes that back there, too.
        rebooking = Operation(Action.REBOOK, operation.key, decision.number)
        return self._ask_redis(key, rebooking, self._clock())

    def _take_back(self, key: SharedKey, decision: Decision) -> None:
        """Release what was booked for a caller that gets an exception: it sends nothing.

        On an exhausted day nothing was booked, so there is no number to release.
        """
        if decision.number == NO_NUMBER:
            return
        with self._lock():
            key.queue.release(decision.number)

    def _requires_redis(self, operation: Operation) -> bool:
        """Return whether an operation fails without Redis: if it could permit a request.

        With `fail_open`, none does.
        """
        return not self._fail_open and operation.action in BOOKING_ACTIONS

    def _run_script(
        self, key: SharedKey, operation: Operation, now: float, *, decided_locally: bool
    ) -> ScriptReply:
        """Have the script decide, or report to it what was decided locally.

        Raises:
            RedisUnavailableError: Redis failed now, or did within the last second.
        """
        if not self._circuit_breaker.allows(now):
            raise RedisUnavailableError("not tried again yet")
        observations = self.observed_limits.observations_to_share(operation.key)
        with self._lock():
            script_request = key.script_request(
                operation,
                self._rate,
                self._process_name(),
                now,
                _with_other_times(observations, now),
                decided_locally=decided_locally,
            )
        try:
            reply = self._redis.run(script_request)
        except RedisUnavailableError as error:
            # The time now: the attempt itself can take as long as its timeout.
            self._circuit_breaker.failed(self._clock(), str(error))
            raise
        self._circuit_breaker.succeeded()
        self.observed_limits.mark_shared(operation.key, observations)
        return reply

    def _process_name(self) -> str:
        """Return the name of this process in Redis. A forked process has another one."""
        return f"{self._name}-{os.getpid()}"

    def _new_shared_key(self, process_id: int, key: str) -> SharedKey:
        """Return a new key. `lru_cache` stores it by the arguments, which have no other use."""
        return SharedKey(self._new_queue(process_id, key))


def _with_other_times(observations: Observations, now: float) -> Observations:
    """Return the same headers with ages in the place of times, or with times in that of ages."""
    return Observations(
        _with_other_time(observations.window, now), _with_other_time(observations.day, now)
    )


def _with_other_time(observation: Observation | None, now: float) -> Observation | None:
    if observation is None:
        return None
    return observation._replace(received_at=now - observation.received_at)


def _unavailable_error() -> RateLimitUnavailableError:
    return RateLimitUnavailableError(
        "the rate limit's Redis does not respond: nothing is sent until it does"
    )
