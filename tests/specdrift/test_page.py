"""The page of a comparison: where in its tree a change stands, and what a person sees of it in a real browser."""

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
from playwright.sync_api import expect, sync_playwright
from specdrift.report.excerpts import MAXIMUM_BLOCK_LINES, MAXIMUM_LINES, MAXIMUM_WIDTH
from specdrift.report.html import write_html
from specdrift.report.report import Report
from specdrift.report.tree import MAXIMUM_STEPS, steps
from specdrift.rules import INFO, WARN, Direction, Source

from tests.emulator.test_page import SECONDS, Visit, chromium
from tests.specdrift.test_report import (
    FILE,
    HOSTILE,
    OPERATION,
    WAIVER,
    Text,
    entry,
    hostile,
    realistic,
    report,
)
from tests.support.paths import ROOT

PICTURE = ROOT / "docs" / "drift-page.png"
SIZE = [1280, 1400]

CHANNEL = ".change:has(code:text-is('new-required-request-property'))"
RCS = ".change:has-text('TYPE_RCS')"


@pytest.fixture
def visit() -> Iterator[Visit]:
    executable = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            chromium_sandbox=False,  # it does not work for root, which CI is
            args=["--disable-gpu", "--disable-background-networking"],
        )
        context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light"
        )
        context.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        made = Visit(context.new_page())
        context.on("request", lambda request: made.requests.append(request.url))
        made.page.on("console", made.hear)
        made.page.on("pageerror", made.fail)
        yield made
        browser.close()


def opened(visit: Visit, told: Report, folder: Path) -> str:
    """Show a report as a person does who was sent the file; gives its address."""
    file = folder / "report.html"
    file.write_text(write_html(told), encoding="utf-8")
    visit.page.goto(file.as_uri())
    return file.as_uri()


def panes(html: str) -> list[list[tuple[str, str]]]:
    """The numbers and the texts of the lines that are shown, of each side that has some."""
    sources = re.findall(r'<ol class="source">(.*?)</ol>', html, re.DOTALL)
    return [re.findall(r"<span>(\d+)</span><span>(.*?)</span>", source) for source in sources]


class TestPlace:
    @pytest.mark.parametrize(
        ("direction", "words", "pointer", "expected"),
        [
            ("none", "The scope a is no longer required.", "/paths/~1a/get/security", ()),
            ("request", "The query parameter a became required.", "", ("Request", "Parameters", "query parameter a")),
            (
                "request",
                "The query parameter filter, at `items/name`, was added.",
                "",
                ("Request", "Parameters", "query parameter filter", "items", "name"),
            ),
            ("request", "The request body became required.", "", ("Request", "Body")),
            ("request", "The request body, at `a/b`, was added.", "", ("Request", "Body", "a", "b")),
            ("response", "The response 200, at `a/b`, was removed.", "", ("Response 200", "a", "b")),
            ("response", "The response DEFAULT may be null now.", "", ("Response DEFAULT",)),
            ("response", "The success status 201 was removed.", "", ("Response 201",)),
            ("response", "The status 4XX was added.", "", ("Response 4XX",)),
            ("response", "The header x-a of the response 200 was added.", "", ("Response 200", "header x-a")),
            ("response", "The response text/csv was added.", "/paths/~1a/get/responses/404/content", ("Response 404",)),
            ("response", "The response text/csv was added.", "/components/responses/Error/content", ("Response",)),
        ],
    )  # fmt: skip
    def test_it_is_found_by_the_sentence_and_the_pointers(
        self, direction: Direction, words: str, pointer: str, expected: tuple[str, ...]
    ) -> None:
        assert (
            steps(entry(words=words, direction=direction, revision_pointer=pointer).change)
            == expected
        )

    def test_it_is_told_by_no_more_steps_than_a_page_can_show(self) -> None:
        words = f"The request body, at `{'/'.join('abcdefghijklmnop')}`, was added."
        found = steps(entry(words=words, direction="request").change)
        assert found == ("Request", "Body", *"abcdefg", "h/i/j/k/l/m/n/o/p")
        assert len(found) == MAXIMUM_STEPS + 2


class TestHtml:
    def test_it_asks_for_nothing_outside_itself_and_may_not(self) -> None:
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
    def test_no_text_of_a_document_is_markup_in_it(self, words: str) -> None:
        def tags(told: Report) -> Counter[str]:
            found = Counter(re.findall(r"<([^ />]+|/[^>]*)", write_html(told)))
            # How many of these there are goes by the backticks and the ends of lines in it.
            return Counter(
                {
                    tag: number
                    for tag, number in found.items()
                    if tag.strip("/") not in {"code", "li", "span"}
                }
            )

        assert tags(hostile(words)) == tags(hostile("x"))

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
    def test_its_headline_says_in_words_what_the_comparison_means(
        self, entries: list[Any], headline: str, colour: str
    ) -> None:
        html = write_html(report(*entries))
        assert f"<h1>{headline}</h1>" in html
        assert f'<header class="top {colour}">' in html
        assert f"<title>{headline} old.yaml → new.yaml</title>" in html


class TestSource:
    """The lines that are shown of a side."""

    @staticmethod
    def shown(text: str, line: int, other: str | None = None) -> list[list[tuple[str, str]]]:
        sides = Text("a", {"f": text}), Text("b", {"f": text if other is None else other})
        told = entry(base_source=Source("f", line), revision_source=Source("f", line))
        return panes(write_html(Report(*sides, (told,))))

    def test_they_are_those_around_the_place_without_their_common_margin(self) -> None:
        text = "".join(f"    line {number}\n" for number in range(1, 20))
        base, revision = self.shown(text, 10)
        assert base == revision == [(str(number), f"line {number}") for number in range(7, 14)]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
    def test_they_are_counted_as_yaml_counts_them(self, end: str) -> None:
        assert self.shown(f"a{end}b{end}c{end}", 2)[0][:3] == [("1", "a"), ("2", "b"), ("3", "c")]

    def test_at_the_start_and_the_end_there_are_fewer(self) -> None:
        assert self.shown("a\nb\n", 1)[0] == [("1", "a"), ("2", "b")]
        assert self.shown("a\nb\n", 2)[0] == [("1", "a"), ("2", "b")]

    @pytest.mark.parametrize(("text", "line"), [("", 2), ("a\nb\n", 3), ("a\n", 99)])
    def test_of_a_line_that_is_not_there_nothing_is_shown(self, text: str, line: int) -> None:
        assert self.shown(text, line) == []

    def test_what_differs_further_in_is_shown_however_far_away(self) -> None:
        values = [f"  - value {number}\n" for number in range(30)]
        base, revision = self.shown(
            f"enum:\n{''.join(values)}next:\n", 1, f"enum:\n{''.join(values)}  - more\nnext:\n"
        )
        assert [number for number, _ in base] == ["1", "2", "3", "4"]
        assert revision[-3:] == [("31", "  - value 29"), ("32", "  - more"), ("33", "next:")]

    def test_a_line_is_cut_and_so_is_what_is_long(self) -> None:
        assert self.shown("x" * 5_000_000, 1)[0] == [("1", f"{'x' * MAXIMUM_WIDTH}…")]
        long = "a:\n" + "".join(f"  - {number}\n" for number in range(5 * MAXIMUM_BLOCK_LINES))
        assert len(self.shown(long, 1, long.replace("- ", "- x"))[0]) == MAXIMUM_LINES


class TestBrowser:
    def test_it_opens_from_a_file_and_asks_for_no_other(self, visit: Visit, tmp_path: Path) -> None:
        address = opened(visit, realistic(), tmp_path)
        expect(visit.page.locator("h1")).to_have_text("Breaks the contract. Breaks our client.")
        expect(visit.page.locator("html")).to_have_attribute("lang", "en")
        expect(visit.page.locator("output")).to_have_text("9 of 10 shown")
        assert visit.requests == [address]
        assert visit.complaints == []

    def test_changes_stand_in_their_operation_where_they_are(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        opened(visit, realistic(), tmp_path)
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

    def test_both_sides_are_shown_with_the_line_marked_and_what_differs(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        opened(visit, realistic(), tmp_path)
        base, revision = (
            visit.page.locator(RCS).locator(f"figure.{role}") for role in ("base", "revision")
        )
        for side, number in ((base, "199"), (revision, "204")):
            expect(side.locator("figcaption")).to_contain_text(f"{FILE}:{number}")
            expect(side.locator(".marked")).to_have_text(f"{number}LastMessageType:")
        expect(base.locator(".differs")).to_have_count(0)
        expect(revision.locator(".differs")).to_have_text(["243  - TYPE_RCS"])

    def test_the_side_where_it_is_not_there_is_empty_and_says_so(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        opened(visit, realistic(), tmp_path)
        base, revision = (
            visit.page.locator(CHANNEL).locator(f"figure.{role}") for role in ("base", "revision")
        )
        expect(base).to_contain_text("Not in the base.")
        expect(base.locator("li")).to_have_count(0)
        expect(revision.locator(".marked")).to_have_text("126channel:")

    def test_it_can_be_filtered_by_level_with_the_keyboard(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        opened(visit, realistic(), tmp_path)
        page = visit.page
        for _ in range(2):  # the first leads past the head of the page
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

    def test_what_is_waived_is_shown_on_demand_with_the_reason(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        opened(visit, realistic(), tmp_path)
        waived = visit.page.locator(".change.is-waived")
        expect(waived).to_be_hidden()
        visit.page.get_by_label("waived").check()
        expect(waived).to_be_visible()
        expect(waived).to_contain_text("The API never sent it. (until 2027-03-31)")

    def test_a_link_to_a_change_that_the_filter_hides_shows_it(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        opened(visit, realistic(), tmp_path)
        visit.page.get_by_label("ERR").uncheck()
        expect(visit.page.locator(CHANNEL)).to_be_hidden()
        visit.page.locator("#breaking a").nth(1).click()
        expect(visit.page.locator(CHANNEL)).to_be_in_viewport()

    def test_so_does_an_address_that_leads_to_it(self, visit: Visit, tmp_path: Path) -> None:
        file = tmp_path / "report.html"
        file.write_text(write_html(realistic()), encoding="utf-8")
        visit.page.goto(f"{file.as_uri()}#change-8")
        expect(visit.page.locator(".change.is-waived")).to_be_in_viewport()
        assert visit.complaints == []

    def test_without_scripts_everything_is_there_and_no_filter(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        file = tmp_path / "report.html"
        file.write_text(write_html(realistic()), encoding="utf-8")
        browser = visit.page.context.browser
        assert browser
        tab = browser.new_page(java_script_enabled=False)
        tab.goto(file.as_uri())
        expect(tab.locator(".change:visible")).to_have_count(10)
        expect(tab.locator("#filter")).to_be_hidden()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_its_text_has_enough_contrast(self, visit: Visit, tmp_path: Path, scheme: Any) -> None:
        visit.page.emulate_media(color_scheme=scheme)
        opened(visit, realistic(), tmp_path)
        visit.page.get_by_label("waived").check()
        found = visit.page.evaluate(CONTRASTS)
        assert len(found) > 100
        assert [each for each in found if each["ratio"] < 4.5] == []

    @pytest.mark.parametrize("told", [realistic, hostile])
    def test_it_fits_any_width(
        self, visit: Visit, tmp_path: Path, told: Callable[[], Report]
    ) -> None:
        opened(visit, told(), tmp_path)
        for width in (320, 400, 800, 1280):
            visit.page.set_viewport_size({"width": width, "height": 900})
            assert visit.page.evaluate("document.documentElement.scrollWidth") == width

    def test_a_hostile_document_runs_nothing_and_is_shown_as_text(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        words = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
        address = opened(visit, hostile(words), tmp_path)
        expect(visit.page.locator("output")).to_have_text("3 of 6 shown")
        expect(visit.page.locator(".operation > h2")).to_have_text(words)
        expect(visit.page.locator(".change .marked").first).to_contain_text(words)
        expect(visit.page.locator("img")).to_have_count(0)
        expect(visit.page.locator("script")).to_have_count(1)
        assert "taken'" in visit.page.title()
        assert visit.requests == [address]
        assert visit.complaints == []

    def test_even_markup_in_it_would_run_nothing(self, visit: Visit, tmp_path: Path) -> None:
        file = tmp_path / "report.html"
        inserted = "<script>document.title='taken'</script><img src='data:,' onerror=\"document.title='taken'\">"
        file.write_text(
            write_html(realistic()).replace("</main>", f"{inserted}</main>"), encoding="utf-8"
        )
        visit.page.goto(file.as_uri())
        expect(visit.page.locator("output")).to_have_text("9 of 10 shown")
        expect(visit.page.locator("main img")).to_have_count(1)
        assert visit.page.title() != "taken"
        assert len(visit.complaints) >= 2

    def test_a_report_of_nothing_says_so(self, visit: Visit, tmp_path: Path) -> None:
        opened(visit, report(notes=("A note.",)), tmp_path)
        expect(visit.page.locator("h1")).to_have_text("Nothing changed.")
        expect(visit.page.locator("main")).to_contain_text("A note.")
        expect(visit.page.locator("main")).to_contain_text(
            "The two documents have the same meaning."
        )
        expect(visit.page.locator("#filter")).to_have_count(0)
        assert visit.complaints == []

    def test_it_is_as_the_picture_in_the_documentation_shows(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        opened(visit, replace(realistic(), faults=(), notes=()), tmp_path)
        expect(visit.page.locator("output")).to_have_text("9 of 10 shown")
        # Take the picture anew with `DRIFT_PICTURE=docs/drift-page.png`.
        for data in (
            visit.page.screenshot(path=os.environ.get("DRIFT_PICTURE")),
            PICTURE.read_bytes(),
        ):
            assert data.startswith(b"\x89PNG\r\n\x1a\n")
            assert list(struct.unpack(">II", data[16:24])) == SIZE
            assert len(data) < 300_000


CONTRASTS = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
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
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, .skip")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push({text: walker.currentNode.data.trim().slice(0, 40), ratio});
  }
  return found;
}"""
"""The contrast of each text that is shown, as WCAG counts it."""
