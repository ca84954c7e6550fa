"""`make bench`: the arithmetic, the page, and a short run with real processes."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.compare.clients import SPEC
from benchmarks.speed.catalogue import BASELINE, Case, PeerEntry, all_cases, all_peers
from benchmarks.speed.operations import grown_document
from benchmarks.speed.page import case_table, render, terminal_text
from benchmarks.speed.plot import draw
from benchmarks.speed.results import Results, new_results, table_of
from benchmarks.speed.rounds import Rounds
from benchmarks.speed.statistics import percentile, ratios, spread
from benchmarks.speed.worker import Measurement
from tests.support.benchmarks import run_benchmark
from tests.support.paths import ROOT

FINITE = st.floats(min_value=1e-9, max_value=1e9)


bench = partial(run_benchmark, "speed")


def test_a_quick_run_measures_every_mode_in_real_processes(tmp_path: Path) -> None:
    page = ROOT / "docs" / "performance.md"
    page_before = page.read_bytes()
    file = tmp_path / "figures.json"

    modes = ["sync", "async", "tls", "null", "ready", "locations"]
    result = bench("--quick", "--modes", *modes, "--json", file)

    assert result.returncode == 0, result.stderr
    figures: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    rows_by_case = {
        table["case"]: {row["peer"] for row in table["rows"]} for table in figures["tables"]
    }
    peers = {"httpx", "plain", "ours"}
    assert rows_by_case == {
        "sync": peers,
        "async-1": peers,
        "async-10": peers,
        "async-100": peers,
        "tls-sync": set[str](),
        "tls-async-10": set[str](),
        "null": peers,
    }
    assert set(figures["tables"][4]["skipped"].values()) == {"the server has no TLS"}
    assert len(figures["ready"]) == 2
    assert list(figures["locations"]) == ["1", "10"]
    assert "raw httpx" in result.stdout
    assert page.read_bytes() == page_before


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--rounds", "0"], "argument --rounds: must be 1 or more"),
        (["--peers", "curl"], "argument --peers: invalid choice: 'curl'"),
        (["--modes", "fast"], "argument --modes: invalid choice: 'fast'"),
    ],
)
def test_a_wrong_option_is_rejected_by_name(options: list[str], problem: str) -> None:
    result = bench(*options)

    assert (result.returncode, result.stdout) == (2, "")
    assert problem in result.stderr


@given(st.lists(FINITE, min_size=1))
def test_the_quartiles_surround_the_median(values: list[float]) -> None:
    result = spread(values)

    assert min(values) <= result.lower <= result.median <= result.upper <= max(values)


@given(st.lists(FINITE, min_size=1), st.floats(min_value=0.0, max_value=1.0))
def test_a_percentile_is_a_value_that_enough_others_do_not_exceed(
    values: list[float], share: float
) -> None:
    result = percentile(values, share)

    assert result in values
    assert sum(value <= result for value in values) >= share * len(values) - 1e-6


def test_without_values_there_is_no_spread_and_no_percentile() -> None:
    with pytest.raises(ValueError, match="no value"):
        spread([])
    with pytest.raises(ValueError, match="no value"):
        percentile([], 0.5)


@given(st.dictionaries(st.integers(0, 9), FINITE), st.floats(min_value=0.5, max_value=100.0))
def test_a_load_that_slows_a_whole_round_does_not_change_the_ratios(
    values: dict[int, float], factor: float
) -> None:
    baseline = {number: value * factor for number, value in values.items()}

    assert ratios(values, baseline) == pytest.approx([1 / factor] * len(values))


def test_rounds_that_only_one_of_two_peers_has_are_not_compared() -> None:
    assert ratios({0: 1.0, 2: 6.0}, {1: 5.0, 2: 3.0}) == [2.0]


def case_and_peers() -> tuple[Case, list[PeerEntry]]:
    return all_cases()[0], all_peers()[:3]


def results_of_three_peers() -> Results:
    """A run in which the first is raw httpx, the second takes half the time, the third failed."""
    case, peers = case_and_peers()
    rounds = Rounds()
    for number in range(3):
        rounds.add(case, peers[0], number, Measurement(0.002, 0.001, 0.002, 0.003))
        rounds.add(case, peers[1], number, Measurement(0.001, 0.0005, 0.001, 0.002))
    rounds.skip(case, peers[2], "a <reason>")
    results = new_results("a server", ["a warning"], peers)
    results.tables = [table_of(rounds, case, peers)]
    return results


def test_a_peer_that_is_twice_as_fast_has_the_ratio_two() -> None:
    table = results_of_three_peers().tables[0]

    assert case_table(table).splitlines()[3] == (
        "| plain functions | 2.00 (2.00–2.00) | 0.50 (0.50–0.50) | 1,000 | 500 | 1.00 | 2.00 |"
    )


def test_the_page_names_machine_date_warning_and_reasons() -> None:
    results = results_of_three_peers()

    page = render(results, has_plot=True)

    for text in (results.date, results.machine, "a warning", "requests (a <reason>)"):
        assert text in page
    assert "requests (a <reason>)" in terminal_text(results)


def test_the_plot_is_valid_and_has_a_bar_for_each_measured_peer() -> None:
    svg = draw(results_of_three_peers().tables)

    root = ElementTree.fromstring(svg)
    bars = [item for item in root.iter() if item.get("class") in {"bar", "main"}]
    assert len(bars) == 2
    assert "prefers-color-scheme: dark" in svg


def test_the_committed_plot_is_valid() -> None:
    ElementTree.parse(ROOT / "docs" / "performance.svg")


def test_the_peers_have_different_keys_and_include_the_baseline() -> None:
    keys = [entry.key for entry in all_peers()]

    assert len(keys) == len(set(keys))
    assert BASELINE in keys


@pytest.mark.parametrize("operations", [1, 3, 12])
def test_a_grown_spec_has_operations_with_schemas_of_their_own(operations: int) -> None:
    document = yaml.safe_load(SPEC.read_text(encoding="utf-8"))

    grown = grown_document(document, operations)

    assert len(grown["paths"]) == operations
    schemas = len(document["components"]["schemas"])
    assert len(grown["components"]["schemas"]) == schemas * operations
    identifiers = {
        operation["operationId"] for item in grown["paths"].values() for operation in item.values()
    }
    assert len(identifiers) == operations
