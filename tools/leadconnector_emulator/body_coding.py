"""Decodes the body of a message as its headers say, within a bound."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import Any, NoReturn

JSON_MEDIA_TYPE = "application/json"

MAXIMUM_DECODED_BYTES = 16 * 1024 * 1024
"""A compressed body may become this large. A larger one is not decoded further."""

DECODABLE = ("gzip", "x-gzip", "deflate", "identity")
"""The values of `Content-Encoding` that the standard library can decode."""

GZIP_BITS = 31
"""The format of gzip, as zlib's `wbits` (zlib.h, `inflateInit2`)."""


class UndecodableError(Exception):
    """A body is not encoded as its headers say."""


class NotCheckedError(Exception):
    """A body cannot be read here, although it may be correct. The message says why."""


def decoded_body(body: bytes, content_encoding: str) -> bytes:
    """A body without its content encodings (RFC 9110, section 8.4).

    Raises:
        NotCheckedError: the encoding is unknown, or the body becomes too large.
        UndecodableError: the body does not have the encoding.
    """
    encodings = [name.strip().lower() for name in content_encoding.split(",") if name.strip()]
    # The last one was applied last.
    for encoding in reversed(encodings):
        if encoding not in DECODABLE:
            raise NotCheckedError(f"the content encoding {encoding[:40]!r} cannot be decoded")
        if encoding != "identity" and body:
            body = _decompressed(body, encoding)
    return body


def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding != "deflate":
        return _inflated(body, GZIP_BITS)
    try:
        return _inflated(body, zlib.MAX_WBITS)
    except UndecodableError:
        # Some servers send deflate without the header of zlib (RFC 9110, section 8.4.1.2).
        return _inflated(body, -zlib.MAX_WBITS)


def _inflated(body: bytes, window_bits: int) -> bytes:
    result = b""
    remaining = body
    # A gzip body may have several members.
    while remaining:
        decompressor = zlib.decompressobj(window_bits)
        try:
            result += decompressor.decompress(remaining, MAXIMUM_DECODED_BYTES + 1 - len(result))
        except zlib.error as error:
            raise UndecodableError(str(error)) from error
        if len(result) > MAXIMUM_DECODED_BYTES:
            raise NotCheckedError(f"the body has more than {MAXIMUM_DECODED_BYTES} bytes")
        if not decompressor.eof:
            raise UndecodableError("the compressed body is incomplete")
        remaining = decompressor.unused_data
    return result


def parsed_json(body: bytes) -> Any:
    """The data of a JSON body.

    Raises:
        RecursionError: it is nested too deeply.
        ValueError: it is not JSON in UTF-8.
    """
    # A byte order mark is an error of the sender that parsers may ignore (RFC 8259, section 8.1).
    return json.loads(body.decode("utf-8-sig"), parse_constant=_reject_constant)


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON (RFC 6839, section 3.1)."""
    return media_type == JSON_MEDIA_TYPE or media_type.endswith("+json")


def documented_media_type(names: Iterable[str], media_type: str) -> str | None:
    """The documented media type or range that a media type belongs to."""
    main_type = media_type.partition("/")[0]
    name_by_type = {media_type_of(name): name for name in names}
    for candidate in (media_type, f"{main_type}/*", "*/*"):
        if candidate in name_by_type:
            return name_by_type[candidate]
    return None


def media_type_of(content_type: str) -> str:
    """The media type of a header `Content-Type`, without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def _reject_constant(constant: str) -> NoReturn:
    """Python's parser accepts NaN and Infinity, which are not JSON (RFC 8259, section 6)."""
    raise ValueError(constant)
