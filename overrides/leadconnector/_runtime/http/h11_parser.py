"""Parses responses with h11, which httpx requires. So it is always installed."""

from functools import cache

import h11
import httpx

from .response_parser import MAXIMUM_EVENT_BYTES, ParserState, ResponseParser


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
        """Whether anything was received behind the response. The end of the connection counts."""
        return self._connection.trailing_data != (b"", False)


@cache
def _request_without_headers(method: str) -> h11.Request:
    # HTTP/1.1 requires this header (RFC 9112, section 3.2).
    return h11.Request(method=method, target="/", headers=[("Host", "unused")])
