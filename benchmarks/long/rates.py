"""Measures how much of the rate limit busy callers get, and whether a call is rejected or lost.

Each run has forty callers that call as fast as they can: threads, tasks, threads over three
locations, processes that share a rate limit in Redis, and processes whose Redis is away for the
second third of the time. The table shows for each run:

- calls: how many were made;
- 429: how many requests the emulator rejected;
- lost: calls that raised, or that succeeded without an effect in the emulator;
- used: percent of what the window allows, for the location with the lowest value. With N accepted
  requests in the S seconds between the first one and the last one before the callers stop, it is
  (N - limit) / (limit * S / window). The first `limit` requests are free; each window then allows
  `limit` more. Within less than a window, it is N / limit. It is 0 to 100 %: a strict window never
  allows more, and one with `--slack` counts as 100 %;
- order: whether the reservations of each location are in the order of the calls to `reserve`;
- late: the most milliseconds by which a request arrived after one with a later reservation. It is
  not checked: reservations of one burst are due at the same time, and threads race to the socket.
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
from collections.abc import Callable, Iterator
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, count
from multiprocessing.synchronize import Barrier
from operator import attrgetter

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
    RecordedRequest,
    in_processes,
    print_table,
    print_verdict,
    served,
)

PROCESSES = 4
LOCATIONS = 3

REDIS_JITTER = 0.1
"""Seconds by which a reservation in Redis may seem out of order: a reply on a busy machine."""

NUMBERS_OF_PROCESS = 10_000_000
"""How many call numbers each process has to itself."""

_call_number: ContextVar[int] = ContextVar("call_number")
"""The number of the present call in a thread or task, for the reservation that it makes."""


@dataclass(frozen=True)
class Options:
    """The options of the program."""

    seconds: float
    """Length of each run."""
    limit: int
    """Requests in a window."""
    window: float
    """Seconds."""
    callers: int
    minimum_use: float
    """Percent of the window that has to be used."""
    maximum_rejected: int
    """Requests of a run that the emulator may reject."""
    slack: float
    """Seconds by which the emulator's window is shorter.

    A short window needs some: its stretch is less than the jitter of a machine.
    """

    @property
    def emulator_limits(self) -> RateLimits:
        """The emulator's rate limit. With slack, its 429 states a Retry-After, to save time."""
        return RateLimits(
            burst=self.limit, interval=self.window - self.slack, retry_after=self.slack > 0
        )


@dataclass(frozen=True)
class Booking:
    """One reservation. Times are of `time.monotonic`, which all processes of a machine share."""

    call: int
    """The number of the call."""
    key: str
    started_at: float
    """When the call asked for it."""
    ended_at: float
    place: float
    """The number of the reservation, in seconds. Requests are sent in this order."""


@dataclass(frozen=True)
class Outcome:
    """The result of a call."""

    call: int
    """The number of the call."""
    error: str
    """The name of the exception; empty for a success."""


@dataclass(frozen=True)
class Work:
    """What the callers of one process did."""

    outcomes: list[Outcome]
    bookings: list[Booking]


class RecordingRateLimit(RateLimit):
    """A rate limit that records its reservations."""

    @cached_property
    def bookings(self) -> list[Booking]:
        """All reservations so far."""
        return []

    def reserve(self, key: str) -> Reservation:
        """Reserve, and record when."""
        started_at = time.monotonic()
        reservation = super().reserve(key)
        ended_at = time.monotonic()
        place = reservation.number / 1e6
        self.bookings.append(Booking(_call_number.get(), key, started_at, ended_at, place))
        return reservation


class RecordingRedisRateLimit(RecordingRateLimit, RedisRateLimit):
    """A shared rate limit that records its reservations."""


class Redis:
    """A redis-server on a free loopback port, which stores nothing on disk."""

    def __init__(self, executable: str, folder: str) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            port = int(listener.getsockname()[1])
        self._command = [executable, "--dir", folder, "--bind", "127.0.0.1", "--port", str(port)]
        # Both ways of storing on disk are off.
        self._command += ["--save", "", "--appendonly", "no"]
        self.url = f"redis://127.0.0.1:{port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        lines = self._process.stdout or ()
        if not any("Ready to accept connections" in line for line in lines):
            raise SystemExit("redis-server did not start")

    def stop(self) -> None:
        """Kill it. It loses its data."""
        self._process.kill()
        self._process.communicate()


# The callers


def call_in_threads(
    url: str,
    rate_limit: RecordingRateLimit,
    locations: int,
    callers: int,
    end: float,
    first_call: int = 0,
) -> Work:
    """Call with one client in threads, until `end`.

    Each thread has one location and one conversation. The calls are numbered from `first_call`.
    """
    outcomes = list[Outcome]()
    numbers = count(first_call)

    def call_until_end(caller: int) -> None:
        for call in calls_until(end, numbers):
            try:
                client.conversations.update_conversation(
                    f"conversation-{first_call + caller}",
                    location_id=location_name(caller % locations),
                    unread_count=call,
                )
                outcomes.append(Outcome(call, ""))
            except LeadConnectorError as error:
                outcomes.append(Outcome(call, type(error).__name__))

    with LeadConnector(token=TOKEN, base_url=url, rate_limit=rate_limit) as client:
        threads = [
            threading.Thread(target=call_until_end, args=(caller,)) for caller in range(callers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return Work(outcomes, rate_limit.bookings)


async def call_in_tasks(url: str, rate_limit: RecordingRateLimit, callers: int, end: float) -> Work:
    """Call with one client in tasks, until `end`. Each task has one conversation."""
    outcomes = list[Outcome]()
    numbers = count()

    async def call_until_end(caller: int) -> None:
        for call in calls_until(end, numbers):
            try:
                await client.conversations.update_conversation(
                    f"conversation-{caller}", location_id=location_name(0), unread_count=call
                )
                outcomes.append(Outcome(call, ""))
            except LeadConnectorError as error:
                outcomes.append(Outcome(call, type(error).__name__))

    async with (
        AsyncLeadConnector(token=TOKEN, base_url=url, rate_limit=rate_limit) as client,
        asyncio.TaskGroup() as group,
    ):
        for caller in range(callers):
            group.create_task(call_until_end(caller))
    return Work(outcomes, rate_limit.bookings)


def call_in_process(
    url: str, redis_url: str, options: Options, ready: Barrier, process: int
) -> Work:
    """Call in the threads of one of the processes that share a rate limit."""
    rate_limit = RecordingRedisRateLimit(redis_url, options.limit, options.window)
    callers = options.callers // PROCESSES
    # All processes start at the same time.
    ready.wait(PATIENCE)
    end = time.monotonic() + options.seconds
    with closing(rate_limit):
        return call_in_threads(
            url, rate_limit, 1, callers, end, first_call=process * NUMBERS_OF_PROCESS
        )


def calls_until(end: float, numbers: Iterator[int]) -> Iterator[int]:
    """Yield the number of each call of a caller, and set it for the reservation, until `end`."""
    while time.monotonic() < end:
        number = next(numbers)
        _call_number.set(number)
        yield number


def location_name(number: int) -> str:
    """Return the name of a location; the first one is that of the spec's examples."""
    return f"{LOCATION}{number or ''}"


# The results


@dataclass
class Row:
    """The result of a run."""

    title: str
    calls: int
    rejected: int
    lost: int
    used: float
    """Percent."""
    ordered: bool
    late: float
    """Milliseconds."""

    def cells(self) -> list[str]:
        """Return the row of the table."""
        return [
            self.title,
            str(self.calls),
            str(self.rejected),
            str(self.lost),
            f"{self.used:.1f} %",
            "kept" if self.ordered else "BROKEN",
            f"{self.late:.1f} ms",
        ]

    def failed_checks(self, options: Options) -> list[str]:
        """Return the checks that failed."""
        checks = {
            "no call is lost": self.lost == 0,
            f"at most {options.maximum_rejected} requests are rejected": (
                self.rejected <= options.maximum_rejected
            ),
            f"{options.minimum_use:g} % of the window is used": self.used >= options.minimum_use,
            "reservations are in the order of the calls": self.ordered,
        }
        return [f"{self.title}: {check}" for check, passed in checks.items() if not passed]


@dataclass(frozen=True)
class LocationResult:
    """The result of a run for one location."""

    used: float
    """Percent."""
    ordered: bool
    late: float
    """Seconds."""


def evaluate(
    title: str,
    works: list[Work],
    record: EmulatorRecord,
    options: Options,
    end: float,
    jitter: float,
) -> Row:
    """Compare what the callers and the emulator recorded of a run.

    Args:
        title: the name of the run.
        works: what the callers of each process did.
        record: what the emulator recorded.
        options: the options of the program.
        end: when the callers stopped.
        jitter: seconds by which a reservation may seem out of order.
    """
    outcomes = [outcome for work in works for outcome in work.outcomes]
    bookings = [booking for work in works for booking in work.bookings]
    lost = lost_calls(outcomes, record.requests)
    for outcome in lost[:5]:
        print(f"lost: {outcome}")
    # Each location has a rate limit of its own. The table shows the worst values.
    locations = sorted({request.location for request in record.requests})
    results = [
        evaluate_location(location, bookings, record.requests, options, end, jitter)
        for location in locations
    ]
    return Row(
        title,
        calls=len(outcomes),
        rejected=sum(request.status == 429 for request in record.requests),
        lost=len(lost),
        used=min((result.used for result in results), default=0.0),
        ordered=all(result.ordered for result in results),
        late=max((result.late for result in results), default=0.0) * 1000,
    )


def evaluate_location(
    location: str,
    bookings: list[Booking],
    requests: list[RecordedRequest],
    options: Options,
    end: float,
    jitter: float,
) -> LocationResult:
    """Evaluate one location. The arguments are those of `evaluate`."""
    of_location = [booking for booking in bookings if booking.key == location]
    accepted = [
        request for request in requests if request.location == location and request.status == 200
    ]
    arrivals = [request.at for request in accepted if request.at <= end]
    return LocationResult(
        used=used(arrivals, options),
        ordered=in_order(of_location, jitter),
        late=late(places_and_arrivals(of_location, accepted)),
    )


def lost_calls(outcomes: list[Outcome], requests: list[RecordedRequest]) -> list[Outcome]:
    """Return the calls that raised, or that succeeded without an effect."""
    applied = {request.number for request in requests if request.applied}
    return [outcome for outcome in outcomes if outcome.error or outcome.call not in applied]


def places_and_arrivals(
    bookings: list[Booking], requests: list[RecordedRequest]
) -> list[tuple[float, float]]:
    """Return the place and the arrival of each request."""
    # A retried call has several reservations. The last one is that of the accepted request.
    places = {booking.call: booking.place for booking in bookings}
    return [(places[request.number], request.at) for request in requests]


def used(arrivals: list[float], options: Options) -> float:
    """Return the percent of the window that is used, 0 to 100; the module describes the formula."""
    if not arrivals:
        return 0.0
    seconds = max(arrivals) - min(arrivals)
    requests = len(arrivals)
    allowed: float = options.limit
    if seconds >= options.window:
        requests = max(0, len(arrivals) - options.limit)
        allowed = options.limit * seconds / options.window
    return min(100.0, 100 * requests / allowed)


def in_order(bookings: list[Booking], jitter: float) -> bool:
    """Return whether no caller got an earlier place than one that had it before this one asked."""
    by_end = sorted(bookings, key=attrgetter("ended_at"))
    # The last place of this and all earlier bookings.
    last_places = [*accumulate((booking.place for booking in by_end), max)]
    ended = 0
    for booking in sorted(bookings, key=attrgetter("started_at")):
        # Count the bookings that had ended when this one started.
        while by_end[ended].ended_at < booking.started_at:
            ended += 1
        if ended == 0:
            continue
        if booking.place < last_places[ended - 1] - jitter:
            return False
    return True


def late(requests: list[tuple[float, float]]) -> float:
    """Return the most seconds by which a request arrived after one with a later place.

    Args:
        requests: place and arrival of each.
    """
    ordered = sorted(requests)
    places = [place for place, _ in ordered]
    # The first arrival of this and all later places.
    arrivals_from_end = (arrival for _, arrival in reversed(ordered))
    first_arrivals = [*accumulate(arrivals_from_end, min)][::-1]
    longest = 0.0
    later = 0
    for place, arrival in ordered:
        # Skip equal places: their requests are due at the same time.
        while later < len(places) and places[later] <= place:
            later += 1
        if later < len(places):
            longest = max(longest, arrival - first_arrivals[later])
    return longest


# The runs


def run_threads(title: str, options: Options, locations: int) -> Row:
    """Run threads of this process over some locations."""
    rate_limit = RecordingRateLimit(options.limit, options.window)
    with served(EmulatorOptions(rate=options.emulator_limits)) as (url, get_record):
        end = time.monotonic() + options.seconds
        work = call_in_threads(url, rate_limit, locations, options.callers, end)
        return evaluate(title, [work], get_record(), options, end, jitter=0.0)


def run_tasks(title: str, options: Options) -> Row:
    """Run tasks of this process."""
    rate_limit = RecordingRateLimit(options.limit, options.window)
    with served(EmulatorOptions(rate=options.emulator_limits)) as (url, get_record):
        end = time.monotonic() + options.seconds
        work = asyncio.run(call_in_tasks(url, rate_limit, options.callers, end))
        return evaluate(title, [work], get_record(), options, end, jitter=0.0)


def run_processes(title: str, options: Options, executable: str, *, outage: bool) -> Row:
    """Run processes that share a rate limit, with or without an outage of Redis."""
    # Each run has a new Redis, which knows no request to an earlier emulator.
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(executable, folder)
        try:
            return run_processes_with(redis, title, options, outage=outage)
        finally:
            redis.stop()


def run_processes_with(redis: Redis, title: str, options: Options, *, outage: bool) -> Row:
    """Run processes that share a rate limit in this Redis."""
    with served(EmulatorOptions(rate=options.emulator_limits)) as (url, get_record):
        # The processes and this one, which knows then when they started.
        ready = SPAWN.Barrier(PROCESSES + 1)
        arguments = [(url, redis.url, options, ready, number) for number in range(PROCESSES)]
        get_works: Callable[[], list[Work]] = in_processes(call_in_process, arguments)
        ready.wait(PATIENCE)
        start = time.monotonic()
        if outage:
            sleep_until(start + options.seconds / 3)
            redis.stop()
            sleep_until(start + options.seconds * 2 / 3)
            redis.start()
        works = get_works()
        end = start + options.seconds
        return evaluate(title, works, get_record(), options, end, REDIS_JITTER)


def sleep_until(moment: float) -> None:
    """Sleep until a time of `time.monotonic`."""
    time.sleep(max(0.0, moment - time.monotonic()))


def parse_arguments() -> tuple[Options, str]:
    """Return the options, and the path of redis-server."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each run")
    parser.add_argument("--limit", type=int, default=100, help="requests in a window")
    parser.add_argument("--window", type=float, default=10.0, help="seconds")
    parser.add_argument("--callers", type=int, default=40)
    parser.add_argument(
        "--min-use",
        dest="minimum_use",
        type=float,
        default=95.0,
        help="percent of the window that have to be used",
    )
    parser.add_argument(
        "--max-rejected",
        dest="maximum_rejected",
        type=int,
        default=0,
        help="requests of a run that may be rejected with 429",
    )
    parser.add_argument(
        "--slack", type=float, default=0.0, help="seconds by which the emulator's window is shorter"
    )
    options = Options(**vars(parser.parse_args()))
    executable = shutil.which("redis-server")
    if executable is None:
        parser.error("redis-server is not installed (on Debian: apt install redis-server)")
    return options, executable


def main() -> int:
    """Run everything, one run after the other. Returns 1 if a check failed."""
    options, executable = parse_arguments()
    callers = options.callers
    shared_title = f"{PROCESSES} processes of {callers // PROCESSES} threads, Redis"
    outage_title = "the same, Redis away for a third"
    rows = [
        run_threads(f"{callers} threads", options, locations=1),
        run_tasks(f"{callers} tasks", options),
        run_threads(f"{callers} threads, {LOCATIONS} locations", options, LOCATIONS),
        run_processes(shared_title, options, executable, outage=False),
        run_processes(outage_title, options, executable, outage=True),
    ]
    head = ["", "calls", "429", "lost", "used", "order", "late"]
    print_table([head, *(row.cells() for row in rows)])
    return print_verdict([check for row in rows for check in row.failed_checks(options)])


if __name__ == "__main__":
    sys.exit(main())
