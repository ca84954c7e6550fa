"""What a request has on the wire. Multipart bodies are parsed by the library email."""

from __future__ import annotations

import datetime
import email.parser
import email.policy
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

import httpx

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_DELIMITERS = frozenset("/,;=")
_QUERY_DELIMITERS = frozenset("&=,")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d(?::|%3A)\d\d(?::|%3A)\d\d(?:\.\d+)?(?:Z|(?:\+|%2B|-)\d\d(?::|%3A)\d\d)"
)


@dataclass(frozen=True)
class SentRequest:
    """A request that a transport received."""

    method: str
    path: str
    """As sent, without the query."""
    query: str
    """As sent; empty without one."""
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, in the order of the request."""
    content: bytes

    @classmethod
    def of(cls, request: httpx.Request) -> SentRequest:
        """The request of a transport of httpx."""
        target = request.url.raw_path.decode("ascii")
        path, _, query = target.partition("?")
        headers = tuple(
            (name.decode("ascii").lower(), value.decode("latin-1"))
            for name, value in request.headers.raw
        )
        return cls(request.method, path, query, headers, request.read())

    def header_values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for header, value in self.headers if header == name.lower()]


@dataclass(frozen=True)
class Part:
    """A part of a multipart body."""

    name: str
    file_name: str | None
    media_type: str
    content: bytes


def encoded(text: str) -> str:
    """A value in a URL: everything but unreserved characters is encoded (RFC 3986, 2.3)."""
    return quote(text, safe="")


def normal_path(path: str) -> str:
    """A path in which only its delimiters and unreserved characters are not encoded."""
    return with_moments(_normal(path, _PATH_DELIMITERS, plus="%2B"))


def normal_query(query: str) -> str:
    """A query in which only its delimiters and unreserved characters are not encoded.

    A plus is a space, as servers read it.
    """
    return with_moments(_normal(query, _QUERY_DELIMITERS, plus="%20"))


def _normal(text: str, delimiters: frozenset[str], plus: str) -> str:
    normal: list[str] = []
    for token in re.findall(r"%[0-9A-Fa-f]{2}|.", text, re.DOTALL):
        if len(token) == 3:
            character = unquote_to_bytes(token).decode("latin-1")
            normal.append(character if character in _UNRESERVED else token.upper())
        elif token == "+":
            normal.append(plus)
        elif token in delimiters or token in _UNRESERVED:
            normal.append(token)
        else:
            normal.append(encoded(token))
    return "".join(normal)


def with_moments(text: str) -> str:
    """A text whose times are in one form: several texts mean the same moment."""

    def in_utc(match: re.Match[str]) -> str:
        moment = match[0].replace("%3A", ":").replace("%2B", "+")
        utc = datetime.datetime.fromisoformat(moment).astimezone(datetime.UTC)
        return utc.isoformat().replace(":", "").replace("+", "")

    return _MOMENT.sub(in_utc, text)


def parts_of(request: SentRequest) -> list[Part]:
    """The parts of a multipart body."""
    content_type = "".join(request.header_values("content-type"))
    header = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n".encode()
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    message = parser.parsebytes(header + request.content)
    parts: list[Part] = []
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        parts.append(
            Part(
                name=str(name),
                file_name=part.get_filename(),
                media_type=part.get_content_type() if part["content-type"] else "",
                content=content if isinstance(content, bytes) else b"",
            )
        )
    return parts
