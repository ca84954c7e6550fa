"""The long runs in benchmarks/long, with tiny numbers, so that they do not rot; and that they see what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.redis_server import executable

SECONDS = 100
"""How long a program may take that takes much less: a bound, so that no test hangs."""


def program(name: str) -> Any:
    """A module that no search path of the tests leads to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT), *sys.path])
        return import_module(f"benchmarks.long.{name}")


def run(name: str, *options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"benchmarks.long.{name}", *map(str, options)]
    places = os.pathsep.join(str(ROOT / name) for name in ("overrides", "tools"))
    environment = {**os.environ, "PYTHONPATH": places}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def cells(done: subprocess.CompletedProcess[str], title: str) -> list[str]:
    """What stands behind a title in the table."""
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(title)]
    return line.removeprefix(title).split()


def test_the_run_of_the_quota_loses_no_call_and_keeps_the_order() -> None:
    executable()  # Redis's
    options = ["--seconds", 1, "--limit", 30, "--window", 0.5, "--callers", 8]
    done = run("rates", *options, "--slack", 0.2, "--refused", 1000, "--least", -1000)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [
        "8 threads ",
        "8 tasks",
        "8 threads, 3 locations",
        "4 processes of 2 threads, Redis",
        "the same, Redis away for a third",
    ]
    for title in rows[:4]:
        calls, _, lost = cells(done, title)[:3]
        assert (int(calls) >= 30, lost) == (True, "0")
    assert cells(done, rows[4])[2] == "0"
    assert "every promise held" in done.stdout


def test_the_run_of_the_quota_fails_where_more_is_promised_than_a_window_allows() -> None:
    executable()
    done = run(
        "rates",
        "--seconds",
        0.1,
        "--limit",
        8,
        "--window",
        0.2,
        "--callers",
        4,
        "--slack",
        0.1,
        "--least",
        101,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "NOT held: 4 threads: 101 % of the window is used" in done.stdout


def test_the_soak_accounts_for_every_call_and_leaves_nothing_open() -> None:
    done = run("soak", "--updates", 600, "--threads", 3, "--tasks", 3)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cells(done, "ArgumentError") == ["6"]
    assert int(cells(done, "success")[0]) > 500
    assert float(cells(done, "of them went wrong")[0]) > 1


def test_the_run_of_tokens_refreshes_once() -> None:
    done = run("oauth", "--threads", 6, "--tasks", 6, "--processes", 2, "--share", 2)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cells(done, "expired")[:4] == ["20", "1", "0", "0"]
    assert cells(done, "revoked, though it looks valid")[:3] == ["20", "1", "0"]


@pytest.mark.parametrize(
    ("second", "kept"),
    [((2.0, 3.0, 10.0), True), ((2.0, 3.0, 9.0), False), ((0.5, 3.0, 9.0), True)],
    ids=["the same slot", "an earlier slot", "asked at the same time"],
)
def test_an_order_is_broken_by_who_asks_later_and_comes_first(
    second: tuple[float, float, float], kept: bool
) -> None:
    rates = program("rates")
    booked = [rates.Booking(1, "a", 0.0, 1.0, 10.0), rates.Booking(2, "a", *second)]
    assert rates.in_order(booked, 0.0) is kept


def test_what_is_late_came_after_one_with_a_later_slot() -> None:
    rates = program("rates")
    assert rates.late([(0.0, 1.0), (0.0, 2.0), (5.0, 6.0)]) == 0.0
    assert rates.late([(0.0, 1.0), (0.0, 7.5), (5.0, 6.0)]) == 1.5


def test_a_window_that_is_full_each_time_is_used_whole() -> None:
    rates = program("rates")
    options = rates.Options(60.0, 100, 10.0, 40, 95.0, 0, 0.0)
    bursts = [10.0 * number for number in range(6) for _ in range(100)]
    assert rates.used(bursts, options) == 100.0
    assert rates.used([each * 1.25 for each in bursts], options) == 80.0


@pytest.mark.parametrize(
    ("seen", "promise"),
    [
        ([], "each success is applied"),
        ([(0, True), (2, True)], "a conversation has the number"),
        ([(0, True), (1, False)], "nothing is sent of a call"),
        ([(0, True)] * 3, "no more requests came in"),
    ],
)
def test_the_soak_sees_what_is_wrong(seen: list[tuple[int, bool]], promise: str) -> None:
    soak, served = program("soak"), program("served")
    record = soak.Record(2, attempts=2, bad={1})
    record.ended(0, "conversation-0-0", None)
    record.outcomes["ArgumentError"] += 1
    held, numbers = soak.Held(1, 1, 1), {"conversation-0-0": seen[-1][0]} if seen else {}
    right = served.Told(
        [served.Seen(0.0, "conversation-0-0", "a", 0, 200, True, -1)], {"conversation-0-0": 0}, 0
    )
    assert soak.broken(record, right, held, held, 0) == []
    wrong = served.Told(
        [served.Seen(0.0, "conversation-0-0", "a", number, 200, ok, -1) for number, ok in seen],
        numbers,
        0,
    )
    assert any(each.startswith(promise) for each in soak.broken(record, wrong, held, held, 0))
    assert soak.broken(record, right, held, soak.Held(2, 2, 1), 1) == [
        "no file stays open",
        "no thread stays",
        "no task stays",
    ]
