"""Clears the variables of finished functions, so that no error report shows private data.

An exception refers to the frames that it passed through, and a frame refers to its variables. Error
reporters such as Sentry send them. Variables contain responses, and objects with credentials.

The rule is that private data is in a `Secret`, which no report shows. Where other code passes or
needs plain values, there are two exceptions to the rule:

- Callers pass plain arguments. The first function of this package puts private ones into a
  `Secret`, and then deletes the arguments with `del`. `clear_frames` would not help there: it
  cannot clear a frame that still runs.
- Generated code, parsers and httpx work with plain values. After they have raised, `clear_frames`
  clears their variables.
"""

from collections.abc import Iterator
from contextlib import suppress
from types import FrameType, TracebackType
from typing import cast

# The package itself, wherever it is vendored: this module is in a subpackage of it.
_PACKAGE = __name__.rpartition(".")[0].rpartition(".")[0]

_TRANSPORT_PACKAGES = ("httpx", "httpcore", "h11", "h2", "anyio", "ssl")
"""The packages of httpx's own transports. Their frames have requests, with the token.

Also for a custom httpx transport, and those that wrap it.
"""


def chained_errors(
    error: BaseException, ambient_error: BaseException | None = None
) -> Iterator[BaseException]:
    """An error with its causes, its contexts and the members of groups, each of them once.

    Args:
        error: the error.
        ambient_error: the error that the caller was already handling. Python makes it the context
            of all others, but it has nothing to do with them. So it is left out.
    """
    pending: list[BaseException | None] = [error]
    visited: set[int] = {id(ambient_error)}
    while pending:
        current = pending.pop(0)
        if current is None or id(current) in visited:
            continue
        visited.add(id(current))
        yield current
        pending += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            pending += cast("BaseExceptionGroup[BaseException]", current).exceptions


def traceback_entries(error: BaseException) -> Iterator[TracebackType]:
    """The entries of an error's traceback, the outermost first."""
    entry = error.__traceback__
    while entry is not None:
        yield entry
        entry = entry.tb_next


def clear_frames(error: BaseException, ambient_error: BaseException | None = None) -> None:
    """Clear the variables of finished frames, in an error and in all errors behind it.

    These are the frames of this package and of httpx's own transports. The lines of the traceback
    stay. Frames that still run, and those of other code, are unchanged. The arguments are those of
    `chained_errors`.
    """
    for chained in chained_errors(error, ambient_error):
        for entry in traceback_entries(chained):
            if _belongs_to(entry, (_PACKAGE, *_TRANSPORT_PACKAGES)):
                _clear_frame(entry.tb_frame)


def _belongs_to(entry: TracebackType, packages: tuple[str, ...]) -> bool:
    module = str(entry.tb_frame.f_globals.get("__name__", ""))
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _clear_frame(frame: FrameType) -> None:
    # A frame that still runs cannot be cleared: that is the RuntimeError.
    with suppress(RuntimeError):
        frame.clear()
