"""Which paths are compared, and how the paths of both documents correspond."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from specdrift.cli import main
from specdrift.comparison.selection import Selection

from tests.specdrift.documents import Json

GET: Json = {"get": {"responses": {"200": {"description": ""}}}}


def document(*paths: str, **members: Any) -> Json:
    return {"openapi": "3.1.0", "paths": dict.fromkeys(paths, GET), **members}


class Comparison:
    """Compares two documents with options."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys

    def run(self, base: Json, revision: Json, *options: str) -> tuple[int, str, str]:
        """Return the exit code, standard output and standard error."""
        paths = [self._folder / "base.json", self._folder / "revision.json"]
        for path, content in zip(paths, (base, revision), strict=True):
            path.write_text(json.dumps(content), encoding="utf-8")
        code = main([*map(str, paths), *options])
        out, err = self._capsys.readouterr()
        return code, out, err

    def changes(self, base: Json, revision: Json, *options: str) -> list[str]:
        """Return the id and operation of each change."""
        _, out, _ = self.run(base, revision, "--format", "json", *options)
        changes: list[Json] = json.loads(out)["changes"]
        return [f"{change['id']} {change['operation']}".strip() for change in changes]


@pytest.fixture
def comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Comparison:
    return Comparison(tmp_path, capsys)


class TestExpressions:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ([], ["/cats", "/dogs", "/v2/cats"]),
            (["--match-path", "cats"], ["/cats", "/v2/cats"]),
            (["-p", "^/cats"], ["/cats"]),
            (["-p", "^/(cats|dogs)$"], ["/cats", "/dogs"]),
            (["--unmatch-path", "cats"], ["/dogs"]),
            (["-q", "^/v2"], ["/cats", "/dogs"]),
            (["-p", "cats", "-q", "v2"], ["/cats"]),
        ],
    )
    def test_paths_of_both_documents_are_selected(
        self, comparison: Comparison, options: list[str], expected: list[str]
    ) -> None:
        paths = document("/cats", "/dogs", "/v2/cats")
        empty: Json = {"openapi": "3.1.0", "paths": {}}
        added = comparison.changes(empty, paths, *options)
        assert added == [f"endpoint-added GET {path}" for path in expected]
        removed = comparison.changes(paths, empty, *options)
        assert removed == [f"api-path-removed-without-deprecation GET {path}" for path in expected]

    def test_only_schemes_of_selected_paths_are_compared(self, comparison: Comparison) -> None:
        scheme = {"type": "http", "scheme": "bearer"}
        revision = document("/a", components={"securitySchemes": {"token": scheme}})
        assert comparison.changes(document("/a"), revision, "-p", "a") == []
        assert comparison.changes(document("/a"), revision) == ["api-security-component-added"]

    def test_webhooks_have_no_path(self, comparison: Comparison) -> None:
        revision = document("/a", webhooks={"event": {"post": {}}})
        assert comparison.changes(document("/a"), revision, "-p", "a") == []

    @pytest.mark.parametrize(
        "options", [["-p", "^/moon"], ["-q", "."], ["-p", "a", "-q", "a"], ["-p", "A"]]
    )
    def test_expression_without_a_path_is_rejected(
        self, comparison: Comparison, options: list[str]
    ) -> None:
        code, out, err = comparison.run(document("/a"), document("/a", "/aa"), *options)
        assert (code, out) == (2, "")
        assert "is selected by" in err
        assert options[1] in err

    def test_invalid_expression_is_rejected(
        self, comparison: Comparison, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as exit_:
            comparison.run(document(), document(), "--match-path", "(")
        assert exit_.value.code == 2
        assert "'(' is no regular expression" in capsys.readouterr().err


class TestPrefixes:
    @pytest.mark.parametrize(
        "options",
        [
            ["--strip-prefix-base", "/api/v1", "--prefix-base", "/api/v2"],
            ["--strip-prefix-base", "/api/v1", "--strip-prefix-revision", "/api/v2"],
            ["--strip-prefix-revision", "/api/v2", "--prefix-revision", "/api/v1"],
            ["--strip-prefix-base=/api/v1/", "--strip-prefix-revision=/api/v2/"],
        ],
    )
    def test_paths_with_another_prefix_are_the_same(
        self, comparison: Comparison, options: list[str]
    ) -> None:
        base = document("/api/v1/cats", "/api/v1/cats/{id}")
        revision = document("/api/v2/cats", "/api/v2/cats/{name}")
        assert comparison.changes(base, revision, *options) == []

    def test_prefix_itself_is_the_root(self, comparison: Comparison) -> None:
        options = ["--strip-prefix-revision", "/v1"]
        assert comparison.changes(document("/"), document("/v1"), *options) == []

    def test_change_points_to_the_written_path(self, comparison: Comparison) -> None:
        revision: Json = {"openapi": "3.1.0", "paths": {"/v2/a": {**GET, "put": {}}}}
        _, out, _ = comparison.run(
            document("/a"), revision, "--strip-prefix-revision", "/v2", "--format", "json"
        )
        [change] = json.loads(out)["changes"]
        assert change["operation"] == "PUT /a"
        assert change["revision"]["pointer"] == "/paths/~1v2~1a/put"

    def test_expression_applies_to_the_written_path(self, comparison: Comparison) -> None:
        changes = comparison.changes(
            document("/a"),
            document("/v2/b"),
            *("--strip-prefix-revision", "/v2"),
            *("--match-path", "^/v2"),
        )
        assert changes == ["endpoint-added GET /b"]

    def test_prefix_of_no_path_is_rejected(self, comparison: Comparison) -> None:
        code, out, err = comparison.run(
            document("/v1/a"), document("/v2/a"), "--strip-prefix-base", "/v3"
        )
        assert (code, out) == (2, "")
        assert "base.json: no path begins with /v3" in err

    def test_two_paths_with_one_name_are_rejected(self, comparison: Comparison) -> None:
        code, out, err = comparison.run(
            document("/a"), document("/v2/a", "/a"), "--strip-prefix-revision", "/v2"
        )
        assert (code, out) == (2, "")
        assert "/v2/a and /a are one path" in err


@given(st.from_regex("(/[a-z{}]{0,3}){1,3}", fullmatch=True), st.sampled_from(["/a", "/v1/b"]))
def test_added_prefix_can_be_stripped(template: str, prefix: str) -> None:
    name = Selection(added_prefix=prefix).name_of(template)
    assert Selection(stripped_prefix=prefix).name_of(name) == template
