"""The spec matches HighLevel's reference page "Update Conversation", field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.paths import ROOT

SPEC = ROOT / "spec" / "openapi.yaml"

ID = "tDtDnQdgm2LXpyiqYvZ6"
NO_DESCRIPTION = ""


@dataclass(frozen=True)
class Field:
    """A field as the page lists it."""

    name: str
    type_name: str
    """In the page's notation, such as `array[string]`."""
    required: bool
    description: str
    example: object


REQUEST: list[Field] = [
    Field("locationId", "string", True, "Location ID as string", ID),
    Field("unreadCount", "number", False, "Count of unread messages in the conversation", 1),
    Field("starred", "boolean", False, "Starred status of the conversation.", True),
    Field("feedback", "object", False, "Feedback on the conversation, a free-form object.", None),
]

SUCCESS: list[Field] = [
    Field("success", "boolean", True, "Boolean value as the API response.", True),
    Field(
        "conversation", "object", True, "Conversation data of the provided conversation ID.", None
    ),
]

CONVERSATION: list[Field] = [
    Field("id", "string", False, "Contact ID as string", ID),
    Field("locationId", "string", True, "Location ID as string", ID),
    Field("contactId", "string", True, "Contact ID as string", ID),
    Field("assignedTo", "string", False, "Assigned User ID as string", ID),
    Field("userId", "string", False, "User ID as string", ID),
    Field(
        "lastMessageBody",
        "string",
        False,
        "Last message body as string",
        "Hello, this is the message body",
    ),
    Field("lastMessageDate", "string", False, "Last message date as UTC", "1628008053263"),
    Field(
        "lastMessageType",
        "string",
        False,
        "Type of the last message sent/received in the conversation.",
        "TYPE_CALL",
    ),
    Field("unreadCount", "number", False, "Count of unread messages in the conversation", 1),
    Field("inbox", "boolean", False, "Inbox status of the conversation.", True),
    Field("starred", "boolean", False, "Starred status of the conversation.", True),
    Field("deleted", "boolean", True, "Deleted status of the conversation.", False),
]

UNPROCESSABLE_ENTITY: list[Field] = [
    Field("statusCode", "number", False, NO_DESCRIPTION, 422),
    Field("message", "array[string]", False, NO_DESCRIPTION, ["Unprocessable Entity"]),
    Field("error", "string", False, NO_DESCRIPTION, "Unprocessable Entity"),
]

UNAUTHORIZED: list[Field] = [
    Field("statusCode", "number", False, NO_DESCRIPTION, 401),
    Field("message", "string", False, NO_DESCRIPTION, "Invalid token: access token is invalid"),
    Field("error", "string", False, NO_DESCRIPTION, "Unauthorized"),
]

BAD_REQUEST: list[Field] = [
    Field("statusCode", "number", False, NO_DESCRIPTION, 400),
    Field("message", "string", False, NO_DESCRIPTION, "Bad Request"),
]

LAST_MESSAGE_TYPES = [
    "TYPE_CALL",
    "TYPE_SMS",
    "TYPE_EMAIL",
    "TYPE_SMS_REVIEW_REQUEST",
    "TYPE_WEBCHAT",
    "TYPE_SMS_NO_SHOW_REQUEST",
    "TYPE_CAMPAIGN_SMS",
    "TYPE_CAMPAIGN_CALL",
    "TYPE_CAMPAIGN_EMAIL",
    "TYPE_CAMPAIGN_VOICEMAIL",
    "TYPE_FACEBOOK",
    "TYPE_CAMPAIGN_FACEBOOK",
    "TYPE_CAMPAIGN_MANUAL_CALL",
    "TYPE_CAMPAIGN_MANUAL_SMS",
    "TYPE_GMB",
    "TYPE_CAMPAIGN_GMB",
    "TYPE_REVIEW",
    "TYPE_INSTAGRAM",
    "TYPE_WHATSAPP",
    "TYPE_CUSTOM_SMS",
    "TYPE_CUSTOM_EMAIL",
    "TYPE_CUSTOM_PROVIDER_SMS",
    "TYPE_CUSTOM_PROVIDER_EMAIL",
    "TYPE_IVR_CALL",
    "TYPE_ACTIVITY_CONTACT",
    "TYPE_ACTIVITY_INVOICE",
    "TYPE_ACTIVITY_PAYMENT",
    "TYPE_ACTIVITY_OPPORTUNITY",
    "TYPE_LIVE_CHAT",
    "TYPE_LIVE_CHAT_INFO_MESSAGE",
    "TYPE_ACTIVITY_APPOINTMENT",
    "TYPE_FACEBOOK_COMMENT",
    "TYPE_INSTAGRAM_COMMENT",
    "TYPE_CUSTOM_CALL",
    "TYPE_INTERNAL_COMMENT",
]

# One each of the path parameter, the version and `success`, then three of the body, twelve of the
# conversation, those of the three errors, and ten of the event.
EXAMPLES = 1 + 1 + 3 + 1 + 12 + (3 + 3 + 2) + 10


@pytest.fixture(scope="module", name="spec")
def load_spec() -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))


@pytest.fixture(name="operation")
def the_operation(spec: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", spec["paths"]["/conversations/{conversationId}"]["put"])


def resolved(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = spec
        for key in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[key]
        node = target
    return node


def type_name(schema: dict[str, Any]) -> str:
    """A type in the page's notation."""
    if schema["type"] == "array":
        return f"array[{schema['items']['type']}]"
    return str(schema["type"])


def fields(spec: dict[str, Any], schema: dict[str, Any]) -> list[Field]:
    """The properties of an object schema as fields of the page, in the order of the spec."""
    listed: list[Field] = []
    required = cast("list[str]", schema.get("required", []))
    assert set(required) <= set(schema["properties"])
    for name, raw in cast("dict[str, dict[str, Any]]", schema["properties"]).items():
        child = resolved(spec, raw)
        listed.append(
            Field(
                name,
                type_name(child),
                name in required,
                child.get("description", NO_DESCRIPTION),
                child.get("example"),
            )
        )
    return listed


def json_schema(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The schema of a request body or response. JSON is its only content type."""
    assert list(node["content"]) == ["application/json"]
    return resolved(spec, node["content"]["application/json"]["schema"])


def response_schema(spec: dict[str, Any], operation: dict[str, Any], status: str) -> dict[str, Any]:
    schema = json_schema(spec, resolved(spec, operation["responses"][status]))
    assert schema["type"] == "object"
    return schema


def schemas_with_example(node: object) -> Iterator[dict[str, Any]]:
    """Every schema with an `example`. In this spec only schemas have one."""
    if isinstance(node, dict):
        mapping = cast("dict[str, Any]", node)
        if "example" in mapping:
            yield mapping
        for key, value in mapping.items():
            if key != "example":
                yield from schemas_with_example(value)
    elif isinstance(node, list):
        for value in cast("list[object]", node):
            yield from schemas_with_example(value)


def problems(schema: dict[str, Any], value: object) -> list[str]:
    validator = cast("Any", Draft202012Validator(schema))
    errors = cast("Iterator[Exception]", validator.iter_errors(value))
    return [str(error) for error in errors]


def test_the_spec_is_valid_openapi_3_1(spec: dict[str, Any]) -> None:
    assert spec["openapi"] == "3.1.0"
    errors = cast("Iterator[Exception]", OpenAPIV31SpecValidator(spec).iter_errors())
    assert [str(error) for error in errors] == []


def test_the_openapi_validator_rejects_an_invalid_spec(spec: dict[str, Any]) -> None:
    errors = cast(
        "Iterator[Exception]",
        OpenAPIV31SpecValidator({**spec, "info": {"title": "Untitled"}}).iter_errors(),
    )
    assert ["is a required property" in str(error) for error in errors] == [True]


def test_every_example_is_valid(spec: dict[str, Any]) -> None:
    schemas = list(schemas_with_example(spec))
    for schema in schemas:
        Draft202012Validator.check_schema(schema)
        assert "type" in schema
        assert problems(schema, schema["example"]) == []
    assert len(schemas) == EXAMPLES == 36


def test_the_server_is_that_of_highlevel(spec: dict[str, Any]) -> None:
    assert spec["servers"] == [{"url": "https://services.leadconnectorhq.com"}]


def test_the_only_operation_is_put_on_a_conversation(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    assert list(spec["paths"]) == ["/conversations/{conversationId}"]
    assert list(spec["paths"]["/conversations/{conversationId}"]) == ["put"]
    assert operation["operationId"] == "updateConversation"
    assert operation["tags"] == ["Conversations"]
    assert [tag["name"] for tag in spec["tags"]] == ["Conversations"]


def test_the_operation_has_the_wording_of_the_page(operation: dict[str, Any]) -> None:
    assert operation["summary"] == "Update Conversation"
    assert (
        operation["description"] == "Update the conversation details based on the conversation ID"
    )


def test_the_parameters_are_the_conversation_id_and_the_version(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    parameters = [resolved(spec, parameter) for parameter in operation["parameters"]]
    assert [(node["in"], node["name"], node["required"]) for node in parameters] == [
        ("path", "conversationId", True),
        ("header", "Version", True),
    ]


def test_the_conversation_id_is_a_string_in_the_path(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    node = resolved(spec, operation["parameters"][0])
    assert node == {
        "name": "conversationId",
        "in": "path",
        "required": True,
        "description": "Conversation ID as string",
        "schema": {"type": "string", "example": ID},
    }


def test_the_version_header_is_required_and_has_one_allowed_value(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    node = resolved(spec, operation["parameters"][1])
    schema = resolved(spec, node["schema"])
    assert node["description"] == "API Version"
    assert node["required"] is True
    assert schema["type"] == "string"
    assert schema["enum"] == ["2021-07-28"]


def test_the_document_has_the_version_of_the_api(spec: dict[str, Any]) -> None:
    assert spec["info"]["version"] == "2021-07-28"


def test_the_only_security_is_a_bearer_token(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    assert operation["security"] == [{"bearer": []}]
    assert list(spec["components"]["securitySchemes"]) == ["bearer"]
    scheme = spec["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_the_security_has_the_wording_of_the_page(spec: dict[str, Any]) -> None:
    scheme = spec["components"]["securitySchemes"]["bearer"]
    assert scheme["description"].splitlines() == [
        "Use the Access Token generated with user type as Sub-Account (OR) "
        "Private Integration Token of Sub-Account.",
        "Provide your bearer token in the Authorization header "
        "when making requests to protected resources.",
        "Example: Authorization: Bearer 123",
        "The header Authorization is required: Access Token, "
        "for example `Bearer 9c48df2694a849b6089f9d0d3513efe`.",
    ]


def test_the_body_is_a_required_json_object_with_the_fields_of_the_page(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    assert operation["requestBody"]["required"] is True
    schema = json_schema(spec, operation["requestBody"])
    assert schema["type"] == "object"
    assert fields(spec, schema) == REQUEST
    assert schema["required"] == ["locationId"]


def test_the_feedback_is_a_free_form_object(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    feedback = resolved(spec, json_schema(spec, operation["requestBody"])["properties"]["feedback"])
    assert "properties" not in feedback
    assert problems(feedback, {"rating": 5, "tags": ["a"], "nested": {"x": None}}) == []
    assert problems(feedback, "five stars") != []


def test_the_four_responses_are_those_of_the_page(operation: dict[str, Any]) -> None:
    assert {status: node["description"] for status, node in operation["responses"].items()} == {
        "200": "Successful response",
        "422": "Unprocessable Entity",
        "401": "Unauthorized",
        "400": "Bad Request",
    }
    assert list(operation["responses"]) == ["200", "422", "401", "400"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [("200", SUCCESS), ("422", UNPROCESSABLE_ENTITY), ("401", UNAUTHORIZED), ("400", BAD_REQUEST)],
)
def test_each_response_has_the_fields_of_the_page(
    spec: dict[str, Any], operation: dict[str, Any], status: str, expected: list[Field]
) -> None:
    assert fields(spec, response_schema(spec, operation, status)) == expected


def test_the_conversation_has_the_twelve_fields_of_the_page(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    conversation = resolved(
        spec, response_schema(spec, operation, "200")["properties"]["conversation"]
    )
    assert fields(spec, conversation) == CONVERSATION
    assert len(CONVERSATION) == 12


def test_examples_have_the_types_of_the_page(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    """`1 == True` in Python, so the comparisons above cannot distinguish them."""
    conversation = resolved(
        spec, response_schema(spec, operation, "200")["properties"]["conversation"]
    )
    for expected, schema in (
        (REQUEST, json_schema(spec, operation["requestBody"])),
        (CONVERSATION, conversation),
    ):
        assert [type(field.example) for field in fields(spec, schema)] == [
            type(field.example) for field in expected
        ]


def test_the_last_message_type_has_the_thirty_five_values_of_the_page_in_its_order(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    conversation = resolved(
        spec, response_schema(spec, operation, "200")["properties"]["conversation"]
    )
    assert (
        resolved(spec, conversation["properties"]["lastMessageType"])["enum"] == LAST_MESSAGE_TYPES
    )
    assert len(set(LAST_MESSAGE_TYPES)) == 35


def test_the_last_message_date_is_a_string_of_digits(
    spec: dict[str, Any], operation: dict[str, Any]
) -> None:
    conversation = resolved(
        spec, response_schema(spec, operation, "200")["properties"]["conversation"]
    )
    date = conversation["properties"]["lastMessageDate"]
    assert date["type"] == "string"
    assert date["example"] == "1628008053263"
    assert "format" not in date
