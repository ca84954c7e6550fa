"""Random response bodies: JSON with wrong data, broken JSON, and broken compression."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, cast

from .constants import TOKEN

BOMB_SIZES = (11, 40)
"""MiB of a small body after decompression: just above the client's limit of 10, and far above."""


@dataclass(frozen=True)
class EncodedBody:
    """The bytes of a body, and the value of its `Content-Encoding` header."""

    content: bytes
    encoding: bytes | None = None
    """None: the response has no such header."""


# Wrong data


def changed_json(random: Random, data: Any) -> Any:
    """JSON data with up to three random changes: a member removed, replaced or added."""
    # The documented bodies are shared.
    data = deepcopy(data)
    # Usually one change: with more, one error often hides the others.
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        change = random.randrange(5)
        value = random.choice(ODD_VALUES)(random)
        places = members_of(data)
        if not places or random.randrange(12) == 0:
            # Replaces all of the data.
            return value
        parent, key = random.choice(places)
        if change == 0:
            del parent[key]
        elif change == 1 and isinstance(parent, dict):
            name = random.choice(ODD_NAMES)
            cast("dict[str, Any]", parent)[name] = value
        else:
            parent[key] = value
    return data


def members_of(data: Any) -> list[tuple[Any, Any]]:
    """Every container in JSON data, paired with each of its keys or indexes."""
    members: list[tuple[Any, Any]] = []
    containers = [data]
    while containers:
        parent = containers.pop()
        keys = keys_of(parent)
        members += [(parent, key) for key in keys]
        containers += [parent[key] for key in keys]
    return members


def keys_of(value: Any) -> list[Any]:
    """The keys of an object, the indexes of an array, nothing for other JSON values."""
    if isinstance(value, dict):
        return list(cast("Mapping[Any, Any]", value))
    if isinstance(value, list):
        return list(range(len(cast("Sequence[Any]", value))))
    return []


ODD_NAMES = ["new", "traceId", "message", "", "__class__", "success", TOKEN, "\ud800", "a.b[0]"]
"""Names of added members: unknown names, and names with a meaning elsewhere."""


def odd_null(_: Random) -> Any:
    """Null."""
    return None


def odd_number(random: Random) -> Any:
    """A boolean, or a number at a limit of integers or floats."""
    return random.choice([True, False, 0, -1, 1.5, 10**30, 10**400, 1e308, 5e-324])


def odd_string(random: Random) -> Any:
    """A string that looks like another type, is unknown, long, or hard to encode or print."""
    return random.choice(
        ["", "false", "12", "TYPE_OF_TOMORROW", "x" * 1000, "\ud800", "\x00\n\x1b[31m", "é日😀"]
    )


def odd_token(random: Random) -> Any:
    """The token of the client, as a proxy or a debug page returns it."""
    return random.choice([f"Bearer {TOKEN}", TOKEN, [TOKEN], {"message": TOKEN}, {TOKEN: TOKEN}])


def odd_container(random: Random) -> Any:
    """An array or object."""
    return random.choice(
        [[], {}, [["message", "x"]], ["x", 7, None, {"a": ["y"]}], {"a" * 100: {"b.c": 1}}]
    )


def odd_depth(random: Random) -> Any:
    """A deeply nested value."""
    return nested(random.choice([5, 50, 150]))


ODD_VALUES: tuple[Callable[[Random], Any], ...] = (
    odd_null,
    odd_number,
    odd_string,
    odd_token,
    odd_container,
    odd_depth,
)


def nested(depth: int) -> Any:
    """Objects and arrays in each other, so many levels deep."""
    tree: Any = "deep"
    for level in range(depth):
        tree = [tree] if level % 2 else {"a": tree}
    return tree


# Broken JSON


def random_json_text(random: Random, data: Any) -> bytes:
    """JSON data as bytes: usually correct, otherwise with an error that data cannot express."""
    text = json.dumps(data, ensure_ascii=random.random() < 0.5)
    content: str | bytes = text
    if random.random() < 0.35:
        content = random.choice(WRITERS)(random, text)
    if isinstance(content, bytes):
        return content
    return content.encode("utf-8", "surrogatepass")


ODD_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    # Python limits the conversion of an integer to 4,300 digits.
    "1" * 5000,
    "1" * 4000,
    "0x1",
    "01",
    "1.",
    "undefined",
)
DEEP_CONTENT = (
    # Deeper than the recursion limit of `json`; the last one is near to it.
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b"[" * 1_500 + b"]" * 1_500,
)
SHORT_CONTENT = [
    b"",
    b"null",
    b'"text"',
    b"<html>Oops</html>",
    b"[]",
    b"7",
    TOKEN.encode(),
    b"\xef",
]


def with_duplicate_members(_: Random, text: str) -> str:
    """Members that occur twice, the first time with a wrong value."""
    return text.replace("{", '{"success":null,"message":"first","conversation":[],', 1)


def with_odd_number(random: Random, text: str) -> str:
    """A literal replaced by a number that is invalid, infinite or very long."""
    return re.sub("true|false|[0-9]+", random.choice(ODD_NUMBERS), text, count=1)


def truncated(random: Random, text: str) -> str:
    """Only the beginning."""
    return text[: random.randrange(len(text) + 1)]


def with_trailing_text(random: Random, text: str) -> str:
    """More text after the end."""
    return text + random.choice([" \n", "\x00", "}", text, "<html>"])


def in_other_encoding(random: Random, text: str) -> bytes:
    """Another encoding than UTF-8, or a byte order mark."""
    encoding = random.choice(["utf-8-sig", "utf-16", "utf-32-be", "utf-16-le"])
    return text.encode(encoding, "surrogatepass")


def with_invalid_bytes(_: Random, text: str) -> bytes:
    """Bytes that are not UTF-8, within strings."""
    return text.encode("latin-1", "replace").replace(b'"', b'"\xff', 2)


def with_deep_content(random: Random, _: str) -> bytes:
    """Nesting beyond the limit of the JSON parser, in an object that looks like a success."""
    return b'{"success":true,"more":' + random.choice(DEEP_CONTENT)


def with_escapes(_: Random, text: str) -> str:
    """Escaped letters, also in the token."""
    first_letter = TOKEN[:1]
    escape = f"\\u{ord(first_letter):04x}"
    return text.replace("e", "\\u0065").replace(first_letter, escape)


def short_content(random: Random, _: str) -> bytes:
    """Something short that is not a JSON object."""
    return random.choice(SHORT_CONTENT)


def random_bytes(random: Random, _: str) -> bytes:
    """Up to 63 random bytes."""
    return random.randbytes(random.randrange(64))


WRITERS: tuple[Callable[[Random, str], str | bytes], ...] = (
    with_duplicate_members,
    with_odd_number,
    truncated,
    with_trailing_text,
    in_other_encoding,
    with_invalid_bytes,
    with_deep_content,
    with_escapes,
    short_content,
    random_bytes,
)


# Broken compression


@cache
def bomb(size: int) -> bytes:
    """A JSON body of this many bytes, compressed to a thousandth of that."""
    return gzip.compress(b'{"success":true,"message":"' + b" " * size + b'"}', mtime=0)


def random_bomb(random: Random) -> EncodedBody:
    """A compressed body that is too large when decompressed."""
    mebibytes = random.choice(BOMB_SIZES)
    return EncodedBody(bomb(mebibytes * 1024 * 1024), b"gzip")


def randomly_compressed(random: Random, body: bytes) -> EncodedBody:
    """A body, usually not compressed, otherwise compressed correctly or with an error."""
    if random.random() < 0.75:
        return EncodedBody(body)
    compressed = gzip.compress(body, 1, mtime=0)
    cut = random.randrange(len(compressed))
    place = random.randrange(len(compressed))
    flipped_byte = bytes([compressed[place] ^ 0xFF])
    corrupted = compressed[:place] + flipped_byte + compressed[place + 1 :]
    members = gzip.compress(body[:9]) + gzip.compress(body[9:])
    # All forms are built before one is chosen, so that a seed always draws the same numbers.
    forms = (
        EncodedBody(compressed, random.choice([b"gzip", b"x-gzip", b" GZIP "])),
        EncodedBody(compressed[:cut], b"gzip"),
        EncodedBody(corrupted, b"gzip"),
        EncodedBody(members + gzip.compress(b"") * random.randrange(9), b"gzip"),
        EncodedBody(compressed + random.choice([b"\x00", b"rest", compressed[:3]]), b"gzip"),
        # The header does not match the body.
        EncodedBody(
            body,
            random.choice([b"gzip", b"br", b"deflate", b"zstd", b"identity", b"", b"\xff"]),
        ),
        EncodedBody(gzip.compress(compressed), random.choice([b"gzip, gzip", b"gzip"])),
        EncodedBody(zlib.compress(body), random.choice([b"deflate", b"gzip"])),
        EncodedBody(compressed),
    )
    return random.choice(forms)
