"""Tests the HTML report: the tree of places, the excerpts, and the page in a real browser."""

from __future__ import annotations

import os
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Request, expect, sync_playwright
from specdrift.report.excerpts import MAXIMUM_BLOCK_LINES, MAXIMUM_LINES, MAXIMUM_WIDTH
from specdrift.report.html import write_html
from specdrift.report.report import Report
from specdrift.report.tree import MAXIMUM_STEPS, steps
from specdrift.rules import INFO, WARN, Direction, Source

from tests.specdrift.test_report import (
    FILE,
    HOSTILE,
    OPERATION,
    WAIVER,
    TextSide,
    entry,
    hostile,
    realistic,
    report,
)
from tests.support.browser import SECONDS, Visit, chromium
from tests.support.paths import ROOT

PICTURE = ROOT / "docs" / "drift-page.png"
SIZE = [1280, 1400]

CHANNEL = ".change:has(code:text-is('new-required-request-property'))"
RCS = ".change:has-text('TYPE_RCS')"


@pytest.fixture(name="visit")
def browser_visit() -> Iterator[Visit]:
    """A browser tab, which records its requests and errors."""
    executable = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            chromium_sandbox=False,  # the sandbox does not work for root, as which CI runs
            args=["--disable-gpu", "--disable-background-networking"],
        )
        context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light"
        )
        context.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        visit = Visit(context.new_page())

        def record_request(request: Request) -> None:
            visit.requests.append(request.url)

        context.on("request", record_request)
        visit.page.on("console", visit.hear)
        visit.page.on("pageerror", visit.fail)
        yield visit
        browser.close()


def open_report(visit: Visit, report: Report, folder: Path) -> str:
    """Open a report from a file, as a user does. Return its URL."""
    url = write_report(report, folder)
    visit.page.goto(url)
    return url


def write_report(report: Report, folder: Path) -> str:
    """Write a report to a file and return its URL."""
    file = folder / "report.html"
    file.write_text(write_html(report), encoding="utf-8")
    return file.as_uri()


def excerpts(html: str) -> list[list[tuple[str, str]]]:
    """The numbers and texts of the lines in each excerpt that is not empty."""
    sources = re.findall(r'<ol class="source">(.*?)</ol>', html, re.DOTALL)
    return [re.findall(r"<span>(\d+)</span><span>(.*?)</span>", source) for source in sources]


class TestSteps:
    @pytest.mark.parametrize(
        ("direction", "sentence", "pointer", "expected"),
        [
            (
                "none",
                "The scope a is no longer required.",
                "/paths/~1a/get/security",
                (),
            ),
            (
                "request",
                "The query parameter a became required.",
                "",
                ("Request", "Parameters", "query parameter a"),
            ),
            (
                "request",
                "The query parameter filter, at `items/name`, was added.",
                "",
                ("Request", "Parameters", "query parameter filter", "items", "name"),
            ),
            (
                "request",
                "The request body became required.",
                "",
                ("Request", "Body"),
            ),
            (
                "request",
                "The request body, at `a/b`, was added.",
                "",
                ("Request", "Body", "a", "b"),
            ),
            (
                "response",
                "The response 200, at `a/b`, was removed.",
                "",
                ("Response 200", "a", "b"),
            ),
            (
                "response",
                "The response DEFAULT may be null now.",
                "",
                ("Response DEFAULT",),
            ),
            (
                "response",
                "The success status 201 was removed.",
                "",
                ("Response 201",),
            ),
            (
                "response",
                "The status 4XX was added.",
                "",
                ("Response 4XX",),
            ),
            (
                "response",
                "The header x-a of the response 200 was added.",
                "",
                ("Response 200", "header x-a"),
            ),
            (
                "response",
                "The response text/csv was added.",
                "/paths/~1a/get/responses/404/content",
                ("Response 404",),
            ),
            (
                "response",
                "The response text/csv was added.",
                "/components/responses/Error/content",
                ("Response",),
            ),
        ],
    )
    def test_steps_come_from_the_sentence_and_the_pointers(
        self, direction: Direction, sentence: str, pointer: str, expected: tuple[str, ...]
    ) -> None:
        change = entry(text=sentence, direction=direction, revision_pointer=pointer).change
        assert steps(change) == expected

    def test_number_of_steps_is_limited(self) -> None:
        sentence = f"The request body, at `{'/'.join('abcdefghijklmnop')}`, was added."
        result = steps(entry(text=sentence, direction="request").change)
        assert result == ("Request", "Body", *"abcdefg", "h/i/j/k/l/m/n/o/p")
        assert len(result) == MAXIMUM_STEPS + 2


class TestMarkup:
    def test_page_loads_nothing_and_its_policy_forbids_it(self) -> None:
        html = write_html(realistic())
        assert re.findall(r"(?:https?:)?//[\w.]+", html) == []
        assert re.findall(r"<(?:link|img|iframe|object|base)\b|\ssrc=|@import|url\(", html) == []
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', html)
        directives = dict(part.split(" ", 1) for part in policy.split("; "))
        assert (
            directives["default-src"]
            == directives["base-uri"]
            == directives["form-action"]
            == "'none'"
        )
        assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives["script-src"])
        assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives["style-src"])

    @given(st.text(min_size=1) | st.just(HOSTILE))
    def test_text_of_a_document_is_no_markup(self, text: str) -> None:
        assert self.tags(hostile(text)) == self.tags(hostile("x"))

    @staticmethod
    def tags(report: Report) -> Counter[str]:
        """The number of tags by name, without those that depend on backticks and line ends."""
        names = re.findall(r"<([^ />]+|/[^>]*)", write_html(report))
        variable = {"code", "li", "span"}
        return Counter(name for name in names if name.strip("/") not in variable)

    @pytest.mark.parametrize(
        ("entries", "headline", "colour"),
        [
            ([], "Nothing changed.", "INFO"),
            ([entry(waiver=WAIVER)], "Nothing changed except what is waived.", "INFO"),
            ([entry(INFO)], "Does not break the contract. Does not affect our client.", "INFO"),
            ([entry(WARN)], "May break the contract. Does not affect our client.", "WARN"),
            ([entry()], "Breaks the contract. Does not affect our client.", "ERR"),
        ],
    )  # fmt: skip
    def test_headline_and_colour_summarise_the_comparison(
        self, entries: list[Any], headline: str, colour: str
    ) -> None:
        html = write_html(report(*entries))
        assert f"<h1>{headline}</h1>" in html
        assert f'<header class="top {colour}">' in html
        assert f"<title>{headline} old.yaml → new.yaml</title>" in html


class TestExcerpts:
    @staticmethod
    def create_excerpts(
        text: str, line: int, other: str | None = None
    ) -> list[list[tuple[str, str]]]:
        """The excerpts of a change in the same line of two texts, which may be the same text."""
        base = TextSide("a", {"f": text})
        revision = TextSide("b", {"f": text if other is None else other})
        change = entry(base_source=Source("f", line), revision_source=Source("f", line))
        return excerpts(write_html(Report(base, revision, (change,))))

    def test_lines_around_the_change_lose_their_common_margin(self) -> None:
        text = "".join(f"    line {number}\n" for number in range(1, 20))
        base, revision = self.create_excerpts(text, 10)
        assert base == revision == [(str(number), f"line {number}") for number in range(7, 14)]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
    def test_lines_are_counted_as_in_yaml(self, end: str) -> None:
        assert self.create_excerpts(f"a{end}b{end}c{end}", 2)[0][:3] == [
            ("1", "a"),
            ("2", "b"),
            ("3", "c"),
        ]

    def test_excerpt_is_shorter_at_the_start_and_end_of_a_file(self) -> None:
        assert self.create_excerpts("a\nb\n", 1)[0] == [("1", "a"), ("2", "b")]
        assert self.create_excerpts("a\nb\n", 2)[0] == [("1", "a"), ("2", "b")]

    @pytest.mark.parametrize(("text", "line"), [("", 2), ("a\nb\n", 3), ("a\n", 99)])
    def test_missing_line_has_no_excerpt(self, text: str, line: int) -> None:
        assert self.create_excerpts(text, line) == []

    def test_distant_difference_in_the_block_is_shown(self) -> None:
        values = [f"  - value {number}\n" for number in range(30)]
        enum = f"enum:\n{''.join(values)}"
        base, revision = self.create_excerpts(f"{enum}next:\n", 1, f"{enum}  - more\nnext:\n")
        assert [number for number, _ in base] == ["1", "2", "3", "4"]
        assert revision[-3:] == [("31", "  - value 29"), ("32", "  - more"), ("33", "next:")]

    def test_long_lines_and_long_excerpts_are_cut(self) -> None:
        assert self.create_excerpts("x" * 5_000_000, 1)[0] == [("1", f"{'x' * MAXIMUM_WIDTH}…")]
        long = "a:\n" + "".join(f"  - {number}\n" for number in range(5 * MAXIMUM_BLOCK_LINES))
        assert len(self.create_excerpts(long, 1, long.replace("- ", "- x"))[0]) == MAXIMUM_LINES


class TestBrowser:
    def test_page_opens_from_a_file_without_further_requests(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        address = open_report(visit, realistic(), tmp_path)
        expect(visit.page.locator("h1")).to_have_text("Breaks the contract. Breaks our client.")
        expect(visit.page.locator("html")).to_have_attribute("lang", "en")
        expect(visit.page.locator("output")).to_have_text("9 of 10 shown")
        assert visit.requests == [address]
        assert visit.complaints == []

    def test_changes_are_arranged_by_operation_and_place(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        open_report(visit, realistic(), tmp_path)
        page = visit.page
        expect(page.locator(".operation > h2")).to_have_text([OPERATION, "The document as a whole"])
        places = [
            "Request",
            "Parameters › header parameter Version",
            "Body",
            "channel",
            "feedback › rating",
        ]
        places += [
            "Response 200 › conversation",
            "deleted",
            "lastMessageType",
            "userId",
            "Response 429",
        ]
        assert page.locator(".place").all_text_contents() == places
        expect(page.locator(f".branch:has(> .place:text-is('channel')) {CHANNEL}")).to_have_count(1)
        page.locator(".contents a").last.click()
        expect(page.locator(".operation").last).to_be_in_viewport()

    def test_both_excerpts_mark_the_line_and_the_differences(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        open_report(visit, realistic(), tmp_path)
        base, revision = (
            visit.page.locator(RCS).locator(f"figure.{role}") for role in ("base", "revision")
        )
        for side, number in ((base, "199"), (revision, "204")):
            expect(side.locator("figcaption")).to_contain_text(f"{FILE}:{number}")
            expect(side.locator(".marked")).to_have_text(f"{number}LastMessageType:")
        expect(base.locator(".differs")).to_have_count(0)
        expect(revision.locator(".differs")).to_have_text(["243  - TYPE_RCS"])

    def test_document_without_the_changed_part_has_no_excerpt(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        open_report(visit, realistic(), tmp_path)
        base, revision = (
            visit.page.locator(CHANNEL).locator(f"figure.{role}") for role in ("base", "revision")
        )
        expect(base).to_contain_text("Not in the base.")
        expect(base.locator("li")).to_have_count(0)
        expect(revision.locator(".marked")).to_have_text("126channel:")

    def test_severities_can_be_filtered_with_the_keyboard(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        open_report(visit, realistic(), tmp_path)
        page = visit.page
        for _ in range(2):  # the first is the link that skips the header
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.locator("output")).to_have_text("6 of 10 shown")
        expect(page.locator(".change.ERR:visible")).to_have_count(0)
        page.get_by_label("INFO").uncheck()
        expect(page.locator(".change:visible")).to_have_count(1)
        expect(page.locator(".place:visible")).to_have_text(
            ["Response 200 › conversation", "lastMessageType"]
        )
        expect(page.locator(".contents li:visible")).to_have_count(1)
        page.get_by_label("WARN").uncheck()
        expect(page.locator(".operation:visible")).to_have_count(0)

    def test_waived_change_is_shown_on_demand_with_its_reason(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        open_report(visit, realistic(), tmp_path)
        waived = visit.page.locator(".change.is-waived")
        expect(waived).to_be_hidden()
        visit.page.get_by_label("waived").check()
        expect(waived).to_be_visible()
        expect(waived).to_contain_text("The API never sent it. (until 2027-03-31)")

    def test_link_reveals_a_filtered_change(self, visit: Visit, tmp_path: Path) -> None:
        open_report(visit, realistic(), tmp_path)
        visit.page.get_by_label("ERR").uncheck()
        expect(visit.page.locator(CHANNEL)).to_be_hidden()
        visit.page.locator("#breaking a").nth(1).click()
        expect(visit.page.locator(CHANNEL)).to_be_in_viewport()

    def test_url_fragment_reveals_a_filtered_change(self, visit: Visit, tmp_path: Path) -> None:
        url = write_report(realistic(), tmp_path)
        visit.page.goto(f"{url}#change-8")
        expect(visit.page.locator(".change.is-waived")).to_be_in_viewport()
        assert visit.complaints == []

    def test_page_without_scripts_shows_everything_and_no_filter(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        url = write_report(realistic(), tmp_path)
        browser = visit.page.context.browser
        assert browser
        tab = browser.new_page(java_script_enabled=False)
        tab.goto(url)
        expect(tab.locator(".change:visible")).to_have_count(10)
        expect(tab.locator("#filter")).to_be_hidden()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_has_enough_contrast(self, visit: Visit, tmp_path: Path, scheme: Any) -> None:
        visit.page.emulate_media(color_scheme=scheme)
        open_report(visit, realistic(), tmp_path)
        visit.page.get_by_label("waived").check()
        contrasts = visit.page.evaluate(CONTRASTS)
        assert len(contrasts) > 100
        # WCAG 2.2, success criterion 1.4.3, level AA.
        assert [contrast for contrast in contrasts if contrast["ratio"] < 4.5] == []

    @pytest.mark.parametrize("create", [realistic, hostile])
    def test_page_fits_any_width(
        self, visit: Visit, tmp_path: Path, create: Callable[[], Report]
    ) -> None:
        open_report(visit, create(), tmp_path)
        for width in (320, 400, 800, 1280):
            visit.page.set_viewport_size({"width": width, "height": 900})
            assert visit.page.evaluate("document.documentElement.scrollWidth") == width

    def test_hostile_document_is_shown_as_text(self, visit: Visit, tmp_path: Path) -> None:
        text = (
            "</script><script>document.title='taken'</script>"
            "<img src=x onerror=\"document.title='taken'\">"
        )
        address = open_report(visit, hostile(text), tmp_path)
        expect(visit.page.locator("output")).to_have_text("3 of 6 shown")
        expect(visit.page.locator(".operation > h2")).to_have_text(text)
        expect(visit.page.locator(".change .marked").first).to_contain_text(text)
        expect(visit.page.locator("img")).to_have_count(0)
        expect(visit.page.locator("script")).to_have_count(1)
        assert "taken'" in visit.page.title()
        assert visit.requests == [address]
        assert visit.complaints == []

    def test_policy_blocks_injected_markup(self, visit: Visit, tmp_path: Path) -> None:
        file = tmp_path / "report.html"
        markup = (
            "<script>document.title='taken'</script>"
            "<img src='data:,' onerror=\"document.title='taken'\">"
        )
        html = write_html(realistic()).replace("</main>", f"{markup}</main>")
        file.write_text(html, encoding="utf-8")
        visit.page.goto(file.as_uri())
        expect(visit.page.locator("output")).to_have_text("9 of 10 shown")
        expect(visit.page.locator("main img")).to_have_count(1)
        assert visit.page.title() != "taken"
        assert len(visit.complaints) >= 2

    def test_empty_report(self, visit: Visit, tmp_path: Path) -> None:
        open_report(visit, report(notes=("A note.",)), tmp_path)
        expect(visit.page.locator("h1")).to_have_text("Nothing changed.")
        expect(visit.page.locator("main")).to_contain_text("A note.")
        expect(visit.page.locator("main")).to_contain_text(
            "The two documents have the same meaning."
        )
        expect(visit.page.locator("#filter")).to_have_count(0)
        assert visit.complaints == []

    def test_picture_in_the_documentation_has_the_size_of_a_screenshot(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        open_report(visit, replace(realistic(), faults=(), notes=()), tmp_path)
        expect(visit.page.locator("output")).to_have_text("9 of 10 shown")
        # `DRIFT_PICTURE=docs/drift-page.png` writes a new picture.
        screenshot = visit.page.screenshot(path=os.environ.get("DRIFT_PICTURE"))
        for data in (screenshot, PICTURE.read_bytes()):
            assert data.startswith(b"\x89PNG\r\n\x1a\n")
            assert list(struct.unpack(">II", data[16:24])) == SIZE
            assert len(data) < 300_000


CONTRASTS = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [x, y, z] = [r, g, b].map(v => linear(v / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim()) continue;
    if (!element.checkVisibility() || element.closest("script, .skip")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push({text: walker.currentNode.data.trim().slice(0, 40), ratio});
  }
  return found;
}"""
"""A script that returns the contrast of each visible text, as WCAG defines it."""
