"""Holds both clients to their promises over as many answers and arguments as one likes, for long.

Prints how the calls ended, the slowest and the memory they took; ends with 1 where anything was not as promised. The
same seed draws the same cases: those that are told are `answered(seeded("answers SEED NUMBER"))`, or `asked`.
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

from tests.support.fuzzing import (
    BOMBS,
    Case,
    Outcome,
    answered,
    asked,
    bomb,
    broken_promises,
    misplaced_arguments,
    run_async,
    run_sync,
    seeded,
)

BATCH = 100
"""Async calls that are made at once, and sync calls between two collections of garbage."""

THOROUGH = 20
"""Of so many outcomes one is looked at with its traceback."""

WARM_UP = 1_000
"""Calls that are made before anything is measured."""

MAXIMUM_GROWTH = 128
"""MiB that the process may grow by: some bodies of the largest size, as bytes and as text, and what judges them."""


@dataclass
class Figures:
    """What is told of one kind of case."""

    ends: Counter[str] = field(default_factory=Counter[str])
    broken: list[str] = field(default_factory=list[str])
    longest: float = 0.0
    """Seconds of the longest sync call."""
    longest_batch: float = 0.0
    """Seconds of the longest batch of async calls."""


def judge(figures: Figures, number: int, case: Case, outcome: Outcome, kind: str) -> None:
    """Count an outcome, and note where it should not be what it is."""
    figures.ends[type(outcome.value).__name__] += 1
    found = broken_promises(case, outcome, thorough=number % THOROUGH == 0)
    found += misplaced_arguments(case, outcome) if kind == "arguments" else []
    figures.broken += [f"{kind} {number}: {text}" for text in found]


async def measure(kind: str, seed: int, count: int, draw: Callable[[Random], Case]) -> Figures:
    """Make the calls in batches, one batch sync and the next async, all in this event loop."""
    figures = Figures()
    cases: Iterator[tuple[int, Case]] = (
        (n, draw(seeded(f"{kind} {seed} {n}"))) for n in range(count)
    )
    is_sync = False
    while batch := list(islice(cases, BATCH)):
        is_sync = not is_sync
        gc.collect()
        outcomes: list[Outcome] = []
        begun = time.perf_counter()
        if is_sync:
            for _, case in batch:
                before = time.perf_counter()
                outcomes.append(run_sync(case))
                figures.longest = max(figures.longest, time.perf_counter() - before)
        else:
            outcomes = await asyncio.gather(*(run_async(case) for _, case in batch))
            figures.longest_batch = max(figures.longest_batch, time.perf_counter() - begun)
        for (number, case), outcome in zip(batch, outcomes, strict=True):
            judge(figures, number, case, outcome, kind)
    return figures


async def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--responses", type=int, default=100_000, help="calls that are answered anything"
    )
    parser.add_argument("--arguments", type=int, default=100_000, help="calls with any arguments")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    draws = {"answers": (options.responses, answered), "arguments": (options.arguments, asked)}
    for mebibytes in BOMBS:  # made once, which takes a while
        bomb(mebibytes * 1024 * 1024)
    for kind, (count, draw) in draws.items():
        await measure(kind, -1, min(count, WARM_UP), draw)
    gc.collect()
    gc.freeze()
    gc.disable()
    broken: list[str] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind, (count, draw) in draws.items():
        begun = time.perf_counter()
        figures = await measure(kind, options.seed, count, draw)
        print(f"{count} {kind} with seed {options.seed} in {time.perf_counter() - begun:.0f} s")
        for name, times in figures.ends.most_common():
            print(f"  {times:>8} {name}")
        print(
            f"  longest call: {figures.longest * 1e3:.1f} ms; of {BATCH} at once: {figures.longest_batch * 1e3:.1f} ms"
        )
        broken += figures.broken
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"peak memory: {grown:.0f} MiB above that of the first {WARM_UP} calls of each kind")
    print(f"exceptions outside the tree: {sum('outside the tree' in each for each in broken)}")
    print("\n".join([f"broken promises: {len(broken)}", *broken[:20]]))
    return 1 if broken or grown > MAXIMUM_GROWTH else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
