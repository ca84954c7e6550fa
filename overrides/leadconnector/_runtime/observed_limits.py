"""Remembers what the latest responses say about the rate limit of each key.

The headers are stored as text, since nearly all of them are replaced before anybody asks for them.
`limit_status` reads them then. There are two groups: those of the window, and those of the day.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import count
from os import getpid
from typing import NamedTuple

MAXIMUM_KEYS = 10_000
"""Rate-limit keys that are remembered. A further one replaces the least recently used one."""

LONGEST_TEXT = 32
"""Characters of a header that are stored: a `Date` has 29, and a number counts up to 15 digits."""

REORDERING_SECONDS = 60.0
"""How long a response prevents that a response to an earlier request replaces it.

Later, its window is over. So a clock that is put back, from which reservations take their numbers,
has no lasting effect.
"""


class LimitHeaders(NamedTuple):
    """The names of the rate-limit headers of an API, in lower case."""

    limit: str
    interval: str
    """In milliseconds."""
    remaining: str
    daily_limit: str
    daily_remaining: str
    daily_reset: str


class Observation(NamedTuple):
    """One group of headers of one response."""

    number: int
    """The position of the request among those of its key: a later request has a higher number."""
    received_at: float
    """When the response arrived, by the clock of the `ObservedLimits`."""
    texts: tuple[str, ...]
    """The values of the headers, in the order of the group; empty for one that is missing."""


class Observations(NamedTuple):
    """The latest headers of each group; `None` if no response had them."""

    window: Observation | None = None
    """The limit, the interval, and the remaining requests."""
    day: Observation | None = None
    """The daily limit, the remaining requests, the reset, and the `Date` of the response."""


NO_OBSERVATIONS = Observations()


class _Record:
    """What is remembered of one key."""

    __slots__ = ("is_shared", "observations", "shared_at")

    def __init__(self) -> None:
        self.observations = NO_OBSERVATIONS
        # Only a rate limit that several processes share uses these two.
        self.is_shared = True
        self.shared_at: float | None = None


class ObservedLimits:
    """The rate-limit headers of the latest response of each key.

    Threads can share it. A forked process starts with a copy.

    Args:
        headers: the names of the headers.
        clock: returns seconds that never decrease.
    """

    def __init__(self, headers: LimitHeaders, clock: Callable[[], float] = time.monotonic) -> None:
        self.headers = headers
        self.clock = clock
        self._numbers = count(1)
        self._records = OrderedDict[str, _Record]()
        # By process id: in a forked process, a lock can be taken for ever by the parent.
        self._locks = dict[int, threading.Lock]()

    def next_number(self) -> int:
        """Return the number of a request that has no reservation, from which it would have one."""
        return next(self._numbers)

    def record(self, key: str, number: int, headers: Mapping[str, str]) -> None:
        """Remember the headers of a response, unless a later request has got its response already.

        It runs after every request.

        Args:
            key: the rate-limit key.
            number: the position of the request.
            headers: by name in lower case.
        """
        names = self.headers
        has_window = names.remaining in headers or names.limit in headers
        has_day = names.daily_remaining in headers or names.daily_limit in headers
        if not has_window and not has_day:
            # Another server can have sent the response: a gateway, for example.
            return
        now = self.clock()
        with self._lock():
            record = self._record_of(key)
            window, day = record.observations
            if has_window and _replaces(number, now, window):
                window = Observation(number, now, self._window_texts(headers))
            if has_day and _replaces(number, now, day):
                day = Observation(number, now, self._day_texts(headers))
            record.observations = Observations(window, day)
            record.is_shared = False

    def observations(self, key: str) -> Observations:
        """Return the latest headers of a key."""
        record = self._records.get(key)
        if record is None:
            return NO_OBSERVATIONS
        return record.observations

    # Sharing with other processes.

    def unshared(self, key: str) -> Observations:
        """Return the latest headers of a key; none if they were shared."""
        record = self._records.get(key)
        if record is None or record.is_shared:
            return NO_OBSERVATIONS
        return record.observations

    def mark_shared(self, key: str, observations: Observations) -> None:
        """Note that other processes can read these headers."""
        if observations is NO_OBSERVATIONS:
            return
        now = self.clock()
        with self._lock():
            record = self._records.get(key)
            # Another response can have arrived meanwhile.
            if record is not None and record.observations is observations:
                record.is_shared = True
                record.shared_at = now

    def is_sharing_due(self, key: str, seconds: float) -> bool:
        """Return whether there are headers to share, and none were shared for some seconds."""
        record = self._records.get(key)
        if record is None or record.is_shared:
            return False
        # Read once: another thread can change it at any time.
        shared_at = record.shared_at
        return shared_at is None or self.clock() - shared_at >= seconds

    def _lock(self) -> threading.Lock:
        process_id = getpid()
        lock = self._locks.get(process_id)
        if lock is None:
            # Atomic, so that all threads get the same lock.
            lock = self._locks.setdefault(process_id, threading.Lock())
        return lock

    def _record_of(self, key: str) -> _Record:
        """Return the record of a key, which becomes the most recently used one."""
        record = self._records.get(key)
        if record is not None:
            self._records.move_to_end(key)
            return record
        record = _Record()
        self._records[key] = record
        if len(self._records) > MAXIMUM_KEYS:
            self._records.popitem(last=False)
        return record

    def _window_texts(self, headers: Mapping[str, str]) -> tuple[str, ...]:
        names = self.headers
        return (
            headers.get(names.limit, "")[:LONGEST_TEXT],
            headers.get(names.interval, "")[:LONGEST_TEXT],
            headers.get(names.remaining, "")[:LONGEST_TEXT],
        )

    def _day_texts(self, headers: Mapping[str, str]) -> tuple[str, ...]:
        names = self.headers
        return (
            headers.get(names.daily_limit, "")[:LONGEST_TEXT],
            headers.get(names.daily_remaining, "")[:LONGEST_TEXT],
            headers.get(names.daily_reset, "")[:LONGEST_TEXT],
            headers.get("date", "")[:LONGEST_TEXT],
        )


def _replaces(number: int, now: float, observation: Observation | None) -> bool:
    """Return whether the response to a request is newer than what is remembered."""
    if observation is None or number >= observation.number:
        return True
    return now - observation.received_at > REORDERING_SECONDS
