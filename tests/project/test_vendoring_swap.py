"""The lock and the swap of vendoring: what failures, signals and killed runs leave."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from leadconnector._command_line import main
from leadconnector._vendoring import locks
from leadconnector._vendoring.source import Source, load_source
from leadconnector._vendoring.swap import Interruption, Workspace

from tests.support.vendoring import (
    WORKSPACE,
    copy_sources,
    rejection,
    run_vendor,
    set_version,
    tree,
    vendor,
    verify,
)


@pytest.fixture
def source() -> Source:
    """The package that is tested."""
    return load_source()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """The workspace beside a copy in a folder."""
    (tmp_path / "service").mkdir()
    return Workspace(tmp_path / "service" / "leadconnector")


@pytest.fixture
def earlier(workspace: Workspace) -> dict[str, bytes]:
    """Another version of the copy, in its place."""
    checkout = copy_sources(workspace.copy.parents[1] / "checkout")
    set_version(checkout, "0.0.1")
    return tree(vendor(workspace.copy.parent, checkout))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def before_the_swap(workspace: Workspace, source: Source) -> None:
    workspace.prepare(source.files)


def before_the_new_copy_is_complete(workspace: Workspace, source: Source) -> None:
    workspace.prepare({"client.py": source.files["client.py"]})


def between_the_renames(workspace: Workspace, source: Source) -> None:
    workspace.prepare(source.files)
    workspace.copy.rename(workspace.old)


def after_the_swap(workspace: Workspace, source: Source) -> None:
    workspace.prepare(source.files)
    workspace.swap()


def while_the_old_copy_is_removed(workspace: Workspace, source: Source) -> None:
    after_the_swap(workspace, source)
    workspace.old.rename(workspace.discarded)
    (workspace.discarded / "client.py").unlink()


def while_its_folder_is_removed(workspace: Workspace, source: Source) -> None:
    while_the_old_copy_is_removed(workspace, source)
    shutil.rmtree(workspace.discarded)


def before_its_first_file(workspace: Workspace, source: Source) -> None:
    workspace.folder.mkdir()
    workspace.marker.touch()


def at_the_start(workspace: Workspace, source: Source) -> None:
    workspace.folder.mkdir()


RESTORED = "An earlier run was interrupted. {copy} was restored.\n"
CLEANED = "An earlier run was interrupted. What it left was removed.\n"

KILLS: dict[Callable[[Workspace, Source], None], tuple[Interruption, str]] = {
    at_the_start: (Interruption.OUTSIDE_OF_SWAP, CLEANED),
    before_its_first_file: (Interruption.OUTSIDE_OF_SWAP, CLEANED),
    while_its_folder_is_removed: (Interruption.OUTSIDE_OF_SWAP, CLEANED),
    before_the_new_copy_is_complete: (Interruption.OUTSIDE_OF_SWAP, CLEANED),
    before_the_swap: (Interruption.OUTSIDE_OF_SWAP, CLEANED),
    between_the_renames: (Interruption.BETWEEN_RENAMES, RESTORED),
    after_the_swap: (Interruption.AFTER_SWAP, CLEANED),
    while_the_old_copy_is_removed: (Interruption.OUTSIDE_OF_SWAP, CLEANED),
}


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.__name__)
def test_the_next_run_repairs_what_a_killed_run_left(
    workspace: Workspace,
    source: Source,
    earlier: dict[str, bytes],
    kill: Callable[[Workspace, Source], None],
) -> None:
    interruption, note = KILLS[kill]
    kill(workspace, source)
    assert workspace.interruption() is interruption
    result = run_vendor(workspace.copy.parent)
    assert (result.returncode, result.stderr) == (0, note.format(copy=workspace.copy))
    assert tree(workspace.copy) == source.files
    assert names_in(workspace.copy.parent) == ["leadconnector"]


def test_a_run_that_is_rejected_repairs_too(
    workspace: Workspace, source: Source, earlier: dict[str, bytes]
) -> None:
    (workspace.copy / "client.py").write_text("ours = True\n", encoding="utf-8")
    between_the_renames(workspace, source)
    assert "edited: client.py" in rejection(workspace.copy.parent)
    assert tree(workspace.copy) == earlier | {"client.py": b"ours = True\n"}
    assert names_in(workspace.copy.parent) == ["leadconnector"]


def test_an_old_copy_that_is_partly_removed_never_returns(
    workspace: Workspace, source: Source, earlier: dict[str, bytes]
) -> None:
    while_the_old_copy_is_removed(workspace, source)
    os.rename(workspace.copy, workspace.copy.with_name("moved"))
    assert workspace.repair() is Interruption.OUTSIDE_OF_SWAP
    assert names_in(workspace.copy.parent) == ["moved"]


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "no"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("name", ["old", "leadconnector"])
def test_a_failure_or_a_signal_during_the_swap_leaves_the_earlier_copy(
    workspace: Workspace,
    earlier: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    name: str,
) -> None:
    rename = Path.rename
    failed: list[str] = []

    def fail_once(path: Path, target: Path) -> Path:
        if target.name == name and not failed:
            failed.append(name)
            raise error
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    result = run_vendor(workspace.copy.parent)
    assert failed == [name]
    assert result.returncode == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert result.stdout == ""
    assert tree(workspace.copy) == earlier
    assert names_in(workspace.copy.parent) == ["leadconnector"]


@pytest.mark.usefixtures("earlier")
def test_a_member_of_a_group_that_shares_the_folder_can_replace_the_copy_of_another_member(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reject(path: Path, mode: int) -> None:
        raise PermissionError(errno.EPERM, "only the owner may set the mode", str(path))

    monkeypatch.setattr(Path, "chmod", reject)

    vendor(workspace.copy.parent)

    assert verify(workspace.copy).returncode == 0


def test_a_folder_that_somebody_creates_during_the_swap_hides_no_old_copy(
    workspace: Workspace, source: Source, earlier: dict[str, bytes]
) -> None:
    def create() -> None:
        workspace.copy.mkdir()
        (workspace.copy / "ours.txt").touch()

    workspace.prepare(source.files)
    with pytest.raises(OSError, match="not empty"):
        workspace.swap(create)
    message = rejection(workspace.copy.parent)
    assert f"{workspace.copy} was created while the earlier copy was aside" in message
    assert tree(workspace.old) == earlier
    assert names_in(workspace.copy) == ["ours.txt"]


def test_if_even_restoring_fails_the_next_run_restores(
    workspace: Workspace, earlier: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if target == workspace.copy:
            raise OSError(errno.EIO, "the disk fails")
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        assert "the disk fails" in rejection(workspace.copy.parent)
    assert tree(workspace.old) == earlier
    assert run_vendor(workspace.copy.parent).returncode == 0
    assert verify(workspace.copy).returncode == 0


def test_if_the_old_copy_cannot_be_removed_the_new_one_is_in_place_and_a_note_says_so(
    workspace: Workspace, earlier: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Workspace) -> None:
        raise OSError(errno.EBUSY, "in use")

    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "remove", fail)
        result = run_vendor(workspace.copy.parent)
    assert result.returncode == 0
    assert "it cannot be removed completely: [Errno" in result.stderr
    assert verify(workspace.copy).returncode == 0
    assert run_vendor(workspace.copy.parent).returncode == 0
    assert names_in(workspace.copy.parent) == ["leadconnector"]


def add_a_foreign_file(workspace: Path) -> None:
    workspace.mkdir()
    (workspace / "notes.txt").write_text("ours", encoding="utf-8")


def add_a_foreign_link(workspace: Path) -> None:
    workspace.mkdir()
    (workspace / "old").symlink_to(workspace.parent)


def add_a_folder_of_a_name_of_ours(workspace: Path) -> None:
    (workspace / "new").mkdir(parents=True)
    (workspace / "new" / "notes.txt").write_text("ours", encoding="utf-8")


def add_a_file(workspace: Path) -> None:
    workspace.write_text("ours", encoding="utf-8")


def add_a_link(workspace: Path) -> None:
    (workspace.parent / "ours").mkdir()
    workspace.symlink_to("ours")


@pytest.mark.parametrize(
    "add",
    [
        add_a_foreign_file,
        add_a_foreign_link,
        add_a_folder_of_a_name_of_ours,
        add_a_file,
        add_a_link,
    ],
    ids=lambda add: add.__name__,
)
def test_something_of_the_user_in_the_place_of_the_workspace_is_not_removed(
    tmp_path: Path, add: Callable[[Path], None]
) -> None:
    add(tmp_path / WORKSPACE)
    before = sorted(tmp_path.rglob("*"))
    assert "move it to vendor here" in rejection(tmp_path, force="1")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_creates_a_folder_again_that_another_run_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "service" / "_vendor"
    flock = fcntl.flock
    removals: list[Path] = []

    def remove_first(descriptor: int, operation: int) -> None:
        # While this run waits for the lock, the other one fails, and removes its empty folder.
        if not removals:
            folder.rmdir()
            folder.parent.rmdir()
            removals.append(folder)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    assert verify(vendor(folder)).returncode == 0
    assert removals == [folder]


def test_a_folder_that_disappears_all_the_time_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "service"

    def remove(descriptor: int, operation: int) -> None:
        folder.rmdir()

    monkeypatch.setattr(fcntl, "flock", remove)
    assert "disappears all the time" in rejection(folder)


def test_a_file_system_without_locks_is_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", fail)
    assert verify(vendor(tmp_path / "service")).returncode == 0


def test_a_run_locks_the_destination_and_releases_it(tmp_path: Path) -> None:
    with locks.locked_folder(tmp_path):
        descriptor = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_a_run_that_waits_for_another_one_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    flock = fcntl.flock
    operations: list[int] = []

    def end_the_other_run(lock_descriptor: int, operation: int) -> None:
        # The run tries first, and waits then.
        if operations:
            os.close(descriptor)
        operations.append(operation)
        flock(lock_descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", end_the_other_run)
    result = run_vendor(tmp_path)
    assert (result.returncode, result.stderr) == (
        0,
        f"Another run changes {tmp_path}. This run waits until it ends.\n",
    )
    assert operations == [fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_EX]


def test_a_destination_in_a_copy_is_rejected(tmp_path: Path) -> None:
    copy = vendor(tmp_path)
    before = tree(tmp_path)
    for folder in (copy, copy / "_runtime", copy / "new" / "folder"):
        message = rejection(folder)
        assert f"{copy} is a copy or a source of the package" in message
        assert f"such as {tmp_path}\n" in message
    assert tree(tmp_path) == before


@pytest.mark.parametrize("arguments", [[], ["vendor"], ["unknown"], ["vendor", "a", "b"]])
def test_wrong_usage_is_reported_by_the_parser(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert "usage: python -m leadconnector" in capsys.readouterr().err


def test_an_empty_destination_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vendor", ""]) == 2
    assert "the destination is empty" in capsys.readouterr().err
