"""Remembers what the latest responses say about the rate limit of each key.

A program rarely asks for them, and each response replaces those before it. So they are stored as
text, and `limit_status` parses them when the program asks. There are two groups, each stored by
itself: the headers of the window, and those of the day. A response may have only one group.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import NamedTuple, TypeVar

Value = TypeVar("Value")

MAXIMUM_KEYS = 10_000
"""How many rate-limit keys are stored: our own bound. A further key replaces the oldest one."""

LONGEST_TEXT = 300
"""Characters of the headers of a response, all together. A response with more is ignored.

Our own bound for the memory: about twice the length of the vendor's headers.
"""

REORDERING_SECONDS = 60.0
"""For 60 s, the response to an earlier request cannot replace that of a later one. Then it can.

An earlier request has a lower number. The numbers of reservations come from a clock. If that clock
is put back, later requests have lower numbers, too. With the limit, their responses are ignored
only for 60 s. The number is our own: six of the vendor's windows of 10 s.
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
    """A later request of the same key has a higher number."""
    received_at: float
    """When the response arrived, by the clock of the `ObservedLimits`."""
    text: str
    """The values of the `LimitHeaders` and of `Date`, in this order, between `SEPARATOR`s."""


class Observations(NamedTuple):
    """For each group of headers, the latest response that has it; `None` if there is none."""

    window: Observation | None = None
    day: Observation | None = None


NO_OBSERVATIONS = Observations()


class ObservedLimits:
    """The rate-limit headers of the latest response of each key.

    Threads use it without a lock, which would double the cost of `record`. If two threads store
    responses of one key at the same moment, that of the earlier request can replace the other one.

    Args:
        headers: the names of the headers.
        clock: returns seconds that never decrease.
    """

    def __init__(self, headers: LimitHeaders, clock: Callable[[], float] = time.monotonic) -> None:
        self.headers = headers
        self.clock = clock
        self._names = (*headers, "date")
        self._numbers = count(1)
        self._windows: dict[str, Observation] = {}
        self._days: dict[str, Observation] = {}
        # What this process shared last. Only a rate limit for several processes uses it.
        self._shared: dict[str, Observations] = {}

    def next_number(self) -> int:
        """Return a number for a request of a client without a rate limit.

        With a rate limit, a request has the number of its reservation instead.
        """
        return next(self._numbers)

    def record(self, key: str, number: int, headers: Mapping[str, str]) -> None:
        """Store the headers of a response, unless those of a later request are stored.

        It runs for every response.

        Args:
            key: the rate-limit key.
            number: the number of the request; see `Observation`.
            headers: by name in lower case.
        """
        names = self.headers
        has_window = names.remaining in headers or names.limit in headers
        has_day = names.daily_remaining in headers or names.daily_limit in headers
        if not has_window and not has_day:
            # The response may be from a gateway, which does not count requests.
            return
        text = SEPARATOR.join([headers.get(name, "") for name in self._names])
        if len(text) > LONGEST_TEXT:
            return
        observation = Observation(number, self.clock(), text)
        if has_window:
            _store(self._windows, key, observation)
        if has_day:
            _store(self._days, key, observation)

    def observations(self, key: str) -> Observations:
        """Return the latest headers of a key in this process."""
        return Observations(self._windows.get(key), self._days.get(key))

    def texts_of(self, observation: Observation) -> Mapping[str, str]:
        """Return the headers of an observation by name; empty if its text has another form."""
        texts = observation.text.split(SEPARATOR)
        if len(texts) != len(self._names):
            # Another process shared it: one with another version of the client, for example.
            return {}
        return dict(zip(self._names, texts, strict=True))

    # Sharing with other processes. `RedisRateLimit` passes headers to Redis with each of its
    # operations, and says here that it did.

    def observations_to_share(self, key: str) -> Observations:
        """Return the latest headers of a key; `NO_OBSERVATIONS` if they were shared already."""
        observations = self.observations(key)
        if observations == self._shared.get(key, NO_OBSERVATIONS):
            return NO_OBSERVATIONS
        return observations

    def mark_shared(self, key: str, observations: Observations) -> None:
        """Record that these headers were shared."""
        if observations == NO_OBSERVATIONS:
            return
        if key not in self._shared:
            _make_room(self._shared)
        self._shared[key] = observations

    def has_never_shared(self, key: str) -> bool:
        """Return whether a key has headers, but none of them were ever shared.

        Only these need an operation of their own. Later headers of the key are shared with the
        next operation, which is at the latest the reservation of the next request.
        """
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
    """Return whether a response arrived shortly after that of a later request."""
    if observation.number >= previous.number:
        return False
    return observation.received_at - previous.received_at <= REORDERING_SECONDS


def _make_room(values: dict[str, Value]) -> None:
    """Remove the value that was added first, if there are too many."""
    while len(values) >= MAXIMUM_KEYS:
        # Another thread can change the dictionary at the same time.
        with suppress(StopIteration, RuntimeError):
            values.pop(next(iter(values)), None)
