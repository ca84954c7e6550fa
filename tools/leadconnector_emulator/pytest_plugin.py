"""Fixtures for a service that uses the client. pytest finds them.

pytest loads this plugin in every environment that has the emulator. So only the fixtures import the
emulator and the client.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from .requirements import MissingRequirementError, names_missing_requirement

if TYPE_CHECKING:
    from leadconnector import LeadConnector

    from .emulator import Emulator


@pytest.fixture
def leadconnector_emulator_options() -> Mapping[str, Any]:
    """The arguments of `Emulator` for `leadconnector_emulator`; none by default.

    Override it in a module or a `conftest.py`, for example to return `{"version_status": 400}`.
    """
    return {}


@pytest.fixture
def leadconnector_emulator(leadconnector_emulator_options: Mapping[str, Any]) -> Emulator:
    """The API in this process, new for each test, with the spec's example conversation.

    Override it, or `leadconnector_emulator_options`, in a `conftest.py` to set tokens,
    conversations, limits or faults. If a requirement of the emulator is not installed, a test that
    uses it fails with a message that names the requirements.
    """
    emulator_class = _import_emulator()
    return emulator_class(**leadconnector_emulator_options)


@pytest.fixture
def leadconnector_client(leadconnector_emulator: Emulator) -> Generator[LeadConnector]:
    """A client of `leadconnector_emulator`, with one of its tokens.

    A test fails if the emulator has no tokens but a token endpoint: the fixture does not choose
    how the client gets its token.
    """
    from leadconnector import LeadConnector  # noqa: PLC0415  # only if used

    from .emulator import TOKEN  # noqa: PLC0415  # only if used
    from .transport import EmulatorTransport  # noqa: PLC0415  # only if used

    if not leadconnector_emulator.tokens and leadconnector_emulator.token_endpoint is not None:
        pytest.fail(
            "leadconnector_client needs a token, and the emulator has only a token endpoint: add"
            " one with `tokens`, or create a LeadConnector whose token comes from the endpoint",
            pytrace=False,
        )
    token = next(iter(leadconnector_emulator.tokens), TOKEN)
    with LeadConnector(token=token, transport=EmulatorTransport(leadconnector_emulator)) as client:
        yield client


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
