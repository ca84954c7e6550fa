"""Custom severities: a file of check ids and severities replaces the usual ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from specdrift.checks import CHECK_IDS
from specdrift.cli import main
from specdrift.levels import level_named
from specdrift.loading import ParsedFile
from specdrift.severities import read_severities

from tests.specdrift.documents import Json

REMOVED = "api-removed-without-deprecation"
OPERATION: Json = {"responses": {"200": {"description": ""}}}
BASE: Json = {
    "openapi": "3.1.0",
    "info": {"title": "A", "version": "1"},
    "paths": {"/a": {"get": OPERATION, "post": OPERATION}},
}
REVISION: Json = {**BASE, "paths": {"/a": {"get": OPERATION, "delete": OPERATION}}}


class Comparison:
    """Compares two documents with a file of severities."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys

    def run(self, severities: str, *options: str) -> tuple[int, str, str]:
        """Return the exit code, standard output and standard error."""
        base = self._file("base.json", json.dumps(BASE))
        revision = self._file("revision.json", json.dumps(REVISION))
        levels = self._file("levels.yaml", severities)
        code = main([base, revision, "--severity-levels", levels, *options])
        out, err = self._capsys.readouterr()
        return code, out, err

    def changes(self, severities: str) -> list[str]:
        """Return the severity and id of each change."""
        _, out, _ = self.run(severities, "--format", "json")
        changes: list[dict[str, Any]] = json.loads(out)["changes"]
        return [f"{change['level']} {change['id']}" for change in changes]

    def _file(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@pytest.fixture
def comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Comparison:
    return Comparison(tmp_path, capsys)


def changes_by_default(comparison: Comparison) -> list[str]:
    return comparison.changes("")


def test_empty_file_changes_nothing(comparison: Comparison) -> None:
    assert f"ERR {REMOVED}" in comparison.changes("")
    assert comparison.changes("# nothing yet\n") == changes_by_default(comparison)


@pytest.mark.parametrize("level", ["INFO", "info", "Info"])
@pytest.mark.parametrize("line", ["{id}: {level}", "{id}    {level}", '"{id}": "{level}"'])
def test_severity_is_replaced(comparison: Comparison, line: str, level: str) -> None:
    severities = line.format(id=REMOVED, level=level)
    assert f"INFO {REMOVED}" in comparison.changes(severities)
    assert comparison.run(severities)[0] == 0


def test_none_omits_the_change(comparison: Comparison) -> None:
    changes = comparison.changes(f"{REMOVED}: none")
    assert changes == ["INFO endpoint-added"]


def test_harmless_change_can_fail(comparison: Comparison) -> None:
    severities = f"{REMOVED}: none\nendpoint-added: error"
    assert comparison.changes(severities) == ["ERR endpoint-added"]
    assert comparison.run(severities)[0] == 1


def test_line_with_one_id_decides_before_a_pattern(comparison: Comparison) -> None:
    severities = f"{REMOVED}: warn\napi-*: none\nendpoint-*: info"
    assert comparison.changes(severities) == [f"WARN {REMOVED}", "INFO endpoint-added"]


def test_last_pattern_decides(comparison: Comparison) -> None:
    assert f"WARN {REMOVED}" in comparison.changes("api-*: none\napi-removed-*: warn")


def test_every_format_mentions_custom_severities(comparison: Comparison) -> None:
    severities = f"{REMOVED}: warn\nendpoint-added: none"
    # Markdown escapes the comma.
    note = "1 change with another severity"
    for name in ("text", "json", "markdown", "html", "github", "sarif"):
        assert note in comparison.run(severities, "--format", name)[1]


@pytest.mark.parametrize(
    ("severities", "problem"),
    [
        ("api-removed-without-depreciation: warn", f"write {REMOVED}"),
        ("endpoint-aded: warn", "write endpoint-added"),
        ("\nrequest-body-becme-required: err", "levels.yaml:2: no check has the id"),
        ("qqqqqq: err", "`specdrift checks` lists all ids"),
        ("qqqqqq-*: err", "no check has the id"),
        ("a/b: err", "no check has the id"),
        (f"{REMOVED}: fatal", "the severity 'fatal' is unknown: write ERR, WARN, INFO or none"),
        (f"{REMOVED}:", "the severity None is unknown"),
        (f"{REMOVED}: 3", "the severity 3 is unknown"),
        (f"{REMOVED} warn\nendpoint-added", "levels.yaml:2: is not a check id and a severity"),
        ("- a", "is not a file of severities"),
        (f"{REMOVED}: warn\n{REMOVED}: err", "levels.yaml:2"),
    ],
)
def test_wrong_line_is_rejected_with_its_place(
    comparison: Comparison, severities: str, problem: str
) -> None:
    code, out, err = comparison.run(severities)
    assert (code, out) == (2, "")
    assert "levels.yaml:" in err
    assert problem in err


@given(st.sampled_from(sorted(CHECK_IDS)), st.sampled_from(["err", "WARN", "Info", "none"]))
def test_every_id_can_be_customised(check_id: str, level: str) -> None:
    file = ParsedFile.parse("levels.yaml", f"{check_id}: {level}".encode())
    assert read_severities(file).levels == {check_id: level_named(level)}


@pytest.mark.parametrize(
    ("name", "level"),
    [("ERR", "ERR"), ("error", "ERR"), ("Warning", "WARN"), ("warn", "WARN"), ("info", "INFO")],
)
def test_names_of_severities(name: str, level: str) -> None:
    assert level_named(name) == level
    assert level_named("none") is None
