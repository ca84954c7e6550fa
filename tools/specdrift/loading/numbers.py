"""Decides which numbers of a document can be compared: those that are finite as a float.

JSON has no infinity, and no limit on digits (RFC 8259, section 6). It recommends the range of IEEE
754 double precision, because other programs read numbers like that. Python would fail later, when
it converts a longer number to a float or to text.
"""

from __future__ import annotations

import math

_SHOWN_CHARACTERS = 20


def is_usable_number(number: object) -> bool:
    """Whether a value is a number that is finite as a float."""
    if not isinstance(number, int | float):
        return False
    try:
        return math.isfinite(number)
    except OverflowError:
        # An integer of more than 1,024 bits.
        return False


def abbreviated(text: str) -> str:
    """The first characters of a number for a message."""
    if not text:
        return "an empty text"
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]}… ({len(text):,} characters)"
