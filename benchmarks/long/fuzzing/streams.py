"""Streams of bytes that a server sends: responses of many kinds, cut at any byte, and random ones.

The id of the requested conversation names the stream. So the server needs no other instructions.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random

from benchmarks.long.fuzzing.cases import seeded_random
from benchmarks.long.fuzzing.constants import SMALLEST_SUCCESS

BODY = json.dumps(SMALLEST_SUCCESS).encode()

STATUSES = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 404 ",
    b"HTTP/1.1 400 Bad Request",
    b"HTTP/1.1 503 Service Unavailable",
]
HEADS = {
    "plain": (b"", b""),
    "interim responses": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: a\r\n\r\n", b""),
    "folded header": (b"", b"X-Folded: a\r\n b\r\n"),
    "repeated header": (b"", b"Vary: a\r\nvary: b\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"),
    "close": (b"", b"Connection: close\r\n"),
}
"""What comes before the status line, and further headers."""


@dataclass(frozen=True)
class Kind:
    """A kind of response."""

    name: str
    data: bytes
    complete_at: int
    """How many bytes are a complete response for HTTP.

    Fewer than all if the end of the connection is the end of the body.
    """
    is_success: bool
    is_for_h11: bool
    """Whether only h11 accepts it. httptools rejects folded headers (RFC 9112, section 5.2)."""


def _chunked(body: bytes, size: int, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    chunks = b""
    for start in range(0, len(body), size):
        chunk = body[start : start + size]
        chunks += b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk)
    return chunks + b"0\r\n" + trailers + b"\r\n"


def _framings() -> dict[str, tuple[bytes, bytes]]:
    """The headers that describe the body, and the body."""
    compressed = gzip.compress(BODY, mtime=0)
    is_chunked = b"Transfer-Encoding: chunked\r\n"
    is_gzip = b"Content-Encoding: gzip\r\n"
    return {
        "length": (b"Content-Length: %d\r\n" % len(BODY), BODY),
        "chunk": (is_chunked, _chunked(BODY, 1000)),
        "small chunks with extensions": (is_chunked, _chunked(BODY, 20, b";a=b")),
        "trailers": (is_chunked, _chunked(BODY, 30, trailers=b"A: b\r\nC: d\r\n")),
        "length and gzip": (is_gzip + b"Content-Length: %d\r\n" % len(compressed), compressed),
        "chunks and gzip": (is_gzip + is_chunked, _chunked(compressed, 20)),
        "end of connection": (b"", BODY),
        "end of connection and gzip": (is_gzip, compressed),
    }


@cache
def kinds() -> list[Kind]:
    """200 kinds of responses."""
    result: list[Kind] = []
    for status, head_name, (framing_name, framing) in product(STATUSES, HEADS, _framings().items()):
        before, headers = HEADS[head_name]
        framing_headers, body = framing
        head = before + status + b"\r\nContent-Type: application/json\r\n" + headers
        head += framing_headers + b"\r\n"
        data = head + body
        complete_at = len(data)
        if framing_name.startswith("end of connection"):
            complete_at = len(head)
        name = f"{status.decode()}, {head_name}, {framing_name}"
        is_success = status.split()[1] == b"200"
        is_for_h11 = head_name == "folded header"
        result.append(Kind(name, data, complete_at, is_success, is_for_h11))
    return result


# Parts of HTTP, and characters that parsers treat in a special way.
_PARTS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 099 \r\n",
    b"HTTP/2 200\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 304 Not Modified\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Connection: keep-alive\r\n",
    b"Upgrade: h2c\r\n",
    b"Content-Type: application/json; charset=\xff\r\n",
    b"ffffffffffffffff\r\n",
    b"5;a\r\n",
    b"0\r\n\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b":",
    BODY,
]


def random_stream(random: Random) -> bytes:
    """A stream: a response with random changes, parts of HTTP, or random bytes."""
    way = random.random()
    if way < 0.1:
        return random.randbytes(random.randrange(200))
    if way < 0.3:
        return b"".join(random.choices(_PARTS, k=random.randrange(12)))
    data = bytearray(random.choice(kinds()).data)
    for _ in range(random.randrange(1, 6)):
        _change(data, random)
    return bytes(data)


def _change(data: bytearray, random: Random) -> None:
    """Replace, insert or remove a few bytes."""
    start = random.randrange(len(data) + 1)
    end = start
    if random.random() < 0.7:
        end += random.randrange(1, 8)
    replacement = random.choice([b"", random.randbytes(1), random.choice(_PARTS)])
    data[start:end] = replacement


def cut_id(kind: int, length: int) -> str:
    """The conversation whose response is the first bytes of a kind."""
    return f"cut-{kind}-{length}"


def random_id(seed: int, number: int) -> str:
    """The conversation whose response is a random stream."""
    return f"random-{seed}-{number}"


SLOW_ID = "slow-0-0"
"""The conversation whose response is complete, and sent in parts."""


def stream_of(conversation_id: str) -> bytes:
    """The bytes that a server sends for a conversation."""
    way, first, second = conversation_id.split("-")
    if way == "cut":
        return kinds()[int(first)].data[: int(second)]
    if way == "random":
        return random_stream(seeded_random(f"stream {first} {second}"))
    return kinds()[0].data
