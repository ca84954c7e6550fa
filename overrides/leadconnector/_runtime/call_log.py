"""Reports the steps of a call to the log, and to its trace if it has one."""

from typing import Any

from ..errors import APIConnectionError
from .call import Call
from .log import logger
from .retry import Attempt


def report_attempt(call: Call[Any], attempt: Attempt) -> None:
    """Report that a request got a response, or none."""
    if call.trace is not None:
        call.trace.record_attempt(call.attempts, attempt.status_code, _failure_of(attempt))


def report_rate_limit_wait(call: Call[Any], seconds: float) -> None:
    """Report that a call waits for the rate limit."""
    logger.info(
        "%s: waits %.3f s for the rate limit",
        call.name,
        seconds,
        extra={"event": "rate_limit_wait", "operation": call.name, "wait_seconds": seconds},
    )
    if call.trace is not None:
        call.trace.record_event("rate_limit_wait", {"wait_seconds": seconds})


def report_retry(call: Call[Any], attempt: Attempt, wait: float) -> None:
    """Report that a failed attempt is repeated.

    Args:
        call: the call.
        attempt: the failed attempt.
        wait: seconds until the next one.
    """
    next_attempt = call.attempts + 1
    logger.info(
        "%s: %s; attempt %d in %.3f s",
        call.name,
        _reason_of(attempt),
        next_attempt,
        wait,
        extra={
            "event": "retry",
            "operation": call.name,
            "attempt": next_attempt,
            "wait_seconds": wait,
            "status_code": attempt.status_code,
            "failure": _failure_of(attempt),
        },
    )
    if call.trace is not None:
        call.trace.record_event("retry", {"attempt": next_attempt, "wait_seconds": wait})


def _reason_of(attempt: Attempt) -> str:
    failure = _failure_of(attempt)
    if failure:
        return f"no complete response ({failure})"
    return f"status {attempt.status_code}"


def _failure_of(attempt: Attempt) -> str:
    """Return why there is no complete response; empty if there is one."""
    if isinstance(attempt.outcome, APIConnectionError):
        return attempt.outcome.failure
    return ""
