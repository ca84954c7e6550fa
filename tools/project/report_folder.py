"""Keeps the folder of a report free of files that do not belong to the latest comparison.

`make issue` and `make comment` publish what is in the folder. So after a failure of any kind, the
folder has no text to publish.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path


class IncompleteReportError(Exception):
    """A comparison has passed without a report. The message has one line."""


def prepare(folder: Path, names: Iterable[str]) -> None:
    """Create the folder, and remove the files of an earlier run. Other files remain.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).unlink(missing_ok=True)


def check_parts(parts: Iterable[Path]) -> None:
    """Check that the comparisons have written their parts of the report.

    Raises:
        IncompleteReportError: one is missing. `ARGS=--help` has this effect: the status is 0, but
            nothing was compared.
    """
    for part in parts:
        if not part.is_file():
            raise IncompleteReportError(
                f"{part}: was not written: ARGS has an option that compares nothing: remove it"
            )


def write_text(path: Path, text: str) -> None:
    """Write the text to publish, or nothing.

    Raises:
        OSError: it cannot be written. Then there is no file: a part of a text would be published.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        # A full disk is reported without the name of the file.
        error.filename = str(path)
        with contextlib.suppress(OSError):
            path.unlink()
        raise
