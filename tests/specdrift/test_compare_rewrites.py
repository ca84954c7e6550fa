"""Verifies on generated documents that equivalent ways of writing make no difference."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from specdrift import Change, compare
from specdrift.model.document import is_list, is_mapping

from tests.specdrift.documents import PET, REF, TEXT, Json, api, reordered

SCHEMA_REFERENCE = "#/components/schemas/"

NAMES = st.sampled_from(["a", "b", "c"])
SIMPLE_SCHEMAS = st.sampled_from(
    [
        {},
        TEXT,
        {"type": ["integer", "null"], "minimum": 1},
        {"enum": ["x", "y"], "default": "x"},
        {"const": 1},
        REF,
        {"$ref": "#/components/schemas/Self"},
        {"$ref": "#/nowhere"},
        True,
        False,
    ]
)


def _compound_schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
        optional={
            "required": st.lists(NAMES, unique=True),
            "additionalProperties": inner,
            "allOf": several,
        },
    )
    lists = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(0, 9)}
    )
    unions = st.fixed_dictionaries(
        {}, optional={"oneOf": several, "anyOf": several, "not": inner, "nullable": st.booleans()}
    )
    return objects | lists | unions


SCHEMAS = st.recursive(SIMPLE_SCHEMAS, _compound_schemas, max_leaves=8)


def _document(request: Any, response: Any, self_schema: Any) -> Json:
    return api(request, response, {"schemas": {"Pet": PET, "Self": self_schema}})


DOCUMENTS = st.builds(_document, SCHEMAS, SCHEMAS, SCHEMAS)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_a_reordered_or_wrapped_document_has_no_changes(document: Json) -> None:
    assert compare(document, json.loads(json.dumps(document))) == []
    assert compare(document, reordered(document)) == []
    wrapped = copy.deepcopy(document)
    body = wrapped["paths"]["/pets/{id}"]["put"]["requestBody"]["content"]["application/json"]
    wrapped["components"]["schemas"]["Body"] = body["schema"]
    body["schema"] = {"allOf": [{"$ref": "#/components/schemas/Body"}]}
    assert compare(document, wrapped) == []


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_a_difference_is_reported_in_both_directions(base: Json, revision: Json) -> None:
    assert bool(compare(base, revision)) == bool(compare(revision, base))


def _wide_document(schemas: list[Any], self_schema: Any, required: bool) -> Json:
    """Return a document with two operations, and with schemas in every place that can have one."""
    query, request_header, request, response, response_header = schemas
    parameters = [
        {"name": "q", "in": "query", "required": required, "schema": query},
        {"name": "X-Trace", "in": "header", "schema": request_header},
    ]
    components = {"schemas": {"Pet": PET, "Self": self_schema}}
    document = api(request, response, components, parameters=parameters)
    path = document["paths"]["/pets/{id}"]
    path["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    path["put"]["responses"]["200"]["headers"] = {
        "X-Left": {"required": required, "schema": response_header}
    }
    path["put"]["responses"]["404"] = {"description": ""}
    path["get"] = {"responses": {"200": {"content": {"application/json": {"schema": REF}}}}}
    return document


WIDE_DOCUMENTS = st.builds(
    _wide_document, st.lists(SCHEMAS, min_size=5, max_size=5), SCHEMAS, st.booleans()
)


@dataclass(frozen=True)
class SchemaSlot:
    """A place of a document that contains a schema."""

    container: Any
    """The mapping or list around the schema."""
    key: Any
    """The key or index of the schema in its container."""

    @property
    def schema(self) -> Any:
        """The schema."""
        return self.container[self.key]

    def replace(self, schema: Any) -> None:
        """Put another schema in this place."""
        self.container[self.key] = schema


class RewrittenDocument:
    """A document that is rewritten step by step, with the files that it refers to by then."""

    def __init__(self, document: Json, choice: random.Random) -> None:
        self.document: Json = json.loads(json.dumps(document))
        self.files: Json = {}
        self.choice = choice
        self._new_names = 0

    @property
    def schemas(self) -> Json:
        """The schemas of the components."""
        schemas: Json = self.document["components"]["schemas"]
        return schemas

    @property
    def path(self) -> Json:
        """The only path."""
        path: Json = self.document["paths"]["/pets/{id}"]
        return path

    def new_name(self) -> str:
        """Return an unused name."""
        self._new_names += 1
        return f"New{self._new_names}"

    def responses(self) -> list[Json]:
        """Return the responses of both operations."""
        responses = list[Json]()
        for method in ("put", "get"):
            responses += self.path[method]["responses"].values()
        return responses

    def slots(self) -> list[SchemaSlot]:
        """Return the places of all schemas, except branches of unions.

        The place of a branch is part of its name in a change.
        """
        slots = [SchemaSlot(self.schemas, name) for name in self.schemas]
        for owner in (self.path, self.path["put"], self.path["get"]):
            for parameter in owner.get("parameters", []):
                slots.append(SchemaSlot(parameter, "schema"))
        for body in (self.path["put"]["requestBody"], *self.responses()):
            for media in body.get("content", {}).values():
                slots.append(SchemaSlot(media, "schema"))
            for response_header in body.get("headers", {}).values():
                slots.append(SchemaSlot(response_header, "schema"))
        # The list grows while the slots below each schema are appended.
        for slot in slots:
            slots += _slots_below(slot.schema)
        return slots

    def pick_slot(self, condition: Callable[[Any], bool]) -> SchemaSlot | None:
        """Return a random slot whose schema meets a condition; None without any."""
        candidates = [slot for slot in self.slots() if condition(slot.schema)]
        return self.choice.choice(candidates) if candidates else None


def _slots_below(schema: Any) -> Iterator[SchemaSlot]:
    if not is_mapping(schema):
        return
    for name in schema.get("properties", {}):
        yield SchemaSlot(schema["properties"], name)
    for keyword in ("items", "additionalProperties", "not"):
        if keyword in schema:
            yield SchemaSlot(schema, keyword)
    for index in range(len(schema.get("allOf", []))):
        yield SchemaSlot(schema["allOf"], index)


def _component_name(schema: Any) -> str:
    """Return the name of the component that a schema refers to; empty without a reference."""
    reference: str = schema.get("$ref", "") if is_mapping(schema) else ""
    if not reference.startswith(SCHEMA_REFERENCE):
        return ""
    return reference.removeprefix(SCHEMA_REFERENCE)


def _is_any(schema: Any) -> bool:
    return True


def _has_no_reference(schema: Any) -> bool:
    return "$ref" not in json.dumps(schema)


def _can_be_split(schema: Any) -> bool:
    if not is_mapping(schema) or "additionalProperties" in schema:
        return False
    return len(schema.get("properties", {})) > 1


def _can_write_null_differently(schema: Any) -> bool:
    if not is_mapping(schema):
        return False
    return is_list(schema.get("type")) or {"type", "nullable"} <= schema.keys()


def _has_one_value(schema: Any) -> bool:
    return is_mapping(schema) and ("const" in schema or len(schema.get("enum", [])) == 1)


def inline_a_reference(target: RewrittenDocument) -> None:
    def refers_to_component(schema: Any) -> bool:
        return _component_name(schema) in target.schemas

    slot = target.pick_slot(refers_to_component)
    if slot is not None:
        component = target.schemas[_component_name(slot.schema)]
        slot.replace(copy.deepcopy(component))


def move_into_components(target: RewrittenDocument) -> None:
    slot = target.pick_slot(_is_any)
    if slot is not None:
        name = target.new_name()
        target.schemas[name] = slot.schema
        slot.replace({"$ref": f"{SCHEMA_REFERENCE}{name}"})


def move_into_another_file(target: RewrittenDocument) -> None:
    slot = target.pick_slot(_has_no_reference)
    if slot is not None:
        name = target.new_name()
        target.files[f"more/{name}.json"] = {"defs": {"a/b": slot.schema}}
        slot.replace({"$ref": f"./more/{name}.json#/defs/a~1b"})


def rename_a_component(target: RewrittenDocument) -> None:
    # The branches of unions refer to the original components, and the name is part of a change.
    renamable = [name for name in target.schemas if name.startswith("New")]
    if not renamable:
        return
    old_name = target.choice.choice(renamable)
    new_name = target.new_name()
    text = json.dumps(target.document)
    target.document = json.loads(
        text.replace(f'{SCHEMA_REFERENCE}{old_name}"', f'{SCHEMA_REFERENCE}{new_name}"')
    )
    target.schemas[new_name] = target.schemas.pop(old_name)


def wrap_in_all_of(target: RewrittenDocument) -> None:
    slot = target.pick_slot(_is_any)
    if slot is not None:
        slot.replace({"allOf": [slot.schema]})


def split_an_object(target: RewrittenDocument) -> None:
    slot = target.pick_slot(_can_be_split)
    if slot is not None:
        first_name, *names = slot.schema["properties"]
        properties = slot.schema["properties"]
        first_part = {"type": "object", "properties": {first_name: properties[first_name]}}
        second_part = {**slot.schema, "properties": {name: properties[name] for name in names}}
        slot.replace({"allOf": [first_part, second_part]})


def reorder(target: RewrittenDocument) -> None:
    target.document = reordered(target.document)


def write_null_in_another_way(target: RewrittenDocument) -> None:
    slot = target.pick_slot(_can_write_null_differently)
    if slot is None:
        return
    schema = slot.schema
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    is_nullable = schema.pop("nullable", False) or "null" in types
    types_without_null = [name for name in types if name != "null"]
    if len(types_without_null) == 1 and "null" in types:
        schema["type"] = types_without_null[0]
        schema["nullable"] = True
    elif is_nullable:
        schema["type"] = [*types_without_null, "null"]
    else:
        schema["type"] = types_without_null


def describe(target: RewrittenDocument) -> None:
    slot = target.pick_slot(is_mapping)
    if slot is not None:
        slot.schema["description"] = "A description."
        slot.schema["examples"] = [{"a": 1}]
    operation = target.path["put"]
    operation["summary"] = "A summary."
    operation["responses"]["200"]["description"] = "A description."


def change_case_of_headers(target: RewrittenDocument) -> None:
    for parameter in target.path["put"].get("parameters", []):
        if parameter["in"] == "header":
            parameter["name"] = parameter["name"].swapcase()
    for response in target.responses():
        if "headers" in response:
            headers = response["headers"]
            response["headers"] = {name.swapcase(): headers[name] for name in headers}


def write_a_constant_in_another_way(target: RewrittenDocument) -> None:
    slot = target.pick_slot(_has_one_value)
    if slot is None:
        return
    if "const" in slot.schema:
        slot.schema["enum"] = [slot.schema.pop("const")]
    else:
        slot.schema["const"] = slot.schema.pop("enum")[0]


def move_parameters_to_operations(target: RewrittenDocument) -> None:
    for parameter in target.path.pop("parameters", []):
        for method in ("put", "get"):
            parameters = target.path[method].setdefault("parameters", [])
            parameters.append(copy.deepcopy(parameter))


def move_parameters_to_path(target: RewrittenDocument) -> None:
    for parameter in list(target.path["put"].get("parameters", [])):
        if parameter in target.path["get"].get("parameters", []):
            target.path.setdefault("parameters", []).append(parameter)
            target.path["put"]["parameters"].remove(parameter)
            target.path["get"]["parameters"].remove(parameter)


Rewrite = Callable[[RewrittenDocument], None]
REWRITES: list[Rewrite] = [
    inline_a_reference,
    move_into_components,
    move_into_another_file,
    rename_a_component,
    wrap_in_all_of,
    split_an_object,
    reorder,
    write_null_in_another_way,
    describe,
    change_case_of_headers,
]

# The ids of other changes depend on these, so they only take part where nothing else changes.
REWRITES_THAT_CHANGE_IDS: list[Rewrite] = [
    write_a_constant_in_another_way,
    move_parameters_to_operations,
    move_parameters_to_path,
]
CHOICES = st.randoms(use_true_random=False)


def _some_rewrites(rewrites: list[Rewrite]) -> st.SearchStrategy[list[Rewrite]]:
    return st.lists(st.sampled_from(rewrites), min_size=1, max_size=6)


def _rewritten(document: Json, rewrites: list[Rewrite], choice: random.Random) -> RewrittenDocument:
    target = RewrittenDocument(document, choice)
    for rewrite in rewrites:
        rewrite(target)
    return target


@settings(max_examples=200, deadline=None)
@given(WIDE_DOCUMENTS, _some_rewrites([*REWRITES, *REWRITES_THAT_CHANGE_IDS]), CHOICES)
def test_combined_equivalent_rewrites_have_no_changes(
    document: Json, rewrites: list[Rewrite], choice: random.Random
) -> None:
    rewritten = _rewritten(document, rewrites, choice)
    assert compare(document, rewritten.document, revision_files=rewritten.files) == []
    assert compare(rewritten.document, document, base_files=rewritten.files) == []


def _without_all_of(changes: list[Change]) -> set[tuple[str, str, str]]:
    """Return the changes except those of `allOf`, which depend on the way of writing."""
    return {
        (change.id, change.operation, change.level)
        for change in changes
        if "-all-of-" not in change.id
    }


@settings(max_examples=150, deadline=None)
@given(WIDE_DOCUMENTS, WIDE_DOCUMENTS, _some_rewrites(REWRITES), CHOICES)
def test_changes_do_not_depend_on_equivalent_rewrites(
    base: Json, revision: Json, rewrites: list[Rewrite], choice: random.Random
) -> None:
    rewritten = _rewritten(revision, rewrites, choice)
    changes = compare(base, rewritten.document, revision_files=rewritten.files)
    assert _without_all_of(changes) == _without_all_of(compare(base, revision))
    changes_in_reverse = compare(rewritten.document, base, base_files=rewritten.files)
    assert _without_all_of(changes_in_reverse) == _without_all_of(compare(revision, base))
