"""Finds the texts in the body of an error that explain it, whatever the form of the body.

`ErrorVocabulary` has the property names. Its values belong to the API, so they are not here.

Only the places that the vocabulary names are searched. A body can also repeat the request, and
that is personal data.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

from .protocols import ErrorVocabulary
from .secrets import Secret, redact
from .text import MAXIMUM_QUOTED_CHARACTERS

MAXIMUM_EXPLANATIONS = 100
"""How many texts of one body are returned: our own bound.

NestJS sends one for each invalid property.
"""

MAXIMUM_CHARACTERS = 2_000
"""How many characters of one text are returned: our own bound."""

MAXIMUM_DEPTH = 64
"""How many levels of a body are searched: our own bound.

NestJS nests an error as deeply as the request.
"""

MAXIMUM_VALUES = 10_000
"""How many values of one body are searched: our own bound."""

_SEARCHED_MARKUP = 4_000
"""How many characters of a page are searched for text: our own bound.

Its title and heading come first.
"""

_MARKUP = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)


_PHRASES_OF_SEVERAL_RFCS: Mapping[int, frozenset[str]] = {
    408: frozenset({"request timeout", "request time-out"}),
    413: frozenset({"content too large", "payload too large", "request entity too large"}),
    414: frozenset({"uri too long", "request-uri too long", "request-uri too large"}),
    416: frozenset({"range not satisfiable", "requested range not satisfiable"}),
    422: frozenset({"unprocessable content", "unprocessable entity"}),
    504: frozenset({"gateway timeout", "gateway time-out"}),
}
"""The phrases of RFC 9110, 4918, 7231 and 2616 (sections 6.1.1 and 10) where they differ.

Python 3.13 changed its phrases of 413, 414, 416 and 422.
"""


def explanations_in_json(data: object, vocabulary: ErrorVocabulary, status_code: int) -> list[str]:
    """The explanatory texts of a JSON body, each once, in the order of the body.

    A text that only repeats the status, such as `Bad Request`, is left out if there is another.

    Args:
        data: the parsed body.
        vocabulary: the property names of the API's errors.
        status_code: the status of the response.
    """
    search = _Search(vocabulary)
    search.search_body(data)
    if not search.texts:
        search.collect_sentences(data)
    texts = list(search.texts)
    phrases = _reason_phrases(status_code)
    specific_texts = [text for text in texts if text.casefold() not in phrases]
    return specific_texts or texts


def explanations_in_text(text: str, secrets: Sequence[Secret[str]]) -> list[str]:
    """A short excerpt of a body that is no JSON, without markup; empty if it has no words.

    Broken JSON is no explanation. It could contain anything.

    Args:
        text: the body.
        secrets: the tokens of the requests, which are redacted. Removing markup can reveal them.
    """
    # Redacted before it is cut: a part of a token would not be recognised.
    content = redact(text, *secrets).strip().removeprefix("\ufeff")
    # Text in UTF-16 has NUL characters.
    if content.startswith(("{", "[", '"')) or "\x00" in content:
        return []
    if content.startswith("<"):
        # Its table of entities has half a MiB, and few errors have markup.
        import html  # noqa: PLC0415

        content = html.unescape(_MARKUP.sub(" ", content[:_SEARCHED_MARKUP]))
    content = redact(" ".join(content.split()), *secrets)
    excerpt = content[:MAXIMUM_QUOTED_CHARACTERS]
    if not _has_words(excerpt):
        return []
    return [excerpt]


class _Search:
    """One search through a JSON body. It stops at each of the limits above."""

    def __init__(self, vocabulary: ErrorVocabulary) -> None:
        self._vocabulary = vocabulary
        self._remaining_values = MAXIMUM_VALUES
        # A dict instead of a set keeps the order of the body.
        self.texts: dict[str, None] = {}

    def search_body(self, data: object) -> None:
        """Search the whole body: a text, a list of texts or objects, or an object."""
        items: list[object] = [data]
        if isinstance(data, list):
            items = cast("list[object]", data)
        for item in items:
            if isinstance(item, str):
                self._add(item)
            elif isinstance(item, dict):
                self._search_object(cast("dict[str, Any]", item), depth=1)

    def collect_sentences(self, data: object) -> None:
        """Collect the sentences of an object with unknown names, such as fields of the request.

        A text without a blank is a code or a value.
        """
        if not isinstance(data, dict):
            return
        for name, value in cast("dict[str, Any]", data).items():
            texts: list[object] = [value]
            if _is_list_of_texts(value):
                texts = value
            for text in texts:
                if not self._vocabulary.identifies(name) and _is_sentence(text):
                    self._collect_texts(text, depth=1)

    def _search_object(self, data: Mapping[str, object], depth: int) -> None:
        """Search an object for properties that explain, or that wrap such properties."""
        if not self._count_value(depth):
            return
        if _is_field_map(data):
            self._collect_from_fields(data, depth)
            return
        for name, value in data.items():
            if self._vocabulary.explains(name):
                self._collect_explanation(name, value, depth + 1)
            elif self._vocabulary.wraps(name):
                self._search_wrapper(value, depth + 1)

    def _search_wrapper(self, value: object, depth: int) -> None:
        """Search the value of a property such as `data`, in which texts explain nothing."""
        items: list[object] = [value]
        if isinstance(value, list):
            items = cast("list[object]", value)
        for item in items:
            if isinstance(item, dict):
                self._search_object(cast("dict[str, Any]", item), depth)

    def _collect_explanation(self, name: str, value: object, depth: int) -> None:
        """Collect the texts of a property that explains."""
        if self._vocabulary.maps_fields(name) and isinstance(value, dict):
            self._collect_from_fields(cast("dict[str, Any]", value), depth)
        else:
            self._collect_texts(value, depth)

    def _collect_texts(self, value: object, depth: int) -> None:
        """Collect a text, or the texts of a list or an object."""
        if not self._count_value(depth):
            return
        if isinstance(value, str):
            self._add(value)
        elif isinstance(value, list):
            for item in cast("list[object]", value):
                self._collect_texts(item, depth + 1)
        elif isinstance(value, dict):
            self._collect_from_object(cast("dict[str, Any]", value), depth)

    def _collect_from_object(self, data: Mapping[str, object], depth: int) -> None:
        if any(self._vocabulary.explains(name) for name in data):
            self._search_object(data, depth)
            return
        # An error has a code or a place beside its text. A map from fields to texts has only texts.
        texts = [value for value in data.values() if isinstance(value, str)]
        is_field_map = all(_is_sentence(text) for text in texts)
        for name, value in data.items():
            is_text_of_field = is_field_map and isinstance(value, str)
            if is_text_of_field or not self._vocabulary.identifies(name):
                self._collect_texts(value, depth + 1)

    def _collect_from_fields(self, data: Mapping[str, object], depth: int) -> None:
        """Collect the texts of an object whose names are fields or rules, such as `isString`."""
        is_one_error = any(
            isinstance(value, str) and self._vocabulary.explains(name)
            for name, value in data.items()
        )
        for name, value in data.items():
            # A field can have the name of an identifier. Only a field has a list of texts.
            is_field = _is_list_of_texts(value) or not is_one_error
            if is_field or not self._vocabulary.identifies(name):
                self._collect_texts(value, depth + 1)

    def _add(self, text: str) -> None:
        content = text.strip()[:MAXIMUM_CHARACTERS]
        if _has_words(content) and len(self.texts) < MAXIMUM_EXPLANATIONS:
            self.texts[content] = None

    def _count_value(self, depth: int) -> bool:
        """Count a value; return whether it is within the limits, so that it is searched."""
        self._remaining_values -= 1
        return depth <= MAXIMUM_DEPTH and self._remaining_values >= 0


def _is_field_map(data: Mapping[str, object]) -> bool:
    """Whether each value is a list of texts, as in Django's `{"email": ["is not valid"]}`."""
    return bool(data) and all(_is_list_of_texts(value) for value in data.values())


def _is_list_of_texts(value: object) -> bool:
    if not isinstance(value, list):
        return False
    items = cast("list[object]", value)
    return bool(items) and all(isinstance(item, str) for item in items)


def _is_sentence(value: object) -> bool:
    """Whether a value is a text with a blank between words. Codes, names and ids have none."""
    return isinstance(value, str) and " " in value.strip()


def _has_words(text: str) -> bool:
    """Whether a text has a letter. A status code or a number explains nothing."""
    return any(character.isalpha() for character in text)


def _reason_phrases(status_code: int) -> frozenset[str]:
    """The standard phrases of a status, for comparison without case; empty if it has none."""
    if status_code in _PHRASES_OF_SEVERAL_RFCS:
        return _PHRASES_OF_SEVERAL_RFCS[status_code]
    try:
        return frozenset({HTTPStatus(status_code).phrase.casefold()})
    except ValueError:
        return frozenset()
