"""Only an event that the API signed, and that is new, is returned. It is typed where it can be."""

from __future__ import annotations

import asyncio
import email.message
import json
import logging
import math
import random
import sys
import tomllib
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from leadconnector import (
    UNSET,
    ArgumentError,
    ConfigurationError,
    LeadConnectorError,
    WebhookBodyError,
    WebhookDuplicateError,
    WebhookError,
    WebhookSignatureError,
    WebhookTimestampError,
    models,
    webhooks,
)
from leadconnector.models import ConversationUnreadUpdate
from leadconnector.webhooks import WebhookEvent, verify
from leadconnector.webhooks import event as event_module
from leadconnector.webhooks.event import LoggedFindings
from leadconnector.webhooks.keys import REQUIREMENT

from tests.support.paths import ROOT
from tests.support.reports import Sentry, texts_of
from tests.support.webhooks import (
    BODY,
    CREATED_AT,
    EVENT,
    OTHER_PRIVATE_KEY,
    PRIVATE_KEY,
    PUBLIC_KEY,
    clock,
    encoded,
    signature,
    signed,
)

verify_test_event = partial(verify, public_key=PUBLIC_KEY, clock=clock)


def received(event: object, **options: Any) -> object:
    """What `verify` returns for a signed event."""
    body = encoded(event)
    return verify_test_event(body, signed(body), **options)


class TestEvents:
    def test_a_described_event_is_a_model_with_all_its_fields(self) -> None:
        event = verify_test_event(BODY, signed(BODY))

        assert isinstance(event, ConversationUnreadUpdate)
        assert event.to_dict() == EVENT
        assert event.webhook_id == "abc123xyz"
        assert event.unread_count == 0
        assert event.starred is True
        assert event.additional_properties == {}

    def test_an_event_of_another_type_is_open_and_has_its_data(self) -> None:
        data = {"type": "ContactCreate", "timestamp": EVENT["timestamp"], "email": "a@b.test"}

        event = received(data)

        assert isinstance(event, WebhookEvent)
        assert event.type == "ContactCreate"
        assert event.timestamp == EVENT["timestamp"]
        assert event.webhook_id is None
        assert event.data == data

    def test_the_repr_of_an_open_event_shows_no_data(self) -> None:
        event = received({**EVENT, "type": "ContactCreate", "email": "a@b.test"})

        assert repr(event) == "WebhookEvent(type='ContactCreate')"

    def test_fields_below_data_are_read_as_those_beside_the_type(self) -> None:
        envelope = {name: EVENT[name] for name in ("type", "timestamp", "webhookId")}
        fields = {name: value for name, value in EVENT.items() if name not in envelope}

        assert received({**envelope, "data": fields}) == received(EVENT)

    def test_missing_fields_are_unset_and_new_ones_are_kept_and_logged_once(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_module, "logged_findings", LoggedFindings())
        data = {**EVENT, "appId": "secret-value"}
        del data["starred"]
        event = received(data)
        assert received(data) == event

        assert isinstance(event, ConversationUnreadUpdate)
        assert event.starred is UNSET
        assert event.additional_properties == {"appId": "secret-value"}
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert "ConversationUnreadUpdate: undocumented-field: $.appId" in record.getMessage()
        assert "secret-value" not in f"{record.getMessage()} {vars(record)}"
        fields = {name: vars(record)[name] for name in ("event", "operation", "kind", "rule")}
        assert fields == {
            "event": "drift",
            "operation": "ConversationUnreadUpdate",
            "kind": "undocumented-field",
            "rule": "response-optional-property-added",
        }
        assert (vars(record)["path"], vars(record)["value"]) == ("$.appId", "")

    def test_a_scalar_of_another_type_is_passed_through_as_received(self) -> None:
        event = received({**EVENT, "unreadCount": "3"})

        assert isinstance(event, ConversationUnreadUpdate)
        assert event.to_dict()["unreadCount"] == "3"

    def test_a_full_log_of_findings_logs_no_more(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_module, "logged_findings", LoggedFindings())
        monkeypatch.setattr(event_module, "MAXIMUM_LOGGED_FINDINGS", 2)
        for number in range(4):
            received({**EVENT, f"new{number}": 1})

        assert len(caplog.records) == 2

    @pytest.mark.parametrize("error_class", [KeyError, RecursionError])
    def test_an_event_that_the_generated_code_cannot_read_is_open_and_logged(
        self,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        error_class: type[Exception],
    ) -> None:
        def fail(data: object) -> object:
            raise error_class("secret-value")

        monkeypatch.setattr(ConversationUnreadUpdate, "from_dict", fail)
        event = received(EVENT)

        assert isinstance(event, WebhookEvent)
        assert event.data == EVENT
        (record,) = caplog.records
        assert vars(record)["event"] == "webhook_event_without_model"
        assert vars(record)["failure"] == error_class.__name__
        assert "ConversationUnreadUpdate: does not fit its model" in record.getMessage()
        assert "secret-value" not in record.getMessage()

    def test_an_event_that_is_nested_too_deeply_for_its_model_is_open_and_logged(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(data: object) -> object:
            raise RecursionError

        monkeypatch.setattr(event_module, "_flattened", fail)
        event = received(EVENT)

        assert isinstance(event, WebhookEvent)
        (record,) = caplog.records
        assert vars(record)["failure"] == "RecursionError"

    def test_the_models_of_events_are_in_both_modules(self) -> None:
        assert webhooks.ConversationUnreadUpdate is models.ConversationUnreadUpdate
        assert "ConversationUnreadUpdate" in dir(webhooks)
        with pytest.raises(AttributeError, match="NoSuchEvent"):
            _ = vars(webhooks)["__getattr__"]("NoSuchEvent")

    @settings(max_examples=50)
    @given(
        st.dictionaries(
            st.text(),
            st.none()
            | st.booleans()
            | st.integers(-(2**53), 2**53)
            | st.text()
            | st.lists(st.text()),
        )
    )
    def test_any_signed_object_with_a_type_is_an_event(self, properties: dict[str, Any]) -> None:
        for event_type in ("ContactCreate", "ConversationUnreadUpdate"):
            data = {**properties, "type": event_type}
            event = received(data, maximum_age=None)

            assert isinstance(event, WebhookEvent | ConversationUnreadUpdate)
            if isinstance(event, WebhookEvent):
                assert event.data == data


class TestSignature:
    def test_ten_thousand_mutations_of_a_valid_event_are_all_rejected(self) -> None:
        generator = random.Random(15)
        headers = signed(BODY)
        assert verify_test_event(BODY, headers)

        reasons: dict[str, int] = {}
        for _ in range(10_000):
            body, mutated_headers = mutated(generator, BODY, headers)
            with pytest.raises(WebhookSignatureError) as caught:
                verify_test_event(body, mutated_headers)
            reasons[caught.value.reason] = reasons.get(caught.value.reason, 0) + 1

        # Each kind of rejection was reached.
        assert min(reasons[reason] for reason in ("missing", "malformed", "mismatch")) > 500

    @given(st.binary(max_size=300))
    def test_a_body_that_was_not_signed_is_rejected(self, body: bytes) -> None:
        with pytest.raises(WebhookSignatureError) as caught:
            verify_test_event(body, signed(BODY))

        assert caught.value.reason == "mismatch"

    @given(st.text(max_size=100) | st.binary(min_size=64, max_size=64).map(b64encode))
    def test_no_other_value_of_the_header_is_accepted(self, value: str | bytes) -> None:
        with pytest.raises(WebhookSignatureError):
            verify_test_event(BODY, [("x-ghl-signature", value)])

    def test_a_signature_of_another_key_is_rejected(self) -> None:
        with pytest.raises(WebhookSignatureError, match="another key") as caught:
            verify_test_event(BODY, signed(BODY, OTHER_PRIVATE_KEY))

        assert caught.value.reason == "mismatch"

    def test_the_vendors_key_is_the_default(self) -> None:
        assert len(b64decode(webhooks.PUBLIC_KEY)) == 44
        with pytest.raises(WebhookSignatureError) as caught:
            verify(BODY, signed(BODY), clock=clock)

        assert caught.value.reason == "mismatch"

    @pytest.mark.parametrize(
        "value",
        [
            signature(BODY)[:-4],
            signature(BODY).rstrip("="),
            signature(BODY) + "=",
            signature(BODY) + signature(BODY),
            f"{signature(BODY)}, {signature(BODY)}",
            f" {signature(BODY)}",
            f"{signature(BODY)}\n",
            urlsafe_b64encode(b"\xff" * 64).decode(),
            b64decode(signature(BODY)).hex(),
            b64encode(b"x" * 63).decode(),
            b64encode(b"x" * 65).decode(),
            "ä" * 88,
            "\ud800" * 88,
        ],
    )
    def test_a_value_of_another_form_is_malformed(self, value: str) -> None:
        with pytest.raises(WebhookSignatureError) as caught:
            verify_test_event(BODY, {"x-ghl-signature": value})

        assert caught.value.reason == "malformed"

    def test_the_unused_bits_of_base64_must_be_zero(self) -> None:
        value = signature(BODY)
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last_index = alphabet.index(value[85])
        variant = f"{value[:85]}{alphabet[last_index ^ 1]}=="
        assert b64decode(variant) == b64decode(value)

        with pytest.raises(WebhookSignatureError, match="is not canonical base64"):
            verify_test_event(BODY, {"x-ghl-signature": variant})

    @pytest.mark.parametrize("value", ["", "N/A"])
    def test_an_empty_signature_is_none(self, value: str) -> None:
        with pytest.raises(WebhookSignatureError, match="no header x-ghl-signature") as caught:
            verify_test_event(BODY, {"x-ghl-signature": value})

        assert caught.value.reason == "missing"

    def test_the_earlier_signature_alone_is_explained(self) -> None:
        with pytest.raises(WebhookSignatureError, match="earlier signature") as caught:
            verify_test_event(BODY, {"X-WH-Signature": signature(BODY)})

        assert caught.value.reason == "missing"

    def test_the_earlier_signature_in_an_iterator_is_explained(self) -> None:
        pairs = iter([("Host", "a"), ("X-WH-Signature", signature(BODY))])
        with pytest.raises(WebhookSignatureError, match="earlier signature") as caught:
            verify_test_event(BODY, pairs)

        assert caught.value.reason == "missing"

    def test_two_different_signatures_are_rejected_although_one_is_valid(self) -> None:
        pairs = [
            ("x-ghl-signature", signature(BODY)),
            ("x-ghl-signature", signature(BODY, OTHER_PRIVATE_KEY)),
        ]
        with pytest.raises(WebhookSignatureError, match="several") as caught:
            verify_test_event(BODY, pairs)

        assert caught.value.reason == "malformed"


def mutated(
    generator: random.Random, body: bytes, headers: dict[str, str]
) -> tuple[bytes, dict[str, str]]:
    """A request that differs from a valid one in its body, its signature or a header."""
    name, value = "X-GHL-Signature", headers["X-GHL-Signature"]
    part = generator.choice(["body", "signature", "text", "name"])
    if part == "body":
        return mutated_bytes(generator, body), headers
    if part == "signature":
        changed_bytes = mutated_bytes(generator, b64decode(value))
        return body, {name: b64encode(changed_bytes).decode()}
    if part == "text":
        changed_text = mutated_bytes(generator, value.encode()).decode("latin-1")
        return body, {name: changed_text}
    # The case of the name has no meaning, so only other letters are changes.
    changed_name = mutated_bytes(generator, name.lower().encode()).decode("latin-1").lower()
    if changed_name in {name.lower(), "http_x_ghl_signature"}:
        changed_name = "x-other"
    return body, {changed_name: value}


def mutated_bytes(generator: random.Random, data: bytes) -> bytes:
    """Other bytes: with a byte changed, inserted, removed or moved, or with an end cut off."""
    changed = bytearray(data)
    position = generator.randrange(len(data))
    match generator.choice(["flip", "replace", "insert", "remove", "swap", "cut", "repeat"]):
        case "flip":
            changed[position] ^= 1 << generator.randrange(8)
        case "replace":
            changed[position] = (changed[position] + generator.randrange(1, 256)) % 256
        case "insert":
            changed.insert(position, generator.randrange(256))
        case "remove":
            del changed[position]
        case "swap":
            other_position = generator.randrange(len(data))
            changed[position], changed[other_position] = data[other_position], data[position]
        case "cut":
            del changed[position:]
        case _:
            changed += data[position:]
    if bytes(changed) == data:
        changed.append(0)
    return bytes(changed)


class TestHeaders:
    @pytest.mark.parametrize(
        "headers",
        [
            {"x-ghl-signature": signature(BODY)},
            {"X-GHL-SIGNATURE": signature(BODY)},
            {"Host": "a", "X-Ghl-Signature": signature(BODY)},
            {b"x-ghl-signature": signature(BODY).encode()},
            {"x-ghl-signature": [signature(BODY)]},
            {
                "HTTP_X_GHL_SIGNATURE": signature(BODY),
                "wsgi.input": object(),
                "wsgi.version": (1, 0),
            },
            [(b"host", b"a"), (b"x-ghl-signature", signature(BODY).encode())],
            (("x-ghl-signature", signature(BODY)),),
            iter([("x-ghl-signature", signature(BODY))]),
            [("x-ghl-signature", signature(BODY)), ("X-GHL-Signature", signature(BODY))],
            httpx.Headers({"x-ghl-signature": signature(BODY)}),
            {"x-ghl-signature": signature(BODY), "x-wh-signature": "legacy"},
        ],
        ids=lambda headers: type(headers).__name__,
    )
    def test_the_headers_of_frameworks_are_accepted(self, headers: Any) -> None:
        assert isinstance(verify_test_event(BODY, headers), ConversationUnreadUpdate)

    def test_the_headers_of_http_server_are_accepted(self) -> None:
        message = email.message.Message()
        message["X-GHL-Signature"] = signature(BODY)

        assert verify_test_event(BODY, message)

    @pytest.mark.parametrize(
        "headers", [None, "x-ghl-signature: x", b"x", 5, [5], ["abc"], object()]
    )
    def test_other_objects_are_rejected_as_an_argument(self, headers: Any) -> None:
        with pytest.raises(ArgumentError, match="headers: must be") as caught:
            verify_test_event(BODY, headers)

        assert caught.value.argument == "headers"

    @pytest.mark.parametrize("headers", [{}, [], {"x-ghl-signatur": "x"}, {"X_GHL_Signature": "x"}])
    def test_headers_without_a_signature_say_so(self, headers: Any) -> None:
        with pytest.raises(WebhookSignatureError, match="no header x-ghl-signature") as caught:
            verify_test_event(BODY, headers)

        assert caught.value.reason == "missing"


class TestBody:
    @pytest.mark.parametrize("as_type", [bytes, bytearray, memoryview])
    def test_each_type_of_bytes_is_accepted(self, as_type: Callable[[bytes], Any]) -> None:
        assert verify_test_event(as_type(BODY), signed(BODY))

    @pytest.mark.parametrize("body", [BODY.decode(), EVENT, None, 5])
    def test_a_decoded_body_is_rejected_as_an_argument(self, body: Any) -> None:
        with pytest.raises(ArgumentError, match="pass the raw body") as caught:
            verify_test_event(body, signed(BODY))

        assert caught.value.argument == "body"

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b"{}",
            b'{"type": 5}',
            b'{"type": ""}',
            b'{"type": "A", "n": NaN}',
            b'{"type": "A", "n": 1e999}',
            b'{"type": "A"}x',
            b"\xff\xfe",
            b"\xef\xbb\xbf{}",
            "{}".encode("utf-16"),
            b'{"type": "A", "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"type": "A", "n": ' + b"9" * 5_000 + b"}",
        ],
        ids=lambda body: repr(body[:30]),
    )
    def test_a_signed_body_that_is_no_event_is_rejected(self, body: bytes) -> None:
        with pytest.raises(WebhookBodyError, match="the body is signed, but"):
            verify_test_event(body, signed(body))

    def test_a_body_that_is_not_signed_is_never_parsed(self) -> None:
        with pytest.raises(WebhookSignatureError):
            verify_test_event(b"{", signed(BODY))


class TestReplayWindow:
    @pytest.mark.parametrize("age", [0, 299, 300, -59, -60])
    def test_an_event_in_the_window_is_accepted(self, age: float) -> None:
        assert received(EVENT, clock=lambda: CREATED_AT + age)

    @pytest.mark.parametrize(
        ("age", "reason"),
        [
            (300.001, "too old"),
            (86_400.0, "too old"),
            (math.inf, "too old"),
            (math.nan, "too old"),
            (-60.001, "in the future"),
            (-86_400.0, "in the future"),
        ],
    )
    def test_an_event_outside_of_the_window_is_rejected(self, age: float, reason: str) -> None:
        with pytest.raises(WebhookTimestampError) as caught:
            received(EVENT, clock=lambda: CREATED_AT + age)

        assert caught.value.reason == reason

    @pytest.mark.parametrize("maximum_age", [3600, 3600.0, timedelta(hours=1)])
    def test_the_window_is_configurable(self, maximum_age: Any) -> None:
        assert received(EVENT, maximum_age=maximum_age, clock=lambda: CREATED_AT + 3600)
        with pytest.raises(WebhookTimestampError, match=r"3601 s old, more than the 3600 s"):
            received(EVENT, maximum_age=maximum_age, clock=lambda: CREATED_AT + 3601)

    @pytest.mark.parametrize(
        "timestamp",
        [
            "2025-01-28T14:35:00Z",
            "2025-01-28T14:35:00",
            "2025-01-28T15:35:00+01:00",
            "2025-01-28 14:35:00.000000+00:00",
        ],
    )
    def test_each_form_of_iso_8601_is_read(self, timestamp: str) -> None:
        assert received({**EVENT, "timestamp": timestamp})

    @pytest.mark.parametrize(
        "timestamp",
        [None, "", 5, 1_738_074_900, True, "soon", "2025-13-01T00:00:00Z", [], "0" * 5000],
    )
    def test_an_event_without_a_readable_time_is_rejected(self, timestamp: object) -> None:
        with pytest.raises(WebhookTimestampError, match="maximum_age=None") as caught:
            received({**EVENT, "timestamp": timestamp})

        assert caught.value.reason == "missing"

    def test_without_a_window_any_age_is_accepted(self) -> None:
        event = {name: value for name, value in EVENT.items() if name != "timestamp"}

        assert received(event, maximum_age=None)
        assert received(EVENT, maximum_age=None, clock=lambda: CREATED_AT + 10**9)

    @pytest.mark.parametrize("maximum_age", [0, -1, math.inf, math.nan, "300", True, [], 10**400])
    def test_an_invalid_window_is_rejected(self, maximum_age: Any) -> None:
        with pytest.raises(ConfigurationError, match="maximum_age must be"):
            received(EVENT, maximum_age=maximum_age)


class TestDuplicates:
    def test_the_second_delivery_of_an_event_is_a_duplicate(self) -> None:
        received_ids: set[str] = set()

        def is_duplicate(event_id: str) -> bool:
            is_known = event_id in received_ids
            received_ids.add(event_id)
            return is_known

        assert received(EVENT, is_duplicate=is_duplicate)
        with pytest.raises(WebhookDuplicateError, match="received before") as caught:
            received(EVENT, is_duplicate=is_duplicate)
        assert caught.value.event_id == "abc123xyz"
        assert received({**EVENT, "webhookId": "other"}, is_duplicate=is_duplicate)

    def test_an_event_that_could_not_be_processed_is_accepted_again(self) -> None:
        """The way that the documentation shows: look up, process, record."""
        processed_ids: set[str] = set()

        def handle(*, fails: bool) -> None:
            event = received(EVENT, is_duplicate=processed_ids.__contains__)
            assert isinstance(event, ConversationUnreadUpdate)
            if fails:
                raise ZeroDivisionError
            processed_ids.add(str(event.webhook_id))

        with pytest.raises(ZeroDivisionError):
            handle(fails=True)
        handle(fails=False)
        with pytest.raises(WebhookDuplicateError):
            handle(fails=False)

    def test_the_id_of_a_rejected_event_is_not_remembered(self) -> None:
        ids: list[str] = []
        with pytest.raises(WebhookSignatureError):
            verify_test_event(BODY + b" ", signed(BODY), is_duplicate=ids.append)
        with pytest.raises(WebhookTimestampError):
            received(EVENT, clock=lambda: CREATED_AT + 1000, is_duplicate=ids.append)

        assert ids == []

    @pytest.mark.parametrize("event_id", [5, 0, -7, 1.5, 2**80])
    @pytest.mark.parametrize("event_type", ["ConversationUnreadUpdate", "ContactCreate"])
    def test_an_id_that_is_a_number_is_compared_as_text(
        self, event_type: str, event_id: float
    ) -> None:
        received_ids: list[str] = []

        def is_duplicate(event_id: str) -> bool:
            received_ids.append(event_id)
            return received_ids.count(event_id) > 1

        event = {**EVENT, "type": event_type, "webhookId": event_id}
        assert received(event, is_duplicate=is_duplicate)
        with pytest.raises(WebhookDuplicateError) as caught:
            received(event, is_duplicate=is_duplicate)
        assert caught.value.event_id == str(event_id)

    @pytest.mark.parametrize("event_id", [True, False, [], ["a"], {}, {"id": "a"}])
    def test_an_id_that_cannot_be_compared_is_rejected_only_with_the_function(
        self, event_id: object
    ) -> None:
        def is_duplicate(event_id: str) -> bool:
            raise AssertionError(event_id)

        event = {**EVENT, "webhookId": event_id}
        with pytest.raises(WebhookBodyError, match="'webhookId' is neither text nor a number"):
            received(event, is_duplicate=is_duplicate)
        assert received(event)

    @pytest.mark.parametrize("event_id", [None, ""])
    def test_an_event_without_an_id_is_never_a_duplicate(self, event_id: object) -> None:
        def is_duplicate(event_id: str) -> bool:
            raise AssertionError(event_id)

        assert received({**EVENT, "webhookId": event_id}, is_duplicate=is_duplicate)

    def test_an_async_function_is_rejected_since_its_result_is_always_true(self) -> None:
        async def is_duplicate(event_id: str) -> bool:
            raise AssertionError(event_id)

        with pytest.raises(ConfigurationError, match="must not be async"):
            received(EVENT, is_duplicate=is_duplicate)

    def test_an_exception_of_the_function_reaches_the_caller(self) -> None:
        def is_duplicate(event_id: str) -> bool:
            raise ConnectionError("no Redis")

        with pytest.raises(ConnectionError, match="no Redis"):
            received(EVENT, is_duplicate=is_duplicate)


class TestOptions:
    """A wrong option shows itself with the first request, also one without a signature."""

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"is_duplicate": "x"}, "is_duplicate must be a function, not str"),
            ({"is_duplicate": set[str]()}, "is_duplicate must be a function, not set"),
            ({"is_duplicate": asyncio.sleep}, "is_duplicate must not be async"),
            ({"clock": 5}, "clock must be a function, not int"),
            ({"clock": None}, "clock must be a function, not NoneType"),
            ({"clock": lambda: None}, "clock must return the seconds since 1970"),
            ({"clock": lambda: "5"}, "clock must return the seconds since 1970"),
            ({"clock": lambda: True}, "clock must return the seconds since 1970"),
            ({"clock": lambda: 10**400}, "clock must return the seconds since 1970"),
            ({"clock": partial(asyncio.sleep, 0)}, "as a number, not coroutine"),
            ({"clock": lambda: datetime.now(UTC)}, "as a number, not datetime"),
            ({"maximum_age": "300"}, "maximum_age must be"),
            ({"public_key": "nonsense"}, "public_key cannot be read"),
            ({"public_key": None}, "public_key must be str or bytes"),
            ({"public_key": []}, "public_key is empty"),
        ],
    )
    @pytest.mark.parametrize("headers", [{}, signed(b"another body"), signed(BODY)])
    def test_a_wrong_option_is_a_configuration_error_with_any_request(
        self, headers: dict[str, str], options: dict[str, Any], problem: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=problem):
            verify_test_event(BODY, headers, **options)


RAW_KEY = PRIVATE_KEY.public_key().public_bytes_raw()
DER_KEY = PRIVATE_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PEM_KEY = PRIVATE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
OTHER_KEY = OTHER_PRIVATE_KEY.public_key().public_bytes_raw()
RSA_KEY = rsa.generate_private_key(65537, 2048).public_key()
EC_KEY = ec.generate_private_key(ec.SECP256R1()).public_key()


def pem(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


class TestKeys:
    @pytest.mark.parametrize(
        "public_key",
        [
            RAW_KEY,
            DER_KEY,
            PEM_KEY,
            PEM_KEY.decode(),
            PEM_KEY.decode().replace("\n", "\r\n"),
            PEM_KEY.decode().replace("\n", "\\n"),
            PEM_KEY.decode().strip(),
            b64encode(RAW_KEY),
            b64encode(RAW_KEY).decode(),
            b64encode(DER_KEY).decode(),
            f" {b64encode(DER_KEY).decode()}\n",
            [RAW_KEY],
            (OTHER_KEY, PEM_KEY.decode()),
            {OTHER_KEY, RAW_KEY},
            iter([OTHER_KEY, RAW_KEY]),
        ],
        ids=lambda key: type(key).__name__,
    )
    def test_each_form_of_a_key_and_several_keys_are_accepted(self, public_key: Any) -> None:
        assert verify(BODY, signed(BODY), public_key=public_key, clock=clock)

    def test_a_key_in_der_is_recognised_if_all_its_bytes_are_ascii(self) -> None:
        ascii_key = DER_KEY[:-32] + b"k" * 32
        assert ascii_key.isascii()

        with pytest.raises(WebhookSignatureError) as caught:
            verify(BODY, signed(BODY), public_key=ascii_key, clock=clock)
        assert caught.value.reason == "mismatch"

    @pytest.mark.parametrize(
        ("public_key", "problem"),
        [
            ("", "cannot be read"),
            (b"", "cannot be read"),
            ("nonsense", "cannot be read"),
            ("!", "cannot be read"),
            ("ä", "cannot be read"),
            (b"\xff" * 31, "cannot be read"),
            (b"\x00" * 44, "cannot be read"),
            (b64encode(b"x" * 33).decode(), "cannot be read"),
            (pem(RSA_KEY), "another algorithm"),
            (pem(EC_KEY).decode(), "another algorithm"),
            (
                PRIVATE_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
                "private key",
            ),
            ([], "empty"),
            (None, "not NoneType"),
            (5, "not int"),
            ([5], "not int"),
            ([RAW_KEY, None], "not NoneType"),
        ],
    )
    def test_what_is_no_key_is_a_configuration_error(self, public_key: Any, problem: str) -> None:
        with pytest.raises(ConfigurationError, match=problem) as caught:
            verify(BODY, signed(BODY), public_key=public_key, clock=clock)

        assert "use PEM, base64" in str(caught.value) or "use the public one" in str(caught.value)


class TestSecrecy:
    def test_no_frame_of_an_error_has_a_private_key_passed_by_mistake(self) -> None:
        private_key = PRIVATE_KEY.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode()
        secret = private_key.splitlines()[1]
        for public_key in (private_key, private_key.encode(), [PUBLIC_KEY, private_key]):
            with pytest.raises(ConfigurationError, match="is a private key") as caught:
                verify(BODY, {}, public_key=public_key)

            texts = [*texts_of(caught.value), Sentry().text_of(caught.value, ("leadconnector.",))]
            assert [text for text in texts if secret in text] == []

    @pytest.mark.parametrize(
        "body",
        [BODY, BODY + b" ", b"secret-body{", b"\xffsecret-body", encoded("secret-body")],
    )
    @pytest.mark.parametrize("age", [0, 10**6])
    def test_no_error_shows_the_body_or_the_signature(self, body: bytes, age: int) -> None:
        for headers in (signed(body), signed(BODY), {"x-ghl-signature": "secret-signature"}):
            try:
                verify_test_event(body, headers, clock=lambda: CREATED_AT + age)
            except WebhookError as error:
                text = f"{error!r} {vars(error)} {error.__cause__!r} {error.__context__!r}"
                assert "secret-" not in text
                assert "abc123xyz" not in text
                assert EVENT["timestamp"] not in text
                assert signature(body) not in text


class TestRequirement:
    def test_without_cryptography_the_error_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name = "cryptography.hazmat.primitives.asymmetric"
        for module in [module for module in sys.modules if module.startswith("cryptography")]:
            monkeypatch.setitem(sys.modules, module, None)
        assert name in sys.modules

        with pytest.raises(ConfigurationError, match=r"pip install 'cryptography>=42\.0'"):
            # A key that no other test uses: a key is read once.
            verify(BODY, signed(BODY), public_key=b"k" * 32)

    def test_the_requirement_is_the_one_of_the_extra(self) -> None:
        content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

        assert content["project"]["optional-dependencies"]["webhooks"] == [REQUIREMENT]


def test_every_error_of_a_request_is_a_webhook_error() -> None:
    for error_class in (
        WebhookBodyError,
        WebhookDuplicateError,
        WebhookSignatureError,
        WebhookTimestampError,
    ):
        assert issubclass(error_class, WebhookError)
    assert issubclass(WebhookError, LeadConnectorError)
    assert not issubclass(WebhookError, ValueError)


def test_the_example_of_the_spec_is_a_valid_event() -> None:
    schema = json.loads((ROOT / "generated" / "spec.json").read_text(encoding="utf-8"))
    properties = schema["components"]["schemas"]["ConversationUnreadUpdate"]["properties"]
    example = {name: value["example"] for name, value in properties.items()}

    assert example == EVENT
