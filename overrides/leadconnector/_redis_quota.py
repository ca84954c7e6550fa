"""Keeps several processes and machines within the API's limits together, through a Redis that they share."""

import importlib.resources
import logging
from typing import TYPE_CHECKING, Any

from ._credentials import Secret
from ._quota import Quota, Slot
from .errors import ConfigurationError, QuotaUnavailableError

if TYPE_CHECKING:
    import redis

RETRY_SECONDS = 1.0
"""How long a Redis that failed is left alone: one caller then tries, so that not every call waits for a timeout."""

OPTIONS = {"max_connections": 16, "timeout": 0.5, "socket_timeout": 0.5, "socket_connect_timeout": 0.5}
"""Of redis-py: how many threads ask at the same time, and the seconds to wait for one of them and for Redis."""

_logger = logging.getLogger("leadconnector")


class RedisQuota(Quota):
    """A `Quota` that all share who name the same Redis and prefix.

    Redis is asked once for a call that need not wait, and each second for one that waits. While it is away, each
    process keeps to the limits by itself, or no call is sent; it is tried again each second. Slots that it does not
    know, as after a restart, are queued anew.

    Args:
        url_or_client: a URL such as `redis://:password@host:6379/0`, where options of redis-py may follow, such as
            `?socket_timeout=2`; or a `redis.Redis`, with timeouts of its own.
        limit: requests in a window.
        seconds: how long the window is.
        prefix: what each name in Redis begins with.
        fail_open: whether calls go on while Redis is away.

    Raises:
        ConfigurationError: an argument is not acceptable, or redis-py is not installed.
    """

    blocks = True

    def __init__(
        self,
        url_or_client: "str | redis.Redis",
        limit: int = 100,
        seconds: float = 10.0,
        *,
        prefix: str = "leadconnector:quota",
        fail_open: bool = True,
    ) -> None:
        target = Secret(url_or_client)
        del url_or_client  # it may hold a password, which no traceback is to show
        super().__init__(limit, seconds)
        self._prefix, self._fail_open, self._retry_at, problem = prefix, fail_open, 0.0, ""
        script = (importlib.resources.files(f"{__package__}") / "quota.lua").read_text(encoding="utf-8")
        try:
            package: Any = importlib.import_module("redis")
            if not isinstance(target.reveal(), package.Redis):
                connect = package.BlockingConnectionPool.from_url
                target = Secret(package.Redis.from_pool(connect(target.reveal(), **OPTIONS)))
            self._script, self._errors = package.Redis.register_script(target.reveal(), script), package.RedisError
        except ImportError:
            problem = "RedisQuota needs redis-py: install leadconnector[redis]"
        except (AttributeError, TypeError, ValueError):
            problem = "a quota's Redis must be a client, or a URL (not shown here) like redis://:password@host:6379/0"
        if problem:  # raised here, without its cause, which may quote the URL
            raise ConfigurationError(problem)

    def close(self) -> None:
        """Close the connections, also those of a client that was given. A call opens new ones."""
        self._script.registered_client.close()

    def _act(self, operation: str, key: str, *values: float) -> Slot:
        asked, away, problem = self._clock(), self._retry_at, ""
        if asked >= away:
            self._retry_at = away and asked + RETRY_SECONDS  # who comes while this one tries does not wait for it
            names = [f"{self._prefix}:{{{key}}}:{what}" for what in ("sent", "waiting", "known")]  # on one cluster node
            try:
                reply = self._script(names, [operation, *self._rate, *map(float, values)])
            except (self._errors, OSError) as error:
                reply, problem = list[int](), type(error).__name__  # its text may tell of the URL
            if bool(problem) != bool(self._retry_at):
                _logger.warning("the quota's Redis %s", f"does not answer ({problem})" if problem else "answers again")
            self._retry_at = self._clock() + RETRY_SECONDS if problem else 0.0
            if not problem:
                number, wait, limit, window, exhausted = reply
                return Slot(key, number, asked, wait / 1e6, (limit, window / 1e6), bool(exhausted))
        if operation == "place" and not self._fail_open:
            raise QuotaUnavailableError("the Redis of the quota does not answer: nothing is sent until it does")
        return super()._act(operation, key, *values)
