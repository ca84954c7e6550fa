"""Runs Chromium for the tests of the HTML pages, and records what happens in it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field

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


def chromium() -> str:
    """The path of Chromium. Without it the test is skipped; in CI it fails."""
    executable = shutil.which("chromium")
    if executable is None:
        message = "chromium is not installed"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return executable
