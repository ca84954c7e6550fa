"""Runs a coroutine without an event loop, or pauses it within one."""

from collections.abc import Coroutine, Generator
from types import coroutine as awaitable
from typing import Any, TypeVar

Result = TypeVar("Result")


@awaitable
def other_tasks() -> Generator[None]:
    """Let the other tasks of the event loop run first.

    `asyncio.sleep(0)` does the same. A test of a service can replace `sleep`, and count its calls.
    """
    yield


def run_without_event_loop(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that never suspends, as with `SyncIO`.

    `send(None)` starts a coroutine and runs it to its first suspension. Here there is none, so it
    runs to its end. `StopIteration` then carries its result.

    Raises:
        Exception: the coroutine's own error.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        # This is certainly the coroutine's end. A StopIteration raised inside a coroutine becomes a
        # RuntimeError (PEP 479).
        result: Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("a blocking call suspended")
