"""The emulator conforms to the spec: schemathesis finds nothing in it, and finds each of many ways to be wrong.

Schemathesis makes requests of the spec (its examples, the edges of every constraint, then random data, good and bad)
and holds each answer against it. It reaches the emulator by its ASGI door, in this process. That it finds nothing says
something only because it does find each of the mutants: emulators that are wrong in one way.
"""

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
Before = Callable[[Request], Request]
After = Callable[[Request, Response], Response]
Edit = Callable[[Node], object]


class Altered(Emulator):
    """An emulator with something between it and its door."""

    def __init__(
        self, spec: Path, before: Before | None = None, after: After | None = None, **options: Any
    ) -> None:
        super().__init__(spec, tokens=[TOKEN], **options)
        self._before, self._after = before, after

    def respond(self, request: Request) -> Response:
        answer = super().respond(self._before(request) if self._before else request)
        return self._after(request, answer) if self._after else answer


@dataclass
class Report:
    """What schemathesis did and found."""

    cases: Counter[str] = field(default_factory=Counter[str])
    """How many requests were made, by phase."""
    checks: Counter[str] = field(default_factory=Counter[str])
    """How many times each check was made."""
    failures: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By check, what it says."""
    errors: list[str] = field(default_factory=list[str])
    """What kept schemathesis itself from going on."""


def all_checks() -> set[str]:
    """Every check that there is, but for the one about time, which says nothing about conformance."""
    checks: Any = schemathesis.checks
    checks.load_all_checks()
    return {str(name) for name in checks.CHECKS.get_all_names()} - {"max_response_time"}


def spec() -> Node:
    return cast("Node", yaml.safe_load(SPEC.read_text(encoding="utf-8")))


SETTINGS = """
seed = {seed}
headers = {{ Authorization = "Bearer {token}" }}
checks = {{ enabled = true }}
generation = {{ max-examples = {examples}, database = "none", no-shrink = {until_failure} }}
phases.stateful.generation = {{ max-examples = {lives}, database = "none", no-shrink = {until_failure} }}
"""


def examined(
    emulator: Emulator, document: Node, *, examples: int, until_failure: bool = False
) -> Report:
    """Let schemathesis loose on an emulator, with every phase and every check; the seed decides what it does."""
    settings = SETTINGS.format(
        seed=SEED,
        token=TOKEN,
        examples=examples,
        lives=min(examples, 40),
        until_failure=str(until_failure).lower(),
    )
    config = SchemathesisConfig.from_str(settings + "max-failures = 1" * until_failure)
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = EmulatorApp(emulator)
    report = Report()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            report.cases[event.phase.value] += len(event.recorder.cases)
            for check in (check for checks in event.recorder.checks.values() for check in checks):
                report.checks[check.name] += 1
                if check.status is Status.FAILURE and check.failure_info is not None:
                    failure = check.failure_info
                    told = (
                        f"{failure.failure.title}: {failure.failure.message}\n{failure.code_sample}"
                    )
                    report.failures.setdefault(check.name, []).append(told)
        elif isinstance(event, events.NonFatalError):
            report.errors.append(repr(event.value))
        elif isinstance(event, events.FatalError):
            report.errors.append(repr(event.exception))
    return report


# The spec as it is


def test_schemathesis_finds_nothing_wrong_in_500_examples_with_every_check() -> None:
    emulator = Emulator(SPEC, tokens=[TOKEN], create_missing=True, rate_limits=None, faults=())
    report = examined(emulator, spec(), examples=EXAMPLES)
    assert (report.failures, report.errors) == ({}, [])
    assert report.cases["fuzzing"] >= EXAMPLES
    assert report.cases["examples"] >= 1
    assert report.cases["coverage"] >= 30
    assert report.checks.keys() == all_checks()
    # It was about something: good and bad requests, and every answer that the spec has.
    statuses = Counter(str(exchange.response.status) for exchange in emulator.exchanges)
    documented = set(spec()["paths"]["/conversations/{conversationId}"]["put"]["responses"])
    assert statuses.keys() == documented | {
        "405"
    }  # 405: for the methods that the path does not have
    assert min(statuses["200"], statuses["400"] + statuses["422"]) >= 100


def test_the_seed_decides_every_request() -> None:
    runs: list[list[tuple[str, str, bytes]]] = []
    for _ in range(2):
        emulator = Emulator(SPEC, tokens=[TOKEN], create_missing=True)
        examined(emulator, spec(), examples=25)
        sent = [exchange.request for exchange in emulator.exchanges]
        runs.append([(request.method, request.target, request.body) for request in sent])
    assert runs[0] == runs[1]


# A collection, for the checks that follow a resource through its life; the spec has but one operation


def with_notes(document: Node) -> Node:
    """The spec with notes, which are made, read and removed, and which a spec with links says how to find again."""
    limit: Node = {"X-RateLimit-Max": {"required": True, "schema": {"type": "integer"}}}
    note: Node = {
        "type": "object",
        "required": ["id", "text"],
        "properties": {
            "id": {"type": "string"},
            "text": {"type": "string", "example": "Call back"},
        },
    }
    refusals: Node = {
        str(status): deepcopy(
            document["paths"]["/conversations/{conversationId}"]["put"]["responses"][str(status)]
        )
        for status in (400, 401)
    }
    refusals["404"] = refusals["400"]
    answer: Node = {
        "description": "A note",
        "headers": limit,
        "content": {"application/json": {"schema": note}},
    }
    links: Node = {
        method: {"operationId": f"{method}Note", "parameters": {"noteId": "$response.body#/id"}}
        for method in ("get", "delete")
    }
    identified: Node = {
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
                "responses": refusals | {"201": answer | {"links": links}},
            }
        },
        "/notes/{noteId}": {
            "parameters": [identified],
            "get": secured | {"operationId": "getNote", "responses": refusals | {"200": answer}},
            "delete": secured
            | {
                "operationId": "deleteNote",
                "responses": refusals | {"204": {"description": "It is gone"}},
            },
        },
    }
    return document


def written(document: Node, folder: Path) -> Path:
    path = folder / "openapi.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def unlimited() -> RateLimits:
    """Limits that no test reaches: they only put the headers on the answers."""
    return RateLimits(burst=10**9, daily=10**9)


def test_schemathesis_finds_nothing_wrong_in_the_life_of_a_resource(tmp_path: Path) -> None:
    document = with_notes(spec())
    emulator = Emulator(
        written(document, tmp_path), tokens=[TOKEN], conversations=[], rate_limits=unlimited()
    )
    report = examined(emulator, document, examples=60)
    assert (report.failures, report.errors) == ({}, [])
    assert report.cases["stateful"] >= 40
    asked = Counter(
        (exchange.request.method, exchange.response.status) for exchange in emulator.exchanges
    )
    found = {("POST", 201), ("GET", 200), ("GET", 404), ("DELETE", 204), ("DELETE", 404)}
    assert found <= asked.keys()


# Mutants


@dataclass(frozen=True)
class Mutant:
    """An emulator that is wrong in one way, and the check that has to notice."""

    check: str
    edit: Edit | None = None
    """What it takes the spec to say."""
    before: Before | None = None
    """What happens to a request on its way in."""
    after: After | None = None
    """What happens to an answer on its way out."""


OPERATION = ("paths", "/conversations/{conversationId}", "put")
BODY = ("components", "schemas", "UpdateConversationRequest")
VERSION = ("components", "parameters", "Version")


def at(document: Any, *place: str) -> Node:
    for name in place:
        document = document[name]
    return cast("Node", document)


def with_value(*place: str, value: object) -> Edit:
    """The spec with something else in a place of it."""
    return lambda document: at(document, *place[:-1]).update({place[-1]: value})


def without(*place: str) -> Edit:
    """The spec without something."""
    return lambda document: at(document, *place[:-1]).pop(place[-1])


def with_token(request: Request) -> Request:
    given = request.headers.get("authorization", "")
    return (
        replace(request, headers={**request.headers, "authorization": f"Bearer {TOKEN}"})
        if given
        else request
    )


def with_any_scheme(request: Request) -> Request:
    return replace(request, headers={**request.headers, "authorization": f"Bearer {TOKEN}"})


def with_body(request: Request) -> Request:
    """A request without a body is taken for one with a good one."""
    if request.body:
        return request
    headers = {**request.headers, "content-type": "application/json"}
    return replace(request, headers=headers, body=b'{"locationId": "anywhere"}')


def changing_body(change: Callable[[Node], None]) -> Before:
    """Requests whose body, where it is a JSON object, is another."""

    def before(request: Request) -> Request:
        try:
            data: object = json.loads(request.body)
        except ValueError:
            return request
        if not isinstance(data, dict):
            return request
        content = cast("Node", data)
        change(content)
        return replace(request, body=json.dumps(content).encode())

    return before


def _numbers_read(content: Node) -> None:
    value = content.get("unreadCount")
    if isinstance(value, str):
        content["unreadCount"] = len(value)


def _booleans_read(content: Node) -> None:
    if "starred" in content:
        content["starred"] = bool(content["starred"])


def _nulls_left_out(content: Node) -> None:
    for name in [name for name, value in content.items() if value is None and name != "locationId"]:
        del content[name]


def changing_answer(change: Callable[[Node], object], *, status: int = 200) -> After:
    """Answers of one status whose JSON is another."""

    def after(_: Request, answer: Response) -> Response:
        if answer.status != status:
            return answer
        content = cast("Node", json.loads(answer.body))
        change(content)
        return replace(answer, body=json.dumps(content).encode())

    return after


def with_status(statuses: Mapping[int, int]) -> After:
    """Answers with other statuses."""
    return lambda _, answer: replace(answer, status=statuses.get(answer.status, answer.status))


def with_header(name: str, value: str | None) -> After:
    """Answers with another header, or without it."""

    def after(_: Request, answer: Response) -> Response:
        kept = {key: each for key, each in answer.headers.items() if key.lower() != name.lower()}
        return replace(answer, headers=kept if value is None else {**kept, name: value})

    return after


def when(applies: Callable[[Request], bool], then: Callable[[Response], Response]) -> After:
    """Other answers to some requests."""
    return lambda request, answer: then(answer) if applies(request) else answer


def broken(answer: Response) -> Response:
    return replace(answer, status=500)


def refused(answer: Response) -> Response:
    return replace(answer, status=400, body=b'{"statusCode": 400, "message": "Bad Request"}')


def accepted_after_all(request: Request, answer: Response) -> Response:
    return (
        Response(200, b"{}", {"Content-Type": "application/json"})
        if request.method == "GET"
        else answer
    )


def options_answered(request: Request, answer: Response) -> Response:
    return (
        replace(answer, headers={**answer.headers, "Allow": "PUT, DELETE"})
        if request.method == "OPTIONS"
        else answer
    )


def beyond_ascii(request: Request) -> bool:
    return b"\\u" in request.body or not request.body.isascii()


MUTANTS: Mapping[str, Mutant] = {
    # who may ask
    "asks for no token": Mutant("ignored_auth", edit=with_value(*OPERATION, "security", value=[])),
    "takes any token": Mutant("ignored_auth", before=with_token),
    "takes a request without a token for one with it": Mutant(
        "ignored_auth", before=with_any_scheme
    ),
    "refuses a token with 403": Mutant("status_code_conformance", after=with_status({401: 403})),
    # what it lets pass
    "does not require a required field": Mutant(
        "negative_data_rejection", edit=without(*BODY, "required")
    ),
    "takes any type for the required field": Mutant(
        "negative_data_rejection", edit=without(*BODY, "properties", "locationId", "type")
    ),
    "takes a text for a number": Mutant(
        "negative_data_rejection", before=changing_body(_numbers_read)
    ),
    "takes anything for a boolean": Mutant(
        "negative_data_rejection", before=changing_body(_booleans_read)
    ),
    "takes null for what is left out": Mutant(
        "negative_data_rejection", before=changing_body(_nulls_left_out)
    ),
    "takes any type for the free-form object": Mutant(
        "negative_data_rejection",
        edit=with_value("components", "schemas", "ConversationFeedback", value={}),
    ),
    "does not require a body": Mutant("negative_data_rejection", before=with_body),
    "takes an array for the body": Mutant("negative_data_rejection", edit=without(*BODY, "type")),
    "does not require the header Version": Mutant(
        "missing_required_header", edit=with_value(*VERSION, "required", value=False)
    ),
    "takes any Version": Mutant(
        "negative_data_rejection", edit=with_value(*VERSION, "schema", value={"type": "string"})
    ),
    # what it refuses
    "refuses fields in the free-form object": Mutant(
        "positive_data_acceptance",
        edit=with_value(
            "components", "schemas", "ConversationFeedback", "additionalProperties", value=False
        ),
    ),
    "refuses fields that the spec does not have": Mutant(
        "positive_data_acceptance", edit=with_value(*BODY, "additionalProperties", value=False)
    ),
    "refuses fractions": Mutant(
        "positive_data_acceptance",
        edit=with_value(*BODY, "properties", "unreadCount", "type", value="integer"),
    ),
    "refuses numbers below nought": Mutant(
        "positive_data_acceptance",
        edit=with_value(*BODY, "properties", "unreadCount", "minimum", value=0),
    ),
    "refuses false": Mutant(
        "positive_data_acceptance",
        edit=with_value(*BODY, "properties", "starred", "const", value=True),
    ),
    "refuses a text for its length": Mutant(
        "positive_data_acceptance",
        edit=with_value(*BODY, "properties", "locationId", "maxLength", value=8),
    ),
    "requires an optional field": Mutant(
        "positive_data_acceptance",
        edit=with_value(*BODY, "required", value=["locationId", "starred"]),
    ),
    "refuses what is not ASCII": Mutant(
        "positive_data_acceptance", after=when(beyond_ascii, refused)
    ),
    "refuses an id that is percent-encoded": Mutant(
        "positive_data_acceptance", after=when(lambda request: "%" in request.target, refused)
    ),
    # what it answers
    "breaks on what is not ASCII": Mutant("not_a_server_error", after=when(beyond_ascii, broken)),
    "breaks on a body that is no object": Mutant(
        "not_a_server_error", after=when(lambda request: not request.body.startswith(b"{"), broken)
    ),
    "answers with a status that is not documented": Mutant(
        "status_code_conformance", after=with_status({200: 202})
    ),
    "refuses with a status that is not documented": Mutant(
        "status_code_conformance", after=with_status({422: 409})
    ),
    "leaves a required field out": Mutant(
        "response_schema_conformance",
        after=changing_answer(lambda answer: answer["conversation"].pop("contactId")),
    ),
    "leaves the resource out": Mutant(
        "response_schema_conformance",
        after=changing_answer(lambda answer: answer.pop("conversation")),
    ),
    "answers with null": Mutant(
        "response_schema_conformance",
        after=changing_answer(lambda answer: answer["conversation"].update(assignedTo=None)),
    ),
    "answers with a number as text": Mutant(
        "response_schema_conformance",
        after=changing_answer(lambda answer: answer["conversation"].update(unreadCount="1")),
    ),
    "answers with a value that is not in the enum": Mutant(
        "response_schema_conformance",
        after=changing_answer(
            lambda answer: answer["conversation"].update(lastMessageType="TYPE_PIGEON")
        ),
    ),
    "answers with one message where the spec has a list": Mutant(
        "response_schema_conformance",
        after=changing_answer(lambda answer: answer.update(message="no"), status=422),
    ),
    "answers with a list where the spec has one message": Mutant(
        "response_schema_conformance",
        after=changing_answer(lambda answer: answer.update(message=["no"]), status=401),
    ),
    "answers with half of its JSON": Mutant(
        "response_schema_conformance",
        after=lambda _, answer: replace(answer, body=answer.body[: len(answer.body) // 2]),
    ),
    "says that JSON is HTML": Mutant(
        "content_type_conformance", after=with_header("Content-Type", "text/html")
    ),
    "does not say what it answers with": Mutant(
        "content_type_conformance", after=with_header("Content-Type", None)
    ),
    # methods that the path does not have
    "has a method that is not documented": Mutant("unsupported_method", after=accepted_after_all),
    "refuses a method with 400": Mutant("unsupported_method", after=with_status({405: 400})),
    "does not say which methods it has": Mutant(
        "unsupported_method", after=with_header("Allow", None)
    ),
    "says that it has a method which it has not": Mutant(
        "allow_header_conformance", after=options_answered
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught_by_the_check_for_it(name: str, tmp_path: Path) -> None:
    mutant, document = MUTANTS[name], spec()
    if mutant.edit is not None:
        mutant.edit(document)
        assert document != spec()
    emulator = Altered(
        written(document, tmp_path), mutant.before, mutant.after, create_missing=True
    )
    report = examined(emulator, spec(), examples=EXAMPLES, until_failure=True)
    assert report.errors == []
    assert mutant.check in report.failures


def forgetting_to_remove(request: Request) -> Request:
    """A DELETE is carried out as something that changes nothing."""
    return replace(request, method="GET") if request.method == "DELETE" else request


def as_if_removed(request: Request, answer: Response) -> Response:
    return Response(204, b"") if request.method == "DELETE" and answer.status == 200 else answer


def forgetting_to_keep() -> After:
    """Each note is answered with an id that finds nothing."""
    numbers: Iterator[int] = count()

    def after(request: Request, answer: Response) -> Response:
        if request.method == "POST" and answer.status == 201:
            content = cast("Node", json.loads(answer.body))
            return replace(
                answer, body=json.dumps({**content, "id": f"lost-{next(numbers)}"}).encode()
            )
        return answer

    return after


LIVES: Mapping[str, Mutant] = {
    "does not remove": Mutant("use_after_free", before=forgetting_to_remove, after=as_if_removed),
    "does not keep what it made": Mutant(
        "ensure_resource_availability", after=forgetting_to_keep()
    ),
    "leaves a documented header out": Mutant(
        "response_headers_conformance", after=with_header("X-RateLimit-Max", None)
    ),
    "answers with a header of another type": Mutant(
        "response_headers_conformance", after=with_header("X-RateLimit-Max", "plenty")
    ),
}


@pytest.mark.parametrize("name", LIVES)
def test_a_mutant_is_caught_in_the_life_of_a_resource(name: str, tmp_path: Path) -> None:
    mutant, document = LIVES[name], with_notes(spec())
    path = written(document, tmp_path)
    emulator = Altered(path, mutant.before, mutant.after, conversations=[], rate_limits=unlimited())
    report = examined(emulator, document, examples=40, until_failure=True)
    assert report.errors == []
    assert mutant.check in report.failures


def test_an_emulator_with_nothing_in_between_is_no_mutant(tmp_path: Path) -> None:
    """What catches the mutants is what is wrong with them, not how they are made."""
    emulator = Altered(
        written(spec(), tmp_path),
        lambda request: request,
        lambda _, answer: answer,
        create_missing=True,
    )
    report = examined(emulator, spec(), examples=EXAMPLES, until_failure=True)
    assert (report.failures, report.errors) == ({}, [])


def test_there_are_mutants_for_every_check_that_can_fail_here() -> None:
    """The other one needs a second identity, which the spec does not have."""
    caught = {mutant.check for mutant in (*MUTANTS.values(), *LIVES.values())}
    assert caught == all_checks() - {"object_level_authorization"}
    assert len(MUTANTS) + len(LIVES) >= 18
