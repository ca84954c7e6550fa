"""A generated client sends and returns what its spec says, for every construct of a spec."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.long.conformance.reports import Report
from tests.conformance.clients import GeneratedClient


@pytest.fixture(scope="module", name="report")
def report_of_every_construct(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return GeneratedClient("every_construct.yaml", tmp_path_factory.mktemp("every")).check()


def test_the_client_of_every_construct_conforms_to_its_spec(report: Report) -> None:
    assert [str(fault) for fault in report.faults] == []


def test_the_check_compares_each_operation(report: Report) -> None:
    assert report.counts["operations"] == 16
    assert report.counts["requests"] > 250
    assert report.counts["responses"] > 200
    assert report.counts["fields"] > 8000


def test_the_summary_has_all_figures(tmp_path: Path) -> None:
    report = GeneratedClient("planted.yaml", tmp_path).check()
    assert report.summary() == (
        f"2 operations, {report.counts['requests']} requests, {report.counts['responses']} "
        f"responses, {report.counts['fields']} fields, 0 faults"
    )
