"""Iterators over the items of all pages of a list operation: the calls, as `pagination` says.

They are classes and not generators. A generator ends with its first error. These can go on: the
next item repeats the failed call. And an iterator that nobody finishes has nothing to close, as
each page is a complete call.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Generic

from .._generated import ItemT, T
from .pagination import ItemQueue
from .request import Arguments


class ItemIterator(Iterator[ItemT], Generic[T, ItemT]):
    """Iterates over items. It makes the call of a page when its first item is asked for.

    Args:
        call: makes the call of one page.
        queue: the items.
    """

    def __init__(self, call: Callable[[Arguments], T], queue: ItemQueue[T, ItemT]) -> None:
        self._call = call
        self._queue = queue

    def __next__(self) -> ItemT:
        """The next item; raises what the call of a page raises."""
        while self._queue.needs_page:
            with self._queue.fetching() as arguments:
                # Not in a variable: an error of the next call would show it in its traceback.
                self._queue.add_page(self._call(arguments))
        try:
            return self._queue.take()
        except IndexError:
            raise StopIteration from None


class AsyncItemIterator(AsyncIterator[ItemT], Generic[T, ItemT]):
    """The same for async clients."""

    def __init__(
        self, call: Callable[[Arguments], Awaitable[T]], queue: ItemQueue[T, ItemT]
    ) -> None:
        self._call = call
        self._queue = queue

    async def __anext__(self) -> ItemT:
        """The next item; raises what the call of a page raises."""
        while self._queue.needs_page:
            with self._queue.fetching() as arguments:
                self._queue.add_page(await self._call(arguments))
        try:
            return self._queue.take()
        except IndexError:
            raise StopAsyncIteration from None
