"""Makes packages with many operations, whose time to the first client is measured."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.compare.clients import ROOT, SPEC

PATH = "/conversations/{conversationId}"
OPERATIONS_OF_A_TAG = 10
"""The vendor's documents have about as many operations in one tag."""


class GenerationError(Exception):
    """The generation step failed. The message has its output."""


def grown_document(document: dict[str, Any], operations: int) -> dict[str, Any]:
    """The spec with copies of its operation, each with schemas of its own.

    Args:
        document: the spec.
        operations: how many operations the result has.
    """
    grown = copy.deepcopy(document)
    for number in range(1, operations):
        names = [*document["components"]["schemas"]]
        text = json.dumps(document["paths"][PATH])
        schemas = json.dumps(document["components"]["schemas"])
        for name in names:
            reference = f'"#/components/schemas/{name}"'
            replacement = f'"#/components/schemas/{name}{number}"'
            text = text.replace(reference, replacement)
            schemas = schemas.replace(reference, replacement)
        item = json.loads(text)
        operation = item["put"]
        operation["operationId"] = f"{operation['operationId']}-{number}"
        operation["tags"] = [f"Group {number // OPERATIONS_OF_A_TAG}"]
        grown["paths"][f"/group{number}/{{conversationId}}"] = item
        for name, schema in json.loads(schemas).items():
            grown["components"]["schemas"][f"{name}{number}"] = schema
    return grown


def generate(folder: Path, operations: int) -> float:
    """Write the client with this number of operations to a folder. Returns the seconds.

    Raises:
        GenerationError: the generation step failed.
    """
    document = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    spec = folder / "spec.yaml"
    text = yaml.safe_dump(grown_document(document, operations), sort_keys=False)
    spec.write_text(text, encoding="utf-8")
    package = folder / "leadconnector"
    ignored = shutil.ignore_patterns("_generated", "__pycache__")
    shutil.copytree(ROOT / "overrides" / "leadconnector", package, ignore=ignored)
    output = package / "_generated"
    command = [sys.executable, "-m", "generate", "--spec", str(spec), "--output", str(output)]
    start = time.perf_counter()
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise GenerationError(result.stderr.strip()[-500:])
    seconds = time.perf_counter() - start
    # As an installation does.
    compile_command = [sys.executable, "-m", "compileall", "-q", str(package)]
    subprocess.run(compile_command, check=False)
    return seconds
