"""`make httpx2`: the renaming, the environment, and what is reported of a run of tests."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project import httpx2
from project.httpx2 import (
    KNOWN_FAILURES,
    NoReportError,
    Results,
    read_report,
    rename_in_files,
    renamed,
    run_trial,
    summary,
)

from tests.project.candidates import edit, write_wheel
from tests.support.environments import copy_distribution
from tests.support.paths import ROOT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import httpx", "import httpx2"),
        ("import httpx as http", "import httpx2 as http"),
        ("from httpx import URL", "from httpx2 import URL"),
        ("from httpx._types import URL", "from httpx2._types import URL"),
        ("x = httpx.URL(httpcore.URL)", "x = httpx2.URL(httpcore2.URL)"),
        ("list[httpx.Client]|httpx.Client", "list[httpx2.Client]|httpx2.Client"),
        ("(*httpx.headers, **httpx.x)", "(*httpx2.headers, **httpx2.x)"),
        ('getLogger("httpx")', 'getLogger("httpx2")'),
        ('PACKAGES = ("httpx.", "httpcore.")', 'PACKAGES = ("httpx2.", "httpcore2.")'),
        ('["attrs>=23.1", "httpx>=0.28,<0.29"]', '["attrs>=23.1", "httpx2"]'),
        ('"httpx~=0.28"', '"httpx2"'),
        ("from httpx_aiohttp import A", "from httpx_aiohttp.httpx2 import A"),
    ],
)
def test_httpx_and_httpcore_are_renamed(text: str, expected: str) -> None:
    assert renamed(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "import httpx2",
        "import httpcore2",
        '"httpx-aiohttp"',
        "python-httpx/0.28.1",
        "from pyreqwest.compatibility.httpx import HttpxTransport",
        "self._httpx_args, my_httpx, httpxs",
        "overrides/leadconnector/_runtime/http/",
    ],
)
def test_other_names_stay(text: str) -> None:
    assert renamed(text) == text


PARTS = st.sampled_from(["httpx", "httpcore", "httpx2", "import ", ".", "-", "_", '"', "(", "\n"])


@given(st.lists(PARTS).map("".join))
def test_renaming_twice_is_renaming_once(text: str) -> None:
    assert renamed(renamed(text)) == renamed(text)


def test_no_import_of_httpx_remains_in_the_packages(tmp_path: Path) -> None:
    httpx2.copy_checkout(ROOT, tmp_path / "copy")
    assert rename_in_files(tmp_path / "copy") > 50

    for folder in ("generated", "overrides", "tools/leadconnector_emulator"):
        for path in (tmp_path / "copy" / folder).rglob("*.py"):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            imports = {
                alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
            }
            assert imports & {"httpx", "httpcore"} == set(), path
    assert not (tmp_path / "copy" / ".venv").exists()


def test_each_known_failure_names_a_test_that_exists() -> None:
    for known_failure in KNOWN_FAILURES:
        module, _, function = known_failure.test.partition("::")
        path = (ROOT / module.replace(".", "/")).with_suffix(".py")
        names = {
            node.name
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        assert function in names
        assert known_failure.parameter in path.read_text(encoding="utf-8")


def test_a_failure_with_other_parameters_is_unexpected() -> None:
    known_name = f"{KNOWN_FAILURES[0].test}[call_sync-SyncHttpxTransport-None]"
    other_name = f"{KNOWN_FAILURES[0].test}[call_async-AiohttpTransport-None]"
    results = Results(passed=5, skipped=1, failures=(known_name, other_name, "tests.a::test_b"))

    assert results.unexpected_failures == (other_name, "tests.a::test_b")
    *_, first, second, counts = summary(results)
    assert first == f"fails with httpx2: {other_name}"
    assert second == "fails with httpx2: tests.a::test_b"
    assert counts == "5 of 8 tests pass with httpx2: 1 known failures, 2 others, 1 skipped"


REPORTED_TESTS = """
import pytest

def test_good(): pass

@pytest.mark.parametrize("n", [1, 2])
def test_bad(n): assert n == 1

@pytest.mark.skip
def test_skipped(): pass

@pytest.fixture
def broken(): raise ValueError

def test_error(broken): pass

class TestInside:
    def test_bad(self): assert False
"""


def test_the_report_of_pytest_is_read(tmp_path: Path) -> None:
    (tmp_path / "test_them.py").write_text(REPORTED_TESTS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "--junit-xml=report.xml", "-p", "no:randomly"]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)

    assert read_report(tmp_path / "report.xml") == Results(
        passed=2,
        skipped=1,
        failures=(
            "test_them::test_bad[2]",
            "test_them::test_error",
            "test_them.TestInside::test_bad",
        ),
    )


SUITE = """
import httpx
from leadconnector._names import MODULE

def test_the_renamed_package_is_used():
    assert httpx.__name__.endswith("2")
    assert MODULE is httpx

def test_it_fails():
    assert False
"""


def write_httpx2(registry: Path, work: Path) -> None:
    """A wheel of a package `httpx2`: the installed httpx with another name."""
    copy_distribution("httpx", work)
    shutil.move(work / "httpx", work / "httpx2")
    metadata = shutil.move(
        work / f"httpx-{version('httpx')}.dist-info", work / "httpx2-99.0.dist-info"
    )
    (Path(metadata) / "entry_points.txt").unlink(missing_ok=True)
    edit(Path(metadata) / "METADATA", "Name: httpx\n", "Name: httpx2\n")
    edit(Path(metadata) / "METADATA", f"Version: {version('httpx')}\n", "Version: 99.0\n")
    write_wheel(work, registry)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout, and a registry that has httpx2."""
    folder = tmp_path / "checkout"
    (folder / "overrides" / "leadconnector").mkdir(parents=True)
    (folder / "overrides" / "leadconnector" / "__init__.py").touch()
    (folder / "overrides" / "leadconnector" / "_names.py").write_text(
        "import httpx\nMODULE = httpx\n"
    )
    (folder / ".gitignore").write_text("secret/\n", encoding="utf-8")
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    registry = tmp_path / "registry"
    registry.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    write_httpx2(registry, work)
    monkeypatch.setattr(httpx2, "ROOT", folder)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry))
    monkeypatch.delenv("VERSION", raising=False)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return folder


def test_a_renamed_copy_is_tested_with_the_installed_httpx2(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TESTS", "-q test_suite.py")

    assert httpx2.main() == 1
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "httpx2 99.0: httpx is renamed in 2 files"
    assert lines[-2] == "fails with httpx2: test_suite::test_it_fails"
    assert lines[-1].startswith("1 of 2 tests pass with httpx2: ")
    assert (checkout / "test_suite.py").read_text(encoding="utf-8") == SUITE


def test_a_run_without_a_report_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / ".gitignore").touch()
    monkeypatch.setattr(httpx2, "ROOT", tmp_path / "checkout")
    monkeypatch.setattr(httpx2, "create_trial_environment", this_python)
    monkeypatch.setattr(httpx2, "install", install_nothing)
    monkeypatch.setattr(httpx2, "installed_version", no_version)
    (tmp_path / "trial").mkdir()

    with pytest.raises(NoReportError, match="pytest ended with status 4"):
        run_trial(tmp_path / "trial", "", ["--not-an-option"])


def this_python(_folder: Path, _checkout: Path) -> Path:
    return Path(sys.executable)


def install_nothing(_python: Path, _requirement: str) -> None:
    pass


def no_version(_python: Path) -> str:
    return "httpx2 0"


def test_an_open_quote_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TESTS", "'")

    assert httpx2.main() == 2
    assert capsys.readouterr().err == "httpx2: TESTS=': No closing quotation\n"
