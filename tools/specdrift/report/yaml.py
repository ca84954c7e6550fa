"""Writes the report as YAML, with the members of the JSON report."""

from __future__ import annotations

import re
import sys

import yaml

from ..terminal import visible
from .json import report_document
from .report import Report

_PLAIN_TEXT = re.compile(r"[A-Za-z0-9 ./_-]*")
"""Texts that need no quotes to be safe in a CI log."""


def write_yaml(report: Report) -> str:
    """The report as YAML; see `report.schema.json`."""
    return yaml.dump(
        report_document(report),
        Dumper=_ReportDumper,
        sort_keys=False,
        # A line that begins inside a text could look like a command in a CI log.
        width=sys.maxsize,
    )


class _ReportDumper(yaml.SafeDumper):
    """Writes texts of the documents in quotes, where escapes are possible."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if _PLAIN_TEXT.fullmatch(text) else '"'
    return yaml.ScalarNode("tag:yaml.org,2002:str", visible(text), style=style)


_ReportDumper.add_representer(str, _represent_text)
