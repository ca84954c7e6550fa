"""Measures one peer in its environment: `python -m benchmarks.speed.worker MODULE SETTINGS`.

It reads one task a line as JSON, and writes one measurement a line. It does nothing in between, so
that peers can take turns. It needs only the standard library and the peer.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from itertools import count
from typing import Any, TextIO

from .peer import AsyncCall, NotOfferedError, Peer, Settings, SyncCall, is_success
from .statistics import percentile

WARM_UP_CALLS = 10
"""Calls before each measurement, so that connections and caches exist. Async: one for each task."""


@dataclass(frozen=True)
class Measurement:
    """One round of one peer."""

    wall: float
    """Seconds of wall time per call."""
    cpu: float
    """Seconds of CPU time of the process per call."""
    p50: float
    """Seconds that half of the calls took at most."""
    p99: float
    """Seconds that 99 % of the calls took at most."""


class Worker:
    """Measures a peer. Its clients live as long as it does, so that connections are reused."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._runner = asyncio.Runner()
        self._numbers = count()
        self._sync_calls: dict[str, SyncCall] = {}
        self._async_call: AsyncCall | None = None

    def measure(self, mode: str, calls: int, concurrency: int) -> Measurement:
        """Measure one round.

        Args:
            mode: `sync`, `async` or `null`.
            calls: how many calls.
            concurrency: how many calls are in flight at once, in the mode `async`.

        Raises:
            NotOfferedError: the peer has no such mode.
        """
        if mode == "async":
            return self._runner.run(self._measure_async(calls, concurrency))
        return self._measure_sync(mode, calls)

    def _measure_sync(self, mode: str, calls: int) -> Measurement:
        call = self._sync_call(mode)
        numbers = self._numbers
        for _ in range(WARM_UP_CALLS):
            check_result(call(next(numbers)))
        if mode == "sync":
            self._peer.check()
        gc.collect()
        latencies: list[float] = []
        cpu = time.process_time()
        start = time.perf_counter()
        for _ in range(calls):
            started_at = time.perf_counter()
            call(next(numbers))
            latencies.append(time.perf_counter() - started_at)
        return measurement(start, cpu, latencies)

    def _sync_call(self, mode: str) -> SyncCall:
        call = self._sync_calls.get(mode)
        if call is None:
            call = self._peer.sync_call() if mode == "sync" else self._peer.null_call()
            self._sync_calls[mode] = call
        return call

    async def _measure_async(self, calls: int, concurrency: int) -> Measurement:
        if self._async_call is None:
            self._async_call = await self._peer.async_call()
        call = self._async_call
        warm_up = max(WARM_UP_CALLS, concurrency)
        await self._run_tasks(call, warm_up, concurrency)
        check_result(await call(next(self._numbers)))
        self._peer.check()
        gc.collect()
        cpu = time.process_time()
        start = time.perf_counter()
        latencies = await self._run_tasks(call, calls, concurrency)
        return measurement(start, cpu, latencies)

    async def _run_tasks(self, call: AsyncCall, calls: int, concurrency: int) -> list[float]:
        """Make calls, some of them at once. Returns the seconds of each."""
        latencies: list[float] = []
        turns = iter(range(calls))
        tasks = [self._run_task(call, turns, latencies) for _ in range(concurrency)]
        await asyncio.gather(*tasks)
        return latencies

    async def _run_task(
        self, call: AsyncCall, turns: Iterator[int], latencies: list[float]
    ) -> None:
        for _ in turns:
            started_at = time.perf_counter()
            await call(next(self._numbers))
            latencies.append(time.perf_counter() - started_at)


def measurement(start: float, cpu: float, latencies: list[float]) -> Measurement:
    """The measurement that ends now.

    Args:
        start: `time.perf_counter` at the start.
        cpu: `time.process_time` at the start.
        latencies: the seconds of each call.
    """
    wall_seconds = time.perf_counter() - start
    cpu_seconds = time.process_time() - cpu
    calls = len(latencies)
    return Measurement(
        wall_seconds / calls,
        cpu_seconds / calls,
        percentile(latencies, 0.5),
        percentile(latencies, 0.99),
    )


def check_result(result: object) -> None:
    """Raise a `RuntimeError` unless a call returned the parsed response."""
    if not is_success(result):
        raise RuntimeError(f"a call returned {result!r}")


def respond(worker: Worker, task: dict[str, Any]) -> dict[str, Any]:
    """The measurement of a task, or why there is none."""
    try:
        result = worker.measure(task["mode"], task["calls"], task["concurrency"])
    except NotOfferedError as error:
        return {"not_offered": str(error)}
    # Any peer can raise any error. The report shows it.
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return asdict(result)


def private_output() -> TextIO:
    """The standard output, which nothing else can write to after this: peers can print."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return output


def main() -> None:
    """Measure until the standard input ends."""
    output = private_output()
    module: Any = import_module(f"benchmarks.speed.peers.{sys.argv[1]}")
    settings = Settings(**json.loads(sys.argv[2]))
    worker = Worker(module.peer(settings))
    for line in sys.stdin:
        print(json.dumps(respond(worker, json.loads(line))), file=output, flush=True)
    # Without a shutdown: an event loop waits for clients that a peer cannot close.
    os._exit(0)


if __name__ == "__main__":
    main()
