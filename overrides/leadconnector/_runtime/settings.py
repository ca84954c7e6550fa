"""The options of a client, as its session needs them. The client has validated them."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from ..errors import ResponseInfo
from . import lazy_asyncio as asyncio
from .finding import Finding
from .http import RequestFactory, Timeout, Timeouts, timeouts_of
from .observed_limits import ObservedLimits
from .protocols import (
    ApiConventions,
    Clock,
    LocationTokenSource,
    RateLimiter,
    TokenSource,
    Tracing,
)
from .retry import DEFAULT_RETRIES


async def sleep_in_loop(seconds: float) -> None:
    """`asyncio.sleep`, which a sync client does not import."""
    await asyncio.sleep(seconds)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options of a client, the conventions of its API, and its sources of time and chance."""

    base_url: str
    token_source: TokenSource = field(repr=False)
    conventions: ApiConventions
    requests: RequestFactory = field(repr=False)
    rate_limit: RateLimiter[Any] | None
    unlimited: ObservedLimits = field(repr=False)
    """What responses say about the limits of the API, if there is no `rate_limit`."""
    version: str | None = None
    timeout: float | Timeout | None = None
    deadline: float | None = None
    retries: int = DEFAULT_RETRIES
    on_response: Callable[[ResponseInfo], object] | None = None
    on_drift: Callable[[Finding], object] | None = None
    strict: bool = False
    tracing: Tracing | None = field(default=None, repr=False)

    # Tests replace them, so that no test waits.
    clock: Clock = time.monotonic
    now: Clock = time.time
    random: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] = sleep_in_loop

    logged_findings: set[Finding] = field(default_factory=set[Finding], repr=False)
    """The findings that were logged. Clients made by `with_options` share the set."""

    def token_source_of(self, rate_limit_key: str) -> TokenSource:
        """The token source of a call.

        Args:
            rate_limit_key: the location of the call; empty if it has none.
        """
        if rate_limit_key and self._location_token_source is not None:
            return self._location_token_source.for_location(rate_limit_key)
        return self.token_source

    @cached_property
    def _location_token_source(self) -> LocationTokenSource | None:
        """The token source, if it has a token for each location."""
        if hasattr(self.token_source, "for_location"):
            return cast("LocationTokenSource", self.token_source)
        return None

    @cached_property
    def observed_limits(self) -> ObservedLimits:
        """What responses say about the limits of the API."""
        if self.rate_limit is None:
            return self.unlimited
        return self.rate_limit.observed_limits

    @cached_property
    def timeouts(self) -> Timeouts:
        """Httpx's timeouts of one attempt."""
        return timeouts_of(self.timeout)
