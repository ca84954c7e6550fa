"""Measures what grows: the time to the first client, locations, and calls that wait."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.compare.clients import ROOT

from .operations import generate
from .statistics import Spread, ratios, spread

TIMEOUT = 300.0
"""Seconds for one program, which takes a few seconds."""

STARTS_OF_LARGE_CLIENTS = 3
"""A start with 500 operations takes seconds."""

MEASURES = ("wall", "cpu", "memory", "first_call")


class GrowthError(Exception):
    """A program of a measurement failed. The message has the end of its output."""


@dataclass(frozen=True)
class Sizes:
    """The numbers that are measured."""

    operations: tuple[int, ...]
    locations: tuple[int, ...]
    waiting_calls: tuple[int, ...]
    starts: int
    """How many processes are started for each figure of the time until a client is ready."""


FULL = Sizes((1, 10, 100, 500), (1, 10, 100, 1_000, 10_000), (1, 1_000, 10_000, 30_000), 9)
QUICK = Sizes((1,), (1, 10), (1,), 1)


@dataclass(frozen=True)
class Ready:
    """What a new process needs until a client is ready."""

    title: str
    wall: Spread
    """Seconds."""
    cpu: Spread
    """Seconds."""
    memory: Spread
    """MiB of the whole process."""
    first_call: Spread
    """Seconds of CPU time of the first call."""
    cpu_ratio: Spread
    """The CPU time relative to that of `httpx.Client()` in the same round."""


def measure_ready(starts: int, python: str) -> list[Ready]:
    """Compare `httpx.Client()` with this client, in turns.

    Args:
        starts: how often each is started.
        python: the interpreter of an environment with the dependencies of the client.

    Raises:
        GrowthError: one of them cannot be imported.
    """
    titles = {"httpx": "httpx.Client()", "ours": "LeadConnector(), with its transport"}
    paths = [str(ROOT), str(ROOT / "overrides")]
    rounds = {name: list[dict[str, float]]() for name in titles}
    for _ in range(starts):
        for name, values in rounds.items():
            values.append(run_json(python, "benchmarks.speed.ready", [name], paths))
    baseline = numbered([values["cpu"] for values in rounds["httpx"]])
    return [ready_of(title, rounds[name], baseline) for name, title in titles.items()]


def ready_of(title: str, rounds: list[dict[str, float]], baseline: dict[int, float]) -> Ready:
    """The figures of one client."""
    spreads = {name: spread([values[name] for values in rounds]) for name in MEASURES}
    cpu_by_round = numbered([values["cpu"] for values in rounds])
    return Ready(title, **spreads, cpu_ratio=spread(ratios(cpu_by_round, baseline)))


def numbered(values: list[float]) -> dict[int, float]:
    """The values by the number of their round."""
    return dict(enumerate(values))


def measure_operations(
    sizes: Sizes, python: str, report: Callable[[str], None]
) -> list[dict[str, float]]:
    """The time and memory to the first client by the number of operations.

    Raises:
        GenerationError: the generation step failed.
        GrowthError: a client cannot be imported.
    """
    rows: list[dict[str, float]] = []
    for operations in sizes.operations:
        report(f"a client with {operations} operations")
        with tempfile.TemporaryDirectory() as name:
            seconds = generate(Path(name), operations)
            paths = [name, str(ROOT)]
            rounds = [
                run_json(python, "benchmarks.speed.ready", ["ours"], paths)
                for _ in range(min(sizes.starts, STARTS_OF_LARGE_CLIENTS))
            ]
        row = {"operations": operations, "generation": seconds}
        for measure in MEASURES:
            row[measure] = spread([values[measure] for values in rounds]).median
        rows.append(row)
    return rows


def measure_locations(sizes: Sizes, python: str) -> dict[str, float]:
    """Microseconds of CPU time per call by the number of locations."""
    arguments = [str(number) for number in sizes.locations]
    paths = [str(ROOT), str(ROOT / "overrides")]
    figures: dict[str, float] = run_json(python, "benchmarks.speed.locations", arguments, paths)
    return figures


def measure_waiting(sizes: Sizes, python: str) -> list[dict[str, float]]:
    """What calls cost that wait for the rate limit; see `waiting`."""
    paths = [str(ROOT), str(ROOT / "overrides")]
    rows: list[dict[str, float]] = []
    for number in sizes.waiting_calls:
        arguments = ["--json", "--calls", str(number)]
        rows.append(run_json(python, "benchmarks.speed.waiting", arguments, paths))
    return rows


def run_json(python: str, module: str, arguments: list[str], paths: list[str]) -> Any:
    """Run a module that prints JSON.

    Raises:
        GrowthError: it failed.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    # The folder with the checkout would come before the paths, with `-m` and without this.
    command = [python, "-P", "-m", module, *arguments]
    result = subprocess.run(
        command,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if result.returncode != 0:
        raise GrowthError(f"{module}: {result.stderr.strip()[-500:]}")
    return json.loads(result.stdout)
