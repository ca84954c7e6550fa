"""The commands in the documentation run in a clone of the project, as a reader runs them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import Block, blocks_in
from tests.support.environments import copy_checkout
from tests.support.make import clean_environment
from tests.support.paths import ROOT

TIMEOUT = 120
"""Seconds for a block. A block takes much less; the limit keeps a failing test from hanging."""

REASON_NOT_TO_RUN = {
    r"python3 -m venv |.*\bpip install ": "it downloads packages; test_packaging.py installs ours",
    r"make (check|test)\b": "CI runs it; within the tests it would run the tests again",
    r"make (fuzz|soak|rates|refreshes|bench)\b": "it takes minutes; test_long.py runs short ones",
    r"make drift\b(?!.*UPSTREAM=)": "it downloads the vendor's document",
    r"make drift UPSTREAM=\.\./docs/": "the vendor's document is not part of this project",
    r"make lock\b": "it downloads the index of all dependencies",
}
"""Commands that are only parsed, by a pattern for their start."""


@pytest.fixture(scope="module", name="clone")
def clone_of_the_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git clone with an installed environment, and with the files that the commands name."""
    folder = tmp_path_factory.mktemp("documented") / "leadconnector"
    copy_checkout(folder)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], cwd=folder, check=True)
    subprocess.run([*git, "add", "--all"], cwd=folder, check=True)
    subprocess.run([*git, "commit", "--quiet", "--message=All files"], cwd=folder, check=True)
    make_environment(folder)
    shutil.copy(folder / "spec" / "openapi.yaml", folder / "old.yaml")
    shutil.copy(folder / "spec" / "openapi.yaml", folder / "new.yaml")
    (folder / "faults.yaml").write_text("- {nth: 3, status: 503}\n", encoding="utf-8")
    (folder / "conversations.json").write_text('[{"id": "c1"}]', encoding="utf-8")
    (folder.parent / "service" / "src" / "service").mkdir(parents=True)
    return folder


def make_environment(folder: Path) -> None:
    """Make `.venv` what `make` would install, without a download."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    stand_in = ROOT / "tests" / "support" / "documented_python.py"
    for name in ("python", "python3"):
        program = programs / name
        program.write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(stand_in))} "$@"\n',
            encoding="utf-8",
        )
        program.chmod(0o755)
    # Newer than the lock files, so that make installs nothing.
    (folder / ".venv" / "demo.installed").touch()
    (folder / ".venv" / "dev.installed").touch()


def commands_to_run(code: str) -> str:
    """A block without the commands that are not run."""
    lines = code.replace("\\\n", " ").splitlines(keepends=True)
    return "".join(line for line in lines if reason_not_to_run(line) is None)


def reason_not_to_run(command: str) -> str | None:
    """The reason for which a command is only parsed; `None` if it is run."""
    for pattern, reason in REASON_NOT_TO_RUN.items():
        if re.match(pattern, command):
            return reason
    return None


@pytest.mark.parametrize("block", [*blocks_in("sh"), *blocks_in("console")], ids=str)
def test_a_block_of_commands_runs_without_an_error(clone: Path, block: Block) -> None:
    subprocess.run(["sh", "-n", "-c", block.code], check=True, timeout=TIMEOUT)
    code = commands_to_run(block.code)
    environment = clean_environment() | {
        "PATH": f"{clone / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(
            str(clone / name) for name in ("overrides", "tools", "examples")
        ),
    }

    with subprocess.Popen(
        ["sh", "-e", "-c", code],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    ) as shell:
        try:
            output, _ = shell.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            # Also what the shell has started, such as a server.
            os.killpg(shell.pid, signal.SIGKILL)
            raise

    assert shell.returncode == 0, f"{code}\n{output}"


def test_most_blocks_of_commands_run() -> None:
    all_blocks = blocks_in("sh")
    run_blocks = [block for block in all_blocks if commands_to_run(block.code).strip()]

    assert len(run_blocks) >= len(all_blocks) / 2


@pytest.mark.parametrize(
    "command",
    ["make generate", "make diff BASE=main", "make drift UPSTREAM=vendor.json", "make checkout"],
)
def test_a_reason_covers_no_command_that_can_run(command: str) -> None:
    assert reason_not_to_run(command) is None
