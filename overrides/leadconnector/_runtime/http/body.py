"""Decompresses the body of a response up to a maximum size."""

import json
import zlib
from contextlib import suppress
from typing import NamedTuple

MAXIMUM_BODY = 10 * 1024 * 1024
"""Bytes of a response's body after decompression. Responses of the API have a few hundred."""


class Body(NamedTuple):
    """A body after decompression."""

    content: bytes
    problem: str = ""
    """Why the content cannot be used; empty if it can."""

    def __repr__(self) -> str:
        return f"Body({len(self.content)} bytes)"


def decode(content_encoding: str, received: bytearray) -> Body:
    """Decompress a body up to the maximum size. A gzip bomb of 199 KiB has 200 MiB."""
    encoding = content_encoding.strip().lower()
    if encoding in {"", "identity"}:
        return _limited(bytes(received))
    if encoding not in {"gzip", "x-gzip"}:
        return _limited(bytes(received), "has an unsupported Content-Encoding")
    if not received:
        return Body(b"")
    return _decompress(received)


def _decompress(received: bytearray) -> Body:
    # 32 + 15: a gzip or zlib header, and the largest window (zlib's manual, inflateInit2).
    decompressor = zlib.decompressobj(47)
    content = b""
    with suppress(zlib.error):
        content = decompressor.decompress(received, MAXIMUM_BODY + 1)
    if not decompressor.eof or decompressor.unused_data:
        return _limited(content, "is not valid gzip, is cut off, or is followed by other data")
    return _limited(content)


def _limited(content: bytes, problem: str = "") -> Body:
    """A body that is not too large; an excess size replaces any other problem."""
    if len(content) > MAXIMUM_BODY:
        return Body(content, f"is larger than {MAXIMUM_BODY} bytes")
    return Body(content, problem)


def is_truncated_json(body: bytes) -> bool:
    """Whether a body starts as a JSON object or array, but does not parse."""
    if body[:1] not in {b"{", b"["}:
        return False
    try:
        json.loads(body)
    except json.JSONDecodeError:
        return True
    except (RecursionError, ValueError):
        # Nested too deeply, or not UTF-8. That is no sign of a cut; the decoder reports it later.
        return False
    return False
