"""Decompresses the body of a response up to a maximum size."""

import json
import zlib

MAXIMUM_BODY_BYTES = 10 * 1024 * 1024
"""Bytes of a response's body after decompression: our own bound.

Responses of the API have a few hundred.
"""

MAXIMUM_ENCODINGS = 5
"""How many encodings of one body are decoded. urllib3 has the same bound."""

MAXIMUM_MEMBERS = 10_000
"""How many members of one gzip body are decompressed: our own bound.

An empty member has 20 bytes and costs 5 µs, so a body of them costs up to 50 ms.
"""

PIECE_BYTES = 4096
"""Bytes that are decompressed at once: a compromise of our own.

zlib copies the bytes of a piece that are behind a member. So a larger piece makes a body of many
small members slow. A smaller one makes a large member slow.
"""

# Values of `wbits` for the formats (zlib's manual, inflateInit2), with the largest window. The
# first one accepts zlib under the name of gzip, too: some servers confuse the two.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS

# The names of gzip and deflate in RFC 9110, section 8.4.1.
_GZIP_NAMES = frozenset({"gzip", "x-gzip"})
_DEFLATE_NAME = "deflate"

# The other registered encodings that change a body:
# https://www.iana.org/assignments/http-parameters. Any other name is a mistake of the server, such
# as a charset (`utf-8`) or `none`. Its body is read as it is.
_UNSUPPORTED_NAMES = frozenset(
    {
        "aes128gcm",
        "br",
        "compress",
        "dcb",
        "dcz",
        "exi",
        "pack200-gzip",
        "x-compress",
        "zstd",
    }
)


class Body:
    """A body after decompression. The repr shows no data.

    It is no named tuple: error reporters show the items of a tuple, and not its repr.
    """

    __slots__ = ("content", "problem")

    def __init__(self, content: bytes, problem: str = "") -> None:
        self.content = content
        """The decompressed bytes."""
        self.problem = problem
        """Why the content cannot be used; empty if it can."""

    def __repr__(self) -> str:
        return f"Body({len(self.content)} bytes)"


def decode(content_encoding: str, raw_body: bytearray) -> Body:
    """Decompress a body up to the maximum size. A gzip bomb of 199 KiB has 200 MiB.

    Args:
        content_encoding: the header. The last encoding in it is the outermost one.
        raw_body: the body as the connection delivered it.
    """
    names = _encodings(content_encoding)
    if not raw_body or not names:
        return _within_limit(bytes(raw_body))
    if len(names) > MAXIMUM_ENCODINGS:
        return _within_limit(bytes(raw_body), f"has more than {MAXIMUM_ENCODINGS} encodings")
    body = Body(bytes(raw_body))
    for name in reversed(names):
        if name in _UNSUPPORTED_NAMES:
            return _within_limit(body.content, f"has the unsupported Content-Encoding {name}")
        body = _decompress(name, body.content)
        if body.problem:
            return body
    return body


def _encodings(content_encoding: str) -> list[str]:
    """The encodings that change a body, in lower case."""
    if not content_encoding:
        return []
    names: list[str] = []
    for item in content_encoding.split(","):
        # An encoding has no parameters, but some servers send one, or quote it.
        name = item.partition(";")[0].strip(" \t\"'").lower()
        if name in _GZIP_NAMES or name == _DEFLATE_NAME or name in _UNSUPPORTED_NAMES:
            names.append(name)
    return names


def _decompress(name: str, compressed_body: bytes) -> Body:
    """Decompress one encoding."""
    if not compressed_body:
        return Body(b"")
    window_bits = _GZIP_OR_ZLIB
    if name == _DEFLATE_NAME:
        window_bits = _deflate_format(compressed_body)
    return _unpack(compressed_body, window_bits, name)


def _deflate_format(compressed_body: bytes) -> int:
    """The format of a deflate body: zlib (RFC 1950), or raw, which some servers send.

    The first two bytes of zlib are a multiple of 31, and the first one has method 8 (section 2.2).
    """
    has_method = compressed_body[0] & 0x0F == 8
    has_check = int.from_bytes(compressed_body[:2], "big") % 31 == 0
    if has_method and has_check:
        return _ZLIB
    return _RAW_DEFLATE


def _unpack(compressed_body: bytes, window_bits: int, name: str) -> Body:
    """Decompress all members of a body (RFC 1952, section 2.2), up to the maximum size.

    Zeros behind the last member are padding: gzip ignores them, too.
    """
    view = memoryview(compressed_body)
    end = len(compressed_body.rstrip(b"\0"))
    content = bytearray()
    position = 0
    try:
        for _ in range(MAXIMUM_MEMBERS):
            position = _unpack_member(view, position, window_bits, content)
            if position >= end or len(content) > MAXIMUM_BODY_BYTES:
                return _within_limit(bytes(content))
    except zlib.error:
        return _within_limit(bytes(content), f"is not valid {name}, or is followed by other data")
    except EOFError:
        return _within_limit(bytes(content), f"is cut off: its {name} data has no end")
    return _within_limit(bytes(content), f"has more than {MAXIMUM_MEMBERS} {name} members")


def _unpack_member(
    compressed_body: memoryview, position: int, window_bits: int, content: bytearray
) -> int:
    """Append one member to the content, up to one byte more than the maximum size.

    Returns:
        The position behind the member.

    Raises:
        zlib.error: the member is invalid.
        EOFError: it has no end.
    """
    decompressor = zlib.decompressobj(window_bits)
    while not decompressor.eof and len(content) <= MAXIMUM_BODY_BYTES:
        if position == len(compressed_body):
            raise EOFError
        piece = compressed_body[position : position + PIECE_BYTES]
        content += decompressor.decompress(piece, MAXIMUM_BODY_BYTES + 1 - len(content))
        position += len(piece)
        position -= len(decompressor.unused_data) + len(decompressor.unconsumed_tail)
    return position


def _within_limit(content: bytes, problem: str = "") -> Body:
    """A body with its problem. If it is too large, that is its problem, whatever else it has."""
    if len(content) > MAXIMUM_BODY_BYTES:
        return Body(content, f"is larger than {MAXIMUM_BODY_BYTES} bytes")
    return Body(content, problem)


def is_truncated_json(body: bytes) -> bool:
    """Whether a body looks like the first part of a JSON object or array."""
    if body[:1] not in {b"{", b"["}:
        return False
    try:
        json.loads(body)
    except json.JSONDecodeError:
        return True
    except UnicodeDecodeError as error:
        # A cut within a character is an error up to the last byte. Any other one is no UTF-8,
        # which the decoder reports later.
        return error.end == len(body)
    except (RecursionError, ValueError):
        # Nested too deeply. That is no sign of a cut; the decoder reports it later.
        return False
    return False
