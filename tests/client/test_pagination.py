"""The rules of an iteration over pages: the next request, the end, and repeated items."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from leadconnector import UNSET, ArgumentError
from leadconnector._generated.types import PageCounter, PageCursor, Pagination
from leadconnector._runtime.pagination import MAXIMUM_STALE_PAGES, ItemQueue, Pages

Page = dict[str, Any]
ANY = frozenset[str]()


class Kind(Enum):
    """An open enum of a generated model has members like these."""

    KNOWN = "known"


def items_in(page: Page) -> list[Any]:
    return list(page["items"])


def identity(item: Any) -> object:
    return item.get("id", UNSET)


def read(name: str) -> Callable[[Page], object]:
    """Reads a property of a page."""

    def read_page(page: Page) -> object:
        return page.get(name, UNSET)

    return read_page


def cursor(name: str = "after", types: frozenset[str] = ANY) -> PageCursor[Page, Any]:
    """A cursor argument, whose next value is in the page."""

    def read_page(page: Page, _last_item: Any) -> object:
        return page.get(name, UNSET)

    return PageCursor(argument=name, types=types, read=read_page)


def by_cursor(**parts: Any) -> Pagination[Page, Any]:
    """A list with a cursor."""
    return Pagination(items=items_in, cursors=(cursor(),), **parts)


def by_offset(**parts: Any) -> Pagination[Page, Any]:
    """A list with an offset."""
    counter = PageCounter("skip", is_page_number=False, first=0, is_text=False, is_required=False)
    return Pagination(items=items_in, counter=counter, **parts)


def by_number(first: int = 1, **parts: Any) -> Pagination[Page, Any]:
    """A list with page numbers."""
    counter = PageCounter("page", is_page_number=True, first=first, is_text=True, is_required=True)
    return Pagination(items=items_in, counter=counter, **parts)


def start(pagination: Pagination[Page, Any], **arguments: object) -> Pages[Page, Any]:
    """An iteration. The arguments that say where it starts are omitted by default."""
    return Pages(pagination, {"after": UNSET, "skip": UNSET, "page": UNSET, **arguments})


def numbered(*numbers: int) -> list[Page]:
    """Items with ids."""
    return [{"id": number} for number in numbers]


class TestTheNextRequest:
    def test_the_arguments_of_the_first_one_are_those_of_the_caller(self) -> None:
        pages = start(by_cursor(), after="a", other=1)
        assert pages.arguments == {"after": "a", "skip": UNSET, "page": UNSET, "other": 1}

    def test_it_has_the_cursor_of_the_page(self) -> None:
        pages = start(by_cursor(), other=1)
        pages.advance({"items": [1], "after": "b"})
        assert (pages.arguments["after"], pages.arguments["other"]) == ("b", 1)

    def test_its_offset_counts_the_items_that_arrived(self) -> None:
        # The API may return fewer than the caller asked for.
        pages = start(by_offset(), limit=500)
        pages.advance({"items": [1, 2, 3]})
        pages.advance({"items": [4]})
        assert pages.arguments["skip"] == 4

    @pytest.mark.parametrize(("first", "expected"), [(0, ["0", "1"]), (1, ["1", "2"])])
    def test_a_required_page_number_is_sent_from_the_first_page(
        self, first: int, expected: list[str]
    ) -> None:
        pages = start(by_number(first))
        numbers = [pages.arguments["page"]]
        pages.advance({"items": [1]})
        assert [*numbers, pages.arguments["page"]] == expected

    @pytest.mark.parametrize(("page", "expected"), [("4", "5"), (4, "5"), (4.0, "5")])
    def test_it_follows_the_page_of_the_caller(self, page: object, expected: str) -> None:
        pages = start(by_number(), page=page)
        assert pages.arguments["page"] == page
        pages.advance({"items": [1]})
        assert pages.arguments["page"] == expected

    @pytest.mark.parametrize("value", ["x", 1.5, None, True, "", "١"])
    def test_a_start_that_is_no_number_is_rejected(self, value: object) -> None:
        with pytest.raises(ArgumentError, match="skip must be a whole number") as caught:
            start(by_offset(), skip=value)
        assert caught.value.argument == "skip"

    def test_the_arguments_of_the_caller_are_not_changed(self) -> None:
        arguments: dict[str, object] = {"after": UNSET}
        pages = Pages(by_cursor(), arguments)
        pages.advance({"items": [1], "after": "b"})
        assert arguments == {"after": UNSET}

    def test_no_repr_shows_arguments(self) -> None:
        pages = start(by_cursor(), after="secret")
        queue = ItemQueue(pages, None)
        assert "secret" not in repr([pages, pages.arguments, queue])

    @pytest.mark.parametrize(
        ("value", "types", "expected"),
        [
            ("12", {"number"}, 12),
            ("1.5", {"number"}, 1.5),
            ("x", {"integer"}, "x"),
            ("12", {"string"}, "12"),
            (12, {"string"}, "12"),
            (12.0, {"string"}, "12"),
            (1.5, {"string"}, "1.5"),
            (12, {"number"}, 12),
            ([12, 7], {"number"}, 12),
            (["12"], {"integer"}, 12),
            ([12, 7], {"array"}, [12, 7]),
            ([12], {"array", "number"}, [12]),
            ([12], set[str](), [12]),
            (Kind.KNOWN, {"string"}, "known"),
        ],
    )
    def test_a_cursor_has_the_type_of_the_parameter(
        self, value: object, types: set[str], expected: object
    ) -> None:
        pagination = Pagination(items=items_in, cursors=(cursor(types=frozenset(types)),))
        pages = start(pagination)
        pages.advance({"items": [1], "after": value})
        argument = pages.arguments["after"]
        assert (argument, type(argument)) == (expected, type(expected))


class TestTheEnd:
    @pytest.mark.parametrize("value", [UNSET, None, "", []])
    def test_a_page_without_cursor_is_the_last_one(self, value: object) -> None:
        pages = start(by_cursor())
        assert pages.advance({"items": [1], "after": value}) == [1]
        assert pages.is_finished

    def test_a_page_without_one_of_several_cursors_is_the_last_one(self) -> None:
        pagination = Pagination(items=items_in, cursors=(cursor("after"), cursor("page")))
        pages = start(pagination)
        pages.advance({"items": [1], "after": "a", "page": "p"})
        assert not pages.is_finished
        pages.advance({"items": [2], "after": "b"})
        assert pages.is_finished

    @pytest.mark.parametrize("first", [UNSET, "a"])
    def test_a_cursor_that_does_not_advance_ends_it(self, first: object) -> None:
        pages = start(by_cursor(), after=first)
        pages.advance({"items": [1], "after": "a"})
        pages.advance({"items": [2], "after": "a"})
        assert pages.is_finished

    def test_cursors_that_lead_back_end_it(self) -> None:
        pages = start(by_cursor())
        for number, after in enumerate(["a", "b", "a"]):
            assert not pages.is_finished
            pages.advance({"items": [number], "after": after})
        assert pages.is_finished

    def test_a_cursor_that_does_not_advance_ends_it_even_if_the_page_says_that_more_follow(
        self,
    ) -> None:
        pages = start(by_cursor(has_next=read("more")))
        pages.advance({"items": [1], "after": "a", "more": True})
        pages.advance({"items": [2], "after": "a", "more": True})
        assert pages.is_finished

    def test_a_page_that_says_so_is_the_last_one(self) -> None:
        pages = start(by_cursor(has_next=read("more")))
        assert pages.advance({"items": [1], "after": "a", "more": False}) == [1]
        assert pages.is_finished

    @pytest.mark.parametrize("more", [UNSET, None, "false", 0])
    def test_a_value_that_is_no_boolean_says_nothing(self, more: object) -> None:
        pages = start(by_cursor(has_next=read("more")))
        pages.advance({"items": [1], "after": "a", "more": more})
        assert not pages.is_finished

    @pytest.mark.parametrize(
        ("arguments", "is_finished"), [({}, False), ({"skip": 2}, False), ({"skip": 3}, True)]
    )
    def test_the_total_ends_it_where_the_page_ends(
        self, arguments: dict[str, object], is_finished: bool
    ) -> None:
        pages = start(by_offset(total=read("total")), **arguments)
        pages.advance({"items": [1, 2], "total": 5})
        assert pages.is_finished is is_finished

    def test_a_cursor_makes_the_total_meaningless_after_the_first_page(self) -> None:
        # The total does not say how many items are before the page.
        pages = start(by_cursor(total=read("total")))
        pages.advance({"items": [1, 2], "after": "a", "total": 3})
        pages.advance({"items": [3, 4], "after": "b", "total": 3})
        assert not pages.is_finished

    def test_a_single_page_with_all_items_is_the_last_one(self) -> None:
        pages = start(by_cursor(total=read("total")))
        pages.advance({"items": [1, 2], "after": "a", "total": 2})
        assert pages.is_finished

    @pytest.mark.parametrize("total", [UNSET, None, True, "2", 0, 1])
    def test_a_total_that_cannot_be_right_says_nothing(self, total: object) -> None:
        pages = start(by_offset(total=read("total")))
        pages.advance({"items": [1, 2], "total": total})
        assert not pages.is_finished

    def test_a_short_page_is_not_the_last_one(self) -> None:
        pages = start(by_offset(), limit=100)
        pages.advance({"items": [1, 2]})
        assert not pages.is_finished

    @pytest.mark.parametrize("make", [by_offset, by_number])
    def test_an_empty_page_is_the_last_one(self, make: Callable[[], Any]) -> None:
        pages = start(make())
        assert pages.advance({"items": []}) == []
        assert pages.is_finished

    @pytest.mark.parametrize("items", [numbered(1, 2), [{"name": "x"}, {"name": "y"}], [1, 2]])
    def test_an_api_that_ignores_the_start_does_not_loop(self, items: list[Any]) -> None:
        has_ids = isinstance(items[0], dict)
        pages = start(by_offset(item_id=identity if has_ids else None))
        assert pages.advance({"items": items}) == items
        assert pages.advance({"items": list(items)}) == []
        assert pages.is_finished

    def test_pages_without_new_items_are_skipped_if_they_say_that_more_follow(self) -> None:
        pages = start(by_cursor(has_next=read("more"), item_id=identity))
        pages.advance({"items": numbered(1, 2), "after": "a", "more": True})
        pages.advance({"items": numbered(2, 1), "after": "b", "more": True})
        pages.advance({"items": [], "after": "c", "more": True})
        assert not pages.is_finished
        assert pages.advance({"items": numbered(3), "after": "d", "more": True}) == numbered(3)

    def test_too_many_pages_without_new_items_end_it(self) -> None:
        pages = start(by_number(has_next=read("more")))
        for _ in range(MAXIMUM_STALE_PAGES):
            pages.advance({"items": [], "more": True})
            assert not pages.is_finished
        pages.advance({"items": [], "more": True})
        assert pages.is_finished


class TestEqualPages:
    """Items without ids, such as texts."""

    @staticmethod
    def items(pages: Pages[Page, Any], *bodies: Page) -> list[Any]:
        """All items of the pages, up to the end."""
        items: list[Any] = []
        for body in bodies:
            assert not pages.is_finished
            items += pages.advance(body)
        return items

    @pytest.mark.parametrize("by", [by_offset, by_number])
    def test_they_are_yielded_if_the_total_includes_them(
        self, by: Callable[..., Pagination[Page, Any]]
    ) -> None:
        pages = start(by(total=read("total")))
        page = {"items": ["a", "b"], "total": 5}

        items = self.items(pages, page, page, {"items": ["a"], "total": 5})

        assert items == ["a", "b", "a", "b", "a"]
        assert pages.is_finished

    def test_the_last_page_can_equal_the_one_before(self) -> None:
        pages = start(by_offset(total=read("total")))
        page = {"items": ["a", "b"], "total": 4}

        assert self.items(pages, page, page) == ["a", "b", "a", "b"]
        assert pages.is_finished

    def test_they_are_yielded_if_the_page_says_whether_others_follow(self) -> None:
        pages = start(by_number(has_next=read("more")))

        items = self.items(pages, {"items": ["a"], "more": True}, {"items": ["a"], "more": False})

        assert items == ["a", "a"]
        assert pages.is_finished

    def test_an_api_that_ignores_the_start_ends_at_the_total(self) -> None:
        pages = start(by_offset(total=read("total")))
        page = {"items": ["a", "b"], "total": 5}

        assert self.items(pages, page, page, page) == ["a", "b", "a", "b"]
        assert pages.is_finished

    def test_an_api_that_ignores_the_page_number_ends_without_a_total(self) -> None:
        pages = start(by_number(has_next=read("more")))
        requests = 0
        items: list[Any] = []
        while not pages.is_finished:
            items += pages.advance({"items": ["a"], "more": True})
            requests += 1

        assert items == ["a"] * (1 + MAXIMUM_STALE_PAGES)
        assert requests == len(items) + MAXIMUM_STALE_PAGES + 1

    def test_they_are_the_same_page_without_a_total(self) -> None:
        pages = start(by_offset())

        assert self.items(pages, {"items": ["a"]}, {"items": ["a"]}) == ["a"]
        assert pages.is_finished

    def test_they_are_the_same_page_behind_a_cursor(self) -> None:
        pages = start(by_cursor(has_next=read("more")))
        bodies = [{"items": ["a"], "after": after, "more": True} for after in "xy"]

        assert self.items(pages, *bodies) == ["a"]


class TestItems:
    def test_an_item_that_occurred_before_is_left_out(self) -> None:
        pages = start(by_offset(item_id=identity))
        returned = [
            *pages.advance({"items": numbered(1, 2, 3)}),
            *pages.advance({"items": numbered(3, 4, 4)}),
            *pages.advance({"items": numbered(1, 5)}),
        ]
        assert returned == numbered(1, 2, 3, 4, 5)

    @pytest.mark.parametrize("item_id", [UNSET, None, "", []])
    def test_items_whose_id_is_missing_are_all_returned(self, item_id: object) -> None:
        pages = start(by_offset(item_id=identity))
        items = [{"id": item_id, "name": name} for name in "ab"]
        assert pages.advance({"items": items}) == items

    def test_equal_items_without_an_id_are_all_returned(self) -> None:
        pages = start(by_offset())
        assert pages.advance({"items": [1, 1]}) == [1, 1]
        assert pages.advance({"items": [1]}) == [1]

    def test_the_queue_returns_at_most_the_maximum(self) -> None:
        queue = ItemQueue(start(by_offset()), 3)
        queue.add_page({"items": [1, 2, 3, 4]})
        assert [queue.take() for _ in range(3)] == [1, 2, 3]
        assert not queue.needs_page
        with pytest.raises(IndexError):
            queue.take()
