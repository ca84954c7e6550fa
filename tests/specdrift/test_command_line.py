"""The command line of specdrift: what goes in, what comes out, and that a failure never reads as 'no changes'."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
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

Json = dict[str, Any]
SPEC = ROOT / "spec" / "openapi.yaml"
TYPES = "/components/schemas/LastMessageType"


def of_spec(**schemas: Json) -> Json:
    """The spec, with other members in some of its schemas."""
    document: Json = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    for name, members in schemas.items():
        document["components"]["schemas"][name].update(members)
    return document


@pytest.fixture
def revision(tmp_path: Path) -> Path:
    """What the API says of itself: two values more than the spec has, and a property that has become required."""
    document = of_spec(UpdateConversationRequest={"required": ["locationId", "starred"]})
    document["components"]["schemas"]["LastMessageType"]["enum"] += ["TYPE_RCS", "TYPE_TIKTOK"]
    path = tmp_path / "revision.json"
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return path


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A waiver for each of these changes."""
    return waiving(
        tmp_path,
        {"id": "request-property-became-required", "at": f"{REQUEST}/properties/starred"},
        {"id": "response-property-enum-value-added", "at": TYPES, "name": "TYPE_RCS"},
        {"id": "response-property-enum-value-added", "at": TYPES, "name": "TYPE_TIKTOK"},
    )


REQUEST = "/components/schemas/UpdateConversationRequest"


def waiving(folder: Path, *waivers: Json, **rest: object) -> Path:
    """A waiver file; each waiver has the same reason."""
    path = folder / "waivers.yaml"
    listed = [{"reason": "The page says otherwise.", **waiver} for waiver in waivers]
    path.write_text(yaml.safe_dump({"waivers": listed, **rest}, sort_keys=False), encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """The exit code, and what is printed."""
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


class TestExitCode:
    def test_nothing_changed(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, err = run(capsys, SPEC, SPEC)
        assert (code, err) == (0, "")
        assert str(SPEC) in out

    @pytest.mark.parametrize(("level", "expected"), [("ERR", 1), ("WARN", 1), ("INFO", 1)])
    def test_something_of_the_level_or_worse_changed(
        self, capsys: pytest.CaptureFixture[str], revision: Path, level: str, expected: int
    ) -> None:
        assert run(capsys, SPEC, revision, "--fail-on", level)[0] == expected

    def test_something_changed_that_is_not_as_bad(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        path = tmp_path / "revision.yaml"
        path.write_text(yaml.safe_dump(of_spec(LastMessageType={"enum": None})), encoding="utf-8")
        document = of_spec()
        document["components"]["schemas"]["LastMessageType"]["enum"].append("TYPE_RCS")
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        assert run(capsys, SPEC, path)[0] == 0
        assert run(capsys, SPEC, path, "--fail-on", "WARN")[0] == 1

    def test_what_cannot_be_compared_leaves_no_report_behind(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        stale = tmp_path / "report.json"
        stale.write_text("{}", encoding="utf-8")
        code, out, err = run(capsys, SPEC, tmp_path / "nothing.yaml", "--write", f"json={stale}")
        assert (code, out) == (2, "")
        assert re.fullmatch(r"specdrift: .*nothing\.yaml.*\n", err)
        assert not stale.exists()

    def test_a_mistake_of_ours_reads_as_no_report(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise KeyError("x")

        monkeypatch.setattr("specdrift.cli.changes", fail)
        code, out, err = run(capsys, SPEC, SPEC)
        assert (code, out) == (2, "")
        assert (
            err
            == "specdrift: specdrift failed (KeyError: 'x'): please report this with the two documents\n"
        )

    @pytest.mark.parametrize("role", ["base", "revision", "waivers", "wire"])
    def test_what_is_read_is_not_written_over(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, role: str
    ) -> None:
        files = {name: tmp_path / name for name in ("base", "revision", "waivers", "wire")}
        for name in ("base", "revision"):
            shutil.copy(SPEC, files[name])
        files["waivers"].write_text("waivers: []", encoding="utf-8")
        files["wire"].write_text("", encoding="utf-8")
        before = files[role].read_bytes()
        options = (
            "--waivers",
            files["waivers"],
            "--wire",
            files["wire"],
            "--write",
            f"json={files[role]}",
        )
        code, out, err = run(capsys, files["base"], files["revision"], *options)
        assert (code, out, files[role].read_bytes()) == (2, "", before)
        assert f"{files[role]}: is read, and cannot be written as well" in err

    def test_what_was_written_goes_again_where_the_rest_fails(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        written, missing = tmp_path / "report.json", tmp_path / "none" / "report.html"
        assert (
            run(capsys, SPEC, revision, "--write", f"json={written}", "--write", f"html={missing}")[
                0
            ]
            == 2
        )
        assert not written.exists()

    def test_a_pipe_is_written_to_and_stays(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        pipe, got = tmp_path / "pipe", list[str]()
        os.mkfifo(pipe)
        reader = threading.Thread(target=lambda: got.append(pipe.read_text(encoding="utf-8")))
        reader.start()
        assert run(capsys, SPEC, revision, "--write", f"json={pipe}")[0] == 1
        reader.join(60)
        assert json.loads(got[0])["counts"]["ERR"] == 1
        assert pipe.is_fifo()

    @pytest.mark.parametrize(
        "command", ['"$0" "$@" >&-', 'PYTHONIOENCODING=ascii "$0" "$@"', '"$0" "$@" >/dev/full']
    )
    def test_an_output_of_another_kind_gives_a_report_or_a_line(
        self, tmp_path: Path, command: str
    ) -> None:
        document = of_spec()
        document["paths"]["/é"] = {"get": {"responses": {"200": {"description": ""}}}}
        path = tmp_path / "revision.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        arguments = [sys.executable, "-m", "specdrift", str(SPEC), str(path)]
        done = subprocess.run(
            ["sh", "-c", command, *arguments],
            cwd=ROOT / "tools",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        assert (done.returncode == 0 and r"/\xe9" in done.stdout) or (
            done.returncode,
            done.stdout,
        ) == (2, "")

    def test_what_was_left_out_is_told(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        document = of_spec()
        document.update(openapi="3.2.0", webhooks={"x": {"$dynamicRef": "#x"}}, servers=[])
        path, empty = tmp_path / "revision.yaml", tmp_path / "empty.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        notes = json.loads(run(capsys, SPEC, path, "--format", "json")[1])["notes"]
        assert [note.replace(str(path), "it") for note in notes] == [
            "it has `$dynamicRef`, which is not followed",
            "it is OpenAPI 3.2, and compared as 3.1: what is new in 3.2 is left out",
            "`servers` differ, and are not compared",
            "`webhooks` differ, and are not compared",
        ]
        empty.write_text("openapi: 3.1.0\npath: {}", encoding="utf-8")
        assert f"{empty} has no `paths`" in run(capsys, empty, empty)[1]
        code, out, err = run(capsys, empty, SPEC, "--within-base")
        assert (code, out) == (2, "")
        assert "has no `paths`, so that there is nothing to compare" in err

    def test_a_report_that_cannot_be_written_is_none(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        code, out, err = run(
            capsys, SPEC, revision, "--write", f"html={tmp_path / 'none' / 'report.html'}"
        )
        assert (code, out) == (2, "")
        assert "report.html" in err

    @pytest.mark.parametrize(
        "odd", [["--write", "text"], ["--write", "pdf=x"], ["--map", "=x"], ["--fail-on", "BAD"]]
    )
    def test_an_argument_makes_no_sense(
        self, capsys: pytest.CaptureFixture[str], odd: list[str]
    ) -> None:
        with pytest.raises(SystemExit) as found:
            main([str(SPEC), str(SPEC), *odd])
        assert found.value.code == 2
        assert odd[1] in capsys.readouterr().err

    def test_it_is_a_program(self, revision: Path) -> None:
        command = [sys.executable, "-m", "specdrift", str(SPEC), str(revision)]
        done = subprocess.run(
            command, cwd=ROOT / "tools", capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (1, "")
        assert "request-property-became-required" in done.stdout


class TestForms:
    def test_one_run_writes_all_forms(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        forms = ["text", "json", "markdown", "github", "sarif", "html"]
        wanted = [
            argument for form in forms for argument in ("--write", f"{form}={tmp_path / form}")
        ]
        code, out, _ = run(capsys, SPEC, revision, "--format", "markdown", *wanted)
        assert code == 1
        texts = {form: (tmp_path / form).read_text("utf-8") for form in forms}
        assert [form for form, each in texts.items() if "became required" not in each] == []
        assert out == texts["markdown"]

    def test_colour_is_for_those_who_want_it(
        self, capsys: pytest.CaptureFixture[str], revision: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "\x1b[" in run(capsys, SPEC, revision, "--colour", "always")[1]
        assert "\x1b[" not in run(capsys, SPEC, revision)[1]
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert "\x1b[" in run(capsys, SPEC, revision)[1]
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" not in run(capsys, SPEC, revision)[1]

    def test_each_change_has_its_places_its_two_verdicts_and_what_to_do(
        self, capsys: pytest.CaptureFixture[str], revision: Path
    ) -> None:
        out = run(capsys, SPEC, revision, "--advise", "--format", "json")[1]
        change = json.loads(out)["changes"][0]
        assert (change["level"], change["client"]["effect"]) == ("ERR", "breaks")
        line = change["base"]["source"]["line"]
        assert SPEC.read_text(encoding="utf-8").splitlines()[line - 1] == "        starred:"
        assert (
            '"starred"'
            in revision.read_text(encoding="utf-8").splitlines()[
                change["revision"]["source"]["line"] - 1
            ]
        )
        assert f"{SPEC}:{line}" in change["advice"]


class TestWaivers:
    def test_what_is_waived_counts_for_nothing_but_is_told(
        self, capsys: pytest.CaptureFixture[str], revision: Path, known: Path
    ) -> None:
        code, out, _ = run(capsys, SPEC, revision, "--waivers", known, "--fail-on", "INFO")
        assert code == 0
        assert out.count("The page says otherwise.") == 3

    def test_a_value_that_is_not_named_is_not_waived_with_another(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        path = waiving(
            tmp_path, {"id": "response-property-enum-value-added", "at": TYPES, "name": "TYPE_RCS"}
        )
        out = run(capsys, SPEC, revision, "--waivers", path, "--format", "json")[1]
        waived = {change["name"]: bool(change["waiver"]) for change in json.loads(out)["changes"]}
        assert waived == {"": False, '"TYPE_RCS"': True, '"TYPE_TIKTOK"': False}

    def test_one_that_covers_nothing_is_at_fault(
        self, capsys: pytest.CaptureFixture[str], known: Path
    ) -> None:
        code, out, _ = run(capsys, SPEC, SPEC, "--waivers", known)
        assert code == 1
        assert all(f"{known}:{line}" in out for line in (2, 5, 9))
        assert out.count("covers nothing any more") == 3

    def test_one_that_is_past_its_last_day_is_at_fault_and_waives_nothing(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        place = {"id": "request-property-became-required", "at": f"{REQUEST}/properties/starred"}
        path = waiving(tmp_path, {**place, "expires": "2020-02-29"})
        code, out, _ = run(capsys, SPEC, revision, "--waivers", path, "--format", "json")
        assert code == 1
        assert json.loads(out)["counts"]["ERR"] == 1
        assert "expired on 2020-02-29" in out
        path = waiving(tmp_path, {**place, "expires": "2999-12-31"})
        assert run(capsys, SPEC, revision, "--waivers", path)[0] == 0

    @pytest.mark.parametrize(
        ("waiver", "problem"),
        [
            ({"id": "x", "at": "/", "reason": " "}, ":2: a waiver has no reason"),
            ({"id": "x", "reason": "y"}, ":2: a waiver has no at"),
            (
                {"id": "x", "at": "/", "expire": "2030-01-01"},
                ":2: a waiver has 'expire', which means nothing",
            ),
            (
                {"id": "x", "at": "/", "expires": "soon"},
                ":2: `expires` must be a date such as 2027-06-30",
            ),
            ({"id": "x", "at": "/", "on": ["wire"]}, ":2: `on` must be wire"),
        ],
    )
    def test_one_that_makes_no_sense_is_refused_with_its_line(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, waiver: Json, problem: str
    ) -> None:
        path = waiving(tmp_path, waiver)
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
    def test_a_file_of_another_kind_is_refused(
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
    def found(self, tmp_path: Path) -> Path:
        """What a client found in an answer, twice."""
        path = tmp_path / "findings.jsonl"
        conversation = {
            "locationId": "l",
            "contactId": "c",
            "deleted": False,
            "lastMessageType": "TYPE_RCS",
            "mood": 1,
        }
        body = {"success": True, "conversation": conversation}

        def note(finding: Finding) -> None:
            with path.open("a", encoding="utf-8") as file:
                print(json.dumps(asdict(finding)), file=file)

        for _ in range(2):
            call_sync(
                httpx.MockTransport(lambda _: httpx.Response(200, json=body)),
                options={"on_drift": note},
            )
        return path

    def test_what_a_client_found_is_told_once_with_the_same_ids_and_in_the_same_places(
        self, capsys: pytest.CaptureFixture[str], found: Path, revision: Path
    ) -> None:
        out = json.loads(run(capsys, SPEC, SPEC, "--wire", found, "--format", "json")[1])
        told = {(each["id"], each["level"], each["base"]["pointer"]) for each in out["changes"]}
        assert told == {
            ("response-property-enum-value-added", "WARN", TYPES),
            ("response-optional-property-added", "INFO", "/components/schemas/Conversation"),
        }
        assert len(out["changes"]) == 2
        documents = json.loads(run(capsys, SPEC, revision, "--format", "json")[1])["changes"]
        assert (
            told & {(each["id"], each["level"], each["base"]["pointer"]) for each in documents}
        ) != set()

    def test_a_waiver_for_the_wire_covers_no_change_of_a_document(
        self, capsys: pytest.CaptureFixture[str], revision: Path, tmp_path: Path
    ) -> None:
        place = {"id": "response-property-enum-value-added", "at": TYPES}
        for more, covered in (({"on": "wire"}, 0), ({}, 2)):
            out = run(
                capsys,
                SPEC,
                revision,
                "--waivers",
                waiving(tmp_path, {**place, **more}),
                "--format",
                "json",
            )[1]
            assert json.loads(out)["counts"]["waived"] == covered

    def test_one_waiver_file_serves_both(
        self, capsys: pytest.CaptureFixture[str], found: Path, tmp_path: Path
    ) -> None:
        path = waiving(
            tmp_path,
            {"id": "response-property-enum-value-added", "at": TYPES, "on": "wire"},
            {
                "id": "response-optional-property-added",
                "at": "/components/schemas/Conversation",
                "on": "wire",
            },
        )
        assert (
            run(capsys, SPEC, SPEC, "--wire", found, "--waivers", path, "--fail-on", "INFO")[0] == 0
        )
        assert run(capsys, SPEC, SPEC, "--waivers", path, "--fail-on", "INFO")[0] == 0

    @pytest.mark.parametrize("line", ["{", "[]", "{}", '{"kind": 1}', "[" * 300_000])
    def test_what_is_no_finding_is_refused_with_its_line(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str
    ) -> None:
        path = tmp_path / "findings.jsonl"
        path.write_text(f"\n{line}\n", encoding="utf-8")
        code, out, err = run(capsys, SPEC, SPEC, "--wire", path)
        assert (code, out) == (2, "")
        assert f"{path}:2: is no finding" in err


def published() -> Json:
    """The vendor's document, as far as it is known to differ from the spec."""
    document = of_spec()
    put = document["paths"]["/conversations/{conversationId}"]["put"]
    put.update(operationId="update-conversation", security=[{"bearer": ["conversations.write"]}])
    del put["responses"]["422"]
    schemas = document["components"]["schemas"]
    schemas["ApiVersion"]["enum"] = ["2021-04-15"]
    others = "RCS ACTIVITY_EMPLOYEE_ACTION_LOG TIKTOK TIKTOK_COMMENT ACTIVITY_WHATSAPP FORM_SUBMISSION SMS_REACTION"
    schemas["LastMessageType"]["enum"] += [f"TYPE_{name}" for name in others.split()]
    document["paths"]["/conversations/search"] = {
        "get": {"responses": {"200": {"description": "Another operation"}}}
    }
    return document


class TestTargets:
    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        """A copy of what the targets look at, with a commit."""
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
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
            who = [
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@example.com",
                "-c",
                "commit.gpgsign=false",
            ]
            subprocess.run(["git", *who, *arguments], cwd=root, check=True, timeout=60)
        return root

    def run(self, checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make with this interpreter and this project's tools, and install nothing."""
        mine = [f"BIN={Path(sys.executable).parent}", "DEV="]
        return make(*arguments, *mine, cwd=checkout, PYTHONPATH=str(ROOT / "tools"))

    def test_drift_tells_what_is_new_in_the_vendors_document_and_what_to_do(
        self, checkout: Path, tmp_path: Path
    ) -> None:
        document = published()
        upstream = tmp_path / "docs" / "apps" / "conversations.json"
        upstream.parent.mkdir(parents=True)
        upstream.write_text(json.dumps(document), encoding="utf-8")
        done = self.run(checkout, "drift", f"UPSTREAM={upstream}", "ARGS=--fail-on INFO")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "0 ERR, 0 WARN, 0 INFO, 12 waived" in done.stdout
        request = document["components"]["schemas"]["UpdateConversationRequest"]
        request["properties"]["reason"] = {"$ref": "../common/schemas.json#/Reason"}
        request["required"].append("reason")
        upstream.write_text(json.dumps(document), encoding="utf-8")
        common = tmp_path / "docs" / "common" / "schemas.json"
        common.parent.mkdir()
        common.write_text('{"Reason": {"type": "string"}}', encoding="utf-8")
        done = self.run(checkout, "drift", f"UPSTREAM={upstream}")
        assert done.returncode == 2  # which is how make says that a program failed
        assert "new-required-request-property" in done.stdout
        assert "Bring spec/openapi.yaml:" in done.stdout
        assert "/conversations/search" not in done.stdout

    def test_diff_tells_what_changed_in_the_spec_and_in_python(self, checkout: Path) -> None:
        done = self.run(checkout, "diff", "BASE=HEAD")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "Nothing changed from HEAD:spec/openapi.yaml to spec/openapi.yaml." in done.stdout
        assert "is as it was in HEAD" in done.stdout
        for path, old, new in (
            (
                checkout / "spec" / "openapi.yaml",
                "required: [locationId]",
                "required: [locationId, starred]",
            ),
            (
                checkout / "overrides" / "leadconnector" / "errors.py",
                "class NotFoundError",
                "class MissingError",
            ),
        ):
            path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        done = self.run(checkout, "diff", "BASE=HEAD")
        assert done.returncode == 2
        assert "request-property-became-required" in done.stdout
        assert "NotFoundError" in done.stdout

    @pytest.mark.parametrize("base", ["", "nowhere", "--help"])
    def test_diff_with_no_such_revision_says_so(self, checkout: Path, base: str) -> None:
        done = self.run(checkout, "diff", f"BASE={base}")
        assert done.returncode == 2
        assert "Nothing changed" not in done.stdout
        assert (base or "usage: make diff BASE=REVISION") in done.stderr
