"""Kills vendoring, at every change of the file system and at random moments.

After each kill, the copy must be the whole old one or the whole new one. It may also be missing for
a moment, if the next run restores it. The next run must complete the work and leave nothing else
behind. No local change may be lost.

A kill at the n-th change needs no privileges: Python's audit events announce each rename, removal
and new folder. Where strace is installed, system calls are interrupted too.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from leadconnector._vendoring import manifest as manifests
from leadconnector._vendoring.entries import entries_in
from leadconnector._vendoring.errors import VendoringError
from leadconnector._vendoring.locks import waiting_message
from leadconnector._vendoring.manifest import FILE_NAME, sha256
from leadconnector._vendoring.vendor import vendor

from benchmarks.long.served import print_table, print_verdict

EVENTS = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir"})
"""The audit events before each change of a folder. Writing a file in `new/` is none of them."""

SYSTEM_CALLS = ["rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir"]

LOCAL_CHANGE = "# a local change\n"

PACKAGE = "leadconnector"

COLUMNS = ["run", "kills", "old copy", "new copy", "missing, restored", "failures"]


@dataclass(frozen=True)
class Versions:
    """Two versions of the package, each as a folder."""

    older: Path
    newer: Path


@dataclass
class Row:
    """The results of one kind of kill in one situation."""

    title: str
    states: Counter[str] = field(default_factory=Counter[str])
    failures: list[str] = field(default_factory=list[str])

    def cells(self) -> list[object]:
        """The cells of `COLUMNS`."""
        counts = [self.states[state] for state in ("old", "new", "missing")]
        return [self.title, self.states.total(), *counts, len(self.failures)]


class Situation:
    """A destination in which a run is killed. Subclasses change what is there before."""

    title = "upgrade"
    force = False

    def __init__(self, versions: Versions, destination: Path) -> None:
        self.versions = versions
        self.destination = destination
        self.copy = destination / PACKAGE

    def prepare(self) -> None:
        """Write what is there before the run."""
        shutil.rmtree(self.destination, ignore_errors=True)
        shutil.copytree(self.versions.older, self.copy)

    def states(self) -> dict[str, dict[str, bytes]]:
        """The content of a whole copy, by the name of its state."""
        return {"old": content(self.versions.older), "new": content(self.versions.newer)}

    def run(self) -> None:
        """Do the work. This is the run that is killed."""
        vendor(str(self.destination), force=self.force, source_folder=self.versions.newer)

    def check_after_kill(self) -> str:
        """The state of the copy after a kill.

        Raises:
            AssertionError: it is neither whole nor missing.
        """
        if not self.copy.exists():
            return "missing"
        files = content(self.copy)
        for state, expected_files in self.states().items():
            if files == expected_files:
                return state
        raise AssertionError("the copy is neither the old nor the new one")

    def check_next_run(self) -> None:
        """Run again, and check the result.

        Raises:
            AssertionError: the copy is not the new one, or something else is left.
        """
        self.run()
        if content(self.copy) != self.states()["new"]:
            raise AssertionError("the next run did not complete the copy")
        names = sorted(path.name for path in self.destination.iterdir())
        if names != [PACKAGE]:
            raise AssertionError(f"the next run left {names}")


class FirstCopy(Situation):
    """There is no copy before the run."""

    title = "first copy"

    def prepare(self) -> None:
        """Remove the destination."""
        shutil.rmtree(self.destination, ignore_errors=True)


class LocalChange(Situation):
    """The copy has a local change, and the run replaces it with force."""

    title = "local change, with force"
    force = True

    def prepare(self) -> None:
        """Write a copy, and edit it."""
        super().prepare()
        with (self.copy / "client.py").open("a", encoding="utf-8") as file:
            file.write(LOCAL_CHANGE)

    def states(self) -> dict[str, dict[str, bytes]]:
        """The old copy has the local change."""
        states = super().states()
        states["old"]["client.py"] += LOCAL_CHANGE.encode()
        return states

    def check_next_run(self) -> None:
        """Run again without force: it must not replace a copy that still has the change.

        Raises:
            AssertionError: the change is lost, or the copy is not whole.
        """
        try:
            vendor(str(self.destination), source_folder=self.versions.newer)
        except VendoringError:
            if content(self.copy) != self.states()["old"]:
                raise AssertionError("the next run did not restore the copy") from None
            return
        if content(self.copy) != self.states()["new"]:
            raise AssertionError("the next run did not complete the copy")
        patches = list(self.destination.glob("*.patch"))
        if not any(f"+{LOCAL_CHANGE}" in path.read_text(encoding="utf-8") for path in patches):
            raise AssertionError("the local change is lost")


SITUATIONS = [Situation, FirstCopy, LocalChange]


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {entry.name: entry.path.read_bytes() for entry in entries_in(folder)}


def make_versions(folder: Path) -> Versions:
    """Vendor this checkout, and make another version of the copy: edited, added, removed files."""
    older = vendor(str(folder / "older")).copy
    newer = Path(shutil.copytree(older, folder / "newer" / PACKAGE))
    (newer / "_version.py").write_text('"""Newer."""\n\n__version__ = "9.0.0"\n', encoding="utf-8")
    (newer / "_runtime" / "added.py").write_text("added = True\n", encoding="utf-8")
    (newer / "models.py").unlink()
    manifest = manifests.parse((newer / FILE_NAME).read_bytes())
    files = {name: data for name, data in content(newer).items() if name != FILE_NAME}
    hashes = {name: sha256(data) for name, data in files.items()}
    newer_manifest = replace(manifest, version="9.0.0", files=hashes)
    (newer / FILE_NAME).write_bytes(manifests.render(newer_manifest))
    return Versions(older, newer)


def start(run: Callable[[], None], hook: Callable[[str], None] | None = None) -> int:
    """Fork, and run something in the child.

    Args:
        run: what the child does.
        hook: is called in the child with the name of each audit event.

    Returns:
        The id of the child.
    """
    process = os.fork()
    if process != 0:
        return process
    status = 1
    try:
        if hook is not None:
            sys.addaudithook(lambda event, _: hook(event))
        run()
        status = 0
    finally:
        # The child never returns to the code of the parent.
        os._exit(status)


def was_killed(process: int) -> bool:
    """Wait for a child.

    Raises:
        AssertionError: the run failed.
    """
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.waitstatus_to_exitcode(status) != 0:
        raise AssertionError("the run failed without a kill")
    return False


def changes_of(situation: Situation) -> list[str]:
    """The audit events of a run that is not killed."""
    situation.prepare()
    reader, writer = os.pipe()

    def record(event: str) -> None:
        if event in EVENTS:
            os.write(writer, f"{event}\n".encode())

    process = start(situation.run, record)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        events = file.read().split()
    was_killed(process)
    return events


def kill_before(number: int) -> Callable[[str], None]:
    """A hook that kills its process before the change of a number, from 0."""
    count = 0

    def kill(event: str) -> None:
        nonlocal count
        if event not in EVENTS:
            return
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    return kill


def selection(events: list[str], maximum: int) -> list[int]:
    """The changes before which to kill: every rename, and of the rest as many as wanted."""
    renames = [number for number, event in enumerate(events) if event == "os.rename"]
    # The changes around a rename are where the states differ.
    near = {number + step for number in renames for step in (-1, 0, 1)} & set(range(len(events)))
    step = max(1, len(events) // max(1, maximum - len(near)))
    return sorted(near | set(range(0, len(events), step)))


def kill_at_changes(situation: Situation, maximum: int) -> Row:
    """Kill a run before its changes of the file system."""
    events = changes_of(situation)
    row = Row(f"{situation.title}, before a change")
    for number in selection(events, maximum):
        situation.prepare()
        if not was_killed(start(situation.run, kill_before(number))):
            row.failures.append(f"{row.title} {number}: the run was not killed")
            continue
        record(row, situation, f"before change {number} ({events[number]})")
    return row


def kill_at_moments(situation: Situation, count: int, seed: int) -> Row:
    """Kill a run at random moments. A run that ended before is repeated with another moment."""
    generator = random.Random(seed)  # noqa: S311
    row = Row(f"{situation.title}, at a random moment")
    situation.prepare()
    started_at = time.perf_counter()
    was_killed(start(situation.run))
    duration = time.perf_counter() - started_at
    while row.states.total() + len(row.failures) < count:
        situation.prepare()
        process = start(situation.run)
        moment = generator.uniform(0, duration)
        time.sleep(moment)
        os.kill(process, signal.SIGKILL)
        if was_killed(process):
            record(row, situation, f"after {moment * 1000:.1f} ms")
    return row


def record(row: Row, situation: Situation, moment: str) -> None:
    """Check what a kill has left, and what the next run makes of it."""
    try:
        state = situation.check_after_kill()
        situation.check_next_run()
    except (AssertionError, VendoringError, OSError) as error:
        row.failures.append(f"{row.title}, {moment}: {error}")
        return
    row.states[state] += 1


def kill_at_system_calls(situation: Situation, strace: str) -> Row:
    """Kill a run at each of its system calls that rename or remove something or make a folder."""
    row = Row(f"{situation.title}, at a system call")
    for system_call in SYSTEM_CALLS:
        for number in range(1, 1000):
            situation.prepare()
            if not is_killed_by_strace(situation, strace, system_call, number):
                break
            record(row, situation, f"at {system_call} {number}")
    return row


def is_killed_by_strace(situation: Situation, strace: str, system_call: str, number: int) -> bool:
    """Run the command line below strace, which kills it at one system call."""
    injection = f"inject={system_call}:signal=KILL:when={number}"
    options = ["-f", "-qq", "-o", os.devnull, "-e", f"trace={system_call}", "-e", injection]
    command = [strace, *options, *command_line(situation.versions.newer, situation.destination)]
    if situation.force:
        command.append("--force")
    environment = environment_of(situation.versions.newer)
    # The output is the path of the copy, and notes on local changes.
    result = subprocess.run(command, env=environment, capture_output=True, check=False)
    return result.returncode != 0


def command_line(source: Path, destination: Path) -> list[str]:
    """The command that vendors a version of the package."""
    return [sys.executable, "-B", "-P", "-m", source.name, "vendor", str(destination)]


def environment_of(source: Path) -> dict[str, str]:
    """The environment in which Python finds a version of the package."""
    return {**os.environ, "PYTHONPATH": str(source.parent)}


def run_at_once(situation: Situation, processes: int, rounds: int) -> Row:
    """Let many runs write the same copy, half of them the older version."""
    row = Row(f"{processes} runs at once")
    for number in range(rounds):
        situation.prepare()
        started = list(start_runs(situation, processes))
        outputs = [process.communicate()[1] for process in started]
        # A run that waits for another one says so in one line.
        waiting_note = waiting_message(situation.destination)
        failures = [output.replace(f"{waiting_note}\n", "") for output in outputs]
        failed = [output for output in failures if output]
        state = situation.check_after_kill()
        names = sorted(path.name for path in situation.destination.iterdir())
        if failed or names != [PACKAGE]:
            row.failures.append(f"{row.title}, round {number}: {failed} left {names}")
        row.states[state] += 1
    return row


def start_runs(situation: Situation, processes: int) -> Iterator[subprocess.Popen[str]]:
    """Start runs of alternating versions."""
    versions = situation.versions
    for number in range(processes):
        source = versions.newer if number % 2 else versions.older
        yield subprocess.Popen(
            command_line(source, situation.destination),
            env=environment_of(source),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )


def main() -> int:
    """Make all runs. Returns the exit status: 1 if a check failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", type=int, default=10_000, help="at most, in each situation")
    parser.add_argument("--moments", type=int, default=200, help="in each situation")
    parser.add_argument("--processes", type=int, default=10, help="at once")
    parser.add_argument("--rounds", type=int, default=10, help="of runs at once")
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("--no-strace", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vendoring-kills-") as folder:
        rows: list[Row] = []
        for row in make_runs(options, Path(folder)):
            # Shows the progress of a long run.
            print(f"done: {row.title}", flush=True)
            rows.append(row)
    print_table([COLUMNS, *(row.cells() for row in rows)])
    print(f"seed: {options.seed}")
    return print_verdict([failure for row in rows for failure in row.failures])


def make_runs(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """Make all runs, one after the other."""
    versions = make_versions(folder)
    destination = folder / "service" / "_vendor"
    situations = [situation(versions, destination) for situation in SITUATIONS]
    strace = None if options.no_strace else shutil.which("strace")
    if strace is None:
        print("without strace: no kills at system calls")
    for situation in situations:
        yield kill_at_changes(situation, options.changes)
        yield kill_at_moments(situation, options.moments, options.seed)
        if strace is not None:
            yield kill_at_system_calls(situation, strace)
    yield run_at_once(situations[0], options.processes, options.rounds)


if __name__ == "__main__":
    sys.exit(main())
