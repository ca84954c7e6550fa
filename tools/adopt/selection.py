"""Finds operations in published documents, by name or by a text in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generate.document import Operation

from .errors import AdoptionError
from .published import PublishedDocument

_SHOWN_SUGGESTIONS = 10


@dataclass(frozen=True)
class PublishedOperation:
    """An operation and the document that describes it."""

    published: PublishedDocument
    operation: Operation

    @property
    def name(self) -> str:
        """The operationId; method and path for an operation without one."""
        return str(self.operation.node.get("operationId") or self.operation.label)

    @property
    def summary(self) -> str:
        """The first line of what it does."""
        text = str(self.operation.node.get("summary") or "").strip()
        return text.partition("\n")[0]


def published_operations(documents: Sequence[PublishedDocument]) -> Iterator[PublishedOperation]:
    """All operations of some documents."""
    for published in documents:
        for operation in published.document.operations():
            yield PublishedOperation(published, operation)


def matching_operations(
    documents: Sequence[PublishedDocument], text: str
) -> list[PublishedOperation]:
    """The operations whose name, path or summary contains a text; all for an empty one."""
    searched = text.lower()
    found: list[PublishedOperation] = []
    for item in published_operations(documents):
        texts = (item.name, item.operation.label, item.summary)
        if any(searched in candidate.lower() for candidate in texts):
            found.append(item)
    return found


def select_operation(documents: Sequence[PublishedDocument], name: str) -> PublishedOperation:
    """The operation of a name: `search-conversation`, `searchConversation`, or `GET /path`.

    Raises:
        AdoptionError: no operation has the name, or several have it.
    """
    found = [
        item
        for item in published_operations(documents)
        if name_key(name) in (name_key(item.name), name_key(item.operation.label))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        places = "\n".join(f"  {item.operation.label}  {item.published.source}" for item in found)
        raise AdoptionError(
            f"{name}: several operations have this name. Write method and path instead,"
            f" or name one document with FROM=…:\n{places}"
        )
    raise AdoptionError(f"{name}: there is no such operation.{_suggestions(documents, name)}")


def name_key(name: str) -> str:
    """What two spellings of a name have in common."""
    return re.sub(r"[^\w{}/]|_", "", name.lower())


def _suggestions(documents: Sequence[PublishedDocument], name: str) -> str:
    words = [word for word in re.split(r"[\W_]+", name.lower()) if word]
    found: list[str] = []
    for item in published_operations(documents):
        if any(word in item.name.lower() for word in words):
            found.append(item.name)
    if not found:
        return " List all with `make adopt LIST=all`."
    shown = ", ".join(found[:_SHOWN_SUGGESTIONS])
    return f" Similar ones: {shown}."
