"""Keeps one process within the API's limits, so that no call is sent only to be refused.

Callers of a key (a location) queue for the next free time to send, first come, first served; nothing waits or sleeps
here. However a window of `seconds` is laid, no more than `limit` sends are in it.
"""

import math
import os
import threading
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from ._retry import LONGEST_ASKED_FOR
from .errors import ConfigurationError, DailyQuotaError

STRETCH = 1.005
"""What the window is stretched by: 50 ms in ten seconds, since one call takes longer to the API than another."""

LONGEST_LAG, LAG_THAT_STAYS = 0.04, 0.998
"""What the window is stretched by besides: how long the slowest answers took, in windows at the most, as the API may
have counted their requests that late; and how much of it is still held against the next answer, if that is quicker."""

TOLERANCE = (STRETCH - 1) / 2
"""How late a slot that was free may be used, in windows. Later it is queued anew, before all who came later."""

GRACE = 2.0
"""Seconds past its time for which a slot that nobody asks about keeps others waiting: its owner may be gone."""

DAY = 86_400.0
"""Seconds. No window that is configured is longer."""

_NAMES = "x-ratelimit-max", "x-ratelimit-interval-milliseconds", "x-ratelimit-daily-remaining"

Rate = tuple[int, float]
"""A limit, in requests, and the seconds of the window that it is for."""

Correction = tuple[int, float, float, bool]
"""What is to hold after an answer: a rate's two, seconds to pause, whether the day's requests are used up."""


class Slot(NamedTuple):
    """A caller's place in the queue of a key, and what is in force for the key."""

    key: str
    number: int
    """Slots are served in the order of their numbers: microseconds since 1970, or the next; 0: there is no slot."""
    asked: float
    """When this was so, on the quota's clock."""
    wait: float
    """Seconds from then until the slot may be used."""
    rate: Rate
    exhausted: bool
    """Whether the day's requests are known to be used up: if so, the slot is to find out whether they still are."""


class _Window:
    """One key of one process, with a method for each operation of `Quota._act`; `now` is on the quota's clock."""

    def __init__(self, process: int, key: str, rate: Rate) -> None:
        self.rate, self.paused, self.probe, self.last = rate, -math.inf, 0.0, 0
        self.sent = [(-math.inf, 0)] * rate[0]  # when the last slots were free, and their numbers: as many as may count
        self.waiting, self.until = list[int](), dict[int, float]()  # numbers in order, and when each is given up

    def place(self, now: float, number: int, lag: float) -> tuple[int, float]:
        if number:
            self.release(now, number)
        elif now < self.probe:
            return 0, 0.0
        else:
            self.probe = self.probe and now + self.rate[1]
            self.last = number = max(time.time_ns() // 1000, self.last + 1)
        while self.waiting and self.until[self.waiting[0]] < now:
            del self.until[self.waiting.pop(0)]
        # Each slot is free a window after the one `limit` places before it.
        limit, length = self.rate[0], self.rate[1] * STRETCH + lag
        rounds, rest = divmod(bisect_left(self.waiting, number), limit)
        free = max(now, self.paused, self.sent[rest - limit][0] + length) + rounds * length
        if free == now:
            self.sent = [*self.sent[1:], (now, number)]
        else:
            insort(self.waiting, number)
            self.until[number] = free + GRACE
        return number, free - now

    def release(self, now: float, number: int) -> None:
        if self.until.pop(number, None) is not None:
            del self.waiting[bisect_left(self.waiting, number)]
        else:
            self.sent = sorted((-math.inf, 0) if sent[1] == number else sent for sent in self.sent)

    def correct(self, now: float, limit: int, seconds: float, pause: float, exhausted: bool) -> None:
        self.rate, self.paused = (limit, seconds), max(self.paused, now + pause)
        self.probe = now + seconds if exhausted else 0.0


class Quota:
    """A number of requests in any window of time, per key, for the threads and event loops of one process.

    A caller books a slot, sends once `remaining` is 0.0, and releases a slot that it will not use. A forked process
    starts anew.

    Args:
        limit: requests in a window. The API's documentation allows each app 100 in 10 s for each location.
        seconds: how long the window is.
        clock: gives seconds that never go back.

    Raises:
        ConfigurationError: the limit is no positive integer, or the seconds are not from a microsecond to a day.
    """

    blocks: bool = False
    """Whether the methods wait for a network, so that an event loop is to call them in a thread."""

    def __init__(self, limit: int = 100, seconds: float = 10.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        if type(limit) is not int or limit < 1 or type(seconds) not in {int, float} or not 1e-6 <= seconds <= DAY:
            raise ConfigurationError("a quota's limit must be a positive integer, its seconds 1e-6 to 86,400")
        self._rate, self._clock, self._locks = (limit, round(float(seconds), 6)), clock, dict[int, threading.Lock]()
        self._lag = 0.0
        self._window = lru_cache(10_000)(_Window)  # the key that was not used for the longest time makes room

    def book(self, key: str) -> Slot:
        """The next slot of a key.

        Raises:
            DailyQuotaError: the day's requests are used up. When they come back is not documented: one call in each
                window is let through to find out.
            QuotaUnavailableError: a shared quota cannot be asked, and is to fail closed.
        """
        slot = self._act("place", key, 0, self._lag)
        if slot.number:
            return slot
        text = "the API's requests of the day are used up for this location: call again on the API's next day"
        answer: dict[str, object] = {"headers": {}, "request_id": None, "body": None, "messages": []}
        raise DailyQuotaError(text, status_code=429, attempts=0, retry_after=None, **answer)

    def remaining(self, slot: Slot) -> float:
        """Seconds until the slot may be used. Once it is 0.0, send at once and do not ask for this slot again.

        That changes, to less too: ask again when the seconds have passed, and about once a second until then.

        Raises:
            QuotaUnavailableError: a shared quota cannot be asked, and is to fail closed.
        """
        fresh = not slot.wait and self._clock() - slot.asked <= slot.rate[1] * TOLERANCE
        return 0.0 if fresh else self._act("place", slot.key, slot.number, self._lag).wait

    def release(self, slot: Slot) -> None:
        """Give back a slot that nothing was, or will be, sent with: those behind it move forward. Never raises."""
        self._act("release", slot.key, slot.number)

    def correct(self, key: str, correction: Correction) -> None:
        """Heed what an answer said: another limit, a pause, the end of the day's requests. Never raises."""
        self._act("correct", key, *correction)

    def correction(
        self, slot: Slot, status: int, headers: Mapping[str, str], retry_after: float | None
    ) -> Correction | None:
        """What an answer says of the quota that was not known when its slot was booked; `None`: nothing.

        Args:
            slot: what the request was sent with; `asked` and `wait` say since when the API may have counted it.
            status: the answer's status. After 429 the key pauses: `retry_after`, else the interval that the headers
                name, else a window.
            headers: the answer's headers; of those that matter, what is no whole number is ignored.
            retry_after: seconds to wait that the answer asks for, where it does.
        """
        lag = min(self._clock() - slot.asked - slot.wait, self._rate[1] * LONGEST_LAG)
        self._lag = max(lag, self._lag * LAG_THAT_STAYS)
        limit, interval, left = (_whole(headers.get(name, "")) for name in _NAMES)
        seconds = min(interval / 1000, LONGEST_ASKED_FOR) if interval else self._rate[1]
        rate = in_force(*self._rate, limit, seconds) if limit and (limit, seconds) != slot.rate else slot.rate
        pause = 0.0 if status != 429 else min(seconds if retry_after is None else retry_after, LONGEST_ASKED_FOR)
        exhausted = slot.exhausted if left is None else left == 0
        changed = rate != slot.rate or pause or exhausted != slot.exhausted
        return (*rate, pause, exhausted) if changed else None

    def _act(self, operation: str, key: str, *values: float) -> Slot:
        """Carry out an operation, and say what holds after it.

        The operations: `place` gives the wait of a slot's number, which is booked if it is 0, and queued if it is not
        known here or is long past, in a window that is some seconds longer; `release` takes a number, `correct` what a
        correction consists of.
        """
        # Each process has its own: in a forked one a lock may be held for ever, by a thread that is not there.
        with self._locks.setdefault(os.getpid(), threading.Lock()):
            now, window = self._clock(), self._window(os.getpid(), key, self._rate)
            number, wait = getattr(window, operation)(now, *values) or (0, 0.0)
            return Slot(key, number, now, wait, window.rate, window.probe > 0)


def in_force(most: int, window: float, limit: int, seconds: float) -> Rate:
    """The rate that keeps both to the configured one and to the one that the API names."""
    return (most, window) if limit >= most * math.ceil(seconds / window) else (min(limit, most), max(seconds, window))


def _whole(text: str) -> int | None:
    return int(text[:9]) if text.isascii() and text.isdigit() else None
