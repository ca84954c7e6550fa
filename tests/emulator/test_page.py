"""The page of the socket server: its paths, and calls of the API from a real browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import UTC, datetime
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
    ValidatingProxy,
)
from leadconnector_emulator.page import Page as EmulatorPage
from playwright.sync_api import expect, sync_playwright

from tests.support.browser import SECONDS, Visit, chromium
from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

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
    "/_emulator/control.js": "text/javascript; charset=utf-8",
    "/_emulator/elements.js": "text/javascript; charset=utf-8",
    "/_emulator/swagger-ui.css": "text/css; charset=utf-8",
    "/_emulator/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}

HEADERS = {
    "authorization": f"Bearer {TOKEN}",
    "version": "2021-07-28",
    "content-type": "application/json",
}
TARGET = f"/conversations/{CONVERSATION_ID}"
OWN_FILES = ("page.js", "control.js", "elements.js", "page.css", "icon.svg")
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
HOSTILE = "/<script>document.title='taken'</script>"


@dataclass(frozen=True)
class FetchedResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(server: Server, path: str, method: str = "GET") -> FetchedResponse:
    """Send a request over a socket."""
    address = urlsplit(server.url).netloc
    with closing(http.client.HTTPConnection(address, timeout=SECONDS)) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return FetchedResponse(response.status, dict(response.headers), response.read())


def send(
    emulator: Emulator, data: object = None, *, target: str = TARGET, **headers: str
) -> Response:
    """Call the API in this process."""
    if data is None:
        data = {"locationId": LOCATION_ID}
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return emulator.respond(Request("PUT", target, {**HEADERS, **headers}, body))


def log(server: Server) -> list[dict[str, Any]]:
    """The entries of the page's log."""
    content = json.loads(fetch(server, "/_emulator/log").body)
    return cast("list[dict[str, Any]]", content["exchanges"])


def spec_with(tmp_path: Path, **changes: Any) -> Path:
    """A copy of the spec with other values at the top level."""
    path = tmp_path / "openapi.yaml"
    spec = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    path.write_text(yaml.safe_dump({**spec, **changes}), encoding="utf-8")
    return path


class TestPaths:
    @pytest.mark.parametrize("path", PATHS)
    def test_each_path_has_its_content_type(self, server: Server, path: str) -> None:
        response = fetch(server, path)
        assert (response.status, response.headers["Content-Type"]) == (200, PATHS[path])
        assert response.body
        assert response.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("path", PATHS)
    def test_the_security_policy_forbids_other_origins(self, server: Server, path: str) -> None:
        policy = fetch(server, path).headers["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        allowed = {source for directive in policy for source in directive.split()[1:]}
        assert allowed == {"'none'", "'self'", "data:"}

    @pytest.mark.parametrize("path", PATHS)
    def test_head_has_the_headers_of_get_and_no_body(self, server: Server, path: str) -> None:
        head, get = fetch(server, path, "HEAD"), fetch(server, path)
        assert (head.status, head.headers, head.body) == (200, get.headers, b"")

    @pytest.mark.parametrize("path", PATHS)
    def test_requests_for_the_page_are_not_logged_and_not_counted(self, path: str) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=2, interval=1000.0))
        with Server(emulator) as server:
            for method in ("GET", "HEAD"):
                assert fetch(server, path, method).status == 200
            assert emulator.exchanges == []
            assert send(emulator).headers["X-RateLimit-Remaining"] == "1"

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    @pytest.mark.parametrize("path", PATHS)
    def test_another_method_is_no_request_of_the_page(
        self, server: Server, method: str, path: str
    ) -> None:
        assert fetch(server, path, method).status == 404
        # The control has all paths below its own, and its requests are not logged.
        methods = [] if path.startswith("/_emulator/") else [method]
        assert [exchange.request.method for exchange in server.emulator.exchanges] == methods

    @pytest.mark.parametrize("path", ["/_emulator", "/_emulator/", "/_emulator/nothing"])
    def test_an_unknown_path_of_the_control_is_explained(self, server: Server, path: str) -> None:
        response = fetch(server, path)
        assert response.status == 404
        assert "/_emulator/health" in json.loads(response.body)["detail"]
        assert server.emulator.exchanges == []

    @pytest.mark.parametrize("path", ["/nothing", "/index.html"])
    def test_an_unknown_path_is_a_call_of_the_api(self, server: Server, path: str) -> None:
        response = fetch(server, path)
        assert (response.status, json.loads(response.body)["message"]) == (
            404,
            f"Cannot GET {path}",
        )
        assert "Content-Security-Policy" not in response.headers
        assert [exchange.request.target for exchange in server.emulator.exchanges] == [path]

    @pytest.mark.parametrize(
        "path", ["/_emulator/../page.py", "/_emulator/%2e%2e/page.py", "/_emulator//page.js"]
    )
    def test_other_files_of_the_package_are_not_served(self, server: Server, path: str) -> None:
        assert fetch(server, path).status == 404

    @pytest.mark.parametrize("path", PATHS)
    def test_an_unknown_host_gets_a_404_that_names_the_option(
        self, emulator: Emulator, path: str
    ) -> None:
        response = EmulatorPage(emulator).respond(Request("GET", path, {"host": "evil.example"}))
        assert response is not None
        assert response.status == 404
        assert "--allow-host" in json.loads(response.body)["message"]
        assert TOKEN.encode() not in response.body

    def test_a_query_is_ignored(self, server: Server) -> None:
        assert fetch(server, "/?tag=Conversations").body == fetch(server, "/").body


class TestHtml:
    def test_it_contains_the_title_and_the_version(self, server: Server) -> None:
        text = fetch(server, "/").body.decode()
        assert "LeadConnector" in text
        assert "2021-07-28" in text

    @pytest.mark.parametrize("path", ["/", *(f"/_emulator/{name}" for name in OWN_FILES)])
    def test_it_contains_no_external_address(self, server: Server, path: str) -> None:
        addresses = re.findall(r"(?:https?:)?//[\w.]+[^\s\"']*", fetch(server, path).body.decode())
        assert [address for address in addresses if address != SVG_NAMESPACE] == []

    def test_markup_in_the_spec_or_a_token_is_escaped(self, tmp_path: Path) -> None:
        hostile = '"><script>alert(1)</script>'
        spec = spec_with(
            tmp_path, info={"title": hostile, "version": hostile, "description": hostile}
        )
        with Server(Emulator(spec, tokens=[hostile])) as server:
            text = fetch(server, "/").body.decode()
        assert "<script>" not in text
        assert text.count("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;") == 6

    def test_the_title_and_the_token_are_optional(self, tmp_path: Path) -> None:
        with Server(Emulator(spec_with(tmp_path, info={}), tokens=[])) as server:
            assert fetch(server, "/").status == 200

    def test_without_swagger_ui_it_shows_a_notice_and_requests_no_file_of_it(
        self, emulator: Emulator
    ) -> None:
        page_without_files = EmulatorPage(emulator, package="a_package_that_nobody_has")
        response = page_without_files.respond(Request("GET", "/", {}))
        assert response is not None
        text = response.body.decode()
        assert re.search(
            r'<p class="notice" +>\s+The API reference is not shown: Swagger UI is not installed',
            text,
        )
        assert "/_emulator/swagger-ui" not in text
        assert page_without_files.respond(Request("GET", "/_emulator/swagger-ui.css", {})) is None
        assert page_without_files.respond(Request("GET", "/_emulator/log", {})) is not None

    def test_a_package_without_the_files_counts_as_missing(self, emulator: Emulator) -> None:
        response = EmulatorPage(emulator, package="json").respond(Request("GET", "/", {}))
        assert response is not None
        assert "/_emulator/swagger-ui" not in response.body.decode()


class TestSpec:
    def test_it_is_the_spec_with_this_server_instead_of_the_vendors(self, server: Server) -> None:
        expected = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
        # The console of the reference cannot send events.
        del expected["webhooks"]
        assert json.loads(fetch(server, "/openapi.json").body) == {
            **expected,
            "servers": [{"url": server.url}],
        }

    def test_its_server_is_the_host_of_the_request(self, emulator: Emulator) -> None:
        for headers, url in (
            ({"host": "localhost:8080"}, "http://localhost:8080"),
            (dict[str, str](), "/"),
        ):
            response = EmulatorPage(emulator).respond(Request("GET", "/openapi.json", headers))
            assert response is not None
            assert json.loads(response.body)["servers"] == [{"url": url}]

    def test_servers_of_paths_and_operations_are_removed(self, tmp_path: Path) -> None:
        vendor_servers = [{"url": "https://other.example"}]
        described = {"schema": {"type": "object", "properties": {"servers": {"type": "string"}}}}
        body = {"content": {"application/json": described}}
        responses = {"200": {"description": "Done"}}
        item = {
            "servers": vendor_servers,
            "post": {"servers": vendor_servers, "requestBody": body, "responses": responses},
        }
        with Server(Emulator(spec_with(tmp_path, paths={"/things": item}))) as server:
            served_spec = json.loads(fetch(server, "/openapi.json").body)
        assert served_spec["paths"] == {
            "/things": {"post": {"requestBody": body, "responses": responses}}
        }

    def test_an_unquoted_date_is_text(self, tmp_path: Path) -> None:
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
    def test_it_shows_each_call_without_the_token(self, server: Server) -> None:
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
    def test_other_authorization_is_hidden_completely(
        self, server: Server, authorization: str
    ) -> None:
        send(server.emulator, authorization=authorization)
        assert log(server)[0]["authorization"] == "…"

    def test_a_missing_authorization_is_null(self, server: Server) -> None:
        server.emulator.respond(Request("GET", "/nothing", {}))
        assert log(server)[0]["authorization"] is None

    def test_the_body_of_a_token_request_is_hidden(self) -> None:
        emulator = Emulator(token_endpoint=TokenEndpoint())
        emulator.respond(Request("POST", "/oauth/token", {}, b"client_secret=client-secret"))
        with Server(emulator) as server:
            (entry,) = log(server)
        assert (entry["target"], entry["body"]) == ("/oauth/token", "…")

    def test_it_shows_the_latest_200_exchanges(self, server: Server) -> None:
        for number in range(203):
            server.emulator.respond(Request("GET", f"/{number}", {}))
        assert [entry["target"] for entry in log(server)] == [
            f"/{number}" for number in range(3, 203)
        ]
        assert [entry["number"] for entry in log(server)] == list(range(4, 204))
        assert json.loads(fetch(server, "/_emulator/log").body)["total"] == 203

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            pytest.param(b"x" * 2000, "x" * 2000, id="longest"),
            pytest.param(b"x" * 2001, "x" * 2000 + "…", id="too long"),
            pytest.param(b"\xff\x00", "�\x00", id="not text"),
            pytest.param(b"", "", id="empty"),
        ],
    )
    def test_a_body_is_shown_as_text_up_to_2000_characters(
        self, server: Server, body: bytes, expected: str
    ) -> None:
        send(server.emulator, body)
        assert log(server)[0]["body"] == expected

    def test_it_shows_the_fault_that_changed_the_response(self, server: Server) -> None:
        server.emulator.set_faults(
            Fault(status=503, header={"authorization": f"Bearer {TOKEN}"}, times=1)
        )
        send(server.emulator)
        assert log(server)[0]["status"] == 503
        assert log(server)[0]["fault"] == "times=1, header=['authorization'], status=503"

    @pytest.mark.parametrize(
        ("drop", "status"), [("before", None), ("within", None), ("after", 200)]
    )
    def test_a_status_that_the_client_did_not_receive_is_null(
        self, server: Server, drop: Any, status: int | None
    ) -> None:
        server.emulator.set_faults(Fault(drop=drop))
        send(server.emulator)
        assert (log(server)[0]["status"], log(server)[0]["fault"]) == (status, f"drop={drop!r}")

    def test_markup_in_a_call_is_escaped(self, server: Server) -> None:
        assert fetch(server, HOSTILE).status == 404
        assert b"<" not in fetch(server, "/_emulator/log").body
        assert log(server)[0]["target"] == HOSTILE


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
        new_visit = Visit(context.pages[0])
        context.on("request", lambda request: new_visit.requests.append(request.url))
        new_visit.page.on("console", new_visit.hear)
        new_visit.page.on("pageerror", new_visit.fail)
        yield new_visit
        context.close()


class TestBrowser:
    def test_a_call_from_the_console_shows_its_response_and_its_log_entry(
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

        response = page.locator(".live-responses-table tbody")
        expect(response.locator("td.response-col_status")).to_have_text("200")
        response_body = response.locator(".highlight-code").first
        expect(response_body).to_contain_text('"id": "mine"')
        expect(response_body).to_contain_text('"unreadCount": 42')
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

    def test_one_click_sends_the_examples_of_the_spec_with_the_token(
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
        body = json.loads(exchange.request.body)
        assert (body["locationId"], body["unreadCount"], body["starred"]) == (LOCATION_ID, 1, True)
        assert visit.complaints == []

    def test_it_fits_the_window_of_the_screenshot_in_the_documentation(
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

    def test_the_log_updates_itself_with_the_newest_entry_first(
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

    def test_an_entry_that_was_clicked_open_stays_open(self, visit: Visit, server: Server) -> None:
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

    def test_the_browser_blocks_requests_to_other_origins(
        self, visit: Visit, server: Server
    ) -> None:
        with Server(Emulator()) as other_server:
            visit.page.goto(server.url)
            attempt = "url => fetch(url, {mode: 'no-cors'}).then(() => 'reached', () => 'blocked')"
            assert visit.page.evaluate(attempt, f"{other_server.url}/reached") == "blocked"
            assert other_server.emulator.exchanges == []

    def test_without_swagger_ui_it_shows_a_notice_and_the_log(
        self, visit: Visit, server: Server
    ) -> None:
        server._page = EmulatorPage(server.emulator, package="a_package_that_nobody_has")
        send(server.emulator)
        visit.page.goto(server.url)
        expect(visit.page.locator(".notice")).to_be_visible()
        expect(visit.page.locator("#entries .target")).to_have_text(TARGET)
        assert visit.complaints == []

    def test_it_shows_that_the_server_has_stopped(self, visit: Visit, emulator: Emulator) -> None:
        with Server(emulator) as server:
            visit.page.goto(server.url)
            expect(visit.page.locator("#state")).to_have_text("running")
        expect(visit.page.locator("#state")).to_have_text("not running")


class TestControl:
    def test_a_fault_is_added_shown_with_its_counts_and_removed(
        self, visit: Visit, server: Server
    ) -> None:
        page = visit.page
        page.goto(server.url)
        page.get_by_role("tab", name="Faults").click()
        expect(page.locator("#no-faults")).to_be_visible()
        page.locator("#fault-status").fill("503")
        page.locator("#fault-times").fill("2")
        page.locator("#faults summary").click()
        page.locator("#fault-headers").fill('{"Retry-After": "1"}')
        page.get_by_role("button", name="Add").click()
        rule = page.locator("#rules li")
        expect(rule.locator("code")).to_have_text(
            'times=2, status=503, headers={"Retry-After":"1"}'
        )
        expect(page.locator("#fault-count")).to_have_text("1")
        expect(page.locator("#fault-status")).to_have_value("")
        assert send(server.emulator).status == 503
        expect(rule.locator(".hint")).to_have_text("applied 1 of 1")
        rule.get_by_role("button", name="Remove").click()
        expect(rule).to_have_count(0)
        assert send(server.emulator).status == 200
        assert visit.complaints == []

    def test_each_field_of_a_fault_can_be_set(self, visit: Visit, server: Server) -> None:
        page = visit.page
        page.goto(server.url)
        page.get_by_role("tab", name="Faults").click()
        expect(page.locator("#fault-form :is(input, select)")).to_have_count(len(fields(Fault)))
        page.locator("#fault-drop").select_option("within")
        page.locator("#fault-path").fill("/conversations/*")
        page.get_by_role("button", name="Add").click()
        expect(page.locator("#rules li")).to_have_count(1)
        (rule,) = server.emulator.fault_rules
        assert rule.fault == Fault(drop="within", path="/conversations/*")
        page.get_by_role("button", name="Remove all").click()
        expect(page.locator("#rules li")).to_have_count(0)
        assert visit.complaints == []

    def test_an_invalid_fault_is_explained_and_stays_in_the_form(
        self, visit: Visit, server: Server
    ) -> None:
        page = visit.page
        page.goto(server.url)
        page.get_by_role("tab", name="Faults").click()
        page.locator("#fault-status").fill("many")
        page.get_by_role("button", name="Add").click()
        expect(page.locator("#fault-error")).to_contain_text('#/status: "many" is not of type')
        expect(page.locator("#fault-status")).to_have_value("many")
        page.locator("#fault-status").fill("500")
        page.get_by_role("button", name="Add").click()
        expect(page.locator("#fault-error")).to_be_hidden()
        expect(page.locator("#rules li")).to_have_count(1)

    def test_a_resource_is_changed_created_and_deleted(self, visit: Visit, server: Server) -> None:
        page = visit.page
        emulator = server.emulator
        page.goto(server.url)
        page.get_by_role("tab", name="State").click()
        text = page.locator("#resource-list textarea")
        page.locator("#resource-list summary", has_text=CONVERSATION_ID).click()
        expect(text).to_have_value(re.compile('"unreadCount": 1'))
        text.fill(json.dumps({**emulator.example, "unreadCount": 8}))
        page.get_by_role("button", name="Save").click()
        expect(text).to_have_count(0)
        resource = emulator.get("conversations", CONVERSATION_ID)
        assert resource is not None
        assert resource["unreadCount"] == 8

        page.get_by_role("button", name="New").click()
        text.fill('{"id": "mine", "starred": "yes"}')
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#resource-error")).to_contain_text("#/starred")
        text.fill('{"id": "mine", "starred": true}')
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#resource-list summary")).to_have_text([CONVERSATION_ID, "mine"])
        expect(page.locator("#resource-error")).to_be_hidden()

        page.locator("#resource-list summary", has_text="mine").click()
        page.get_by_role("button", name="Delete").click()
        expect(page.locator("#resource-list summary")).to_have_text([CONVERSATION_ID])
        assert emulator.get("conversations", "mine") is None

    def test_an_open_editor_keeps_its_text_during_calls(self, visit: Visit, server: Server) -> None:
        page = visit.page
        page.goto(server.url)
        page.get_by_role("tab", name="State").click()
        page.get_by_role("button", name="New").click()
        page.locator("#resource-list summary", has_text=CONVERSATION_ID).click()
        for text in page.locator("#resource-list textarea").all():
            text.fill("mine")
        send(server.emulator, {"locationId": LOCATION_ID, "unreadCount": 77})
        server.emulator.put("conversations", {"id": "other"})
        expect(page.locator("#resource-list summary")).to_have_text(
            ["new", CONVERSATION_ID, "other"]
        )
        for text in page.locator("#resource-list textarea").all():
            expect(text).to_have_value("mine")
        page.locator("#resource-list .unsaved").get_by_role("button", name="Delete").click()
        expect(page.locator("#resource-list textarea")).to_have_count(1)
        assert visit.complaints == []

    def test_time_passes_and_everything_is_reset(self, visit: Visit, server: Server) -> None:
        page = visit.page
        emulator = server.emulator
        emulator.set_faults(Fault(status=500))
        send(emulator)
        page.goto(server.url)
        page.get_by_role("tab", name="State").click()
        page.locator("#seconds").fill("86400")
        before = emulator.clock()
        page.get_by_role("button", name="Advance").click()
        tomorrow = datetime.fromtimestamp(before + 86_400, UTC).date().isoformat()
        expect(page.locator("#time")).to_contain_text(tomorrow)
        page.get_by_role("button", name="Clear the log").click()
        expect(page.locator("#total")).to_have_text("0")
        page.get_by_role("button", name="Reset everything").click()
        expect(page.locator("#fault-count")).to_have_text("0")
        expect(page.locator("#time")).not_to_contain_text(tomorrow)
        assert visit.complaints == []

    def test_tabs_change_with_the_arrow_keys(self, visit: Visit, server: Server) -> None:
        page = visit.page
        page.goto(server.url)
        page.locator("#log-tab").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#resources")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#log")).to_be_visible()
        expect(page.locator("#resources")).to_be_hidden()

    def test_markup_in_a_fault_and_a_resource_is_shown_as_text(
        self, visit: Visit, server: Server
    ) -> None:
        hostile = "<img src=x onerror=\"document.title='taken'\">"
        server.emulator.set_faults(Fault(path=hostile))
        server.emulator.put("conversations", {"id": hostile})
        visit.page.goto(server.url)
        expect(visit.page.locator("#rules code")).to_contain_text("<img src=x")
        expect(visit.page.locator("#resource-list summary").last).to_have_text(hostile)
        expect(visit.page.locator("#side img")).to_have_count(0)
        assert visit.page.title() == "LeadConnector 2021-07-28: emulator"
        assert visit.complaints == []

    def test_a_proxy_has_faults_and_a_log_but_no_resources(self, visit: Visit) -> None:
        page = visit.page
        with Server(Emulator()) as api, ValidatingProxy(api.url) as proxy, Server(proxy) as server:
            proxy.set_faults(Fault(status=500))
            page.goto(f"{server.url}/_emulator/")
            expect(page.locator("#fault-count")).to_have_text("1")
            send(proxy)
            expect(page.locator("#entries li")).to_have_count(1)
            page.get_by_role("tab", name="State").click()
            expect(page.locator("#resources :is(button, select, input):visible")).to_have_count(2)
            page.get_by_role("button", name="Reset everything").click()
            expect(page.locator("#fault-count")).to_have_text("0")
            expect(page.locator("#total")).to_have_text("0")
            expect(page.locator("#state")).to_have_text("running")
            expect(page.locator("#resource-error")).to_be_hidden()
        assert [url for url in visit.requests if "/_emulator/resources" in url] == []

    def test_without_control_it_shows_only_the_log(self, visit: Visit, emulator: Emulator) -> None:
        with Server(emulator, control=False) as server:
            send(emulator)
            visit.page.goto(server.url)
            expect(visit.page.locator("#entries li")).to_have_count(1)
            expect(visit.page.locator("#tabs [role=tab]:visible")).to_have_count(1)
        assert [url for url in visit.requests if "/_emulator/faults" in url] == []
        expect(visit.page.locator("#state")).to_have_text("not running")

    def test_another_site_cannot_control_the_emulator(self, visit: Visit, server: Server) -> None:
        with Server(Emulator()) as other_server:
            # The page of the other server has another port, and so another origin. Its security
            # policy would block the requests before the control could reject them.
            visit.page.goto(f"{other_server.url}/conversations/1")
            attempts = """async (url) => {
                const options = {method: 'POST', mode: 'no-cors', credentials: 'include'};
                await fetch(`${url}/_emulator/reset`, options).catch(() => null);
                const form = document.createElement('form');
                form.method = 'POST';
                form.action = `${url}/_emulator/reset`;
                document.body.append(form);
                form.submit();
            }"""
            server.emulator.set_faults(Fault(status=500))
            with visit.page.expect_response(f"{server.url}/_emulator/reset") as response:
                visit.page.evaluate(attempts, server.url)
            assert response.value.status == 403
            expect(visit.page.locator("body")).to_contain_text("has another origin")
        assert len(server.emulator.fault_rules) == 1


class TestWithoutBrowser:
    def test_the_browser_tests_are_skipped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="chromium is not installed"):
            chromium()

    def test_the_browser_tests_fail_in_ci(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.fail.Exception, match="chromium is not installed"):
            chromium()


def test_the_page_of_a_proxy_shows_the_findings_of_a_call(visit: Visit, server: Server) -> None:
    server.emulator.set_faults(Fault(undocumented="conversation.channel"))
    body = json.dumps({"locationId": LOCATION_ID}).encode()
    with ValidatingProxy(server.url) as proxy, Server(proxy) as proxy_server:
        proxy.respond(Request("PUT", TARGET, HEADERS, body))
        page = visit.page
        page.goto(f"{proxy_server.url}/_emulator/")

        expect(page.locator("#reference")).to_contain_text("/conversations/{conversationId}")
        entry = page.locator("#entries li").first
        expect(entry.locator("summary")).to_have_text(f"200PUT{TARGET}")
        expect(entry).to_contain_text("response-optional-property-added")
        expect(entry).not_to_contain_text(TOKEN)
        assert visit.complaints == []
