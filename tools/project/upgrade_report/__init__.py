"""Reports what it means to replace one copy of the client by another.

    python -m project.upgrade_report OLD_COPY NEW_COPY

Both are folders of the package `leadconnector`. `make vendor` runs it before it replaces a copy.
`make changes` runs it alone. The steps, a module each:

- `copies`: read the version, the contract and the spec of each copy.
- `changes`: compare the specs with specdrift, and the Python names with `project.surface`.
- `marks`: compare the marks of the client, such as `x-role`, which specdrift does not know.
- `methods`: compare the methods and arguments in the contracts, where griffe is not installed.
- `writers`: write the report as text or Markdown.

The comparison of Python names needs griffe. Everything else needs the standard library only, so
that `make vendor` reports changes of the spec without a virtual environment.
"""

from __future__ import annotations

from .changes import create_report
from .copies import UpgradeReportError
from .model import UpgradeReport
from .writers import write_markdown, write_text

__all__ = [
    "UpgradeReport",
    "UpgradeReportError",
    "create_report",
    "write_markdown",
    "write_text",
]
