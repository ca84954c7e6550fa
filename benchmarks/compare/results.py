"""The results of a run: what `results.json` contains, and how it is read and written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .clients import HERE, ROOT
from .outcomes import Outcome

RESULTS = HERE / "results.json"
PAGE = ROOT / "docs" / "comparison.md"


@dataclass(frozen=True)
class Machine:
    """Where and when the comparison ran. It does not identify the machine."""

    date: str
    """The day in UTC, as YYYY-MM-DD."""
    processors: int
    python: str
    system: str
    """The operating system and the processor, such as `Linux x86_64`."""


@dataclass(frozen=True)
class ComparedClient:
    """A column."""

    key: str
    title: str
    distribution: str
    version: str
    configuration: str
    import_seconds: float
    """The processor time of the import."""


@dataclass(frozen=True)
class Cell:
    """The outcome of one scenario with one client."""

    outcome: str
    """The name of an `Outcome`."""
    detail: str
    is_wanted: bool
    requests: int
    """How many requests arrived at the server."""
    seconds: float

    @property
    def label(self) -> str:
        """The text of the outcome."""
        return Outcome[self.outcome].value


@dataclass(frozen=True)
class Row:
    """The outcomes of one scenario."""

    key: str
    title: str
    wanted: list[str]
    """The names of the outcomes that count as good."""
    cells: dict[str, Cell]
    """By the key of the client."""


@dataclass(frozen=True)
class RowGroup:
    """Rows with a common heading."""

    title: str
    introduction: str
    rows: list[Row]


@dataclass(frozen=True)
class Results:
    """Everything that one run measured."""

    machine: Machine
    clients: list[ComparedClient]
    left_out: dict[str, str]
    """Why a client is missing, by its title."""
    groups: list[RowGroup]

    @property
    def rows(self) -> list[Row]:
        """The rows of all groups."""
        return [row for group in self.groups for row in group.rows]


def read_results(path: Path = RESULTS) -> Results:
    """Read the results of an earlier run."""
    values = json.loads(path.read_text(encoding="utf-8"))
    return Results(
        machine=Machine(**values["machine"]),
        clients=[ComparedClient(**client) for client in values["clients"]],
        left_out=values["left_out"],
        groups=[
            RowGroup(
                title=group["title"],
                introduction=group["introduction"],
                rows=[
                    Row(
                        key=row["key"],
                        title=row["title"],
                        wanted=row["wanted"],
                        cells={key: Cell(**cell) for key, cell in row["cells"].items()},
                    )
                    for row in group["rows"]
                ],
            )
            for group in values["groups"]
        ],
    )


def write_results(results: Results, path: Path = RESULTS) -> None:
    """Write the results."""
    text = json.dumps(asdict(results), indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")
