"""The exception of this part, and how its messages show names of files."""

from __future__ import annotations


class VendoringError(Exception):
    """Something cannot be copied or verified. The message says what, where, and what to do."""


def printable(name: str) -> str:
    """A name of a file in one line: it may come from anybody, and must not control a terminal."""
    return "".join(_escaped(character) for character in name)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()
