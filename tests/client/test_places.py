"""The bound on the requests that threads send at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector._runtime.http import places as places_module
from leadconnector._runtime.http.places import Place, Places


def wait_until_waiting(places: Places, count: int) -> None:
    while len(places._waiting) < count:
        threading.Event().wait(0.001)


def test_threads_get_places_in_the_order_in_which_they_come() -> None:
    places = Places(1)
    order: list[int] = []
    place = places.acquire(None)

    def use(number: int) -> None:
        acquired = places.acquire(None)
        order.append(number)
        places.release(acquired)

    with ThreadPoolExecutor(8) as threads:
        for number in range(8):
            threads.submit(use, number)
            wait_until_waiting(places, number + 1)
        places.release(place)

    assert order == list(range(8))
    assert places.in_use == 0


def test_a_thread_does_not_overtake_the_waiting_ones() -> None:
    places = Places(1)
    place = places.acquire(None)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(places.acquire, None)
        wait_until_waiting(places, 1)
        places.release(place)
        with pytest.raises(TimeoutError):
            places.acquire(0.0)
        places.release(waiting.result())

    assert places.in_use == 0


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=40))
def test_a_place_is_free_after_its_release_and_after_it_is_forgotten(
    number: int, releases: list[bool]
) -> None:
    places = Places(number)
    in_use: list[Place] = []
    for is_release in releases:
        if is_release and in_use:
            places.release(in_use.pop())
        elif len(in_use) < number:
            in_use.append(places.acquire(0.0))
        else:
            with pytest.raises(TimeoutError):
                places.acquire(0.0)
        assert places.in_use == len(in_use)

    in_use.clear()
    assert places.in_use == 0


def test_no_more_threads_than_places_have_one() -> None:
    places = Places(3)
    counts: list[int] = []

    def use(_: int) -> None:
        place = places.acquire(None)
        counts.append(places.in_use)
        places.release(place)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(use, range(300)))

    assert max(counts) <= 3
    assert places.in_use == 0


def test_a_waiting_thread_gets_a_place_that_nobody_refers_to_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places_module, "CHECK_SECONDS", 0.01)
    places = Places(1)
    in_use = [places.acquire(None)]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(places.acquire, 30.0)
        wait_until_waiting(places, 1)
        in_use.clear()
        assert places.in_use == 0

        assert isinstance(waiting.result(), Place)


def test_a_signal_handler_that_releases_a_place_during_a_release_loses_no_waiting_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_use: list[Place] = []

    class InterruptedQueue(SimpleQueue[Place]):
        def put(self, item: Place, block: bool = True, timeout: float | None = None) -> None:
            super().put(item, block, timeout)
            if in_use:
                places.release(in_use.pop())

    monkeypatch.setattr(places_module, "SimpleQueue", InterruptedQueue)
    monkeypatch.setattr(places_module, "CHECK_SECONDS", 0.01)
    places = Places(2)
    place = places.acquire(None)
    later_released = places.acquire(None)
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(places.acquire, 30.0)]
        wait_until_waiting(places, 1)
        waiting.append(threads.submit(places.acquire, 30.0))
        wait_until_waiting(places, 2)
        in_use.append(later_released)
        del later_released
        places.release(place)

        assert all(isinstance(call.result(), Place) for call in waiting)
