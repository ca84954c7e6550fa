"""One fuzzed call: its arguments, the replies to it, and its outcome."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from leadconnector import AsyncLeadConnector, LeadConnector, RateLimit, ResponseInfo

from benchmarks.long.waiting import replace_settings

from .arguments import random_arguments
from .constants import CONVERSATION_ID, LOCATION_ID, SMALLEST_SUCCESS, TOKEN
from .replies import Reply, ScriptedTransport, random_reply

LONGEST_CALL = 600.0
"""Seconds on the clock after which a call counts as endless.

Four attempts with the longest waits between them take less.
"""


def usual_replies() -> tuple[Reply, ...]:
    """The smallest success."""
    return (Reply(chunks=(json.dumps(SMALLEST_SUCCESS).encode(),)),)


def usual_arguments() -> Mapping[str, Any]:
    """The required arguments, with valid values."""
    return {"conversation_id": CONVERSATION_ID, "location_id": LOCATION_ID}


@dataclass(frozen=True)
class Case:
    """A call to make, and the replies to its requests."""

    replies: tuple[Reply, ...] = field(default_factory=usual_replies)
    arguments: Mapping[str, Any] = field(default_factory=usual_arguments)
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Options of the client."""

    def __repr__(self) -> str:
        return f"Case({self.replies}, {safe_repr(self.arguments)}, {self.options})"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a call."""

    value: object
    """The result, or the exception."""
    requests: list[httpx.Request]
    seen: list[ResponseInfo]
    """The arguments of the callback `on_response`."""


def seeded_random(seed: int | str) -> Random:
    """Random numbers that are the same for the same seed."""
    return Random(seed)  # noqa: S311  # nothing secret is drawn


def case_with_random_replies(random: Random) -> Case:
    """A call with valid arguments and random replies."""
    options: dict[str, Any] = {
        "retries": random.choice([0, 0, 1, 2, 3]),
        "strict": random.random() < 0.2,
    }
    # Rarely, because a call that ends at its deadline tries less.
    if random.random() < 0.1:
        options["deadline"] = random.choice([0.001, 3.0, 100])
    count = random.choice([1, 1, 2, 4])
    return Case(tuple(random_reply(random) for _ in range(count)), options=options)


def case_with_random_arguments(random: Random) -> Case:
    """A call with random arguments and a successful response."""
    return Case(arguments=random_arguments(random))


class GuardedClock:
    """A clock that advances only when a client waits. It fails a call that never ends."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Seconds since the start of the call."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Advance by a wait.

        Raises:
            AssertionError: the wait is negative, or the call has waited for too long.
        """
        if seconds < 0:
            raise AssertionError("time would go back")
        self.seconds += seconds
        if self.seconds > LONGEST_CALL:
            raise AssertionError(f"the call still waits after {LONGEST_CALL:g} s")

    async def sleep_async(self, seconds: float) -> None:
        """Advance by a wait, and let other tasks run."""
        self.sleep(seconds)
        await asyncio.sleep(0)


def longest_wait() -> float:
    """Replaces the random part of a retry's wait by its maximum."""
    return 1.0


class PreparedCall:
    """The parts of a client for one call, and their records."""

    def __init__(self, case: Case) -> None:
        self.transport = ScriptedTransport(case.replies)
        self.clock = GuardedClock()
        self.response_infos: list[ResponseInfo] = []
        self.options: dict[str, Any] = {
            "token": TOKEN,
            "transport": self.transport,
            "rate_limit": RateLimit(clock=self.clock),
            "on_response": self.response_infos.append,
            **case.options,
        }

    def use_clock(self, client: LeadConnector | AsyncLeadConnector) -> None:
        """Let a client read this clock and wait on it."""
        replace_settings(
            client,
            clock=self.clock,
            now=self.clock,
            sleep=self.clock.sleep,
            sleep_async=self.clock.sleep_async,
            random=longest_wait,
        )

    def outcome(self, value: object) -> Outcome:
        """The outcome of the call, with its result or exception."""
        return Outcome(value, self.transport.requests, self.response_infos)


def run_sync(case: Case) -> Outcome:
    """Make the call with a new `LeadConnector`."""
    call = PreparedCall(case)
    with LeadConnector(**call.options) as client:
        call.use_clock(client)
        try:
            result = client.conversations.update_conversation(**case.arguments)
        except Exception as error:
            return call.outcome(error)
    return call.outcome(result)


async def run_async(case: Case) -> Outcome:
    """Make the call with a new `AsyncLeadConnector`."""
    call = PreparedCall(case)
    async with AsyncLeadConnector(**call.options) as client:
        call.use_clock(client)
        try:
            result = await client.conversations.update_conversation(**case.arguments)
        except Exception as error:
            return call.outcome(error)
    return call.outcome(result)


def safe_repr(value: object) -> str:
    """The `repr` of a value, which may be too deep or may raise an exception."""
    with suppress(RecursionError, TypeError, ValueError):
        return repr(value)
    return f"a {type(value).__name__} without repr"
