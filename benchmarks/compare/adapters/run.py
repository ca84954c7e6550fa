"""Runs one scenario with one client, in the client's environment, and prints what happened.

The scenario is a JSON object on standard input (`Task`). The output is one line of JSON, an
*observation*. `benchmarks.compare.observation` describes it. It states facts only: the comparison
decides what they mean.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import pickle
import resource
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.compare.adapters.adapter import Adapter, Arguments, NotOfferedError, Settings

PAUSE_BETWEEN_CALLS = 0.3
"""Seconds between two calls of one client, in which the server can close the connection."""

CANCELLED_AFTER = 0.5
"""Seconds after which a scenario cancels the call."""

LONGEST_TEXT = 2_000
"""Characters of an exception's text in the output."""

LONGEST_VARIABLE = 1_000_000
"""Characters. A larger variable is a large body, in which no token is."""

WALKED_OBJECTS = 5_000
"""The search for the token in an exception's attributes looks at no more objects."""

SPECIAL_VALUES: dict[str, Any] = {
    "NaN": float("nan"),
    "surrogate": "conversation-\ud800",
}
"""Values of arguments that JSON cannot express."""


@dataclass(frozen=True)
class Task:
    """A scenario, as the comparison sends it."""

    adapter: str
    mode: str
    settings: Settings
    arguments: Arguments
    calls: int
    workers: int
    limit: float
    """Seconds after which the call counts as waiting for ever."""

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Read a task."""
        values = json.loads(text)
        arguments = {name: special_value(value) for name, value in values["arguments"].items()}
        return cls(
            adapter=values["adapter"],
            mode=values["mode"],
            settings=Settings(**values["settings"]),
            arguments=Arguments(**arguments),
            calls=values["calls"],
            workers=values["workers"],
            limit=values["limit"],
        )


def special_value(value: Any) -> Any:
    """A value that JSON cannot express, for an object with its name."""
    if isinstance(value, dict):
        return SPECIAL_VALUES[cast("dict[str, str]", value)["special"]]
    return value


class RecordingHandler(logging.Handler):
    """Keeps the text of each log record, and counts those from WARNING on."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []
        self.warnings = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.texts.append(record.getMessage())
        # The scenarios send no request that Python or the HTTP library would warn about.
        if record.levelno >= logging.WARNING:
            self.warnings += 1


def main() -> None:
    """Run the task on standard input, and print the observation."""
    task = Task.from_json(sys.stdin.read())
    module = importlib.import_module(f"benchmarks.compare.adapters.{task.adapter}")
    # Loads what a first client loads. Its time and memory are not those of the call.
    module.adapter.connect(Settings(base_url="http://127.0.0.1", token="unused"))
    log = RecordingHandler()
    logging.basicConfig(level=logging.DEBUG, handlers=[log])
    observation = observe(module.adapter, task, log)
    print(json.dumps(observation), flush=True)


def end_waiting(limit: float) -> None:
    """Report a call that has not ended, and end the process. The call cannot be interrupted."""
    print(json.dumps({"kind": "hung", "seconds": limit}), flush=True)
    os._exit(0)


def observe(adapter: Adapter, task: Task, log: RecordingHandler) -> dict[str, Any]:
    """What happens when a client runs a task."""
    measurement = Measurement(task.limit)
    try:
        result = MODES[task.mode](adapter, task)
    except NotOfferedError as error:
        measurement.end()
        return {"kind": "not offered", "text": str(error)}
    # Also `asyncio.CancelledError` and `RecursionError`: whatever reaches the caller counts.
    except BaseException as error:
        # First, because the search for the token also takes time and memory.
        measurement.end()
        facts = facts_of_exception(error, secret_in(task.settings.token))
    else:
        measurement.end()
        facts = result.facts(adapter)
    secret = secret_in(task.settings.token)
    return {
        **facts,
        "seconds": measurement.seconds,
        "memory": measurement.memory,
        "warnings": log.warnings,
        "token_in_log": any(secret in text for text in log.texts),
    }


class Measurement:
    """The time and memory of a call. It ends the process if the call takes too long."""

    seconds: float = 0.0
    memory: int = 0
    """By how many bytes the peak has grown."""

    def __init__(self, limit: float) -> None:
        self._watchdog = threading.Timer(limit, end_waiting, [limit])
        self._watchdog.daemon = True
        self._watchdog.start()
        self._memory_before = peak_memory()
        self._start = time.monotonic()

    def end(self) -> None:
        """Take the values."""
        self.seconds = round(time.monotonic() - self._start, 2)
        self.memory = peak_memory() - self._memory_before
        self._watchdog.cancel()


@dataclass(frozen=True)
class Returned:
    """A call that returned."""

    result: Any

    def facts(self, adapter: Adapter) -> dict[str, Any]:
        """The facts about the result."""
        return facts_of_result(adapter, self.result)


@dataclass(frozen=True)
class Counted:
    """What another mode than a single call found."""

    values: dict[str, Any]

    def facts(self, adapter: Adapter) -> dict[str, Any]:
        """The values."""
        return self.values


def call(adapter: Adapter, task: Task) -> Returned:
    """Make the calls one after the other, and return the facts of the last one."""
    client = adapter.connect(task.settings)
    for _ in range(task.calls - 1):
        adapter.update(client, task.arguments)
        time.sleep(PAUSE_BETWEEN_CALLS)
    return Returned(adapter.update(client, task.arguments))


def connect(adapter: Adapter, task: Task) -> Counted:
    """Create a client, and look at its representation."""
    client = adapter.connect(task.settings)
    is_shown = secret_in(task.settings.token) in repr(client)
    places = ["repr"] if is_shown else []
    return Counted({"kind": "connected", "token_places": places})


def call_with_deadline(adapter: Adapter, task: Task) -> Returned:
    """Make a call with a limit on its whole duration."""
    if not adapter.has_deadline:
        raise NotOfferedError("no limit on a whole call")
    return call(adapter, task)


def burst(adapter: Adapter, task: Task) -> Counted:
    """Make many calls at the same time, and count what became of them."""
    client = adapter.connect(task.settings)
    results = adapter.update_many(client, [task.arguments] * task.calls, task.workers)
    errors = [result for result in results if isinstance(result, BaseException)]
    names = Counter(type(error).__name__ for error in errors)
    succeeded = len(results) - len(errors)
    return Counted({"kind": "burst", "succeeded": succeeded, "errors": dict(names)})


def cancel(adapter: Adapter, task: Task) -> Returned | Counted:
    """Cancel a call that waits for the server, and measure how long it takes to end."""

    async def run() -> Returned | Counted:
        update = adapter.start_async_update(task.settings, task.arguments)
        running = asyncio.ensure_future(update)
        await asyncio.wait([running], timeout=CANCELLED_AFTER)
        running.cancel()
        start = time.monotonic()
        await asyncio.wait([running])
        seconds = time.monotonic() - start
        if running.cancelled():
            return Counted({"kind": "cancelled", "cancelled_in": seconds})
        # Raises what the call raised instead.
        return Returned(running.result())

    return asyncio.run(run())


MODES: dict[str, Callable[[Adapter, Task], Returned | Counted]] = {
    "call": call,
    "connect": connect,
    "deadline": call_with_deadline,
    "burst": burst,
    "cancel": cancel,
}


def facts_of_result(adapter: Adapter, result: Any) -> dict[str, Any]:
    """What a call returned."""
    is_plain = isinstance(result, dict | list | str | bytes | int | float | None)
    try:
        data = adapter.data(result)
        # NaN and infinity are no JSON.
        json.dumps(data, allow_nan=False)
    except Exception:
        data = None
    return {
        "kind": "returned",
        "type": type(result).__name__,
        "is_model": not is_plain,
        "data": data,
    }


def secret_in(token: str) -> str:
    """The part of a token that a search finds, also if a representation escapes the rest."""
    return token.split(maxsplit=1)[0]


def facts_of_exception(error: BaseException, token: str) -> dict[str, Any]:
    """What a call raised."""
    return {
        "kind": "raised",
        "type": type(error).__name__,
        "classes": [f"{item.__module__}.{item.__qualname__}" for item in type(error).__mro__],
        "status": status_of(error),
        "text": str(error).encode("utf-8", "replace").decode("utf-8")[:LONGEST_TEXT],
        "token_places": token_places(error, token),
        "pickles": survives_pickling(error),
    }


def status_of(error: BaseException) -> int | None:
    """The HTTP status in an exception, under the two usual names."""
    for name in ("status_code", "status"):
        value = getattr(error, name, None)
        if isinstance(value, int):
            return int(value)
    return None


def token_places(error: BaseException, token: str) -> list[str]:
    """Where an exception contains the token."""
    places: list[str] = []
    if token in str(error) or token in repr(error):
        places.append("text")
    if is_reachable(error, token):
        places.append("attributes")
    if token in report_with_variables(error):
        places.append("local variables")
    return places


def report_with_variables(error: BaseException) -> str:
    """The values of the variables in its traceback, as error monitoring and debuggers show it."""
    folder = str(Path(__file__).parent)
    lines: list[str] = []
    pending: list[BaseException | None] = [error]
    visited: list[BaseException] = []
    while pending:
        part = pending.pop()
        if part is None or part in visited:
            continue
        visited.append(part)
        pending += [part.__cause__, part.__context__]
        for frame, _ in traceback.walk_tb(part.__traceback__):
            # The frames of this program contain the token, whatever the client does.
            if not frame.f_code.co_filename.startswith(folder):
                lines += [short_repr(value) for value in frame.f_locals.values()]
    return "\n".join(lines)


def short_repr(value: Any) -> str:
    """The representation of a value, unless it is a large body."""
    if isinstance(value, str | bytes | bytearray) and len(value) > LONGEST_VARIABLE:
        return "…"
    try:
        return repr(value)
    except Exception:
        return "…"


def is_reachable(error: BaseException, token: str) -> bool:
    """Whether the token is in the attributes of an exception, of its causes, or of their values."""
    pending: list[Any] = [error]
    visited: set[int] = set()
    while pending and len(visited) < WALKED_OBJECTS:
        value = pending.pop()
        if id(value) in visited:
            continue
        visited.add(id(value))
        if contains_text(value, token):
            return True
        pending.extend(parts_of(value))
    return False


def contains_text(value: Any, token: str) -> bool:
    """Whether a value is a text or bytes with the token in it."""
    if isinstance(value, str):
        return token in value
    if isinstance(value, bytes | bytearray):
        return token.encode() in value
    return False


def parts_of(value: Any) -> list[Any]:
    """The values that belong to a value: items, attributes, arguments and causes."""
    # Functions and modules lead into the whole program, not to the data of the exception.
    if isinstance(value, type) or callable(value):
        return []
    return [*items_of(value), *attributes_of(value)]


def items_of(value: Any) -> list[Any]:
    """The items of a container."""
    if isinstance(value, dict):
        items = cast("dict[object, Any]", value)
        return [*items.keys(), *items.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(cast("list[Any]", value))
    return []


def attributes_of(value: Any) -> list[Any]:
    """The attributes of an object, and the causes of an exception."""
    attributes = [*getattr(value, "__dict__", {}).values(), *values_of_slots(value)]
    if isinstance(value, BaseException):
        attributes += [value.args, value.__cause__, value.__context__]
    return attributes


def values_of_slots(value: Any) -> list[Any]:
    """The attributes of an object that has no `__dict__`."""
    names: list[str] = []
    for item in type(value).__mro__:
        slots = item.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return [getattr(value, name) for name in names if hasattr(value, name)]


def survives_pickling(error: BaseException) -> bool:
    """Whether an exception can cross a process boundary, as from a worker process."""
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    except Exception:
        return False
    return type(copy) is type(error) and str(copy) == str(error)


def peak_memory() -> int:
    """The most memory that this process has used so far, in bytes."""
    # Linux reports KiB, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
