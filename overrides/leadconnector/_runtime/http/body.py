"""Decompresses the body of a response up to a maximum size."""

import json
import zlib

MAXIMUM_BODY_BYTES = 10 * 1024 * 1024
"""Bytes of a response's body after decompression. Responses of the API have a few hundred."""

MAXIMUM_ENCODINGS = 5
"""How many encodings of one body are decoded. urllib3 has the same bound."""

MAXIMUM_MEMBERS = 10_000
"""How many members of one gzip body are decompressed. An empty one has 20 bytes and costs 5 µs."""

PIECE_BYTES = 4096
"""Bytes that are decompressed at once.

zlib copies the bytes of a piece that are behind a member. So a larger piece makes a body of many
small members slow.
"""

# Values of `wbits` for the formats (zlib's manual, inflateInit2), with the largest window.
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


def decode(content_encoding: str, received: bytearray) -> Body:
    """Decompress a body up to the maximum size. A gzip bomb of 199 KiB has 200 MiB.

    Args:
        content_encoding: the header. The last encoding in it is the outermost one.
        received: the body as it was received.
    """
    names = _encodings(content_encoding)
    if not received or not names:
        return _limited(bytes(received))
    if len(names) > MAXIMUM_ENCODINGS:
        return _limited(bytes(received), f"has more than {MAXIMUM_ENCODINGS} encodings")
    body = Body(bytes(received))
    for name in reversed(names):
        if name in _UNSUPPORTED_NAMES:
            return _limited(body.content, f"has the unsupported Content-Encoding {name}")
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


def _decompress(name: str, packed: bytes) -> Body:
    """Decompress one encoding."""
    if not packed:
        return Body(b"")
    window_bits = _deflate_format(packed) if name == _DEFLATE_NAME else _GZIP_OR_ZLIB
    return _unpack(packed, window_bits, name)


def _deflate_format(packed: bytes) -> int:
    """The format of a deflate body: zlib (RFC 1950), or raw, which some servers send.

    The first two bytes of zlib are a multiple of 31, and the first one has method 8 (section 2.2).
    """
    has_method = packed[0] & 0x0F == 8
    has_check = int.from_bytes(packed[:2], "big") % 31 == 0
    return _ZLIB if has_method and has_check else _RAW_DEFLATE


def _unpack(packed: bytes, window_bits: int, name: str) -> Body:
    """Decompress all members of a body (RFC 1952, section 2.2), up to the maximum size.

    Zeros behind the last member are padding: gzip ignores them, too.
    """
    view = memoryview(packed)
    end = len(packed.rstrip(b"\0"))
    content = bytearray()
    position = 0
    try:
        for _ in range(MAXIMUM_MEMBERS):
            position = _unpack_member(view, position, window_bits, content)
            if position >= end or len(content) > MAXIMUM_BODY_BYTES:
                return _limited(bytes(content))
    except zlib.error:
        return _limited(bytes(content), f"is not valid {name}, or is followed by other data")
    except EOFError:
        return _limited(bytes(content), f"is cut off: its {name} data has no end")
    return _limited(bytes(content), f"has more than {MAXIMUM_MEMBERS} {name} members")


def _unpack_member(packed: memoryview, position: int, window_bits: int, content: bytearray) -> int:
    """Append one member to the content, up to one byte more than the maximum size.

    Returns:
        The position behind the member.

    Raises:
        zlib.error: the member is invalid.
        EOFError: it has no end.
    """
    decompressor = zlib.decompressobj(window_bits)
    while not decompressor.eof and len(content) <= MAXIMUM_BODY_BYTES:
        if position == len(packed):
            raise EOFError
        piece = packed[position : position + PIECE_BYTES]
        content += decompressor.decompress(piece, MAXIMUM_BODY_BYTES + 1 - len(content))
        position += len(piece)
        position -= len(decompressor.unused_data) + len(decompressor.unconsumed_tail)
    return position


def _limited(content: bytes, problem: str = "") -> Body:
    """A body that is not too large; an excess size replaces any other problem."""
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
