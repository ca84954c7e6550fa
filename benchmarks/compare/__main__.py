"""`python -m benchmarks.compare`: builds the clients, runs the scenarios, and writes the page.

Writes `benchmarks/compare/results.json` and `docs/comparison.md`. With `--page`, only the page is
written, from the results of an earlier run. With `--row` or `--client`, the selected outcomes are
printed, and nothing is written.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from .build import BuildError, build
from .clients import LEADCONNECTOR, ROOT, Client, all_clients
from .figures import import_seconds, judge_reading, judge_types
from .outcomes import Judgement, Outcome
from .page import cell_text, render
from .results import (
    PAGE,
    RESULTS,
    Cell,
    ComparedClient,
    Machine,
    Results,
    Row,
    RowGroup,
    read_results,
    write_results,
)
from .running import judge, run_scenario
from .scenario import Group, Scenario
from .scenarios import groups

WAITING_PROCESSES = 15
"""How many slow scenarios run at the same time. They only wait."""

WORKING_PROCESSES = 6
"""How many other scenarios run at the same time. No outcome depends on a short time."""

TYPE_ROWS = ("types", "field")
"""The keys of the rows that a type checker decides."""


def main() -> int:
    """Run the comparison.

    Returns:
        The exit status: 0, or 2 if nothing can be compared.
    """
    options = parse_arguments()
    if options.page:
        write_page(read_results())
        return 0
    clients = [client for client in all_clients() if is_selected(client.key, options.client)]
    selected = [select_rows(group, options.row) for group in groups()]
    selected = [group for group in selected if group.scenarios]
    left_out = build_all(clients)
    clients = [client for client in clients if client.title not in left_out]
    if not clients or not selected:
        print("There is nothing to compare: see the messages above and --help", file=sys.stderr)
        return 2
    if options.row or options.client:
        compare(clients, selected)
        return 0
    with ThreadPoolExecutor(1) as checking:
        # The type checker runs meanwhile: it takes minutes.
        types = checking.submit(type_group, clients)
        compared = [*compare(clients, selected), types.result()]
    columns = [column(client) for client in clients]
    results = Results(this_machine(), columns, left_out, compared)
    write_results(results)
    print(f"Wrote {RESULTS.relative_to(ROOT)}")
    write_page(results)
    return 0


def parse_arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="make compare", description=__doc__)
    keys = [client.key for client in all_clients()]
    rows = [scenario.key for group in groups() for scenario in group.scenarios]
    parser.add_argument("--page", action="store_true", help="only write the page")
    parser.add_argument("--client", action="append", choices=keys, help="only this client")
    parser.add_argument("--row", action="append", choices=rows, metavar="KEY", help="only this row")
    return parser.parse_args()


def is_selected(key: str, selection: Sequence[str] | None) -> bool:
    """Whether a repeatable option selects a key. Without the option, all are selected."""
    return not selection or key in selection


def select_rows(group: Group, selection: Sequence[str] | None) -> Group:
    """A group with the selected rows only."""
    scenarios = [item for item in group.scenarios if is_selected(item.key, selection)]
    return Group(group.title, group.introduction, tuple(scenarios))


def build_all(clients: Sequence[Client]) -> dict[str, str]:
    """Build the clients.

    Returns:
        Why a client is left out, by its title.
    """
    left_out: dict[str, str] = {}
    for client in clients:
        print(f"Building {client.title}", flush=True)
        try:
            build(client)
        except (BuildError, subprocess.TimeoutExpired) as error:
            left_out[client.title] = str(error)
            print(f"{client.title} is left out: {error}", file=sys.stderr)
    return left_out


@dataclass(frozen=True)
class PendingRow:
    """A row whose scenarios run."""

    scenario: Scenario
    cells: dict[str, Future[Cell]]
    """By the key of the client."""


def compare(clients: Sequence[Client], selected: Sequence[Group]) -> list[RowGroup]:
    """Run the scenarios with each client, and print the outcomes as they arrive."""
    with (
        ThreadPoolExecutor(WAITING_PROCESSES) as waiting,
        ThreadPoolExecutor(WORKING_PROCESSES) as working,
    ):

        def start(scenario: Scenario) -> PendingRow:
            pool = waiting if scenario.is_slow else working
            cells = {client.key: pool.submit(measure, client, scenario) for client in clients}
            return PendingRow(scenario, cells)

        pending = [(group, [start(item) for item in group.scenarios]) for group in selected]
        return [
            RowGroup(group.title, group.introduction, [finished(row) for row in rows])
            for group, rows in pending
        ]


def measure(client: Client, scenario: Scenario) -> Cell:
    """Run one scenario with one client."""
    evidence = run_scenario(client, scenario)
    if evidence.observation.kind == "hung" and not scenario.is_slow:
        # Other programs of a busy machine can delay a call.
        evidence = run_scenario(client, scenario)
    judgement = judge(client, scenario, evidence)
    return Cell(
        outcome=judgement.outcome.name,
        detail=judgement.detail,
        is_wanted=judgement.outcome in scenario.wanted,
        requests=len(evidence.requests),
        seconds=evidence.observation.seconds,
    )


def finished(pending: PendingRow) -> Row:
    """Wait for the scenarios of a row, and print their outcomes."""
    scenario = pending.scenario
    print(f"\n{scenario.title} ({scenario.key})", flush=True)
    cells: dict[str, Cell] = {}
    for key, future in pending.cells.items():
        cell = future.result()
        cells[key] = cell
        measured = f"{cell.seconds:.1f} s, {cell.requests} requests"
        print(f"  {key:22} {cell_text(cell)} ({measured})", flush=True)
    wanted = sorted(outcome.name for outcome in scenario.wanted)
    return Row(scenario.key, scenario.title, wanted, cells)


def type_group(clients: Sequence[Client]) -> RowGroup:
    """What a type checker sees."""
    checks = [
        ("A program that makes the call, and the type of the result", judge_types),
        ("The same program reads `result.conversation.starred`", judge_reading),
    ]
    rows: list[Row] = []
    for key, (title, check) in zip(TYPE_ROWS, checks, strict=True):
        cells = {client.key: type_cell(check(client)) for client in clients}
        rows.append(Row(key, title, [Outcome.TYPED.name], cells))
    introduction = "The programs are checked with `mypy --strict`, without the client's own code."
    return RowGroup("Types", introduction, rows)


def type_cell(judgement: Judgement) -> Cell:
    """The cell of an outcome of the type checker."""
    is_wanted = judgement.outcome is Outcome.TYPED
    return Cell(judgement.outcome.name, judgement.detail, is_wanted, requests=0, seconds=0.0)


def column(client: Client) -> ComparedClient:
    """The facts about a client."""
    return ComparedClient(
        key=client.key,
        title=client.title,
        distribution=client.distribution,
        version=version_of(client),
        configuration=client.configuration,
        import_seconds=import_seconds(client),
    )


def version_of(client: Client) -> str:
    """The version of a client, or of its generator."""
    program = f"import importlib.metadata as m; print(m.version({client.distribution!r}))"
    if client.key == LEADCONNECTOR:
        program = "import leadconnector; print(leadconnector.__version__)"
    result = subprocess.run(
        [str(client.python), "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "overrides")},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return result.stdout.strip()


def this_machine() -> Machine:
    """This machine and this day."""
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        processors=os.cpu_count() or 1,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
    )


def write_page(results: Results) -> None:
    """Write the page."""
    PAGE.write_text(render(results), encoding="utf-8")
    print(f"Wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
