"""Runs the tests with the packages of the wheels in dist/, as users have them: `make installed`.

The wheels are installed into a temporary environment. All other requirements come from the
environment for development, so nothing is downloaded. The tests run in a copy of the checkout, in
which the packages of the wheels replace the sources. So a file that a wheel lacks fails a test.

The environment variable `TESTS` names other tests than those of the packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from .arguments import ArgumentsError, arguments_from

WHEELS = Path("dist")

PACKAGES = {
    "overrides/leadconnector": "leadconnector",
    "generated": "leadconnector/_generated",
    "tools/leadconnector_emulator": "leadconnector_emulator",
    "tools/specdrift": "specdrift",
}
"""The folders of the checkout that the wheels contain, and their places in `site-packages`."""

OTHER_FOLDERS = (".git", ".venv", ".*_cache", "__pycache__", "build", "dist")
"""What the tests do not need: environments, caches and the output of other targets."""

TESTS = ("tests/client", "tests/emulator", "tests/specdrift")


class InstallationError(Exception):
    """The wheels cannot be installed, or lack something. The message says what to do."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        folder: its folder.
        python: its interpreter.
        packages: its folder `site-packages`.
    """

    folder: Path
    python: Path
    packages: Path


def main() -> int:
    """Install the wheels into a temporary environment, and run the tests there.

    Returns:
        The exit status of pytest, or 2 if the wheels cannot be installed.
    """
    try:
        tests = arguments_from("TESTS") or list(TESTS)
        with tempfile.TemporaryDirectory() as folder:
            environment = create_environment(Path(folder, "environment"))
            install(find_wheels(), environment)
            add_development_tools(environment)
            check_scripts(environment)
            tree = copy_checkout(Path.cwd(), Path(folder, "checkout"))
            replace_packages(tree, environment)
            return run_tests(environment, tree, tests)
    except (ArgumentsError, InstallationError) as error:
        print(f"make installed: {error}", file=sys.stderr)
        return 2


def find_wheels() -> list[Path]:
    """The wheels in dist/.

    Raises:
        InstallationError: there are none, or two versions of one distribution.
    """
    wheels = sorted(WHEELS.glob("*.whl"))
    if not wheels:
        raise InstallationError("there are no wheels in dist/: run `make dist` first")
    names = [wheel.name.partition("-")[0] for wheel in wheels]
    repeated_names = {name for name in names if names.count(name) > 1}
    if repeated_names:
        raise InstallationError(
            f"dist/ has two wheels of {', '.join(repeated_names)}: remove the older one"
        )
    return wheels


def create_environment(folder: Path) -> Environment:
    """Create an empty virtual environment without pip."""
    venv.create(folder, symlinks=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    return Environment(
        folder=folder,
        python=Path(sysconfig.get_path("scripts", "venv", paths), "python"),
        packages=Path(sysconfig.get_path("purelib", "venv", paths)),
    )


def install(wheels: Iterable[Path], environment: Environment) -> None:
    """Install wheels without their requirements, which the environment for development has.

    Raises:
        InstallationError: pip failed. It has printed the reason.
    """
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    pip = [sys.executable, "-m", "pip", "--python", str(environment.python)]
    result = subprocess.run([*pip, "install", *options, *map(str, wheels)], check=False)
    if result.returncode != 0:
        raise InstallationError("pip cannot install the wheels in dist/")


def add_development_tools(environment: Environment) -> None:
    """Let the environment import what this one has installed, after its own packages.

    Files such as `leadconnector.pth`, which make a checkout importable, have no effect there:
    Python reads them only in the folder `site-packages` of the environment itself.
    """
    path_file = environment.packages / "development.pth"
    path_file.write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")


def check_scripts(environment: Environment) -> None:
    """Run each program that the wheels install.

    Raises:
        InstallationError: one of them does not start.
    """
    for distribution in distributions(path=[str(environment.packages)]):
        for name in names_of_scripts(distribution):
            script = environment.python.with_name(name)
            result = subprocess.run(
                [script, "--help"], env=clean_environment(), capture_output=True, check=False
            )
            if result.returncode != 0:
                reason = result.stderr.decode(errors="replace").strip()
                raise InstallationError(f"`{name} --help` of the wheel failed: {reason}")


def names_of_scripts(distribution: Distribution) -> list[str]:
    """The names of the programs of a distribution."""
    return [script.name for script in distribution.entry_points.select(group="console_scripts")]


def copy_checkout(checkout: Path, target: Path) -> Path:
    """Copy a checkout without its packages, and return the copy."""
    packages = {checkout / package for package in PACKAGES}
    ignore_others = shutil.ignore_patterns(*OTHER_FOLDERS)

    def ignore(folder: str, names: list[str]) -> set[str]:
        names_of_packages = {name for name in names if Path(folder, name) in packages}
        return names_of_packages | ignore_others(folder, names)

    shutil.copytree(checkout, target, symlinks=True, ignore=ignore)
    return target


def replace_packages(tree: Path, environment: Environment) -> None:
    """Copy the installed packages to the places of their sources.

    Raises:
        InstallationError: the wheels lack a package.
    """
    for source, package in PACKAGES.items():
        installed_package = environment.packages / package
        if not installed_package.is_dir():
            raise InstallationError(
                f"the wheels in dist/ do not contain {package}: run `make dist` again"
            )
        shutil.copytree(installed_package, tree / source)


def run_tests(environment: Environment, tree: Path, tests: Sequence[str]) -> int:
    """Run pytest, and return its exit status."""
    command = [str(environment.python), "-m", "pytest", *tests]
    variables = clean_environment()
    # Some tests load the plugin of the emulator by its module's name. Loaded twice, it is an error.
    options = variables.get("PYTEST_ADDOPTS", "")
    variables["PYTEST_ADDOPTS"] = f"{options} -p no:leadconnector_emulator"
    return subprocess.run(command, cwd=tree, env=variables, check=False).returncode


def clean_environment() -> dict[str, str]:
    """The environment variables without `PYTHONPATH`, which can name the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


if __name__ == "__main__":
    sys.exit(main())
