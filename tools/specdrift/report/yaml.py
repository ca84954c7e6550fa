"""Writes the report as YAML, with the members of the JSON report."""

from __future__ import annotations

import yaml

from .json import report_document
from .report import Report


def write_yaml(report: Report) -> str:
    """The report as YAML; see `report.schema.json`."""
    text = yaml.safe_dump(report_document(report), sort_keys=False, allow_unicode=False, width=100)
    # Escapes occur in quoted texts only, and those with a log command are quoted.
    return text
