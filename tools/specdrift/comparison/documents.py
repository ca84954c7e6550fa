"""Walks two documents side by side: paths, operations, parameters, bodies and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..model.document import Document, Files, Node, TooComplexError, is_mapping
from ..rules import Change, Place, event
from .schemas import SchemaComparison
from .security import compare_schemes, compare_security, security_of

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_UNSTABLE = ("draft", "alpha")
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


@dataclass(frozen=True)
class _Parameter:
    """A parameter of an operation."""

    node: Node
    place: str
    name: str
    shared: bool
    """Whether it is written at the path, for all its operations."""

    @property
    def need(self) -> str:
        return "required" if self.place == "path" else _need(self.node)

    @property
    def schema(self) -> Node:
        return _described(self.node)

    @property
    def style(self) -> str:
        media = next((name for name, _ in self.node.children("content")), None)
        if media is not None:
            return _media_type(media)
        style = self.node.get("style") or _STYLES.get(self.place, "")
        explode = self.node.get("explode")
        return f"{style}, {'exploded' if (style == 'form' if explode is None else explode) else 'not exploded'}"


def compare(
    base: Mapping[str, Any],
    revision: Mapping[str, Any],
    *,
    base_files: Files | None = None,
    revision_files: Files | None = None,
    within_base: bool = False,
) -> list[Change]:
    """What changed from one OpenAPI document to another, and what that means for those who call the API.

    Neither needs to be valid: what makes no sense is passed over, and a reference that leads nowhere equals another
    with the same text.

    Args:
        base: the older document, loaded.
        revision: the newer one.
        base_files: other files that the base refers to, loaded, by the path that leads there from it.
        revision_files: the same for the revision.
        within_base: whether to leave out the operations that the base does not have, and what concerns them alone.

    Raises:
        TooComplexError: it would take too long, or values are nested too deeply.
    """
    return changes(Document(base, base_files), Document(revision, revision_files), within_base)


def changes(base: Document, revision: Document, within_base: bool = False) -> list[Change]:
    """The same as `compare` does, of documents that are asked other things as well."""
    try:
        return list(_Walk(base, revision, within_base).changes())
    except (
        RecursionError
    ) as error:  # of a value that is where none belongs; schemas are gone through without recursion
        problem = "a value of the documents is nested too deeply to be compared: flatten it, or take it out"
        raise TooComplexError(problem) from error


class _Walk:
    """A comparison under way."""

    def __init__(self, base: Document, revision: Document, within_base: bool) -> None:
        self._base, self._revision, self._within_base = base, revision, within_base
        self._schemas = SchemaComparison()

    def changes(self) -> Iterator[Change]:
        old, new = _paths(self._base), _paths(self._revision)
        yield from self._of_document(old, new)
        for key in old if self._within_base else old | new:
            yield from self._of_path(old.get(key), new.get(key))

    def _of_document(
        self, old: dict[str, tuple[str, Node]], new: dict[str, tuple[str, Node]]
    ) -> Iterator[Change]:
        roots = (self._base.root, self._revision.root)
        operations = [
            {
                (key, method): node
                for key, (_, path) in paths.items()
                for method, node in _operations(path)
            }
            for paths in (old, new)
        ]
        names: set[str] | None = None
        if self._within_base:
            operations[1] = {
                key: node for key, node in operations[1].items() if key in operations[0]
            }
            nodes = [node for each in operations for node in each.values()]
            secured = [security_of(node) or security_of(node.document.root) for node in nodes]
            names = {name for found in secured if found for name in found.schemes}
        yield from compare_schemes(self._base, self._revision, names)
        # Where no operation goes by it in both documents, it is told of those that go by it in one.
        inherits = [
            {key for key, node in each.items() if security_of(node) is None} for each in operations
        ]
        if inherits[0] & inherits[1] or not (operations[0] or operations[1]):
            securities = (security_of(roots[0]), security_of(roots[1]))
            yield from compare_security(securities, Place(), "api-global-security", roots)

    def _of_path(
        self, old: tuple[str, Node] | None, new: tuple[str, Node] | None
    ) -> Iterator[Change]:
        before, after = (
            dict(_operations(path[1])) if path else dict[str, Node]() for path in (old, new)
        )
        for method in before if self._within_base and old else before | after:
            if old and method not in after:
                node = before[method]
                what, how = (
                    "api" if new else "api-path",
                    "with" if _is_deprecated(node) else "without",
                )
                yield _place(method, old[0], node).change(
                    f"{what}-removed-{how}-deprecation", node.location, ""
                )
            elif new and method not in before:
                node = after[method]
                yield _place(method, new[0], node).change("endpoint-added", "", node.location)
            elif old and new:
                yield from self._of_operation(method, old, new, before[method], after[method])

    def _of_operation(
        self, method: str, old: tuple[str, Node], new: tuple[str, Node], before: Node, after: Node
    ) -> Iterator[Change]:
        place = _place(method, old[0], before)
        where = (before.location, after.location)
        if _is_deprecated(before) != _is_deprecated(after):
            yield place.change(
                f"endpoint-{'deprecated' if _is_deprecated(after) else 'reactivated'}", *where
            )
        names = (before.get("operationId"), after.get("operationId"))
        if names[0] != names[1]:
            yield place.change(
                f"api-operation-id-{'removed' if names[0] else 'added'}", *where, *names
            )
        own = (security_of(before), security_of(after))
        if any(own):
            effective = (
                own[0] or security_of(self._base.root),
                own[1] or security_of(self._revision.root),
            )
            yield from compare_security(effective, place, "api-security", (before, after))
        request = replace(place, direction="request")
        yield from self._of_parameters(_parameters(old, before), _parameters(new, after), request)
        yield from self._of_request_body(
            before, after, replace(request, kind="body", name="the request body")
        )
        yield from self._of_responses(before, after, replace(place, direction="response"))

    def _of_parameters(
        self, old: dict[str, _Parameter], new: dict[str, _Parameter], place: Place
    ) -> Iterator[Change]:
        for key in old | new:
            parameter = old.get(key) or new[key]
            name = f"the {parameter.place} parameter {parameter.name}"
            named = replace(place, kind="parameter", name=name, loose=True)
            if key not in new:
                deprecated = _is_deprecated(parameter.node)
                rule = "request-parameter-removed-with-deprecation" if deprecated else "*-removed"
                yield named.change(rule, parameter.node.location, "", name=parameter.name)
            elif key in old:
                yield from self._of_parameter(parameter, new[key], named)
            else:
                rule = f"new-{parameter.need}-*"
                if parameter.place == "path":
                    rule = "new-request-path-parameter"
                elif parameter.shared:
                    rule = f"new-{parameter.need}-request-default-parameter-to-existing-path"
                yield named.change(rule, "", parameter.node.location, name=parameter.name)

    def _of_parameter(self, old: _Parameter, new: _Parameter, place: Place) -> Iterator[Change]:
        where = (old.node.location, new.node.location)
        if old.need != new.need:
            yield place.change(f"*-became-{new.need}", *where)
        if _is_deprecated(old.node) != _is_deprecated(new.node):
            yield place.change(
                "*-deprecated" if _is_deprecated(new.node) else "*-reactivated", *where
            )
        content = "/" in old.style or "/" in new.style
        if old.style != new.style and (
            content or (self._is_compound(old, 0) and self._is_compound(new, 1))
        ):
            yield place.change("request-parameter-style-changed", *where, old.style, new.style)
        yield from self._schemas.changes(
            old.schema, new.schema, replace(place, exploded=new.style == "form, exploded")
        )

    def _is_compound(self, parameter: _Parameter, side: int) -> bool:
        """Whether style matters: that of a single value is the same in all but a path."""
        types = self._schemas.schema((parameter.schema,), side).types
        return parameter.place == "path" or not types or bool(types & {"array", "object"})

    def _of_request_body(self, before: Node, after: Node, place: Place) -> Iterator[Change]:
        old, new = before.child("requestBody").resolved(), after.child("requestBody").resolved()
        if not is_mapping(old.value) or not is_mapping(new.value):
            if is_mapping(new.value):
                yield place.change(f"request-body-added-{_need(new)}", "", new.location)
            elif is_mapping(old.value):
                yield place.change("request-body-removed", old.location, "")
            return
        if _need(old) != _need(new):
            yield place.change(f"*-became-{_need(new)}", old.location, new.location)
        yield from self._of_content(old, new, place, "request-body-media-type")

    def _of_responses(self, before: Node, after: Node, place: Place) -> Iterator[Change]:
        old, new = (
            {status.upper(): node.resolved() for status, node in operation.children("responses")}
            for operation in (before, after)
        )
        for status in old | new:
            if status not in new:
                yield place.change(
                    f"response-{_outcome(status)}-removed", old[status].location, "", name=status
                )
            elif status not in old:
                yield place.change(
                    f"response-{_outcome(status)}-added", "", new[status].location, name=status
                )
            else:
                named = replace(place, kind="body", name=f"the response {status}")
                yield from self._of_headers(
                    old[status], new[status], replace(place, kind="header"), status
                )
                yield from self._of_content(old[status], new[status], named, "response-media-type")

    def _of_headers(self, before: Node, after: Node, place: Place, status: str) -> Iterator[Change]:
        old, new = (
            {name.lower(): header.resolved() for name, header in node.children("headers")}
            for node in (before, after)
        )
        for name in old | new:
            named = replace(place, name=f"the header {name} of the response {status}", loose=True)
            if name not in new:
                yield named.change(
                    f"{_need(old[name])}-response-header-removed", old[name].location, ""
                )
            elif name not in old:
                yield named.change("response-header-added", "", new[name].location)
            else:
                if _need(old[name]) != (need := _need(new[name])):
                    yield named.change(f"*-became-{need}", old[name].location, new[name].location)
                yield from self._schemas.changes(
                    _described(old[name]), _described(new[name]), named
                )

    def _of_content(self, before: Node, after: Node, place: Place, prefix: str) -> Iterator[Change]:
        """What changed in the media types of a body, and in their schemas."""
        old, new = (
            {_media_type(name): media for name, media in node.children("content")}
            for node in (before, after)
        )
        pairs = [(name, name) for name in old if name in new]
        come = [name for name in new if name not in old]
        for name in (name for name in old if name not in new):
            other = next((other for other in come if _relation(name, other)), None)
            wider = next((other for other in new if _holds(other, name)), None)
            if (
                place.direction == "request" and other is None and wider is not None
            ):  # it may still be sent
                pairs.append((name, wider))
            elif other is None or (
                place.direction == "request" and _relation(name, other) != "generalized"
            ):
                yield place.change(
                    f"{prefix}-removed", old[name].location, after.location, name=name
                )
            else:
                come.remove(other)
                pairs.append((name, other))
                where = (old[name].location, new[other].location)
                if place.direction == "request":
                    yield place.change(f"{prefix}-added", *where, name=other)
                else:
                    yield place.change(
                        f"{prefix}-name-{_relation(name, other)}", *where, name, other
                    )
        for name in come:
            yield place.change(f"{prefix}-added", before.location, new[name].location, name=name)
        for name, other in pairs:
            yield from self._of_media(
                old[name], new[other], replace(place, loose=not _is_json(other))
            )

    def _of_media(self, old: Node, new: Node, place: Place) -> Iterator[Change]:
        schemas = (old.child("schema"), new.child("schema"))
        described = [schema.value is not None for schema in schemas]
        if all(described):
            yield from self._schemas.changes(*schemas, place)
        elif any(described):
            yield place.change(
                f"*-media-type-schema-{event(*described)}", old.location, new.location
            )


def _paths(document: Document) -> dict[str, tuple[str, Node]]:
    """The paths by what identifies them: the template, whatever its parameters are called."""
    found: dict[str, tuple[str, Node]] = {}
    for name, node in document.root.children("paths"):
        key = re.sub(r"\{[^{}]*\}", "{}", name)
        found[name if key in found else key] = (name, node.resolved())
    return found


def _operations(path: Node) -> Iterator[tuple[str, Node]]:
    return (
        (method, path.child(method)) for method in METHODS if is_mapping(path.child(method).value)
    )


def _place(method: str, path: str, operation: Node) -> Place:
    return Place(
        f"{method.upper()} {path}", unstable=operation.get("x-stability-level") in _UNSTABLE
    )


def _parameters(path: tuple[str, Node], operation: Node) -> dict[str, _Parameter]:
    """The parameters of an operation by what identifies them, and those of its path, unless it has its own.

    A path parameter is identified by its place in the path.
    """
    places: list[str] = re.findall(r"\{([^{}]*)\}", path[0])
    found: dict[str, _Parameter] = {}
    for owner, shared in ((path[1], True), (operation, False)):
        for _, written in owner.children("parameters"):
            node = written.resolved()
            name, place = str(node.get("name") or written.reference), str(node.get("in"))
            known = name.lower() if place == "header" else name
            if place == "path" and name in places:
                known = str(places.index(name))
            found[f"{place} {known}"] = _Parameter(node, place, name, shared)
    return found


def _described(node: Node) -> Node:
    """The schema of a parameter or a header, which may have a media type."""
    content = next((media for _, media in node.children("content")), None)
    return (content or node).child("schema")


def _is_deprecated(node: Node) -> bool:
    return node.get("deprecated") is True


def _need(node: Node) -> str:
    return "required" if node.get("required") is True else "optional"


def _outcome(status: str) -> str:
    return "success-status" if status.startswith("2") else "non-success-status"


def _media_type(name: str) -> str:
    """A media type in one way of writing: in lower case, its parameters sorted."""
    kind, *parameters = (part.strip().lower() for part in name.split(";"))
    return "; ".join([kind, *sorted(filter(None, parameters))])


def _is_json(name: str) -> bool:
    kind = name.partition(";")[0]
    return kind == "application/json" or kind.endswith("+json")


def _relation(old: str, new: str) -> str:
    """How one media type became another that is akin to it; empty where they are not."""
    if _holds(new, old):
        return "generalized"
    if _holds(old, new):
        return "specialized"
    return "changed" if old.partition(";")[0] == new.partition(";")[0] else ""


def _holds(wide: str, narrow: str) -> bool:
    """Whether all that is of one media type is of another as well."""
    (outer, _, outer_parameters), (inner, _, inner_parameters) = (
        wide.partition("; "),
        narrow.partition("; "),
    )
    if not set(filter(None, outer_parameters.split("; "))) <= set(inner_parameters.split("; ")):
        return False
    family, _, kind = outer.partition("/")
    akin = inner.startswith(f"{family}/") and (kind == "*" or inner.endswith(f"+{kind}"))
    return outer in (inner, "*/*") or akin
