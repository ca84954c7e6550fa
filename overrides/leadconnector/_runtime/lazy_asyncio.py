"""asyncio, imported at its first use: a program with threads alone then needs 2 MiB less."""

from typing import TYPE_CHECKING

# What type checkers read.
if TYPE_CHECKING:
    from asyncio import *  # pyright: ignore[reportWildcardImportFromLibrary]

# Hidden from type checkers. With a function `__getattr__`, they would accept every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import asyncio (PEP 562)."""
        import asyncio  # noqa: PLC0415

        # Not stored here: a test of a service can replace a name of asyncio for some time.
        return getattr(asyncio, name)
