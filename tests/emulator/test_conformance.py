"""The emulator conforms to the spec: schemathesis finds no deviation in it.

Schemathesis creates requests from the spec: its examples, the bounds of every constraint, and
random data, valid and invalid. It compares each response with the spec. It calls the emulator in
process, through the ASGI application.

Mutants show that schemathesis would find a deviation. A mutant is an emulator with one deviation,
and the named check must find it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
import schemathesis.checks
import yaml
from leadconnector_emulator import Emulator, EmulatorApp, RateLimits, Request, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from tests.support.calling import TOKEN
from tests.support.paths import ROOT

SPEC = ROOT / "spec" / "openapi.yaml"
SEED = 20_210_728
EXAMPLES = 500

Node = dict[str, Any]
AlterRequest = Callable[[Request], Request]
AlterResponse = Callable[[Request, Response], Response]
EditSpec = Callable[[Node], object]


class AlteredEmulator(Emulator):
    """An emulator whose requests or responses are altered."""

    def __init__(
        self,
        spec: Path,
        alter_request: AlterRequest | None = None,
        alter_response: AlterResponse | None = None,
        **options: Any,
    ) -> None:
        super().__init__(spec, tokens=[TOKEN], **options)
        self._alter_request = alter_request
        self._alter_response = alter_response

    def respond(self, request: Request) -> Response:
        altered_request = request
        if self._alter_request is not None:
            altered_request = self._alter_request(request)
        response = super().respond(altered_request)
        if self._alter_response is not None:
            response = self._alter_response(request, response)
        return response


@dataclass
class Report:
    """The checks that schemathesis made, and the deviations that it found."""

    cases: Counter[str] = field(default_factory=Counter[str])
    """The number of requests, by phase."""
    checks: Counter[str] = field(default_factory=Counter[str])
    """The number of times that each check ran."""
    failures: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The messages of each failed check."""
    errors: list[str] = field(default_factory=list[str])
    """Errors of schemathesis itself."""


def all_checks() -> set[str]:
    """Every check of schemathesis, except the one for the response time."""
    checks: Any = schemathesis.checks
    checks.load_all_checks()
    return {str(name) for name in checks.CHECKS.get_all_names()} - {"max_response_time"}


def load_spec() -> Node:
    return cast("Node", yaml.safe_load(SPEC.read_text(encoding="utf-8")))


SETTINGS = """
seed = {seed}
headers = {{ Authorization = "Bearer {token}" }}
checks = {{ enabled = true }}
generation = {{ max-examples = {examples}, database = "none", no-shrink = {stop_early} }}

[phases.stateful.generation]
max-examples = {stateful_examples}
database = "none"
no-shrink = {stop_early}
"""

MAXIMUM_STATEFUL_EXAMPLES = 40
"""A stateful example is a sequence of requests and takes longer."""


def examine(
    emulator: Emulator, document: Node, *, examples: int, until_failure: bool = False
) -> Report:
    """Run every phase and check of schemathesis against an emulator.

    The seed determines the requests. `until_failure` ends the run at the first failure.
    """
    settings = SETTINGS.format(
        seed=SEED,
        token=TOKEN,
        examples=examples,
        stateful_examples=min(examples, MAXIMUM_STATEFUL_EXAMPLES),
        stop_early=str(until_failure).lower(),
    )
    if until_failure:
        settings = "max-failures = 1\n" + settings
    config = SchemathesisConfig.from_str(settings)
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = EmulatorApp(emulator)
    report = Report()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            record_scenario(report, event)
        elif isinstance(event, events.NonFatalError):
            report.errors.append(repr(event.value))
        elif isinstance(event, events.FatalError):
            report.errors.append(repr(event.exception))
    return report


def record_scenario(report: Report, event: events.ScenarioFinished) -> None:
    """Add the cases and checks of one scenario to a report."""
    report.cases[event.phase.value] += len(event.recorder.cases)
    for checks in event.recorder.checks.values():
        for check in checks:
            report.checks[check.name] += 1
            if check.status is Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info.failure
                message = f"{failure.title}: {failure.message}\n{check.failure_info.code_sample}"
                report.failures.setdefault(check.name, []).append(message)


# The emulator


def test_schemathesis_finds_no_deviation_in_500_examples_with_every_check() -> None:
    emulator = Emulator(SPEC, tokens=[TOKEN], create_missing=True, rate_limits=None, faults=())
    report = examine(emulator, load_spec(), examples=EXAMPLES)
    assert (report.failures, report.errors) == ({}, [])
    assert report.cases["fuzzing"] >= EXAMPLES
    assert report.cases["examples"] >= 1
    assert report.cases["coverage"] >= 30
    assert report.checks.keys() == all_checks()
    # The run covers valid and invalid requests, and every documented status.
    statuses = Counter(str(exchange.response.status) for exchange in emulator.exchanges)
    documented = set(load_spec()["paths"]["/conversations/{conversationId}"]["put"]["responses"])
    # 405 is the response to methods that the spec does not document.
    assert statuses.keys() == documented | {"405"}
    # An invalid `Version` is rejected with 401, as the live API does.
    invalid = statuses["400"] + statuses["401"] + statuses["422"]
    assert min(statuses["200"], invalid) >= 100
    # Hypothesis also tries constants that it finds in the loaded modules of this project. So the
    # count of 400 is 22 if this test runs alone, and 13 if all tests are loaded.
    assert min(statuses["400"], statuses["401"], statuses["422"]) >= 10


def test_the_seed_determines_every_request() -> None:
    runs: list[list[tuple[str, str, bytes]]] = []
    for _ in range(2):
        emulator = Emulator(SPEC, tokens=[TOKEN], create_missing=True)
        examine(emulator, load_spec(), examples=25)
        requests = [exchange.request for exchange in emulator.exchanges]
        runs.append([(request.method, request.target, request.body) for request in requests])
    assert runs[0] == runs[1]


# A second resource, for the checks that create, read and delete: the spec has one operation only


def with_notes(document: Node) -> Node:
    """The spec with operations that create, read and delete notes, and with links between them."""
    limit: Node = {"X-RateLimit-Max": {"required": True, "schema": {"type": "integer"}}}
    note: Node = {
        "type": "object",
        "required": ["id", "text"],
        "properties": {
            "id": {"type": "string"},
            "text": {"type": "string", "example": "Call back"},
        },
    }
    errors: Node = {
        str(status): deepcopy(
            document["paths"]["/conversations/{conversationId}"]["put"]["responses"][str(status)]
        )
        for status in (400, 401)
    }
    errors["404"] = errors["400"]
    note_response: Node = {
        "description": "A note",
        "headers": limit,
        "content": {"application/json": {"schema": note}},
    }
    links: Node = {
        method: {"operationId": f"{method}Note", "parameters": {"noteId": "$response.body#/id"}}
        for method in ("get", "delete")
    }
    note_id: Node = {
        "name": "noteId",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    }
    secured: Node = {"security": [{"bearer": []}]}
    body: Node = {
        "type": "object",
        "required": ["text"],
        "additionalProperties": False,
        "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 20}},
    }
    document["paths"] = {
        "/notes": {
            "post": secured
            | {
                "operationId": "postNote",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": body}},
                },
                "responses": errors | {"201": note_response | {"links": links}},
            }
        },
        "/notes/{noteId}": {
            "parameters": [note_id],
            "get": secured
            | {"operationId": "getNote", "responses": errors | {"200": note_response}},
            "delete": secured
            | {
                "operationId": "deleteNote",
                "responses": errors | {"204": {"description": "Deleted"}},
            },
        },
    }
    return document


def write_spec(document: Node, folder: Path) -> Path:
    path = folder / "openapi.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def high_limits() -> RateLimits:
    """Limits that no test reaches: they only add the headers to the responses."""
    return RateLimits(burst=10**9, daily=10**9)


def test_schemathesis_finds_no_deviation_in_stateful_sequences(tmp_path: Path) -> None:
    document = with_notes(load_spec())
    emulator = Emulator(
        write_spec(document, tmp_path), tokens=[TOKEN], conversations=[], rate_limits=high_limits()
    )
    report = examine(emulator, document, examples=60)
    assert (report.failures, report.errors) == ({}, [])
    assert report.cases["stateful"] >= 40
    outcomes = Counter(
        (exchange.request.method, exchange.response.status) for exchange in emulator.exchanges
    )
    expected = {("POST", 201), ("GET", 200), ("GET", 404), ("DELETE", 204), ("DELETE", 404)}
    assert expected <= outcomes.keys()


# Mutants


@dataclass(frozen=True)
class Mutant:
    """An emulator with one deviation, and the check that must find it."""

    check: str
    edit_spec: EditSpec | None = None
    """Changes the spec that the emulator loads."""
    alter_request: AlterRequest | None = None
    alter_response: AlterResponse | None = None


OPERATION = ("paths", "/conversations/{conversationId}", "put")
BODY = ("components", "schemas", "UpdateConversationRequest")
VERSION = ("components", "parameters", "Version")


def node_at(document: Any, *place: str) -> Node:
    for name in place:
        document = document[name]
    return cast("Node", document)


def with_value(*place: str, value: object) -> EditSpec:
    """Set a value of the spec."""
    *parent_place, name = place

    def edit(document: Node) -> None:
        node_at(document, *parent_place)[name] = value

    return edit


def without(*place: str) -> EditSpec:
    """Remove a value of the spec."""
    *parent_place, name = place

    def edit(document: Node) -> None:
        del node_at(document, *parent_place)[name]

    return edit


def with_valid_token(request: Request) -> Request:
    authorization = f"Bearer {TOKEN}"
    return replace(request, headers={**request.headers, "authorization": authorization})


def with_valid_token_for_any(request: Request) -> Request:
    """Accept any authorization, but require one."""
    if request.headers.get("authorization"):
        return with_valid_token(request)
    return request


def with_body(request: Request) -> Request:
    """Accept a request without a body."""
    if request.body:
        return request
    headers = {**request.headers, "content-type": "application/json"}
    return replace(request, headers=headers, body=b'{"locationId": "anywhere"}')


def changing_body(change: Callable[[Node], None]) -> AlterRequest:
    """Change the body of a request if it is a JSON object."""

    def alter(request: Request) -> Request:
        try:
            data: object = json.loads(request.body)
        except ValueError:
            return request
        if not isinstance(data, dict):
            return request
        content = cast("Node", data)
        change(content)
        return replace(request, body=json.dumps(content).encode())

    return alter


def _text_to_number(content: Node) -> None:
    value = content.get("unreadCount")
    if isinstance(value, str):
        content["unreadCount"] = len(value)


def _any_to_boolean(content: Node) -> None:
    if "starred" in content:
        content["starred"] = bool(content["starred"])


def _without_nulls(content: Node) -> None:
    null_names = [name for name, value in content.items() if value is None]
    for name in null_names:
        if name != "locationId":
            del content[name]


def changing_content(change: Callable[[Node], object], *, status: int = 200) -> AlterResponse:
    """Change the JSON of the responses with a status."""

    def alter(_: Request, response: Response) -> Response:
        if response.status != status:
            return response
        content = cast("Node", json.loads(response.body))
        change(content)
        return replace(response, body=json.dumps(content).encode())

    return alter


def in_conversation(**changes: object) -> AlterResponse:
    """Set properties of the conversation in a successful response."""

    def change(content: Node) -> None:
        content["conversation"].update(changes)

    return changing_content(change)


def with_message(message: object, *, status: int) -> AlterResponse:
    """Replace the message of an error."""

    def change(content: Node) -> None:
        content["message"] = message

    return changing_content(change, status=status)


def _without_contact_id(content: Node) -> None:
    del content["conversation"]["contactId"]


def _without_conversation(content: Node) -> None:
    del content["conversation"]


def with_status(statuses: Mapping[int, int]) -> AlterResponse:
    """Replace statuses."""

    def alter(_: Request, response: Response) -> Response:
        return replace(response, status=statuses.get(response.status, response.status))

    return alter


def with_header(name: str, value: str | None) -> AlterResponse:
    """Replace a header, or remove it with `None`."""

    def alter(_: Request, response: Response) -> Response:
        headers = {
            header: text
            for header, text in response.headers.items()
            if header.lower() != name.lower()
        }
        if value is not None:
            headers[name] = value
        return replace(response, headers=headers)

    return alter


def when(
    applies: Callable[[Request], bool], change: Callable[[Response], Response]
) -> AlterResponse:
    """Change the responses to some requests."""

    def alter(request: Request, response: Response) -> Response:
        return change(response) if applies(request) else response

    return alter


def is_not_ascii(request: Request) -> bool:
    return b"\\u" in request.body or not request.body.isascii()


def has_encoded_id(request: Request) -> bool:
    return "%" in request.target


def has_no_object(request: Request) -> bool:
    return not request.body.startswith(b"{")


def server_error(response: Response) -> Response:
    return replace(response, status=500)


def bad_request(response: Response) -> Response:
    return replace(response, status=400, body=b'{"statusCode": 400, "message": "Bad Request"}')


def with_half_of_the_body(_: Request, response: Response) -> Response:
    half = len(response.body) // 2
    return replace(response, body=response.body[:half])


def with_success_for_get(request: Request, response: Response) -> Response:
    if request.method != "GET":
        return response
    return Response(200, b"{}", {"Content-Type": "application/json"})


def with_delete_allowed(request: Request, response: Response) -> Response:
    if request.method != "OPTIONS":
        return response
    return replace(response, headers={**response.headers, "Allow": "PUT, DELETE"})


MUTANTS: Mapping[str, Mutant] = {
    # authentication
    "requires no token": Mutant(
        "ignored_auth", edit_spec=with_value(*OPERATION, "security", value=[])
    ),
    "accepts any token": Mutant("ignored_auth", alter_request=with_valid_token_for_any),
    "accepts a request without a token": Mutant("ignored_auth", alter_request=with_valid_token),
    "rejects a token with 403": Mutant(
        "status_code_conformance", alter_response=with_status({401: 403})
    ),
    # invalid requests that it accepts
    "does not require a required field": Mutant(
        "negative_data_rejection", edit_spec=without(*BODY, "required")
    ),
    "accepts any type for the required field": Mutant(
        "negative_data_rejection", edit_spec=without(*BODY, "properties", "locationId", "type")
    ),
    "accepts text for a number": Mutant(
        "negative_data_rejection", alter_request=changing_body(_text_to_number)
    ),
    "accepts anything for a boolean": Mutant(
        "negative_data_rejection", alter_request=changing_body(_any_to_boolean)
    ),
    "accepts null for an optional field": Mutant(
        "negative_data_rejection", alter_request=changing_body(_without_nulls)
    ),
    "accepts any type for the free-form object": Mutant(
        "negative_data_rejection",
        edit_spec=with_value("components", "schemas", "ConversationFeedback", value={}),
    ),
    "does not require a body": Mutant("negative_data_rejection", alter_request=with_body),
    "accepts an array as the body": Mutant(
        "negative_data_rejection", edit_spec=without(*BODY, "type")
    ),
    "does not require the header Version": Mutant(
        "missing_required_header", edit_spec=with_value(*VERSION, "required", value=False)
    ),
    "accepts any Version": Mutant(
        "negative_data_rejection",
        edit_spec=with_value(*VERSION, "schema", value={"type": "string"}),
    ),
    # valid requests that it rejects
    "rejects fields in the free-form object": Mutant(
        "positive_data_acceptance",
        edit_spec=with_value(
            "components", "schemas", "ConversationFeedback", "additionalProperties", value=False
        ),
    ),
    "rejects undocumented fields": Mutant(
        "positive_data_acceptance", edit_spec=with_value(*BODY, "additionalProperties", value=False)
    ),
    "rejects fractions": Mutant(
        "positive_data_acceptance",
        edit_spec=with_value(*BODY, "properties", "unreadCount", "type", value="integer"),
    ),
    "rejects negative numbers": Mutant(
        "positive_data_acceptance",
        edit_spec=with_value(*BODY, "properties", "unreadCount", "minimum", value=0),
    ),
    "rejects false": Mutant(
        "positive_data_acceptance",
        edit_spec=with_value(*BODY, "properties", "starred", "const", value=True),
    ),
    "rejects long text": Mutant(
        "positive_data_acceptance",
        edit_spec=with_value(*BODY, "properties", "locationId", "maxLength", value=8),
    ),
    "requires an optional field": Mutant(
        "positive_data_acceptance",
        edit_spec=with_value(*BODY, "required", value=["locationId", "starred"]),
    ),
    "rejects text that is not ASCII": Mutant(
        "positive_data_acceptance", alter_response=when(is_not_ascii, bad_request)
    ),
    "rejects a percent-encoded id": Mutant(
        "positive_data_acceptance", alter_response=when(has_encoded_id, bad_request)
    ),
    # responses
    "fails on text that is not ASCII": Mutant(
        "not_a_server_error", alter_response=when(is_not_ascii, server_error)
    ),
    "fails on a body that is not an object": Mutant(
        "not_a_server_error", alter_response=when(has_no_object, server_error)
    ),
    "responds with an undocumented status": Mutant(
        "status_code_conformance", alter_response=with_status({200: 202})
    ),
    "rejects with an undocumented status": Mutant(
        "status_code_conformance", alter_response=with_status({422: 409})
    ),
    "omits a required field": Mutant(
        "response_schema_conformance",
        alter_response=changing_content(_without_contact_id),
    ),
    "omits the resource": Mutant(
        "response_schema_conformance",
        alter_response=changing_content(_without_conversation),
    ),
    "responds with null": Mutant(
        "response_schema_conformance",
        alter_response=in_conversation(assignedTo=None),
    ),
    "responds with a number as text": Mutant(
        "response_schema_conformance",
        alter_response=in_conversation(unreadCount="1"),
    ),
    "responds with an undocumented enum value": Mutant(
        "response_schema_conformance",
        alter_response=in_conversation(lastMessageType="TYPE_PIGEON"),
    ),
    "responds with one message instead of a list": Mutant(
        "response_schema_conformance",
        alter_response=with_message("no", status=422),
    ),
    "responds with a list instead of one message": Mutant(
        "response_schema_conformance",
        alter_response=with_message(["no"], status=401),
    ),
    "responds with half of the JSON": Mutant(
        "response_schema_conformance",
        alter_response=with_half_of_the_body,
    ),
    "labels JSON as HTML": Mutant(
        "content_type_conformance", alter_response=with_header("Content-Type", "text/html")
    ),
    "omits the content type": Mutant(
        "content_type_conformance", alter_response=with_header("Content-Type", None)
    ),
    # undocumented methods
    "accepts an undocumented method": Mutant(
        "unsupported_method", alter_response=with_success_for_get
    ),
    "rejects a method with 400": Mutant(
        "unsupported_method", alter_response=with_status({405: 400})
    ),
    "omits the allowed methods": Mutant(
        "unsupported_method", alter_response=with_header("Allow", None)
    ),
    "allows an undocumented method": Mutant(
        "allow_header_conformance", alter_response=with_delete_allowed
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found_by_its_check(name: str, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    document = load_spec()
    if mutant.edit_spec is not None:
        mutant.edit_spec(document)
        assert document != load_spec()
    emulator = AlteredEmulator(
        write_spec(document, tmp_path),
        mutant.alter_request,
        mutant.alter_response,
        create_missing=True,
    )
    report = examine(emulator, load_spec(), examples=EXAMPLES, until_failure=True)
    assert report.errors == []
    assert mutant.check in report.failures


def without_deletion(request: Request) -> Request:
    """Process a DELETE as a GET, which deletes nothing."""
    if request.method == "DELETE":
        return replace(request, method="GET")
    return request


def with_success_for_delete(request: Request, response: Response) -> Response:
    if request.method == "DELETE" and response.status == 200:
        return Response(204, b"")
    return response


def with_unknown_id() -> AlterResponse:
    """Return each created note with an id under which it is not stored."""
    numbers: Iterator[int] = count()

    def alter(request: Request, response: Response) -> Response:
        if request.method != "POST" or response.status != 201:
            return response
        content = cast("Node", json.loads(response.body))
        content["id"] = f"lost-{next(numbers)}"
        return replace(response, body=json.dumps(content).encode())

    return alter


def unchanged_request(request: Request) -> Request:
    return request


def unchanged_response(_: Request, response: Response) -> Response:
    return response


STATEFUL_MUTANTS: Mapping[str, Mutant] = {
    "does not delete": Mutant(
        "use_after_free", alter_request=without_deletion, alter_response=with_success_for_delete
    ),
    "does not store a created resource": Mutant(
        "ensure_resource_availability", alter_response=with_unknown_id()
    ),
    "omits a documented header": Mutant(
        "response_headers_conformance", alter_response=with_header("X-RateLimit-Max", None)
    ),
    "responds with a header of another type": Mutant(
        "response_headers_conformance", alter_response=with_header("X-RateLimit-Max", "plenty")
    ),
}


@pytest.mark.parametrize("name", STATEFUL_MUTANTS)
def test_a_stateful_mutant_is_found_by_its_check(name: str, tmp_path: Path) -> None:
    mutant = STATEFUL_MUTANTS[name]
    document = with_notes(load_spec())
    path = write_spec(document, tmp_path)
    emulator = AlteredEmulator(
        path,
        mutant.alter_request,
        mutant.alter_response,
        conversations=[],
        rate_limits=high_limits(),
    )
    report = examine(emulator, document, examples=40, until_failure=True)
    assert report.errors == []
    assert mutant.check in report.failures


def test_an_unchanged_altered_emulator_has_no_deviation(tmp_path: Path) -> None:
    """The checks find the deviations, not the wrapper around the emulator."""
    emulator = AlteredEmulator(
        write_spec(load_spec(), tmp_path),
        unchanged_request,
        unchanged_response,
        create_missing=True,
    )
    report = examine(emulator, load_spec(), examples=EXAMPLES, until_failure=True)
    assert (report.failures, report.errors) == ({}, [])


def test_every_applicable_check_has_a_mutant() -> None:
    """`object_level_authorization` needs a second identity, which the spec does not have."""
    checks = {mutant.check for mutant in (*MUTANTS.values(), *STATEFUL_MUTANTS.values())}
    assert checks == all_checks() - {"object_level_authorization"}
    assert len(MUTANTS) + len(STATEFUL_MUTANTS) >= 18
