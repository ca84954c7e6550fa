"""Carries calls out: the course of a call, written once, and the two sessions that block, or await.

The course is a coroutine for both. Where it does what takes time it awaits a method of its session; those of the sync
session block and never suspend, so that the course runs to its end at once, without an event loop.
"""

import asyncio
import math
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, NoReturn, TypeVar, cast
from weakref import WeakKeyDictionary

import httpx

from ._call import Call, logger
from ._credentials import Token
from ._exchange import Answer, Limits, exchange, exchange_async
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

    A transport of our own is made anew in a process that was forked, and once for each event loop: two cannot share a
    connection.
    """

    def __init__(self, make: Callable[[], Transport], given: Transport | None) -> None:
        self._make, self._given, self.closed, self._process = make, given, False, os.getpid()
        self._own: WeakKeyDictionary[object, Transport] = WeakKeyDictionary()

    def check(self) -> None:
        """Raise `ClientClosedError` where the client is closed."""
        if self.closed:
            raise ClientClosedError("this client is closed: make a new one, or call within its `with` block")

    def opened(self, user: object) -> Transport:
        """The transport for an event loop or, where the user is the pipe itself, for any thread.

        Raises:
            ClientClosedError: the client is closed, or was made in another process with a transport of its own.
        """
        self.check()
        if os.getpid() != self._process:
            if self._given is not None:
                raise ClientClosedError("this client was given a transport before the process forked: make a new one")
            self._process, self._own = os.getpid(), WeakKeyDictionary()
        if self._given is not None:
            return self._given
        return self._own.get(user) or self._own.setdefault(user, self._make())

    def close(self, user: object) -> list[Transport]:
        """Closed from now on; the transports that are to be closed. A second time there are none."""
        found = [] if self.closed else [self._given, self._own.get(user)]
        self.closed = True
        return [transport for transport in found if transport is not None]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client holds a credential and connections: make a new one rather than a copy or a pickle")


class _Session(Generic[Transport]):
    """The course of a call, but for what blocks in one session and awaits in the other."""

    _sleep: Callable[[float], Awaitable[None]]
    _exchange: Callable[[httpx.Request, Limits], Awaitable[Answer]]
    _given_token: Callable[[Token | None, float | None], Awaitable[Token]]

    def __init__(self, pipe: Pipe[Transport], settings: Settings) -> None:
        self._pipe, self._settings = pipe, settings

    async def _ask(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call a method of the quota."""
        return function(*arguments)

    async def _course(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """A call from its first attempt to its result.

        Raises:
            LeadConnectorError: what the last attempt ended in.
        """
        self._pipe.check()
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
            answer, asked = await self._attempted(call, slot, token)
            if 200 <= answer.status < 300:
                break
            if answer.status == 401 and fresh is None:
                fresh = await self._token(call, token)
                wait = NEVER if fresh == token else 0.0
            else:  # the request with another token was no retry
                wait = call.wait(answer, asked, call.attempts - (fresh is not None))
            if call.limits.clock() + wait >= call.limits.deadline:
                break
            told = f"no whole answer ({answer.error.failure})" if answer.error else f"status {answer.status}"
            logger.info("%s: %s; attempt %d in %.3f s", call.name, told, call.attempts + 1, wait)
            if wait:
                await self._sleep(wait)
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
                await self._sleep(min(wait, LONGEST_SLEEP))
                wait = await self._ask(quota.remaining, slot)
        except (Exception, asyncio.CancelledError, KeyboardInterrupt):
            await self._ask(quota.release, slot)
            raise
        return slot

    async def _token(self, call: Call[T], rejected: Token | None) -> Token:
        """A token, before the deadline."""
        clock, deadline = call.limits.clock, call.limits.deadline
        try:
            return await self._given_token(rejected, None if deadline == math.inf else max(0.0, deadline - clock()))
        except TimeoutError as error:
            if clock() < deadline:  # not the deadline's, but of a callable that was given to us
                raise
            raise call.late("no token before the deadline") from error

    async def _attempted(self, call: Call[T], slot: Slot | None, token: Token) -> tuple[Answer, float | None]:
        """Send the request, read the answer and how long it asks to wait, and let the quota know."""
        quota, request, asked = self._settings.quota, call.request(token), None
        try:
            answer = await self._exchange(request, call.limits)
        except Exception as error:
            answer = call.failed(error, request)
        if not 200 <= answer.status < 300:
            asked = retry_after(answer.headers, self._settings.now())
        if quota and slot:
            if answer.error and answer.error.failure == "never sent":
                await self._ask(quota.release, slot)
            elif (known := quota.correction(slot, answer.status, answer.headers, asked)) is not None:
                await self._ask(quota.correct, slot, known)
        return answer, asked


class SyncSession(_Session[httpx.BaseTransport]):
    """Implements the protocol through which the generated resources call."""

    def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out; raises `LeadConnectorError`."""
        course = self._course(operation, arguments)
        try:
            while True:
                course.send(None)
        except StopIteration as end:
            return cast("T", end.value)

    async def _sleep(self, seconds: float) -> None:
        self._settings.sleep(seconds)

    async def _exchange(self, request: httpx.Request, limits: Limits) -> Answer:
        return exchange(self._pipe.opened(self._pipe), request, limits)

    async def _given_token(self, rejected: Token | None, timeout: float | None) -> Token:
        return self._settings.credentials.token(self._settings.base_url, rejected, timeout)


class AsyncSession(_Session[httpx.AsyncBaseTransport]):
    """Implements the protocol through which the generated async resources call."""

    async def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out; raises `LeadConnectorError`."""
        return await self._course(operation, arguments)

    async def _ask(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call a method of the quota; where it waits for a network, in a thread."""
        if self._settings.quota is not None and self._settings.quota.blocks:
            return await asyncio.to_thread(function, *arguments)
        return function(*arguments)

    async def _sleep(self, seconds: float) -> None:
        await self._settings.sleep_async(seconds)

    async def _exchange(self, request: httpx.Request, limits: Limits) -> Answer:
        return await exchange_async(self._pipe.opened(asyncio.get_running_loop()), request, limits)

    async def _given_token(self, rejected: Token | None, timeout: float | None) -> Token:
        return await self._settings.credentials.token_async(self._settings.base_url, rejected, timeout)
