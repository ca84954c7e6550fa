"""The record of upstream templates: which overrides an upgrade of the generator concerns."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from generate.templates import (
    Problem,
    UpstreamTemplates,
    compare_templates,
    installed_templates,
    main,
    read_templates,
    write_record,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generate.samples import contents
from tests.support.paths import ROOT

LICENSE = b"the license\n"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of our templates, with the record."""
    return shutil.copytree(ROOT / "templates", tmp_path / "templates")


def upstream_with(changes: dict[str, str | None]) -> UpstreamTemplates:
    """The installed templates as a newer version. None removes a template."""
    texts = dict(installed_templates().texts)
    for name, text in changes.items():
        texts.pop(name, None)
        if text is not None:
            texts[name] = text
    return UpstreamTemplates("99.0", texts)


def problems(folder: Path, upstream: UpstreamTemplates) -> dict[str, Problem]:
    return {review.name: review.problem for review in compare_templates(folder, upstream)}


def test_no_override_needs_a_review_with_the_installed_generator() -> None:
    assert compare_templates(ROOT / "templates", installed_templates()) == []


def test_the_record_has_every_override_and_the_license_of_the_generator() -> None:
    record = ROOT / "templates" / "based_on"

    overridden = read_templates(ROOT / "templates").keys() & installed_templates().texts.keys()
    assert sorted(read_templates(record)) == sorted(overridden)
    assert (record / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def test_recording_again_changes_nothing(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(templates)

    assert main(["--templates", str(templates), "--record"]) == 0
    assert contents(templates) == before
    assert "recorded:" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "name", "problem"),
    [
        ({"model.py.jinja": "class A: ...\n"}, "model.py.jinja", Problem.CHANGED),
        ({"int_enum.py.jinja": None}, "int_enum.py.jinja", Problem.REMOVED),
        ({"pyright_comment.jinja": "x = 1\n"}, "pyright_comment.jinja", Problem.SHADOWS),
        (
            {"property_templates/union_property.py.jinja": ""},
            "property_templates/union_property.py.jinja",
            Problem.CHANGED,
        ),
    ],
)
def test_a_change_of_upstream_is_reported_with_its_diff(
    templates: Path, changes: dict[str, str | None], name: str, problem: Problem
) -> None:
    (review,) = compare_templates(templates, upstream_with(changes))

    assert (review.name, review.problem) == (name, problem)
    assert review.diff[1].endswith("in openapi-python-client 99.0")
    assert any(line[:1] in "+-" for line in review.diff[2:])


def test_a_change_of_line_ends_is_a_change(templates: Path) -> None:
    text = installed_templates().texts["model.py.jinja"].replace("\n", "\r\n")

    assert problems(templates, upstream_with({"model.py.jinja": text})) == {
        "model.py.jinja": Problem.CHANGED
    }


def test_a_change_of_a_template_that_is_not_overridden_needs_no_review(templates: Path) -> None:
    assert problems(templates, upstream_with({"helpers.jinja": "new"})) == {}


def edit(path: Path) -> None:
    path.write_text("edited\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "change", "name", "problem"),
    [
        ("errors.py.jinja", edit, "errors.py.jinja", Problem.NOT_RECORDED),
        ("model.py.jinja", Path.unlink, "model.py.jinja", Problem.DELETED),
        ("based_on/types.py.jinja", edit, "types.py.jinja", Problem.DAMAGED),
        ("based_on/types.py.jinja", Path.unlink, "types.py.jinja", Problem.DAMAGED),
    ],
)
def test_a_change_of_ours_without_a_new_record_is_reported(
    templates: Path, path: str, change: Callable[[Path], None], name: str, problem: Problem
) -> None:
    change(templates / path)

    assert problems(templates, installed_templates()) == {name: problem}
    assert main(["--templates", str(templates), "--record"]) == 0
    assert problems(templates, installed_templates()) == {}


def test_a_misspelled_override_is_reported_because_it_has_no_effect(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (templates / "modle.py.jinja").write_text("class A: ...\n", encoding="utf-8")

    assert main(["--templates", str(templates), "--record"]) == 1
    assert problems(templates, installed_templates()) == {"modle.py.jinja": Problem.UNUSED}
    assert "templates/modle.py.jinja: upstream has no template of this name" in (
        capsys.readouterr().out
    )


def test_the_check_shows_the_diff_and_what_to_do_and_writes_nothing(
    templates: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = installed_templates().texts["str_enum.py.jinja"].replace("(StrEnum)", "(\x1b[2JEnum)")
    monkeypatch.setattr(
        "generate.templates.installed_templates",
        lambda: upstream_with({"str_enum.py.jinja": text}),
    )
    before = contents(templates)

    assert main(["--templates", str(templates)]) == 1
    assert contents(templates) == before
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "templates/str_enum.py.jinja: upstream changed the template that this one overrides"
    )
    assert "+class {{ enum.class_info.name }}(\\x1b[2JEnum):" in lines
    assert "`make templates`" in lines[-1]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "{}", '{"sha256": {}}', '{"openapi-python-client": "1"}']
)
def test_an_unusable_record_is_one_line_that_names_the_command(
    templates: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (templates / "based_on" / "record.json").write_text(text, encoding="utf-8")

    assert main(["--templates", str(templates)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "record.json: is not a usable record of upstream templates" in line
    assert line.endswith("run `make templates`")


@pytest.mark.parametrize("name", ["../../escape.jinja", "nul\\u0000.jinja", ""])
def test_an_impossible_name_in_the_record_needs_a_review(templates: Path, name: str) -> None:
    text = f'{{"openapi-python-client": "1", "sha256": {{"{name}": "0"}}}}'
    (templates / "based_on" / "record.json").write_text(text, encoding="utf-8")

    assert Problem.DELETED in problems(templates, installed_templates()).values()


def test_without_a_record_the_first_one_is_written(templates: Path) -> None:
    shutil.rmtree(templates / "based_on")

    assert main(["--templates", str(templates), "--record"]) == 0
    assert contents(templates) == contents(ROOT / "templates")


def test_a_folder_that_is_no_record_is_not_replaced(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (templates / "based_on" / "record.json").unlink()
    before = contents(templates)

    assert main(["--templates", str(templates), "--record"]) == 2
    assert contents(templates) == before
    assert "was not generated by this step" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["notes.md", "mine.py.jinja", "folder/deep.txt"])
def test_a_foreign_file_in_the_record_is_named_and_stays(
    templates: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = templates / "based_on" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine\n", encoding="utf-8")
    # Something else is to be recorded too.
    (templates / "based_on" / "types.py.jinja").write_text("edited\n", encoding="utf-8")
    before = contents(templates)

    assert main(["--templates", str(templates), "--record"]) == 2
    assert contents(templates) == before
    output, error = capsys.readouterr()
    assert "recorded" not in output
    assert error.endswith(f"is unchanged: move or remove {name}\n")


def test_the_record_of_a_removed_override_is_removed(templates: Path) -> None:
    (templates / "types.py.jinja").unlink()

    assert main(["--templates", str(templates), "--record"]) == 0
    assert not (templates / "based_on" / "types.py.jinja").exists()


def test_a_template_that_is_not_utf8_is_one_line(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (templates / "model.py.jinja").write_bytes(b"\xff")

    assert main(["--templates", str(templates)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "model.py.jinja: cannot be read as UTF-8 text" in line


NAMES = st.sampled_from(["a.jinja", "b.jinja", "folder/c.jinja", "folder/d.py.jinja"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=25, deadline=None)
@given(
    overrides=st.dictionaries(NAMES, TEXTS),
    base=st.dictionaries(NAMES, TEXTS),
    revision=st.dictionaries(NAMES, TEXTS),
)
def test_exactly_the_overrides_whose_upstream_differs_need_a_review(
    overrides: dict[str, str], base: dict[str, str], revision: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for template, text in overrides.items():
            (folder / template).parent.mkdir(exist_ok=True)
            (folder / template).write_bytes(text.encode())
        write_record(folder, UpstreamTemplates("1", base), LICENSE)
        assert write_record(folder, UpstreamTemplates("1", base), LICENSE) == []
        reported = problems(folder, UpstreamTemplates("2", revision))

    unused = {template for template, problem in reported.items() if problem is Problem.UNUSED}
    assert unused == overrides.keys() - base.keys() - revision.keys()
    assert reported.keys() - unused == {
        template for template in overrides if base.get(template) != revision.get(template)
    }


def test_the_record_is_readable_in_a_diff() -> None:
    path = ROOT / "templates" / "based_on" / "record.json"

    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
