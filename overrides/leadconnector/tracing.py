"""Records calls as OpenTelemetry spans, for clients with `tracing=OpenTelemetryTracing()`.

Nothing is global: only the clients that get such an object record spans. OpenTelemetry itself is
imported when the object is made, which needs the extra `otel`.
"""

from collections.abc import Mapping
from importlib import import_module
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from ._version import __version__
from .errors import APIStatusError, ConfigurationError

SCOPE = "leadconnector"
"""The name of the instrumentation scope. It is the same in a vendored copy."""

STATUS_FIELD = "status_code"
STATUS_ATTRIBUTE = "http.response.status_code"

DEFAULT_PORTS = {"http": 80, "https": 443}


class TracerProvider(Protocol):
    """The type of OpenTelemetry's `TracerProvider`, as far as this module uses it.

    An import would be an error of type checkers in a service that does not install OpenTelemetry.
    """

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """Return a tracer."""
        ...


class OpenTelemetryTracing:
    """Records one client span for each call of a client, with its attempts as events.

    The names are those of OpenTelemetry's semantic conventions for HTTP clients. A span has no ID,
    no token, no header and no body. So it has no `url.full`: that contains the IDs of the path.

    The span is the current one during the call. So log records, and spans of what you pass to the
    client, are connected with it.

    Args:
        tracer_provider: a `TracerProvider` of OpenTelemetry. Default: the global one.
        propagate: whether each request has the header `traceparent` (W3C Trace Context), and
            `tracestate` if there is one. They contain the IDs of your trace. They replace your own
            headers of these names. Default: `False`.

    Raises:
        ConfigurationError: an argument is invalid, or opentelemetry-api is not installed.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, *, propagate: bool = False
    ) -> None:
        self._trace = _import_opentelemetry("opentelemetry.trace")
        self._context = _import_opentelemetry("opentelemetry.context")
        provider = tracer_provider
        if provider is None:
            provider = self._trace.get_tracer_provider()
        if isinstance(provider, type) or not callable(getattr(provider, "get_tracer", None)):
            raise ConfigurationError("tracer_provider must be a TracerProvider of OpenTelemetry")
        if type(propagate) is not bool:
            raise ConfigurationError("propagate must be True or False")
        self._tracer: Any = provider.get_tracer(SCOPE, __version__)
        self._propagator: Any = None
        if propagate:
            module = _import_opentelemetry("opentelemetry.trace.propagation.tracecontext")
            self._propagator = module.TraceContextTextMapPropagator()

    def start_call(self, name: str, method: str, base_url: str) -> "CallSpan":
        """Return a context manager that records a call. The session of a client uses it.

        Args:
            name: method and path template, such as `PUT /conversations/{conversationId}`.
            method: the method of HTTP.
            base_url: where the client sends its requests.
        """
        url = urlsplit(base_url)
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": url.hostname or "",
            "server.port": url.port or DEFAULT_PORTS[url.scheme],
            "url.scheme": url.scheme,
        }
        template = name.removeprefix(method).lstrip()
        if template:
            attributes["url.template"] = template
        return CallSpan(
            self._trace, self._context, self._tracer, self._propagator, name, attributes
        )


class CallSpan:
    """The span of one call: a context manager, within which it is the current span."""

    def __init__(
        self,
        trace: Any,
        context: Any,
        tracer: Any,
        propagator: Any,
        name: str,
        attributes: Mapping[str, str | int],
    ) -> None:
        self._trace = trace
        self._context = context
        self._propagator = propagator
        self._span: Any = tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=attributes)
        self._scope: Any = None
        self._attempts = 0
        # Of the last response, unless a request without one came after it.
        self._status_code: int | None = None

    def __enter__(self) -> Self:
        self._scope = self._context.attach(self._trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status_code is not None:
            self._span.set_attribute(STATUS_ATTRIBUTE, self._status_code)
        if self._attempts > 1:
            self._span.set_attribute("http.request.resend_count", self._attempts - 1)
        if error_class is not None:
            self._record_error(self._error_type(error_class, error))
        self._span.end()
        # The garbage collector closes a coroutine in the context of any other code, which has
        # another current span. Only this context can be restored.
        if self._trace.get_current_span() is self._span:
            self._context.detach(self._scope)

    def request_headers(self) -> dict[str, str]:
        """Return the headers that connect the API's own spans with this one; usually none."""
        headers: dict[str, str] = {}
        if self._propagator is not None:
            self._propagator.inject(headers)
        return headers

    def record_attempt(self, attempts: int, status_code: int | None, failure: str) -> None:
        """Record the end of an attempt; see `CallTrace`."""
        self._attempts = attempts
        self._status_code = status_code
        fields: dict[str, str | int | float] = {"attempt": attempts}
        if status_code is not None:
            fields[STATUS_FIELD] = status_code
        if failure:
            fields["failure"] = failure
        self.record_event("attempt", fields)

    def record_event(self, event: str, fields: Mapping[str, str | int | float]) -> None:
        """Record a step of the call, with the fields that its log record has."""
        attributes = {_attribute_name(name): value for name, value in fields.items()}
        self._span.add_event(f"{SCOPE}.{event}", attributes)

    def _error_type(self, error_class: type[BaseException], error: BaseException | None) -> str:
        """Return the status of an unsuccessful response, or else the class of the exception."""
        is_status_error = isinstance(error, APIStatusError)
        if is_status_error and self._status_code is not None:
            return str(self._status_code)
        return error_class.__qualname__

    def _record_error(self, error_type: str) -> None:
        """Record an error without its text, which can quote the API's explanation."""
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))


def _attribute_name(field: str) -> str:
    if field == STATUS_FIELD:
        return STATUS_ATTRIBUTE
    return f"{SCOPE}.{field}"


def _import_opentelemetry(name: str) -> Any:
    """Import a module of opentelemetry-api, which only the extra `otel` installs.

    Raises:
        ConfigurationError: it is not installed. The message names the package, not the extra:
            services that vendor the client have no extras, and the client is on no package index.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "opentelemetry":
            raise
        raise ConfigurationError(
            "OpenTelemetryTracing needs opentelemetry-api, which is not installed: "
            "pip install 'opentelemetry-api>=1.30'"
        ) from error
