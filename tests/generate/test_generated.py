"""The generated code keeps what it is given: open enums, `UNSET`, the models, and the contract beside them."""

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

DATA: dict[str, Any] = {
    "locationId": "l",
    "contactId": "c",
    "deleted": False,
    "lastMessageType": "TYPE_TELEPATHY",
    "unreadCount": 2,
    "somethingNew": {"nested": [1, None]},
}


# The same examples in every run, and as long as the machine takes.
repeatable = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


COPIES = pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])


# Open enums


def test_known_values_are_the_members_in_the_specs_order() -> None:
    spec = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    values = spec["components"]["schemas"]["LastMessageType"]["enum"]
    assert [member.value for member in LastMessageType] == values
    assert [member.name for member in LastMessageType] == values
    assert len(LastMessageType) == 35


def test_a_known_value_gives_the_member_itself() -> None:
    assert LastMessageType("TYPE_CALL") is LastMessageType.TYPE_CALL
    assert not LastMessageType.TYPE_CALL.is_unknown
    assert repr(LastMessageType.TYPE_CALL) == "<LastMessageType.TYPE_CALL: 'TYPE_CALL'>"


def test_a_value_that_the_spec_does_not_name_is_like_a_member_and_says_that_it_is_unknown() -> None:
    unknown = LastMessageType("TYPE_TELEPATHY")
    assert type(unknown) is LastMessageType
    assert unknown.is_unknown
    assert (unknown.name, unknown.value) == ("TYPE_TELEPATHY", "TYPE_TELEPATHY")
    assert repr(unknown) == "<LastMessageType unknown: 'TYPE_TELEPATHY'>"
    assert str(unknown) == f"{unknown}" == "TYPE_TELEPATHY"


@pytest.mark.parametrize("value", ["TYPE_CALL", "TYPE_TELEPATHY", ""])
def test_a_value_is_equal_to_its_string_and_hashes_like_it(value: str) -> None:
    member = LastMessageType(value)
    assert member == value
    assert member == LastMessageType(value)
    assert member != value + "X"
    assert hash(member) == hash(value)
    assert {value: "found"}[member] == "found"


@pytest.mark.parametrize("value", ["TYPE_CALL", "TYPE_TELEPATHY", "ünïcode \" ' \n"])
def test_a_value_round_trips_through_json(value: str) -> None:
    text = json.dumps({"type": LastMessageType(value)})
    assert text == json.dumps({"type": value})
    assert LastMessageType(json.loads(text)["type"]) == LastMessageType(value)


@COPIES
@pytest.mark.parametrize("value", ["TYPE_CALL", "TYPE_TELEPATHY"])
def test_a_value_survives_copying_and_pickling(copied: Callable[[Any], Any], value: str) -> None:
    member = LastMessageType(value)
    other = copied(member)
    assert type(other) is LastMessageType
    assert (other, other.value, other.name, other.is_unknown) == (
        member,
        value,
        value,
        member.is_unknown,
    )
    assert repr(other) == repr(member)


def test_unknown_values_do_not_become_members() -> None:
    for number in range(100):
        assert LastMessageType(f"TYPE_{number}").is_unknown
    assert len(LastMessageType) == 35
    assert not hasattr(LastMessageType, "TYPE_1")


@pytest.mark.parametrize("value", [None, 5, 1.5, ["TYPE_CALL"], b"TYPE_CALL"])
def test_what_is_no_string_is_no_value_of_a_string_enum(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid LastMessageType"):
        LastMessageType(cast("Any", value))


@repeatable
@given(st.text())
def test_any_string_makes_a_value_that_keeps_it(text: str) -> None:
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
    """The models generated from the spec with an enum of numbers in it."""
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


def test_known_numbers_are_the_members_in_the_specs_order(levels: Any) -> None:
    members: list[Any] = [*levels.AlarmLevel]
    assert all(isinstance(member, IntEnum) for member in members)
    assert [member.value for member in members] == [30, 10, 20, -1]
    assert not any(member.is_unknown for member in members)
    known = levels.AlarmLevel(10)
    assert known is members[1]
    assert repr(known) == f"<AlarmLevel.{known.name}: 10>"


def test_a_number_that_the_spec_does_not_name_is_like_a_member_and_says_that_it_is_unknown(
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
    levels: Any, copied: Callable[[Any], Any], value: int
) -> None:
    member = levels.AlarmLevel(value)
    other = copied(member)
    assert type(other) is levels.AlarmLevel
    assert (other, other.is_unknown, repr(other)) == (member, value == 99, repr(member))


@pytest.mark.parametrize("value", [10, 99])
def test_a_number_round_trips_through_a_model_and_json(levels: Any, value: int) -> None:
    data = {"level": value}
    model = levels.Alarm.from_dict(data)
    assert type(model.level) is levels.AlarmLevel
    assert json.loads(json.dumps(model.to_dict())) == data
    assert json.dumps(model.level) == str(value)


@pytest.mark.parametrize("value", [None, "10", 1.5, True])
def test_what_is_no_number_is_no_value_of_an_integer_enum(levels: Any, value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid AlarmLevel"):
        levels.AlarmLevel(value)


# UNSET


@COPIES
def test_unset_is_one_object_under_copying_and_pickling(copied: Callable[[Any], Any]) -> None:
    assert copied(UNSET) is UNSET
    assert copied([UNSET])[0] is UNSET


def test_unset_is_false_and_shows_what_it_is() -> None:
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert Unset() is UNSET
    assert pickle.loads(pickle.dumps(UNSET, protocol=0)) is UNSET


# Models


def test_a_model_keeps_what_the_spec_does_not_name() -> None:
    model = Conversation.from_dict(DATA)
    assert model.last_message_type is not UNSET
    assert isinstance(model.last_message_type, LastMessageType)
    assert model.last_message_type.is_unknown
    assert model["somethingNew"] == {"nested": [1, None]}
    assert model.to_dict() == DATA


def test_a_model_leaves_out_what_is_unset_and_sends_what_is_false() -> None:
    request = UpdateConversationRequest(location_id="l", starred=False, unread_count=0)
    assert request.to_dict() == {"locationId": "l", "starred": False, "unreadCount": 0}
    assert request.feedback is UNSET


def test_reading_a_model_leaves_its_data_as_it_was() -> None:
    data = copy.deepcopy(DATA)
    Conversation.from_dict(data)
    assert data == DATA


@COPIES
def test_a_model_survives_copying_and_pickling_with_what_is_unset(
    copied: Callable[[Any], Any],
) -> None:
    model = Conversation.from_dict(DATA)
    other = copied(model)
    assert other == model
    assert other.inbox is UNSET
    assert other.to_dict() == DATA


def test_the_feedback_holds_any_object() -> None:
    feedback = ConversationFeedback.from_dict({"rating": 5})
    feedback["comment"] = "fine"
    assert feedback.to_dict() == {"rating": 5, "comment": "fine"}
    assert "rating" in feedback


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def data_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Data that fits a schema of the contract, with properties, and enum values, that it does not name."""
    if "$ref" in schema:
        return data_of(CONTRACT["schemas"][str(schema["$ref"]).removeprefix("#/schemas/")])
    if "enum" in schema:
        return st.sampled_from(cast("list[str]", schema["enum"])) | st.text()
    if schema["type"] == "array":
        return st.lists(data_of(schema["items"]), max_size=3)
    if schema["type"] != "object":
        strategies: dict[str, st.SearchStrategy[Any]] = {
            "string": st.text(),
            "boolean": st.booleans(),
            "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        }
        return strategies[str(schema["type"])]
    properties = cast("dict[str, dict[str, Any]]", schema.get("properties", {}))
    required = cast("list[str]", schema.get("required", []))
    named = st.fixed_dictionaries(
        {name: data_of(properties[name]) for name in required},
        optional={
            name: data_of(child) for name, child in properties.items() if name not in required
        },
    )
    others = st.dictionaries(
        st.text().filter(lambda name: name not in properties), JSON, max_size=2
    )
    return st.tuples(others, named).map(lambda both: {**both[0], **both[1]})


OBJECTS = sorted(name for name, schema in CONTRACT["schemas"].items() if schema["type"] == "object")


@pytest.mark.parametrize("name", OBJECTS)
@repeatable
@given(data=st.data())
def test_every_model_round_trips_whatever_fits_its_schema(name: str, data: st.DataObject) -> None:
    model = getattr(models, name)
    value = data.draw(data_of(CONTRACT["schemas"][name]))
    read = model.from_dict(value)
    assert read.to_dict() == value
    assert json.loads(json.dumps(read.to_dict())) == value
    assert model.from_dict(read.to_dict()) == read


def test_the_models_above_are_those_of_every_answer() -> None:
    assert set(OBJECTS) == {
        "BadRequest",
        "Conversation",
        "Unauthorized",
        "UnprocessableEntity",
        "UpdateConversationResponse",
    }


BODY = {
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
                for name, argument in BODY.items()
                if argument["in"] == "body"
            },
        }
    )
)
def test_the_request_round_trips_too(value: dict[str, Any]) -> None:
    assert UpdateConversationRequest.from_dict(value).to_dict() == value


# What is beside the code


@pytest.mark.parametrize(
    "folder", ["generated", "overrides/leadconnector", "overrides/leadconnector/_generated"]
)
def test_the_package_says_that_it_is_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()


def test_the_contract_is_that_of_the_committed_spec() -> None:
    assert CONTRACT["spec_sha256"] == hashlib.sha256(SPEC.read_bytes()).hexdigest()


def test_the_contract_says_what_generated_it() -> None:
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
    assert [(a["argument"], a["name"], a["in"], a["required"]) for a in operation["arguments"]] == [
        ("conversation_id", "conversationId", "path", True),
        ("version", "Version", "header", False),
        ("location_id", "locationId", "body", True),
        ("unread_count", "unreadCount", "body", False),
        ("starred", "starred", "body", False),
        ("feedback", "feedback", "body", False),
    ]
    assert BODY["Version"]["default"] == "2021-07-28"
    assert BODY["Version"]["role"] == "api-version"
    assert {
        status: answer["content"] for status, answer in operation["responses"].items()
    } == dict.fromkeys(["200", "422", "401", "400"], "json")


def test_the_contracts_schemas_are_the_specs_without_what_only_people_read() -> None:
    def stripped(node: Any, *, names: bool = False) -> Any:
        if isinstance(node, dict):
            dropped = set[str]() if names else {"description", "example", "x-enum-varnames"}
            items = cast("dict[str, Any]", node).items()
            return {
                key: stripped(value, names=key == "properties" and not names)
                for key, value in items
                if key not in dropped
            }
        if isinstance(node, list):
            return [stripped(value) for value in cast("list[object]", node)]
        return (
            node.replace("#/components/schemas/", "#/schemas/") if isinstance(node, str) else node
        )

    spec = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    # An argument's own schema stands with the argument; only what schemas refer to is listed apart.
    assert set(CONTRACT["schemas"]) == {*OBJECTS, "LastMessageType"}
    for name, schema in CONTRACT["schemas"].items():
        assert schema == stripped(spec["components"]["schemas"][name])
