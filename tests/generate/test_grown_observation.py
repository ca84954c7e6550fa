"""A new operation of the spec is observed like the first one, without a hand-written line.

Its quota is known by the argument that the spec marks, and its spans and log records have its name.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.generate.programs import write_client
from tests.support.paths import ROOT

NEW_PATHS = """
/accounts/{accountId}/notes:
  get:
    operationId: listNotes
    summary: List notes
    tags: [Notes]
    parameters:
      - {name: accountId, in: path, required: true, schema: {type: string}, x-role: rate-limit-key}
    responses:
      "200":
        description: OK
        content: {application/json: {schema: {type: object, properties: {total: {type: number}}}}}
"""

PROGRAM = """
import asyncio
import json
import logging

import httpx
from leadconnector import AsyncLeadConnector, LeadConnector, OpenTelemetryTracing
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
records = []


class Handler(logging.Handler):
    def emit(self, record):
        records.append([record.event, record.operation])


logging.getLogger("leadconnector").addHandler(Handler())
logging.getLogger("leadconnector").setLevel(logging.INFO)


def respond(request):
    headers = {"X-RateLimit-Max": "100", "X-RateLimit-Remaining": "41"}
    return httpx.Response(200, json={"total": 1, "new": 2}, headers=headers)


options = {
    "token": "test-token",
    "transport": httpx.MockTransport(respond),
    "tracing": OpenTelemetryTracing(provider),
}


def values_of(status):
    return [status.limit, status.remaining, status.reserved]


async def call_async():
    async with AsyncLeadConnector(**options) as client:
        await client.notes.list_notes("a1")
        return [values_of(await client.rate_limit("a1")), values_of(await client.rate_limit("a2"))]


with LeadConnector(**options) as client:
    client.notes.list_notes("a1")
    sync = [values_of(client.rate_limit("a1")), values_of(client.rate_limit("a2"))]
spans = [[span.name, span.attributes["url.template"]] for span in exporter.get_finished_spans()]
result = {"sync": sync, "async": asyncio.run(call_async())}
print(json.dumps({**result, "spans": spans, "records": records}))
"""


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a program with the grown client observes."""
    folder = tmp_path_factory.mktemp("grown")
    spec = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
    spec["paths"].update(yaml.safe_load(NEW_PATHS))
    write_client(yaml.safe_dump(spec, sort_keys=False), folder)
    program = f"import sys\nsys.path.insert(0, {str(folder)!r})\n{PROGRAM}"
    result = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    values: dict[str, Any] = json.loads(result.stdout)
    return values


@pytest.mark.parametrize("client", ["sync", "async"])
def test_its_quota_is_known_by_the_argument_that_the_spec_marks(
    observed: dict[str, Any], client: str
) -> None:
    assert observed[client] == [[100, 41, 1], [None, None, None]]


def test_its_span_has_its_name(observed: dict[str, Any]) -> None:
    assert observed["spans"] == [["GET /accounts/{accountId}/notes", "/accounts/{accountId}/notes"]]


def test_its_log_records_have_its_name(observed: dict[str, Any]) -> None:
    assert observed["records"] == [
        # Each client logs a finding once.
        ["drift", "GET /accounts/{accountId}/notes"],
        ["drift", "GET /accounts/{accountId}/notes"],
    ]
