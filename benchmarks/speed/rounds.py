"""Runs the peers in turns, in shuffled order, over many short rounds."""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from types import TracebackType
from typing import Any, Self, TypeVar

from benchmarks.compare.clients import ROOT

from .catalogue import Case, PeerEntry
from .peer import Settings
from .server import RunningServer, stop
from .worker import Measurement

Item = TypeVar("Item")

TIMEOUT = 120.0
"""Seconds for one round of one peer, which takes less than a second."""


IGNORED_ENDS = ("_PROXY", "_CA_BUNDLE")
IGNORED_STARTS = ("PYTHON", "SSL_CERT")
"""Variables that change how peers connect. Workers run without them."""


class PeerError(Exception):
    """A peer cannot be measured. The message says why."""


class NotOffered(Exception):  # noqa: N818 - no error: the peer lacks the interface
    """A peer lacks an interface."""


class WorkerProcess:
    """A worker in a process and an environment of its own."""

    def __init__(self, entry: PeerEntry, settings: Settings, python: str) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().endswith(IGNORED_ENDS) and not name.startswith(IGNORED_STARTS)
        }
        environment["PYTHONPATH"] = os.pathsep.join(entry.paths)
        if settings.certificate is not None:
            environment["SSL_CERT_FILE"] = settings.certificate
        arguments = [entry.module, json.dumps(asdict(settings))]
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.speed.worker", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def measure(self, case: Case) -> Measurement:
        """Measure one round.

        Raises:
            NotOffered: the peer lacks the interface.
            PeerError: the peer failed.
        """
        task = {"mode": case.mode, "calls": case.calls, "concurrency": case.concurrency}
        reply = self._exchange(json.dumps(task))
        if "not_offered" in reply:
            raise NotOffered(reply["not_offered"])
        if "error" in reply:
            raise PeerError(reply["error"])
        return Measurement(**reply)

    def _exchange(self, line: str) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise PeerError("its process ended: see its output above") from None
        readable, _, _ = select.select([process.stdout], [], [], TIMEOUT)
        if not readable:
            raise PeerError(f"a round takes more than {TIMEOUT:.0f} s")
        reply = process.stdout.readline()
        if not reply:
            raise PeerError("its process ended: see its output above")
        result: dict[str, Any] = json.loads(reply)
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process. A second call does nothing."""
        stop(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@dataclass
class Rounds:
    """All measurements of a run."""

    measurements: dict[tuple[str, str], dict[int, Measurement]] = field(
        default_factory=dict[tuple[str, str], dict[int, Measurement]]
    )
    """By the keys of case and peer, and by the number of the round."""
    skipped: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Why a peer has no measurement in a case."""

    def add(self, case: Case, entry: PeerEntry, number: int, result: Measurement) -> None:
        """Add the measurement of a round."""
        self.measurements.setdefault((case.key, entry.key), {})[number] = result

    def skip(self, case: Case, entry: PeerEntry, reason: str) -> None:
        """Measure a peer no more in a case."""
        self.skipped[case.key, entry.key] = reason


def run_rounds(
    entries: Sequence[PeerEntry],
    cases: Sequence[Case],
    server: RunningServer,
    rounds: int,
    *,
    minutes: float,
    python_of: Callable[[PeerEntry], str],
    report: Callable[[str], None],
) -> Rounds:
    """Measure every peer in every case, once a round.

    Args:
        entries: the peers.
        cases: the cases.
        server: the server that they call.
        rounds: how many rounds.
        minutes: no round starts after this time.
        python_of: the interpreter in the environment of a peer.
        report: is called with a line for the terminal.
    """
    result = Rounds()
    # A fixed seed: a run can be repeated in the same order.
    shuffler = random.Random(0)  # noqa: S311 - no secret
    with ExitStack() as stack:
        workers = Workers(stack, server, python_of)
        ends_at = time.monotonic() + minutes * 60
        for number in range(rounds):
            if number > 0 and time.monotonic() > ends_at:
                report(f"the time is up after {number} rounds")
                break
            for case in shuffled(cases, shuffler):
                for entry in shuffled(entries, shuffler):
                    measure(result, workers, case, entry, number)
            report(f"round {number + 1} of {rounds}")
    return result


def shuffled(items: Sequence[Item], shuffler: random.Random) -> list[Item]:
    """The items in another order."""
    return shuffler.sample(list(items), len(items))


class Workers:
    """The workers of a run. Each starts when it is needed, and ends with the run."""

    def __init__(
        self, stack: ExitStack, server: RunningServer, python_of: Callable[[PeerEntry], str]
    ) -> None:
        self._stack = stack
        self._server = server
        self._python_of = python_of
        self._workers: dict[tuple[str, bool], WorkerProcess] = {}

    def worker(self, case: Case, entry: PeerEntry) -> WorkerProcess:
        """The worker of a peer, for plain connections or for TLS.

        Raises:
            NotOffered: the server has no TLS.
        """
        key = (entry.key, case.is_encrypted)
        if key not in self._workers:
            settings = self._settings(case, entry)
            process = WorkerProcess(entry, settings, self._python_of(entry))
            self._workers[key] = self._stack.enter_context(process)
        return self._workers[key]

    def discard(self, case: Case, entry: PeerEntry) -> None:
        """Replace a worker that failed: its next reply could be a late one."""
        worker = self._workers.pop((entry.key, case.is_encrypted), None)
        if worker is not None:
            worker.stop()

    def _settings(self, case: Case, entry: PeerEntry) -> Settings:
        settings = Settings(self._server.url, variant=entry.variant)
        if not case.is_encrypted:
            return settings
        if self._server.tls_url is None:
            raise NotOffered("the server has no TLS")
        return replace(
            settings, base_url=self._server.tls_url, certificate=self._server.certificate
        )


def measure(rounds: Rounds, workers: Workers, case: Case, entry: PeerEntry, number: int) -> None:
    """Measure one round of one peer, unless it failed before."""
    if (case.key, entry.key) in rounds.skipped:
        return
    try:
        result = workers.worker(case, entry).measure(case)
    except NotOffered as error:
        rounds.skip(case, entry, str(error))
        return
    except PeerError as error:
        workers.discard(case, entry)
        rounds.skip(case, entry, str(error))
        return
    rounds.add(case, entry, number, result)
