"""The documentation site: `make docs` builds it, its links work, and it fits narrow screens."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, sync_playwright
from project.sphinx_site import PAGE_BY_FILE, escaped_line, page_links
from sphinx.util.inventory import InventoryFile

from tests.support.browser import chromium
from tests.support.documents import DOCUMENTS
from tests.support.environments import copy_checkout
from tests.support.paths import ROOT
from tests.support.ready_checkout import environment_of, make_environment

TIMEOUT = 300
"""Seconds. A build takes ten; the limit keeps a failing test from hanging."""

MARKUP_CHARACTERS = "`*_|:.-=+>#1i)( aB\\<>[]~'\"{}!@/"

PUBLIC_MODULES = ["leadconnector", "leadconnector.models", "leadconnector_emulator", "specdrift"]


@dataclass
class PageReader(HTMLParser):
    """The ids and links of a page."""

    ids: set[str] = field(default_factory=set[str])
    links: list[str] = field(default_factory=list[str])
    resources: list[str] = field(default_factory=list[str])
    """What a browser loads with the page: styles, scripts and images."""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        attributes = {name: value or "" for name, value in attrs}
        if "id" in attributes:
            self.ids.add(attributes["id"])
        if "src" in attributes:
            self.resources.append(attributes["src"])
        if "href" in attributes:
            collection = self.resources if tag == "link" else self.links
            collection.append(attributes["href"])


def make_docs(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run `make docs` in a copy of the project."""
    return subprocess.run(
        ["make", "docs"],
        cwd=checkout,
        env=environment_of(checkout),
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )


def ready_checkout(folder: Path) -> Path:
    """A copy of the project with an environment."""
    checkout = copy_checkout(folder / "checkout")
    make_environment(checkout)
    return checkout


@pytest.fixture(scope="module", name="site")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built without a warning."""
    checkout = ready_checkout(tmp_path_factory.mktemp("site"))
    result = make_docs(checkout)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "docs: open build/docs/index.html\n"
    return checkout / "build" / "docs"


@pytest.fixture(scope="module", name="pages")
def read_pages(site: Path) -> dict[Path, PageReader]:
    """All pages of the site."""
    pages: dict[Path, PageReader] = {}
    for file in site.rglob("*.html"):
        reader = PageReader()
        reader.feed(file.read_text(encoding="utf-8"))
        pages[file.resolve()] = reader
    return pages


@pytest.fixture(scope="module", name="browser")
def chromium_browser() -> Iterator[Browser]:
    executable = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            chromium_sandbox=False,  # it does not work for root, as which CI runs
            args=["--disable-gpu", "--no-first-run", "--disable-background-networking"],
        )
        yield browser
        browser.close()


class TestSite:
    def test_every_document_is_a_page_that_the_start_page_leads_to(
        self, site: Path, pages: dict[Path, PageReader]
    ) -> None:
        start_page = (site / "index.html").resolve()
        linked_pages = {start_page.parent / urlsplit(link).path for link in pages[start_page].links}
        names = [
            PAGE_BY_FILE.get(document.name, document.name)
            for document in DOCUMENTS
            if document.parent in {ROOT, ROOT / "docs"}
        ]
        assert len(names) >= 15
        expected_pages = {start_page.parent / f"{Path(name).stem}.html" for name in names}
        assert expected_pages - linked_pages - {start_page} == set()

    def test_every_link_has_a_target(self, pages: dict[Path, PageReader]) -> None:
        broken_links: list[str] = []
        for file, page in pages.items():
            for link in page.links:
                url = urlsplit(link)
                if url.scheme in {"http", "https"}:
                    continue
                target = (file.parent / unquote(url.path)).resolve() if url.path else file
                is_broken = not target.exists()
                if url.fragment and target in pages:
                    is_broken = unquote(url.fragment) not in pages[target].ids
                if is_broken:
                    broken_links.append(f"{file.name}: {link}")
        assert sum(len(page.links) for page in pages.values()) > 500
        assert broken_links == []

    def test_a_page_loads_nothing_from_the_network(self, pages: dict[Path, PageReader]) -> None:
        resources = {link for page in pages.values() for link in page.resources}

        assert len(resources) >= 5
        assert [link for link in resources if urlsplit(link).scheme not in {"", "data"}] == []

    @pytest.mark.parametrize("module_name", PUBLIC_MODULES)
    def test_the_reference_has_every_public_name(self, site: Path, module_name: str) -> None:
        inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
        documented_names = {
            name
            for object_type, objects in inventory.data.items()
            if object_type.startswith("py:")
            for name in objects
        }
        module = import_module(module_name)
        names: list[str] = list(getattr(module, "__all__", ()))
        if not names:
            names = [name for name in vars(module) if not name.startswith("_")]
        names = [name for name in names if name != "__version__"]
        assert names
        assert [n for n in names if f"{module_name}.{n}" not in documented_names] == []

    def test_no_page_shows_a_path_of_this_machine(self, site: Path) -> None:
        texts = [file.read_text(encoding="utf-8") for file in site.rglob("*.html")]

        checkout = str(site.parents[1])
        assert len(texts) > 20
        assert [text for text in texts if checkout in text or str(ROOT) in text] == []


class TestBrowser:
    def test_no_page_is_wider_than_the_screen(self, browser: Browser, site: Path) -> None:
        page = browser.new_page()
        files = sorted(site.rglob("*.html"))
        too_wide: list[tuple[str, int, int]] = []
        for file in files:
            page.goto(file.as_uri())
            for width in (400, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                page_width = page.evaluate("document.documentElement.scrollWidth")
                if page_width > width:
                    too_wide.append((file.name, width, page_width))
        page.close()

        assert len(files) > 20
        assert too_wide == []

    def test_each_diagram_is_shown_with_its_description(self, browser: Browser, site: Path) -> None:
        page = browser.new_page()
        page.goto((site / "architecture.html").as_uri())
        images = page.locator("article img").all()

        assert len(images) == 2
        for image in images:
            assert image.evaluate("image => image.complete && image.naturalWidth") > 0
            assert len(image.get_attribute("alt") or "") > 50
        page.close()


class TestWarnings:
    def test_a_page_without_navigation_and_a_broken_link_fail_the_build(
        self, tmp_path: Path
    ) -> None:
        checkout = ready_checkout(tmp_path)
        # Building the reference takes longest.
        shutil.rmtree(checkout / "docs" / "reference")
        (checkout / "docs" / "forgotten.md").write_text(
            "# Forgotten\n\n[No such page](missing.md), [no such part](errors.md#missing)\n",
            encoding="utf-8",
        )

        result = make_docs(checkout)

        assert result.returncode == 2
        assert "forgotten.md: WARNING: document isn't included in any toctree" in result.stderr
        assert "target not found: 'missing.md'" in result.stderr
        assert "local id not found in doc 'errors': 'missing'" in result.stderr
        assert "open build/docs" not in result.stdout


class TestLinks:
    @pytest.mark.parametrize(
        ("folder", "link", "page_link"),
        [
            (".", "docs/errors.md", "errors.md"),
            (".", "docs/errors.md#messages", "errors.md#messages"),
            (".", "LICENSE", "../LICENSE"),
            (".", "CONTRIBUTING.md", "contributing.md"),
            ("docs", "errors.md", "errors.md"),
            ("docs", "../README.md#errors", "getting-started.md#errors"),
            ("docs", "../spec/openapi.yaml", "../spec/openapi.yaml"),
            ("docs", "https://example.com/a#b", "https://example.com/a#b"),
            ("docs", "#messages", "#messages"),
        ],
    )
    def test_a_link_between_files_becomes_a_link_between_pages(
        self, folder: str, link: str, page_link: str
    ) -> None:
        assert page_links(f"See [it]({link}).", folder) == f"See [it]({page_link})."

    def test_code_is_unchanged(self) -> None:
        text = "```python\nvalue = names[0](README.md)\n```\n"

        assert page_links(text, "docs") == text


def parse(text: str) -> Any:
    """Parse reStructuredText without Sphinx, and return the document of docutils."""
    # docutils has no types of its own.
    frontend: Any = import_module("docutils.frontend")
    parser_class: Any = import_module("docutils.parsers.rst").Parser
    settings = frontend.get_default_settings(parser_class)
    # A severity beyond the highest one: messages stay in the document and are not printed.
    settings.report_level = 5
    document: Any = import_module("docutils.utils").new_document("description", settings)
    parser_class().parse(text, document)
    return document


class TestDescriptions:
    """A description of the spec is text, whatever it contains."""

    @given(
        st.text(MARKUP_CHARACTERS, min_size=1)
        | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1)
    )
    def test_any_description_is_a_paragraph_without_markup(self, text: str) -> None:
        description = parse(escaped_line(text.strip() or "text"))

        assert [child.tagname for child in description.children] == ["paragraph"]

    @pytest.mark.parametrize(
        "text",
        [
            ".. include:: /etc/hostname",
            ".. raw:: html",
            "========",
            "* a star",
            "- a hyphen",
            "> a quotation",
            "a reference_ and `half of a pair",
            "an example::",
            "|substitution| and *emphasis* and **strong",
            "a \\ backslash",
            "1. a number",
            ":field: a field",
            ">>> code",
        ],
    )
    def test_markup_of_restructuredtext_is_shown(self, text: str) -> None:
        assert parse(escaped_line(text)).astext() == text
