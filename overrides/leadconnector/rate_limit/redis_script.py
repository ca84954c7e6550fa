"""Runs the Lua script in Redis: the only module that talks to Redis.

It translates an operation to JSON, and the JSON reply back. Every failure becomes one exception.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pkgutil import get_data
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from .._runtime.http import decisive_error, is_interruption
from .._runtime.limit_status import NO_USAGE, Usage
from .._runtime.observed_limits import NO_OBSERVATIONS, Observation, Observations
from .._runtime.secrets import Secret
from ..errors import ConfigurationError
from .headers import LimitState
from .rate import DAY_SECONDS, Rate
from .reservations import NO_NUMBER, Operation

MAXIMUM_CONNECTIONS = 16
"""At most as many threads ask Redis at the same time."""

CONNECTION_OPTIONS = {
    "max_connections": MAXIMUM_CONNECTIONS,
    "timeout": 0.5,
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
}
"""Options of redis-py for a server that is named by a URL; the URL can override them.

The seconds are short, since a call waits for Redis before it is sent. Redis itself needs less than
a millisecond.
"""

KEY_NAMES = ("sends", "waiting", "state", "processes")
"""The Redis keys of each rate-limit key, without their beginning. The script describes them."""

OBSERVED_NAME = "observed"
"""The Redis key with what responses say about the limits of the API. It expires after a day."""

READ_ACTION = "read"
"""Stands in the place of an `Action`: the script returns what it knows, and books nothing."""

LARGEST_INTEGER = 2**53
"""The largest integer up to which doubles are exact, as cjson and Lua use them."""


Reply = TypeVar("Reply")


class RedisClient(Protocol):
    """The type of a `redis.Redis`, but not of the client in `redis.asyncio`.

    It has what this module uses. An import of redis-py would be an error of type checkers in a
    service that does not install it.
    """

    def register_script(self, script: Any) -> Any:
        """Return a callable that runs a Lua script."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


Server: TypeAlias = str | RedisClient
"""A Redis: a URL, or a client of redis-py."""


class RedisUnavailableError(Exception):
    """Redis did not run the script. The text is the type of the failure.

    It never shows the failure's own text, which can contain the URL with its password.
    """


@dataclass(frozen=True, slots=True)
class ReportedRequest:
    """A request that this process permitted, as Redis gets to know it."""

    number: int
    age: float
    """Seconds since it counts. Redis has a clock of its own, so an age is sent and no time."""


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    """What the script is called with."""

    operation: Operation
    configured_rate: Rate
    process_name: str
    """Unique, so that Redis can count the processes that share the key."""
    decided_locally: bool
    """Whether the process has carried out the operation already and only reports it."""
    has_reported: bool
    """Whether it has also reported to Redis since the outage."""
    memory_id: str
    """`memory_id` of the last reply; empty if this process sent nothing within the window."""
    reported_requests: Sequence[ReportedRequest]
    """After an outage: all recent requests of this process, also those that Redis permitted."""
    observations: Observations = NO_OBSERVATIONS
    """What this process has observed since its last request to Redis.

    Their times are ages, in seconds: Redis has a clock of its own.
    """


@dataclass(frozen=True, slots=True)
class ReadingRequest:
    """What the script is called with to read what is known about a key."""

    key: str
    configured_rate: Rate
    observations: Observations
    """As in `ScriptRequest`."""


@dataclass(frozen=True, slots=True)
class SharedStatus:
    """What Redis knows about a key."""

    usage: Usage
    """The reservations of all processes."""
    observations: Observations
    """The latest headers that any process has received. Their times are ages, in seconds."""


@dataclass(frozen=True, slots=True)
class ScriptReply:
    """What the script returns. Lengths of time are in seconds."""

    number: int
    """The request's number, or the one that was booked; `NO_NUMBER` if the day is exhausted."""
    wait: float
    """As in `Decision`: 0.0 for a permitted request, else seconds until the caller rebooks."""
    state: LimitState
    """The state of the key after the operation."""
    day_ends_in: float
    """Seconds until the exhausted day of the API ends; 0.0 if that is unknown."""
    process_count: int
    """How many processes share the key."""
    memory_id: str
    """Identifies one lifetime of the key's data in Redis.

    Another one than before means that Redis lost its memory meanwhile.
    """
    memory_lost: bool
    """Whether Redis lost its memory since the reply with the request's `memory_id`.

    If so, it booked nothing.
    """
    local_for: float
    """Seconds for which processes that decide alone continue to do so: the reporting period."""
    period_over: bool
    """Whether the process decided alone although its reporting period had ended.

    Redis decides for the others then, so it must decide for this process too.
    """
    free_in: float
    """Seconds until a request of any process could be sent; 0.0 if one could be now.

    Used if Redis fails later, like the next field: from then on, others may have sent.
    """
    last_permitted_age: float
    """Seconds since a request of any process was last permitted; 0.0 if none is known."""


class RedisScript:
    """The script, ready to run on one Redis. It connects with the first run.

    Raises:
        ConfigurationError: the server is neither a URL nor a client, or redis-py is not installed.
    """

    def __init__(self, server: Secret[Any], prefix: str) -> None:
        redis = _import_redis()
        self._prefix = prefix
        # Odd options in a URL, such as an unknown encoding, make a run raise some of the others. A
        # malformed reply of a broken server or proxy causes the rest.
        self._failures = (
            redis.RedisError,
            OSError,
            AttributeError,
            TypeError,
            ValueError,
            LookupError,
            ArithmeticError,
            RecursionError,
        )
        # `importlib.resources` would do the same, and import much more.
        lua = cast("bytes", get_data(f"{__package__}", "reserve.lua")).decode()
        # redis-py sends the script itself where Redis does not have it yet.
        self._script = _client(redis, server).register_script(lua)

    def run(self, request: ScriptRequest) -> ScriptReply:
        """Carry out an operation in Redis.

        Raises:
            RedisUnavailableError: Redis did not reply in time, or not with a result.
            Exception: an interruption of the call; see `is_interruption`. It is raised unchanged.
        """
        return self._run(
            request.operation.key,
            _encoded(request),
            partial(_decoded, configured_rate=request.configured_rate),
        )

    def read(self, request: ReadingRequest) -> SharedStatus:
        """Return what Redis knows about a key. It does not store a key that it does not know.

        The exceptions are those of `run`.
        """
        return self._run(request.key, _encoded_reading(request), _decoded_status)

    def _run(self, key: str, argument: bytes, decode: Callable[[str | bytes], Reply]) -> Reply:
        # The braces have Redis Cluster put all keys on one node, as a script requires.
        prefix = f"{self._prefix}:{{{key}}}"
        keys = [f"{prefix}:{name}" for name in (*KEY_NAMES, OBSERVED_NAME)]
        arguments = [argument]
        ambient_error = sys.exception()
        try:
            return decode(self._script(keys, arguments))
        except self._failures as error:
            failure = type(error).__name__
            reason = decisive_error(error, ambient_error)
        # Outside of the handler, so that the error is not its context.
        if is_interruption(reason):
            # A time limit of the caller, for example.
            raise reason
        raise RedisUnavailableError(failure)

    def close(self) -> None:
        """Close the connections. The next run opens new ones."""
        self._script.registered_client.close()


def _import_redis() -> Any:
    """Import redis-py, which only the extra `redis` installs.

    Raises:
        ConfigurationError: it is not installed. The message names the package, not the extra:
            services that vendor the client have no extras, and the client is on no package index.
    """
    try:
        return import_module("redis")
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        raise ConfigurationError(
            "RedisRateLimit needs redis-py, which is not installed: pip install 'redis>=6.0'"
        ) from error


def _client(redis: Any, server: Secret[Any]) -> Any:
    """Return a client.

    Raises:
        ConfigurationError: the server is neither a client nor a URL. The error of redis-py is not
            its cause, since it can show the URL with its password.
    """
    if isinstance(server.reveal(), redis.Redis):
        return server.reveal()
    with suppress(AttributeError, TypeError, ValueError):
        return redis.Redis.from_pool(
            # Where all connections are in use, a thread waits for one instead of failing.
            redis.BlockingConnectionPool.from_url(server.reveal(), **CONNECTION_OPTIONS)
        )
    raise ConfigurationError(
        "a rate limit's Redis must be a client, or a URL (not shown here) like "
        "redis://:password@host:6379/0"
    )


def _encoded(request: ScriptRequest) -> bytes:
    """Return the JSON that the script reads. Lengths of time are whole microseconds.

    cjson reads numbers as doubles, which are exact up to 2^53: a time has 51 bits.
    """
    operation = request.operation
    fields: dict[str, object] = {
        "action": operation.action.value,
        "number": operation.number,
        "process_name": request.process_name,
        "limit": request.configured_rate.limit,
        "window": _microseconds(request.configured_rate.seconds),
        "decided_locally": request.decided_locally,
        "has_reported": request.has_reported,
        "memory_id": request.memory_id,
        "reported_requests": [
            {"number": reported.number, "age": _microseconds(reported.age)}
            for reported in request.reported_requests
        ],
    }
    # Without a state, the field is left out: cjson decodes `null` to a value that is true in Lua.
    if operation.state is not None:
        fields["update"] = {
            "limit": operation.state.rate.limit,
            "window": _microseconds(operation.state.rate.seconds),
            "day_exhausted": operation.state.day_exhausted,
            "pause": _microseconds(operation.pause),
            "day_ends_in": _microseconds(operation.day_ends_in),
        }
    if request.observations != NO_OBSERVATIONS:
        fields["observations"] = _encoded_observations(request.observations)
    return json.dumps(fields).encode()


def _encoded_reading(request: ReadingRequest) -> bytes:
    return json.dumps(
        {
            "action": READ_ACTION,
            "limit": request.configured_rate.limit,
            "window": _microseconds(request.configured_rate.seconds),
            "observations": _encoded_observations(request.observations),
        }
    ).encode()


def _encoded_observations(observations: Observations) -> dict[str, object]:
    """Return the groups of headers that there are."""
    return {
        name: {
            "number": observation.number,
            "age": _microseconds(max(0.0, observation.received_at)),
            "text": observation.text,
        }
        for name, observation in observations._asdict().items()
        if observation is not None
    }


def _decoded_status(text: str | bytes) -> SharedStatus:
    """Return what the script returned for a reading.

    Raises:
        ValueError: it is no reply of the script, as for `_decoded`.
    """
    fields: Mapping[str, Any] = json.loads(text)
    observed: Mapping[str, Any] = fields["observed"]
    observations = Observations(
        _decoded_observation(observed.get("window")), _decoded_observation(observed.get("day"))
    )
    usage = NO_USAGE
    if _boolean(fields["is_known"]):
        usage = Usage(
            _integer(fields["reserved"], 0, LARGEST_INTEGER),
            _integer(fields["waiting"], 0, LARGEST_INTEGER),
        )
    return SharedStatus(usage, observations)


def _decoded_observation(fields: Any) -> Observation | None:
    """Return a group of headers; `None` if there is none."""
    if fields is None:
        return None
    number = _integer(fields["number"], 0, LARGEST_INTEGER)
    return Observation(number, _seconds(fields["age"]), _text(fields["text"]))


def _decoded(text: str | bytes, configured_rate: Rate) -> ScriptReply:
    """Return what the script returned.

    Its numbers are text: cjson prints 14 digits of their 16.

    Raises:
        ValueError: it is no reply of the script: a number is out of range, for example. This and
            any other error means that the server, or a proxy, is broken.
    """
    fields: Mapping[str, Any] = json.loads(text)
    # An advertised rate never raises the configured one.
    limit = _integer(fields["limit"], 1, configured_rate.limit)
    window = _integer(fields["window"], 1, _microseconds(DAY_SECONDS))
    state = LimitState(Rate(limit, window / 1e6), day_exhausted=_boolean(fields["day_exhausted"]))
    # A little below 0 if threads overlap: a report can contain a request that is newer than it.
    last_permitted_age = _integer(fields["last_permitted_age"], -LARGEST_INTEGER, LARGEST_INTEGER)
    return ScriptReply(
        number=_integer(fields["number"], NO_NUMBER, LARGEST_INTEGER),
        wait=_seconds(fields["wait"]),
        state=state,
        day_ends_in=_seconds(fields["day_ends_in"]),
        process_count=_integer(fields["process_count"], 1, LARGEST_INTEGER),
        memory_id=_text(fields["memory_id"]),
        memory_lost=_boolean(fields["memory_lost"]),
        local_for=_seconds(fields["local_for"]),
        period_over=_boolean(fields["period_over"]),
        free_in=_seconds(fields["free_in"]),
        last_permitted_age=last_permitted_age / 1e6,
    )


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)


def _seconds(microseconds: object) -> float:
    return _integer(microseconds, 0, LARGEST_INTEGER) / 1e6


def _integer(value: object, lowest: int, highest: int) -> int:
    """Return a whole number, which is text or an `int`."""
    if type(value) is not int and not isinstance(value, str):
        raise ValueError("no whole number")
    number = int(value)
    if not lowest <= number <= highest:
        raise ValueError("a number out of range")
    return number


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("no boolean")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value
