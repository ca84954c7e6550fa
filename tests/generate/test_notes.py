"""Generation says what the client leaves out on purpose."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from generate.__main__ import main
from generate.document import CLIENT_HEADERS, IGNORED_HEADERS
from generate.notes import find_notes
from generate.reading import load_document
from leadconnector._runtime.added_headers import RESERVED_HEADERS

from tests.generate.samples import GENERATED, SPEC, SPEC_TEXT, contents, edited

VERSION = '        - $ref: "#/components/parameters/Version"\n'
SUCCESS = '        "200":\n          description: Successful response\n'


def generated(text: str, folder: Path) -> Path:
    """The code that is generated from the text of a spec."""
    spec = folder / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    output = folder / "generated"
    assert main(["--spec", str(spec), "--output", str(output)]) == 0
    return output


def notes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The notes of the last generation."""
    lines = capsys.readouterr().err.splitlines()
    return [line.partition("note: ")[2] for line in lines if "note: " in line]


@pytest.mark.parametrize("name", ["Authorization", "accept", "CONTENT-TYPE"])
def test_header_parameters_that_openapi_ignores_change_nothing_but_have_a_note(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameter = (
        f"        - {{name: {name}, in: header, required: true, schema: {{type: string}}}}\n"
    )
    text = edited((VERSION, parameter + VERSION))
    output = generated(text, tmp_path)
    (note,) = notes(capsys)
    line = text[: text.index(parameter)].count("\n") + 1
    assert f"spec.yaml:{line}: OpenAPI ignores header parameters" in note
    arguments = json.loads((output / "contract.json").read_text())["operations"][
        "updateConversation"
    ]["arguments"]
    assert name not in [argument["name"] for argument in arguments]
    # These two contain the spec.
    differing = {"contract.json", "spec.json"}
    original = contents(GENERATED)
    for path, content in contents(output).items():
        assert path in differing or content == original[path], path


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("name", sorted(CLIENT_HEADERS | {"Host", "TE", "User-Agent"}))
def test_header_parameters_of_the_transfer_change_nothing_but_have_a_note(
    name: str, required: bool, tmp_path: Path
) -> None:
    parameter = (
        f"        - {{name: {name}, in: header, required: {str(required).lower()},"
        " schema: {type: string}}\n"
    )
    text = edited((VERSION, parameter + VERSION))
    spec = tmp_path / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    document = load_document(spec)

    (note,) = find_notes(document)

    line = text[: text.index(parameter)].count("\n") + 1
    assert f"spec.yaml:{line}: a header parameter named {name} is not read".lower() in note.lower()
    (operation,) = document.operations()
    assert name not in [parameter.get("name") for parameter in document.parameters(operation)]


def test_each_header_that_callers_cannot_add_is_no_parameter_either() -> None:
    assert RESERVED_HEADERS.keys() <= CLIENT_HEADERS | IGNORED_HEADERS


def test_each_kind_of_part_that_is_not_read_has_one_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = "          headers: {X-Page: {schema: {type: integer}}}\n"
    links = "          links: {next: {operationId: updateConversation}}\n"
    text = edited(
        ("tags: [Conversations]", "tags: [Conversations, Other, More]"),
        (VERSION, f"{VERSION}      callbacks: {{}}\n"),
        (SUCCESS, f"{SUCCESS}{headers}{links}"),
        ("          description: Bad Request\n", f"          description: Bad Request\n{headers}"),
    ).replace("callbacks: {}", "callbacks: {done: {'{$url}': {post: {responses: {}}}}}")
    generated(text, tmp_path)
    found = notes(capsys)
    assert [re.sub(r"^.*?:\d+: ", "", note) for note in found] == [
        "only the first tag of an operation is read",
        "callbacks are not read",
        "response headers are not read: they are in the raw response (and 1 other place)",
        "links are not read",
    ]
    assert all(re.search(r"spec\.yaml:\d+: ", note) for note in found)


def test_parts_without_a_role_have_a_note_if_no_name_implies_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = re.sub(r" *x-role: [a-z-]+\n", "", SPEC_TEXT)
    generated(text, tmp_path)
    assert notes(capsys) == []
    text = text.replace("locationId", "accountId").replace("message:\n", "text:\n")
    text = text.replace("error:\n", "cause:\n")
    text = text.replace("      in: header\n      required: true\n", "      in: header\n")
    (tmp_path / "other").mkdir()
    generated(text, tmp_path / "other")
    found = [re.sub(r"^.*?:\d+: ", "", note).partition(":")[0] for note in notes(capsys)]
    assert found == [
        "an operation has no `x-role",
        "an optional header named Version has no `x-role",
        "an error has no property with `x-role",
    ]


def test_the_committed_spec_has_no_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SPEC.read_text(encoding="utf-8") == SPEC_TEXT
    generated(SPEC_TEXT, tmp_path)
    assert notes(capsys) == []
