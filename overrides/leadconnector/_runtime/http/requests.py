"""Makes the requests to the API and to the token endpoint."""

import json
import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import httpx

from ..scalars import plain_scalar
from .limits import READ_SECONDS, timeouts_of
from .outgoing import Origin, OutgoingRequest, PreparedRequest
from .response_parser import RawHeaders
from .types import URL, Request

# What httpx sends as it is: a path with the characters of RFC 3986, section 3.3, and no dot
# segments, and a query as generated code writes it.
_PLAIN_TARGET = re.compile(
    r"(?!.*/\.)(?:[A-Za-z0-9/:@!$&'()*+,;=._~-]|%[0-9A-Fa-f]{2})*"
    r"(?:\?(?:[A-Za-z0-9=&,._~-]|%[0-9A-Fa-f]{2})*)?"
)


def common_headers(user_agent: str) -> dict[str, str]:
    """The headers of every request, except the host."""
    return {
        "Accept": "application/json",
        # `send` decompresses gzip with a bound. It supports no other encoding.
        "Accept-Encoding": "gzip",
        "User-Agent": user_agent,
    }


def case_insensitive(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers whose lookup ignores case."""
    return httpx.Headers(dict(headers), encoding="utf-8")


def form_request(
    url: str,
    fields: Mapping[str, str],
    headers: Mapping[str, str],
    timeout: float = READ_SECONDS,
) -> OutgoingRequest:
    """A `POST` of a form.

    Args:
        url: where to.
        fields: the fields of the form, unencoded.
        headers: headers beside those of the form.
        timeout: seconds, as in `timeouts_of`.
    """
    request = Request("POST", url, headers=dict(headers), data=dict(fields))
    return OutgoingRequest(_prepared(request, request.headers.raw), timeouts_of(timeout))


def _prepared(request: Request, headers: RawHeaders) -> PreparedRequest:
    """A request that httpx has encoded, with its headers."""
    url = request.url
    return PreparedRequest(request.method, Origin.of(url), url.raw_path, headers, request.read())


# The keyword arguments for a request with a JSON body and without cookies.
_JSON_REQUEST_ARGUMENTS = frozenset({"method", "url", "json", "headers"})


class RequestFactory:
    """Makes the requests of a client from its base URL, its common headers and the arguments."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        default_headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        url = URL(base_url)
        self._base_url = base_url
        self._origin = Origin.of(url)
        self._base_path = url.raw_path.decode("ascii").rstrip("/")
        host = url.netloc.decode("ascii")
        all_headers = httpx.Headers({"Host": host, **headers})
        all_headers.update(default_headers)
        self._headers: RawHeaders = all_headers.raw
        self._has_default_headers = bool(default_headers)
        self._has_default_accept = "accept" in {name.lower() for name in default_headers}

    def prepare(
        self,
        method: str,
        arguments: dict[str, Any],
        added_headers: Mapping[str, str] | None = None,
        accept: str | None = None,
    ) -> PreparedRequest:
        """Prepare a request.

        Args:
            method: the method in upper case.
            arguments: keyword arguments for `httpx.Request`, as generated code returns them.
                Their `url` is a path, with the query if there is one.
            added_headers: further headers. They replace those of this factory.
            accept: the media types to accept; `None` for JSON alone. Headers of the caller have
                precedence.

        Raises:
            InvalidURL: the path makes no URL.
            TypeError, ValueError, RecursionError: the arguments make no request.
        """
        common_headers = self._headers
        if accept is not None:
            common_headers = self._headers_that_accept(accept)
        if self._has_default_headers or added_headers:
            request_headers = arguments.get("headers", {})
            common_headers = _replaced(common_headers, request_headers, added_headers or {})
        if arguments.keys() == _JSON_REQUEST_ARGUMENTS:
            target = self._target(arguments["url"])
            headers = arguments["headers"]
            return self._prepare_json(method, target, common_headers, headers, arguments["json"])
        # httpx encodes any other body, and adds the host, which is the first common header.
        request_arguments: dict[str, Any] = {**arguments, "url": self._base_url + arguments["url"]}
        if "json" in request_arguments:
            # httpx would send no body for null.
            request_arguments["content"] = _encode_json(request_arguments.pop("json")).encode()
        if request_arguments.get("files") == []:
            _add_empty_form(request_arguments)
        request = Request(**request_arguments)
        return _prepared(request, request.headers.raw + common_headers[1:])

    def _headers_that_accept(self, media_types: str) -> RawHeaders:
        """The headers of this factory with other media types, unless the caller chose some."""
        if self._has_default_accept:
            return self._headers
        value = media_types.encode("ascii")
        return [
            (name, value if name.lower() == b"accept" else other) for name, other in self._headers
        ]

    def _target(self, path: str) -> bytes:
        """The path and query of a request behind the path of the base URL, encoded."""
        if _PLAIN_TARGET.fullmatch(path):
            return (self._base_path + path).encode("ascii")
        # To parse a URL takes longer than the rest of this module.
        return URL(self._base_url + path).raw_path

    def _prepare_json(
        self,
        method: str,
        target: bytes,
        common_headers: RawHeaders,
        headers: Mapping[str, str],
        data: object,
    ) -> PreparedRequest:
        """Encode a JSON body as httpx does, in a tenth of the time."""
        body = _encode_json(data).encode()
        encoded = list(common_headers)
        for name, value in headers.items():
            encoded.append((name.encode("ascii"), value.encode("ascii")))
        encoded.append((b"Content-Length", b"%d" % len(body)))
        return PreparedRequest(method, self._origin, target, encoded, body)


def _add_empty_form(request_arguments: dict[str, Any]) -> None:
    """Add a multipart form without parts. httpx would send no body and no `Content-Type`."""
    del request_arguments["files"]
    boundary = os.urandom(16).hex()
    # RFC 2046, section 5.1.1, requires a part, but browsers send a form without any as this.
    request_arguments["content"] = f"--{boundary}--\r\n".encode()
    request_arguments["headers"] = {
        **request_arguments.get("headers", {}),
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }


def _replaced(
    common_headers: RawHeaders,
    request_headers: Mapping[str, str],
    added_headers: Mapping[str, str],
) -> RawHeaders:
    """The common headers that a request does not replace, and the added ones."""
    replaced_names = {name.lower().encode() for name in (*request_headers, *added_headers)}
    headers: RawHeaders = []
    for name, value in common_headers:
        if name.lower() not in replaced_names:
            headers.append((name, value))
    for added_name, added_value in added_headers.items():
        headers.append((added_name.encode("ascii"), added_value.encode("ascii")))
    return headers


# As httpx encodes JSON, but with the numbers of numpy.
_encode_json = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=plain_scalar
).encode
