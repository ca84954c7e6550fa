"""The emulator sends signed events, again until they are received, and never waits for them."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
import uvicorn
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from leadconnector import AsyncLeadConnector, LeadConnector, WebhookError, WebhookSignatureError
from leadconnector.models import ConversationUnreadUpdate
from leadconnector.webhooks import WebhookEvent, verify
from leadconnector_emulator import (
    Dropped,
    Emulator,
    EmulatorApp,
    EmulatorTransport,
    Fault,
    Server,
    Webhooks,
)
from leadconnector_emulator.requirements import MissingRequirementError
from leadconnector_emulator.webhook_events import Event
from leadconnector_emulator.webhook_key import REQUIREMENT
from leadconnector_emulator.webhooks import MAXIMUM_DELIVERIES, MAXIMUM_RETRIES

from tests.support.documents import blocks_in
from tests.support.paths import ROOT
from tests.support.receiver import Receiver, receiving

TOKEN = "test-token"
Message = MutableMapping[str, Any]


def emulator_with(webhooks: Webhooks, **options: Any) -> Emulator:
    return Emulator(tokens=[TOKEN], webhooks=webhooks, **options)


def update(emulator: Emulator, conversation_id: str | None = None, **changes: Any) -> None:
    """Update the example conversation with the client."""
    example = emulator.example
    with LeadConnector(token=TOKEN, transport=EmulatorTransport(emulator)) as client:
        client.conversations.update_conversation(
            conversation_id or example["id"], location_id=example["locationId"], **changes
        )


def events_of(
    receiver: Receiver, webhooks: Webhooks
) -> list[WebhookEvent | ConversationUnreadUpdate]:
    """The verified events that a receiver has, once none waits."""
    assert webhooks.wait()
    return [
        verify(request.body, request.headers, public_key=webhooks.public_key)
        for request in receiver.requests
    ]


class Inbox:
    """An ASGI application that verifies events, as docs/webhooks.md shows it."""

    def __init__(self, public_key: str) -> None:
        self.public_key = public_key
        self.events: list[WebhookEvent | ConversationUnreadUpdate] = []
        self.errors: list[WebhookError] = []

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        body = b""
        has_more = True
        while has_more:
            message = await receive()
            body += message.get("body", b"")
            has_more = message.get("more_body", False)
        status = 200
        try:
            self.events.append(verify(body, scope["headers"], public_key=self.public_key))
        except WebhookError as error:
            self.errors.append(error)
            status = 401
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def serving(application: Any, port: int) -> Generator[None]:
    """Run an ASGI application with uvicorn."""
    config = uvicorn.Config(
        application, host="127.0.0.1", port=port, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def serving_wsgi(application: Any, port: int) -> Generator[None]:
    """Run a WSGI application with the server of the standard library."""

    class Handler(WSGIRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            """Print nothing."""

    with make_server("127.0.0.1", port, application, handler_class=Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def documented_application(interface: str) -> Any:
    """The application for ASGI or WSGI in docs/webhooks.md."""
    start = {"asgi": "async def app(", "wsgi": "\ndef app(environ"}[interface]
    (block,) = [
        block
        for block in blocks_in("python")
        if block.document == "docs/webhooks.md" and start in block.code
    ]
    namespace: dict[str, Any] = {}
    exec(compile(block.code, str(block), "exec"), namespace)
    return namespace["app"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class TestDelivery:
    def test_an_asgi_server_receives_and_verifies_the_events_of_both_clients(self) -> None:
        port = free_port()
        # The first attempts can come before uvicorn listens.
        webhooks = Webhooks(f"http://127.0.0.1:{port}/webhooks", retries=1000, time_scale=0.001)
        emulator = emulator_with(webhooks)
        inbox = Inbox(webhooks.public_key)
        example = emulator.example

        async def update_async() -> None:
            transport = EmulatorTransport(emulator)
            async with AsyncLeadConnector(token=TOKEN, transport=transport) as client:
                await client.conversations.update_conversation(
                    example["id"], location_id=example["locationId"], starred=False
                )

        with serving(inbox, port):
            update(emulator, unread_count=5)
            assert webhooks.wait()
            asyncio.run(update_async())
            assert webhooks.wait()
            forged = {"type": "ConversationUnreadUpdate", "unreadCount": 9}
            headers = {"X-GHL-Signature": "QUJD"}
            status = httpx.post(
                webhooks.url, json=forged, headers=headers, trust_env=False
            ).status_code

        first_event, second_event = inbox.events
        assert isinstance(first_event, ConversationUnreadUpdate)
        assert first_event.id == example["id"]
        assert first_event.location_id == example["locationId"]
        assert first_event.unread_count == 5
        assert isinstance(second_event, ConversationUnreadUpdate)
        assert second_event.starred is False
        assert second_event.webhook_id != first_event.webhook_id
        assert status == 401
        assert [type(error) for error in inbox.errors] == [WebhookSignatureError]

    @pytest.mark.parametrize("interface", ["asgi", "wsgi"])
    def test_the_applications_of_the_documentation_verify_events(
        self, interface: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        port = free_port()
        webhooks = Webhooks(f"http://127.0.0.1:{port}/webhooks", retries=1000, time_scale=0.001)
        # Only the key is another one than for a reader.
        with_key = functools.partial(verify, public_key=webhooks.public_key)
        monkeypatch.setattr("leadconnector.webhooks.verify", with_key)
        application = documented_application(interface)

        serve = serving if interface == "asgi" else serving_wsgi
        with serve(application, port):
            update(emulator_with(webhooks), unread_count=5)
            assert webhooks.wait()
            forged = httpx.post(webhooks.url, content=b"{}", trust_env=False)

        assert webhooks.deliveries[0].status == 200
        assert "ConversationUnreadUpdate(" in capsys.readouterr().out
        assert forged.status_code == 401

    def test_the_event_has_the_form_of_the_vendors_example(self) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks, clock=lambda: 1_738_074_900.0)
            update(emulator, unread_count=7)
            assert webhooks.wait()

        (request,) = receiver.requests
        event = json.loads(request.body)
        assert event.pop("webhookId") == webhooks.deliveries[0].event_id
        assert event == {
            "type": "ConversationUnreadUpdate",
            "timestamp": "2025-01-28T14:35:00.000Z",
            "unreadCount": 7,
            **{
                name: emulator.example[name]
                for name in ("id", "locationId", "contactId", "starred", "inbox", "deleted")
            },
        }
        assert request.path == "/webhooks"
        assert request.headers["content-type"] == "application/json"
        assert b" " not in request.body

    def test_text_of_any_alphabet_is_verified(self) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks)
            for text in ("Ünïcödé 中文 🎉", "half of a pair: \ud83d"):
                emulator.put(
                    "conversations", {**emulator.example, "contactId": text, "starred": False}
                )
                update(emulator, starred=True)
            events = events_of(receiver, webhooks)

        assert [
            event.contact_id for event in events if isinstance(event, ConversationUnreadUpdate)
        ] == [
            "Ünïcödé 中文 🎉",
            "half of a pair: \ud83d",
        ]


class TestTrigger:
    @pytest.mark.parametrize(
        "changes",
        [{"unread_count": 99}, {"starred": False}, {"unread_count": 99, "starred": False}],
    )
    def test_a_change_of_a_named_property_is_one_event(self, changes: dict[str, Any]) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks)
            assert emulator.example["starred"] is True
            update(emulator, **changes)

            assert len(events_of(receiver, webhooks)) == 1

    def test_an_update_that_changes_nothing_named_is_no_event(self) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks)
            update(emulator, feedback={"score": 1})
            update(
                emulator,
                starred=emulator.example["starred"],
                unread_count=emulator.example["unreadCount"],
            )
            update(emulator)

        assert webhooks.deliveries == []
        assert receiver.requests == []

    def test_a_rejected_request_is_no_event(self) -> None:
        webhooks = Webhooks("http://127.0.0.1:9/")
        emulator = emulator_with(webhooks)
        emulator.set_faults(Fault(times=1, status=503))
        with httpx.Client(
            transport=EmulatorTransport(emulator), base_url="http://emulator"
        ) as client:
            for token in (TOKEN, "wrong"):
                response = client.put(
                    f"/conversations/{emulator.example['id']}",
                    json={"locationId": emulator.example["locationId"], "starred": False},
                    headers={"Authorization": f"Bearer {token}", "Version": "2021-07-28"},
                )
                assert response.status_code in {401, 503}

        assert webhooks.deliveries == []

    def test_an_update_whose_response_is_lost_is_an_event(self) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks)
            emulator.set_faults(Fault(drop="within", nth=1))
            # The client sends it again. The second request changes nothing.
            update(emulator, starred=False)

            assert len(events_of(receiver, webhooks)) == 1

    def test_a_conversation_that_is_created_on_demand_sends_what_the_request_sets(self) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks, create_missing=True)
            update(emulator, "new-1", feedback={"score": 1})
            update(emulator, "new-2", starred=True)
            (event,) = events_of(receiver, webhooks)

        assert isinstance(event, ConversationUnreadUpdate)
        assert event.id == "new-2"

    def test_another_webhook_of_a_spec_is_sent_without_new_code(self, tmp_path: Path) -> None:
        spec = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
        item = json.loads(json.dumps(spec["webhooks"]["ConversationUnreadUpdate"]))
        item["post"]["x-sent-on-change"] = {"conversations": ["feedback"]}
        spec["webhooks"] = {"FeedbackUpdate": item}
        path = tmp_path / "spec.yaml"
        path.write_text(yaml.safe_dump(spec), encoding="utf-8")
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks, spec=path)
            update(emulator, starred=False)
            update(emulator, feedback={"score": 5})
            (event,) = events_of(receiver, webhooks)

        assert isinstance(event, WebhookEvent)
        assert event.type == "FeedbackUpdate"

    @pytest.mark.parametrize("trigger", [[], "x", {"conversations": "starred"}, {"a": None}])
    def test_a_trigger_of_another_form_is_rejected(self, trigger: object, tmp_path: Path) -> None:
        spec = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
        spec["webhooks"]["ConversationUnreadUpdate"]["post"]["x-sent-on-change"] = trigger
        path = tmp_path / "spec.yaml"
        path.write_text(yaml.safe_dump(spec), encoding="utf-8")

        with pytest.raises(ValueError, match="ConversationUnreadUpdate: it needs"):
            Emulator(path, webhooks=Webhooks("http://127.0.0.1:9/"))

    def test_a_spec_without_webhooks_is_rejected_if_there_is_a_url(self, tmp_path: Path) -> None:
        spec = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
        del spec["webhooks"]
        path = tmp_path / "spec.yaml"
        path.write_text(yaml.safe_dump(spec), encoding="utf-8")

        assert Emulator(path).webhooks is None
        with pytest.raises(ValueError, match="no webhook with x-sent-on-change"):
            Emulator(path, webhooks=Webhooks("http://127.0.0.1:9/"))


EVENT = Event("ConversationUnreadUpdate", "id-1", {"type": "ConversationUnreadUpdate"})


class TestRetries:
    def test_each_status_but_a_success_is_retried_with_the_same_body_and_signature(self) -> None:
        with receiving(500, 301, 404, 429, 204) as receiver:
            webhooks = Webhooks(receiver.url, time_scale=0)
            webhooks.publish(EVENT)
            assert webhooks.wait()

        (delivery,) = webhooks.deliveries
        assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 5, 204)
        assert {request.path for request in receiver.requests} == {"/webhooks"}
        assert len({request.body for request in receiver.requests}) == 1
        assert len({request.headers["x-ghl-signature"] for request in receiver.requests}) == 1

    def test_an_event_without_a_receiver_fails_after_the_vendors_number_of_retries(self) -> None:
        webhooks = Webhooks(f"http://127.0.0.1:{free_port()}/", time_scale=0)
        webhooks.publish(EVENT)
        assert webhooks.wait()

        (delivery,) = webhooks.deliveries
        assert (delivery.state, delivery.attempts, delivery.status) == ("failed", 13, None)

    def test_the_delays_grow_exponentially_with_a_random_part(self) -> None:
        webhooks = Webhooks("http://127.0.0.1:9/", time_scale=0.5)
        delays = [webhooks._delay(attempts) for attempts in range(1, MAXIMUM_RETRIES + 1)]

        for number, delay in enumerate(delays):
            assert 0.25 * 2**number <= delay <= 0.5 * 2**number
        same_seed = Webhooks("http://127.0.0.1:9/", time_scale=0.5)
        assert [same_seed._delay(attempts) for attempts in range(1, 13)] == delays
        assert Webhooks("http://127.0.0.1:9/", time_scale=0.5, seed=1)._delay(1) != delays[0]

    def test_an_event_that_waits_for_its_retry_does_not_delay_another(self) -> None:
        with receiving(500, 200) as receiver:
            # The retry of the first event would come after an hour.
            webhooks = Webhooks(receiver.url, time_scale=3600)
            webhooks.publish(EVENT)
            wait_for(lambda: len(receiver.requests) == 1)
            webhooks.publish(EVENT)
            wait_for(lambda: webhooks.deliveries[1].state == "delivered")

            assert states_of(webhooks) == ["waiting", "delivered"]
            webhooks.close()
        assert states_of(webhooks) == ["dropped", "delivered"]


def states_of(webhooks: Webhooks) -> list[str]:
    return [delivery.state for delivery in webhooks.deliveries]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


class TestClock:
    def test_an_event_is_valid_after_the_clock_was_advanced(self) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks)
            emulator.advance_clock(86_400)
            update(emulator, unread_count=7)
            assert webhooks.wait()

        (request,) = receiver.requests
        assert verify(request.body, request.headers, public_key=webhooks.public_key)


class TestReports:
    def test_the_first_failure_and_the_last_one_are_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with receiving(500, 404, 503) as receiver:
            url = receiver.url.replace("http://", "http://user:pass-word@") + "?key=secret-1"
            webhooks = Webhooks(url, retries=2, time_scale=0)
            webhooks.publish(EVENT)
            assert webhooks.wait()

        messages = [record.getMessage() for record in caplog.records]
        assert len(messages) == 2
        assert "the status was 500. It is sent again up to 2 times" in messages[0]
        assert "the status was 503. It is not sent again, after 3 attempts" in messages[1]
        assert receiver.url in messages[0]
        assert "pass-word" not in caplog.text
        assert "secret-1" not in caplog.text

    def test_a_success_is_not_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            webhooks.publish(EVENT)
            assert webhooks.wait()

        assert caplog.records == []

    def test_the_control_lists_the_deliveries_and_the_key(self) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url + "?key=secret-1", retries=0)
            emulator = emulator_with(webhooks)
            update(emulator, unread_count=7)
            assert webhooks.wait()
        update(emulator, unread_count=8)
        assert webhooks.wait()
        with Server(emulator) as server:
            content = httpx.get(f"{server.url}/_emulator/webhooks", trust_env=False).json()

        assert content["url"] == receiver.url
        assert content["public_key"] == webhooks.public_key
        states = [(delivery["state"], delivery["status"]) for delivery in content["deliveries"]]
        assert states == [("delivered", 200), ("failed", None)]
        assert [delivery["attempts"] for delivery in content["deliveries"]] == [1, 1]

    def test_a_reset_does_not_wait_for_a_slow_receiver(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(thread: threading.Thread, timeout: float | None = None) -> None:
            raise AssertionError("the reset waits")

        with receiving(is_open=False) as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks)
            update(emulator, unread_count=7)
            assert receiver.has_request.wait(30)
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "join", refuse)
                emulator.reset()
            assert webhooks.deliveries == []
            update(emulator, unread_count=8)
            receiver.is_open.set()
            assert webhooks.wait()

        assert states_of(webhooks) == ["delivered"]
        assert len(receiver.requests) == 2


class TestThread:
    def test_a_receiver_that_does_not_respond_delays_no_request(self) -> None:
        with receiving(is_open=False) as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks)
            update(emulator, unread_count=1000)
            assert receiver.has_request.wait(30)
            # The receiver has the first event, and has not responded.
            for count in range(20):
                update(emulator, unread_count=count)
            assert {delivery.state for delivery in webhooks.deliveries} == {"waiting"}
            receiver.is_open.set()

            assert len(events_of(receiver, webhooks)) == 21

    def test_the_thread_ends_when_no_event_waits_and_starts_again(self) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            for _ in range(3):
                webhooks.publish(EVENT)
                assert webhooks.wait()
                wait_for(lambda: not webhook_threads())

        assert len(receiver.requests) == 3

    def test_close_drops_what_waits_and_a_later_event_is_sent(self) -> None:
        with receiving(500) as receiver:
            webhooks = Webhooks(receiver.url, time_scale=3600)
            webhooks.publish(EVENT)
            wait_for(lambda: webhooks.deliveries[0].attempts == 1)
            webhooks.close()
            assert webhook_threads() == []
            webhooks.publish(EVENT)
            assert webhooks.wait()

        assert states_of(webhooks) == ["dropped", "delivered"]
        webhooks.reset()
        assert webhooks.deliveries == []

    def test_wait_says_that_an_event_is_still_waiting(self) -> None:
        with receiving(500) as receiver:
            webhooks = Webhooks(receiver.url, time_scale=3600)
            webhooks.publish(EVENT)
            wait_for(lambda: len(receiver.requests) == 1)

            assert not webhooks.wait(0.01)
            webhooks.close()

    @pytest.mark.parametrize("stop", ["server", "reset", "application"])
    def test_the_server_and_reset_and_the_application_stop_the_thread(self, stop: str) -> None:
        with receiving(500) as receiver:
            webhooks = Webhooks(receiver.url, time_scale=3600)
            emulator = emulator_with(webhooks)
            update(emulator, unread_count=50)
            wait_for(lambda: webhooks.deliveries[-1].attempts == 1)
            if stop == "server":
                with Server(emulator):
                    pass
            elif stop == "reset":
                emulator.reset()
            else:
                asyncio.run(run_lifespan(emulator))

            assert webhook_threads() == []

    def test_the_deliveries_that_are_remembered_have_a_bound(self) -> None:
        webhooks = Webhooks(f"http://127.0.0.1:{free_port()}/", time_scale=3600)
        for number in range(MAXIMUM_DELIVERIES + 10):
            webhooks.publish(Event("A", str(number), {"type": "A"}))

        assert len(webhooks.deliveries) == MAXIMUM_DELIVERIES
        assert webhooks.deliveries[0].event_id == "10"
        assert emulator_with(webhooks).dropped == Dropped(events=10)
        webhooks.reset()
        assert webhooks.dropped == 0

    def test_without_a_free_thread_the_update_succeeds_and_the_next_event_sends_both(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)
            emulator = emulator_with(webhooks)
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", no_free_thread)
                update(emulator, unread_count=50)
                assert not webhooks.wait(0)
            update(emulator, unread_count=51)

            assert len(events_of(receiver, webhooks)) == 2

    def test_events_of_many_threads_are_all_sent_once(self) -> None:
        with receiving() as receiver:
            webhooks = Webhooks(receiver.url)

            def publish_ten() -> None:
                for _ in range(10):
                    webhooks.publish(EVENT)

            threads = [threading.Thread(target=publish_ten, daemon=True) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert webhooks.wait()

        assert len(receiver.requests) == 80


def no_free_thread(self: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


async def run_lifespan(emulator: Emulator) -> None:
    """Start and stop the emulator as an ASGI server does."""
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        assert message["type"].endswith(".complete")

    await EmulatorApp(emulator)({"type": "lifespan"}, receive, send)


def webhook_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.endswith("-webhooks")]


def pem(key: Any, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


class TestOptions:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:3000/webhooks",
            "http://localhost/",
            "https://[::1]:8443/a?b=c",
            "http://127.8.9.1/",
        ],
    )
    def test_a_url_of_this_machine_is_accepted(self, url: str) -> None:
        assert Webhooks(url).url == url

    @pytest.mark.parametrize(
        "url",
        [
            "http://192.168.0.1/",
            "http://example.test/",
            "http://localhost.example.test/",
            "http://127.0.0.1.example.test/",
            "http://127.0.0.1@example.test/",
            "http://0.0.0.0/",
        ],
    )
    def test_another_machine_must_be_allowed(self, url: str) -> None:
        with pytest.raises(ValueError, match="--webhook-remote"):
            Webhooks(url)
        assert Webhooks(url, allow_remote=True).url == url

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "localhost",
            "ftp://localhost/",
            "http:///x",
            "http://a:b/",
            "http://127.0.0.1:99999/x",
            "http://127.0.0.1:0/x",
            "http://127.0.0.1:-1/x",
        ],
    )
    def test_what_is_no_address_is_rejected(self, url: str) -> None:
        with pytest.raises(ValueError, match="is not an address such as"):
            Webhooks(url, allow_remote=True)

    @pytest.mark.parametrize("option", ["retries", "time_scale"])
    @pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
    def test_a_negative_or_infinite_number_is_rejected(self, option: str, value: float) -> None:
        options: dict[str, Any] = {option: value}
        with pytest.raises(ValueError, match=option):
            Webhooks("http://127.0.0.1:9/", **options)

    @pytest.mark.parametrize("retries", [1.5, True, "1", None])
    def test_a_number_of_retries_is_a_whole_number(self, retries: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="retries"):
            Webhooks("http://127.0.0.1:9/", retries=retries)

    def test_a_key_can_be_the_same_in_each_run(self) -> None:
        key = Ed25519PrivateKey.generate()
        both = [
            Webhooks("http://127.0.0.1:9/", private_key=encoded_key).public_key
            for encoded_key in (pem(key), pem(key).decode())
        ]

        assert both[0] == both[1]
        assert Webhooks("http://127.0.0.1:9/").public_key != both[0]

    @pytest.mark.parametrize(
        "private_key",
        [
            b"",
            "nonsense",
            pem(rsa.generate_private_key(65537, 2048)),
            pem(Ed25519PrivateKey.generate(), b"password"),
        ],
        ids=["empty", "text", "rsa", "password"],
    )
    def test_what_is_no_key_is_rejected(self, private_key: Any) -> None:
        with pytest.raises(ValueError, match="no Ed25519 private key in PEM") as caught:
            Webhooks("http://127.0.0.1:9/", private_key=private_key)

        assert "PRIVATE" not in str(caught.value)

    def test_the_repr_shows_no_private_key(self) -> None:
        webhooks = Webhooks("http://127.0.0.1:9/")

        assert repr(webhooks._key) == f"SigningKey(public_key={webhooks.public_key!r})"

    def test_without_cryptography_the_error_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in [module for module in sys.modules if module.startswith("cryptography")]:
            monkeypatch.setitem(sys.modules, module, None)

        with pytest.raises(MissingRequirementError, match=r"pip install 'cryptography>=42\.0'"):
            Webhooks("http://127.0.0.1:9/")

    def test_the_requirement_is_the_one_of_the_extra(self) -> None:
        path = ROOT / "tools" / "leadconnector_emulator" / "pyproject.toml"
        content = tomllib.loads(path.read_text(encoding="utf-8"))

        assert content["project"]["optional-dependencies"]["webhooks"] == [REQUIREMENT]


class TestCommandLine:
    def test_the_program_sends_events_that_its_printed_key_verifies(self, tmp_path: Path) -> None:
        key_file = tmp_path / "key.pem"
        key_file.write_bytes(pem(Ed25519PrivateKey.generate()))
        with receiving() as receiver:
            options = ["--port", "0", "--webhook-url", receiver.url, "--webhook-key", str(key_file)]
            with program(*options) as (process, lines):
                url = next(line for line in lines if "The API is at" in line).split()[4]
                (key_line,) = [line for line in lines if "public_key = " in line]
                public_key = key_line.split('"')[1]
                with LeadConnector(token="emulator", base_url=url) as client:
                    example = Emulator().example
                    client.conversations.update_conversation(
                        example["id"], location_id=example["locationId"], starred=False
                    )
                assert receiver.has_request.wait(30)
                process.send_signal(signal.SIGINT)
                assert process.wait(30) == 0

        (request,) = receiver.requests
        assert public_key == Webhooks(receiver.url, private_key=key_file.read_bytes()).public_key
        assert verify(request.body, request.headers, public_key=public_key)

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            (["--webhook-url", "http://192.168.0.1/"], "allow it with --webhook-remote"),
            (["--webhook-url", "nonsense"], "is not an address such as"),
            (["--webhook-remote"], "need --webhook-url"),
            (["--webhook-key", "key.pem"], "need --webhook-url"),
            (
                ["--webhook-url", "http://localhost/", "--webhook-key", "no-such.pem"],
                "No such file",
            ),
        ],
    )
    def test_a_wrong_option_is_one_line(self, options: list[str], problem: str) -> None:
        with program(*options) as (process, lines):
            assert process.wait(30) == 2

        assert problem in lines[-1]
        assert len(lines) == 1


@contextmanager
def program(*options: str) -> Generator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the emulator, and read its first lines: until it serves, or has ended."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    command = [sys.executable, "-m", "leadconnector_emulator", *options]
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("    -d "):
                break
        try:
            yield process, lines
        finally:
            process.kill()
