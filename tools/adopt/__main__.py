"""Adds operations of the vendor's documents to the spec.

    make adopt OPERATION=search-conversation
    make adopt OPERATION="get-contact create-contact" FROM=contacts.json
    make adopt OPERATION=search-conversation UPGRADE=1
    make adopt LIST=message

Environment variables:

- `OPERATION`: the operations, as operationIds or as `GET /path`. `all` is every one of `FROM`.
- `FROM`: a published document, as a file or URL, or a folder of documents. Without it, the
  vendor's current document of the conversations API.
- `UPGRADE`: 1 replaces operations that the spec already has by what is published now. Without it,
  they are compared.
- `LIST`: list the operations whose name, path or summary contains this text, or `all`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generate.document import SpecError
from generate.reading import load_document
from project.arguments import ArgumentsError, arguments_from
from project.drift import PUBLISHED_DOCUMENT
from specdrift.garbage import paused_garbage_collection
from specdrift.terminal import visible

from .adoption import plan
from .errors import AdoptionError
from .overlay import load_overlay
from .published import PublishedDocument, read_published
from .report import report
from .selection import (
    PublishedOperation,
    matching_operations,
    published_operations,
    select_operation,
)
from .spec_text import Edit, is_same
from .writing import write_spec

_ROOT = Path(__file__).resolve().parents[2]

ALL = "all"


@dataclass(frozen=True)
class Options:
    """What to adopt, from where, and into which spec."""

    operations: Sequence[str]
    searched_text: str | None
    source: str
    spec: Path
    overlay: Path
    config: Path
    upgrade: bool


def main(arguments: list[str] | None = None) -> int:
    """List operations, or adopt some.

    Returns:
        Exit status 0; 1 if nothing was adopted because of an error, or because the published
        operation differs from that of the spec.
    """
    try:
        options = _parse_options(arguments)
        with paused_garbage_collection():
            return _run(options)
    except (AdoptionError, ArgumentsError, SpecError) as error:
        for line in str(error).splitlines():
            print(f"adopt: {visible(line)}", file=sys.stderr)
        print("adopt: the spec is unchanged.", file=sys.stderr)
        return 1


def _run(options: Options) -> int:
    documents = read_published(options.source, load_overlay(options.overlay))
    if options.searched_text is not None:
        matching = matching_operations(documents, options.searched_text)
        if not matching:
            raise AdoptionError(
                f"{options.source} has no operation whose name, path or summary contains"
                f" {options.searched_text!r}. `make adopt LIST=all` lists all"
            )
        _print_operations(matching)
        return 0
    if not options.operations:
        raise AdoptionError(
            "name an operation, as in `make adopt OPERATION=search-conversation`;"
            " `make adopt LIST=all` lists them"
        )
    selected = _selected(documents, options.operations)
    spec = load_document(options.spec)
    adoption = plan(selected, spec, options.config, upgrade=options.upgrade)
    edits: Sequence[Edit] = ()
    if not is_same(adoption.root, spec.root):
        edits = write_spec(spec, adoption.root)
    for line in report(adoption, edits, options.spec.name):
        print(visible(line))
    return 1 if adoption.has_unadopted_changes else 0


def _selected(
    documents: Sequence[PublishedDocument], names: Sequence[str]
) -> list[PublishedOperation]:
    if ALL in names:
        return list(published_operations(documents))
    selected: list[PublishedOperation] = []
    errors: list[str] = []
    for name in names:
        try:
            selected.append(select_operation(documents, name))
        except AdoptionError as error:
            errors.append(str(error))
    if errors:
        raise AdoptionError("\n".join(errors))
    return selected


def _print_operations(operations: Sequence[PublishedOperation]) -> None:
    width = max((len(item.name) for item in operations), default=0)
    for item in operations:
        line = f"{item.name:{width}}  {item.operation.label}"
        print(visible(f"{line}  {item.summary}".rstrip()))


def _parse_options(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="adopt",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    environment = os.environ
    parser.add_argument("operation", nargs="*", help="operationIds, `GET /path`, or `all`")
    parser.add_argument(
        "--list",
        metavar="TEXT",
        nargs="?",
        const=ALL,
        default=environment.get("LIST") or None,
        help="list the operations that contain a text",
    )
    parser.add_argument(
        "--from",
        dest="source",
        default=environment.get("FROM") or PUBLISHED_DOCUMENT,
        help="a published document, or a folder of documents",
    )
    parser.add_argument(
        "--upgrade",
        action="store_true",
        default=_flag(environment, "UPGRADE"),
        help="replace operations that the spec already has by what is published now",
    )
    parser.add_argument("--spec", type=Path, default=_ROOT / "spec" / "openapi.yaml")
    parser.add_argument("--overlay", type=Path, default=_ROOT / "spec" / "vendor-overlay.yaml")
    parser.add_argument("--config", type=Path, default=_ROOT / "generator-config.yaml")
    namespace = parser.parse_args(arguments)
    operations: list[str] = namespace.operation
    if not operations:
        operations = _with_paths(arguments_from("OPERATION"))
    searched_text = namespace.list
    if searched_text == ALL:
        searched_text = ""
    return Options(
        operations=operations,
        searched_text=searched_text,
        source=namespace.source,
        spec=namespace.spec,
        overlay=namespace.overlay,
        config=namespace.config,
        upgrade=namespace.upgrade,
    )


def _flag(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "")
    if value not in ("", "0", "1"):
        raise AdoptionError(f"{name} is neither 0 nor 1: make adopt OPERATION=… {name}=1")
    return value == "1"


def _with_paths(words: Sequence[str]) -> list[str]:
    """The operations among some words. `GET /path` is one, although it contains a space."""
    operations: list[str] = []
    for word in words:
        if operations and word.startswith("/"):
            operations[-1] += f" {word}"
        else:
            operations.append(word)
    return operations


if __name__ == "__main__":
    sys.exit(main())
