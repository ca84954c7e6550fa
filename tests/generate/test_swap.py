"""The swap: whatever kills a run, the output is a whole package, and the next run cleans up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from generate import swap
from generate.__main__ import main
from generate.exchange import exchange
from generate.locks import lock_if_free

from tests.generate.samples import GENERATED, contents
from tests.support.paths import ROOT

OLD = {"contract.json": b"old", "models/a.py": b"old"}
NEW = {"contract.json": b"new", "models/a.py": b"new", "models/b.py": b"new"}

# A run of the swap with small packages, killed when it calls a function for the nth time.
KILLED_RUN = """
import os, shutil, signal, sys, tempfile
from pathlib import Path
from generate import swap

output = Path(sys.argv[1])
function_name, number, supports_exchange = sys.argv[2], int(sys.argv[3]), sys.argv[4] == "True"
if not supports_exchange:
    swap.exchange = lambda first, second: False
owner = {"exchange": swap, "rename": Path, "mkdtemp": tempfile, "rmtree": shutil,
         "write_bytes": Path, "close": os}[function_name]
function = getattr(owner, function_name)
calls = 0

def call_or_die(*arguments, **options):
    global calls
    calls += 1
    if calls == number:
        os.kill(os.getpid(), signal.SIGKILL)
    result = function(*arguments, **options)
    if calls == -number:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(owner, function_name, call_or_die)
with swap.temporary_folder(output) as folder:
    package = folder / output.name
    for name in ("contract.json", "models/a.py", "models/b.py"):
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"new")
    swap.swap_in(package, output, folder)
"""

# A negative number means: after the nth call, instead of before it.
STEPS = [
    ("mkdtemp", 1),
    ("mkdtemp", -1),
    ("write_bytes", 1),
    ("write_bytes", -2),
    ("rename", 1),
    ("rename", -1),
    ("rename", 2),
    ("rename", -2),
    ("exchange", 1),
    ("exchange", -1),
    ("close", 1),
    ("rmtree", 1),
    ("rmtree", -1),
]


@pytest.fixture(name="place")
def output_place(tmp_path: Path) -> Path:
    """A package with old files, alone in its folder."""
    output = tmp_path / "place" / "generated"
    write_package(output, OLD)
    return output


def write_package(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def run_swap(output: Path) -> None:
    """One complete run, as `generate` does it, with the new package."""
    with swap.temporary_folder(output) as folder:
        write_package(folder / output.name, NEW)
        swap.swap_in(folder / output.name, output, folder)


def run_until_killed(output: Path, step: tuple[str, int], *, supports_exchange: bool) -> int:
    """The exit status of a run that is killed at a step, if it reaches the step."""
    arguments = [str(output), step[0], str(step[1]), str(supports_exchange)]
    result = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert result.returncode in {0, -signal.SIGKILL}, result.stderr
    return result.returncode


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_killed_run_leaves_a_whole_package_and_the_next_one_cleans_up(
    place: Path, step: tuple[str, int]
) -> None:
    run_until_killed(place, step, supports_exchange=True)

    assert contents(place) in (OLD, NEW)
    run_swap(place)
    assert contents(place) == NEW
    assert os.listdir(place.parent) == ["generated"]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_without_an_exchange_the_next_run_restores_the_package(
    place: Path, step: tuple[str, int]
) -> None:
    run_until_killed(place, step, supports_exchange=False)

    with swap.temporary_folder(place):
        assert contents(place) in (OLD, NEW)
    assert os.listdir(place.parent) == ["generated"]


def test_the_steps_kill_a_run(place: Path) -> None:
    with_exchange = [
        step for step in STEPS if run_until_killed(place, step, supports_exchange=True) != 0
    ]
    without_exchange = [
        step for step in STEPS if run_until_killed(place, step, supports_exchange=False) != 0
    ]
    assert {"mkdtemp", "write_bytes", "exchange", "rmtree"} <= {name for name, _ in with_exchange}
    assert ("rename", -1) in without_exchange
    assert ("rename", 2) in without_exchange


def test_other_processes_always_see_a_whole_package(place: Path) -> None:
    finished = threading.Event()
    missing: list[Exception] = []

    def look() -> None:
        while not finished.is_set():
            try:
                (place / "contract.json").read_bytes()
            except OSError as error:
                missing.append(error)

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(50):
        run_swap(place)
    finished.set()
    watcher.join()

    assert missing == []


def test_a_run_in_progress_keeps_its_temporary_folder(place: Path) -> None:
    with swap.temporary_folder(place) as folder:
        write_package(folder / "generated", NEW)
        run_swap(place)
        assert contents(folder / "generated") == NEW
    assert os.listdir(place.parent) == ["generated"]


def test_runs_at_the_same_time_do_not_disturb_each_other(place: Path) -> None:
    command = [sys.executable, "-c", KILLED_RUN, str(place), "rename", "9", "True"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    runs = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(4)]
    for run in runs:
        _, errors = run.communicate(timeout=300)
        assert errors == b""
        assert run.returncode == 0
    assert contents(place) == NEW
    assert os.listdir(place.parent) == ["generated"]


@pytest.mark.parametrize("content", ["notes.txt", "generated.bak/x"])
def test_a_folder_of_the_user_is_no_leftover(place: Path, content: str) -> None:
    folder = place.parent / ".generated-backup"
    write_package(folder, {content: b"mine"})
    (folder / "generated").mkdir()

    run_swap(place)

    assert (folder / content).read_bytes() == b"mine"


def test_a_link_to_a_folder_is_no_leftover(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    write_package(folder / "generated", OLD)
    (place.parent / ".generated-link").symlink_to(folder)

    run_swap(place)

    assert contents(folder / "generated") == OLD


def test_a_killed_generation_leaves_nothing_after_the_next_one(tmp_path: Path) -> None:
    output = tmp_path / "place" / "generated"
    shutil.copytree(GENERATED, output, ignore=shutil.ignore_patterns("__pycache__"))
    (output / "stray.py").touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    command = [sys.executable, "-m", "generate", "--output", str(output)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    # Bounded by the process, which ends by itself if nobody kills it.
    while process.poll() is None and len(os.listdir(output.parent)) < 2:
        pass
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert len(os.listdir(output.parent)) == 2

    assert main(["--output", str(output)]) == 0

    assert contents(output) == contents(GENERATED)
    assert os.listdir(output.parent) == ["generated"]


@pytest.mark.parametrize(
    ("failing_call", "expected_calls"),
    [
        pytest.param(1, 1, id="the old package cannot be moved away"),
        # The third rename restores the old package.
        pytest.param(2, 3, id="the new package cannot be moved in"),
    ],
)
def test_a_failed_rename_restores_the_old_package(
    place: Path, monkeypatch: pytest.MonkeyPatch, failing_call: int, expected_calls: int
) -> None:
    rename = Path.rename
    calls: list[Path] = []

    def rename_or_fail(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) == failing_call:
            raise OSError("the disk is on fire")
        return rename(self, target)

    def not_supported(_first: Path, _second: Path) -> bool:
        return False

    monkeypatch.setattr(swap, "exchange", not_supported)
    monkeypatch.setattr(Path, "rename", rename_or_fail)
    with pytest.raises(swap.OutputError, match="the disk is on fire"):
        run_swap(place)
    assert len(calls) == expected_calls
    assert contents(place) == OLD
    assert os.listdir(place.parent) == ["generated"]


@pytest.mark.parametrize("failure", [OSError, SystemExit, KeyboardInterrupt])
def test_the_old_package_is_restored_while_other_runs_are_excluded(
    place: Path, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]
) -> None:
    rename = Path.rename
    free_locks: list[int | None] = []

    def rename_or_fail(self: Path, target: Path) -> Path:
        free_locks.append(lock_if_free(place.parent))
        if len(free_locks) == 2:
            raise failure
        return rename(self, target)

    def not_supported(_first: Path, _second: Path) -> bool:
        return False

    monkeypatch.setattr(swap, "exchange", not_supported)
    monkeypatch.setattr(Path, "rename", rename_or_fail)
    with pytest.raises((swap.OutputError, failure)):
        run_swap(place)

    assert free_locks == [None, None, None]
    assert contents(place) == OLD
    assert os.listdir(place.parent) == ["generated"]


def test_an_old_package_that_cannot_be_restored_is_kept(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename
    calls: list[Path] = []

    def rename_once(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) > 1:
            raise OSError("the disk is on fire")
        return rename(self, target)

    def not_supported(_first: Path, _second: Path) -> bool:
        return False

    with monkeypatch.context() as patch:
        patch.setattr(swap, "exchange", not_supported)
        patch.setattr(Path, "rename", rename_once)
        with pytest.raises(swap.OutputError, match="the disk is on fire"):
            run_swap(place)

    with swap.temporary_folder(place):
        assert contents(place) == OLD
    assert os.listdir(place.parent) == ["generated"]


def test_a_failed_exchange_changes_nothing(
    output: Path,
    is_unchanged: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_first: Path, _second: Path) -> bool:
        raise OSError("the disk is on fire")

    monkeypatch.setattr(swap, "exchange", fail)
    assert main(["--output", str(output)]) == 1
    assert "the disk is on fire" in capsys.readouterr().err
    assert is_unchanged()


def test_an_exchange_swaps_two_folders(tmp_path: Path) -> None:
    write_package(tmp_path / "a", OLD)
    write_package(tmp_path / "b", NEW)

    if exchange(tmp_path / "a", tmp_path / "b"):
        assert (contents(tmp_path / "a"), contents(tmp_path / "b")) == (NEW, OLD)
    else:
        assert (contents(tmp_path / "a"), contents(tmp_path / "b")) == (OLD, NEW)
    with pytest.raises(OSError, match="No such file"):
        exchange(tmp_path / "a", tmp_path / "nowhere")


def test_a_lock_is_free_once_its_descriptor_is_closed(tmp_path: Path) -> None:
    descriptor = lock_if_free(tmp_path)
    assert descriptor is not None
    assert lock_if_free(tmp_path) is None
    os.close(descriptor)
    second_descriptor = lock_if_free(tmp_path)
    assert second_descriptor is not None
    os.close(second_descriptor)
