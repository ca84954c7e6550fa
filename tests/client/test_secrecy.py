"""No repr, log, exception, pickle or variable of a traceback shows a credential."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import httpx
import pytest
from leadconnector import AsyncLeadConnector, LeadConnector, LeadConnectorError
from leadconnector._runtime.secrets import Secret, Token

from tests.support.calling import (
    LOCATION_ID,
    Caller,
    returning,
    succeeding,
)

TOKEN = "pit-0f2a1c9e-very-secret"


def locals_of_ours(error: BaseException | None) -> Iterator[str]:
    """The variables of all frames of the package, as an error reporter shows them.

    Frames of causes and contexts are included.
    """
    while error is not None:
        frame: TracebackType | None = error.__traceback__
        while frame is not None:
            if str(frame.tb_frame.f_globals.get("__name__", "")).startswith("leadconnector."):
                for name, value in frame.tb_frame.f_locals.items():
                    yield f"{name}={shown(value)}"
            frame = frame.tb_next
        error = error.__cause__ or error.__context__


def shown(value: object) -> str:
    inside = (
        vars(value)
        if type(value).__module__.startswith("leadconnector") and hasattr(value, "__dict__")
        else {}
    )
    return f"{value!r} {inside!r}"


def fail(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadError(f"reset while sending Bearer {TOKEN}")


def echo(status: int, *, headers: bool = False) -> Callable[[httpx.Request], httpx.Response]:
    def handle(request: httpx.Request) -> httpx.Response:
        authorization = request.headers["authorization"]
        return httpx.Response(
            status,
            json={"message": authorization, authorization: [authorization], "conversation": "x"},
            headers={"x-echo": authorization} if headers else {},
        )

    return handle


FAILING_CALLS: dict[str, Callable[[Caller], object]] = {
    "an invalid token": lambda call: call(None, options={"token": f"{TOKEN} \n"}),
    "an invalid base URL": lambda call: call(
        None, options={"token": TOKEN, "base_url": "http://example.com"}
    ),
    "an invalid option": lambda call: call(None, options={"token": TOKEN, "timeout": -1}),
    "an invalid transport": lambda call: call(object(), options={"token": TOKEN}),
    "an invalid argument": lambda call: call(
        httpx.MockTransport(echo(200)), options={"token": TOKEN}, location_id=""
    ),
    "a lost connection": lambda call: call(httpx.MockTransport(fail), options={"token": TOKEN}),
    "a callable without a valid token": lambda call: call(
        httpx.MockTransport(fail), options={"token": lambda: f"{TOKEN}\n"}
    ),
    "an error that echoes the token": lambda call: call(
        httpx.MockTransport(echo(400)), options={"token": TOKEN}
    ),
    "a 401 that echoes the token": lambda call: call(
        httpx.MockTransport(echo(401, headers=True)), options={"token": TOKEN}
    ),
    "a 503 that echoes the token": lambda call: call(
        httpx.MockTransport(echo(503, headers=True)), options={"token": TOKEN}
    ),
    "a success that cannot be decoded": lambda call: call(
        httpx.MockTransport(echo(200, headers=True)), options={"token": TOKEN}
    ),
}


@pytest.mark.parametrize("name", FAILING_CALLS)
def test_a_failed_call_shows_no_credential(
    call: Caller, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(LeadConnectorError) as caught:
        FAILING_CALLS[name](call)

    error = caught.value
    shown_texts = [
        str(error),
        repr(error),
        repr(vars(error)),
        "".join(traceback.format_exception(error)),
        caplog.text,
    ]
    shown_texts += [repr(pickle.dumps(error)), *locals_of_ours(error)]
    assert [text for text in shown_texts if TOKEN in text] == []


def test_the_inspection_of_frames_finds_their_variables(call: Caller) -> None:
    def fail(_: object) -> None:
        raise LookupError

    with pytest.raises(LookupError) as caught:
        call(
            succeeding(),
            options={"on_response": fail},
            starred=True,
        )

    assert any("'starred': True" in text for text in locals_of_ours(caught.value))


@pytest.mark.parametrize("client", [LeadConnector, AsyncLeadConnector])
def test_the_parts_of_a_client_show_no_credential(client: Any) -> None:
    instance = client(token=TOKEN, transport=returning(200))
    parts = [
        instance,
        instance._settings,
        instance._connections,
        instance.conversations,
        instance._settings.token_source,
    ]

    assert TOKEN not in repr([[part, getattr(part, "__dict__", {})] for part in parts])


def test_a_token_is_not_shown_and_not_pickled() -> None:
    token = Token(Secret(TOKEN))

    assert TOKEN not in f"{token!r} {token} {Secret(TOKEN)!r}"
    for secret in (token, Secret(TOKEN)):
        with pytest.raises(TypeError, match="credential"):
            pickle.dumps(secret)


def test_a_cancelled_call_shows_no_credential() -> None:
    async def run() -> BaseException:
        async def never(_: httpx.Request) -> httpx.Response:
            await asyncio.sleep(3600)
            raise AssertionError

        async with AsyncLeadConnector(token=TOKEN, transport=httpx.MockTransport(never)) as client:
            call = asyncio.ensure_future(
                client.conversations.update_conversation("1", location_id=LOCATION_ID)
            )
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            call.cancel()
            try:
                await call
            except asyncio.CancelledError as error:
                return error
            raise AssertionError

    assert [text for text in locals_of_ours(asyncio.run(run())) if TOKEN in text] == []
