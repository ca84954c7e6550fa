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
from ._exchange import Answer, Limits, exchange, exchange_async, no_answer
from ._generated import Operation, T
from ._quota import Slot
from ._retry import NEVER, Attempt, failure, retry_after, wait_before_retry
from ._settings import Settings
from .errors import APIConnectionError, APITimeoutError, ClientClosedError, LeadConnectorError

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
        settings = self._settings
        call = Call(operation, arguments, settings)
        end = math.inf if settings.deadline is None else settings.clock() + settings.deadline
        limits = Limits(settings.clock, settings.timeouts, end)
        outcome: Answer | APIConnectionError | None = None
        fresh: Token | None = None  # in the place of the one that was refused: that is tried once
        while True:
            try:
                slot, token = await self._permission(call, limits, fresh)
            except LeadConnectorError:
                if outcome is None:
                    raise
                break  # what the last attempt ended in says more
            outcome, attempt = await self._attempted(call, limits, slot, token)
            if attempt is None:
                break
            if attempt.status == 401 and fresh is None:
                fresh = await self._token(call, limits, token)
                wait = NEVER if fresh == token else 0.0
            else:  # the request with another token was no retry
                wait = wait_before_retry(attempt._replace(number=call.attempts - (fresh is not None)))
            if settings.clock() + wait >= end:
                break
            told = f"status {attempt.status}" if attempt.failure is None else f"no whole answer ({attempt.failure})"
            logger.info("%s: %s; attempt %d in %.3f s", call.name, told, call.attempts + 1, wait)
            if wait:
                await self._sleep(wait)
        if isinstance(outcome, APIConnectionError):
            raise outcome
        return call.result(outcome)

    async def _permission(self, call: Call[T], limits: Limits, token: Token | None) -> tuple[Slot | None, Token]:
        """Wait for a slot in the quota, and have a token. Where there is none, the slot is given back."""
        quota, slot, told = self._settings.quota, None, False
        try:
            if quota is not None:
                begun = limits.clock()
                slot = await self._ask(quota.book, call.quota_key)
                while (wait := await self._ask(quota.remaining, slot)) > 0.0:
                    if limits.clock() + wait > limits.deadline:
                        text = (
                            f"{call.name}: not sent: its location's quota is free in {wait:.3f} s, after the deadline"
                        )
                        raise APITimeoutError(text, attempts=call.attempts)
                    if not told:
                        logger.info("%s: waits %.3f s for the quota of its location", call.name, wait)
                    told = True
                    await self._sleep(min(wait, LONGEST_SLEEP))
                    begun = limits.clock()
                slot = slot._replace(asked=begun, wait=0.0)  # from when on the API may count it
            return slot, token or await self._token(call, limits, None)
        except (Exception, asyncio.CancelledError, KeyboardInterrupt):
            if quota and slot:
                await self._ask(quota.release, slot)
            raise

    async def _token(self, call: Call[T], limits: Limits, rejected: Token | None) -> Token:
        """A token, before the deadline."""
        left = None if limits.deadline == math.inf else max(0.0, limits.deadline - limits.clock())
        try:
            return await self._given_token(rejected, left)
        except TimeoutError as error:
            if limits.clock() < limits.deadline:  # not the deadline's, but of a callable that was given to us
                raise
            raise APITimeoutError(f"{call.name}: no token before the deadline", attempts=call.attempts) from error

    async def _attempted(
        self, call: Call[T], limits: Limits, slot: Slot | None, token: Token
    ) -> tuple[Answer | APIConnectionError, Attempt | None]:
        """Send the request, read the answer, and let the quota know; the attempt where there may be another."""
        settings, quota, request = self._settings, self._settings.quota, call.request(token, limits)
        try:
            answer = await self._exchange(request, limits)
        except Exception as error:
            attempt = Attempt(0, call.method, settings.random(), settings.retries, failure=failure(error))
            if quota and slot and attempt.failure == "never sent":
                await self._ask(quota.release, slot)
            return no_answer(error, call.name, request, call.redacted, call.attempts), attempt
        asked = None if answer.status < 300 else retry_after(answer.headers, settings.now())
        if quota and slot and (known := quota.correction(slot, answer.status, answer.headers, asked)):
            await self._ask(quota.correct, call.quota_key, known)
        if answer.status < 300:
            return answer, None
        attempt = Attempt(0, call.method, settings.random(), settings.retries, answer.status, asked)
        return answer, attempt._replace(day_is_used_up=answer.day_is_used_up)


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
