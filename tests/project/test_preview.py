"""`make preview`: what a newer generator would change, shown without changing the checkout."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from generate.templates import Problem, UpstreamTemplates
from project.environments import (
    EnvironmentSetupError,
    create_environment,
    link_programs,
    own_packages,
    pip_error,
    run_program,
)
from project.preview import __main__ as program
from project.preview.candidate import VersionError, check_version, describe
from project.preview.comparison import Preview, check_types, lines_with_errors, preview_of
from project.preview.generation import (
    BaselineError,
    Generation,
    Sources,
    generate_baseline,
    generate_with,
)
from project.preview.report import report_lines

from tests.project.candidates import (
    GENERATOR,
    NEWER_VERSION,
    REQUIREMENT,
    Edits,
    candidate_with,
    newer_generator,
    write_wheel,
)
from tests.support.make import make
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client of the installed generator. No test changes it."""
    folder = tmp_path_factory.mktemp("preview") / "installed"
    generate_baseline(program.SOURCES, folder)
    return folder


def preview_with(edits: Edits, folder: Path, baseline: Path) -> Preview:
    """The preview of a newer version with edits."""
    candidate = candidate_with(folder / "environment", edits)
    generation = generate_with(candidate.python, program.SOURCES, folder / "candidate")
    return preview_of(candidate, program.SOURCES, baseline, generation)


def report_of(preview: Preview) -> str:
    return "\n".join(report_lines(preview))


def state_of_checkout() -> dict[str, int]:
    """When each file that a preview might touch was changed."""
    paths = [ROOT / "pyproject.toml"]
    for folder in ("generated", "requirements", "spec", "templates"):
        paths += [path for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    return {str(path): path.stat().st_mtime_ns for path in paths if path.is_file()}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only source of packages for pip. The network is not used."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("VERSION", "")
    monkeypatch.setenv("RUFF", "")
    return folder


def create_environment_with_dependencies(folder: Path) -> Path:
    """An environment that has all packages of this one, so that pip installs only newer ones."""
    python = create_environment(folder, [own_packages()])
    link_programs(python)
    return python


def test_the_newest_version_is_installed_and_compared_and_the_checkout_stays(
    registry: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # A comment is not rendered: only the template and the version change.
    newer_generator(tmp_path / "newer", {"templates/types.py.jinja": ("import", "{# #}import")})
    write_wheel(tmp_path / "newer", registry)
    monkeypatch.setattr(
        "project.preview.candidate.create_environment", create_environment_with_dependencies
    )
    # Without a version, pip would keep the one of the dependencies.
    monkeypatch.setenv("VERSION", NEWER_VERSION)
    before = state_of_checkout()

    assert program.main() == 1
    assert state_of_checkout() == before
    output = capfd.readouterr().out
    assert output.startswith(
        f"{GENERATOR} {version(GENERATOR)} -> {NEWER_VERSION}\nruff {version('ruff')} -> "
    )
    assert "  generation    verified\n" in output
    assert f"- {REQUIREMENT[0]}\n+ {REQUIREMENT[1]}\n" in output
    assert "templates/types.py.jinja: upstream changed the template" in output
    assert "  generated/    1 changed file\n" in output
    assert f'+    "openapi-python-client": "{NEWER_VERSION}",' in output
    assert output.endswith("The checkout is unchanged.\n")


def test_the_installed_version_changes_nothing(tmp_path: Path, baseline: Path) -> None:
    candidate = describe(Path(sys.executable))
    generation = generate_with(candidate.python, program.SOURCES, tmp_path / "candidate")

    preview = preview_of(candidate, program.SOURCES, baseline, generation)

    assert (preview.changes_nothing, preview.needs_work) == (True, False)
    assert report_of(preview).endswith("This version changes nothing.\nThe checkout is unchanged.")


def test_changed_code_and_a_changed_python_name_are_shown(
    tmp_path: Path, baseline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_types_in_no_time(_checkout: Path) -> list[str]:
        return ["a type error"]

    # The type checkers take long. They have a test below.
    monkeypatch.setattr("project.preview.comparison.check_types", check_types_in_no_time)
    edits = {
        "templates/client.py.jinja": ("def with_headers(self", "def with_all_headers(self"),
        "templates/errors.py.jinja": ("class UnexpectedStatus", "class StatusError"),
        "parser/properties/schemas.py": (
            "return Class(name=class_name,",
            'return Class(name=ClassName(class_name.replace("LastMessage", "Message"), ""),',
        ),
    }
    preview = preview_with(edits, tmp_path, baseline)

    assert preview.problem == ""
    assert [review.name for review in preview.reviews] == ["client.py.jinja"]
    assert any(line.startswith("+    def with_all_headers(self") for line in preview.diff)
    assert any(
        change.severity == "ERR" and change.path.endswith(".LastMessageType")
        for change in preview.surface
    )
    assert preview.type_errors == ("a type error",)
    assert preview.needs_work
    assert "breaking" in report_of(preview)


@pytest.mark.parametrize(
    ("edits", "place", "problem"),
    [
        (
            {"__init__.py": ("class Project:", "del strings.snake_case\n\n\nclass Project:")},
            "generator_api.py:",
            "ImportError: cannot import name 'snake_case'",
        ),
        ({"__init__.py": ("import json\n", "import os\nos._exit(7)\n")}, "", "status 7"),
        (
            {"templates/errors.py.jinja": ("class UnexpectedStatus", "1 / 0\nclass Status")},
            "",
            "the generated code cannot be imported: ZeroDivisionError",
        ),
    ],
    ids=["a gone import", "an exit", "no import"],
)
def test_a_failure_of_the_newer_version_is_the_result(
    edits: Edits, place: str, problem: str, tmp_path: Path, baseline: Path
) -> None:
    preview = preview_with(edits, tmp_path, baseline)

    assert problem in preview.problem
    assert preview.place.startswith(place)
    assert preview.needs_work
    report = report_of(preview)
    assert "  generation    failed" in report
    assert "Traceback" not in report


def test_a_template_that_upstream_adds_or_removes_is_shown(tmp_path: Path, baseline: Path) -> None:
    candidate = describe(Path(sys.executable))
    texts = dict(candidate.templates.texts)
    texts["pyright_comment.jinja"] = texts.pop("int_enum.py.jinja")
    newer_candidate = replace(candidate, templates=UpstreamTemplates(NEWER_VERSION, texts))

    failure = Generation(tmp_path, problem="it failed", place="")
    preview = preview_of(newer_candidate, program.SOURCES, baseline, failure)

    assert {review.name: review.problem for review in preview.reviews} == {
        "int_enum.py.jinja": Problem.REMOVED,
        "pyright_comment.jinja": Problem.SHADOWS,
    }


def test_an_unusable_spec_is_no_fault_of_the_newer_version(tmp_path: Path) -> None:
    spec = tmp_path / "openapi.yaml"
    spec.write_text("openapi: 3.1.0\npaths: {}\n", encoding="utf-8")
    sources = Sources(ROOT, spec, program.SOURCES.config, program.SOURCES.templates)

    with pytest.raises(BaselineError, match="the installed generator fails; correct that first"):
        generate_baseline(sources, tmp_path / "installed")


@pytest.mark.parametrize("value", ["0.29.1", "1.0rc1", "2!1.0+local.5", "0.30.0.dev1", ""])
def test_a_version_is_accepted(value: str) -> None:
    check_version("VERSION", value)


@pytest.mark.parametrize(
    "value", ["--pre", "latest", "1.0 --index-url=x", " ", "1.0;x", "1.0\n", "git+file:///x", "*"]
)
@pytest.mark.parametrize("variable", ["VERSION", "RUFF"])
def test_any_other_text_is_one_line_and_nothing_is_installed(
    variable: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VERSION", "")
    monkeypatch.setenv("RUFF", "")
    monkeypatch.setenv(variable, value)

    assert program.main() == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"preview: {variable}=")
    assert output.err.endswith("is not a version such as 0.29.1\n")
    assert output.err.count("\n") == 1


def test_a_version_is_data_for_make() -> None:
    bin_folder = Path(sys.executable).parent
    path = str(ROOT / "tools")
    value = "VERSION=$(shell touch x)`touch x`"
    result = make("preview", value, f"BIN={bin_folder}", "DEV=", PYTHONPATH=path)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"preview: {value}: is not a version such as 0.29.1\n")
    assert not (ROOT / "x").exists()


@pytest.mark.usefixtures("registry")
def test_a_version_that_does_not_exist_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VERSION", "98.7")

    assert program.main() == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("preview: pip cannot install openapi-python-client==98.7 ")
    assert "Could not find a version that satisfies the requirement" in last
    assert last.endswith("check the version and the connection to the package registry")


def test_of_several_errors_of_pip_the_first_is_shown() -> None:
    output = (
        "WARNING: slow\nERROR: Could not find x (from versions: 1, 2)\nERROR: No match\n\nhint\n"
    )

    assert pip_error(output) == "Could not find x"
    assert pip_error("Killed\n\n") == "Killed"


def test_a_program_that_fails_is_named_with_its_last_line() -> None:
    with pytest.raises(EnvironmentSetupError, match=r"^sh -c .*: exit status 3$"):
        run_program(["sh", "-c", "exit 3"])
    with pytest.raises(EnvironmentSetupError, match=r": two$"):
        run_program(["sh", "-c", "echo one >&2; echo two >&2; exit 1"])


def test_type_errors_of_both_checkers_are_reported(tmp_path: Path) -> None:
    package = tmp_path / "generated"
    package.mkdir()
    # pyright alone reports an unnecessary comparison.
    (package / "__init__.py").write_text("a: int = ''\n", encoding="utf-8")

    errors = check_types(tmp_path)

    assert len([error for error in errors if error.startswith("generated/__init__.py:1:")]) == 2


def test_output_of_a_type_checker_without_an_error_is_shown_as_a_whole(tmp_path: Path) -> None:
    assert lines_with_errors("crash\n\n", tmp_path) == ["crash"]


def test_an_invalid_version_error_names_the_variable() -> None:
    with pytest.raises(VersionError, match="RUFF=x"):
        check_version("RUFF", "x")
