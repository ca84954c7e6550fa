"""The command line: `python -m specdrift BASE REVISION`."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from .comparison.documents import compare_documents
from .loading import ComparisonError, Loaded, load, read
from .model.document import Document, TooComplexError, pointer
from .report.formats import FORMS, text
from .report.report import LEVELS, Entry, Report
from .rules import Change, Level
from .verdict import advice, verdict
from .waivers import waived, waivers
from .wire import findings

_DESCRIPTION = """\
Says what changed from one OpenAPI document to another, what that means for those who keep to the contract, and what for
a client that was generated from the first.

Exit code: 0, nothing of the level to fail on; 1, something, or a waiver that is past its day or covers nothing;
2, the two could not be compared: there is no report then."""


class _Options(argparse.Namespace):
    base: str
    revision: str
    within_base: bool
    advise: bool
    fail_on: Level
    waivers: str | None
    wire: Path | None
    format: str
    write: list[tuple[str, Path]]
    colour: str
    root: list[str]
    map: list[tuple[str, str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and write the report in each form that is asked for; gives the exit code."""
    options = _parser().parse_args(arguments, _Options())
    outputs = list[Path]()
    try:
        outputs += _checked([path for _, path in options.write], options)
        # First: what an earlier run wrote must not be taken for what this one found.
        _remove(outputs)
        report = _compared(options)
        for form, path in options.write:
            path.write_text(FORMS[form](report), encoding="utf-8")
        colour = options.colour == "always" or (options.colour == "auto" and _is_colourful())
        _print(text(report, colour) if options.format == "text" else FORMS[options.format](report))
    except (ComparisonError, TooComplexError, OSError, MemoryError) as error:
        _remove(outputs)
        print(
            f"specdrift: {error or 'there is not enough memory to compare them'}", file=sys.stderr
        )
        return 2
    return 1 if report.fails(options.fail_on) else 0


def _checked(outputs: Sequence[Path], options: _Options) -> Sequence[Path]:
    """Where to write to, if all of that may be removed and written: what is read must not."""
    for output in outputs:
        if output.is_dir():
            raise ComparisonError(f"{output}: is a folder: name a file to write to")
        for name in (options.base, options.revision, options.waivers, options.wire):
            if (
                name is not None
                and output.exists()
                and os.path.exists(name)
                and output.samefile(name)
            ):
                raise ComparisonError(
                    f"{output}: is read, and cannot be written as well: name another file"
                )
    return outputs


def _remove(outputs: Sequence[Path]) -> None:
    """Remove files that were written, or are to be; what is none, such as a pipe or a terminal, stays."""
    for path in outputs:
        if path.is_file() and not path.is_symlink():
            path.unlink()


def _print(told: str) -> None:
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]  # it may be closed
        raise OSError("there is no standard output to write to")
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(told.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="specdrift", description=_DESCRIPTION, formatter_class=kind
    )
    add = parser.add_argument
    add("base", metavar="BASE", help="the older document: a file, REVISION:PATH in git, or a URL")
    add("revision", metavar="REVISION", help="the newer one")
    add(
        "--within-base",
        action="store_true",
        help="leave out the operations that the base does not have",
    )
    add(
        "--advise",
        action="store_true",
        help="say what to do, where the base is ours and the revision the API's own",
    )
    add(
        "--fail-on",
        choices=LEVELS,
        default="ERR",
        help="the least level that makes the exit code 1 (default: ERR)",
    )
    add("--waivers", metavar="FILE", help="the differences that are known")
    add(
        "--wire",
        type=Path,
        metavar="FILE",
        help="tell as well what clients found: a finding in each line, as JSON",
    )
    add("--format", choices=FORMS, default="text", help="what is printed (default: text)")
    add(
        "--write",
        action="append",
        default=[],
        type=_form,
        metavar="FORM=FILE",
        help="write the report to a file, too",
    )
    add(
        "--colour",
        choices=("auto", "always", "never"),
        default="auto",
        help="of the text (default: on a terminal)",
    )
    add(
        "--root",
        action="append",
        default=[],
        metavar="PLACE",
        help="read references from a folder or URL as well",
    )
    told = "read a file that references name from another place; with no PLACE, compare them by their text"
    add(
        "--map",
        action="append",
        default=[],
        type=_replacement,
        metavar="REFERENCE=PLACE",
        help=told,
    )
    return parser


def _form(given: str) -> tuple[str, Path]:
    form, _, path = given.partition("=")
    if form not in FORMS or not path:
        raise argparse.ArgumentTypeError(
            f"{given!r} is not FORM=FILE, where FORM is {', '.join(FORMS)}"
        )
    return form, Path(path)


def _replacement(given: str) -> tuple[str, str]:
    reference, equals, place = given.partition("=")
    if not reference or not equals:
        raise argparse.ArgumentTypeError(f"{given!r} is not REFERENCE=PLACE")
    return reference, place


def _is_colourful() -> bool:
    """Whether somebody sees colours; https://no-color.org says what the variable means."""
    return bool(sys.stdout and sys.stdout.isatty()) and not os.environ.get("NO_COLOR")


def _compared(options: _Options) -> Report:
    sources, replacements = (options.base, options.revision), dict(options.map)
    base, revision = (
        load(source, roots=options.root, replacements=replacements) for source in sources
    )
    documents = Document(base.document, base.files), Document(revision.document, revision.files)
    if options.within_base and not base.document.get("paths"):
        raise ComparisonError(
            f"{base.name}: has no `paths`, so that there is nothing to compare within it"
        )
    try:
        found = compare_documents(*documents, within_base=options.within_base)
    except (ComparisonError, TooComplexError):
        raise
    except Exception as error:  # a mistake of ours must not read as a report, as exit code 1 would
        told = f"{type(error).__name__}: {error}"
        raise ComparisonError(
            f"specdrift failed ({told}): please report this with the two documents"
        ) from error
    wire = findings(options.wire) if options.wire else []
    known = waivers(read(options.waivers)) if options.waivers else []
    today = datetime.datetime.now(datetime.UTC).date()
    covering, faults = waived(found, wire, known, today)
    entries = list[Entry]()
    for change, waiver in zip([*found, *wire], covering, strict=True):
        placed = _placed(change, base, revision)
        meaning = verdict(placed, documents[0])
        entries.append(
            Entry(placed, meaning, advice(placed, meaning.effect) if options.advise else "", waiver)
        )
    entries.sort(key=_order)
    for side, document in zip((base, revision), documents, strict=True):
        side.note(document.dangling)
    notes = [*base.notes, *revision.notes, *_left_out(base, revision)]
    return Report(base, revision, tuple(entries), tuple(faults), tuple(notes))


def _left_out(base: Loaded, revision: Loaded) -> Iterator[str]:
    """What of the documents is not compared, so that nobody takes it for what did not change."""
    for side in (base, revision):
        if not side.document.get("paths"):
            yield f"{side.name} has no `paths`"
        if "$dynamicRef" in side.text(side.name):
            yield f"{side.name} has `$dynamicRef`, which is not followed"
        if str(side.document["openapi"]).startswith("3.2"):
            yield f"{side.name} is OpenAPI 3.2, and compared as 3.1: what is new in 3.2 is left out"
    for key in ("servers", "webhooks"):
        if base.document.get(key) != revision.document.get(key):
            yield f"`{key}` differ, and are not compared"


def _placed(change: Change, base: Loaded, revision: Loaded) -> Change:
    """A change with its lines; where it is not there on one side, that of its operation."""
    method, _, path = change.operation.partition(" ")
    around = pointer("paths", path, method.lower()) if path else ""
    return replace(
        change,
        base_source=base.source(change.base_pointer or around),
        revision_source=revision.source(change.revision_pointer or around),
    )


def _order(entry: Entry) -> tuple[int, bool, str]:
    """The worst first, and what is about the whole document last."""
    return LEVELS.index(entry.change.level), not entry.change.operation, entry.change.operation
