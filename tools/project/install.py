"""Installs one lock file into the virtual environment, which it creates if necessary.

Run by make as `install.py NAME`, from the root of the checkout: `NAME` is `demo` or `dev`. The
lock file is `requirements/NAME.txt`. On success, `.venv/NAME.installed` is touched, so that make
installs again only after the lock file has changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path(".venv")
ENVIRONMENT_PYTHON = ENVIRONMENT / "bin" / "python"

PATH_FILE = (
    "import os, site, sys;"
    " checkout = os.path.dirname(sys.prefix);"
    ' folders = [os.path.join(checkout, "overrides"), os.path.join(checkout, "tools")];'
    " position = sys.path.index(site.getsitepackages([sys.prefix])[0]);"
    " sys.path[position:position] = [folder for folder in folders if folder not in sys.path]\n"
)
"""A file with the suffix `.pth`: Python runs its line at each start, in some versions twice.

The folders come before `site-packages`. Otherwise a package that a user has installed into the same
environment would hide the one of the checkout. They come after `PYTHONPATH`, which a user sets to
replace modules. They are found from the environment, so that a moved checkout still works.
"""


class InstallError(Exception):
    """The virtual environment cannot be used. The message has one line."""


def main() -> int:
    """Install the lock file that the command line names.

    Returns:
        The exit status: 0, the status of pip if it failed, or 2 without a virtual environment.
    """
    name = sys.argv[1]
    # The name that the user gave, not `sys.executable`: the error message repeats it.
    python = os.environ.get("PYTHON", sys.executable)
    try:
        ensure_environment(python)
        install(Path("requirements", f"{name}.txt"))
        add_packages_to_path()
    except InstallError as error:
        print(error, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        # The program has printed the reason.
        return error.returncode
    (ENVIRONMENT / f"{name}.installed").touch()
    return 0


def ensure_environment(python: str) -> None:
    """Create the virtual environment, unless there is one with a working pip.

    Args:
        python: the interpreter to create it with: a path or a name on the PATH.

    Raises:
        InstallError: the interpreter cannot create one. Nothing is left behind.
    """
    if has_pip():
        return
    creation = subprocess.run([python, "-m", "venv", "--clear", str(ENVIRONMENT)], check=False)
    if creation.returncode != 0:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        # Debian ships the module `venv` in a package of its own.
        raise InstallError(
            f"{python} cannot make a virtual environment; on Debian: apt install python3-venv"
        )


def has_pip() -> bool:
    """Whether the virtual environment has a working pip."""
    command = [str(ENVIRONMENT_PYTHON), "-m", "pip", "--version"]
    try:
        probe = subprocess.run(command, check=False, capture_output=True)
    except OSError:
        # There is no such interpreter, or it cannot be executed.
        return False
    return probe.returncode == 0


def install(lock_file: Path) -> None:
    """Install a lock file. Every requirement in it must have a hash.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    # Flushed, because pip writes to the same output.
    print(f"Installing {lock_file} into {ENVIRONMENT}", flush=True)
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
    command = [str(ENVIRONMENT_PYTHON), "-m", "pip", "install", *options, "-r", str(lock_file)]
    subprocess.run(command, check=True)


def add_packages_to_path() -> None:
    """Make the packages of this checkout importable, with a `.pth` file in `site-packages`.

    Raises:
        subprocess.CalledProcessError: the virtual environment does not work.
    """
    code = 'import sysconfig; print(sysconfig.get_path("purelib"))'
    command = [str(ENVIRONMENT_PYTHON), "-c", code]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    site_packages = Path(result.stdout.rstrip("\n"))
    (site_packages / "leadconnector.pth").write_text(PATH_FILE, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
