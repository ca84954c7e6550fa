"""Generation writes the committed files on every machine. An error leaves the output unchanged."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from generate.__main__ import main
from jinja2 import BaseLoader, ChoiceLoader, DictLoader, PackageLoader

from tests.generate.samples import GENERATED, contents, identities, with_second_operation
from tests.support.paths import ROOT

# The output


def test_the_output_equals_the_committed_files_byte_for_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--output", str(tmp_path / "generated")]) == 0
    files = contents(tmp_path / "generated")
    assert "models/conversation.py" in files
    assert files == contents(GENERATED)
    assert os.listdir(tmp_path) == ["generated"]
    assert f"changed ({len(files)} files)" in capsys.readouterr().out


def test_a_second_run_replaces_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "generated"
    assert main(["--output", str(output)]) == 0
    before = identities(output)
    capsys.readouterr()
    assert main(["--output", str(output)]) == 0
    assert identities(output) == before
    assert capsys.readouterr().out.rstrip().endswith("generated: up to date")


def test_an_earlier_output_is_replaced_completely(output: Path) -> None:
    assert main(["--output", str(output)]) == 0
    assert contents(output) == contents(GENERATED)
    assert os.listdir(output.parent) == ["generated"]


def test_a_removed_operation_disappears_from_the_output(tmp_path: Path) -> None:
    longer_spec = tmp_path / "longer.yaml"
    output = tmp_path / "generated"
    longer_spec.write_text(with_second_operation("getContact"), encoding="utf-8")
    assert main(["--spec", str(longer_spec), "--output", str(output)]) == 0
    assert (output / "api" / "conversations" / "get_contact.py").exists()
    assert main(["--output", str(output)]) == 0
    assert contents(output) == contents(GENERATED)


def test_a_symbolic_link_to_the_output_stays_a_link(tmp_path: Path, output: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(output)
    assert main(["--output", str(link)]) == 0
    assert link.is_symlink()
    assert contents(output) == contents(GENERATED)


def write_ruff_settings(folder: Path) -> None:
    """Write settings under which ruff would format the output in another way."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = 'line-length = 40\n[format]\nquote-style = "single"\nindent-style = "tab"\n'
    (folder / "ruff.toml").write_text(settings, encoding="utf-8")
    (folder / ".ruff.toml").write_text(settings, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[tool.ruff]\nline-length = 40\nexclude = ["*"]\n'
        '[tool.ruff.format]\nquote-style = "single"\n',
        encoding="utf-8",
    )


def test_ruff_settings_of_the_machine_have_no_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (
        tmp_path,
        tmp_path / "place",
        tmp_path / "elsewhere",
        tmp_path / "settings" / "ruff",
    ):
        write_ruff_settings(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("RUFF_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["--output", str(tmp_path / "place" / "generated")]) == 0
    assert contents(tmp_path / "place" / "generated") == contents(GENERATED)


def test_those_ruff_settings_change_the_output_without_isolation(tmp_path: Path) -> None:
    write_ruff_settings(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    config = tmp_path / "config.yaml"
    config.write_text("post_hooks:\n  - ruff format .\n", encoding="utf-8")
    assert main(["--config", str(config), "--output", str(tmp_path / "generated")]) == 0
    assert b"'" in contents(tmp_path / "generated")["models/__init__.py"]
    assert b"'" not in contents(GENERATED)["models/__init__.py"]


def test_another_ruff_on_the_path_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ruff = tmp_path / "bin" / "ruff"
    fake_ruff.parent.mkdir()
    fake_ruff.write_text(f"#!/bin/sh\ntouch {tmp_path}/used\n", encoding="utf-8")
    fake_ruff.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake_ruff.parent), prepend=os.pathsep)
    assert main(["--output", str(tmp_path / "generated")]) == 0
    assert contents(tmp_path / "generated") == contents(GENERATED)
    assert not (tmp_path / "used").exists()


def test_working_directory_and_locale_have_no_effect(
    tmp_path: Path,
) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "tools"),
        "PYTHONHASHSEED": "1",
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
        "TZ": "Asia/Kathmandu",
    }
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "generate", "--output", "made"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert contents(tmp_path / "made") == contents(GENERATED)
    assert os.listdir(tmp_path) == ["made"]


# --check


def test_check_passes_on_the_committed_output(capsys: pytest.CaptureFixture[str]) -> None:
    before = identities(GENERATED)
    assert main(["--check"]) == 0
    assert identities(GENERATED) == before
    assert capsys.readouterr().err == ""


def test_check_reports_differences_and_writes_nothing(
    output: Path, is_unchanged: Callable[[], bool], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check", "--output", str(output)]) == 1
    assert is_unchanged()
    messages = capsys.readouterr().err.splitlines()
    assert "not up to date: marker.txt" in messages
    assert "not up to date: models/conversation.py" in messages
    assert "make generate" in messages[-1]


@pytest.mark.parametrize("change", ["edited", "missing", "added"])
def test_check_reports_a_single_changed_file(
    tmp_path: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "generated"
    assert main(["--output", str(output)]) == 0
    capsys.readouterr()
    file = output / "models" / "conversation.py"
    if change == "edited":
        file.write_bytes(file.read_bytes().replace(b"starred", b"started", 1))
    elif change == "missing":
        file.unlink()
    else:
        file = file.with_name("stray.py")
        file.touch()
    assert main(["--check", "--output", str(output)]) == 1
    lines = capsys.readouterr().err.splitlines()
    reported = [line for line in lines if line.startswith("not up to date: ")]
    assert reported == [f"not up to date: models/{file.name}"]


def test_check_creates_no_output(tmp_path: Path) -> None:
    assert main(["--check", "--output", str(tmp_path / "generated")]) == 1
    assert os.listdir(tmp_path) == []


# Errors outside the spec


def test_the_command_exits_with_status_1_and_no_traceback(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "generate", "--spec", "nowhere.yaml", "--output", "generated"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "nowhere.yaml" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("post_hooks: [never, closed\n", "is not a usable generator configuration"),
        ("post_hooks: 5\n", "is not a usable generator configuration"),
        ("post_hooks:\n  - ruff check . --isolated --select NONSENSE\n", "ruff failed"),
    ],
)
def test_an_invalid_generator_configuration_leaves_the_output_unchanged(
    text: str,
    reason: str,
    output: Path,
    is_unchanged: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = output.parent.parent / "config.yaml"
    config.write_text(text, encoding="utf-8")
    assert main(["--config", str(config), "--output", str(output)]) == 1
    assert reason in capsys.readouterr().err
    assert is_unchanged()


def test_a_missing_generator_configuration_is_reported(
    tmp_path: Path,
    output: Path,
    is_unchanged: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--config", str(tmp_path / "nowhere.yaml"), "--output", str(output)]) == 1
    assert (
        f"{tmp_path / 'nowhere.yaml'}: is not a usable generator configuration"
        in capsys.readouterr().err
    )
    assert is_unchanged()


def test_templates_that_render_invalid_code_leave_the_output_unchanged(
    tmp_path: Path,
    output: Path,
    is_unchanged: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    templates = tmp_path / "templates"
    shutil.copytree(ROOT / "templates", templates)
    (templates / "api_init.py.jinja").write_text(
        "raise RuntimeError('no resources')\n", encoding="utf-8"
    )
    assert main(["--templates", str(templates), "--output", str(output)]) == 1
    assert "RuntimeError: no resources" in capsys.readouterr().err
    assert is_unchanged()


def test_a_changed_upstream_template_is_reported(
    output: Path,
    is_unchanged: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load_changed_template(package: str) -> BaseLoader:
        changed_template = DictLoader({"endpoint_module.py.jinja": "def call(): ...\n"})
        return ChoiceLoader([changed_template, PackageLoader(package)])

    monkeypatch.setattr("generate.upstream_templates.PackageLoader", load_changed_template)
    assert main(["--output", str(output)]) == 1
    assert (
        "the upstream template has no line 'from ...client import AuthenticatedClient, Client':"
        " adapt the template in templates/" in capsys.readouterr().err
    )
    assert is_unchanged()


def test_upstream_templates_are_rejected_because_the_methods_are_missing(
    tmp_path: Path,
    output: Path,
    is_unchanged: Callable[[], bool],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "templates").mkdir()
    assert main(["--templates", str(tmp_path / "templates"), "--output", str(output)]) == 1
    assert (
        "the generated method Conversations.update_conversation is incomplete"
        in capsys.readouterr().err
    )
    assert is_unchanged()


def test_a_missing_ruff_is_an_error(
    tmp_path: Path,
    output: Path,
    is_unchanged: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-tools-here" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "nor-here"))
    assert main(["--output", str(output)]) == 1
    assert "ruff is not in PATH" in capsys.readouterr().err
    assert is_unchanged()


def test_an_output_without_parent_folder_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--output", str(tmp_path / "nowhere" / "generated")]) == 1
    assert f"{tmp_path / 'nowhere'}: cannot be written" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["a folder", "a file"])
def test_a_folder_that_was_not_generated_is_not_replaced(
    make: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "src"
    make(folder)
    assert main(["--output", str(folder)]) == 1
    assert "was not generated by this step" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["src"]
