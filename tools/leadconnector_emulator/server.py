"""The socket interface: the emulator on a loopback port, where connections can really fail."""

from __future__ import annotations

import asyncio
import socket
import threading
from functools import partial
from typing import Self

from .connection import Connection
from .emulator import Emulator
from .messages import Request, Response
from .page import Page

BACKLOG = 128
"""Connections that may wait to be accepted."""


class Server:
    """Serves an emulator on a loopback port while its `with` block runs.

    One thread runs an event loop, which serves every connection.

    Args:
        emulator: the emulator that responds.
        port: the port to listen on; 0 selects a free one.

    Raises:
        OSError: the port is in use, or this process may not listen on it.
        OverflowError: the port is not between 0 and 65535.
    """

    def __init__(self, emulator: Emulator, *, port: int = 0) -> None:
        self.emulator = emulator
        self._page = Page(emulator)
        self._listener = _listen(port)
        self._port: int = self._listener.getsockname()[1]
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run, name="leadconnector-emulator", daemon=True
        )

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        if self._thread.ident is not None:
            raise RuntimeError("a server runs once: create another for another `with` block")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def respond(self, request: Request) -> Response:
        """Respond with the page if it has the path, otherwise with the emulator."""
        page_response = self._page.respond(request)
        if page_response is not None:
            return page_response
        return self.emulator.respond(request)

    def add_connection(self, connection: Connection) -> None:
        """Register a connection, so that it ends with the server."""
        self._connections.add(connection)
        # A connection that was being accepted while the server stopped.
        if self._stop.is_set():
            connection.abort()

    def remove_connection(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._connections.discard(connection)

    def _run(self) -> None:
        """Run the event loop. It is the main function of the thread."""
        with asyncio.Runner(loop_factory=self._event_loop) as runner:
            runner.run(self._serve())

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    async def _serve(self) -> None:
        create_connection = partial(Connection, self)
        server = await self._loop.create_server(create_connection, sock=self._listener)
        await self._stop.wait()

        # Accept no more connections. One that is being accepted now still arrives, and
        # `add_connection` aborts it; so wait for it before the server closes.
        self._loop.remove_reader(self._listener)
        for connection in list(self._connections):
            connection.abort()
        while self._connections or len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)
        server.close()
        await server.wait_closed()


def _listen(port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only on sockets with an explicit protocol. Without it, a response in
    # several writes waits for acknowledgements.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
