"""Builds the environment and the code of each client in `build/compare/`."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .clients import HERE, ROOT, SPEC, BuiltEnvironment

TIMEOUT = 600
"""Seconds for one command. Installing the largest environment takes a minute."""

STAMP = "built"
"""The file that records from what a client was built."""


class BuildError(Exception):
    """A client cannot be built here. The message says why, and what to do."""


def build(client: BuiltEnvironment) -> None:
    """Install and generate a client, unless that has been done from the same sources.

    Raises:
        BuildError: a program is missing, or a command failed. The next run starts again.
    """
    if client.needs_java and shutil.which("java") is None:
        raise BuildError("it needs Java; on Debian: apt install default-jre-headless")
    stamp = client.folder / STAMP
    sources = fingerprint(client)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == sources:
        return
    shutil.rmtree(client.folder, ignore_errors=True)
    client.folder.mkdir(parents=True)
    install(client)
    generate(client)
    stamp.write_text(sources, encoding="utf-8")


def fingerprint(client: BuiltEnvironment) -> str:
    """A hash of everything that decides what is built."""
    digest = hashlib.sha256()
    for path in (client.lock_file, SPEC, HERE / "stainless.yml"):
        digest.update(path.read_bytes())
    digest.update("\0".join([sys.version, *client.generator]).encode())
    return digest.hexdigest()


def install(client: BuiltEnvironment) -> None:
    """Create the environment of a client from its lock file.

    Raises:
        BuildError: a command failed.
    """
    run([sys.executable, "-m", "venv", str(client.folder / "env")])
    pip = [str(client.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", str(client.lock_file)])


def generate(client: BuiltEnvironment) -> None:
    """Run the generator of a client, if it has one.

    Raises:
        BuildError: the generator failed.
    """
    output = client.folder / "client"
    output.mkdir()
    scripts = client.python.parent
    names = {"bin": scripts, "out": output, "spec": SPEC, "here": HERE}
    command = [argument.format(**names) for argument in client.generator]
    if command:
        # The generators run the formatter that is installed next to them.
        path = os.pathsep.join([str(scripts), os.environ.get("PATH", os.defpath)])
        run(command, path=path)
        # As an installation does. Otherwise the first scenario pays for it.
        run([str(client.python), "-m", "compileall", "-q", str(client.import_path)])


def run(command: Sequence[str], *, path: str | None = None) -> None:
    """Run a command that must succeed.

    Raises:
        BuildError: it failed. The message contains the end of its output.
    """
    environment = dict(os.environ)
    if path is not None:
        environment["PATH"] = path
    result = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=TIMEOUT,
        check=False,
    )
    if result.returncode != 0:
        program = Path(command[0]).name
        end = result.stdout.strip()[-500:]
        raise BuildError(f"`{program}` ended with status {result.returncode}: {end}")
