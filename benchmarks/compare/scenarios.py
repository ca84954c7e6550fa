"""All rows of the comparison, in the order of the page."""

from __future__ import annotations

from . import request_rows, response_rows
from .scenario import Group


def groups() -> list[Group]:
    """The groups of rows."""
    return [
        response_rows.responses(),
        response_rows.errors(),
        request_rows.retries(),
        request_rows.connections(),
        request_rows.arguments(),
        request_rows.secrets(),
    ]
