"""Makes 100,000 updates while one request in twenty fails, then looks for losses and leaks.

Threads share a sync client and tasks share an async client. Both have the default retries and no
rate limit. Waits between attempts are a hundredth of the usual ones.

Each worker has conversations of its own. Each call sets an `unreadCount` that no other call sets.
So the emulator knows for each call whether it was applied, whatever the caller received. One call
in a hundred has an invalid argument.
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
from typing import TypedDict

from leadconnector import AsyncLeadConnector, LeadConnector, LeadConnectorError, ResponseInfo
from leadconnector.errors import APIConnectionError
from leadconnector_emulator import Fault

from benchmarks.long.served import (
    LOCATION,
    NO_FAULT,
    NO_NUMBER,
    TOKEN,
    EmulatorOptions,
    EmulatorRecord,
    print_table,
    print_verdict,
    served,
)
from benchmarks.long.waiting import replace_settings

SPEED_UP = 100
"""Waits between attempts are divided by this number."""

CONVERSATIONS = 200
"""Conversations of each worker."""

INVALID_EVERY = 100
"""One call in this many has an invalid argument."""

FAULT_SHARE = 0.05
"""The share of requests with a fault."""

WARM_UP = 1_000
"""Updates before the measurement, so that everything that is created once exists already."""

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
    "200, invalid JSON": Fault(status=200, body='{"success": tru', headers=_JSON),
    "200, wrong type": Fault(wrong_type="conversation.deleted"),
}
"""All faults, with the names that the table shows."""


class Arguments(TypedDict):
    """The arguments of an update."""

    conversation_id: str
    location_id: str
    unread_count: float


def with_parent_folder_as_id(arguments: Arguments) -> Arguments:
    """A conversation id that changes the path."""
    return {**arguments, "conversation_id": ".."}


def with_empty_id(arguments: Arguments) -> Arguments:
    """An empty conversation id."""
    return {**arguments, "conversation_id": ""}


def with_line_break_in_id(arguments: Arguments) -> Arguments:
    """A conversation id with a control character."""
    return {**arguments, "conversation_id": "a\nb"}


def with_surrogate_as_location(arguments: Arguments) -> Arguments:
    """A location id that UTF-8 cannot encode."""
    return {**arguments, "location_id": "\ud800"}


def with_nan_as_number(arguments: Arguments) -> Arguments:
    """A number that JSON cannot express."""
    return {**arguments, "unread_count": math.nan}


INVALID_ARGUMENTS: tuple[Callable[[Arguments], Arguments], ...] = (
    with_parent_folder_as_id,
    with_empty_id,
    with_line_break_in_id,
    with_surrogate_as_location,
    with_nan_as_number,
)


@dataclass
class Record:
    """The outcomes that callers received. Threads and tasks share it."""

    updates: int
    """The number of calls to make."""
    outcomes: Counter[str] = field(default_factory=Counter[str])
    """How many calls ended in success, or in which exception."""
    attempts: int = 0
    """Requests that the clients report."""
    succeeded: bytearray = field(init=False)
    """For each call, whether it was successful.

    One byte for each, allocated at the start: so the record does not look like a memory leak.
    """
    invalid: set[int] = field(default_factory=set[int])
    """The numbers of the calls with an invalid argument."""
    possible_numbers: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    """The numbers that a conversation may have at the end.

    These are the number of its last successful call, and the numbers of later calls that failed:
    a failed call may have been applied.
    """
    memory: list[int] = field(default_factory=list[int])
    """KiB at the start, and after each quarter of the updates except the last."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.succeeded = bytearray(self.updates)

    def calls(self, worker: int, numbers: Iterator[int]) -> Iterator[tuple[int, Arguments]]:
        """The calls of a worker, until all updates are made.

        Args:
            worker: the number of the worker.
            numbers: a counter that all workers share.

        Yields:
            The number of a call, and its arguments.
        """
        quarter = max(1, self.updates // 4)
        for turn in count():
            # `next` of a counter is atomic, so that no number occurs twice.
            number = next(numbers)
            if number >= self.updates:
                return
            if number % quarter == 0:
                self.memory.append(resident_memory())
            yield number, self.arguments_of(worker, turn, number)

    def arguments_of(self, worker: int, turn: int, number: int) -> Arguments:
        """The arguments of a call, which are invalid for some numbers."""
        conversation = f"conversation-{worker}-{turn % CONVERSATIONS}"
        arguments = Arguments(
            conversation_id=conversation, location_id=LOCATION, unread_count=number
        )
        hundred, position = divmod(number, INVALID_EVERY)
        if position != INVALID_EVERY // 2:
            return arguments
        self.invalid.add(number)
        make_invalid = INVALID_ARGUMENTS[hundred % len(INVALID_ARGUMENTS)]
        return make_invalid(arguments)

    def add_success(self, number: int, conversation: str) -> None:
        """Record a successful call."""
        with self.lock:
            self.outcomes["success"] += 1
            self.succeeded[number] = True
            self.possible_numbers[conversation] = {number}

    def add_error(self, number: int, conversation: str, error: LeadConnectorError) -> None:
        """Record a failed call."""
        with self.lock:
            self.outcomes[type(error).__name__] += 1
            if isinstance(error, APIConnectionError):
                # Without a response, `on_response` was not called.
                self.attempts += error.attempts
            if number not in self.invalid:
                self.possible_numbers.setdefault(conversation, {NO_NUMBER}).add(number)

    def add_response(self, info: ResponseInfo) -> None:
        """Record the attempts of a call that received a response: the option `on_response`."""
        with self.lock:
            self.attempts += info.attempts


def resident_memory() -> int:
    """The memory of this process (RSS) in KiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def speed_up(client: LeadConnector | AsyncLeadConnector) -> None:
    """Shorten the waits of a client between attempts."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds / SPEED_UP)

    async def sleep_async(seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED_UP)

    replace_settings(client, sleep=sleep, sleep_async=sleep_async)


def run_threads(url: str, record: Record, numbers: Iterator[int], workers: int) -> None:
    """Make updates in threads that share a client.

    Args:
        url: the emulator.
        record: where to record the outcomes.
        numbers: the counter of the calls.
        workers: how many threads.
    """

    def work(worker: int) -> None:
        for number, arguments in record.calls(worker, numbers):
            conversation = arguments["conversation_id"]
            try:
                client.conversations.update_conversation(**arguments)
            except LeadConnectorError as error:
                record.add_error(number, conversation, error)
            else:
                record.add_success(number, conversation)

    with LeadConnector(
        token=TOKEN, base_url=url, rate_limit=None, on_response=record.add_response
    ) as client:
        speed_up(client)
        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


async def run_tasks(url: str, record: Record, numbers: Iterator[int], workers: range) -> int:
    """Make updates in tasks that share a client.

    Args:
        url: the emulator.
        record: where to record the outcomes.
        numbers: the counter of the calls.
        workers: the numbers of the tasks, which differ from those of the threads.

    Returns:
        How many other tasks still exist after the client is closed.
    """

    async def work(worker: int) -> None:
        for number, arguments in record.calls(worker, numbers):
            conversation = arguments["conversation_id"]
            try:
                await client.conversations.update_conversation(**arguments)
            except LeadConnectorError as error:
                record.add_error(number, conversation, error)
            else:
                record.add_success(number, conversation)

    async with AsyncLeadConnector(
        token=TOKEN, base_url=url, rate_limit=None, on_response=record.add_response
    ) as client:
        speed_up(client)
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(work(worker))
    # This coroutine runs in a task as well.
    return len(asyncio.all_tasks()) - 1


@dataclass(frozen=True)
class Resources:
    """Resources of this process."""

    files: int
    """Open file descriptors."""
    threads: int
    memory: int
    """KiB."""

    @staticmethod
    def now() -> Resources:
        """The resources in use, after a garbage collection."""
        gc.collect()
        files = len(os.listdir("/proc/self/fd"))
        return Resources(files, threading.active_count(), resident_memory())


@dataclass(frozen=True)
class RunOptions:
    """The size of a run."""

    updates: int
    threads: int
    tasks: int


@dataclass(frozen=True)
class Run:
    """Everything that is known after a run."""

    record: Record
    emulator: EmulatorRecord
    before: Resources
    after: Resources
    remaining_tasks: int
    seconds: float


def make_updates(url: str, options: RunOptions) -> tuple[Record, int]:
    """Make the updates. Returns the outcomes, and how many tasks still exist."""
    record = Record(options.updates)
    numbers = count()
    # `run_threads` blocks until its threads end. In a thread of its own, it runs beside the tasks.
    thread = threading.Thread(target=run_threads, args=(url, record, numbers, options.threads))
    thread.start()
    task_numbers = range(options.threads, options.threads + options.tasks)
    remaining_tasks = asyncio.run(run_tasks(url, record, numbers, task_numbers))
    thread.join()
    return record, remaining_tasks


def soak(options: RunOptions, seed: int) -> Run:
    """Make the updates against an emulator with faults.

    Args:
        options: the size of the run.
        seed: of the emulator's random choice of faults.
    """
    # The first fault that applies decides. So a request has one with this probability altogether.
    probability = 1 - (1 - FAULT_SHARE) ** (1 / len(FAULTS))
    faults = tuple(replace(fault, probability=probability) for fault in FAULTS.values())
    with served(EmulatorOptions()) as (url, _):
        make_updates(url, replace(options, updates=min(WARM_UP, options.updates)))
    with served(EmulatorOptions(faults=faults, seed=seed)) as (url, get_record):
        before = Resources.now()
        start = time.monotonic()
        record, remaining_tasks = make_updates(url, options)
        seconds = time.monotonic() - start
        after = Resources.now()
        return Run(record, get_record(), before, after, remaining_tasks, seconds)


def failed_checks(run: Run) -> list[str]:
    """The checks that a run fails."""
    return [*failed_checks_of_calls(run), *failed_checks_of_resources(run)]


def failed_checks_of_calls(run: Run) -> Iterator[str]:
    """The checks of the outcomes of the calls."""
    record = run.record
    applied = {request.number for request in run.emulator.requests if request.applied}
    succeeded = [number for number, success in enumerate(record.succeeded) if success]
    if not applied.issuperset(succeeded):
        yield "each success is applied"
    # The emulator also has the conversation of the spec's example, which no worker updates.
    if not all(
        number in record.possible_numbers.get(conversation, ())
        for conversation, number in run.emulator.numbers.items()
        if is_of_worker(conversation)
    ):
        yield "a conversation has the number of its last success, or of a later call that failed"
    if not rejects_invalid_arguments(run):
        yield "nothing is sent of a call with an invalid argument"
    if record.outcomes.total() != record.updates:
        yield "each call ended"
    if len(run.emulator.requests) > record.attempts + dropped_without_response(run):
        yield "no more requests arrived than the clients report or send again"


def dropped_without_response(run: Run) -> int:
    """Requests whose connection ended before a response.

    On a connection that was used before, a client sends such a request once more, and does not
    count that as an attempt.
    """
    fault = list(FAULTS).index("dropped before the headers")
    return sum(request.fault == fault for request in run.emulator.requests)


def is_of_worker(conversation: str) -> bool:
    """Whether a conversation belongs to a worker."""
    return conversation.startswith("conversation-")


def rejects_invalid_arguments(run: Run) -> bool:
    """Whether each invalid argument raised an `ArgumentError`, and nothing of it was sent."""
    sent_numbers = {request.number for request in run.emulator.requests}
    if not all(map(is_of_worker, run.emulator.numbers)):
        # An invalid conversation id reached the emulator, which created a conversation.
        return False
    if not run.record.invalid.isdisjoint(sent_numbers):
        return False
    return run.record.outcomes["ArgumentError"] == len(run.record.invalid)


def failed_checks_of_resources(run: Run) -> Iterator[str]:
    """The checks of resources that remain after the clients are closed."""
    if run.after.files > run.before.files:
        yield "no file stays open"
    if run.after.threads > run.before.threads:
        yield "no thread remains"
    if run.remaining_tasks > 0:
        yield "no task remains"


def rows_of(run: Run) -> list[tuple[object, object]]:
    """The table of a run."""
    record = run.record
    requests = len(run.emulator.requests)
    by_fault = Counter(request.fault for request in run.emulator.requests)
    faulty = requests - by_fault[NO_FAULT]
    quarters = ", ".join(mebibytes(size) for size in record.memory[1:])
    return [
        ("outcome", "calls"),
        *record.outcomes.most_common(),
        ("", ""),
        ("fault", "requests"),
        *((name, by_fault[index]) for index, name in enumerate(FAULTS)),
        ("", ""),
        ("updates per second", f"{record.updates / run.seconds:.0f}"),
        ("seconds", f"{run.seconds:.1f}"),
        ("requests that the clients report", record.attempts),
        ("requests that arrived", requests),
        ("requests with a fault", f"{100 * faulty / requests:.1f} %"),
        ("open files before, after", f"{run.before.files}, {run.after.files}"),
        ("threads before, after", f"{run.before.threads}, {run.after.threads}"),
        ("remaining tasks", run.remaining_tasks),
        (
            "memory before, after (MiB)",
            f"{mebibytes(run.before.memory)}, {mebibytes(run.after.memory)}",
        ),
        ("memory after each quarter of the updates", quarters),
    ]


def mebibytes(kibibytes: int) -> str:
    """A size as text."""
    return f"{kibibytes / 1024:.1f}"


def main() -> int:
    """Run the soak and print a table. Exit status 1 if a check fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--updates", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--tasks", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    arguments = parser.parse_args()
    options = RunOptions(arguments.updates, arguments.threads, arguments.tasks)
    run = soak(options, arguments.seed)
    print_table(rows_of(run))
    return print_verdict(failed_checks(run))


if __name__ == "__main__":
    sys.exit(main())
