"""`make diff` after a change of the spec: additions are no breaking changes, removals are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from generate.__main__ import main
from project.surface import surface_changes

from tests.generate.samples import GENERATED, edited
from tests.support.paths import ROOT

PROPERTY = "        starred:\n          type: boolean\n          description: Starred status"
ASSIGNED_TO = """\
        assignedTo:
          type: string
          description: Assigned User ID as string
          example: tDtDnQdgm2LXpyiqYvZ6
"""
USER_ID = """\
        userId:
          type: string
          description: User ID as string
          example: tDtDnQdgm2LXpyiqYvZ6
"""
VERSION = '        - $ref: "#/components/parameters/Version"\n'

ADDITIONS: dict[str, tuple[tuple[str, str], ...]] = {
    # name: replacements in the spec
    "an optional property in the middle of a response": (
        (
            "        inbox:\n          type: boolean\n",
            "        snoozed:\n          type: boolean\n        inbox:\n          type: boolean\n",
        ),
    ),
    "an optional property in the middle of a request": (
        (PROPERTY, f"        note:\n          type: string\n{PROPERTY}"),
    ),
    "an optional property in the middle of an error": (
        (
            "        message:\n          type: array\n",
            "        code:\n          type: string\n        message:\n          type: array\n",
        ),
    ),
    "properties in another order": ((ASSIGNED_TO + USER_ID, USER_ID + ASSIGNED_TO),),
    "an enum value in the middle": (
        ("        - TYPE_EMAIL\n", "        - TYPE_PIGEON\n        - TYPE_EMAIL\n"),
    ),
    "an optional parameter in the middle": (
        (VERSION, f"        - {{name: dry, in: query, schema: {{type: boolean}}}}\n{VERSION}"),
    ),
    "another description": (("Location ID as string", "The sub-account"),),
}

BREAKS: dict[str, tuple[tuple[str, str], str]] = {
    # name: a replacement in the spec, the expected kind and place
    "a removed property": (
        ("        inbox:\n          type: boolean\n", "        seen:\n          type: boolean\n"),
        "removed leadconnector.models.Conversation.inbox",
    ),
    "a removed enum value": (
        ("        - TYPE_EMAIL\n", ""),
        "removed leadconnector.models.LastMessageType.TYPE_EMAIL",
    ),
    "a property of a request that became required": (
        ("required: [locationId]", "required: [locationId, starred]"),
        "parameter-became-required leadconnector.models.UpdateConversationRequest.__init__",
    ),
    "a required parameter": (
        (
            VERSION,
            "        - {name: dry, in: query, required: true, schema: {type: string}}\n" + VERSION,
        ),
        "parameter-added leadconnector.LeadConnector.conversations.update_conversation",
    ),
    "another type of a request's property": (
        (PROPERTY, PROPERTY.replace("boolean", "string")),
        "attribute-type-changed leadconnector.models.UpdateConversationRequest.starred",
    ),
}


def checkout(folder: Path, spec: str | None = None) -> Path:
    """The client in a folder, with the generated code of a spec or the committed one."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "overrides", folder / "overrides", symlinks=True, ignore=ignored)
    if spec is None:
        shutil.copytree(GENERATED, folder / "generated", ignore=ignored)
        return folder
    (folder / "spec.yaml").write_text(spec, encoding="utf-8")
    output = folder / "generated"
    assert main(["--spec", str(folder / "spec.yaml"), "--output", str(output)]) == 0
    return folder


@pytest.mark.parametrize("name", ADDITIONS)
def test_an_addition_in_the_middle_breaks_nobody(tmp_path: Path, name: str) -> None:
    base = checkout(tmp_path / "base")
    revision = checkout(tmp_path / "revision", edited(*ADDITIONS[name]))

    changes = surface_changes(base, revision)

    assert [str(change) for change in changes if change.severity != "INFO"] == []


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_still_an_error(tmp_path: Path, name: str) -> None:
    replacement, expected = BREAKS[name]
    base = checkout(tmp_path / "base")
    revision = checkout(tmp_path / "revision", edited(replacement))

    changes = surface_changes(base, revision)

    errors = [f"{change.kind} {change.path}" for change in changes if change.severity != "INFO"]
    assert expected in errors
