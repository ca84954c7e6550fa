"""Makes what a client may meet (answers, failing transports, arguments), and says where it does not keep its promises.

All is drawn from a `random.Random`: one of hypothesis', which shrinks, or a seeded one, which is fast.
"""

from __future__ import annotations

import asyncio
import datetime
import gzip
import json
import math
import pickle
import re
import socket
import ssl
import traceback
import zlib
from collections import ChainMap, OrderedDict, UserDict, UserString
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from functools import cache
from random import Random
from types import MappingProxyType, TracebackType
from typing import Any, cast
from urllib.parse import unquote
from uuid import UUID

import h11
import httpcore
import httpx
import yaml
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from leadconnector import (
    UNSET,
    APIConnectionError,
    APIDecodingError,
    APIStatusError,
    ArgumentError,
    AsyncLeadConnector,
    DriftError,
    LeadConnector,
    LeadConnectorError,
    RateLimit,
    RateLimitError,
    ResponseInfo,
    ServerError,
    UnexpectedStatusError,
    errors,
)
from leadconnector._runtime.response import STATUS_ERRORS
from leadconnector.models import (
    ApiVersion,
    ConversationFeedback,
    LastMessageType,
    UpdateConversationResponse,
)

from tests.support.calling import ANSWER, CONVERSATION_ID, LOCATION_ID, TOKEN, Clock, timed
from tests.support.paths import ROOT

LONGEST_CALL = 600.0
"""Seconds on its clock after which a call is taken for one that never ends: four attempts and the longest waits."""

DOCUMENTED: Mapping[int, Any] = {
    200: {
        "success": True,
        "conversation": {
            **dict.fromkeys(
                ("id", "locationId", "contactId", "assignedTo", "userId"), CONVERSATION_ID
            ),
            "lastMessageBody": "a secret complaint",
            "lastMessageDate": "1628008053263",
            "lastMessageType": "TYPE_SMS",
            "unreadCount": 1,
            **dict.fromkeys(("inbox", "starred", "deleted"), False),
        },
    },
    400: {"statusCode": 400, "message": "Bad Request"},
    401: {
        "statusCode": 401,
        "message": "Invalid token: access token is invalid",
        "error": "Unauthorized",
    },
    422: {
        "statusCode": 422,
        "message": ["Unprocessable Entity", "Never"],
        "error": "Unprocessable Entity",
    },
}

FAILURES: Mapping[str, type[Exception]] = {
    f"{kind.__module__}.{kind.__qualname__}": kind
    for kind in (
        *(getattr(httpx, name) for name in httpx.__all__),
        *(getattr(httpcore, name) for name in httpcore.__all__),
        *(
            OSError,
            ConnectionResetError,
            BrokenPipeError,
            TimeoutError,
            PermissionError,
            InterruptedError,
        ),
        *(
            socket.gaierror,
            ssl.SSLError,
            ssl.SSLCertVerificationError,
            zlib.error,
            asyncio.InvalidStateError,
        ),
        *(h11.RemoteProtocolError, h11.LocalProtocolError),
    )
    if isinstance(kind, type) and issubclass(kind, Exception) and kind is not httpx.HTTPStatusError
}
"""What a transport may raise; of httpx, all that is no response's own."""


def failure(name: str, request: httpx.Request) -> Exception:
    """An exception of this name that knows the request, and quotes it."""
    kind = cast("Callable[..., Exception]", FAILURES[name])
    text = f"while sending b'Bearer {TOKEN}'" if len(name) % 2 else f"while sending Bearer {TOKEN}"
    if issubclass(FAILURES[name], httpx.RequestError):
        return kind(text, request=request)
    with suppress(TypeError):
        return kind(text)
    return kind()


def shown(value: object) -> str:
    """The repr of a value, which need not have one."""
    with suppress(RecursionError, TypeError, ValueError):
        return repr(value)
    return f"a {type(value).__name__} without repr"


# Answers


@dataclass(frozen=True)
class Reply:
    """What a transport does about one request."""

    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    chunks: tuple[bytes, ...] = ()
    failure: str = ""
    """What it raises in the end, of `FAILURES`; empty: nothing."""
    has_head: bool = True
    """Whether status and headers come before the failure."""

    def response(self, request: httpx.Request) -> httpx.Response:
        """The answer, or its failure."""
        if self.failure and not self.has_head:
            raise failure(self.failure, request)
        return httpx.Response(self.status, headers=list(self.headers), stream=Body(self, request))


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The chunks of a reply, then its failure."""

    def __init__(self, reply: Reply, request: httpx.Request) -> None:
        self.reply, self.request = reply, request

    def __iter__(self) -> Iterator[bytes]:
        yield from self.reply.chunks
        if self.reply.failure:
            raise failure(self.reply.failure, self.request)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


class Scripted(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Gives one reply after the other, the last of them from then on; notes the requests."""

    def __init__(self, replies: tuple[Reply, ...]) -> None:
        self.replies, self.requests = replies, list[httpx.Request]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.replies[min(len(self.requests), len(self.replies)) - 1].response(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


_ODD: tuple[Callable[[Random], Any], ...] = (
    lambda _: None,
    lambda random: random.choice([True, False, 0, -1, 1.5, 10**30, 10**400, 1e308, 5e-324]),
    lambda random: random.choice(
        ["", "false", "12", "TYPE_OF_TOMORROW", "x" * 1000, "\ud800", "\x00\n\x1b[31m", "é日😀"]
    ),
    lambda random: random.choice(
        [f"Bearer {TOKEN}", TOKEN, [TOKEN], {"message": TOKEN}, {TOKEN: TOKEN}]
    ),
    lambda random: random.choice(
        [[], {}, [["message", "x"]], ["x", 7, None, {"a": ["y"]}], {"a" * 100: {"b.c": 1}}]
    ),
    lambda random: _nested(random.choice([5, 50, 150])),
)


def _nested(depth: int) -> Any:
    tree: Any = "deep"
    for level in range(depth):
        tree = [tree] if level % 2 else {"a": tree}
    return tree


def mutated(random: Random, tree: Any) -> Any:
    """JSON data with up to three changes: left out, replaced, added, of another name."""
    tree = deepcopy(tree)
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        change, value = random.randrange(5), random.choice(_ODD)(random)
        places = _places(tree)
        if not places or random.randrange(12) == 0:
            return value
        parent, key = random.choice(places)
        if change == 0:
            del parent[key]
        elif change == 1 and isinstance(parent, dict):
            name = random.choice(
                ["new", "traceId", "message", "", "__class__", "success", TOKEN, "\ud800", "a.b[0]"]
            )
            cast("dict[str, Any]", parent)[name] = value
        else:
            parent[key] = value
    return tree


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Each container with each of its keys."""
    places, left = list[tuple[Any, Any]](), [tree]
    while left:
        parent = left.pop()
        keys: list[Any] = (
            list(cast("Mapping[Any, Any]", parent)) if isinstance(parent, dict) else []
        )
        keys = list(range(len(cast("Sequence[Any]", parent)))) if isinstance(parent, list) else keys
        places += [(parent, key) for key in keys]
        left += [parent[key] for key in keys]
    return places


_HUGE = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    "1" * 5000,
    "1" * 4000,
    "0x1",
    "01",
    "1.",
    "undefined",
)
_DEEP = (
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b"[" * 1_500 + b"]" * 1_500,
)

_WRITINGS: tuple[Callable[[Random, str], str | bytes], ...] = (
    lambda _, text: text.replace("{", '{"success":null,"message":"first","conversation":[],', 1),
    lambda random, text: re.sub("true|false|[0-9]+", random.choice(_HUGE), text, count=1),
    lambda random, text: text[: random.randrange(len(text) + 1)],
    lambda random, text: text + random.choice([" \n", "\x00", "}", text, "<html>"]),
    lambda random, text: text.encode(
        random.choice(["utf-8-sig", "utf-16", "utf-32-be", "utf-16-le"]), "surrogatepass"
    ),
    lambda _, text: text.encode("latin-1", "replace").replace(b'"', b'"\xff', 2),
    lambda random, text: b'{"success":true,"more":' + random.choice(_DEEP),
    lambda random, text: text.replace("e", "\\u0065").replace(TOKEN[:1], f"\\u{ord(TOKEN[0]):04x}"),
    lambda random, _: random.choice(
        [b"", b"null", b'"text"', b"<html>Oops</html>", b"[]", b"7", TOKEN.encode(), b"\xef"]
    ),
    lambda random, _: random.randbytes(random.randrange(64)),
)


def written(random: Random, tree: Any) -> bytes:
    """JSON data as bytes: mostly as it should be, else with a mistake that data cannot have."""
    text = json.dumps(tree, ensure_ascii=random.random() < 0.5)
    made = random.choice(_WRITINGS)(random, text) if random.random() < 0.35 else text
    return made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass")


BOMBS = (11, 40)
"""MiB that a compressed body may have when it is decompressed: somewhat and much more than may be."""


@cache
def bomb(size: int) -> bytes:
    """So many bytes of JSON that are a thousandth of it when compressed."""
    return gzip.compress(b'{"success":true,"message":"' + b" " * size + b'"}', mtime=0)


def compressed(random: Random, body: bytes) -> tuple[bytes | None, bytes]:
    """What is said of a body's encoding, and the body: mostly as it is, else compressed, well or badly."""
    if random.random() < 0.75:
        return None, body
    whole = gzip.compress(body, 1, mtime=0)
    cut, place = random.randrange(len(whole)), random.randrange(len(whole))
    forms: tuple[tuple[bytes | None, bytes], ...] = (
        (random.choice([b"gzip", b"x-gzip", b" GZIP "]), whole),
        (b"gzip", whole[:cut]),
        (b"gzip", whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]),
        (
            b"gzip",
            gzip.compress(body[:9])
            + gzip.compress(body[9:])
            + gzip.compress(b"") * random.randrange(9),
        ),
        (b"gzip", whole + random.choice([b"\x00", b"rest", whole[:3]])),
        (random.choice([b"gzip", b"br", b"deflate", b"zstd", b"identity", b"", b"\xff"]), body),
        (random.choice([b"gzip, gzip", b"gzip"]), gzip.compress(whole)),
        (random.choice([b"deflate", b"gzip"]), zlib.compress(body)),
        (None, whole),
    )
    return random.choice(forms)


_TYPES = (
    b"application/json",
    b"application/json; charset=utf-8",
    b"text/html",
    b"",
    b";",
    b"\xff\xfe",
    b"a/b" * 99,
)
_NAMES = (
    *(
        b"Retry-After",
        b"Date",
        b"X-RateLimit-Max",
        b"X-RateLimit-Remaining",
        b"X-RateLimit-Interval-Milliseconds",
    ),
    *(b"X-RateLimit-Limit-Daily", b"x-request-id", b"X-Trace-Id", b"CF-Ray"),
    *(
        b"Content-Length",
        b"Transfer-Encoding",
        b"Set-Cookie",
        b"Location",
        b"x-echo",
        b"",
        b"\xff",
        b"x y",
    ),
)
_DATES = (
    *(
        b"Thu, 01 Jan 1970 00:00:30 GMT",
        b"Thu, 01 Jan 1970 00:00:40 GMT",
        b"Thu, 01 Jan 9999 00:00:00 GMT",
    ),
    *(b"Mon, 99 Foo 2020 99:99:99 GMT", b"Thu, 01 Jan 1970 00:00:35"),
)
_VALUES = (
    *(
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
    ),
    *(*_DATES, b"soon"),
    *(
        "٧".encode(),
        b"\xff\xfe",
        b" 7 ",
        b"a-request",
        f"Bearer {TOKEN}".encode(),
        b"x" * 5000,
        b"line\r\nbreak",
    ),
)


def reply(random: Random) -> Reply:
    """What may come back for one request."""
    if random.random() < 0.1:
        return Reply(failure=random.choice([*FAILURES]), has_head=False)
    status = random.choice(
        [
            200,
            200,
            200,
            400,
            401,
            422,
            429,
            503,
            random.randrange(500, 1000),
            random.randrange(100, 1000),
        ]
    )
    likely = DOCUMENTED.get(status) or DOCUMENTED[random.choice([*DOCUMENTED])]
    encoding, body = compressed(random, written(random, mutated(random, likely)))
    if random.random() < 0.002:
        encoding, body = b"gzip", bomb(random.choice(BOMBS) * 1024 * 1024)
    headers = [
        (random.choice(_NAMES), random.choice(_VALUES))
        for _ in range(random.choice([0, 0, 1, 2, 6]))
    ]
    if random.random() < 0.2:
        headers.append(
            (random.randbytes(random.randrange(9)), random.randbytes(random.randrange(30)))
        )
    if status in {429, 503} and random.random() < 0.5:
        pool = random.choice([_VALUES, _DATES])
        headers += [(b"Retry-After", random.choice(pool)), (b"Date", random.choice(pool))]
    if status == 429 and random.random() < 0.3:
        headers.append((b"X-RateLimit-Daily-Remaining", random.choice(_VALUES)))
    if encoding is not None:
        headers.append((random.choice([b"Content-Encoding", b"content-encoding"]), encoding))
    if random.random() < 0.9:
        headers.append(
            (b"Content-Type", _TYPES[0] if random.random() < 0.7 else random.choice(_TYPES))
        )
    cuts = sorted(random.randrange(len(body) + 1) for _ in range(random.choice([0, 0, 1, 5])))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    if random.random() < 0.05:
        chunks, name = chunks[: random.randrange(len(chunks) + 1)], random.choice([*FAILURES])
    else:
        name = ""
    return Reply(status, tuple(headers), tuple(chunks), name)


# Calls


@dataclass(frozen=True)
class Case:
    """A call to make, and what it is answered."""

    replies: tuple[Reply, ...] = (Reply(chunks=(json.dumps(ANSWER).encode(),)),)
    arguments: Mapping[str, Any] = field(
        default_factory=lambda: {"conversation_id": CONVERSATION_ID, "location_id": LOCATION_ID}
    )
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __repr__(self) -> str:
        return f"Case({self.replies}, {shown(self.arguments)}, {self.options})"


@dataclass(frozen=True)
class Outcome:
    """What came of a call."""

    value: object
    """What it returned or raised."""
    requests: list[httpx.Request]
    seen: list[ResponseInfo]
    """What `on_response` was told."""


class Patience(Clock):
    """A clock that ends a call which would never end."""

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0, "time would go back"
        super().sleep(seconds)
        assert self.seconds <= LONGEST_CALL, f"the call still waits after {LONGEST_CALL:g} s"


def answered(random: Random) -> Case:
    """A call as documented, that is answered anything."""
    options: dict[str, Any] = {
        "retries": random.choice([0, 0, 1, 2, 3]),
        "strict": random.random() < 0.2,
    }
    if random.random() < 0.1:
        options["deadline"] = random.choice([0.001, 3.0, 100])
    return Case(tuple(reply(random) for _ in range(random.choice([1, 1, 2, 4]))), options=options)


def _prepared(case: Case) -> tuple[Scripted, Clock, list[ResponseInfo], dict[str, Any]]:
    transport, clock, seen = Scripted(case.replies), Patience(), list[ResponseInfo]()
    made_with = {
        "token": TOKEN,
        "transport": transport,
        "rate_limit": RateLimit(clock=clock),
        "on_response": seen.append,
    }
    return transport, clock, seen, made_with | dict(case.options)


def run_sync(case: Case) -> Outcome:
    """Make the call with a `LeadConnector` of its own."""
    transport, clock, seen, made_with = _prepared(case)
    with LeadConnector(**made_with) as client:
        timed(client, clock)
        try:
            value: object = client.conversations.update_conversation(**case.arguments)
        except Exception as error:
            value = error
    return Outcome(value, transport.requests, seen)


async def run_async(case: Case) -> Outcome:
    """Make the call with an `AsyncLeadConnector` of its own."""
    transport, clock, seen, made_with = _prepared(case)
    async with AsyncLeadConnector(**made_with) as client:
        timed(client, clock)
        try:
            value: object = await client.conversations.update_conversation(**case.arguments)
        except Exception as error:
            value = error
    return Outcome(value, transport.requests, seen)


# What must hold


def broken_promises(case: Case, outcome: Outcome, *, thorough: bool = True) -> list[str]:
    """What an outcome should not be, in words; empty where all is well.

    Args:
        case: the call.
        outcome: what came of it.
        thorough: whether to look at tracebacks, which takes longest.
    """
    value, last = outcome.value, case.replies[min(len(outcome.requests), len(case.replies)) - 1]
    if isinstance(value, UpdateConversationResponse):
        value.to_dict()
        return _where({"a model though the status is no success": last.status != 200})
    if not isinstance(value, LeadConnectorError):
        return [f"outside the tree: {type(value).__module__}.{type(value).__qualname__}: {value}"]
    found = _of_each_error(value, thorough) + _of_its_kind(value, outcome)
    if isinstance(value, APIConnectionError) and "deadline" not in case.options:
        cut = last.status < 300 and "ended within the body" in str(
            value
        )  # no length, and no whole JSON
        found += _where({"no answer, though one came": not (last.failure or cut)})
    if isinstance(value, APIStatusError | APIDecodingError):
        found += _where(
            {
                "another status than the last answer's": value.status_code != last.status,
                "on_response was told otherwise": [x.status_code for x in outcome.seen]
                != [last.status],
            }
        )
    return found


def _where(rules: Mapping[str, bool]) -> list[str]:
    return [text for text, broken in rules.items() if broken]


def _of_each_error(error: LeadConnectorError, thorough: bool) -> list[str]:
    pickled = pickle.dumps(error)
    twin: LeadConnectorError = pickle.loads(pickled)
    cause = error.__cause__
    told = [
        str(error),
        repr(error),
        repr(vars(error)),
        repr(pickled),
        repr(cause),
        repr(getattr(cause, "args", ())),
    ]
    if thorough:
        told += ["".join(traceback.format_exception(error)), *_variables(error)]
    sent = vars(cause).get("_request") if cause is not None else None
    return _where(
        {
            "its class is not public": getattr(errors, type(error).__name__, None)
            is not type(error),
            "its pickle is another": (type(twin), str(twin), vars(twin).keys())
            != (type(error), str(error), vars(error).keys()),
            "it shows the token": any(TOKEN in each for each in told),
            "its message shows what is in a conversation": "a secret complaint" in str(error),
            "its message is no short line": len(str(error)) > 700 or not str(error).isprintable(),
            "its cause holds the credential": isinstance(sent, httpx.Request)
            and "authorization" in sent.headers,
        }
    )


def _of_its_kind(error: LeadConnectorError, outcome: Outcome) -> list[str]:
    attempts = len(outcome.requests)
    if isinstance(error, APIStatusError):
        other = ServerError if error.status_code >= 500 else UnexpectedStatusError
        kind = STATUS_ERRORS.get(error.status_code, other)
        asked = error.retry_after if isinstance(error, RateLimitError) else None
        messages: list[object] = [*error.messages]
        return _of_an_answer(error, attempts) + _where(
            {
                "not the class of its status": not isinstance(error, kind),
                "messages are no texts": not all(type(message) is str for message in messages),
                "no body": "body" not in vars(error),
                "a wait that is none": asked is not None and not 0 <= asked < math.inf,
            }
        )
    if isinstance(error, APIDecodingError):
        drifted = isinstance(error, DriftError) and not error.findings
        return _of_an_answer(error, attempts) + _where(
            {
                "no path": not error.path.startswith("$"),
                "no findings": drifted,
                "no 200": error.status_code != 200,
            }
        )
    if isinstance(error, APIConnectionError):
        return _where({"other attempts than requests": error.attempts != attempts})
    return []


def _of_an_answer(error: APIStatusError | APIDecodingError, attempts: int) -> list[str]:
    request_id: object = vars(error)["request_id"]
    return _where(
        {
            "other attempts than requests": error.attempts != attempts,
            "headers that depend on case": not all(
                x.upper() in error.headers for x in error.headers if x.isascii()
            ),
            "a request id that is no text": request_id is not None and type(request_id) is not str,
        }
    )


def _variables(error: BaseException) -> Iterator[str]:
    """How an error reporter shows the variables of the frames of the package."""
    frame: TracebackType | None = error.__traceback__
    while frame is not None:
        if str(frame.tb_frame.f_globals.get("__name__", "")).startswith("leadconnector."):
            yield from map(shown, frame.tb_frame.f_locals.values())
        frame = frame.tb_next


# Arguments


class Disguised(str):
    """Looks like another text than it is."""

    def __str__(self) -> str:
        return ".."

    def __format__(self, spec: str) -> str:
        return "../.."

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff"

    def __len__(self) -> int:
        return 1


class Many(int):
    """A number that is written as a text."""

    def __str__(self) -> str:
        return '"x"'

    __repr__ = __str__


class Part(float):
    """Likewise."""

    def __str__(self) -> str:
        return "NaN"

    __repr__ = __str__


class Changing(dict[str, Any]):
    """Holds something else each time one looks."""

    looks = 0

    def items(self) -> Any:
        self.looks += 1
        return {"a": "\ud800" if self.looks > 1 else 1}.items()


class Hostile:
    """Fails wherever it is looked into."""

    def __str__(self) -> str:
        raise ValueError("no text")

    def __iter__(self) -> Iterator[object]:
        raise TypeError("no items")

    def __len__(self) -> int:
        raise ValueError("no length")

    def __eq__(self, other: object) -> bool:
        raise TypeError("not comparable")

    __hash__ = object.__hash__

    def to_dict(self) -> object:
        raise AttributeError("no data")


class Endless:
    """A model of itself."""

    def to_dict(self) -> object:
        return self


class Colour(StrEnum):
    """As str() of an enum was before there was StrEnum."""

    RED = "red"

    def __str__(self) -> str:
        return "Colour.RED"


class Size(IntEnum):
    LARGE = 3


class Plain(Enum):
    ONE = 1


_TEXTS = (
    *(
        CONVERSATION_ID,
        "",
        ".",
        "..",
        "...",
        "a/b",
        "a/../b",
        "%2F",
        "%",
        "%2e%2e",
        "a b",
        "?",
        "#",
        "a?b#c",
        "\\",
        ";",
    ),
    *(
        "é日本😀",
        "\x00",
        "a\nb",
        "\r\n",
        "\x7f",
        "\x85",
        "\u2028",
        "\ud800",
        "a\udfff",
        "x" * 512,
        "x" * 513,
        "é" * 512,
    ),
    *(
        " ",
        " v3",
        "v3 ",
        "v3",
        "2021-07-28",
        "v3\r\nX-Other: 1",
        "vé",
        "null",
        "true",
        '"',
        "\ufeff",
        "\u202e",
        "a\u0301",
    ),
)


def text(random: Random) -> str:
    """A text that may be an id: a usual one, an odd one, any."""
    if random.random() < 0.7:
        return random.choice(_TEXTS)
    return "".join(
        chr(random.choice([random.randrange(128), random.randrange(0x110000)])) for _ in range(9)
    )


def _contains_itself(random: Random) -> Any:
    inside: list[Any] = [1]
    inside.append(inside if random.random() < 0.5 else {"a": inside})
    return random.choice([inside, {"self": inside}])


_NUMBERS: tuple[Any, ...] = (
    *(
        0,
        1,
        -1,
        2**63,
        10**400,
        10**5000,
        -0.0,
        0.5,
        1e308,
        5e-324,
        1e300,
        math.nan,
        math.inf,
        -math.inf,
        True,
        False,
    ),
    *(Many(3), Part(0.5), Size.LARGE, Decimal(3), Decimal("NaN"), Fraction(1, 3), 3j),
)

_ANYTHING: tuple[Callable[[Random, int], Any], ...] = (
    lambda random, _: text(random),
    lambda random, _: random.choice(_NUMBERS),
    lambda random, _: random.choice(
        [None, UNSET, object(), Hostile(), Endless(), int, len, Exception("x"), ...]
    ),
    lambda random, _: random.choice(
        [b"bytes", bytearray(b"x"), memoryview(b"x"), range(3), iter([1]), {1, 2}, (1, "a")]
    ),
    lambda random, _: random.choice(
        [Colour.RED, Plain.ONE, ApiVersion("2021-07-28"), LastMessageType("TYPE_NEW")]
    ),
    lambda random, _: random.choice(
        [datetime.date(2026, 1, 2), datetime.time(3), datetime.datetime(1, 1, 1), UUID(int=1)]
    ),
    lambda random, _: random.choice(
        [Disguised("abc"), Disguised(".."), Disguised("\ud800"), UserString("abc")]
    ),
    lambda random, _: _nested(random.choice([10, 100, 400, 2000])),
    lambda random, _: _contains_itself(random),
    lambda random, depth: [anything(random, depth) for _ in range(random.randrange(4))],
    lambda random, depth: {
        random.choice([text(random), 1, None, 1.5, ("a", 1)]): anything(random, depth)
    },
    lambda random, depth: random.choice(
        [MappingProxyType, OrderedDict, UserDict, ChainMap, Changing]
    )({text(random): anything(random, depth)}),
    lambda random, _: ConversationFeedback.from_dict(
        {"a": random.choice([[1.5, None, text(random)], "x", object(), math.nan])}
    ),
)


def anything(random: Random, depth: int = 3) -> Any:
    """Any Python value, with more in it as deep as this."""
    return random.choice(_ANYTHING if depth else _ANYTHING[:7])(random, depth - 1)


_ACCEPTABLE: Mapping[str, Callable[[Random], Any]] = {
    "conversation_id": text,
    "location_id": text,
    "unread_count": lambda random: random.choice(_NUMBERS[: random.choice([9, 9, len(_NUMBERS)])]),
    "starred": lambda random: random.random() < 0.5,
    "feedback": lambda random: {
        text(random): random.choice([anything(random), text(random), [1.5, None], math.nan])
    },
    "version": lambda random: random.choice(
        ["2021-07-28", "v3", ApiVersion("2021-07-28"), text(random)]
    ),
}


def asked(random: Random) -> Case:
    """A call with any arguments, most of them of the right type, that is answered as documented."""
    arguments = {
        name: anything(random) if random.random() < 0.15 else make(random)
        for name, make in _ACCEPTABLE.items()
        if name in {"conversation_id", "location_id"} or random.random() < 0.5
    }
    return Case(arguments=arguments)


_SEGMENT = re.compile(rb"/conversations/((?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)")


@cache
def _request_schema() -> Any:
    """Holds a request's body against the spec, with another validator than ours."""
    spec = ROOT / "spec" / "openapi.yaml"
    components = yaml.safe_load(spec.read_text(encoding="utf-8"))["components"]
    return Draft202012Validator(
        {
            "$ref": "#/components/schemas/UpdateConversationRequest",
            "components": {"schemas": components["schemas"]},
        }
    )


def _text_of(given: object) -> str | None:
    """The text that an argument stands for, whatever it makes of itself."""
    if isinstance(given, datetime.date):
        return given.isoformat()
    return (
        str.__str__(given)
        if isinstance(given, str)
        else str(given)
        if isinstance(given, UUID)
        else None
    )


def misplaced_arguments(case: Case, outcome: Outcome) -> list[str]:
    """What should not have become of arguments: they are refused, or sent once as the spec has it."""
    if isinstance(outcome.value, ArgumentError):
        named = outcome.value.argument in case.arguments
        return _where(
            {"refused, but sent": bool(outcome.requests), "it names no argument": not named}
        )
    if len(outcome.requests) != 1:
        return [f"{len(outcome.requests)} requests"]
    (request,) = outcome.requests
    segment = _SEGMENT.fullmatch(request.url.raw_path)
    conversation_id, location_id = (
        _text_of(case.arguments[name]) for name in ("conversation_id", "location_id")
    )
    body = json.loads(request.read().decode(), parse_constant=lambda name: [name])
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    return _where(
        {
            "a path of another form": segment is None or segment[1] in {b".", b".."},
            "another id": segment is not None and unquote(segment[1].decode()) != conversation_id,
            "a body that the spec does not have": not _request_schema().is_valid(body),
            "another location": body.get("locationId") != location_id,
            "an empty location": not body.get("locationId"),
            "another length": dict(headers).get(b"content-length") != b"%d" % len(request.content),
            "headers that came twice": len({name for name, _ in headers}) != len(headers),
            "another version": not re.fullmatch(
                rb"[!-~]([ -~]*[!-~])?", dict(headers).get(b"version", b"")
            ),
            "a header that no argument is for": len(headers) != 8,
        }
    )


# For hypothesis

_randoms = st.randoms(use_true_random=False)


def seeded(seed: int | str) -> Random:
    """The random numbers of a long run, the same for the same seed."""
    return Random(seed)


answered_calls: st.SearchStrategy[Case] = st.builds(answered, _randoms)
asked_calls: st.SearchStrategy[Case] = st.builds(asked, _randoms)
replies_of_bytes: st.SearchStrategy[Reply] = st.builds(
    Reply,
    st.integers(100, 999),
    st.lists(
        st.tuples(
            st.sampled_from([*_NAMES, b"Content-Type", b"Content-Encoding"]) | st.binary(),
            st.binary(),
        )
    ).map(tuple),
    st.lists(st.binary()).map(tuple),
)
