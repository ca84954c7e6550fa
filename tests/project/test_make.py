"""The Makefile: its targets, the interpreter it selects, and what it installs."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from project import install

from tests.support.environments import create_environment, run
from tests.support.make import make
from tests.support.paths import ROOT

LONG_RUNS = [
    *("compare", "fuzz", "wire", "rates", "soak"),
    *("refreshes", "kills", "rewrites", "conform"),
]
TARGETS = [
    *("help", "demo", "test", "generate", "adopt", "check", "docs", "emulator", "clean"),
    *("drift", "diff", "gate"),
    *("vendor", "changes"),
    *("lock", "preview", "templates", "httpx2"),
    *("bench", *LONG_RUNS),
    *("lint", "coverage", "regenerate", "push", "issue", "comment", "notes", "dist"),
    "installed",
]
RULE = re.compile(r"^([^\s#:=][^:=]*):(?!=)(.*)\n((?:\t.*\n)*)", re.MULTILINE)

FAKE_PYTHON = f"""#!/bin/sh
# A Python that is new enough. It records how it is called, creates virtual environments that
# contain a copy of itself, and runs the programs of the Makefile with a real Python.
echo "$@" >> "$CALLS"
case "$1 $2" in
    "-m venv") mkdir -p "$4/bin" "$4/packages" && cp "$0" "$4/bin/python" ;;
    "-c import sysconfig"*) echo .venv/packages ;;
    tools/project/*) exec "{sys.executable}" "$@" ;;
esac
"""
NAMED_PYTHON = '#!/bin/sh\n# Prints its name.\ntest "$1" = -c || echo "$PYTHON"\n'
OLD_PYTHON = "#!/bin/sh\nexit 1\n"
PYTHON_WITHOUT_VENV = f"""#!/bin/sh
case "$1" in
    -c) exit 0 ;;
    -m) mkdir -p .venv; exit 1 ;;
    *) exec "{sys.executable}" "$@" ;;
esac
"""


def write_script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def paths_in(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile, its programs and the lock files. Nothing is installed in it."""
    folder = tmp_path / "check out"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    ignore_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tools" / "project", folder / "tools" / "project", ignore=ignore_caches)
    shutil.copy(ROOT / "Makefile", folder)
    return folder


class TestTargets:
    @pytest.mark.parametrize("arguments", [[], ["help"]], ids=["make", "make help"])
    def test_help_lists_each_public_target_on_one_line(self, arguments: list[str]) -> None:
        result = make(*arguments)
        assert (result.returncode, result.stderr) == (0, "")
        # Each group of targets has a title and comes after an empty line.
        lines = [line for line in result.stdout.splitlines() if line.startswith(" ")]
        matches = [re.fullmatch(r"  make ([a-z0-9]+) +(\S.{9,})", line) for line in lines]
        assert [match and match[1] for match in matches] == TARGETS

    def test_every_target_with_a_recipe_is_in_the_help_or_is_a_file(self) -> None:
        rules = RULE.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
        recipes = {target: recipe for target, _, recipe in rules if recipe}
        files = {target for target, recipe in recipes.items() if "install.py" in recipe}
        assert files == {".venv/%.installed"}
        assert sorted(recipes.keys() - files) == sorted(TARGETS)

    @pytest.mark.parametrize("target", TARGETS)
    def test_a_file_with_the_name_of_a_target_does_not_stop_it(
        self, checkout: Path, target: str
    ) -> None:
        (checkout / ".venv").mkdir()
        (checkout / ".venv" / "dev.installed").touch()
        (checkout / target).touch()
        result = make("--dry-run", target, "DEST=copy", cwd=checkout)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout
        assert "up to date" not in result.stdout

    def test_clean_removes_the_output_of_the_other_targets_and_nothing_else(
        self, checkout: Path
    ) -> None:
        before = paths_in(checkout)
        outputs = [".venv/bin", ".generated-1", "build", "dist", ".pytest_cache"]
        for name in [*outputs, "tools/generate/__pycache__"]:
            (checkout / name).mkdir(parents=True)
        (checkout / "generated").mkdir()
        assert make("clean", cwd=checkout).returncode == 0
        assert paths_in(checkout) == sorted([*before, Path("generated"), Path("tools/generate")])


class TestPython:
    def test_without_any_python_the_message_says_so(self, checkout: Path) -> None:
        result = make("test", "PYTHON=", cwd=checkout)
        assert (result.returncode, result.stdout) == (2, "")
        message = "Python 3.11 or newer is needed: none was found; name one: make PYTHON=…\n"
        assert message in result.stderr
        assert not (checkout / ".venv").exists()

    @pytest.mark.parametrize(
        "target",
        [
            *("demo", "test", "generate", "check", "bench", *LONG_RUNS, "emulator", "dist", "lock"),
            *("vendor", "templates", "preview", "httpx2"),
        ],
    )
    def test_a_python_that_is_too_old_is_rejected_by_name(
        self, checkout: Path, target: str
    ) -> None:
        python = write_script(checkout.parent / "python3.10", OLD_PYTHON)
        result = make(target, f"PYTHON={python}", cwd=checkout)
        assert (result.returncode, result.stdout) == (2, "")
        message = f"Python 3.11 or newer is needed: {python} is not; name one: make PYTHON=…\n"
        assert message in result.stderr
        assert not (checkout / ".venv").exists()

    def test_the_python_of_this_test_is_new_enough(self, checkout: Path) -> None:
        # pip then rejects this lock file, so that nothing is downloaded.
        (checkout / "requirements" / "dev.txt").write_text("--not-an-option\n", encoding="utf-8")
        result = make("test", f"PYTHON={sys.executable}", cwd=checkout)
        assert result.returncode == 2
        assert "is needed" not in result.stderr
        assert "--not-an-option" in result.stderr
        assert (checkout / ".venv" / "bin" / "python").exists()
        assert not (checkout / ".venv" / "dev.installed").exists()

    @pytest.mark.parametrize(
        ("installed", "status", "output"),
        [
            (
                {"python3": OLD_PYTHON, "python3.12": NAMED_PYTHON, "python3.13": NAMED_PYTHON},
                0,
                "python3.12\n",
            ),
            ({"python3": NAMED_PYTHON, "python3.11": NAMED_PYTHON}, 0, "python3\n"),
            ({"python3": OLD_PYTHON}, 2, ""),
        ],
    )
    def test_the_first_python_on_the_path_that_is_new_enough_is_used(
        self, checkout: Path, installed: dict[str, str], status: int, output: str
    ) -> None:
        for name, text in installed.items():
            write_script(checkout / "path" / name, text)
        result = make("vendor", "DEST=copy", cwd=checkout, PATH=str(checkout / "path"))
        assert (result.returncode, result.stdout) == (status, output)

    def test_a_python_without_venv_leaves_no_partial_environment(self, checkout: Path) -> None:
        python = write_script(checkout.parent / "python3", PYTHON_WITHOUT_VENV)
        result = make("test", f"PYTHON={python}", cwd=checkout)
        assert result.returncode == 2
        message = (
            f"{python} cannot make a virtual environment; on Debian: apt install python3-venv\n"
        )
        assert message in result.stderr
        assert not (checkout / ".venv").exists()


class TestInstallation:
    @pytest.fixture
    def calls(self, checkout: Path) -> Path:
        """The file in which the fake Python records its calls."""
        return checkout.parent / "calls"

    @pytest.fixture
    def python(self, checkout: Path) -> str:
        return f"PYTHON={write_script(checkout.parent / 'a python', FAKE_PYTHON)}"

    @staticmethod
    def installed_since_last_call(calls: Path) -> list[str]:
        """The lock files that were installed. Empties the record."""
        lines = calls.read_text(encoding="utf-8").splitlines()
        calls.unlink()
        commands = [line.split() for line in lines if line.startswith("-m pip install ")]
        assert all("--require-hashes" in words for words in commands)
        return [words[words.index("-r") + 1] for words in commands]

    def test_only_the_lock_file_is_installed_and_only_once(
        self, checkout: Path, python: str, calls: Path
    ) -> None:
        assert make("test", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed_since_last_call(calls) == ["requirements/dev.txt"]
        assert make("test", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed_since_last_call(calls) == []
        later = (checkout / ".venv" / "dev.installed").stat().st_mtime + 10
        os.utime(checkout / "requirements" / "dev.txt", (later, later))
        assert make("test", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed_since_last_call(calls) == ["requirements/dev.txt"]

    def test_the_demo_installs_less_unless_development_is_installed(
        self, checkout: Path, python: str, calls: Path
    ) -> None:
        assert make("demo", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed_since_last_call(calls) == ["requirements/demo.txt"]
        assert make("test", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed_since_last_call(calls) == ["requirements/dev.txt"]
        (checkout / ".venv" / "demo.installed").unlink()
        assert make("demo", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed_since_last_call(calls) == []

    @pytest.mark.parametrize("package", ["overrides/leadconnector", "tools/specdrift"])
    def test_a_package_of_the_checkout_hides_one_that_a_user_has_installed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
    ) -> None:
        checkout = tmp_path / "checkout"
        python = create_checkout(checkout, monkeypatch)
        source = create_package(checkout / package)
        [site_packages] = checkout.glob(".venv/lib/*/site-packages")
        create_package(site_packages / source.name)
        moved_checkout = checkout.rename(tmp_path / "moved")
        moved_python = moved_checkout / python.relative_to(checkout)

        path = imported_folder(moved_python, source.name, cwd=tmp_path)

        assert path == str(moved_checkout / package)

    @pytest.mark.parametrize("package", ["overrides/leadconnector", "tools/specdrift"])
    def test_a_package_on_pythonpath_hides_the_one_of_the_checkout(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
    ) -> None:
        checkout = tmp_path / "checkout"
        python = create_checkout(checkout, monkeypatch)
        name = create_package(checkout / package).name
        replacement = create_package(tmp_path / "replacements" / name)

        path = imported_folder(python, name, cwd=tmp_path, PYTHONPATH=str(replacement.parent))

        assert path == str(replacement)

    @pytest.mark.parametrize("name", ["nothing", "overrides", "tools"])
    def test_each_folder_of_the_checkout_is_once_on_the_path(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        checkout = tmp_path / "checkout"
        python = create_checkout(checkout, monkeypatch)
        command = "import sys; print('\\n'.join(sys.path))"

        path = run(python, "-c", command, cwd=tmp_path, PYTHONPATH=str(checkout / name))

        folders = [str(checkout / "overrides"), str(checkout / "tools")]
        assert sorted(folder for folder in path.splitlines() if folder in folders) == folders


def create_checkout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a folder with an environment that imports its packages. Return the interpreter."""
    folder.mkdir()
    python = create_environment(folder / ".venv")
    with monkeypatch.context() as patch:
        patch.chdir(folder)
        install.add_packages_to_path()
    return python


def create_package(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    return folder


def imported_folder(python: Path, package: str, *, cwd: Path, **environment: str) -> str:
    """The folder from which an interpreter imports a package."""
    command = f"import {package}; print({package}.__path__[0])"
    return run(python, "-c", command, cwd=cwd, **environment).strip()
