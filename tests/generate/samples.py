"""The committed spec as text, edits of it, and comparisons of generated folders."""

from __future__ import annotations

from pathlib import Path

from tests.support.paths import ROOT

SPEC = ROOT / "spec" / "openapi.yaml"
SPEC_TEXT = SPEC.read_text(encoding="utf-8")
GENERATED = ROOT / "generated"

SECOND_OPERATION = """\
  /contacts/{{contactId}}:
    get:
      operationId: {operation_id}
      tags: [Conversations]
      parameters:
        - {{name: contactId, in: path, required: true, schema: {{type: string}}}}
      responses:
        "204":
          description: Nothing

components:
"""


def edited(*edits: tuple[str, str]) -> str:
    """The text of the spec after replacements, each of which must apply."""
    text = SPEC_TEXT
    for existing, replacement in edits:
        assert existing in text
        text = text.replace(existing, replacement, 1)
    return text


def with_second_operation(operation_id: str) -> str:
    """The text of the spec with a second operation."""
    return edited(("components:\n", SECOND_OPERATION.format(operation_id=operation_id)))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, byte for byte, except Python's caches."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def identities(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and modification time by path: both reveal a file that is written again unchanged."""
    identity_by_path: dict[str, tuple[int, int]] = {}
    for path in [folder, *folder.rglob("*")]:
        if "__pycache__" in path.parts:
            continue
        status = path.stat()
        # Python changes a folder's time when it writes its cache there.
        modified_at = status.st_mtime_ns if path.is_file() else 0
        identity_by_path[str(path)] = (status.st_ino, modified_at)
    return identity_by_path
