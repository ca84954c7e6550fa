"""What the long runs share: an emulator in a process of its own, that notes what it decides, and a table to print."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
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
"""A spawned process has nothing of its parent's: no locks, no connections."""

LOCATION = "tDtDnQdgm2LXpyiqYvZ6"
"""The location, and the conversation, of the spec's examples."""

TOKEN = "emulator"
"""What the emulator accepts by default."""

PATIENCE = 60.0
"""Seconds for what takes much less: a bound, so that nothing hangs."""


@dataclass(frozen=True)
class Played:
    """How the emulator is made."""

    rate: RateLimits | None = None
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    refresh_tokens: tuple[str, ...] = ()
    """Where there are any, it has a token endpoint that accepts each of them once, for `LOCATION`."""


class Seen(NamedTuple):
    """What the emulator saw of a request, and did."""

    at: float
    """When it came in, in seconds of `time.monotonic`, which all processes of a machine share."""
    conversation: str
    location: str
    number: int
    """The `unreadCount` that it sets, by which it is known; -1 where it has none."""
    status: int
    applied: bool
    """Whether the conversation has that number now."""
    fault: int
    """The fault that had a part in it, by its place in the list; -1 for none."""


class Told(NamedTuple):
    """What the emulator tells at the end."""

    seen: list[Seen]
    """All requests but those to the token endpoint, in the order in which they came in."""
    numbers: dict[str, int]
    """The `unreadCount` of each conversation."""
    refreshes: int


class Witness(Emulator):
    """Notes each request, and looks whether the conversation is as the request wants it once it was answered."""

    rules: tuple[Fault, ...]
    seen: list[Seen]

    def respond(self, request: Request) -> Response:
        """The emulator's answer."""
        at = time.monotonic()
        response = super().respond(request)
        if request.method == "PUT":
            conversation, data = request.path.rpartition("/")[2], json.loads(request.body)
            number, fault = data.get("unreadCount"), self.exchanges[-1].fault
            number = number if type(number) is int else -1
            place = next((index for index, rule in enumerate(self.rules) if rule == fault), -1)
            applied = number >= 0 and self.number(conversation) == number
            location = str(data.get("locationId"))
            self.seen.append(
                Seen(at, conversation, location, number, response.status, applied, place)
            )
        return response

    def number(self, conversation: str) -> int:
        """The `unreadCount` of a conversation; -1 where there is none."""
        return int((self.get("conversations", conversation) or {}).get("unreadCount", -1))


def _serve(pipe: Connection, played: Played) -> None:
    oauth = (
        TokenEndpoint(refresh_tokens=dict.fromkeys(played.refresh_tokens, LOCATION))
        if played.refresh_tokens
        else None
    )
    emulator = Witness(
        create_missing=True,
        rate_limits=played.rate,
        faults=played.faults,
        seed=played.seed,
        token_endpoint=oauth,
    )
    emulator.rules, emulator.seen = played.faults, []
    with Server(emulator) as server:
        pipe.send(server.url)
        while pipe.recv():
            numbers = {
                name: emulator.number(name)
                for name in {each.conversation for each in emulator.seen}
            }
            pipe.send(Told(emulator.seen, numbers, oauth.refreshes if oauth else 0))


@contextmanager
def served(played: Played) -> Generator[tuple[str, Callable[[], Told]]]:
    """An emulator in a process of its own: its URL, and what asks it for what it saw."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(theirs, played), daemon=True)
    process.start()
    theirs.close()

    def told() -> Told:
        ours.send(True)
        found: Told = ours.recv()
        return found

    try:
        yield ours.recv(), told
        ours.send(False)
    finally:
        ours.close()  # which ends it, too
        process.join(PATIENCE)
        process.close()


def in_processes(
    work: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]
) -> Callable[[], list[Any]]:
    """Start a process for each of the arguments; what is given back waits for what the work returns in each."""
    running: list[tuple[Any, Connection]] = []
    for each in arguments:
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=_work, args=(theirs, work, each), daemon=True)
        process.start()
        theirs.close()
        running.append((process, ours))

    def results() -> list[Any]:
        found = [pipe.recv() for _, pipe in running]
        for process, pipe in running:
            process.join(PATIENCE)
            process.close()
            pipe.close()
        return found

    return results


def _work(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send(work(*arguments))


def show(rows: Sequence[Sequence[object]]) -> None:
    """Print a table whose first row is its head, the first column to the left and the others to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for first, *others in texts:
        rest = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        print("  ".join([first.ljust(widths[0]), *rest]), flush=True)


def verdict(broken: Sequence[str]) -> int:
    """Say which promises did not hold; the exit status."""
    for each in broken:
        print(f"NOT held: {each}")
    if not broken:
        print("every promise held")
    return int(bool(broken))
