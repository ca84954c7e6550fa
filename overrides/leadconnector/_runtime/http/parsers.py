"""Parses the responses of one connection. It does no I/O: it gets bytes, and has a state.

The parser of h11 is the one that is always installed. The interface is small, so that another one
can replace it.
"""

from abc import ABC, abstractmethod
from enum import Enum
from functools import cache

import h11
import httpx

from .body import MAXIMUM_BODY_BYTES

MAXIMUM_EVENT_BYTES = 100 * 1024
"""Bytes of one head, or of one header of a chunk: 100 KiB, as in httpx."""

RawHeaders = list[tuple[bytes, bytes]]


class ParserState(Enum):
    """How much of a response a parser has received."""

    IDLE = "no response is expected"
    HEAD = "the head is not complete"
    BODY = "the head is complete, but not the body"
    COMPLETE = "the response is complete"
    TOO_LARGE = "the body is larger than a client reads"


class ResponseParser(ABC):
    """Parses the responses of one connection, one after the other.

    The repr shows no data, unlike that of a bytearray: a traceback can show variables.
    """

    def __init__(self) -> None:
        self.state = ParserState.IDLE
        self.status_code = 0
        self.headers: RawHeaders = []
        """The headers of the response, by name in lower case."""
        self.body = bytearray()
        """The body so far, without its transfer coding."""

    def start(self, method: str) -> None:
        """Start with the response to a request that is about to be sent.

        Args:
            method: its method, on which the form of the response depends.

        Raises:
            httpx.LocalProtocolError: the method is invalid.
        """
        # Not COMPLETE, from here on: an interruption in the rest makes the connection unusable.
        self.state = ParserState.HEAD
        self.status_code = 0
        self.headers = []
        self.body = bytearray()
        self._start(method)

    @abstractmethod
    def _start(self, method: str) -> None:
        """See `start`."""

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Add bytes of the server; none at the end of the connection.

        Raises:
            httpx.RemoteProtocolError: they are not HTTP, or the response is cut off.
        """

    @property
    @abstractmethod
    def keeps_connection(self) -> bool:
        """Whether the response is complete, and the connection can be used again.

        If anything was received behind the response, it cannot: the next request would get it as
        its response.
        """

    @property
    @abstractmethod
    def has_surplus(self) -> bool:
        """Whether anything was received behind the response."""

    def add_to_body(self, data: bytes) -> None:
        """Append bytes to the body, up to the largest one that a client reads."""
        self.body += data
        if len(self.body) > MAXIMUM_BODY_BYTES:
            self.state = ParserState.TOO_LARGE

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.state.name})"


class H11Parser(ResponseParser):
    """The parser of h11."""

    def __init__(self) -> None:
        super().__init__()
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAXIMUM_EVENT_BYTES)

    def _start(self, method: str) -> None:
        if self._connection.our_state is h11.DONE:
            self._connection.start_next_cycle()
        try:
            # h11 has to know the method, and that the request is complete. It need not know the
            # headers, and its own encoding of a request is not used.
            self._connection.send(_request_without_headers(method))
            self._connection.send(h11.EndOfMessage())
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error

    def feed(self, data: bytes) -> None:
        """See `ResponseParser`."""
        if not data and self._connection.their_state is h11.SEND_RESPONSE:
            raise httpx.RemoteProtocolError("the server ended the connection without a response")
        try:
            self._connection.receive_data(data)
            # The next event is read even after the body: it can be the end of the response.
            while self._handle(self._connection.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error

    def _handle(self, event: h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]) -> bool:
        """Handle an event. Returns whether another one can follow without further bytes."""
        if isinstance(event, h11.Response):
            self.status_code = event.status_code
            self.headers = list(event.headers)
            self.state = ParserState.BODY
            return True
        if isinstance(event, h11.Data):
            self.add_to_body(event.data)
            return self.state is ParserState.BODY
        if isinstance(event, h11.EndOfMessage):
            self.state = ParserState.COMPLETE
            return False
        # An interim response such as `100 Continue` is skipped.
        return isinstance(event, h11.InformationalResponse)

    @property
    def keeps_connection(self) -> bool:
        """See `ResponseParser`."""
        return (
            self.state is ParserState.COMPLETE
            and self._connection.our_state is h11.DONE
            and self._connection.their_state is h11.DONE
            and not self.has_surplus
        )

    @property
    def has_surplus(self) -> bool:
        """See `ResponseParser`. The end of the connection counts, too."""
        return self._connection.trailing_data != (b"", False)


@cache
def _request_without_headers(method: str) -> h11.Request:
    # HTTP/1.1 requires this header (RFC 9112, section 3.2).
    return h11.Request(method=method, target="/", headers=[("Host", "unused")])
