"""What goes in and comes out of the emulator, whichever door it is reached by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire."""

    method: str
    target: str
    """The raw path, still percent-encoded, with its query."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""

    @property
    def path(self) -> str:
        """The raw path without the query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Delivery:
    """How a response is sent, where a fault has it otherwise than whole and at once."""

    delay: float = 0.0
    """Seconds before the first byte."""
    drop: Literal["before", "within", "after"] | None = None
    """The connection ends before, within or after the headers."""
    truncate: int | None = None
    """The connection ends after so many bytes of the body."""
    drip: float | None = None
    """Seconds before each byte of the body."""


WHOLE = Delivery()


@dataclass(frozen=True)
class Response:
    """A response to be sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    delivery: Delivery = WHOLE


@dataclass(frozen=True)
class Exchange:
    """A request, and what it was answered."""

    request: Request
    response: Response
    fault: object = None
    """The fault that had a part in it, if any."""
