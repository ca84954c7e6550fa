"""A hundred thousand updates while one request in twenty goes wrong: what became of each, and what is left behind.

Threads share a sync client and tasks an async one, without a quota, with the default retries; the waits between them
are a hundredth of what they are. Each worker has conversations of its own, and each call sets an `unreadCount` that no
other call sets, so that what the emulator did is known for each call, whatever its caller was told. One call in a
hundred has an argument that is not acceptable.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import math
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, TypedDict

from leadconnector import AsyncLeadConnector, LeadConnector, LeadConnectorError, ResponseInfo
from leadconnector_emulator import Fault

from benchmarks.long.served import LOCATION, TOKEN, Played, Told, served, show, verdict

FASTER = 100
"""What waits between attempts are divided by."""

CONVERSATIONS = 200
"""Of each worker."""

WRONG = 100
"""One call in so many has an argument that is not acceptable."""

SHARE = 0.05
"""Of the requests, that something goes wrong with."""

_HTML = {"Content-Type": "text/html"}
_JSON = {"Content-Type": "application/json"}
FAULTS = {
    "503": Fault(status=503),
    "429, Retry-After: 0": Fault(status=429, headers={"Retry-After": "0"}),
    "502 in HTML": Fault(status=502, body="<html><h1>Bad Gateway</h1></html>", headers=_HTML),
    "dropped before the headers": Fault(drop="before"),
    "dropped within the headers": Fault(drop="within"),
    "dropped after the headers": Fault(drop="after"),
    "truncated": Fault(truncate=20),
    "5 ms late": Fault(latency=0.005),
    "200, but no JSON": Fault(status=200, body='{"success": tru', headers=_JSON),
    "200, but of a wrong type": Fault(wrong_type="conversation.deleted"),
}


def kilobytes() -> int:
    """The memory that this process holds (RSS)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


class Arguments(TypedDict):
    """Of an update."""

    conversation_id: str
    location_id: str
    unread_count: float


BAD: tuple[Callable[[Arguments], Arguments], ...] = (
    lambda good: {**good, "conversation_id": ".."},
    lambda good: {**good, "conversation_id": ""},
    lambda good: {**good, "conversation_id": "a\nb"},
    lambda good: {**good, "location_id": "\ud800"},
    lambda good: {**good, "unread_count": math.nan},
)


@dataclass
class Record:
    """What callers were told."""

    updates: int
    outcomes: Counter[str] = field(default_factory=Counter[str])
    attempts: int = 0
    """Requests that the clients say they made."""
    succeeded: bytearray = field(init=False)
    """For each call, whether it did."""
    bad: set[int] = field(default_factory=set[int])
    """Calls with an argument that is not acceptable."""
    left: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    """The numbers that a conversation may have in the end: of its last success, and of calls after it that failed."""
    kilobytes: list[int] = field(default_factory=list[int])
    """Of memory, at first and after each quarter of the updates but the last."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.succeeded = bytearray(self.updates)

    def calls(self, worker: int, numbers: Iterator[int]) -> Iterator[tuple[int, Arguments]]:
        """What a worker is to call, until all updates are made."""
        for turn in count():
            number = next(numbers)
            if number >= self.updates:
                return
            if number % (max(1, self.updates // 4)) == 0:
                self.kilobytes.append(kilobytes())
            name = f"conversation-{worker}-{turn % CONVERSATIONS}"
            arguments = Arguments(conversation_id=name, location_id=LOCATION, unread_count=number)
            if number % WRONG == WRONG // 2:
                arguments = BAD[number // WRONG % len(BAD)](arguments)
                self.bad.add(number)
            yield number, arguments

    def ended(self, number: int, conversation: str, error: LeadConnectorError | None) -> None:
        """Note how a call ended."""
        with self.lock:
            self.outcomes["success" if error is None else type(error).__name__] += 1
            if error is None:
                self.succeeded[number] = True
                self.left[conversation] = {number}
            elif number not in self.bad:
                self.left.setdefault(conversation, {-1}).add(number)

    def answered(self, info: ResponseInfo) -> None:
        """Count the attempts of a call that got an answer in the end."""
        with self.lock:
            self.attempts += info.attempts

    def unanswered(self, error: LeadConnectorError) -> None:
        """Count those of a call that got none: `answered` does not hear of it."""
        with self.lock:
            self.attempts += (
                0 if hasattr(error, "status_code") else int(getattr(error, "attempts", 0))
            )


def hurried(client: Any) -> None:
    """Let a client wait a hundredth of what it would; its settings are its own, hence the type."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds / FASTER)

    async def sleep_async(seconds: float) -> None:
        await asyncio.sleep(seconds / FASTER)

    client._settings = replace(client._settings, sleep=sleep, sleep_async=sleep_async)
    client._make_resources()


def in_threads(url: str, record: Record, numbers: Iterator[int], workers: int) -> None:
    """The updates of the threads."""

    def work(worker: int) -> None:
        for number, arguments in record.calls(worker, numbers):
            error: LeadConnectorError | None = None
            try:
                client.conversations.update_conversation(**arguments)
            except LeadConnectorError as raised:
                error = raised
                record.unanswered(raised)
            record.ended(number, arguments["conversation_id"], error)

    with LeadConnector(
        token=TOKEN, base_url=url, rate_limit=None, on_response=record.answered
    ) as client:
        hurried(client)
        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


async def in_tasks(
    url: str, record: Record, numbers: Iterator[int], first: int, workers: int
) -> int:
    """The updates of the tasks; how many tasks are left once the client is closed, besides this one."""

    async def work(worker: int) -> None:
        for number, arguments in record.calls(worker, numbers):
            error: LeadConnectorError | None = None
            try:
                await client.conversations.update_conversation(**arguments)
            except LeadConnectorError as raised:
                error = raised
                record.unanswered(raised)
            record.ended(number, arguments["conversation_id"], error)

    async with AsyncLeadConnector(
        token=TOKEN, base_url=url, rate_limit=None, on_response=record.answered
    ) as client:
        hurried(client)
        async with asyncio.TaskGroup() as group:
            for worker in range(first, first + workers):
                group.create_task(work(worker))
    return len(asyncio.all_tasks()) - 1


@dataclass(frozen=True)
class Held:
    """What this process holds."""

    files: int
    threads: int
    kilobytes: int
    """Of memory (RSS)."""

    @staticmethod
    def now() -> Held:
        """At this moment."""
        gc.collect()
        files = len(os.listdir("/proc/self/fd"))
        return Held(files, threading.active_count(), kilobytes())


def soaked(url: str, updates: int, threads: int, tasks: int) -> tuple[Record, int]:
    """Make the updates; what callers were told, and how many tasks were left."""
    record, numbers = Record(updates), count()
    with_threads = threading.Thread(target=in_threads, args=(url, record, numbers, threads))
    with_threads.start()
    left = asyncio.run(in_tasks(url, record, numbers, threads, tasks))
    with_threads.join()
    return record, left


def broken(record: Record, told: Told, before: Held, after: Held, tasks_left: int) -> list[str]:
    """The promises that did not hold."""
    applied = {each.number for each in told.seen if each.applied}
    succeeded = [number for number, success in enumerate(record.succeeded) if success]
    ours = {name for name in told.numbers if name.startswith("conversation-")}
    held = {
        "each success is applied": applied.issuperset(succeeded),
        "a conversation has the number of its last success, or of a later call that failed": all(
            number in record.left.get(name, ())
            for name, number in told.numbers.items()
            if name in ours
        ),
        "nothing is sent of a call whose argument is not acceptable": (
            ours == set(told.numbers)
            and record.bad.isdisjoint(each.number for each in told.seen)
            and record.outcomes["ArgumentError"] == len(record.bad)
        ),
        "each call ended": sum(record.outcomes.values()) == record.updates,
        "no more requests came in than the clients say they made": len(told.seen)
        <= record.attempts,
        "no file stays open": after.files <= before.files,
        "no thread stays": after.threads <= before.threads,
        "no task stays": tasks_left == 0,
    }
    return [promise for promise, holds in held.items() if not holds]


def main() -> int:
    """Make the updates, and tell what became of them; 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--updates", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--tasks", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    options = parser.parse_args()
    updates: int = options.updates
    each = 1 - (1 - SHARE) ** (1 / len(FAULTS))  # the first that applies decides
    faults = tuple(replace(fault, probability=each) for fault in FAULTS.values())
    with served(Played()) as (url, _):
        soaked(
            url, min(1000, updates), options.threads, options.tasks
        )  # what is made once, is made now
    with served(Played(faults=faults, seed=options.seed)) as (url, tell):
        before, begun = Held.now(), time.monotonic()
        record, tasks_left = soaked(url, updates, options.threads, options.tasks)
        seconds = time.monotonic() - begun
        after, told = Held.now(), tell()
    by_fault = Counter(each.fault for each in told.seen)
    sent, went_wrong = len(told.seen), len(told.seen) - by_fault[-1]
    show(
        [
            ("outcome", "calls"),
            *record.outcomes.most_common(),
            ("", ""),
            ("fault", "requests"),
            *((name, by_fault[place]) for place, name in enumerate(FAULTS)),
            ("", ""),
            ("updates per second", f"{updates / seconds:.0f}"),
            ("seconds", f"{seconds:.1f}"),
            ("requests that the clients made", record.attempts),
            ("requests that came in", sent),
            ("of them went wrong", f"{100 * went_wrong / sent:.1f} %"),
            ("files open before, after", f"{before.files}, {after.files}"),
            ("threads before, after", f"{before.threads}, {after.threads}"),
            ("tasks left", tasks_left),
            (
                "memory before, after (MB)",
                f"{before.kilobytes / 1024:.1f}, {after.kilobytes / 1024:.1f}",
            ),
            (
                "and after each quarter of the updates",
                ", ".join(f"{each / 1024:.1f}" for each in record.kilobytes[1:]),
            ),
        ]
    )
    return verdict(broken(record, told, before, after, tasks_left))


if __name__ == "__main__":
    sys.exit(main())
