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
"""Headers: a mapping, a WSGI environ, or pairs, such as the `headers` of an ASGI scope.

An iterable of pairs is iterated once, so it may be a generator.
"""


def signature_of(headers: Headers) -> str:
    """The value of the signature header.

    Raises:
        ArgumentError: `headers` has no supported form.
        WebhookSignatureError: there is no signature, or there are different ones.
    """
    pairs = list(_pairs(headers))
    signatures = _values(pairs, WEBHOOK_SIGNATURE_HEADER) - {"", WEBHOOK_NO_SIGNATURE}
    if not signatures:
        raise WebhookSignatureError(_explain_missing(pairs), reason="missing")
    if len(signatures) > 1:
        raise WebhookSignatureError(
            f"the request has several headers {WEBHOOK_SIGNATURE_HEADER} with different values:"
            " reject it",
            reason="malformed",
        )
    return signatures.pop()


def _explain_missing(pairs: list[tuple[str, str]]) -> str:
    message = f"the request has no header {WEBHOOK_SIGNATURE_HEADER}"
    if _values(pairs, WEBHOOK_LEGACY_HEADER):
        return f"{message}: it has only the vendor's earlier signature, which is not supported"
    return f"{message}: it is no event of the API, or the header was removed on its way"


def _values(pairs: list[tuple[str, str]], lower_case_name: str) -> set[str]:
    """The different values of a header."""
    # RFC 3875, section 4.1.18: how CGI, and so WSGI, names a header.
    environ_name = f"http_{lower_case_name.replace('-', '_')}"
    names = {lower_case_name, environ_name}
    return {value for name, value in pairs if name.lower() in names}


def _pairs(headers: Headers) -> Iterator[tuple[str, str]]:
    """The names and values of all headers as texts.

    Raises:
        ArgumentError: `headers` has no supported form.
    """
    for pair in _items(headers):
        try:
            name, value = pair
        except (TypeError, ValueError):
            raise _unsupported(headers) from None
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
        raise _unsupported(headers)
    return items


def _unsupported(headers: object) -> ArgumentError:
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
