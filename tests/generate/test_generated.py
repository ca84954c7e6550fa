"""The generated enums, `UNSET` and models preserve data, and the contract matches the spec."""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from enum import IntEnum
from importlib.metadata import version
from typing import Any, cast

import attrs
import pytest
import yaml
from generate.__main__ import main
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leadconnector import UNSET, Unset, models
from leadconnector.models import (
    Conversation,
    ConversationFeedback,
    LastMessageType,
    UpdateConversationRequest,
)

from tests.support.paths import ROOT

GENERATED = ROOT / "generated"
SPEC = ROOT / "spec" / "openapi.yaml"
CONTRACT = cast(
    "dict[str, Any]", json.loads((GENERATED / "contract.json").read_text(encoding="utf-8"))
)

CONVERSATION: dict[str, Any] = {
    "locationId": "l",
    "contactId": "c",
    "deleted": False,
    "lastMessageType": "TYPE_TELEPATHY",
    "unreadCount": 2,
    "somethingNew": {"nested": [1, None]},
}


# The same examples in every run, without a time limit that a busy machine could exceed.
repeatable = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def pickle_copy(value: Any) -> Any:
    """A copy by way of a pickle."""
    return pickle.loads(pickle.dumps(value))


COPIES = pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle_copy])


# Open enums


def test_members_are_the_values_of_the_spec_in_its_order() -> None:
    spec = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    values = spec["components"]["schemas"]["LastMessageType"]["enum"]
    assert [member.value for member in LastMessageType] == values
    assert [member.name for member in LastMessageType] == values
    assert len(LastMessageType) == 35


def test_a_value_of_the_spec_returns_its_member() -> None:
    assert LastMessageType("TYPE_CALL") is LastMessageType.TYPE_CALL
    assert not LastMessageType.TYPE_CALL.is_unknown
    assert repr(LastMessageType.TYPE_CALL) == "<LastMessageType.TYPE_CALL: 'TYPE_CALL'>"


def test_an_unknown_value_behaves_like_a_member_and_is_marked() -> None:
    unknown = LastMessageType("TYPE_TELEPATHY")
    assert type(unknown) is LastMessageType
    assert unknown.is_unknown
    assert (unknown.name, unknown.value) == ("TYPE_TELEPATHY", "TYPE_TELEPATHY")
    assert repr(unknown) == "<LastMessageType unknown: 'TYPE_TELEPATHY'>"
    assert str(unknown) == f"{unknown}" == "TYPE_TELEPATHY"


@pytest.mark.parametrize("value", ["TYPE_CALL", "TYPE_TELEPATHY", ""])
def test_a_value_equals_its_string_and_has_its_hash(value: str) -> None:
    member = LastMessageType(value)
    assert member == value
    assert member == LastMessageType(value)
    assert member != value + "X"
    assert hash(member) == hash(value)
    assert {value: "present"}[member] == "present"


@pytest.mark.parametrize("value", ["TYPE_CALL", "TYPE_TELEPATHY", "ünïcode \" ' \n"])
def test_a_value_round_trips_through_json(value: str) -> None:
    text = json.dumps({"type": LastMessageType(value)})
    assert text == json.dumps({"type": value})
    assert LastMessageType(json.loads(text)["type"]) == LastMessageType(value)


@COPIES
@pytest.mark.parametrize("value", ["TYPE_CALL", "TYPE_TELEPATHY"])
def test_a_value_survives_copying_and_pickling(duplicate: Callable[[Any], Any], value: str) -> None:
    member = LastMessageType(value)
    clone = duplicate(member)
    assert type(clone) is LastMessageType
    assert (clone, clone.value, clone.name, clone.is_unknown) == (
        member,
        value,
        value,
        member.is_unknown,
    )
    assert repr(clone) == repr(member)


def test_unknown_values_do_not_become_members() -> None:
    for number in range(100):
        assert LastMessageType(f"TYPE_{number}").is_unknown
    assert len(LastMessageType) == 35
    assert not hasattr(LastMessageType, "TYPE_1")


@pytest.mark.parametrize("value", [None, 5, 1.5, ["TYPE_CALL"], b"TYPE_CALL"])
def test_a_string_enum_rejects_other_types(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid LastMessageType"):
        LastMessageType(cast("Any", value))


@repeatable
@given(st.text())
def test_a_string_enum_accepts_every_string_unchanged(text: str) -> None:
    value = LastMessageType(text)
    assert value == value.value == str(value) == text
    assert value.is_unknown is (text not in list(LastMessageType))


INTEGER_ENUM = {
    "type": "object",
    "required": ["level"],
    "properties": {"level": {"type": "integer", "enum": [30, 10, 20, -1]}},
}


@pytest.fixture(scope="module", name="levels")
def package_with_an_integer_enum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The models of the spec with an additional enum of integers."""
    folder = tmp_path_factory.mktemp("integers")
    spec = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    spec["components"]["schemas"]["Alarm"] = INTEGER_ENUM
    spec["components"]["schemas"]["Conversation"]["properties"]["alarm"] = {
        "$ref": "#/components/schemas/Alarm"
    }
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    assert (
        main(["--spec", str(folder / "spec.yaml"), "--output", str(folder / "client_with_levels")])
        == 0
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(folder), *sys.path])
        yield importlib.import_module("client_with_levels.models")
        for name in [
            name for name in sys.modules if name.partition(".")[0] == "client_with_levels"
        ]:
            patch.delitem(sys.modules, name)


def test_integer_members_are_the_values_of_the_spec_in_its_order(levels: Any) -> None:
    members: list[Any] = [*levels.AlarmLevel]
    assert all(isinstance(member, IntEnum) for member in members)
    assert [member.value for member in members] == [30, 10, 20, -1]
    assert not any(member.is_unknown for member in members)
    member = levels.AlarmLevel(10)
    assert member is members[1]
    assert repr(member) == f"<AlarmLevel.{member.name}: 10>"


def test_an_unknown_number_behaves_like_a_member_and_is_marked(
    levels: Any,
) -> None:
    unknown = levels.AlarmLevel(99)
    assert type(unknown) is levels.AlarmLevel
    assert unknown.is_unknown
    assert (unknown.name, unknown.value) == ("99", 99)
    assert unknown == 99
    assert unknown == levels.AlarmLevel(99)
    assert hash(unknown) == hash(99)
    assert unknown + 1 == 100
    assert (repr(unknown), str(unknown)) == ("<AlarmLevel unknown: 99>", "99")


def test_unknown_numbers_do_not_become_members(levels: Any) -> None:
    assert [levels.AlarmLevel(number).is_unknown for number in (10, 11, 12)] == [False, True, True]
    assert [member.value for member in levels.AlarmLevel] == [30, 10, 20, -1]


@COPIES
@pytest.mark.parametrize("value", [10, 99])
def test_a_number_survives_copying_and_pickling(
    levels: Any, duplicate: Callable[[Any], Any], value: int
) -> None:
    member = levels.AlarmLevel(value)
    clone = duplicate(member)
    assert type(clone) is levels.AlarmLevel
    assert (clone, clone.is_unknown, repr(clone)) == (member, value == 99, repr(member))


@pytest.mark.parametrize("value", [10, 99])
def test_a_number_round_trips_through_a_model_and_json(levels: Any, value: int) -> None:
    data = {"level": value}
    model = levels.Alarm.from_dict(data)
    assert type(model.level) is levels.AlarmLevel
    assert json.loads(json.dumps(model.to_dict())) == data
    assert json.dumps(model.level) == str(value)


@pytest.mark.parametrize("value", [None, "10", 1.5, True])
def test_an_integer_enum_rejects_other_types(levels: Any, value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid AlarmLevel"):
        levels.AlarmLevel(value)


# UNSET


@COPIES
def test_unset_is_one_object_under_copying_and_pickling(duplicate: Callable[[Any], Any]) -> None:
    assert duplicate(UNSET) is UNSET
    assert duplicate([UNSET])[0] is UNSET


def test_unset_is_false_and_has_a_readable_repr() -> None:
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert Unset() is UNSET
    assert pickle.loads(pickle.dumps(UNSET, protocol=0)) is UNSET


# Models


def test_a_model_keeps_unknown_properties_and_values() -> None:
    model = Conversation.from_dict(CONVERSATION)
    assert model.last_message_type is not UNSET
    assert isinstance(model.last_message_type, LastMessageType)
    assert model.last_message_type.is_unknown
    assert model["somethingNew"] == {"nested": [1, None]}
    assert model.to_dict() == CONVERSATION


def test_a_model_omits_unset_fields_and_keeps_false_and_zero() -> None:
    request = UpdateConversationRequest(location_id="l", starred=False, unread_count=0)
    assert request.to_dict() == {"locationId": "l", "starred": False, "unreadCount": 0}
    assert request.feedback is UNSET


def test_decoding_a_model_does_not_change_its_data() -> None:
    data = copy.deepcopy(CONVERSATION)
    Conversation.from_dict(data)
    assert data == CONVERSATION


def test_a_model_accepts_fields_by_name_only() -> None:
    positional = cast("Callable[..., object]", UpdateConversationRequest)
    with pytest.raises(TypeError, match="positional argument"):
        positional("l")
    for model in vars(models).values():
        if isinstance(model, type) and attrs.has(model):
            fields = [field for field in attrs.fields(model) if field.init]
            assert all(field.kw_only for field in fields), model


@COPIES
def test_a_model_with_unset_fields_survives_copying_and_pickling(
    duplicate: Callable[[Any], Any],
) -> None:
    model = Conversation.from_dict(CONVERSATION)
    clone = duplicate(model)
    assert clone == model
    assert clone.inbox is UNSET
    assert clone.to_dict() == CONVERSATION


def test_the_feedback_accepts_every_object() -> None:
    feedback = ConversationFeedback.from_dict({"rating": 5})
    feedback["comment"] = "fine"
    assert feedback.to_dict() == {"rating": 5, "comment": "fine"}
    assert "rating" in feedback


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def merged(mappings: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    """Two mappings as one. The second wins."""
    first, second = mappings
    return {**first, **second}


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(),
    "boolean": st.booleans(),
    "number": st.integers() | FLOATS,
}


def data_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Valid data of a schema of the contract, with unknown properties and enum values."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/schemas/")
        return data_of(CONTRACT["schemas"][name])
    if "enum" in schema:
        return st.sampled_from(cast("list[str]", schema["enum"])) | st.text()
    if schema["type"] == "array":
        return st.lists(data_of(schema["items"]), max_size=3)
    if schema["type"] == "object":
        return objects_of(schema)
    return SCALARS[str(schema["type"])]


def objects_of(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Valid objects: every required property, some optional and some unknown ones."""
    properties = cast("dict[str, dict[str, Any]]", schema.get("properties", {}))
    strategies = {name: data_of(child) for name, child in properties.items()}
    required_names = cast("list[str]", schema.get("required", []))
    required = {name: strategies.pop(name) for name in required_names}
    known_properties = st.fixed_dictionaries(required, optional=strategies)
    unknown_names = st.text().filter(lambda name: name not in properties)
    unknown_properties = st.dictionaries(unknown_names, JSON, max_size=2)
    return st.tuples(unknown_properties, known_properties).map(merged)


OBJECTS = sorted(name for name, schema in CONTRACT["schemas"].items() if schema["type"] == "object")


@pytest.mark.parametrize("name", OBJECTS)
@repeatable
@given(data=st.data())
def test_every_model_round_trips_valid_data(name: str, data: st.DataObject) -> None:
    model = getattr(models, name)
    value = data.draw(data_of(CONTRACT["schemas"][name]))
    decoded = model.from_dict(value)
    assert decoded.to_dict() == value
    assert json.loads(json.dumps(decoded.to_dict())) == value
    assert model.from_dict(decoded.to_dict()) == decoded


def test_those_models_are_all_models_of_responses_and_events() -> None:
    assert set(OBJECTS) == {
        "BadRequest",
        "Conversation",
        "ConversationUnreadUpdate",
        "Unauthorized",
        "UnprocessableEntity",
        "UpdateConversationResponse",
    }


ARGUMENTS = {
    argument["name"]: argument
    for argument in CONTRACT["operations"]["updateConversation"]["arguments"]
}


@repeatable
@given(
    data_of(
        {
            "type": "object",
            "required": ["locationId"],
            "properties": {
                name: argument["schema"]
                for name, argument in ARGUMENTS.items()
                if argument["in"] == "body"
            },
        }
    )
)
def test_the_request_round_trips_valid_data(value: dict[str, Any]) -> None:
    assert UpdateConversationRequest.from_dict(value).to_dict() == value


# The type marker and the contract


@pytest.mark.parametrize(
    "folder", ["generated", "overrides/leadconnector", "overrides/leadconnector/_generated"]
)
def test_the_package_contains_the_type_marker(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()


def test_the_contract_has_the_hash_of_the_committed_spec() -> None:
    assert CONTRACT["spec_sha256"] == hashlib.sha256(SPEC.read_bytes()).hexdigest()


def test_the_contract_has_the_versions_of_the_tools() -> None:
    assert CONTRACT["generated_with"] == {
        "openapi-python-client": version("openapi-python-client"),
        "ruff": version("ruff"),
    }


def test_the_contract_has_the_specs_title_version_and_server() -> None:
    spec = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    assert CONTRACT["title"] == spec["info"]["title"]
    assert CONTRACT["api_version"] == spec["info"]["version"] == "2021-07-28"
    assert CONTRACT["server"] == spec["servers"][0]["url"] == "https://services.leadconnectorhq.com"
    assert CONTRACT["error_messages"] == ["message"]


def test_the_contract_has_the_operation_with_its_arguments_and_responses() -> None:
    assert list(CONTRACT["operations"]) == ["updateConversation"]
    operation = CONTRACT["operations"]["updateConversation"]
    assert (operation["method"], operation["path"]) == ("PUT", "/conversations/{conversationId}")
    assert operation["python"] == "conversations.update_conversation"
    keys = ("argument", "name", "in", "required")
    assert [tuple(argument[key] for key in keys) for argument in operation["arguments"]] == [
        ("conversation_id", "conversationId", "path", True),
        ("version", "Version", "header", False),
        ("location_id", "locationId", "body", True),
        ("unread_count", "unreadCount", "body", False),
        ("starred", "starred", "body", False),
        ("feedback", "feedback", "body", False),
    ]
    assert ARGUMENTS["Version"]["default"] == "2021-07-28"
    assert ARGUMENTS["Version"]["role"] == "api-version"
    assert {
        status: response["content"] for status, response in operation["responses"].items()
    } == dict.fromkeys(["200", "422", "401", "400"], "json")


def without_documentation(node: Any, *, keys_are_names: bool = False) -> Any:
    """A schema of the spec in the form of the contract.

    Args:
        node: the schema, or a part of it.
        keys_are_names: whether the keys of the node are names of properties, not keywords.
    """
    if isinstance(node, dict):
        reduced: dict[str, Any] = {}
        for key, value in cast("dict[str, Any]", node).items():
            if keys_are_names:
                reduced[key] = without_documentation(value)
            elif key not in {"description", "example", "x-enum-varnames"}:
                reduced[key] = without_documentation(value, keys_are_names=key == "properties")
        return reduced
    if isinstance(node, list):
        return [without_documentation(value) for value in cast("list[object]", node)]
    if isinstance(node, str):
        return node.replace("#/components/schemas/", "#/schemas/")
    return node


def test_the_schemas_of_the_contract_are_those_of_the_spec_without_documentation() -> None:
    spec = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    # The schema of an argument is part of the argument. The list has the targets of references.
    assert set(CONTRACT["schemas"]) == {*OBJECTS, "LastMessageType"}
    for name, schema in CONTRACT["schemas"].items():
        assert schema == without_documentation(spec["components"]["schemas"][name])
