"""Shared parts of the long runs: an emulator in another process, worker processes, and a table.

The emulator runs in a process of its own, so that it does not compete with the client for Python's
global lock. It records every request and its effect.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple

from leadconnector_emulator import (
    Emulator,
    Fault,
    RateLimits,
    Request,
    Response,
    Server,
    TokenEndpoint,
)

SPAWN = multiprocessing.get_context("spawn")
"""Starts processes that inherit neither locks nor connections, unlike a fork."""

LOCATION = "tDtDnQdgm2LXpyiqYvZ6"
"""The location, and the conversation, of the spec's examples."""

TOKEN = "emulator"
"""The token that the emulator accepts by default."""

PATIENCE = 60.0
"""Seconds. Waits for processes take much less; the limit keeps a failing run from hanging."""

NO_NUMBER = -1
"""The place of a missing `unreadCount`."""

NO_FAULT = -1
"""The place of a fault, for a request without one."""


@dataclass(frozen=True)
class EmulatorOptions:
    """The options of the emulator."""

    rate: RateLimits | None = None
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    refresh_tokens: tuple[str, ...] = ()
    """If not empty, the emulator has a token endpoint.

    It accepts each of these tokens once, for `LOCATION`.
    """


class RecordedRequest(NamedTuple):
    """A request to the emulator, and its effect."""

    at: float
    """When it arrived: seconds of `time.monotonic`, which all processes of a machine share."""
    conversation: str
    location: str
    number: int
    """The `unreadCount` that it sets, which identifies the call; `NO_NUMBER` if it sets none."""
    status: int
    """The status of the response."""
    applied: bool
    """Whether the conversation has that number after the request."""
    fault: int
    """The index of the fault that applied to it; `NO_FAULT` if none did."""


class EmulatorRecord(NamedTuple):
    """Everything that an emulator recorded. It crosses the process boundary."""

    requests: list[RecordedRequest]
    """All requests except those to the token endpoint, in the order in which they arrived."""
    numbers: dict[str, int]
    """The `unreadCount` of each conversation."""
    refreshes: int
    """Successful token refreshes."""


class RecordingEmulator(Emulator):
    """An emulator that records every update."""

    faults_in_order: tuple[Fault, ...]
    requests: list[RecordedRequest]

    def respond(self, request: Request) -> Response:
        """Respond, and record the request."""
        arrival = time.monotonic()
        response = super().respond(request)
        if request.method == "PUT":
            self.requests.append(self.recorded(request, response, arrival))
        return response

    def recorded(self, request: Request, response: Response, arrival: float) -> RecordedRequest:
        """The record of a request."""
        # The path is `/conversations/{conversationId}`.
        conversation = request.path.rpartition("/")[2]
        data = json.loads(request.body)
        number = data.get("unreadCount")
        # A boolean is an `int` for `isinstance`, and no number for the API.
        if type(number) is not int:
            number = NO_NUMBER
        return RecordedRequest(
            at=arrival,
            conversation=conversation,
            location=str(data.get("locationId")),
            number=number,
            status=response.status,
            applied=number >= 0 and self.number_of(conversation) == number,
            fault=self.index_of(self.exchanges[-1].fault),
        )

    def index_of(self, applied_fault: object) -> int:
        """The index of a fault in the options; `NO_FAULT` if it is None."""
        for index, fault in enumerate(self.faults_in_order):
            if fault == applied_fault:
                return index
        return NO_FAULT

    def number_of(self, conversation: str) -> int:
        """The `unreadCount` of a conversation; `NO_NUMBER` if it does not exist or has none."""
        data = self.get("conversations", conversation) or {}
        return int(data.get("unreadCount", NO_NUMBER))


def _serve(pipe: Connection, options: EmulatorOptions) -> None:
    """Run an emulator in this process, until the other end of the pipe sends False or closes."""
    token_endpoint = None
    if options.refresh_tokens:
        locations = dict.fromkeys(options.refresh_tokens, LOCATION)
        token_endpoint = TokenEndpoint(refresh_tokens=locations)
    emulator = RecordingEmulator(
        # Workers use conversations that nothing has created before.
        create_missing=True,
        rate_limits=options.rate,
        faults=options.faults,
        seed=options.seed,
        token_endpoint=token_endpoint,
    )
    emulator.faults_in_order = options.faults
    emulator.requests = []
    with Server(emulator) as server:
        pipe.send(server.url)
        # Each True asks for the record.
        while pipe.recv():
            conversations = {request.conversation for request in emulator.requests}
            numbers = {name: emulator.number_of(name) for name in conversations}
            refreshes = token_endpoint.refreshes if token_endpoint else 0
            pipe.send(EmulatorRecord(emulator.requests, numbers, refreshes))


@contextmanager
def served(options: EmulatorOptions) -> Generator[tuple[str, Callable[[], EmulatorRecord]]]:
    """Run an emulator in another process.

    Yields:
        Its URL, and a function that returns its record.
    """
    pipe, process = start_process(_serve, options)

    def get_record() -> EmulatorRecord:
        pipe.send(True)
        record: EmulatorRecord = pipe.recv()
        return record

    try:
        yield pipe.recv(), get_record
        pipe.send(False)
    finally:
        # After an error, the closed pipe stops the emulator.
        pipe.close()
        process.join(PATIENCE)
        process.close()


def in_processes(
    work: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]
) -> Callable[[], list[Any]]:
    """Run a function in several processes at once.

    Args:
        work: a function at the top level of a module.
        arguments: the arguments of the function, for each process.

    Returns:
        A function that waits for the processes, and returns the results in order.
    """
    workers = [start_process(_send_result, work, process_args) for process_args in arguments]

    def results() -> list[Any]:
        values = [pipe.recv() for pipe, _ in workers]
        for pipe, process in workers:
            process.join(PATIENCE)
            process.close()
            pipe.close()
        return values

    return results


def _send_result(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send(work(*arguments))


def start_process(
    target: Callable[..., None], *arguments: object
) -> tuple[Connection, SpawnProcess]:
    """Start a process, whose first argument is its end of a pipe. Returns the other end."""
    pipe, child_pipe = SPAWN.Pipe()
    process = SPAWN.Process(target=target, args=(child_pipe, *arguments), daemon=True)
    process.start()
    # The child has its own copy. This one would keep the pipe open after the child's death.
    child_pipe.close()
    return pipe, process


def print_table(rows: Sequence[Sequence[object]]) -> None:
    """Print a table: the first row is the head, the first column is aligned to the left."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        # Flushed, so that a long run shows its progress.
        print("  ".join(cells), flush=True)


def print_verdict(failed_checks: Sequence[str]) -> int:
    """Print the failed checks, or that all passed. Returns the exit status: 0 or 1."""
    for check in failed_checks:
        print(f"FAILED: {check}")
    if failed_checks:
        return 1
    print("all checks passed")
    return 0
