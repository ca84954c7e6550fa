"""Reads the workflows of GitHub, and runs the shell of their steps on this machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

FOLDER = ROOT / ".github" / "workflows"
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")

SHELLS = {
    "": ["bash", "-e"],
    "bash": ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail"],
}
"""How GitHub starts the shell of a step, without its `shell` and with `shell: bash`.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

TIMEOUT = 600
"""Seconds. The limit keeps a failing step from hanging."""


def workflow_files() -> list[Path]:
    return sorted(FOLDER.glob("*.yml"))


def read_workflow(name: str) -> dict[str, Any]:
    """The content of a workflow, without the name of its file extension."""
    return read_yaml(FOLDER / f"{name}.yml")


def read_yaml(path: Path) -> dict[str, Any]:
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1, which PyYAML reads, takes the key `on` for a boolean.
    if True in content:
        content["on"] = content.pop(True)
    return content


@dataclass(frozen=True)
class StepResult:
    """How a step ended, and what it printed."""

    name: str
    status: int
    output: str


def run_job(
    job: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
    values: Mapping[str, str],
) -> list[StepResult]:
    """Run the shell of a job's steps in order, until one fails. Actions are skipped.

    Args:
        job: the job, as in the workflow.
        folder: the working directory, in place of the checkout.
        environment: the variables of the runner.
        values: what GitHub's expressions stand for, such as `github.ref_name`.

    Returns:
        The results of the steps that ran. The last one may have failed.
    """
    results: list[StepResult] = []
    for step in job["steps"]:
        if "run" not in step:
            continue
        variables = {name: expand(str(text), values) for name, text in step.get("env", {}).items()}
        script = expand(step["run"], values)
        process = subprocess.run(
            [*SHELLS[step.get("shell", "")], "-c", script],
            cwd=folder,
            env={**environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )
        results.append(StepResult(step.get("name", ""), process.returncode, process.stdout))
        if process.returncode != 0:
            break
    return results


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace GitHub's expressions. One without a value is an error."""
    return EXPRESSION.sub(lambda match: values[match[1]], text)
