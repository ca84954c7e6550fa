"""Compares the parameters of an operation."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..model.document import Node, is_mapping
from ..model.schema import Schema
from ..rules import Change, Direction
from .context import Context, Pointers
from .elements import (
    deprecation_action,
    first_media_type,
    has_text_values,
    is_deprecated,
    requirement,
    schema_of,
)
from .lifecycle import (
    Schedule,
    compare_parameter_deprecation,
    parameter_removal_rule_id,
    sunset_of,
)
from .media_types import normalized_media_type
from .schemas.comparison import SchemaComparison

_DEFAULT_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
"""Source: OpenAPI 3.1, "Parameter Object", field `style`."""

_IGNORED_HEADERS = frozenset({"accept", "authorization", "content-type"})
"""Source: OpenAPI 3.1, "Parameter Object", field `name`."""

IGNORED_PARAMETER = "OpenAPI ignores header parameters named Accept, Authorization or Content-Type"
"""The reason why such a parameter is skipped."""

_EXPLODED_FORM = "form, exploded"


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation."""

    node: Node
    location: str
    """The value of `in`."""
    name: str
    is_shared: bool
    """Whether the path declares it, for all its operations."""

    @property
    def requirement(self) -> str:
        """`required` or `optional`. Path parameters are always required."""
        return "required" if self.location == "path" else requirement(self.node)

    @property
    def is_ignored(self) -> bool:
        """Whether OpenAPI ignores the parameter."""
        return self.location == "header" and self.name.lower() in _IGNORED_HEADERS

    @property
    def is_deprecated(self) -> bool:
        """Whether the parameter is deprecated."""
        return is_deprecated(self.node)

    @property
    def schema(self) -> Node:
        """The schema of the parameter or of its media type."""
        return schema_of(self.node)

    @property
    def has_media_type(self) -> bool:
        """Whether the value is written in a media type such as JSON, instead of in a style."""
        return first_media_type(self.node) is not None

    @property
    def style(self) -> str:
        """How the value is written: the media type, or the style and whether lists are exploded."""
        media_type = first_media_type(self.node)
        if media_type is not None:
            return normalized_media_type(media_type)
        style = self.node.get("style") or _DEFAULT_STYLES.get(self.location, "")
        explode = self.node.get("explode")
        # Only the style `form` is exploded by default (OpenAPI 3.1, "Parameter Object").
        if explode is None:
            explode = style == "form"
        return f"{style}, exploded" if explode else f"{style}, not exploded"


def parameters_of(template: str, path: Node, operation: Node) -> dict[str, Parameter]:
    """Return the parameters of an operation by what identifies them in both documents.

    A parameter of the operation replaces that of the path with the same identity.
    """
    template_names: list[str] = re.findall(r"\{([^{}]*)\}", template)
    parameters = dict[str, Parameter]()
    for owner in (path, operation):
        for written_node in owner.elements("parameters"):
            node = written_node.resolved()
            if not is_mapping(node.value):
                node.skip_unless_empty("is not a parameter")
            parameter = Parameter(
                node=node,
                location=str(node.get("in")),
                name=str(node.get("name") or written_node.reference),
                is_shared=owner is path,
            )
            if parameter.is_ignored:
                node.document.skipped[node.location] = IGNORED_PARAMETER
                continue
            for identity in _identities(parameter, template_names):
                parameters[identity] = parameter
    return parameters


def compare_parameters(
    base: dict[str, Parameter],
    revised: dict[str, Parameter],
    context: Context,
    schemas: SchemaComparison,
    *,
    schedule: Schedule,
    base_list: Node,
    revised_list: Node,
) -> Iterator[Change]:
    """Yield the changes of the parameters, by their identity.

    Args:
        base: The parameters in the base.
        revised: The parameters in the revision.
        context: The place of the operation.
        schemas: Compares the schemas of the parameters.
        schedule: What the sunsets of the parameters have to satisfy.
        base_list: The parameter list of the operation in the base, which may not exist.
        revised_list: That in the revision.
    """
    compared_pairs = set[tuple[Node | None, Node | None]]()
    for identity in base | revised:
        pair = (_node_of(base.get(identity)), _node_of(revised.get(identity)))
        if pair in compared_pairs:
            continue
        compared_pairs.add(pair)
        parameter = base.get(identity) or revised[identity]
        parameter_context = replace(
            context,
            name=f"the {parameter.location} parameter {parameter.name}",
            is_written_as_text=has_text_values(parameter.node),
            is_header_parameter=parameter.location == "header",
        )
        if identity not in revised:
            yield _removed_parameter(parameter, parameter_context, revised_list, schedule.today)
        elif identity not in base:
            yield _added_parameter(parameter, parameter_context, base_list)
        else:
            revised_parameter = revised[identity]
            yield from _compare_deprecation(
                parameter, revised_parameter, parameter_context, schedule
            )
            yield from _compare_parameter(parameter, revised_parameter, parameter_context, schemas)


def _node_of(parameter: Parameter | None) -> Node | None:
    return None if parameter is None else parameter.node


def _identities(parameter: Parameter, template_names: list[str]) -> list[str]:
    """The identity of a parameter: its location and name.

    Names of headers ignore case. A path parameter is identified by its position in the template,
    because its name is not part of the request. A template can contain a name more than once.
    """
    name = parameter.name
    if parameter.location == "header":
        name = name.lower()
    if parameter.location == "path" and name in template_names:
        return [
            f"path {index}"
            for index, template_name in enumerate(template_names)
            if template_name == name
        ]
    return [f"{parameter.location} {name}"]


def _removed_parameter(
    parameter: Parameter, context: Context, container: Node, today: datetime.date | None
) -> Change:
    rule_id = parameter_removal_rule_id(parameter.node, today)
    if context.direction == Direction.RESPONSE:
        # The parameter of a callback.
        rule_id = f"{parameter.requirement}-response-parameter-removed"
    pointers = Pointers.of_removed(parameter.node, container)
    sunset = sunset_of(parameter.node) or ""
    return context.change(rule_id, pointers, name=parameter.name, old=sunset)


def _added_parameter(parameter: Parameter, context: Context, container: Node) -> Change:
    rule_id = f"new-{parameter.requirement}-*"
    # oasdiff has ids of their own for path parameters and for parameters of a whole path.
    if context.direction == Direction.RESPONSE:
        # The parameter of a callback.
        rule_id = "response-parameter-added"
    elif parameter.location == "path":
        rule_id = "new-request-path-parameter"
    elif parameter.is_shared:
        rule_id = f"new-{parameter.requirement}-request-default-parameter-to-existing-path"
    pointers = Pointers.of_added(parameter.node, container)
    return context.change(rule_id, pointers, name=parameter.name)


def _compare_deprecation(
    base: Parameter, revised: Parameter, context: Context, schedule: Schedule
) -> Iterator[Change]:
    if context.direction == Direction.REQUEST:
        yield from compare_parameter_deprecation(base.node, revised.node, context, schedule)
    # The parameter of a callback has no sunset.
    elif base.is_deprecated != revised.is_deprecated:
        action = deprecation_action(revised.is_deprecated)
        yield context.change(f"*-{action}", Pointers.to_both(base.node, revised.node))


def _compare_parameter(
    base: Parameter, revised: Parameter, context: Context, schemas: SchemaComparison
) -> Iterator[Change]:
    pointers = Pointers.to_both(base.node, revised.node)
    if base.requirement != revised.requirement:
        yield context.change(f"*-became-{revised.requirement}", pointers)
    if _is_written_differently(base, revised, schemas):
        yield context.change(
            "request-parameter-style-changed", pointers, old=base.style, new=revised.style
        )
    # A list that the revision writes as repeated values can accept the single value of the base.
    schema_context = replace(context, is_exploded=revised.style == _EXPLODED_FORM)
    yield from schemas.changes(base.schema, revised.schema, schema_context)


def _is_written_differently(base: Parameter, revised: Parameter, schemas: SchemaComparison) -> bool:
    if base.style == revised.style:
        return False
    if base.has_media_type or revised.has_media_type:
        return True
    base_schema = schemas.read_base(base.schema)
    revised_schema = schemas.read_revised(revised.schema)
    return _depends_on_style(base, base_schema) and _depends_on_style(revised, revised_schema)


def _depends_on_style(parameter: Parameter, schema: Schema) -> bool:
    """Whether the style affects how a value is written.

    Outside a path, all styles write a single value alike.
    """
    if parameter.location == "path" or not schema.types:
        return True
    return bool(schema.types & {"array", "object"})
