"""The workflows `drift` and `diff`: which job has which rights, and what it runs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from project.github import comment, issue

from tests.support.paths import ROOT

WRITE_RIGHTS = {
    "drift": ["issues"],
    "code-scanning": ["security-events"],
    "comment": ["pull-requests"],
    "compare": [],
}
"""What each job may write."""


def workflow(name: str) -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    # In YAML 1.1, `on` is a boolean.
    data: dict[str, Any] = yaml.load(text, yaml.BaseLoader)
    return data


JOBS: dict[str, dict[str, Any]] = workflow("drift")["jobs"] | workflow("diff")["jobs"]


def commands(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def step_with(job: str, command: str) -> dict[str, Any]:
    steps: list[dict[str, Any]] = JOBS[job]["steps"]
    [step] = [step for step in steps if step.get("run") == command]
    return step


@pytest.mark.parametrize("job", JOBS)
def test_a_job_may_write_only_what_it_publishes(job: str) -> None:
    permissions: dict[str, str] = JOBS[job]["permissions"]

    rights = [name for name, right in permissions.items() if right == "write"]
    assert rights == WRITE_RIGHTS[job]


def test_a_pull_request_starts_the_workflow_without_the_rights_of_the_repository() -> None:
    # `pull_request_target` and `workflow_run` would have them, also for forks.
    assert workflow("diff")["on"] == {"push": {"branches": ["main"]}, "pull_request": ""}


def test_no_job_with_rights_runs_the_code_of_a_pull_request() -> None:
    for name in ("code-scanning", "comment"):
        [checkout] = [
            step
            for step in JOBS[name]["steps"]
            if step.get("uses", "").startswith("actions/checkout@")
        ]
        runs_base = checkout["with"].get("ref") == "${{ github.event.pull_request.base.sha }}"
        assert runs_base or commands(name) == []
        condition = "github.event.pull_request.head.repo.full_name == github.repository"
        assert condition in JOBS[name]["if"]


def test_only_the_step_that_publishes_has_a_token() -> None:
    steps = [step for job in JOBS.values() for step in job["steps"]]

    runs = [step["run"] for step in steps if "GITHUB_TOKEN" in step.get("env", {})]
    assert runs == ["make issue", "make comment"]
    assert not [job for job in JOBS.values() if "GITHUB_TOKEN" in job.get("env", {})]


def test_the_nightly_job_compares_before_it_publishes_the_same_report() -> None:
    assert commands("drift")[-2:] == ["make drift", "make issue"]
    assert JOBS["drift"]["env"] == {"REPORT": issue.DEFAULT_FOLDER}
    assert "schedule" in workflow("drift")["on"]
    # Two runs at once could open two issues.
    assert workflow("drift")["concurrency"]["cancel-in-progress"] == "false"


def test_only_a_run_on_the_default_branch_writes_the_issue() -> None:
    # The event of a schedule does not name the default branch, but is always on it.
    assert step_with("drift", "make issue")["if"] == (
        "github.event_name == 'schedule'"
        " || github.ref_name == github.event.repository.default_branch"
    )


def test_the_comment_is_that_of_the_comparison_with_the_base() -> None:
    environment = step_with("compare", "make diff")["env"]
    base = "${{ github.event_name == 'push' && 'HEAD' || 'HEAD^1' }}"
    assert environment == {"BASE": base, "REPORT": comment.DEFAULT_FOLDER}
    assert step_with("comment", "make comment")["env"]["REPORT"] == comment.DEFAULT_FOLDER

    names: list[str] = []
    folders: list[str] = []
    for job in ("compare", "code-scanning", "comment"):
        for step in JOBS[job]["steps"]:
            if "artifact@" in step.get("uses", ""):
                names.append(step["with"]["name"])
                folders.append(step["with"]["path"])
    assert names == ["diff"] * 3
    assert folders == [comment.DEFAULT_FOLDER] * 3
    # Without the base's commit, git could not read the older spec.
    assert JOBS["compare"]["steps"][0]["with"]["fetch-depth"] == "2"


def test_code_scanning_has_an_analysis_of_the_main_branch_and_of_its_pull_requests() -> None:
    # The name of the job and the category must be the same. So it is one job.
    condition = " ".join(JOBS["code-scanning"]["if"].split())
    assert "(github.event_name == 'push' || (github.event.pull_request.head." in condition
    assert "if" not in JOBS["compare"]
    # Two commits of the main branch must not cancel each other.
    group = workflow("diff")["concurrency"]["group"]
    assert group == "diff-${{ github.event.pull_request.number || github.sha }}"


def test_only_a_pull_request_gets_a_comment() -> None:
    assert JOBS["comment"]["if"].startswith("github.event_name == 'pull_request' && ")
