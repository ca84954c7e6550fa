"""Checks all operations of a document with both clients."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from benchmarks.long.conformance import hints
from benchmarks.long.conformance.arguments import Arguments, ArgumentTypeError
from benchmarks.long.conformance.calling import TOKEN, Caller, Outcome, Reply
from benchmarks.long.conformance.documents import (
    Document,
    Json,
    MediaType,
    Operation,
    Parameter,
    Response,
    is_container,
    is_object,
)
from benchmarks.long.conformance.hints import ModelHints
from benchmarks.long.conformance.methods import (
    ADDITIONAL,
    Method,
    Methods,
    NoMethodError,
    has_default,
)
from benchmarks.long.conformance.reports import Fault, Mismatch, Report
from benchmarks.long.conformance.requests import ABSENT, Requests, Values
from benchmarks.long.conformance.results import Results, round_trip
from benchmarks.long.conformance.samples import Sample, Sampler
from benchmarks.long.conformance.schemas import Schemas

_ERRORS = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}
"""The exceptions of statuses, as the documentation of `errors` says."""

_FIRST_STATUS_OF_DEFAULT = 418
_UNUSUAL_STATUS = 40
"""Added to a hundred, it is no status that HTTP defines."""

_FORMS = ("typed", "plain")
"""Arguments as models and enum members, or as mappings and texts."""


@dataclass(frozen=True)
class Package:
    """The modules of a generated client."""

    client: Any
    models: Any
    types: Any


@dataclass(frozen=True)
class _Call:
    """The values of a call, and its arguments."""

    values: Values
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class _Plan:
    """The samples of an operation."""

    operation: Operation
    calls: list[Values]
    replies: Mapping[str, list[tuple[MediaType | None, Sample]]]
    """By the key of the response."""


class Check:
    """A check of one document.

    Args:
        document: the document.
        package: the client that is generated from it.
        only: a part of the paths to check.
    """

    def __init__(self, document: Document, package: Package, *, only: str = "") -> None:
        self.report = Report()
        self._only = only
        self._document = document
        self._package = package
        models = {name: getattr(package.models, name) for name in package.models.__all__}
        model_hints = ModelHints({**vars(package.types), **models})
        self._request_schemas = Schemas(document, "request")
        self._response_schemas = Schemas(document, "response")
        self._methods = Methods(self._request_schemas)
        self._values = Arguments(self._request_schemas, model_hints)
        self._requests = Requests(document, self._request_schemas, TOKEN)
        self._results = Results(self._response_schemas, model_hints)
        self._responses = Sampler(self._response_schemas, with_unknown=True)

    def run(self) -> Report:
        """Check all operations."""
        base_url: str | None = None
        if not self._document.has_default_base_url():
            base_url = self._document.base_url()
        client = self._package.client
        with (
            Caller(client, is_async=False, base_url=base_url) as caller,
            Caller(client, is_async=True, base_url=base_url) as async_caller,
        ):
            for operation in self._document.operations():
                if self._only not in operation.path:
                    continue
                self.report.counts["operations"] += 1
                plan = self._plan(operation)
                for each in (caller, async_caller):
                    for mismatch in self._operation(plan, each):
                        self._add(operation, mismatch)
        self.report.counts["fields"] = self._results.fields
        return self.report

    def _add(self, operation: Operation, mismatch: Mismatch) -> None:
        # One fault for all items of a list.
        place = re.sub(r"\[\d+\]", "[]", mismatch.path)
        self.report.add(Fault(operation.name, place, mismatch.expected, mismatch.got))

    def _plan(self, operation: Operation) -> _Plan:
        replies = {response.key: list(self._replies(response)) for response in operation.responses}
        return _Plan(operation, list(self._calls(operation)), replies)

    def _operation(self, plan: _Plan, caller: Caller) -> Iterator[Mismatch]:
        operation = plan.operation
        try:
            method = self._methods.find(caller.client, operation)
        except NoMethodError as error:
            yield Mismatch("client", "a method", str(error))
            return
        yield from method.mismatches
        reply = self._success(plan)
        first: _Call | None = None
        for values in plan.calls:
            for form in _FORMS:
                try:
                    call = _Call(values, self._arguments(method, operation, values, form))
                except ArgumentTypeError as error:
                    yield Mismatch(error.path, "a type for a documented value", str(error))
                    continue
                outcome = caller.call(method.call, call.arguments, reply)
                if first is None and outcome.requests:
                    first = call
                yield from self._request(operation, method, values, outcome)
        if first is None:
            return
        for response in operation.responses:
            yield from self._response(response, plan, method, first, caller)

    # Requests

    def _calls(self, operation: Operation) -> Iterator[Values]:
        """The values of calls: all, only required ones, and each sample of each value once."""
        samples = {
            parameter.key: self._parameter_samples(parameter) for parameter in operation.parameters
        }
        required = [parameter for parameter in operation.parameters if parameter.is_required]
        contents = operation.body.content if operation.body is not None else ()
        for media_type in contents or (None,):
            bodies = self._body_samples(media_type)
            counts = [len(entries) for entries in samples.values()]
            for number in range(max([len(bodies), *counts])):
                parameters = {
                    key: entries[number % len(entries)].value for key, entries in samples.items()
                }
                yield Values(parameters, bodies[number % len(bodies)], media_type)
            parameters = {parameter.key: samples[parameter.key][0].value for parameter in required}
            is_absent = operation.body is None or not operation.body.is_required
            smallest = min(bodies, key=lambda body: len(json.dumps(body, default=str)))
            yield Values(parameters, ABSENT if is_absent else smallest, media_type)

    def _parameter_samples(self, parameter: Parameter) -> list[Sample]:
        sampler = Sampler(self._request_schemas, with_unknown=False, place=parameter.place)
        return [
            sample
            for sample in sampler.samples(parameter.schema)
            if _can_be_sent(sample.value, parameter)
        ]

    def _body_samples(self, media_type: MediaType | None) -> list[Json]:
        if media_type is None:
            return [ABSENT]
        sampler = Sampler(self._request_schemas, with_unknown=False)
        bodies = [sample.value for sample in sampler.samples(media_type.schema)]
        if media_type.is_json:
            return bodies
        forms = [body for body in bodies if _is_form_data(body)]
        if media_type.main_name == "multipart/form-data":
            # A multipart body has at least one part (RFC 2046, section 5.1.1).
            forms = [form for form in forms if form]
        return forms or bodies

    def _arguments(
        self, method: Method, operation: Operation, values: Values, form: str
    ) -> dict[str, object]:
        convert = self._values.typed if form == "typed" else self._values.plain
        arguments: dict[str, object] = {}
        for parameter in operation.parameters:
            name = method.parameters.get(parameter.key)
            if name is None or parameter.key not in values.parameters:
                continue
            is_minimal = len(values.parameters) < len(operation.parameters)
            if (
                is_minimal
                and name in method.optional
                and has_default(parameter, self._request_schemas)
            ):
                # The client must send the only value by itself.
                continue
            arguments[name] = convert(
                values.parameters[parameter.key],
                parameter.schema,
                method.hints[name],
                f"argument {name}",
            )
        if values.body is ABSENT or values.media_type is None:
            return arguments
        schema = values.media_type.schema
        if method.properties is None:
            arguments["body"] = convert(values.body, schema, method.hints["body"], "argument body")
            return arguments
        view = self._request_schemas.view(schema)
        additional: dict[str, object] = {}
        for name, value in values.body.items():
            argument = method.properties.get(name)
            if argument is not None:
                arguments[argument] = convert(
                    value,
                    view.properties.get(name, {}),
                    method.hints[argument],
                    f"argument {argument}",
                )
            elif method.takes_additional:
                item_schema = view.additional_schema
                hint = hints.items(method.hints[ADDITIONAL])
                additional[name] = convert(value, item_schema, hint, f"argument {ADDITIONAL}")
        if additional:
            arguments[ADDITIONAL] = additional
        return arguments

    def _expressible(self, operation: Operation, method: Method, values: Values) -> Values:
        """The values that the arguments of a method can say. A model can say more."""
        if method.properties is None or values.body is ABSENT or operation.body is None:
            return values
        body = {
            name: value
            for name, value in values.body.items()
            if name in method.properties or method.takes_additional
        }
        if not body and not operation.body.is_required:
            # Without an argument for a property, an optional body is not sent.
            return Values(values.parameters)
        return Values(values.parameters, body, values.media_type)

    def _request(
        self, operation: Operation, method: Method, values: Values, outcome: Outcome
    ) -> Iterator[Mismatch]:
        self.report.counts["requests"] += 1
        if outcome.is_raised and not outcome.requests:
            yield Mismatch("request", "a request", _raised(outcome))
            return
        if len(outcome.requests) != 1:
            yield Mismatch("request", "one request", f"{len(outcome.requests)}")
            return
        values = self._expressible(operation, method, values)
        for mismatch in self._requests.mismatches(operation, values, outcome.requests[0]):
            yield mismatch._replace(path=f"request {mismatch.path}")

    # Responses

    def _success(self, plan: _Plan) -> Reply:
        """A documented success."""
        for response in plan.operation.responses:
            if response.key.startswith("2"):
                for media_type, sample in plan.replies[response.key]:
                    return _reply(_status(response, plan.operation), media_type, sample)
        return Reply(204)

    def _replies(self, response: Response) -> Iterator[tuple[MediaType | None, Sample]]:
        """Each documented body of a response."""
        if not response.content:
            yield None, Sample(None)
        for media_type in response.content:
            if media_type.is_json:
                for sample in self._responses.samples(media_type.schema):
                    yield media_type, sample
            else:
                yield media_type, Sample("the content: é\n")

    def _response(
        self,
        response: Response,
        plan: _Plan,
        method: Method,
        call: _Call,
        caller: Caller,
    ) -> Iterator[Mismatch]:
        status = _status(response, plan.operation)
        if not plan.replies[response.key]:
            yield Mismatch(f"response {response.key}", "a sample of the schema", "none")
        for media_type, sample in plan.replies[response.key]:
            self.report.counts["responses"] += 1
            outcome = caller.call(method.call, call.arguments, _reply(status, media_type, sample))
            mismatches = [
                *self._result(status, media_type, sample, method, outcome),
                *_findings(sample, outcome),
            ]
            for mismatch in mismatches:
                yield mismatch._replace(path=f"response {response.key} {mismatch.path}")

    def _result(
        self,
        status: int,
        media_type: MediaType | None,
        sample: Sample,
        method: Method,
        outcome: Outcome,
    ) -> Iterator[Mismatch]:
        value = outcome.value
        hint: Any = Any
        if status < 300:
            if outcome.is_raised:
                yield Mismatch("$", "a result", _raised(outcome))
                return
            hint = method.hints["return"]
        else:
            expected = _ERRORS.get(
                status, "ServerError" if status >= 500 else "UnexpectedStatusError"
            )
            if type(value).__name__ != expected:
                yield Mismatch("$", expected, _raised(outcome))
                return
            value = cast("Any", value).body
        if media_type is None:
            if status < 300 and value is not None:
                yield Mismatch("$", "None", repr(value))
        elif media_type.is_json:
            yield from self._results.mismatches(value, media_type.schema, sample.value, hint)
            yield from round_trip(value, sample.value)
        else:
            yield from _raw_content(value, media_type, sample, hint)


def _raw_content(
    value: Any, media_type: MediaType, sample: Sample, hint: Any
) -> Iterator[Mismatch]:
    """Compare a body that is no JSON: a text, bytes or a file."""
    content = value
    if hasattr(value, "payload"):
        content = value.payload.read()
    expected: object = sample.value if media_type.is_text else sample.value.encode()
    if content != expected and not (hint is Any and content == sample.value):
        yield Mismatch("$", f"{expected!r}", f"{value!r:.100}")


def _findings(sample: Sample, outcome: Outcome) -> Iterator[Mismatch]:
    """Documented data has no finding, and undocumented data has one."""
    kinds = {kind for kind, _ in outcome.kinds}
    for kind, path in outcome.kinds:
        if kind not in sample.kinds:
            yield Mismatch(path, "no finding", kind)
    for kind in sample.kinds - kinds:
        yield Mismatch("$", f"the finding {kind}", "none")


def _status(response: Response, operation: Operation) -> int:
    """A status that the response documents, and no other response does."""
    if response.key.isdigit():
        return int(response.key)
    documented = {other.key for other in operation.responses}
    statuses = range(_FIRST_STATUS_OF_DEFAULT, 600)
    if response.key != "default":
        first = int(response.key[0]) * 100 + _UNUSUAL_STATUS
        statuses = range(first, first + 50)
        documented.discard(response.key)
    for status in statuses:
        if documented.isdisjoint({str(status), f"{status // 100}XX"}):
            return status
    raise ValueError(f"{operation.name} documents every status of {response.key}")


def _reply(status: int, media_type: MediaType | None, sample: Sample) -> Reply:
    if media_type is None:
        return Reply(status)
    if media_type.is_json:
        return Reply(status, media_type.name, json.dumps(sample.value).encode())
    content_type = media_type.name.replace("*", "x")
    if media_type.is_text:
        content_type += "; charset=utf-8"
    return Reply(status, content_type, sample.value.encode())


def _can_be_sent(value: Json, parameter: Parameter) -> bool:
    """Whether a parameter can have a value: the text of null or of nothing is not defined."""
    if value is None:
        return False
    if isinstance(value, str):
        return parameter.place == "query" or value != ""
    if is_container(value):
        items = value.values() if is_object(value) else value
        scalars = list(items)
        if not scalars and (parameter.place != "query" or parameter.is_required):
            # It would be sent as nothing, or as an empty text.
            return False
        return all(_can_be_sent(item, parameter) and not is_container(item) for item in scalars)
    return True


def _is_form_data(body: Json) -> bool:
    """Whether a form can hold the data: it has no null."""
    return is_object(body) and None not in body.values()


def _raised(outcome: Outcome) -> str:
    return f"{type(outcome.value).__name__} {outcome.value!s:.200}"
