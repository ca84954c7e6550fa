"""Makes 200,000 calls with random responses or arguments, and checks every outcome.

Prints how the calls ended, the slowest calls and the memory. Exit status 1 if a check fails. The
same seed makes the same calls. Call NUMBER of a run with `--seed SEED` is

    case_with_random_replies(seeded_random("responses SEED NUMBER"))
    case_with_random_arguments(seeded_random("arguments SEED NUMBER"))
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from benchmarks.long.fuzzing.bodies import BOMB_SIZES, bomb
from benchmarks.long.fuzzing.cases import (
    Case,
    Outcome,
    case_with_random_arguments,
    case_with_random_replies,
    run_async,
    run_sync,
    seeded_random,
)
from benchmarks.long.fuzzing.promises import broken_promises
from benchmarks.long.fuzzing.sent_requests import request_problems

BATCH = 100
"""Async calls that run at once, and sync calls between two garbage collections."""

THOROUGH_EVERY = 20
"""One outcome in this many is searched for the token with its traceback."""

WARM_UP = 1_000
"""Calls of each kind before the measurement."""

WARM_UP_SEED = -1
"""Differs from the seeds of measured runs."""

MAXIMUM_GROWTH = 128
"""MiB that the process may grow by.

Some bodies of the largest size, as bytes and as text, and the memory of the checks.
"""

SHOWN_PROBLEMS = 20
"""Problems that are printed."""


@dataclass(frozen=True)
class Kind:
    """A kind of random call."""

    name: str
    """Part of the seed, so it must not change: then a seed still makes the same calls."""
    count: int
    draw: Callable[[Random], Case]
    has_random_arguments: bool


@dataclass
class Figures:
    """The results of the calls of one kind."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    """How many calls returned or raised which class."""
    problems: list[str] = field(default_factory=list[str])
    longest_call: float = 0.0
    """Seconds of the longest sync call."""
    longest_batch: float = 0.0
    """Seconds of the longest batch of async calls."""

    def add(self, kind: Kind, number: int, case: Case, outcome: Outcome) -> None:
        """Check an outcome and count it."""
        self.outcomes[type(outcome.value).__name__] += 1
        problems = broken_promises(case, outcome, thorough=number % THOROUGH_EVERY == 0)
        if kind.has_random_arguments:
            problems += request_problems(case, outcome)
        self.problems += [f"{kind.name} {number}: {problem}" for problem in problems]

    def run_batch(self, cases: list[Case]) -> list[Outcome]:
        """Make sync calls, one after the other."""
        outcomes: list[Outcome] = []
        for case in cases:
            start = time.perf_counter()
            outcomes.append(run_sync(case))
            self.longest_call = max(self.longest_call, time.perf_counter() - start)
        return outcomes

    async def run_batch_async(self, cases: list[Case]) -> list[Outcome]:
        """Make async calls, all at once."""
        start = time.perf_counter()
        outcomes = await asyncio.gather(*map(run_async, cases))
        self.longest_batch = max(self.longest_batch, time.perf_counter() - start)
        return outcomes


async def run_calls(kind: Kind, seed: int, count: int) -> Figures:
    """Make calls in batches: one batch sync, the next async, all in this event loop."""
    figures = Figures()
    cases = draw_cases(kind, seed, count)
    is_sync = False
    while batch := list(islice(cases, BATCH)):
        is_sync = not is_sync
        # Only here, so that a collection does not count as part of the longest call.
        gc.collect()
        batch_cases = [case for _, case in batch]
        if is_sync:
            outcomes = figures.run_batch(batch_cases)
        else:
            outcomes = await figures.run_batch_async(batch_cases)
        for (number, case), outcome in zip(batch, outcomes, strict=True):
            figures.add(kind, number, case, outcome)
    return figures


def draw_cases(kind: Kind, seed: int, count: int) -> Iterator[tuple[int, Case]]:
    """The calls of a run, with their numbers."""
    for number in range(count):
        yield number, kind.draw(seeded_random(f"{kind.name} {seed} {number}"))


async def warm_up(kinds: list[Kind]) -> None:
    """Create everything that is created once, then leave garbage collection to `run_calls`."""
    # `bomb` caches its results, because compressing takes long.
    for mebibytes in BOMB_SIZES:
        bomb(mebibytes * 1024 * 1024)
    for kind in kinds:
        await run_calls(kind, WARM_UP_SEED, min(kind.count, WARM_UP))
    gc.collect()
    # Later collections skip everything that exists now.
    gc.freeze()
    gc.disable()


def print_figures(kind: Kind, seed: int, figures: Figures, seconds: float) -> None:
    """Print the results of one kind of call."""
    print(f"{kind.count} {kind.name} with seed {seed} in {seconds:.0f} s")
    for name, count in figures.outcomes.most_common():
        print(f"  {count:>8} {name}")
    call = f"{figures.longest_call * 1e3:.1f} ms"
    batch = f"{figures.longest_batch * 1e3:.1f} ms"
    print(f"  longest call: {call}; of {BATCH} at once: {batch}")


def peak_memory() -> int:
    """The largest memory of this process so far, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def fuzz(kinds: list[Kind], seed: int) -> int:
    """Make all calls and print the results. Returns the exit status."""
    await warm_up(kinds)
    problems: list[str] = []
    memory_before = peak_memory()
    for kind in kinds:
        start = time.perf_counter()
        figures = await run_calls(kind, seed, kind.count)
        print_figures(kind, seed, figures, time.perf_counter() - start)
        problems += figures.problems
    # The peak, not the current size: a call must not need much memory even for a moment.
    growth = (peak_memory() - memory_before) / 1024
    foreign_exceptions = [problem for problem in problems if "outside the tree" in problem]
    print(f"peak memory: {growth:.0f} MiB above that of the first {WARM_UP} calls of each kind")
    print(f"exceptions outside the tree: {len(foreign_exceptions)}")
    print(f"broken promises: {len(problems)}")
    for problem in problems[:SHOWN_PROBLEMS]:
        print(problem)
    if problems or growth > MAXIMUM_GROWTH:
        return 1
    return 0


def main() -> int:
    """Make the calls that the command line describes. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--responses", type=int, default=100_000, help="calls with random responses"
    )
    parser.add_argument(
        "--arguments", type=int, default=100_000, help="calls with random arguments"
    )
    options = parser.parse_args()
    # Logged drift would take most of the time.
    logging.disable(logging.CRITICAL)
    kinds = [
        Kind("responses", options.responses, case_with_random_replies, has_random_arguments=False),
        Kind("arguments", options.arguments, case_with_random_arguments, has_random_arguments=True),
    ]
    return asyncio.run(fuzz(kinds, options.seed))


if __name__ == "__main__":
    sys.exit(main())
