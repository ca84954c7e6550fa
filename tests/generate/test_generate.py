"""Generation gives what is committed, wherever it runs; where something is wrong, it says so and writes nothing."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from generate.__main__ import main

from tests.support.paths import ROOT

SPEC = ROOT / "spec" / "openapi.yaml"
TEXT = SPEC.read_text(encoding="utf-8")

PATHS = TEXT[TEXT.index("paths:\n") : TEXT.index("components:\n")]
SECOND_OPERATION = """\
  /contacts/{{contactId}}:
    get:
      operationId: {operation_id}
      tags: [Conversations]
      parameters:
        - {{name: contactId, in: path, required: true, schema: {{type: string}}}}
      responses:
        "204":
          description: Nothing

components:
"""


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, byte for byte, but for Python's own."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def identities(folder: Path) -> dict[str, tuple[int, int]]:
    """What changes when a file is written or replaced, even by the same content."""
    found = {
        path: path.stat()
        for path in [folder, *folder.rglob("*")]
        if "__pycache__" not in path.parts
    }
    return {
        str(path): (stat.st_ino, stat.st_mtime_ns * path.is_file()) for path, stat in found.items()
    }


def edited(*edits: tuple[str, str]) -> str:
    """The spec's text with edits, each of which must apply."""
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A folder where an earlier run has left something, alone in its parent."""
    folder = tmp_path / "place" / "generated"
    (folder / "models").mkdir(parents=True)
    (folder / "contract.json").write_bytes(b"{}")
    (folder / "marker.txt").write_bytes(b"what an earlier run has left\n")
    (folder / "models" / "marker.py").write_bytes(b"VALUE = 1\n")
    return folder


@pytest.fixture(name="is_as_it_was")
def whether_it_is_as_it_was(output: Path) -> Callable[[], bool]:
    """Whether that folder is untouched, and nothing is left beside it."""
    before = contents(output), identities(output)
    return lambda: (
        (contents(output), identities(output)) == before
        and os.listdir(output.parent) == ["generated"]
    )


# What comes out


def test_generating_gives_byte_for_byte_what_is_committed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--output", str(tmp_path / "generated")]) == 0
    made = contents(tmp_path / "generated")
    assert "models/conversation.py" in made
    assert made == contents(ROOT / "generated")
    assert os.listdir(tmp_path) == ["generated"]
    assert f"changed ({len(made)} files)" in capsys.readouterr().out


def test_a_second_run_replaces_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "generated"
    assert main(["--output", str(output)]) == 0
    before = identities(output)
    capsys.readouterr()
    assert main(["--output", str(output)]) == 0
    assert identities(output) == before
    assert capsys.readouterr().out.rstrip().endswith("generated: up to date")


def test_what_was_there_before_is_replaced_as_a_whole(output: Path) -> None:
    assert main(["--output", str(output)]) == 0
    assert contents(output) == contents(ROOT / "generated")
    assert os.listdir(output.parent) == ["generated"]


def test_what_the_spec_no_longer_has_is_removed(tmp_path: Path) -> None:
    longer, output = tmp_path / "longer.yaml", tmp_path / "generated"
    longer.write_text(
        edited(("components:\n", SECOND_OPERATION.format(operation_id="getContact"))),
        encoding="utf-8",
    )
    assert main(["--spec", str(longer), "--output", str(output)]) == 0
    assert (output / "api" / "conversations" / "get_contact.py").exists()
    assert main(["--output", str(output)]) == 0
    assert contents(output) == contents(ROOT / "generated")


def test_a_symbolic_link_to_the_output_stays_a_link(tmp_path: Path, output: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(output)
    assert main(["--output", str(link)]) == 0
    assert link.is_symlink()
    assert contents(output) == contents(ROOT / "generated")


def hostile_to_formatting(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    settings = 'line-length = 40\n[format]\nquote-style = "single"\nindent-style = "tab"\n'
    (folder / "ruff.toml").write_text(settings, encoding="utf-8")
    (folder / ".ruff.toml").write_text(settings, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[tool.ruff]\nline-length = 40\nexclude = ["*"]\n[tool.ruff.format]\nquote-style = "single"\n',
        encoding="utf-8",
    )


def test_ruff_settings_around_the_output_or_the_working_directory_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (
        tmp_path,
        tmp_path / "place",
        tmp_path / "elsewhere",
        tmp_path / "settings" / "ruff",
    ):
        hostile_to_formatting(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("RUFF_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["--output", str(tmp_path / "place" / "generated")]) == 0
    assert contents(tmp_path / "place" / "generated") == contents(ROOT / "generated")


def test_those_ruff_settings_would_change_the_output_if_they_were_heeded(tmp_path: Path) -> None:
    hostile_to_formatting(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    config = tmp_path / "config.yaml"
    config.write_text("post_hooks:\n  - ruff format .\n", encoding="utf-8")
    assert main(["--config", str(config), "--output", str(tmp_path / "generated")]) == 0
    assert b"'" in contents(tmp_path / "generated")["models/__init__.py"]
    assert b"'" not in contents(ROOT / "generated")["models/__init__.py"]


def test_another_ruff_that_comes_first_on_the_path_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "bin" / "ruff"
    other.parent.mkdir()
    other.write_text(f"#!/bin/sh\ntouch {tmp_path}/used\n", encoding="utf-8")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent), prepend=os.pathsep)
    assert main(["--output", str(tmp_path / "generated")]) == 0
    assert contents(tmp_path / "generated") == contents(ROOT / "generated")
    assert not (tmp_path / "used").exists()


def test_another_working_directory_a_relative_output_and_a_plain_locale_change_nothing(
    tmp_path: Path,
) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "tools"),
        "PYTHONHASHSEED": "1",
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
        "TZ": "Asia/Kathmandu",
    }
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "generate", "--output", "made"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert contents(tmp_path / "made") == contents(ROOT / "generated")
    assert os.listdir(tmp_path) == ["made"]


# --check


def test_check_passes_on_what_is_committed(capsys: pytest.CaptureFixture[str]) -> None:
    before = identities(ROOT / "generated")
    assert main(["--check"]) == 0
    assert identities(ROOT / "generated") == before
    assert capsys.readouterr().err == ""


def test_check_fails_on_a_difference_names_it_and_writes_nothing(
    output: Path, is_as_it_was: Callable[[], bool], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check", "--output", str(output)]) == 1
    assert is_as_it_was()
    messages = capsys.readouterr().err.splitlines()
    assert "not up to date: marker.txt" in messages
    assert "not up to date: models/conversation.py" in messages
    assert "make generate" in messages[-1]


@pytest.mark.parametrize("change", ["edited", "missing", "added"])
def test_check_names_the_one_file_that_differs(
    tmp_path: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "generated"
    assert main(["--output", str(output)]) == 0
    capsys.readouterr()
    file = output / "models" / "conversation.py"
    if change == "edited":
        file.write_bytes(file.read_bytes().replace(b"starred", b"started", 1))
    elif change == "missing":
        file.unlink()
    else:
        file = file.with_name("stray.py")
        file.touch()
    assert main(["--check", "--output", str(output)]) == 1
    named = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("not up to date: ")
    ]
    assert named == [f"not up to date: models/{file.name}"]


def test_check_makes_no_output_where_there_is_none(tmp_path: Path) -> None:
    assert main(["--check", "--output", str(tmp_path / "generated")]) == 1
    assert os.listdir(tmp_path) == []


# What is refused


@dataclass(frozen=True)
class Bad:
    """A spec that is refused, the words that say why, and the text whose first occurrence is on the line named."""

    text: str
    reason: str
    at: str | None = None


BAD_SPECS = {
    "yaml that does not parse": Bad(TEXT + "\nx-more: [never, closed\n", "does not parse"),
    "a tab for indentation": Bad(
        edited(("info:\n", "info:\n\ttitle: Tab\n")), "does not parse", "\ttitle"
    ),
    "a duplicate key": Bad(
        edited(("  title: LeadConnector\n", "  title: LeadConnector\n  title: Again\n")),
        "duplicate key 'title'",
        "  title: Again",
    ),
    "an anchor that contains itself": Bad(
        TEXT + "x-loop: &loop\n  inner: *loop\n", "contains itself", "x-loop"
    ),
    "a broken reference that is used": Bad(
        edited(
            (
                '              $ref: "#/components/schemas/BadRequest"',
                '              $ref: "#/components/schemas/X"',
            )
        ),
        "'#/components/schemas/X' points to nothing",
        '              schema:\n                $ref: "#/components/schemas/X"',
    ),
    "a broken reference that nothing uses": Bad(
        TEXT + '    Unused:\n      $ref: "#/components/schemas/Nowhere"\n',
        "'#/components/schemas/Nowhere' points to nothing",
        "    Unused:",
    ),
    "a loop of references": Bad(
        TEXT
        + '    Hen:\n      $ref: "#/components/schemas/Egg"\n    Egg:\n      $ref: "#/components/schemas/Hen"\n',
        "leads back to itself",
        "    Hen:",
    ),
    "a reference to another file": Bad(
        edited(
            (
                '                $ref: "#/components/schemas/BadRequest"',
                '                $ref: "models.yaml#/BadRequest"',
            )
        ),
        "'models.yaml#/BadRequest' leaves this file",
        '              schema:\n                $ref: "models.yaml',
    ),
    "const in the version header": Bad(
        edited(
            (
                '      enum: ["2021-07-28"]\n      x-enum-varnames: [V2021_07_28]\n',
                '      const: "2021-07-28"\n',
            )
        ),
        "not allowed in header",
        "    put:",
    ),
    "no operation": Bad(TEXT.replace(PATHS, "paths: {}\n"), "no operation", "paths: {}"),
    "an operation that is no mapping": Bad(
        TEXT.replace(PATHS, "paths:\n  /contacts:\n    get: text\n"),
        "must be a mapping",
        "    get: text",
    ),
    "a duplicate operationId": Bad(
        edited(("components:\n", SECOND_OPERATION.format(operation_id="updateConversation"))),
        "duplicate operationId 'updateConversation'",
        "      operationId: updateConversation\n      tags: [Conversations]\n      parameters:\n        - {name",
    ),
    "two operationIds with one Python name": Bad(
        edited(("components:\n", SECOND_OPERATION.format(operation_id="update_conversation"))),
        "same Python name as 'updateConversation'",
        "      operationId: update_conversation",
    ),
    "a parameter declared with content": Bad(
        edited(
            (
                '      schema:\n        $ref: "#/components/schemas/ApiVersion"',
                "      content:\n        application/json:\n          schema: {type: string}",
            )
        ),
        "Parameter has no schema",
        "    Version:\n      name: Version",
    ),
    "two required body types": Bad(
        edited(
            (
                '              $ref: "#/components/schemas/UpdateConversationRequest"\n',
                '              $ref: "#/components/schemas/UpdateConversationRequest"\n'
                "          multipart/form-data:\n"
                "            schema:\n"
                '              $ref: "#/components/schemas/UpdateConversationRequest"\n',
            )
        ),
        "2 required body types (application/json, multipart/form-data)",
        "      requestBody:",
    ),
    "an enum value that takes the Python name of the one before": Bad(
        edited(("        - TYPE_SMS\n", "        - TYPE-CALL\n        - TYPE_SMS\n")),
        "dropped the value 'TYPE_CALL'",
        "        - TYPE_CALL",
    ),
    "an enum value that has the Python name of the one before": Bad(
        edited(("        - TYPE_CALL\n", "        - TYPE-CALL\n        - TYPE_CALL\n")),
        "Duplicate key TYPE_CALL in enum",
    ),
    "an operation without a success": Bad(
        edited(('        "200":\n', '        "303":\n')),
        "no response of status 2XX",
        "      responses:",
    ),
    "a response with an impossible status": Bad(
        edited(('        "400":\n', '        "soon":\n')),
        "Invalid response status code",
        "    put:",
    ),
    "a path without its parameter": Bad(
        edited(("  /conversations/{conversationId}:", "  /conversations/{other}:")),
        "do not match with path",
        "    put:",
    ),
    "a schema of a type that does not exist": Bad(
        edited(("          type: boolean\n", "          type: yes-or-no\n")), "validation errors"
    ),
    "a schema called what the generated code imports": Bad(
        edited(
            ("/components/schemas/BadRequest", "/components/schemas/Session"),
            ("    BadRequest:\n", "    Session:\n"),
        ),
        "'Session' has two meanings",
        "    Session:",
    ),
    "a response of two content types": Bad(
        edited(
            (
                "description: Bad Request\n          content:\n",
                "description: Bad Request\n          content:\n            text/plain: {schema: {type: string}}\n",
            )
        ),
        "would drop all but one",
    ),
    "a tag that would hide a method of the client": Bad(
        edited(("      tags: [Conversations]\n", "      tags: [close]\n")),
        "hide the client's own method",
        "      tags: [close]",
    ),
    "an operationId with a line break": Bad(
        edited(
            (
                "      operationId: updateConversation\n",
                '      operationId: "update\\nConversation"\n',
            )
        ),
        "must be printable",
        "      operationId:",
    ),
    "a property with a control character in its name": Bad(
        edited(("        inbox:\n", '        "in\\x01box":\n')),
        "dropped the property 'in\\x01box'",
        '        "in',
    ),
    "an enum value with a control character": Bad(
        edited(("        - TYPE_SMS\n", '        - "TYPE\\x01_SMS"\n')),
        "control character",
        '        - "TYPE',
    ),
    "a top level that is not a mapping": Bad("- openapi: 3.1.0\n", "not a mapping"),
    "an empty file": Bad("", "not a mapping"),
}


@pytest.mark.parametrize("name", BAD_SPECS)
def test_a_bad_spec_is_refused_with_its_place_and_leaves_the_output_as_it_was(
    name: str,
    tmp_path: Path,
    output: Path,
    is_as_it_was: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = BAD_SPECS[name]
    assert bad.text != TEXT
    spec = tmp_path / "bad.yaml"
    spec.write_text(bad.text, encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(output)]) == 1
    messages = capsys.readouterr()
    assert messages.out == ""
    assert bad.reason in messages.err
    assert str(spec) in messages.err
    assert "is unchanged." in messages.err.splitlines()[-1]
    if bad.at is not None:
        line = bad.text[: bad.text.index(bad.at)].count("\n") + 1
        assert f"{spec}:{line}:" in messages.err
    assert is_as_it_was()


def test_yaml_that_does_not_parse_is_told_with_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "bad.yaml"
    spec.write_text("openapi: 3.1.0\ninfo: {title: [}\n", encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(tmp_path / "generated")]) == 1
    assert f"{spec}:2: does not parse" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["bad.yaml"]


def missing(path: Path) -> None:
    assert not path.exists()


def not_utf_8(path: Path) -> None:
    path.write_bytes(TEXT.encode("utf-16"))


@pytest.mark.parametrize(
    "make", [missing, Path.mkdir, not_utf_8], ids=["missing", "a directory", "not UTF-8"]
)
def test_a_spec_that_cannot_be_read_is_named_and_leaves_the_output_as_it_was(
    make: Callable[[Path], None],
    tmp_path: Path,
    output: Path,
    is_as_it_was: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = tmp_path / "unreadable.yaml"
    make(spec)
    assert main(["--spec", str(spec), "--output", str(output)]) == 1
    assert re.search(rf"{re.escape(str(spec))}(:1)?: cannot be read", capsys.readouterr().err)
    assert is_as_it_was()


def test_a_bad_spec_makes_no_output_where_there_was_none(tmp_path: Path) -> None:
    assert (
        main(["--spec", str(tmp_path / "nowhere.yaml"), "--output", str(tmp_path / "generated")])
        == 1
    )
    assert os.listdir(tmp_path) == []


def test_the_command_exits_with_status_1_and_no_traceback(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "generate", "--spec", "nowhere.yaml", "--output", "generated"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "nowhere.yaml" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("post_hooks: [never, closed\n", "is not a usable generator configuration"),
        ("post_hooks: 5\n", "is not a usable generator configuration"),
        ("post_hooks:\n  - ruff check . --isolated --select NONSENSE\n", "ruff failed"),
    ],
)
def test_a_generator_configuration_that_fails_leaves_the_output_as_it_was(
    text: str,
    reason: str,
    output: Path,
    is_as_it_was: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = output.parent.parent / "config.yaml"
    config.write_text(text, encoding="utf-8")
    assert main(["--config", str(config), "--output", str(output)]) == 1
    assert reason in capsys.readouterr().err
    assert is_as_it_was()


def test_a_configuration_that_is_not_there_is_named(
    tmp_path: Path,
    output: Path,
    is_as_it_was: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--config", str(tmp_path / "nowhere.yaml"), "--output", str(output)]) == 1
    assert (
        f"{tmp_path / 'nowhere.yaml'}: is not a usable generator configuration"
        in capsys.readouterr().err
    )
    assert is_as_it_was()


def test_templates_that_give_no_python_leave_the_output_as_it_was(
    tmp_path: Path,
    output: Path,
    is_as_it_was: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    for template in (ROOT / "templates").iterdir():
        (templates / template.name).write_bytes(template.read_bytes())
    (templates / "api_init.py.jinja").write_text(
        "raise RuntimeError('no resources')\n", encoding="utf-8"
    )
    assert main(["--templates", str(templates), "--output", str(output)]) == 1
    assert "RuntimeError: no resources" in capsys.readouterr().err
    assert is_as_it_was()


def test_upstream_templates_alone_are_refused_since_the_methods_are_missing(
    tmp_path: Path,
    output: Path,
    is_as_it_was: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "templates").mkdir()
    assert main(["--templates", str(tmp_path / "templates"), "--output", str(output)]) == 1
    assert (
        "the generated method Conversations.update_conversation is incomplete"
        in capsys.readouterr().err
    )
    assert is_as_it_was()


def test_a_missing_ruff_is_an_error_and_not_a_warning(
    tmp_path: Path,
    output: Path,
    is_as_it_was: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-tools-here" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "nor-here"))
    assert main(["--output", str(output)]) == 1
    assert "ruff is not in PATH" in capsys.readouterr().err
    assert is_as_it_was()


def test_an_output_whose_parent_does_not_exist_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--output", str(tmp_path / "nowhere" / "generated")]) == 1
    assert f"{tmp_path / 'nowhere'}: cannot be written" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("failing", [1, 2])
def test_a_swap_that_fails_puts_the_old_package_back(
    failing: int,
    output: Path,
    is_as_it_was: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first rename takes the old package away, the second puts the new one in its place."""
    rename = Path.rename
    calls: list[Path] = []

    def renamed(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) == failing:
            raise OSError("the disk is on fire")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renamed)
    assert main(["--output", str(output)]) == 1
    assert "the disk is on fire" in capsys.readouterr().err
    assert len(calls) == (1 if failing == 1 else 3)
    assert is_as_it_was()


# A spec that would like to run code


HOSTILE = (
    '""" + __import__("os").system("touch PWNED") + """ \\ \\" \\""" \' \'\'\' \n{{ 7 * 7 }} {% if %} {# no #}\n'
    '    import os; os.system("touch PWNED")\n%s {x} \\N{BULLET} \\x41 é \U0001f600 \\'
)
ON_ONE_LINE = HOSTILE.replace("\n", " ")
IN_A_PATH = re.sub(r"[{}#?]", "", ON_ONE_LINE)


def hostile_spec() -> dict[str, Any]:
    """The spec with the text above in every place that takes a text."""
    spec = cast("dict[str, Any]", yaml.safe_load(TEXT))
    spec["info"].update(title=HOSTILE, description=HOSTILE, version=HOSTILE)
    spec["servers"][0]["description"] = HOSTILE
    path = spec["paths"].pop("/conversations/{conversationId}")
    spec["paths"][f"/{IN_A_PATH}/{{conversationId}}"] = path
    operation = path["put"]
    operation.update(operationId=ON_ONE_LINE, summary=HOSTILE, description=HOSTILE, tags=[HOSTILE])
    spec["tags"] = [{"name": HOSTILE, "description": HOSTILE}]
    parameter = operation["parameters"][0]
    parameter.update(description=HOSTILE)
    parameter["schema"].update(example=HOSTILE, description=HOSTILE)
    operation["parameters"].append(
        {
            "name": ON_ONE_LINE,
            "in": "query",
            "description": HOSTILE,
            "schema": {"type": "array", "items": {"type": "string", "enum": [ON_ONE_LINE]}},
        }
    )
    operation["parameters"].append(
        {"name": "q", "in": "query", "schema": {"type": "string", "default": HOSTILE}}
    )
    body = operation["requestBody"]
    body["description"] = HOSTILE
    body["content"] = {f"application/json; {ON_ONE_LINE}": body["content"]["application/json"]}
    for response in operation["responses"].values():
        response["description"] = HOSTILE
    components = spec["components"]
    components["securitySchemes"]["bearer"]["description"] = HOSTILE
    components["parameters"]["Version"].update(
        {"name": f"Version {ON_ONE_LINE}", "description": HOSTILE, "x-other": HOSTILE}
    )
    schemas = components["schemas"]
    schemas["BadRequest"]["title"] = HOSTILE
    schemas["ApiVersion"].update(
        {"description": HOSTILE, "enum": [ON_ONE_LINE], "x-enum-varnames": [HOSTILE]}
    )
    schemas["LastMessageType"]["enum"][0] = ON_ONE_LINE
    for name in ("UpdateConversationRequest", "Conversation"):
        schemas[name]["description"] = HOSTILE
        for child in schemas[name]["properties"].values():
            if "$ref" not in child:
                child.update(description=HOSTILE, example=HOSTILE)
        schemas[name]["properties"][ON_ONE_LINE] = {"type": "string", "default": ON_ONE_LINE}
    schemas["BadRequest"]["properties"]["fixed"] = {"const": HOSTILE}
    return spec


USE_OF_THE_HOSTILE_PACKAGE = """
import importlib, inspect, json, pkgutil
import made
from pathlib import Path

for found in pkgutil.walk_packages(made.__path__, "made."):
    importlib.import_module(found.name)
contract = json.loads(Path(made.__file__).with_name("contract.json").read_text(encoding="utf-8"))
(operation_id, known), = contract["operations"].items()
resource, method = known["python"].split(".")

class Recorder:
    def call(self, operation, arguments):
        by_name = {argument["name"]: argument["argument"] for argument in known["arguments"]}
        filled = {**arguments, by_name["Version " + %(text)r]: %(text)r, by_name[%(text)r]: %(text)r}
        queried = next(a["argument"] for a in known["arguments"] if a["name"] == %(text)r and a["in"] == "query")
        filled[queried] = []
        return operation.operation_id, operation.build(**filled)

from made.api import Resources
from made.models import Conversation, LastMessageType
called = getattr(getattr(Resources(Recorder()), resource), method)
arguments = {"conversation_id": "id", "location_id": "here"}
operation_id, request = called(**arguments)
data = {"locationId": "a", "contactId": "b", "deleted": False, %(text)r: "c"}
print(json.dumps({
    "operation_id": operation_id,
    "url": request["url"],
    "headers": request["headers"],
    "body": request["json"],
    "first_value": list(LastMessageType)[0].value,
    "unknown": [value.is_unknown for value in (LastMessageType(%(text)r), LastMessageType("another"))],
    "round_trip": Conversation.from_dict(data).to_dict() == data,
    "documentation": " ".join(inspect.getdoc(called).split()),
    "module": " ".join(made.__doc__.split()),
}))
"""


@pytest.fixture(scope="module", name="hostile")
def hostile_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "spec.yaml").write_text(yaml.safe_dump(hostile_spec()), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["--spec", str(folder / "spec.yaml"), "--output", str(folder / "made")]) == 0
    yield folder
    assert not list(folder.rglob("PWNED"))


def test_nothing_of_a_hostile_spec_becomes_code(hostile: Path) -> None:
    modules = list((hostile / "made").rglob("*.py"))
    assert len(modules) > 10
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Name) and node.id in {"__import__", "os"}), module
            assert not (
                isinstance(node, ast.Import) and any(alias.name == "os" for alias in node.names)
            ), module
            assert not (isinstance(node, ast.Attribute) and node.attr == "system"), module


def test_nothing_of_a_hostile_spec_is_taken_for_a_template(hostile: Path) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (hostile / "made").rglob("*.py"))
    assert "7 * 7" in source
    assert "49" not in source


def test_the_package_of_a_hostile_spec_works_and_executes_nothing(hostile: Path) -> None:
    script = USE_OF_THE_HOSTILE_PACKAGE % {"text": ON_ONE_LINE}
    result = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", script],
        cwd=hostile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    used = cast("dict[str, Any]", json.loads(result.stdout))
    assert not list(hostile.rglob("PWNED"))
    assert used["operation_id"] == ON_ONE_LINE
    assert used["url"] == f"/{IN_A_PATH}/id"
    assert used["headers"][f"Version {ON_ONE_LINE}"] == ON_ONE_LINE
    assert used["body"] == {"locationId": "here", ON_ONE_LINE: ON_ONE_LINE}
    assert used["first_value"] == ON_ONE_LINE
    assert used["unknown"] == [False, True]
    assert used["round_trip"] is True
    assert '__import__("os").system("touch PWNED")' in used["documentation"]
    assert "{{ 7 * 7 }} {% if %} {# no #}" in used["documentation"]
    assert '__import__("os").system("touch PWNED")' in used["module"]


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["a folder", "a file"])
def test_what_is_no_output_of_this_step_is_not_replaced(
    make: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "src"
    make(other)
    assert main(["--output", str(other)]) == 1
    assert "was not generated by this step" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["src"]


def test_aliases_that_explode_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["x-0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    spec = tmp_path / "bomb.yaml"
    spec.write_text("\n".join([TEXT, *lines]), encoding="utf-8")
    assert main(["--spec", str(spec), "--output", str(tmp_path / "generated")]) == 1
    assert "aliases" in capsys.readouterr().err
