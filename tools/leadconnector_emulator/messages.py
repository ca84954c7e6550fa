"""The requests and responses that the emulator exchanges with each of its interfaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .finding import Finding

if TYPE_CHECKING:
    from .faults import Fault

MAXIMUM_BODY = 1024 * 1024
"""The largest request body in bytes; a larger one is rejected with 413."""


@dataclass(frozen=True)
class Request:
    """A request as it arrived over the wire."""

    method: str
    target: str
    """The raw path, still percent-encoded, with its query."""
    headers: Mapping[str, str]
    """Values by lower-case name."""
    body: bytes = b""

    @property
    def path(self) -> str:
        """The raw path without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query, without the question mark."""
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class Delivery:
    """How a response is sent. By default it is sent completely and at once."""

    delay: float = 0.0
    """Seconds before the first byte."""
    drop: Literal["before", "within", "after"] | None = None
    """The connection ends before, within or after the headers."""
    truncate: int | None = None
    """The number of body bytes after which the connection ends."""
    drip: float | None = None
    """Seconds before each byte of the body."""

    @property
    def is_plain(self) -> bool:
        """Whether the response is sent completely and at once."""
        return self == PLAIN_DELIVERY


PLAIN_DELIVERY = Delivery()


@dataclass(frozen=True)
class Response:
    """A response, and how it is sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    delivery: Delivery = PLAIN_DELIVERY
    repeated_headers: tuple[tuple[str, str], ...] = ()
    """Further lines of headers that occur several times, such as `Set-Cookie`."""

    def header_lines(self) -> list[tuple[bytes, bytes]]:
        """Every header, as on the wire."""
        lines: list[tuple[bytes, bytes]] = []
        for name, value in (*self.headers.items(), *self.repeated_headers):
            lines.append((name.encode("latin-1"), value.encode("latin-1")))
        return lines

    def headers_by_lower_name(self) -> dict[str, str]:
        """The headers by lower-case name. Those of a real API may have any case."""
        return {name.lower(): value for name, value in self.headers.items()}

    @property
    def has_complete_body(self) -> bool:
        """Whether the connection stays open until the last byte of the body."""
        return self.delivery.drop is None and self._delivered_length == len(self.body)

    def body_chunks(self) -> Iterator[bytes]:
        """The body up to the byte where the connection ends: one chunk, or single bytes of a drip.

        An interface waits `delivery.drip` seconds before each chunk.
        """
        length = self._delivered_length
        if self.delivery.drip is not None:
            for position in range(length):
                yield self.body[position : position + 1]
        elif length > 0:
            yield self.body[:length]

    @property
    def _delivered_length(self) -> int:
        """The number of body bytes that are sent before the connection ends."""
        if self.delivery.drop is not None:
            return 0
        if self.delivery.truncate is None:
            return len(self.body)
        return min(self.delivery.truncate, len(self.body))


@dataclass(frozen=True)
class Exchange:
    """A request and the response to it, as the emulator's log keeps them."""

    request: Request
    response: Response
    fault: Fault | None = None
    """The fault that changed the response, or `None`."""
    findings: tuple[Finding, ...] = ()
    """The deviations from the spec. Only a `ValidatingProxy` looks for them."""


def combined_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name.

    Commas join repeated headers (RFC 9110, section 5.3). A cookie may contain a comma, so that
    semicolons join cookies (RFC 9113, section 8.2.3).
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1")
        if name in headers:
            separator = "; " if name == "cookie" else ", "
            headers[name] = headers[name] + separator + value
        else:
            headers[name] = value
    return headers
