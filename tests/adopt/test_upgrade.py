"""`make adopt … UPGRADE=1` takes over what changed in a published operation, and nothing else."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
from adopt.__main__ import main
from generate.__main__ import main as generate

from tests.adopt.contacts import (
    COMMON,
    Json,
    adopt,
    adopted_data,
    published,
    response,
    upgrade,
    written,
)

GET = "GET /contacts/{contactId}"


def two_operations() -> Json:
    """A document with a second operation, `list-contacts`, that returns contacts too."""
    document = published()
    document["paths"]["/contacts/"] = {
        "get": {
            "operationId": "list-contacts",
            "summary": "Contacts",
            "security": [{"Location-Access": []}],
            "responses": response("ContactDto"),
        }
    }
    return document


def with_age(document: Json) -> Json:
    """The document with one more property of a contact."""
    properties = document["components"]["schemas"]["ContactDto"]["properties"]
    properties["age"] = {"type": "integer"}
    return document


def with_kind(values: list[str]) -> Json:
    """A document whose `get-contact` has a query parameter with an enum, a component."""
    document = published()
    document["components"]["schemas"]["Kind"] = {"type": "string", "enum": values}
    schema = {"$ref": "#/components/schemas/Kind"}
    operation = document["paths"]["/contacts/{contactId}"]["get"]
    operation["parameters"].append({"name": "kind", "in": "query", "schema": schema})
    return document


def edit(spec: Path, *replacements: tuple[str, str]) -> str:
    """Replace texts of the spec. Return the new text."""
    text = spec.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    spec.write_text(text, encoding="utf-8")
    return text


def line_difference(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that were removed, and those that were added."""
    old_lines = before.splitlines()
    new_lines = after.splitlines()
    return (
        [line for line in old_lines if line not in new_lines],
        [line for line in new_lines if line not in old_lines],
    )


def test_an_upgrade_changes_only_the_lines_of_what_changed(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    before = edit(spec, ("        tags:\n", "        # In no order.\n        tags: # all\n"))
    capsys.readouterr()
    assert upgrade(spec, with_age(published()), "get-contact") == 0
    after = spec.read_text(encoding="utf-8")
    added = "          items: {}\n        age:\n          type: integer\n"
    assert after == before.replace("          items: {}\n", added)
    output = capsys.readouterr().out
    assert f"upgraded: {GET}" in output
    assert f"differs: INFO {GET}: The response 200, at `age`, was added." in output


def test_an_upgrade_without_a_difference_changes_nothing(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    before = spec.read_bytes()
    modified = spec.stat().st_mtime_ns
    capsys.readouterr()
    assert upgrade(spec, published(), "get-contact") == 0
    assert spec.read_bytes() == before
    assert spec.stat().st_mtime_ns == modified
    assert capsys.readouterr().out == f"already up to date: {GET}\n"


def test_an_upgrade_is_complete_after_one_run(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    assert upgrade(spec, with_age(published()), "get-contact") == 0
    capsys.readouterr()
    assert upgrade(spec, with_age(published()), "get-contact") == 0
    assert capsys.readouterr().out == f"already up to date: {GET}\n"


def test_an_upgrade_gives_what_a_new_adoption_gives(spec: Path, tmp_path: Path) -> None:
    fresh_spec = tmp_path / "fresh.yaml"
    fresh_spec.write_bytes(spec.read_bytes())
    document = with_age(published())
    operation = document["paths"]["/contacts/{contactId}"]["get"]
    operation["parameters"].append({"name": "q", "in": "query", "schema": {"type": "string"}})
    operation["responses"]["404"] = {"description": "Not Found"}
    del operation["responses"]["400"]
    del document["components"]["schemas"]["ContactDto"]["properties"]["parent"]
    assert adopt(spec, published(), "get-contact") == 0
    assert upgrade(spec, document, "get-contact") == 0
    assert adopt(fresh_spec, document, "get-contact") == 0
    assert adopted_data(spec) == adopted_data(fresh_spec)


def test_an_upgrade_replaces_what_was_edited_and_lists_the_place(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    before = edit(
        spec,
        ("summary: Get Contact", "summary: Our text"),
        ('type: [string, "null"]', "type: integer"),
    )
    capsys.readouterr()
    assert upgrade(spec, published(), "get-contact") == 0
    output = capsys.readouterr().out
    assert f"differs: ERR {GET}: The response 200, at `name`" in output
    line = before.splitlines().index("      summary: Our text") + 1
    place = "paths./contacts/{contactId}.get.summary"
    assert f"replaced: {place} (was openapi.yaml:{line})" in output
    assert "replaced: components.schemas.Contact.properties.name.type (was" in output
    assert "Our text" not in spec.read_text(encoding="utf-8")


def test_without_the_option_an_edited_text_is_up_to_date(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    before = edit(spec, ("summary: Get Contact", "summary: Our text"))
    capsys.readouterr()
    assert adopt(spec, published(), "get-contact") == 0
    assert spec.read_text(encoding="utf-8") == before
    output = capsys.readouterr().out
    assert output == f"already up to date, except for texts or examples: {GET}\n"


def test_an_upgrade_keeps_names_tags_extensions_and_added_texts(spec: Path) -> None:
    document = published()
    enum = {"type": "string", "enum": ["a", "b"]}
    document["components"]["schemas"]["ContactDto"]["properties"]["kind"] = enum
    assert adopt(spec, document, "get-contact") == 0
    edit(
        spec,
        ("operationId: getContact", "operationId: readContact"),
        ("tags: [Contacts]", "tags: [Conversations]"),
        ('schemas/Contact"', 'schemas/Person"'),
        ("    Contact:\n", "    # Ours.\n    Person:\n      description: A person.\n"),
        (
            "          enum: [a, b]\n",
            "          enum: [a, b]\n          x-enum-varnames: [ONE, TWO]\n",
        ),
        ("x-role: rate-limit-key\n", "x-role: rate-limit-key\n          x-note: 1\n"),
    )
    enum["enum"] = ["b", "c d", "a"]
    assert upgrade(spec, with_age(document), "get-contact") == 0
    data = adopted_data(spec)
    operation = data["paths"]["/contacts/{contactId}"]["get"]
    assert operation["operationId"] == "readContact"
    assert operation["tags"] == ["Conversations"]
    assert operation["parameters"][2]["x-note"] == 1
    person = data["components"]["schemas"]["Person"]
    assert person["description"] == "A person."
    assert "age" in person["properties"]
    kind = person["properties"]["kind"]
    assert dict(zip(kind["enum"], kind["x-enum-varnames"], strict=True)) == {
        "a": "ONE",
        "b": "TWO",
        "c d": "C_D",
    }
    assert "Contact" not in data["components"]["schemas"]
    assert "    # Ours.\n    Person:\n" in spec.read_text(encoding="utf-8")


def test_a_changed_component_that_another_operation_uses_stays_beside_a_new_one(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, two_operations(), "get-contact", "list-contacts") == 0
    before = edit(spec, ("        tags:\n", "        tags:\n          x-note: ours\n"))
    capsys.readouterr()
    assert upgrade(spec, with_age(two_operations()), "get-contact") == 0
    schemas = adopted_data(spec)["components"]["schemas"]
    assert "age" not in schemas["Contact"]["properties"]
    assert "age" in schemas["ContactsContact"]["properties"]
    assert schemas["ContactsContact"]["properties"]["tags"]["x-note"] == "ours"
    line = before.splitlines().index("    Contact:") + 1
    output = capsys.readouterr().out
    assert (
        f"separate: ContactsContact is published here in place of Contact ({spec}:{line}),"
        " which stays for GET /contacts/"
    ) in output
    assert upgrade(spec, with_age(two_operations()), "get-contact") == 0
    assert capsys.readouterr().out == f"already up to date: {GET}\n"


def test_a_shared_error_that_only_one_document_changed_becomes_a_new_component(
    spec: Path,
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    before = adopted_data(spec)["components"]["schemas"]["BadRequest"]
    document = published()
    error = deepcopy(COMMON["components"]["schemas"]["BadRequestDTO"])
    error["properties"]["traceId"] = {"type": "string"}
    document["components"]["schemas"]["BadRequestDTO"] = error
    operation = document["paths"]["/contacts/{contactId}"]["get"]
    operation["responses"].update(response("BadRequestDTO", "400"))
    assert upgrade(spec, document, "get-contact") == 0
    schemas = adopted_data(spec)["components"]["schemas"]
    assert schemas["BadRequest"] == before
    assert "traceId" in schemas["ContactsBadRequest"]["properties"]


def test_roles_of_an_inline_schema_move_into_the_component_that_replaces_it(spec: Path) -> None:
    page: Json = {"type": "object", "properties": {"found": {"type": "array", "items": {}}}}
    document = published()
    operation = document["paths"]["/contacts/{contactId}"]["get"]
    content = operation["responses"]["200"]["content"]["application/json"]
    content["schema"] = page
    assert adopt(spec, document, "get-contact") == 0
    edit(
        spec,
        (f"{' ' * 18}found:\n", f"{' ' * 18}found:\n{' ' * 20}x-note: 1\n"),
    )
    document["components"]["schemas"]["Page"] = page
    content["schema"] = {"$ref": "#/components/schemas/Page"}
    assert upgrade(spec, document, "get-contact") == 0
    schemas = adopted_data(spec)["components"]["schemas"]
    assert schemas["Page"]["properties"]["found"]["x-note"] == 1


@pytest.mark.parametrize("values", [["a"], ["a", "b"]])
def test_a_component_of_the_author_is_kept_where_the_vendor_writes_it_inline(
    values: list[str], spec: Path
) -> None:
    assert adopt(spec, with_kind(["a"]), "get-contact") == 0
    edit(spec, ("      enum: [a]\n", "      enum: [a]\n      x-enum-varnames: [FIRST]\n"))
    document = with_kind(values)
    kind = document["components"]["schemas"].pop("Kind")
    document["paths"]["/contacts/{contactId}"]["get"]["parameters"][-1]["schema"] = kind
    assert upgrade(spec, document, "get-contact") == 0
    data = adopted_data(spec)
    parameter = data["paths"]["/contacts/{contactId}"]["get"]["parameters"][-1]
    assert parameter["schema"] == {"$ref": "#/components/schemas/Kind"}
    schema = data["components"]["schemas"]["Kind"]
    assert schema["enum"] == values
    assert schema["x-enum-varnames"] == ["FIRST", "B"][: len(values)]


def test_all_users_of_a_component_can_be_upgraded_together(spec: Path) -> None:
    assert adopt(spec, two_operations(), "get-contact", "list-contacts") == 0
    assert upgrade(spec, with_age(two_operations()), "get-contact", "list-contacts") == 0
    schemas = adopted_data(spec)["components"]["schemas"]
    assert "age" in schemas["Contact"]["properties"]
    assert "ContactsContact" not in schemas


def test_a_changed_component_that_a_webhook_uses_stays(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    edit(spec, ('schemas/ConversationUnreadUpdate"', 'schemas/Contact"'))
    assert upgrade(spec, with_age(published()), "get-contact") == 0
    assert "which stays for the webhook ConversationUnreadUpdate" in capsys.readouterr().out


def test_a_component_that_nothing_uses_any_more_is_removed(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    document = published()
    document["components"]["schemas"]["ContactDto"] = {"type": "object"}
    operation = document["paths"]["/contacts/{contactId}"]["get"]
    del operation["parameters"][0]
    assert upgrade(spec, document, "get-contact") == 0
    components = adopted_data(spec)["components"]
    assert "ContactsConversation" not in components["schemas"]
    assert "BadRequest" in components["schemas"]
    assert list(components["parameters"]) == ["Version"]
    output = capsys.readouterr().out
    assert "removed components: Version20210415, ApiVersion20210415, ContactsConversation" in output
    assert "\n\n\n" not in spec.read_text(encoding="utf-8")


def test_a_client_of_the_upgraded_spec_is_generated(spec: Path, tmp_path: Path) -> None:
    assert adopt(spec, two_operations(), "all") == 0
    document = with_age(two_operations())
    document["paths"]["/contacts/"]["get"]["parameters"] = [
        {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    ]
    assert upgrade(spec, document, "all") == 0
    output = tmp_path / "generated"
    assert generate(["--spec", str(spec), "--output", str(output)]) == 0
    assert "age:" in (output / "models" / "contact.py").read_text(encoding="utf-8")


def test_an_upgrade_that_generation_would_reject_leaves_the_spec_unchanged(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    before = spec.read_text(encoding="utf-8")
    document = published()
    document["components"]["schemas"]["ContactDto"]["properties"]["name"]["prefixItems"] = []
    assert upgrade(spec, document, "get-contact") == 1
    assert spec.read_text(encoding="utf-8") == before
    assert "prefixItems has no equivalent" in capsys.readouterr().err


def test_new_and_existing_operations_can_be_adopted_in_one_run(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    capsys.readouterr()
    assert upgrade(spec, with_age(two_operations()), "all") == 0
    output = capsys.readouterr().out
    assert f"upgraded: {GET}" in output
    assert "added: GET /contacts/: listContacts" in output
    assert "ContactsContact" not in adopted_data(spec)["components"]["schemas"]


def test_the_variable_of_make_asks_for_an_upgrade(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    source = str(written(spec.parent, with_age(published())))
    arguments = ["get-contact", "--from", source, "--spec", str(spec)]
    monkeypatch.setenv("UPGRADE", "yes")
    assert main(arguments) == 1
    assert "UPGRADE is neither 0 nor 1" in capsys.readouterr().err
    monkeypatch.setenv("UPGRADE", "1")
    assert main(arguments) == 0
    assert "age" in adopted_data(spec)["components"]["schemas"]["Contact"]["properties"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    Contact:\n      type: object\n", "    Contact: &contact\n      type: object\n"),
        ("        tags:\n          type: array\n", "        tags:\n          type: &t array\n"),
    ],
)
def test_a_part_with_an_anchor_is_not_rewritten(
    old: str, new: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    before = edit(spec, (old, new))
    assert upgrade(spec, with_age(published()), "get-contact") == 1
    assert spec.read_text(encoding="utf-8") == before
    error = capsys.readouterr().err
    assert "components.schemas.Contact has an anchor or alias" in error


def test_a_part_in_another_file_is_not_rewritten(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopt(spec, published(), "get-contact") == 0
    text = spec.read_text(encoding="utf-8")
    start = text.index("    Contact:\n")
    end = text.index("    ContactsConversation:\n")
    (spec.parent / "contact.yaml").write_text(
        "type: object\nproperties:\n  name:\n    type: string\n", encoding="utf-8"
    )
    before = text[:start] + "    Contact:\n      $ref: contact.yaml\n\n" + text[end:]
    spec.write_text(before, encoding="utf-8")
    assert upgrade(spec, with_age(published()), "get-contact") == 1
    assert spec.read_text(encoding="utf-8") == before
    assert "is written in another file" in capsys.readouterr().err


KIND_PARTS = {
    "another file": ("filters.yaml#/Kind", "filters.yaml:1: components.schemas.Kind"),
    "a part of a component": (
        "#/components/schemas/Thing/properties/kind",
        "components.schemas.kind",
    ),
}


@pytest.mark.parametrize("place", KIND_PARTS)
@pytest.mark.parametrize("has_other_changes", [False, True])
def test_a_changed_part_that_the_spec_refers_to_is_an_error_that_names_it(
    place: str, has_other_changes: bool, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference, message = KIND_PARTS[place]
    document = with_kind(["a"])
    assert adopt(spec, document, "get-contact") == 0
    (spec.parent / "filters.yaml").write_text(
        "Kind:\n  type: string\n  enum: [a]\n", encoding="utf-8"
    )
    thing = "    Thing:\n      properties:\n        kind: {type: string, enum: [a]}\n\n"
    before = edit(
        spec,
        ('"#/components/schemas/Kind"', f'"{reference}"'),
        ("    Kind:\n      type: string\n      enum: [a]\n", ""),
        ("    Contact:\n", f"{thing}    Contact:\n"),
    )
    changed = with_kind(["a", "b"])
    if has_other_changes:
        operation = changed["paths"]["/contacts/{contactId}"]["get"]
        operation["summary"] = "Another summary"
    capsys.readouterr()
    assert upgrade(spec, changed, "get-contact") == 1
    assert spec.read_text(encoding="utf-8") == before
    error = capsys.readouterr().err
    assert message in error
    assert "differs from what is published" in error


def test_an_operation_that_refers_to_another_file_is_upgraded_elsewhere(spec: Path) -> None:
    assert adopt(spec, with_kind(["a"]), "get-contact") == 0
    (spec.parent / "filters.yaml").write_text(
        "Kind:\n  type: string\n  enum: [a]\n", encoding="utf-8"
    )
    edit(
        spec,
        ('"#/components/schemas/Kind"', '"filters.yaml#/Kind"'),
        ("    Kind:\n      type: string\n      enum: [a]\n", ""),
    )
    changed = with_kind(["a"])
    changed["paths"]["/contacts/{contactId}"]["get"]["summary"] = "Another summary"
    assert upgrade(spec, changed, "get-contact") == 0
    text = spec.read_text(encoding="utf-8")
    assert "summary: Another summary" in text
    assert "filters.yaml#/Kind" in text
