"""Decides whether a request is a genuine and new event, step by step: the function `verify`."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from numbers import Real
from typing import NoReturn, cast

from .._highlevel import (
    WEBHOOK_ID_PROPERTY,
    WEBHOOK_MAXIMUM_AGE,
    WEBHOOK_PUBLIC_KEY,
    WEBHOOK_TIMESTAMP_PROPERTY,
)
from .._runtime.scalars import Duration, seconds_of
from .._runtime.secrets import Secret
from ..errors import (
    ArgumentError,
    ConfigurationError,
    WebhookBodyError,
    WebhookDuplicateError,
    WebhookTimestampError,
)
from .event import Event, WebhookEvent, parse_event, typed_event
from .headers import Headers, signature_of
from .keys import PublicKey, check_signature, read_keys

MAXIMUM_AGE = WEBHOOK_MAXIMUM_AGE
"""Seconds for which an event is accepted by default: five minutes, as the vendor recommends."""

MAXIMUM_CLOCK_DIFFERENCE = 60.0
"""Seconds by which an event may be in the future: our own bound, for clocks that differ."""


def verify(
    body: bytes | bytearray | memoryview,
    headers: Headers,
    *,
    public_key: PublicKey | Iterable[PublicKey] = WEBHOOK_PUBLIC_KEY,
    maximum_age: Duration | None = MAXIMUM_AGE,
    is_duplicate: Callable[[str], object] | None = None,
    clock: Callable[[], float] = time.time,
) -> Event:
    """Verify a request to a webhook, and return its event.

    The signature covers the whole body, so also the time and the id in it. Nothing of the body is
    read before the signature is checked.

    Args:
        body: the body exactly as received. A body that was parsed and written again differs.
        headers: the headers of the request: any mapping, the pairs of an ASGI scope, or a WSGI
            environ.
        public_key: the key that signs the events, by default the vendor's; several during a
            rotation. See `PublicKey` for the forms.
        maximum_age: seconds, or a `timedelta`, for which an event is accepted after it was created.
            `None` accepts any age, and events without a time.
        is_duplicate: receives the id of each verified event, and returns whether that event was
            processed before. It must only look up the id. Record the id after the event is
            processed or stored, in the same transaction if there is one. If the id is recorded
            first and the processing fails, the vendor's next delivery is a duplicate, and the event
            is lost. It is not called for an event without an id. An id that is a number is passed
            as text.
        clock: seconds since 1970.

    Returns:
        The model of the event's type; a `WebhookEvent` if the spec does not describe the type, or
        if the event does not fit the model.

    Raises:
        WebhookSignatureError: there is no signature, or it is not one of the key for this body.
        WebhookBodyError: the body is signed, but is no JSON object with a type. Or its id is
            neither text nor a number, and there is an `is_duplicate`.
        WebhookTimestampError: the event is too old, in the future, or has no time.
        WebhookDuplicateError: `is_duplicate` returned a true value.
        ArgumentError: the body is not bytes, or `headers` has no supported form.
        ConfigurationError: a key cannot be read, another option is invalid, or cryptography is not
            installed.
    """
    key_option = Secret(public_key)
    # A traceback can show the variables of this frame, and a private key passed by mistake.
    del public_key
    # A mistake of the program shows itself with any request, not only with a genuine event.
    _check_body(body)
    maximum_age_seconds = _maximum_age_seconds(maximum_age)
    _check_is_duplicate(is_duplicate)
    now = _time_of(clock)
    keys = read_keys(key_option)
    raw_body = bytes(body)
    check_signature(raw_body, signature_of(headers), keys)
    event = parse_event(raw_body)
    if maximum_age_seconds is not None:
        _check_age(event, maximum_age_seconds, now)
    if is_duplicate is not None:
        _check_id(event, is_duplicate)
    return typed_event(event)


def _check_body(body: object) -> None:
    """Check that a body is bytes.

    Raises:
        ArgumentError: it is not.
    """
    if isinstance(body, bytes | bytearray | memoryview):
        return
    raise ArgumentError(
        f"body: must be bytes, not {type(body).__name__}: pass the raw body as received, since"
        " decoding or parsing can change it",
        argument="body",
    )


def _maximum_age_seconds(maximum_age: object) -> float | None:
    """The option `maximum_age` in seconds; `None` for no limit.

    Raises:
        ConfigurationError: it is no positive duration.
    """
    if maximum_age is None:
        return None
    seconds = seconds_of(maximum_age)
    if seconds is None or seconds <= 0:
        raise ConfigurationError(
            "maximum_age must be a positive number of seconds, a timedelta, or None for no limit"
        )
    return seconds


def _check_is_duplicate(is_duplicate: object) -> None:
    """Check that the option is a function that is not async, or `None`.

    Raises:
        ConfigurationError: it is something else.
    """
    if is_duplicate is None:
        return
    if not callable(is_duplicate):
        raise ConfigurationError(
            f"is_duplicate must be a function, not {type(is_duplicate).__name__}"
        )
    if inspect.iscoroutinefunction(is_duplicate):
        raise _async_is_duplicate()


def _time_of(clock: object) -> float:
    """The time of the option `clock`.

    Raises:
        ConfigurationError: it is no function, or it returns no number.
    """
    if not callable(clock):
        raise ConfigurationError(f"clock must be a function, not {type(clock).__name__}")
    now: object = clock()
    if inspect.iscoroutine(now):
        # Otherwise Python would warn that nobody awaited it.
        now.close()
    if not isinstance(now, bool) and isinstance(now, Real):
        with suppress(OverflowError):
            return float(now)
    raise ConfigurationError(
        f"clock must return the seconds since 1970 as a number, not {type(now).__name__}"
    )


def _check_age(event: WebhookEvent, maximum_age_seconds: float, now: float) -> None:
    """Check that an event is neither too old nor in the future.

    Raises:
        WebhookTimestampError: it is, or it has no time.
    """
    age = now - _created_at(event)
    if age < -MAXIMUM_CLOCK_DIFFERENCE:
        raise WebhookTimestampError(
            f"the event is {-age:.0f} s in the future: check the clock of this machine",
            reason="in the future",
        )
    # Written so that a clock that returns NaN accepts nothing.
    if not age <= maximum_age_seconds:
        raise WebhookTimestampError(
            f"the event is {age:.0f} s old, more than the {maximum_age_seconds:g} s of maximum_age:"
            " it may be a replay, or a late retry",
            reason="too old",
        )


def _created_at(event: WebhookEvent) -> float:
    """When an event was created, in seconds since 1970.

    Raises:
        WebhookTimestampError: the event does not say it in ISO 8601.
    """
    with suppress(ValueError, OverflowError):
        created_at = datetime.fromisoformat(event.timestamp or "")
        if created_at.tzinfo is None:
            # Our own rule. All times in the vendor's guide and pages are in UTC: they end in `Z`.
            created_at = created_at.replace(tzinfo=UTC)
        return created_at.timestamp()
    # Outside of a handler: the exception of Python quotes the text.
    raise WebhookTimestampError(
        f"the event has no {WEBHOOK_TIMESTAMP_PROPERTY!r} in ISO 8601, so its age is unknown:"
        " pass maximum_age=None to accept such events",
        reason="missing",
    )


def _check_id(event: WebhookEvent, is_duplicate: Callable[[str], object]) -> None:
    """Check that an event is new, if it has an id.

    Raises:
        WebhookDuplicateError: it is not.
        ConfigurationError: `is_duplicate` is asynchronous.
        WebhookBodyError: its id is neither text nor a number, so nobody can compare it.
    """
    event_id = event.webhook_id
    if event_id is None:
        if event.data.get(WEBHOOK_ID_PROPERTY) in (None, ""):
            return
        raise WebhookBodyError(
            f"the body is signed, but its {WEBHOOK_ID_PROPERTY!r} is neither text nor a number, so"
            " is_duplicate cannot compare it"
        )
    result = is_duplicate(event_id)
    if isinstance(result, Awaitable):
        _reject_awaitable(cast("Awaitable[object]", result))
    if result:
        raise WebhookDuplicateError(
            "the event was received before: respond with success, and do not process it again",
            event_id=event_id,
        )


def _reject_awaitable(result: Awaitable[object]) -> NoReturn:
    """Reject an asynchronous `is_duplicate`.

    An awaitable is always true, so every event would be a duplicate.

    Raises:
        ConfigurationError: always.
    """
    if inspect.iscoroutine(result):
        # Otherwise Python would warn that nobody awaited it.
        result.close()
    raise _async_is_duplicate()


def _async_is_duplicate() -> ConfigurationError:
    return ConfigurationError(
        "is_duplicate must not be async: look up the id of the returned event instead"
    )
