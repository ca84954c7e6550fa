"""The interface of a parser of responses. It does no I/O: it gets bytes, and has a state."""

from abc import ABC, abstractmethod
from enum import Enum

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
        self.clear()
        self._start(method)

    def clear(self) -> None:
        """Forget the data of the last response."""
        self.status_code = 0
        self.headers = []
        self.body = bytearray()

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

    def add_to_body(self, data: bytes) -> None:
        """Append bytes to the body, up to the largest one that a client reads."""
        self.body += data
        if len(self.body) > MAXIMUM_BODY_BYTES:
            self.state = ParserState.TOO_LARGE

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.state.name})"
