"""Clears the variables of finished functions, so that no error report shows private data.

An exception refers to the frames that it passed through, and a frame refers to its variables. Error
reporters such as Sentry send them. Variables contain responses, and objects with credentials.
"""

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import cast

# The package itself, wherever it is vendored: this module is in a subpackage of it.
_PACKAGE = __name__.rpartition(".")[0].rpartition(".")[0]

_TRANSPORT_PACKAGES = ("httpx", "httpcore", "h11", "h2", "anyio", "ssl")
"""The packages of httpx's own transports. Their frames have requests, with the token."""


def chained_errors(
    error: BaseException, handled: BaseException | None = None
) -> Iterator[BaseException]:
    """An error with its causes, its contexts and the members of groups, each of them once.

    Args:
        error: the error.
        handled: an error that the caller of the package handles meanwhile. Python makes it the
            context of all others, but it has nothing to do with them. So it is left out.
    """
    pending: list[BaseException | None] = [error]
    visited: set[int] = {id(handled)}
    while pending:
        current = pending.pop(0)
        if current is None or id(current) in visited:
            continue
        visited.add(id(current))
        yield current
        pending += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            pending += cast("BaseExceptionGroup[BaseException]", current).exceptions


def frames_of(error: BaseException) -> Iterator[TracebackType]:
    """The entries of an error's traceback, the outermost first."""
    entry = error.__traceback__
    while entry is not None:
        yield entry
        entry = entry.tb_next


def clear_frames(error: BaseException, handled: BaseException | None = None) -> None:
    """Clear the variables of finished frames, in an error and in all errors behind it.

    These are the frames of this package and of httpx's own transports. The lines of the traceback
    stay. Frames that still run, and those of other code, are unchanged. The arguments are those of
    `chained_errors`.
    """
    for chained in chained_errors(error, handled):
        for entry in frames_of(chained):
            if _is_in(entry, (_PACKAGE, *_TRANSPORT_PACKAGES)):
                _clear_frame(entry)


def _is_in(entry: TracebackType, packages: tuple[str, ...]) -> bool:
    module = str(entry.tb_frame.f_globals.get("__name__", ""))
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _clear_frame(entry: TracebackType) -> None:
    # `traceback.clear_frames` follows `tb_next`, and skips frames that still run.
    traceback.clear_frames(TracebackType(None, entry.tb_frame, entry.tb_lasti, entry.tb_lineno))
