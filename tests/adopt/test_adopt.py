"""`make adopt` adds operations of a published document to the spec, ready for `make generate`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from adopt.__main__ import main
from generate.__main__ import main as generate

from tests.adopt.contacts import SPEC_TEXT, Json, adopt, adopted_data, published, response, written
from tests.support.paths import ROOT


def added_lines(spec: Path) -> list[str]:
    """The lines that the spec gained, except empty ones. All others are there, in their order."""
    lines = spec.read_text(encoding="utf-8").splitlines()
    remaining = iter(SPEC_TEXT.splitlines())
    expected = next(remaining)
    added: list[str] = []
    for line in lines:
        if line == expected:
            expected = next(remaining, "\0")
        elif line:
            added.append(line)
    assert expected == "\0", expected
    return added


def test_an_adopted_operation_has_the_style_of_the_spec(spec: Path) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    assert added_lines(spec) == [line for line in ADDED.splitlines() if line]


ADDED = """\
  - name: Contacts

  /contacts/{contactId}:
    get:
      operationId: getContact
      tags: [Contacts]
      summary: Get Contact
      description: |-
        Get a contact.
        With its tags.
      security:
        - bearer: []
      parameters:
        - $ref: "#/components/parameters/Version20210415"
        - name: contactId
          in: path
          required: true
          schema:
            type: string
        - name: locationId
          in: query
          x-role: rate-limit-key
          schema:
            type: string
      responses:
        "200":
          description: Done
          content:
            application/json:
              schema:
                $ref: "#/components/schemas/Contact"
        "400":
          description: Done
          content:
            application/json:
              schema:
                $ref: "#/components/schemas/BadRequest"

    Version20210415:
      name: Version
      in: header
      required: true
      description: API Version
      x-role: api-version
      schema:
        $ref: "#/components/schemas/ApiVersion20210415"

    ApiVersion20210415:
      type: string
      description: API Version
      enum: ["2021-04-15"]
      x-enum-varnames: [V2021_04_15]

    Contact:
      type: object
      properties:
        name:
          type: [string, "null"]
        parent:
          $ref: "#/components/schemas/Contact"
        conversation:
          $ref: "#/components/schemas/ContactsConversation"
        tags:
          type: array
          items: {}

    ContactsConversation:
      type: object
      properties:
        topic:
          type: string"""


def test_a_client_with_the_adopted_operations_is_generated(spec: Path, tmp_path: Path) -> None:
    assert adopt(spec, published(), "getContact", "DELETE /contacts/{contactId}") == 0
    output = tmp_path / "generated"
    assert generate(["--spec", str(spec), "--output", str(output)]) == 0
    code = (output / "api" / "contacts" / "__init__.py").read_text(encoding="utf-8")
    assert "def get_contact(" in code
    assert "def delete_contact(" in code
    assert "location_id: str" in code


def test_an_operation_of_a_path_in_the_spec_is_added_to_that_path(spec: Path) -> None:
    document = published()
    operation = document["paths"]["/contacts/{contactId}"]["delete"]
    operation["parameters"][0]["name"] = "conversationId"
    document["paths"] = {"/conversations/{conversationId}": {"delete": operation}}
    assert adopt(spec, document, "delete-contact") == 0
    methods = adopted_data(spec)["paths"]["/conversations/{conversationId}"]
    assert list(methods) == ["put", "delete"]
    assert methods["delete"]["tags"] == ["Conversations"]
    assert len(adopted_data(spec)["tags"]) == 1
    assert added_lines(spec)


def test_a_second_run_changes_nothing(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = published()
    assert adopt(spec, document, "get-contact") == 0
    first_text = spec.read_text(encoding="utf-8")
    capsys.readouterr()
    assert adopt(spec, document, "get-contact") == 0
    assert spec.read_text(encoding="utf-8") == first_text
    assert capsys.readouterr().out == "already up to date: GET /contacts/{contactId}\n"


def test_a_changed_operation_is_compared_and_not_overwritten(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = published()
    assert adopt(spec, document, "get-contact") == 0
    edited = spec.read_text(encoding="utf-8").replace("summary: Get Contact", "summary: Our text")
    spec.write_text(edited, encoding="utf-8")
    document["components"]["schemas"]["ContactDto"]["properties"]["name"] = {"type": "integer"}
    capsys.readouterr()
    assert adopt(spec, document, "get-contact") == 1
    assert spec.read_text(encoding="utf-8") == edited
    output = capsys.readouterr().out
    assert "differs: ERR GET /contacts/{contactId}: The response 200" in output
    assert "add UPGRADE=1" in output


def test_the_report_says_what_was_done_and_what_to_review(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "all") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "added: GET /contacts/{contactId}: getContact",
        "added: DELETE /contacts/{contactId}: deleteContact",
    ]
    assert "new components: Contact, ContactsConversation" in lines
    assert "shared with the spec: BadRequest" in lines
    assert "role: locationId is the rate-limit-key" in lines
    assert any(line.startswith("repaired: A parameter of a path") for line in lines)
    (review,) = [line for line in lines if line.startswith("review: ")]
    assert "contacts.json:" in review
    assert review.endswith("DELETE /contacts/{contactId} does not say which token it needs")


def test_what_cannot_be_right_is_rejected_with_the_line_of_the_published_file(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = published()
    document["components"]["schemas"]["ContactDto"]["properties"]["name"]["prefixItems"] = []
    document["components"]["securitySchemes"]["Location-Access"] = {
        "type": "apiKey",
        "in": "header",
        "name": "key",
    }
    source = written(spec.parent, document)
    assert adopt(spec, source, "get-contact") == 1
    assert spec.read_text(encoding="utf-8") == SPEC_TEXT
    errors = capsys.readouterr().err.splitlines()
    for name, problem in (
        ('"Location-Access": {', "the client sends only bearer tokens"),
        ('"name": {', "prefixItems has no equivalent"),
    ):
        line = next(
            number
            for number, text in enumerate(source.read_text().splitlines(), start=1)
            if text.strip().startswith(name)
        )
        assert any(f"contacts.json:{line}: " in error and problem in error for error in errors)
    assert errors[-1] == "adopt: the spec is unchanged."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("get-contacts", "there is no such operation. Similar ones: get-contact"),
        ("nothing", "List all with `make adopt LIST=all`"),
    ],
)
def test_an_unknown_operation_is_an_error_with_suggestions(
    name: str, message: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), name) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1]", "is not an OpenAPI document"),
        ("{", "contacts.json"),
        ('{"openapi": "3.0.0", "openapi": "3.1.0"}', "duplicate key"),
        ('{"swagger": "2.0", "paths": {}}', "contacts.json:1: is a document of Swagger 2.0"),
        ('{"name": "contacts", "version": "1.0.0"}', "has no member `openapi`"),
    ],
)
def test_an_unreadable_document_is_an_error(
    content: str, message: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(spec.parent, published())
    source.write_text(content, encoding="utf-8")
    assert adopt(spec, source, "get-contact") == 1
    assert message in capsys.readouterr().err


def test_each_unknown_name_is_reported(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert adopt(spec, published(), "nothing", "get-contact", "nobody") == 1
    errors = capsys.readouterr().err.splitlines()
    assert [error.split(": ")[1] for error in errors[:2]] == ["nothing", "nobody"]
    assert spec.read_text(encoding="utf-8") == SPEC_TEXT


def test_a_name_without_latin_letters_is_found_and_replaced(spec: Path) -> None:
    document = published()
    document["paths"]["/contacts/{contactId}"]["get"]["operationId"] = "取得"
    document["paths"]["/contacts/{contactId}"]["delete"]["operationId"] = "削除"
    assert adopt(spec, document, "取得") == 0
    methods = adopted_data(spec)["paths"]["/contacts/{contactId}"]
    assert list(methods) == ["get"]
    assert methods["get"]["operationId"] == "getContactsContactId"


def test_an_operation_shares_components_with_one_that_was_adopted_before(spec: Path) -> None:
    document = published()
    list_contacts: Json = {
        "operationId": "list-contacts",
        "security": [{"Location-Access": []}],
        "responses": response("ContactDto"),
    }
    document["paths"]["/contacts/"] = {"get": list_contacts}
    assert adopt(spec, document, "get-contact") == 0
    names = list(adopted_data(spec)["components"]["schemas"])
    assert "ContactsConversation" in names
    assert adopt(spec, document, "list-contacts") == 0
    assert list(adopted_data(spec)["components"]["schemas"]) == names


@pytest.mark.parametrize(
    "text",
    [
        SPEC_TEXT.replace("\n", "\r\n"),
        f"\ufeff{SPEC_TEXT}",
        f"---\n{SPEC_TEXT}# The end.\n...\n",
        SPEC_TEXT.replace(
            "paths:\n", "x-type: &type {type: string}\nx-other: *type\n\npaths:\n", 1
        ),
    ],
    ids=["CRLF", "byte order mark", "document marks", "anchor"],
)
def test_the_form_of_the_text_is_kept(text: str, spec: Path) -> None:
    spec.write_bytes(text.encode())
    assert adopt(spec, published(), "get-contact") == 0
    new_lines = spec.read_bytes().decode().splitlines(keepends=True)
    lines = text.splitlines(keepends=True)
    remaining = iter(new_lines)
    assert all(line in remaining for line in lines)
    end = "\r\n" if "\r\n" in text else "\n"
    assert all(line.endswith(end) and line.count("\r") == end.count("\r") for line in new_lines)


def test_a_link_to_the_spec_and_its_mode_are_kept(spec: Path) -> None:
    spec.chmod(0o640)
    link = spec.parent / "link.yaml"
    link.symlink_to(spec)
    assert adopt(link, published(), "get-contact") == 0
    assert link.is_symlink()
    assert spec.stat().st_mode & 0o777 == 0o640
    assert "getContact" in spec.read_text(encoding="utf-8")
    assert not list(spec.parent.glob(".openapi*"))


def test_a_read_only_spec_is_left_unchanged(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.chmod(0o444)
    assert adopt(spec, published(), "get-contact") == 1
    assert spec.read_text(encoding="utf-8") == SPEC_TEXT
    assert f"{spec}: is read-only: make it writable" in capsys.readouterr().err


def test_a_missing_document_is_an_error(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert adopt(spec, spec.parent / "nowhere.json", "get-contact") == 1
    assert "nowhere.json: cannot be read" in capsys.readouterr().err


def test_the_list_shows_the_operations_that_contain_a_text(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(spec.parent, published())
    assert main(["--list", "DELETE", "--from", str(source.parent), "--spec", str(spec)]) == 0
    assert capsys.readouterr().out == (
        "delete-contact  DELETE /contacts/{contactId}  Delete Contact\n"
    )


def test_a_list_without_a_match_is_an_error(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = written(spec.parent, published())
    assert main(["--list", "nobody", "--from", str(source), "--spec", str(spec)]) == 1
    error = capsys.readouterr().err
    assert "contacts.json has no operation whose name, path or summary contains 'nobody'" in error


def test_a_name_in_several_documents_is_ambiguous(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(spec.parent, published())
    (source.parent / "people.json").write_text(source.read_text(), encoding="utf-8")
    assert adopt(spec, source.parent, "get-contact") == 1
    error = capsys.readouterr().err
    assert "several operations have this name" in error
    assert "people.json" in error


def test_operations_of_several_documents_get_names_of_their_own(spec: Path) -> None:
    source = written(spec.parent, published())
    other = json.loads(source.read_text().replace("/contacts/", "/people/"))
    other["components"]["schemas"]["ContactDto"]["properties"]["age"] = {"type": "integer"}
    (source.parent / "people.json").write_text(json.dumps(other), encoding="utf-8")
    assert adopt(spec, source.parent, "all") == 0
    data = adopted_data(spec)
    ids = [
        operation["operationId"] for item in data["paths"].values() for operation in item.values()
    ]
    assert ids == [
        "updateConversation",
        "getContact",
        "deleteContact",
        "peopleGetContact",
        "peopleDeleteContact",
    ]
    # The schema of the second document differs, and the version is the same.
    assert {"Contact", "PeopleContact"} <= set(data["components"]["schemas"])
    assert list(data["components"]["parameters"]) == ["Version", "Version20210415"]


def test_an_existing_spec_that_is_written_in_one_line_is_left_unchanged(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SPEC_TEXT.replace(
        "tags:\n  - name: Conversations\n"
        "    description: Conversations between a sub-account (a location) and its contacts.\n",
        "tags: [{name: Conversations}]\n",
    )
    assert text != SPEC_TEXT
    spec.write_text(text, encoding="utf-8")
    assert adopt(spec, published(), "get-contact") == 1
    assert spec.read_text(encoding="utf-8") == text
    assert "tags is not written as a block" in capsys.readouterr().err


def test_the_variables_of_make_name_the_operations(spec: Path) -> None:
    source = written(spec.parent, published())
    result = subprocess.run(
        [sys.executable, "-m", "adopt", "--spec", str(spec)],
        env={
            "PYTHONPATH": str(ROOT / "tools"),
            "OPERATION": "GET /contacts/{contactId} delete-contact",
            "FROM": str(source),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    assert list(adopted_data(spec)["paths"]["/contacts/{contactId}"]) == ["get", "delete"]


def test_an_open_quote_in_a_variable_of_make_is_an_error(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPERATION", "'get-contact")
    assert main(["--spec", str(spec)]) == 1
    assert "OPERATION='get-contact: No closing quotation" in capsys.readouterr().err


def test_without_an_operation_the_error_shows_an_example(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published()) == 1
    assert "make adopt OPERATION=search-conversation" in capsys.readouterr().err
