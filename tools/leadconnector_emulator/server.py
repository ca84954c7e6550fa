"""The door for everyone: the emulator on a real socket, which only this machine can reach, and which can misbehave."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from typing import Self

import h11

from .emulator import Emulator
from .messages import Request, Response
from .page import Page

MAXIMUM_BODY = 1024 * 1024
"""Bytes of a request's body that are read."""


class Server:
    """Serves an emulator on a loopback port while its `with` block runs.

    Args:
        emulator: what answers.
        port: the port to listen on; 0 takes a free one.

    Raises:
        OSError: the port is taken, or may not be listened on.
    """

    def __init__(self, emulator: Emulator, *, port: int = 0) -> None:
        self.emulator = emulator
        self._page = Page(emulator)
        self._socket = _listener(port)
        self._port: int = self._socket.getsockname()[1]
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run, name="leadconnector-emulator", daemon=True
        )

    @property
    def url(self) -> str:
        """The base URL to give to a client."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        if self._thread.ident is not None:
            raise RuntimeError("a server is used once: make another for another `with` block")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await self._loop.create_server(lambda: _Connection(self), sock=self._socket)
        await self._stop.wait()
        # Accept no more, and let one that is just being accepted arrive before the server closes: it ends at once.
        self._loop.remove_reader(self._socket)
        for connection in list(self._connections):
            connection.abort()
        while self._connections or len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)
        server.close()
        await server.wait_closed()

    def respond(self, request: Request) -> Response:
        """The page's own paths, else the emulator."""
        return self._page.respond(request) or self.emulator.respond(request)

    def opened(self, connection: _Connection) -> None:
        """Remember a connection, to end it when the server is closed."""
        self._connections.add(connection)
        if self._stop.is_set():
            connection.abort()

    def closed(self, connection: _Connection) -> None:
        """Forget it."""
        self._connections.discard(connection)


def _listener(port: int) -> socket.socket:
    # The protocol is named, as asyncio sends at once (TCP_NODELAY) only over sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


class _Connection(asyncio.Protocol):
    """One connection: requests one after the other, as h11 reads them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._http = h11.Connection(h11.SERVER)
        self._body = bytearray()
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        self._server.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.closed(self)
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        """End the connection as if the machine had gone."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._proceed()

    def eof_received(self) -> bool:
        self._http.receive_data(b"")
        self._proceed()
        return self._task is not None  # an answer that is on its way is still sent

    def _proceed(self) -> None:
        """Answer every request that has come in whole."""
        while self._task is None and not self._transport.is_closing():
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._refuse(error.error_status_hint, str(error))
                return
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self._transport.write(
                        self._encoded(h11.InformationalResponse(status_code=100, headers=[]))
                    )
                return
            if isinstance(event, h11.Request):
                self._head, self._body = event, bytearray()
                announced = [
                    int(value) for name, value in event.headers if name == b"content-length"
                ]
                if announced and announced[0] > MAXIMUM_BODY:
                    self._refuse(413, f"a body may have {MAXIMUM_BODY} bytes")
                    return
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > MAXIMUM_BODY:
                    self._refuse(413, f"a body may have {MAXIMUM_BODY} bytes")
                    return
            elif isinstance(event, h11.EndOfMessage):
                self._answer()
            else:  # paused until the answer is sent, or closed
                if isinstance(event, h11.ConnectionClosed):
                    self._transport.close()
                return

    def _answer(self) -> None:
        headers: dict[str, str] = {}
        for raw_name, raw_value in self._head.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        method, target = self._head.method.decode("ascii"), self._head.target.decode("latin-1")
        response = self._server.respond(Request(method, target, headers, bytes(self._body)))
        delivery = response.delivery
        if (
            delivery.delay
            or delivery.drip is not None
            or delivery.drop
            or delivery.truncate is not None
        ):
            self._task = asyncio.get_running_loop().create_task(self._deliver(response))
            self._task.add_done_callback(self._delivered)
            return
        self._transport.write(self._start(response) + self._content(response))
        self._next()

    async def _deliver(self, response: Response) -> None:
        """Send an answer as its delivery has it; where that ends the connection, it is ended."""
        delivery = response.delivery
        await asyncio.sleep(delivery.delay)
        if delivery.drop == "before":
            self._transport.close()
            return
        head = self._start(response)
        if delivery.drop == "within":
            self._transport.write(head[: len(head) // 2])
            self._transport.close()
            return
        self._transport.write(head)
        end = (
            0
            if delivery.drop
            else len(response.body)
            if delivery.truncate is None
            else delivery.truncate
        )
        if delivery.drop:
            self._transport.close()
            return
        if self._has_no_body(response) or (end >= len(response.body) and delivery.drip is None):
            self._transport.write(self._content(response))
            return
        step = 1 if delivery.drip is not None else max(end, 1)
        for place in range(0, min(end, len(response.body)), step):
            await asyncio.sleep(delivery.drip or 0)
            self._transport.write(
                self._encoded(h11.Data(data=response.body[place : min(place + step, end)]))
            )
        if end < len(response.body):
            self._transport.close()
        else:
            self._transport.write(self._encoded(h11.EndOfMessage()))

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and not self._transport.is_closing():
            self._next()
            self._proceed()

    def _next(self) -> None:
        """Be ready for the next request, or close where there will be none."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self._transport.close()

    def _refuse(self, status: int, reason: str) -> None:
        """Answer what is no HTTP, or too much of it, and hang up."""
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            body = json.dumps({"statusCode": status, "message": reason}).encode()
            headers = {"Content-Type": "application/json", "Connection": "close"}
            self._head = h11.Request(method="GET", target="/", headers=[("Host", "localhost")])
            response = Response(status, body, headers)
            self._transport.write(self._start(response) + self._content(response))
        self._transport.close()

    def _start(self, response: Response) -> bytes:
        headers = [*response.headers.items()]
        named = any(name.lower() == "content-length" for name in response.headers)
        if response.status not in {204, 304} and not named:
            headers.append(("Content-Length", str(len(response.body))))
        return self._encoded(h11.Response(status_code=response.status, headers=headers, reason=b""))

    def _content(self, response: Response) -> bytes:
        body = b"" if self._has_no_body(response) else response.body
        return self._encoded(h11.Data(data=body)) + self._encoded(h11.EndOfMessage())

    def _has_no_body(self, response: Response) -> bool:
        return self._head.method == b"HEAD" or response.status in {204, 304}

    def _encoded(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""
