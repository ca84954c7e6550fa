"""Builds the text of an issue or comment, within GitHub's limit and with a hidden marker.

The marker has the name of the report and the hash of its content. By the name, a later run finds
the text again. By the hash, it decides whether anything changed. So a run without news edits
nothing, and nobody is notified.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

MAXIMUM_CHARACTERS = 65_536
"""GitHub's limit for the text of an issue or comment."""

_MARKER_CHARACTERS = 200
"""Reserved for the marker."""

_CUT = (
    "**The rest of this report is left out:** a text on GitHub has at most"
    f" {MAXIMUM_CHARACTERS:,} characters."
)
_DETAILS_START = "<details>"
_DETAILS_END = "</details>"


def marked(name: str, text: str) -> str:
    """Put the marker in front of a text. A text beyond GitHub's limit is cut.

    Args:
        name: the name of the report: lower-case letters.
        text: the report in Markdown.
    """
    # The hash is that of the whole text, so that a change behind the cut counts as well.
    marker = f"<!-- leadconnector-{name} sha256={digest(text)} -->"
    return f"{marker}\n{cut(text, MAXIMUM_CHARACTERS - _MARKER_CHARACTERS)}"


def digest(text: str) -> str:
    """The hash of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def digest_in(name: str, body: str) -> str | None:
    """The hash in the marker of a text; None if the text has no marker with this name.

    The marker counts at the start only: people quote such a text, or paste it into another one.
    """
    match = re.match(rf"<!-- leadconnector-{name} sha256=([0-9a-f]{{64}}) -->", body)
    return match[1] if match else None


def joined(sections: Sequence[str]) -> str:
    """Join sections to one text that needs no cut. Each section gets a fair share of the room."""
    # Two line ends for each section, and one character by which a share may be rounded up.
    room = MAXIMUM_CHARACTERS - _MARKER_CHARACTERS - 3 * len(sections)
    lengths = sorted(len(section) for section in sections)
    # What a short section does not need is left for the longer ones.
    share = 0
    for index, length in enumerate(lengths):
        share = room // (len(lengths) - index)
        room -= min(length, share)
    return "\n".join(cut(section, share).rstrip("\n") + "\n" for section in sections)


def cut(markdown: str, room: int) -> str:
    """Cut a text at the end of a line if it is longer than a number of characters, and say so.

    Args:
        markdown: the text. Its `<details>` elements begin and end at the start of a line.
        room: the number of characters, a few hundred at least.
    """
    if len(markdown) <= room:
        return markdown
    closing = f"\n\n{_DETAILS_END}\n\n{_CUT}\n"
    head = markdown[: room - len(closing)]
    # A line may be a row of a table, of which no part may be missing.
    head = head.rpartition("\n")[0]
    lines = head.splitlines()
    starts = sum(line.startswith(_DETAILS_START) for line in lines)
    ends = sum(line.startswith(_DETAILS_END) for line in lines)
    if starts == ends:
        closing = f"\n\n{_CUT}\n"
    return head + closing
