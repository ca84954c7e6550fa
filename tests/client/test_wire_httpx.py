"""The transports of httpx are a documented way back from the client's own connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from leadconnector import APIConnectionError, AsyncLeadConnector, LeadConnector
from leadconnector.models import UpdateConversationResponse

from benchmarks.long.fuzzing.streams import cut_id, kinds
from benchmarks.long.wire import served_streams
from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.switchable import switchable
from tests.support.wire import receive_request, serving


def call_sync(url: str, conversation_id: str = CONVERSATION_ID, **options: Any) -> object:
    """Call with the sync transport of httpx. Returns the response, or the error."""
    with LeadConnector(
        token=TOKEN,
        base_url=url,
        rate_limit=None,
        retries=0,
        transport=httpx.HTTPTransport(),
        **options,
    ) as client:
        try:
            return client.conversations.update_conversation(
                conversation_id, location_id=LOCATION_ID
            )
        except APIConnectionError as error:
            return error


def call_async(url: str, conversation_id: str = CONVERSATION_ID, **options: Any) -> object:
    """`call_sync` with the async transport of httpx."""

    async def run() -> object:
        async with AsyncLeadConnector(
            token=TOKEN,
            base_url=url,
            rate_limit=None,
            retries=0,
            transport=httpx.AsyncHTTPTransport(),
            **options,
        ) as client:
            try:
                return await client.conversations.update_conversation(
                    conversation_id, location_id=LOCATION_ID
                )
            except APIConnectionError as error:
                return error

    return asyncio.run(run())


both_clients = pytest.mark.parametrize("call", [call_sync, call_async])


@both_clients
def test_a_call_with_a_transport_of_httpx_succeeds(call: Callable[..., object]) -> None:
    with switchable() as api:
        response = call(api.url)

    assert isinstance(response, UpdateConversationResponse)
    assert response.success


@both_clients
def test_a_cut_response_is_the_same_error_with_a_transport_of_httpx(
    call: Callable[..., object],
) -> None:
    with served_streams() as url:
        for number in range(0, len(kinds()), 51):
            length = kinds()[number].complete_at - 1
            error = call(url, cut_id(number, length))
            assert isinstance(error, APIConnectionError)
            assert error.failure == "lost"


@both_clients
def test_the_deadline_ends_a_call_with_a_transport_of_httpx(call: Callable[..., object]) -> None:
    def hang(connection: socket.socket) -> None:
        receive_request(connection)
        connection.recv(1)

    with serving(hang) as server:
        error = call(server.url, deadline=0.2)

    assert isinstance(error, APIConnectionError)
    assert error.failure == "lost"
