"""One connection of the socket server: parses requests with h11 and sends responses with faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import h11

from .control_paths import is_control_request, problem_response
from .messages import MAXIMUM_BODY, Request, Response, combined_headers
from .response_future import response_of

MAXIMUM_UNSENT_BYTES = 64 * 1024
"""The bytes of responses that wait for a client to read them. Beyond that, the connection reads
and responds to no further request."""

MAXIMUM_WAITING_INPUT = 64 * 1024
"""The bytes of further requests that wait while a slow response is sent. Beyond that, the
connection reads no more."""

STALL_TIMEOUT = 60.0
"""Seconds without progress of a client that owes the rest of a request, or does not read its
response. Then the connection is aborted."""

BODILESS_STATUSES = frozenset({204, 304})
"""The statuses of responses without a body (RFC 9110, section 6.4.1)."""


class ConnectionOwner(Protocol):
    """The server, as a connection uses it."""

    def respond(self, request: Request) -> Response:
        """Respond to a request."""
        ...

    @property
    def has_full_buffers(self) -> bool:
        """Whether the connections together have as many bytes as they may have."""
        ...

    def change_buffered_bytes(self, difference: int) -> None:
        """Count the bytes that a connection has more, or fewer, than before."""
        ...

    def add_connection(self, connection: Connection) -> None:
        """Register a connection that starts."""
        ...

    def remove_connection(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        ...


Submit: TypeAlias = Callable[[Request], Future[Response] | None]
"""Starts to respond, if that takes time. `None`: the owner responds at once."""


def _respond_at_once(request: Request) -> None:
    """No response takes time."""


@dataclass(frozen=True)
class _Progress:
    """How far a client has come."""

    received_bytes: int
    unsent_bytes: int
    delivered_bytes: int
    """The bytes of bodies with a fault that were passed to the transport."""


class Connection(asyncio.Protocol):
    """Requests on one connection, one after the other.

    The state of the protocol is h11's. This class adds two states, in which the events of the next
    request wait: while `_delivery_task` runs, a response with a fault is being sent; while
    `_is_unread`, the client does not read its responses as fast as they are sent.

    Args:
        owner: the server.
        maximum_body: the largest body of a request, in bytes.
        submit: starts to respond to a request, if that takes time.
    """

    def __init__(
        self,
        owner: ConnectionOwner,
        *,
        maximum_body: int = MAXIMUM_BODY,
        submit: Submit = _respond_at_once,
    ) -> None:
        self._owner = owner
        self._maximum_body = maximum_body
        self._submit = submit
        self._http = h11.Connection(h11.SERVER)
        self._request_body = bytearray()
        self._delivery_task: asyncio.Task[None] | None = None
        self._delivery_bytes = 0
        self._is_buffer_full = False
        self._unsent_body = memoryview(b"")
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._delivered_bytes = 0
        self._is_reading = True
        self._buffered_bytes = 0
        self._received_bytes = 0
        self._progress: _Progress | None = None
        self._progress_at = 0.0

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - as of every TCP socket
        self._transport = transport
        transport.set_write_buffer_limits(high=MAXIMUM_UNSENT_BYTES)
        self._owner.add_connection(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the response that is being sent: there is nobody to receive it."""
        self._owner.change_buffered_bytes(-self._buffered_bytes)
        self._owner.remove_connection(self)
        self._unsent_body = memoryview(b"")
        if self._delivery_task is not None:
            self._delivery_task.cancel()

    def data_received(self, data: bytes) -> None:
        """Respond to every request that is complete."""
        self._received_bytes += len(data)
        self._http.receive_data(data)
        self._continue()

    def eof_received(self) -> bool:
        """The client sends no more. Return whether the connection stays open for a response."""
        # A client that closes its side during a slow response has given up, for example after its
        # timeout. (uvicorn and nginx assume that, too.) The socket must not wait for the fault.
        # While the buffer is full, the server waits for the client and not for the fault.
        if self._delivery_task is not None and not self._is_buffer_full:
            self._delivery_task.cancel()
            return False
        self._http.receive_data(b"")
        self._continue()
        return self._is_unread or self._delivery_task is not None

    def pause_writing(self) -> None:
        """The client has not read `MAXIMUM_UNSENT_BYTES`."""
        self._is_buffer_full = True
        self._has_room.clear()

    def resume_writing(self) -> None:
        """The client has read most of what was sent."""
        self._is_buffer_full = False
        self._has_room.set()
        self._send_rest()
        self._continue()

    # Called by the server

    def abort(self) -> None:
        """End the connection at once, without sending what is buffered."""
        self._transport.abort()

    def abort_if_stalled(self, now: float) -> None:
        """End the connection if its client owes something and makes no progress.

        Args:
            now: seconds of the event loop's clock.
        """
        if not self._waits_for_client:
            self._progress = None
            return
        unsent_bytes = self._transport.get_write_buffer_size() + len(self._unsent_body)
        progress = _Progress(self._received_bytes, unsent_bytes, self._delivered_bytes)
        if progress != self._progress:
            self._progress = progress
            self._progress_at = now
        elif now - self._progress_at >= STALL_TIMEOUT:
            self.abort()

    @property
    def _waits_for_client(self) -> bool:
        """Whether the client owes the rest of a request, or has not read a response.

        A connection without a request is not stalled: a client may keep it for later.
        """
        if self._transport.get_write_buffer_size() > 0 or self._is_unread:
            return True
        if self._delivery_task is not None:
            return False
        has_partial_request = self._http.their_state is h11.SEND_BODY or self._input_length > 0
        return has_partial_request or self._transport.is_closing()

    # Bounds

    @property
    def _is_unread(self) -> bool:
        """Whether the client does not read its responses as fast as they are sent."""
        return self._is_buffer_full or len(self._unsent_body) > 0

    @property
    def _is_busy(self) -> bool:
        """Whether the next request waits."""
        return self._delivery_task is not None or self._is_unread

    @property
    def _input_length(self) -> int:
        """The bytes that h11 has received and not yet returned as events."""
        data, _ = self._http.trailing_data
        return len(data)

    def _continue(self) -> None:
        """Handle the requests that have arrived, and then read more if there is room for it."""
        self._handle_events()
        input_length = self._input_length
        self._count_buffered_bytes(input_length)
        if self._delivery_task is not None:
            # Reading goes on for a while, since it reports that the client has gone.
            self._set_reading(input_length <= MAXIMUM_WAITING_INPUT)
        else:
            self._set_reading(not self._is_unread)

    def _set_reading(self, is_reading: bool) -> None:
        if is_reading == self._is_reading or self._transport.is_closing():
            return
        self._is_reading = is_reading
        if is_reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    @property
    def _unread_body_bytes(self) -> int:
        """The bytes of a body of which a part is not sent: the whole body stays in memory."""
        if not self._unsent_body:
            return 0
        return memoryview(self._unsent_body.obj).nbytes

    def _count_buffered_bytes(self, input_length: int) -> None:
        """Report to the server how many bytes this connection has.

        The transport's buffer does not count: it has its own bound, and drains without a report.
        """
        buffered_bytes = (
            input_length + len(self._request_body) + self._unread_body_bytes + self._delivery_bytes
        )
        self._owner.change_buffered_bytes(buffered_bytes - self._buffered_bytes)
        self._buffered_bytes = buffered_bytes

    # Reading requests

    def _handle_events(self) -> None:
        """Handle the events of h11 until it needs more data or a response is on its way."""
        while not self._is_busy and not self._transport.is_closing():
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._reject(error.error_status_hint, str(error))
                return
            if event is h11.NEED_DATA:
                self._send_continue()
                return
            if event is h11.PAUSED:
                return
            self._handle_event(event)

    def _handle_event(self, event: object) -> None:
        match event:
            case h11.Request():
                self._start_request(event)
            case h11.Data():
                self._receive_body(event)
            case h11.EndOfMessage():
                self._respond()
            case _:  # h11.ConnectionClosed: the client sends no more requests
                self._transport.close()

    def _send_continue(self) -> None:
        """Ask the client for the body if it waits for that (RFC 9110, section 10.1.1)."""
        if self._http.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=100, headers=[]))

    def _start_request(self, head: h11.Request) -> None:
        self._request_head = head
        if self._owner.has_full_buffers:
            self._reject_for_full_buffers()
            return
        for name, value in head.headers:
            if name == b"content-length" and int(value) > self._maximum_body:
                self._reject_large_body()

    def _receive_body(self, event: h11.Data) -> None:
        self._request_body += event.data
        if len(self._request_body) > self._maximum_body:
            self._reject_large_body()
        elif self._owner.has_full_buffers:
            self._reject_for_full_buffers()

    def _reject_for_full_buffers(self) -> None:
        self._reject(
            503,
            "the emulator's buffers are full: read the responses, or close unused connections",
        )

    def _reject_large_body(self) -> None:
        reason = f"a body may have {self._maximum_body} bytes"
        target = self._request_head.target.decode("latin-1")
        if is_control_request(Request("", target, {})):
            self._end_with(problem_response(413, "Content Too Large", reason))
        else:
            self._reject(413, reason)

    # Sending responses

    def _respond(self) -> None:
        head = self._request_head
        method = head.method.decode("ascii")
        target = head.target.decode("latin-1")
        headers = combined_headers(head.headers)
        request = Request(method, target, headers, bytes(self._request_body))
        self._request_body = bytearray()
        future = self._submit(request)
        if future is not None:
            self._start_delivery(self._deliver_later(future))
            return
        response = self._owner.respond(request)
        if response.delivery.is_plain:
            self._send(response)
            if not self._unsent_body:
                self._start_next_cycle()
        else:
            self._delivery_bytes = len(response.body)
            self._start_delivery(self._deliver(response))

    def _start_delivery(self, delivery: Coroutine[object, object, None]) -> None:
        self._delivery_task = asyncio.get_running_loop().create_task(delivery)
        self._delivery_task.add_done_callback(self._finish_delivery)

    async def _deliver_later(self, future: Future[Response]) -> None:
        """Send a response as soon as there is one. A client that leaves cancels the wait for it."""
        response = await response_of(future)
        self._delivery_bytes = len(response.body)
        self._count_buffered_bytes(self._input_length)
        await self._deliver(response)

    def _send(self, response: Response) -> None:
        """Send a response, or its first part if it is large."""
        head = self._encoded_head(response)
        body = memoryview(self._encoded_body(response))
        first_part = body[:MAXIMUM_UNSENT_BYTES]
        self._unsent_body = body[MAXIMUM_UNSENT_BYTES:]
        # One write, so that head and body can share a packet.
        self._transport.write(head + first_part)
        self._send_parts()

    def _send_parts(self) -> None:
        """Send more of a large body, until the client has to read it."""
        # The transport copies what it cannot send at once. Small parts bound these copies.
        while self._unsent_body and not self._is_buffer_full:
            part = self._unsent_body[:MAXIMUM_UNSENT_BYTES]
            self._unsent_body = self._unsent_body[MAXIMUM_UNSENT_BYTES:]
            self._transport.write(part)

    def _send_rest(self) -> None:
        """Continue a large body after the client has read a part."""
        if not self._unsent_body:
            return
        self._send_parts()
        if not self._unsent_body:
            self._start_next_cycle()

    async def _deliver(self, response: Response) -> None:
        """Send a response with a fault. Where the fault ends the connection, close it."""
        delivery = response.delivery
        await asyncio.sleep(delivery.delay)
        if delivery.drop == "before":
            self._transport.close()
            return

        head = self._encoded_head(response)
        if delivery.drop == "within":
            half = len(head) // 2
            self._transport.write(head[:half])
            self._transport.close()
            return

        self._transport.write(head)
        if delivery.drop == "after":
            self._transport.close()
        elif self._has_no_body(response):
            self._write(h11.EndOfMessage())
        else:
            await self._deliver_body(response)

    async def _deliver_body(self, response: Response) -> None:
        for chunk in response.body_chunks():
            await asyncio.sleep(response.delivery.drip or 0.0)
            await self._deliver_chunk(chunk)
        if response.has_complete_body:
            self._write(h11.EndOfMessage())
        else:
            self._transport.close()

    async def _deliver_chunk(self, chunk: bytes) -> None:
        """Send a chunk in parts, as fast as the client reads them."""
        for start in range(0, len(chunk), MAXIMUM_UNSENT_BYTES):
            await self._has_room.wait()
            part = chunk[start : start + MAXIMUM_UNSENT_BYTES]
            self._write(h11.Data(data=part))
            self._delivered_bytes += len(part)

    def _finish_delivery(self, task: asyncio.Task[None]) -> None:
        """Return to reading requests after a response with a fault."""
        self._delivery_task = None
        self._delivery_bytes = 0
        if self._transport.is_closing():
            return
        if task.cancelled():
            # A proxy was closed before its API responded: the client must not wait for ever.
            self._transport.close()
            return
        self._start_next_cycle()
        self._continue()

    def _start_next_cycle(self) -> None:
        """Get ready for the next request, or close a connection that is not kept alive."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self._transport.close()

    def _reject(self, status: int, reason: str) -> None:
        """Respond to data that is not HTTP, or too large, and close the connection."""
        body = json.dumps({"statusCode": status, "message": reason}).encode()
        self._end_with(Response(status, body, {"Content-Type": "application/json"}))

    def _end_with(self, response: Response) -> None:
        """Send an error response, and close the connection."""
        # After the head of a response was sent, nothing but closing is possible.
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = {**response.headers, "Connection": "close"}
            last_response = replace(response, headers=headers)
            # The request may have no head that h11 could parse. The response needs its method.
            self._request_head = h11.Request(
                method="GET", target="/", headers=[("Host", "localhost")]
            )
            head = self._encoded_head(last_response)
            self._transport.write(head + self._encoded_body(last_response))
        self._request_body = bytearray()
        self._transport.close()

    # Encoding

    def _encoded_head(self, response: Response) -> bytes:
        headers = response.header_lines()
        names = {name.lower() for name in response.headers}
        if response.status not in BODILESS_STATUSES and "content-length" not in names:
            headers.append((b"Content-Length", str(len(response.body)).encode("ascii")))
        return self._encoded(h11.Response(status_code=response.status, headers=headers, reason=b""))

    def _encoded_body(self, response: Response) -> bytes:
        end = h11.EndOfMessage()
        if self._has_no_body(response):
            return self._encoded(end)
        return self._encoded(h11.Data(data=response.body)) + self._encoded(end)

    def _has_no_body(self, response: Response) -> bool:
        return self._request_head.method == b"HEAD" or response.status in BODILESS_STATUSES

    def _write(self, event: h11.Event) -> None:
        self._transport.write(self._encoded(event))

    def _encoded(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""
