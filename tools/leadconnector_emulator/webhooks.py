"""Sends events to a URL in a thread of its own, and again until they are received."""

from __future__ import annotations

import heapq
import json
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from .accepting import LOGGER
from .arguments import check_number
from .hosts import LOOPBACK_HOSTS
from .webhook_events import Event
from .webhook_key import SigningKey

if TYPE_CHECKING:
    import httpx

SIGNATURE_HEADER = "X-GHL-Signature"

MAXIMUM_RETRIES = 12
"""The vendor's "Webhook Integration Guide", as of August 2026: 12 retries, without the original
attempt, after any status other than 2XX and after a request without a response."""

FIRST_DELAY = 1.0
"""Seconds before the first retry; each further delay is twice as long. The guide says exponential
backoff with jitter, and no numbers."""

SEND_TIMEOUT = 10.0
"""Seconds that a receiver has for its response: our own bound. The guide names none."""

STOP_TIMEOUT = 2.0
"""Seconds that `close` waits for a request that is being sent."""

LONGEST_WAIT = 3600.0
"""Seconds after which the thread looks for a due event again, at the latest."""

MAXIMUM_DELIVERIES = 1_000
"""Deliveries that are remembered, and so also those that wait: our own bound."""

DeliveryState = Literal["waiting", "delivered", "failed", "dropped"]


@dataclass(frozen=True)
class WebhookDelivery:
    """One event and how far its delivery is."""

    event_type: str
    event_id: str
    body: bytes = field(repr=False)
    """The body that is sent, byte for byte the same in each attempt."""
    state: DeliveryState = "waiting"
    """`waiting` for its next attempt, `delivered`, `failed` after all retries, or `dropped` by
    `close`."""
    attempts: int = 0
    """How many requests were sent."""
    status: int | None = None
    """The status of the latest response; `None` if there was none."""


class Webhooks:
    """Sends signed events to a URL. Thread-safe; a request to the emulator never waits for it.

    The thread exists only while an event waits.

    Args:
        url: the URL that receives the events.
        private_key: the Ed25519 key that signs them, in PEM; by default a new one.
        allow_remote: whether the URL may be on another machine. Events contain data of
            conversations, so by default it must be on this one.
        retries: how many times an event is sent again.
        time_scale: a factor for the delays before retries; 0 for none.
        seed: for the random part of the delays.

    Raises:
        ImportError: cryptography is not installed.
        ValueError: the URL is not one of HTTP, or is on another machine; the key cannot be read; a
            number is negative or infinite.
    """

    def __init__(
        self,
        url: str,
        *,
        private_key: str | bytes | None = None,
        allow_remote: bool = False,
        retries: int = MAXIMUM_RETRIES,
        time_scale: float = 1.0,
        seed: int = 0,
    ) -> None:
        _check_url(url, allow_remote=allow_remote)
        check_number("retries", retries, is_whole=True)
        check_number("time_scale", time_scale)
        self.url = url
        self._key = SigningKey(private_key)
        self._retries = int(retries)
        self._time_scale = time_scale
        self._random = random.Random(seed)  # noqa: S311  # spreads retries
        self._now: Callable[[], float] = time.monotonic
        # All of the following is read and written under this lock.
        self._condition = threading.Condition()
        self._deliveries: OrderedDict[int, WebhookDelivery] = OrderedDict()
        self._count = 0
        self._dropped = 0
        # The time of the next attempt, and the number of the delivery.
        self._schedule: list[tuple[float, int]] = []
        self._thread: threading.Thread | None = None
        # Whether the thread starts or sends, so that its end may take long.
        self._is_busy = False

    @property
    def visible_url(self) -> str:
        """The URL without user name, password and query, which may be credentials."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"

    @property
    def public_key(self) -> str:
        """The key with which a receiver verifies the events, as base64."""
        return self._key.public_key

    @property
    def deliveries(self) -> list[WebhookDelivery]:
        """The latest events, oldest first."""
        with self._condition:
            return list(self._deliveries.values())

    @property
    def dropped(self) -> int:
        """How many events `deliveries` no longer contains. One that was waiting is not sent."""
        with self._condition:
            return self._dropped

    def publish(self, event: Event) -> None:
        """Send an event as soon as possible. Returns at once."""
        # As JavaScript's `JSON.stringify`, which the vendor's examples sign: without blanks.
        text = json.dumps(event.content, ensure_ascii=False, separators=(",", ":"))
        # UTF-8 cannot encode half of a surrogate pair, so it stays an escape.
        body = text.encode(errors="backslashreplace")
        with self._condition:
            self._count += 1
            self._deliveries[self._count] = WebhookDelivery(event.type, event.id, body)
            if len(self._deliveries) > MAXIMUM_DELIVERIES:
                self._deliveries.popitem(last=False)
                self._dropped += 1
            heapq.heappush(self._schedule, (self._now(), self._count))
            if self._thread is None:
                self._start()
            self._condition.notify_all()

    def wait(self, timeout: float = 30.0) -> bool:
        """Wait until no event is waiting.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether no event is waiting.
        """
        with self._condition:
            return self._condition.wait_for(self._is_idle, timeout)

    def close(self) -> None:
        """Drop the events that wait, and stop the thread. A later event starts another."""
        with self._condition:
            self._schedule.clear()
            for number, delivery in self._deliveries.items():
                if delivery.state == "waiting":
                    self._deliveries[number] = replace(delivery, state="dropped")
            thread = self._thread
            self._condition.notify_all()
        # The thread itself never calls this.
        if thread is not None:
            thread.join(STOP_TIMEOUT)

    def reset(self) -> None:
        """Drop the events that wait, and forget all deliveries.

        This does not wait for a slow receiver: an event that is being sent may still arrive.
        """
        with self._condition:
            self._schedule.clear()
            self._deliveries.clear()
            self._dropped = 0
            thread = None if self._is_busy else self._thread
            self._condition.notify_all()
        # A thread that waits finds nothing to send, and ends at once.
        if thread is not None:
            thread.join(STOP_TIMEOUT)

    # The thread

    def _start(self) -> None:
        thread = threading.Thread(
            target=self._run, name="leadconnector-emulator-webhooks", daemon=True
        )
        # Where the process can have no further thread, the next event tries again.
        with suppress(RuntimeError):
            thread.start()
            self._thread = thread
            self._is_busy = True

    def _run(self) -> None:
        """Send each event when it is due, until none waits."""
        # Few emulators send events, and the import takes a tenth of a second.
        import httpx  # noqa: PLC0415

        # A connection that the receiver has closed in the meantime would cost an attempt.
        limits = httpx.Limits(max_keepalive_connections=0)
        try:
            with httpx.Client(timeout=SEND_TIMEOUT, trust_env=False, limits=limits) as client:
                while (number := self._next_number()) is not None:
                    self._attempt(client, number)
        except BaseException:
            # The next event starts another thread.
            self._end()
            raise

    def _next_number(self) -> int | None:
        """Wait for the next delivery; `None` if there is none, which ends the thread."""
        with self._condition:
            self._is_busy = False
            while self._schedule:
                due_at, number = self._schedule[0]
                seconds = due_at - self._now()
                if seconds <= 0:
                    heapq.heappop(self._schedule)
                    self._is_busy = True
                    return number
                # A longer wait than `threading.TIMEOUT_MAX` is an error.
                self._condition.wait(min(seconds, LONGEST_WAIT))
            # Under the same lock: an event that is published next finds no thread.
            self._end()
            return None

    def _end(self) -> None:
        with self._condition:
            self._thread = None
            self._is_busy = False
            self._condition.notify_all()

    def _is_idle(self) -> bool:
        return self._thread is None and not self._schedule

    def _attempt(self, client: httpx.Client, number: int) -> None:
        """Send a delivery once."""
        with self._condition:
            delivery = self._deliveries.get(number)
        # It may have been forgotten, because there were too many.
        if delivery is not None:
            self._record(number, delivery, self._send(client, delivery))

    def _send(self, client: httpx.Client, delivery: WebhookDelivery) -> int | None:
        """Send a delivery. Returns the status of the response, or `None` if there was none."""
        import httpx  # noqa: PLC0415

        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: self._key.signature(delivery.body),
        }
        try:
            # The body of the response has no meaning, so it is not read.
            with client.stream(
                "POST", self.url, content=delivery.body, headers=headers
            ) as response:
                return response.status_code
        except (httpx.HTTPError, OSError):
            return None

    def _record(self, number: int, delivery: WebhookDelivery, status: int | None) -> None:
        """Store the result of an attempt, and schedule a retry if it failed."""
        attempts = delivery.attempts + 1
        state: DeliveryState = "waiting"
        if status is not None and 200 <= status < 300:
            state = "delivered"
        elif attempts > self._retries:
            state = "failed"
        with self._condition:
            current_delivery = self._deliveries.get(number)
            if current_delivery is None:
                return
            if current_delivery.state == "dropped" and state == "waiting":
                # `close` ended it during the attempt.
                state = "dropped"
            self._deliveries[number] = replace(
                delivery, state=state, attempts=attempts, status=status
            )
            self._log_failure(delivery, state, attempts, status)
            if state == "waiting":
                due_at = self._now() + self._delay(attempts)
                heapq.heappush(self._schedule, (due_at, number))

    def _log_failure(
        self, delivery: WebhookDelivery, state: DeliveryState, attempts: int, status: int | None
    ) -> None:
        """Log the first failure of an event, and its last one. It contains no data."""
        reason = "there was no response" if status is None else f"the status was {status}"
        event = f"The event {delivery.event_type} {delivery.event_id}"
        if state == "failed":
            LOGGER.warning(
                "%s was not delivered to %s: %s. It is not sent again, after %d attempts.",
                event,
                self.visible_url,
                reason,
                attempts,
            )
        elif state == "waiting" and attempts == 1:
            LOGGER.warning(
                "%s was not delivered to %s: %s. It is sent again up to %d times. Check that the"
                " receiver runs, and responds with 2XX.",
                event,
                self.visible_url,
                reason,
                self._retries,
            )

    def _delay(self, attempts: int) -> float:
        """Seconds until the next attempt: exponential, with a random part of the same size."""
        longest_delay = FIRST_DELAY * 2.0 ** (attempts - 1)
        return self._time_scale * self._random.uniform(longest_delay / 2, longest_delay)


def _check_url(url: str, *, allow_remote: bool) -> None:
    """Check where events are sent.

    Raises:
        ValueError: it is no URL of HTTP, or is on another machine.
    """
    import httpx  # noqa: PLC0415

    try:
        parsed_url = httpx.URL(url)
        # A port beyond 65535 is an error of `urlsplit` only.
        is_reachable = urlsplit(url).port != 0
    except (httpx.InvalidURL, TypeError, ValueError):
        parsed_url = httpx.URL()
        is_reachable = False
    if not is_reachable or parsed_url.scheme not in {"http", "https"} or not parsed_url.host:
        raise ValueError(
            f"the webhook URL {url!r} is not an address such as http://127.0.0.1:3000/webhooks"
        )
    if not allow_remote and not _is_local(parsed_url.host):
        raise ValueError(
            f"the webhook URL {url!r} is not on this machine, and events contain data of"
            " conversations: allow it with --webhook-remote, or Webhooks(allow_remote=True)"
        )


def _is_local(host: str) -> bool:
    if host in LOOPBACK_HOSTS:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
