"""Which transport a client sends with, and whether the client is closed."""

import os
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from ..errors import ClientClosedError
from .waiting import ClientSignals

Transport = TypeVar("Transport")


class Connections(Generic[Transport]):
    """The transports of a client and of the clients made from it by `with_options`.

    A client without a custom transport creates its own. It needs one for each owner, as two event
    loops cannot share a connection. It needs new ones in a forked process for the same reason.

    Args:
        create: creates a transport.
        owner: returns the current owner: the event loop, or one object for all threads.
        custom: the transport that the caller passed, if any.
    """

    def __init__(
        self,
        create: Callable[[], Transport],
        owner: Callable[[], object],
        custom: Transport | None,
    ) -> None:
        self._create = create
        self._owner = owner
        self._custom = custom
        self._process = os.getpid()
        self._by_owner: WeakKeyDictionary[object, Transport] = WeakKeyDictionary()
        self.is_closed = False
        self.signals = ClientSignals()
        """Closing the client wakes the calls that wait for a rate limit."""

    def transport(self) -> Transport:
        """The transport of the current owner.

        Raises:
            ClientClosedError: the client is closed, or its custom transport belongs to the
                parent process.
            ConfigurationError: the environment's proxy or certificate file is unusable.
        """
        if self.is_closed:
            raise ClientClosedError(
                "this client is closed: make a new one, or call within its `with` block"
            )
        if os.getpid() != self._process:
            self._start_in_forked_process()
        if self._custom is not None:
            return self._custom
        owner = self._owner()
        transport = self._by_owner.get(owner)
        if transport is None:
            # Atomic: threads that get here together all use the first one's transport.
            transport = self._by_owner.setdefault(owner, self._create())
        return transport

    def close(self) -> list[Transport]:
        """Close the client. Returns the transports to close: none the second time."""
        if self.is_closed:
            return []
        self.is_closed = True
        self.signals.close()
        if self._custom is not None:
            return [self._custom]
        transport = self._by_owner.get(self._owner())
        return [] if transport is None else [transport]

    def _start_in_forked_process(self) -> None:
        """Forget the parent's transports."""
        if self._custom is not None:
            raise ClientClosedError(
                "this client was given a transport before the process forked: make a new one"
            )
        self._process = os.getpid()
        self._by_owner = WeakKeyDictionary()
        self.signals = ClientSignals()
