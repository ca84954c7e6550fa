"""A whole response, before its body is parsed."""

from collections.abc import Mapping

import httpx

from .body import MAXIMUM_BODY_BYTES, Body, decode, is_truncated_json
from .response_parser import RawHeaders


class RawResponse:
    """A whole response, before its body is parsed.

    It is no named tuple: error reporters show the items of a tuple, and not its repr. Every call
    makes one, and a frozen dataclass takes twice as long.
    """

    __slots__ = ("body", "body_problem", "headers", "retry_after", "status_code")

    def __init__(
        self,
        status_code: int,
        headers: Mapping[str, str],
        body: bytes,
        body_problem: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        """By name in lower case. Of a repeated header, the last value."""
        self.body = body
        """Decompressed as far as possible; as received if it was not compressed."""
        self.body_problem = body_problem
        """Why the body is not what its headers say (too large, badly compressed); may be empty."""
        self.retry_after = retry_after
        """Seconds that the response asks to wait before the next request."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300

    @property
    def is_too_large(self) -> bool:
        """Whether the body is larger than a client reads, so that it is not complete."""
        return len(self.body) > MAXIMUM_BODY_BYTES

    def with_retry_after(self, seconds: float | None) -> "RawResponse":
        """The same response with another `retry_after`."""
        return RawResponse(self.status_code, self.headers, self.body, self.body_problem, seconds)

    def __repr__(self) -> str:
        # A traceback can show variables. Headers and body can repeat the token or personal data.
        return f"RawResponse({self.status_code}, {len(self.body)} bytes)"


def raw_response(
    status_code: int, raw_headers: RawHeaders, compressed_body: bytearray
) -> RawResponse:
    """The response with a body that has ended or is too large. It is decompressed.

    Args:
        status_code: the status.
        raw_headers: the headers as they were received.
        compressed_body: the body as the connection delivered it.

    Raises:
        httpx.RemoteProtocolError: the connection ended within the body of a success.
    """
    headers = decoded_headers(raw_headers)
    encoding = headers.get("content-encoding", "")
    if encoding:
        encoding = _list_in(raw_headers, b"content-encoding")
    return checked_response(status_code, headers, decode(encoding, compressed_body))


def decoded_headers(raw_headers: RawHeaders) -> dict[str, str]:
    """Headers by name in lower case. Of a repeated header, the last value."""
    headers: dict[str, str] = {}
    for name, value in raw_headers:
        headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")
    return headers


def _list_in(raw_headers: RawHeaders, name: bytes) -> str:
    """All values of a header. Repeated lines are one list (RFC 9110, section 5.3)."""
    values = [value.decode("latin-1") for key, value in raw_headers if key.lower() == name]
    return ", ".join(values)


def checked_response(status_code: int, headers: Mapping[str, str], body: Body) -> RawResponse:
    """The response with a decompressed body.

    Raises:
        httpx.RemoteProtocolError: the connection ended within the body of a success.
    """
    # Without these headers the body ends with the connection (RFC 9112, section 6.3).
    # A connection that breaks within the body then looks like its end.
    has_length = "content-length" in headers or "transfer-encoding" in headers
    may_be_cut = not has_length and status_code < 300 and not body.problem
    if may_be_cut and is_truncated_json(body.content):
        raise httpx.RemoteProtocolError("the connection ended within the body")
    return RawResponse(status_code, headers, body.content, body.problem)
