"""Keeps all processes that share a Redis within the API's rate limit, also while Redis is away."""

import os
from enum import Enum, auto
from functools import lru_cache

from .._highlevel import RATE_LIMIT_REQUESTS, RATE_LIMIT_SECONDS
from .._runtime.secrets import Secret
from ..errors import RateLimitUnavailableError
from .circuit_breaker import CircuitBreaker
from .in_process import MAXIMUM_KEYS, RateLimit, timestamp
from .rate import Rate
from .redis_script import (
    RedisScript,
    RedisUnavailableError,
    ScriptReply,
    ScriptRequest,
    SendReport,
    Server,
)
from .reservations import (
    BOOKING_ACTIONS,
    NO_NUMBER,
    Action,
    Decision,
    Operation,
    ReservationQueue,
    Send,
)

PREFIX = "leadconnector:rate-limit"
"""The beginning of the name of each of our keys in Redis."""


class State(Enum):
    """Who decides about one key in one process.

    ASKING ──── Redis fails, or has lost its memory ───▶ LOCAL
      ▲                                                 │   ▲
      │                                  Redis accepts  │   │ Redis fails
      │                                       a report  ▼   │
      └──────────── all processes have reported ──── REPORTING
    """

    ASKING = auto()
    """Redis decides each operation."""
    LOCAL = auto()
    """Redis does not know what this process sends. The process decides alone, within its share."""
    REPORTING = auto()
    """Redis knows what this process sent, but perhaps not what the others sent.

    So the process still decides alone.
    """


class SharedKey:
    """One key in one process: its state, and what the process needs in order to decide alone."""

    def __init__(self, queue: ReservationQueue) -> None:
        self.state = State.ASKING
        # Decides in LOCAL and REPORTING. In ASKING, it only records what this process sends.
        self.queue = queue
        # The memory of Redis that the last reply came from.
        self._memory_id = ""
        # When REPORTING ends, or ended last.
        self._local_until: float | None = None
        # By the last reply in ASKING: when the next request of any process could be sent, and when
        # the last one was sent.
        self._free_at = 0.0
        self._last_send_at = 0.0

    def lose_redis(self, now: float, operation: Operation) -> None:
        """ASKING to LOCAL: Redis failed, or has lost its memory.

        Redis also counted the requests of other processes. If it had a caller wait, they may have
        used this process's share, too. So the unused part of the share counts as sent by them.
        """
        self.state = State.LOCAL
        # A caller that books anew was not told to wait. It starts with the whole share.
        if operation.action is not Action.REBOOK:
            return
        # Before the next request was possible, no other process sent one after the last known.
        counted_at = self._last_send_at if now < self._free_at else now
        unused = self.queue.share() - len(self.queue.recent_sends(now))
        for _ in range(unused):
            self.queue.record_send(Send(counted_at, NO_NUMBER))

    def accept_report(self, now: float, reply: ScriptReply) -> None:
        """LOCAL or REPORTING to REPORTING: Redis knows what this process sent.

        It may not know yet what the other processes sent. So this one continues to decide alone
        until every process has had the time to report.
        """
        self.state = State.REPORTING
        self._local_until = now + reply.local_for

    def lose_report(self) -> None:
        """LOCAL or REPORTING to LOCAL: Redis failed. The next operation repeats the report."""
        self.state = State.LOCAL

    def end_reporting(self, now: float) -> None:
        """REPORTING to ASKING: every process has had the time to report, so Redis decides again."""
        if self.state is not State.REPORTING or self._local_until is None:
            return
        if now >= self._local_until:
            self.state = State.ASKING

    def accept_decision(self, now: float, operation: Operation, reply: ScriptReply) -> None:
        """Stay in ASKING: remember what a decision of Redis says, for the case that it fails."""
        self.queue.state = reply.state
        self.queue.process_count = reply.process_count
        self._free_at = now + reply.free_in
        self._last_send_at = now - reply.last_send_age
        if operation.action not in BOOKING_ACTIONS or reply.number == NO_NUMBER:
            return
        if reply.wait == 0.0:
            # The caller sends now.
            self.queue.record_send(Send(now, reply.number))

    def remember_memory(self, reply: ScriptReply) -> None:
        """In any state: remember which memory of Redis a reply came from."""
        self._memory_id = reply.memory_id

    def request(
        self, operation: Operation, configured: Rate, process: str, now: float
    ) -> ScriptRequest:
        """Return what the script is called with in the present state."""
        sends = [send for send in self.queue.recent_sends(now) if send.number != NO_NUMBER]
        reports = [SendReport(send.number, now - send.counted_at) for send in sends]
        return ScriptRequest(
            operation,
            configured,
            process,
            decided_locally=self.state is not State.ASKING,
            # Without a recent request, it does not matter whether Redis has lost its memory: an
            # idle key expires in Redis.
            memory_id=self._memory_id if sends else "",
            sends=reports if self._must_report(now) else [],
        )

    def _must_report(self, now: float) -> bool:
        """Return whether this process has decided alone within the last window.

        Still true at the start of ASKING: another thread may have sent a request while the last
        report was under way.
        """
        if self.state is not State.ASKING:
            return True
        if self._local_until is None:
            return False
        return now - self._local_until < self.queue.state.rate.stretched_seconds


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
        """Have Redis decide, or decide alone and report that to Redis.

        The lock protects the key in this process. It is never held while Redis is used.
        """
        key = self._keys(os.getpid(), operation.key)
        now = self._clock()
        with self._lock():
            key.end_reporting(now)
        if key.state is State.ASKING:
            return self._ask_redis(key, operation, now)
        return self._decide_and_report(key, operation)

    def _ask_redis(self, key: SharedKey, operation: Operation, now: float) -> Decision:
        """Carry out an operation in the state ASKING."""
        try:
            reply = self._run(key, operation, now)
        except RedisUnavailableError as error:
            if self._must_fail(operation):
                raise _unavailable_error() from error
            return self._lose_redis(key, operation, now)
        if reply.memory_lost:
            return self._lose_redis(key, operation, now)
        with self._lock():
            key.accept_decision(now, operation, reply)
        return Decision(reply.number, reply.wait, reply.state, now)

    def _lose_redis(self, key: SharedKey, operation: Operation, now: float) -> Decision:
        with self._lock():
            key.lose_redis(now, operation)
        return self._decide_and_report(key, operation)

    def _decide_and_report(self, key: SharedKey, operation: Operation) -> Decision:
        """Carry out an operation in the states LOCAL and REPORTING.

        The decision comes before the report, so that the report includes it.
        """
        with self._lock():
            decision = key.queue.perform(operation, self._clock(), timestamp())
        try:
            reply = self._run(key, operation, decision.decided_at)
        except RedisUnavailableError as error:
            with self._lock():
                key.lose_report()
            if self._must_fail(operation):
                self._take_back(key, decision)
                raise _unavailable_error() from error
            return decision
        with self._lock():
            key.accept_report(decision.decided_at, reply)
        return decision

    def _take_back(self, key: SharedKey, decision: Decision) -> None:
        """Release what was booked for a caller that gets an exception: it sends nothing."""
        with self._lock():
            key.queue.release(decision.number)

    def _must_fail(self, operation: Operation) -> bool:
        """Return whether an operation fails without Redis. Only those that permit a request do."""
        return not self._fail_open and operation.action in BOOKING_ACTIONS

    def _run(self, key: SharedKey, operation: Operation, now: float) -> ScriptReply:
        """Run the script.

        Raises:
            RedisUnavailableError: Redis failed now, or did within the last second.
        """
        if not self._circuit_breaker.allows(now):
            raise RedisUnavailableError("not tried again yet")
        with self._lock():
            request = key.request(operation, self._rate, self._process_name(), now)
        try:
            reply = self._redis.run(request)
        except RedisUnavailableError as error:
            self._circuit_breaker.failed(self._clock(), str(error))
            raise
        self._circuit_breaker.succeeded()
        with self._lock():
            key.remember_memory(reply)
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
