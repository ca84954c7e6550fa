"""Describes a deviation of a request or response from the spec, without the data in it.

The fields, kinds and rules are those of the client's `leadconnector.Finding`, and the rules are the
check ids of `specdrift`. This package depends on neither of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import NamedTuple

MAXIMUM_NAME_LENGTH = 64
"""Characters of one property name in a path: the sender chooses the names and their length."""

_INDEX = re.compile(r"\[\d+\]")


class Direction(StrEnum):
    """The direction of the data that a finding is about. It is a part of the check ids."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True)
class Finding:
    """One deviation of an exchange from the spec. It contains no value of the data."""

    kind: str
    """The kind of deviation, such as `unknown-enum-value`."""
    rule: str
    """The check id of the change to the spec that would allow the data."""
    operation: str
    """Method and path template of the spec. Method and path as received, if it has no such one."""
    pointer: str
    """The place in the spec, as a JSON pointer."""
    path: str
    """The place in the data, as a JSON path. For a parameter, for example `query.limit`."""
    expected: str
    """What the spec documents at that place. It completes the sentence "it must be …"."""
    value: str = ""
    """The status code or the media type that is not documented; empty for any other kind."""
    direction: str = Direction.RESPONSE
    """`request` or `response`."""

    def __str__(self) -> str:
        """One line for a log."""
        subject = self.value or self.path
        return (
            f"{self.operation}: in the {self.direction}, {subject} must be {self.expected}"
            f" ({self.kind}, {self.rule}, {self.pointer})"
        )

    @property
    def identity(self) -> tuple[str, ...]:
        """Equal for findings that one change to the spec would settle.

        The number of an element in a list does not matter: a thousand elements may deviate alike.
        """
        path = _INDEX.sub("[*]", self.path)
        return (self.rule, self.operation, self.pointer, path, self.value, self.direction)

    def as_json(self) -> str:
        """One line that `specdrift --wire` reads."""
        return json.dumps(self.content())

    def content(self) -> dict[str, str]:
        """The fields by name."""
        return asdict(self)


class JsonPath(NamedTuple):
    """A place in JSON data, linked to the place that contains it. Only a finding renders it."""

    parent: JsonPath | None
    """The place that contains this one; `None` for the root."""
    step: str | int
    """A property name or an array index; for the root, the name of the data."""

    def __str__(self) -> str:
        """The JSON path, such as `$.people[0].name`."""
        steps: list[str] = []
        path = self
        while path.parent is not None:
            steps.append(_rendered_step(path.step))
            path = path.parent
        return str(path.step) + "".join(reversed(steps))


ROOT = JsonPath(None, "$")
"""The whole body."""


def _rendered_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if len(step) <= MAXIMUM_NAME_LENGTH and step.isascii() and step.isidentifier():
        return f".{step}"
    # The name comes from the sender: JSON escapes its control characters and quotes.
    return f"[{json.dumps(step[:MAXIMUM_NAME_LENGTH])}]"
