"""Adds operations of the vendor's documents to the spec.

    make adopt OPERATION=search-conversation
    make adopt OPERATION="get-contact create-contact" FROM=contacts.json
    make adopt LIST=message

Environment variables:

- `OPERATION`: the operations, as operationIds or as `GET /path`. `all` is every one of `FROM`.
- `FROM`: a published document, as a file or URL, or a folder of documents. Without it, the
  vendor's current document of the conversations API.
- `LIST`: list the operations whose name, path or summary contains this text, or `all`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generate.document import Document, SpecError
from generate.reading import load_document
from project.arguments import ArgumentsError, arguments_from
from project.drift import PUBLISHED_DOCUMENT
from specdrift.garbage import paused_garbage_collection
from specdrift.terminal import visible

from .adoption import Adoption, plan
from .errors import AdoptionError
from .overlay import load_overlay
from .published import read_published
from .report import report
from .selection import (
    PublishedOperation,
    matching_operations,
    published_operations,
    select_operation,
)
from .spec_text import with_additions

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
        _print_operations(matching_operations(documents, options.searched_text))
        return 0
    if not options.operations:
        raise AdoptionError(
            "name an operation, as in `make adopt OPERATION=search-conversation`;"
            " `make adopt LIST=all` lists them"
        )
    if list(options.operations) == [ALL]:
        selected = list(published_operations(documents))
    else:
        selected = [select_operation(documents, name) for name in options.operations]
    spec = load_document(options.spec)
    adoption = plan(selected, spec, options.config)
    if adoption.additions:
        text = options.spec.read_text(encoding="utf-8")
        _write(options.spec, with_additions(text, adoption.additions, str(options.spec)), adoption)
    for line in report(adoption, options.spec.name):
        print(visible(line))
    return 1 if adoption.changes else 0


def _write(path: Path, text: str, adoption: Adoption) -> None:
    """Replace the spec, after a check that the new text says what it should.

    Raises:
        AdoptionError: it does not, or cannot be written.
    """
    temporary = path.with_name(f".{path.name}.adopted")
    try:
        temporary.write_text(text, encoding="utf-8")
        _check_text(load_document(temporary), adoption)
        temporary.replace(path)
    except OSError as error:
        raise AdoptionError(f"{path}: cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_text(written: Document, adoption: Adoption) -> None:
    paths = written.top.child("paths")
    for path, methods in adoption.additions["paths"].items():
        for method, operation in methods.items():
            if paths.child(path, method).value != operation:
                raise AdoptionError(
                    f"{method.upper()} {path}: YAML would not keep a text of this operation"
                )


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
    )


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
