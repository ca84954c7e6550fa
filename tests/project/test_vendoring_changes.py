"""Local changes of a copy: they are found, never lost, and saved in a form that can be applied."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import io
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leadconnector._command_line import main
from leadconnector._vendoring.manifest import Manifest, parse, render, sha256
from leadconnector._vendoring.saving import save
from leadconnector._vendoring.source import PACKAGE_FOLDER, Source
from leadconnector._vendoring.swap import Workspace
from leadconnector._vendoring.verification import local_changes

from tests.support.vendoring import (
    WORKSPACE,
    copy_sources,
    rejection,
    run,
    run_command_of,
    run_vendor,
    set_version,
    tree,
    vendor,
    verify,
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy in the folder of a service."""
    return vendor(tmp_path / "service")


@pytest.fixture
def newer_checkout(tmp_path: Path) -> Path:
    """A checkout of a newer version."""
    checkout = copy_sources(tmp_path / "newer")
    set_version(checkout, "9.0.0")
    return checkout


def edit(copy: Path) -> None:
    with (copy / "client.py").open("a", encoding="utf-8") as file:
        file.write("# ours\n")


def add(copy: Path) -> None:
    (copy / "extra").mkdir()
    (copy / "extra" / "notes.txt").write_text("ours\n", encoding="utf-8")


def add_hidden(copy: Path) -> None:
    (copy / ".notes").write_text("ours\n", encoding="utf-8")


def add_beside_compiled_modules(copy: Path) -> None:
    (copy / "__pycache__").mkdir()
    for name in ("my.pyc.txt", "notes.txt"):
        (copy / "__pycache__" / name).write_text("ours\n", encoding="utf-8")


def remove(copy: Path) -> None:
    (copy / "models.py").unlink()


def remove_the_license(copy: Path) -> None:
    (copy / "LICENSE").unlink()


def empty(copy: Path) -> None:
    (copy / "client.py").write_bytes(b"")


def replace_by_a_link(copy: Path) -> None:
    data = (copy / "client.py").read_bytes()
    (copy.parent / "client.py").write_bytes(data)
    (copy / "client.py").unlink()
    (copy / "client.py").symlink_to("../client.py")


def replace_by_a_folder(copy: Path) -> None:
    (copy / "client.py").unlink()
    (copy / "client.py").mkdir()
    (copy / "client.py" / "__init__.py").write_text("ours = True\n", encoding="utf-8")


def edit_the_manifest(copy: Path) -> None:
    path = copy / "_manifest.json"
    path.write_text(path.read_text().replace('"version": "', '"version": "1'), encoding="utf-8")


def add_a_binary_file(copy: Path) -> None:
    (copy / "logo.png").write_bytes(b"\x89PNG\0\xff")


CHANGES: dict[Callable[[Path], None], list[str]] = {
    edit: ["edited: client.py"],
    add: ["added: extra/notes.txt"],
    add_hidden: ["added: .notes"],
    add_beside_compiled_modules: [
        "added: __pycache__/my.pyc.txt",
        "added: __pycache__/notes.txt",
    ],
    remove: ["missing: models.py"],
    remove_the_license: ["missing: LICENSE"],
    empty: ["edited: client.py"],
    replace_by_a_link: ["edited: client.py"],
    replace_by_a_folder: ["added: client.py/__init__.py", "missing: client.py"],
    edit_the_manifest: ["edited: _manifest.json"],
    add_a_binary_file: ["added: logo.png"],
}
each_change = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)


def test_an_unchanged_copy_verifies_and_prints_its_origin(copy: Path) -> None:
    result = run_command_of(copy, "verify")
    assert (result.returncode, result.stderr) == (0, "")
    manifest = json.loads((copy / "_manifest.json").read_bytes())
    count = len(manifest["files"]) + 1
    assert result.stdout == (
        f"leadconnector {manifest['version']}: all {count} files are unchanged.\n"
    )
    contract = json.loads((copy / "_generated" / "contract.json").read_bytes())
    lines = run_command_of(copy, "version").stdout.splitlines()
    assert lines == [
        f"leadconnector {manifest['version']}",
        f"revision: {manifest['revision'] or 'unknown'}",
        f"API version: {contract['api_version']}",
        f"spec: sha256 {contract['spec_sha256']}",
        *(f"generated with: {name} {v}" for name, v in contract["generated_with"].items()),
    ]


@each_change
def test_each_change_is_listed_and_not_overwritten(
    copy: Path, change: Callable[[Path], None]
) -> None:
    change(copy)
    before = tree(copy.parent)
    result = verify(copy)
    assert (result.returncode, result.stdout.splitlines(), result.stderr) == (
        1,
        CHANGES[change],
        "",
    )
    message = rejection(copy.parent)
    assert f"{copy} has local changes, so it was not changed:" in message
    assert "--force (make: FORCE=1)" in message
    assert [line.strip() for line in message.splitlines()[1:-1]] == CHANGES[change]
    assert tree(copy.parent) == before


@each_change
def test_with_force_each_change_is_saved_and_the_copy_is_new(
    copy: Path, change: Callable[[Path], None]
) -> None:
    expected = tree(copy)
    change(copy)
    changed = tree(copy)
    vendor(copy.parent, force="1")
    assert tree(copy) == expected
    assert verify(copy).returncode == 0
    restore(copy, ["git", "apply"])
    assert tree(copy) == changed


def restore(copy: Path, program: list[str]) -> None:
    """Do what the output says: apply the patch, and move the other files into their places."""
    folder = copy.parent
    patch = folder / "leadconnector-changes.patch"
    if patch.exists():
        # Outside of a repository, git applies a patch in the current folder.
        result = run(*program, patch.name, cwd=folder, GIT_CEILING_DIRECTORIES=str(folder.parent))
        assert result.returncode == 0, result.stdout + result.stderr
    files = folder / "leadconnector-changes" / "leadconnector"
    for parent, _, names in os.walk(files):
        for name in names:
            source = Path(parent, name)
            target = copy / source.relative_to(files)
            for parent_of_target in target.parents:
                # A patch cannot remove an empty or a binary file to make room for a folder.
                if parent_of_target.is_file():
                    parent_of_target.unlink()
            if target.is_dir():
                shutil.rmtree(target)
            target.unlink(missing_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source, target)


PATCH_PROGRAMS = [["git", "apply"], ["patch", "-p1", "--quiet", "--input"]]


@pytest.mark.parametrize("program", PATCH_PROGRAMS, ids=["git", "patch"])
def test_the_patch_applies_to_a_newer_version(
    copy: Path, newer_checkout: Path, program: list[str]
) -> None:
    for change in (edit, add, remove):
        change(copy)
    result = run_vendor(copy.parent, newer_checkout, force="1")
    assert (result.returncode, result.stderr.splitlines()) == (
        0,
        [
            f"Local changes are saved in {copy.parent}/leadconnector-changes.patch."
            f" To apply them to the new copy: cd {copy.parent} &&"
            " patch -p1 < leadconnector-changes.patch"
        ],
    )
    assert verify(copy).returncode == 0
    restore(copy, program)
    assert verify(copy).stdout.splitlines() == [
        "edited: client.py",
        "added: extra/notes.txt",
        "missing: models.py",
    ]
    assert "9.0.0" in (copy / "_version.py").read_text(encoding="utf-8")


def test_the_patch_names_files_that_the_new_version_changes_too(
    copy: Path, newer_checkout: Path
) -> None:
    with (newer_checkout / "overrides" / "leadconnector" / "client.py").open("a") as file:
        file.write("# newer\n")
    edit(copy)
    edited = (copy / "client.py").read_bytes()
    vendor(copy.parent, newer_checkout, force="1")
    patch = (copy.parent / "leadconnector-changes.patch").read_text(encoding="utf-8")
    header = patch.partition("--- ")[0]
    assert "Both the local changes and the new version change these files." in header
    assert "\n  client.py\n" in header
    restore(copy, ["git", "apply"])
    assert (copy / "client.py").read_bytes() == edited


def remove_everything(copy: Path) -> None:
    shutil.rmtree(copy)


def set_version_of_copy(copy: Path, version: str) -> Path:
    """Make an unchanged copy one of another version. This is faster than another checkout."""
    manifest = parse((copy / "_manifest.json").read_bytes())
    data = f'__version__ = "{version}"\n'.encode()
    (copy / "_version.py").write_bytes(data)
    files = {**manifest.files, "_version.py": sha256(data)}
    changed_manifest = dataclasses.replace(manifest, version=version, files=files)
    (copy / "_manifest.json").write_bytes(render(changed_manifest))
    return copy


class TestChangesDuringTheReport:
    """The report of an upgrade takes seconds. Nothing that is changed meanwhile is lost."""

    @pytest.fixture
    def older_copy(self, copy: Path) -> Path:
        """A copy of another version than that of this process."""
        return set_version_of_copy(copy, "0.0.1")

    @staticmethod
    def run(copy: Path, change: Callable[[Path], None], *options: str) -> tuple[int, str]:
        """Vendor, and change the copy when the report is asked for."""

        def report() -> bool:
            change(copy)
            return True

        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            status = main(["vendor", *options, str(copy.parent)], may_replace=report)
        return status, errors.getvalue()

    @each_change
    def test_without_force_the_copy_with_the_change_stays(
        self, older_copy: Path, change: Callable[[Path], None]
    ) -> None:
        twin = older_copy.parents[1] / "twin" / "leadconnector"
        shutil.copytree(older_copy, twin)
        change(twin)
        status, message = self.run(older_copy, change)
        assert status == 2
        if change is edit_the_manifest:
            assert f"{older_copy} changed while this program ran" in message
        else:
            assert f"{older_copy} has local changes, so it was not changed:" in message
            assert [line.strip() for line in message.splitlines()[1:-1]] == CHANGES[change]
        assert tree(older_copy.parent) == tree(twin.parent)
        assert not (older_copy.parent / WORKSPACE).exists()

    @each_change
    def test_with_force_the_change_is_saved_or_stays(
        self, older_copy: Path, change: Callable[[Path], None]
    ) -> None:
        add_before = older_copy / "before.txt"
        add_before.write_text("ours\n", encoding="utf-8")
        twin = older_copy.parents[1] / "twin" / "leadconnector"
        shutil.copytree(older_copy, twin)
        change(twin)
        status, message = self.run(older_copy, change, "--force")
        if change is edit_the_manifest:
            assert (status, tree(older_copy)) == (2, tree(twin))
            assert f"{older_copy} changed while this program ran" in message
            return
        assert status == 0
        assert verify(older_copy).returncode == 0
        restore(older_copy, ["git", "apply"])
        changed = tree(twin)
        for name in [*(line.partition(": ")[2] for line in CHANGES[change]), "before.txt"]:
            assert tree(older_copy).get(name) == changed.get(name)

    def test_a_changed_file_that_disappears_is_no_change(self, older_copy: Path) -> None:
        temporary_file = older_copy / "tmp.swp"
        temporary_file.write_text("an editor\n", encoding="utf-8")
        status, message = self.run(older_copy, lambda _: temporary_file.unlink(), "--force")
        assert (status, message) == (0, "")
        assert verify(older_copy).returncode == 0

    def test_a_copy_that_disappears_is_written(self, older_copy: Path) -> None:
        assert self.run(older_copy, remove_everything) == (0, "")
        assert verify(older_copy).returncode == 0

    def test_a_copy_of_another_version_stays(self, older_copy: Path) -> None:
        other = set_version_of_copy(vendor(older_copy.parents[1] / "other"), "0.0.2")
        expected = tree(other)

        def exchange(copy: Path) -> None:
            shutil.rmtree(copy)
            other.rename(copy)

        status, message = self.run(older_copy, exchange)
        assert status == 2
        assert f"{older_copy} changed while this program ran" in message
        assert tree(older_copy) == expected

    def test_a_link_in_the_place_of_the_copy_stays(self, older_copy: Path) -> None:
        moved = older_copy.with_name("moved")

        def link(copy: Path) -> None:
            copy.rename(moved)
            copy.symlink_to("moved")

        status, message = self.run(older_copy, link, "--force")
        assert status == 2
        assert f"{older_copy} is a link, not a copy" in message
        assert os.readlink(older_copy) == "moved"
        assert moved.is_dir()


def test_saved_changes_of_earlier_runs_are_not_overwritten(copy: Path) -> None:
    for number in range(3):
        (copy / "client.py").write_text(f"number = {number}\n", encoding="utf-8")
        (copy / "logo.png").write_bytes(bytes([0, number]))
        vendor(copy.parent, force="1")
    names = ["leadconnector-changes", "leadconnector-changes-2", "leadconnector-changes-3"]
    for number, name in enumerate(names):
        assert f"+number = {number}\n" in (copy.parent / f"{name}.patch").read_text()
        saved_image = copy.parent / name / "leadconnector" / "logo.png"
        assert saved_image.read_bytes() == bytes([0, number])


def test_the_mode_of_an_added_file_is_saved(copy: Path) -> None:
    for name, mode in (("run.sh", 0o755), ("logo.png", 0o600)):
        (copy / name).write_bytes(b"\0" if name == "logo.png" else b"#!/bin/sh\n")
        (copy / name).chmod(mode)
    vendor(copy.parent, force="1")
    restore(copy, ["git", "apply"])
    modes = [stat.S_IMODE((copy / name).stat().st_mode) for name in ("run.sh", "logo.png")]
    assert modes == [0o755, 0o600]


def test_the_patch_names_an_edited_manifest_that_the_new_version_changes_too(
    copy: Path, newer_checkout: Path
) -> None:
    edit_the_manifest(copy)
    vendor(copy.parent, newer_checkout, force="1")
    patch = (copy.parent / "leadconnector-changes.patch").read_text(encoding="utf-8")
    assert "\n  _manifest.json\n" in patch.partition("--- ")[0]


def test_the_patch_does_not_name_a_manifest_that_only_the_user_changes(copy: Path) -> None:
    edit_the_manifest(copy)
    vendor(copy.parent, force="1")
    patch = (copy.parent / "leadconnector-changes.patch").read_text(encoding="utf-8")
    assert "_manifest.json" not in patch.partition("--- ")[0]


def test_force_without_changes_saves_nothing(copy: Path) -> None:
    vendor(copy.parent, force="1")
    assert [path.name for path in copy.parent.iterdir()] == ["leadconnector"]


def test_a_special_file_is_not_removed_even_with_force(copy: Path) -> None:
    os.mkfifo(copy / "pipe")
    before = sorted(copy.rglob("*"))
    message = rejection(copy.parent, force="1")
    assert f"{copy}/pipe is neither a file nor a link, so it cannot be saved" in message
    assert sorted(copy.rglob("*")) == before
    assert [path.name for path in copy.parent.iterdir()] == ["leadconnector"]
    assert verify(copy).stdout == "added: pipe\n"


def test_compiled_modules_and_caches_of_tools_are_no_changes(copy: Path) -> None:
    for name in ("__pycache__/client.cpython-311.pyc", "_runtime/.mypy_cache/x", ".ruff_cache/y"):
        (copy / name).parent.mkdir(parents=True)
        (copy / name).touch()
    assert verify(copy).returncode == 0


def test_the_mode_and_the_date_of_a_file_are_no_changes(copy: Path) -> None:
    (copy / "client.py").chmod(0o755)
    os.utime(copy / "client.py", (0, 0))
    assert verify(copy).returncode == 0


def test_changed_line_endings_have_a_hint(copy: Path) -> None:
    for name in ("client.py", "models.py"):
        (copy / name).write_bytes((copy / name).read_bytes().replace(b"\n", b"\r\n"))
    result = verify(copy)
    assert result.stdout.splitlines() == ["edited: client.py", "edited: models.py"]
    assert "2 of the edited files differ only in their line endings" in result.stderr
    assert "**/leadconnector/** -text" in result.stderr


def test_names_of_files_cannot_control_a_terminal(copy: Path) -> None:
    (copy / "a\n\x1b[31mb").touch()
    Path(os.fsdecode(os.fsencode(copy) + b"/caf\xe9")).touch()
    assert verify(copy).stdout.splitlines() == ["added: a\\n\\x1b[31mb", "added: caf\\udce9"]
    vendor(copy.parent, force="1")
    saved = os.listdir(os.fsencode(copy.parent / "leadconnector-changes" / "leadconnector"))
    assert sorted(saved) == [b"a\n\x1b[31mb", b"caf\xe9"]


DAMAGED_MANIFESTS = [
    b"",
    b"null",
    b"[]",
    b"\xff",
    b"[" * 100_000,
    b'{"format": 2}',
    b'{"format": 1}',
    b'{"format": 1, "name": 3}',
]


@pytest.mark.parametrize("data", DAMAGED_MANIFESTS, ids=range(len(DAMAGED_MANIFESTS)))
def test_a_damaged_manifest_is_reported_and_not_trusted(copy: Path, data: bytes) -> None:
    (copy / "_manifest.json").write_bytes(data)
    result = verify(copy)
    assert (result.returncode, result.stdout) == (1, "edited: _manifest.json\n")
    assert f"{copy} cannot be verified: _manifest.json" in result.stderr
    assert "vendor again with --force (make: FORCE=1)" in result.stderr
    assert "edited: _manifest.json" in rejection(copy.parent)
    vendor(copy.parent, force="1")
    assert verify(copy).returncode == 0


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\x", ".", "a//x"])
def test_a_manifest_cannot_name_a_file_outside_of_the_copy(copy: Path, name: str) -> None:
    manifest = json.loads((copy / "_manifest.json").read_bytes())
    manifest["files"][name] = "0" * 64
    (copy / "_manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    result = verify(copy)
    assert (result.returncode, result.stdout) == (1, "edited: _manifest.json\n")
    assert "is not the name of a file in the copy" in result.stderr


def replace_manifest_by_a_link(copy: Path) -> None:
    data = (copy / "_manifest.json").read_bytes()
    (copy.parent / "manifest.json").write_bytes(data)
    (copy / "_manifest.json").unlink()
    (copy / "_manifest.json").symlink_to("../manifest.json")


def replace_manifest_by_a_folder(copy: Path) -> None:
    (copy / "_manifest.json").unlink()
    (copy / "_manifest.json").mkdir()


def test_a_missing_manifest_is_reported(copy: Path) -> None:
    (copy / "_manifest.json").unlink()
    result = verify(copy)
    assert (result.returncode, result.stdout) == (1, "missing: _manifest.json\n")
    assert f"{copy} cannot be verified: _manifest.json is missing." in result.stderr
    assert "vendor again with --force (make: FORCE=1)" in result.stderr
    # Every other file is as in the new copy, so that nothing can be lost.
    vendor(copy.parent)
    assert verify(copy).returncode == 0


@pytest.mark.parametrize("name", ["models.py", "_runtime/http/pool.py", "LICENSE"])
def test_without_a_manifest_a_removed_file_is_a_change_too(copy: Path, name: str) -> None:
    (copy / "_manifest.json").unlink()
    (copy / name).unlink()
    before = tree(copy)

    message = rejection(copy.parent)

    assert f"  missing: {name}" in message
    assert tree(copy) == before
    vendor(copy.parent, force="1")
    assert verify(copy).returncode == 0
    patch = (copy.parent / "leadconnector-changes.patch").read_text(encoding="utf-8")
    assert f"--- a/leadconnector/{name}\n" in patch


PROBLEMS_OF_MANIFESTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"\n", "_manifest.json is empty"),
    "truncated": (b'{\n  "format": 1,\n  "na', "damaged or truncated: line 3 is not JSON"),
    "conflict": (b'{\n<<<<<<< ours\n  "format": 1', "damaged or truncated: line 2 is not JSON"),
    "newer": (b'{"format": 2}', "has the format 2 of a newer version of this project"),
    "older": (b'{"format": 0}', "does not have the format 1"),
}


@pytest.mark.parametrize("problem", PROBLEMS_OF_MANIFESTS)
def test_each_command_names_the_problem_of_a_manifest(copy: Path, problem: str) -> None:
    data, message = PROBLEMS_OF_MANIFESTS[problem]
    (copy / "_manifest.json").write_bytes(data)
    edit(copy)

    assert message in verify(copy).stderr
    version = run_command_of(copy, "version")
    assert (version.returncode, version.stdout) == (2, "")
    assert version.stderr.startswith(f"{copy}: _manifest.json ")
    assert message in version.stderr
    assert version.stderr.endswith("install or vendor the package again\n")
    rejected = rejection(copy.parent)
    assert f"{copy} has no valid _manifest.json (_manifest.json " in rejected
    assert message in rejected


@pytest.mark.parametrize("change", [replace_manifest_by_a_link, replace_manifest_by_a_folder])
def test_a_manifest_that_is_no_file_is_not_reported_as_missing(
    copy: Path, change: Callable[[Path], None]
) -> None:
    change(copy)
    result = verify(copy)
    assert (result.returncode, result.stdout) == (1, "edited: _manifest.json\n")
    assert "_manifest.json is a link, a folder or a special file" in result.stderr


@pytest.mark.parametrize("name", ["_manifest.json", "client.py"])
def test_a_file_that_cannot_be_read_is_named(
    copy: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root can read every file, so the permissions of a real file would not do.
    read_bytes = Path.read_bytes

    def rejected_read(path: Path) -> bytes:
        if path == copy / name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", rejected_read)
    result = verify(copy)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"{copy} cannot be verified: {copy / name} cannot be read: Permission denied."
        " Make it readable for this user, then verify again.\n"
    )


def test_the_source_of_a_checkout_is_no_copy_to_verify(tmp_path: Path) -> None:
    source = copy_sources(tmp_path / "checkout") / "overrides" / "leadconnector"
    for folder in (PACKAGE_FOLDER, source):
        result = verify(folder)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith(
            f"{folder} is the source of a checkout, not a copy that `vendor` made."
            " There is nothing to verify"
        )
        assert "To verify a copy, run its own program" in result.stderr
        [_] = result.stderr.splitlines()


def test_an_installed_package_verifies_itself_and_is_installed_again_if_damaged(
    copy: Path,
) -> None:
    # pip leaves the metadata beside the package.
    (copy.parent / "leadconnector-0.1.0.dist-info").mkdir()
    assert verify(copy).returncode == 0

    (copy / "_manifest.json").unlink()

    result = verify(copy)
    assert (result.returncode, result.stdout) == (1, "missing: _manifest.json\n")
    assert result.stderr.endswith("Install the package again: pip install --force-reinstall.\n")


def test_a_package_in_an_archive_is_not_reported_as_damaged(tmp_path: Path) -> None:
    result = verify(tmp_path / "service.zip" / "leadconnector")
    assert (result.returncode, result.stdout) == (2, "")
    assert "where it cannot be verified: unpack the archive" in result.stderr


@pytest.mark.parametrize("command", ["version", "verify"])
def test_a_reader_that_has_enough_is_no_error(copy: Path, command: str) -> None:
    receiver, sender = os.pipe()
    os.close(receiver)
    result = subprocess.run(
        [sys.executable, "-S", "-B", "-m", "leadconnector", command],
        cwd=copy.parent,
        stdout=sender,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(sender)
    assert (result.returncode, result.stderr) == (141, b"")


def test_a_copy_of_a_version_without_manifests_is_recognised(copy: Path, tmp_path: Path) -> None:
    for name in ("_manifest.json", "LICENSE", "__main__.py"):
        (copy / name).unlink()
    shutil.rmtree(copy / "_vendoring")
    edit(copy)
    before = tree(copy)
    message = rejection(copy.parent)
    assert "has no valid _manifest.json, so its local changes are unknown" in message
    assert "  edited: client.py" in message
    assert tree(copy) == before
    vendor(copy.parent, force="1")
    assert verify(copy).returncode == 0
    assert "+# ours\n" in (copy.parent / "leadconnector-changes.patch").read_text()


@pytest.mark.parametrize("name", ["_vendoring/source.py", "_vendoring", "__main__.py"])
def test_a_copy_with_a_link_into_another_copy_verifies_itself(
    copy: Path, tmp_path: Path, name: str
) -> None:
    other = vendor(tmp_path / "other")
    (copy / name).rename(tmp_path / "moved")
    (copy / name).symlink_to(other / name)
    edit(copy)
    result = run_command_of(copy, "verify")
    assert result.returncode == 1
    assert "edited: client.py" in result.stdout.splitlines()
    assert {f"edited: {name}", f"added: {name}"} & set(result.stdout.splitlines())


def test_a_copy_behind_a_link_verifies(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    link = tmp_path / "linked" / "leadconnector"
    link.symlink_to(copy)
    result = run_command_of(link, "verify")
    assert (result.returncode, result.stderr) == (0, "")


def test_a_changed_copy_is_not_copied_further(copy: Path, tmp_path: Path) -> None:
    intact = run_command_of(copy, "vendor", str(tmp_path / "further"))
    assert (intact.returncode, intact.stderr) == (0, "")
    assert tree(tmp_path / "further" / "leadconnector") == tree(copy)
    edit(copy)
    result = run_command_of(copy, "vendor", str(tmp_path / "again"))
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{copy} was changed, so it cannot be copied:\n  edited: client.py" in result.stderr
    assert not (tmp_path / "again").exists()


class TestLinks:
    """Links are never followed out of the tree, and their targets are never changed."""

    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        folder = tmp_path / "outside"
        (folder / "leadconnector").mkdir(parents=True)
        (folder / "leadconnector" / "important.txt").write_text("important", encoding="utf-8")
        return folder

    @pytest.mark.parametrize("force", ["", "1"])
    def test_a_link_in_the_place_of_the_copy_is_not_followed(
        self, outside: Path, tmp_path: Path, force: str
    ) -> None:
        (tmp_path / "service").mkdir()
        (tmp_path / "service" / "leadconnector").symlink_to(outside / "leadconnector")
        before = tree(tmp_path)
        assert "is a link, not a copy" in rejection(tmp_path / "service", force=force)
        assert tree(tmp_path) == before

    @pytest.mark.parametrize("name", ["_vendor", "app/_vendor", "app/_vendor/deeper"])
    @pytest.mark.parametrize("is_relative", [False, True])
    def test_a_link_out_of_its_folder_in_the_destination_is_not_followed(
        self, outside: Path, tmp_path: Path, name: str, is_relative: bool
    ) -> None:
        link = tmp_path / "service" / name.removesuffix("/deeper")
        link.parent.mkdir(parents=True)
        link.symlink_to(os.path.relpath(outside, link.parent) if is_relative else outside)
        before = tree(tmp_path)
        message = rejection(tmp_path / "service" / name)
        assert f"{link} is a link that leads to {outside}, out of its folder" in message
        assert tree(tmp_path) == before

    def test_a_link_to_a_folder_beside_it_may_be_in_the_destination(self, tmp_path: Path) -> None:
        (tmp_path / "releases" / "1").mkdir(parents=True)
        (tmp_path / "current").symlink_to("releases/1")
        copy = vendor(tmp_path / "current" / "_vendor")
        assert verify(copy).returncode == 0
        assert (tmp_path / "releases" / "1" / "_vendor" / "leadconnector").is_dir()

    @pytest.mark.parametrize("target", ["missing", "link"])
    def test_a_link_that_leads_nowhere_is_rejected(self, tmp_path: Path, target: str) -> None:
        (tmp_path / "link").symlink_to(target)
        assert "is a link that leads nowhere" in rejection(tmp_path / "link")
        assert [path.name for path in tmp_path.iterdir()] == ["link"]

    def test_dots_after_a_link_mean_the_parent_of_its_target(self, tmp_path: Path) -> None:
        (tmp_path / "real" / "inner").mkdir(parents=True)
        (tmp_path / "link").symlink_to("real/inner")
        result = run_vendor("link/../copies", tmp_path, force="")
        assert result.returncode != 0
        checkout = copy_sources(tmp_path / "checkout")
        (checkout / "real" / "inner").mkdir(parents=True)
        (checkout / "link").symlink_to("real/inner")
        vendor("link/../copies", checkout)
        assert (checkout / "real" / "copies" / "leadconnector").is_dir()

    def test_links_in_a_copy_are_removed_and_their_targets_are_not(
        self, copy: Path, outside: Path
    ) -> None:
        shutil.rmtree(copy / "_runtime")
        (copy / "_runtime").symlink_to(outside)
        (copy / "http").symlink_to(outside / "leadconnector" / "important.txt")
        assert "added: _runtime\n" in rejection(copy.parent)
        vendor(copy.parent, force="1")
        assert verify(copy).returncode == 0
        assert tree(outside) == {"leadconnector/important.txt": b"important"}
        saved = copy.parent / "leadconnector-changes" / "leadconnector"
        assert os.readlink(saved / "_runtime") == str(outside)

    @pytest.mark.parametrize("name", ["leadconnector/link.py", "leadconnector/_runtime/link"])
    def test_a_link_in_the_source_is_rejected(
        self, outside: Path, tmp_path: Path, name: str
    ) -> None:
        checkout = copy_sources(tmp_path / "checkout")
        (checkout / "overrides" / name).symlink_to(outside / "leadconnector" / "important.txt")
        message = rejection(tmp_path / "service", checkout)
        assert "is a link or a special file, which is not copied: remove it" in message
        assert not (tmp_path / "service").exists()

    def test_the_link_to_the_generated_code_must_lead_to_it(
        self, outside: Path, tmp_path: Path
    ) -> None:
        checkout = copy_sources(tmp_path / "checkout")
        link = checkout / "overrides" / "leadconnector" / "_generated"
        link.unlink()
        link.symlink_to(outside)
        message = rejection(tmp_path / "service", checkout)
        assert f"leads to {outside} instead of ../../generated" in message
        shutil.rmtree(checkout / "generated")
        (checkout / "generated").symlink_to(outside)
        assert "leads to" in rejection(tmp_path / "service", checkout)
        assert not (tmp_path / "service").exists()


# Text that a patch could confuse with its own syntax, line ends of other systems, and no text.
PIECES = [b"a\n", b"b\n", b"-- c\n", b"++ d\n", b"@@ -1 +1 @@\n", b"x\r\n", b"\r", b"\f\n", b"end"]
CONTENTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
    st.just("ü\n".encode()),
    st.sampled_from([b"\0", b"\xff\n"]),
)
NAMES = [
    *("a.py", "b c.txt", "folder/x.py", "folder/y z", "folder", "-- a", "a.py/x"),
    *("ümlaut", 'quote"', "back\\slash", "tab\tname", "new\nline", " a", "a "),
]
TREES = st.dictionaries(st.sampled_from(NAMES), CONTENTS, max_size=5)


def is_possible(files: dict[str, bytes]) -> bool:
    """Whether no name is both a file and a folder."""
    return not any(other.startswith(f"{name}/") for name in files for other in files)


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("program", PATCH_PROGRAMS, ids=["git", "patch"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(base=TREES.filter(is_possible), changed=TREES.filter(is_possible))
def test_every_saved_change_can_be_restored(
    tmp_path: Path, program: list[str], base: dict[str, bytes], changed: dict[str, bytes]
) -> None:
    folder = tmp_path / "service"
    shutil.rmtree(folder, ignore_errors=True)
    copy = folder / "leadconnector"
    folder.mkdir()
    write_files(copy, changed)
    hashes = {name: sha256(data) for name, data in base.items()}
    manifest = Manifest("leadconnector", "1", None, "1", "", {}, hashes)
    source = Source(manifest, base)
    workspace = Workspace(copy)
    workspace.prepare(base)
    changes = local_changes(copy, manifest)
    listed = [name for name in changes.missing if name != "_manifest.json"]

    copy.rename(workspace.old)
    save(workspace, dataclasses.replace(changes, missing=tuple(listed)), source, manifest)

    write_files(copy, base)
    restore(copy, program)
    # Some files cannot be removed by a patch: empty and binary ones, and those with unusual names.
    # Nothing of them is lost.
    assert changed.items() <= tree(copy).items()
    assert tree(copy).keys() <= changed.keys() | {
        name for name in base if not is_removable(name, base[name])
    }


def is_removable(name: str, data: bytes) -> bool:
    return name in {"a.py", "folder/x.py", "folder", "a.py/x"} and is_text(data)


def is_text(data: bytes) -> bool:
    return bool(data) and data not in {b"\0", b"\xff\n"}
