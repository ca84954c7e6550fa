"""The long runs in benchmarks/long: they work with small numbers, and they detect failures."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from leadconnector._vendoring.errors import VendoringError

from benchmarks.long import kills, rates, soak
from benchmarks.long.served import NO_FAULT, EmulatorRecord, RecordedRequest
from tests.support.benchmarks import run_benchmark
from tests.support.redis_server import executable


def run(name: str, *options: object) -> subprocess.CompletedProcess[str]:
    return run_benchmark(f"long.{name}", *options)


def cells(result: subprocess.CompletedProcess[str], title: str) -> list[str]:
    """The cells of the row with this title."""
    [line] = [line for line in result.stdout.splitlines() if line.startswith(title)]
    return line.removeprefix(title).split()


def test_the_rate_limit_run_loses_no_call_and_keeps_the_order() -> None:
    executable()  # Skips the test without Redis.
    size = ["--seconds", 1, "--limit", 30, "--window", 0.5, "--callers", 8]
    tolerance = ["--slack", 0.2, "--max-rejected", 1000, "--min-use", 0]
    result = run("rates", *size, *tolerance)
    assert result.returncode == 0, result.stdout + result.stderr
    rows = [
        "8 threads ",
        "8 tasks",
        "8 threads, 3 locations",
        "4 processes of 2 threads, Redis",
        "the same, Redis away for a third",
    ]
    for title in rows[:4]:
        calls, _, lost = cells(result, title)[:3]
        # Each caller makes one call at least, however slow the machine is.
        assert (int(calls) >= 8, lost) == (True, "0")
    assert cells(result, rows[4])[2] == "0"
    assert "all checks passed" in result.stdout


def test_the_rate_limit_run_fails_if_it_requires_more_than_a_window_allows() -> None:
    executable()
    size = ["--seconds", 0.1, "--limit", 8, "--window", 0.2, "--callers", 4]
    result = run("rates", *size, "--slack", 0.1, "--min-use", 101)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "FAILED: 4 threads: 101 % of the window is used" in result.stdout


def test_the_soak_accounts_for_every_call_and_leaves_nothing_open() -> None:
    result = run("soak", "--updates", 600, "--threads", 3, "--tasks", 3)
    assert result.returncode == 0, result.stdout + result.stderr
    assert cells(result, "ArgumentError") == ["6"]
    assert int(cells(result, "success")[0]) > 500
    assert float(cells(result, "requests with a fault")[0]) > 1


def test_the_token_run_refreshes_once() -> None:
    result = run("oauth", "--threads", 6, "--tasks", 6, "--processes", 2, "--share", 2)
    assert result.returncode == 0, result.stdout + result.stderr
    assert cells(result, "expired")[:4] == ["20", "1", "0", "0"]
    assert cells(result, "revoked, though it looks valid")[:3] == ["20", "1", "0"]
    assert cells(result, "valid, but lacks a scope")[:3] == ["20", "1", "20"]


@pytest.mark.parametrize(
    ("second", "expected"),
    [((2.0, 3.0, 10.0), True), ((2.0, 3.0, 9.0), False), ((0.5, 3.0, 9.0), True)],
    ids=["the same time", "an earlier time", "requested at the same time"],
)
def test_the_order_is_broken_by_a_later_request_with_an_earlier_time(
    second: tuple[float, float, float], expected: bool
) -> None:
    bookings = [rates.Booking(1, "a", 0.0, 1.0, 10.0), rates.Booking(2, "a", *second)]
    assert rates.in_order(bookings, 0.0) is expected


def test_a_request_is_late_if_it_arrives_after_one_with_a_later_time() -> None:
    assert rates.late([(0.0, 1.0), (0.0, 2.0), (5.0, 6.0)]) == 0.0
    assert rates.late([(0.0, 1.0), (0.0, 7.5), (5.0, 6.0)]) == 1.5


def test_a_window_that_is_always_full_is_used_completely() -> None:
    options = rates.Options(60.0, 100, 10.0, 40, 95.0, 0, 0.0)
    bursts = [10.0 * number for number in range(6) for _ in range(100)]
    assert rates.used(bursts, options) == 100.0
    assert rates.used([time * 1.25 for time in bursts], options) == 80.0


OPTIONS = rates.Options(60.0, 10, 1.0, 40, 95.0, 0, 0.0)


def arrivals_within_the_limit(times: list[float]) -> list[float]:
    """The requests that a strict window of these options accepts."""
    accepted = list[float]()
    for at in sorted(times):
        if len(accepted) < 10 or at - accepted[-10] >= 1.0:
            accepted.append(at)
    return accepted


@given(st.lists(st.floats(0, 60), max_size=100))
@example([0.0, 0.0001])
@example([0.0, 1.0])
def test_the_use_of_the_window_is_0_to_100_percent(times: list[float]) -> None:
    assert 0.0 <= rates.used(times, OPTIONS) <= 100.0


@given(st.lists(st.floats(0, 60), max_size=100), st.floats(0, 60))
def test_a_further_request_between_the_others_never_reduces_the_use(
    times: list[float], at: float
) -> None:
    between = [at] if times and min(times) <= at <= max(times) else []
    assert rates.used(times + between, OPTIONS) >= rates.used(times, OPTIONS)


@given(st.lists(st.floats(0, 5), max_size=200))
def test_a_strict_window_is_never_used_beyond_what_it_allows(times: list[float]) -> None:
    accepted = arrivals_within_the_limit(times)
    seconds = max(accepted, default=0.0) - min(accepted, default=0.0)
    unbounded = 100 * (len(accepted) - 10) / (10 * seconds) if seconds >= 1.0 else 0.0
    assert unbounded <= 100.0 + 1e-6


def test_the_use_within_less_than_a_window_is_a_share_of_the_limit() -> None:
    assert rates.used([], OPTIONS) == 0.0
    assert rates.used([5.0], OPTIONS) == 10.0
    assert rates.used([5.0, 5.2, 5.4], OPTIONS) == pytest.approx(30.0)
    assert rates.used([0.1 * number for number in range(10)], OPTIONS) == 100.0


CONVERSATION = "conversation-0-0"


def recorded(number: int, applied: bool) -> RecordedRequest:
    return RecordedRequest(0.0, CONVERSATION, "a", number, 200, applied, NO_FAULT)


def run_of_two_calls(
    emulator: EmulatorRecord, after: soak.Resources, remaining_tasks: int = 0
) -> soak.Run:
    """A run with a successful call, number 0, and an invalid argument, number 1."""
    record = soak.Record(2, attempts=2, invalid={1})
    record.add_success(0, CONVERSATION)
    record.outcomes["ArgumentError"] += 1
    before = soak.Resources(files=1, threads=1, memory=1)
    return soak.Run(record, emulator, before, after, remaining_tasks, seconds=1.0)


@pytest.mark.parametrize(
    ("requests", "check"),
    [
        ([], "each success is applied"),
        ([(0, True), (2, True)], "a conversation has the number"),
        ([(0, True), (1, False)], "nothing is sent of a call"),
        ([(0, True)] * 3, "no more requests arrived"),
    ],
)
def test_the_soak_detects_failures(requests: list[tuple[int, bool]], check: str) -> None:
    unchanged = soak.Resources(files=1, threads=1, memory=1)
    correct = EmulatorRecord([recorded(0, True)], {CONVERSATION: 0}, 0)
    assert soak.failed_checks(run_of_two_calls(correct, unchanged)) == []

    numbers = {CONVERSATION: requests[-1][0]} if requests else {}
    wrong = EmulatorRecord([recorded(number, applied) for number, applied in requests], numbers, 0)
    failures = soak.failed_checks(run_of_two_calls(wrong, unchanged))
    assert any(failure.startswith(check) for failure in failures)

    leaked = soak.Resources(files=2, threads=2, memory=1)
    assert soak.failed_checks(run_of_two_calls(correct, leaked, remaining_tasks=1)) == [
        "no file stays open",
        "no thread remains",
        "no task remains",
    ]


def test_a_killed_run_leaves_a_whole_copy_or_the_next_run_makes_it_so() -> None:
    size = ["--changes", 6, "--moments", 2, "--processes", 10, "--rounds", 1, "--seed", 1]
    result = run("kills", *size, "--no-strace")
    assert result.returncode == 0, result.stdout + result.stderr
    # The swap has two renames. Between them, there is no copy.
    # Between the two renames is one change of a folder, the second rename. With force, the local
    # changes are saved there, which is two more.
    for title, changes_between in (("upgrade", 1), ("local change, with force", 3)):
        kills, old, new, restored, failures = map(int, cells(result, f"{title}, before a change"))
        assert kills == old + new + restored
        assert old > 0
        assert new > 0
        assert (restored, failures) == (changes_between, 0)
    assert cells(result, "first copy, at a random moment")[0] == "2"
    assert cells(result, "10 runs at once")[-1] == "0"


def test_the_kill_run_detects_a_copy_that_is_not_whole(tmp_path: Path) -> None:
    versions = kills.make_versions(tmp_path)
    situation = kills.Situation(versions, tmp_path / "service")
    situation.prepare()
    assert situation.check_after_kill() == "old"
    (situation.copy / "py.typed").unlink()
    with pytest.raises(AssertionError, match="neither the old nor the new"):
        situation.check_after_kill()
    with pytest.raises(VendoringError, match=r"missing: py\.typed"):
        situation.check_next_run()
