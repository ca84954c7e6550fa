"""What is vendored: the same bytes from every form of the project, or nothing at all."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project.dist import extract, unpack

from tests.support.environments import build, copy_checkout
from tests.support.paths import ROOT
from tests.support.vendoring import (
    copy_sources,
    rejection,
    run,
    run_command_of,
    run_program,
    set_version,
    tree,
    vendor,
    verify,
)

NOBODY = 65534
"""The user id that owns nothing, on Linux and macOS."""


def git(*arguments: str, cwd: Path) -> str:
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    result = run("git", *settings, *arguments, cwd=cwd)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def commit_all(root: Path) -> str:
    """Commit every file, and return the name of the commit."""
    if not (root / ".git").exists():
        git("init", "--quiet", cwd=root)
    git("add", "--all", cwd=root)
    git("commit", "--quiet", "--message=One", cwd=root)
    return git("rev-parse", "HEAD", cwd=root)


def revision(copy: Path) -> str | None:
    manifest = json.loads((copy / "_manifest.json").read_bytes())
    value: str | None = manifest["revision"]
    return value


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with this project as its only commit."""
    root = copy_checkout(tmp_path_factory.mktemp("repository") / "project")
    commit_all(root)
    return root


@pytest.fixture(scope="module")
def expected(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a copy from the repository."""
    copy = vendor(tmp_path_factory.mktemp("expected"), repository)
    assert revision(copy) == git("rev-parse", "HEAD", cwd=repository)
    return tree(copy)


@pytest.fixture(scope="module")
def unpacked_sdist(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of the repository. No test changes it."""
    folder = tmp_path_factory.mktemp("sdist")
    sdist = build(repository, folder / "built", "sdist")
    return unpack(sdist, folder / "unpacked")


class TestIdenticalBytes:
    def test_from_a_worktree(
        self, repository: Path, expected: dict[str, bytes], tmp_path: Path
    ) -> None:
        worktree = tmp_path / "worktree"
        git("worktree", "add", "--quiet", "--detach", str(worktree), cwd=repository)
        assert tree(vendor(tmp_path / "copies", worktree)) == expected

    @pytest.mark.parametrize("kind", ["tar", "zip"])
    def test_from_a_git_archive(
        self, repository: Path, expected: dict[str, bytes], tmp_path: Path, kind: str
    ) -> None:
        archive = tmp_path / f"archive.{kind}"
        git("archive", f"--format={kind}", f"--output={archive}", "HEAD", cwd=repository)
        root = tmp_path / "unpacked"
        if kind == "tar":
            extract(archive, root)
        else:
            # Python's zipfile does not restore links. So `_generated` is a text file.
            shutil.unpack_archive(archive, root)
        assert tree(vendor(tmp_path / "copies", root)) == expected

    def test_from_an_unpacked_source_distribution(
        self, unpacked_sdist: Path, expected: dict[str, bytes], tmp_path: Path
    ) -> None:
        assert not (unpacked_sdist / ".git").exists()
        assert tree(vendor(tmp_path / "copies", unpacked_sdist)) == expected

    @pytest.mark.parametrize("built_from", ["repository", "unpacked_sdist"])
    def test_from_an_installed_wheel(
        self,
        request: pytest.FixtureRequest,
        expected: dict[str, bytes],
        tmp_path: Path,
        built_from: str,
    ) -> None:
        root: Path = request.getfixturevalue(built_from)
        wheel = build(root, tmp_path / "wheel")
        site_packages = tmp_path / "site-packages"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site_packages)
        installed = site_packages / "leadconnector"
        assert verify(installed).returncode == 0
        result = run_command_of(installed, "vendor", str(tmp_path / "copies"))
        assert (result.returncode, result.stderr) == (0, "")
        assert tree(tmp_path / "copies" / "leadconnector") == expected
        # The wheel contains exactly the copy.
        assert tree(installed) == expected

    def test_from_a_copy(
        self, repository: Path, expected: dict[str, bytes], tmp_path: Path
    ) -> None:
        copy = vendor(tmp_path / "first", repository)
        result = run_command_of(copy, "vendor", str(tmp_path / "second"))
        assert (result.returncode, result.stderr) == (0, "")
        assert tree(tmp_path / "second" / "leadconnector") == expected

    def test_from_within_a_git_hook_of_another_repository(
        self, repository: Path, expected: dict[str, bytes], tmp_path: Path
    ) -> None:
        other = tmp_path / "other"
        other.mkdir()
        (other / "file").touch()
        commit_all(other)
        program = repository / "tools" / "project" / "vendor.py"
        result = run(
            *(sys.executable, program),
            cwd=other,
            DEST=str(tmp_path / "copies"),
            GIT_DIR=str(other / ".git"),
            GIT_INDEX_FILE=str(other / ".git" / "index"),
            GIT_WORK_TREE=str(other),
        )
        assert (result.returncode, result.stderr) == (0, "")
        assert tree(tmp_path / "copies" / "leadconnector") == expected


class TestRevision:
    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        return copy_sources(tmp_path / "checkout")

    def test_it_is_unknown_without_git(self, checkout: Path, tmp_path: Path) -> None:
        copy = vendor(tmp_path / "copies", checkout)
        assert revision(copy) is None
        assert "revision: unknown\n" in run_command_of(copy, "version").stdout

    def test_it_is_unknown_before_the_first_commit(self, checkout: Path, tmp_path: Path) -> None:
        git("init", "--quiet", cwd=checkout)
        assert revision(vendor(tmp_path / "copies", checkout)) is None

    def test_it_is_not_that_of_a_repository_around_the_project(
        self, checkout: Path, tmp_path: Path
    ) -> None:
        commit_all(checkout.parent)
        assert revision(vendor(tmp_path / "copies", checkout)) is None

    @pytest.mark.parametrize(
        "name", ["overrides/leadconnector/client.py", "generated/new.py", "LICENSE"]
    )
    def test_it_says_if_a_source_was_modified(
        self, checkout: Path, tmp_path: Path, name: str
    ) -> None:
        commit = commit_all(checkout)
        with (checkout / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        assert revision(vendor(tmp_path / "copies", checkout)) == f"{commit}+modified"

    @pytest.mark.parametrize(
        "name",
        ["overrides/leadconnector/build/junk.py", "overrides/leadconnector/a~", "generated/b~"],
    )
    def test_it_says_if_a_file_that_git_ignores_is_copied(
        self, checkout: Path, tmp_path: Path, name: str
    ) -> None:
        (checkout / ".gitignore").write_text("build/\n*~\n", encoding="utf-8")
        commit = commit_all(checkout)
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).touch()
        assert revision(vendor(tmp_path / "copies", checkout)) == f"{commit}+modified"

    def test_ignored_files_that_are_not_copied_do_not_count(
        self, checkout: Path, tmp_path: Path
    ) -> None:
        (checkout / ".gitignore").write_text("__pycache__/\n.*_cache/\n", encoding="utf-8")
        commit = commit_all(checkout)
        for name in ("__pycache__/client.cpython-311.pyc", ".ruff_cache/cache"):
            path = checkout / "overrides" / "leadconnector" / name
            path.parent.mkdir()
            path.touch()
        assert revision(vendor(tmp_path / "copies", checkout)) == commit

    def test_other_changes_of_the_checkout_do_not_count(
        self, checkout: Path, tmp_path: Path
    ) -> None:
        commit = commit_all(checkout)
        (checkout / "notes.txt").touch()
        (checkout / "Makefile").unlink()
        assert revision(vendor(tmp_path / "copies", checkout)) == commit

    def test_the_manifest_has_no_date_and_no_path(self, checkout: Path, tmp_path: Path) -> None:
        copy = vendor(tmp_path / "copies", checkout)
        manifest = json.loads((copy / "_manifest.json").read_bytes())
        assert manifest.keys() == {
            *("format", "name", "version", "revision", "api_version", "spec_sha256"),
            *("generated_with", "files", "sha256"),
        }
        assert str(tmp_path) not in (copy / "_manifest.json").read_text(encoding="utf-8")


def edit_the_spec(checkout: Path) -> None:
    with (checkout / "spec" / "openapi.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")


def remove_generated(checkout: Path) -> None:
    shutil.rmtree(checkout / "generated")


def remove_the_contract(checkout: Path) -> None:
    (checkout / "generated" / "contract.json").unlink()


def damage_the_contract(checkout: Path) -> None:
    (checkout / "generated" / "contract.json").write_text("[", encoding="utf-8")


def empty_the_contract(checkout: Path) -> None:
    (checkout / "generated" / "contract.json").write_text("{}", encoding="utf-8")


def duplicate_generated(checkout: Path) -> None:
    link = checkout / "overrides" / "leadconnector" / "_generated"
    link.unlink()
    shutil.copytree(checkout / "generated", link)
    (link / "models" / "conversation.py").write_text("", encoding="utf-8")


def remove_the_license(checkout: Path) -> None:
    (checkout / "LICENSE").unlink()


DAMAGES: dict[Callable[[Path], None], str] = {
    edit_the_spec: "generated/ is out of step with {root}/spec/openapi.yaml: run `make generate`",
    remove_generated: "{root}/generated: there is no generated code to copy: run `make generate`",
    remove_the_contract: "generated/contract.json is missing or damaged: run `make generate`",
    damage_the_contract: "generated/contract.json is missing or damaged: run `make generate`",
    empty_the_contract: "generated/ is out of step with {root}/spec/openapi.yaml",
    duplicate_generated: "{root}/overrides/leadconnector/_generated and {root}/generated differ",
    remove_the_license: "{root}/LICENSE is missing: a copy needs the license",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_source_is_rejected_and_nothing_is_changed(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    checkout = copy_sources(tmp_path / "checkout")
    set_version(checkout, "9.0.0")
    copy = vendor(tmp_path / "service")
    before = tree(tmp_path / "service")
    damage(checkout)
    message = DAMAGES[damage].format(root=checkout)
    assert message in rejection(tmp_path / "service", checkout)
    assert tree(tmp_path / "service") == before
    assert verify(copy).returncode == 0
    # Without an earlier copy, not even the folders of the destination remain.
    rejection(tmp_path / "new" / "folder", checkout)
    assert not (tmp_path / "new").exists()


def test_a_spec_that_is_not_there_is_not_checked(tmp_path: Path) -> None:
    checkout = copy_sources(tmp_path / "checkout")
    shutil.rmtree(checkout / "spec")
    assert verify(vendor(tmp_path / "service", checkout)).returncode == 0


def test_an_archive_that_contains_the_generated_code_twice_is_a_source(tmp_path: Path) -> None:
    checkout = copy_sources(tmp_path / "checkout")
    copy = vendor(tmp_path / "expected", checkout)
    link = checkout / "overrides" / "leadconnector" / "_generated"
    link.unlink()
    shutil.copytree(checkout / "generated", link)
    assert tree(vendor(tmp_path / "service", checkout)) == tree(copy)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can enter. pytest's own folders are private."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def make_read_only(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            if not Path(parent, name).is_symlink():
                Path(parent, name).chmod(0o444)
    for parent, _, _ in os.walk(folder, topdown=False):
        Path(parent).chmod(0o555)


def make_writable(folder: Path) -> None:
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o755)


def python_for_everybody() -> str:
    """A Python that other users may run, too."""
    for name in ("/usr/bin/python3", sys.executable):
        probe = "import sys; sys.exit(sys.version_info < (3, 11))"
        try:
            subprocess.run([name, "-c", probe], check=True, timeout=60, user=ordinary_user())
        except (OSError, subprocess.CalledProcessError):
            continue
        return name
    pytest.skip("there is no Python that other users may run")


def ordinary_user() -> int:
    """A user without privileges, who does not own the sources if this one has privileges."""
    return NOBODY if os.geteuid() == 0 else os.geteuid()


def test_an_ordinary_user_vendors_from_a_read_only_source(public_folder: Path) -> None:
    checkout = copy_sources(public_folder / "checkout")
    commit = commit_all(checkout)
    make_read_only(checkout)
    service = public_folder / "service"
    service.mkdir()
    os.chown(service, ordinary_user(), -1)
    command = [python_for_everybody(), str(checkout / "tools" / "project" / "vendor.py")]
    environment = {"PATH": os.environ["PATH"], "DEST": str(service / "_vendor"), "HOME": "/"}
    try:
        for _ in range(2):
            result = subprocess.run(
                command,
                cwd=service,
                env=environment,
                user=ordinary_user(),
                capture_output=True,
                encoding="utf-8",
                timeout=60,
                check=False,
            )
            assert (result.returncode, result.stderr) == (0, "")
    finally:
        make_writable(checkout)
    copy = service / "_vendor" / "leadconnector"
    assert verify(copy).returncode == 0
    # git works for a user who does not own the repository, too.
    assert revision(copy) == commit
    for path in copy.rglob("*"):
        # The owner may change the files, although the source is read-only.
        assert path.stat().st_mode & stat.S_IWUSR


def test_a_read_only_destination_is_an_error_and_nothing_is_changed(public_folder: Path) -> None:
    checkout = copy_sources(public_folder / "checkout")
    service = public_folder / "service"
    service.mkdir(mode=0o555)
    result = subprocess.run(
        [python_for_everybody(), "-B", checkout / "tools" / "project" / "vendor.py"],
        env={"PATH": os.environ["PATH"], "DEST": str(service / "_vendor")},
        cwd=service,
        user=ordinary_user(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert f"Permission denied: '{service}/_vendor'" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(service.iterdir()) == []


def test_a_read_only_copy_is_replaced(tmp_path: Path) -> None:
    checkout = copy_sources(tmp_path / "checkout")
    set_version(checkout, "9.0.0")
    copy = vendor(tmp_path / "service")
    make_read_only(copy)
    vendor(tmp_path / "service", checkout)
    assert verify(copy).returncode == 0
    assert [path.name for path in copy.parent.iterdir()] == ["leadconnector"]


def test_a_full_disk_leaves_the_earlier_copy(tmp_path: Path) -> None:
    checkout = copy_sources(tmp_path / "checkout")
    set_version(checkout, "9.0.0")
    vendor(tmp_path / "service")
    before = tree(tmp_path / "service")
    # A limit on the size of a file has the same effect as a full disk: a write fails.
    code = (
        "import resource, runpy, sys;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    program = checkout / "tools" / "project" / "vendor.py"
    for folder in ("service", "new"):
        result = run(
            *(sys.executable, "-c", code, program), cwd=checkout, DEST=str(tmp_path / folder)
        )
        assert (result.returncode, result.stdout) == (2, "")
        assert "File too large" in result.stderr
    assert tree(tmp_path / "service") == before
    assert sorted(path.name for path in (tmp_path / "service").iterdir()) == ["leadconnector"]
    assert not (tmp_path / "new").exists()


def test_a_package_in_a_zip_file_is_not_copied(tmp_path: Path) -> None:
    copy = vendor(tmp_path / "first")
    archive = shutil.make_archive(str(tmp_path / "archive"), "zip", copy.parent)
    code = (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1));"
        'runpy.run_module("leadconnector", run_name="__main__", alter_sys=True)'
    )
    command = [sys.executable, "-I", "-c", code, archive, "vendor", str(tmp_path / "second")]
    result = run(*command, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "the package cannot be copied out of an archive such as a zip file" in result.stderr
    assert not (tmp_path / "second").exists()


def test_the_program_needs_no_site_packages_and_writes_no_cache(tmp_path: Path) -> None:
    checkout = copy_sources(tmp_path / "checkout")
    before = sorted(checkout.rglob("*"))
    result = run(
        *(sys.executable, "-I", "-S", checkout / "tools" / "project" / "vendor.py"),
        cwd=checkout,
        DEST=str(tmp_path / "copies"),
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(checkout.rglob("*")) == before


def test_a_folder_of_the_name_of_the_package_does_not_shadow_the_source(tmp_path: Path) -> None:
    checkout = copy_sources(tmp_path / "checkout")
    set_version(checkout, "9.0.0")
    vendor(".", checkout)
    set_version(checkout, "9.0.1")
    # Python must not take the package from the current folder, where the earlier copy is.
    result = run_program(".", checkout)
    assert (result.returncode, result.stderr) == (0, "")
    assert "9.0.1" in (checkout / "leadconnector" / "_version.py").read_text(encoding="utf-8")


def test_this_checkout_has_the_placeholder_that_git_archive_replaces() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    text = (ROOT / "tools" / "project" / "revision.txt").read_text(encoding="utf-8")
    assert text == "$Format:%H$\n"
    attributes = git("check-attr", "export-subst", "tools/project/revision.txt", cwd=ROOT)
    assert attributes.endswith(": set")
