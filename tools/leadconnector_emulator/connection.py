"""One connection of the socket server: parses requests with h11 and sends responses with faults."""

from __future__ import annotations

import asyncio
import json
from typing import Protocol

import h11

from .messages import Request, Response, combined_headers

MAXIMUM_BODY = 1024 * 1024
"""The largest request body in bytes; a larger one is rejected with 413."""

BODILESS_STATUSES = frozenset({204, 304})
"""The statuses of responses without a body (RFC 9110, section 6.4.1)."""


class ConnectionOwner(Protocol):
    """The server, as a connection uses it."""

    def respond(self, request: Request) -> Response:
        """Respond to a request."""
        ...

    def add_connection(self, connection: Connection) -> None:
        """Register a connection that starts."""
        ...

    def remove_connection(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        ...


class Connection(asyncio.Protocol):
    """Requests on one connection, one after the other.

    The state of the protocol is h11's. This class adds one state: while `_delivery_task` runs, a
    response with a fault is being sent, and the events of the next request wait.
    """

    def __init__(self, owner: ConnectionOwner) -> None:
        self._owner = owner
        self._http = h11.Connection(h11.SERVER)
        self._request_body = bytearray()
        self._delivery_task: asyncio.Task[None] | None = None

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - as of every TCP socket
        self._transport = transport
        self._owner.add_connection(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the response that is being sent: there is nobody to receive it."""
        self._owner.remove_connection(self)
        if self._delivery_task is not None:
            self._delivery_task.cancel()

    def data_received(self, data: bytes) -> None:
        """Respond to every request that is complete."""
        self._http.receive_data(data)
        self._handle_events()

    def eof_received(self) -> bool:
        """The client sends no more. Return whether the connection stays open for a response."""
        self._http.receive_data(b"")
        self._handle_events()
        return self._delivery_task is not None

    # Called by the server

    def abort(self) -> None:
        """End the connection at once, without sending what is buffered."""
        self._transport.abort()

    # Reading requests

    def _handle_events(self) -> None:
        """Handle the events of h11 until it needs more data or a response is on its way."""
        while self._delivery_task is None and not self._transport.is_closing():
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
        self._request_body = bytearray()
        for name, value in head.headers:
            if name == b"content-length" and int(value) > MAXIMUM_BODY:
                self._reject_large_body()

    def _receive_body(self, event: h11.Data) -> None:
        self._request_body += event.data
        if len(self._request_body) > MAXIMUM_BODY:
            self._reject_large_body()

    def _reject_large_body(self) -> None:
        self._reject(413, f"a body may have {MAXIMUM_BODY} bytes")

    # Sending responses

    def _respond(self) -> None:
        head = self._request_head
        method = head.method.decode("ascii")
        target = head.target.decode("latin-1")
        headers = combined_headers(head.headers)
        request = Request(method, target, headers, bytes(self._request_body))
        response = self._owner.respond(request)
        if response.delivery.is_plain:
            # One write, so that head and body can share a packet.
            self._transport.write(self._encoded_head(response) + self._encoded_body(response))
            self._start_next_cycle()
        else:
            loop = asyncio.get_running_loop()
            self._delivery_task = loop.create_task(self._deliver(response))
            self._delivery_task.add_done_callback(self._finish_delivery)

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
            self._write(h11.Data(data=chunk))
        if response.has_complete_body:
            self._write(h11.EndOfMessage())
        else:
            self._transport.close()

    def _finish_delivery(self, task: asyncio.Task[None]) -> None:
        """Return to reading requests after a response with a fault."""
        self._delivery_task = None
        if not task.cancelled() and not self._transport.is_closing():
            self._start_next_cycle()
            self._handle_events()

    def _start_next_cycle(self) -> None:
        """Get ready for the next request, or close a connection that is not kept alive."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self._transport.close()

    def _reject(self, status: int, reason: str) -> None:
        """Respond to data that is not HTTP, or too large, and close the connection."""
        # After the head of a response was sent, nothing but closing is possible.
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            body = json.dumps({"statusCode": status, "message": reason}).encode()
            headers = {"Content-Type": "application/json", "Connection": "close"}
            response = Response(status, body, headers)
            # The request may have no head that h11 could parse. The response needs its method.
            self._request_head = h11.Request(
                method="GET", target="/", headers=[("Host", "localhost")]
            )
            self._transport.write(self._encoded_head(response) + self._encoded_body(response))
        self._transport.close()

    # Encoding

    def _encoded_head(self, response: Response) -> bytes:
        headers = list(response.headers.items())
        names = {name.lower() for name in response.headers}
        if response.status not in BODILESS_STATUSES and "content-length" not in names:
            headers.append(("Content-Length", str(len(response.body))))
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
