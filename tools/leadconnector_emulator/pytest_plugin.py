"""Fixtures for a service that uses the client. pytest finds them.

The client can be installed, or be a copy in the service: the fixtures `leadconnector_class` and
`async_leadconnector_class` name the class.

pytest loads this plugin in every environment that has the emulator. So only the fixtures import the
emulator and the client.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from .requirements import MissingRequirementError, names_missing_requirement

if TYPE_CHECKING:
    from leadconnector import AsyncLeadConnector, LeadConnector

    from .emulator import Emulator
    from .server import Server
    from .transport import EmulatorTransport


@pytest.fixture
def leadconnector_emulator_options() -> Mapping[str, Any]:
    """The arguments of `Emulator` for `leadconnector_emulator`; none by default.

    Override it in a module or a `conftest.py`, for example to return `{"version_status": 400}`.
    """
    return {}


@pytest.fixture
def leadconnector_emulator(
    leadconnector_emulator_options: Mapping[str, Any],
) -> Generator[Emulator]:
    """The API in this process, new for each test, with the spec's example conversation.

    Override it, or `leadconnector_emulator_options`, in a `conftest.py` to set tokens,
    conversations, limits or faults. If a requirement of the emulator is not installed, a test that
    uses it fails with a message that names the requirements.
    """
    emulator_class = _import_emulator()
    emulator = emulator_class(**leadconnector_emulator_options)
    yield emulator
    emulator.close()


@pytest.fixture
def leadconnector_emulator_server(leadconnector_emulator: Emulator) -> Generator[Server]:
    """`leadconnector_emulator` on a free port of this machine, for programs in other processes.

    Its `url` is the address. They can control it over HTTP.
    """
    from .server import Server  # noqa: PLC0415  # only if used

    with Server(leadconnector_emulator) as server:
        yield server


@pytest.fixture(scope="session")
def leadconnector_class() -> Callable[..., LeadConnector]:
    """The class of `leadconnector_client`: by default `LeadConnector` of the installed client.

    A service with a vendored copy overrides it in its `conftest.py`, in order to return its own
    class, such as `app._vendor.leadconnector.LeadConnector`. Any callable with the parameters
    `token` and `transport` will do, for example a `functools.partial` with further options.
    """
    try:
        from leadconnector import LeadConnector  # noqa: PLC0415  # only if used
    except ModuleNotFoundError as error:
        message = _explain_missing_client(error, "leadconnector_class", "LeadConnector")
    else:
        return LeadConnector
    # Outside of the handler, so that pytest prints only this message and no traceback.
    pytest.fail(message, pytrace=False)


@pytest.fixture(scope="session")
def async_leadconnector_class() -> Callable[..., AsyncLeadConnector]:
    """The class of `async_leadconnector_client`: by default that of the installed client.

    A service overrides it as `leadconnector_class`.
    """
    try:
        from leadconnector import AsyncLeadConnector  # noqa: PLC0415  # only if used
    except ModuleNotFoundError as error:
        message = _explain_missing_client(error, "async_leadconnector_class", "AsyncLeadConnector")
    else:
        return AsyncLeadConnector
    pytest.fail(message, pytrace=False)


@pytest.fixture
def leadconnector_client(
    leadconnector_class: Callable[..., LeadConnector], leadconnector_emulator: Emulator
) -> Generator[LeadConnector]:
    """A client of `leadconnector_emulator`, with one of its tokens.

    A test fails if the emulator has no tokens but a token endpoint: the fixture does not choose
    how the client gets its token.
    """
    token = _token_of(leadconnector_emulator, "leadconnector_client")
    transport = _transport_to(leadconnector_emulator)
    with leadconnector_class(token=token, transport=transport) as client:
        yield client


@pytest.fixture
def async_leadconnector_client(
    async_leadconnector_class: Callable[..., AsyncLeadConnector], leadconnector_emulator: Emulator
) -> Generator[AsyncLeadConnector]:
    """An async client of `leadconnector_emulator`, with one of its tokens.

    The fixture itself is not async. So it needs no plugin of pytest, and works with each of them.
    """
    token = _token_of(leadconnector_emulator, "async_leadconnector_client")
    transport = _transport_to(leadconnector_emulator)
    client = async_leadconnector_class(token=token, transport=transport)
    yield client
    _run(client.close)


def _import_emulator() -> type[Emulator]:
    """Import the emulator, or let the test fail with a line that names the requirements."""
    try:
        with names_missing_requirement():
            from .emulator import Emulator  # noqa: PLC0415  # only if used
    except MissingRequirementError as error:
        message = str(error)
    else:
        return Emulator
    # Outside of the handler, so that pytest prints only this message and no traceback.
    pytest.fail(message, pytrace=False)


def _explain_missing_client(error: ModuleNotFoundError, fixture: str, class_name: str) -> str:
    """What to do if the client is not installed. Another missing module is raised again."""
    if error.name != "leadconnector":
        raise error
    return (
        f"{fixture}: the client is not installed: for a vendored copy, define this fixture in your"
        f" conftest.py, and return the copy's {class_name}; otherwise install the client, as its"
        " README describes"
    )


def _token_of(emulator: Emulator, fixture: str) -> str:
    """One of the emulator's tokens, or let the test fail if only its token endpoint has tokens."""
    from .emulator import TOKEN  # noqa: PLC0415  # only if used

    if not emulator.tokens and emulator.token_endpoint is not None:
        pytest.fail(
            f"{fixture} needs a token, and the emulator has only a token endpoint: add one with"
            " `tokens`, or create a client whose token comes from the endpoint",
            pytrace=False,
        )
    return next(iter(emulator.tokens), TOKEN)


def _transport_to(emulator: Emulator) -> EmulatorTransport:
    """The transport to an emulator in this process."""
    from .transport import EmulatorTransport  # noqa: PLC0415  # only if used

    return EmulatorTransport(emulator)


def _run(close: Callable[[], Any]) -> None:
    """Run a coroutine function. The event loop of the thread stays as a plugin has set it."""
    # pytest loads this module in every run, and most runs need no event loop.
    import asyncio  # noqa: PLC0415

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(close())
    finally:
        loop.close()
