"""The commands in the documentation run in a clone of the project, as a reader runs them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.documents import Block, blocks_in
from tests.support.environments import copy_checkout
from tests.support.ready_checkout import environment_of, make_environment

TIMEOUT = 120
"""Seconds for a block. A block takes much less; the limit keeps a failing test from hanging."""

SHELL_BLOCKS = [*blocks_in("sh"), *blocks_in("console")]

REASON_NOT_TO_RUN = {
    r"python3 -m venv |(\S*/)?pip install ": "it downloads; test_packaging.py installs the wheels",
    r"make (check|test|docs)\b": "other tests do the same, or it would run the tests again",
    r"make (bench|fuzz|kills|rates|refreshes|soak)\b": "it takes minutes; a test runs a short one",
    r"make (adopt|drift|issue|comment)\b": "it needs the vendor's documents or GitHub",
    r"python -m specdrift spec/openapi.yaml apps/": "it needs the vendor's documents",
    r"make (lock|preview)\b": "it downloads packages",
    r"(python -m app._vendor.)?leadconnector authorize ": "test_authorize_command.py runs it",
    r"read -r LEADCONNECTOR_CLIENT_SECRET": "the file has a secret of the reader",
    r"make httpx2\b": "it runs most tests again; test_httpx2.py runs a few",
    r"make compare\b|cd benchmarks/compare/|uv pip compile ": "it installs the other clients",
    r"curl ": "emulator/test_control.py runs it against a server",
    r"docker ": "it needs Docker; test_container.py checks what the Dockerfile names",
    r"specdrift ": "test_missing_requirements.py runs the installed program",
}
"""Commands that are only parsed, by a pattern for their start."""

RECORD = """\
{"form": 1, "request": {"method": "GET", "target": "/x", "headers": {}, "body": ""}, \
"response": {"status": 204, "headers": [], "body": ""}}
"""
"""A record of the emulator with one exchange."""


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
    (folder / "exchanges.jsonl").write_text(RECORD, encoding="utf-8")
    (folder.parent / "service" / "src" / "service").mkdir(parents=True)
    return folder


def commands_to_run(code: str) -> str:
    """A block without the commands that are not run."""
    # A continued line is a part of its command.
    lines = code.replace("\\\n", " ").splitlines(keepends=True)
    return "".join(line for line in lines if reason_not_to_run(line) is None)


def reason_not_to_run(command: str) -> str | None:
    """The reason for which a command is only parsed; `None` if it is run."""
    for pattern, reason in REASON_NOT_TO_RUN.items():
        if re.match(pattern, command):
            return reason
    return None


@pytest.mark.parametrize("document", sorted({block.document for block in SHELL_BLOCKS}))
def test_the_commands_of_a_document_run_in_its_order(clone: Path, document: str) -> None:
    """A command can need the result of an earlier one, as for a reader."""
    for block in SHELL_BLOCKS:
        if block.document == document:
            run_block(block, clone)


def run_block(block: Block, folder: Path) -> None:
    """Run a block in a folder.

    Raises:
        AssertionError: a command failed.
        subprocess.TimeoutExpired: a command does not end.
    """
    subprocess.run(["sh", "-n", "-c", block.code], check=True, timeout=TIMEOUT)
    with subprocess.Popen(
        ["sh", "-e", "-c", commands_to_run(block.code)],
        cwd=folder,
        env=environment_of(folder),
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
    assert shell.returncode == 0, f"{block}:\n{block.code}\n{output}"


def test_many_blocks_of_commands_run() -> None:
    run_blocks = [block for block in SHELL_BLOCKS if commands_to_run(block.code).strip()]

    # The others download, or take minutes.
    assert len(run_blocks) >= 0.4 * len(SHELL_BLOCKS)


@pytest.mark.parametrize(
    "command",
    ["make generate", "make diff BASE=main", "make checkout", "python -m specdrift a b"],
)
def test_a_reason_covers_no_command_that_can_run(command: str) -> None:
    assert reason_not_to_run(command) is None
