"""Represents work in progress for which threads and tasks wait: a refresh or an exchange."""

import errno
import os
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from .._runtime import lazy_asyncio as asyncio
from .._runtime.secrets import Token
from ..errors import CredentialsError, LeadConnectorError

Result = TypeVar("Result")


class TokenHandle(Protocol):
    """Returns a token, at once or after a wait. `ReadyToken` and `Refresh` implement it."""

    def wait(self, timeout: float | None) -> Token:
        """Return the token, or raise `TimeoutError` after so many seconds."""
        ...

    async def wait_async(self) -> Token:
        """Return the token.

        It has no timeout: `asyncio.timeout` can end the wait of a task. A thread's wait must end
        itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReadyToken:
    """A token that is available now."""

    token: Token

    def wait(self, timeout: float | None) -> Token:
        """Return the token at once."""
        return self.token

    async def wait_async(self) -> Token:
        """Return the token at once."""
        return self.token


class Work(Generic[Result]):
    """Work of another thread in progress. It has one outcome, which every waiter gets."""

    def __init__(self) -> None:
        self._outcome = Future[_Success[Result] | _Failure]()
        # Marks the future as running, so that nothing can cancel it. `wrap_future` passes the
        # cancellation of a task on to the future: the task must only stop waiting.
        self._outcome.set_running_or_notify_cancel()

    @property
    def is_done(self) -> bool:
        """Whether there is an outcome."""
        return self._outcome.done()

    def succeed(self, result: Result) -> None:
        """Return this result to every waiter."""
        self._outcome.set_result(_Success(result))

    def fail(self, error: BaseException) -> None:
        """Raise a new exception, made from this error, in every waiter."""
        # Not `set_exception`: the future would raise one exception object in all threads, and each
        # of them would add its traceback to it. So the failure is a result, and waiters copy it.
        self._outcome.set_result(_Failure(error))

    def wait_for_end(self) -> None:
        """Wait for the outcome, whatever it is."""
        self._outcome.result()

    def wait(self, timeout: float | None) -> Result:
        """Return the result. A timeout does not interrupt the work.

        Raises:
            LeadConnectorError: the work failed.
            TimeoutError: the work takes longer than the timeout, in seconds.
        """
        return _result_for_waiter(self._outcome.result(timeout))

    async def wait_async(self) -> Result:
        """Return the result. A cancellation does not interrupt the work.

        Raises:
            LeadConnectorError: the work failed.
        """
        return _result_for_waiter(await asyncio.wrap_future(self._outcome))


Refresh = Work[Token]
"""A refresh in progress."""


@dataclass(frozen=True, slots=True)
class _Success(Generic[Result]):
    result: Result


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException = field(repr=False)


def _result_for_waiter(outcome: _Success[Result] | _Failure) -> Result:
    if isinstance(outcome, _Failure):
        raise error_for_waiter(outcome.error)
    return outcome.result


def error_for_waiter(error: BaseException) -> LeadConnectorError:
    """A new exception for one waiter, from the error of a refresh.

    It is a copy of an error of this package. For any other error it is a `CredentialsError`.
    """
    if isinstance(error, LeadConnectorError):
        return error.with_message(str(error))
    description = describe_error(error)
    raised = CredentialsError(f"the token could not be refreshed: {description}")
    raised.__cause__ = error
    return raised


def describe_error(error: BaseException, *, names_file: bool = True) -> str:
    """Text about an error, for a log or a message, that shows no token.

    It is the error's own text for our errors. For an error of the system, it is the reason and the
    file, and for a missing module its name. It is the name of the class for all others: a custom
    store or transport can quote a token. Libraries such as requests derive their errors from
    `OSError`.

    Args:
        error: the error.
        names_file: whether the text may name the file. A log may not: the name of a file can be
            the id of a location.
    """
    if isinstance(error, LeadConnectorError):
        return str(error)
    if isinstance(error, OSError) and _is_of_system(error):
        return _describe_system_error(error, names_file=names_file)
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        return f"{type(error).__name__}: {error.name}"
    return type(error).__name__


def _is_of_system(error: OSError) -> bool:
    """Whether an error has a number of the system, and its class is one of Python's own."""
    return type(error).__module__ == OSError.__module__ and error.errno in errno.errorcode


def _describe_system_error(error: OSError, *, names_file: bool) -> str:
    # Not `error.strerror`: code that raises the error itself can write any text there.
    text = f"[Errno {error.errno}] {os.strerror(error.errno or 0)}"
    if names_file and isinstance(error.filename, str):
        text += f": {error.filename!r}"
    return text
