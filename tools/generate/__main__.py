"""`python -m generate`: run the generator, compare its output with the spec, and swap it in, or leave all as it was."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from .contract import FILE_NAME
from .document import SpecError
from .generate import generate
from .swap import compare, swap_in, workplace

_ROOT = Path(__file__).resolve().parents[2]
SPEC = _ROOT / "spec" / "openapi.yaml"


def main(arguments: list[str] | None = None) -> int:
    """Generate, or with `--check` say whether what is there is in step. Exit status 0, or 1 with the reason."""
    parser = argparse.ArgumentParser(prog="generate", description=__doc__)
    parser.add_argument("--spec", type=Path, default=SPEC, help="the OpenAPI document")
    parser.add_argument(
        "--config",
        type=Path,
        default=_ROOT / "generator-config.yaml",
        help="the generator's settings",
    )
    parser.add_argument(
        "--templates", type=Path, default=_ROOT / "templates", help="overrides of its templates"
    )
    parser.add_argument(
        "--output", type=Path, default=_ROOT / "generated", help="the package to write"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the output is out of step"
    )
    options = parser.parse_args(arguments)
    output: Path = options.output.resolve()
    try:
        if output.exists() and not (output / FILE_NAME).is_file():
            raise SpecError(
                f"{output}: is there, and is no output of this step; it will not be replaced"
            )
        with workplace(output) as folder:
            new = folder / output.name
            generate(options.spec, options.config, options.templates, new)
            differences = compare(output, new)
            if options.check:
                for difference in differences:
                    print(f"out of step: {difference}", file=sys.stderr)
                if differences:
                    print("Run `make generate` and commit the result.", file=sys.stderr)
                    return 1
            elif differences:
                swap_in(new, output, folder)
    except SpecError as error:
        print(f"generate: {error}", file=sys.stderr)
        print(f"generate: {_shown(output)} is as it was.", file=sys.stderr)
        return 1
    verb = "changed" if differences else "in step"
    print(f"{_shown(output)}: {verb}{f' ({len(differences)} files)' if differences else ''}")
    return 0


def _shown(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _end(number: int, frame: object) -> None:
    sys.exit(128 + number)  # an exception, so that what was begun is cleared away


def _run() -> None:
    signal.signal(signal.SIGTERM, _end)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    _run()
