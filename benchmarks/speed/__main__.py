"""`python -m benchmarks.speed`: measures the peers in turns, and writes `docs/performance.md`."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from benchmarks.compare.build import BuildError, build
from benchmarks.compare.clients import ROOT, BuiltEnvironment

from .catalogue import BASELINE, Case, PeerEntry, all_cases, all_peers
from .growth import (
    FULL,
    QUICK,
    GrowthError,
    Sizes,
    measure_locations,
    measure_operations,
    measure_ready,
    measure_waiting,
)
from .operations import GenerationError
from .page import render, terminal_text
from .plot import draw
from .results import Results, new_results, table_of
from .rounds import run_rounds
from .server import RunningServer, ServerError, serving, serving_emulator

PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "performance.svg"
RESULTS = Path(__file__).resolve().parent / "results.json"

CASE_GROUPS = ("sync", "async", "tls", "null")
GROWTH_GROUPS = ("ready", "operations", "locations", "waiting")
EMULATOR = "emulator"
GROUPS = (*CASE_GROUPS, *GROWTH_GROUPS, EMULATOR)

QUICK_CALLS = 5
QUICK_WARNING = "this is a quick run against the emulator: its figures mean nothing"
QUICK_PEERS = (BASELINE, "plain", "ours")
"""Peers whose dependencies this project's own environment has. Nothing is installed."""


def main() -> int:
    """Measure, print, and write. The exit status is 1 if a part cannot be measured."""
    options = parse_options()
    # Otherwise the server would outlive this program.
    signal.signal(signal.SIGTERM, end)
    try:
        results = run(options)
        if should_write(options):
            # The rest takes minutes. An interruption does not lose the figures of the peers.
            write_page(results)
        measure_growth(options, results, sys.executable if options.quick else own_python())
    except (ServerError, GrowthError, GenerationError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(terminal_text(results))
    if options.json is not None:
        results.write(options.json)
    if should_write(options):
        write_page(results)
        print(f"\nbench: wrote {PAGE.relative_to(ROOT)}")
    if EMULATOR in options.modes:
        script = ROOT / "benchmarks" / "emulator.py"
        return subprocess.run([sys.executable, str(script)], check=False).returncode
    return 0


def end(number: int, frame: FrameType | None) -> NoReturn:
    """End this program as an exception does, so that all processes end with it."""
    raise SystemExit(128 + number)


def parse_options() -> argparse.Namespace:
    """The command line."""
    keys = [entry.key for entry in all_peers()]
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=positive, default=25, help="rounds (default: 25)")
    parser.add_argument(
        "--minutes", type=float, default=30.0, help="no round starts after this (default: 30)"
    )
    parser.add_argument("--peers", nargs="+", choices=keys, default=keys, help="some peers only")
    parser.add_argument("--modes", nargs="+", choices=GROUPS, default=GROUPS, help="some parts")
    parser.add_argument("--quick", action="store_true", help="one round of few calls, no install")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--write", action="store_true", help="write the page after a partial run")
    return parser.parse_args()


def positive(text: str) -> int:
    """A number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def should_write(options: argparse.Namespace) -> bool:
    """Whether to write the page: the run measures all that it shows, or an option asks for it."""
    if options.write:
        return True
    has_all_peers = len(options.peers) == len(all_peers())
    has_all_modes = set(GROUPS) <= set(options.modes)
    return has_all_peers and has_all_modes and not options.quick


def run(options: argparse.Namespace) -> Results:
    """Measure the selected peers.

    Raises:
        ServerError: the server cannot be started.
    """
    entries = [entry for entry in all_peers() if entry.key in options.peers]
    cases = [case for case in all_cases() if case.group in options.modes]
    if options.quick:
        entries = [entry for entry in entries if entry.key in QUICK_PEERS]
        cases = [quick_case(case) for case in cases]
    unbuilt = {} if options.quick else build_all(entries)
    entries = [entry for entry in entries if entry.key not in unbuilt]
    with tempfile.TemporaryDirectory() as name:
        server_block = serving_emulator(QUICK_WARNING) if options.quick else serving(Path(name))
        with server_block as server:
            results = measure_peers(options, entries, cases, server)
    for title, reason in unbuilt.items():
        results.warnings.append(f"{title} is not measured: {reason}")
    return results


def measure_peers(
    options: argparse.Namespace,
    entries: list[PeerEntry],
    cases: list[Case],
    server: RunningServer,
) -> Results:
    """Run the rounds, and compute the tables."""
    warnings = [server.warning] if server.warning else []
    for warning in warnings:
        report(f"warning: {warning}")
    results = new_results(server.name, warnings, entries)
    rounds = run_rounds(
        entries,
        cases,
        server,
        1 if options.quick else options.rounds,
        minutes=options.minutes,
        python_of=quick_python if options.quick else built_python,
        report=report,
    )
    results.tables = [table_of(rounds, case, entries) for case in cases]
    return results


def measure_growth(options: argparse.Namespace, results: Results, python: str) -> None:
    """Measure the selected parts that have no peers.

    Raises:
        GrowthError: a program of a measurement failed.
        GenerationError: the generation step failed.
    """
    sizes: Sizes = QUICK if options.quick else FULL
    if "ready" in options.modes:
        report("time until a client is ready")
        results.ready = [asdict(row) for row in measure_ready(sizes.starts, python)]
    if "locations" in options.modes:
        report("locations")
        results.locations = measure_locations(sizes, python)
    if "waiting" in options.modes:
        report("calls that wait")
        results.waiting = measure_waiting(sizes, python)
    if "operations" in options.modes:
        results.operations = measure_operations(sizes, python, report)


def build_all(entries: list[PeerEntry]) -> dict[str, str]:
    """Build the environments. Returns why some peers have none, by their key."""
    unbuilt: dict[str, str] = {}
    for entry in entries:
        try:
            build(entry.environment)
        except BuildError as error:
            report(f"{entry.title} is not measured: {error}")
            unbuilt[entry.key] = str(error)
    return unbuilt


def own_python() -> str:
    """The interpreter of the environment with the client's dependencies."""
    own: BuiltEnvironment = all_peers()[0].environment
    return str(own.python)


def built_python(entry: PeerEntry) -> str:
    """The interpreter of a peer."""
    return str(entry.environment.python)


def quick_python(entry: PeerEntry) -> str:
    """The interpreter that runs this program."""
    return sys.executable


def quick_case(case: Case) -> Case:
    """The case with few calls."""
    return replace(case, calls=QUICK_CALLS)


def write_page(results: Results) -> None:
    """Write the figures, the plot and the page."""
    results.write(RESULTS)
    PLOT.write_text(draw(results.tables), encoding="utf-8")
    PAGE.write_text(render(results, has_plot=True), encoding="utf-8")


def report(line: str) -> None:
    """Show the progress."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
