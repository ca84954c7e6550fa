"""A credential is in no repr, log, exception, pickle, or local variable of a traceback, however a call ends."""

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

from tests.support.calling import ANSWER, LOCATION_ID, Caller, answering

TOKEN = "pit-0f2a1c9e-very-secret"


def locals_of_ours(error: BaseException | None) -> Iterator[str]:
    """How an error reporter shows the variables of every frame of the package, causes and contexts included."""
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
        said = request.headers["authorization"]
        return httpx.Response(
            status,
            json={"message": said, said: [said]},
            headers={"x-echo": said} if headers else {},
        )

    return handle


WAYS: dict[str, Callable[[Caller], object]] = {
    "a refused token": lambda call: call(None, options={"token": f"{TOKEN} \n"}),
    "a base URL that is refused": lambda call: call(
        None, options={"token": TOKEN, "base_url": "http://example.com"}
    ),
    "an option that is refused": lambda call: call(None, options={"token": TOKEN, "timeout": -1}),
    "a transport that is none": lambda call: call(object(), options={"token": TOKEN}),
    "an argument that is refused": lambda call: call(
        httpx.MockTransport(echo(200)), options={"token": TOKEN}, location_id=""
    ),
    "a connection that is lost": lambda call: call(
        httpx.MockTransport(fail), options={"token": TOKEN}
    ),
    "a callable that gives no token": lambda call: call(
        httpx.MockTransport(fail), options={"token": lambda: f"{TOKEN}\n"}
    ),
    "an error that echoes the token": lambda call: call(
        httpx.MockTransport(echo(400)), options={"token": TOKEN}
    ),
    "a refusal that echoes the token": lambda call: call(
        httpx.MockTransport(echo(401, headers=True)), options={"token": TOKEN}
    ),
    "a failure that echoes the token": lambda call: call(
        httpx.MockTransport(echo(503, headers=True)), options={"token": TOKEN}
    ),
    "a success that cannot be read": lambda call: call(
        httpx.MockTransport(echo(200, headers=True)), options={"token": TOKEN}
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_ends_badly_shows_no_credential(
    call: Caller, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(LeadConnectorError) as caught:
        WAYS[way](call)

    error = caught.value
    told = [
        str(error),
        repr(error),
        repr(vars(error)),
        "".join(traceback.format_exception(error)),
        caplog.text,
    ]
    told += [repr(pickle.dumps(error)), *locals_of_ours(error)]
    assert [each for each in told if TOKEN in each] == []


def test_the_look_into_frames_sees_their_variables(call: Caller) -> None:
    def fail(_: object) -> None:
        raise LookupError

    with pytest.raises(LookupError) as caught:
        call(
            answering(lambda: httpx.Response(200, json=ANSWER)),
            options={"on_response": fail},
            starred=True,
        )

    assert any("'starred': True" in each for each in locals_of_ours(caught.value))


@pytest.mark.parametrize("client", [LeadConnector, AsyncLeadConnector])
def test_a_clients_parts_show_no_credential(client: Any) -> None:
    made = client(token=TOKEN, transport=answering(lambda: httpx.Response(200)))
    parts = [
        made,
        made._settings,
        made._connections,
        made.conversations,
        made._settings.token_source,
    ]

    assert TOKEN not in repr([[part, getattr(part, "__dict__", {})] for part in parts])


def test_a_token_is_neither_shown_nor_pickled() -> None:
    token = Token(Secret(TOKEN))

    assert TOKEN not in f"{token!r} {token} {Secret(TOKEN)!r}"
    for kept in (token, Secret(TOKEN)):
        with pytest.raises(TypeError, match="credential"):
            pickle.dumps(kept)


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

    assert [each for each in locals_of_ours(asyncio.run(run())) if TOKEN in each] == []
