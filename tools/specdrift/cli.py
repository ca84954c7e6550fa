"""The command line: `python -m specdrift BASE REVISION`.

The subcommands `checks` and `diff` have modules of their own. For the others, this module parses
the options, loads both documents, compares them, writes the report, and returns the exit code.
`_compare` shows these steps in order.
"""

from __future__ import annotations

import datetime
import enum
import functools
import os
import sys
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from .checks_command import checks_text
from .comparison.documents import compare_documents
from .comparison.lifecycle import LifecyclePolicy
from .comparison.versions import compare_versions
from .diff_command import DiffOptions, difference_report, parse_diff_options
from .garbage import paused_garbage_collection
from .inputs import document_files, load_documents, selections_of
from .loading import ComparisonError, read_file
from .model.document import TooComplexError, pointer
from .notes import ComparedDocument, notes_of, reject_lost_parts
from .options import Options, parse_options, split_subcommand
from .report.formats import WRITERS
from .report.report import LEVELS, Entry, Report, Verdict, Waiver
from .report.text import write_text
from .rules import ERR, Change
from .severities import USUAL_SEVERITIES, read_severities
from .terminal import visible
from .verdict import advice, verdict
from .waivers import apply_waivers, read_waivers
from .wire import read_findings


class ExitCode(enum.IntEnum):
    """The exit codes of the command line."""

    PASSED = 0
    """No change fails the comparison."""
    FAILED = 1
    """A change has the severity in `--fail-on`, or a waiver is faulty."""
    NOT_COMPARED = 2
    """There is no report."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code.

    Args:
        arguments: the arguments; by default those of the process.
    """
    subcommand, words = split_subcommand(arguments)
    if subcommand == "checks":
        return _print_checks(words)
    if subcommand == "diff":
        return _print_differences(parse_diff_options(words))
    return _compare(parse_options(arguments))


def _print_checks(arguments: Sequence[str]) -> ExitCode:
    try:
        _print(checks_text(arguments))
    except OSError as error:
        return _print_error(str(error))
    return ExitCode.PASSED


def _print_differences(options: DiffOptions) -> ExitCode:
    try:
        report = difference_report(options)
        _print(report.text)
    except (ComparisonError, OSError, MemoryError) as error:
        return _print_error(str(error) or "there is not enough memory for the comparison")
    except Exception as error:
        return _print_unexpected_error(error)
    return ExitCode.FAILED if report.fails else ExitCode.PASSED


def _compare(options: Options) -> ExitCode:
    """Compare two documents, write the report, and return the exit code."""
    output_files: list[Path] = []
    try:
        # Files are removed below, so only those that passed the check may be in the list.
        output_files = _check_output_files(options)
        # A report of an earlier run must not remain if this run fails.
        _remove(output_files)
        with paused_garbage_collection():
            report = create_report(options)
            for format_name, path in options.write:
                path.write_text(WRITERS[format_name](report), encoding="utf-8")
            _print_report(report, options)
    except (ComparisonError, TooComplexError, OSError, MemoryError) as error:
        _remove(output_files)
        # The text of a MemoryError is empty.
        return _print_error(str(error) or "there is not enough memory for the comparison")
    except Exception as error:
        # Python exits with code 1 after an exception, which would read as "something changed".
        _remove(output_files)
        return _print_unexpected_error(error)
    return ExitCode.FAILED if report.fails else ExitCode.PASSED


def _print_error(message: str) -> ExitCode:
    print(f"specdrift: {visible(message)}", file=sys.stderr)
    return ExitCode.NOT_COMPARED


def _print_unexpected_error(error: Exception) -> ExitCode:
    return _print_error(
        f"specdrift failed ({_described(error)}): please report this with the two documents"
    )


def _described(error: Exception) -> str:
    """The class and the text of an unexpected exception, in one line."""
    text = " ".join(str(error).splitlines())
    return f"{type(error).__name__}: {text}"


# Comparison


def create_report(options: Options) -> Report:
    """Load and compare the documents.

    Raises:
        ComparisonError: the documents, waivers or findings cannot be read or compared.
        TooComplexError: the comparison would exceed its limits.
        OSError: a file cannot be read.
    """
    today = datetime.datetime.now(datetime.UTC).date()
    base, revision = load_documents(options)
    document_changes = compare_documents(
        base.nodes,
        revision.nodes,
        within_base=options.within_base,
        selections=selections_of(base, revision, options),
        lifecycle=LifecyclePolicy(
            today, options.deprecation_days_beta, options.deprecation_days_stable
        ),
    )
    reject_lost_parts(base)
    reject_lost_parts(revision)
    # The findings of clients have the same rules and places, so they join the changes below.
    wire_changes = read_findings(options.wire) if options.wire else []
    notes = list(notes_of(base, revision))
    severities = USUAL_SEVERITIES
    if options.severity_levels is not None:
        severities = read_severities(read_file(options.severity_levels))
        notes.append(severities.note(options.severity_levels, [*document_changes, *wire_changes]))
    document_changes = severities.applied_to(document_changes)
    if not options.within_base:
        document_changes += severities.applied_to(
            _version_changes(base, revision, document_changes)
        )
    wire_changes = severities.applied_to(wire_changes)
    waivers = read_waivers(read_file(options.waivers)) if options.waivers else []
    coverage = apply_waivers(
        waivers,
        document_changes=document_changes,
        wire_changes=wire_changes,
        today=today,
    )
    judge = _Judge(base, revision, options)
    entries = [
        judge.entry(change, waiver)
        for change, waiver in zip([*document_changes, *wire_changes], coverage.waivers, strict=True)
    ]
    return Report(
        base=base.loaded,
        revision=revision.loaded,
        entries=tuple(sorted(entries, key=_sort_key)),
        faults=tuple(coverage.faults),
        notes=tuple(notes),
        level=options.level,
        fail_on=options.fail_on,
    )


def _version_changes(
    base: ComparedDocument, revision: ComparedDocument, changes: Sequence[Change]
) -> list[Change]:
    """What is wrong with the version of a revision that breaks clients.

    A base that describes only a part of the revision has a version of its own.
    """
    if not any(change.level == ERR for change in changes):
        return []
    change = compare_versions(base.nodes, revision.nodes)
    return [] if change is None else [change]


class _Judge:
    """Adds to changes where they are and what they mean.

    A change of a component has the same place and meaning in every operation, so both are found
    once.
    """

    def __init__(
        self, base: ComparedDocument, revision: ComparedDocument, options: Options
    ) -> None:
        self._base = base
        self._advises = options.advise
        self._base_source = functools.cache(base.loaded.source)
        self._revision_source = functools.cache(revision.loaded.source)
        self._meanings: dict[Hashable, tuple[Verdict, str]] = {}

    def entry(self, change: Change, waiver: Waiver | None) -> Entry:
        """The entry of a change in the report."""
        located_change = self._with_sources(change)
        # What a verdict depends on. It never depends on the operation.
        key = (change.id, change.level, change.base_pointer, change.revision_pointer, change.name)
        if key not in self._meanings:
            self._meanings[key] = self._meaning(located_change)
        decision, recommendation = self._meanings[key]
        return Entry(located_change, decision, recommendation, waiver)

    def _with_sources(self, change: Change) -> Change:
        """Add the lines of a change.

        Where the changed element does not exist, it is the line of what would contain it. A finding
        of a client has no place in the revision, so there the line of its operation is used.
        """
        method, _, path = change.operation.partition(" ")
        operation_pointer = pointer("paths", path, method.lower()) if path else ""
        container = change.container_pointer or operation_pointer
        return replace(
            change,
            base_source=self._base_source(change.base_pointer or container),
            revision_source=self._revision_source(change.revision_pointer or container),
        )

    def _meaning(self, change: Change) -> tuple[Verdict, str]:
        # The verdict depends on the base, from which the client was generated.
        decision = verdict(change, self._base.nodes)
        recommendation = advice(change, decision.effect) if self._advises else ""
        return decision, recommendation


def _sort_key(entry: Entry) -> tuple[int, bool, str]:
    """The worst severity first, then by operation, with the whole document last."""
    operation = entry.change.operation
    return LEVELS.index(entry.change.level), operation == "", operation


# Output


def _check_output_files(options: Options) -> list[Path]:
    """The files to write. They may be removed, so none of them may be an input."""
    inputs = (
        *document_files(options),
        options.waivers,
        options.wire,
        options.severity_levels,
    )
    output_files = [path for _, path in options.write]
    for output_file in output_files:
        if output_file.is_dir():
            raise ComparisonError(f"{output_file}: is a folder: name a file to write to")
        for input_file in inputs:
            if input_file is not None and _is_same_file(output_file, input_file):
                raise ComparisonError(
                    f"{output_file}: is an input and cannot be written: name another file"
                )
    return output_files


def _is_same_file(output_file: Path, input_file: str | Path) -> bool:
    if not output_file.exists() or not os.path.exists(input_file):
        return False
    return output_file.samefile(input_file)


def _remove(output_files: Sequence[Path]) -> None:
    """Remove regular files. A pipe, a terminal or a link such as /dev/stdout stays."""
    for path in output_files:
        if path.is_file() and not path.is_symlink():
            path.unlink()


def _print_report(report: Report, options: Options) -> None:
    if options.format == "text":
        _print(write_text(report, _wants_colour(options)))
    else:
        _print(WRITERS[options.format](report))


def _wants_colour(options: Options) -> bool:
    if options.colour != "auto":
        return options.colour == "always"
    # https://no-color.org: any value except the empty one disables colours.
    if os.environ.get("NO_COLOR"):
        return False
    return _has_standard_output() and sys.stdout.isatty()


def _print(text: str) -> None:
    if not _has_standard_output():
        raise OSError("there is no standard output to write to")
    # A terminal with a small character set shows escapes instead of failing.
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        # A full disk must raise here, not when the interpreter exits.
        sys.stdout.flush()
    except OSError:
        _discard_standard_output()
        raise


def _discard_standard_output() -> None:
    """Let the interpreter's last flush succeed. Otherwise it exits with status 120."""
    # A standard output that a test replaced has no descriptor.
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _has_standard_output() -> bool:
    # A closed standard output is None, although its type does not allow that.
    return sys.stdout is not None  # pyright: ignore[reportUnnecessaryComparison]
