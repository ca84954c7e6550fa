"""The rules of an iteration over pages: what the next request is, and when there is none.

It is pure: it sends nothing. `item_iterators` makes the calls. The spec marks the parts of a list
operation with roles (`x-role`), and generated code reads them (`Pagination`).

Terms:

- start: the arguments that say where a page starts: one or several cursors, or a counter, which is
  an offset or a page number.
- position: the number of items before a page. Behind a cursor it is unknown.
- new item: an item whose id no earlier item had. The ids of all items are kept for that: about
  0.11 MB for 1,000 ids of 20 characters. An item without an id is new, unless its whole page equals
  the one before, and the total or `has-next-page` does not show that it is another one.

The iteration ends after a page

- that says so: `has-next-page` is false, or `page-total` items are before its end,
- without a cursor for the next one, or with one that was used before,
- without new items. If the page says that others follow, up to `MAXIMUM_STALE_PAGES` such pages are
  skipped: all of their items may have moved there from earlier pages.

A page that is shorter than asked for does not end it, since the API may have a smaller limit.
"""

from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Generic, cast

from .._generated import ItemT, T
from .._generated.types import PageCounter, PageCursor, Pagination, Unset
from ..errors import ArgumentError
from .request import Arguments

MAXIMUM_STALE_PAGES = 3
"""How many pages in a row may have no new items, if they say that others follow.

Our own bound: an API that ignores the start returns the first page for ever.
"""


class Pages(Generic[T, ItemT]):
    """The pages of one iteration: the arguments of the next call, and the new items of a page.

    Args:
        pagination: how the operation is paginated.
        arguments: the arguments of the first call.

    Raises:
        ArgumentError: the start is no whole number.
    """

    def __init__(self, pagination: Pagination[T, ItemT], arguments: Mapping[str, object]) -> None:
        self._pagination = pagination
        self._arguments = Arguments(arguments)
        self._position: int | None = None
        if pagination.counter is not None:
            self._start_counter(pagination.counter)
        elif all(isinstance(arguments[cursor.argument], Unset) for cursor in pagination.cursors):
            self._position = 0
        self._used_starts: set[str] = {self._start_text()}
        self._known_ids: set[object] = set()
        self._previous_items: list[ItemT] = []
        self._equal_pages = 0
        self._stale_pages = 0
        self.is_finished = False
        """Whether there is no next page."""

    @property
    def arguments(self) -> Arguments:
        """A copy of the arguments of the call of the next page."""
        return Arguments(self._arguments)

    def advance(self, page: T) -> list[ItemT]:
        """Go on to the next page, or finish.

        Args:
            page: the result of the call with `arguments`.

        Returns:
            The new items of the page.
        """
        items = self._pagination.items(page)
        has_next = self._has_next(page, items)
        new_items = self._new_items(page, items)
        self._stale_pages = 0 if new_items else self._stale_pages + 1
        if has_next is False or self._is_stale(has_next) or not self._move_on(page, items):
            self.is_finished = True
        return new_items

    # The start of a page.

    def _start_counter(self, counter: PageCounter) -> None:
        start = _whole_number(counter.argument, self._arguments[counter.argument])
        if start is None:
            # Not sent unless it is required: the API has the same default.
            self._counter = counter.first
            if counter.is_required:
                self._set_counter(counter)
        else:
            self._counter = start
        if not counter.is_page_number:
            self._position = self._counter
        elif self._counter == counter.first:
            self._position = 0

    def _move_on(self, page: T, items: list[ItemT]) -> bool:
        """Set the arguments for the next page. Return whether they are new."""
        if self._pagination.counter is None:
            if not self._set_cursors(self._pagination.cursors, page, items):
                return False
            self._position = None
        else:
            if self._position is not None:
                self._position += len(items)
            is_page_number = self._pagination.counter.is_page_number
            # By the items that arrived, as the API may have a smaller limit than the caller.
            self._counter += 1 if is_page_number else len(items)
            self._set_counter(self._pagination.counter)
        start = self._start_text()
        if start in self._used_starts:
            return False
        self._used_starts.add(start)
        return True

    def _set_counter(self, counter: PageCounter) -> None:
        value: object = self._counter
        if counter.is_text:
            value = str(self._counter)
        self._arguments[counter.argument] = value

    def _set_cursors(
        self, cursors: tuple[PageCursor[T, ItemT], ...], page: T, items: list[ItemT]
    ) -> bool:
        """Set the cursors for the next page. Return whether the page has all of them."""
        # An item can be null. The one before it has a cursor.
        present_items = (item for item in reversed(items) if item is not None)
        last_item = next(present_items, None)
        values = [_as_argument(cursor.read(page, last_item), cursor.types) for cursor in cursors]
        if any(_is_absent(value) for value in values):
            return False
        for cursor, value in zip(cursors, values, strict=True):
            self._arguments[cursor.argument] = value
        return True

    def _start_text(self) -> str:
        """The arguments that say where the page starts, as one text."""
        counter = self._pagination.counter
        if counter is not None:
            return str(self._counter)
        return repr([self._arguments[cursor.argument] for cursor in self._pagination.cursors])

    # The items of a page.

    def _new_items(self, page: T, items: list[ItemT]) -> list[ItemT]:
        """The items that did not occur before, also not in this page."""
        if items != self._previous_items:
            self._equal_pages = 0
        elif self._can_be_equal(page, items):
            self._equal_pages += 1
        else:
            # The same page again. Without ids, nothing else shows that.
            return []
        self._previous_items = items
        item_id = self._pagination.item_id
        if item_id is None:
            return items
        return [item for item in items if self._is_new(item_id(item))]

    def _is_new(self, item_id: object) -> bool:
        if item_id == "" or not isinstance(item_id, str | int | float):
            # UNSET, null or an empty text identify nothing.
            return True
        if item_id in self._known_ids:
            return False
        self._known_ids.add(item_id)
        return True

    def _can_be_equal(self, page: T, items: list[ItemT]) -> bool:
        """Whether a page that equals the one before can be another one.

        Behind a cursor, it is the same one. Pages that are counted can be equal without ids, such
        as those of a list of texts.
        """
        if self._pagination.counter is None:
            return False
        total = self._total(page)
        if total is None or self._position is None:
            is_in_total = False
        else:
            # The total bounds the iteration, also if the API ignores the start.
            is_in_total = self._position + len(items) <= total
        if is_in_total:
            return True
        # Nothing else bounds it.
        return self._flag(page) is not None and self._equal_pages < MAXIMUM_STALE_PAGES

    # The end.

    def _has_next(self, page: T, items: list[ItemT]) -> bool | None:
        """Whether the page says that another one follows; `None` if it does not say."""
        flag = self._flag(page)
        if flag is not None:
            return flag
        total = self._total(page)
        # A total below the items of this page is wrong.
        if total is None or self._position is None or total < len(items):
            return None
        return self._position + len(items) < total

    def _flag(self, page: T) -> bool | None:
        """The property that says whether another page follows; `None` without one."""
        if self._pagination.has_next is None:
            return None
        has_next = self._pagination.has_next(page)
        return has_next if isinstance(has_next, bool) else None

    def _total(self, page: T) -> float | None:
        """The number of items of all pages; `None` if the page does not say it."""
        if self._pagination.total is None:
            return None
        total = self._pagination.total(page)
        # `bool` is a subclass of `int`.
        if isinstance(total, bool) or not isinstance(total, int | float):
            return None
        return total

    def _is_stale(self, has_next: bool | None) -> bool:
        """Whether there are too many pages without new items."""
        if self._stale_pages == 0:
            return False
        return has_next is None or self._stale_pages > MAXIMUM_STALE_PAGES


class ItemQueue(Generic[T, ItemT]):
    """The items of an iteration that wait to be returned, and how many may still be.

    Args:
        pages: the pages of the iteration.
        max_items: the largest number of items; `None` for no limit.

    Raises:
        ArgumentError: `max_items` is no whole number, or is negative.
    """

    def __init__(self, pages: Pages[T, ItemT], max_items: int | None) -> None:
        self._pages = pages
        self._remaining = _checked_maximum(max_items)
        self._items: deque[ItemT] = deque()
        self._is_fetching = False

    @property
    def needs_page(self) -> bool:
        """Whether the next item is in a page that is not there yet."""
        return not self._items and self._remaining != 0 and not self._pages.is_finished

    @contextmanager
    def fetching(self) -> Generator[Arguments]:
        """Surrounds the call of the next page, whose arguments it returns.

        Raises:
            RuntimeError: another thread or task waits for a page of the same iterator.
        """
        if self._is_fetching:
            raise RuntimeError(
                "this iterator is already waiting for a page: use it in one thread or task"
            )
        self._is_fetching = True
        try:
            yield self._pages.arguments
        finally:
            self._is_fetching = False

    def add_page(self, page: T) -> None:
        """Add the new items of the page that was called."""
        self._items.extend(self._pages.advance(page))

    def take(self) -> ItemT:
        """The next item.

        Raises:
            IndexError: the iteration is at its end.
        """
        if self._remaining == 0:
            raise IndexError
        item = self._items.popleft()
        if self._remaining is not None:
            self._remaining -= 1
        return item


def _checked_maximum(max_items: object) -> int | None:
    if max_items is None:
        return None
    if isinstance(max_items, bool) or not isinstance(max_items, int) or max_items < 0:
        raise ArgumentError(
            "max_items must be a whole number that is not negative, or None for no limit",
            argument="max_items",
        )
    return max_items


def _whole_number(name: str, value: object) -> int | None:
    """The value of an offset or page number; `None` if the caller omitted it.

    Raises:
        ArgumentError: it is no whole number.
    """
    if isinstance(value, Unset):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ArgumentError(f"{name} must be a whole number to iterate from there", argument=name)


def _is_absent(value: object) -> bool:
    """Whether a page has no value for a cursor. The API may send an empty one at the end."""
    return isinstance(value, Unset) or value is None or value in ("", [])


def _as_argument(value: object, types: frozenset[str]) -> object:
    """A value of a response as the argument of a request, whose types can differ.

    HighLevel types one value as a number at one place and as a text at another.

    Args:
        value: the value in the page.
        types: the JSON types that the parameter accepts. Empty: any.
    """
    if isinstance(value, Enum):
        value = value.value
    if not types:
        return value
    if isinstance(value, list):
        values = cast("list[object]", value)
        if "array" in types or not values:
            return values
        # The sort values of an item. A parameter for one value takes the most significant one.
        return _as_argument(values[0], types)
    accepts_number = not types.isdisjoint({"integer", "number"})
    if isinstance(value, str) and "string" not in types and accepts_number:
        return _number_in(value)
    if isinstance(value, int | float) and not accepts_number and "string" in types:
        return _text_of(value)
    return value


def _number_in(text: str) -> object:
    """The number of a text; the text itself, which the call then rejects, if it has none."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _text_of(number: float) -> str:
    if isinstance(number, float) and number.is_integer():
        return str(int(number))
    return str(number)
