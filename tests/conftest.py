"""Fixtures of many tests: an emulator, in process and on a socket, and clients of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings
from leadconnector import LeadConnector
from leadconnector_emulator import Emulator, EmulatorTransport, Server

from tests.support.calling import TOKEN, Caller, call_async, call_sync

# CI runs the same examples every time. Other runs draw new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("default", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_configure() -> None:
    """Have programs that tests start end with Ctrl-C.

    A shell without job control starts a job in the background with Ctrl-C ignored. Its programs
    inherit that, and tests that send Ctrl-C would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make tests independent of the environment of the shell."""
    names = [
        "LEADCONNECTOR_TOKEN",
        "LEADCONNECTOR_BASE_URL",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ]
    for name in names:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def emulator() -> Emulator:
    """The API in this process, with one conversation."""
    return Emulator(tokens=[TOKEN])


@pytest.fixture
def server(emulator: Emulator) -> Iterator[Server]:
    """The same emulator on a socket."""
    with Server(emulator) as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> Iterator[LeadConnector]:
    """A client of the emulator in this process."""
    with LeadConnector(token=TOKEN, transport=EmulatorTransport(emulator)) as client:
        yield client


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Caller:
    """Makes a call with a new client. A test with this fixture runs for both clients."""
    return {"sync": call_sync, "async": call_async}[str(request.param)]
