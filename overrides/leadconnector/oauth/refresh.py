"""Represents one refresh in progress, for which any number of threads and tasks wait."""

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from .._runtime.secrets import Token
from ..errors import CredentialsError, LeadConnectorError


class PendingToken(Protocol):
    """A token that a caller can wait for."""

    def wait(self, timeout: float | None) -> Token:
        """Return the token, or raise `TimeoutError` after so many seconds."""
        ...

    async def wait_async(self) -> Token:
        """Return the token."""
        ...


@dataclass(frozen=True, slots=True)
class ReadyToken:
    """A token without a wait."""

    token: Token

    def wait(self, timeout: float | None) -> Token:
        """Return the token."""
        return self.token

    async def wait_async(self) -> Token:
        """Return the token."""
        return self.token


class Refresh:
    """A refresh in progress. Its one outcome is for every waiter."""

    def __init__(self) -> None:
        self._outcome = Future[_Success | _Failure]()
        # A running future cannot be cancelled: a cancelled task only stops waiting.
        self._outcome.set_running_or_notify_cancel()

    @property
    def is_done(self) -> bool:
        """Whether there is an outcome."""
        return self._outcome.done()

    def succeed(self, token: Token) -> None:
        """Return this token to every waiter."""
        self._outcome.set_result(_Success(token))

    def fail(self, error: BaseException) -> None:
        """Raise an exception in every waiter.

        The failure is a result of the future, not its exception: a future would raise one exception
        object in all threads, and their tracebacks would mix.
        """
        self._outcome.set_result(_Failure(error))

    def wait(self, timeout: float | None) -> Token:
        """Return the new token. A timeout does not interrupt the refresh.

        Raises:
            LeadConnectorError: the refresh failed.
            TimeoutError: the refresh takes longer than the timeout, in seconds.
        """
        outcome = self._outcome.result(timeout)
        return outcome.token_for_waiter()

    async def wait_async(self) -> Token:
        """Return the new token. A cancellation does not interrupt the refresh.

        Raises:
            LeadConnectorError: the refresh failed.
        """
        outcome = await asyncio.wrap_future(self._outcome)
        return outcome.token_for_waiter()


@dataclass(frozen=True, slots=True)
class _Success:
    token: Token

    def token_for_waiter(self) -> Token:
        return self.token


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException = field(repr=False)

    def token_for_waiter(self) -> Token:
        raise error_for_waiter(self.error)


def error_for_waiter(error: BaseException) -> LeadConnectorError:
    """A new exception for one waiter, from the error of a refresh."""
    raised: LeadConnectorError
    if isinstance(error, LeadConnectorError):
        raised = type(error)(str(error), **vars(error))
        raised.__cause__ = error.__cause__
    else:
        description = describe_error(error)
        raised = CredentialsError(f"the token could not be refreshed: {description}")
        raised.__cause__ = error
    return raised


def describe_error(error: BaseException) -> str:
    """The text of an error for a log or a message.

    The text of an error of a store or a transport can quote a token, so it is only its class.
    """
    if isinstance(error, LeadConnectorError | OSError | ImportError):
        return str(error)
    return type(error).__name__
