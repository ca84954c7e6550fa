"""Accepts the connections of the socket server, and waits while there is no room for more."""

from __future__ import annotations

import asyncio
import logging
import socket
from enum import Enum, auto
from typing import Protocol

LOGGER = logging.getLogger("leadconnector_emulator")

MAXIMUM_CONNECTIONS = 1_000
"""The connections that are open at the same time; further ones wait in the kernel's queue."""

RETRY_INTERVAL = 1.0
"""Seconds after which the server accepts again, as asyncio's own server does. The end of a
connection makes it accept at once."""


class AcceptingOwner(Protocol):
    """The server, as it is used here."""

    async def connect(self, accepted_socket: socket.socket) -> None:
        """Serve a connection. At its end, call `Acceptor.release`."""
        ...


class _State(Enum):
    """Whether the listening socket is watched."""

    STOPPED = auto()
    ACCEPTING = auto()
    PAUSED = auto()


class Acceptor:
    """Accepts connections on a listening socket.

    The server of asyncio logs a traceback for each failed attempt. Where descriptors are used up,
    that is up to a hundred tracebacks per second.

    Args:
        owner: the server.
        listener: the listening socket.
        loop: the event loop.
    """

    def __init__(
        self,
        owner: AcceptingOwner,
        listener: socket.socket,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._owner = owner
        self._listener = listener
        self._loop = loop
        self._state = _State.STOPPED
        self._retry: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connection_count = 0
        self._has_logged_pause = False

    def start(self) -> None:
        """Begin to accept."""
        # STOPPED -> ACCEPTING: the event loop calls `_accept` when a connection arrives.
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener, self._accept)
        self._state = _State.ACCEPTING

    def stop(self) -> None:
        """Accept no more connections. One that was accepted before still reaches the owner."""
        # ACCEPTING or PAUSED -> STOPPED, for good.
        self._loop.remove_reader(self._listener)
        self._cancel_retry()
        self._state = _State.STOPPED

    def release(self) -> None:
        """A connection has ended, so there is room for another one."""
        self._connection_count -= 1
        # The descriptor is closed only after the callback that reports the end.
        self._loop.call_soon(self.resume)

    def resume(self) -> None:
        """Accept again after a pause."""
        if self._state is not _State.PAUSED:
            return
        # PAUSED -> ACCEPTING. If there is still no room, `_accept` pauses again.
        self._cancel_retry()
        self._loop.add_reader(self._listener, self._accept)
        self._state = _State.ACCEPTING

    def _pause(self, reason: str) -> None:
        # ACCEPTING -> PAUSED: an unwatched socket keeps the event loop idle, and the kernel
        # queues the connections.
        self._loop.remove_reader(self._listener)
        self._retry = self._loop.call_later(RETRY_INTERVAL, self.resume)
        self._state = _State.PAUSED
        # Once: a server at its limit pauses again and again.
        if not self._has_logged_pause:
            self._has_logged_pause = True
            LOGGER.warning(
                "The emulator accepts no more connections for now: %s. Close unused connections;"
                " this message appears once.",
                reason,
            )

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _accept(self) -> None:
        """Accept one connection. The event loop calls this again while others wait."""
        if self._connection_count >= MAXIMUM_CONNECTIONS:
            self._pause(f"{MAXIMUM_CONNECTIONS} are open")
            return
        try:
            accepted_socket, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # The client has gone in the meantime.
        except OSError as error:
            # EMFILE or ENFILE, mostly: this process, or the system, has no descriptor left.
            self._pause(error.strerror or str(error))
            return
        accepted_socket.setblocking(False)
        self._connection_count += 1
        task = self._loop.create_task(self._owner.connect(accepted_socket))
        # The event loop itself has only a weak reference to a task.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
