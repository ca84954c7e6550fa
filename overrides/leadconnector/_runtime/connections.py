"""Which transport a client sends with, and whether the client is closed."""

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from ..errors import ClientClosedError
from . import lazy_asyncio as asyncio
from .http import AsyncTransport, DirectAsyncTransport, DirectTransport, SyncTransport
from .waiting import ClientSignals

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

Owner = TypeVar("Owner")
Transport = TypeVar("Transport")


class Connections(ABC, Generic[Owner, Transport]):
    """The transports of a client and of the clients made from it by `with_options`.

    A client without a custom transport creates its own. It needs one for each owner, as two event
    loops cannot share a connection. It needs new ones in a forked process for the same reason.

    Args:
        create_transport: creates a transport.
        custom_transport: the transport that the caller passed, if any.
    """

    def __init__(
        self, create_transport: Callable[[], Transport], custom_transport: Transport | None
    ) -> None:
        self._create_transport = create_transport
        self._custom_transport = custom_transport
        self._process = os.getpid()
        self._by_owner: dict[Owner, Transport] = {}
        self.is_closed = False
        self.signals = ClientSignals()
        """Closing the client wakes the calls that wait for a rate limit."""

    def transport(self) -> Transport:
        """The transport of the current owner.

        Raises:
            ClientClosedError: the client is closed, or its custom transport belongs to the
                parent process.
            ConfigurationError: the environment's proxy or certificate file is unusable.
            APIConnectionError: the system has too few resources for a connection.
        """
        self._check_open()
        if os.getpid() != self._process:
            self._start_in_forked_process()
        if self._custom_transport is not None:
            return self._custom_transport
        owner = self._owner()
        transport = self._by_owner.get(owner)
        if transport is None:
            # Atomic: threads that get here together all use the first one's transport.
            transport = self._by_owner.setdefault(owner, self._create_transport())
            if self.is_closed:
                # It was closed by another thread meanwhile, which did not see this transport.
                self._by_owner.pop(owner, None)
                self._abandon(transport)
            self._check_open()
            self._start(owner, transport)
        return transport

    def _check_open(self) -> None:
        if self.is_closed:
            raise ClientClosedError(
                "this client is closed: make a new one, or call within its `with` block"
            )

    @abstractmethod
    def _owner(self) -> Owner:
        """Identifies the code that can share connections."""

    @abstractmethod
    def _start(self, owner: Owner, transport: Transport) -> None:
        """Called after the first transport of an owner was created."""

    @abstractmethod
    def _abandon(self, transport: Transport) -> None:
        """Close a transport that nobody can use or await any more."""

    def _start_in_forked_process(self) -> None:
        """Start without connections in a forked process."""
        if self._custom_transport is not None:
            raise ClientClosedError(
                "this client was given a transport before the process forked: make a new one"
            )
        self._process = os.getpid()
        self._abandon_parent_transports()
        self.signals = ClientSignals()

    def _abandon_parent_transports(self) -> None:
        """Close the parent's connections in this process only. The parent continues to use them.

        A custom transport stays open: to close it could end the parent's connections.
        """
        parent_transports = self._by_owner
        self._by_owner = {}
        for transport in parent_transports.values():
            self._abandon(transport)


class SyncConnections(Connections[str, SyncTransport]):
    """The connections of a sync client. All threads share one transport."""

    def close(self) -> None:
        """Close the client and its transport. A second call does nothing."""
        if self.is_closed:
            return
        self.is_closed = True
        if os.getpid() != self._process:
            self._abandon_parent_transports()
            return
        self.signals.close()
        if self._custom_transport is not None:
            self._custom_transport.close()
            return
        for transport in list(self._by_owner.values()):
            transport.close()

    def _owner(self) -> str:
        return "all threads"

    def _start(self, owner: str, transport: SyncTransport) -> None:
        """Nothing to do: the transport lives as long as the client."""

    def _abandon(self, transport: SyncTransport) -> None:
        if isinstance(transport, DirectTransport):
            transport.abandon()


class AsyncConnections(Connections["AbstractEventLoop", AsyncTransport]):
    """The connections of an async client. Each event loop has its own transport.

    A transport and its event loop refer to each other, so neither disappears by itself. There are
    two ways in which a transport ends before its client:

    - An event loop that shuts down properly first closes the async generators that run in it
      (`shutdown_asyncgens`). Each transport has such a generator, which closes it.
    - If an event loop is closed without that, the next new transport closes those of closed loops.
    """

    def __init__(
        self,
        create_transport: Callable[[], AsyncTransport],
        custom_transport: AsyncTransport | None,
    ) -> None:
        super().__init__(create_transport, custom_transport)
        # An event loop refers to its generators only weakly.
        self._closers: dict[AbstractEventLoop, AsyncGenerator[None, None]] = {}

    async def aclose(self) -> None:
        """Close the client and its transports. A second call does nothing."""
        if self.is_closed:
            return
        self.is_closed = True
        if os.getpid() != self._process:
            self._abandon_parent_transports()
            return
        self.signals.close()
        if self._custom_transport is not None:
            await self._custom_transport.aclose()
            return
        loop = self._owner()
        for owner, transport in list(self._by_owner.items()):
            if owner is loop:
                await transport.aclose()
            elif isinstance(transport, DirectAsyncTransport):
                transport.close()
        self._by_owner.clear()
        # Its transport is closed. This ends the generator, so that the loop does not have to.
        closer = self._closers.pop(loop, None)
        if closer is not None:
            await closer.aclose()

    def _owner(self) -> "AbstractEventLoop":
        return asyncio.get_running_loop()

    def _start(self, owner: "AbstractEventLoop", transport: AsyncTransport) -> None:
        self._abandon_closed_loops()
        closer = self._close_with(owner, transport)
        self._closers[owner] = closer
        # This runs the generator to its `yield`, without waiting. The event loop notes it.
        with suppress(StopIteration):
            closer.asend(None).send(None)

    async def _close_with(
        self, loop: "AbstractEventLoop", transport: AsyncTransport
    ) -> AsyncGenerator[None, None]:
        """Close the transport of an event loop when the loop ends."""
        process = os.getpid()
        try:
            yield
        finally:
            # In a forked process, the loop can have another one.
            if self._by_owner.get(loop) is transport:
                del self._by_owner[loop]
                self._closers.pop(loop, None)
            if os.getpid() == process:
                await transport.aclose()
            else:
                self._abandon(transport)

    def _abandon_closed_loops(self) -> None:
        """Close the transports of event loops that were closed without closing them."""
        for loop in list(self._by_owner):
            if loop.is_closed():
                self._closers.pop(loop, None)
                transport = self._by_owner.pop(loop, None)
                # Another thread can have been faster.
                if transport is not None:
                    self._abandon(transport)

    def _abandon(self, transport: AsyncTransport) -> None:
        if isinstance(transport, DirectAsyncTransport):
            transport.abandon()
