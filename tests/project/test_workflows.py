"""The workflows, the action and the hooks: what they may do, what they run, and their lint."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from project.regenerate import OUTPUT, PROGRAMS

from tests.support.make import clean_environment, make
from tests.support.paths import ROOT
from tests.support.regeneration import IDENTITY, Checkout, small_checkout
from tests.support.workflows import read_workflow, read_yaml, run_job, workflow_files

ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
PINNED = re.compile(r"uses: ([\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+\n")
"""An action with the hash of a commit, and the version that the hash stands for."""

USES = re.compile(r"^ *(?:- )?uses: (?!\./)", re.MULTILINE)
"""An action of another repository."""

each_workflow = pytest.mark.parametrize("path", workflow_files(), ids=lambda path: path.stem)


def steps() -> Iterator[dict[str, Any]]:
    """The steps of all workflows and of all actions of this repository."""
    for path in workflow_files():
        for job in read_yaml(path)["jobs"].values():
            yield from job["steps"]
    for path in ACTIONS:
        yield from read_yaml(path)["runs"]["steps"]


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", text, re.MULTILINE))


class TestRights:
    @each_workflow
    def test_the_default_is_no_access(self, path: Path) -> None:
        assert read_yaml(path)["permissions"] == {}

    @each_workflow
    def test_it_and_its_jobs_have_names_and_limits(self, path: Path) -> None:
        workflow = read_yaml(path)

        assert workflow["name"]
        assert "concurrency" in workflow
        for job in workflow["jobs"].values():
            assert job["name"]
            assert job["timeout-minutes"] <= 180
            assert "permissions" in job

    def test_each_action_has_the_hash_of_a_commit_and_a_version(self) -> None:
        for path in [*workflow_files(), *ACTIONS]:
            text = path.read_text(encoding="utf-8")
            assert len(PINNED.findall(text)) == len(USES.findall(text)), path

    def test_each_action_has_one_version_in_all_workflows(self) -> None:
        text = "".join(path.read_text(encoding="utf-8") for path in workflow_files())
        pins = set(PINNED.findall(text))

        assert len({name for name, _ in pins}) == len(pins)

    @each_workflow
    def test_no_checkout_leaves_a_token_behind(self, path: Path) -> None:
        for job in read_yaml(path)["jobs"].values():
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False

    def test_no_workflow_uses_a_secret(self) -> None:
        for path in workflow_files():
            assert "secrets." not in path.read_text(encoding="utf-8")

    def test_no_job_that_runs_code_of_the_project_may_publish(self) -> None:
        for path in workflow_files():
            for job in read_yaml(path)["jobs"].values():
                if job["permissions"].get("id-token") == "write":
                    assert not [step for step in job["steps"] if "run" in step]


class TestCommands:
    def test_each_step_runs_a_target_a_program_or_the_action(self) -> None:
        commands = [command for step in steps() if "run" in step for command in lines(step["run"])]

        programs = {shlex.split(command)[0] for command in commands}
        environment = "$RUNNER_TEMP/specdrift/bin/python"
        assert programs <= {".ci/run", "make", "gh", "python3", environment}

    def test_each_target_exists(self) -> None:
        for step in steps():
            for command in lines(step.get("run", "")):
                program, *arguments = shlex.split(command)
                if program == "make":
                    target = arguments[0]
                    file = target.removeprefix(".venv/").removesuffix(".installed")
                    assert target in targets() or (ROOT / "requirements" / f"{file}.txt").exists()

    def test_no_expression_is_part_of_a_command(self) -> None:
        # GitHub inserts values before the shell reads the command.
        assert not [step["run"] for step in steps() if "${{" in step.get("run", "")]

    @each_workflow
    def test_each_path_that_starts_it_exists(self, path: Path) -> None:
        events = read_yaml(path)["on"]
        for event in ("push", "pull_request"):
            filters: dict[str, Any] = events.get(event) or {}
            for pattern in filters.get("paths", []):
                assert list(ROOT.glob(pattern)), pattern


def lines(script: str) -> list[str]:
    return [line for line in script.splitlines() if line]


class TestLint:
    """`make lint`, on a copy of the repository's configuration."""

    @pytest.fixture
    def lint(self, tmp_path: Path) -> Callable[[], subprocess.CompletedProcess[str]]:
        shutil.copytree(ROOT / ".github", tmp_path / ".github")
        for name in ("Makefile", ".pre-commit-hooks.yaml"):
            shutil.copy(ROOT / name, tmp_path)

        def run_lint() -> subprocess.CompletedProcess[str]:
            bin_folder = Path(sys.executable).parent
            return make("lint", f"BIN={bin_folder}", "DEV=", cwd=tmp_path)

        return run_lint

    def test_this_repository_has_no_finding(
        self, lint: Callable[[], subprocess.CompletedProcess[str]]
    ) -> None:
        result = lint()

        assert result.returncode == 0, result.stdout + result.stderr

    @pytest.mark.parametrize(
        ("name", "text", "replacement", "message"),
        [
            (".github/workflows/ci.yml", r"checkout@\w+", "checkout@v4", "unpinned-uses"),
            (
                ".github/workflows/ci.yml",
                r"permissions: {}",
                "permissions: write-all",
                "permissions",
            ),
            (".github/workflows/ci.yml", r"timeout-minutes", "timeout-minute", "timeout-minute"),
            (
                ".github/workflows/release.yml",
                r"run: make notes",
                "run: make notes TAG=${{ github.ref_name }}",
                "template-injection",
            ),
            (".github/actions/specdrift/action.yml", r"using: composite", "using: a", "a"),
            (".github/dependabot.yml", r"interval: weekly", "interval: often", "often"),
        ],
        ids=["unpinned", "rights", "key", "injection", "action", "dependabot"],
    )
    def test_a_mistake_is_found(
        self,
        tmp_path: Path,
        lint: Callable[[], subprocess.CompletedProcess[str]],
        name: str,
        text: str,
        replacement: str,
        message: str,
    ) -> None:
        path = tmp_path / name
        content, changes = re.subn(text, replacement, path.read_text(encoding="utf-8"), count=1)
        assert changes == 1
        path.write_text(content, encoding="utf-8")

        result = lint()

        assert result.returncode == 2
        assert message in result.stdout + result.stderr


class TestRegenerate:
    """The steps of the workflow `regenerate`, in a real repository with a fake generator."""

    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Checkout:
        return small_checkout(tmp_path)

    @staticmethod
    def run(checkout: Checkout, job: str, *, is_push: bool) -> tuple[int, str]:
        """Run the steps of a job. Returns the status and the output of the last step."""
        shutil.copytree(ROOT / "requirements", checkout.root / "requirements", dirs_exist_ok=True)
        shutil.copy(ROOT / "Makefile", checkout.root)
        (checkout.root / ".venv").mkdir(exist_ok=True)
        (checkout.root / ".venv" / "demo.installed").touch()
        shutil.copytree(checkout.modules, checkout.root / "tools", dirs_exist_ok=True)
        (checkout.root / ".git" / "info" / "exclude").write_text(
            ".venv\nrequirements\nMakefile\ntools\nbuild\n"
        )
        environment = {
            **clean_environment(),
            **IDENTITY,
            "MAKEFLAGS": f"BIN={Path(sys.executable).parent}",
            "PYTHON": sys.executable,
            "PYTHONPATH": str(checkout.modules),
            "GITHUB_STEP_SUMMARY": str(checkout.root.parent / "summary.md"),
            "GITHUB_OUTPUT": str(checkout.root.parent / "output.txt"),
            "GITHUB_SERVER_URL": "https://git.example.org",
        }
        workflow = read_workflow("regenerate")["jobs"]
        patch_expression = workflow["regenerate"]["steps"][2]["env"]["PATCH"][3:].strip(" }{")
        patch = "build/regenerate/generated.patch" if is_push else ""
        values = {
            "github.token": "secret",
            "runner.temp": str(checkout.root / "build"),
            patch_expression: patch,
        }
        results = run_job(workflow[job], checkout.root, environment, values)
        return results[-1].status, results[-1].output

    def test_without_a_push_a_difference_fails_the_first_job(self, checkout: Checkout) -> None:
        checkout.spec.write_text("two\n", encoding="utf-8")
        checkout.commit()

        status, output = self.run(checkout, "regenerate", is_push=False)

        assert status == 2
        assert "Not up to date: generated, docs/api.md. Run `make generate`" in output
        assert "+two" in checkout.summary
        assert not (checkout.root.parent / "output.txt").exists()

    def test_without_a_difference_the_first_job_passes(self, checkout: Checkout) -> None:
        assert self.run(checkout, "regenerate", is_push=False)[0] == 0

    def test_the_second_job_pushes_as_the_bot_of_github(self, checkout: Checkout) -> None:
        checkout.spec.write_text("two\n", encoding="utf-8")
        checkout.commit()
        checkout.git("push", "--quiet", "origin", "change")

        assert self.run(checkout, "regenerate", is_push=True)[0] == 0
        outputs = (checkout.root.parent / "output.txt").read_text(encoding="utf-8")
        assert outputs == "changed=true\n"
        status, output = self.run(checkout, "push", is_push=True)

        assert (status, "was pushed to change" in output) == (0, True), output
        author = checkout.git("log", "-1", "--format=%an", checkout.pushed_commit())
        assert author == "github-actions[bot]\n"
        assert "secret" not in output

    def test_the_job_that_may_write_runs_no_generator(self) -> None:
        jobs = read_workflow("regenerate")["jobs"]

        assert jobs["regenerate"]["permissions"] == {"contents": "read"}
        assert jobs["push"]["permissions"] == {"contents": "write"}
        assert [step["run"] for step in jobs["push"]["steps"] if "run" in step] == ["make push"]

    def test_a_change_of_any_output_starts_it(self) -> None:
        paths = read_workflow("regenerate")["on"]["push"]["paths"]
        outputs = [f"{name}/**" if (ROOT / name).is_dir() else name for name in OUTPUT]

        assert set(outputs) <= set(paths)
        programs = {f"tools/{module.replace('.', '/')}/**" for module, *_ in PROGRAMS}
        assert programs <= set(paths)

    def test_a_patch_is_written_where_the_push_is_allowed(self) -> None:
        jobs = read_workflow("regenerate")["jobs"]
        condition, _, _ = jobs["push"]["if"].removeprefix("${{ ").partition(" && needs.")

        assert "default_branch" in condition
        patch = jobs["regenerate"]["steps"][2]["env"]["PATCH"]
        assert patch.startswith(f"${{{{ {condition} && ")


class TestRelease:
    def test_nothing_is_published_before_the_build_job_has_passed(self) -> None:
        jobs = read_workflow("release")["jobs"]

        assert [step["run"] for step in jobs["build"]["steps"] if "run" in step] == [
            "make notes",
            "make dist",
            ".ci/run installed",
        ]
        assert jobs["publish"]["needs"] == "build"
        assert jobs["announce"]["needs"] == ["build", "publish"]

    def test_the_release_has_the_notes_and_the_files(self, tmp_path: Path) -> None:
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "release-notes.md").write_text("- A change.\n", encoding="utf-8")
        (tmp_path / "distributions").mkdir()
        for name in ("a-1.0.tar.gz", "a-1.0-py3-none-any.whl"):
            (tmp_path / "distributions" / name).touch()
        gh = tmp_path / "bin" / "gh"
        gh.parent.mkdir()
        gh.write_text('#!/bin/sh\nprintf "%s\\n" "$GH_REPO" "$@"\n', encoding="utf-8")
        gh.chmod(0o755)

        [result] = run_job(
            read_workflow("release")["jobs"]["announce"],
            tmp_path,
            {"PATH": f"{gh.parent}:{os.environ['PATH']}"},
            {
                "github.token": "secret",
                "github.repository": "OWNER/REPOSITORY",
                "github.ref_name": "v1.0 $(touch x)",
                "needs.build.outputs.prerelease": "false",
            },
        )

        assert result.output.splitlines() == [
            *("OWNER/REPOSITORY", "release", "create", "v1.0 $(touch x)", "--verify-tag"),
            *("--prerelease=false", "--title", "v1.0 $(touch x)"),
            *("--notes-file", "notes/release-notes.md"),
            *("distributions/a-1.0-py3-none-any.whl", "distributions/a-1.0.tar.gz"),
        ]
        assert not (tmp_path / "x").exists()


class TestHooks:
    @staticmethod
    def hooks() -> dict[str, dict[str, Any]]:
        text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
        return {hook["id"]: hook for hook in yaml.safe_load(text)}

    def test_each_hook_has_what_pre_commit_requires(self) -> None:
        for hook in self.hooks().values():
            assert hook["name"]
            assert hook["language"] == "python"
            assert re.compile(hook["files"])

    def test_each_hook_is_documented(self) -> None:
        text = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")

        assert [name for name in self.hooks() if f"hook `{name}`" not in text] == []

    def test_the_packages_that_hooks_install_are_in_this_repository(self) -> None:
        for hook in self.hooks().values():
            for requirement in hook["additional_dependencies"]:
                if requirement.startswith("./"):
                    assert (ROOT / requirement).is_dir()

    def test_the_versions_are_those_that_decide_the_generated_bytes(self) -> None:
        requirements = [
            Requirement(text)
            for text in self.hooks()["leadconnector-generate"]["additional_dependencies"]
        ]
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        pinned = {str(requirement) for requirement in requirements if requirement.specifier}

        assert pinned == set(project["dependency-groups"]["demo"])

    @pytest.mark.parametrize(
        ("name", "is_document"),
        [
            ("openapi.yaml", True),
            ("openapi.yml", True),
            ("spec/openapi.json", True),
            ("myopenapi.yaml", False),
            ("openapi.yaml.txt", False),
        ],
    )
    def test_the_default_files_are_openapi_documents(self, name: str, is_document: bool) -> None:
        assert bool(re.search(self.hooks()["specdrift"]["files"], name)) is is_document

    @pytest.mark.parametrize(
        ("name", "is_source"),
        [
            ("spec/openapi.yaml", True),
            ("templates/endpoint_init.py.jinja", True),
            ("generated/contract.json", True),
            ("tools/generate/document.py", True),
            ("generator-config.yaml", True),
            ("README.md", False),
            ("docs/spec/a.md", False),
        ],
    )
    def test_the_generator_runs_when_its_sources_change(self, name: str, is_source: bool) -> None:
        files = self.hooks()["leadconnector-generate"]["files"]
        assert bool(re.search(files, name)) is is_source

    def test_the_entry_for_specdrift_compares_a_file(self, tmp_path: Path) -> None:
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        shutil.copy(ROOT / "spec" / "openapi.yaml", tmp_path / "openapi.yaml")
        for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-mOne"]):
            subprocess.run([*git, *arguments], cwd=tmp_path, check=True, timeout=60)
        document = tmp_path / "openapi.yaml"
        text = document.read_text(encoding="utf-8")
        document.write_text(text.replace("  put:\n", "  post:\n"), encoding="utf-8")

        result = self.run_entry("specdrift", tmp_path, "openapi.yaml")

        assert result.returncode == 1, result.stderr
        assert "HEAD:openapi.yaml" in result.stdout

    def test_the_entry_for_the_generator_compares_this_repository(self) -> None:
        result = self.run_entry("leadconnector-generate", ROOT)

        assert (result.returncode, result.stdout) == (0, "generated: up to date\n"), result.stderr

    def run_entry(self, hook: str, folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
        """Run a hook's entry as pre-commit does, with its environment first on the PATH."""
        return subprocess.run(
            [*shlex.split(self.hooks()[hook]["entry"]), *files],
            cwd=folder,
            env={
                **clean_environment(),
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT / "tools"),
            },
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
