"""Repositories for the tests of regeneration: a clone of a bare one, and a generator."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import run
from tests.support.make import clean_environment
from tests.support.paths import ROOT

FAKE_GENERATOR = """
import pathlib, sys
text = pathlib.Path("spec/openapi.yaml").read_text(encoding="utf-8")
if "invalid" in text:
    sys.exit("generate: the spec is invalid\\ngenerate: generated/ is unchanged.")
pathlib.Path("generated/client.py").write_text(text, encoding="utf-8")
if "field" in text:
    pathlib.Path("generated/new.py").touch()
print("generated/: done")
"""
"""The source of a generator whose output is the spec. It is much faster than the real one."""

FAKE_INDEX = """
import pathlib
text = pathlib.Path("generated/client.py").read_text(encoding="utf-8")
pathlib.Path("docs/api.md").write_text(text, encoding="utf-8")
"""
"""The source of a program whose page is the generated client."""

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


@dataclass(frozen=True)
class Checkout:
    """A clone of a bare repository, with a program that regenerates."""

    root: Path
    origin: Path
    modules: Path

    @property
    def spec(self) -> Path:
        return self.root / "spec" / "openapi.yaml"

    @property
    def summary(self) -> str:
        path = self.root.parent / "summary.md"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        settings = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        return run("git", *settings, "-c", "commit.gpgsign=false", *arguments, cwd=cwd or self.root)

    def commit(self, message: str = "Change the spec") -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", f"--message={message}")

    def pushed_commit(self, branch: str = "change") -> str:
        """The last commit of a branch in the bare repository."""
        return self.git("rev-parse", f"refs/heads/{branch}", cwd=self.origin).strip()

    @property
    def patch(self) -> Path:
        return self.root.parent / "patches" / "generated.patch"

    def regenerate(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return self._run("project.regenerate", environment)

    def push(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return self._run("project.push", {"PATCH": str(self.patch), **environment})

    def _run(self, module: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module],
            cwd=self.root,
            env={
                **clean_environment(),
                **IDENTITY,
                "PYTHONPATH": str(self.modules),
                "GITHUB_STEP_SUMMARY": str(self.root.parent / "summary.md"),
                **environment,
            },
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )


def clone(folder: Path, source: Path, modules: Path) -> Checkout:
    """Commit a folder's files, push them to a new bare repository, and check out a branch."""
    checkout = Checkout(source, folder / "origin.git", modules)
    checkout.git("init", "--quiet", "--bare", str(checkout.origin))
    checkout.git("init", "--quiet", "--initial-branch=change")
    checkout.git("remote", "add", "origin", str(checkout.origin))
    checkout.commit("One")
    checkout.git("push", "--quiet", "origin", "change")
    return checkout


def small_checkout(folder: Path) -> Checkout:
    """A small project with the fake generator."""
    modules = folder / "modules"
    shutil.copytree(ROOT / "tools" / "project", modules / "project")
    (modules / "generate").mkdir()
    (modules / "generate" / "__init__.py").touch()
    (modules / "generate" / "__main__.py").write_text(FAKE_GENERATOR, encoding="utf-8")
    (modules / "project" / "api_index" / "__main__.py").write_text(FAKE_INDEX, encoding="utf-8")
    root = folder / "checkout"
    (root / "spec").mkdir(parents=True)
    (root / "generated").mkdir()
    (root / "docs" / "reference").mkdir(parents=True)
    (root / "docs" / "api.md").write_text("one\n", encoding="utf-8")
    (root / "docs" / "reference" / "resources.rst").touch()
    (root / "spec" / "openapi.yaml").write_text("one\n", encoding="utf-8")
    (root / "generated" / "client.py").write_text("one\n", encoding="utf-8")
    return clone(folder, root, modules)
