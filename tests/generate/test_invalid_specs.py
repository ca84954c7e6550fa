"""An invalid spec is rejected with file, line and reason, and the output stays unchanged."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from generate.__main__ import main
from generate.operations.resources import CLIENT_METHODS
from leadconnector import AsyncLeadConnector, LeadConnector
from leadconnector._generated.api import AsyncResources, Resources

from tests.generate.samples import SPEC_TEXT, edited, with_second_operation

VERSION = '        - $ref: "#/components/parameters/Version"\n'
PATHS = SPEC_TEXT[SPEC_TEXT.index("paths:\n") : SPEC_TEXT.index("components:\n")]


def with_enum(keyword: str) -> str:
    """The spec with a response property that has an enum."""
    return edited(
        (
            "        inbox:\n          type: boolean\n",
            f"        inbox:\n          type: string\n          enum: {keyword}\n",
        )
    )


def with_schemas(text: str) -> str:
    """The spec with more components."""
    return edited(("\n  schemas:\n", f"\n  schemas:\n{text}"))


@dataclass(frozen=True)
class InvalidSpec:
    """A spec that is rejected, and the expected error."""

    text: str
    reason: str
    """A part of the message."""
    at: str | None = None
    """A text of the spec. The error must name the line of its first occurrence."""


INVALID_SPECS = {
    "invalid YAML": InvalidSpec(SPEC_TEXT + "\nx-more: [never, closed\n", "does not parse"),
    "a tab for indentation": InvalidSpec(
        edited(("info:\n", "info:\n\ttitle: Tab\n")), "does not parse", "\ttitle"
    ),
    "a Swagger document": InvalidSpec(
        re.sub(r"(?m)^openapi: .*$", 'swagger: "2.0"', SPEC_TEXT),
        "#/swagger: this is a Swagger document",
        "swagger:",
    ),
    "a value of the wrong type": InvalidSpec(
        edited(("info:\n", "info:\n  contact: me\n")),
        "#/info/contact: the generator reports: Input should be a valid dictionary",
        "  contact: me",
    ),
    "an unsupported version of OpenAPI": InvalidSpec(
        edited(("openapi: 3", "openapi: 4")),
        "is no supported version of OpenAPI: write 3.0, 3.1 or 3.2",
        "openapi: 4",
    ),
    "a missing member": InvalidSpec(
        edited(("  title: LeadConnector\n", "")),
        "the generator reports: it is missing",
        "info:",
    ),
    "an invalid member of a list": InvalidSpec(
        edited(("tags:\n", "tags:\n  - just text\n")),
        "#/tags/0: the generator reports: Input should be a valid dictionary",
        "  - just text",
    ),
    "a duplicate key": InvalidSpec(
        edited(("  title: LeadConnector\n", "  title: LeadConnector\n  title: Again\n")),
        "duplicate key 'title'",
        "  title: Again",
    ),
    "a duplicate name of a tag": InvalidSpec(
        edited(("tags:\n", "tags:\n  - name: Team\n  - name: Other\n  - &again {name: Team}\n")),
        "duplicate tag 'Team'",
        "&again",
    ),
    "an anchor that contains itself": InvalidSpec(
        SPEC_TEXT + "x-loop: &loop\n  inner: *loop\n", "contains itself", "x-loop"
    ),
    "a broken reference that is used": InvalidSpec(
        edited(
            (
                '              $ref: "#/components/schemas/BadRequest"',
                '              $ref: "#/components/schemas/X"',
            )
        ),
        "'#/components/schemas/X' points to nothing",
        '              schema:\n                $ref: "#/components/schemas/X"',
    ),
    "a broken reference that nothing uses": InvalidSpec(
        with_schemas('    Unused:\n      $ref: "#/components/schemas/Nowhere"\n'),
        "'#/components/schemas/Nowhere' points to nothing",
        "    Unused:",
    ),
    "a loop of references": InvalidSpec(
        with_schemas(
            '    Hen:\n      $ref: "#/components/schemas/Egg"\n'
            '    Egg:\n      $ref: "#/components/schemas/Hen"\n'
        ),
        "leads back to itself",
        "    Hen:",
    ),
    "a reference to a file that does not exist": InvalidSpec(
        edited(
            (
                '                $ref: "#/components/schemas/BadRequest"',
                '                $ref: "models.yaml#/BadRequest"',
            )
        ),
        "the reference 'models.yaml#/BadRequest' cannot be followed",
        '              schema:\n                $ref: "models.yaml',
    ),
    "const in the version header": InvalidSpec(
        edited(
            (
                '      enum: ["2021-07-28"]\n      x-enum-varnames: [V2021_07_28]\n',
                '      const: "2021-07-28"\n',
            )
        ),
        "not allowed in header",
        "    put:",
    ),
    "no operation": InvalidSpec(
        SPEC_TEXT.replace(PATHS, "paths: {}\n"), "no operation", "paths: {}"
    ),
    "an operation that is not a mapping": InvalidSpec(
        SPEC_TEXT.replace(PATHS, "paths:\n  /contacts:\n    get: text\n"),
        "must be a mapping",
        "    get: text",
    ),
    "a duplicate operationId": InvalidSpec(
        with_second_operation("updateConversation"),
        "duplicate operationId 'updateConversation'",
        "      operationId: updateConversation\n      tags: [Conversations]\n"
        "      parameters:\n        - {name",
    ),
    "two operationIds with the same Python name": InvalidSpec(
        with_second_operation("update_conversation"),
        "same Python name as 'updateConversation'",
        "      operationId: update_conversation",
    ),
    "a parameter declared with content": InvalidSpec(
        edited(
            (
                '      schema:\n        $ref: "#/components/schemas/ApiVersion"',
                "      content:\n        application/json:\n          schema: {type: string}",
            )
        ),
        "Parameter has no schema",
        "    Version:\n      name: Version",
    ),
    "an enum value whose Python name belongs to the previous one": InvalidSpec(
        edited(("        - TYPE_SMS\n", "        - TYPE-CALL\n        - TYPE_SMS\n")),
        "the enum value 'TYPE-CALL' gets the Python name TYPE_CALL, as 'TYPE_CALL' in line 200"
        " does: list a name for each value in x-enum-varnames",
        "        - TYPE-CALL",
    ),
    "enum values that differ in case": InvalidSpec(
        with_enum("[ab, AB]"), "'AB' gets the Python name AB, as 'ab' in line", "enum: [ab, AB]"
    ),
    "enum values that differ in a separator": InvalidSpec(
        with_enum("[a-b, x, a_b]"), "'a_b' gets the Python name A_B, as 'a-b'", "enum: [a-b, x"
    ),
    "an enum value with the name of a value without letters": InvalidSpec(
        with_enum("[value_1, '1']"), "'1' gets the Python name VALUE_1, as 'value_1'", "enum: [val"
    ),
    "enum values with too few names": InvalidSpec(
        with_enum("[ab, AB, c]\n          x-enum-varnames: [X, Y]"),
        "list a name for each value in x-enum-varnames",
        "enum: [ab, AB, c]",
    ),
    "names of enum values that collide": InvalidSpec(
        with_enum("[a, b]\n          x-enum-varnames: [X_Y, x-y]"),
        "'b' gets the Python name X_Y, as 'a'",
        "enum: [a, b]",
    ),
    "a duplicate name of an enum value": InvalidSpec(
        edited(
            (
                'enum: ["2021-07-28"]\n      x-enum-varnames: [V2021_07_28]',
                "enum: [a, b]\n      x-enum-varnames: [A, A]",
            )
        ),
        'duplicate "A" in x-enum-varnames',
        "      x-enum-varnames",
    ),
    "a duplicate type": InvalidSpec(
        edited(("          type: boolean\n", "          type: [boolean, boolean]\n")),
        'duplicate "boolean" in type',
        "          type: [boolean, boolean]",
    ),
    "a duplicate parameter": InvalidSpec(
        edited((VERSION, f"{VERSION}        - {{name: version, in: header, schema: {{}}}}\n")),
        "duplicate header parameter 'version', already in line 40",
        "        - {name: version",
    ),
    "a parameter's enum value whose Python name belongs to another": InvalidSpec(
        edited(
            (
                VERSION,
                f"{VERSION}        - name: q\n          in: query\n          schema:\n"
                "            type: string\n            enum:\n"
                "              - a-b\n              - a b\n",
            )
        ),
        "'a b' gets the Python name A_B, as 'a-b'",
        "              - a b",
    ),
    "an enum value with the Python name of the previous one": InvalidSpec(
        edited(("        - TYPE_CALL\n", "        - TYPE-CALL\n        - TYPE_CALL\n")),
        "'TYPE_CALL' gets the Python name TYPE_CALL, as 'TYPE-CALL'",
        "        - TYPE_CALL",
    ),
    "an operation without a success response": InvalidSpec(
        edited(('        "200":\n', '        "303":\n')),
        "no response of status 2XX",
        "      responses:",
    ),
    "a response with an impossible status": InvalidSpec(
        edited(('        "400":\n', '        "soon":\n')),
        "Invalid response status code",
        "    put:",
    ),
    "a path without its parameter": InvalidSpec(
        edited(("  /conversations/{conversationId}:", "  /conversations/{other}:")),
        "do not match with path",
        "    put:",
    ),
    "a schema of an unknown type": InvalidSpec(
        edited(("          type: boolean\n", "          type: yes-or-no\n")),
        "starred/type: the generator reports: Input should be 'string'",
    ),
    "an error with the name of an import of the generated code": InvalidSpec(
        edited(
            ("/components/schemas/BadRequest", "/components/schemas/Operation"),
            ("    BadRequest:\n", "    Operation:\n"),
        ),
        "'Operation' has two meanings",
        "    Operation:",
    ),
    "a success with the name of an import of the generated code": InvalidSpec(
        edited(
            ("/components/schemas/UpdateConversationResponse", "/components/schemas/Session"),
            ("    UpdateConversationResponse:\n", "    Session:\n"),
        ),
        "'Session' has two meanings",
        "    Session:",
    ),
    "an error with the name of a constant of the generated code": InvalidSpec(
        edited(
            ("/components/schemas/BadRequest", "/components/schemas/OPERATION"),
            ("    BadRequest:\n", "    OPERATION:\n"),
        ),
        "'OPERATION' has two meanings",
        "    OPERATION:",
    ),
    "a schema with the name of a type variable of the generated code": InvalidSpec(
        edited(
            ("/components/schemas/BadRequest", "/components/schemas/T"),
            ("    BadRequest:\n", "    T:\n"),
        ),
        "'T' has two meanings",
        "    T:",
    ),
    "a tag that would hide a method of the client": InvalidSpec(
        edited(("      tags: [Conversations]\n", "      tags: [close]\n")),
        "hide the client's own method",
        "      tags: [close]",
    ),
    "a tag that would hide the client's request": InvalidSpec(
        edited(("      tags: [Conversations]\n", "      tags: [request]\n")),
        "hide the client's own method",
        "      tags: [request]",
    ),
    "an operation that would hide the raw responses": InvalidSpec(
        edited(("operationId: updateConversation\n", "operationId: withRawResponse\n")),
        "'with_raw_response', which every resource has already",
        "      operationId: withRawResponse",
    ),
    "a tag that would hide the state of the rate limit": InvalidSpec(
        edited(("      tags: [Conversations]\n", "      tags: [Rate Limit]\n")),
        "hide the client's own method",
        "      tags: [Rate Limit]",
    ),
    "an operationId with a line break": InvalidSpec(
        edited(
            (
                "      operationId: updateConversation\n",
                '      operationId: "update\\nConversation"\n',
            )
        ),
        "must be printable",
        "      operationId:",
    ),
    "a property with a control character in its name": InvalidSpec(
        edited(("        inbox:\n", '        "in\\x01box":\n')),
        "dropped a control character of the property name 'in\\x01box'",
        '        "in',
    ),
    "an enum value with a control character": InvalidSpec(
        edited(("        - TYPE_SMS\n", '        - "TYPE\\x01_SMS"\n')),
        "control character",
        '        - "TYPE',
    ),
    "a top level that is not a mapping": InvalidSpec("- openapi: 3.1.0\n", "not a mapping"),
    "an empty file": InvalidSpec("", "not a mapping"),
}


@pytest.mark.parametrize("name", INVALID_SPECS)
def test_an_invalid_spec_is_rejected_and_leaves_the_output_unchanged(
    name: str,
    tmp_path: Path,
    output: Path,
    is_unchanged: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    invalid = INVALID_SPECS[name]
    assert invalid.text != SPEC_TEXT
    spec = tmp_path / "bad.yaml"
    spec.write_text(invalid.text, encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(output)]) == 1
    messages = capsys.readouterr()
    assert messages.out == ""
    assert invalid.reason in messages.err
    assert str(spec) in messages.err
    assert "is unchanged." in messages.err.splitlines()[-1]
    if invalid.at is not None:
        line = invalid.text[: invalid.text.index(invalid.at)].count("\n") + 1
        assert f"{spec}:{line}:" in messages.err
    assert is_unchanged()


@pytest.mark.parametrize("values", ["[ab, AB]", "[a-b, a_b]", "[value_1, '1']"])
def test_enum_values_with_names_of_their_own_are_generated(values: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    names = "\n          x-enum-varnames: [FIRST, SECOND]"
    spec.write_text(with_enum(values + names), encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(tmp_path / "generated")]) == 0
    sources = [path.read_text("utf-8") for path in tmp_path.glob("generated/models/*.py")]
    assert len([source for source in sources if "SECOND = " in source]) == 1


def test_invalid_yaml_is_reported_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "bad.yaml"
    spec.write_text("openapi: 3.1.0\ninfo: {title: [}\n", encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(tmp_path / "generated")]) == 1
    assert f"{spec}:2: does not parse" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["bad.yaml"]


def write_nothing(path: Path) -> None:
    assert not path.exists()


def write_utf_16(path: Path) -> None:
    path.write_bytes(SPEC_TEXT.encode("utf-16"))


@pytest.mark.parametrize(
    "create", [write_nothing, Path.mkdir, write_utf_16], ids=["missing", "a folder", "UTF-16"]
)
def test_an_unreadable_spec_is_reported_and_leaves_the_output_unchanged(
    create: Callable[[Path], None],
    tmp_path: Path,
    output: Path,
    is_unchanged: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = tmp_path / "unreadable.yaml"
    create(spec)
    assert main(["--spec", str(spec), "--output", str(output)]) == 1
    assert re.search(rf"{re.escape(str(spec))}(:1)?: cannot be read", capsys.readouterr().err)
    assert is_unchanged()


def test_a_missing_spec_creates_no_output(tmp_path: Path) -> None:
    assert (
        main(["--spec", str(tmp_path / "nowhere.yaml"), "--output", str(tmp_path / "generated")])
        == 1
    )
    assert os.listdir(tmp_path) == []


def test_aliases_that_expand_exponentially_are_rejected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["x-0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    spec = tmp_path / "bomb.yaml"
    spec.write_text("\n".join([SPEC_TEXT, *lines]), encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(tmp_path / "generated")]) == 1
    assert "aliases" in capsys.readouterr().err


def test_no_tag_can_hide_a_public_method_of_a_client() -> None:
    for client, resources in ((LeadConnector, Resources), (AsyncLeadConnector, AsyncResources)):
        names = {name for name in dir(client) if not name.startswith("_")}
        assert names - set(dir(resources)) <= CLIENT_METHODS


INBOX = "        inbox:\n          type: boolean\n"


def generation_errors(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of the error for a spec, without that about the output."""
    spec = folder / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(folder / "generated")]) == 1
    *errors, conclusion = capsys.readouterr().err.splitlines()
    assert conclusion.endswith("is unchanged.")
    return errors


def line_numbers(errors: list[str]) -> list[int]:
    """The line of the spec that each error names."""
    return [int(re.findall(r"spec\.yaml:(\d+): #/", error)[0]) for error in errors]


def test_all_problems_are_reported_in_one_run_in_the_order_of_the_spec(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = edited(
        ("info:\n", "info:\n  contact: me\n"),
        ("tags:\n", "tags:\n  - name: Twice\n  - name: Twice\n"),
        ("operationId: updateConversation", "operationId: [not, text]"),
        (
            INBOX,
            f"{INBOX}          prefixItems: []\n          $dynamicRef: a\n",
        ),
        ("    Unauthorized:\n", "    Unauthorized:\n      x-role: unheard-of\n"),
    )
    errors = generation_errors(text, tmp_path, capsys)
    for problem in (
        "Input should be a valid dictionary",
        "duplicate tag 'Twice'",
        "an operationId must be printable text",
        "prefixItems has no equivalent",
        "$dynamicRef has no equivalent",
        "x-role 'unheard-of'",
    ):
        assert sum(problem in error for error in errors) == 1, problem
    assert len(errors) == 6
    assert line_numbers(errors) == sorted(line_numbers(errors))


def test_all_broken_references_are_reported_before_what_they_could_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = edited(
        ("#/components/schemas/BadRequest", "#/components/schemas/X"),
        ("#/components/parameters/Version", "#/components/parameters/Y"),
        (INBOX, f"{INBOX}          first: 1\n"),
    )
    errors = generation_errors(text, tmp_path, capsys)
    assert [re.findall("'(#/.*?)'", error) for error in errors] == [
        ["#/components/parameters/Y"],
        ["#/components/schemas/X"],
    ]


def test_all_malformed_operations_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = edited(("paths:\n", "paths:\n  /a: 1\n  /b: {get: [], post: text}\n"))
    errors = generation_errors(text, tmp_path, capsys)
    assert [error.rpartition(": ")[2] for error in errors] == [
        "a path item must be a mapping",
        "an operation must be a mapping",
        "an operation must be a mapping",
    ]


@pytest.mark.parametrize(
    "keywords",
    [
        ("type: integer", "default: many"),
        ("type: string", "format: date", "default: never"),
    ],
)
def test_an_error_of_the_generator_names_the_cause_first_and_always_alike(
    keywords: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(f"          {keyword}\n" for keyword in keywords)
    text = edited((INBOX, f"        inbox:\n{lines}"))
    errors = generation_errors(text, tmp_path, capsys)
    assert "#/components/schemas/Conversation: the generator reports" in errors[0]
    assert "put: the generator reports" in errors[1]
    assert all(line_numbers(errors))
    assert " at 0x" not in "".join(errors)
    assert "<class" not in "".join(errors)


def test_all_losses_of_the_generator_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lossy = 'type: string\n          enum: ["a\\x01", "b\\x02"]'
    text = edited((INBOX, f"        inbox:\n          {lossy}\n"))
    errors = generation_errors(text, tmp_path, capsys)
    assert ["control character" in error for error in errors] == [True, True]
