"""What `adapters/run.py` and the server report about one scenario with one client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

Kind = Literal[
    "returned", "raised", "connected", "burst", "cancelled", "hung", "crashed", "not offered"
]


@dataclass(frozen=True)
class Observation:
    """What the caller of a client experienced."""

    kind: Kind
    type: str = ""
    """The class of the result or of the exception, without its module."""
    classes: tuple[str, ...] = ()
    """The classes of an exception, with their modules, in the order of inheritance."""
    status: int | None = None
    """The HTTP status in an exception."""
    text: str = ""
    """The text of an exception, or what is not offered."""
    is_model: bool = False
    """Whether the result is an object of a class of the client."""
    data: Any = None
    """The result as JSON data; `None` if the client cannot express it so."""
    seconds: float = 0.0
    memory: int = 0
    """By how many bytes the call increased the peak memory of the process."""
    warnings: int = 0
    """Log records of level WARNING and above."""
    token_in_log: bool = False
    """Whether a log record of any level contains the token."""
    token_places: tuple[str, ...] = ()
    """Where an exception or a client shows the token."""
    pickles: bool = False
    """Whether an exception is the same after pickling."""
    cancelled_in: float = 0.0
    """Seconds between the cancellation of a call and its end."""
    succeeded: int = 0
    """Calls of a burst that returned."""
    errors: Mapping[str, int] = field(default_factory=dict[str, int])
    """Exceptions of a burst: their number by class."""

    @classmethod
    def from_json(cls, text: str) -> Observation:
        """Read the output of `adapters/run.py`."""
        values: dict[str, Any] = json.loads(text)
        for name in ("classes", "token_places"):
            values[name] = tuple(cast("list[str]", values.get(name, [])))
        return cls(**values)


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that a server received."""

    method: str
    target: str
    """The raw path with its query."""
    headers: Mapping[str, str]
    """Values by lower-case name."""
    body: bytes
    at: float
    """When it arrived: seconds of `time.monotonic`."""
    is_applied: bool
    """Whether the server made the update before it responded."""


@dataclass(frozen=True)
class Evidence:
    """Everything that is known about one scenario with one client."""

    observation: Observation
    requests: tuple[ReceivedRequest, ...] = ()
    """Those to the server that the client is configured for."""
    foreign_requests: tuple[ReceivedRequest, ...] = ()
    """Those to another server, to which the first one redirects."""

    @property
    def updates(self) -> int:
        """How often the server made the update."""
        return sum(request.is_applied for request in self.requests)
