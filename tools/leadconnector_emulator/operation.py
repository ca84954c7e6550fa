"""The operations of the spec, in the form in which the emulator enforces them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from .body_coding import JSON_MEDIA_TYPE
from .forms import Form
from .places import PATH_PARAMETER, Place, lists_collection_before
from .schema import CompiledSchema, JsonObject

# JSON's grammar of a number (RFC 8259, section 6). The exponent and the digits are limited so that
# the value stays a finite float.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,307})(\.[0-9]{1,307})?([eE][+-]?[0-9]{1,2})?")


ID_NAMES = frozenset({"id", "_id"})
"""The properties with which HighLevel's resources identify themselves."""

CREATING_METHODS = frozenset({"POST", "PUT"})
"""The methods that create a resource when the path names a collection."""

_COMMA = (",", ",")
_DELIMITERS = {"spaceDelimited": (r"%20|\+| ", " "), "pipeDelimited": (r"\||%7[Cc]", "|")}
"""The delimiters of a list in a query: a pattern for encoded text, and the delimiter itself."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    location: str
    """`path`, `query`, `header` or `cookie`; `body` for a property of the body of a search."""
    required: bool
    schema: CompiledSchema
    is_array: bool = False
    """Whether the parameter accepts several values."""
    explode: bool = True
    """Whether each value of an array repeats the parameter. Otherwise commas separate them."""
    is_api_version: bool = False
    """Whether it states the version of the API, by its role."""
    style: str = "form"
    """How lists and objects are written (OpenAPI 3.1, "Style Values")."""
    properties: Mapping[str, CompiledSchema] | None = None
    """The properties of a parameter that is an object. `None`: it is none."""

    @property
    def repeats(self) -> bool:
        """Whether a list or an object has several parameters in the query or in a cookie."""
        return self.style == "deepObject" or (self.style == "form" and self.explode)

    def takes(self, query_name: str) -> bool:
        """Whether a name in the query belongs to this parameter."""
        if self.location != "query":
            return False
        if self.properties is not None and self.style == "deepObject":
            return query_name.startswith(f"{self.name}[") and query_name.endswith("]")
        if self.properties is not None and self.repeats:
            return query_name in self.properties
        return query_name == self.name

    def accepts(self, texts: list[str]) -> bool:
        """Whether the schema accepts the texts of a URL or header.

        Numbers and booleans are texts on the wire, so the schema may accept either form.
        """
        text_form, value_form = self.forms(texts)
        return self.schema.is_valid(text_form) or self.schema.is_valid(value_form)

    def forms(self, texts: list[str]) -> tuple[Any, Any]:
        """The texts of a URL or header as data: as texts, and as the values they represent.

        Args:
            texts: the items of a list, the names and values of an object in turn, or one text.
        """
        if self.properties is not None:
            return self._object_forms(texts, self.properties)
        values = [_parsed(text) for text in texts]
        if self.is_array:
            return texts, values
        return texts[0], values[0]

    def _object_forms(
        self, texts: list[str], properties: Mapping[str, CompiledSchema]
    ) -> tuple[JsonObject, JsonObject]:
        text_form = dict(zip(texts[::2], texts[1::2], strict=False))
        value_form: JsonObject = {}
        for name, text in text_form.items():
            schema = properties.get(name)
            is_text = schema is not None and schema.is_valid(text)
            value_form[name] = text if is_text else _parsed(text)
        return text_form, value_form

    def split(self, text: str, decode: Callable[[str], str] = str) -> list[str]:
        """The parts of a list or an object in one text, decoded; the whole text of any other.

        Args:
            text: the text, still encoded if the location has an encoding.
            decode: decodes a part.
        """
        if not self.is_array and self.properties is None:
            return [decode(text)]
        pattern, delimiter = _DELIMITERS.get(self.style, _COMMA)
        parts = [decode(part) for part in re.split(pattern, text)]
        if len(parts) == 1:
            # Many clients encode the delimiter.
            parts = parts[0].split(delimiter)
        if self.properties is None or not self.explode:
            return parts
        return [item for part in parts for item in part.partition("=")[::2]]

    def parse(self, text: str) -> Any:
        """The text of a URL or header as the schema types it: a text, a number or a boolean."""
        if self.schema.is_valid(text):
            return text
        return _parsed(text)


@dataclass(frozen=True)
class ResourceShape:
    """Where a response contains the resource or the list of resources, and its properties."""

    property_name: str | None
    """The property of the response that contains it. `None`: the response itself."""
    is_list: bool
    properties: Mapping[str, CompiledSchema]
    required: frozenset[str]
    build_sample: Callable[[], JsonObject]
    """Builds `sample`. To build it compiles validators, so that it waits for the first use."""

    @property
    def shows_resource(self) -> bool:
        """Whether the response contains one resource, which has an id."""
        return not self.is_list and not self.properties.keys().isdisjoint(ID_NAMES)

    @cached_property
    def sample(self) -> JsonObject:
        """A resource that consists of the spec's examples."""
        return self.build_sample()

    def complete(self, resource: JsonObject) -> JsonObject:
        """The properties of a resource. A missing required one has the sample's value."""
        values = {name: value for name, value in self.sample.items() if name in self.required}
        return values | resource

    def documented_part(self, resource: JsonObject) -> JsonObject:
        """A copy of the documented properties. A missing required one has the sample's value."""
        values = self.complete(resource)
        return {name: deepcopy(values[name]) for name in self.properties if name in values}

    def accepts(self, name: str, value: Any) -> bool:
        """Whether a response may show this value of a resource's property."""
        schema = self.properties.get(name)
        if schema is None:
            return True
        try:
            return schema.is_valid(value)
        except UnicodeEncodeError:
            # The validator takes UTF-8, which cannot encode half of a surrogate pair.
            return False


@dataclass(frozen=True)
class Operation:
    """One operation of the spec."""

    method: str
    path: str
    """The path template."""
    place: Place
    """Where it finds its resources."""
    pattern: re.Pattern[str]
    """Matches the raw paths of this template."""
    requires_token: bool
    scope_alternatives: tuple[frozenset[str], ...]
    """The sets of scopes of which a token needs one; empty if the spec lists no scopes."""
    parameters: tuple[Parameter, ...]
    body_required: bool
    body_media_types: tuple[str, ...]
    """The documented media types and ranges of the body."""
    body_schema: CompiledSchema | None
    """`None`: the operation documents no JSON body."""
    body_properties: frozenset[str]
    responses: Mapping[str, CompiledSchema | None]
    """Schemas by status. `None`: no JSON is documented for the status."""
    response_types: Mapping[str, str]
    """The media types of the responses with JSON, by status."""
    success_status: int
    success_schema: CompiledSchema | None
    rate_limit_key: str | None
    """The body property or parameter with the role `rate-limit-key`: it names the location."""
    shape: ResourceShape | None
    """Where a successful response contains the resource."""
    response_examples: Mapping[str, Mapping[str, Any]]
    """The examples of each response, besides those of its schema."""
    forms: Mapping[str, Form] = field(default_factory=dict[str, "Form"])
    """The documented forms of the body by media type."""
    success_media_type: str | None = None
    """The media type of a success that is no JSON, such as a file. `None`: it has no content."""
    search_properties: tuple[Parameter, ...] = ()
    """The properties of the body, where they select the resources of a list."""

    @property
    def names_location(self) -> bool:
        """Whether a request of the operation names a location."""
        return self.rate_limit_key is not None

    @property
    def is_search(self) -> bool:
        """Whether it finds resources, whatever its method: the last part of its path says so."""
        return lists_collection_before(self.path)

    @property
    def creates_resource(self) -> bool:
        """Whether a request that names a collection creates a resource in it."""
        if self.method not in CREATING_METHODS or self.is_search:
            return False
        if not self.place.is_action:
            return True
        # An action such as `/contacts/upsert` shows what it creates. Others change several
        # resources, or do something else.
        return self.shape is not None and self.shape.shows_resource

    @property
    def deletes_resource(self) -> bool:
        """Whether it deletes the resource that it names, and not something of the resource."""
        return self.method == "DELETE" and not self.place.is_action

    def collection(self, path: str) -> str:
        """The name of the collection of a raw path: `contacts/A/notes` of `/contacts/A/notes/1`."""
        return self.place.name(self.path_values(path))

    def path_values(self, path: str) -> dict[str, str]:
        """The percent-decoded path parameters of a raw path, in their order."""
        return {name: unquote(value) for name, value in self.raw_path_values(path).items()}

    def raw_path_values(self, path: str) -> dict[str, str]:
        """The path parameters of a raw path, as they are in it."""
        match = self.pattern.fullmatch(path)
        if match is None:
            return {}
        names = PATH_PARAMETER.findall(self.path)
        return dict(zip(names, match.groups(), strict=True))

    def resource_id(self, path: str) -> str | None:
        """The id of the resource that a raw path names. `None`: it names a collection."""
        if self.place.id_parameter is None:
            return None
        return self.path_values(path)[self.place.id_parameter]

    def documents(self, status: int) -> bool:
        """Whether the spec lists this exact status for the operation."""
        return str(status) in self.responses

    def response_name(self, status: int) -> str | None:
        """The name under which the spec documents a status: itself, its class or `default`."""
        # OpenAPI 3.1, section 4.8.16: an exact status takes precedence over its class.
        for name in (str(status), f"{status // 100}XX", "default"):
            if name in self.responses:
                return name
        return None

    def response_schema(self, status: int) -> CompiledSchema | None:
        """The schema of a status: of the exact one, else of its class (`4XX`), else the default."""
        name = self.response_name(status)
        return None if name is None else self.responses[name]

    def response_type(self, status: int) -> str:
        """The media type of a response with JSON."""
        return self.response_types.get(self.response_name(status) or "", JSON_MEDIA_TYPE)

    def examples(self, status: int) -> Mapping[str, Any]:
        """The examples of a response by name. One without a name has an empty one."""
        return self.response_examples.get(self.response_name(status) or "", {})


def _parsed(text: str) -> Any:
    """The boolean or number that a text represents, otherwise the text."""
    if text == "true":
        return True
    if text == "false":
        return False
    if _NUMBER.fullmatch(text):
        return json.loads(text)
    return text
