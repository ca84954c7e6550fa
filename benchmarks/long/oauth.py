"""One token for everyone: how often it is refreshed where threads, tasks and processes all find that it is of no use.

Each of them makes an update at the same moment, with a file that all share the tokens in. Once the access token has
expired; once it looks valid, and the API refuses it. The refresh token may be used once, as the vendor's.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections import Counter
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple

from leadconnector import (
    AsyncLeadConnector,
    FileTokenStore,
    LeadConnector,
    LeadConnectorError,
    OAuth,
    Tokens,
)

from benchmarks.long.served import (
    LOCATION,
    PATIENCE,
    SPAWN,
    EmulatorOptions,
    in_processes,
    print_table,
    print_verdict,
    served,
)

HEAD_START = 0.5
"""Seconds for threads and tasks to start in, so that all begin together."""

DAY = 86_400.0


class Done(NamedTuple):
    """What callers got."""

    outcomes: list[str]
    """Of each call an exception's name; empty for a success."""
    begun: float
    ended: float
    """When the last of them ended. Times are of `time.monotonic`, which all processes of a machine share."""


def swarm(url: str, path: str, threads: int, tasks: int, ready: Barrier) -> Done:
    """Threads with one client and tasks with another, all with one `OAuth`, which call once at the same moment."""
    store = FileTokenStore(path)
    oauth = OAuth(client_id="client", client_secret="client-secret", store=store)
    outcomes = list[str]()
    ready.wait(PATIENCE)
    begin = time.monotonic() + HEAD_START

    def work() -> None:
        time.sleep(max(0.0, begin - time.monotonic()))
        try:
            client.conversations.update_conversation(LOCATION, location_id=LOCATION, starred=True)
            outcomes.append("")
        except LeadConnectorError as error:
            outcomes.append(type(error).__name__)

    async def work_async(client: AsyncLeadConnector) -> None:
        await asyncio.sleep(max(0.0, begin - time.monotonic()))
        try:
            await client.conversations.update_conversation(
                LOCATION, location_id=LOCATION, starred=True
            )
            outcomes.append("")
        except LeadConnectorError as error:
            outcomes.append(type(error).__name__)

    async def all_tasks() -> None:
        async with (
            AsyncLeadConnector(token=oauth, base_url=url, rate_limit=None) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(tasks):
                group.create_task(work_async(client))

    with LeadConnector(token=oauth, base_url=url, rate_limit=None) as client:
        running = [threading.Thread(target=work) for _ in range(threads)]
        for thread in running:
            thread.start()
        asyncio.run(all_tasks())
        for thread in running:
            thread.join()
    return Done(outcomes, begin, time.monotonic())


def refreshed(
    title: str, expires_at: float, options: argparse.Namespace
) -> tuple[list[object], list[str]]:
    """A row of the table, and the promises that did not hold."""
    threads, tasks, processes, share = (
        options.threads,
        options.tasks,
        options.processes,
        options.share,
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        served(EmulatorOptions(refresh_tokens=("refresh-0",))) as (url, tell),
    ):
        path = str(Path(folder) / "tokens.json")
        FileTokenStore(path).save(Tokens("access-0", "refresh-0", expires_at))
        ready = SPAWN.Barrier(processes + 1)
        others = in_processes(swarm, [(url, path, share, share, ready)] * processes)
        done: list[Done] = [swarm(url, path, threads, tasks, ready), *others()]
        told = tell()
    outcomes = [outcome for each in done for outcome in each.outcomes]
    failed = Counter(outcome for outcome in outcomes if outcome)
    if failed:
        print(f"{title}: {dict(failed)}")
    refused = sum(each.status == 401 for each in told.requests)
    applied = sum(each.status == 200 for each in told.requests)
    seconds = max(each.ended for each in done) - min(each.begun for each in done)
    held = {
        "one refresh": told.refreshes == 1,
        "no call fails": not failed,
        "each call was made": len(outcomes) == applied == threads + tasks + 2 * share * processes,
    }
    row: list[object] = [
        title,
        len(outcomes),
        told.refreshes,
        failed.total(),
        refused,
        f"{seconds:.2f}",
    ]
    return row, [f"{title}: {promise}" for promise, holds in held.items() if not holds]


def main() -> int:
    """Try both; 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--share", type=int, default=12, help="threads, and tasks, of each process")
    options = parser.parse_args()
    expired, expired_broken = refreshed("expired", time.time() - 1, options)
    revoked, revoked_broken = refreshed(
        "revoked, though it looks valid", time.time() + DAY, options
    )
    print_table(
        [["the token is", "calls", "refreshes", "failures", "401", "seconds"], expired, revoked]
    )
    return print_verdict(expired_broken + revoked_broken)


if __name__ == "__main__":
    sys.exit(main())
