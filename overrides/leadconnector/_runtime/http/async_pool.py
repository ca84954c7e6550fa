"""The connection pool of an async client, for one event loop."""

import asyncio
from contextlib import suppress

from .limits import Limits
from .loop_socket import LoopSocket
from .outgoing import OutgoingRequest
from .pool import MAXIMUM_CONNECTIONS, Pool
from .received import RawResponse
from .routes import Route
from .sending import DirectAsyncTransport


class AsyncPool(Pool, DirectAsyncTransport):
    """The default transport of an async client, in the running event loop.

    Args:
        route: how connections reach the API.
    """

    def __init__(self, route: Route) -> None:
        super().__init__(route, LoopSocket)
        self._loop = asyncio.get_running_loop()
        self._permits = _TaskPermits()

    async def exchange(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        """See `DirectAsyncTransport`."""
        return await self._exchange(self._permits, request, limits)

    async def aclose(self) -> None:
        """Close all connections. Requests that are being sent fail. A second call does nothing."""
        self._connections.close_idle()
        self._connections.shut_down_active()

    def close(self) -> None:
        """See `DirectAsyncTransport`."""
        self._connections.close_idle()
        if self._loop.is_closed():
            self._connections.abandon()
            return
        # The requests that are being sent belong to the loop. Only its thread may end them. A loop
        # that is closed meanwhile ends them too: that is the RuntimeError.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._connections.shut_down_active)


class _TaskPermits:
    """The permits of an async client."""

    def __init__(self) -> None:
        # It is fair, and a cancelled task loses no permit. `FairSemaphore` would block the loop.
        self.semaphore = asyncio.Semaphore(MAXIMUM_CONNECTIONS)

    async def acquire(self, seconds: float) -> None:
        """See `Permits`."""
        if not self.semaphore.locked():
            # This does not wait, so it needs no timeout.
            await self.semaphore.acquire()
            return
        async with asyncio.timeout(seconds):
            await self.semaphore.acquire()

    def release(self, permit: None) -> None:
        """See `Permits`."""
        self.semaphore.release()
