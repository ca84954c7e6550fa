"""`make coverage`: its table, its floor, and what it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project.coverage import Count, counts_by_package, markdown, read_floor

from tests.support.make import clean_environment
from tests.support.paths import ROOT

MODULE = """
def double(number):
    if number:
        return 2 * number
    return 0
"""
TEST = """
from part.module import double

def test_double():
    assert double({argument}) == {result}
"""
SETTINGS = """
[tool.coverage.run]
branch = true
source_pkgs = ["part"]

[tool.coverage.report]
fail_under = {floor}
"""


def file(statements: int, covered: int, branches: int, covered_branches: int) -> dict[str, object]:
    """A file in coverage's report."""
    return {
        "summary": {
            "num_statements": statements,
            "covered_lines": covered,
            "num_branches": branches,
            "covered_branches": covered_branches,
        }
    }


class TestTable:
    def test_files_are_added_up_by_package(self) -> None:
        report = {
            "files": {
                "overrides/leadconnector/a.py": file(10, 9, 2, 1),
                "overrides/leadconnector/_runtime/b.py": file(90, 90, 8, 8),
                "tools/specdrift/c.py": file(1000, 1000, 0, 0),
            }
        }

        counts = counts_by_package(report)

        assert counts == {
            "leadconnector": Count(100, 99, 10, 9),
            "specdrift": Count(1000, 1000, 0, 0),
        }
        assert markdown(counts, floor=90) == (
            "| package | statements | branches | coverage |\n"
            "|---|---:|---:|---:|\n"
            "| leadconnector | 99 of 100 | 9 of 10 | 98.1 % |\n"
            "| specdrift | 1,000 of 1,000 | 0 of 0 | 100.0 % |\n"
            "| all | 1,099 of 1,100 | 9 of 10 | 99.8 % |\n"
            "\n"
            "The sum is above the floor of 90 %.\n"
        )

    def test_the_percentage_is_rounded_down(self) -> None:
        assert "| 99.9 % |" in markdown({"a": Count(10_000, 9_999, 0, 0)}, floor=0)

    def test_a_sum_below_the_floor_is_named(self) -> None:
        assert "**below** the floor of 90.5 %" in markdown({"a": Count(100, 90, 0, 0)}, floor=90.5)

    def test_an_empty_package_has_no_gap(self) -> None:
        assert Count().percentage == 100


class TestProgram:
    """Each test runs pytest with coverage on a small project."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        folder = tmp_path / "project"
        (folder / "tools" / "part").mkdir(parents=True)
        (folder / "tools" / "part" / "__init__.py").touch()
        (folder / "tools" / "part" / "module.py").write_text(MODULE, encoding="utf-8")
        (folder / "test_zero.py").write_text(TEST.format(argument=0, result=0), encoding="utf-8")
        (folder / "test_two.py").write_text(TEST.format(argument=1, result=2), encoding="utf-8")
        self.set_floor(folder, 100)
        return folder

    @staticmethod
    def set_floor(project: Path, floor: float) -> None:
        (project / "pyproject.toml").write_text(SETTINGS.format(floor=floor), encoding="utf-8")

    @staticmethod
    def measure(project: Path, tests: str = "") -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join([str(project / "tools"), str(ROOT / "tools")])
        return subprocess.run(
            [sys.executable, "-m", "project.coverage"],
            cwd=project,
            env={
                **clean_environment(),
                "PYTHONPATH": paths,
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTEST_PLUGINS": "pytest_cov.plugin",
                "GITHUB_STEP_SUMMARY": str(project.parent / "summary.md"),
                "TESTS": tests,
            },
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def test_at_the_floor_it_passes_and_leaves_no_file(self, project: Path) -> None:
        files = sorted(project.rglob("*"))

        result = self.measure(project, "")

        assert (result.returncode, result.stderr) == (0, "")
        summary = (project.parent / "summary.md").read_text(encoding="utf-8")
        assert "| part | 4 of 4 | 2 of 2 | 100.0 % |" in summary
        assert summary.removeprefix("### Coverage\n\n") in result.stdout + "\n"
        shutil.rmtree(project / ".pytest_cache")
        assert sorted(project.rglob("*")) == files

    def test_below_the_floor_it_fails(self, project: Path) -> None:
        (project / "test_zero.py").unlink()

        result = self.measure(project)

        assert result.returncode == 1
        assert "1 passed" in result.stdout
        assert "| all | 3 of 4 | 1 of 2 | 66.6 % |" in result.stdout
        assert "**below** the floor of 100 %" in result.stdout

    def test_selected_tests_have_no_floor(self, project: Path) -> None:
        result = self.measure(project, "test_zero.py")

        assert result.returncode == 0
        assert "| all | 3 of 4 | 1 of 2 | 66.6 % |" in result.stdout
        assert "floor" not in result.stdout

    def test_a_failed_test_fails_the_run_and_the_table_is_printed(self, project: Path) -> None:
        (project / "test_two.py").write_text(TEST.format(argument=1, result=3), encoding="utf-8")

        result = self.measure(project)

        assert result.returncode == 1
        assert "1 failed" in result.stdout
        assert "| part | 4 of 4 |" in result.stdout

    def test_an_unknown_test_is_pytests_error(self, project: Path) -> None:
        result = self.measure(project, "test_three.py")

        assert result.returncode == 4
        assert "test_three.py" in result.stderr + result.stdout
        assert "Traceback" not in result.stderr


def test_this_project_has_a_floor() -> None:
    assert 50 < read_floor(ROOT / "pyproject.toml") < 100
