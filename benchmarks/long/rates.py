"""How much of the vendor's limit callers get who call as fast as they can, and whether any call is refused or lost.

Forty callers in each run: threads, tasks, processes with a shared quota, threads over three locations, and processes
whose Redis is away for the second third of the time. What is told of each run:

- calls: how many were made;
- 429: how many requests the emulator refused;
- lost: calls that raised, or that succeeded and are not in the emulator's state;
- used: of what the window allows, for the location with the least. With N accepted requests in the S seconds between
  the first of them and the last before the callers stop, it is (N - limit) / (limit * S / window): the first `limit`
  are free, after them come `limit` in each window. A strict window never allows more than 100 %;
- order: whether, for each location, no caller got an earlier slot than one whose booking had ended before it asked;
- late: by how many milliseconds at the most a request reached the emulator after one with a later slot (to know, not
  to hold: slots of one burst are equal, and threads race to the socket).
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, count
from multiprocessing.synchronize import Barrier
from typing import NamedTuple

from leadconnector import (
    AsyncLeadConnector,
    LeadConnector,
    LeadConnectorError,
    RateLimit,
    RedisRateLimit,
)
from leadconnector.rate_limit import Reservation
from leadconnector_emulator import RateLimits

from benchmarks.long.served import (
    LOCATION,
    PATIENCE,
    SPAWN,
    TOKEN,
    EmulatorOptions,
    EmulatorRecord,
    in_processes,
    print_table,
    print_verdict,
    served,
)

PROCESSES = 4
LOCATIONS = 3
REDIS_JITTER = 0.1
"""Seconds by which the local time of a slot in Redis may be off: what its answer takes on a busy machine."""

_number: ContextVar[int] = ContextVar("number")


@dataclass(frozen=True)
class Options:
    """How long and how much."""

    seconds: float
    limit: int
    window: float
    callers: int
    least: float
    """Of the window, what has to be used, in percent."""
    refused: int
    """429s that a run may have."""
    slack: float
    """Seconds by which the emulator's window is shorter: that of a short window is less than a machine's jitter."""

    @property
    def rate(self) -> RateLimits:
        """The emulator's; with slack it is not the vendor's anyway, and may say how long who is refused has to wait."""
        return RateLimits(
            burst=self.limit, interval=self.window - self.slack, retry_after=self.slack > 0
        )


class Booked(NamedTuple):
    """One booking. Times are of `time.monotonic`, which all processes of a machine share."""

    number: int
    """The call's."""
    key: str
    begun: float
    ended: float
    time: float
    """The slot's place: in this order slots are served."""


class Outcome(NamedTuple):
    """How a call ended."""

    number: int
    error: str
    """The exception's name; empty for a success."""


class Done(NamedTuple):
    """What the callers of one process did."""

    outcomes: list[Outcome]
    booked: list[Booked]


class Watched(RateLimit):
    """A quota that notes what is booked."""

    @cached_property
    def booked(self) -> list[Booked]:
        """All bookings so far."""
        return []

    def reserve(self, key: str) -> Reservation:
        """As of the quota."""
        begun = time.monotonic()
        slot = super().reserve(key)
        self.booked.append(Booked(_number.get(), key, begun, time.monotonic(), slot.number / 1e6))
        return slot


class WatchedRedis(Watched, RedisRateLimit):
    """The same of a shared one."""


class Redis:
    """A redis-server on a free loopback port, that stores nothing on disk."""

    def __init__(self, executable: str, folder: str) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self._port = int(free.getsockname()[1])
        options = [
            "--save",
            "",
            "--appendonly",
            "no",
            "--bind",
            "127.0.0.1",
            "--port",
            str(self._port),
        ]
        self._command = [executable, *options, "--dir", folder]
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        if not any("Ready to accept connections" in line for line in self._process.stdout or ()):
            raise SystemExit("redis-server did not start")

    def stop(self) -> None:
        """End it: what it held is gone."""
        self._process.kill()
        self._process.communicate()


# The callers


def in_threads(
    url: str, quota: Watched, locations: int, callers: int, end: float, first: int
) -> Done:
    """Threads that call with one client, each in one location and with a conversation of its own."""
    outcomes, numbers = list[Outcome](), count(first)

    def work(place: int) -> None:
        while time.monotonic() < end:
            number = next(numbers)
            _number.set(number)
            try:
                client.conversations.update_conversation(
                    f"conversation-{first + place}",
                    location_id=name(place % locations),
                    unread_count=number,
                )
                outcomes.append(Outcome(number, ""))
            except LeadConnectorError as error:
                outcomes.append(Outcome(number, type(error).__name__))

    with LeadConnector(token=TOKEN, base_url=url, rate_limit=quota) as client:
        threads = [threading.Thread(target=work, args=(place,)) for place in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return Done(outcomes, quota.booked)


async def in_tasks(url: str, quota: Watched, callers: int, end: float) -> Done:
    """Tasks that call with one client, each with a conversation of its own."""
    outcomes, numbers = list[Outcome](), count()

    async def work(place: int) -> None:
        while time.monotonic() < end:
            number = next(numbers)
            _number.set(number)
            try:
                await client.conversations.update_conversation(
                    f"conversation-{place}", location_id=name(0), unread_count=number
                )
                outcomes.append(Outcome(number, ""))
            except LeadConnectorError as error:
                outcomes.append(Outcome(number, type(error).__name__))

    async with (
        AsyncLeadConnector(token=TOKEN, base_url=url, rate_limit=quota) as client,
        asyncio.TaskGroup() as group,
    ):
        for place in range(callers):
            group.create_task(work(place))
    return Done(outcomes, quota.booked)


def in_a_process(url: str, redis: str, options: Options, ready: Barrier, place: int) -> Done:
    """The work of one of the processes that share a quota in Redis."""
    quota = WatchedRedis(redis, options.limit, options.window)
    ready.wait(PATIENCE)
    end = time.monotonic() + options.seconds
    try:
        return in_threads(url, quota, 1, options.callers // PROCESSES, end, place * 10_000_000)
    finally:
        quota.close()


def name(place: int) -> str:
    """What a location is called."""
    return f"{LOCATION}{place or ''}"


# What came of it


@dataclass
class Row:
    """What is told of a run, and what it breaks."""

    title: str
    calls: int
    refused: int
    lost: int
    used: float
    ordered: bool
    late: float

    def cells(self) -> list[str]:
        """As the table has them."""
        order = "kept" if self.ordered else "BROKEN"
        counts = [str(each) for each in (self.calls, self.refused, self.lost)]
        return [self.title, *counts, f"{self.used:.1f} %", order, f"{self.late:.1f} ms"]

    def broken(self, options: Options) -> list[str]:
        """The promises that do not hold."""
        held = {
            "no call is lost": self.lost == 0,
            f"at most {options.refused} requests are refused": self.refused <= options.refused,
            f"{options.least:g} % of the window is used": self.used >= options.least,
            "slots go to who asks first": self.ordered,
        }
        return [f"{self.title}: {promise}" for promise, holds in held.items() if not holds]


def judged(
    title: str,
    done: Iterable[Done],
    told: EmulatorRecord,
    options: Options,
    end: float,
    jitter: float,
) -> Row:
    """What a run is told to be, of what its callers and the emulator saw."""
    outcomes = [outcome for each in done for outcome in each.outcomes]
    booked = sorted(
        (booking for each in done for booking in each.booked), key=lambda booking: booking.begun
    )
    applied = {each.number for each in told.requests if each.applied}
    lost = [outcome for outcome in outcomes if outcome.error or outcome.number not in applied]
    for outcome in lost[:5]:
        print(f"lost: {outcome}")
    keys = sorted({each.location for each in told.requests})
    accepted = {
        key: [each for each in told.requests if each.location == key and each.status == 200]
        for key in keys
    }
    slots = {booking.number: booking.time for booking in booked}
    return Row(
        title,
        len(outcomes),
        sum(each.status == 429 for each in told.requests),
        len(lost),
        min(
            (used([each.at for each in accepted[key] if each.at <= end], options) for key in keys),
            default=0.0,
        ),
        all(
            in_order([booking for booking in booked if booking.key == key], jitter) for key in keys
        ),
        max(
            (late([(slots[each.number], each.at) for each in accepted[key]]) for key in keys),
            default=0.0,
        )
        * 1000,
    )


def used(arrivals: list[float], options: Options) -> float:
    """Percent of what the window allows, as the module says."""
    seconds = max(arrivals) - min(arrivals) if arrivals else 0.0
    return (
        100 * (len(arrivals) - options.limit) / (options.limit * seconds / options.window)
        if seconds
        else 0.0
    )


def in_order(booked: list[Booked], jitter: float) -> bool:
    """Whether none got an earlier slot than one whose booking had ended before it asked."""
    ended = sorted(booked, key=lambda booking: booking.ended)
    latest = [*accumulate((booking.time for booking in ended), max)]
    place = -1
    for booking in booked:  # by when they asked
        while ended[place + 1].ended < booking.begun:
            place += 1
        if place >= 0 and booking.time < latest[place] - jitter:
            return False
    return True


def late(arrivals: list[tuple[float, float]]) -> float:
    """By how much at the most one arrived after one with a later slot, in seconds; of pairs of slot and arrival."""
    arrivals = sorted(arrivals)
    earliest = [*accumulate((at for _, at in reversed(arrivals)), min)][::-1]
    slots = [slot for slot, _ in arrivals]
    worst, following = 0.0, 0
    for slot, at in arrivals:
        while following < len(slots) and slots[following] <= slot:
            following += 1
        if following < len(slots):
            worst = max(worst, at - earliest[following])
    return worst


# The runs


def alone(title: str, options: Options, locations: int = 0) -> Row:
    """Callers in this process: threads over some locations or, without any, tasks."""
    quota = Watched(options.limit, options.window)
    with served(EmulatorOptions(rate=options.rate)) as (url, tell):
        end = time.monotonic() + options.seconds
        if locations:
            done = in_threads(url, quota, locations, options.callers, end, 0)
        else:
            done = asyncio.run(in_tasks(url, quota, options.callers, end))
        return judged(title, [done], tell(), options, end, 0.0)


def together(title: str, options: Options, redis: Redis, outage: bool) -> Row:
    """Callers in several processes, whose Redis is away for the second third of the time where that is wanted."""
    with served(EmulatorOptions(rate=options.rate)) as (url, tell):
        ready = SPAWN.Barrier(PROCESSES + 1)
        each = [(url, redis.url, options, ready, place) for place in range(PROCESSES)]
        wait: Callable[[], list[Done]] = in_processes(in_a_process, each)
        ready.wait(PATIENCE)
        begin = time.monotonic()
        end = begin + options.seconds
        if outage:
            time.sleep(max(0.0, begin + options.seconds / 3 - time.monotonic()))
            redis.stop()
            time.sleep(max(0.0, begin + options.seconds * 2 / 3 - time.monotonic()))
            redis.start()
        return judged(title, wait(), tell(), options, end, REDIS_JITTER)


def main() -> int:
    """Run all, one after the other; 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of each run")
    parser.add_argument("--limit", type=int, default=100, help="requests in a window")
    parser.add_argument("--window", type=float, default=10.0, help="seconds")
    parser.add_argument("--callers", type=int, default=40)
    parser.add_argument(
        "--least", type=float, default=95.0, help="percent of the window that have to be used"
    )
    parser.add_argument("--refused", type=int, default=0, help="429s that a run may have")
    parser.add_argument(
        "--slack", type=float, default=0.0, help="seconds by which the emulator's window is shorter"
    )
    options = Options(**vars(parser.parse_args()))
    executable = shutil.which("redis-server")
    if executable is None:
        parser.error("redis-server is not installed (on Debian: apt install redis-server)")
    callers, share = options.callers, options.callers // PROCESSES
    rows = [
        alone(f"{callers} threads", options, 1),
        alone(f"{callers} tasks", options),
        alone(f"{callers} threads, {LOCATIONS} locations", options, LOCATIONS),
    ]
    runs = {
        f"{PROCESSES} processes of {share} threads, Redis": False,
        "the same, Redis away for a third": True,
    }
    for title, outage in runs.items():
        with tempfile.TemporaryDirectory() as folder:
            redis = Redis(
                executable, folder
            )  # a new one: it knows of nothing that another emulator counted
            try:
                rows.append(together(title, options, redis, outage))
            finally:
                redis.stop()
    head = ["", "calls", "429", "lost", "used", "order", "late"]
    print_table([head, *(row.cells() for row in rows)])
    return print_verdict([each for row in rows for each in row.broken(options)])


if __name__ == "__main__":
    sys.exit(main())
