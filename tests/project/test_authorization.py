"""The whole authorization: the command, the emulator's page and a real browser."""

from __future__ import annotations

import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from leadconnector import FileTokenStore
from playwright.sync_api import Page, sync_playwright

from tests.support.authorize_command import (
    SCOPES,
    SECRET,
    Command,
    assert_failed,
    emulated_command,
)
from tests.support.browser import SECONDS, chromium
from tests.support.calling import LOCATION_ID


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    with emulated_command(tmp_path / "tokens.json") as command:
        yield command


@contextmanager
def browser_page(complaints: list[str]) -> Generator[Page]:
    """A page of a real browser. Its errors and warnings are added to the complaints."""
    executable = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            page = browser.new_page()
            page.set_default_timeout(SECONDS * 1000)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda message: complaints.append(message.text))
            yield page
        finally:
            browser.close()


@pytest.mark.parametrize(("user_type", "version"), [("Location", "2021-07-28"), ("Company", "v3")])
def test_a_user_authorizes_the_application_in_a_real_browser(
    command: Command, user_type: str, version: str
) -> None:
    options = [f"--user-type={user_type}", f"--token-version={version}"]
    complaints: list[str] = []
    with command.started(*options) as run:
        with browser_page(complaints) as page:
            page.goto(run.read_url())
            for scope in SCOPES:
                assert page.get_by_text(scope).is_visible()
            label = "The agency company-1"
            if user_type == "Location":
                label = f"Main street ({LOCATION_ID})"
            page.get_by_label(label).check()
            page.get_by_role("button", name="Approve").click()
            page.get_by_role("heading", name="The authorization has arrived").wait_for()
        status, output, errors = run.end()

    # The browser asks for an icon, which the page does not have.
    assert [complaint for complaint in complaints if "404" not in complaint] == []
    assert status == 0, errors
    tokens = FileTokenStore(command.store).load()
    assert tokens is not None
    assert (tokens.user_type, set(tokens.scopes)) == (user_type, set(SCOPES))
    owner = {"Location": f"location {LOCATION_ID}", "Company": "agency company-1"}[user_type]
    assert f"Saved the tokens of the {owner} in {command.store}" in output
    for secret in (tokens.access_token, tokens.refresh_token, SECRET, "code-"):
        assert secret not in output + errors
    assert stat.S_IMODE(command.store.stat().st_mode) == 0o600
    assert command.endpoint.exchanges == 1


def test_the_user_denies_the_request_in_a_real_browser(command: Command) -> None:
    with command.started() as run:
        with browser_page([]) as page:
            page.goto(run.read_url())
            page.get_by_role("button", name="Deny").click()
            page.get_by_role("heading", name="The authorization failed").wait_for()
        assert_failed(run, 1, "the user denied the request (access_denied): The user denied")
