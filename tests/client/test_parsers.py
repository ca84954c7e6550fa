"""Both parsers of responses understand the same bytes alike, and have the same bounds."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import NamedTuple

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from leadconnector._runtime.http import MAXIMUM_BODY_BYTES
from leadconnector._runtime.http.h11_parser import H11Parser
from leadconnector._runtime.http.httptools_parser import HttptoolsParser
from leadconnector._runtime.http.parsers import parser_for
from leadconnector._runtime.http.response_parser import (
    MAXIMUM_EVENT_BYTES,
    ParserState,
    RawHeaders,
    ResponseParser,
)

from tests.support.parsers import PARSERS, require

READ_BYTES = 16_384
"""The largest read of an async client."""

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest) -> ResponseParser:
    """A parser of each kind, which expects a response to a `PUT`."""
    parser = require(str(request.param))()
    parser.start("PUT")
    return parser


class Outcome(NamedTuple):
    """What a parser makes of some reads."""

    is_error: bool
    state: ParserState
    status_code: int
    headers: RawHeaders
    body: bytes
    keeps_connection: bool


REJECTED = Outcome(True, ParserState.IDLE, 0, [], b"", False)


def parse(parser: ResponseParser, reads: Sequence[bytes], *, ends: bool) -> Outcome:
    """Feed a parser as a connection does: up to the end of the response."""
    parser.start("PUT")
    try:
        for data in reads:
            if parser.state not in {ParserState.HEAD, ParserState.BODY}:
                break
            parser.feed(data)
        if ends and parser.state in {ParserState.HEAD, ParserState.BODY}:
            parser.feed(b"")
    except httpx.RemoteProtocolError:
        return REJECTED
    headers: RawHeaders = []
    # Before that, the headers depend on how far a parser has come. Nobody reads them.
    if parser.state is not ParserState.HEAD:
        headers = [normalized(header) for header in parser.headers]
    return Outcome(
        False,
        parser.state,
        parser.status_code,
        headers,
        bytes(parser.body),
        parser.keeps_connection,
    )


def normalized(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A header as h11 returns it: it changes the value of one header to lower case."""
    name, value = header
    if name == b"transfer-encoding":
        return name, value.lower()
    return header


def both(reads: Sequence[bytes], *, ends: bool) -> tuple[Outcome, Outcome]:
    """What h11 and httptools make of the same reads."""
    h11_outcome = parse(H11Parser(), reads, ends=ends)
    return h11_outcome, parse(require("httptools")(), reads, ends=ends)


def cut(data: bytes, positions: Sequence[int]) -> list[bytes]:
    """Bytes in pieces, none of them empty."""
    ends = sorted({position % (len(data) + 1) for position in positions} | {len(data)})
    pieces: list[bytes] = []
    start = 0
    for end in ends:
        if end > start:
            pieces.append(data[start:end])
        start = end
    return pieces


NAMES = st.sampled_from([b"Content-Type", b"X-A", b"x-ratelimit-remaining", b"Set-Cookie"])
VALUES = st.sampled_from([b"", b"a", b" b \t", b"a b", b"caf\xc3\xa9", b"\xff", b"x" * 50])
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=4)
CONNECTION_HEADERS = st.sampled_from([b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n"])


def head(version: bytes, status: int, headers: RawHeaders, framing: bytes) -> bytes:
    """The bytes of a head."""
    lines = b"".join(b"%s:%s\r\n" % header for header in headers)
    return b"%s %d Reason\r\n%s%s\r\n" % (version, status, lines, framing)


@st.composite
def valid_responses(draw: st.DrawFn) -> bytes:
    """A valid response, which may follow interim ones."""
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    if draw(st.booleans()):
        interim += b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    version = draw(st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"]))
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 429, 503, 999]))
    headers = draw(HEADERS)
    connection = draw(CONNECTION_HEADERS)
    body = draw(st.binary(max_size=40) | st.sampled_from([b"\r\n", b"{}\r\n\r\n"]))
    form = draw(st.sampled_from(["length", "chunked", "end", "trailers"]))
    if status in {204, 304}:
        return interim + head(version, status, headers, connection)
    if form == "length":
        framing = connection + b"Content-Length: %d\r\n" % len(body)
        return interim + head(version, status, headers, framing) + body
    if form == "end":
        return interim + head(version, status, headers, connection) + body
    framing = connection + b"Transfer-Encoding: Chunked\r\n"
    end = b"0\r\n\r\n" if form == "chunked" else b"0;last\r\nX-Trailer: 1\r\n\r\n"
    content = b""
    for piece in cut(body, draw(st.lists(st.integers(0, 40), max_size=3))):
        content += b"%x;extension=1\r\n%s\r\n" % (len(piece), piece)
    return interim + head(version, status, headers, framing) + content + end


CUTS = st.lists(st.integers(0, 1000), max_size=8)
SURPLUS = st.sampled_from([b"", b"", b"\r\n", b"\n", b"x", OK, OK + b"Content-Length: 0\r\n\r\n"])


@given(valid_responses(), SURPLUS, CUTS, st.booleans())
@example(OK + b"Content-Length: 4\r\n\r\n{}\r\n", b"\r\n", [], False)
@example(CHUNKED + b"0\r\n\r\n", b"\r\n", [], False)
@example(b"HTTP/1.1 204 No Content\r\n\r\n", b"\r\n", [], False)
def test_both_parsers_agree_about_valid_responses(
    response: bytes, surplus: bytes, cuts: list[int], ends: bool
) -> None:
    h11_outcome, httptools_outcome = both(cut(response + surplus, cuts), ends=ends)
    assert h11_outcome == httptools_outcome
    assert not h11_outcome.is_error


@given(valid_responses(), CUTS, st.integers(0, 1000), st.booleans())
def test_both_parsers_agree_about_responses_that_are_cut_off(
    response: bytes, cuts: list[int], length: int, ends: bool
) -> None:
    h11_outcome, httptools_outcome = both(cut(response[:length], cuts), ends=ends)
    assert h11_outcome == httptools_outcome


STRICTER: dict[str, bytes] = {
    "a line without a carriage return": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "a header in two lines": OK + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a length twice": OK + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": OK + b"Content-Length: 0, 0\r\n\r\n",
    "a length and chunks": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length in the trailers": CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
    "a control character in a header": OK + b"A: \x01\r\nContent-Length: 0\r\n\r\n",
    "a version that does not exist": b"HTTP/1.7 200 OK\r\nContent-Length: 0\r\n\r\n",
    "an interim response that ends the connection": b"HTTP/1.1 100 Continue\r\n"
    b"Connection: close\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "an interim response with a length": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n"
    + OK
    + b"Content-Length: 0\r\n\r\n",
}
"""Responses that httptools rejects and h11 accepts.

A length with chunks, and two lengths, are how one response is smuggled within another one.
`transport=httpx.HTTPTransport()` accepts what h11 accepts.
"""


@pytest.mark.parametrize("name", STRICTER)
def test_httptools_is_stricter_than_h11(name: str) -> None:
    h11_outcome, httptools_outcome = both([STRICTER[name]], ends=False)
    assert h11_outcome.state is ParserState.COMPLETE
    assert httptools_outcome == REJECTED


INVALID: dict[str, bytes] = {
    "an empty line before the response": b"\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "another protocol": b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x28",
    "HTML": b"<html></html>\r\n\r\n",
    "a status below 100": b"HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "another protocol from now on": b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Connection: upgrade\r\nUpgrade: x\r\n\r\nprivate",
    "another protocol without its name": b"HTTP/1.1 101 Switching Protocols\r\n\r\nprivate",
    "an unknown transfer coding": OK + b"Transfer-Encoding: gzip\r\n\r\nprivate",
    "two transfer codings": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": OK
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a negative length": OK + b"Content-Length: -1\r\n\r\n",
    "a length with a sign": OK + b"Content-Length: +1\r\n\r\na",
    "a length that is empty": OK + b"Content-Length:\r\n\r\n",
    "a length that is no number": OK + b"Content-Length: private\r\n\r\n",
    "a length in hexadecimal": OK + b"Content-Length: 0x1\r\n\r\na",
    "a chunk whose line has no carriage return": CHUNKED + b"0\n\r\n",
    "a chunk without a length": CHUNKED + b"private\r\n",
    "a chunk whose end is missing": CHUNKED + b"1\r\nabc\r\n",
    "a chunk of an endless length": CHUNKED + b"f" * 30 + b"\r\n",
    "a null byte in the reason": b"HTTP/1.1 200 private\0\r\nContent-Length: 0\r\n\r\n",
    "a null byte in a header": OK + b"A: private\0\r\nContent-Length: 0\r\n\r\n",
    "a header without a name": OK + b": private\r\nContent-Length: 0\r\n\r\n",
    "a blank behind the name of a header": OK + b"A : private\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": OK + b"private\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", INVALID)
def test_no_parser_accepts_a_response_that_is_not_http(name: str, parser: ResponseParser) -> None:
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        parser.feed(INVALID[name])
    assert not parser.keeps_connection
    if isinstance(parser, HttptoolsParser):
        assert "private" not in str(caught.value)


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda data: OK + data), CUTS)
def test_httptools_accepts_no_random_bytes_that_h11_rejects(data: bytes, cuts: list[int]) -> None:
    h11_outcome, httptools_outcome = both(cut(data, cuts), ends=True)
    assert httptools_outcome in [h11_outcome, REJECTED]


@given(valid_responses(), CUTS, st.data(), st.booleans())
def test_httptools_accepts_no_changed_response_otherwise_than_h11(
    response: bytes, cuts: list[int], data: st.DataObject, ends: bool
) -> None:
    position = data.draw(st.integers(0, len(response) - 1))
    replacement = data.draw(st.sampled_from([b"", b"\r", b"\n", b" ", b"\0", b":", b"0", b"\xff"]))
    length = data.draw(st.integers(0, 2))
    changed = response[:position] + replacement + response[position + length :]
    h11_outcome, httptools_outcome = both(cut(changed, cuts), ends=ends)
    if not httptools_outcome.is_error and ends:
        assert httptools_outcome == h11_outcome


def test_a_response_to_head_has_no_body_with_the_selected_parser() -> None:
    parser = parser_for("HEAD", require("httptools")())
    parser.start("HEAD")
    parser.feed(OK + b"Content-Length: 5\r\n\r\n")
    assert parser.state is ParserState.COMPLETE
    assert parser.keeps_connection


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_is_used_again_for_the_next_response(name: str) -> None:
    parser = require(name)()
    for body in (b"first", b"other"):
        parser.start("PUT")
        parser.feed(OK + b"Content-Length: 5\r\n\r\n" + body)
        assert bytes(parser.body) == body
        assert parser.keeps_connection


def test_an_error_leaves_nothing_for_the_next_response() -> None:
    parser = require("httptools")()
    parser.start("PUT")
    with pytest.raises(httpx.RemoteProtocolError):
        parser.feed(OK + b"A: b\r\nContent-Length: x\r\n\r\n")
    parser.start("PUT")
    parser.feed(OK + b"Content-Length: 0\r\n\r\n")
    assert parser.headers == [(b"content-length", b"0")]
    assert parser.keeps_connection


def endless(start: bytes, repeated: bytes) -> Iterator[bytes]:
    """Reads of a server that never comes to an end."""
    yield start
    while True:
        yield repeated * (READ_BYTES // len(repeated))


ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "one header": (OK + b"A: ", b"a"),
    "many headers": (OK, b"A: b\r\n"),
    "a reason": (b"HTTP/1.1 200 ", b"a"),
    "an extension of a chunk": (CHUNKED + b"1;", b"a"),
    "one trailer": (CHUNKED + b"0\r\nA: ", b"a"),
    "many trailers": (CHUNKED + b"0\r\n", b"A: b\r\n"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_head_a_chunk_header_and_trailers_are_bounded(name: str, parser: ResponseParser) -> None:
    count = 0

    def feed_endless() -> None:
        nonlocal count
        for data in endless(*ENDLESS[name]):
            parser.feed(data)
            count += len(data)

    with pytest.raises(httpx.RemoteProtocolError):
        feed_endless()
    assert MAXIMUM_EVENT_BYTES - 2 * READ_BYTES < count <= MAXIMUM_EVENT_BYTES + READ_BYTES


@pytest.mark.parametrize(
    ("start", "repeated"),
    [
        (OK + b"Content-Length: %d\r\n\r\n" % (2 * MAXIMUM_BODY_BYTES), b"a"),
        (OK + b"\r\n", b"a"),
        (CHUNKED + b"%x\r\n" % (2 * MAXIMUM_BODY_BYTES), b"a"),
    ],
    ids=["length", "end of the connection", "chunk"],
)
def test_a_body_is_bounded(start: bytes, repeated: bytes, parser: ResponseParser) -> None:
    for data in endless(start, repeated):
        parser.feed(data)
        if parser.state is not ParserState.BODY:
            break
    assert parser.state is ParserState.TOO_LARGE
    assert MAXIMUM_BODY_BYTES < len(parser.body) <= MAXIMUM_BODY_BYTES + READ_BYTES
    assert not parser.keeps_connection


class SignalError(Exception):
    """The exception of a signal handler."""


def interrupt(_number: int, _frame: FrameType | None) -> None:
    raise SignalError


@pytest.fixture
def interrupting() -> Iterator[None]:
    """Have SIGINT raise `SignalError`."""
    previous = signal.signal(signal.SIGINT, interrupt)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.parametrize(
    "name", ["on_header", "on_headers_complete", "on_body", "on_message_complete"]
)
@pytest.mark.usefixtures("interrupting")
def test_an_interruption_in_a_callback_is_raised(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("httptools")

    def raise_signal(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(HttptoolsParser, name, raise_signal)
    parser = HttptoolsParser()
    parser.start("PUT")
    with pytest.raises(SignalError):
        parser.feed(OK + b"Content-Length: 1\r\n\r\na")
    assert not parser.keeps_connection


def test_h11_parses_responses_while_an_exception_is_handled() -> None:
    # httptools would lose an interruption then.
    parser = require("httptools")()
    try:
        raise LookupError
    except LookupError:
        assert isinstance(parser_for("PUT", parser), H11Parser)


def test_the_repr_of_a_parser_shows_no_data(parser: ResponseParser) -> None:
    parser.feed(OK + b"A: private\r\nContent-Length: 9\r\n\r\nprivate")
    assert repr(parser) == f"{type(parser).__name__}(BODY)"
