"""What the templates render and the contract records: each operation's arguments, bodies and answers, named for Python.

The generator decides types and names; this module only arranges them as keyword arguments of one method. Decisions are
made here rather than in the templates, where they could be neither typed nor tested.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.bodies import BodyType
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.responses import Response
from openapi_python_client.strings import PythonIdentifier, pascal_case, safe_for_docstring

from .document import Document, list_at, pointer
from .document import Operation as SpecOperation

_CLIENT_METHODS = frozenset({"close", "with_options"})
"""What the clients have beside their resources."""

_CONTENT = {
    "response.json()": "json",
    "response.text": "text",
    "response.content": "bytes",
    "None": "none",
}
_RESERVED = frozenset({"self"})
_RESERVED_CLASSES = frozenset(
    {
        "Any",
        "AsyncResources",
        "AsyncSession",
        "Mapping",
        "Operation",
        "Resources",
        "Session",
        "Unset",
    }
)
_DOC_WIDTH = 84


@dataclass(frozen=True)
class Argument:
    """One argument of a resource method."""

    python_name: str
    name: str
    """The name on the wire; empty for a whole body."""
    location: str
    """`path`, `query`, `header`, `cookie`, or `body`: a property of the body, or, without a name, the whole of it."""
    required: bool
    annotation: str
    conversion: str
    """The expression that turns what a caller may give into what the generated request builder takes."""
    documentation: str
    place: str
    default: str | None
    """The value that the session fills in: a required header's one allowed value."""
    role: str | None
    prop: PropertyProtocol

    @property
    def declaration(self) -> str:
        """How the argument stands in a signature."""
        return f"{self.python_name}: {self.annotation}" + ("" if self.required else " = UNSET")

    @property
    def built_annotation(self) -> str:
        """The type once the session has filled in the default."""
        return self.annotation if self.default is None else "str"


@dataclass(frozen=True)
class Answer:
    """One documented response."""

    status: str
    """`200`, `2XX` or `default`, as the spec writes it."""
    content: str
    """How the body is read: `json`, `text`, `bytes` or `none`."""
    annotation: str
    success: bool
    description: str
    place: str
    response: Response


@dataclass(frozen=True)
class OperationView:
    """One operation, arranged as a method."""

    operation_id: str
    name: str
    constant: str
    tag: str
    method: str
    path: str
    place: str
    arguments: tuple[Argument, ...]
    body_class: str | None
    """The class whose keyword arguments the body's properties are; `None` where the body is one argument, or absent."""
    body_optional: bool
    body_content_type: str | None
    answers: tuple[Answer, ...]
    endpoint: Endpoint
    documentation: str

    @property
    def positional(self) -> list[Argument]:
        """The path parameters, which come first and may be given by position."""
        return [argument for argument in self.arguments if argument.location == "path"]

    @property
    def keyword(self) -> list[Argument]:
        """All others: the required ones first, those that the session fills in last."""
        others = [argument for argument in self.arguments if argument.location != "path"]
        return sorted(
            others, key=lambda argument: (argument.default is not None, not argument.required)
        )

    @property
    def body_arguments(self) -> list[Argument]:
        """The arguments that make up the body's properties."""
        return [
            argument for argument in self.arguments if argument.location == "body" and argument.name
        ]

    @property
    def parameters(self) -> list[Argument]:
        """The arguments that the generated request builder takes under their own name."""
        return [
            argument
            for argument in self.arguments
            if argument.location != "body" or not argument.name
        ]

    @property
    def return_annotation(self) -> str:
        """The union of the success models; `None` where there is no content."""
        annotations = {answer.annotation: None for answer in self.answers if answer.success}
        return (
            " | ".join(
                sorted(annotations, key=lambda annotation: (annotation == "None", annotation))
            )
            or "None"
        )

    @property
    def candidates(self) -> set[str]:
        """Import lines for every name that the rendered method may use."""
        lines: set[str] = set()
        for prop in [argument.prop for argument in self.arguments] + [
            a.response.prop for a in self.answers
        ]:
            lines |= prop.get_imports(prefix="...") | prop.get_lazy_imports(prefix="...")
        for body in self.endpoint.bodies:
            lines |= body.prop.get_imports(prefix="...") | body.prop.get_lazy_imports(prefix="...")
        return lines


@dataclass(frozen=True)
class Resource:
    """The operations of one tag: one class for sync, one for async."""

    tag: str
    class_name: str
    documentation: str
    operations: tuple[OperationView, ...]


def resources(document: Document, data: GeneratorData) -> tuple[Resource, ...]:
    """Pair each operation of the spec with what the generator made of it.

    Raises:
        SpecError: an operation of the spec has no counterpart, or two of them would share one name.
    """
    pending = {
        tag: list(collection.endpoints)
        for tag, collection in data.endpoint_collections_by_tag.items()
    }
    found: dict[str, list[OperationView]] = {}
    for operation in document.operations():
        tags = operation.node.get("tags") or ["default"]
        tag = PythonIdentifier(str(tags[0]), prefix="tag")
        if not pending.get(tag) or pending[tag][0].method != operation.method:
            raise document.error(operation.place, "the generator dropped this operation")
        view = _view(document, operation, pending[tag].pop(0), str(tag), data)
        for other in found.get(view.tag, []):
            if other.name == view.name:
                raise document.error(
                    f"{operation.place}/operationId",
                    f"operationId {view.operation_id!r} gives the same Python name as {other.operation_id!r} "
                    f"of {other.method} {other.path}; one would overwrite the other",
                )
        found.setdefault(view.tag, []).append(view)
    if not found:
        raise document.error("/paths", "there is no operation in this spec")
    for hiding in _CLIENT_METHODS & found.keys():
        place = found[hiding][0].place
        raise document.error(
            f"{place}/tags", f"a tag named {hiding!r} would hide the client's own method"
        )
    described = {
        str(tag.get("name")): str(tag.get("description", ""))
        for tag in list_at(document.root, "tags")
    }
    by_identifier = {
        str(PythonIdentifier(name, prefix="tag")): text for name, text in described.items()
    }
    return tuple(
        Resource(
            tag=tag,
            class_name=_class_name(tag, data),
            documentation=by_identifier.get(tag) or f"The operations tagged {tag!r}.",
            operations=tuple(operations),
        )
        for tag, operations in found.items()
    )


def _class_name(tag: str, data: GeneratorData) -> str:
    """The name of a resource's class: its tag's, unless a model, or what the templates import, is called so."""
    name = pascal_case(tag)
    taken = {str(made.class_info.name) for made in [*data.models, *data.enums]} | _RESERVED_CLASSES
    return name if taken.isdisjoint({name, f"Async{name}"}) else f"{name}Resource"


def _view(
    document: Document, operation: SpecOperation, endpoint: Endpoint, tag: str, data: GeneratorData
) -> OperationView:
    operation_id = str(operation.node.get("operationId") or endpoint.name)
    arguments = [*_parameters(document, operation, endpoint)]
    taken = {argument.python_name for argument in arguments} | _RESERVED
    body_class = None
    body_optional = False
    if endpoint.bodies:
        prop = endpoint.bodies[0].prop
        model = next(
            (
                m
                for m in data.models
                if isinstance(prop, ModelProperty) and m.class_info == prop.class_info
            ),
            None,
        )
        properties = (
            [*(model.required_properties or []), *(model.optional_properties or [])]
            if model
            else []
        )
        flat = (
            len(endpoint.bodies) == 1
            and endpoint.bodies[0].body_type != BodyType.FILES
            and properties
            and (prop.required or not any(member.required for member in properties))
        )
        if model and flat:
            body_class, body_optional = str(model.class_info.name), not prop.required
            arguments += _body_properties(document, operation, properties, taken)
        else:
            arguments.append(_whole_body(operation, endpoint, taken))
    answers = tuple(_answers(document, operation, endpoint))
    if not any(answer.success for answer in answers):
        raise document.error(
            f"{operation.place}/responses", "no response of status 2XX: what would the call return?"
        )
    return OperationView(
        operation_id=operation_id,
        name=str(PythonIdentifier(endpoint.name, "field_")),
        constant=str(endpoint.name).upper(),
        tag=tag,
        method=operation.method.upper(),
        path=operation.path,
        place=operation.place,
        arguments=tuple(arguments),
        body_class=body_class,
        body_optional=body_optional,
        body_content_type=str(endpoint.bodies[0].content_type.get_untrusted_value())
        if endpoint.bodies
        else None,
        answers=answers,
        endpoint=endpoint,
        documentation=_method_documentation(operation, arguments, answers),
    )


def _parameters(document: Document, operation: SpecOperation, endpoint: Endpoint) -> list[Argument]:
    made: dict[tuple[str, str], PropertyProtocol] = {}
    for location in ("path", "query", "header", "cookie"):
        for prop in getattr(endpoint, f"{location}_parameters"):
            made[location, prop.name.get_untrusted_value()] = prop
    arguments: list[Argument] = []
    for node, place in document.parameters(operation):
        key = (str(node.get("in")), str(node.get("name")))
        prop = made.get(key)
        if prop is None:
            why = " (it is declared with `content`)" if "content" in node else ""
            raise document.error(
                place, f"the generator dropped the {key[0]} parameter {key[1]!r}{why}"
            )
        schema, _ = document.resolve(node.get("schema"), f"{place}/schema")
        arguments.append(_argument(prop, *key, place=place, schema=schema, node=node))
    order = {"path": 0, "query": 1, "header": 2, "cookie": 3}
    in_path = [prop.name.get_untrusted_value() for prop in endpoint.path_parameters]
    return sorted(
        arguments,
        key=lambda a: (order[a.location], in_path.index(a.name) if a.location == "path" else 0),
    )


def _body_properties(
    document: Document,
    operation: SpecOperation,
    properties: Sequence[PropertyProtocol],
    taken: set[str],
) -> list[Argument]:
    body, place = document.resolve(
        operation.node.get("requestBody"), f"{operation.place}/requestBody"
    )
    content_type, media = next(iter(body["content"].items()))
    place = f"{place}/content{pointer(content_type)}/schema"
    schemas = document.properties(media["schema"], place)
    arguments: list[Argument] = []
    for prop in properties:
        name = prop.name.get_untrusted_value()
        schema, where, _ = schemas[name]
        node, _ = document.resolve(schema, where)
        others = {str(member.python_name) for member in properties if member is not prop}
        python_name = _free_name(str(prop.python_name), "body", taken | others)
        taken.add(python_name)
        arguments.append(
            _argument(
                prop, "body", name, place=where, schema=node, node=node, python_name=python_name
            )
        )
    return arguments


def _whole_body(operation: SpecOperation, endpoint: Endpoint, taken: set[str]) -> Argument:
    """The body as one argument: an array, several content types, a file, or an optional object."""
    bodies = [body.prop for body in endpoint.bodies]
    annotations = {
        body.get_type_string(no_optional=True).as_unembedded_code(): None for body in bodies
    }
    models = [body for body in bodies if isinstance(body, ModelProperty)]
    python_name = _free_name("body", "content", taken)
    conversion = python_name
    if len(bodies) == 1 and models and endpoint.bodies[0].body_type != BodyType.FILES:
        annotations["Mapping[str, Any]"] = None
        conversion = _from_mapping(str(models[0].class_info.name), python_name)
    required = all(body.required for body in bodies)
    return Argument(
        python_name=python_name,
        name="",
        location="body",
        required=required,
        annotation=" | ".join([*annotations, *([] if required else ["Unset"])]),
        conversion=conversion,
        documentation="The body of the request.",
        place=f"{operation.place}/requestBody",
        default=None,
        role=None,
        prop=bodies[0],
    )


def _from_mapping(model: str, name: str) -> str:
    """The expression that makes a model of an argument given as a mapping."""
    return f"{model}.from_dict({name}) if isinstance({name}, Mapping) else {name}"


def _free_name(name: str, suffix: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{name}_{suffix}"
    return name


def _argument(
    prop: PropertyProtocol,
    location: str,
    name: str,
    *,
    place: str,
    schema: dict[str, Any],
    node: dict[str, Any],
    python_name: str | None = None,
) -> Argument:
    python_name = python_name or str(prop.python_name)
    annotation = prop.get_type_string(no_optional=True).as_unembedded_code()
    conversion = python_name
    required = prop.required
    default = None
    if isinstance(prop, EnumProperty):
        values = [value for value in list_at(schema, "enum") if value is not None]
        conversion = f"{annotation}({python_name})"
        if required and location == "header" and len(values) == 1:
            required, default = False, str(values[0])
        elif not required:
            conversion = f"{python_name} if isinstance({python_name}, Unset) else {conversion}"
        annotation = "str" if default is not None else f"{annotation} | {prop.value_type.__name__}"
    elif isinstance(prop, ModelProperty):
        conversion = _from_mapping(annotation, python_name)
        annotation += " | Mapping[str, Any]"
    sentences = [
        str(node.get("description") or schema.get("description") or "").strip().removesuffix(".")
    ]
    if default is not None:
        sentences.append(f"By default {default!r}, the one documented value")
    elif "example" in schema:
        sentences.append(f"Example: `{schema['example']}`")
    role = node.get("x-role") or schema.get("x-role")
    return Argument(
        python_name=python_name,
        name=name,
        location=location,
        required=required,
        annotation=annotation if required else f"{annotation} | Unset",
        conversion=conversion,
        documentation=" ".join(f"{sentence}." for sentence in sentences if sentence),
        place=place,
        default=default,
        role=str(role) if role else None,
        prop=prop,
    )


def _answers(document: Document, operation: SpecOperation, endpoint: Endpoint) -> list[Answer]:
    made = {str(response.status_code.pattern): response for response in endpoint.responses}
    nodes: dict[object, Any] = operation.node.get("responses") or {}
    documented = {str(status) for status in nodes}
    only_default = not any(status.startswith("2") for status in documented)
    answers: list[Answer] = []
    for status, raw in nodes.items():
        if str(status).startswith("x-"):
            continue
        node, place = document.resolve(raw, f"{operation.place}/responses/{status}")
        response = made.get(str(status))
        if response is None:
            raise document.error(place, f"the generator dropped the response {status}")
        content = _CONTENT[response.source["attribute"]]
        annotation = (
            "None"
            if content == "none"
            else response.prop.get_type_string(no_optional=True).as_unembedded_code()
        )
        answers.append(
            Answer(
                status=str(status),
                content=content,
                annotation=annotation,
                success=str(status).startswith("2") or (only_default and str(status) == "default"),
                description=str(node.get("description", "")),
                place=place,
                response=response,
            )
        )
    return answers


def _method_documentation(
    operation: SpecOperation, arguments: Sequence[Argument], answers: Sequence[Answer]
) -> str:
    """A docstring's text, escaped so that nothing in the spec can end it or become code."""
    paragraphs = [
        str(operation.node.get("summary") or operation.node.get("operationId") or operation.path)
    ]
    if description := str(operation.node.get("description") or ""):
        paragraphs.append(description)
    lines = ["\n\n".join(_wrap(paragraph, "") for paragraph in paragraphs)]
    if arguments:
        lines.append("\nArgs:")
        ordered = sorted(
            arguments, key=lambda a: (a.location != "path", a.default is not None, not a.required)
        )
        lines += [_wrap(f"{a.python_name}: {a.documentation}", "    ") for a in ordered]
    failures = [
        f"{answer.status} {answer.description}".strip() for answer in answers if not answer.success
    ]
    if failures:
        lines.append("\nRaises:")
        lines.append(
            _wrap(
                f"The client's error for the status: {', '.join(failures)}, or any other.", "    "
            )
        )
    return "\n".join(lines)


def _wrap(text: str, indent: str) -> str:
    safe = safe_for_docstring(" ".join(text.split()))
    return textwrap.fill(
        safe,
        _DOC_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )


def used_imports(code: str, candidates: Sequence[str]) -> str:
    """The import lines, sorted, whose name the code uses: ruff removes no unused import from an `__init__.py`."""
    lines: set[str] = set()
    for candidate in candidates:
        module, _, names = candidate.rpartition("import ")
        lines |= {
            f"{module}import {name}"
            for name in names.split(", ")
            if re.search(rf"\b{re.escape(name)}\b", code)
        }
    return "\n".join(sorted(lines))


def template_globals(found: Sequence[Resource]) -> dict[str, object]:
    """What the templates in `templates/` read beyond the generator's own variables."""
    return {
        "resources": found,
        "resource_of": {resource.tag: resource for resource in found}.__getitem__,
        "used_imports": used_imports,
        "docstring_text": safe_for_docstring,
    }
