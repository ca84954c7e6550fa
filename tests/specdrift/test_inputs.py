"""Documents from standard input, and several documents at once."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from specdrift.cli import main

from tests.specdrift.documents import Json

GET: Json = {"get": {"responses": {"200": {"description": ""}}}}
PUT: Json = {"put": {"responses": {"200": {"description": ""}}}}


def document(paths: Json, **members: object) -> Json:
    return {"openapi": "3.1.0", "paths": paths, **members}


def write(path: Path, content: Json) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


class TestStandardInput:
    @pytest.fixture(autouse=True)
    def standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        content = json.dumps(document({"/a": GET})).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    @pytest.mark.parametrize("is_base", [True, False])
    def test_one_document_can_be_on_standard_input(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], is_base: bool
    ) -> None:
        file = write(tmp_path / "a.json", document({"/a": {**GET, **PUT}}))
        documents = ("-", file) if is_base else (file, "-")
        code, out, _ = run(capsys, *documents)
        assert code == (0 if is_base else 1)
        name_in_headline = "from <standard input>" if is_base else "to <standard input>"
        assert name_in_headline in out

    def test_two_documents_cannot(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as exit_:
            main(["-", "-"])
        assert exit_.value.code == 2
        assert "only one document can be on standard input" in capsys.readouterr().err

    def test_wrong_text_is_rejected_with_its_place(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{\n"openapi": }')))
        code, out, err = run(capsys, "-", write(tmp_path / "a.json", document({})))
        assert (code, out) == (2, "")
        assert "<standard input>:2" in err


class TestSeveralDocuments:
    @pytest.fixture
    def folders(self, tmp_path: Path) -> tuple[Path, Path]:
        """Two folders with the same two documents."""
        for folder in (tmp_path / "old", tmp_path / "new"):
            write(folder / "cats.json", document({"/cats": {**GET, **PUT}}))
            write(folder / "dogs.json", document({"/dogs": GET}))
        return tmp_path / "old", tmp_path / "new"

    def compare(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> tuple[int, list[Json], str]:
        patterns = [str(folder / "*.json") for folder in folders]
        code, out, err = run(capsys, "--composed", *patterns, "--format", "json")
        return code, json.loads(out)["changes"] if out else [], err

    def test_equal_documents_have_no_changes(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> None:
        assert self.compare(capsys, folders) == (0, [], "")

    def test_operation_that_moves_to_another_file_is_unchanged(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> None:
        _, new = folders
        write(new / "cats.json", document({}))
        write(new / "other.json", document({"/cats": {**GET, **PUT}}))
        assert self.compare(capsys, folders) == (0, [], "")

    def test_change_names_its_file_and_line(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> None:
        old, new = folders
        write(new / "cats.json", document({"/cats": GET}))
        code, [change], _ = self.compare(capsys, folders)
        assert code == 1
        assert change["id"] == "api-removed-without-deprecation"
        assert change["base"]["source"]["file"] == str(old / "cats.json")
        assert change["base"]["source"]["line"] > 1
        assert change["revision"]["source"]["file"] == str(new / "cats.json")

    def test_path_in_two_files_is_rejected(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> None:
        _, new = folders
        write(new / "other.json", document({"/cats": PUT}))
        code, _, err = self.compare(capsys, folders)
        assert code == 2
        assert "the path /cats is also in" in err
        assert str(new / "cats.json") in err
        assert str(new / "other.json") in err

    def test_each_document_keeps_its_components(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> None:
        def with_schema(path: str, schema: Json) -> Json:
            content = {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}
            operation = {"requestBody": {"content": content}, "responses": {}}
            return document({path: {"put": operation}}, components={"schemas": {"Pet": schema}})

        old, new = folders
        for folder in folders:
            write(folder / "cats.json", with_schema("/cats", {"type": "string"}))
        write(old / "dogs.json", with_schema("/dogs", {"type": "integer"}))
        write(new / "dogs.json", with_schema("/dogs", {"type": "boolean"}))
        _, [change], _ = self.compare(capsys, folders)
        assert change["operation"] == "PUT /dogs"
        assert change["id"] == "request-body-type-changed"
        assert change["revision"]["source"]["file"] == str(new / "dogs.json")

    def test_security_of_a_document_applies_to_its_operations_only(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> None:
        _, new = folders
        scheme = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
        security: list[Json] = [{"token": []}]
        secured = document({"/dogs": GET}, components=scheme, security=security)
        write(new / "dogs.json", secured)
        _, changes, _ = self.compare(capsys, folders)
        assert [f"{change['id']} {change['operation']}".strip() for change in changes] == [
            "api-security-added GET /dogs",
            "api-security-component-added",
        ]

    def test_scheme_that_differs_between_documents_is_rejected(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> None:
        _, new = folders
        for name, scheme in (("cats", "bearer"), ("dogs", "basic")):
            components = {"securitySchemes": {"token": {"type": "http", "scheme": scheme}}}
            write(new / f"{name}.json", document({f"/{name}": GET}, components=components))
        code, _, err = self.compare(capsys, folders)
        assert code == 2
        assert "the security scheme token differs from that in" in err

    def test_pattern_without_a_file_is_rejected(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> None:
        code, out, err = run(capsys, "-c", str(folders[0] / "*.yaml"), str(folders[1] / "*.json"))
        assert (code, out) == (2, "")
        assert "no file matches" in err

    def test_document_cannot_be_overwritten(
        self, capsys: pytest.CaptureFixture[str], folders: tuple[Path, Path]
    ) -> None:
        old, new = folders
        patterns = [str(folder / "*.json") for folder in folders]
        code, out, err = run(capsys, "-c", *patterns, "--write", f"json={old / 'cats.json'}")
        assert (code, out) == (2, "")
        assert "is an input and cannot be written" in err
        assert (old / "cats.json").read_bytes() == (new / "cats.json").read_bytes()

    def test_prefixes_are_rejected(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as exit_:
            main(["-c", "a", "b", "--prefix-base", "/a"])
        assert exit_.value.code == 2
        assert "--composed allows no prefixes" in capsys.readouterr().err
