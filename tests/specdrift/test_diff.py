"""The subcommand `diff`: every difference in the structure, without severities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from specdrift.cli import main
from specdrift.comparison.selection import Selections
from specdrift.model.document import Document
from specdrift.structure import structural_differences

from tests.specdrift.documents import PET, PETS, REF, Json, api, request_and_response


def differences(base: Json, revision: Json) -> list[tuple[str, str, str]]:
    """The action and the pointers of each difference."""
    found = structural_differences(Document(base), Document(revision), Selections())
    return [(item.action, item.base_pointer, item.revision_pointer) for item in found]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two documents that differ in a description and a path."""
    base: Json = {"openapi": "3.1.0", "info": {"description": "old"}, "paths": {"/a": {}, "/b": {}}}
    revision: Json = {
        "openapi": "3.1.0",
        "info": {"description": "new"},
        "paths": {"/a": {}, "/c": {}},
    }
    paths = [tmp_path / "base.json", tmp_path / "revision.json"]
    for path, content in zip(paths, (base, revision), strict=True):
        path.write_text(json.dumps(content), encoding="utf-8")
    return [str(path) for path in paths]


def test_text_has_one_line_for_each_difference(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *files]) == 0
    assert capsys.readouterr().out.splitlines() == [
        '~ /info/description: "old" -> "new"',
        "- /paths/~1b: {}",
        "+ /paths/~1c: {}",
        "3 differences",
    ]


def test_json_and_yaml_have_the_values(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["diff", *files, "--format", "json"])
    content = json.loads(capsys.readouterr().out)
    assert content[0] == {
        "action": "changed",
        "base_pointer": "/info/description",
        "revision_pointer": "/info/description",
        "old": "old",
        "new": "new",
    }
    main(["diff", *files, "-f", "yaml"])
    assert yaml.safe_load(capsys.readouterr().out) == content


def test_exit_code_depends_on_an_option(files: list[str]) -> None:
    assert main(["diff", *files]) == 0
    assert main(["diff", *files, "-o"]) == 1
    assert main(["diff", files[0], files[0], "--fail-on-diff"]) == 0
    assert main(["diff", files[0], "missing.json"]) == 2


def test_selection_leaves_out_the_rest(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *files, "--match-path", "b"]) == 0
    assert capsys.readouterr().out == "- /paths/~1b: {}\n1 difference\n"


def test_references_are_followed() -> None:
    inlined = request_and_response(PET)
    referring = request_and_response(REF, components=PETS)
    assert differences(referring, inlined) == [("removed", "/components/schemas", "")]


def test_shared_schema_is_listed_once() -> None:
    changed = {"schemas": {"Pet": {**PET, "description": "A pet."}}}
    pairs = differences(
        request_and_response(REF, components=PETS), request_and_response(REF, components=changed)
    )
    assert pairs == [("added", "", "/components/schemas/Pet/description")]


def test_recursive_schemas_end() -> None:
    tree: Json = {"properties": {"child": {"$ref": "#/components/schemas/Tree"}}}
    pruned: Json = {"properties": {"child": {"$ref": "#/components/schemas/Tree"}, "a": {}}}
    reference = {"$ref": "#/components/schemas/Tree"}
    base = api(reference, components={"schemas": {"Tree": tree}})
    revision = api(reference, components={"schemas": {"Tree": pruned}})
    assert differences(base, revision) == [("added", "", "/components/schemas/Tree/properties/a")]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab", max_size=2),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.text("ab/~", max_size=2), values, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_documents_without_differences_are_equal(old: Any, new: Any) -> None:
    base: Json = {"openapi": "3.1.0", "x": old}
    revision: Json = {"openapi": "3.1.0", "x": new}
    is_equal = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert (differences(base, revision) == []) == is_equal


@given(VALUES)
def test_document_equals_itself(value: Any) -> None:
    document: Json = {"openapi": "3.1.0", "x": value}
    assert differences(document, document) == []
