"""docs/api.md is in step with the generated client, and lists all of a larger one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from generate.__main__ import main as generate
from leadconnector import models
from markdown_it import MarkdownIt
from project.api_index.__main__ import main

from tests.generate.test_growth import grown_spec
from tests.support.paths import ROOT

PAGES = ["docs/api.md", "docs/reference/resources.rst"]


@pytest.fixture(name="checkout")
def copied_client(tmp_path: Path) -> Path:
    """A folder with the generated client and the pages."""
    shutil.copytree(ROOT / "generated", tmp_path / "generated")
    for page in PAGES:
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / page, tmp_path / page)
    return tmp_path


def files_in(folder: Path) -> dict[str, bytes]:
    """The content of each file."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class TestCommittedPages:
    def test_they_are_in_step_with_the_generated_client(self) -> None:
        assert main(["--check"]) == 0

    def test_they_list_every_operation_and_every_model(self) -> None:
        text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
        contract = json.loads((ROOT / "generated" / "contract.json").read_text(encoding="utf-8"))

        for operation in contract["operations"].values():
            assert f"#### `{operation['python']}`" in text
            assert f"`{operation['name']}`" in text
        model_names: list[str] = vars(models)["__all__"]
        assert len(model_names) >= 9
        assert [name for name in model_names if f"### `{name}`" not in text] == []


class TestCommand:
    @pytest.mark.parametrize("page", PAGES)
    def test_check_names_an_outdated_page_and_changes_nothing(
        self, checkout: Path, page: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (checkout / page).write_text("old", encoding="utf-8")
        files = files_in(checkout)

        assert main(["--check", "--root", str(checkout)]) == 1

        assert files_in(checkout) == files
        message = f"api_index: {page} must be written again: run `make generate`\n"
        assert capsys.readouterr() == ("", message)

    def test_a_page_that_is_missing_or_outdated_is_written(self, checkout: Path) -> None:
        files = files_in(checkout)
        (checkout / PAGES[0]).write_bytes(b"\xff")
        shutil.rmtree(checkout / "docs" / "reference")

        assert main(["--root", str(checkout)]) == 0

        assert files_in(checkout) == files

    @pytest.mark.parametrize(
        ("file", "content"),
        [
            ("contract.json", "{"),
            ("contract.json", "{}"),
            ("contract.json", None),
            ("models/__init__.py", "import x ="),
            ("models/__init__.py", ""),
            ("api/conversations/__init__.py", ""),
        ],
    )
    def test_a_damaged_client_is_reported_in_one_line_and_the_pages_stay(
        self,
        checkout: Path,
        capsys: pytest.CaptureFixture[str],
        file: str,
        content: str | None,
    ) -> None:
        path = checkout / "generated" / file
        path.unlink()
        if content is not None:
            path.write_text(content, encoding="utf-8")
        files = files_in(checkout)

        assert main(["--root", str(checkout)]) == 1

        assert files_in(checkout) == files
        output, message = capsys.readouterr()
        assert output == ""
        assert re.fullmatch(r"api_index: .*is not a generated client .*make generate`\n", message)

    def test_a_page_that_cannot_be_written_is_named(
        self, checkout: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (checkout / PAGES[0]).unlink()
        (checkout / PAGES[0]).mkdir()

        assert main(["--root", str(checkout)]) == 1

        assert PAGES[0] in capsys.readouterr().err
        assert [path.name for path in (checkout / "docs").iterdir() if path.suffix == ".new"] == []


@pytest.fixture(scope="module", name="text")
def index_of_larger_client(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The index of a client of a larger spec."""
    folder = tmp_path_factory.mktemp("grown")
    spec = grown_spec()
    spec["components"]["schemas"]["ContactKind"]["enum"].append("`")
    spec["components"]["schemas"]["ContactKind"]["x-enum-varnames"] = ["A", "B", "C"]
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    output = folder / "generated"
    assert generate(["--spec", str(folder / "spec.yaml"), "--output", str(output)]) == 0
    assert main(["--root", str(folder)]) == 0
    return (folder / "docs" / "api.md").read_text(encoding="utf-8")


class TestLargerClient:
    """More operations, tags and types, and a value with a backtick."""

    @pytest.mark.parametrize(
        "line",
        [
            "#### `contacts.create_contact`",
            "Sends `POST /contacts`. Returns `Contact`.",
            "Sends `DELETE /contacts/{contactId}`. Returns `None`.",
            "| `version_body` | `int` | yes | body: `version` |",
            "| `body` | `Sequence[Tag \\| Mapping[str, Any]]` | yes | body |",
            "| `fields` | `list[str]` | no | query: `fields` |",
            "| `owner` | `User \\| Mapping[str, Any] \\| Team` | no | body: `owner` |",
            "### `ContactKind`",
            "An enum. The spec lists these values: `'person'`, `'company'`, `` '`' ``.",
            "    ContactNote,",
        ],
    )
    def test_the_index_has_the_line(self, text: str, line: str) -> None:
        assert line in text.splitlines()

    def test_every_row_of_a_table_has_as_many_cells_as_its_head(self, text: str) -> None:
        tokens = MarkdownIt().enable("table").parse(text)
        sizes: list[int] = []
        for token in tokens:
            if token.type == "tr_open":
                sizes.append(0)
            if token.type in {"th_open", "td_open"}:
                sizes[-1] += 1
        # markdown-it adds missing cells and drops others, so the text counts too.
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        cells = [len(re.split(r"(?<!\\)\|", row)) - 2 for row in rows]
        assert len(rows) > 50
        assert set(sizes) == set(cells) == {2, 4}
