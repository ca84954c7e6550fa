"""Fixtures for a service that uses the client; pytest finds them with the `emulator` extra."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from .emulator import TOKEN, Emulator
from .transport import EmulatorTransport

if TYPE_CHECKING:
    from leadconnector import LeadConnector


@pytest.fixture
def leadconnector_emulator() -> Emulator:
    """The API in this process, new for each test, with the spec's example conversation.

    Override it in a `conftest.py` to set tokens, conversations, limits or faults.
    """
    return Emulator()


@pytest.fixture
def leadconnector_client(leadconnector_emulator: Emulator) -> Generator[LeadConnector]:
    """A client of `leadconnector_emulator`, with one of its tokens."""
    # The plugin loads in every test run. Only tests that use this fixture import the client.
    from leadconnector import LeadConnector  # noqa: PLC0415  # only if used

    token = next(iter(leadconnector_emulator.tokens), TOKEN)
    with LeadConnector(token=token, transport=EmulatorTransport(leadconnector_emulator)) as client:
        yield client
