"""One connection to the API, which sends one request after the other."""

import time
from enum import Enum

import httpx

from ..log import logger
from .failures import is_caused_by_interruption
from .limits import Limits
from .outgoing import OutgoingRequest
from .parsers import fastest_parser, parser_for
from .received import RawResponse, raw_response
from .response_parser import ParserState, ResponseParser
from .routes import Route
from .sockets import Socket, Stream

KEEPALIVE_SECONDS = 5.0
"""Seconds after which an idle connection is not used again: httpx's default."""


class ConnectionState(Enum):
    """What a connection is doing.

    A connection starts as NEW. Its first request connects it. It is IDLE after each response that
    is complete. After a failure it stays BUSY, so that nobody uses it again.
    """

    NEW = "it has not connected yet"
    BUSY = "a request is being sent, or its response is not complete"
    IDLE = "the next request can be sent"


class Connection:
    """One connection to the API.

    Args:
        route: how it reaches the API.
        sock: its socket, which has not connected yet.
    """

    def __init__(self, route: Route, sock: Socket) -> None:
        self.socket = sock
        self.idle_until = 0.0
        """Seconds of `time.monotonic`, while it is idle."""
        self._route = route
        self._state = ConnectionState.NEW
        self._stream: Stream = sock
        self._parser: ResponseParser = fastest_parser()
        self._requests = 0
        self._has_sent_all = False
        self._has_received = False

    async def exchange(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        """Send a request, and receive its whole response.

        Raises:
            httpx.TransportError: there is no response.
        """
        is_new = self._state is ConnectionState.NEW
        # First: whatever interrupts the rest, the connection is not used again.
        self._state = ConnectionState.BUSY
        self._requests += 1
        self._has_received = False
        self.socket.timer.start_head(limits)
        # Before it connects: an invalid request is not worth a connection.
        data = request.data()
        if is_new:
            self._stream = await self._route.open(self.socket, request.origin, limits)
        self._parser = parser_for(request.method, self._parser)
        self._parser.start(request.method)
        request.times_sent += 1
        await self._send(data, limits)
        await self._receive(limits)
        if self._parser.keeps_connection and self._has_sent_all:
            self._become_idle()
        return self._take_response()

    async def _send(self, data: memoryview, limits: Limits) -> None:
        self._has_sent_all = False
        try:
            await self._stream.write(data, limits.timeouts.get("write"))
            self._has_sent_all = True
            logger.debug(
                "sent a request: %d bytes",
                len(data),
                extra={"event": "request_sent", "size": len(data)},
            )
        except httpx.WriteError as error:
            if is_caused_by_interruption(error):
                raise
            # A server can send its response, such as 413, and not read the whole request. Without
            # a response, the error of the next read says what happened.
            failure = type(error).__name__
            logger.debug(
                "the server did not read the whole request: %s",
                failure,
                extra={"event": "request_not_read", "failure": failure},
            )

    async def _receive(self, limits: Limits) -> None:
        """Receive the head and then the body. Each of them has its own limit of time."""
        parser = self._parser
        while parser.state is ParserState.HEAD:
            await self._feed_parser(limits)
        logger.debug(
            "received the head of a response: %d",
            parser.status_code,
            extra={"event": "response_head_received", "status_code": parser.status_code},
        )
        self.socket.timer.start_body(limits)
        while parser.state is ParserState.BODY:
            await self._feed_parser(limits)
        logger.debug(
            "received the body of a response: %d bytes",
            len(parser.body),
            extra={"event": "response_body_received", "size": len(parser.body)},
        )

    async def _feed_parser(self, limits: Limits) -> None:
        # No variable contains the bytes, which a traceback could show.
        self._parser.feed(await self._read(limits.timeouts.get("read")))

    async def _read(self, timeout: float | None) -> bytes:
        received = await self._stream.read(timeout)
        if received:
            self._has_received = True
        return received

    def _take_response(self) -> RawResponse:
        parser = self._parser
        response = raw_response(parser.status_code, parser.headers, parser.body)
        # An idle connection keeps no data of its last response.
        parser.clear()
        return response

    def _become_idle(self) -> None:
        self.idle_until = time.monotonic() + KEEPALIVE_SECONDS
        self._state = ConnectionState.IDLE

    @property
    def is_idle(self) -> bool:
        """Whether the last response was complete, and the server keeps the connection."""
        return self._state is ConnectionState.IDLE

    def is_reusable(self) -> bool:
        """Whether another request can be sent. It looks at the socket."""
        if not self.is_idle or time.monotonic() >= self.idle_until:
            return False
        # The server has ended it, or has sent something that nobody requested.
        return not self._stream.is_readable()

    @property
    def was_stale(self) -> bool:
        """Whether a failed request met the end of an idle connection: the server sent nothing.

        A server can end an idle connection at the moment at which a request is sent.
        """
        return self._requests > 1 and not self._has_received
