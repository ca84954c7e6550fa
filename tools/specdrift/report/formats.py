"""Lists the output formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .github import write_github
from .html import write_html
from .json import write_json
from .markdown import write_markdown
from .report import Report
from .sarif import write_sarif
from .text import write_text

WRITERS: Mapping[str, Callable[[Report], str]] = {
    "text": write_text,
    "json": write_json,
    "markdown": write_markdown,
    "github": write_github,
    "sarif": write_sarif,
    "html": write_html,
}
"""The function that writes each format, by the name of the format."""
