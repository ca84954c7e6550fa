"""Compares the spec with the documents that the vendor publishes: `make drift`.

Environment variables:

- `UPSTREAM`: what to compare with, instead of both published documents. `v2` or `v3` is one of
  them. A folder, or a URL that ends with a slash, is a copy of the vendor's repository with both
  documents. Anything else is a document: a file or a URL.
- `UPSTREAM_ROOT`: the folder or URL below which a document's references are read.
- `REPORT`: a folder for the report of a nightly job: see `drift_report`.
- `ARGS`: further arguments for specdrift.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from . import drift_report
from .arguments import ArgumentsError, arguments_from
from .processes import FAILED, run
from .report_folder import IncompleteReportError

SPEC = "spec/openapi.yaml"

STANDARD_OUTPUT = 1
"""The file descriptor."""

PUBLISHED_FOLDER = "https://raw.githubusercontent.com/GoHighLevel/highlevel-api-docs/main/"
"""The vendor's repository of API descriptions."""


@dataclass(frozen=True)
class PublishedDocument:
    """One of the vendor's descriptions of the conversations API."""

    name: str
    """The version of the vendor's API reference that it belongs to."""
    path: str
    """The path in the vendor's repository."""
    waivers: str
    """The file with the accepted differences."""
    replacements: Mapping[str, str]
    """Files to read for references that lead nowhere, as paths from the document.

    No path leads up, so each file is in the document's folder or below it.
    """

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


V2 = PublishedDocument(
    name="v2",
    path="apps/conversations.json",
    waivers="drift-waivers.yaml",
    replacements=MappingProxyType({}),
)

V3 = PublishedDocument(
    name="v3",
    path="apps/v3/conversations-v3.json",
    waivers="drift-waivers-v3.yaml",
    # The reference was right before the document moved into the folder `v3`, which has its own
    # common schemas. Without it, every error response of v3 would be unknown.
    replacements=MappingProxyType({"../common/common-schemas.json": "common/common-schemas.json"}),
)

DOCUMENTS = (V2, V3)

PUBLISHED_DOCUMENT = PUBLISHED_FOLDER + V2.path
"""The document for the current version of the API."""

TEXT_FORMATS = ("text", "markdown", "github")
"""The formats of specdrift of which several reports can follow each other."""


@dataclass(frozen=True)
class Comparison:
    """A comparison of the spec with one document."""

    document: PublishedDocument
    """The published document that the other one is, or is an edition of."""
    source: str
    """Where the document is read from: a file, `REVISION:PATH` in git, or a URL."""

    def arguments(self, root: str, additional: Sequence[str]) -> list[str]:
        """The arguments of specdrift.

        Args:
            root: the folder or URL below which references are read. If it is empty, the one that
                `root_of` returns.
            additional: the user's arguments. They follow the others, so that they win.
        """
        arguments = [SPEC, self.source]
        # The vendor's document has many operations that the spec leaves out on purpose.
        arguments += ["--within-base", "--advise"]
        arguments += ["--waivers", self.document.waivers]
        for reference, path in self.document.replacements.items():
            arguments += ["--map", f"{reference}={self._beside_the_document(path)}"]
        arguments += ["--root", root or root_of(self.source)]
        return [*arguments, *additional]

    def _beside_the_document(self, path: str) -> str:
        return place_of(self.source).removesuffix(self.document.file_name) + path


class UnsupportedFormatError(Exception):
    """The arguments ask for output that has room for one comparison only."""


def main() -> int:
    """Compare with one document, or with each of several under its name.

    Returns:
        The worst exit status of specdrift: 0, 1 for differences, or 2 if a comparison failed.
        2 also for invalid `ARGS`. With `REPORT`, 0 for differences as well.
    """
    folder = os.environ.get("REPORT", "")
    try:
        if folder:
            # Before anything else: after any failure, there is no report of an earlier run.
            names = [document.name for document in DOCUMENTS]
            drift_report.prepare(Path(folder), names)
        return compare(folder)
    except (ArgumentsError, UnsupportedFormatError, IncompleteReportError) as error:
        print(error, file=sys.stderr)
        return FAILED
    except OSError as error:
        place = error.filename or "standard output"
        print(f"{place}: cannot be written: {error.strerror}", file=sys.stderr)
        return FAILED


def compare(folder: str) -> int:
    """Compare as the environment variables say.

    Args:
        folder: the folder of the report; empty without one.

    Returns:
        The exit status of `main`.

    Raises:
        ArgumentsError: `ARGS` is invalid.
        UnsupportedFormatError: so is the format in it.
        IncompleteReportError: a comparison has passed without its part of the report.
        OSError: the folder or standard output cannot be written.
    """
    comparisons = comparisons_with(os.environ.get("UPSTREAM", ""))
    root = os.environ.get("UPSTREAM_ROOT", "")
    arguments = arguments_from("ARGS")
    if len(comparisons) > 1:
        check_that_reports_can_follow_each_other(arguments)
    if folder:
        return write_report(comparisons, root, arguments, Path(folder))
    if len(comparisons) == 1:
        return run("specdrift", *comparisons[0].arguments(root, arguments))
    return max(compare_under_its_name(item, root, arguments) for item in comparisons)


def write_report(
    comparisons: Sequence[Comparison], root: str, arguments: Sequence[str], folder: Path
) -> int:
    """Compare with each document, and write the report of a nightly job.

    Returns:
        0, also for differences; 2 or more if a comparison failed.

    Raises:
        IncompleteReportError: a comparison has passed without its part of the report.
        OSError: the folder or standard output cannot be written.
    """
    statuses: dict[str, int] = {}
    for comparison in comparisons:
        name = comparison.document.name
        options = drift_report.options(folder, name)
        statuses[name] = compare_under_its_name(comparison, root, [*arguments, *options])
    return drift_report.finish(folder, statuses)


def compare_under_its_name(comparison: Comparison, root: str, arguments: Sequence[str]) -> int:
    """Print a heading with the name of the document, and run specdrift.

    Returns:
        The exit status of specdrift.

    Raises:
        OSError: standard output is closed or full.
    """
    name = comparison.document.name
    prefix = "# " if output_options(arguments).format == "markdown" else ""
    write_output(f"{prefix}Document {name}\n\n")
    status = run("specdrift", *comparison.arguments(root, arguments))
    if status >= FAILED:
        write_output(f"The document {name} was not compared. Standard error has the reason.\n")
    write_output("\n")
    return status


def write_output(text: str) -> None:
    """Write to standard output at once: specdrift writes to it as well.

    Python's own buffer would keep a text that cannot be written, and fail again at the exit, with
    another exit status.

    Raises:
        OSError: standard output is closed or full.
    """
    os.write(STANDARD_OUTPUT, text.encode())


def comparisons_with(upstream: str) -> list[Comparison]:
    """The comparisons that a value of `UPSTREAM` stands for; with both documents if it is empty."""
    if not upstream:
        return comparisons_below(PUBLISHED_FOLDER)
    for document in DOCUMENTS:
        if upstream == document.name:
            return [Comparison(document, PUBLISHED_FOLDER + document.path)]
    if upstream.endswith("/") or os.path.isdir(upstream):
        return comparisons_below(upstream)
    return [Comparison(published_document_of(upstream), upstream)]


def comparisons_below(folder: str) -> list[Comparison]:
    """The comparisons with both documents of a copy of the vendor's repository."""
    prefix = f"{folder.removesuffix('/')}/"
    return [Comparison(document, prefix + document.path) for document in DOCUMENTS]


def published_document_of(source: str) -> PublishedDocument:
    """The published document that a source has the name of; that for v2 with any other name."""
    for document in DOCUMENTS:
        if place_of(source).endswith(document.file_name):
            return document
    return V2


def place_of(source: str) -> str:
    """A source without the query of a URL, which may contain a token."""
    if "://" not in source:
        return source
    return source.partition("?")[0]


def root_of(upstream: str) -> str:
    """The folder or URL below which a document's references are read.

    The vendor's repository has the documents in `apps/` and `apps/v3/`, and shared schemas in
    `common/`. So the root is the folder above `apps`. For a document elsewhere it is the document's
    folder.
    """
    folder, separator, _ = place_of(upstream).rpartition("/")
    if not separator:
        return "./"
    folder = f"{folder}/"
    for document in DOCUMENTS:
        suffix = f"/{document.path.removesuffix(document.file_name)}"
        if f"/{folder}" == suffix:
            return "./"
        if folder.endswith(suffix):
            return folder.removesuffix(suffix) or "/"
    return folder


def output_options(arguments: Sequence[str]) -> argparse.Namespace:
    """The options about the output among the arguments of specdrift: `format` and `write`."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--format", default="text")
    parser.add_argument("--write")
    try:
        options, _ = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError:
        # An option without its value. specdrift reports it.
        return argparse.Namespace(format="text", write=None)
    return options


def check_that_reports_can_follow_each_other(arguments: Sequence[str]) -> None:
    """Reject arguments with which the second report would break or replace the first.

    Raises:
        UnsupportedFormatError: the arguments ask for a file, or for a format that is a single
            document, such as JSON.
    """
    options = output_options(arguments)
    if options.write is not None:
        raise UnsupportedFormatError(
            f"--write {options.write}: the reports of both documents would go to one file:"
            " add UPSTREAM=v2 or UPSTREAM=v3"
        )
    if options.format not in TEXT_FORMATS:
        raise UnsupportedFormatError(
            f"--format {options.format}: the reports of both documents cannot be in one output:"
            f" add UPSTREAM=v2 or UPSTREAM=v3, or use one of {', '.join(TEXT_FORMATS)}"
        )


if __name__ == "__main__":
    sys.exit(main())
