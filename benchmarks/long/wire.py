"""Sends 54,045 cut responses, 100,000 random streams and 1,000 cancelled calls over real sockets.

A server in another process sends 200 kinds of responses, each cut at every byte, and streams of
random bytes. Both clients make a call for each of them, without retries. Then calls are cancelled
at random moments while all connections are in use. Exit status 1 if a check fails:

- Each call ends with a model or with an exception of the client, within the timeout.
- A response that is cut off is a connection error, and never a success.
- All connections are free afterwards, and no file stays open.
"""

# Only the pools know how many connections are free.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from random import Random
from typing import cast

from leadconnector import APIConnectionError, AsyncLeadConnector, LeadConnector, LeadConnectorError
from leadconnector._runtime.http import parsers
from leadconnector._runtime.http.async_pool import AsyncPool
from leadconnector._runtime.http.h11_parser import H11Parser
from leadconnector._runtime.http.pool import MAXIMUM_CONNECTIONS
from leadconnector._runtime.http.sync_pool import SyncPool
from leadconnector.models import UpdateConversationResponse

from benchmarks.long.fuzzing.cases import seeded_random
from benchmarks.long.fuzzing.constants import LOCATION_ID, SMALLEST_SUCCESS, TOKEN
from benchmarks.long.fuzzing.streams import SLOW_ID, cut_id, kinds, random_id, stream_of
from benchmarks.long.served import PATIENCE, print_table, print_verdict, start_process

WORKERS = 16
"""Threads, and tasks, that call at once."""

TIMEOUT = 20.0
"""Seconds of the `timeout` option: far more than a call takes on a busy machine."""

SLOW_PARTS = 8
"""Parts in which a slow response is sent, so that a cancellation can come between them."""

SLOW_SECONDS = 0.003
"""Seconds between these parts: our own choice."""

SHOWN_PROBLEMS = 20
"""Problems that are printed."""


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send the stream that the path of a request names, and end the connection."""
    with suppress(OSError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        conversation_id = head.split()[1].rpartition(b"/")[2].decode()
        if conversation_id == SLOW_ID:
            await _serve_slowly(reader, writer)
        else:
            # The body of the request: an unread one resets the connection.
            await reader.read(65_536)
            writer.write(stream_of(conversation_id))
            await writer.drain()
    writer.close()


async def _serve_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    data = stream_of(SLOW_ID)
    size = len(data) // SLOW_PARTS + 1
    while True:
        await reader.read(65_536)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(SLOW_SECONDS)
        await reader.readuntil(b"\r\n\r\n")


async def _run_server(pipe: Connection) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    pipe.send(server.sockets[0].getsockname()[1])
    # It ends when the other end of the pipe sends something or is closed.
    with suppress(EOFError):
        await asyncio.to_thread(pipe.recv)
    os._exit(0)


def _serve_in_process(pipe: Connection) -> None:
    asyncio.run(_run_server(pipe))


@contextmanager
def served_streams() -> Generator[str]:
    """Run the server in another process. Yields its URL."""
    pipe, process = start_process(_serve_in_process)
    try:
        yield f"http://127.0.0.1:{pipe.recv()}"
    finally:
        pipe.close()
        process.join(PATIENCE)
        process.close()


@dataclass(frozen=True)
class Case:
    """A call, and what may come out of it."""

    conversation_id: str
    name: str
    check: Callable[[object], str]
    """Returns a problem of an outcome; an empty text if it has none."""


def cut_cases(step: int) -> Iterable[Case]:
    """All kinds of responses, cut at every byte, or after some bytes each time."""
    for number, kind in enumerate(kinds()):
        for length in {*range(number % step, len(kind.data), step), len(kind.data)}:
            is_complete = length == len(kind.data)
            check = _check_any
            is_rejected = kind.is_for_h11 and parsers.fastest_class() is not H11Parser
            if is_rejected or length < kind.complete_at:
                check = _check_lost
            elif not is_complete:
                check = _check_cut_body
            elif kind.is_success:
                check = _check_success
            yield Case(cut_id(number, length), f"{kind.name}, {length} bytes", check)


def random_cases(seed: int, count: int) -> Iterable[Case]:
    """Random streams."""
    for number in range(count):
        yield Case(random_id(seed, number), f"random {seed} {number}", _check_any)


def _check_any(outcome: object) -> str:
    if isinstance(outcome, BaseException) and not isinstance(outcome, LeadConnectorError):
        return f"{outcome!r} is outside the tree"
    return ""


def _check_lost(outcome: object) -> str:
    if isinstance(outcome, APIConnectionError) and outcome.failure == "lost":
        return ""
    return f"a cut or rejected response is {outcome!r}"


def _check_cut_body(outcome: object) -> str:
    if isinstance(outcome, LeadConnectorError):
        return ""
    # The cut can be within the checksum of gzip, behind all data. That is reported as drift.
    if isinstance(outcome, UpdateConversationResponse) and outcome.to_dict() == SMALLEST_SUCCESS:
        return ""
    return f"a response with a part of its body is {outcome!r}"


def _check_success(outcome: object) -> str:
    if isinstance(outcome, BaseException):
        return f"a whole response is {outcome!r}"
    return ""


@dataclass
class Figures:
    """The results of the calls of one kind."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    problems: list[str] = field(default_factory=list[str])
    longest_call: float = 0.0
    """Seconds."""

    def add(self, case: Case, outcome: object, seconds: float) -> None:
        """Check an outcome and count it."""
        self.outcomes[type(outcome).__name__] += 1
        self.longest_call = max(self.longest_call, seconds)
        problem = case.check(outcome)
        if problem:
            self.problems.append(f"{case.name}: {problem}")


def run_sync(url: str, cases: Iterable[Case]) -> Figures:
    """Make a call for each case, in threads that share a client."""
    figures = Figures()
    with (
        LeadConnector(
            token=TOKEN, base_url=url, rate_limit=None, retries=0, timeout=TIMEOUT
        ) as client,
        ThreadPoolExecutor(WORKERS) as threads,
    ):

        def call(case: Case) -> None:
            started_at = time.monotonic()
            outcome = _outcome(client, case.conversation_id)
            figures.add(case, outcome, time.monotonic() - started_at)

        for _ in threads.map(call, cases):
            pass
        pool = cast("SyncPool", client._connections.transport())
        if pool._permits.semaphore.in_use or pool._connections.active_count:
            figures.problems.append("a sync client has lost a connection")
    return figures


def _outcome(client: LeadConnector, conversation_id: str) -> object:
    try:
        return client.conversations.update_conversation(conversation_id, location_id=LOCATION_ID)
    except BaseException as error:
        return error


async def run_async(url: str, cases: Iterable[Case]) -> Figures:
    """`run_sync` in tasks."""
    figures = Figures()
    remaining_cases = iter(cases)
    async with AsyncLeadConnector(
        token=TOKEN, base_url=url, rate_limit=None, retries=0, timeout=TIMEOUT
    ) as client:

        async def work() -> None:
            for case in remaining_cases:
                started_at = time.monotonic()
                outcome = await _outcome_async(client, case.conversation_id)
                figures.add(case, outcome, time.monotonic() - started_at)

        await asyncio.gather(*(work() for _ in range(WORKERS)))
        figures.problems += _lost_connections(client)
    return figures


async def _outcome_async(client: AsyncLeadConnector, conversation_id: str) -> object:
    try:
        return await client.conversations.update_conversation(
            conversation_id, location_id=LOCATION_ID
        )
    except Exception as error:
        return error


def _lost_connections(client: AsyncLeadConnector) -> list[str]:
    """The problems of the pool of an async client that makes no call."""
    pool = cast("AsyncPool", client._connections.transport())
    problems: list[str] = []
    if pool._permits.semaphore._value != MAXIMUM_CONNECTIONS:
        problems.append("an async client has lost a place for a connection")
    if pool._connections.active_count:
        problems.append("an async client has lost a connection")
    return problems


async def run_cancellations(url: str, count: int, random: Random) -> Figures:
    """Cancel calls at random moments while all connections are in use."""
    figures = Figures()
    case = Case(SLOW_ID, "cancelled", _check_any)
    async with AsyncLeadConnector(
        token=TOKEN, base_url=url, rate_limit=None, retries=0, timeout=TIMEOUT
    ) as client:

        async def cancel_one() -> None:
            task = asyncio.ensure_future(_outcome_async(client, SLOW_ID))
            # Up to twice as long as a call that does not wait for a connection.
            await asyncio.wait([task], timeout=random.uniform(0, 2 * SLOW_PARTS * SLOW_SECONDS))
            task.cancel()
            await asyncio.wait([task])
            if task.cancelled():
                figures.outcomes["cancelled"] += 1
            else:
                figures.add(case, task.result(), 0.0)

        while figures.outcomes.total() < count:
            await asyncio.gather(*(cancel_one() for _ in range(2 * MAXIMUM_CONNECTIONS)))
            figures.problems += _lost_connections(client)
        calls = (_outcome_async(client, SLOW_ID) for _ in range(MAXIMUM_CONNECTIONS))
        for outcome in await asyncio.gather(*calls):
            figures.problems += filter(None, [_check_success(outcome)])
        figures.problems += _lost_connections(client)
    return figures


def open_files() -> int:
    """How many files this process has open."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def run_all(step: int, streams: int, cancellations: int, seed: int) -> int:
    """Make all calls and print the results. Returns the exit status."""
    rows: list[tuple[object, ...]] = [("calls", "number", "seconds", "longest call")]
    problems: list[str] = []
    all_outcomes = Counter[str]()
    with served_streams() as url:
        # Create everything that is created once.
        run_sync(url, random_cases(seed - 1, WORKERS))
        asyncio.run(run_async(url, random_cases(seed - 1, WORKERS)))
        files = open_files()
        runs: dict[str, Callable[[], Figures]] = {
            "cut, sync": lambda: run_sync(url, cut_cases(step)),
            "cut, async": lambda: asyncio.run(run_async(url, cut_cases(step))),
            "random, sync": lambda: run_sync(url, random_cases(seed, streams // 2)),
            "random, async": lambda: asyncio.run(
                run_async(url, random_cases(seed + 1, streams // 2))
            ),
            "cancelled": lambda: asyncio.run(
                run_cancellations(url, cancellations, seeded_random(seed))
            ),
        }
        for name, run in runs.items():
            started_at = time.monotonic()
            figures = run()
            seconds = time.monotonic() - started_at
            count = figures.outcomes.total()
            rows.append((name, count, f"{seconds:.0f}", f"{figures.longest_call:.2f} s"))
            all_outcomes += figures.outcomes
            problems += [f"{name}: {problem}" for problem in figures.problems]
        if open_files() > files:
            problems.append(f"{open_files() - files} files stay open")
    rows += [(name, count, "", "") for name, count in all_outcomes.most_common()]
    rows.append(
        ("peak memory (MiB)", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "", "")
    )
    print_table(rows)
    return print_verdict(problems[:SHOWN_PROBLEMS])


def main() -> int:
    """Make the calls that the command line describes. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step", type=int, default=1, help="bytes between two cuts")
    parser.add_argument("--streams", type=int, default=100_000, help="random streams")
    parser.add_argument("--cancellations", type=int, default=1_000)
    options = parser.parse_args()
    # Logged drift would take most of the time.
    logging.disable(logging.CRITICAL)
    return run_all(options.step, options.streams, options.cancellations, options.seed)


if __name__ == "__main__":
    sys.exit(main())
