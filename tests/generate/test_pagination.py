"""A list operation with roles gets a method that iterates over the items of all pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from leadconnector_emulator import Emulator, Fault, Server

from tests.generate.paged_api import PagedClient, Walk, paged_client

NUMBER_OF_ITEMS = 7


@pytest.fixture(scope="module", name="paged")
def generated_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedClient]:
    """The client of the API with list operations."""
    with paged_client(tmp_path_factory.mktemp("paged")) as client:
        yield client


@pytest.fixture(name="emulator")
def emulator_with_items(paged: PagedClient) -> Emulator:
    """An emulator with seven items of each kind."""
    emulator = Emulator(paged.spec, tokens=["test-token"], conversations=[])
    for number in range(1, NUMBER_OF_ITEMS + 1):
        for path in (
            "threads",
            "messages",
            "agents",
            "opportunities",
            "exports",
            "forms",
            "authors",
            "calls",
            "numbers",
            "tags",
        ):
            emulator.put(path, {"id": f"i{number}", "name": f"n{number}"})
        emulator.put(
            "conversations", {"id": f"i{number}", "lastMessageDate": str(1628008053000 + number)}
        )
    return emulator


@pytest.fixture(params=["sync", "async"], name="walk")
def walk_over_sockets(
    request: pytest.FixtureRequest, paged: PagedClient, emulator: Emulator
) -> Iterator[Walk]:
    """Iterates with a client that is connected to the emulator."""
    with Server(emulator) as server:
        walk = Walk(
            paged.package, is_async=request.param == "async", base_url=server.url, retries=0
        )
        yield walk
        walk.close()


def queries(emulator: Emulator) -> list[str]:
    """The queries of all requests."""
    return [exchange.request.target.partition("?")[2] for exchange in emulator.exchanges]


ALL_IDS = [f"i{number}" for number in range(1, NUMBER_OF_ITEMS + 1)]

KINDS: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "cursor in the last item": (
        lambda lists: lists.iter_search_conversations(limit=3),
        [
            "limit=3",
            "startAfterDate=1628008053003&limit=3",
            "startAfterDate=1628008053006&limit=3",
            "startAfterDate=1628008053007&limit=3",
        ],
    ),
    "sort value of the last item": (
        lambda lists: lists.iter_search_threads(limit=3),
        [
            "limit=3",
            "startAfterDate=3&limit=3",
            "startAfterDate=6&limit=3",
            "startAfterDate=7&limit=3",
        ],
    ),
    "cursor of the page, with an end": (
        lambda lists: lists.iter_get_messages(limit=3),
        ["limit=3", "lastMessageId=i3&limit=3", "lastMessageId=i6&limit=3"],
    ),
    "id of the last item": (
        lambda lists: lists.iter_search_agents(limit=3),
        [
            "limit=3",
            "startAfter=i3&limit=3",
            "startAfter=i6&limit=3",
            "startAfter=i7&limit=3",
        ],
    ),
    "cursor with two parts": (
        lambda lists: lists.iter_search_opportunities(limit=3),
        [
            "limit=3",
            "startAfter=i3&startAfterId=i3&limit=3",
            "startAfter=i6&startAfterId=i6&limit=3",
        ],
    ),
    "opaque cursor": (
        lambda lists: lists.iter_export_messages(limit=3),
        ["limit=3", "cursor=i3&limit=3", "cursor=i6&limit=3"],
    ),
    "offset as a text, with a total": (
        lambda lists: lists.iter_get_forms(limit="3"),
        ["skip=0&limit=3", "skip=3&limit=3", "skip=6&limit=3"],
    ),
    "offset without a total": (
        lambda lists: lists.iter_get_authors(limit=3),
        ["limit=3", "offset=3&limit=3", "offset=6&limit=3", "offset=7&limit=3"],
    ),
    "page number from 1": (
        lambda lists: lists.iter_get_calls(page_size=3),
        ["pageSize=3", "page=2&pageSize=3", "page=3&pageSize=3"],
    ),
    "page number from 0": (
        lambda lists: lists.iter_get_numbers(page_size=3),
        ["pageSize=3", "page=1&pageSize=3", "page=2&pageSize=3"],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_pagination_returns_all_items_in_order(
    kind: str, walk: Walk, emulator: Emulator
) -> None:
    iterate, expected_queries = KINDS[kind]

    items = list(walk(lambda client: iterate(client.lists)))

    assert [item.id for item in items] == ALL_IDS
    assert queries(emulator) == expected_queries


def test_a_response_that_is_the_list_itself_is_iterated(walk: Walk) -> None:
    items = list(walk(lambda client: client.lists.iter_get_tags(limit=2)))

    assert [item.name for item in items] == [f"n{number}" for number in range(1, 8)]


def test_the_iteration_starts_at_the_argument(walk: Walk, emulator: Emulator) -> None:
    items = list(walk(lambda client: client.lists.iter_get_forms(limit="3", skip="5")))

    assert [item.id for item in items] == ["i6", "i7"]
    assert queries(emulator) == ["skip=5&limit=3"]


def test_nothing_is_requested_before_the_first_item_and_after_the_last_one_that_is_used(
    walk: Walk, emulator: Emulator
) -> None:
    iterator = walk(lambda client: client.lists.iter_get_authors(limit=3))
    assert queries(emulator) == []

    assert [next(iterator).id for _ in range(3)] == ["i1", "i2", "i3"]
    assert len(queries(emulator)) == 1

    assert next(iterator).id == "i4"
    assert len(queries(emulator)) == 2


@pytest.mark.parametrize(("max_items", "requests"), [(0, 0), (1, 1), (3, 1), (4, 2), (100, 3)])
def test_max_items_limits_the_items_and_the_requests(
    max_items: int, requests: int, walk: Walk, emulator: Emulator
) -> None:
    items = list(walk(lambda client: client.lists.iter_get_forms(limit="3", max_items=max_items)))

    assert [item.id for item in items] == ALL_IDS[:max_items]
    assert len(queries(emulator)) == requests


def test_after_an_error_the_iteration_goes_on_with_the_failed_page(
    walk: Walk, paged: PagedClient, emulator: Emulator
) -> None:
    emulator.add_faults(Fault(nth=2, status=500))
    iterator = walk(lambda client: client.lists.iter_get_messages(limit=3))
    assert [next(iterator).id for _ in range(3)] == ["i1", "i2", "i3"]

    with pytest.raises(paged.package.ServerError):
        next(iterator)

    assert [item.id for item in iterator] == ["i4", "i5", "i6", "i7"]
    assert queries(emulator)[1:3] == ["lastMessageId=i3&limit=3"] * 2
    assert list(iterator) == []


def test_an_item_that_moves_to_the_next_page_appears_once(walk: Walk, emulator: Emulator) -> None:
    iterator = walk(lambda client: client.lists.iter_get_forms(limit="3"))
    first_items = [next(iterator).id for _ in range(3)]

    # The stored order is that of the list: `i1` is the last one now, and `i4` the third.
    emulator.delete("forms", "i1")
    emulator.put("forms", {"id": "i1"})
    later_items = [item.id for item in iterator]

    assert first_items == ["i1", "i2", "i3"]
    assert later_items == ["i5", "i6", "i7"]


def test_the_options_apply_to_each_page(walk: Walk, paged: PagedClient, emulator: Emulator) -> None:
    options = paged.package.RequestOptions(headers={"X-Trace": "t1"})

    list(walk(lambda client: client.lists.iter_get_forms(limit="3", options=options)))

    traces = [exchange.request.headers.get("x-trace") for exchange in emulator.exchanges]
    assert traces == ["t1", "t1", "t1"]


@pytest.mark.parametrize("max_items", [-1, 2.0, True, "3"])
def test_an_invalid_maximum_is_rejected_at_once(
    max_items: object, walk: Walk, paged: PagedClient
) -> None:
    with pytest.raises(paged.package.ArgumentError, match="max_items must be") as caught:
        walk(lambda client: client.lists.iter_get_forms(limit="3", max_items=max_items))

    assert caught.value.argument == "max_items"


def test_an_offset_that_is_no_number_is_rejected_without_its_value(
    walk: Walk, paged: PagedClient
) -> None:
    with pytest.raises(paged.package.ArgumentError, match="skip must be a whole") as caught:
        walk(lambda client: client.lists.iter_get_forms(limit="3", skip="secret"))

    assert "secret" not in str(caught.value)


def test_other_invalid_arguments_are_rejected_with_the_first_item(
    walk: Walk, paged: PagedClient, emulator: Emulator
) -> None:
    iterator = walk(lambda client: client.lists.iter_get_authors(limit="many"))

    with pytest.raises(paged.package.ArgumentError, match="limit must be"):
        next(iterator)
    assert queries(emulator) == []


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_cursor_in_the_body_is_sent(kind: str, paged: PagedClient) -> None:
    bodies: list[dict[str, Any]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or b"{}")
        bodies.append(body)
        first = int(body.get("searchAfter", [0])[0]) + 1
        numbers = range(first, min(first + 2, 6))
        records = [{"name": f"n{number}", "searchAfter": [number, 9]} for number in numbers]
        return httpx.Response(200, json={"records": records})

    walk = Walk(paged.package, is_async=kind == "async", transport=httpx.MockTransport(respond))
    names = [item.name for item in walk(lambda client: client.lists.iter_search_records())]
    walk.close()

    assert names == ["n1", "n2", "n3", "n4", "n5"]
    assert bodies == [{}, {"searchAfter": [2, 9]}, {"searchAfter": [4, 9]}, {"searchAfter": [5, 9]}]


def test_tasks_must_not_share_an_iterator(paged: PagedClient, emulator: Emulator) -> None:
    async def run(url: str) -> list[object]:
        async with paged.package.AsyncLeadConnector(token="test-token", base_url=url) as client:
            iterator = client.lists.iter_get_forms(limit="3")
            results: Any = await asyncio.gather(
                anext(iterator), anext(iterator), return_exceptions=True
            )
            return [*results, await anext(iterator)]

    with Server(emulator) as server:
        first, error, second = asyncio.run(run(server.url))

    assert isinstance(error, RuntimeError)
    assert "use it in one thread or task" in str(error)
    assert [getattr(item, "id", None) for item in (first, second)] == ["i1", "i2"]


def test_a_cancelled_iteration_can_go_on(paged: PagedClient) -> None:
    async def run() -> list[str]:
        arrived = asyncio.Event()

        async def respond(request: httpx.Request) -> httpx.Response:
            if not arrived.is_set():
                arrived.set()
                await asyncio.Event().wait()
            return httpx.Response(200, json={"forms": [{"id": "i1"}, {"id": "i2"}], "total": 2})

        async with paged.package.AsyncLeadConnector(
            token="test-token", transport=httpx.MockTransport(respond)
        ) as client:
            iterator = client.lists.iter_get_forms(limit="3")
            task = asyncio.ensure_future(anext(iterator))
            await arrived.wait()
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            return [item.id async for item in iterator]

    assert asyncio.run(run()) == ["i1", "i2"]
