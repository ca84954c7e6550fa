"""What error reporters can show of an exception: an oracle of its own, and Sentry's own events."""

from __future__ import annotations

import dataclasses
import json
import traceback
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, cast

import attrs
import sentry_sdk
from leadconnector._runtime.secrets import Secret
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from sentry_sdk.utils import event_from_exception

PACKAGES = ("leadconnector.", "httpx.", "httpcore.", "h11.")
"""The packages whose frames are examined: ours, and those of httpx's own transports."""

MAXIMUM_DEPTH = 12
"""How deep the oracle looks into values."""


def errors_behind(error: BaseException) -> list[BaseException]:
    """An error with its causes, contexts and members."""
    errors: list[BaseException] = []
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is None or current in errors:
            continue
        errors.append(current)
        pending += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            pending += cast("BaseExceptionGroup[BaseException]", current).exceptions
    return errors


def frames_of(error: BaseException, packages: tuple[str, ...] = PACKAGES) -> Iterator[FrameType]:
    """The frames of some packages in the tracebacks of an error and all errors behind it."""
    for current in errors_behind(error):
        for frame, _ in traceback.walk_tb(current.__traceback__):
            if f"{frame.f_globals.get('__name__', '')}.".startswith(packages):
                yield frame


def texts_of(error: BaseException, packages: tuple[str, ...] = PACKAGES) -> Iterator[str]:
    """All that a reporter can show of an error, as texts."""
    yield "".join(traceback.format_exception(error))
    for current in errors_behind(error):
        yield f"{current!s} {current!r}"
        yield from texts_in(current.args)
        yield from texts_in(getattr(current, "__notes__", ()))
        yield from texts_in(vars(current))
    for frame in frames_of(error, packages):
        for name, value in frame.f_locals.items():
            for text in texts_in(value):
                yield f"{frame.f_code.co_qualname}: {name} = {text}"


def texts_in(value: Any, depth: int = 0) -> Iterator[str]:
    """The repr of a value, and of all that is in it, as reporters see it."""
    yield repr(value)
    if isinstance(value, bytes | bytearray | memoryview):
        yield bytes(cast("bytes", value)).decode("latin-1")
    if depth == MAXIMUM_DEPTH:
        return
    for part in parts_of(value):
        yield from texts_in(part, depth + 1)


def parts_of(value: Any) -> list[Any]:
    """The items, the fields or the slots of a value."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(cast("list[Any]", value))
    owner: Any = value
    kind: type[Any] = owner.__class__
    if attrs.has(kind):
        names = [field.name for field in attrs.fields(kind) if field.repr]
    elif dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind) if field.repr]
    elif issubclass(kind, Secret):
        # The only class that hides a value in a slot.
        names = []
    else:
        names = [name for base in kind.__mro__ for name in slots_of(base)]
    return [getattr(owner, name, None) for name in names]


def slots_of(base: type) -> tuple[str, ...]:
    """The names of a class's slots. A name with two underscores is no attribute."""
    slots: str | tuple[str, ...] = vars(base).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if not name.startswith("__"))


class Collector(Transport):
    """A transport of Sentry that sends nothing."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep an event."""
        self.events.append(envelope.get_event())


class Sentry:
    """A client of Sentry with all options that collect data. It sends nothing."""

    def __init__(self) -> None:
        self.collector = Collector()
        options: dict[str, Any] = {
            "dsn": "https://key@sentry.example/1",
            "transport": self.collector,
            "include_local_variables": True,
            "max_request_body_size": "always",
            "attach_stacktrace": True,
            "max_value_length": 100_000,
            "default_integrations": False,
        }
        self.client = sentry_sdk.Client(**options)
        # It would replace the values of variables with suspicious names only.
        self.client.options["event_scrubber"] = None

    def text_of(self, error: BaseException, packages: tuple[str, ...] = PACKAGES) -> str:
        """The event of an error, with the frames of some packages."""
        event, hint = event_from_exception(error, client_options=self.client.options)
        self.client.capture_event(event, hint)
        return self._text(self.collector.events[-1]["exception"]["values"], packages)

    def text_of_running_frames(self) -> str:
        """The event of a message, with the frames of ours that run now."""
        self.client.capture_event({"message": "a message"})
        threads = self.collector.events[-1]["threads"]["values"]
        return self._text(threads, ("leadconnector.",))

    @staticmethod
    def _text(values: list[dict[str, Any]], packages: tuple[str, ...]) -> str:
        for value in values:
            stack: dict[str, Any] = value.get("stacktrace") or {}
            frames: list[Any] = stack.get("frames", [])
            for frame in list(frames):
                if not f"{frame.get('module')}.".startswith(packages):
                    frames.remove(frame)
        return json.dumps(values)
