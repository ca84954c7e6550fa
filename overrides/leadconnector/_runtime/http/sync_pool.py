"""The connection pool of a sync client, which threads can share."""

from ..coroutines import run_without_event_loop
from .fair_semaphore import FairSemaphore, Permit
from .limits import Limits
from .outgoing import OutgoingRequest
from .pool import MAXIMUM_CONNECTIONS, Pool
from .received import RawResponse
from .routes import Route
from .sending import DirectTransport
from .thread_socket import ThreadSocket


class SyncPool(Pool, DirectTransport):
    """The default transport of a sync client. Threads can share it.

    Args:
        route: how connections reach the API.
    """

    def __init__(self, route: Route) -> None:
        super().__init__(route, ThreadSocket)
        self._permits = _ThreadPermits()

    def exchange(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        """See `DirectTransport`."""
        return run_without_event_loop(self._exchange(self._permits, request, limits))

    def close(self) -> None:
        """Close all connections. Requests that are being sent fail. A second call does nothing."""
        self._connections.close_idle()
        self._connections.shut_down_active()


class _ThreadPermits:
    """The permits of a sync client."""

    def __init__(self) -> None:
        self.semaphore = FairSemaphore(MAXIMUM_CONNECTIONS)

    async def acquire(self, seconds: float) -> Permit:
        """See `Permits`."""
        return self.semaphore.acquire(seconds)

    def release(self, permit: Permit) -> None:
        """See `Permits`."""
        self.semaphore.release(permit)
