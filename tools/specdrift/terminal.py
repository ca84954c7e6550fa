"""Makes text of a document safe to print: for a terminal, and for the log of a CI system.

A document may come from anybody. Its names must not control a terminal, start a new line, or be
read as a command by the program that records the output.
"""

from __future__ import annotations

import json
import re

_LOG_COMMAND = re.compile(r"#(?=#\w*\[)")
"""The first character of a command inside a line.

GitHub's runner interprets `##[error]…` anywhere in a line (`ActionCommand.TryParse`). Azure
Pipelines and TeamCity have `##vso[…]` and `##teamcity[…]`.
"""

_WORKFLOW_COMMAND = re.compile(r"(?<![^\r\n])([^\S\r\n]*):(?=:)")
"""The first character of a command at the start of a line.

GitHub's runner interprets `::error::…` after spaces (`ActionCommand.TryParseV2`).
"""

_IDEOGRAPHIC_SPACE = "\u3000"
"""The space of Chinese and Japanese texts. It is wide, so it is not confused with another one."""


def visible(text: str) -> str:
    r"""Escape what a terminal or a CI log would interpret, as Python writes it in a string.

    These are control characters, line ends, marks that change the direction of writing, lone
    surrogates, which cannot be written to a file, and the start of a log command. The result is one
    line: `##[error]` becomes `\x23#[error]`. Escaping twice changes nothing.

    Spaces that look like an ordinary one, such as U+00A0, are escaped too. Otherwise a report could
    show two different texts as equal ones.
    """
    printable = "".join(_escaped(character) for character in text)
    without_log_commands = _LOG_COMMAND.sub(r"\\x23", printable)
    return _WORKFLOW_COMMAND.sub(r"\1\\x3a", without_log_commands)


def _escaped(character: str) -> str:
    """A character, or its escape sequence if it is not printable."""
    if character.isprintable() or character == _IDEOGRAPHIC_SPACE:
        return character
    return character.encode("unicode_escape").decode()


def json_text(data: object) -> str:
    """Write indented JSON in ASCII that no CI log interprets. It means the same."""
    # `#` occurs in strings only, where JSON allows the escape. No line of JSON starts with a colon,
    # because the quotes of a string precede its text.
    return _LOG_COMMAND.sub(r"\\u0023", json.dumps(data, indent=2))


def html_text(html: str) -> str:
    """Write HTML that no CI log interprets. It means the same, except in styles and scripts."""
    without_log_commands = _LOG_COMMAND.sub("&#35;", html)
    return _WORKFLOW_COMMAND.sub(r"\1&#58;", without_log_commands)
