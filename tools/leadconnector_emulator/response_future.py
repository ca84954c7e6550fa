"""Waits for the response of a proxy, also where the proxy is closed in the meantime."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from .emulator import Emulator
from .messages import Request, Response
from .upstream_error import UpstreamError

CLOSED = (
    "the proxy was closed before the API responded. The request may have been executed. Close it"
    " after the last request."
)


def submit_to(emulator: Emulator, request: Request) -> Future[Response] | None:
    """`Emulator.submit` for a server, whose clients need a response also from a closed proxy."""
    try:
        return emulator.submit(request)
    except RuntimeError:
        if not emulator.is_closed:
            raise
        future = Future[Response]()
        future.set_result(_closed_response())
        return future


async def response_of(future: Future[Response]) -> Response:
    """Wait for a response in an event loop. It is a 502 if the future was cancelled.

    Raises:
        asyncio.CancelledError: the task that waits is cancelled, for example by a client that
            leaves. That cancels the future, too.
    """
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return _closed_response()


def _closed_response() -> Response:
    """The response to a request that a closed proxy cannot pass on."""
    return UpstreamError(502, CLOSED).response()
