"""Generates the client in the environment of a candidate, and writes what happened to a file.

A program of its own, because the candidate's packages must not be mixed with the installed ones.
Whatever the candidate raises is the result of the preview, and no failure of it.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path

GENERATION_STEP = Path(__file__).resolve().parents[2] / "generate"


def main() -> None:
    """Generate, and write `{"problem": …, "place": …}` as JSON. Both are empty after a success.

    The arguments are the spec, the configuration, the templates, the package to write, and the
    file to write the result to.
    """
    spec, config, templates, package, result = map(Path, sys.argv[1:])
    problem = ""
    place = ""
    try:
        generate_package(spec, config, templates, package)
    except Exception as error:
        problem = problem_of(error)
        place = place_of(error)
    result.write_text(json.dumps({"problem": problem, "place": place}), encoding="utf-8")


def generate_package(spec: Path, config: Path, templates: Path, package: Path) -> None:
    """Run the generation step of this checkout."""
    # Here, because the import fails if a name that the step uses is gone.
    from generate.__main__ import Options, generate  # noqa: PLC0415

    generate(Options(spec, config, templates, output=package, check=False), package)


def problem_of(error: Exception) -> str:
    """An exception in words: its message, and its type unless the generation step raised it."""
    if type(error).__name__ == "SpecError":
        return str(error)
    return f"{type(error).__name__}: {error}"


def place_of(error: Exception) -> str:
    """The line of the generation step that used the generator. Empty if it raised the error itself.

    For example, `generator_api.py:17` if an attribute is gone.
    """
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    frames = traceback.extract_tb(cause.__traceback__)
    if type(cause).__name__ == "SpecError":
        return ""
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(GENERATION_STEP):
            return f"{path.relative_to(GENERATION_STEP)}:{frame.lineno}"
    return ""


if __name__ == "__main__":
    main()
