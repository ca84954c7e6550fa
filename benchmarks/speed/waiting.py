"""Measures what calls cost that wait for the rate limit of one location.

For each number of calls, one event loop starts them all. The first hundred are sent, and the others
wait. Meanwhile a timer of 50 ms runs in the same loop. The table shows for each number:

- start: seconds until all calls have begun;
- core: the share of a processor core while they wait, in percent;
- late: the most milliseconds by which the timer was late while they wait;
- close: seconds until all calls have raised `ClientClosedError` after the client was closed;
- late: the most milliseconds by which the timer was late meanwhile.

The transport responds at once, so only the client's own code is measured. The rate limit is the one
of a process; with `--redis URL`, it is shared. While the calls start and end, Python's garbage
collector can add up to a second on a busy machine, because millions of objects exist. `--no-gc`
turns it off, in order to measure without it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import time
from dataclasses import asdict, dataclass

import httpx
from leadconnector import AsyncLeadConnector, ClientClosedError, RateLimit, RedisRateLimit

NUMBERS_OF_CALLS = (0, 1, 1_000, 10_000, 30_000)
"""The row of 0 calls shows by how much the machine itself delays the timer."""

TIMER_SECONDS = 0.05
"""The interval of the timer."""

HEADER = f"{'calls':>8} {'start':>10} {'core':>8} {'late':>11} {'close':>10} {'late':>11}"

WAITING_SECONDS = 5.0
"""How long the waiting calls are measured."""

REDIS_RESERVATIONS_PER_SECOND = 400
"""How many calls reserve in a second in Redis, at least. Until all have, none is measured."""

CONVERSATION_ID = "tDtDnQdgm2LXpyiqYvZ6"
RESPONSE = {
    "success": True,
    "conversation": {
        "id": CONVERSATION_ID,
        "locationId": CONVERSATION_ID,
        "contactId": CONVERSATION_ID,
        "deleted": False,
    },
}


class Lateness:
    """A timer in the event loop, which records by how much it is late."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            due_at = time.monotonic() + TIMER_SECONDS
            await asyncio.sleep(TIMER_SECONDS)
            self._longest = max(self._longest, time.monotonic() - due_at)

    def stop(self) -> float:
        """Stop the timer. Returns the most seconds by which it was late."""
        self._task.cancel()
        return self._longest


@dataclass(frozen=True)
class Measurement:
    """The figures of one number of calls. Times are in seconds."""

    calls: int
    start: float
    core: float
    """The share of a processor core, 0 to 1."""
    late_while_waiting: float
    close: float
    late_while_closing: float

    def row(self) -> str:
        """Return the row of the table."""
        return (
            f"{self.calls:>8,} {self.start:>8.2f} s {self.core:>8.1%}"
            f" {self.late_while_waiting * 1000:>8.1f} ms {self.close:>8.2f} s"
            f" {self.late_while_closing * 1000:>8.1f} ms"
        )


async def respond(request: httpx.Request) -> httpx.Response:
    """Return a success."""
    return httpx.Response(200, json=RESPONSE)


async def measure(calls: int, rate_limit: RateLimit) -> Measurement:
    """Start the calls, and measure them while they wait and while they are closed."""
    client = AsyncLeadConnector(
        token="token", transport=httpx.MockTransport(respond), rate_limit=rate_limit
    )

    async def call() -> None:
        await client.conversations.update_conversation(
            CONVERSATION_ID, location_id=CONVERSATION_ID, starred=True
        )

    started_at = time.monotonic()
    tasks = [asyncio.create_task(call()) for _ in range(calls)]
    # Each task runs until it waits. One pass of the event loop starts them all.
    await asyncio.sleep(0)
    start = time.monotonic() - started_at
    # The calls that need not wait finish, and what the start left behind is done.
    await asyncio.sleep(1.0)
    if rate_limit.uses_network:
        await asyncio.sleep(calls / REDIS_RESERVATIONS_PER_SECOND)

    timer = Lateness()
    processor_time = time.process_time()
    await asyncio.sleep(WAITING_SECONDS)
    core = (time.process_time() - processor_time) / WAITING_SECONDS
    late_while_waiting = timer.stop()

    timer = Lateness()
    closed_at = time.monotonic()
    await client.close()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    close = time.monotonic() - closed_at
    late_while_closing = timer.stop()
    if not all(outcome is None or isinstance(outcome, ClientClosedError) for outcome in outcomes):
        raise SystemExit("a call neither succeeded nor raised ClientClosedError")
    return Measurement(calls, start, core, late_while_waiting, close, late_while_closing)


def new_rate_limit(redis: str | None) -> RateLimit:
    """Return a rate limit: the one of the Redis at this URL, if there is one."""
    if redis:
        return RedisRateLimit(redis)
    return RateLimit()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--redis", metavar="URL", help="share the rate limit through this Redis")
    parser.add_argument("--no-gc", action="store_true", help="turn garbage collection off")
    parser.add_argument(
        "--calls", type=int, nargs="+", default=NUMBERS_OF_CALLS, help="the numbers of calls"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    arguments = parser.parse_args()
    if arguments.no_gc:
        gc.disable()
    if not arguments.json:
        print(HEADER)
    for calls in arguments.calls:
        rate_limit = new_rate_limit(arguments.redis)
        measurement = asyncio.run(measure(calls, rate_limit))
        line = json.dumps(asdict(measurement)) if arguments.json else measurement.row()
        print(line, flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
