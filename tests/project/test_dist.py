"""`make dist`: reproducible archives, and an unpacked sdist that works like a checkout."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from project import dist
from project.dist import PROJECTS, DistError
from project.sources import (
    REVISION_FILE,
    SourcesError,
    copy_sources,
    has_uncommitted_changes,
    record_revision,
)

from tests.support.make import clean_environment
from tests.support.paths import ROOT

TIMEOUT = 300
"""Seconds. A target takes much less; the limit keeps a failing test from hanging."""

BIN = f"BIN={Path(sys.executable).parent}"
"""The variable of the Makefile for the environment of this test."""


PROJECT_WITH_TESTS = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "service"
version = "1"
readme = "README.md"

[tool.hatch.build.targets.wheel]
packages = ["service", "tests"]
"""
"""A defect that `check-wheel-contents` reports: it installs a package called `tests`."""


def packages_path(checkout: Path) -> str:
    """The value of `PYTHONPATH` for the packages of a checkout."""
    return os.pathsep.join(str(checkout / folder) for folder in ("overrides", "tools"))


def make_in(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make with the environment of this test, and with the packages of a checkout."""
    return subprocess.run(
        ["make", *arguments, BIN, "DEV=", "DEMO="],
        cwd=checkout,
        env=clean_environment() | {"PYTHONPATH": packages_path(checkout)},
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )


def git(repository: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    command = ["git", "-C", str(repository), *identity, *arguments]
    result = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=60)
    return result.stdout.strip()


@pytest.fixture(scope="module")
def built(wheel_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout without git after `make dist`. It has an archive of an earlier version."""
    checkout = tmp_path_factory.mktemp("dist") / "checkout"
    shutil.copytree(wheel_source, checkout, symlinks=True)
    # The time and the permissions of a file differ from those in another checkout.
    os.utime(checkout / "README.md", (0, 0))
    (checkout / "spec" / "openapi.yaml").chmod(0o600)
    (checkout / "dist").mkdir()
    (checkout / "dist" / "leadconnector-0.0.1-py3-none-any.whl").touch()
    (checkout / "dist" / "notes.txt").touch()
    result = make_in(checkout, "dist")
    assert (result.returncode, result.stderr) == (0, "")
    (checkout / "output.txt").write_text(result.stdout, encoding="utf-8")
    return checkout


class TestBuild:
    def test_the_archives_have_the_same_bytes_as_those_of_another_checkout(
        self, built: Path, wheels: dict[str, Path], sdists: dict[str, Path]
    ) -> None:
        for archives in (wheels, sdists):
            for archive in archives.values():
                assert (built / "dist" / archive.name).read_bytes() == archive.read_bytes()

    def test_only_archives_of_earlier_builds_are_removed(
        self, built: Path, wheels: dict[str, Path], sdists: dict[str, Path]
    ) -> None:
        names = {archive.name for archive in [*wheels.values(), *sdists.values()]}
        assert {path.name for path in (built / "dist").iterdir()} == {*names, "notes.txt"}

    def test_the_output_lists_each_archive_with_its_size_and_hash(self, built: Path) -> None:
        lines = (built / "output.txt").read_text(encoding="utf-8").splitlines()
        assert len(lines) == 2 * len(PROJECTS)
        for line in lines:
            name, size, _, _, digest = line.split()
            data = (built / name).read_bytes()
            assert size == f"{len(data):,}"
            assert digest == hashlib.sha256(data).hexdigest()

    def test_the_times_in_the_archives_are_those_of_the_environment(
        self, wheel_source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        sdist = dist.build(wheel_source, tmp_path / "sdist", "sdist")
        wheel = dist.build(wheel_source, tmp_path / "wheel", "wheel")
        with tarfile.open(sdist) as archive:
            assert {member.mtime for member in archive.getmembers()} == {1700000000}
        with zipfile.ZipFile(wheel) as archive:
            # 2023-11-14 22:13:20 UTC.
            times = {info.date_time for info in archive.infolist()}
        assert times == {(2023, 11, 14, 22, 13, 20)}

    def test_a_failed_build_changes_nothing(self, wheel_source: Path, tmp_path: Path) -> None:
        checkout = Path(shutil.copytree(wheel_source, tmp_path / "checkout", symlinks=True))
        (checkout / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
        (checkout / "dist").mkdir()
        earlier = checkout / "dist" / "specdrift-0.0.1.tar.gz"
        earlier.touch()

        result = make_in(checkout, "dist")

        assert (result.returncode, result.stdout) == (2, "")
        assert "make dist: hatchling failed; its output is above, and dist/ is unchanged\n" in (
            result.stderr
        )
        # The reason, from the build backend.
        assert "`project.version`" in result.stderr
        assert list((checkout / "dist").iterdir()) == [earlier]

    def test_a_wheel_with_a_defect_is_rejected(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        project = tmp_path / "project"
        project.mkdir()
        (project / "pyproject.toml").write_text(PROJECT_WITH_TESTS, encoding="utf-8")
        (project / "README.md").write_text("# Service", encoding="utf-8")
        for package in ("service", "tests"):
            (project / package).mkdir()
            (project / package / "__init__.py").touch()
        wheel = dist.build(project, tmp_path / "wheel", "wheel")

        with pytest.raises(DistError, match="check_wheel_contents failed"):
            dist.check([wheel])
        assert "tests" in capsys.readouterr().err

    @pytest.mark.skipif(
        not hasattr(tarfile, "data_filter"), reason="tarfile of this Python has no filters"
    )
    def test_an_sdist_with_a_link_out_of_its_folder_is_not_unpacked(self, tmp_path: Path) -> None:
        sdist = tmp_path / "a-1.tar.gz"
        with tarfile.open(sdist, "w:gz") as archive:
            link = tarfile.TarInfo("a-1/link")
            link.type = tarfile.SYMTYPE
            link.linkname = "../../outside"
            archive.addfile(link)

        with pytest.raises(tarfile.LinkOutsideDestinationError):
            dist.unpack(sdist, tmp_path / "target")


class TestSources:
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        """A git repository with a file, a link and an ignored file."""
        folder = tmp_path / "a repository"
        folder.mkdir()
        (folder / ".gitignore").write_text("/dist/\n__pycache__/\n", encoding="utf-8")
        (folder / "file äöü.txt").write_text("committed", encoding="utf-8")
        (folder / "removed.txt").touch()
        (folder / "link").symlink_to("nowhere")
        git(folder, "init", "--quiet")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", "Add files")
        (folder / "dist").mkdir()
        (folder / "dist" / "archive.tar.gz").touch()
        return folder

    def test_tracked_files_are_copied_as_they_are_in_the_working_tree(
        self, repository: Path, tmp_path: Path
    ) -> None:
        (repository / "file äöü.txt").write_text("changed", encoding="utf-8")
        (repository / "removed.txt").unlink()
        (repository / "untracked-secret.txt").touch()

        copy = copy_sources(repository, tmp_path / "copy")

        names = {path.name for path in copy.iterdir()}
        assert names == {".gitignore", "file äöü.txt", "link"}
        assert (copy / "file äöü.txt").read_text(encoding="utf-8") == "changed"
        assert os.readlink(copy / "link") == "nowhere"

    def test_a_linked_worktree_is_a_checkout_too(self, repository: Path, tmp_path: Path) -> None:
        worktree = tmp_path / "worktree"
        git(repository, "worktree", "add", "--quiet", str(worktree))
        (worktree / "untracked.txt").touch()

        copy = copy_sources(worktree, tmp_path / "copy")

        assert (copy / "removed.txt").exists()
        assert not (copy / "untracked.txt").exists()
        assert not (copy / ".git").exists()

    def test_without_git_the_files_that_are_not_ignored_are_copied(
        self, repository: Path, tmp_path: Path
    ) -> None:
        shutil.rmtree(repository / ".git")
        (repository / "PKG-INFO").touch()
        (repository / "folder" / "__pycache__").mkdir(parents=True)
        # A package of the client can have the name of a folder in the root.
        (repository / "folder" / "dist").mkdir()

        copy = copy_sources(repository, tmp_path / "copy")

        names = {str(path.relative_to(copy)) for path in copy.rglob("*")}
        assert names == {
            ".gitignore",
            "file äöü.txt",
            "folder",
            "folder/dist",
            "link",
            "removed.txt",
        }
        assert not has_uncommitted_changes(repository)

    @pytest.mark.parametrize("name", ["build", "dist"])
    def test_git_ignores_outputs_in_the_root_and_no_package_of_that_name(
        self, tmp_path: Path, name: str
    ) -> None:
        git(tmp_path, "init", "--quiet")
        shutil.copy(ROOT / ".gitignore", tmp_path)
        files = [f"{name}/file.py", f"generated/api/{name}/file.py", f"overrides/{name}/file.py"]
        command = ["git", "check-ignore", "--no-index", *files]

        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

        assert (result.stdout, result.stderr) == (f"{name}/file.py\n", "")

    def test_changes_of_tracked_files_are_uncommitted_changes(self, repository: Path) -> None:
        (repository / "untracked.txt").touch()
        assert not has_uncommitted_changes(repository)
        (repository / "removed.txt").unlink()
        assert has_uncommitted_changes(repository)

    def test_a_repository_that_git_rejects_is_an_error_with_its_reason(
        self, repository: Path, tmp_path: Path
    ) -> None:
        (repository / ".git" / "HEAD").unlink()

        with pytest.raises(SourcesError, match=r"git ls-files failed in .*: fatal: not a git"):
            copy_sources(repository, tmp_path / "copy")

    def test_without_the_program_git_the_message_says_what_needs_it(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(SourcesError, match="git is not installed"):
            copy_sources(repository, tmp_path / "copy")


class TestRevision:
    @pytest.fixture
    def repository(self, wheel_source: Path, tmp_path: Path) -> Path:
        """A repository with this project as its only commit."""
        folder = Path(shutil.copytree(wheel_source, tmp_path / "project", symlinks=True))
        git(folder, "init", "--quiet")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", "Add files")
        return folder

    def test_the_distributions_of_the_client_name_the_commit(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The other distributions do not name it.
        monkeypatch.setattr(dist, "PROJECTS", {"leadconnector": "."})
        commit = git(repository, "rev-parse", "HEAD")
        (tmp_path / "archives").mkdir()

        sdist, wheel = dist.build_all(repository, tmp_path / "archives")

        with tarfile.open(sdist) as archive:
            file = archive.extractfile(f"{sdist.name.removesuffix('.tar.gz')}/{REVISION_FILE}")
            assert file is not None
            assert file.read().decode() == f"{commit}\n"
        with zipfile.ZipFile(wheel) as archive:
            manifest = json.loads(archive.read("leadconnector/_manifest.json"))
        assert manifest["revision"] == commit
        # A wheel that is built in the repository has the same bytes.
        assert dist.build(repository, tmp_path / "wheel", "wheel").read_bytes() == (
            wheel.read_bytes()
        )

    def test_uncommitted_changes_are_part_of_the_revision(
        self, repository: Path, tmp_path: Path
    ) -> None:
        (repository / "README.md").write_text("changed", encoding="utf-8")
        copy = copy_sources(repository, tmp_path / "copy")

        record_revision(repository, copy)

        revision = (copy / REVISION_FILE).read_text(encoding="ascii")
        assert revision == f"{git(repository, 'rev-parse', 'HEAD')}+modified\n"

    def test_a_copy_of_an_archive_keeps_its_revision(self, tmp_path: Path) -> None:
        archive = tmp_path / "archive"
        (archive / REVISION_FILE).parent.mkdir(parents=True)
        (archive / REVISION_FILE).write_text("0123", encoding="ascii")
        (archive / ".gitignore").touch()
        copy = copy_sources(archive, tmp_path / "copy")

        record_revision(archive, copy)

        assert (copy / REVISION_FILE).read_text(encoding="ascii") == "0123"


class TestUnpackedSdist:
    @pytest.fixture
    def tree(self, trees: dict[str, Path], tmp_path: Path) -> Path:
        """The unpacked sdist of the client, which contains the repository but no `.git`."""
        return Path(shutil.copytree(trees["leadconnector"], tmp_path / "tree", symlinks=True))

    def test_the_demo_runs(self, tree: Path) -> None:
        result = make_in(tree, "demo")

        assert (result.returncode, result.stderr) == (0, "")
        assert "generated: up to date" in result.stdout
        assert "after   starred=True  unreadCount=0" in result.stdout

    def test_tests_run(self, tree: Path) -> None:
        result = make_in(tree, "test", "TESTS=tests/project/test_requirements.py")

        assert (result.returncode, result.stderr) == (0, "")
        assert " passed" in result.stdout
