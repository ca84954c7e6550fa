"""Renders `docs/comparison.md` from the results and the prose in `page.md.jinja`."""

from __future__ import annotations

from jinja2 import Environment, StrictUndefined

from .clients import HERE, LEADCONNECTOR
from .outcomes import Outcome
from .results import Cell, Results, Row

GOOD = "✓"
BAD = "✗"
NEUTRAL = "–"

UNDECIDED = frozenset({Outcome.NOT_OFFERED.name, Outcome.TOO_SLOW.name})
"""The outcomes that are neither good nor bad."""

TEMPLATE = HERE / "page.md.jinja"


def render(results: Results) -> str:
    """The page."""
    # The page is Markdown: nothing is escaped for HTML.
    environment = Environment(  # noqa: S701
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        results=results,
        tables=[table(results, group.rows) for group in results.groups],
        clients=client_table(results),
        summary=summary_table(results),
        better=better_rows(results),
        worse=worse_rows(results),
        total=len(results.rows),
    )


def table(results: Results, rows: list[Row]) -> str:
    """The outcomes of a group."""
    lines = [
        table_line(["case", "good outcome", *(client.title for client in results.clients)]),
        table_line(["---"] * (2 + len(results.clients))),
    ]
    for row in rows:
        cells = [cell_text(row.cells[client.key]) for client in results.clients]
        lines.append(table_line([row.title, wanted_text(row), *cells]))
    return "\n".join(lines)


def table_line(cells: list[str]) -> str:
    """A line of a Markdown table."""
    # A bar would start a new cell.
    texts = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(texts)} |"


def cell_text(cell: Cell) -> str:
    """The text of a cell."""
    detail = f": {cell.detail}" if cell.detail else ""
    return f"{sign_of(cell)} {cell.label}{detail}"


def sign_of(cell: Cell) -> str:
    """Whether an outcome is good."""
    if cell.is_wanted:
        return GOOD
    return NEUTRAL if cell.outcome in UNDECIDED else BAD


def wanted_text(row: Row) -> str:
    """The outcomes that count as good in a row, in the order of `Outcome`."""
    labels = [outcome.value for outcome in Outcome if outcome.name in row.wanted]
    return " / ".join(labels)


def client_table(results: Results) -> str:
    """The versions and the configuration of the clients."""
    lines = [
        table_line(["client", "package", "version", "configuration", "import"]),
        table_line(["---", "---", "---", "---", "--:"]),
    ]
    for client in results.clients:
        import_time = f"{client.import_seconds * 1000:.0f} ms"
        distribution = f"`{client.distribution}`"
        cells = [client.title, distribution, client.version, client.configuration, import_time]
        lines.append(table_line(cells))
    return "\n".join(lines)


def summary_table(results: Results) -> str:
    """How many rows of each group have a good outcome."""
    lines = [
        table_line(["group", "rows", *(client.title for client in results.clients)]),
        table_line(["---", *["--:"] * (1 + len(results.clients))]),
    ]
    for group in results.groups:
        counts = [str(good_rows(group.rows, client.key)) for client in results.clients]
        lines.append(table_line([group.title, str(len(group.rows)), *counts]))
    totals = [str(good_rows(results.rows, client.key)) for client in results.clients]
    lines.append(table_line(["all", str(len(results.rows)), *totals]))
    return "\n".join(lines)


def good_rows(rows: list[Row], client: str) -> int:
    """How many rows have a good outcome with a client."""
    return sum(row.cells[client].is_wanted for row in rows)


def worse_rows(results: Results) -> list[str]:
    """The rows in which another client has a good outcome and this project's client has not."""
    lines: list[str] = []
    for row in results.rows:
        if not row.cells[LEADCONNECTOR].is_wanted:
            lines.append(f"{row.title}: {cell_text(row.cells[LEADCONNECTOR])}")
    return lines


def better_rows(results: Results) -> int:
    """In how many rows at least one other client has a good outcome too."""
    others = [client.key for client in results.clients if client.key != LEADCONNECTOR]
    return sum(any(row.cells[key].is_wanted for key in others) for row in results.rows)
