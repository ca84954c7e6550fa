"""The page of the socket server: what it serves, and that a person can call the API with it in a real browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import yaml
from leadconnector_emulator import (
    Emulator,
    Fault,
    RateLimits,
    Request,
    Response,
    Server,
    TokenEndpoint,
)
from leadconnector_emulator.page import Page as EmulatorPage
from playwright.sync_api import ConsoleMessage, Error, Page, expect, sync_playwright

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

SECONDS = 30
"""How long what takes much less may take: a bound, so that no test hangs."""

SPEC = ROOT / "spec" / "openapi.yaml"
PICTURE = ROOT / "docs" / "emulator-page.png"

WINDOW = [1280, 900]

PATHS = {
    "/": "text/html; charset=utf-8",
    "/openapi.json": "application/json; charset=utf-8",
    "/_emulator/log": "application/json; charset=utf-8",
    "/_emulator/icon.svg": "image/svg+xml",
    "/_emulator/page.css": "text/css; charset=utf-8",
    "/_emulator/page.js": "text/javascript; charset=utf-8",
    "/_emulator/swagger-ui.css": "text/css; charset=utf-8",
    "/_emulator/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}

HEADERS = {
    "authorization": f"Bearer {TOKEN}",
    "version": "2021-07-28",
    "content-type": "application/json",
}
TARGET = f"/conversations/{CONVERSATION_ID}"
HOSTILE = "/<script>document.title='taken'</script>"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(server: Server, path: str, method: str = "GET") -> Answer:
    """Ask the server over a socket."""
    address = urlsplit(server.url).netloc
    with closing(http.client.HTTPConnection(address, timeout=SECONDS)) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return Answer(response.status, dict(response.headers), response.read())


def send(
    emulator: Emulator, data: object = None, *, target: str = TARGET, **headers: str
) -> Response:
    """Call the API in this process."""
    body = (
        data
        if isinstance(data, bytes)
        else json.dumps({"locationId": LOCATION_ID} if data is None else data).encode()
    )
    return emulator.respond(Request("PUT", target, {**HEADERS, **headers}, body))


def log(server: Server) -> list[dict[str, Any]]:
    return cast(
        "list[dict[str, Any]]", json.loads(fetch(server, "/_emulator/log").body)["exchanges"]
    )


def spec_with(tmp_path: Path, **changes: Any) -> Path:
    """A copy of the spec with other values at its top."""
    path = tmp_path / "openapi.yaml"
    spec = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    path.write_text(yaml.safe_dump({**spec, **changes}), encoding="utf-8")
    return path


class TestPaths:
    @pytest.mark.parametrize("path", PATHS)
    def test_each_is_served_with_its_content_type(self, server: Server, path: str) -> None:
        answer = fetch(server, path)
        assert (answer.status, answer.headers["Content-Type"]) == (200, PATHS[path])
        assert answer.body
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("path", PATHS)
    def test_none_may_reach_another_origin(self, server: Server, path: str) -> None:
        policy = fetch(server, path).headers["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        allowed = {source for directive in policy for source in directive.split()[1:]}
        assert allowed == {"'none'", "'self'", "data:"}

    @pytest.mark.parametrize("path", PATHS)
    def test_head_answers_the_same_without_the_body(self, server: Server, path: str) -> None:
        head, get = fetch(server, path, "HEAD"), fetch(server, path)
        assert (head.status, head.headers, head.body) == (200, get.headers, b"")

    @pytest.mark.parametrize("path", PATHS)
    def test_none_is_in_the_log_or_counted_by_the_quota(self, path: str) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=2, interval=1000.0))
        with Server(emulator) as server:
            for method in ("GET", "HEAD"):
                assert fetch(server, path, method).status == 200
            assert emulator.exchanges == []
            assert send(emulator).headers["X-RateLimit-Remaining"] == "1"

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    @pytest.mark.parametrize("path", PATHS)
    def test_another_method_is_a_call_of_the_api(
        self, server: Server, method: str, path: str
    ) -> None:
        assert fetch(server, path, method).status == 404
        assert [each.request.method for each in server.emulator.exchanges] == [method]

    @pytest.mark.parametrize(
        "path", ["/nothing", "/_emulator", "/_emulator/", "/_emulator/nothing", "/index.html"]
    )
    def test_an_unknown_path_is_a_call_of_the_api(self, server: Server, path: str) -> None:
        answer = fetch(server, path)
        assert (answer.status, json.loads(answer.body)["message"]) == (404, f"Cannot GET {path}")
        assert "Content-Security-Policy" not in answer.headers
        assert [each.request.target for each in server.emulator.exchanges] == [path]

    @pytest.mark.parametrize(
        "path", ["/_emulator/../page.py", "/_emulator/%2e%2e/page.py", "/_emulator//page.js"]
    )
    def test_no_other_file_can_be_had(self, server: Server, path: str) -> None:
        assert fetch(server, path).status == 404

    def test_a_query_changes_nothing(self, server: Server) -> None:
        assert fetch(server, "/?tag=Conversations").body == fetch(server, "/").body


class TestHtml:
    def test_it_names_the_api_and_its_version(self, server: Server) -> None:
        text = fetch(server, "/").body.decode()
        assert "LeadConnector" in text
        assert "2021-07-28" in text

    @pytest.mark.parametrize(
        "path", ["/", *(f"/_emulator/{name}" for name in ("page.js", "page.css", "icon.svg"))]
    )
    def test_it_names_no_address_outside_the_machine(self, server: Server, path: str) -> None:
        addresses = re.findall(r"(?:https?:)?//[\w.]+[^\s\"']*", fetch(server, path).body.decode())
        assert [each for each in addresses if each != "http://www.w3.org/2000/svg"] == []

    def test_what_the_spec_and_the_tokens_say_is_text_in_it(self, tmp_path: Path) -> None:
        hostile = '"><script>alert(1)</script>'
        spec = spec_with(
            tmp_path, info={"title": hostile, "version": hostile, "description": hostile}
        )
        with Server(Emulator(spec, tokens=[hostile])) as server:
            text = fetch(server, "/").body.decode()
        assert "<script>" not in text
        assert text.count("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;") == 6

    def test_a_spec_without_a_description_and_an_emulator_without_a_token_will_do(
        self, tmp_path: Path
    ) -> None:
        with Server(Emulator(spec_with(tmp_path, info={}), tokens=[])) as server:
            assert fetch(server, "/").status == 200

    def test_without_swagger_ui_it_says_so_and_asks_for_none(self, emulator: Emulator) -> None:
        missing = EmulatorPage(emulator, package="a_package_that_nobody_has")
        response = missing.respond(Request("GET", "/", {}))
        assert response is not None
        text = response.body.decode()
        assert re.search(
            r'<p class="notice" +>\s+The API reference is not shown: Swagger UI is not installed',
            text,
        )
        assert "swagger-ui" not in text
        assert missing.respond(Request("GET", "/_emulator/swagger-ui.css", {})) is None
        assert missing.respond(Request("GET", "/_emulator/log", {})) is not None

    def test_a_package_of_that_name_without_the_files_is_none(self, emulator: Emulator) -> None:
        response = EmulatorPage(emulator, package="json").respond(Request("GET", "/", {}))
        assert response is not None
        assert "swagger-ui" not in response.body.decode()


class TestSpec:
    def test_it_is_the_spec_with_this_server_in_place_of_the_vendors(self, server: Server) -> None:
        expected = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
        assert json.loads(fetch(server, "/openapi.json").body) == {
            **expected,
            "servers": [{"url": server.url}],
        }

    def test_the_server_is_the_one_that_the_browser_reached(self, emulator: Emulator) -> None:
        for headers, url in (
            ({"host": "localhost:8080"}, "http://localhost:8080"),
            (dict[str, str](), "/"),
        ):
            response = EmulatorPage(emulator).respond(Request("GET", "/openapi.json", headers))
            assert response is not None
            assert json.loads(response.body)["servers"] == [{"url": url}]

    def test_no_path_or_operation_names_another_server(self, tmp_path: Path) -> None:
        other = [{"url": "https://other.example"}]
        described = {"schema": {"type": "object", "properties": {"servers": {"type": "string"}}}}
        body = {"content": {"application/json": described}}
        answer = {"200": {"description": "Done"}}
        item = {
            "servers": other,
            "post": {"servers": other, "requestBody": body, "responses": answer},
        }
        with Server(Emulator(spec_with(tmp_path, paths={"/things": item}))) as server:
            found = json.loads(fetch(server, "/openapi.json").body)
        assert found["paths"] == {"/things": {"post": {"requestBody": body, "responses": answer}}}

    def test_a_date_that_nobody_quoted_is_text(self, tmp_path: Path) -> None:
        path = tmp_path / "openapi.yaml"
        path.write_text(
            SPEC.read_text(encoding="utf-8").replace('version: "2021-07-28"', "version: 2021-07-28")
        )
        with Server(Emulator(path)) as server:
            assert (
                json.loads(fetch(server, "/openapi.json").body)["info"]["version"] == "2021-07-28"
            )
            assert "2021-07-28" in fetch(server, "/").body.decode()


class TestLog:
    def test_it_shows_each_call_but_not_the_token(self, server: Server) -> None:
        send(server.emulator, {"locationId": LOCATION_ID, "starred": True})
        send(
            server.emulator,
            {"locationId": LOCATION_ID, "starred": "é"},
            authorization="Bearer wrong-token",
        )
        first, second = log(server)
        assert first == {
            "number": 1,
            "method": "PUT",
            "target": TARGET,
            "status": 200,
            "fault": None,
            "authorization": "Bearer …",
            "body": json.dumps({"locationId": LOCATION_ID, "starred": True}),
        }
        assert (second["number"], second["status"], second["authorization"]) == (2, 401, "Bearer …")
        text = fetch(server, "/_emulator/log").body.decode()
        assert TOKEN not in text
        assert "wrong-token" not in text

    @pytest.mark.parametrize(
        "authorization", [TOKEN, f"Basic {TOKEN}", f"{TOKEN} {TOKEN}", f"Bearer{TOKEN}"]
    )
    def test_what_is_no_bearer_token_is_hidden_whole(
        self, server: Server, authorization: str
    ) -> None:
        send(server.emulator, authorization=authorization)
        assert log(server)[0]["authorization"] == "…"

    def test_a_call_without_authorization_has_none(self, server: Server) -> None:
        server.emulator.respond(Request("GET", "/nothing", {}))
        assert log(server)[0]["authorization"] is None

    def test_a_request_for_a_token_is_shown_without_its_secrets(self) -> None:
        emulator = Emulator(token_endpoint=TokenEndpoint())
        emulator.respond(Request("POST", "/oauth/token", {}, b"client_secret=client-secret"))
        with Server(emulator) as server:
            (entry,) = log(server)
        assert (entry["target"], entry["body"]) == ("/oauth/token", "…")

    def test_it_ends_with_the_last_two_hundred(self, server: Server) -> None:
        for number in range(203):
            server.emulator.respond(Request("GET", f"/{number}", {}))
        assert [each["target"] for each in log(server)] == [
            f"/{number}" for number in range(3, 203)
        ]
        assert [each["number"] for each in log(server)] == list(range(4, 204))
        assert json.loads(fetch(server, "/_emulator/log").body)["total"] == 203

    @pytest.mark.parametrize(
        ("body", "shown"),
        [
            pytest.param(b"x" * 2000, "x" * 2000, id="as long as may be"),
            pytest.param(b"x" * 2001, "x" * 2000 + "…", id="too long"),
            pytest.param(b"\xff\x00", "�\x00", id="no text"),
            pytest.param(b"", "", id="none"),
        ],
    )
    def test_a_body_is_shown_as_text_of_a_bounded_length(
        self, server: Server, body: bytes, shown: str
    ) -> None:
        send(server.emulator, body)
        assert log(server)[0]["body"] == shown

    def test_it_says_which_fault_had_a_part_in_the_answer(self, server: Server) -> None:
        server.emulator.set_faults(
            Fault(status=503, header={"authorization": f"Bearer {TOKEN}"}, times=1)
        )
        send(server.emulator)
        assert log(server)[0]["status"] == 503
        assert log(server)[0]["fault"] == "times=1, header=['authorization'], status=503"

    @pytest.mark.parametrize(
        ("drop", "status"), [("before", None), ("within", None), ("after", 200)]
    )
    def test_a_status_that_was_not_sent_is_not_shown(
        self, server: Server, drop: Any, status: int | None
    ) -> None:
        server.emulator.set_faults(Fault(drop=drop))
        send(server.emulator)
        assert (log(server)[0]["status"], log(server)[0]["fault"]) == (status, f"drop={drop!r}")

    def test_markup_in_a_call_is_none_in_it(self, server: Server) -> None:
        assert fetch(server, HOSTILE).status == 404
        assert b"<" not in fetch(server, "/_emulator/log").body
        assert log(server)[0]["target"] == HOSTILE


@dataclass
class Visit:
    """A browser's tab, and what happened in it."""

    page: Page
    requests: list[str] = field(default_factory=list[str])
    complaints: list[str] = field(default_factory=list[str])
    """What the browser wrote on its console, and exceptions that nobody caught."""

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def fail(self, error: Error) -> None:
        self.complaints.append(str(error))


def chromium() -> str:
    """Debian's browser; CI installs it, so there it may not be missing."""
    found = shutil.which("chromium")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("chromium is not installed")
    return found


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    executable = chromium()
    disabled = [
        f"--disable-{name}" for name in ("gpu", "background-networking", "component-update", "sync")
    ]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=executable,
            headless=True,
            chromium_sandbox=False,  # it does not work for root, which CI is
            args=["--no-first-run", *disabled],
            viewport={"width": WINDOW[0], "height": WINDOW[1]},
        )
        context.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        made = Visit(context.pages[0])
        context.on("request", lambda request: made.requests.append(request.url))
        made.page.on("console", made.hear)
        made.page.on("pageerror", made.fail)
        yield made
        context.close()


class TestBrowser:
    def test_a_person_calls_the_api_and_sees_the_answer_and_the_call(
        self, visit: Visit, server: Server
    ) -> None:
        server.emulator.put(
            "conversations", {**server.emulator.example, "id": "mine", "locationId": "here"}
        )
        page = visit.page
        page.goto(server.url)
        expect(page.locator("header h1")).to_have_text("LeadConnector 2021-07-28")
        expect(page.locator("#state")).to_have_text("running")
        expect(page.locator("#empty")).to_be_visible()

        page.locator("button.authorize").click()
        page.get_by_role("button", name="Remove authorization").click()
        page.locator("#auth-bearer-value").fill(TOKEN)
        page.get_by_role("button", name="Apply credentials").click()
        page.get_by_role("button", name="Close").click()
        page.get_by_placeholder("conversationId").fill("mine")
        page.locator("textarea.body-param__text").fill('{"locationId": "here", "unreadCount": 42}')
        page.locator("button.execute").click()

        answer = page.locator(".live-responses-table tbody")
        expect(answer.locator("td.response-col_status")).to_have_text("200")
        shown = answer.locator(".highlight-code").first
        expect(shown).to_contain_text('"id": "mine"')
        expect(shown).to_contain_text('"unreadCount": 42')
        entry = page.locator("#entries li").first
        expect(entry.locator("summary")).to_have_text("200PUT/conversations/mine")
        expect(entry.locator("pre")).to_contain_text('"unreadCount": 42')
        expect(entry).to_contain_text("Bearer …")
        expect(entry).not_to_contain_text(TOKEN)
        (exchange,) = server.emulator.exchanges
        assert exchange.request.headers["authorization"] == f"Bearer {TOKEN}"
        assert exchange.request.headers["version"] == "2021-07-28"

        entries = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
        requested = [*visit.requests, *cast("list[str]", entries)]
        assert f"{server.url}/conversations/mine" in requested
        assert [url for url in requested if not url.startswith((f"{server.url}/", "data:"))] == []
        assert visit.complaints == []

    def test_one_click_calls_with_the_examples_of_the_spec_and_the_token(
        self, visit: Visit, server: Server
    ) -> None:
        page = visit.page
        page.goto(server.url)
        page.locator("button.execute").click()
        expect(page.locator(".live-responses-table tbody td.response-col_status")).to_have_text(
            "200"
        )
        (exchange,) = server.emulator.exchanges
        assert exchange.request.target == TARGET
        sent = json.loads(exchange.request.body)
        assert (sent["locationId"], sent["unreadCount"], sent["starred"]) == (LOCATION_ID, 1, True)
        assert visit.complaints == []

    def test_it_fits_its_window_as_the_picture_in_the_documentation_shows(
        self, visit: Visit, server: Server
    ) -> None:
        page = visit.page
        page.goto(server.url)
        send(server.emulator, {"locationId": LOCATION_ID, "unreadCount": "three"})
        send(server.emulator, authorization="Bearer expired")
        server.emulator.set_faults(Fault(status=503, times=1))
        send(server.emulator, {"locationId": LOCATION_ID, "starred": True})
        page.locator("button.execute").click()
        expect(page.locator("#entries .status")).to_have_text(["200", "503", "401", "422"])
        page.locator("#entries summary").nth(1).click()
        page.locator(".responses-wrapper").evaluate("element => element.scrollIntoView()")
        assert (
            page.evaluate(
                "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
            )
            == WINDOW
        )
        # Take the picture anew with `EMULATOR_PICTURE=docs/emulator-page.png`.
        for data in page.screenshot(path=os.environ.get("EMULATOR_PICTURE")), PICTURE.read_bytes():
            assert data.startswith(b"\x89PNG\r\n\x1a\n")
            assert list(struct.unpack(">II", data[16:24])) == WINDOW
            assert len(data) < 300_000

    def test_the_log_follows_by_itself_with_the_newest_first(
        self, visit: Visit, server: Server
    ) -> None:
        visit.page.goto(server.url)
        targets = visit.page.locator("#entries .target")
        send(server.emulator, target="/conversations/first")
        expect(targets).to_have_text(["/conversations/first"])
        send(server.emulator, target="/conversations/second")
        expect(targets).to_have_text(["/conversations/second", "/conversations/first"])
        expect(visit.page.locator("#total")).to_have_text("2")
        server.emulator.reset()
        expect(targets).to_have_count(0)
        expect(visit.page.locator("#empty")).to_be_visible()

    def test_an_entry_stays_as_a_click_left_it(self, visit: Visit, server: Server) -> None:
        visit.page.goto(server.url)
        entries = visit.page.locator("#entries details")
        send(server.emulator)
        expect(entries).to_have_count(1)
        expect(entries.first).to_have_attribute("open", "")
        send(server.emulator)
        expect(entries).to_have_count(2)
        expect(entries.last).not_to_have_attribute("open", "")
        entries.last.locator("summary").click()
        send(server.emulator)
        expect(entries).to_have_count(3)
        expect(entries.last).to_have_attribute("open", "")

    def test_markup_in_a_call_is_shown_as_text(self, visit: Visit, server: Server) -> None:
        send(server.emulator, b"<img src=x onerror=\"document.title='taken'\">", target=HOSTILE)
        visit.page.goto(server.url)
        expect(visit.page.locator("#entries .target")).to_have_text(HOSTILE)
        expect(visit.page.locator("#entries pre")).to_contain_text("<img src=x")
        expect(visit.page.locator("#entries :is(script, img)")).to_have_count(0)
        assert visit.page.title() == "LeadConnector 2021-07-28: emulator"
        assert visit.complaints == []

    def test_the_browser_lets_it_reach_no_other_origin(self, visit: Visit, server: Server) -> None:
        with Server(Emulator()) as other:
            visit.page.goto(server.url)
            attempt = "url => fetch(url, {mode: 'no-cors'}).then(() => 'reached', () => 'refused')"
            assert visit.page.evaluate(attempt, f"{other.url}/reached") == "refused"
            assert other.emulator.exchanges == []

    def test_without_swagger_ui_it_says_so_and_shows_the_log(
        self, visit: Visit, server: Server
    ) -> None:
        server._page = EmulatorPage(server.emulator, package="a_package_that_nobody_has")
        send(server.emulator)
        visit.page.goto(server.url)
        expect(visit.page.locator(".notice")).to_be_visible()
        expect(visit.page.locator("#entries .target")).to_have_text(TARGET)
        assert visit.complaints == []

    def test_it_says_when_the_server_has_ended(self, visit: Visit, emulator: Emulator) -> None:
        with Server(emulator) as server:
            visit.page.goto(server.url)
            expect(visit.page.locator("#state")).to_have_text("running")
        expect(visit.page.locator("#state")).to_have_text("not running")


class TestWithoutBrowser:
    def test_its_tests_are_skipped_and_say_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="chromium is not installed"):
            chromium()

    def test_ci_does_not_let_them_pass(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.fail.Exception, match="chromium is not installed"):
            chromium()
