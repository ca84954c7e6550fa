"""Fixtures of many tests: an emulator, in process and on a socket, and clients of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings
from leadconnector import LeadConnector
from leadconnector._runtime.http import parsers
from leadconnector._runtime.http.response_parser import ResponseParser
from leadconnector_emulator import Emulator, EmulatorTransport, Server

from tests.support.both_clients import RUNNERS, Runner
from tests.support.calling import TOKEN, Caller, call_async, call_sync
from tests.support.parsers import PARSERS, require

# CI runs the same examples every time. Other runs draw new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("default", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run select the parser of responses, and real documents.

    The default parser is h11, which every user has.
    """
    parser.addoption(
        "--parser", choices=PARSERS, help="the parser of responses in all tests of this process"
    )
    parser.addoption(
        "--documents",
        metavar="FOLDER",
        help="the OpenAPI documents for the properties of specdrift, instead of our spec",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the fixture `each_parser` once for each parser, or for the selected one."""
    if "each_parser" in metafunc.fixturenames:
        selected = metafunc.config.getoption("--parser")
        names = PARSERS if selected is None else [selected]
        metafunc.parametrize("each_parser", names, indirect=True)


def use_parser(name: str, monkeypatch: pytest.MonkeyPatch) -> type[ResponseParser]:
    """Have new connections of this process use one parser."""
    parser_class = require(name)
    monkeypatch.setattr(parsers, "fastest_class", lambda: parser_class)
    return parser_class


@pytest.fixture(autouse=True)
def selected_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the parser that the option selects. A test with `each_parser` has its own choice."""
    use_parser(request.config.getoption("--parser") or "h11", monkeypatch)


@pytest.fixture
def each_parser(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> type[ResponseParser]:
    """Run the test with each parser. It returns the class of the parser."""
    return use_parser(str(request.param), monkeypatch)


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


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Runner:
    """Uses a new client. A test with this fixture runs for both clients."""
    return RUNNERS[str(request.param)]
