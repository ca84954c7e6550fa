"""Renders the figures: tables for the terminal, and `docs/performance.md`."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from benchmarks.compare.page import table_line

from .results import Results, Row, Table
from .statistics import Spread

TEMPLATE = Path(__file__).resolve().parent / "page.md.jinja"

COLUMNS = ["client", "calls/s ÷ httpx", "CPU ÷ httpx", "µs/call", "CPU µs/call", "p50 ms", "p99 ms"]


def render(results: Results, *, has_plot: bool) -> str:
    """The page."""
    # The page is Markdown: nothing is escaped for HTML.
    environment = Environment(  # noqa: S701
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["capitalize_first"] = capitalize_first
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    tables = [
        {"title": table.title, "text": case_table(table), "skipped": skipped_text(table)}
        for table in results.tables
    ]
    return template.render(
        results=results,
        plot=has_plot,
        tables=tables,
        peers=peer_table(results),
        ready=ready_table(results),
        operations=operations_table(results),
        locations=location_table(results),
        waiting=waiting_table(results),
    )


def capitalize_first(title: str) -> str:
    """A title with a capital letter; the rest is unchanged, as in `TLS`."""
    return title[:1].upper() + title[1:]


def markdown_table(columns: list[str], rows: list[list[str]]) -> str:
    """A table whose first column has text, and whose others have figures; empty without a row."""
    if not rows:
        return ""
    lines = [table_line(columns), table_line(["---", *["--:"] * (len(columns) - 1)])]
    lines += [table_line(row) for row in rows]
    return "\n".join(lines)


def case_table(table: Table) -> str:
    """The figures of every client in one case."""
    return markdown_table(COLUMNS, [cells_of(row) for row in table.rows])


def cells_of(row: Row) -> list[str]:
    """The cells of a client."""
    return [
        row.title,
        ratio_text(row.speed_ratio),
        ratio_text(row.cpu_ratio),
        f"{row.wall.median * 1e6:,.0f}",
        f"{row.cpu.median * 1e6:,.0f}",
        f"{row.p50.median * 1e3:.2f}",
        f"{row.p99.median * 1e3:.2f}",
    ]


def ratio_text(ratio: Spread | None) -> str:
    """A ratio with its quartiles."""
    if ratio is None:
        return "–"
    return f"{ratio.median:.2f} ({ratio.lower:.2f}–{ratio.upper:.2f})"


def skipped_text(table: Table) -> str:
    """Which clients are not measured, and why."""
    return "; ".join(f"{title} ({reason})" for title, reason in table.skipped.items())


def peer_table(results: Results) -> str:
    """What each client lacks."""
    lines = [table_line(["client", "lacks"]), table_line(["---", "---"])]
    lines += [table_line([title, missing]) for title, missing in results.peers.items()]
    return "\n".join(lines)


def ready_table(results: Results) -> str:
    """The time until a client is ready."""
    rows = [
        [
            row["title"],
            f"{row['wall']['median'] * 1e3:.0f}",
            f"{row['cpu']['median'] * 1e3:.0f}",
            ratio_text(Spread(**row["cpu_ratio"])),
            f"{row['memory']['median']:.1f}",
            f"{row['first_call']['median'] * 1e3:.0f}",
        ]
        for row in results.ready
    ]
    columns = ["client", "ms", "CPU ms", "CPU ÷ httpx", "memory MiB", "first call, CPU ms"]
    return markdown_table(columns, rows)


def operations_table(results: Results) -> str:
    """The time to the first client by the number of operations."""
    rows = [
        [
            f"{row['operations']:,}",
            f"{row['generation']:.1f}",
            f"{row['wall'] * 1e3:.0f}",
            f"{row['cpu'] * 1e3:.0f}",
            f"{row['memory']:.1f}",
            f"{row['first_call'] * 1e3:.0f}",
        ]
        for row in results.operations
    ]
    columns = ["operations", "generation s", "ms", "CPU ms", "memory MiB", "first call, CPU ms"]
    return markdown_table(columns, rows)


def location_table(results: Results) -> str:
    """The time of a call by the number of locations."""
    rows = [[f"{int(number):,}", f"{value:.0f}"] for number, value in results.locations.items()]
    return markdown_table(["locations", "CPU µs"], rows)


def waiting_table(results: Results) -> str:
    """What waiting calls cost."""
    rows = [
        [
            f"{row['calls']:,}",
            f"{row['start']:.2f}",
            f"{row['core']:.1%}",
            f"{row['late_while_waiting'] * 1e3:.0f}",
            f"{row['close']:.2f}",
            f"{row['late_while_closing'] * 1e3:.0f}",
        ]
        for row in results.waiting
    ]
    columns = ["calls", "start s", "share of a core", "late ms", "close s", "late ms in close"]
    return markdown_table(columns, rows)


def terminal_text(results: Results) -> str:
    """All tables, for the terminal."""
    parts: list[str] = []
    for table in results.tables:
        parts += [f"\n{table.title}", aligned(case_table(table)), skipped_text(table)]
    sections = {
        "time until a client is ready": ready_table(results),
        "number of operations": operations_table(results),
        "number of locations": location_table(results),
        "calls that wait": waiting_table(results),
    }
    for title, text in sections.items():
        if text:
            parts += [f"\n{title}", aligned(text)]
    return "\n".join(part for part in parts if part)


def aligned(table: str) -> str:
    """A Markdown table in columns of equal width, without its bars."""
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    if not rows:
        return ""
    del rows[1]
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    lines: list[str] = []
    for row in rows:
        figures = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *figures]))
    return "\n".join(lines)
