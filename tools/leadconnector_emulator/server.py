"""The socket interface: the emulator on a port, where connections can really fail."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Collection
from concurrent.futures import Future
from functools import partial
from typing import Self

from .accepting import LOGGER, Acceptor
from .access import check_texts
from .connection import Connection
from .control import Control, ControlRules
from .emulator import Emulator
from .hosts import LOOPBACK, base_url, host_rules, is_loopback
from .messages import Request, Response
from .page import Page
from .response_future import submit_to

BACKLOG = 128
"""Connections that may wait to be accepted."""

MAXIMUM_BUFFERED_BYTES = 128 * 1024 * 1024
"""The bytes of all connections: incomplete requests, and responses that clients have not read.
Beyond that, new requests are rejected with 503."""

STALL_CHECK_INTERVAL = 5.0
"""Seconds between two searches for connections that make no progress."""


class Server:
    """Serves an emulator on a port while its `with` block runs.

    One thread runs an event loop, which serves every connection.

    Args:
        emulator: the emulator that responds.
        port: the port to listen on; 0 selects a free one.
        host: the address or name to listen on. By default only this machine can connect. The
            emulator has no authentication: with `0.0.0.0` or `::`, everyone who reaches this
            machine can read the recorded requests. A warning is logged.
        allowed_hosts: host names under which the page is served in addition. It is served under
            the names of loopback. On another address it is also served under addresses, names
            without a dot, and names that cannot be registered, such as `*.svc.cluster.local`.
            The API is served under every name.
        control: whether the control over HTTP is served, below `/_emulator/`. By default it is
            served if only this machine can connect. Everyone who reaches it can change the
            emulator, and read its tokens.

    Raises:
        OSError: the port is in use, or this process may not listen on it; the host is not a name or
            address of this machine.
        OverflowError: the port is not between 0 and 65535.
        TypeError: `allowed_hosts` is one string.
        ValueError: the host is empty or not a name.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        port: int = 0,
        host: str = LOOPBACK,
        allowed_hosts: Collection[str] = (),
        control: bool | None = None,
    ) -> None:
        check_texts("allowed_hosts", allowed_hosts)
        self.emulator = emulator
        self._listener = _listen(host, port)
        bound_address, bound_port = self._listener.getsockname()[:2]
        # A link-local address of IPv6 has a zone, such as `fe80::1%eth0`, which is no part of it.
        self._address = str(bound_address).partition("%")[0]
        self._port = int(bound_port)
        rules = host_rules(self._address, allowed_hosts)
        has_control = rules.listens_on_loopback if control is None else control
        self._page = Page(emulator, rules=rules, has_control=has_control)
        self._control = Control(emulator, ControlRules(has_control, rules))
        self._connections: set[Connection] = set()
        self._buffered_bytes = 0
        self._loop = asyncio.new_event_loop()
        self._acceptor = Acceptor(self, self._listener, self._loop)
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run, name="leadconnector-emulator", daemon=True
        )
        self.has_open_control = has_control and not is_loopback(self._address)
        """Whether other machines can change the emulator, and read its tokens."""
        if not is_loopback(self._address):
            permissions = "read the recorded requests"
            if self.has_open_control:
                permissions = f"{permissions} and the tokens, and change the emulator"
            LOGGER.warning(
                "The emulator listens on %s and has no authentication: everyone who can reach this"
                " machine can %s.",
                self._address,
                permissions,
            )

    @property
    def url(self) -> str:
        """The base URL for a client on this machine."""
        return base_url(self._address, self._port)

    def __enter__(self) -> Self:
        if self.emulator.is_closed:
            self._listener.close()
            self._loop.close()
            raise RuntimeError(
                "the proxy is closed: create another one, and close it after the server"
            )
        if self._thread.ident is not None:
            raise RuntimeError("a server runs once: create another for another `with` block")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self.emulator.close()

    # Called by the connections and the acceptor

    def respond(self, request: Request) -> Response:
        """Respond with the page or the control if it has the path, otherwise with the emulator."""
        page_response = self._page.respond(request)
        if page_response is not None:
            return page_response
        control_response = self._control.respond(request)
        if control_response is not None:
            return control_response
        return self.emulator.respond(request)

    def submit(self, request: Request) -> Future[Response] | None:
        """Start to respond, if that takes time. `None`: `respond` responds at once."""
        if not self.emulator.takes_time or self._control.serves(request):
            return None
        if self._page.respond(request) is not None:
            return None
        return submit_to(self.emulator, request)

    @property
    def has_full_buffers(self) -> bool:
        """Whether the connections together have as many bytes as they may have."""
        return self._buffered_bytes >= MAXIMUM_BUFFERED_BYTES

    def change_buffered_bytes(self, difference: int) -> None:
        """Count the bytes that a connection has more, or fewer, than before."""
        self._buffered_bytes += difference

    async def connect(self, accepted_socket: socket.socket) -> None:
        """Serve a connection."""
        create_connection = partial(
            Connection, self, maximum_body=self.emulator.maximum_body, submit=self.submit
        )
        try:
            await self._loop.connect_accepted_socket(create_connection, accepted_socket)
        except OSError:
            # The client has gone in the meantime.
            accepted_socket.close()
            self._acceptor.release()

    def add_connection(self, connection: Connection) -> None:
        """Register a connection, so that it ends with the server."""
        self._connections.add(connection)
        # A connection that was being accepted while the server stopped.
        if self._stop.is_set():
            connection.abort()

    def remove_connection(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._connections.discard(connection)
        self._acceptor.release()

    # The event loop

    def _run(self) -> None:
        """Run the event loop. It is the main function of the thread."""
        with asyncio.Runner(loop_factory=self._event_loop) as runner:
            runner.run(self._serve())

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    async def _serve(self) -> None:
        self._acceptor.start()
        stall_check = self._loop.call_later(STALL_CHECK_INTERVAL, self._abort_stalled_connections)
        await self._stop.wait()

        # One that is being accepted now still arrives, and `add_connection` aborts it; so wait for
        # it before the server closes.
        self._acceptor.stop()
        stall_check.cancel()
        for connection in list(self._connections):
            connection.abort()
        while self._connections or len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)
        self._listener.close()

    def _abort_stalled_connections(self) -> None:
        now = self._loop.time()
        for connection in list(self._connections):
            connection.abort_if_stalled(now)
        if not self._stop.is_set():
            self._loop.call_later(STALL_CHECK_INTERVAL, self._abort_stalled_connections)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError, OverflowError, ValueError: as `Server` documents.
    """
    if not host:
        raise ValueError("the host is empty; use 127.0.0.1, or 0.0.0.0 for every address")
    # The port has no part in this, so that an invalid one raises the error of `bind`.
    addresses = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = addresses[0]
    # asyncio sets TCP_NODELAY only on sockets with an explicit protocol. Without it, a response in
    # several writes waits for acknowledgements.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit this. It ends those whose client has vanished without a word.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if family == socket.AF_INET6:
            # `::` accepts IPv4 too, also where the system's default is otherwise.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((address[0], port, *address[2:]))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
