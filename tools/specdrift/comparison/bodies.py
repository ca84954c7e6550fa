"""Compares request bodies, and the media types of requests and responses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..model.document import Node, is_mapping
from ..rules import Change, Direction
from .context import Context, Pointers
from .differences import action_between
from .elements import requirement
from .media_types import contains, is_written_as_text, normalized_media_type, relation
from .schemas.comparison import SchemaComparison


def compare_request_bodies(
    base_operation: Node, revised_operation: Node, context: Context, schemas: SchemaComparison
) -> Iterator[Change]:
    """Yield the changes of the request body of an operation."""
    base = base_operation.child("requestBody").resolved()
    revised = revised_operation.child("requestBody").resolved()
    has_base = _is_body(base)
    has_revised = _is_body(revised)
    is_sent = context.direction == Direction.REQUEST
    if not has_base and not has_revised:
        return
    if not has_base:
        rule_id = f"request-body-added-{requirement(revised)}" if is_sent else "response-body-added"
        yield context.change(rule_id, Pointers.of_added(revised, base_operation))
        return
    if not has_revised:
        pointers = Pointers.of_removed(base, revised_operation)
        rule_id = "request-body-removed" if is_sent else "response-body-removed"
        yield context.change(rule_id, pointers)
        return
    if requirement(base) != requirement(revised):
        yield context.change(f"*-became-{requirement(revised)}", Pointers.to_both(base, revised))
    yield from compare_content(base, revised, context, schemas)


def compare_content(
    base: Node, revised: Node, context: Context, schemas: SchemaComparison
) -> Iterator[Change]:
    """Yield the changes of the media types of a body, and of their schemas."""
    base_content = _content(base)
    revised_content = _content(revised)
    matches = _match_media_types(list(base_content), list(revised_content), context.direction)
    prefix = _id_prefix(context)
    for name in base_content:
        if name in matches.removed:
            pointers = Pointers.to_both(base_content[name], revised)
            yield context.change(f"{prefix}-removed", pointers, name=name)
        elif name in matches.renamed:
            revised_name = matches.renamed[name]
            pointers = Pointers.to_both(base_content[name], revised_content[revised_name])
            yield _renamed_media_type(name, revised_name, context, pointers)
    for name in matches.added:
        pointers = Pointers.to_both(base, revised_content[name])
        yield context.change(f"{prefix}-added", pointers, name=name)

    for name, revised_name in matches.counterparts.items():
        media_context = replace(context, is_written_as_text=is_written_as_text(revised_name))
        yield from _compare_media(
            base_content[name],
            revised_content[revised_name],
            revised_name,
            media_context,
            schemas,
        )


@dataclass
class _MediaTypeMatches:
    """How the media types of two bodies correspond; complete when the matching is done."""

    counterparts: dict[str, str]
    """The media type of the revision whose schema is compared, by that of the base."""
    added: list[str]
    removed: set[str] = field(default_factory=set[str])
    renamed: dict[str, str] = field(default_factory=dict[str, str])
    """Related media types: that of the revision by that of the base."""


def _match_media_types(
    base_names: list[str], revised_names: list[str], direction: Direction
) -> _MediaTypeMatches:
    matches = _MediaTypeMatches(
        counterparts={name: name for name in base_names if name in revised_names},
        added=[name for name in revised_names if not _has_name(name, base_names)],
    )
    for name in base_names:
        if name in revised_names:
            continue
        if _has_name(name, revised_names):
            matches.counterparts[name] = normalized_media_type(name)
        else:
            _match_missing_media_type(name, revised_names, direction, matches)
    return matches


def _has_name(name: str, names: list[str]) -> bool:
    """Whether a media type is among others, possibly written differently."""
    return name in names or normalized_media_type(name) in names


def _match_missing_media_type(
    name: str, revised_names: list[str], direction: Direction, matches: _MediaTypeMatches
) -> None:
    """Find what became of a media type of the base that the revision does not have."""
    related_name = next((added for added in matches.added if relation(name, added)), None)
    if direction == Direction.REQUEST:
        if related_name is None:
            wider_name = next((other for other in revised_names if contains(other, name)), None)
            # A wider type that both documents have still accepts the requests.
            if wider_name is not None:
                matches.counterparts[name] = wider_name
                return
        elif relation(name, related_name) != "generalized":
            # A type that is not wider rejects requests that used to be valid.
            related_name = None
    # A related type without a counterpart in the base is the old type under another name.
    if related_name is None:
        matches.removed.add(name)
        return
    matches.added.remove(related_name)
    matches.renamed[name] = related_name
    matches.counterparts[name] = related_name


def _id_prefix(context: Context) -> str:
    if context.direction == Direction.REQUEST:
        return "request-body-media-type"
    return "response-media-type"


def _renamed_media_type(
    name: str, revised_name: str, context: Context, pointers: Pointers
) -> Change:
    if context.direction == Direction.REQUEST:
        return context.change(f"{_id_prefix(context)}-added", pointers, name=revised_name)
    rule_id = f"{_id_prefix(context)}-name-{relation(name, revised_name)}"
    return context.change(rule_id, pointers, old=name, new=revised_name)


def _compare_media(
    base: Node, revised: Node, media_type: str, context: Context, schemas: SchemaComparison
) -> Iterator[Change]:
    if _has_encoding(media_type):
        yield from _compare_encodings(base, revised, context)
    base_schema = base.child("schema")
    revised_schema = revised.child("schema")
    has_base_schema = base_schema.value is not None
    has_revised_schema = revised_schema.value is not None
    if has_base_schema and has_revised_schema:
        yield from schemas.changes(base_schema, revised_schema, context)
    elif has_base_schema or has_revised_schema:
        action = action_between(has_base_schema, has_revised_schema)
        yield context.change(f"*-media-type-schema-{action}", Pointers.to_both(base, revised))


def _has_encoding(media_type: str) -> bool:
    """Whether `encoding` applies to a media type (OpenAPI 3.1, "Media Type Object")."""
    return media_type.startswith(("multipart/", "application/x-www-form-urlencoded"))


def _compare_encodings(base: Node, revised: Node, context: Context) -> Iterator[Change]:
    """Compare how the properties of a form are written."""
    base_encodings = dict(base.members("encoding"))
    revised_encodings = dict(revised.members("encoding"))
    pointers = Pointers.to_both(base, revised)
    for name in base_encodings | revised_encodings:
        base_encoding = _encoding(base_encodings.get(name))
        revised_encoding = _encoding(revised_encodings.get(name))
        if base_encoding != revised_encoding:
            yield context.change(
                "*-encoding-changed",
                pointers,
                old=base_encoding,
                new=revised_encoding,
                name=name,
            )


def _encoding(node: Node | None) -> str:
    """An encoding in one line, with its defaults (OpenAPI 3.1, "Encoding Object")."""
    if node is None:
        return "form, exploded"
    style = str(node.get("style") or "form")
    explode = node.get("explode")
    # Only the style `form` is exploded by default.
    if explode is None:
        explode = style == "form"
    parts = [style, "exploded" if explode else "not exploded"]
    if node.get("contentType"):
        media_types = str(node.get("contentType")).split(",")
        parts += sorted(normalized_media_type(media_type) for media_type in media_types)
    if node.get("allowReserved") is True:
        parts.append("reserved characters allowed")
    return ", ".join(parts)


def _is_body(node: Node) -> bool:
    if not is_mapping(node.value):
        node.skip_unless_empty("is not a request body")
        return False
    return True


def _content(body: Node) -> dict[str, Node]:
    """The media types of a body by normalized name.

    If two names mean the same, the second keeps its parameters.
    """
    content = dict[str, Node]()
    # Sorted, because two names can mean the same: the result must not depend on their order.
    for name, media in sorted(body.members("content"), key=_name_of):
        normalized_name = normalized_media_type(name)
        if normalized_name in content:
            normalized_name = name.lower()
        content[normalized_name] = media
        if not is_mapping(media.value):
            media.skip_unless_empty("is not a media type")
    return content


def _name_of(named_node: tuple[str, Node]) -> str:
    return named_node[0]
