"""Records calls as OpenTelemetry spans, for clients with `tracing=OpenTelemetryTracing()`.

Nothing is global: only the clients that get such an object record spans. OpenTelemetry itself is
imported when the object is made, which needs the extra `otel`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from ._runtime.optional_imports import import_optional
from ._version import __version__
from .errors import APIStatusError, ConfigurationError

REQUIREMENT = "opentelemetry-api>=1.30"
"""The requirement of the extra `otel`.

A test keeps it equal to pyproject.toml, which a vendored copy lacks.
"""

SCOPE = "leadconnector"
"""The name of the instrumentation scope. It is the same in a vendored copy."""

STATUS_FIELD = "status_code"
STATUS_ATTRIBUTE = "http.response.status_code"

DEFAULT_PORTS = {"http": 80, "https": 443}
"""By scheme. A client accepts no other scheme in its `base_url`."""


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

    During the call, its span is the current one. So a handler of the log can add its ID to records,
    and spans that your transport or your token function starts are its children.

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
        trace = _import_opentelemetry("trace")
        provider = tracer_provider
        if provider is None:
            provider = trace.get_tracer_provider()
        # The class of a provider has the method too, but it needs an object.
        if isinstance(provider, type) or not callable(getattr(provider, "get_tracer", None)):
            raise ConfigurationError("tracer_provider must be a TracerProvider of OpenTelemetry")
        if type(propagate) is not bool:
            raise ConfigurationError("propagate must be True or False")
        propagator: Any = None
        if propagate:
            tracecontext = _import_opentelemetry("trace.propagation.tracecontext")
            propagator = tracecontext.TraceContextTextMapPropagator()
        self._opentelemetry = OpenTelemetry(
            trace=trace,
            context=_import_opentelemetry("context"),
            tracer=provider.get_tracer(SCOPE, __version__),
            propagator=propagator,
        )

    def start_call(self, method: str, path_template: str | None, base_url: str) -> "CallSpan":
        """Return a context manager that records a call. The session of a client uses it.

        Args:
            method: the method of HTTP.
            path_template: the path with the names of its parameters, such as
                `/conversations/{conversationId}`. `None`: the spec has no such operation. The path
                itself is not recorded, since it contains IDs.
            base_url: where the client sends its requests.
        """
        url = urlsplit(base_url)
        name = method
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": url.hostname or "",
            "server.port": url.port or DEFAULT_PORTS[url.scheme],
            "url.scheme": url.scheme,
        }
        if path_template is not None:
            name = f"{method} {path_template}"
            attributes["url.template"] = path_template
        return CallSpan(self._opentelemetry, name, attributes)


@dataclass(frozen=True, slots=True)
class OpenTelemetry:
    """The modules and objects of OpenTelemetry with which spans are recorded.

    They are `Any` for the reason that `TracerProvider` states.
    """

    trace: Any
    """The module `opentelemetry.trace`."""
    context: Any
    """The module `opentelemetry.context`."""
    tracer: Any
    propagator: Any
    """Writes the headers of the trace. `None`: requests do not have them."""


class CallSpan:
    """The span of one call: a context manager, within which it is the current span.

    Args:
        opentelemetry: records the span.
        name: the name of the span.
        attributes: what is known at its start.
    """

    def __init__(
        self, opentelemetry: OpenTelemetry, name: str, attributes: Mapping[str, str | int]
    ) -> None:
        self._trace = opentelemetry.trace
        self._context = opentelemetry.context
        self._propagator = opentelemetry.propagator
        self._span: Any = opentelemetry.tracer.start_span(
            name, kind=self._trace.SpanKind.CLIENT, attributes=attributes
        )
        # What `attach` returns, and `detach` needs.
        self._context_token: Any = None
        # The number of the last attempt; 0 before the first one.
        self._attempt = 0
        # The status of the last attempt; `None` if it had no response.
        self._status_code: int | None = None

    def __enter__(self) -> Self:
        """Make this the current span."""
        context = self._trace.set_span_in_context(self._span)
        self._context_token = self._context.attach(context)
        return self

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the span, and make the previous one the current one again."""
        if self._status_code is not None:
            self._span.set_attribute(STATUS_ATTRIBUTE, self._status_code)
        if self._attempt > 1:
            self._span.set_attribute("http.request.resend_count", self._attempt - 1)
        if error_class is not None:
            self._record_error(self._error_type(error_class, error))
        self._span.end()
        # The context of `attach` has this span as its current one. In any other context, `detach`
        # would log an error: the garbage collector can close a coroutine that was never awaited to
        # its end, in the context of the code that runs at that moment.
        if self._trace.get_current_span() is self._span:
            self._context.detach(self._context_token)

    def request_headers(self) -> dict[str, str]:
        """Return the headers that connect spans of the API with this one; none by default."""
        headers: dict[str, str] = {}
        if self._propagator is not None:
            self._propagator.inject(headers)
        return headers

    def record_attempt(self, attempt: int, status_code: int | None, failure: str) -> None:
        """Record the end of an attempt; see `CallTrace`."""
        self._attempt = attempt
        self._status_code = status_code
        fields: dict[str, str | int | float] = {"attempt": attempt}
        if status_code is not None:
            fields[STATUS_FIELD] = status_code
        if failure:
            fields["failure"] = failure
        self.record_event("attempt", fields)

    def record_event(self, event: str, fields: Mapping[str, str | int | float]) -> None:
        """Record a step of the call; see `CallTrace`."""
        attributes = {_attribute_name(name): value for name, value in fields.items()}
        self._span.add_event(f"{SCOPE}.{event}", attributes)

    def _error_type(self, error_class: type[BaseException], error: BaseException | None) -> str:
        """Return the status if it is the error, and the class of the exception otherwise."""
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


def _import_opentelemetry(module: str) -> Any:
    """Import a module of opentelemetry-api, which only the extra `otel` installs.

    Raises:
        ConfigurationError: it is not installed.
    """
    return import_optional(
        f"opentelemetry.{module}", feature="OpenTelemetryTracing", requirement=REQUIREMENT
    )
