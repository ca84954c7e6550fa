"""Remembers what the latest responses say about the rate limit of each key.

The headers are stored as text, since nearly all of them are replaced before anybody asks for them.
`limit_status` reads them then. There are two groups: those of the window, and those of the day. A
response usually has both, but need not.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import NamedTuple, TypeVar

Value = TypeVar("Value")

MAXIMUM_KEYS = 10_000
"""Rate-limit keys that are remembered. A further one replaces the one that was added first."""

LONGEST_TEXT = 300
"""Characters of all headers of a response that are stored. Real ones have half of that."""

REORDERING_SECONDS = 60.0
"""How long a response prevents that a response to an earlier request replaces it.

Later, its window is over. So a clock that is put back, from which reservations take their numbers,
has no lasting effect.
"""

SEPARATOR = "\n"
"""Stands between the headers. No header contains it."""


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
    """The rate-limit headers of one response."""

    number: int
    """The position of the request among those of its key: a later request has a higher number."""
    received_at: float
    """When the response arrived, by the clock of the `ObservedLimits`."""
    text: str
    """The values of the `LimitHeaders` and of `Date`, separated; see `texts_of`."""


class Observations(NamedTuple):
    """The latest response with each group of headers; `None` if there was none."""

    window: Observation | None = None
    day: Observation | None = None


NO_OBSERVATIONS = Observations()


class ObservedLimits:
    """The rate-limit headers of the latest response of each key.

    Threads can share it without a lock, which would cost as much as all the rest. If two responses
    of one key arrive in the same microsecond, that of the earlier request can win.

    Args:
        headers: the names of the headers.
        clock: returns seconds that never decrease.
    """

    def __init__(self, headers: LimitHeaders, clock: Callable[[], float] = time.monotonic) -> None:
        self.headers = headers
        self.clock = clock
        self._names = (*headers, "date")
        self._blanks = ("",) * len(self._names)
        self._numbers = count(1)
        self._windows = dict[str, Observation]()
        self._days = dict[str, Observation]()
        # What other processes know. Only a rate limit that is shared uses it.
        self._shared = dict[str, Observations]()

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
        text = SEPARATOR.join(map(headers.get, self._names, self._blanks))
        if len(text) > LONGEST_TEXT:
            # No number is as long. The memory stays bounded.
            return
        observation = Observation(number, self.clock(), text)
        if has_window:
            _store(self._windows, key, observation)
        if has_day:
            _store(self._days, key, observation)

    def observations(self, key: str) -> Observations:
        """Return the latest headers of a key."""
        return Observations(self._windows.get(key), self._days.get(key))

    def texts_of(self, observation: Observation) -> Mapping[str, str]:
        """Return the headers of an observation by name; none if another process sent garbage."""
        texts = observation.text.split(SEPARATOR)
        if len(texts) != len(self._names):
            return {}
        return dict(zip(self._names, texts, strict=True))

    # Sharing with other processes.

    def unshared(self, key: str) -> Observations:
        """Return the latest headers of a key; none if they were shared."""
        observations = self.observations(key)
        if observations == self._shared.get(key, NO_OBSERVATIONS):
            return NO_OBSERVATIONS
        return observations

    def mark_shared(self, key: str, observations: Observations) -> None:
        """Note that other processes can read these headers."""
        if observations is NO_OBSERVATIONS:
            return
        if key not in self._shared:
            _make_room(self._shared)
        self._shared[key] = observations

    def is_sharing_due(self, key: str) -> bool:
        """Return whether there are headers to share, and none have been shared yet."""
        if key in self._shared:
            return False
        return self.observations(key) != NO_OBSERVATIONS


def _store(latest: dict[str, Observation], key: str, observation: Observation) -> None:
    """Store an observation, unless there is one of a later request."""
    previous = latest.get(key)
    if previous is None:
        _make_room(latest)
    elif _was_overtaken(observation, previous):
        return
    latest[key] = observation


def _was_overtaken(observation: Observation, previous: Observation) -> bool:
    if observation.number >= previous.number:
        return False
    return observation.received_at - previous.received_at <= REORDERING_SECONDS


def _make_room(values: dict[str, Value]) -> None:
    """Remove the value that was added first, if there are too many."""
    while len(values) >= MAXIMUM_KEYS:
        # Another thread can do the same at this moment.
        with suppress(StopIteration, RuntimeError):
            values.pop(next(iter(values)), None)
