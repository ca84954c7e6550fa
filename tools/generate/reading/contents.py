"""Chooses one of several content types, where a client can use only one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..document import Document, Node, Operation, SpecError, is_mapping
from ..media_types import FORM, MULTIPART, essence, is_binary, is_file, is_form, is_json, is_text
from ..shapes import alternatives, parts, types_of
from ..unsupported.bodies import BODY_RULES

_RANGES = frozenset({"*/*", "application/*"})
_JSON = "application/json"


def choose_contents(document: Document) -> None:
    """Leave the content types that the client sends and reads, in place, with remarks."""
    visited: set[str] = set()
    try:
        for operation in document.operations():
            body = document.resolve(operation.node.child("requestBody"))
            if body.pointer not in visited:
                visited.add(body.pointer)
                write_ranges_as_json(document, body)
                choose_request_contents(document, operation, body)
            for _, reference in operation.node.child("responses").entries():
                response = document.resolve(reference)
                if response.pointer not in visited:
                    visited.add(response.pointer)
                    write_ranges_as_json(document, response)
                    choose_response_content(document, response)
                    read_structures_as_text(document, response)
    except SpecError:
        # `check` reports a broken reference, and a malformed operation.
        return


def write_ranges_as_json(document: Document, owner: Node) -> None:
    """Write a range of types with a structure as JSON. Some frameworks write `*/*` for it."""
    content = owner.child("content")
    for media_type, child in list(content.entries()):
        if media_type not in _RANGES or _JSON in content.mapping:
            continue
        if _has_structure(document, child.child("schema")):
            document.remark(child.pointer, f"{media_type} with a structure is read as {_JSON}")
            content.mapping[_JSON] = content.mapping.pop(media_type)


def choose_response_content(document: Document, response: Node) -> None:
    """Keep one content type of a response: JSON, or else the first one."""
    content = response.child("content")
    if len(content.mapping) < 2:
        return
    chosen = _json_type(content) or next(iter(content.mapping))
    for media_type, child in list(content.entries()):
        if media_type != chosen:
            document.remark(child.pointer, f"{media_type} is not read beside {chosen}")
            del content.mapping[media_type]


def read_structures_as_text(document: Document, response: Node) -> None:
    """Describe a structure that is not JSON, such as XML, as the text or file that it is."""
    for media_type, child in response.child("content").entries():
        if is_json(media_type) or is_form(media_type) or not is_mapping(child.value):
            continue
        if _types(document, child.child("schema")) <= {"string"}:
            continue
        kind = "bytes" if is_file(media_type) else "a text"
        document.remark(child.pointer, f"{media_type} is read as {kind}, without its structure")
        child.mapping["schema"] = {"type": "string"}
        if is_file(media_type):
            child.mapping["schema"]["format"] = "binary"


def choose_request_contents(document: Document, operation: Operation, body: Node) -> None:
    """Keep JSON, and the other content types that an argument of another class selects.

    The class of the argument says what is sent. So each content type needs a class of its own.
    """
    content = body.child("content")
    if len(content.mapping) < 2:
        return
    types = list(content.mapping)
    chosen = _json_type(content) or _form_type(document, content) or types[0]
    unsupported = list(_unsupported_pointers(document, operation))
    kept = [_class_of(document, chosen, content.child(chosen, "schema"))]
    for media_type, child in list(content.entries()):
        if media_type == chosen:
            continue
        argument_class = _class_of(document, media_type, child.child("schema"))
        is_supported = not any(_is_within(pointer, child.pointer) for pointer in unsupported)
        if is_supported and "" not in kept and argument_class not in ["", *kept]:
            kept.append(argument_class)
            continue
        document.remark(child.pointer, f"{media_type} is not sent: the client sends {chosen}")
        del content.mapping[media_type]


def _class_of(document: Document, media_type: str, schema: Node) -> str:
    """Identifies the class of the argument for a body; empty if it is no single class."""
    target = document.resolve(schema)
    types = _types(document, target)
    if is_json(media_type) or is_form(media_type):
        if not target.mapping.keys().isdisjoint({"anyOf", "oneOf"}):
            return ""
        if types == frozenset({"object"}):
            return json.dumps(target.value, sort_keys=True, default=str)
        return "text" if types == frozenset({"string"}) else ""
    if not types <= {"string"}:
        return ""
    return "text" if is_text(media_type) else "file"


def _unsupported_pointers(document: Document, operation: Operation) -> Iterator[str]:
    for rule in BODY_RULES:
        for error in rule(document, operation):
            yield error.pointer


def _is_within(pointer: str, ancestor: str) -> bool:
    return pointer == ancestor or pointer.startswith(f"{ancestor}/")


def _json_type(content: Node) -> str | None:
    """The type of the JSON body; `None` without one."""
    types = [media_type for media_type in content.mapping if is_json(media_type)]
    exact_types = [media_type for media_type in types if essence(media_type) == _JSON]
    return next(iter([*exact_types, *types]), None)


def _form_type(document: Document, content: Node) -> str | None:
    """The type of the form; `None` without one. Only multipart can have a file."""
    types = {essence(name): name for name in content.mapping if is_form(name)}
    if MULTIPART in types:
        schema = content.child(types[MULTIPART], "schema")
        if any(is_binary(document.resolve(part)) for part in parts(document, schema)):
            return types[MULTIPART]
    return types.get(FORM) or types.get(MULTIPART)


def _has_structure(document: Document, schema: Node) -> bool:
    return not _types(document, schema).isdisjoint({"array", "object"})


def _types(document: Document, schema: Node) -> frozenset[str]:
    names: set[str] = set()
    for alternative in alternatives(document, schema):
        names |= types_of(alternative)
    return frozenset(names)
