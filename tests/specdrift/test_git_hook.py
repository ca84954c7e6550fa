"""The hook for pre-commit, in real git repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from specdrift.git_hook import main

DOCUMENT = """\
openapi: 3.1.0
info: {title: A, version: "1"}
paths:
  /a:
    get:
      operationId: get_a
      parameters:
        - {name: q, in: query, required: false, schema: {type: string}}
      responses: {"200": {description: ok}}
"""
BREAKING = DOCUMENT.replace("required: false", "required: true")
COMPATIBLE = DOCUMENT.replace("schema: {type: string}}", "schema: {type: string}, description: q}")


def git(folder: Path, *arguments: str) -> None:
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, timeout=60)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a committed document. It is the working directory."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "openapi.yaml").write_text(DOCUMENT, encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=One")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("document", "exit_code"), [(DOCUMENT, 0), (COMPATIBLE, 0), (BREAKING, 1), ("openapi: [", 2)]
)
def test_a_file_is_compared_with_the_last_commit(
    repository: Path, document: str, exit_code: int
) -> None:
    (repository / "openapi.yaml").write_text(document, encoding="utf-8")

    assert main(["openapi.yaml"]) == exit_code


def test_the_report_names_the_file_and_the_change(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "openapi.yaml").write_text(BREAKING, encoding="utf-8")

    main(["openapi.yaml"])

    output = capsys.readouterr().out
    assert "HEAD:openapi.yaml" in output
    assert "The query parameter q became required." in output


def test_another_base_is_compared(repository: Path) -> None:
    (repository / "openapi.yaml").write_text(BREAKING, encoding="utf-8")
    git(repository, "commit", "--quiet", "--all", "--message=Two")

    assert main(["openapi.yaml"]) == 0
    assert main(["--base", "HEAD~1", "openapi.yaml"]) == 1


def test_the_file_with_the_highest_exit_code_decides(repository: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (repository / name).write_text(DOCUMENT, encoding="utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message=Two")
    (repository / "a.yaml").write_text(BREAKING, encoding="utf-8")

    assert main(["openapi.yaml", "b.yaml"]) == 0
    assert main(["openapi.yaml", "a.yaml", "b.yaml"]) == 1
    assert main([]) == 0


def test_a_new_file_is_reported_as_not_compared(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "new.yaml").write_text(DOCUMENT, encoding="utf-8")

    assert main(["new.yaml"]) == 0
    assert capsys.readouterr().out == "new.yaml is not in HEAD, and not compared.\n"


def test_before_the_first_commit_every_file_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "openapi.yaml").write_text(DOCUMENT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert main(["openapi.yaml"]) == 0


@pytest.mark.parametrize("base", ["unknown", "--all", "", "-1"])
def test_an_unknown_base_is_an_error_and_not_a_new_file(
    repository: Path, capsys: pytest.CaptureFixture[str], base: str
) -> None:
    assert main([f"--base={base}", "openapi.yaml"]) == 2
    assert "git has no such revision here" in capsys.readouterr().err


def test_options_reach_the_comparison(repository: Path) -> None:
    (repository / "openapi.yaml").write_text(COMPATIBLE, encoding="utf-8")
    (repository / "waivers.yaml").write_text("waivers: [", encoding="utf-8")

    assert main(["--fail-on", "INFO", "openapi.yaml"]) in (0, 1)
    assert main(["--waivers", "waivers.yaml", "openapi.yaml"]) == 2
    assert main(["--within-base", "openapi.yaml"]) == 0
    with pytest.raises(SystemExit) as exit_info:
        main(["--fail-on", "SOMETIMES", "openapi.yaml"])
    assert exit_info.value.code == 2
