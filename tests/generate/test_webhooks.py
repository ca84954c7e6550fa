"""A webhook that the spec gains becomes a typed event, without a change of hand-written code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from generate.__main__ import main

from tests.support.paths import ROOT

NOT_HAND_WRITTEN = ("_generated", "__pycache__", ".ruff_cache")

# Without a cache of an earlier run, this takes several times as long.
MYPY = ("-m", "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache" / "documentation"))

NEW_SCHEMAS = """
ContactCreate:
  type: object
  required: [type, tags, owner]
  properties:
    type: {type: string}
    timestamp: {type: string}
    tags: {type: array, items: {type: string}}
    owner: {$ref: "#/components/schemas/EventOwner"}
    place:
      type: object
      properties:
        city: {type: string}

EventOwner:
  type: object
  required: [email]
  properties:
    email: {type: string}
"""

CONSUMER = """
import json
import sys
from base64 import b64encode
from typing import assert_type

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from leadconnector.models import ContactCreate, ConversationUnreadUpdate
from leadconnector.webhooks import WebhookEvent, verify

KEY = Ed25519PrivateKey.generate()


def received(event: object) -> ContactCreate | ConversationUnreadUpdate | WebhookEvent:
    body = json.dumps(event).encode()
    headers = {"x-ghl-signature": b64encode(KEY.sign(body)).decode()}
    public_key = KEY.public_key().public_bytes_raw()
    event = verify(body, headers, public_key=public_key, maximum_age=None)
    assert_type(event, WebhookEvent | ContactCreate | ConversationUnreadUpdate)
    return event


complete = received({"type": "ContactCreate", "tags": ["a"], "owner": {"email": "e"}})
assert isinstance(complete, ContactCreate)
assert complete.owner and complete.owner.email == "e"
assert complete.tags == ["a"]
incomplete = received({"type": "ContactCreate"})
assert isinstance(incomplete, ContactCreate)
assert not incomplete.owner
unfitting = received({"type": "ContactCreate", "tags": 5, "owner": 6, "place": {"city": "c"}})
assert isinstance(unfitting, ContactCreate)
assert not unfitting.owner
assert unfitting.place and unfitting.place.city == "c"
assert isinstance(received({"type": "ConversationUnreadUpdate"}), ConversationUnreadUpdate)
assert isinstance(received({"type": "ContactDelete"}), WebhookEvent)
print("as expected", *sys.argv[1:])
"""


def committed_spec() -> dict[str, Any]:
    text = (ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")
    return cast("dict[str, Any]", yaml.safe_load(text))


def webhook(schema: object) -> dict[str, Any]:
    """A path item whose event has a schema."""
    content = {"application/json": {"schema": schema}}
    return {
        "post": {
            "requestBody": {"content": content},
            "responses": {"200": {"description": "Received"}},
        }
    }


def generated(spec: dict[str, Any], folder: Path) -> int:
    """Generate a client in a folder, beside the hand-written package."""
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    (folder / "leadconnector").mkdir(exist_ok=True)
    return main(["--spec", str(path), "--output", str(folder / "leadconnector" / "_generated")])


def run_python(*arguments: str, folder: Path) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MYPY", "PYTHON"))
    }
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module", name="grown")
def grown_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the hand-written package, and a client with a further webhook in it."""
    folder = tmp_path_factory.mktemp("grown")
    hand_written = ROOT / "overrides" / "leadconnector"
    shutil.copytree(
        hand_written, folder / "leadconnector", ignore=shutil.ignore_patterns(*NOT_HAND_WRITTEN)
    )
    spec = committed_spec()
    spec["components"]["schemas"].update(yaml.safe_load(NEW_SCHEMAS))
    spec["webhooks"]["ContactCreate"] = webhook({"$ref": "#/components/schemas/ContactCreate"})
    assert generated(spec, folder) == 0
    (folder / "consumer.py").write_text(CONSUMER, encoding="utf-8")
    return folder


def test_a_new_webhook_is_returned_as_its_model_also_if_a_required_field_is_missing(
    grown: Path,
) -> None:
    assert run_python("-W", "error", "consumer.py", folder=grown) == "as expected\n"


def test_the_type_of_the_new_event_is_known_to_mypy(grown: Path) -> None:
    assert "Success" in run_python(*MYPY, "consumer.py", folder=grown)


def test_without_webhooks_every_event_is_open(grown: Path, tmp_path: Path) -> None:
    shutil.copytree(grown / "leadconnector", tmp_path / "leadconnector")
    spec = committed_spec()
    del spec["webhooks"]
    assert generated(spec, tmp_path) == 0
    # This client lacks the models that `CONSUMER` imports.
    lines: list[str] = []
    for line in CONSUMER.partition("complete = ")[0].splitlines():
        if not line.startswith("from leadconnector.models"):
            shorter_line = line.replace(" | ContactCreate | ConversationUnreadUpdate", "")
            lines.append(shorter_line.replace("ContactCreate | ConversationUnreadUpdate | ", ""))
    lines.append('assert received({"type": "ConversationUnreadUpdate"}).type')
    (tmp_path / "consumer.py").write_text("\n".join([*lines, ""]), encoding="utf-8")

    run_python("-W", "error", "consumer.py", folder=tmp_path)
    assert "Success" in run_python(*MYPY, "consumer.py", folder=tmp_path)


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"get": {}},
        {"post": {"requestBody": {"content": {"text/plain": {}}}}},
        webhook({"type": "object", "properties": {"inline": {"type": "string"}}}),
        webhook({"$ref": "#/components/schemas/LastMessageType"}),
    ],
)
def test_a_webhook_without_a_model_is_not_read_and_has_a_note(
    item: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = committed_spec()
    spec["webhooks"]["Unread"] = item

    assert generated(spec, tmp_path) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if "not read: it needs" in line]
    assert len(notes) == 1


@pytest.mark.parametrize(
    "item",
    [
        webhook({"$ref": "#/components/schemas/NoSuch"}),
        {"$ref": "#/components/pathItems/NoSuch"},
    ],
)
def test_a_webhook_with_a_broken_reference_is_rejected_with_its_place(
    item: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = committed_spec()
    spec["webhooks"]["Broken"] = item

    assert generated(spec, tmp_path) == 1
    output = capsys.readouterr().err
    assert "points to nothing" in output
    assert "#/webhooks/Broken" in output
    assert list((tmp_path / "leadconnector").iterdir()) == []


def test_the_contract_has_the_webhooks_of_the_spec() -> None:
    contract = json.loads((ROOT / "generated" / "contract.json").read_text(encoding="utf-8"))

    assert list(contract["webhooks"]) == list(committed_spec()["webhooks"])
