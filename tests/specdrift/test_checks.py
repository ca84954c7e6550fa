"""The list of checks: every id that a change can have, with its severities."""

from __future__ import annotations

import json

import pytest
import yaml
from specdrift import compare
from specdrift.checks import CHECK_IDS, CHECKS
from specdrift.cli import main
from specdrift.rules import RULES

from tests.specdrift import test_compare, test_compare_callbacks
from tests.specdrift.documents import Json


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[Json]:
    """Run `specdrift checks` and return its JSON."""
    assert main(["checks", "--format", "json", *options]) == 0
    checks: list[Json] = json.loads(capsys.readouterr().out)
    return checks


def test_every_rule_is_listed_once() -> None:
    assert [check.rule for check in CHECKS] == list(RULES.values())


def test_every_id_belongs_to_one_check() -> None:
    ids = [check_id for check in CHECKS for check_id in check.ids]
    assert sorted(ids) == sorted(CHECK_IDS)


def reported_ids() -> set[str]:
    """The ids that the pairs of the comparison's tests report, in both directions."""
    pairs = [
        (base, revision)
        for changes in (test_compare.SCHEMA_CHANGES, test_compare.OPERATION_CHANGES)
        for base, revision, *_ in changes.values()
    ]
    pairs += [
        (test_compare_callbacks.callback(base), test_compare_callbacks.callback(revision))
        for base, revision, _ in test_compare_callbacks.BODIES.values()
    ]
    return {
        change.id
        for base, revision in pairs
        for change in (*compare(base, revision), *compare(revision, base))
    }


def test_every_id_of_a_comparison_is_listed() -> None:
    assert reported_ids() - CHECK_IDS == set()


@pytest.mark.parametrize(
    ("check_id", "levels"),
    [
        ("request-property-became-required", {"request": "ERR", "response": "INFO"}),
        ("response-property-became-optional", {"request": "INFO", "response": "ERR"}),
        ("request-property-max-length-decreased", {"request": "ERR", "response": "INFO"}),
        ("response-body-not-added", {"request": "ERR", "response": "INFO"}),
        ("endpoint-added", {"none": "INFO"}),
        ("request-body-removed", {"request": "ERR"}),
    ],
)
def test_check_has_its_severity_in_each_direction(
    capsys: pytest.CaptureFixture[str], check_id: str, levels: Json
) -> None:
    [check] = [check for check in listed(capsys) if check_id in check["ids"]]
    assert check["levels"] == levels


def test_text_explains_the_star(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks"]) == 0
    text = capsys.readouterr().out
    assert "  *-became-required: ERR in requests, INFO in responses\n" in text
    assert "      PLACE became required.\n" in text
    assert "`*` is one of these places: " in text


def test_yaml_and_json_are_equal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "-f", "yaml"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == listed(capsys)


@pytest.mark.parametrize("severities", ["ERR", "error,Warn", "info"])
def test_severities_filter(capsys: pytest.CaptureFixture[str], severities: str) -> None:
    levels = {name[:4].upper().replace("ERRO", "ERR") for name in severities.split(",")}
    checks = listed(capsys, "--severity", severities)
    expected = [check for check in listed(capsys) if levels & set(check["levels"].values())]
    assert 0 < len(checks) < len(CHECKS)
    assert checks == expected


def test_tags_filter(capsys: pytest.CaptureFixture[str]) -> None:
    checks = listed(capsys, "--tags", "request,Limits")
    assert checks
    assert {check["group"] for check in checks} == {"limits"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--severity", "fatal"], "'fatal' is no severity: write ERR, WARN or INFO"),
        (["--tags", "request,moon"], "'moon' is no tag: write one or several of request"),
        (["--lang", "en"], "reports are in English only"),
    ],
)
def test_wrong_filter_is_rejected(
    capsys: pytest.CaptureFixture[str], options: list[str], problem: str
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["checks", *options])
    assert exit_.value.code == 2
    assert problem in capsys.readouterr().err
