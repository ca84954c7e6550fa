"""Removes credentials from exchanges before anything stores them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode

from .body_coding import NotCheckedError, UndecodableError, decoded_body, media_type_of
from .credential_rules import (
    URL_HEADERS,
    CredentialNames,
    is_oauth_path,
    normalised,
    secrets_in_urls,
    without_secrets_in_urls,
)
from .finding import MAXIMUM_NAME_LENGTH, Finding
from .messages import Request, Response
from .oauth_messages import FORM_MEDIA_TYPE
from .schema import JsonObject

REDACTED = "redacted"
"""What is stored in place of a credential. It has the syntax of a token and of a part of a URL, so
that a client can use a replayed response."""

MINIMUM_LENGTH = 6
"""Shorter credentials are removed where they belong, but not searched for in other texts: a search
would damage ordinary words."""

LONG_LENGTH = 16
"""Credentials of this length are searched for everywhere. A shorter one, such as a token for tests,
may be a part of an id, so that a response contains it only as a whole word."""

FIELDS_WITHOUT_MEANING = frozenset({"content-encoding", "content-length"})
"""Headers that are wrong for the stored body, which is decoded."""

NO_RESPONSE = Response(204, b"")
"""The response of an exchange that has none."""

_TOKEN_CHARACTER = r"[\w~+/%-]"
"""A character that joins a credential with its neighbour to an id or another word."""

_UNMISTAKABLE_NAMES = (
    rb"access[_-]?token",
    rb"api[_-]?key",
    rb"api[_-]?token",
    rb"auth[_-]?token",
    rb"bearer[_-]?token",
    rb"client[_-]?assertion",
    rb"client[_-]?secret",
    rb"code[_-]?verifier",
    # Not the end of "Invalid token".
    rb"id(?<![a-z]id)[_-]?token",
    rb"private[_-]?key",
    rb"refresh[_-]?token",
    rb"secret[_-]?key",
    rb"session[_-]?token",
)
"""Names of credentials that no text uses for anything else, in lower case."""

_ORDINARY_NAMES = (rb"assertion", rb"passwd", rb"password", rb"secret", rb"token")
"""Names of credentials that are ordinary words."""

# Each alternative starts with a character, so that a search skips all others.
_MENTION = re.compile(
    b"|".join(
        [
            *_UNMISTAKABLE_NAMES,
            # JSON, YAML, a form or XML assigns a value to the name.
            *(name + rb"[\"'\\\]]*\s*[:=>]" for name in _ORDINARY_NAMES),
            # The name is that of a part of multipart data.
            *(rb"name=[\"']?" + name + rb"\b" for name in _ORDINARY_NAMES),
        ]
    )
)
"""A name in a body that cannot be parsed, in lower case, whose value is likely a credential."""

_VALUE_OF_NAME = re.compile(
    b"|".join(
        name + rb"[^a-z0-9]{1,16}([\w.~+/=-]{%d,})" % LONG_LENGTH
        for name in (*_UNMISTAKABLE_NAMES, *_ORDINARY_NAMES)
    )
)
"""The value of a name in a body that cannot be parsed, in lower case."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
"""An escaped character in JSON (RFC 8259, section 7)."""


class Redaction:
    """Removes the credentials of exchanges.

    Args:
        security_schemes: the security schemes of the spec. Their keys are credentials too.
    """

    def __init__(self, security_schemes: Iterable[Mapping[str, Any]] = ()) -> None:
        headers: set[str] = set()
        parameters: set[str] = set()
        for scheme in security_schemes:
            if scheme.get("type") != "apiKey":
                continue
            name = str(scheme.get("name", ""))
            if scheme.get("in") == "header":
                headers.add(name.lower())
            elif scheme.get("in") == "query":
                parameters.add(normalised(name))
        self._names = CredentialNames(
            further_headers=frozenset(headers), further_parameters=frozenset(parameters)
        )

    def of_exchange(self, request: Request, response: Response = NO_RESPONSE) -> ExchangeRedaction:
        """Collect the credentials of an exchange, in order to remove them."""
        names = replace(self._names, is_oauth=is_oauth_path(request.path))
        redaction = ExchangeRedaction(names)
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

    The bodies are no longer compressed. A body that cannot be decoded is empty. One that cannot be
    parsed and contains the name of a credential is removed.

    Args:
        names: the names of credentials.
    """

    def __init__(self, names: CredentialNames) -> None:
        self._names = names
        self._secrets = _Secrets()

    def collect_request(self, request: Request) -> None:
        """Collect the credentials of a request."""
        self._collect_headers(request.headers.items())
        is_secret = self._rule_for_query(request)
        for name, value in parse_qsl(request.query, keep_blank_values=True):
            if is_secret(name):
                self._secrets.add(value)
        self._collect_body(request.headers, _plain_body(request.headers, request.body))

    def collect_response(self, response: Response) -> None:
        """Collect the credentials of a response."""
        headers = response.headers_by_lower_name()
        self._collect_headers(_all_headers(response))
        self._collect_body(headers, _plain_body(headers, response.body))

    def request(self, request: Request) -> Request:
        """The request without credentials.

        Its path, query and body identify it, so that a short credential in them is an id.
        """
        headers = self._clean_headers(request.headers.items())
        path, separator, query = request.target.partition("?")
        target = self._secrets.remove_long(path) + separator
        target += self._clean_query(query, self._rule_for_query(request))
        body = self._clean_body(request.headers, request.body, self._secrets.remove_long)
        return replace(request, target=target, headers=headers, body=body)

    def response(self, response: Response) -> Response:
        """The response without credentials."""
        headers = self._clean_headers(response.headers.items())
        repeated_headers = tuple(
            (name, self._clean_header(name, value)) for name, value in response.repeated_headers
        )
        body = self._clean_body(
            response.headers_by_lower_name(), response.body, self._secrets.remove
        )
        return replace(response, headers=headers, repeated_headers=repeated_headers, body=body)

    def finding(self, finding: Finding) -> Finding:
        """The finding without credentials. A name that the sender chose may be one."""
        return replace(
            finding,
            operation=self._secrets.remove(finding.operation),
            path=self._secrets.remove(finding.path),
        )

    def _rule_for_query(self, request: Request) -> Callable[[str], bool]:
        return self._names.rule_for_query(request.query)

    # Collecting

    def _collect_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        for name, value in headers:
            lower_name = name.lower()
            if lower_name in {"cookie", "set-cookie"}:
                for pair in value.split(";"):
                    self._secrets.add(pair.partition("=")[2].strip())
            elif self._names.has_header(name):
                self._add_credentials(value)
            elif lower_name in URL_HEADERS:
                for secret in secrets_in_urls(value, self._names.rule_for_header(name, value)):
                    self._secrets.add(secret)

    def _add_credentials(self, value: str) -> None:
        scheme, separator, credentials = value.strip().partition(" ")
        if not separator:
            self._secrets.add(scheme)
            return
        self._secrets.add(credentials.strip())
        if scheme.lower() == "basic":
            self._add_basic(credentials.strip())

    def _add_basic(self, credentials: str) -> None:
        try:
            text = base64.b64decode(credentials, validate=True).decode("utf-8")
        except ValueError:
            return
        self._secrets.add(text.partition(":")[2])

    def _collect_body(self, headers: Mapping[str, str], body: bytes) -> None:
        if _is_form(headers):
            for name, value in parse_qsl(_text(body), keep_blank_values=True):
                if self._names.has_property(name):
                    self._secrets.add(value)
            return
        documents = _documents(body)
        if documents is None:
            for match in _VALUE_OF_NAME.finditer(body.lower()):
                start, end = match.span(match.lastindex or 0)
                self._secrets.add(_text(body[start:end]))
            return
        for name, value in _named_values(documents):
            if isinstance(value, str) and self._names.has_property(name):
                self._secrets.add(value)

    # Removing

    def _clean_headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        cleaned: dict[str, str] = {}
        for name, value in headers:
            if name.lower() not in FIELDS_WITHOUT_MEANING:
                cleaned[name] = self._clean_header(name, value)
        return cleaned

    def _clean_header(self, name: str, value: str) -> str:
        if self._names.has_header(name):
            return REDACTED
        if name.lower() in URL_HEADERS:
            rule = self._names.rule_for_header(name, value)
            value = without_secrets_in_urls(value, rule, REDACTED)
        return self._secrets.remove(value)

    def _clean_query(self, query: str, is_secret: Callable[[str], bool]) -> str:
        parts: list[str] = []
        for part in query.split("&"):
            name, separator, _ = part.partition("=")
            if separator and is_secret(unquote(name)):
                parts.append(f"{name}={REDACTED}")
            else:
                clean_part = without_secrets_in_urls(f"?{part}", is_secret, REDACTED)[1:]
                parts.append(self._secrets.remove_long(clean_part))
        return "&".join(parts)

    def _clean_body(
        self, headers: Mapping[str, str], body: bytes, remove: Callable[[str], str]
    ) -> bytes:
        plain_body = _plain_body(headers, body)
        if _is_form(headers):
            return self._clean_form(plain_body, remove)
        documents = _documents(plain_body)
        if documents is None:
            return self._clean_text_body(plain_body, remove)
        try:
            # The parser permits a deeper nesting than this.
            clean_documents = [self._clean_data(document, remove) for document in documents]
            if clean_documents == documents:
                return plain_body
            lines = [json.dumps(document, ensure_ascii=False) for document in clean_documents]
        except RecursionError:
            return REDACTED.encode()
        return "\n".join(lines).encode(errors="replace")

    def _clean_form(self, body: bytes, remove: Callable[[str], str]) -> bytes:
        pairs = parse_qsl(_text(body), keep_blank_values=True)
        clean_pairs: list[tuple[str, str]] = []
        for name, value in pairs:
            if self._names.has_property(name):
                clean_pairs.append((name, REDACTED))
            else:
                clean_pairs.append((remove(name), self._clean_string(value, remove)))
        if clean_pairs == pairs:
            return body
        return urlencode(clean_pairs).encode()

    def _clean_text_body(self, body: bytes, remove: Callable[[str], str]) -> bytes:
        """A body that is neither a form nor JSON."""
        if not body:
            return body
        # A token endpoint responds in JSON. Any other text may contain a token anywhere.
        if self._names.is_oauth or _mentions_secret(body):
            return REDACTED.encode()
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return self._secrets.remove_bytes(body)
        clean_text = self._clean_string(text, remove)
        if self._secrets.are_in(_unescaped(clean_text)):
            return REDACTED.encode()
        return clean_text.encode()

    def _clean_data(self, data: Any, remove: Callable[[str], str]) -> Any:
        if isinstance(data, str):
            return self._clean_string(data, remove)
        if isinstance(data, list):
            return [self._clean_data(item, remove) for item in cast("list[object]", data)]
        if not isinstance(data, dict):
            return data
        cleaned: JsonObject = {}
        for name, value in cast("JsonObject", data).items():
            if self._names.has_property(name) and not _is_empty(value):
                cleaned[remove(name)] = REDACTED
            else:
                cleaned[remove(name)] = self._clean_data(value, remove)
        return cleaned

    def _clean_string(self, text: str, remove: Callable[[str], str]) -> str:
        text = without_secrets_in_urls(text, self._names.has_parameter, REDACTED)
        if text[:1] in {"{", "["} and _mentions_secret(text.encode(errors="replace")):
            # JSON within a string.
            return REDACTED
        return remove(text)


class _Secrets:
    """The credentials of an exchange, which are searched for in other texts."""

    def __init__(self) -> None:
        self._long_forms: set[str] = set()
        self._short_forms: set[str] = set()
        self._sorted_long_forms: list[str] | None = None
        self._short_pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Add a credential, in each form in which a text may contain it."""
        if len(secret) < MINIMUM_LENGTH or secret == REDACTED:
            return
        json_form = json.dumps(secret)[1:-1]
        forms = {
            secret,
            quote(secret, safe="", errors="replace"),
            quote(secret, errors="replace"),
            quote_plus(secret, errors="replace"),
            json_form,
            json_form.replace("/", "\\/"),
        }
        if len(secret) < LONG_LENGTH:
            self._short_forms |= forms
            return
        # A path of a finding contains only the start of a long name.
        forms.add(secret[:MAXIMUM_NAME_LENGTH])
        self._long_forms |= forms

    def are_in(self, text: str) -> bool:
        """Whether a text contains a long credential."""
        return any(form in text for form in self._long_forms)

    def remove(self, text: str) -> str:
        """A text without the long credentials, and without words that are short ones."""
        text = self.remove_long(text)
        if not self._short_forms:
            return text
        if self._short_pattern is None:
            self._short_pattern = _word_pattern(self._short_forms)
        return self._short_pattern.sub(REDACTED, text)

    def remove_long(self, text: str) -> str:
        """A text without the long credentials."""
        for form in self._forms():
            text = text.replace(form, REDACTED)
        return text

    def remove_bytes(self, body: bytes) -> bytes:
        """A body that is no text, without the long credentials."""
        for form in self._forms():
            body = body.replace(form.encode(errors="replace"), REDACTED.encode())
        return body

    def _forms(self) -> list[str]:
        if self._sorted_long_forms is None or len(self._sorted_long_forms) != len(self._long_forms):
            # The longest first: one credential may contain another.
            self._sorted_long_forms = sorted(self._long_forms, key=len, reverse=True)
        return self._sorted_long_forms


def security_schemes(root: JsonObject) -> list[Mapping[str, Any]]:
    """The security schemes of a spec that are not references."""
    schemes: JsonObject = root.get("components", {}).get("securitySchemes", {})
    return [scheme for scheme in schemes.values() if isinstance(scheme, dict)]


def _word_pattern(words: set[str]) -> re.Pattern[str]:
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    # A point at the end of a sentence is no part of a word.
    return re.compile(
        rf"(?<!{_TOKEN_CHARACTER})(?<![.])(?:{alternatives})(?!{_TOKEN_CHARACTER}|[.]\w)"
    )


def _is_empty(value: object) -> bool:
    """Whether a property has no value, or only says whether there is a credential."""
    return value is None or isinstance(value, bool)


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


def _unescaped(text: str) -> str:
    """A text without the escapes of URLs and of JSON."""
    if "%" in text:
        text = unquote(text)
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped_character, text)
    return text


def _unescaped_character(match: re.Match[str]) -> str:
    code, character = match.groups()
    if code is None:
        return character
    return chr(int(code, 16))


def _mentions_secret(body: bytes) -> bool:
    """Whether a body that was not parsed contains the name of a credential."""
    # UTF-16 and UTF-32 have a zero byte in each Latin character.
    if b"\0" in body:
        body = body.replace(b"\0", b"")
    return _MENTION.search(body.lower()) is not None


def _documents(body: bytes) -> list[Any] | None:
    """The data of a JSON body, or of one with a document per line; `None` for any other.

    It accepts more than the validation does: a sender that adds a byte order mark or writes NaN
    sends credentials all the same.
    """
    try:
        text = body.decode(json.detect_encoding(body)).strip()
        # Most bodies of other kinds are excluded without parsing.
        if text[:1] not in {"{", "["}:
            return None
        return _parsed(text)
    except (RecursionError, ValueError):
        return None


def _parsed(text: str) -> list[Any]:
    try:
        return [json.loads(text, object_pairs_hook=_unique_members)]
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
    lines = [line for line in text.splitlines() if line.strip()]
    return [json.loads(line, object_pairs_hook=_unique_members) for line in lines]


def _unique_members(pairs: list[tuple[str, Any]]) -> JsonObject:
    """An object of JSON. Of two members with one name, the data would contain only the last."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


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
