"""Deprecations with sunsets, stability levels, and versions that a breaking change needs."""

from __future__ import annotations

import datetime
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from specdrift import compare
from specdrift.cli import main
from specdrift.comparison.documents import compare_documents
from specdrift.comparison.lifecycle import LifecyclePolicy
from specdrift.model.document import Document

from tests.specdrift.documents import Json

TODAY = datetime.date(2026, 6, 15)
PAST = "2026-06-14"
FUTURE = "2027-01-01"


def document(**operation: Any) -> Json:
    """A document with one operation that the tests change, and one that stays."""
    return {
        "openapi": "3.1.0",
        "paths": {"/a": {"get": {**operation, "responses": {}}, "put": {"responses": {}}}},
    }


def with_parameter(**keywords: Any) -> Json:
    parameter = {"name": "q", "in": "query", "schema": {"type": "string"}, **keywords}
    return document(parameters=[parameter])


WITHOUT_OPERATION: Json = {"openapi": "3.1.0", "paths": {"/a": {"put": {"responses": {}}}}}
WITHOUT_PATH: Json = {"openapi": "3.1.0", "paths": {}}


def reported(base: Json, revision: Json, days: int = 0, beta_days: int = 0) -> list[str]:
    """The severity and id of each change on a fixed day."""
    policy = LifecyclePolicy(TODAY, beta_days=beta_days, stable_days=days)
    changes = compare_documents(Document(base), Document(revision), lifecycle=policy)
    return [f"{change.level} {change.id}" for change in changes]


class TestRemoval:
    @pytest.mark.parametrize(
        ("sunset", "expected"),
        [
            ({}, "INFO api-removed-with-deprecation"),
            ({"x-sunset": PAST}, "INFO api-removed-with-deprecation"),
            ({"x-sunset": str(TODAY)}, "INFO api-removed-with-deprecation"),
            ({"x-sunset": FUTURE}, "ERR api-removed-before-sunset"),
            ({"x-sunset": f"{FUTURE}T12:00:00Z"}, "ERR api-removed-before-sunset"),
            ({"x-sunset": "next year"}, "ERR api-path-sunset-parse"),
            ({"x-sunset": 20270101.5}, "ERR api-path-sunset-parse"),
        ],
    )
    def test_operation_may_be_removed_from_its_sunset_on(self, sunset: Json, expected: str) -> None:
        assert reported(document(deprecated=True, **sunset), WITHOUT_OPERATION) == [expected]

    def test_path_may_be_removed_from_its_sunset_on(self) -> None:
        base = document(deprecated=True, **{"x-sunset": FUTURE})
        assert "ERR api-path-removed-before-sunset" in reported(base, WITHOUT_PATH)

    def test_sunset_without_deprecation_allows_nothing(self) -> None:
        base = document(**{"x-sunset": PAST})
        assert reported(base, WITHOUT_OPERATION) == ["ERR api-removed-without-deprecation"]

    def test_draft_may_be_removed_before_its_sunset(self) -> None:
        base = document(deprecated=True, **{"x-sunset": FUTURE, "x-stability-level": "draft"})
        assert reported(base, WITHOUT_OPERATION) == ["INFO api-removed-before-sunset"]

    @pytest.mark.parametrize(
        ("sunset", "expected"),
        [
            ({}, "INFO request-parameter-removed-with-deprecation"),
            ({"x-sunset": PAST}, "INFO request-parameter-removed-with-deprecation"),
            ({"x-sunset": FUTURE}, "ERR request-parameter-removed-before-sunset"),
            ({"x-sunset": "soon"}, "ERR request-parameter-sunset-parse"),
        ],
    )
    def test_parameter_may_be_removed_from_its_sunset_on(self, sunset: Json, expected: str) -> None:
        assert reported(with_parameter(deprecated=True, **sunset), document()) == [expected]

    def test_without_a_date_no_removal_is_too_early(self) -> None:
        base = document(deprecated=True, **{"x-sunset": FUTURE})
        ids = [change.id for change in compare(base, WITHOUT_OPERATION)]
        assert ids == ["api-removed-with-deprecation"]
        ids = [change.id for change in compare(base, WITHOUT_OPERATION, today=TODAY)]
        assert ids == ["api-removed-before-sunset"]


DEPRECATED: Json = {"deprecated": True}


class TestDeprecation:
    @pytest.mark.parametrize(
        ("sunset", "days", "expected"),
        [
            (None, 0, "INFO endpoint-deprecated"),
            (FUTURE, 0, "INFO endpoint-deprecated-with-sunset"),
            (PAST, 0, "INFO endpoint-deprecated-with-sunset"),
            ("soon", 0, "ERR api-deprecated-sunset-parse"),
            (None, 200, "ERR api-deprecated-sunset-missing"),
            (FUTURE, 200, "INFO endpoint-deprecated-with-sunset"),
            (FUTURE, 201, "ERR api-sunset-date-too-small"),
        ],
    )
    def test_operation_needs_a_sunset_after_the_period(
        self, sunset: str | None, days: int, expected: str
    ) -> None:
        keywords = DEPRECATED if sunset is None else {**DEPRECATED, "x-sunset": sunset}
        assert reported(document(), document(**keywords), days) == [expected]

    @pytest.mark.parametrize(
        ("sunset", "days", "expected"),
        [
            (None, 0, "INFO request-parameter-deprecated"),
            (FUTURE, 200, "INFO request-parameter-deprecated"),
            ("soon", 0, "ERR request-parameter-sunset-parse"),
            (None, 1, "ERR request-parameter-deprecated-sunset-missing"),
            (FUTURE, 201, "ERR request-parameter-sunset-date-too-small"),
        ],
    )
    def test_parameter_needs_a_sunset_after_the_period(
        self, sunset: str | None, days: int, expected: str
    ) -> None:
        keywords = DEPRECATED if sunset is None else {**DEPRECATED, "x-sunset": sunset}
        assert reported(with_parameter(), with_parameter(**keywords), days) == [expected]

    @pytest.mark.parametrize(
        ("stability", "level"),
        [("draft", "INFO"), ("alpha", "INFO"), ("beta", "INFO"), ("stable", "ERR"), (None, "ERR")],
    )
    def test_each_stability_level_has_its_period(self, stability: str | None, level: str) -> None:
        keywords: Json = {} if stability is None else {"x-stability-level": stability}
        [change] = reported(document(**keywords), document(**keywords, deprecated=True), days=1)
        assert change.startswith(level)

    def test_beta_has_a_period_of_its_own(self) -> None:
        keywords = {"x-stability-level": "beta"}
        base = document(**keywords)
        revision = document(**keywords, deprecated=True)
        changes = reported(base, revision, beta_days=1)
        assert changes == ["ERR api-deprecated-sunset-missing"]

    @pytest.mark.parametrize("days", [0, 200])
    def test_reactivation_is_harmless(self, days: int) -> None:
        base = document(deprecated=True, **{"x-sunset": FUTURE})
        assert reported(base, document(), days) == ["INFO endpoint-reactivated"]


class TestChangedSunset:
    @pytest.mark.parametrize(
        ("base_sunset", "revised_sunset", "days", "action"),
        [
            (FUTURE, "2027-01-02", 0, ""),
            (FUTURE, "2026-12-31", 0, "changed"),
            (FUTURE, "2026-12-31", 199, ""),
            (FUTURE, "2026-12-31", 200, "changed"),
            (FUTURE, None, 0, "deleted"),
            (None, FUTURE, 0, ""),
            (FUTURE, "soon", 0, "parse"),
            ("soon", FUTURE, 0, ""),
        ],
    )
    def test_sunset_may_not_move_forward(
        self, base_sunset: str | None, revised_sunset: str | None, days: int, action: str
    ) -> None:
        operation_ids = {
            "": [],
            "changed": ["ERR api-sunset-date-changed-too-small"],
            "deleted": ["ERR sunset-deleted"],
            "parse": ["ERR api-deprecated-sunset-parse"],
        }
        parameter_ids = {
            "": [],
            "changed": ["ERR request-parameter-sunset-date-changed-too-small"],
            "deleted": ["ERR request-parameter-sunset-deleted"],
            "parse": ["ERR request-parameter-sunset-parse"],
        }
        base = {**DEPRECATED, "x-sunset": base_sunset}
        revised = {**DEPRECATED, "x-sunset": revised_sunset}
        assert reported(document(**base), document(**revised), days) == operation_ids[action]
        changes = reported(with_parameter(**base), with_parameter(**revised), days)
        assert changes == parameter_ids[action]

    @pytest.mark.parametrize("sunset", [PAST, FUTURE, "soon", None])
    def test_unchanged_sunset_is_silent(self, sunset: str | None) -> None:
        base = document(deprecated=True, **{"x-sunset": sunset, "x-stability-level": "moon"})
        assert reported(base, base, days=500) == []


LEVELS = ("draft", "alpha", "beta", "stable")


class TestStability:
    @pytest.mark.parametrize(("base", "revised"), list(itertools.product(LEVELS, LEVELS)))
    def test_level_below_a_promise_is_a_break(self, base: str, revised: str) -> None:
        changes = reported(
            document(**{"x-stability-level": base}), document(**{"x-stability-level": revised})
        )
        expected: list[str] = []
        # A draft, or an alpha, promises nothing that could be broken.
        if base in ("beta", "stable") and base != revised:
            is_decreased = LEVELS.index(revised) < LEVELS.index(base)
            expected = ["INFO api-stability-increased"]
            if is_decreased:
                expected = ["ERR api-stability-decreased"]
        assert changes == expected

    def test_operation_without_a_level_is_stable(self) -> None:
        beta = document(**{"x-stability-level": "beta"})
        stable = document(**{"x-stability-level": "stable"})
        assert reported(document(), beta) == ["ERR api-stability-decreased"]
        assert reported(beta, document()) == ["INFO api-stability-increased"]
        assert reported(document(), stable) == []

    @pytest.mark.parametrize("level", ["moon", "", 3])
    def test_unknown_level_is_reported(self, level: object) -> None:
        changes = reported(document(), document(**{"x-stability-level": level}))
        assert changes == ["ERR api-invalid-stability-level"]


class TestVersions:
    @pytest.fixture
    def ids(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
        """Compare two versions, of which the second breaks clients or does not."""

        def compare_files(
            base_version: object, revised_version: object, *options: str, breaks: bool = True
        ) -> list[str]:
            base: Json = {**document(), "info": {"title": "A", "version": base_version}}
            revision = WITHOUT_OPERATION if breaks else document()
            revision = {**revision, "info": {"title": "A", "version": revised_version}}
            paths = [tmp_path / "base.json", tmp_path / "revision.json"]
            for path, content in zip(paths, (base, revision), strict=True):
                path.write_text(json.dumps(content), encoding="utf-8")
            main([*map(str, paths), "--format", "json", *options])
            changes: list[Json] = json.loads(capsys.readouterr().out)["changes"]
            return [change["id"] for change in changes if "version" in change["id"]]

        return compare_files

    @pytest.mark.parametrize(
        ("base", "revised", "expected"),
        [
            ("1.2.3", "1.2.3", ["api-version-not-bumped"]),
            ("1.2.3", "1.3.0", ["api-major-version-not-bumped"]),
            ("1.2.3", "1.2.3-rc.1", ["api-major-version-not-bumped"]),
            ("v1.2.3", "1.9.0", ["api-major-version-not-bumped"]),
            ("2.0.0", "1.9.0", ["api-version-decreased"]),
            ("1.2.3", "2.0.0", []),
            ("0.1.0", "0.2.0", []),
            ("0.1.0", "0.1.1", ["api-major-version-not-bumped"]),
            ("0.9.0", "1.0.0", []),
            ("1.0", "1.0", []),
            ("2026-06-01", "2026-06-01", []),
            (1, 1, []),
            (None, None, []),
        ],
    )
    def test_breaking_change_needs_a_major_version(
        self, ids: Any, base: object, revised: object, expected: list[str]
    ) -> None:
        assert ids(base, revised) == expected

    def test_harmless_change_needs_no_version(self, ids: Any) -> None:
        assert ids("1.2.3", "1.2.3", breaks=False) == []

    def test_base_that_is_a_part_has_its_own_version(self, ids: Any) -> None:
        assert ids("1.2.3", "1.2.3", "--within-base") == []

    def test_custom_severities_decide_what_breaks(self, ids: Any, tmp_path: Path) -> None:
        levels = tmp_path / "levels.yaml"
        levels.write_text("api-removed-*: warn", encoding="utf-8")
        assert ids("1.2.3", "1.2.3", "--severity-levels", str(levels)) == []
