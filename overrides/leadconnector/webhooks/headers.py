"""Finds the signature among headers, in each form in which a framework offers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, cast

from .._highlevel import (
    WEBHOOK_LEGACY_HEADER,
    WEBHOOK_NO_SIGNATURE,
    WEBHOOK_SIGNATURE_HEADER,
)
from ..errors import ArgumentError, WebhookSignatureError


class HasItems(Protocol):
    """Headers that are no `Mapping`, such as those of `http.server` and of Werkzeug."""

    def items(self) -> Iterable[tuple[str, str]]:
        """The names and values of all headers."""
        ...


Headers: TypeAlias = Mapping[str, object] | HasItems | Iterable[tuple[str | bytes, str | bytes]]
"""Headers: a mapping, a WSGI environ, or pairs, such as the `headers` of an ASGI scope."""


def signature_of(headers: Headers) -> str:
    """The value of the signature header.

    Raises:
        ArgumentError: the argument contains no headers.
        WebhookSignatureError: there is no signature, or more than one.
    """
    values = _values(headers, WEBHOOK_SIGNATURE_HEADER)
    signatures = values - {"", WEBHOOK_NO_SIGNATURE}
    if not signatures:
        raise WebhookSignatureError(_explain_missing(headers), reason="missing")
    if len(signatures) > 1:
        raise WebhookSignatureError(
            f"the request has several headers {WEBHOOK_SIGNATURE_HEADER}: reject it",
            reason="malformed",
        )
    return signatures.pop()


def _explain_missing(headers: Headers) -> str:
    message = f"the request has no header {WEBHOOK_SIGNATURE_HEADER}"
    if _values(headers, WEBHOOK_LEGACY_HEADER):
        return f"{message}: it has only the vendor's earlier signature, which is not supported"
    return f"{message}: it is no event of the API, or the header was removed on its way"


def _values(headers: Headers, name: str) -> set[str]:
    """The different values of a header."""
    # RFC 3875, section 4.1.18: how CGI, and so WSGI, names a header.
    names = {name, f"http_{name.replace('-', '_')}"}
    return {value for key, value in _pairs(headers) if key.lower() in names}


def _pairs(headers: Headers) -> Iterator[tuple[str, str]]:
    """The names and values of all headers as texts.

    Raises:
        ArgumentError: the argument contains no headers.
    """
    for pair in _items(headers):
        try:
            name, value = pair
        except (TypeError, ValueError):
            raise _no_headers(headers) from None
        # Some frameworks have a list of the values of each name.
        values: Iterable[object] = [value]
        if isinstance(value, list | tuple):
            values = cast("Iterable[object]", value)
        for text in values:
            yield _text(name), _text(text)


def _items(headers: Any) -> Iterable[Any]:
    items: Iterable[Any] = headers
    if callable(getattr(headers, "items", None)):
        items = headers.items()
    if isinstance(items, str | bytes) or not hasattr(items, "__iter__"):
        raise _no_headers(headers)
    return items


def _no_headers(headers: object) -> ArgumentError:
    return ArgumentError(
        "headers: must be a mapping, a WSGI environ, or pairs of names and values, not"
        f" {type(headers).__name__}",
        argument="headers",
    )


def _text(value: object) -> str:
    """A name or a value as text; empty for the objects that a WSGI environ also contains."""
    if isinstance(value, bytes):
        # Latin-1 maps each byte to one character, so nothing is lost.
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    return ""
