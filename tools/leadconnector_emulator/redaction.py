"""Removes credentials from exchanges before anything stores them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode

from .body_coding import NotCheckedError, UndecodableError, decoded_body, media_type_of, parsed_json
from .finding import MAXIMUM_NAME_LENGTH, Finding
from .messages import Request, Response
from .oauth_messages import FORM_MEDIA_TYPE
from .schema import JsonObject

REDACTED = "[redacted]"
"""What is stored in place of a credential."""

SECRET_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
    }
)
"""Headers whose whole value is a credential."""

SECRET_NAMES = frozenset(
    {
        "accesstoken",
        "apikey",
        "assertion",
        "bearertoken",
        "clientassertion",
        "clientsecret",
        "codeverifier",
        "idtoken",
        "password",
        "privatekey",
        "refreshtoken",
        "secret",
        "sessiontoken",
    }
)
"""Properties and parameters that are credentials, in lower case without `-` and `_`."""

SECRET_NAMES_OF_OAUTH = SECRET_NAMES | {"code", "state", "token"}
"""Those of OAuth endpoints. Elsewhere, a `code` is an error code or a postal code."""

OAUTH_PATH = re.compile(r"(^|/)oauth2?(/|$)", re.IGNORECASE)
"""Paths whose bodies contain tokens, also below the path of an API or of a proxy."""

MINIMUM_LENGTH = 6
"""Shorter credentials are removed where they belong, but not searched for in other texts: a search
would damage ordinary words."""

NO_RESPONSE = Response(204, b"")
"""The response of an exchange that has none."""


def is_oauth_request(request: Request) -> bool:
    """Whether the bodies of a request and of its response contain credentials."""
    return OAUTH_PATH.search(request.path) is not None


class Redaction:
    """Removes the credentials of exchanges.

    Args:
        security_schemes: the security schemes of the spec. Their keys are credentials too.
    """

    def __init__(self, security_schemes: Iterable[Mapping[str, Any]] = ()) -> None:
        headers = set(SECRET_HEADERS)
        parameters: set[str] = set()
        for scheme in security_schemes:
            if scheme.get("type") != "apiKey":
                continue
            name = str(scheme.get("name", ""))
            if scheme.get("in") == "header":
                headers.add(name.lower())
            elif scheme.get("in") == "query":
                parameters.add(normalised(name))
        self._headers = frozenset(headers)
        self._parameters = frozenset(parameters)

    def of_exchange(self, request: Request, response: Response = NO_RESPONSE) -> ExchangeRedaction:
        """Collect the credentials of an exchange, in order to remove them."""
        is_oauth = is_oauth_request(request)
        names = SECRET_NAMES_OF_OAUTH if is_oauth else SECRET_NAMES
        names |= self._parameters
        redaction = ExchangeRedaction(self._headers, names, must_be_readable=is_oauth)
        redaction.collect_request(request)
        redaction.collect_response(response)
        return redaction

    def exchange(self, request: Request, response: Response) -> tuple[Request, Response]:
        """An exchange without credentials, as `ExchangeRedaction` returns them."""
        redaction = self.of_exchange(request, response)
        return redaction.request(request), redaction.response(response)

    def request(self, request: Request) -> Request:
        """A request without credentials."""
        return self.of_exchange(request).request(request)


class ExchangeRedaction:
    """Removes the credentials of one exchange, wherever they occur.

    The bodies are no longer compressed. A body that cannot be decoded is empty.

    Args:
        headers: the headers whose value is a credential.
        names: the properties and parameters whose value is a credential.
        must_be_readable: whether a body that is neither a form nor JSON is removed.
    """

    def __init__(
        self, headers: frozenset[str], names: frozenset[str], *, must_be_readable: bool
    ) -> None:
        self._secret_headers = headers
        self._names = names
        self._must_be_readable = must_be_readable
        self._secrets: set[str] = set()

    def collect_request(self, request: Request) -> None:
        """Collect the credentials of a request."""
        self._collect_headers(request.headers.items())
        for name, value in parse_qsl(request.query, keep_blank_values=True):
            if normalised(name) in self._names:
                self._add(value)
        self._collect_body(request.headers, _plain_body(request.headers, request.body))

    def collect_response(self, response: Response) -> None:
        """Collect the credentials of a response."""
        headers = response.headers_by_lower_name()
        self._collect_headers(_all_headers(response))
        self._collect_body(headers, _plain_body(headers, response.body))

    def request(self, request: Request) -> Request:
        """The request without credentials."""
        headers = self._clean_headers(request.headers.items())
        path, separator, query = request.target.partition("?")
        target = self._clean_text(path) + separator + self._clean_query(query)
        body = self._clean_body(request.headers, request.body)
        return replace(request, target=target, headers=headers, body=body)

    def response(self, response: Response) -> Response:
        """The response without credentials."""
        headers = self._clean_headers(response.headers.items())
        repeated_headers = tuple(
            (name, self._clean_header(name, value)) for name, value in response.repeated_headers
        )
        body = self._clean_body(response.headers_by_lower_name(), response.body)
        return replace(response, headers=headers, repeated_headers=repeated_headers, body=body)

    def finding(self, finding: Finding) -> Finding:
        """The finding without credentials. A name that the sender chose may be one."""
        return replace(
            finding,
            operation=self._clean_text(finding.operation),
            path=self._clean_text(finding.path),
        )

    # Collecting

    def _collect_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        for name, value in headers:
            lower_name = name.lower()
            if lower_name in {"cookie", "set-cookie"}:
                for pair in value.split(";"):
                    self._add(pair.partition("=")[2].strip())
            elif lower_name in self._secret_headers:
                self._add_credentials(value)

    def _add_credentials(self, value: str) -> None:
        scheme, separator, credentials = value.strip().partition(" ")
        if not separator:
            self._add(scheme)
            return
        self._add(credentials.strip())
        if scheme.lower() == "basic":
            self._add_basic(credentials.strip())

    def _add_basic(self, credentials: str) -> None:
        try:
            text = base64.b64decode(credentials, validate=True).decode("utf-8")
        except ValueError:
            return
        self._add(text.partition(":")[2])

    def _collect_body(self, headers: Mapping[str, str], body: bytes) -> None:
        if _is_form(headers):
            for name, value in parse_qsl(_text(body), keep_blank_values=True):
                if normalised(name) in self._names:
                    self._add(value)
            return
        for name, value in _named_values(_json(body)):
            if normalised(name) in self._names and isinstance(value, str):
                self._add(value)

    def _add(self, secret: str) -> None:
        if len(secret) < MINIMUM_LENGTH or secret == REDACTED:
            return
        self._secrets |= {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
        # A path of a finding contains only the start of a long name.
        self._secrets.add(secret[:MAXIMUM_NAME_LENGTH])

    # Removing

    def _clean_headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        cleaned: dict[str, str] = {}
        for name, value in headers:
            # The stored body is decoded, so that neither its encoding nor its length is correct.
            if name.lower() not in {"content-encoding", "content-length"}:
                cleaned[name] = self._clean_header(name, value)
        return cleaned

    def _clean_header(self, name: str, value: str) -> str:
        if name.lower() in self._secret_headers:
            return REDACTED
        return self._clean_text(value)

    def _clean_query(self, query: str) -> str:
        parts: list[str] = []
        for part in query.split("&"):
            name, separator, _ = part.partition("=")
            if separator and normalised(unquote(name)) in self._names:
                parts.append(f"{name}={quote(REDACTED)}")
            else:
                parts.append(self._clean_text(part))
        return "&".join(parts)

    def _clean_body(self, headers: Mapping[str, str], body: bytes) -> bytes:
        plain_body = _plain_body(headers, body)
        if _is_form(headers):
            plain_body = self._clean_form(plain_body)
        else:
            plain_body = self._clean_json(plain_body)
        # The longest first: one credential may contain another.
        for secret in sorted(self._secrets, key=len, reverse=True):
            plain_body = plain_body.replace(secret.encode(errors="replace"), REDACTED.encode())
        return plain_body

    def _clean_form(self, body: bytes) -> bytes:
        pairs = parse_qsl(_text(body), keep_blank_values=True)
        if not any(normalised(name) in self._names for name, _ in pairs):
            return body
        cleaned = [
            (name, REDACTED if normalised(name) in self._names else value) for name, value in pairs
        ]
        return urlencode(cleaned).encode()

    def _clean_json(self, body: bytes) -> bytes:
        data = _json(body)
        if data is None:
            # A token endpoint responds in JSON. Any other text may contain a token anywhere.
            return REDACTED.encode() if self._must_be_readable and body else body
        if not any(normalised(name) in self._names for name, _ in _named_values(data)):
            return body
        try:
            return json.dumps(self._clean_data(data), ensure_ascii=False).encode(errors="replace")
        except RecursionError:
            # The parser permits a deeper nesting than this.
            return REDACTED.encode()

    def _clean_data(self, data: Any) -> Any:
        if isinstance(data, list):
            return [self._clean_data(item) for item in cast("list[object]", data)]
        if not isinstance(data, dict):
            return data
        cleaned: JsonObject = {}
        for name, value in cast("JsonObject", data).items():
            is_secret = normalised(name) in self._names and value is not None
            cleaned[name] = REDACTED if is_secret else self._clean_data(value)
        return cleaned

    def _clean_text(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, REDACTED)
        return text


def security_schemes(root: JsonObject) -> list[Mapping[str, Any]]:
    """The security schemes of a spec that are not references."""
    schemes: JsonObject = root.get("components", {}).get("securitySchemes", {})
    return [scheme for scheme in schemes.values() if isinstance(scheme, dict)]


def normalised(name: str) -> str:
    """The name of a property or parameter in lower case, without `-` and `_`."""
    return name.replace("_", "").replace("-", "").lower()


def _all_headers(response: Response) -> list[tuple[str, str]]:
    return [*response.headers.items(), *response.repeated_headers]


def _plain_body(headers: Mapping[str, str], body: bytes) -> bytes:
    """The decoded body; empty if it cannot be decoded, since a credential may be in it."""
    try:
        return decoded_body(body, headers.get("content-encoding", ""))
    except (NotCheckedError, UndecodableError):
        return b""


def _is_form(headers: Mapping[str, str]) -> bool:
    return media_type_of(headers.get("content-type", "")) == FORM_MEDIA_TYPE


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _json(body: bytes) -> Any:
    """The data of a JSON body; `None` for any other."""
    # Most bodies of other kinds are excluded without parsing.
    if body.lstrip()[:1] not in {b"{", b"["}:
        return None
    try:
        return parsed_json(body)
    except (RecursionError, ValueError):
        return None


def _named_values(data: Any) -> Iterator[tuple[str, Any]]:
    """Each property in JSON data, on every level. A loop: recursion has a limit."""
    remaining = [data]
    while remaining:
        node = remaining.pop()
        if isinstance(node, dict):
            yield from cast("JsonObject", node).items()
            remaining.extend(cast("JsonObject", node).values())
        elif isinstance(node, list):
            remaining.extend(cast("list[object]", node))
