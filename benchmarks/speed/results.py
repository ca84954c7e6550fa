"""The figures of a run, as they are stored in `results.json`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .catalogue import BASELINE, Case, PeerEntry
from .rounds import Rounds
from .statistics import Spread, ratios, spread
from .worker import Measurement

BUSY_SHARE = 0.5
"""The load average for each core above which the figures are called rough."""


@dataclass(frozen=True)
class Row:
    """One peer in one case."""

    peer: str
    title: str
    rounds: int
    wall: Spread
    """Seconds of wall time per call."""
    cpu: Spread
    """Seconds of CPU time per call."""
    p50: Spread
    p99: Spread
    speed_ratio: Spread | None
    """Calls per second, relative to raw httpx in the same round. `None` without raw httpx."""
    cpu_ratio: Spread | None
    """CPU time per call, relative to raw httpx in the same round."""


@dataclass(frozen=True)
class Table:
    """All peers in one case."""

    case: str
    title: str
    rows: list[Row]
    skipped: dict[str, str]
    """Why a peer has no row, by its title."""


@dataclass
class Results:
    """Everything that a run measured."""

    date: str
    machine: str
    load: str
    """The load averages at the start."""
    server: str
    warnings: list[str]
    peers: dict[str, str]
    """What each peer lacks, by its title."""
    tables: list[Table] = field(default_factory=list[Table])
    ready: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    operations: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    locations: dict[str, float] = field(default_factory=dict[str, float])
    waiting: list[dict[str, float]] = field(default_factory=list[dict[str, float]])

    def write(self, path: Path) -> None:
        """Write the figures as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def new_results(server: str, warnings: list[str], peers: Sequence[PeerEntry]) -> Results:
    """Results without figures, of this machine and moment."""
    missing = {entry.title: entry.missing for entry in peers}
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    averages = " / ".join(f"{average:.1f}" for average in os.getloadavg())
    return Results(now, machine(), averages, server, [*warnings, *load_warnings()], missing)


def load_warnings() -> list[str]:
    """A warning if other programs use this machine; otherwise nothing."""
    cores = os.cpu_count() or 1
    if os.getloadavg()[0] < cores * BUSY_SHARE:
        return []
    return ["other programs used the machine during this run, so the figures are rough"]


def machine() -> str:
    """Processor, cores, system and Python of this machine."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    parts = [processor(), f"{os.cpu_count()} cores", platform.system(), python]
    return ", ".join(parts)


def processor() -> str:
    """The name of the processor."""
    file = Path("/proc/cpuinfo")
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def table_of(rounds: Rounds, case: Case, peers: Sequence[PeerEntry]) -> Table:
    """The medians of a case."""
    rows: list[Row] = []
    skipped: dict[str, str] = {}
    baseline = rounds.measurements.get((case.key, BASELINE), {})
    for entry in peers:
        measurements = rounds.measurements.get((case.key, entry.key), {})
        reason = rounds.skipped.get((case.key, entry.key))
        if reason is not None:
            skipped[entry.title] = reason
        if measurements and reason is None:
            rows.append(row_of(entry, measurements, baseline))
    return Table(case.key, case.title, rows, skipped)


def row_of(
    entry: PeerEntry, measurements: dict[int, Measurement], baseline: dict[int, Measurement]
) -> Row:
    """The medians of a peer."""
    speeds = {number: 1 / result.wall for number, result in measurements.items()}
    base_speeds = {number: 1 / result.wall for number, result in baseline.items()}
    cpu = {number: result.cpu for number, result in measurements.items()}
    base_cpu = {number: result.cpu for number, result in baseline.items()}
    return Row(
        peer=entry.key,
        title=entry.title,
        rounds=len(measurements),
        wall=spread([result.wall for result in measurements.values()]),
        cpu=spread(list(cpu.values())),
        p50=spread([result.p50 for result in measurements.values()]),
        p99=spread([result.p99 for result in measurements.values()]),
        speed_ratio=optional_spread(ratios(speeds, base_speeds)),
        cpu_ratio=optional_spread(ratios(cpu, base_cpu)),
    )


def optional_spread(values: list[float]) -> Spread | None:
    """The spread of some values; `None` without a value."""
    if not values:
        return None
    return spread(values)
