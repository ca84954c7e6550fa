"""The bound on the requests that threads send at once."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector._runtime.http import fair_semaphore as semaphore_module
from leadconnector._runtime.http.fair_semaphore import FairSemaphore, Permit


def wait_until_waiting(semaphore: FairSemaphore, count: int) -> None:
    while len(semaphore._waiting) < count:
        threading.Event().wait(0.001)


def test_threads_get_places_in_the_order_in_which_they_come() -> None:
    semaphore = FairSemaphore(1)
    order: list[int] = []
    permit = semaphore.acquire(None)

    def use(number: int) -> None:
        acquired = semaphore.acquire(None)
        order.append(number)
        semaphore.release(acquired)

    with ThreadPoolExecutor(8) as threads:
        for number in range(8):
            threads.submit(use, number)
            wait_until_waiting(semaphore, number + 1)
        semaphore.release(permit)

    assert order == list(range(8))
    assert semaphore.in_use == 0


def test_a_thread_does_not_overtake_the_waiting_ones() -> None:
    semaphore = FairSemaphore(1)
    permit = semaphore.acquire(None)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(semaphore.acquire, None)
        wait_until_waiting(semaphore, 1)
        semaphore.release(permit)
        with pytest.raises(TimeoutError):
            semaphore.acquire(0.0)
        semaphore.release(waiting.result())

    assert semaphore.in_use == 0


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=40))
def test_a_place_is_free_after_its_release_and_after_it_is_forgotten(
    number: int, releases: list[bool]
) -> None:
    semaphore = FairSemaphore(number)
    in_use: list[Permit] = []
    for is_release in releases:
        if is_release and in_use:
            semaphore.release(in_use.pop())
        elif len(in_use) < number:
            in_use.append(semaphore.acquire(0.0))
        else:
            with pytest.raises(TimeoutError):
                semaphore.acquire(0.0)
        assert semaphore.in_use == len(in_use)

    in_use.clear()
    assert semaphore.in_use == 0


def test_no_more_threads_than_places_have_one() -> None:
    semaphore = FairSemaphore(3)
    counts: list[int] = []

    def use(_: int) -> None:
        permit = semaphore.acquire(None)
        counts.append(semaphore.in_use)
        semaphore.release(permit)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(use, range(300)))

    assert max(counts) <= 3
    assert semaphore.in_use == 0


def test_a_waiting_thread_gets_a_place_that_nobody_refers_to_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(semaphore_module, "CHECK_SECONDS", 0.01)
    semaphore = FairSemaphore(1)
    in_use = [semaphore.acquire(None)]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(semaphore.acquire, 30.0)
        wait_until_waiting(semaphore, 1)
        in_use.clear()
        assert semaphore.in_use == 0

        assert isinstance(waiting.result(), Permit)


def test_a_signal_handler_that_releases_a_place_during_a_release_loses_no_waiting_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_use: list[Permit] = []

    class InterruptedQueue(SimpleQueue[Permit]):
        def put(self, item: Permit, block: bool = True, timeout: float | None = None) -> None:
            super().put(item, block, timeout)
            if in_use:
                semaphore.release(in_use.pop())

    monkeypatch.setattr(semaphore_module, "SimpleQueue", InterruptedQueue)
    monkeypatch.setattr(semaphore_module, "CHECK_SECONDS", 0.01)
    semaphore = FairSemaphore(2)
    permit = semaphore.acquire(None)
    later_released = semaphore.acquire(None)
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(semaphore.acquire, 30.0)]
        wait_until_waiting(semaphore, 1)
        waiting.append(threads.submit(semaphore.acquire, 30.0))
        wait_until_waiting(semaphore, 2)
        in_use.append(later_released)
        del later_released
        semaphore.release(permit)

        assert all(isinstance(call.result(), Permit) for call in waiting)


class SignalHandler:
    """Runs at a line of the semaphore's module, as a signal handler can.

    Args:
        line: after how many lines.
        action: what it does.
    """

    def __init__(self, line: int, action: Callable[[], object]) -> None:
        self.remaining = line
        self._action = action

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        """Trace the functions of the module. Python traces nothing within this method."""
        if frame.f_code.co_filename != semaphore_module.__file__:
            return None
        if event == "line":
            self.remaining -= 1
            if self.remaining == -1:
                self._action()
        return self

    @property
    def has_run(self) -> bool:
        return self.remaining < 0

    def __enter__(self) -> None:
        self._earlier = sys.gettrace()
        sys.settrace(self)

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._earlier)


def test_a_signal_handler_can_use_a_place_at_any_line_of_an_acquisition() -> None:
    line = 0
    has_run = True
    while has_run:
        # Three: at one line, the interrupted thread has two permits until it continues.
        semaphore = FairSemaphore(3)

        def use_a_place(semaphore: FairSemaphore = semaphore) -> None:
            semaphore.release(semaphore.acquire(0.0))

        handler = SignalHandler(line, use_a_place)
        with handler:
            permit = semaphore.acquire(0.0)
        semaphore.release(permit)
        gc.collect(0)
        assert semaphore.in_use == 0
        assert not semaphore._waiting
        has_run = handler.has_run
        line += 1
    # The lines of an acquisition that need not wait.
    assert line > 5


def test_a_signal_handler_can_release_a_place_at_any_line_of_an_acquisition_that_times_out() -> (
    None
):
    line = 0
    has_run = True
    while has_run:
        semaphore = FairSemaphore(1)
        in_use = [semaphore.acquire(0.0)]

        def release(semaphore: FairSemaphore = semaphore, in_use: list[Permit] = in_use) -> None:
            semaphore.release(in_use.pop())
            # The interrupted acquisition, or this one, gets the place.
            with suppress(TimeoutError):
                semaphore.release(semaphore.acquire(0.0))

        handler = SignalHandler(line, release)
        with suppress(TimeoutError), handler:
            semaphore.release(semaphore.acquire(0.0))
        in_use.clear()
        gc.collect(0)
        assert semaphore.in_use == 0
        assert not semaphore._waiting
        has_run = handler.has_run
        line += 1
    assert line > 20
