"""Fixtures for a service that uses the client: pytest finds them where the `emulator` extra is installed."""

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
    """The API in this process, new for each test, with the vendor's conversation example in it.

    Override it in a `conftest.py` to have other tokens, conversations, limits or faults.
    """
    return Emulator()


@pytest.fixture
def leadconnector_client(leadconnector_emulator: Emulator) -> Generator[LeadConnector]:
    """A client of `leadconnector_emulator`, whose token it knows."""
    from leadconnector import LeadConnector  # noqa: PLC0415  (so that the plugin alone imports no client)

    token = next(iter(leadconnector_emulator.tokens), TOKEN)
    with LeadConnector(token=token, transport=EmulatorTransport(leadconnector_emulator)) as client:
        yield client
