"""The validating proxy: passes requests on to the real API, and compares both with the spec."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from .accepting import LOGGER
from .body_coding import NotCheckedError, UndecodableError, decoded_body
from .control_paths import is_control_request, unavailable_response
from .emulator import Emulator
from .exchange_check import CheckResult, ExchangeCheck
from .exchange_log import MAXIMUM_LOG_BYTES
from .faults import Fault
from .finding import Finding
from .messages import Delivery, Exchange, Request, Response
from .proxy_totals import ProxyTotals
from .record import append
from .redaction import Redaction, security_schemes
from .rejection import RejectionError
from .spec import SPEC
from .upstream import DEADLINE, Upstream, UpstreamAddress
from .upstream_error import UpstreamError

MAXIMUM_FINDINGS = 10_000
"""Different findings that are remembered and reported. The senders choose names of properties, so
that their number has no other bound."""

MAXIMUM_REQUEST_BODY = 32 * 1024 * 1024
"""The largest body of a request in bytes: larger than the emulator's, since APIs take files."""

ABANDONED = (
    "the client left, or the proxy was closed, before the API responded. The request may have been"
    " executed."
)

CLOSING_TIMEOUT = 10.0
"""Seconds in which the connections to the API must close."""


class ValidatingProxy(Emulator):
    """Responds with the responses of the real API, and reports each deviation from the spec.

    It is an `Emulator`, so that `Server`, `EmulatorApp` and `EmulatorTransport` take it. It keeps
    no state of the API. Its log and files contain no credentials. Thread-safe.

    Args:
        upstream: the URL of the API. Only this host is contacted.
        spec: the path of the OpenAPI document that the API is compared with.
        deadline: the seconds that an exchange with the API may take. Then the client gets 504.
        allow_http: whether the upstream may be plain http on another machine. The credentials then
            travel unencrypted.
        ssl_context: the trusted certificates, for https.
        report: a file to which each different finding is appended, as one line of JSON.
        on_finding: is called with each finding, also with those that occurred before. It runs in
            the thread of the proxy.
        faults: rules by which it misbehaves; `set_faults` replaces them.
        seed: for the faults that have a probability.
        log_bytes: the bytes of the exchanges that the log keeps.

    Raises:
        OSError: the spec cannot be read, or the report cannot be written.
        TypeError: `on_finding` is no function.
        ValueError: the upstream or another option is invalid, or the spec is no OpenAPI document.
    """

    kind = "proxy"
    takes_time = True
    has_page_at_root = False
    maximum_body = MAXIMUM_REQUEST_BODY

    def __init__(
        self,
        upstream: str,
        spec: Path | str = SPEC,
        *,
        deadline: float = DEADLINE,
        allow_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        report: Path | str | None = None,
        on_finding: Callable[[Finding], object] | None = None,
        faults: Iterable[Fault] = (),
        seed: int = 0,
        log_bytes: int = MAXIMUM_LOG_BYTES,
    ) -> None:
        if on_finding is not None and not callable(on_finding):
            raise TypeError("on_finding must be a function, which is called with each finding")
        super().__init__(
            spec, tokens=(), conversations=(), faults=faults, seed=seed, log_bytes=log_bytes
        )
        address = UpstreamAddress(upstream, allow_http=allow_http)
        self.upstream = address.origin + address.path
        """The URL of the API."""
        self._upstream = Upstream(address, deadline=deadline, ssl_context=ssl_context)
        self._check = ExchangeCheck(self.spec)
        self._redaction = Redaction(security_schemes(self.spec.root))
        self._on_finding = on_finding
        self._findings: dict[tuple[str, ...], Finding] = {}
        self._failed_exchanges = 0
        self._unchecked_exchanges = 0
        self.totals = ProxyTotals(MAXIMUM_FINDINGS)
        """What it has seen since its start, also before the last reset."""
        self._report = _open_report(report)
        self._worker = _LoopThread()

    @property
    def findings(self) -> list[Finding]:
        """The different findings so far, at most `MAXIMUM_FINDINGS`, in their order.

        Findings that one change to the spec would settle are one finding.
        """
        with self._lock:
            return list(self._findings.values())

    @property
    def failed_exchanges(self) -> int:
        """The number of requests to which the API sent no complete response."""
        return self._failed_exchanges

    @property
    def unchecked_exchanges(self) -> int:
        """The number of exchanges of which a part could not be compared with the spec."""
        return self._unchecked_exchanges

    def reset(self) -> None:
        """Forget the findings and clear the log. The API and the report are not changed."""
        with self._lock:
            self._findings.clear()
            self._failed_exchanges = 0
            self._unchecked_exchanges = 0
            super().reset()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called. A closed proxy passes no request on."""
        return self._worker.is_closed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the exchanges that are under way, and close the connections and the report."""
        if not self._worker.close(self._upstream):
            return
        if self._report is not None:
            os.close(self._report)

    # For the interfaces

    def respond(self, request: Request) -> Response:
        """Respond with the response of the API. This waits for it, until the deadline at most."""
        return self.submit(request).result()

    def submit(self, request: Request) -> Future[Response]:
        """Send a request to the API. The future never has an exception.

        Raises:
            RuntimeError: the proxy is closed.
        """
        if is_control_request(request):
            # A mistyped path must not reach the API. An interface with control responds itself.
            future = Future[Response]()
            future.set_result(unavailable_response())
            return future
        return self._worker.submit(partial(self._exchange, request))

    # The thread of the proxy

    async def _exchange(self, request: Request) -> Response:
        if len(request.body) > self.maximum_body:
            # An interface passes on only the start of such a body.
            return self._reject_large_body(request)
        with self._lock:
            fault = self._fault_rules.pick(request)
        if fault is not None and fault.skips_api:
            # The request does not reach the API, so that there is nothing to compare.
            response = fault.apply(Response(200, b""))
            self._log(request, response, fault, CheckResult())
            return response
        try:
            response = await self._upstream.send(request)
        except UpstreamError as error:
            LOGGER.warning("%s %s", _logged_target(self._redaction.request(request)), error)
            response = error.response()
            self._count_failure()
            self._log(request, response, fault, CheckResult())
            return response
        except asyncio.CancelledError:
            self._log_abandoned(request, fault)
            raise
        result = self._compare(request, response)
        if self.recorder is not None:
            self.recorder.add(request, response)
        if fault is not None:
            response = _with_fault(fault, response)
        self._log(request, response, fault, result)
        return response

    def _compare(self, request: Request, response: Response) -> CheckResult:
        """Compare an exchange with the spec, and report the findings."""
        try:
            result = self._check.check(request, response)
        except Exception:
            # The client must get its response, whatever the spec contains.
            LOGGER.exception("An exchange was not compared with the spec")
            result = CheckResult(unchecked=("the exchange",))
        if result.unchecked:
            self._unchecked_exchanges += 1
            self.totals.add_unchecked_exchange()
            for reason in result.unchecked:
                target = _logged_target(self._redaction.request(request))
                LOGGER.warning("%s not compared with the spec: %s", target, reason)
        if not result.findings:
            return result
        cleaner = self._redaction.cleaner(request, response)
        findings = tuple(map(cleaner.finding, result.findings))
        for finding in findings:
            self._remember(finding)
            if self._on_finding is not None:
                self._call_on_finding(finding)
        return replace(result, findings=findings)

    def _reject_large_body(self, request: Request) -> Response:
        rejection = RejectionError(413, f"a body may have {self.maximum_body} bytes")
        response = self._error_response(None, rejection, {})
        self._log(request, response, None, CheckResult())
        return response

    def _remember(self, finding: Finding) -> None:
        with self._lock:
            if finding.identity in self._findings or len(self._findings) >= MAXIMUM_FINDINGS:
                return
            self._findings[finding.identity] = finding
            is_full = len(self._findings) == MAXIMUM_FINDINGS
        if not self.totals.add_finding(finding):
            # It was reported before a reset.
            return
        LOGGER.warning("%s", finding)
        if is_full:
            LOGGER.warning("No more findings are reported: there are %d.", MAXIMUM_FINDINGS)
        if self._report is not None:
            self._write(self._report, finding)

    def _write(self, descriptor: int, finding: Finding) -> None:
        try:
            append(descriptor, finding.as_json().encode() + b"\n")
        except OSError as error:
            LOGGER.error("The report cannot be written: %s", error.strerror or error)

    def _call_on_finding(self, finding: Finding) -> None:
        assert self._on_finding is not None  # noqa: S101 - checked by the caller
        try:
            self._on_finding(finding)
        except Exception:
            # The client must get its response, whatever the callback does.
            LOGGER.exception("on_finding raised an exception")

    def _count_failure(self) -> None:
        with self._lock:
            self._failed_exchanges += 1
        self.totals.add_failed_exchange()

    def _log_abandoned(self, request: Request, fault: Fault | None) -> None:
        """Count an exchange that its client has left, or that `close` ends."""
        target = _logged_target(self._redaction.request(request))
        LOGGER.warning("%s %s", target, ABANDONED)
        self._count_failure()
        # The client does not receive it.
        delivery = Delivery(drop="before")
        response = replace(UpstreamError(502, ABANDONED).response(), delivery=delivery)
        self._log(request, response, fault, CheckResult())

    def _log(
        self, request: Request, response: Response, fault: Fault | None, result: CheckResult
    ) -> None:
        clean_request, clean_response = self._redaction.exchange(request, response)
        exchange = Exchange(clean_request, clean_response, fault, result.findings)
        with self._lock:
            self._exchange_log.add(exchange)


class _LoopThread:
    """An event loop in a thread, which starts with the first exchange.

    Every interface shares it: a caller may have another loop, or none.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    def submit(self, create: Callable[[], Coroutine[Any, Any, Response]]) -> Future[Response]:
        """Run a coroutine in the loop.

        Raises:
            RuntimeError: the loop is closed.
        """
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the proxy is closed: create another one")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="leadconnector-emulator-proxy", daemon=True
                )
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(create(), self._loop)

    def close(self, upstream: Upstream) -> bool:
        """Cancel what is running, and close the connections. Whether this was the first call."""
        with self._lock:
            if self._is_closed:
                return False
            self._is_closed = True
        if self._loop is None or self._thread is None:
            return True
        closing = asyncio.run_coroutine_threadsafe(_end_exchanges(upstream), self._loop)
        closing.result(CLOSING_TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        return True


async def _end_exchanges(upstream: Upstream) -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await upstream.close()


def _open_report(path: Path | str | None) -> int | None:
    if path is None:
        return None
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _logged_target(request: Request) -> str:
    """Method and path in printable characters. A query may contain a credential."""
    return ascii(f"{request.method} {request.path}"[:200])[1:-1] + ":"


def _with_fault(fault: Fault, response: Response) -> Response:
    """The response with a fault. Faults of the content need a body that is not compressed."""
    encoding = {name.lower(): value for name, value in response.headers.items()}.get(
        "content-encoding", ""
    )
    try:
        body = decoded_body(response.body, encoding)
        headers = {
            name: value
            for name, value in response.headers.items()
            if name.lower() not in {"content-encoding", "content-length"}
        }
        plain_response = Response(
            response.status, body, headers, repeated_headers=response.repeated_headers
        )
        return fault.apply(plain_response)
    except (LookupError, NotCheckedError, TypeError, UndecodableError, ValueError):
        # The body has no such place. The response stays as the API sent it.
        return response
