"""The Makefile and what it installs: targets, the choice of a Python, lock files, and that pyproject.toml agrees."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

SECONDS = 60
"""How long a program may take that takes much less: a bound, so that no test hangs."""

LONG = ["fuzz", "rates", "soak", "refreshes"]
TARGETS = [
    "help",
    "demo",
    "test",
    "generate",
    "check",
    "drift",
    "diff",
    "bench",
    *LONG,
    "emulator",
    "vendor",
    "lock",
    "clean",
]
LOCKED = re.compile(
    r"([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==([0-9][0-9a-z.+!]*)"  # the name, its extras, the version
    r"(?: ; ([^#@]+?))?((?: +--hash=sha256:[0-9a-f]{64})+)"  # the marker, the hashes
)
RULE = re.compile(r"^([^\s#:=][^:=]*):(?!=)(.*)\n((?:\t.*\n)*)", re.MULTILINE)

# Plays a Python that is new enough: notes how it is called, and makes virtual environments with itself in them.
FAKE = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$1 $2" in
    "-m venv") mkdir -p "$4/bin" "$4/packages" && cp "$0" "$4/bin/python" ;;
    "-c import sysconfig"*) echo .venv/packages ;;
esac
"""
OLD = "#!/bin/sh\nexit 1\n"
NO_VENV = '#!/bin/sh\nmkdir -p .venv\ntest "$1" = -c\n'


@dataclass(frozen=True)
class Locked:
    """One requirement of a lock file."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def make(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make, in an environment without what a `make` around this test has set."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))
    }
    return subprocess.run(
        [cast("str", shutil.which("make")), *arguments],
        cwd=cwd,
        env=kept | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def locked(name: str) -> list[Locked]:
    """The requirements of a lock file, each of which is pinned and hashed; there is nothing else in it."""
    found: list[Locked] = []
    for line in (
        (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    ):
        match = LOCKED.fullmatch(line)
        assert match, f"{name}: {line}"
        found.append(Locked(match[1], match[2], match[3] or "", frozenset(match[4].split())))
    assert found
    return found


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile and the lock files, in which nothing is installed."""
    folder = tmp_path / "check out"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    shutil.copy(ROOT / "Makefile", folder)
    return folder


class TestTargets:
    @pytest.mark.parametrize("arguments", [[], ["help"]], ids=["make", "make help"])
    def test_make_alone_lists_each_public_target_on_a_line(self, arguments: list[str]) -> None:
        done = make(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        lines = [
            re.fullmatch(r"  make ([a-z]+) +(\S.{9,})", line) for line in done.stdout.splitlines()
        ]
        assert [line and line[1] for line in lines] == TARGETS

    def test_every_target_with_a_recipe_is_in_the_help_or_a_file(self) -> None:
        rules = RULE.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
        recipes = {target: recipe for target, _, recipe in rules if recipe}
        files = {target for target, recipe in recipes.items() if "\t@touch $@\n" in recipe}
        assert files == {"$(VENV)/%.installed"}
        assert sorted(recipes.keys() - files) == sorted(TARGETS)

    @pytest.mark.parametrize("target", TARGETS)
    def test_a_file_of_a_target_s_name_does_not_stop_it(self, checkout: Path, target: str) -> None:
        (checkout / ".venv").mkdir()
        (checkout / ".venv" / "dev.installed").touch()
        (checkout / target).touch()
        done = make("--dry-run", target, "DEST=there", cwd=checkout)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout
        assert "up to date" not in done.stdout

    def test_clean_removes_what_the_others_made_and_nothing_else(self, checkout: Path) -> None:
        before = sorted(path.relative_to(checkout) for path in checkout.rglob("*"))
        for name in (
            ".venv/bin",
            ".generated-1",
            "build",
            "dist",
            ".pytest_cache",
            "tools/generate/__pycache__",
        ):
            (checkout / name).mkdir(parents=True)
        (checkout / "generated").mkdir()
        assert make("clean", cwd=checkout).returncode == 0
        after = sorted(path.relative_to(checkout) for path in checkout.rglob("*"))
        assert after == sorted([*before, Path("generated"), Path("tools"), Path("tools/generate")])


class TestPython:
    def test_where_there_is_no_python_it_says_so(self, checkout: Path) -> None:
        done = make("test", "PYTHON=", cwd=checkout)
        assert (done.returncode, done.stdout) == (2, "")
        assert (
            "Python 3.11 or newer is needed: none was found; name one: make PYTHON=…\n"
            in done.stderr
        )
        assert not (checkout / ".venv").exists()

    @pytest.mark.parametrize(
        "target",
        ["demo", "test", "generate", "check", "bench", *LONG, "emulator", "lock"],
    )
    def test_a_python_that_is_too_old_is_refused_by_name(self, checkout: Path, target: str) -> None:
        python = script(checkout.parent / "python3.10", OLD)
        done = make(target, f"PYTHON={python}", cwd=checkout)
        assert (done.returncode, done.stdout) == (2, "")
        assert (
            f"Python 3.11 or newer is needed: {python} is not; name one: make PYTHON=…\n"
            in done.stderr
        )
        assert not (checkout / ".venv").exists()

    def test_the_python_that_runs_this_test_is_new_enough(self, checkout: Path) -> None:
        # It is taken as far as the lock file, which is then no lock file.
        (checkout / "requirements" / "dev.txt").write_text("--not-an-option\n", encoding="utf-8")
        done = make("test", f"PYTHON={sys.executable}", cwd=checkout)
        assert done.returncode == 2
        assert "is needed" not in done.stderr
        assert "--not-an-option" in done.stderr
        assert (checkout / ".venv" / "bin" / "python").exists()
        assert not (checkout / ".venv" / "dev.installed").exists()

    @pytest.mark.parametrize(
        ("there", "taken"),
        [
            ({"python3": OLD, "python3.12": FAKE, "python3.13": FAKE}, "python3.12"),
            ({"python3": FAKE, "python3.11": FAKE}, "python3"),
            ({"python3": OLD}, ""),
        ],
    )
    def test_the_first_python_on_the_path_that_is_new_enough_is_taken(
        self, checkout: Path, there: dict[str, str], taken: str
    ) -> None:
        for name, text in there.items():
            script(checkout / "path" / name, text)
        (checkout / "show.mk").write_text("show:\n\t@: && echo '$(PYTHON)'\n", encoding="utf-8")
        path = str(checkout / "path")
        done = make(
            "-f", "Makefile", "-f", "show.mk", "show", cwd=checkout, PATH=path, CALLS=os.devnull
        )
        assert (done.returncode, done.stdout) == (0, f"{taken}\n")

    def test_a_python_without_venv_leaves_nothing_half_made(self, checkout: Path) -> None:
        python = script(checkout.parent / "python3", NO_VENV)
        done = make("test", f"PYTHON={python}", cwd=checkout)
        assert done.returncode == 2
        assert (
            f"{python} cannot make a virtual environment; on Debian: apt install python3-venv\n"
            in done.stderr
        )
        assert not (checkout / ".venv").exists()


class TestInstallation:
    @pytest.fixture
    def calls(self, checkout: Path) -> Path:
        return checkout.parent / "calls"

    @pytest.fixture
    def python(self, checkout: Path) -> str:
        return f"PYTHON={script(checkout.parent / 'a python', FAKE)}"

    @staticmethod
    def installed(calls: Path) -> list[str]:
        """The lock files that were installed since the last look."""
        lines = calls.read_text(encoding="utf-8").splitlines()
        calls.unlink()
        pip = [line.split() for line in lines if line.startswith("-m pip install ")]
        assert all("--require-hashes" in words for words in pip)
        return [words[words.index("-r") + 1] for words in pip]

    def test_only_what_the_lock_file_has_is_installed_and_only_once(
        self, checkout: Path, python: str, calls: Path
    ) -> None:
        assert make("test", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed(calls) == ["requirements/dev.txt"]
        assert make("test", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed(calls) == []
        seconds = (checkout / ".venv" / "dev.installed").stat().st_mtime + 10
        os.utime(checkout / "requirements" / "dev.txt", (seconds, seconds))
        assert make("test", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed(calls) == ["requirements/dev.txt"]

    def test_the_demo_needs_less_and_takes_what_development_has(
        self, checkout: Path, python: str, calls: Path
    ) -> None:
        assert make("demo", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed(calls) == ["requirements/demo.txt"]
        assert make("test", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed(calls) == ["requirements/dev.txt"]
        (checkout / ".venv" / "demo.installed").unlink()
        assert make("demo", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        assert self.installed(calls) == []

    def test_both_packages_are_importable_from_the_checkout(
        self, checkout: Path, python: str, calls: Path
    ) -> None:
        assert make("test", python, cwd=checkout, CALLS=str(calls)).returncode == 0
        paths = (
            (checkout / ".venv" / "packages" / "leadconnector.pth")
            .read_text(encoding="utf-8")
            .splitlines()
        )
        # Relative to the environment's site-packages, so that a copied or moved checkout uses its own code.
        assert paths == ["../../../../overrides", "../../../../tools"]


class TestLockFiles:
    @pytest.mark.parametrize("name", ["demo.txt", "dev.txt"])
    def test_every_requirement_is_pinned_and_hashed_and_names_no_address(self, name: str) -> None:
        for requirement in locked(name):
            assert requirement.hashes
        assert "://" not in (ROOT / "requirements" / name).read_text(encoding="utf-8")

    @pytest.mark.parametrize("name", ["demo.txt", "dev.txt"])
    def test_no_requirement_is_there_twice_for_one_environment(self, name: str) -> None:
        found = [(requirement.name, requirement.marker) for requirement in locked(name)]
        assert len(found) == len(set(found))

    def test_the_demo_installs_what_development_tests(self) -> None:
        demo, dev = (
            {(each.name, each.version, each.hashes) for each in locked(name)}
            for name in ("demo.txt", "dev.txt")
        )
        assert demo < dev

    @pytest.mark.parametrize(("name", "group"), [("demo.txt", "demo"), ("dev.txt", "dev")])
    def test_the_lock_holds_what_pyproject_asks_for(self, name: str, group: str) -> None:
        versions = {requirement.name: requirement.version for requirement in locked(name)}
        asked: list[str] = [*project()["project"]["dependencies"]]
        asked += project()["project"]["optional-dependencies"]["emulator"]
        asked += [text for text in project()["dependency-groups"][group] if isinstance(text, str)]
        for requirement in map(Requirement, asked):
            assert requirement.specifier.contains(
                versions[canonicalize_name(requirement.name)], prereleases=True
            )

    def test_what_decides_the_generated_bytes_is_pinned_exactly_as_locked(self) -> None:
        versions = {requirement.name: requirement.version for requirement in locked("demo.txt")}
        pins = {
            requirement.name: str(requirement.specifier)
            for requirement in map(Requirement, project()["dependency-groups"]["demo"])
        }
        assert pins == {name: f"=={versions[name]}" for name in ("openapi-python-client", "ruff")}


def test_the_client_requires_three_distributions_at_run_time() -> None:
    names = [Requirement(text).name for text in project()["project"]["dependencies"]]
    assert sorted(names) == ["attrs", "httpx", "sniffio"]
