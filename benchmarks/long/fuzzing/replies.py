"""Random replies of a server, and a transport that returns them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from random import Random

import httpx

from .bodies import changed_json, random_bomb, random_json_text, randomly_compressed
from .constants import DOCUMENTED_BODIES, TOKEN
from .failures import FAILURES, failure

Header = tuple[bytes, bytes]
"""The name and the value of a header."""


@dataclass(frozen=True)
class Reply:
    """The reaction of a transport to one request: a response, an exception, or both."""

    status: int = 200
    headers: tuple[Header, ...] = ()
    chunks: tuple[bytes, ...] = ()
    """The body, in the parts in which it arrives."""
    failure: str = ""
    """The exception at the end, a key of `FAILURES`; empty for none."""
    has_head: bool = True
    """Whether status and headers arrive before the exception."""

    def response(self, request: httpx.Request) -> httpx.Response:
        """The response to a request.

        Raises:
            Exception: the reply has an exception instead of a response.
        """
        if self.failure and not self.has_head:
            raise failure(self.failure, request)
        body = ReplyBody(self, request)
        return httpx.Response(self.status, headers=list(self.headers), stream=body)


class ReplyBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a response: the chunks of a reply, then its exception."""

    def __init__(self, reply: Reply, request: httpx.Request) -> None:
        self.reply = reply
        self.request = request

    def __iter__(self) -> Iterator[bytes]:
        yield from self.reply.chunks
        if self.reply.failure:
            raise failure(self.reply.failure, self.request)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


class ScriptedTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Returns the replies in order, then repeats the last one. Records the requests."""

    def __init__(self, replies: tuple[Reply, ...]) -> None:
        self.replies = replies
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The next reply."""
        self.requests.append(request)
        index = min(len(self.requests), len(self.replies)) - 1
        return self.replies[index].response(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The next reply."""
        return self.handle_request(request)


CONTENT_TYPES = (
    b"application/json",
    b"application/json; charset=utf-8",
    b"text/html",
    b"",
    b";",
    b"\xff\xfe",
    b"a/b" * 99,
)
HEADER_NAMES = (
    # Headers that the client reads.
    b"Retry-After",
    b"Date",
    b"X-RateLimit-Max",
    b"X-RateLimit-Remaining",
    b"X-RateLimit-Interval-Milliseconds",
    b"X-RateLimit-Limit-Daily",
    b"x-request-id",
    b"X-Trace-Id",
    b"CF-Ray",
    # Headers with a meaning for HTTP.
    b"Content-Length",
    b"Transfer-Encoding",
    b"Set-Cookie",
    b"Location",
    # Unknown and invalid headers.
    b"x-echo",
    b"",
    b"\xff",
    b"x y",
)
# The clock of a fuzzed call starts at 0, which is the first second of 1970.
DATES = (
    b"Thu, 01 Jan 1970 00:00:30 GMT",
    b"Thu, 01 Jan 1970 00:00:40 GMT",
    b"Thu, 01 Jan 9999 00:00:00 GMT",
    b"Mon, 99 Foo 2020 99:99:99 GMT",
    b"Thu, 01 Jan 1970 00:00:35",
)
HEADER_VALUES = (
    # Numbers: usual, at a limit, and invalid.
    b"0",
    b"1",
    b"5",
    b"-1",
    b"1.5",
    b"60",
    b"61",
    b"10000",
    b"1e3",
    b"nan",
    b"inf",
    b"9" * 400,
    b"0x10",
    b"+5",
    b"",
    *DATES,
    b"soon",
    # Text: another digit, invalid UTF-8, spaces, the token, long, a line break.
    "٧".encode(),
    b"\xff\xfe",
    b" 7 ",
    b"a-request",
    f"Bearer {TOKEN}".encode(),
    b"x" * 5000,
    b"line\r\nbreak",
)


def random_reply(random: Random) -> Reply:
    """A random reply to one request. About one in seven has an exception."""
    if random.random() < 0.1:
        return Reply(failure=random.choice([*FAILURES]), has_head=False)
    status = random_status(random)
    documented = DOCUMENTED_BODIES.get(status)
    if documented is None:
        documented = DOCUMENTED_BODIES[random.choice([*DOCUMENTED_BODIES])]
    content = random_json_text(random, changed_json(random, documented))
    body = randomly_compressed(random, content)
    # Rare, because decompressing takes long.
    if random.random() < 0.002:
        body = random_bomb(random)
    headers = random_headers(random, status, body.encoding)
    chunks = randomly_split(random, body.content)
    failure_name = ""
    if random.random() < 0.05:
        # The connection breaks within the body, or after it.
        chunks = chunks[: random.randrange(len(chunks) + 1)]
        failure_name = random.choice([*FAILURES])
    return Reply(status, tuple(headers), tuple(chunks), failure_name)


def random_status(random: Random) -> int:
    """A random status: usually a documented one or one with retries."""
    any_error = random.randrange(500, 1000)
    any_status = random.randrange(100, 1000)
    return random.choice([200, 200, 200, 400, 401, 422, 429, 503, any_error, any_status])


def random_headers(random: Random, status: int, encoding: bytes | None) -> list[Header]:
    """Random headers, including those that fit the status and the encoding of the body."""
    headers = [
        (random.choice(HEADER_NAMES), random.choice(HEADER_VALUES))
        for _ in range(random.choice([0, 0, 1, 2, 6]))
    ]
    if random.random() < 0.2:
        name = random.randbytes(random.randrange(9))
        value = random.randbytes(random.randrange(30))
        headers.append((name, value))
    # The client computes a wait from both headers.
    if status in {429, 503} and random.random() < 0.5:
        values = random.choice([HEADER_VALUES, DATES])
        headers.append((b"Retry-After", random.choice(values)))
        headers.append((b"Date", random.choice(values)))
    # Makes the client report that the daily limit is used up.
    if status == 429 and random.random() < 0.3:
        headers.append((b"X-RateLimit-Daily-Remaining", random.choice(HEADER_VALUES)))
    if encoding is not None:
        headers.append((random.choice([b"Content-Encoding", b"content-encoding"]), encoding))
    if random.random() < 0.9:
        is_json = random.random() < 0.7
        content_type = CONTENT_TYPES[0] if is_json else random.choice(CONTENT_TYPES)
        headers.append((b"Content-Type", content_type))
    return headers


def randomly_split(random: Random, body: bytes) -> list[bytes]:
    """A body in one to six chunks."""
    cuts = sorted(random.randrange(len(body) + 1) for _ in range(random.choice([0, 0, 1, 5])))
    starts = [0, *cuts]
    ends = [*cuts, len(body)]
    return [body[start:end] for start, end in zip(starts, ends, strict=True)]
