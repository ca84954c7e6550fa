"""Writes to the files through which a step of a GitHub workflow reports its results.

Outside of a workflow these files do not exist, and nothing is written. So a program behaves the
same on a developer's machine.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

SUMMARY_LIMIT = 1024 * 1024
"""Bytes. GitHub rejects the summary of a step that is larger than 1 MiB."""

TRUNCATION_NOTICE = "\n… The rest is omitted: it is too long for a job summary.\n"

NAME_OF_OUTPUT = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


def append_summary(markdown: str) -> None:
    """Add Markdown to the summary of the job, as a section of its own.

    Args:
        markdown: the text, which `code_block` has shortened if it can be long.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{markdown}\n")


def set_output(name: str, value: str) -> None:
    """Set an output of the step.

    Raises:
        ValueError: the name or the value would end the line and start another output.
    """
    path = os.environ.get("GITHUB_OUTPUT", "")
    if not NAME_OF_OUTPUT.fullmatch(name) or "\n" in value or "\r" in value:
        raise ValueError(f"{name}: an output has one line")
    if not path:
        return
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


def code_block(text: str, language: str = "") -> str:
    """A Markdown code block that shows any text as it is, or its start if it is too long.

    Args:
        text: the text. It can contain backticks: the fence is longer than all of them.
        language: the name for syntax highlighting, such as `diff`.
    """
    # Half of the limit leaves room for the other sections of the job.
    shortened_text = shorten(text, SUMMARY_LIMIT // 2)
    longest_run = max((len(run) for run in re.findall("`+", shortened_text)), default=0)
    fence = "`" * max(3, longest_run + 1)
    return f"{fence}{language}\n{shortened_text.rstrip()}\n{fence}\n"


def shorten(text: str, limit: int) -> str:
    """The text, or as many of its lines as fit into `limit` bytes of UTF-8, with a notice."""
    if len(text.encode()) <= limit:
        return text
    notice_size = len(TRUNCATION_NOTICE.encode())
    start = text.encode()[: limit - notice_size].decode(errors="ignore")
    complete_lines, _, _ = start.rpartition("\n")
    return complete_lines + TRUNCATION_NOTICE
