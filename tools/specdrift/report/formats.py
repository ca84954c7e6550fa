"""Lists the output formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .github import write_github
from .html import write_html
from .json import write_json
from .junit import write_junit
from .markdown import write_markdown
from .report import Report
from .sarif import write_sarif
from .text import write_text
from .yaml import write_yaml

WRITERS: Mapping[str, Callable[[Report], str]] = {
    "text": write_text,
    "json": write_json,
    "yaml": write_yaml,
    "markdown": write_markdown,
    "github": write_github,
    "sarif": write_sarif,
    "junit": write_junit,
    "html": write_html,
}
"""The function that writes each format, by the name of the format."""
