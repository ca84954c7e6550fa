"""Runs Chromium for the tests of the HTML pages, and records what happens in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache

import pytest
from playwright.sync_api import ConsoleMessage, Error, Page

SECONDS = 30
"""The timeout of each browser step: a bound, so that no test hangs."""


@dataclass
class Visit:
    """A browser tab and the events in it."""

    page: Page
    requests: list[str] = field(default_factory=list[str])
    complaints: list[str] = field(default_factory=list[str])
    """Console errors and warnings, and uncaught exceptions."""

    def hear(self, message: ConsoleMessage) -> None:
        """Record a console message that is an error or a warning."""
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def fail(self, error: Error) -> None:
        """Record an uncaught exception."""
        self.complaints.append(str(error))


BROWSERS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
"""Names of Chromium and of browsers that are built from it, as `.ci/run` looks for them."""


def chromium() -> str:
    """The path of Chromium or Google Chrome. Without it the test is skipped; in CI it fails."""
    for name in BROWSERS:
        executable = shutil.which(name)
        if executable is not None and _is_browser(executable):
            return executable
    message = "chromium is not installed, and no google-chrome"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@cache
def _is_browser(executable: str) -> bool:
    """Whether a program is a browser: Ubuntu has one that only says what to install."""
    command = [executable, "--version"]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
