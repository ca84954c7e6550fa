"""Verifies the comparison of callbacks and webhooks, in which the API sends the request."""

import json
from pathlib import Path

import pytest
from specdrift import compare
from specdrift.cli import main

from tests.specdrift.documents import OBJECT, PET, TEXT, Json, api, reported

EXPRESSION = "{$request.body#/url}"


def operation(sent: Json, returned: Json) -> Json:
    """Return an operation with the schemas of its two bodies."""
    return {
        "requestBody": {"content": {"application/json": {"schema": sent}}},
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": returned}}}
        },
    }


def callback(post: Json, name: str = "onEvent", expression: str = EXPRESSION) -> Json:
    """Return a document whose operation has one callback."""
    return api(callbacks={name: {expression: {"post": post}}})


def webhook(post: Json, name: str = "event") -> Json:
    """Return a document with one webhook."""
    return {"openapi": "3.1.0", "paths": {}, "webhooks": {name: {"post": post}}}


WIDER: Json = {**PET, "properties": {**PET["properties"], "tag": TEXT}, "required": ["name", "tag"]}
BODIES: dict[str, tuple[Json, Json, list[str]]] = {
    "a required property that clients receive": (
        operation(PET, OBJECT),
        operation(WIDER, OBJECT),
        ["INFO response-required-property-added"],
    ),
    "a required property that clients no longer receive": (
        operation(WIDER, OBJECT),
        operation(PET, OBJECT),
        ["ERR response-required-property-removed"],
    ),
    "a required property that clients have to send": (
        operation(OBJECT, PET),
        operation(OBJECT, WIDER),
        ["ERR new-required-request-property"],
    ),
    "a value that clients can no longer send": (
        operation(OBJECT, {"enum": ["a", "b"]}),
        operation(OBJECT, {"enum": ["a"]}),
        ["ERR request-body-enum-value-removed"],
    ),
    "a value that clients no longer receive": (
        operation({"enum": ["a", "b"]}, OBJECT),
        operation({"enum": ["a"]}, OBJECT),
        ["INFO response-mediatype-enum-value-removed"],
    ),
    "a request body that clients no longer receive": (
        operation(PET, OBJECT),
        {"responses": operation(PET, OBJECT)["responses"]},
        ["ERR response-body-removed"],
    ),
    "a request body that clients now receive": (
        {"responses": operation(PET, OBJECT)["responses"]},
        operation(PET, OBJECT),
        ["INFO response-body-added"],
    ),
    "a header that clients no longer receive": (
        {"parameters": [{"in": "header", "name": "X-Id", "required": True, "schema": TEXT}]},
        {},
        ["ERR required-response-parameter-removed"],
    ),
    "a required header that clients receive": (
        {},
        {"parameters": [{"in": "header", "name": "X-Id", "required": True, "schema": TEXT}]},
        ["INFO response-parameter-added"],
    ),
    "a header that clients have to send": (
        {"responses": {"200": {"headers": {}}}},
        {"responses": {"200": {"headers": {"X-Id": {"required": True, "schema": TEXT}}}}},
        ["ERR new-required-request-header"],
    ),
    "a status that clients can no longer send": (
        {"responses": {"200": {}, "204": {}}},
        {"responses": {"200": {}}},
        ["ERR response-success-status-removed"],
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_directions_are_swapped_in_callbacks(name: str) -> None:
    base, revision, expected = BODIES[name]
    assert reported(callback(base), callback(revision)) == expected
    assert reported(callback(base), callback(base)) == []


@pytest.mark.parametrize("name", BODIES)
def test_directions_are_swapped_in_webhooks(name: str) -> None:
    base, revision, expected = BODIES[name]
    assert reported(webhook(base), webhook(revision)) == expected


def test_a_removed_callback_or_webhook_breaks_clients_that_wait_for_it() -> None:
    post = operation(PET, OBJECT)
    assert reported(callback(post), api()) == ["ERR callback-removed"]
    assert reported(api(), callback(post)) == ["INFO callback-added"]
    assert reported(webhook(post), {**webhook(post), "webhooks": {}}) == ["ERR webhook-removed"]
    assert reported({**webhook(post), "webhooks": {}}, webhook(post)) == ["INFO webhook-added"]


def test_a_callback_to_another_url_is_another_callback() -> None:
    post = operation(PET, OBJECT)
    other = callback(post, expression="{$request.query.url}")
    assert reported(callback(post), other) == ["ERR callback-removed", "INFO callback-added"]


def test_a_callback_in_components_is_the_same_callback() -> None:
    post = operation(PET, OBJECT)
    shared = api(
        callbacks={"onEvent": {"$ref": "#/components/callbacks/Event"}},
        components={"callbacks": {"Event": {EXPRESSION: {"post": post}}}},
    )
    assert reported(callback(post), shared) == []


def test_the_callback_of_a_callback_has_the_direction_of_ordinary_operations() -> None:
    def nested(sent: Json) -> Json:
        inner = {"again": {EXPRESSION: {"post": operation(sent, OBJECT)}}}
        return callback({"responses": {}, "callbacks": inner})

    assert reported(nested(PET), nested(WIDER)) == ["ERR new-required-request-property"]


def test_a_difference_in_a_third_level_of_callbacks_has_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def nested(sent: Json) -> Json:
        innermost = {"callbacks": {"third": {EXPRESSION: {"post": operation(sent, OBJECT)}}}}
        inner = {"callbacks": {"second": {EXPRESSION: {"post": innermost}}}}
        return callback(inner)

    for name, sent in (("base", PET), ("same", PET), ("revision", WIDER)):
        (tmp_path / f"{name}.json").write_text(json.dumps(nested(sent)))
    assert main([str(tmp_path / "base.json"), str(tmp_path / "same.json")]) == 0
    assert "third level" not in capsys.readouterr().out
    main([str(tmp_path / "base.json"), str(tmp_path / "revision.json")])
    assert "`callbacks` is a third level of callbacks" in capsys.readouterr().out


def test_a_callback_that_contains_itself_is_compared() -> None:
    document = callback({"callbacks": {"$ref": "#/x-callbacks"}})
    document["x-callbacks"] = document["paths"]["/pets/{id}"]["put"]["callbacks"]
    document["paths"]["/pets/{id}"]["put"]["callbacks"] = {"$ref": "#/x-callbacks"}
    assert reported(document, document) == []


def test_webhooks_that_only_the_base_has_are_not_compared_within_it() -> None:
    base = webhook(operation(PET, OBJECT))
    assert compare(base, {**base, "webhooks": {}}, within_base=True) == []
