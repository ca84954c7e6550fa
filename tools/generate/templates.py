"""Reports when upstream changes a template that one of ours overrides.

`make check` runs it as `python -m generate.templates`, and `make templates` with `--record`.

An override replaces upstream's template as a whole, or depends on single lines of it. So an upgrade
of the generator can make it wrong without an error. `templates/based_on/` contains each overridden
template as upstream wrote it when ours was last reviewed. That is compared with the installed
generator.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

from specdrift.terminal import visible

from .swap import OutputError, changed_files, check_replaceable, swap_in, temporary_folder

GENERATOR = "openapi-python-client"
RECORD_FOLDER = "based_on"
RECORD_FILE = "record.json"
LICENSE_FILE = "LICENSE"

_TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


class RecordError(Exception):
    """Templates or their record cannot be read. The message says why."""


class Problem(Enum):
    """Why an override needs a review. The value says it in a sentence."""

    CHANGED = "upstream changed the template that this one overrides"
    REMOVED = "upstream no longer has the template that this one overrides: it has no effect"
    SHADOWS = "upstream now has a template of this name, which this one replaces"
    UNUSED = "upstream has no template of this name, and no template includes it: it has no effect"
    NOT_RECORDED = "it is not in the record of upstream templates"
    DELETED = "it is in the record of upstream templates, but does not exist"
    DAMAGED = "its upstream template in the record was edited or is missing"


@dataclass(frozen=True)
class Review:
    """An override that needs a review."""

    name: str
    """The path of the template below `templates/`."""
    problem: Problem
    diff: tuple[str, ...] = ()
    """The lines of a diff of upstream's template, for `CHANGED`, `REMOVED` and `SHADOWS`."""


@dataclass(frozen=True)
class Record:
    """The upstream templates on which our overrides are based."""

    version: str
    """The version of the generator that they come from."""
    texts: Mapping[str, str | None]
    """The upstream template of each override; None for a template of our own."""
    damaged: frozenset[str]
    """The overrides whose upstream template does not have the recorded hash."""


@dataclass(frozen=True)
class UpstreamTemplates:
    """The templates of one version of the generator."""

    version: str
    texts: Mapping[str, str]
    """The text of each template by its name."""


def main(arguments: list[str] | None = None) -> int:
    """Compare the record with the installed generator, or with `--record` write it.

    Returns:
        Exit status 0; 1 if an override needs a review; 2 if the record cannot be read or written.
    """
    options = _parse_options(arguments)
    try:
        upstream = installed_templates()
        if options.record:
            return _write_and_report(options.templates, upstream)
        reviews = compare_templates(options.templates, upstream)
    except (RecordError, OutputError) as error:
        print(f"templates: {visible(str(error))}", file=sys.stderr)
        return 2
    if not reviews:
        print(f"templates: up to date with {GENERATOR} {upstream.version}")
        return 0
    for line in report(reviews):
        print(visible(line))
    print("Adapt the templates if necessary. Then run `make templates` and commit the result.")
    return 1


def installed_templates() -> UpstreamTemplates:
    """The templates of the installed generator.

    Raises:
        RecordError: a template cannot be read.
    """
    # Located without an import of the package, which takes a second.
    package = Path(str(distribution(GENERATOR).locate_file("openapi_python_client")))
    return UpstreamTemplates(version(GENERATOR), read_templates(package / "templates"))


def installed_license() -> bytes:
    """The license of the installed generator. Its terms apply to copies of its templates."""
    for file in distribution(GENERATOR).files or []:
        if file.name == LICENSE_FILE:
            return Path(str(file.locate())).read_bytes()
    raise RecordError(f"the installed {GENERATOR} has no file {LICENSE_FILE}: install it again")


def read_templates(folder: Path) -> dict[str, str]:
    """The text of each template below a folder, by its path in it.

    Raises:
        RecordError: a template cannot be read.
    """
    texts: dict[str, str] = {}
    for path in sorted(folder.rglob("*.jinja")):
        relative_path = path.relative_to(folder)
        # In `templates/`, the record and a temporary folder contain templates too.
        if relative_path.parts[0] == RECORD_FOLDER or relative_path.parts[0].startswith("."):
            continue
        try:
            # As bytes: `read_text` would hide a change of line ends.
            texts[relative_path.as_posix()] = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise RecordError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return texts


def compare_templates(folder: Path, upstream: UpstreamTemplates) -> list[Review]:
    """The overrides that need a review with a version of the generator.

    Args:
        folder: our templates, with the record.
        upstream: the templates of that version.

    Raises:
        RecordError: there is no usable record.
    """
    overrides = read_templates(folder)
    record = read_record(folder)
    reviews: list[Review] = []
    for name in sorted(overrides.keys() | record.texts.keys()):
        problem = problem_of(name, overrides, record, upstream)
        if problem is not None:
            reviews.append(Review(name, problem, diff_of(name, problem, record, upstream)))
    return reviews


def problem_of(
    name: str, overrides: Mapping[str, str], record: Record, upstream: UpstreamTemplates
) -> Problem | None:
    """Why one override needs a review; None if it does not."""
    if name not in overrides:
        return Problem.DELETED
    if name not in record.texts:
        return Problem.NOT_RECORDED
    if name in record.damaged:
        return Problem.DAMAGED
    base_text = record.texts[name]
    if base_text is None:
        return problem_of_own_template(name, overrides, upstream)
    return problem_of_override(name, base_text, upstream)


def problem_of_override(name: str, base_text: str, upstream: UpstreamTemplates) -> Problem | None:
    """Why a template that overrides one of upstream needs a review; None if it does not."""
    if name not in upstream.texts:
        return Problem.REMOVED
    if base_text != upstream.texts[name]:
        return Problem.CHANGED
    return None


def problem_of_own_template(
    name: str, overrides: Mapping[str, str], upstream: UpstreamTemplates
) -> Problem | None:
    """Why a template without a counterpart in upstream needs a review; None if it does not."""
    if name in upstream.texts:
        return Problem.SHADOWS
    if not is_included(name, overrides, upstream):
        return Problem.UNUSED
    return None


def is_included(name: str, overrides: Mapping[str, str], upstream: UpstreamTemplates) -> bool:
    """Whether another template names this one, in order to include or import it."""
    literals = (f'"{name}"', f"'{name}'")
    # An override is rendered instead of the upstream template of its name.
    rendered_texts = {**upstream.texts, **overrides}
    for other_name, text in rendered_texts.items():
        if other_name != name and any(literal in text for literal in literals):
            return True
    return False


def diff_of(
    name: str, problem: Problem, record: Record, upstream: UpstreamTemplates
) -> tuple[str, ...]:
    """What changed in the upstream template of an override."""
    if problem not in (Problem.CHANGED, Problem.REMOVED, Problem.SHADOWS):
        return ()
    base_text = record.texts[name] or ""
    revised_text = upstream.texts.get(name, "")
    lines = difflib.unified_diff(
        # Not at every line end of Unicode: those are part of a line in a template.
        base_text.split("\n"),
        revised_text.split("\n"),
        fromfile=f"{name} in {GENERATOR} {record.version}",
        tofile=f"{name} in {GENERATOR} {upstream.version}",
        lineterm="",
    )
    return tuple(lines)


def report(reviews: Sequence[Review]) -> Iterator[str]:
    """The overrides that need a review, as lines of text."""
    for review in reviews:
        yield f"templates/{review.name}: {review.problem.value}"
        yield from review.diff


def read_record(folder: Path) -> Record:
    """Read the record in a folder of templates.

    Raises:
        RecordError: it cannot be read.
    """
    record_folder = folder / RECORD_FOLDER
    path = record_folder / RECORD_FILE
    try:
        data: Any = json.loads(path.read_bytes())
        hashes: dict[str, str | None] = dict(data["sha256"])
        recorded_version = str(data[GENERATOR])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(
            f"{path}: is not a usable record of upstream templates ({error}): run `make templates`"
        ) from error
    texts: dict[str, str | None] = {}
    damaged: set[str] = set()
    for name, recorded_hash in hashes.items():
        texts[name] = None
        if recorded_hash is None:
            continue
        content = _read_if_exists(record_folder / name)
        if _hash(content) != recorded_hash:
            damaged.add(name)
            continue
        texts[name] = content.decode()
    return Record(recorded_version, texts, frozenset(damaged))


def write_record(folder: Path, upstream: UpstreamTemplates, license_text: bytes) -> list[str]:
    """Record the upstream templates of all overrides. Replaces the record as a whole.

    Args:
        folder: our templates.
        upstream: the templates of the generator.
        license_text: its license.

    Returns:
        The files of the record that changed.

    Raises:
        OutputError: it cannot be written, or would remove files of others. The existing record is
            unchanged.
    """
    record_folder = folder / RECORD_FOLDER
    check_replaceable(record_folder, marker=RECORD_FILE)
    with temporary_folder(record_folder) as temporary:
        new_record = temporary / RECORD_FOLDER
        new_record.mkdir()
        hashes: dict[str, str | None] = {}
        for name in read_templates(folder):
            hashes[name] = None
            if name not in upstream.texts:
                continue
            content = upstream.texts[name].encode()
            hashes[name] = _hash(content)
            (new_record / name).parent.mkdir(parents=True, exist_ok=True)
            (new_record / name).write_bytes(content)
        (new_record / LICENSE_FILE).write_bytes(license_text)
        text = json.dumps({GENERATOR: upstream.version, "sha256": hashes}, indent=2)
        (new_record / RECORD_FILE).write_text(f"{text}\n", encoding="utf-8")
        differences = changed_files(record_folder, new_record)
        removed_names = [name for name in differences if not (new_record / name).exists()]
        check_recorded(record_folder, removed_names)
        if differences:
            swap_in(new_record, record_folder, temporary)
    return differences


def check_recorded(record_folder: Path, removed_names: Sequence[str]) -> None:
    """Check that the files that a new record removes come from the existing one.

    Raises:
        OutputError: somebody else added one.
    """
    foreign_names = sorted(set(removed_names) - _recorded_names(record_folder))
    if foreign_names:
        raise OutputError(
            f"{record_folder}: is replaced as a whole, and has files that were not recorded, so it"
            f" is unchanged: move or remove {', '.join(foreign_names)}"
        )


def _recorded_names(record_folder: Path) -> set[str]:
    """The names of the templates in a record. None of them if the record is not usable."""
    try:
        data: Any = json.loads((record_folder / RECORD_FILE).read_bytes())
        return set(data["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _write_and_report(folder: Path, upstream: UpstreamTemplates) -> int:
    differences = write_record(folder, upstream, installed_license())
    for difference in differences:
        print(visible(f"recorded: {folder.name}/{RECORD_FOLDER}/{difference}"))
    reviews = compare_templates(folder, upstream)
    for line in report(reviews):
        print(visible(line))
    if reviews:
        return 1
    print(f"templates: recorded as based on {GENERATOR} {upstream.version}")
    return 0


def _parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="generate.templates", description=__doc__)
    parser.add_argument(
        "--templates", type=Path, default=_TEMPLATES, help="the folder with our overrides"
    )
    parser.add_argument(
        "--record",
        action="store_true",
        help="write the record from the installed generator, after a review",
    )
    return parser.parse_args(arguments)


def _read_if_exists(path: Path) -> bytes:
    """The content of a file. Empty without one, which no recorded template is."""
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        # A ValueError for a name that no file can have.
        return b""


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
