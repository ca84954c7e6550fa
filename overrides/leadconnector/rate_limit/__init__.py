"""Keeps one process, or those that share a Redis, within the API's limits: no call is sent only to be refused.

Callers of a key (a location) queue for the next free time to send, first come, first served; nothing waits or sleeps
here. However a window of `seconds` is laid, no more than `limit` sends are in it.
"""

import math
import os
import threading
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .._highlevel import RATE_LIMIT_REQUESTS, RATE_LIMIT_SECONDS
from .._runtime.http import RawResponse
from .._runtime.log import logger
from .._runtime.retry import LONGEST_RETRY_AFTER
from .._runtime.secrets import Secret
from ..errors import ConfigurationError, DailyRateLimitError, RateLimitUnavailableError

if TYPE_CHECKING:
    import redis

STRETCH = 1.005
"""What the window is stretched by: 50 ms in ten seconds, since one call takes longer to the API than another."""

TOLERANCE = (STRETCH - 1) / 2
"""How late a slot that was free may be used, in windows; later it is queued anew, before all who came later. And how
much later its answer may come: after that it counts from its answer, as the API may have counted it that late."""

LONGEST_LAG = 0.04
"""How much later than it was free a slot may count, in windows, so that slow answers do not use up the quota."""

GRACE = 2.0
"""Seconds past its time for which a slot that nobody asks about keeps others waiting: its owner may be gone."""

DAY = 86_400.0
"""Seconds. No window that is configured is longer."""

PREFIX = "leadconnector:rate-limit"
"""What the name of each of our keys in Redis begins with."""

RETRY_SECONDS = 1.0
"""How long a Redis that failed is left alone: one caller then tries, so that not every call waits for a timeout."""

OPTIONS = {
    "max_connections": 16,
    "timeout": 0.5,
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
}
"""Of redis-py: how many threads ask at the same time, and the seconds to wait for one of them and for Redis."""

_NAMES = "x-ratelimit-max", "x-ratelimit-interval-milliseconds", "x-ratelimit-daily-remaining"

Shared: TypeAlias = "str | redis.Redis"
"""What names a Redis: a URL, or a client of it."""

Rate = tuple[int, float]
"""A limit, in requests, and the seconds of the window that it is for."""


class Reservation(NamedTuple):
    """A caller's place in the queue of a key, and what is in force for the key."""

    key: str
    number: int
    """Slots are served in the order of their numbers: microseconds since 1970, or the next; 0: there is no slot."""
    asked: float
    """When this was asked, on the quota's clock."""
    wait: float
    """Seconds from then until the slot may be used."""
    rate: Rate
    exhausted: bool
    """Whether the day's requests are known to be used up: if so, the slot is to find out whether they still are."""


class _Window:
    """One key of one process, with a method for each operation of `RateLimit._act`; `now` is on the quota's clock."""

    def __init__(self, process: int, key: str, rate: Rate) -> None:
        self.rate, self.paused, self.probe, self.last = rate, -math.inf, 0.0, 0
        # When the last slots were free, and their numbers: as many as may count.
        self.sent = deque([(-math.inf, 0)] * rate[0], rate[0])
        # How many processes share the key; until when this one is without Redis; since when that remembers the key;
        # until when nobody can send, since one did last.
        self.sharing, self.alone, self.born, self.next, self.past = 1, -math.inf, 0, 0.0, 0.0
        self.waiting = list[tuple[int, float]]()  # numbers in order, and when each is given up

    def place(self, now: float, number: int) -> tuple[int, float]:
        if number:
            self.release(now, number)
        elif now < self.probe:
            return 0, 0.0
        else:
            self.probe = self.probe and now + self.rate[1]
            self.last = number = max(time.time_ns() // 1000, self.last + 1)
        while self.waiting and self.waiting[0][1] < now:
            del self.waiting[0]
        # Each slot is free a window after the one `limit` places before it.
        limit, length = max(1, self.rate[0] // self.sharing), self.rate[1] * STRETCH
        rounds, rest = divmod(bisect_left(self.waiting, (number,)), limit)
        free = max(now, self.paused, self.sent[rest - limit][0] + length) + rounds * length
        if free == now:
            self.sent.append((now, number))
        else:
            insort(self.waiting, (number, free + GRACE))
        return number, free - now

    def release(self, _: float, number: int) -> None:
        del self.waiting[
            bisect_left(self.waiting, (number,)) : bisect_left(self.waiting, (number + 1,))
        ]
        self.correct(-math.inf, number)

    def correct(self, now: float, number: int, *known: Any) -> None:
        for free in [at for at, each in self.sent if each == number]:
            self.sent.remove((free, number))
            insort(self.sent, (min(now, free + self.rate[1] * LONGEST_LAG), number))
        if known:
            limit, seconds, pause, exhausted = known
            self.rate, self.paused = (limit, seconds), max(self.paused, now + pause)
            self.probe = now + seconds if exhausted else 0.0


class RateLimit:
    """A number of requests in any window of time, per key, for the threads and event loops of one process.

    A caller books a slot, sends once `remaining` is 0.0, and releases a slot that it will not use. A forked process
    starts anew.

    Args:
        limit: requests in a window. The API's documentation allows each app 100 in 10 s for each location.
        seconds: how long the window is.
        clock: gives seconds that never go back.

    Raises:
        ConfigurationError: the limit is not from 1 to a million, or the seconds not from a microsecond to a day.
    """

    uses_network: bool = False
    """Whether the methods wait for a network, so that an event loop is to call them in a thread."""

    def __init__(
        self,
        limit: int = RATE_LIMIT_REQUESTS,
        seconds: float = RATE_LIMIT_SECONDS,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        holds = (
            type(limit) is int
            and 1 <= limit <= 1e6
            and type(seconds) in {int, float}
            and 1e-6 <= seconds <= DAY
        )
        if not holds:
            raise ConfigurationError(
                "a quota's limit must be a positive integer, its seconds 1e-6 to 86,400"
            )
        self._rate, self._clock, self._locks = (
            (limit, round(float(seconds), 6)),
            clock,
            dict[int, threading.Lock](),
        )
        self._window = lru_cache(10_000)(
            _Window
        )  # the key that was not used for the longest time makes room

    def reserve(self, key: str) -> Reservation:
        """The next slot of a key.

        Raises:
            DailyRateLimitError: the day's requests are used up. When they come back is not documented: one call in each
                window is let through to find out.
            RateLimitUnavailableError: a shared quota cannot be asked, and is to fail closed.
        """
        if (slot := self._act("place", key, 0)).number:
            return slot
        text = "the API's requests of the day are used up for this location: call again on the API's next day"
        answer: dict[str, object] = {
            "headers": {},
            "request_id": None,
            "body": None,
            "messages": [],
        }
        raise DailyRateLimitError(text, status_code=429, attempts=0, retry_after=None, **answer)

    def remaining(self, slot: Reservation) -> float:
        """Seconds until the slot may be used. Once it is 0.0, send at once and do not ask for this slot again.

        That changes, to less too: ask again when the seconds have passed, and about once a second until then.

        Raises:
            RateLimitUnavailableError: a shared quota cannot be asked, and is to fail closed.
        """
        return (
            0.0
            if not (slot.wait or self._is_late(slot))
            else self._act("place", slot.key, slot.number).wait
        )

    def release(self, slot: Reservation) -> None:
        """Give back a slot that nothing was, or will be, sent with: those behind it move forward. Never raises."""
        self._act("release", slot.key, slot.number)

    def needs_update(self, reservation: Reservation, response: RawResponse | None) -> bool:
        """Whether `update` has anything to do. Uses no network.

        Args:
            reservation: the reservation that permitted the request.
            response: the response, or `None` if the request was sent but got no whole response.
        """
        return self._correction(reservation, response) is not None

    def update(self, reservation: Reservation, response: RawResponse | None) -> None:
        """Apply what a response says about the rate limit. Never raises; the arguments are those of `needs_update`."""
        if correct := self._correction(reservation, response):
            correct()

    def _correction(
        self, slot: Reservation, answer: RawResponse | None
    ) -> partial[Reservation] | None:
        """What is to be called (it never raises) so that the quota heeds an answer; `None`: it says nothing new.

        New is that it is late, another limit, a pause, the end of the day's requests, and that there are some again.

        Of the headers that matter, what is no whole number is ignored.

        Args:
            slot: what the request was sent with.
            answer: to it. After 429 the key pauses: for what it asks, else the interval that the headers name, else a
                window.
        """
        if answer is None:
            return (
                partial(self._act, "correct", slot.key, slot.number)
                if self._is_late(slot)
                else None
            )
        said = [answer.headers.get(name, "") for name in _NAMES]
        limit, interval, left = [int(text[:9]) if text.isdecimal() else None for text in said]
        seconds = min(interval / 1000, LONGEST_RETRY_AFTER) if interval else self._rate[1]
        rate = (
            in_force(*self._rate, limit, seconds)
            if limit and (limit, seconds) != slot.rate
            else slot.rate
        )
        pause = seconds if answer.retry_after is None else answer.retry_after
        pause = min(pause, LONGEST_RETRY_AFTER) if answer.status_code == 429 else 0.0
        exhausted = slot.exhausted if left is None else left == 0
        if rate != slot.rate or pause or exhausted != slot.exhausted:
            return partial(self._act, "correct", slot.key, slot.number, *rate, pause, exhausted)
        return partial(self._act, "correct", slot.key, slot.number) if self._is_late(slot) else None

    def _is_late(self, slot: Reservation) -> bool:
        return self._clock() - slot.asked - slot.wait > slot.rate[1] * TOLERANCE

    def _act(self, operation: str, key: str, *values: float) -> Reservation:
        """Carry out an operation, and say what holds after it.

        Of a slot's number, `place` gives the wait: it is booked if it is 0, and queued if it is not known here or is
        long past; `release` gives it back; `correct` has it count from now, and heeds what is given: a
        rate's two, seconds to pause, whether the day's requests are used up.
        """
        # Each process has its own: in a forked one a lock may be held for ever, by a thread that is not there.
        process = os.getpid()
        with self._locks.get(process) or self._locks.setdefault(process, threading.Lock()):
            now, window = self._clock(), self._window(process, key, self._rate)
            number, wait = getattr(window, operation)(now, *values) or (0, 0.0)
            return Reservation(key, number, now, wait, window.rate, window.probe > 0)


class RedisRateLimit(RateLimit):
    """A `RateLimit` that all share who name the same Redis and prefix.

    Redis is asked before each request, each second while one waits, and told where an answer came late. While it is
    away, each process keeps to its share of the limit, or no call is sent; it is tried again each second. When it is
    back, each process tells it what it sent, and keeps to its share until all can have told; then it is asked again.

    Args:
        server: a URL such as `redis://:password@host:6379/0`, where options of redis-py may follow, such as
            `?socket_timeout=2`; or a `redis.Redis`, with timeouts of its own.
        limit: requests in a window.
        seconds: how long the window is.
        prefix: what each name in Redis begins with.
        fail_open: whether calls go on while Redis is away.

    Raises:
        ConfigurationError: an argument is not acceptable, or redis-py is not installed.
    """

    uses_network = True

    def __init__(
        self,
        server: Shared,
        limit: int = RATE_LIMIT_REQUESTS,
        seconds: float = RATE_LIMIT_SECONDS,
        *,
        prefix: str = PREFIX,
        fail_open: bool = True,
    ) -> None:
        given = Secret(server)
        del server  # it may hold a password, which no traceback is to show
        super().__init__(limit, seconds)
        self._prefix, self._fail_open, self._retry_at = prefix, fail_open, 0.0
        self._name = os.urandom(
            16
        ).hex()  # of this quota in Redis, where a process is to be known, with its number
        lua = (resources.files(f"{__package__}") / "reserve.lua").read_text(encoding="utf-8")
        problem = "RedisRateLimit needs redis-py: install leadconnector[redis]"
        with suppress(ImportError, AttributeError, TypeError, ValueError):
            redis: Any = import_module("redis")
            problem = "a quota's Redis must be a client, or a URL (not shown here) like redis://:password@host:6379/0"
            if not isinstance(given.reveal(), redis.Redis):
                given = Secret(
                    redis.Redis.from_pool(
                        redis.BlockingConnectionPool.from_url(given.reveal(), **OPTIONS)
                    )
                )
            self._script, self._errors, problem = (
                redis.Redis.register_script(given.reveal(), lua),
                redis.RedisError,
                "",
            )
        if problem:  # here, without its cause, which may quote the URL
            raise ConfigurationError(problem)

    def close(self) -> None:
        """Close the connections, also those of a client that was given. A call opens new ones."""
        self._script.registered_client.close()

    def _act(self, operation: str, key: str, *values: float) -> Reservation:
        own = self._window(os.getpid(), key, self._rate)
        asked, away, problem = self._clock(), self._retry_at, "left alone"
        # What is done alone comes before Redis is told: nobody is to count without it.
        slot = super()._act(operation, key, *values) if own.alone > asked else None
        recent = [
            (asked - at, each) for at, each in list(own.sent) if asked - at < own.rate[1] * STRETCH
        ]
        if asked >= away:
            self._retry_at = (
                away and asked + RETRY_SECONDS
            )  # who comes while this one tries does not wait for it
            # In braces, so that all four are on one node.
            names = [
                f"{self._prefix}:{{{key}}}:{what}"
                for what in ("sent", "waiting", "known", "sharing")
            ]
            sent = [
                value
                for each in recent
                if asked - own.alone < own.rate[1] * STRETCH
                for value in each
            ]
            known = 1 if slot else own.born if recent else 0
            told = [
                operation,
                *self._rate,
                f"{self._name}-{os.getpid()}",
                known,
                len(values),
                *map(float, values),
            ]
            try:
                reply, problem = self._script(names, told + sent), ""
            # What is no error of Redis comes of odd options in its URL.
            except (self._errors, OSError, AttributeError, TypeError, ValueError) as error:
                reply, problem = list[int](), type(error).__name__  # its text may tell of the URL
            if bool(problem) != bool(self._retry_at):
                logger.warning(
                    "the quota's Redis %s",
                    f"does not answer ({problem})" if problem else "answers again",
                )
            self._retry_at = self._clock() + RETRY_SECONDS if problem else 0.0
            if not problem:
                number, limit, exhausted, sharing, own.born, *times = reply
                wait, window, alone, ahead, past = (each / 1e6 for each in times)
                if slot:
                    own.alone = asked + alone
                    return slot
                if known in {0, own.born}:
                    own.sharing, own.rate, own.next, own.past = (
                        sharing,
                        (limit, window),
                        asked + ahead,
                        asked - past,
                    )
                    if operation == "place" and number and not wait:
                        own.sent.append((asked, number))
                    return Reservation(key, number, asked, wait, (limit, window), bool(exhausted))
        if operation == "place" and problem and not self._fail_open:
            raise RateLimitUnavailableError(
                "the Redis of the quota does not answer: nothing is sent until it does"
            )
        # Where callers wait, what is left of this process's part was sent by others within the window.
        if operation == "place" and values[0] and own.alone <= asked:
            own.sent.extend(
                [(own.past if asked < own.next else asked, 0)]
                * (own.rate[0] // own.sharing - len(recent))
            )
        own.alone = math.inf
        return slot or (super()._act if problem else self._act)(
            operation, key, *values
        )  # itself, if Redis forgot


def in_force(most: int, window: float, limit: int, seconds: float) -> Rate:
    """The rate that keeps both to the configured one and to the one that the API names."""
    if limit >= most * math.ceil(seconds / window):
        return most, window
    return min(limit, most), max(seconds, window * min(limit, most) / most)
