"""Pauses Python's search for reference cycles while millions of objects are in use."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def paused_garbage_collection() -> Generator[None]:
    """Pause the search for reference cycles, if it is on.

    A large document has millions of objects, which are used until the end. To search them again and
    again takes up to a third of the time and frees almost nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
