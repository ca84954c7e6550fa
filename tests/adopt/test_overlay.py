"""An overlay repairs a published document as OpenAPI Overlay 1.0 says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from adopt.errors import AdoptionError
from adopt.overlay import apply_overlay, load_overlay
from specdrift.loading import ParsedFile

from tests.support.paths import ROOT

Json = dict[str, Any]

DOCUMENT: Json = {
    "paths": {"/a": {"get": {"parameters": [{"name": "x"}, {"name": "y", "in": "path"}]}}},
    "components": {"schemas": {"A": {"type": "object", "required": ["a"]}}},
}


def applied(folder: Path, *actions: Json) -> tuple[ParsedFile, list[str]]:
    """Apply actions to the document, and return it with the descriptions of those with a target."""
    path = folder / "overlay.yaml"
    described = [{"description": f"action {index}", **item} for index, item in enumerate(actions)]
    path.write_text(yaml.safe_dump({"overlay": "1.0.0", "actions": described}), encoding="utf-8")
    file = ParsedFile.parse("document.json", json.dumps(DOCUMENT, indent=1).encode())
    result, repairs = apply_overlay(load_overlay(path), file)
    assert file.data == DOCUMENT
    return result, [repair.action.description for repair in repairs]


def test_an_update_is_merged_into_each_target(tmp_path: Path) -> None:
    update: Json = {"required": ["b"], "properties": {"a": {}}}
    file, repairs = applied(tmp_path, {"target": "$.components.schemas.*", "update": update})
    assert file.data["components"]["schemas"]["A"] == {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {}},
    }
    assert repairs == ["action 0"]


def test_an_update_of_a_list_is_appended(tmp_path: Path) -> None:
    target = "$.paths['/a'].get.parameters"
    file, _ = applied(
        tmp_path,
        {"target": target, "update": {"name": "z"}},
        {"target": target, "update": [{"name": "v"}, {"name": "w"}]},
    )
    parameters = file.data["paths"]["/a"]["get"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["x", "y", "z", "v", "w"]


def test_all_targets_are_removed(tmp_path: Path) -> None:
    file, _ = applied(tmp_path, {"target": "$.paths.*.*.parameters[*]", "remove": True})
    assert file.data["paths"]["/a"]["get"]["parameters"] == []


def test_a_removed_element_of_a_list_leaves_no_wrong_lines(tmp_path: Path) -> None:
    target = "$.paths.*.*.parameters[?@.name == 'x']"
    file, _ = applied(tmp_path, {"target": target, "remove": True})
    list_pointer = "/paths/~1a/get/parameters"
    assert file.source(f"{list_pointer}/0/name") == file.source(list_pointer)


def test_an_action_sees_the_result_of_the_earlier_ones(tmp_path: Path) -> None:
    file, _ = applied(
        tmp_path,
        {"target": "$.components.schemas.A", "update": {"x": {"y": 1}}},
        {"target": "$.components.schemas.A.x", "update": {"z": 2}},
    )
    assert file.data["components"]["schemas"]["A"]["x"] == {"y": 1, "z": 2}


def test_an_action_without_target_is_not_applied(tmp_path: Path) -> None:
    file, repairs = applied(tmp_path, {"target": "$.nothing", "update": {"a": 1}})
    assert file.data == DOCUMENT
    assert repairs == []


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"target": "$.["}, "is no valid JSONPath"),
        ({"target": "$.components.schemas.A.type", "update": {"a": 1}}, "only a mapping or a list"),
        ({"update": {}}, "needs a JSONPath `target`"),
        ({"target": "$", "description": ""}, "describe what the action repairs"),
    ],
)
def test_an_unusable_action_is_an_error_with_its_line(
    action: Json, message: str, tmp_path: Path
) -> None:
    with pytest.raises(AdoptionError, match=message) as raised:
        applied(tmp_path, action)
    assert "overlay.yaml:2: " in str(raised.value)


def test_a_file_that_is_no_overlay_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text("openapi: 3.1.0\n", encoding="utf-8")
    with pytest.raises(AdoptionError, match="has no list `actions`"):
        load_overlay(path)


def test_the_overlay_of_the_project_describes_every_repair() -> None:
    actions = load_overlay(ROOT / "spec" / "vendor-overlay.yaml")
    assert actions
    assert all(action.update is not None or action.remove for action in actions)
