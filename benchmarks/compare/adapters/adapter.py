"""What the comparison needs from a client, so that one program can run a scenario with each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The options of a client that a scenario sets. All others keep their default."""

    base_url: str
    token: str
    timeout: float | None = None
    """Seconds, for the client's own timeout. With `None`, the client's default applies."""
    deadline: float | None = None
    """Seconds, for the client's limit on a whole call, if it has one."""


@dataclass(frozen=True)
class Arguments:
    """The arguments of an update."""

    conversation_id: Any
    location_id: Any
    starred: Any = True
    unread_count: Any = None
    """Not passed if it is `None`."""


class NotOfferedError(Exception):
    """The client does not have the feature. The message says what is missing."""


class Adapter:
    """Calls one client. The methods that most clients share have a default."""

    has_deadline: bool = False
    """Whether the client has an option for `Settings.deadline`."""

    def connect(self, settings: Settings) -> Any:
        """Create a client in its documented configuration for production."""
        raise NotImplementedError

    def update(self, client: Any, arguments: Arguments) -> Any:
        """Update a conversation, and return what the client returns."""
        raise NotImplementedError

    def data(self, result: Any) -> Any:
        """A result of `update` as JSON data."""
        raise NotImplementedError

    async def start_async_update(self, settings: Settings, arguments: Arguments) -> Any:
        """Update a conversation with the client's asyncio interface.

        Raises:
            NotOfferedError: it has none.
        """
        raise NotOfferedError("no asyncio interface")

    def update_many(self, client: Any, arguments: Iterable[Arguments], workers: int) -> list[Any]:
        """Make several updates at the same time.

        Args:
            client: the client, which all workers share.
            arguments: those of each update.
            workers: how many updates run at the same time.

        Returns:
            The result or the exception of each.
        """

        def result_of(item: Arguments) -> Any:
            try:
                return self.update(client, item)
            except Exception as error:
                return error

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(result_of, arguments))


class AsyncClient:
    """A client that has only an asyncio interface, and the event loop that it lives in."""

    def __init__(self, client: Any, runner: asyncio.Runner) -> None:
        self.client = client
        self.runner = runner

    def __repr__(self) -> str:
        return repr(self.client)
