"""Generate the client in `generated/` from `spec/openapi.yaml`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from specdrift.garbage import paused_garbage_collection
from specdrift.terminal import visible

from .arranged import arrange
from .check import check_spec
from .contract import FILE_NAME, write_contract
from .document import SpecError
from .generate import read_settings, render_package
from .notes import find_notes
from .reading import load_document
from .swap import OutputError, changed_files, check_replaceable, swap_in, temporary_folder
from .unions import UnionBranches
from .verify import verify_package
from .webhooks import write_webhooks

_ROOT = Path(__file__).resolve().parents[2]
SPEC = _ROOT / "spec" / "openapi.yaml"


@dataclass(frozen=True)
class Options:
    """The command line of the generation step."""

    spec: Path
    config: Path
    templates: Path
    output: Path
    check: bool


def main(arguments: list[str] | None = None) -> int:
    """Generate the client, or with `--check` only report whether it is up to date.

    Returns:
        Exit status 0, or 1 if the spec is invalid, the output cannot be written, or `--check` found
        a difference.
    """
    options = _parse_options(arguments)
    try:
        result = run(options)
    except (SpecError, OutputError) as error:
        for line in str(error).splitlines():
            print(f"generate: {visible(line)}", file=sys.stderr)
        print(f"generate: {_display_name(options.output)} is unchanged.", file=sys.stderr)
        return 1
    for note in result.notes:
        print(f"generate: note: {visible(note)}", file=sys.stderr)
    if options.check and result.differences:
        _report_outdated(result.differences)
        return 1
    _report_result(options.output, result.differences)
    return 0


@dataclass(frozen=True)
class Result:
    """What a generation found."""

    differences: list[str]
    """The files of the output that differed from newly generated ones."""
    notes: list[str]
    """What the client leaves out on purpose."""


def run(options: Options) -> Result:
    """Generate into a temporary folder, and replace the output unless `--check` is set.

    Raises:
        SpecError: the spec is invalid, or something got lost. The output is unchanged.
        OutputError: the output cannot be replaced.
    """
    output = options.output
    check_replaceable(output, marker=FILE_NAME)
    with paused_garbage_collection(), temporary_folder(output) as folder:
        package = folder / output.name
        notes = generate(options, package)
        differences = changed_files(output, package)
        if differences and not options.check:
            swap_in(package, output, folder)
    return Result(differences, notes)


def generate(options: Options, package: Path) -> list[str]:
    """Write the client for a spec into a new folder, verified against the spec.

    Returns:
        What the client leaves out on purpose.

    Raises:
        SpecError: the spec is invalid, the generator warned, or something got lost.
    """
    document = load_document(options.spec)
    check_spec(document)

    settings = read_settings(options.config, options.spec, package)
    arranged = arrange(document, settings)
    resources = arranged.resources
    webhooks = arranged.webhooks
    union_branches = UnionBranches(arranged.document, arranged.data, resources, webhooks)
    render_package(document, arranged.data, resources, union_branches, settings, options.templates)
    write_webhooks(webhooks, package)
    write_contract(document, options.spec.read_bytes(), resources, webhooks, package)
    # The generator writes this marker for type checkers (PEP 561) only with packaging files.
    (package / "py.typed").touch()
    verify_package(document, package, resources)
    return find_notes(document)


def _parse_options(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="generate", description=__doc__)
    parser.add_argument("--spec", type=Path, default=SPEC, help="the OpenAPI document")
    parser.add_argument(
        "--config",
        type=Path,
        default=_ROOT / "generator-config.yaml",
        help="the generator's configuration",
    )
    parser.add_argument(
        "--templates",
        type=Path,
        default=_ROOT / "templates",
        help="the folder with our overrides of the generator's templates",
    )
    parser.add_argument(
        "--output", type=Path, default=_ROOT / "generated", help="the package to write"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail if the output is not up to date",
    )
    namespace = parser.parse_args(arguments)
    return Options(
        spec=namespace.spec,
        config=namespace.config,
        templates=namespace.templates,
        # Through symbolic links: the package that a link leads to is replaced, not the link.
        output=namespace.output.resolve(),
        check=namespace.check,
    )


def _report_outdated(differences: Sequence[str]) -> None:
    for difference in differences:
        print(f"not up to date: {visible(difference)}", file=sys.stderr)
    print("Run `make generate` and commit the result.", file=sys.stderr)


def _report_result(output: Path, differences: Sequence[str]) -> None:
    if differences:
        print(f"{_display_name(output)}: changed ({len(differences)} files)")
    else:
        print(f"{_display_name(output)}: up to date")


def _display_name(path: Path) -> str:
    """A path relative to the working directory if it is below it."""
    if path.is_relative_to(Path.cwd()):
        return visible(os.path.relpath(path))
    return visible(str(path))


def _exit_on_signal(number: int, _frame: object) -> None:
    # Raises SystemExit, so that context managers remove the temporary folder.
    sys.exit(128 + number)


def _run_as_program() -> None:
    signal.signal(signal.SIGTERM, _exit_on_signal)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # 128 + SIGINT, as shells report it, without a traceback.
        sys.exit(130)


if __name__ == "__main__":
    _run_as_program()
