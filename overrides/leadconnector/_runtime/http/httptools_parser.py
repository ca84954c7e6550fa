"""Parses responses with httptools, which is much faster than h11, where it is installed.

httptools is a thin layer over llhttp, the parser of Node.js. llhttp is stricter than h11. It
rejects two `Content-Length` headers, for example, and lines that end without a carriage return.
What it accepts although h11 rejects it, this module rejects. `tests/client/test_parsers.py` lists
the remaining differences.
"""

import re
from importlib import import_module
from typing import Any

import httpx

from ..log import logger
from .response_parser import MAXIMUM_EVENT_BYTES, ParserState, ResponseParser

MINIMUM_VERSION = (0, 7, 1)
"""The version of the extra `fast`. Older ones contain versions of llhttp that accept more.

A service can have an old one for another reason: uvicorn uses httptools, too.
"""

_VERSION = "1.1"
"""The version of HTTP whose connections are used again, as with h11."""

# RFC 9110, section 5.5, for a header; llhttp does not check the reason of a status.
_CONTROL_CHARACTER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def find_httptools() -> Any | None:
    """Import httptools; `None` without a usable version.

    It is imported by name, so that type checkers do not look for it in a service without it.
    """
    try:
        httptools = import_module("httptools")
    except ImportError as error:
        if error.name != "httptools":
            # It is installed, but has no binary for this Python, for example.
            logger.warning(
                "httptools cannot be imported, so h11 parses responses: %s",
                error,
                extra={"event": "httptools_unusable", "failure": str(error)},
            )
        return None
    if _version_of(httptools) < MINIMUM_VERSION:
        return None
    return httptools


def _version_of(httptools: Any) -> tuple[int, ...]:
    """The version as numbers; of a version with letters, the part before them."""
    numbers: list[int] = []
    for part in str(getattr(httptools, "__version__", "")).split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


class HttptoolsParser(ResponseParser):
    """The parser of httptools.

    Each response has an llhttp parser of its own, so that none inherits the state of another one.
    It calls the methods `on_…` while it parses.
    """

    def __init__(self) -> None:
        super().__init__()
        self._httptools: Any = import_module("httptools")
        self._parser: Any = None
        self._has_received = False
        self._keeps_connection = False
        self._unfinished_bytes = 0
        """Bytes of a head, of a chunk's header or of trailers that are not complete yet."""

    def _start(self, method: str) -> None:
        self._parser = self._httptools.HttpResponseParser(self)
        self._has_received = False
        self._keeps_connection = False
        self._unfinished_bytes = 0

    def feed(self, data: bytes) -> None:
        """See `ResponseParser`."""
        if not data:
            self._end()
            return
        if not self._has_received:
            _check_first_byte(data)
            self._has_received = True
        self._unfinished_bytes += len(data)
        view = memoryview(data)
        # The last byte on its own. If the response is complete without it, it is behind the
        # response. llhttp reports neither its position, nor empty lines that it skips.
        self._parse(view[:-1])
        if self.state is ParserState.COMPLETE:
            self._keeps_connection = False
            return
        self._parse(view[-1:])
        self._check_unfinished_bytes()

    def _parse(self, data: memoryview) -> None:
        try:
            self._parser.feed_data(data)
            return
        except (self._httptools.HttpParserError, self._httptools.HttpParserUpgrade) as error:
            reason = str(error)
            callback_error = self._callback_error(error)
        if callback_error is not None:
            try:
                raise callback_error
            finally:
                # Its traceback refers to this frame.
                del callback_error
        if self.state in {ParserState.COMPLETE, ParserState.TOO_LARGE}:
            # The bytes behind a response matter to nobody.
            self._keeps_connection = False
            return
        # The reasons of llhttp are constants, which quote nothing.
        raise httpx.RemoteProtocolError(f"the response is invalid: {reason}")

    def _callback_error(self, error: Exception) -> BaseException | None:
        """What one of the methods below has raised: by itself, or in a signal handler."""
        callback_error: BaseException | None = None
        if isinstance(error, self._httptools.HttpParserCallbackError):
            callback_error = error.__context__
        return callback_error

    def _check_unfinished_bytes(self) -> None:
        """Bound what llhttp stores, or skips without an end, as h11 does.

        Raises:
            httpx.RemoteProtocolError: a head, a chunk's header or the trailers are too large.
        """
        if self.state not in {ParserState.HEAD, ParserState.BODY}:
            return
        if self._unfinished_bytes > MAXIMUM_EVENT_BYTES:
            raise httpx.RemoteProtocolError(
                f"the server sent more than {MAXIMUM_EVENT_BYTES} bytes"
                " of a head, a chunk's header or trailers"
            )

    def _end(self) -> None:
        """The end of the connection, which llhttp does not get to know: httptools has no method.

        Raises:
            httpx.RemoteProtocolError: the response is not complete.
        """
        if not self._has_received:
            raise httpx.RemoteProtocolError("the server ended the connection without a response")
        if self.state is ParserState.HEAD:
            raise httpx.RemoteProtocolError("the server ended the connection within the head")
        if self._has_length():
            raise httpx.RemoteProtocolError("the server ended the connection within the body")
        # The end of the connection is the end of this body (RFC 9112, section 6.3).
        self.state = ParserState.COMPLETE

    def _has_length(self) -> bool:
        """Whether the headers say where the body ends."""
        names = {name for name, _ in self.headers}
        return not names.isdisjoint({b"content-length", b"transfer-encoding"})

    @property
    def keeps_connection(self) -> bool:
        """See `ResponseParser`."""
        return self._keeps_connection

    # The methods that llhttp calls. It continues with the bytes behind a response, as if they were
    # the next one. So each method looks at the state first.

    def on_status(self, reason: bytes) -> None:
        """Check the reason of a status, or a part of it. Nobody uses it.

        Raises:
            httpx.RemoteProtocolError: it contains a control character.
        """
        if self.state is ParserState.HEAD and _CONTROL_CHARACTER.search(reason):
            raise httpx.RemoteProtocolError("the reason of the status has a control character")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header. Trailers are ignored."""
        if self.state is ParserState.HEAD:
            # llhttp removes blanks only before a value.
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Continue with the body, after the head of a final response."""
        if self.state is not ParserState.HEAD:
            return
        self._unfinished_bytes = 0
        status_code = self._parser.get_status_code()
        if status_code < 200:
            self._check_interim(status_code)
            self.headers.clear()
            return
        self._check_transfer_encoding()
        self.status_code = status_code
        self.state = ParserState.BODY

    def _check_interim(self, status_code: int) -> None:
        """Check the head of an interim response such as `100 Continue`, which is skipped.

        Raises:
            httpx.RemoteProtocolError: what follows could be taken for something else.
        """
        if status_code < 100:
            raise httpx.RemoteProtocolError("the status of the response is below 100")
        if status_code == 101:
            raise httpx.RemoteProtocolError("the server changed the protocol without a request")
        if self._has_length():
            # llhttp would read the start of the next response as the body.
            raise httpx.RemoteProtocolError("an interim response has a body")

    def _check_transfer_encoding(self) -> None:
        """Check that the body has no other transfer coding than chunks, which llhttp removes.

        Raises:
            httpx.RemoteProtocolError: it has.
        """
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        if codings and [coding.lower() for coding in codings] != [b"chunked"]:
            raise httpx.RemoteProtocolError("the response has an unknown transfer coding")

    def on_body(self, data: bytes) -> None:
        """Add a part of the body."""
        if self.state is ParserState.BODY:
            self._unfinished_bytes = 0
            self.add_to_body(data)

    def on_message_complete(self) -> None:
        """Complete the response. It may have been an interim one."""
        if self.state is not ParserState.BODY:
            return
        self.state = ParserState.COMPLETE
        is_persistent = self._parser.should_keep_alive()
        self._keeps_connection = is_persistent and self._parser.get_http_version() == _VERSION


def _check_first_byte(data: bytes) -> None:
    """Reject what llhttp accepts before a response: empty lines, and two protocols beside HTTP.

    Raises:
        httpx.RemoteProtocolError: the response does not start with `HTTP`.
    """
    if not data.startswith(b"H"):
        raise httpx.RemoteProtocolError("the response is invalid: it does not start with HTTP")
