"""Carries calls out: the course of a call, written once, and the two sessions that block, or await.

The course is a coroutine for both. Where it does what takes time it awaits a method of its session; those of the sync
session block and never suspend, so that the course runs to its end at once, without an event loop.
"""

import asyncio
import math
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from ._call import Call, logger
from ._credentials import Token
from ._exchange import Answer, exchange, exchange_async
from ._generated import Operation, T
from ._quota import Quota, Slot
from ._retry import NEVER, retry_after
from ._settings import Settings
from .errors import ClientClosedError, LeadConnectorError

LONGEST_SLEEP = 1.0
"""Seconds after which one who waits for a slot looks again: it comes earlier where others give theirs up."""

Transport = TypeVar("Transport")
Result = TypeVar("Result")


class Pipe(Generic[Transport]):
    """The transport of a client and of those made of it with other options; and whether it is closed.

    A transport of our own is made anew in a process that was forked, and once for each user (an event loop, or all
    threads): two cannot share a connection.
    """

    def __init__(self, make: Callable[[], Transport], user: Callable[[], object], given: Transport | None) -> None:
        self._make, self._user, self._given, self.closed, self._process = make, user, given, False, os.getpid()
        self._own: WeakKeyDictionary[object, Transport] = WeakKeyDictionary()

    def opened(self) -> Transport:
        """The transport for who uses it now.

        Raises:
            ClientClosedError: the client is closed, or was made in another process with a transport of its own.
        """
        if self.closed:
            raise ClientClosedError("this client is closed: make a new one, or call within its `with` block")
        if os.getpid() != self._process:
            if self._given is not None:
                raise ClientClosedError("this client was given a transport before the process forked: make a new one")
            self._process, self._own = os.getpid(), WeakKeyDictionary()
        if self._given is not None:
            return self._given
        return self._own.get(self._user()) or self._own.setdefault(self._user(), self._make())

    def close(self) -> list[Transport]:
        """Closed from now on; the transports that are to be closed. A second time there are none."""
        found = [] if self.closed else [self._given, self._own.get(self._user())]
        self.closed = True
        return [transport for transport in found if transport is not None]

    __reduce__ = Token.__reduce__  # which it leads to


class _Session:
    """The course of a call, in which all that takes time goes through `_do`."""

    def __init__(self, pipe: Pipe[Any], settings: Settings) -> None:
        self._pipe, self._settings = pipe, settings

    async def _do(self, block: Callable[..., Result], _: Callable[..., Awaitable[Result]], /, *given: object) -> Result:
        """Do what blocks; in the async session, its other form, which suspends."""
        return block(*given)

    async def _ask(self, function: Callable[..., Result], *given: object) -> Result:
        """Call a method of the quota; where that waits for a network, an event loop has a thread do it."""
        if self._settings.quota and self._settings.quota.blocks:
            return await self._do(function, partial(asyncio.to_thread, function), *given)
        return function(*given)

    async def _course(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """A call from its first attempt to its result.

        Raises:
            LeadConnectorError: what the last attempt ended in.
        """
        self._pipe.opened()  # already now, as that takes longer at first than a slot can wait
        call, quota, answer = Call(operation, arguments, self._settings), self._settings.quota, None
        fresh: Token | None = None  # in the place of the one that was refused: that is tried once
        while True:
            try:
                token = fresh or await self._token(call, None)  # first, as it may take longer than a slot can wait
                slot = await self._slot(call, quota) if quota else None
            except LeadConnectorError:
                if answer is None:
                    raise
                break  # what the last attempt ended in says more
            answer = await self._attempted(call, slot, token)
            if 200 <= answer.status < 300:
                break
            if answer.status == 401 and fresh is None:
                fresh = await self._token(call, token)
                wait = NEVER if fresh == token else 0.0
            else:  # the request with another token was no retry
                wait = call.wait(answer, call.attempts - (fresh is not None))
            if call.limits.clock() + wait >= call.limits.deadline:
                break
            told = f"no whole answer ({answer.problem})" if answer.error else f"status {answer.status}"
            logger.info("%s: %s; attempt %d in %.3f s", call.name, told, call.attempts + 1, wait)
            if wait:
                await self._do(self._settings.sleep, self._settings.sleep_async, wait)
        return call.result(answer)

    async def _slot(self, call: Call[T], quota: Quota) -> Slot:
        """Wait for a slot in the quota. Whoever gives up gives it back."""
        slot = await self._ask(quota.book, call.quota_key)
        if (wait := slot.wait) > 0.0:
            logger.info("%s: waits %.3f s for the quota of its location", call.name, wait)
        try:
            while wait > 0.0:
                if call.limits.clock() + wait > call.limits.deadline:
                    raise call.late(f"not sent: its location's quota is free in {wait:.3f} s, after the deadline")
                await self._do(self._settings.sleep, self._settings.sleep_async, min(wait, LONGEST_SLEEP))
                wait = await self._ask(quota.remaining, slot)
        except (Exception, asyncio.CancelledError, KeyboardInterrupt):
            await self._ask(quota.release, slot)
            raise
        return slot

    async def _token(self, call: Call[T], rejected: Token | None) -> Token:
        """A token, before the deadline."""
        clock, deadline, source = call.limits.clock, call.limits.deadline, self._settings.credentials
        left = None if deadline == math.inf else max(0.0, deadline - clock())
        try:
            return await self._do(source.token, source.token_async, self._settings.base_url, rejected, left)
        except TimeoutError as error:
            if clock() < deadline:  # not the deadline's, but of a callable that was given to us
                raise
            raise call.late("no token before the deadline") from error

    async def _attempted(self, call: Call[T], slot: Slot | None, token: Token) -> Answer:
        """Send the request, read the answer and how long it asks to wait, and let the quota know."""
        quota, request = self._settings.quota, call.request(token)
        try:
            answer = await self._do(exchange, exchange_async, self._pipe.opened(), request, call.limits)
        except Exception as error:
            answer = call.failed(error, request)
        if not 200 <= answer.status < 300:
            answer = answer._replace(asked=retry_after(answer.headers, self._settings.now()))
        if quota and slot:
            if answer.problem == "never sent":
                await self._ask(quota.release, slot)
            elif heed := quota.correction(slot, answer.status, answer.headers, answer.asked):
                await self._ask(heed)
        return answer


class SyncSession(_Session):
    """Implements the protocol through which the generated resources call."""

    def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out; raises `LeadConnectorError`."""
        course = self._course(operation, arguments)
        try:
            while True:
                course.send(None)
        except StopIteration as end:
            return cast("T", end.value)


class AsyncSession(_Session):
    """Implements the protocol through which the generated async resources call."""

    async def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out; raises `LeadConnectorError`."""
        return await self._course(operation, arguments)

    async def _do(self, _: Callable[..., Result], suspend: Callable[..., Awaitable[Result]], /, *given: Any) -> Result:
        return await suspend(*given)
