"""One token for everyone: how often it is refreshed when many callers need a new one at once.

Threads, tasks and processes make one update each at the same moment. They share the tokens in one
file. In the first run the access token has expired. In the second it looks valid, but the API
rejects it. In the third the API rejects every token, as it does if a scope is missing. As with the
vendor, the refresh token can be used once.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple

from leadconnector import (
    AsyncLeadConnector,
    AuthenticationError,
    FileTokenStore,
    LeadConnector,
    LeadConnectorError,
    OAuth,
    Tokens,
)
from leadconnector_emulator import Fault

from benchmarks.long.served import (
    LOCATION,
    PATIENCE,
    SPAWN,
    EmulatorOptions,
    EmulatorRecord,
    in_processes,
    print_table,
    print_verdict,
    served,
)

HEAD_START = 0.5
"""Seconds for threads and tasks to start, so that all send their request at the same moment."""

DAY = 86_400.0

NO_SCOPE = Fault(
    path="/conversations/*",
    status=401,
    body='{"statusCode": 401, "message": "The token is not authorized for this scope."}',
    headers={"Content-Type": "application/json"},
)
"""The API's response to every request if the application lacks the scope."""

SUCCESS = ""
"""The outcome of a successful call. The outcome of any other is the name of its exception."""

COLUMNS = ["the token is", "calls", "refreshes", "failures", "401", "seconds"]


class Results(NamedTuple):
    """The results of the callers of one process. Times are of `time.monotonic`.

    All processes of a machine share that clock.
    """

    outcomes: list[str]
    """One for each call."""
    started_at: float
    ended_at: float
    """When the last call ended."""


@dataclass(frozen=True)
class Report:
    """The report of one run."""

    row: list[object]
    """The cells of `COLUMNS`."""
    failed_checks: list[str]


def main() -> int:
    """Make both runs. Returns the exit status: 1 if a check failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--share", type=int, default=12, help="threads, and tasks, of each process")
    options = parser.parse_args()
    expired = run("expired", time.time() - 1, options)
    revoked = run("revoked, though it looks valid", time.time() + DAY, options)
    useless = run("valid, but lacks a scope", time.time() + DAY, options, faults=(NO_SCOPE,))
    print_table([COLUMNS, expired.row, revoked.row, useless.row])
    return print_verdict(expired.failed_checks + revoked.failed_checks + useless.failed_checks)


def run(
    title: str, expires_at: float, options: argparse.Namespace, faults: tuple[Fault, ...] = ()
) -> Report:
    """Let all callers start with a token of which only the refresh token is valid.

    Args:
        title: names the run.
        expires_at: when the access token seems to expire, in seconds since the epoch.
        options: the numbers of callers.
        faults: how the API misbehaves. With any, every call must fail.
    """
    emulator_options = EmulatorOptions(refresh_tokens=("refresh-0",), faults=faults)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(emulator_options) as (url, get_record),
    ):
        path = str(Path(folder) / "tokens.json")
        FileTokenStore(path).save(Tokens("access-0", "refresh-0", expires_at))
        barrier = SPAWN.Barrier(options.processes + 1)
        arguments = (url, path, options.share, options.share, barrier)
        results_of_processes = in_processes(call_all, [arguments] * options.processes)
        results = [call_all(url, path, options.threads, options.tasks, barrier)]
        results += results_of_processes()
        record = get_record()
    expected_outcome = SUCCESS
    if faults:
        expected_outcome = AuthenticationError.__name__
    return report(title, results, record, options, expected_outcome)


def report(
    title: str,
    results: list[Results],
    record: EmulatorRecord,
    options: argparse.Namespace,
    expected_outcome: str,
) -> Report:
    """Compare the results of the callers with the record of the emulator."""
    outcomes = [outcome for result in results for outcome in result.outcomes]
    failures = Counter(outcome for outcome in outcomes if outcome != SUCCESS)
    if set(outcomes) != {expected_outcome}:
        print(f"{title}: {dict(failures)}")
    successes = len(outcomes) - failures.total()
    statuses = Counter(request.status for request in record.requests)
    started_at = min(result.started_at for result in results)
    ended_at = max(result.ended_at for result in results)
    callers = options.threads + options.tasks + 2 * options.share * options.processes
    checks = {
        "one refresh": record.refreshes == 1,
        "each call ends as expected": set(outcomes) == {expected_outcome},
        "each call was made": len(outcomes) == callers,
        "each success was executed once": successes == statuses[200],
    }
    row: list[object] = [
        title,
        len(outcomes),
        record.refreshes,
        failures.total(),
        statuses[401],
        f"{ended_at - started_at:.2f}",
    ]
    failed_checks = [f"{title}: {check}" for check, passed in checks.items() if not passed]
    return Report(row, failed_checks)


def call_all(url: str, path: str, threads: int, tasks: int, barrier: Barrier) -> Results:
    """Make one call in each thread and each task of this process at the same moment.

    The threads share one client and the tasks another. Both clients have the same `OAuth`.
    """
    store = FileTokenStore(path)
    oauth = OAuth(client_id="client", client_secret="client-secret", store=store)
    outcomes: list[str] = []
    barrier.wait(PATIENCE)
    started_at = time.monotonic() + HEAD_START
    with LeadConnector(token=oauth, base_url=url, rate_limit=None) as client:
        running = [
            threading.Thread(target=call, args=(client, started_at, outcomes))
            for _ in range(threads)
        ]
        for thread in running:
            thread.start()
        asyncio.run(call_in_tasks(url, oauth, tasks, started_at, outcomes))
        for thread in running:
            thread.join()
    return Results(outcomes, started_at, time.monotonic())


def call(client: LeadConnector, started_at: float, outcomes: list[str]) -> None:
    """Make one call at a time of `time.monotonic`, and record its outcome."""
    time.sleep(max(0.0, started_at - time.monotonic()))
    try:
        client.conversations.update_conversation(LOCATION, location_id=LOCATION, starred=True)
    except LeadConnectorError as error:
        outcomes.append(type(error).__name__)
    else:
        outcomes.append(SUCCESS)


async def call_in_tasks(
    url: str, oauth: OAuth, tasks: int, started_at: float, outcomes: list[str]
) -> None:
    """Make one call in each of so many tasks, which share a client."""
    async with (
        AsyncLeadConnector(token=oauth, base_url=url, rate_limit=None) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(tasks):
            group.create_task(call_async(client, started_at, outcomes))


async def call_async(client: AsyncLeadConnector, started_at: float, outcomes: list[str]) -> None:
    """`call` for a task."""
    await asyncio.sleep(max(0.0, started_at - time.monotonic()))
    try:
        await client.conversations.update_conversation(LOCATION, location_id=LOCATION, starred=True)
    except LeadConnectorError as error:
        outcomes.append(type(error).__name__)
    else:
        outcomes.append(SUCCESS)


if __name__ == "__main__":
    sys.exit(main())
