"""The upgrade report: what a newer copy of the client changes, and where."""

from __future__ import annotations

import copy as copying
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.__main__ import main as generate
from leadconnector._vendoring.manifest import Manifest, render, sha256
from project.upgrade_report import (
    UpgradeReport,
    UpgradeReportError,
    create_report,
    write_markdown,
    write_text,
)
from project.upgrade_report.__main__ import main
from project.upgrade_report.copies import Copy

from tests.generate.samples import GENERATED, SPEC_TEXT, contents, edited
from tests.support.make import TIMEOUT, clean_environment, make
from tests.support.paths import ROOT

CLIENT = ROOT / "overrides" / "leadconnector"
BIN = Path(sys.executable).parent
NO_BIN = "BIN=none"
"""Without a virtual environment. The report is shorter then, and faster."""
STARRED = "        starred:\n          type: boolean\n"
RENAMED = edited((STARRED, "        favourite:\n          type: boolean\n"))
"""The spec with another name for a field of the request."""
EXTENDED = edited((STARRED, f"        note:\n          type: string\n{STARRED}"))
"""The spec with one more optional field of the request."""
SMALL_SPEC: dict[str, Any] = {"openapi": "3.1.0", "paths": {}}
INTERRUPTED = 130
"""The exit status after Ctrl-C: 128 and the number of the signal."""


def copy_of(folder: Path, spec: str = SPEC_TEXT) -> Path:
    """A copy of the client, with the code that is generated from a spec."""
    copy = folder / "leadconnector"
    ignored = shutil.ignore_patterns("__pycache__", "_generated")
    shutil.copytree(CLIENT, copy, ignore=ignored)
    if spec == SPEC_TEXT:
        shutil.copytree(GENERATED, copy / "_generated", ignore=ignored)
    else:
        (folder / "openapi.yaml").write_text(spec, encoding="utf-8")
        arguments = ["--spec", str(folder / "openapi.yaml"), "--output", str(copy / "_generated")]
        assert generate(arguments) == 0
    (copy / "_manifest.json").write_bytes(render(manifest_of(copy)))
    return copy


def manifest_of(copy: Path) -> Manifest:
    """The manifest that vendoring would write."""
    contract = json.loads((copy / "_generated" / "contract.json").read_bytes())
    files = {name: sha256(data) for name, data in contents(copy).items()}
    return Manifest(
        name="leadconnector",
        version="0.0.9",
        revision="0123456789abcdef0123456789abcdef01234567",
        api_version=contract["api_version"],
        spec_sha256=contract["spec_sha256"],
        generated_with=contract["generated_with"],
        files=files,
    )


@pytest.mark.parametrize("mark", ["", "+modified"])
def test_the_heading_names_the_revision_and_whether_the_copy_differs_from_it(
    tmp_path: Path, mark: str
) -> None:
    revision = f"0123456789abcdef0123456789abcdef01234567{mark}"
    copy = Copy(tmp_path, "1.0.0", revision, contract={}, spec={})

    assert f", revision 0123456789ab{mark}, " in str(copy)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of the client from three specs. Tests do not change them."""
    specs = {"committed": SPEC_TEXT, "renamed": RENAMED, "extended": EXTENDED}
    return {name: copy_of(tmp_path_factory.mktemp(name), spec) for name, spec in specs.items()}


@pytest.fixture(scope="module")
def report_to(copies: dict[str, Path]) -> Callable[[str], UpgradeReport]:
    """Returns the report of the upgrade from the committed client to another copy."""

    @cache
    def report(name: str) -> UpgradeReport:
        return create_report(copies["committed"], copies[name])

    return report


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    """The contract of the client. Tests change a copy of it."""
    text = (GENERATED / "contract.json").read_text(encoding="utf-8")
    contract: dict[str, Any] = json.loads(text)
    return contract


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """The spec of the client. Tests change a copy of it."""
    spec: dict[str, Any] = yaml.safe_load(SPEC_TEXT)
    return spec


def update_conversation(spec: dict[str, Any]) -> dict[str, Any]:
    """The operation of the spec, to be changed."""
    operation: dict[str, Any] = spec["paths"]["/conversations/{conversationId}"]["put"]
    return operation


def small_copy(folder: Path, contract: object, spec: object = SMALL_SPEC) -> Path:
    """A copy without Python names, with a contract and a spec."""
    copy = folder / "leadconnector"
    (copy / "_generated").mkdir(parents=True)
    (copy / "__init__.py").touch()
    (copy / "_generated" / "contract.json").write_text(json.dumps(contract), encoding="utf-8")
    (copy / "_generated" / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    return copy


@pytest.fixture
def service(tmp_path: Path, copies: dict[str, Path]) -> Callable[[str], Path]:
    """Returns the folder of a service that has vendored a copy."""

    def create(name: str) -> Path:
        shutil.copytree(copies[name], tmp_path / "_vendor" / "leadconnector")
        return tmp_path / "_vendor"

    return create


@pytest.fixture
def no_griffe(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without griffe, as `make vendor` may have it."""

    def find_spec(name: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", find_spec)


def changes_of(report: UpgradeReport) -> set[tuple[str, str, str]]:
    return {(change.level, change.id, change.place) for change in report.changes}


def test_a_renamed_field_breaks_and_the_report_says_what_and_where(
    copies: dict[str, Path], report_to: Callable[[str], UpgradeReport]
) -> None:
    report = report_to("renamed")

    assert report.breaks
    method = "leadconnector.LeadConnector.conversations.update_conversation"
    operation = "PUT /conversations/{conversationId}"
    assert changes_of(report) >= {
        ("ERR", "parameter-removed", method),
        ("ERR", "removed", "leadconnector.models.UpdateConversationRequest.starred"),
        ("WARN", "request-property-removed", operation),
        ("INFO", "new-optional-request-property", operation),
    }
    (removed,) = [change for change in report.changes if change.place == method][:1]
    assert removed.text == "The parameter starred was removed."
    file, _, line = removed.location.partition(":")
    source = (copies["renamed"].parent / file).read_text(encoding="utf-8")
    assert source.splitlines()[int(line) - 1].strip().startswith("def update_conversation(")


def test_an_additional_optional_field_breaks_nothing_and_is_reported(
    report_to: Callable[[str], UpgradeReport],
) -> None:
    report = report_to("extended")

    assert not report.breaks
    assert {change.level for change in report.changes} == {"INFO"}
    texts = {(change.subject, change.text) for change in report.changes}
    assert ("spec", "The request body, at `note`, was added, and is optional.") in texts
    assert ("Python", "The parameter note was added, and is optional.") in texts


def test_the_worst_changes_come_first(report_to: Callable[[str], UpgradeReport]) -> None:
    levels = [change.level for change in report_to("renamed").changes]

    assert levels == sorted(levels, key=["ERR", "WARN", "INFO"].index)
    assert set(levels) == {"ERR", "WARN", "INFO"}


def test_the_source_of_the_client_equals_a_copy_of_it(copies: dict[str, Path]) -> None:
    report = create_report(copies["committed"], CLIENT)

    assert (report.changes, report.notes) == ((), ())


@pytest.mark.usefixtures("no_griffe")
def test_without_griffe_methods_and_arguments_are_compared_by_the_contract(
    copies: dict[str, Path],
) -> None:
    report = create_report(copies["committed"], copies["renamed"])

    method = "leadconnector.LeadConnector.conversations.update_conversation"
    assert report.breaks
    assert ("ERR", "parameter-removed", method) in changes_of(report)
    (note,) = report.notes
    assert "griffe is not installed" in note
    assert "make changes" in note


@pytest.mark.usefixtures("no_griffe")
def test_an_incomplete_report_does_not_pass_as_harmless(
    copies: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(copies["committed"]), str(copies["extended"])]

    assert main(arguments) == 0
    assert main([*arguments, "--fail-on-breaking"]) == 2
    assert "Incomplete: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "source",
    [
        "def load(*arguments):\n    raise AttributeError('no attribute')\n",
        "raise ImportError('several\\nlines')\n",
    ],
)
def test_an_unusable_griffe_makes_the_report_incomplete_without_a_traceback(
    tmp_path: Path, contract: dict[str, Any], source: str
) -> None:
    base = small_copy(tmp_path / "base", contract)
    revision = small_copy(tmp_path / "revision", contract)
    (tmp_path / "griffe.py").write_text(source, encoding="utf-8")
    path = f"{tmp_path}:{ROOT / 'tools'}"
    command = [sys.executable, "-P", "-B", "-m", "project.upgrade_report", "--fail-on-breaking"]

    result = subprocess.run(
        [*command, str(base), str(revision)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert (result.returncode, result.stderr) == (2, "")
    (note,) = [line for line in result.stdout.splitlines() if line.startswith("Incomplete: ")]
    assert "griffe cannot be used (" in note
    assert "make changes" in note


def test_only_a_breaking_change_fails_on_request(
    tmp_path: Path, contract: dict[str, Any], spec: dict[str, Any]
) -> None:
    narrower = copying.deepcopy(spec)
    del narrower["components"]["schemas"]["UpdateConversationRequest"]["properties"]["starred"]
    wider_copy = str(small_copy(tmp_path / "wider", contract, spec))
    narrower_copy = str(small_copy(tmp_path / "narrower", contract, narrower))
    empty_copy = str(small_copy(tmp_path / "empty", contract, {**spec, "paths": {}}))

    assert main([wider_copy, empty_copy]) == 0
    assert main([wider_copy, empty_copy, "--fail-on-breaking"]) == 1
    # For the contract of the API, a removed property of a request is a warning.
    assert main([wider_copy, narrower_copy, "--fail-on-breaking"]) == 0
    assert main([narrower_copy, wider_copy, "--fail-on-breaking"]) == 0


def test_the_text_has_a_heading_for_each_severity(
    report_to: Callable[[str], UpgradeReport], copies: dict[str, Path]
) -> None:
    lines = write_text(report_to("renamed")).splitlines()

    headings = [line for line in lines if line.endswith("code that uses the copy:")]
    assert headings == [
        "Breaks code that uses the copy:",
        "May break code that uses the copy:",
        "Does not break code that uses the copy:",
    ]
    assert lines[0] == f"Upgrade of {copies['committed']}"
    assert lines[-1] == "10 changes: 4 breaking, 1 possibly breaking, 5 not breaking."


def test_the_markdown_is_a_table_without_markup_of_the_spec(
    tmp_path: Path,
    contract: dict[str, Any],
    spec: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = "a|b`<img>@user"
    base = small_copy(tmp_path / "base", contract, spec)
    extended = copying.deepcopy(spec)
    parameter = {"name": hostile, "in": "query", "schema": {"type": "string"}}
    update_conversation(extended)["parameters"].append(parameter)
    revision = small_copy(tmp_path / "revision", contract, extended)

    assert main([str(base), str(revision), "--format", "markdown"]) == 0

    text = capsys.readouterr().out
    (row,) = [line for line in text.splitlines() if line.startswith("| spec")]
    assert "img" in row
    assert row.replace("\\|", "").count("|") == 4
    assert "<img>" not in text
    assert "@user" not in text


STARRED_PROPERTY = "          description: Starred status of the conversation.\n"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            ("          application/json:\n", "          application/merge-patch+json:\n"),
            ("ERR", "request-body-media-type-removed", "PUT /conversations/{conversationId}"),
        ),
        (
            (STARRED_PROPERTY, f"{STARRED_PROPERTY}          x-role: rate-limit-key\n"),
            ("WARN", "mark-changed", "PUT /conversations/{conversationId}"),
        ),
        (
            ("          x-role: error-messages\n", ""),
            ("WARN", "mark-changed", "the whole API"),
        ),
        (("title: LeadConnector", "title: Another"), ("INFO", "title-changed", "the whole API")),
    ],
)
def test_media_types_marks_and_single_values_are_compared(
    tmp_path: Path,
    copies: dict[str, Path],
    edit: tuple[str, str],
    expected: tuple[str, str, str],
) -> None:
    report = create_report(copies["committed"], copy_of(tmp_path, edited(edit)))

    assert expected in changes_of(report)
    assert (report.notes, report.hint) == ((), "")


def remove_security(operation: dict[str, Any]) -> None:
    del operation["security"]


def require_another_scheme(operation: dict[str, Any]) -> None:
    operation["security"] = [{"bearer": [], "key": []}]


def encode_the_body_as_a_form(operation: dict[str, Any]) -> None:
    content = operation["requestBody"]["content"]
    content["application/x-www-form-urlencoded"] = content.pop("application/json")


BREAKING_EDITS = [
    (remove_security, "api-security-removed"),
    (require_another_scheme, "api-security-removed"),
    (encode_the_body_as_a_form, "request-body-media-type-removed"),
]


@pytest.mark.parametrize(("edit", "kind"), BREAKING_EDITS)
def test_a_breaking_change_is_reported_beside_a_harmless_one(
    tmp_path: Path,
    contract: dict[str, Any],
    spec: dict[str, Any],
    edit: Callable[[dict[str, Any]], None],
    kind: str,
) -> None:
    revised = copying.deepcopy(spec)
    edit(update_conversation(revised))
    update_conversation(revised)["deprecated"] = True

    report = create_report(
        small_copy(tmp_path / "base", contract, spec),
        small_copy(tmp_path / "revision", contract, revised),
    )

    kinds = {(change.level, change.id) for change in report.changes}
    assert kinds >= {("ERR", kind), ("INFO", "endpoint-deprecated")}
    assert report.breaks


def test_other_texts_of_the_spec_are_not_called_no_change(
    tmp_path: Path, contract: dict[str, Any], spec: dict[str, Any]
) -> None:
    revised = copying.deepcopy(spec)
    update_conversation(revised)["summary"] = "Another summary"

    report = create_report(
        small_copy(tmp_path / "base", contract, spec),
        small_copy(tmp_path / "revision", contract, revised),
    )

    assert (report.changes, report.notes) == ((), ())
    for text in (write_text(report), write_markdown(report)):
        assert "The spec changed only in what no call depends on" in text
        assert "Nothing changed in the spec" not in text


def test_a_role_in_an_inline_response_is_compared(tmp_path: Path, contract: dict[str, Any]) -> None:
    inline = copying.deepcopy(contract)
    response = inline["operations"]["updateConversation"]["responses"]["422"]
    response["schema"] = {"type": "object", "properties": {"x-text": {"type": "string"}}}
    marked = copying.deepcopy(inline)
    properties = marked["operations"]["updateConversation"]["responses"]["422"]["schema"]
    properties["properties"]["x-other"] = {"type": "string"}
    properties["properties"]["x-text"]["x-role"] = "error-messages"

    report = create_report(
        small_copy(tmp_path / "base", inline), small_copy(tmp_path / "revision", marked)
    )

    marks = [change for change in report.changes if change.id == "mark-changed"]
    assert [change.location for change in marks] == [
        f"{response['schema_pointer']}/properties/x-text"
    ]


def test_another_default_server_and_another_version_are_reported(
    tmp_path: Path, contract: dict[str, Any], spec: dict[str, Any]
) -> None:
    revised = copying.deepcopy(spec)
    revised["components"]["schemas"]["ApiVersion"]["enum"] = ["v9"]

    report = create_report(
        small_copy(tmp_path / "base", contract, spec),
        small_copy(tmp_path / "revision", {**contract, "server": "https://api.example"}, revised),
    )

    assert {(change.level, change.id) for change in report.changes} == {
        ("WARN", "server-changed"),
        ("ERR", "request-parameter-enum-value-removed"),
        ("INFO", "request-parameter-enum-value-added"),
    }


BAD_FILES: list[tuple[str, str]] = [
    ("{", "is not JSON"),
    ("[]", "has not the form"),
    ("{}", "has not the form"),
    ('{"operations": [], "schemas": {}}', "has not the form"),
    ('{"operations": {"a": {}}, "schemas": {}}', "has not the form"),
    ("[" * 100_000, "is not JSON"),
]


@pytest.mark.parametrize("name", ["contract.json", "spec.json"])
@pytest.mark.parametrize(("text", "problem"), BAD_FILES)
def test_a_damaged_file_is_an_error_that_names_the_file(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    contract: dict[str, Any],
    name: str,
    text: str,
    problem: str,
) -> None:
    copy = small_copy(tmp_path, contract)
    (copy / "_generated" / name).write_text(text, encoding="utf-8")

    assert main([str(copy), str(CLIENT)]) == 2

    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{copy / '_generated' / name}: {problem}" in error
    assert "restore the copy from version control" in error


@pytest.mark.parametrize("key", ["path", "arguments", "python", "responses"])
def test_every_missing_part_of_an_operation_is_rejected(
    tmp_path: Path, contract: dict[str, Any], key: str
) -> None:
    damaged = copying.deepcopy(contract)
    del damaged["operations"]["updateConversation"][key]

    with pytest.raises(UpgradeReportError, match="has not the form"):
        create_report(small_copy(tmp_path, damaged), CLIENT)


def test_a_folder_that_is_no_copy_is_an_error_that_says_what_to_name(tmp_path: Path) -> None:
    (tmp_path / "leadconnector").mkdir()

    with pytest.raises(UpgradeReportError, match="there is no such folder: name a copy"):
        create_report(tmp_path / "missing", CLIENT)
    with pytest.raises(UpgradeReportError, match="a copy of the client is called leadconnector"):
        create_report(tmp_path, CLIENT)
    with pytest.raises(UpgradeReportError, match="name a folder that `make vendor` made"):
        create_report(tmp_path / "leadconnector", CLIENT)


def test_invalid_python_in_a_copy_is_an_error_with_its_line(
    tmp_path: Path, contract: dict[str, Any]
) -> None:
    copy = small_copy(tmp_path, contract)
    (copy / "client.py").write_text("def\n", encoding="utf-8")

    with pytest.raises(UpgradeReportError, match=r"leadconnector/client\.py:1: is not valid"):
        create_report(copy, CLIENT)


def test_vendoring_over_an_older_copy_prints_the_report_before_the_path(
    service: Callable[[str], Path],
) -> None:
    folder = service("renamed")

    result = make("vendor", f"DEST={folder}", f"BIN={BIN}")

    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == f"Upgrade of {folder}/leadconnector"
    assert "          The parameter favourite was removed." in lines
    assert lines[-1] == f"{folder}/leadconnector"
    assert b"favourite" not in b"".join(contents(folder).values())


def test_vendoring_the_same_copy_again_prints_no_report(service: Callable[[str], Path]) -> None:
    folder = service("committed")

    first = make("vendor", f"DEST={folder}", NO_BIN)
    second = make("vendor", f"DEST={folder}", NO_BIN)

    assert first.returncode == 0
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout == f"{folder}/leadconnector\n"


def test_a_breaking_upgrade_can_be_rejected_before_anything_changes(
    service: Callable[[str], Path],
) -> None:
    folder = service("renamed")
    before = contents(folder)

    result = make("vendor", f"DEST={folder}", NO_BIN, "FAIL_ON_BREAKING=1")

    assert result.returncode == 2
    assert "Breaks code that uses the copy:" in result.stdout
    assert "FAIL_ON_BREAKING is set, and the report above has a breaking change" in result.stderr
    assert "was not changed, because the upgrade was rejected" in result.stderr
    assert contents(folder) == before


def test_a_damaged_copy_can_still_be_replaced_and_the_missing_report_is_explained(
    service: Callable[[str], Path],
) -> None:
    folder = service("renamed")
    (folder / "leadconnector" / "_generated" / "contract.json").write_text("{}", encoding="utf-8")

    result = make("vendor", f"DEST={folder}", NO_BIN, "FORCE=1", "FAIL_ON_BREAKING=1")
    assert result.returncode == 2
    assert "has not the form that the generator writes" in result.stderr

    result = make("vendor", f"DEST={folder}", NO_BIN, "FORCE=1")
    assert (result.returncode, result.stdout) == (0, f"{folder}/leadconnector\n")
    assert "upgrade report: " in result.stderr


def test_local_changes_are_rejected_before_there_is_a_report(
    service: Callable[[str], Path],
) -> None:
    folder = service("renamed")
    (folder / "leadconnector" / "client.py").write_text("edited = True\n", encoding="utf-8")

    result = make("vendor", f"DEST={folder}", NO_BIN)

    assert (result.returncode, result.stdout) == (2, "")
    assert "has local changes" in result.stderr


def test_vendoring_reports_without_a_virtual_environment(
    service: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = service("renamed")
    environment = tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"

    result = make("vendor", f"DEST={folder}", f"PYTHON={python}", f"BIN={environment}/none")

    assert (result.returncode, result.stderr) == (0, "")
    assert "The parameter favourite was removed." in result.stdout
    assert "griffe is not installed" in result.stdout
    assert result.stdout.endswith(f"{folder}/leadconnector\n")


def test_the_griffe_of_the_virtual_environment_comes_first(
    service: Callable[[str], Path], tmp_path: Path
) -> None:
    """A Python with another griffe runs the program. The environment has the locked one."""
    folder = service("renamed")
    environment = tmp_path / "environment"
    command = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    subprocess.run(command, check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "griffe.py").write_text("raise ImportError('too old')\n", encoding="utf-8")

    result = make("vendor", f"DEST={folder}", f"PYTHON={environment}/bin/python", f"BIN={BIN}")

    assert (result.returncode, result.stderr) == (0, "")
    assert "Incomplete" not in result.stdout
    assert "          The parameter favourite was removed." in result.stdout


def test_a_temporary_folder_behind_a_link_is_no_obstacle(
    service: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = service("renamed")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    result = make("vendor", f"DEST={folder}", NO_BIN, TMPDIR=str(tmp_path / "link"))

    assert (result.returncode, result.stderr) == (0, "")
    assert "The parameter favourite was removed." in result.stdout


INVALID_VARIABLES = [
    ["ARGS=--help", "FAIL_ON_BREAKING=1"],
    ["ARGS=--help"],
    ["ARGS=-h"],
    ["ARGS=--format pdf"],
    ["ARGS=--unknown"],
    ["ARGS=another-folder"],
    ["ARGS='a"],
    ["FAIL_ON_BREAKING=true"],
]


@pytest.mark.parametrize("variables", INVALID_VARIABLES)
def test_an_invalid_variable_is_rejected_before_a_copy_is_replaced(
    service: Callable[[str], Path], variables: list[str]
) -> None:
    folder = service("renamed")
    before = contents(folder)

    result = make("vendor", f"DEST={folder}", NO_BIN, *variables)

    assert (result.returncode, result.stdout) == (2, "")
    name, _, _ = variables[0].partition("=")
    message, *lines_of_make = result.stderr.splitlines()
    assert message.startswith(f"upgrade report: {name}=")
    assert all(line.startswith("make") for line in lines_of_make)
    assert contents(folder) == before


@pytest.mark.parametrize("variables", [["FAIL_ON_BREAKING=true"], ["ARGS=--unknown"]])
def test_an_invalid_variable_is_rejected_where_no_copy_exists(
    tmp_path: Path, variables: list[str]
) -> None:
    result = make("vendor", f"DEST={tmp_path / 'new'}", NO_BIN, *variables)

    assert (result.returncode, result.stdout) == (2, "")
    assert not (tmp_path / "new").exists()


def test_the_option_of_the_report_rejects_a_breaking_upgrade_too(
    service: Callable[[str], Path],
) -> None:
    folder = service("renamed")
    before = contents(folder)

    result = make("vendor", f"DEST={folder}", NO_BIN, "ARGS=--fail-on-breaking")

    assert result.returncode == 2
    assert contents(folder) == before


def test_an_incomplete_report_is_rejected_with_the_command_that_completes_it(
    service: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = service("committed")
    (folder / "leadconnector" / "_manifest.json").unlink()
    environment = tmp_path / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    before = contents(folder)

    python = f"PYTHON={environment}/bin/python"
    result = make("vendor", f"DEST={folder}", "FORCE=1", python, NO_BIN, "FAIL_ON_BREAKING=1")

    assert result.returncode == 2
    assert "run `make changes DEST=…`, which installs what a complete report needs" in result.stderr
    assert "adapt the service" not in result.stderr
    assert contents(folder) == before


def test_an_interrupted_report_is_one_line_and_the_copy_stays(
    service: Callable[[str], Path], tmp_path: Path
) -> None:
    """A terminal sends Ctrl-C to all processes of the command."""
    folder = service("renamed")
    before = contents(folder)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    # Runs instead of the report, says so, and waits until a signal ends it.
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *upgrade_report*) ;; *) exit 0 ;; esac\n'
        f"exec {sys.executable} -c \"print(file=open('{pipe}', 'w'));"
        " __import__('signal').pause()\" \n",
        encoding="utf-8",
    )
    python.chmod(0o755)
    environment = clean_environment() | {"DEST": str(folder), "BIN": str(tmp_path / "bin")}
    command = [sys.executable, str(ROOT / "tools" / "project" / "vendor.py")]
    with subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        pipe.read_text(encoding="utf-8")
        os.killpg(process.pid, signal.SIGINT)
        try:
            _, error = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            # Otherwise leaving this block would wait for it.
            os.killpg(process.pid, signal.SIGKILL)
            raise

    assert process.returncode == INTERRUPTED
    assert error == "Interrupted. The earlier copy is in its place, or the new one.\n"
    assert contents(folder) == before


class TestPreview:
    def test_it_reports_and_changes_nothing(self, service: Callable[[str], Path]) -> None:
        folder = service("extended")
        before = contents(folder)

        result = make("changes", f"DEST={folder}", f"BIN={BIN}", "DEV=", "ARGS=--format markdown")

        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("## Upgrade of ")
        assert contents(folder) == before

    def test_a_breaking_change_fails_on_request(self, service: Callable[[str], Path]) -> None:
        folder = service("extended")

        result = make("changes", f"DEST={folder}", f"BIN={BIN}", "DEV=", "FAIL_ON_BREAKING=1")

        assert result.returncode == 2
        assert "The parameter note was removed." in result.stdout

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ([], "usage: make changes DEST=DIRECTORY"),
            (["DEST=nowhere"], "nowhere/leadconnector: is not a copy of the client"),
            (["DEST=overrides"], "overrides/leadconnector: is not a copy of the client"),
            (["DEST=x", "FAIL_ON_BREAKING=yes"], "FAIL_ON_BREAKING=yes: is neither 0 nor 1"),
            (["DEST=x", "ARGS='a"], "ARGS='a: No closing quotation"),
        ],
    )
    def test_a_wrong_variable_is_one_line(self, variables: list[str], message: str) -> None:
        result = make("changes", f"BIN={BIN}", "DEV=", *variables)

        assert (result.returncode, result.stdout) == (2, "")
        assert message in result.stderr
