"""The log of exchanges: the latest ones, within a bound in bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from .messages import Exchange
from .sizes import check_bound, size_of_exchange

MAXIMUM_LOG_BYTES = 64 * 1024 * 1024
"""The bytes of the exchanges that the log keeps by default."""

PART_TO_KEEP = 7 / 8
"""How much of the bound stays in use when the oldest exchanges are dropped. Removing from the
front of a list moves the rest, so the log removes many at once."""


@dataclass(frozen=True)
class LogExcerpt:
    """The latest exchanges."""

    exchanges: list[Exchange]
    total: int
    """The number of all exchanges since the last reset, with the dropped ones."""
    dropped: int
    """The number of exchanges that the log no longer contains."""


class ExchangeLog:
    """Stores the latest exchanges, and counts those that it drops.

    Not thread-safe: the emulator calls it under its lock.

    Args:
        maximum_bytes: the bound. The newest exchange stays in any case.

    Raises:
        TypeError: the bound is not a number.
        ValueError: the bound is negative.
    """

    def __init__(self, maximum_bytes: int = MAXIMUM_LOG_BYTES) -> None:
        check_bound("log_bytes", maximum_bytes)
        self._maximum_bytes = maximum_bytes
        self.clear()

    def clear(self) -> None:
        """Remove every exchange, and count from zero."""
        self.exchanges: list[Exchange] = []
        self.dropped = 0
        self._sizes: deque[int] = deque()
        self._size = 0

    def add(self, exchange: Exchange) -> None:
        """Append an exchange, and drop the oldest ones beyond the bound."""
        # A test may have changed the list, for example cleared it.
        if len(self._sizes) != len(self.exchanges):
            self._measure()
        size = size_of_exchange(exchange)
        self.exchanges.append(exchange)
        self._sizes.append(size)
        self._size += size
        if self._size > self._maximum_bytes:
            self._drop_oldest()

    def latest(self, count: int) -> LogExcerpt:
        """The latest exchanges, at most this many."""
        total = self.dropped + len(self.exchanges)
        return LogExcerpt(self.exchanges[-count:], total, self.dropped)

    def after(self, number: int, count: int) -> LogExcerpt:
        """The exchanges after one with a number, oldest first, at most this many.

        The numbers start at 1, and count the dropped exchanges.
        """
        total = self.dropped + len(self.exchanges)
        start = max(0, number - self.dropped)
        return LogExcerpt(self.exchanges[start : start + count], total, self.dropped)

    def _measure(self) -> None:
        self._sizes = deque(map(size_of_exchange, self.exchanges))
        self._size = sum(self._sizes)

    def _drop_oldest(self) -> None:
        target_size = self._maximum_bytes * PART_TO_KEEP
        count = 0
        while self._size > target_size and len(self._sizes) > 1:
            self._size -= self._sizes.popleft()
            count += 1
        del self.exchanges[:count]
        self.dropped += count
