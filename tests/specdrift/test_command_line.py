"""Tests the command line of specdrift: its options, reports and exit codes.

A failure never looks like "no changes".
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from leadconnector import Finding
from specdrift.cli import main

from tests.support.calling import call_sync
from tests.support.make import make
from tests.support.paths import ROOT
from tests.support.vendor_documents import published_document

Json = dict[str, Any]
SPEC = ROOT / "spec" / "openapi.yaml"
MESSAGE_TYPE = "/components/schemas/LastMessageType"
REQUEST = "/components/schemas/UpdateConversationRequest"

ENUM_VALUE_ADDED = {"id": "response-property-enum-value-added", "at": MESSAGE_TYPE}
STARRED_BECAME_REQUIRED = {
    "id": "request-property-became-required",
    "at": f"{REQUEST}/properties/starred",
}


def spec_with(**schemas: Json) -> Json:
    """The spec with changed members of some schemas."""
    document: Json = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    for name, members in schemas.items():
        document["components"]["schemas"][name].update(members)
    return document


@pytest.fixture
def revision(tmp_path: Path) -> Path:
    """A document with two new enum values, and a property that became required."""
    document = spec_with(UpdateConversationRequest={"required": ["locationId", "starred"]})
    document["components"]["schemas"]["LastMessageType"]["enum"] += ["TYPE_RCS", "TYPE_TIKTOK"]
    path = tmp_path / "revision.json"
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return path


@pytest.fixture
def waivers(tmp_path: Path) -> Path:
    """A file with a waiver for each of these changes."""
    return waiver_file(
        tmp_path,
        STARRED_BECAME_REQUIRED,
        {**ENUM_VALUE_ADDED, "name": "TYPE_RCS"},
        {**ENUM_VALUE_ADDED, "name": "TYPE_TIKTOK"},
    )


def waiver_file(folder: Path, *waivers: Json) -> Path:
    """Write a waiver file. Waivers without a reason get the same one."""
    path = folder / "waivers.yaml"
    with_reasons = [{"reason": "The page says otherwise.", **waiver} for waiver in waivers]
    text = yaml.safe_dump({"waivers": with_reasons}, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run the command line. Return the exit code, standard output and standard error."""
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def run_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> Json:
    """Run the command line and return the report in the JSON format."""
    _, out, _ = run(capsys, *arguments, "--format", "json")
    report: Json = json.loads(out)
    return report


class TestExitCode:
    def test_unchanged_document_passes(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, err = run(capsys, SPEC, SPEC)
        assert (code, err) == (0, "")
        assert str(SPEC) in out

    @pytest.mark.parametrize(("level", "expected"), [("ERR", 1), ("WARN", 1), ("INFO", 1)])
    def test_change_of_the_severity_or_a_worse_one_fails(
        self, capsys: pytest.CaptureFixture[str], revision: Path, level: str, expected: int
    ) -> None:
        assert run(capsys, SPEC, revision, "--fail-on", level)[0] == expected

    def test_change_of_a_lower_severity_passes(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        path = tmp_path / "revision.yaml"
        document = spec_with()
        document["components"]["schemas"]["LastMessageType"]["enum"].append("TYPE_RCS")
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        assert run(capsys, SPEC, path)[0] == 0
        assert run(capsys, SPEC, path, "--fail-on", "WARN")[0] == 1

    def test_failure_removes_the_report_of_an_earlier_run(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        stale = tmp_path / "report.json"
        stale.write_text("{}", encoding="utf-8")
        code, out, err = run(capsys, SPEC, tmp_path / "nothing.yaml", "--write", f"json={stale}")
        assert (code, out) == (2, "")
        assert re.fullmatch(r"specdrift: .*nothing\.yaml.*\n", err)
        assert not stale.exists()

    @pytest.mark.parametrize(
        "function",
        ["load_documents", "compare_documents", "apply_waivers", "verdict", "write_text"],
    )
    def test_unexpected_exception_gives_no_report(
        self,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        revision: Path,
        function: str,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise KeyError("x")

        monkeypatch.setattr(f"specdrift.cli.{function}", fail)
        code, out, err = run(capsys, SPEC, revision)
        assert (code, out) == (2, "")
        assert err == (
            "specdrift: specdrift failed (KeyError: 'x'):"
            " please report this with the two documents\n"
        )

    @pytest.mark.parametrize("role", ["base", "revision", "waivers", "wire"])
    def test_input_file_is_not_overwritten(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, role: str
    ) -> None:
        files = {name: tmp_path / name for name in ("base", "revision", "waivers", "wire")}
        for name in ("base", "revision"):
            shutil.copy(SPEC, files[name])
        files["waivers"].write_text("waivers: []", encoding="utf-8")
        files["wire"].write_text("", encoding="utf-8")
        content = files[role].read_bytes()
        inputs = ("--waivers", files["waivers"], "--wire", files["wire"])
        documents = (files["base"], files["revision"])
        code, out, err = run(capsys, *documents, *inputs, "--write", f"json={files[role]}")
        assert (code, out, files[role].read_bytes()) == (2, "", content)
        assert f"{files[role]}: is an input and cannot be written" in err

    def test_written_report_is_removed_if_another_one_fails(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        json_file = tmp_path / "report.json"
        html_file = tmp_path / "missing folder" / "report.html"
        outputs = ("--write", f"json={json_file}", "--write", f"html={html_file}")
        assert run(capsys, SPEC, revision, *outputs)[0] == 2
        assert not json_file.exists()

    def test_pipe_is_written_and_not_removed(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        # Opening a pipe waits for its other end, so the reader needs a thread.
        with ThreadPoolExecutor(1) as executor:
            text = executor.submit(pipe.read_text, encoding="utf-8")
            assert run(capsys, SPEC, revision, "--write", f"json={pipe}")[0] == 1
            report = json.loads(text.result(timeout=60))
        assert report["counts"]["ERR"] == 1
        assert pipe.is_fifo()

    @pytest.mark.parametrize(
        "command", ['"$0" "$@" >&-', 'PYTHONIOENCODING=ascii "$0" "$@"', '"$0" "$@" >/dev/full']
    )
    def test_unusual_standard_output_gives_a_report_or_an_error(
        self, tmp_path: Path, command: str
    ) -> None:
        document = spec_with()
        document["paths"]["/é"] = {"get": {"responses": {"200": {"description": ""}}}}
        path = tmp_path / "revision.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        arguments = [sys.executable, "-m", "specdrift", str(SPEC), str(path)]
        result = subprocess.run(
            ["sh", "-c", command, *arguments],
            cwd=ROOT / "tools",
            # With PYTHONUNBUFFERED, nothing would be left to write when the interpreter exits.
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in result.stderr
        has_report = result.returncode == 0 and r"/\xe9" in result.stdout
        has_error_only = (result.returncode, result.stdout) == (2, "")
        assert has_report or has_error_only

    def test_parts_that_are_not_compared_are_noted(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        document = spec_with()
        document.update(openapi="3.2.0", webhooks={"x": {"$dynamicRef": "#x"}}, servers=[])
        path = tmp_path / "revision.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        notes = run_json(capsys, SPEC, path)["notes"]
        assert [note.replace(str(path), "it") for note in notes] == [
            "it has `$dynamicRef`, which is not followed",
            "it is OpenAPI 3.2, and compared as 3.1: what is new in 3.2 is not compared",
        ]

    def test_document_without_paths_is_noted_and_cannot_limit_a_comparison(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        empty = tmp_path / "empty.yaml"
        empty.write_text("openapi: 3.1.0\npath: {}", encoding="utf-8")
        assert f"{empty} has no `paths`" in run(capsys, empty, empty)[1]
        code, out, err = run(capsys, empty, SPEC, "--within-base")
        assert (code, out) == (2, "")
        assert "has no `paths`, so there is nothing to compare" in err

    def test_report_that_cannot_be_written_is_an_error(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "missing folder" / "report.html"
        code, out, err = run(capsys, SPEC, revision, "--write", f"html={path}")
        assert (code, out) == (2, "")
        assert "report.html" in err

    @pytest.mark.parametrize(
        "option", [["--write", "text"], ["--write", "pdf=x"], ["--map", "=x"], ["--fail-on", "BAD"]]
    )
    def test_invalid_argument_is_rejected(
        self, capsys: pytest.CaptureFixture[str], option: list[str]
    ) -> None:
        with pytest.raises(SystemExit) as caught:
            main([str(SPEC), str(SPEC), *option])
        assert caught.value.code == 2
        assert option[1] in capsys.readouterr().err

    def test_module_can_be_run_as_a_program(self, revision: Path) -> None:
        command = [sys.executable, "-m", "specdrift", str(SPEC), str(revision)]
        result = subprocess.run(
            command, cwd=ROOT / "tools", capture_output=True, text=True, check=False
        )
        assert (result.returncode, result.stderr) == (1, "")
        assert "request-property-became-required" in result.stdout


class TestFormats:
    def test_one_run_writes_all_formats(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        formats = ["text", "json", "markdown", "github", "sarif", "html"]
        outputs: list[str] = []
        for name in formats:
            outputs += ["--write", f"{name}={tmp_path / name}"]
        code, out, _ = run(capsys, SPEC, revision, "--format", "markdown", *outputs)
        assert code == 1
        texts = {name: (tmp_path / name).read_text("utf-8") for name in formats}
        assert [name for name, text in texts.items() if "became required" not in text] == []
        assert out == texts["markdown"]

    def test_colours_depend_on_option_terminal_and_environment(
        self, capsys: pytest.CaptureFixture[str], revision: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "\x1b[" in run(capsys, SPEC, revision, "--colour", "always")[1]
        assert "\x1b[" not in run(capsys, SPEC, revision)[1]
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert "\x1b[" in run(capsys, SPEC, revision)[1]
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" not in run(capsys, SPEC, revision)[1]

    def test_change_has_sources_verdicts_and_advice(
        self, capsys: pytest.CaptureFixture[str], revision: Path
    ) -> None:
        change = run_json(capsys, SPEC, revision, "--advise")["changes"][0]
        assert (change["level"], change["client"]["effect"]) == ("ERR", "breaks")
        base_line = change["base"]["source"]["line"]
        revision_line = change["revision"]["source"]["line"]
        spec_lines = SPEC.read_text(encoding="utf-8").splitlines()
        revision_lines = revision.read_text(encoding="utf-8").splitlines()
        assert spec_lines[base_line - 1] == "        starred:"
        assert '"starred"' in revision_lines[revision_line - 1]
        assert f"{SPEC}:{base_line}" in change["advice"]


class TestWaivers:
    def test_waived_change_is_reported_but_not_counted(
        self, capsys: pytest.CaptureFixture[str], revision: Path, waivers: Path
    ) -> None:
        code, out, _ = run(capsys, SPEC, revision, "--waivers", waivers, "--fail-on", "INFO")
        assert code == 0
        assert out.count("The page says otherwise.") == 3

    def test_waiver_with_a_name_covers_only_that_value(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        path = waiver_file(tmp_path, {**ENUM_VALUE_ADDED, "name": "TYPE_RCS"})
        report = run_json(capsys, SPEC, revision, "--waivers", path)
        waived = {change["name"]: bool(change["waiver"]) for change in report["changes"]}
        assert waived == {"": False, '"TYPE_RCS"': True, '"TYPE_TIKTOK"': False}

    def test_unused_waiver_is_a_fault(
        self, capsys: pytest.CaptureFixture[str], waivers: Path
    ) -> None:
        code, out, _ = run(capsys, SPEC, SPEC, "--waivers", waivers)
        assert code == 1
        assert all(f"{waivers}:{line}" in out for line in (2, 5, 9))
        assert out.count("covers nothing any more") == 3

    def test_expired_waiver_is_a_fault_and_covers_nothing(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        path = waiver_file(tmp_path, {**STARRED_BECAME_REQUIRED, "expires": "2020-02-29"})
        code, out, _ = run(capsys, SPEC, revision, "--waivers", path, "--format", "json")
        assert code == 1
        assert json.loads(out)["counts"]["ERR"] == 1
        assert "expired on 2020-02-29" in out
        path = waiver_file(tmp_path, {**STARRED_BECAME_REQUIRED, "expires": "2999-12-31"})
        assert run(capsys, SPEC, revision, "--waivers", path)[0] == 0

    @pytest.mark.parametrize(
        ("waiver", "problem"),
        [
            ({"id": "x", "at": "/", "reason": " "}, ":2: a waiver has no reason"),
            ({"id": "x", "reason": "y"}, ":2: a waiver has no at"),
            (
                {"id": "x", "at": "/", "expire": "2030-01-01"},
                ":2: a waiver has the unknown key 'expire'",
            ),
            (
                {"id": "x", "at": "/", "expires": "soon"},
                ":2: `expires` must be a date such as 2027-06-30",
            ),
            ({"id": "x", "at": "/", "on": ["wire"]}, ":2: `on` must be wire"),
        ],
    )
    def test_invalid_waiver_is_rejected_with_its_line(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, waiver: Json, problem: str
    ) -> None:
        path = waiver_file(tmp_path, waiver)
        code, out, err = run(capsys, SPEC, SPEC, "--waivers", path)
        assert (code, out) == (2, "")
        assert f"{path}{problem}" in err

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "waivers: {}",
            "waivers: []\nmore: 1",
            "waivers: [1]",
            "waivers: [",
            "a: 1\na: 2",
        ],
    )
    def test_file_that_is_not_a_waiver_file_is_rejected(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
    ) -> None:
        path = tmp_path / "waivers.yaml"
        path.write_text(text, encoding="utf-8")
        code, out, err = run(capsys, SPEC, SPEC, "--waivers", path)
        assert (code, out) == (2, "")
        assert str(path) in err
        assert err.count("\n") == 1


class TestWire:
    @pytest.fixture
    def findings(self, tmp_path: Path) -> Path:
        """What a client reports when it receives the same response twice."""
        path = tmp_path / "findings.jsonl"
        conversation = {
            "locationId": "l",
            "contactId": "c",
            "deleted": False,
            "lastMessageType": "TYPE_RCS",
            "mood": 1,
        }
        body = {"success": True, "conversation": conversation}

        def respond(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json=body)

        def record(finding: Finding) -> None:
            with path.open("a", encoding="utf-8") as file:
                print(json.dumps(asdict(finding)), file=file)

        for _ in range(2):
            call_sync(httpx.MockTransport(respond), options={"on_drift": record})
        return path

    def test_finding_is_reported_once_with_the_id_and_place_of_a_document_change(
        self, capsys: pytest.CaptureFixture[str], findings: Path, revision: Path
    ) -> None:
        wire_changes = run_json(capsys, SPEC, SPEC, "--wire", findings)["changes"]
        assert self.identities(wire_changes) == {
            ("response-property-enum-value-added", "WARN", MESSAGE_TYPE),
            ("response-optional-property-added", "INFO", "/components/schemas/Conversation"),
        }
        assert len(wire_changes) == 2
        document_changes = run_json(capsys, SPEC, revision)["changes"]
        assert self.identities(wire_changes) & self.identities(document_changes) != set()

    def test_each_undocumented_status_is_a_change_that_names_it(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        path = tmp_path / "findings.jsonl"
        lines: list[str] = []
        for status in (201, 202, 202):
            findings: list[Finding] = []
            call_sync(
                httpx.MockTransport(lambda request, status=status: httpx.Response(status)),
                options={"on_drift": findings.append},
            )
            lines += [json.dumps(asdict(finding)) for finding in findings]
        path.write_text("\n".join(lines), encoding="utf-8")

        changes = run_json(capsys, SPEC, SPEC, "--wire", path)["changes"]

        assert [change["text"].partition(" must")[0] for change in changes] == [
            "In a response, `201`",
            "In a response, `202`",
        ]

    def test_a_finding_of_a_request_is_a_change_of_requests(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        path = tmp_path / "findings.jsonl"
        finding = {
            "kind": "undocumented-field",
            "rule": "new-optional-request-property",
            "operation": "PUT /x",
            "pointer": "/components/schemas/X",
            "path": "$.new",
            "expected": "a documented property",
            "direction": "request",
        }
        path.write_text(json.dumps(finding), encoding="utf-8")

        (change,) = run_json(capsys, SPEC, SPEC, "--wire", path)["changes"]

        assert (change["id"], change["direction"]) == (finding["rule"], "request")
        assert change["level"] == "INFO"
        assert change["text"].startswith("In a request, `$.new` must be a documented property")

    @pytest.mark.parametrize(
        ("direction", "reason"),
        [("response", "no rule has the id"), ("sideways", "`direction` must be request or")],
    )
    def test_a_finding_with_another_direction_is_an_error(
        self, direction: str, reason: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        path = tmp_path / "findings.jsonl"
        finding = dict.fromkeys(("kind", "operation", "pointer", "path", "expected"), "x")
        finding |= {"rule": "new-optional-request-property", "direction": direction}
        path.write_text(json.dumps(finding), encoding="utf-8")

        code, _, err = run(capsys, SPEC, SPEC, "--wire", path)

        assert code == 2
        assert reason in err

    @staticmethod
    def identities(changes: list[Json]) -> set[tuple[str, str, str]]:
        """The id, the severity and the place of each change."""
        return {(change["id"], change["level"], change["base"]["pointer"]) for change in changes}

    def test_waiver_for_the_wire_covers_no_document_change(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        wire_waiver = waiver_file(tmp_path, {**ENUM_VALUE_ADDED, "on": "wire"})
        report = run_json(capsys, SPEC, revision, "--waivers", wire_waiver)
        assert report["counts"]["waived"] == 0
        waiver = waiver_file(tmp_path, ENUM_VALUE_ADDED)
        report = run_json(capsys, SPEC, revision, "--waivers", waiver)
        assert report["counts"]["waived"] == 2

    def test_waiver_for_the_wire_may_be_unused_without_findings(
        self, capsys: pytest.CaptureFixture[str], findings: Path, tmp_path: Path
    ) -> None:
        property_added = {
            "id": "response-optional-property-added",
            "at": "/components/schemas/Conversation",
        }
        path = waiver_file(
            tmp_path,
            {**ENUM_VALUE_ADDED, "on": "wire"},
            {**property_added, "on": "wire"},
        )
        options = ("--waivers", path, "--fail-on", "INFO")
        assert run(capsys, SPEC, SPEC, "--wire", findings, *options)[0] == 0
        assert run(capsys, SPEC, SPEC, *options)[0] == 0

    @pytest.mark.parametrize("line", ["{", "[]", "{}", '{"kind": 1}', "[" * 300_000])
    def test_invalid_finding_is_rejected_with_its_line(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str
    ) -> None:
        path = tmp_path / "findings.jsonl"
        path.write_text(f"\n{line}\n", encoding="utf-8")
        code, out, err = run(capsys, SPEC, SPEC, "--wire", path)
        assert (code, out) == (2, "")
        assert f"{path}:2: is not a finding" in err


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file."""
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(old, new), encoding="utf-8")


class TestMakeTargets:
    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        """A repository with the files that the targets read."""
        root = tmp_path / "a checkout"
        for name in ("spec", "generated", "overrides", "tools/leadconnector_emulator"):
            shutil.copytree(
                ROOT / name,
                root / name,
                symlinks=True,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        for name in ("Makefile", "drift-waivers.yaml"):
            shutil.copy(ROOT / name, root)
        settings = ("user.name=a", "user.email=a@example.com", "commit.gpgsign=false")
        identity = [argument for setting in settings for argument in ("-c", setting)]
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
            subprocess.run(["git", *identity, *arguments], cwd=root, check=True, timeout=60)
        return root

    def run(self, checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make with this interpreter and this project's tools, without an installation."""
        variables = [f"BIN={Path(sys.executable).parent}", "DEV="]
        return make(*arguments, *variables, cwd=checkout, PYTHONPATH=str(ROOT / "tools"))

    def test_drift_reports_new_differences_with_advice(
        self, checkout: Path, tmp_path: Path
    ) -> None:
        document = published_document()
        upstream = tmp_path / "docs" / "apps" / "conversations.json"
        upstream.parent.mkdir(parents=True)
        upstream.write_text(json.dumps(document), encoding="utf-8")
        result = self.run(checkout, "drift", f"UPSTREAM={upstream}", "ARGS=--fail-on INFO")
        assert (result.returncode, result.stderr) == (0, ""), result.stdout
        assert "0 ERR, 0 WARN, 0 INFO, 12 waived" in result.stdout
        request = document["components"]["schemas"]["UpdateConversationRequest"]
        request["properties"]["reason"] = {"$ref": "../common/schemas.json#/Reason"}
        request["required"].append("reason")
        upstream.write_text(json.dumps(document), encoding="utf-8")
        common = tmp_path / "docs" / "common" / "schemas.json"
        common.parent.mkdir()
        common.write_text('{"Reason": {"type": "string"}}', encoding="utf-8")
        result = self.run(checkout, "drift", f"UPSTREAM={upstream}")
        assert result.returncode == 2  # make's own exit code for a program that failed
        assert "new-required-request-property" in result.stdout
        assert "Bring spec/openapi.yaml:" in result.stdout
        assert "/conversations/search" not in result.stdout

    def test_diff_reports_changes_of_the_spec_and_of_the_python_names(self, checkout: Path) -> None:
        result = self.run(checkout, "diff", "BASE=HEAD")
        assert (result.returncode, result.stderr) == (0, ""), result.stdout
        assert "Nothing changed from HEAD:spec/openapi.yaml to spec/openapi.yaml." in result.stdout
        assert "is as it was in HEAD" in result.stdout
        edit(
            checkout / "spec" / "openapi.yaml",
            "required: [locationId]",
            "required: [locationId, starred]",
        )
        edit(
            checkout / "overrides" / "leadconnector" / "errors.py",
            "class NotFoundError",
            "class MissingError",
        )
        result = self.run(checkout, "diff", "BASE=HEAD")
        assert result.returncode == 2
        assert "request-property-became-required" in result.stdout
        assert "NotFoundError" in result.stdout

    @pytest.mark.parametrize("base", ["", "nowhere", "--help"])
    def test_diff_with_an_unknown_revision_fails(self, checkout: Path, base: str) -> None:
        result = self.run(checkout, "diff", f"BASE={base}")
        assert result.returncode == 2
        assert "Nothing changed" not in result.stdout
        assert (base or "usage: make diff BASE=REVISION") in result.stderr
