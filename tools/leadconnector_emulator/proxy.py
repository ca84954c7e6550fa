"""The validating proxy: passes requests on to the real API, and compares both with the spec."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future, wait
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
"""The largest body of a request in bytes. It is larger than the emulator's, since APIs take files,
and a quarter of what all connections of a `Server` may have together."""

MAXIMUM_TARGET_LENGTH = 200
"""Characters of a method and path in the log. A request may have a path of many kilobytes."""

ABANDONED = (
    "the client left, or the proxy was closed, before the API responded. The request may have been"
    " executed."
)

CLOSING_TIMEOUT = 10.0
"""Seconds in which the exchanges must end and the connections to the API must close."""


class ValidatingProxy(Emulator):
    """Responds with the responses of the real API, and reports each deviation from the spec.

    It is an `Emulator`, so that `Server`, `EmulatorApp` and `EmulatorTransport` take it. It keeps
    no state of the API. Its log and files contain no credentials. Thread-safe. A `Server` closes it
    at the end of its `with` block.

    All exchanges share one thread with an event loop. Comparing with the spec runs there.

    Args:
        upstream: the URL of the API. Only this host is contacted.
        spec: the path of the OpenAPI document that the API is compared with.
        deadline: the seconds that an exchange with the API may take. Then the client gets 504.
        allow_http: whether the upstream may be plain http on another machine. The credentials then
            travel unencrypted.
        ssl_context: the trusted certificates, for https.
        report: a file to which each different finding is appended, as one line of JSON.
        on_finding: is called with each finding, also with those that occurred before. It runs in
            the thread of the proxy, where every other exchange waits for it: it must be fast. It
            must not call `respond` or `close` of the proxy, which raise `RuntimeError` there.
        faults: rules by which it misbehaves; `set_faults` replaces them.
        seed: for the faults that have a probability.
        log_bytes: the bytes of the exchanges that the log keeps.

    Raises:
        OSError: the spec cannot be read, or the report cannot be written.
        TypeError: `on_finding` is no function.
        ValueError: the upstream or another option is invalid, or the spec is no OpenAPI document.
    """

    kind = "proxy"
    # `respond` waits for the API, so that the interfaces must use `submit`.
    takes_time = True
    # The paths outside of `/_emulator/` are those of the API.
    has_page_at_root = False
    maximum_body = MAXIMUM_REQUEST_BODY
    stateless_reason = (
        "a proxy has no resources, tokens, settings and clock: those are of the API that it passes"
        " requests on to. Change them there, or start the emulator without --upstream"
    )

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
        self._report = _Report(report) if report is not None else None
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
        """The number of requests to which the API sent no complete response.

        It includes those with which the proxy itself failed.
        """
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
        """End the exchanges that are under way, and close the connections and the report.

        A second call does nothing.

        Raises:
            RuntimeError: `on_finding` calls this, which would wait for itself. Nothing is closed.
            TimeoutError: an exchange, for example one in `on_finding`, does not end within
                `CLOSING_TIMEOUT`. The report is closed all the same.
        """
        self._worker.check_caller("close")
        try:
            self._worker.close(self._upstream.close)
        finally:
            if self._report is not None:
                self._report.close()

    # For the interfaces

    def respond(self, request: Request) -> Response:
        """Respond with the response of the API. This waits for it, until the deadline at most.

        Raises:
            RuntimeError: the proxy is closed, or `on_finding` calls this, which would wait for
                itself.
            concurrent.futures.CancelledError: the proxy is closed in the meantime.
        """
        self._worker.check_caller("respond")
        return self.submit(request).result()

    def submit(self, request: Request) -> Future[Response]:
        """Send a request to the API.

        The future has a response, also if the API or the proxy fails. `close` cancels it.

        Raises:
            RuntimeError: the proxy is closed.
        """
        return self._worker.submit(partial(self._exchange, request))

    # The thread of the proxy

    async def _exchange(self, request: Request) -> Response:
        try:
            return await self._pass_on(request)
        except Exception as error:
            # The client must get a response, whatever the messages, the spec and the faults
            # contain.
            LOGGER.error("The proxy failed with an exchange: %s", _description(error))
            self._count_failure()
            return _failure_response()

    async def _pass_on(self, request: Request) -> Response:
        if is_control_request(request):
            # A mistyped path must not reach the API. An interface with control responds itself.
            return unavailable_response()
        if len(request.body) > self.maximum_body:
            # An interface passes on only the start of such a body.
            return self._reject_large_body(request)
        with self._lock:
            fault = self._fault_rules.pick(request)
        if fault is not None and fault.skips_api:
            # The request does not reach the API, so that there is nothing to compare.
            response = fault.apply(Response(200, b""))
            self._log(request, response, fault)
            return response
        try:
            response = await self._upstream.send(request)
        except UpstreamError as error:
            return self._fail(request, error)
        except asyncio.CancelledError:
            self._log_abandoned(request)
            raise
        return self._complete(request, response, fault)

    def _fail(self, request: Request, error: UpstreamError) -> Response:
        """Respond with the reason why there is no response of the API. No fault changes it."""
        response = error.response()
        self._log_failure(request, response, str(error))
        return response

    def _complete(self, request: Request, response: Response, fault: Fault | None) -> Response:
        """Compare a response of the API with the spec, and store the exchange.

        Everything that depends on the content comes before the first change to what is stored: an
        exchange that fails here is not half stored.
        """
        result = self._compare(request, response)
        sent_response = response
        if fault is not None:
            sent_response = _with_fault(fault, response)
            if sent_response == response:
                # The body has no such place. The log names only faults that changed a response.
                fault = None
        exchange = self._clean_exchange(request, sent_response, fault, result.findings)
        if self.recorder is not None:
            self.recorder.add(request, response)
        self._report_result(exchange.request, result)
        with self._lock:
            self._exchange_log.add(exchange)
        return sent_response

    def _compare(self, request: Request, response: Response) -> CheckResult:
        """Compare an exchange with the spec. The findings contain no credentials."""
        try:
            result = self._check.check(request, response)
        except Exception as error:
            # The client must get its response, whatever the spec contains.
            return CheckResult(unchecked=(f"the comparison failed: {_description(error)}",))
        if not result.findings:
            return result
        redaction = self._redaction.of_exchange(request, response)
        return replace(result, findings=tuple(map(redaction.finding, result.findings)))

    def _report_result(self, clean_request: Request, result: CheckResult) -> None:
        """Count and report what a comparison found."""
        if result.unchecked:
            with self._lock:
                self._unchecked_exchanges += 1
            self.totals.add_unchecked_exchange()
            target = _logged_target(clean_request)
            for reason in result.unchecked:
                LOGGER.warning("%s: not compared with the spec: %s", target, reason)
        for finding in result.findings:
            self._remember(finding)
            if self._on_finding is not None:
                _call(self._on_finding, finding)

    def _reject_large_body(self, request: Request) -> Response:
        rejection = RejectionError(413, f"a body may have {self.maximum_body} bytes")
        response = self._error_response(None, rejection, {})
        self._log(request, response, None)
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
            self._report.add(finding)

    def _count_failure(self) -> None:
        # `reset` runs in another thread.
        with self._lock:
            self._failed_exchanges += 1
        self.totals.add_failed_exchange()

    def _log_abandoned(self, request: Request) -> None:
        """Count an exchange that its client has left, or that `close` ends."""
        # The client does not receive it.
        delivery = Delivery(drop="before")
        response = replace(UpstreamError(502, ABANDONED).response(), delivery=delivery)
        self._log_failure(request, response, ABANDONED)

    def _log_failure(self, request: Request, response: Response, reason: str) -> None:
        """Log and count an exchange without a complete response of the API."""
        exchange = self._clean_exchange(request, response, None, ())
        LOGGER.warning("%s: %s", _logged_target(exchange.request), reason)
        self._count_failure()
        with self._lock:
            self._exchange_log.add(exchange)

    def _log(self, request: Request, response: Response, fault: Fault | None) -> None:
        exchange = self._clean_exchange(request, response, fault, ())
        with self._lock:
            self._exchange_log.add(exchange)

    def _clean_exchange(
        self,
        request: Request,
        response: Response,
        fault: Fault | None,
        findings: tuple[Finding, ...],
    ) -> Exchange:
        """An exchange for the log, without credentials."""
        clean_request, clean_response = self._redaction.exchange(request, response)
        return Exchange(clean_request, clean_response, fault, findings)


class _Report:
    """The file of the different findings. Thread-safe.

    Args:
        path: the file. It is created, or continued.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.Lock()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        # `None` after the end: another file may get the same number.
        self._descriptor: int | None = os.open(path, flags, 0o600)

    def add(self, finding: Finding) -> None:
        """Append a finding. A failure is logged."""
        with self._lock:
            if self._descriptor is None:
                return
            try:
                append(self._descriptor, finding.as_json().encode() + b"\n")
            except OSError as error:
                LOGGER.error("The report cannot be written: %s", error.strerror or error)

    def close(self) -> None:
        """Close the file. Later findings are not added."""
        with self._lock:
            descriptor = self._descriptor
            self._descriptor = None
        if descriptor is not None:
            os.close(descriptor)


class _LoopThread:
    """An event loop in a thread, which starts with the first coroutine.

    Every interface shares it: a caller may have another loop, or none.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def check_caller(self, name: str) -> None:
        """Reject a call within the thread that would wait for the thread itself.

        Raises:
            RuntimeError: the caller runs in the thread.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                f"on_finding must not call {name}, which would wait for itself: call it in another"
                " thread"
            )

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
                    target=_run,
                    args=[self._loop],
                    name="leadconnector-emulator-proxy",
                    daemon=True,
                )
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(create(), self._loop)

    def close(self, release: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancel the running coroutines, release what they used, and end the thread.

        A second call does nothing.

        Args:
            release: is awaited in the loop after every coroutine has ended.

        Raises:
            TimeoutError: a coroutine does not end within `CLOSING_TIMEOUT`. The thread ends as
                soon as it does.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        if self._loop is None or self._thread is None:
            return
        ending = asyncio.run_coroutine_threadsafe(_end_tasks(release), self._loop)
        ending.add_done_callback(self._stop)
        finished_futures, _ = wait([ending], CLOSING_TIMEOUT)
        if not finished_futures:
            raise TimeoutError(
                f"the proxy did not close within {CLOSING_TIMEOUT:g} seconds: an exchange does not"
                " end. Check that on_finding returns"
            )
        self._thread.join()
        ending.result()

    def _stop(self, ending: Future[None]) -> None:
        """Let the thread end, also if it could not end in time."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """The main function of the thread."""
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _end_tasks(release: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Cancel every other task of the running loop, wait until they have ended, then release."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await release()


def _call(on_finding: Callable[[Finding], object], finding: Finding) -> None:
    try:
        on_finding(finding)
    except BaseException:
        # The client must get its response, whatever the callback does. `pytest.fail` and `sys.exit`
        # raise no `Exception`; the latter would end the event loop, and every exchange with it.
        LOGGER.exception("on_finding raised an exception")


def _description(error: Exception) -> str:
    """The class of an exception and where it was raised. Its message may contain a credential."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"


def _failure_response() -> Response:
    error = UpstreamError(
        502,
        "the proxy failed with this exchange, and stored nothing of it; its log names the place."
        " The request may have been executed. Call the API directly for it.",
    )
    return error.response()


def _logged_target(clean_request: Request) -> str:
    """Method and path for a message. A query may be long, and says little."""
    target = f"{clean_request.method} {clean_request.path}"[:MAXIMUM_TARGET_LENGTH]
    return _printable(target)


def _printable(text: str) -> str:
    """A text with escapes in place of control characters and characters other than ASCII."""
    quoted_text = ascii(text)
    return quoted_text[1:-1]


def _with_fault(fault: Fault, response: Response) -> Response:
    """The response with a fault.

    The content stays as the API sent it if the fault does not concern it, or if the body has no
    such place.
    """
    delivery = fault.apply(Response(response.status, b"")).delivery
    delivered_response = replace(response, delivery=delivery)
    try:
        plain_response = _decompressed(response)
        changed_response = fault.apply(plain_response)
        has_other_data = _has_other_data(plain_response.body, changed_response.body)
    except (NotCheckedError, UndecodableError):
        # The body has an encoding that cannot be decoded, or not the one of its headers.
        return delivered_response
    except (RecursionError, ValueError):
        # The body is not JSON, or nested too deeply.
        return delivered_response
    if not has_other_data:
        return delivered_response
    return changed_response


def _has_other_data(body: bytes, changed_body: bytes) -> bool:
    """Whether a fault changed the data of a JSON body, and not only its spelling.

    Raises:
        RecursionError: the data is nested too deeply.
        ValueError: a body is not JSON.
    """
    if body == changed_body:
        return False
    return bool(json.loads(body) != json.loads(changed_body))


def _decompressed(response: Response) -> Response:
    """The response with a body that is not compressed, as a fault of the content needs it.

    Raises:
        NotCheckedError: the encoding is unknown, or the body becomes too large.
        UndecodableError: the body does not have the encoding.
    """
    encoding = response.headers_by_lower_name().get("content-encoding", "")
    body = decoded_body(response.body, encoding)
    headers = {
        name: value
        for name, value in response.headers.items()
        if name.lower() not in {"content-encoding", "content-length"}
    }
    return replace(response, body=body, headers=headers)
