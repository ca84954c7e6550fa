"""Keeps all processes that share a Redis within the API's rate limit, also while Redis is away."""

import os
from functools import lru_cache

from .._highlevel import RATE_LIMIT_REQUESTS, RATE_LIMIT_SECONDS
from .._runtime.secrets import Secret
from ..errors import RateLimitUnavailableError
from .circuit_breaker import CircuitBreaker
from .in_process import MAXIMUM_KEYS, RateLimit, timestamp
from .redis_script import RedisScript, RedisUnavailableError, ScriptReply, Server
from .reservations import BOOKING_ACTIONS, Decision, Operation
from .shared_key import SharedKey, State

PREFIX = "leadconnector:rate-limit"
"""The beginning of the name of each of our keys in Redis."""


class RedisRateLimit(RateLimit):
    """A `RateLimit` that is shared by all processes that use the same Redis and prefix.

    Redis decides before each request, once a second while a caller waits, and gets a report of each
    late response. While Redis is away, each process keeps to its share of the limit, or sends
    nothing. Redis is tried again each second. `State` describes the return to it.

    Args:
        server: a URL such as `redis://:password@host:6379/0`, with options of redis-py such as
            `?socket_timeout=2`; or a `redis.Redis` with timeouts of its own.
        limit: requests in a window.
        seconds: length of the window.
        prefix: the beginning of each key in Redis.
        fail_open: whether requests are sent while Redis is away.

    Raises:
        ConfigurationError: an argument is invalid, or redis-py is not installed.
    """

    uses_network = True

    def __init__(
        self,
        server: Server,
        limit: int = RATE_LIMIT_REQUESTS,
        seconds: float = RATE_LIMIT_SECONDS,
        *,
        prefix: str = PREFIX,
        fail_open: bool = True,
    ) -> None:
        secret_server = Secret(server)
        # The URL can contain a password, and a traceback can show local variables.
        del server
        super().__init__(limit, seconds)
        self._redis = RedisScript(secret_server, prefix)
        self._fail_open = fail_open
        self._circuit_breaker = CircuitBreaker()
        # Unique, so that Redis can count the processes of all machines.
        self._name = os.urandom(16).hex()
        self._keys = lru_cache(MAXIMUM_KEYS)(self._new_key)

    def close(self) -> None:
        """Close the connections, also those of a client that was passed. A call opens new ones."""
        self._redis.close()

    def _perform(self, operation: Operation) -> Decision:
        """Have Redis decide, or decide alone and report that to Redis: the key's state says which.

        The lock protects the key in this process. It is never held while Redis is used.
        """
        key = self._keys(os.getpid(), operation.key)
        now = self._clock()
        with self._lock():
            key.return_to_redis(now)
        if key.state is State.ASKING:
            return self._ask_redis(key, operation, now)
        return self._decide_and_report(key, operation)

    def _ask_redis(self, key: SharedKey, operation: Operation, now: float) -> Decision:
        """Carry out an operation in the state ASKING."""
        try:
            reply = self._run(key, operation, now, decided_locally=False)
        except RedisUnavailableError as error:
            if self._must_fail(operation):
                raise _unavailable_error() from error
            return self._leave_redis(key, operation, now)
        if reply.memory_lost:
            return self._leave_redis(key, operation, now)
        with self._lock():
            key.remember_decision(now, operation, reply)
        return Decision(reply.number, reply.wait, reply.state, now)

    def _leave_redis(self, key: SharedKey, operation: Operation, now: float) -> Decision:
        with self._lock():
            key.leave_redis(now, operation)
        return self._decide_and_report(key, operation)

    def _decide_and_report(self, key: SharedKey, operation: Operation) -> Decision:
        """Carry out an operation in the states LOCAL and REPORTING.

        The decision comes before the report, so that the report includes it.
        """
        with self._lock():
            decision = key.queue.perform(operation, self._clock(), timestamp())
        try:
            reply = self._run(key, operation, decision.decided_at, decided_locally=True)
        except RedisUnavailableError as error:
            with self._lock():
                key.stop_reporting()
            if self._must_fail(operation):
                self._take_back(key, decision)
                raise _unavailable_error() from error
            return decision
        with self._lock():
            key.start_reporting(decision.decided_at, reply)
        return decision

    def _take_back(self, key: SharedKey, decision: Decision) -> None:
        """Release what was booked for a caller that gets an exception: it sends nothing."""
        with self._lock():
            key.queue.release(decision.number)

    def _must_fail(self, operation: Operation) -> bool:
        """Return whether an operation fails without Redis. Only those that permit a request do."""
        return not self._fail_open and operation.action in BOOKING_ACTIONS

    def _run(
        self, key: SharedKey, operation: Operation, now: float, *, decided_locally: bool
    ) -> ScriptReply:
        """Have the script decide, or report to it what was decided locally.

        Raises:
            RedisUnavailableError: Redis failed now, or did within the last second.
        """
        if not self._circuit_breaker.allows(now):
            raise RedisUnavailableError("not tried again yet")
        with self._lock():
            request = key.request(
                operation,
                self._rate,
                self._process_name(),
                now,
                decided_locally=decided_locally,
            )
        try:
            reply = self._redis.run(request)
        except RedisUnavailableError as error:
            self._circuit_breaker.failed(self._clock(), str(error))
            raise
        self._circuit_breaker.succeeded()
        return reply

    def _process_name(self) -> str:
        """Return the name of this process in Redis. A forked process has another one."""
        return f"{self._name}-{os.getpid()}"

    def _new_key(self, process: int, key: str) -> SharedKey:
        return SharedKey(self._new_queue(process, key))


def _unavailable_error() -> RateLimitUnavailableError:
    return RateLimitUnavailableError(
        "the rate limit's Redis does not respond: nothing is sent until it does"
    )
