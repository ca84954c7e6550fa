"""`make installed`: the tests get the packages of the wheels, and not those of the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from project.installed import InstallationError, find_wheels

from tests.support.make import clean_environment
from tests.support.paths import ROOT

TEST = """
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

@pytest.mark.parametrize("name", ["leadconnector", "leadconnector_emulator", "specdrift"])
def test_the_package_is_from_the_wheel(name):
    module = __import__(name)
    assert module.SOURCE == "wheel"
    assert Path(module.__file__).with_name("data.txt").exists()

def test_the_wheel_is_installed():
    assert importlib.metadata.version("leadconnector") == "1.0"

def test_other_tools_are_from_the_environment_for_development():
    import hypothesis

def test_another_process_also_has_the_wheel():
    code = "import leadconnector; print(leadconnector.SOURCE)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "wheel\\n"
"""
SCRIPT = "import sys\n\ndef main():\n    sys.exit({status})\n"


@dataclass(frozen=True)
class Checkout:
    """A small checkout with the packages of the real one."""

    root: Path

    def add_wheel(self, *packages: str, version: str = "1.0", status: int = 0) -> None:
        """Write a wheel with packages and a program that exits with a status."""
        name = packages[0]
        (self.root / "dist").mkdir(exist_ok=True)
        path = self.root / "dist" / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            for package in packages:
                wheel.writestr(f"{package}/__init__.py", "SOURCE = 'wheel'\n")
                wheel.writestr(f"{package}/data.txt", "")
            wheel.writestr(f"{name}/script.py", SCRIPT.format(status=status))
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            )
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(
                f"{info}/entry_points.txt",
                f"[console_scripts]\n{name}-program = {name}.script:main\n",
            )
            wheel.writestr(f"{info}/RECORD", "")

    def add_all_wheels(self) -> None:
        self.add_wheel("leadconnector", "leadconnector/_generated")
        self.add_wheel("leadconnector_emulator")
        self.add_wheel("specdrift")

    def test_installed(
        self, tests: str = "tests/test_source.py"
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "project.installed"],
            cwd=self.root,
            env={
                **clean_environment(),
                "PYTHONPATH": str(ROOT / "tools"),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "TESTS": tests,
            },
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "checkout"
    for folder in ("overrides/leadconnector", "tools/leadconnector_emulator", "tools/specdrift"):
        (root / folder).mkdir(parents=True)
        (root / folder / "__init__.py").write_text("SOURCE = 'checkout'\n", encoding="utf-8")
        (root / folder / "data.txt").touch()
    (root / "generated").mkdir()
    (root / "generated" / "__init__.py").touch()
    (root / "overrides" / "leadconnector" / "_generated").symlink_to("../../generated")
    (root / "tests").mkdir()
    (root / "tests" / "test_source.py").write_text(TEST, encoding="utf-8")
    settings = '[tool.pytest.ini_options]\npythonpath = ["overrides", "tools"]\n'
    (root / "pyproject.toml").write_text(settings, encoding="utf-8")
    return Checkout(root)


def test_the_tests_get_the_packages_of_the_wheels(checkout: Checkout) -> None:
    checkout.add_all_wheels()
    before = sorted(checkout.root.rglob("*"))

    result = checkout.test_installed()

    assert (result.returncode, result.stderr) == (0, "")
    assert "6 passed" in result.stdout
    assert sorted(checkout.root.rglob("*")) == before


def test_a_file_that_a_wheel_lacks_fails_a_test(checkout: Checkout) -> None:
    checkout.add_all_wheels()
    path = checkout.root / "dist" / "specdrift-1.0-py3-none-any.whl"
    shutil.move(path, checkout.root / "complete.zip")
    with (
        zipfile.ZipFile(checkout.root / "complete.zip") as complete,
        zipfile.ZipFile(path, "w") as wheel,
    ):
        for name in complete.namelist():
            if name != "specdrift/data.txt":
                wheel.writestr(name, complete.read(name))

    result = checkout.test_installed()

    assert result.returncode == 1
    assert "1 failed, 5 passed" in result.stdout


def test_a_program_of_a_wheel_that_does_not_start_is_named(checkout: Checkout) -> None:
    checkout.add_all_wheels()
    checkout.add_wheel("specdrift", status=3)

    result = checkout.test_installed()

    assert (result.returncode, result.stdout) == (2, "")
    assert "`specdrift-program --help` of the wheel failed" in result.stderr


def test_a_missing_package_is_named(checkout: Checkout) -> None:
    checkout.add_wheel("leadconnector", "leadconnector/_generated")

    result = checkout.test_installed()

    assert result.returncode == 2
    assert "do not contain leadconnector_emulator: run `make dist` again" in result.stderr


def test_without_wheels_the_message_says_how_to_build_them(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout.root)

    with pytest.raises(InstallationError, match="no wheels in dist/: run `make dist` first"):
        find_wheels()


def test_two_versions_are_rejected(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout.add_wheel("leadconnector")
    checkout.add_wheel("leadconnector", version="1.1")
    monkeypatch.chdir(checkout.root)

    with pytest.raises(InstallationError, match="two wheels of leadconnector: remove the older"):
        find_wheels()
