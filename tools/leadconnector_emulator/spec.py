"""Loads the OpenAPI document into the operations that the emulator enforces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import yaml

from .body_coding import JSON_MEDIA_TYPE, is_json, media_type_of
from .directions import READ_ONLY, WRITE_ONLY, has_flag
from .document import Document
from .document_text import line_of, parse_document
from .forms import FORM, MULTIPART, Form, Part
from .operation import Operation, Parameter, ResourceShape
from .places import Place, Places, fixed_name, lists_collection_before
from .roles import API_VERSION, RATE_LIMIT_KEY, ROLE_KEYWORD, Argument, argument_roles
from .samples import Samples
from .schema import CompiledSchema, JsonObject
from .schema_faults import HTTP_METHODS, InvalidSchemaError, check_schemas

SPEC = Path(__file__).with_name("openapi.yaml")
"""The spec that this package was released with; in a checkout a link to `spec/openapi.yaml`."""


class Spec:
    """A loaded spec.

    Args:
        path: the OpenAPI document, as YAML or JSON.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not YAML, or not an OpenAPI document; the message contains the cause.
    """

    def __init__(self, path: Path = SPEC) -> None:
        data = path.read_bytes()
        try:
            root = parse_document(data.decode())
            self._document = Document(root)
            check_schemas(root, self._document.references)
            self._samples = Samples(self._document, WRITE_ONLY)
            self._request_samples = Samples(self._document, READ_ONLY)
            self.operations = _with_places(list(self._load_operations()))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            first_line = str(error).splitlines()[0]
            raise ValueError(f"{path}: is not YAML: {first_line}") from error
        except InvalidSchemaError as error:
            line = line_of(data.decode(), error.steps)
            place = f"{path}:{line}" if line is not None else str(path)
            raise ValueError(
                f"{place}: has an invalid schema at {error.pointer}: {error.message}"
            ) from error
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        except (AttributeError, IndexError, KeyError, RecursionError, TypeError) as error:
            # The loader assumes a valid document: an unexpected type or a missing key ends here.
            raise ValueError(f"{path}: is not an OpenAPI document: {error!r}") from error
        if not self.operations:
            raise ValueError(f"{path}: has no operation")

    @property
    def root(self) -> JsonObject:
        """The parsed document."""
        return self._document.root

    def resolve(self, node: Any) -> Any:
        """A part of the document, or what it refers to with `$ref`."""
        return self._document.resolve(node)

    def compile(self, schema: JsonObject) -> CompiledSchema:
        """The validator of a schema of the document, which is compiled on its first use."""
        return self._document.compile(schema)

    @property
    def document(self) -> Document:
        """The document, with its references."""
        return self._document

    def properties(self, schema: Any) -> dict[str, JsonObject]:
        """The resolved properties of an object schema, including those of its `allOf`."""
        return self._document.properties(schema)

    def required(self, schema: Any) -> list[str]:
        """The required properties of an object schema, including those of its `allOf`."""
        return self._document.required(schema)

    def sample(self, schema: Any) -> Any:
        """Data of a response: the schema's example if it has one, otherwise the simplest data."""
        return self._samples.sample(schema)

    def request_sample(self, schema: Any) -> Any:
        """Data of a request; see `sample`."""
        return self._request_samples.sample(schema)

    def _load_operations(self) -> Iterator[Operation]:
        for template, path_item in self.root["paths"].items():
            resolved_item = self._document.resolve(path_item)
            for method in HTTP_METHODS:
                if method in resolved_item:
                    yield self._load_operation(method, template, resolved_item)

    def _load_operation(self, method: str, template: str, path_item: JsonObject) -> Operation:
        node: JsonObject = path_item[method]
        parameter_nodes = self._parameter_nodes(node, path_item)
        body_node = self._document.resolve(node.get("requestBody", {}))
        body_schema = self._json_schema(body_node, READ_ONLY)
        body_properties: dict[str, JsonObject] = {}
        if body_schema is not None:
            body_properties = self.properties(body_schema.schema)
        forms = self._load_forms(body_node)
        for form in forms.values():
            body_properties = {**self.properties(form.schema.schema), **body_properties}
        # Only the API sets the others.
        body_properties = {
            name: child for name, child in body_properties.items() if not has_flag(child, READ_ONLY)
        }
        arguments = self._arguments(parameter_nodes, body_properties)
        names_by_role = _names_by_role(arguments)
        responses = self._load_responses(node)
        success_name = _success_name(responses)
        success_schema = responses.get(success_name)
        shape: ResourceShape | None = None
        success_media_type: str | None = None
        if success_schema is None:
            success_media_type = self._other_media_type(node, success_name)
        if success_schema is not None:
            shape = self._find_shape(success_schema.schema, _list_name(method, template))
        return Operation(
            method=method.upper(),
            path=template,
            place=Place(template),
            pattern=_path_pattern(template),
            requires_token=self._requires_token(node),
            scope_alternatives=self._scope_alternatives(node),
            parameters=self._load_parameters(parameter_nodes, names_by_role.get(API_VERSION)),
            body_required=body_node.get("required", False),
            body_media_types=tuple(body_node.get("content", {})),
            body_schema=body_schema,
            body_properties=frozenset(body_properties),
            responses=responses,
            response_types=self._load_response_types(node),
            success_status=_success_status(success_name),
            success_schema=success_schema,
            rate_limit_key=names_by_role.get(RATE_LIMIT_KEY),
            shape=shape,
            response_examples=self._load_examples(node),
            forms=forms,
            success_media_type=success_media_type,
            search_properties=self._load_search_properties(method, template, body_properties),
        )

    def _other_media_type(self, node: JsonObject, response_name: str) -> str | None:
        """The first media type of a response without JSON. A range such as `image/*` is none."""
        for status, response_node in node.get("responses", {}).items():
            content: JsonObject = self._document.resolve(response_node).get("content", {})
            names = [name for name in content if "*" not in name]
            if str(status) == response_name and names:
                return names[0]
        return None

    def _load_search_properties(
        self, method: str, template: str, body_properties: Mapping[str, JsonObject]
    ) -> tuple[Parameter, ...]:
        """The properties of a body that select the resources of a list."""
        if method != "post" or not lists_collection_before(template):
            return ()
        return tuple(
            Parameter(
                name=name,
                location="body",
                required=False,
                schema=self._document.compile(schema),
                is_array=_has_type(schema, "array"),
            )
            for name, schema in body_properties.items()
        )

    def _security(self, node: JsonObject) -> list[JsonObject]:
        """The security requirements of an operation, or else of the document."""
        security = node.get("security", self.root.get("security", []))
        return cast("list[JsonObject]", security)

    def _requires_token(self, node: JsonObject) -> bool:
        """Whether there is a security requirement."""
        security = self._security(node)
        # An empty requirement makes the token optional (OpenAPI 3.1, section 4.8.30).
        return bool(security) and {} not in security

    def _scope_alternatives(self, node: JsonObject) -> tuple[frozenset[str], ...]:
        """The scopes of each security requirement; empty if one of them requires no scope."""
        # One of the requirements is enough, with the scopes of each of its schemes.
        alternatives: list[frozenset[str]] = []
        for requirement in self._security(node):
            scopes = [scope for scheme_scopes in requirement.values() for scope in scheme_scopes]
            alternatives.append(frozenset(scopes))
        if frozenset[str]() in alternatives:
            return ()
        return tuple(alternatives)

    def _parameter_nodes(self, node: JsonObject, path_item: JsonObject) -> list[JsonObject]:
        """The resolved parameters of an operation, followed by those of its path."""
        references = [*node.get("parameters", []), *path_item.get("parameters", [])]
        return [self._document.resolve(reference) for reference in references]

    def _arguments(
        self, parameter_nodes: list[JsonObject], body_properties: Mapping[str, JsonObject]
    ) -> list[Argument]:
        """The parameters and body properties of an operation with the roles in the spec."""
        arguments: list[Argument] = []
        for node in parameter_nodes:
            schema = self._document.resolve(node.get("schema", {}))
            # The role of the parameter itself precedes that of its schema, which may be shared.
            role = node.get(ROLE_KEYWORD) or schema.get(ROLE_KEYWORD)
            arguments.append(Argument(node["name"], node["in"], node.get("required", False), role))
        for name, schema in body_properties.items():
            arguments.append(Argument(name, "body", False, schema.get(ROLE_KEYWORD)))
        return arguments

    def _load_parameters(
        self, nodes: list[JsonObject], version_name: str | None
    ) -> tuple[Parameter, ...]:
        """The parameters by name and place. Those of the operation replace those of the path.

        Args:
            nodes: the parameters of the operation, followed by those of its path.
            version_name: the name of the parameter that states the version of the API.
        """
        # A dict keeps the last of several equal keys. Reversed, that is the operation's parameter.
        unique_nodes: dict[tuple[str, str], JsonObject] = {}
        for node in reversed(nodes):
            unique_nodes[node["name"], node["in"]] = node
        return tuple(self._load_parameter(node, version_name) for node in unique_nodes.values())

    def _load_parameter(self, node: JsonObject, version_name: str | None) -> Parameter:
        location = node["in"]
        # One with `content` in place of a schema accepts every text.
        schema = self._document.resolve(node.get("schema", True))
        is_object = schema.get("type") == "object" or "properties" in schema
        # OpenAPI 3.1, "Parameter Object": the defaults.
        style = node.get("style", "form" if location in ("query", "cookie") else "simple")
        explode = node.get("explode", style == "form")
        properties: dict[str, CompiledSchema] | None = None
        if is_object:
            properties = {
                name: self._document.compile(child)
                for name, child in self.properties(schema).items()
            }
        return Parameter(
            name=node["name"],
            location=location,
            required=node.get("required", False),
            schema=self._document.compile(schema),
            is_array=_has_type(schema, "array"),
            explode=explode,
            is_api_version=node["name"] == version_name,
            style=style,
            properties=properties,
        )

    def _load_forms(self, body_node: JsonObject) -> dict[str, Form]:
        """The forms of a body by media type."""
        forms: dict[str, Form] = {}
        for content_type, media_type in body_node.get("content", {}).items():
            name = media_type_of(content_type)
            if name in (FORM, MULTIPART) and "schema" in media_type:
                schema = media_type["schema"]
                parts = {
                    part_name: self._load_part(child)
                    for part_name, child in self.properties(schema).items()
                }
                compiled = self._document.compile(schema, optional=READ_ONLY)
                forms[name] = Form(compiled, parts)
        return forms

    def _load_part(self, schema: JsonObject) -> Part:
        is_array = _has_type(schema, "array")
        item_schema = schema.get("items", {}) if is_array else schema
        return Part(self._document.compile(self._document.resolve(item_schema)), is_array)

    def _load_responses(self, node: JsonObject) -> dict[str, CompiledSchema | None]:
        responses: dict[str, CompiledSchema | None] = {}
        for status, response_node in node.get("responses", {}).items():
            resolved_response = self._document.resolve(response_node)
            responses[str(status)] = self._json_schema(resolved_response, WRITE_ONLY)
        return responses

    def _load_response_types(self, node: JsonObject) -> dict[str, str]:
        """The media type of each response with JSON, as the spec writes it."""
        response_types: dict[str, str] = {}
        for status, response_node in node.get("responses", {}).items():
            content = self._document.resolve(response_node).get("content", {})
            name = _json_name(content)
            if name in content:
                response_types[str(status)] = name
        return response_types

    def _load_examples(self, node: JsonObject) -> dict[str, dict[str, Any]]:
        """The examples of each response by name; `""` is the name of a single one."""
        examples_by_response: dict[str, dict[str, Any]] = {}
        for status, response_node in node.get("responses", {}).items():
            content = self._document.resolve(response_node).get("content", {})
            media_type = content.get(_json_name(content), {})
            examples: dict[str, Any] = {}
            if "example" in media_type:
                examples[""] = media_type["example"]
            for name, example_node in media_type.get("examples", {}).items():
                example = self._document.resolve(example_node)
                # An example with `externalValue` is at another address.
                if "value" in example:
                    examples[str(name)] = example["value"]
            examples_by_response[str(status)] = examples
        return examples_by_response

    def _json_schema(self, node: JsonObject, optional: str) -> CompiledSchema | None:
        """The schema of the JSON content of a body or response, if it documents any.

        Args:
            node: the body or response.
            optional: see `Document.compile`.
        """
        content: JsonObject = node.get("content", {})
        media_type = content.get(_json_name(content))
        if media_type is None:
            return None
        # Without a schema, every JSON is documented.
        return self._document.compile(media_type.get("schema", True), optional=optional)

    def _find_shape(self, schema: JsonObject, list_name: str | None) -> ResourceShape | None:
        """Where a response of this schema contains the resource, or a list of resources.

        The response is a list of resources, is the resource itself (it has an `id`), contains the
        resource in a property, or contains a list of resources in a property.

        Args:
            schema: the schema of the response.
            list_name: the name of the resources of a list operation; `None` for another one.
        """
        resolved_schema = self._document.resolve(schema)
        if resolved_schema.get("type") == "array":
            items = resolved_schema.get("items", {})
            return self._load_shape(None, items, partial(self.sample, items), is_list=True)

        properties = self.properties(schema)
        if "id" in properties:
            return self._load_shape(None, schema, partial(self.sample, schema))

        array_name = self._list_property(properties, list_name)
        resource_name = self._resource_property(properties)
        if list_name is not None and array_name is not None:
            # Besides a list, an object without an `id` describes the page.
            resource_name = self._property_with_id(properties)
        if resource_name is not None:
            sample = partial(self._sample_of_property, schema, resource_name)
            return self._load_shape(resource_name, properties[resource_name], sample)
        if array_name is not None:
            items = properties[array_name]["items"]
            return self._load_shape(array_name, items, partial(self.sample, items), is_list=True)
        return None

    def _sample_of_property(self, schema: JsonObject, name: str) -> Any:
        """A property of the sample, which may be an example of the whole response."""
        return _as_object(self.sample(schema)).get(name)

    def _list_property(
        self, properties: Mapping[str, JsonObject], list_name: str | None
    ) -> str | None:
        """The property that is a list of objects: that with the name, else the first one."""
        names: list[str] = []
        for name, child in properties.items():
            if child.get("type") == "array" and self.properties(child.get("items", {})):
                names.append(name)
        if list_name in names:
            return list_name
        return next(iter(names), None)

    def _resource_property(self, properties: Mapping[str, JsonObject]) -> str | None:
        """The first property that is an object with an `id`, else the first object."""
        name_with_id = self._property_with_id(properties)
        if name_with_id is not None:
            return name_with_id
        for name, child in properties.items():
            if self.properties(child):
                return name
        return None

    def _property_with_id(self, properties: Mapping[str, JsonObject]) -> str | None:
        """The first property that is an object with an `id`."""
        for name, child in properties.items():
            if "id" in self.properties(child):
                return name
        return None

    def _load_shape(
        self,
        property_name: str | None,
        schema: Any,
        sample: Callable[[], Any],
        *,
        is_list: bool = False,
    ) -> ResourceShape:
        properties = {
            name: self._document.compile(child, optional=WRITE_ONLY)
            for name, child in self.properties(schema).items()
            if not has_flag(child, WRITE_ONLY)
        }
        return ResourceShape(
            property_name=property_name,
            is_list=is_list,
            properties=properties,
            required=frozenset(self._document.required(schema)) & properties.keys(),
            build_sample=lambda: _as_object(sample()),
        )


def _path_pattern(template: str) -> re.Pattern[str]:
    """Matches the raw paths of a template; each parameter is one segment."""
    # A slash within a value is percent-encoded, so it does not end the segment.
    escaped_template = re.escape(template)
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "([^/]+)", escaped_template))


def _with_places(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """The operations of a spec with the places of their resources, which depend on one another."""
    paths = [operation.path for operation in operations]
    list_paths = [operation.path for operation in operations if _is_list(operation)]
    places = Places(paths, list_paths)
    return tuple(
        replace(operation, place=places.place_of(operation.path)) for operation in operations
    )


def _is_list(operation: Operation) -> bool:
    if operation.is_search:
        return True
    if operation.method != "GET" or operation.shape is None:
        return False
    return operation.shape.is_list


def _list_name(method: str, template: str) -> str | None:
    """The name of the resources that an operation lists; `None` if it names a single one."""
    is_search = method == "post" and lists_collection_before(template)
    if template.endswith("}") or not (method == "get" or is_search):
        return None
    return fixed_name(template)


def _has_type(schema: JsonObject, name: str) -> bool:
    """Whether a schema allows a type by its name."""
    types = schema.get("type", "")
    return types == name or (isinstance(types, list) and name in types)


def _json_name(content: Mapping[str, Any]) -> str:
    """The media type with JSON of a body or response: `application/json`, or else the first."""
    names = [name for name in content if is_json(media_type_of(name))]
    if JSON_MEDIA_TYPE in names or not names:
        return JSON_MEDIA_TYPE
    return names[0]


def _success_name(responses: Mapping[str, CompiledSchema | None]) -> str:
    """The name of the first documented success (`200`, `2XX`), otherwise `default`."""
    for name in responses:
        if name.startswith("2"):
            return name
    return "default"


def _success_status(success_name: str) -> int:
    """The status that a success has: 200 for `2XX` and for `default`."""
    if success_name == "default":
        return 200
    return int(success_name.replace("X", "0"))


def _names_by_role(arguments: list[Argument]) -> dict[str, str]:
    """The name of the first argument with each role."""
    names: dict[str, str] = {}
    for argument, role in zip(arguments, argument_roles(arguments), strict=True):
        if role is not None:
            names.setdefault(role, argument.name)
    return names


def _as_object(sample: Any) -> JsonObject:
    """A sample that is an object, or an empty object in place of any other."""
    if isinstance(sample, dict):
        return cast("JsonObject", sample)
    return {}
