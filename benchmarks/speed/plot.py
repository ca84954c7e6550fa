"""Draws the ratios as an SVG that is readable on light and on dark pages.

A plotting library would be a large dependency for bars with whiskers.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .results import Row, Table
from .statistics import Spread

WIDTH = 760
LABEL_WIDTH = 220
BAR_WIDTH = 440
ROW_HEIGHT = 24
TITLE_HEIGHT = 40

STYLE = """\
    svg { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 13px; }
    .paper { fill: #ffffff; }
    text { fill: #1b2430; }
    .title { font-size: 15px; font-weight: 600; }
    .bar { fill: #9fb0c4; }
    .main { fill: #2f5fa8; }
    .line { stroke: #1b2430; stroke-width: 1.5; }
    .base { stroke: #5b6b82; stroke-dasharray: 3 3; }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #171b21; }
      text { fill: #e8ecf1; }
      .bar { fill: #5b6b82; }
      .main { fill: #7fa8e6; }
      .line { stroke: #e8ecf1; }
      .base { stroke: #9fb0c4; }
    }"""


def draw(tables: Sequence[Table]) -> str:
    """The calls per second of each peer relative to raw httpx, one panel for each table."""
    parts: list[str] = []
    top = 10
    for table in tables:
        rows = [row for row in table.rows if row.speed_ratio is not None]
        if rows:
            parts += panel(table.title, rows, top)
            top += TITLE_HEIGHT + ROW_HEIGHT * len(rows) + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" '
        f'height="{top}" role="img" aria-labelledby="title">\n'
        '  <title id="title">Calls per second relative to raw httpx, median and quartiles</title>\n'
        f"  <style>\n{STYLE}\n  </style>\n"
        f'  <rect class="paper" width="{WIDTH}" height="{top}"/>\n'
    )
    return head + "".join(f"  {part}\n" for part in parts) + "</svg>\n"


def panel(title: str, rows: Sequence[Row], top: int) -> list[str]:
    """The bars of one case, from this height on."""
    spreads = [row.speed_ratio for row in rows if row.speed_ratio is not None]
    largest = max(value.upper for value in spreads)
    scale = BAR_WIDTH / max(largest, 1.0)
    heading = f"{title}: calls/s, raw httpx = 1"
    parts = [text(16, top + 22, heading, "title")]
    first = top + TITLE_HEIGHT
    for number, (row, value) in enumerate(zip(rows, spreads, strict=True)):
        parts += bar(row, value, first + number * ROW_HEIGHT, scale)
    base = LABEL_WIDTH + scale
    bottom = first + ROW_HEIGHT * len(rows)
    parts.append(line(base, first - 4, base, bottom, "base"))
    return parts


def bar(row: Row, value: Spread, top: int, scale: float) -> list[str]:
    """One peer: its name, a bar up to the median, a line between the quartiles, and the figure."""
    css_class = "main" if row.peer.startswith("ours") else "bar"
    middle = top + ROW_HEIGHT / 2 - 3
    width = value.median * scale
    lower = LABEL_WIDTH + value.lower * scale
    upper = LABEL_WIDTH + value.upper * scale
    figure_x = max(upper, LABEL_WIDTH + width) + 8
    return [
        text(16, middle + 5, row.title, ""),
        f'<rect class="{css_class}" x="{LABEL_WIDTH}" y="{top}" width="{width:.1f}" height="18"/>',
        line(lower, middle, upper, middle, "line"),
        text(figure_x, middle + 5, f"{value.median:.2f}", ""),
    ]


def text(x: float, y: float, content: str, css_class: str) -> str:
    """A text."""
    attribute = f' class="{css_class}"' if css_class else ""
    return f'<text{attribute} x="{x:.1f}" y="{y:.1f}">{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css_class: str) -> str:
    """A line."""
    return f'<line class="{css_class}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
