"""`.ci/run` and the workflow: they work as any user, and cover each supported Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.browser import BROWSERS
from tests.support.paths import ROOT

TIMEOUT = 60
"""Seconds. The script takes much less; the limit keeps a failing test from hanging."""

VENV_PACKAGE = "python{}.{}-venv".format(*sys.version_info)

PACKAGES = ["make", "git", VENV_PACKAGE, "redis-server", "chromium"]
"""What `.ci/run` installs."""

RECORD = '#!/bin/sh\necho "$(basename "$0") $*" >> "$RECORD"\n'
"""The start of a fake program, which records how it is called."""

APT_GET = (
    RECORD
    + """
[ "$DEBIAN_FRONTEND" = noninteractive ] || exit 9
[ "$1" = update ] && exit "$UPDATE_STATUS"
for package in "$@"; do :; done
[ -e "$AVAILABLE/$package" ] || { echo "E: no installation candidate" >&2; exit 100; }
cp "$AVAILABLE/$package" "$BIN/$package"
"""
)
"""Installs the last argument, if that package is available."""

SUDO = RECORD + '[ "$1" = --non-interactive ] || exit 9\nshift\nFAKE_UID=0 exec "$@"\n'
SUDO_WITH_PASSWORD = RECORD + "echo 'sudo: a password is required' >&2\nexit 1\n"

ID = '#!/bin/sh\n[ "$*" = -u ] && echo "$FAKE_UID"\n'

PYTHON = f"""#!/bin/sh
if [ "$2" = "import ensurepip" ]; then
    [ -e "$BIN/{VENV_PACKAGE}" ]
    exit
fi
exec "{sys.executable}" "$@"
"""

MAKE = RECORD + '[ "$CI" = true ] && exit "$MAKE_STATUS"\n'
WORKING = "#!/bin/sh\nexit 0\n"
STUB = "#!/bin/sh\necho 'install the snap' >&2\nexit 1\n"
"""Ubuntu's script in place of a browser."""


@dataclass
class Machine:
    """A machine with fake programs. Its PATH has nothing else but a few real ones."""

    folder: Path
    user_id: int = 1000
    update_status: int = 0
    make_status: int = 0
    result: subprocess.CompletedProcess[str] = field(init=False)

    @property
    def _record(self) -> Path:
        return self.folder / "record"

    def install(self, *names: str, text: str = WORKING) -> None:
        """Put a program on the PATH."""
        for name in names:
            self._write("bin", name, text)

    def offer(self, *names: str, text: str = WORKING) -> None:
        """Let `apt-get` have packages. Installing one puts a program of that name on the PATH."""
        for name in names:
            self._write("available", name, MAKE if name == "make" else text)

    def _write(self, folder: str, name: str, text: str) -> None:
        path = self.folder / folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run(self, *arguments: str) -> list[str]:
        """Run `.ci/run`, and return the calls that the fake programs recorded."""
        bin_folder = self.folder / "bin"
        self.result = subprocess.run(
            [self.folder / "checkout" / ".ci" / "run", *arguments],
            cwd=self.folder,
            env={
                "PATH": str(bin_folder),
                "BIN": str(bin_folder),
                "AVAILABLE": str(self.folder / "available"),
                "RECORD": str(self._record),
                "FAKE_UID": str(self.user_id),
                "UPDATE_STATUS": str(self.update_status),
                "MAKE_STATUS": str(self.make_status),
            },
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )
        if not self._record.exists():
            return []
        return self._record.read_text(encoding="utf-8").splitlines()


TOOLS = ("bash", "sh", "env", "dirname", "basename", "cp", "rm", "true")

RUN_ALL = ["make check", "make test"]


def installing(*packages: str) -> list[str]:
    """The calls of `apt-get` that install packages."""
    calls = ["apt-get update -qq"]
    for package in packages:
        calls.append(f"apt-get install -qq -y --no-install-recommends {package}")
    return calls


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with Python and make's prerequisites, but none of the `PACKAGES`."""
    for name in ("bin", "available", "checkout/.ci", "checkout/tools/project"):
        (tmp_path / name).mkdir(parents=True)
    for name in (".ci/run", "tools/project/with_python.sh"):
        shutil.copy2(ROOT / name, tmp_path / "checkout" / name)
    for name in TOOLS:
        executable = shutil.which(name)
        assert executable is not None
        (tmp_path / "bin" / name).symlink_to(executable)
    new_machine = Machine(tmp_path)
    new_machine.install("id", text=ID)
    new_machine.install("python3", text=PYTHON)
    new_machine.offer(*PACKAGES)
    return new_machine


def install_all_but(machine: Machine, missing: Sequence[str]) -> None:
    for package in PACKAGES:
        if package not in missing:
            machine.install(package, text=MAKE if package == "make" else WORKING)


def assert_stops_with_one_line(machine: Machine, missing: str) -> None:
    """Verify that nothing ran, and that a line names what is missing and how to install it."""
    assert (machine.result.returncode, machine.result.stdout) == (2, "")
    *_, line = machine.result.stderr.splitlines()
    assert line.startswith(f".ci/run: missing: {missing}")
    assert line.endswith(f"; on Debian: apt-get install {missing}")
    assert ("google-chrome will do" in line) == ("chromium" in missing)


SUBSETS = [subset for size in (1, 5) for subset in combinations(PACKAGES, size)]


class TestInstallation:
    @pytest.mark.parametrize("user_id", [0, 1000])
    def test_a_machine_with_all_programs_needs_neither_root_nor_apt_get(
        self, machine: Machine, user_id: int
    ) -> None:
        machine.user_id = user_id
        install_all_but(machine, [])

        assert machine.run() == RUN_ALL
        assert (machine.result.returncode, machine.result.stderr) == (0, "")

    @pytest.mark.parametrize("missing", SUBSETS, ids="+".join)
    def test_root_installs_what_is_missing(self, machine: Machine, missing: list[str]) -> None:
        machine.user_id = 0
        machine.install("apt-get", text=APT_GET)
        install_all_but(machine, missing)

        assert machine.run() == [*installing(*missing), *RUN_ALL]
        assert machine.result.returncode == 0

    @pytest.mark.parametrize("missing", SUBSETS, ids="+".join)
    def test_another_user_installs_with_sudo(self, machine: Machine, missing: list[str]) -> None:
        machine.install("apt-get", text=APT_GET)
        machine.install("sudo", text=SUDO)
        install_all_but(machine, missing)

        calls = machine.run()

        assert machine.result.returncode == 0
        assert [call for call in calls if not call.startswith("sudo ")] == [
            *installing(*missing),
            *RUN_ALL,
        ]
        assert calls.count("sudo --non-interactive true") == 1

    @pytest.mark.parametrize("sudo", ["", SUDO_WITH_PASSWORD], ids=["no sudo", "password"])
    @pytest.mark.parametrize("missing", SUBSETS, ids="+".join)
    def test_without_rights_one_line_says_what_to_install(
        self, machine: Machine, missing: list[str], sudo: str
    ) -> None:
        machine.install("apt-get", text=APT_GET)
        if sudo:
            machine.install("sudo", text=sudo)
        install_all_but(machine, missing)

        calls = machine.run()

        assert not [call for call in calls if not call.startswith("sudo ")]
        assert_stops_with_one_line(machine, " ".join(missing))
        assert len(machine.result.stderr.splitlines()) == 1

    @pytest.mark.parametrize("user_id", [0, 1000])
    def test_a_system_without_apt_get_gets_the_same_line(
        self, machine: Machine, user_id: int
    ) -> None:
        machine.user_id = user_id
        machine.install("sudo", text=SUDO)

        assert machine.run() == []
        assert_stops_with_one_line(machine, " ".join(PACKAGES))

    def test_a_package_that_apt_get_does_not_have_is_named(self, machine: Machine) -> None:
        machine.user_id = 0
        machine.install("apt-get", text=APT_GET)
        install_all_but(machine, ["redis-server", "chromium"])
        (machine.folder / "available" / "chromium").unlink()

        assert machine.run() == installing("redis-server", "chromium")
        assert_stops_with_one_line(machine, "chromium")

    def test_a_package_that_installs_no_program_is_named(self, machine: Machine) -> None:
        machine.user_id = 0
        machine.install("apt-get", text=APT_GET)
        install_all_but(machine, ["chromium"])
        machine.offer("chromium", text=STUB)

        assert machine.run() == installing("chromium")
        assert_stops_with_one_line(machine, "chromium")

    def test_without_a_package_list_nothing_is_installed(self, machine: Machine) -> None:
        machine.user_id = 0
        machine.update_status = 100
        machine.install("apt-get", text=APT_GET)
        install_all_but(machine, ["git"])

        assert machine.run() == ["apt-get update -qq"]
        assert_stops_with_one_line(machine, "git")

    @pytest.mark.parametrize("browser", BROWSERS)
    def test_each_browser_that_the_tests_accept_will_do(
        self, machine: Machine, browser: str
    ) -> None:
        install_all_but(machine, ["chromium"])
        machine.install(browser)

        assert machine.run() == RUN_ALL

    @pytest.mark.parametrize("browser", BROWSERS)
    def test_a_program_that_only_asks_for_an_installation_is_no_browser(
        self, machine: Machine, browser: str
    ) -> None:
        install_all_but(machine, ["chromium"])
        machine.install(browser, text=STUB)

        assert machine.run() == []
        assert_stops_with_one_line(machine, "chromium")

    def test_without_a_python_the_script_says_which_one_it_needs(self, machine: Machine) -> None:
        install_all_but(machine, [])
        machine.install("python3", text="#!/bin/sh\nexit 1\n")

        assert machine.run() == []
        assert machine.result.returncode == 2
        assert machine.result.stderr.startswith("Python 3.11 or newer is needed")

    def test_a_failed_check_ends_the_run(self, machine: Machine) -> None:
        machine.make_status = 3
        install_all_but(machine, [])

        assert machine.run() == ["make check"]
        assert machine.result.returncode == 3

    def test_coverage_is_measured_after_the_checks(self, machine: Machine) -> None:
        install_all_but(machine, [])

        assert machine.run("coverage") == ["make check", "make coverage"]
        assert machine.result.returncode == 0

    def test_the_wheels_are_tested_with_all_programs_that_the_tests_need(
        self, machine: Machine
    ) -> None:
        machine.user_id = 0
        machine.install("apt-get", text=APT_GET)
        install_all_but(machine, ["redis-server"])

        assert machine.run("installed") == [*installing("redis-server"), "make installed"]

    def test_the_lowest_dependencies_are_installed_and_tested(self, machine: Machine) -> None:
        install_all_but(machine, [])
        environment = machine.folder / "checkout" / ".venv"
        (environment / "bin").mkdir(parents=True)
        (environment / "dev.installed").touch()
        python = environment / "bin" / "python"
        python.write_text(RECORD, encoding="utf-8")
        python.chmod(0o755)

        install, tests = machine.run("lowest")

        assert install == "make .venv/lowest.installed"
        assert tests.startswith("python -m pytest tests/client tests/emulator tests/specdrift ")
        # The next `make test` installs the usual versions again.
        assert not (environment / "dev.installed").exists()

    def test_the_tests_run_with_httpx2(self, machine: Machine) -> None:
        install_all_but(machine, [])

        assert machine.run("httpx2") == ["make httpx2"]

    @pytest.mark.parametrize(
        "arguments",
        [
            *(["highest"], ["--help"], ["-h"], [""]),
            *(["lowest", "highest"], ["", "lowest"], ["coverage", "lowest"]),
        ],
        ids=" ".join,
    )
    @pytest.mark.parametrize("missing", [[], PACKAGES], ids=["complete", "empty"])
    def test_an_unknown_argument_is_rejected_before_anything_is_installed(
        self, machine: Machine, arguments: list[str], missing: list[str]
    ) -> None:
        machine.user_id = 0
        machine.install("apt-get", text=APT_GET)
        install_all_but(machine, missing)

        assert machine.run(*arguments) == []
        assert machine.result.returncode == 2
        assert machine.result.stderr == "usage: .ci/run [coverage|installed|lowest|httpx2]\n"


def jobs() -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    workflow: dict[str, Any] = yaml.safe_load(text)
    jobs_by_name: dict[str, Any] = workflow["jobs"]
    return jobs_by_name


def supported_versions() -> list[str]:
    """The Python versions of the classifiers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    classifiers = [text for text in project["classifiers"] if text.startswith(prefix)]
    return [text.rpartition(" ")[2] for text in classifiers]


class TestWorkflow:
    def test_it_tests_each_supported_python(self) -> None:
        assert jobs()["check-and-test"]["strategy"]["matrix"]["python"] == supported_versions()

    def test_make_finds_each_supported_python(self) -> None:
        script = (ROOT / "tools" / "project" / "with_python.sh").read_text(encoding="utf-8")
        names = " ".join(f"python{version}" for version in supported_versions())

        assert f"for candidate in python3 {names}; do" in script

    def test_it_tests_the_oldest_python_with_the_oldest_dependencies(self) -> None:
        *_, setup, run = jobs()["lowest"]["steps"]

        assert setup["with"]["python-version"] == supported_versions()[0]
        assert run["run"] == ".ci/run lowest"

    def test_one_version_measures_coverage(self) -> None:
        job = jobs()["check-and-test"]
        *_, run = job["steps"]

        assert job["strategy"]["matrix"]["include"] == [
            {"python": supported_versions()[0], "mode": "coverage"}
        ]
        assert (run["run"], run["env"]) == (".ci/run $MODE", {"MODE": "${{ matrix.mode }}"})

    def test_the_script_is_executable(self) -> None:
        assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
