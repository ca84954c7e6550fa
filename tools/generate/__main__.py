"""`python -m generate`: run the generator, compare its output with the spec, and swap it in, or leave all as it was."""

from __future__ import annotations

import argparse
import filecmp
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError

from .contract import FILE_NAME, contract, render
from .document import Document, SpecError, pointer
from .operations import resources, template_globals
from .unsupported import check_supported
from .verify import check_import, check_operation_ids, check_schemas

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
        with _workplace(output) as workplace:
            new = workplace / output.name
            generate(options.spec, options.config, options.templates, new)
            differences = compare(output, new)
            if options.check:
                for difference in differences:
                    print(f"out of step: {difference}", file=sys.stderr)
                if differences:
                    print("Run `make generate` and commit the result.", file=sys.stderr)
                    return 1
            elif differences:
                swap_in(new, output, workplace)
    except SpecError as error:
        print(f"generate: {error}", file=sys.stderr)
        print(f"generate: {_shown(output)} is as it was.", file=sys.stderr)
        return 1
    verb = "changed" if differences else "in step"
    print(f"{_shown(output)}: {verb}{f' ({len(differences)} files)' if differences else ''}")
    return 0


def generate(spec: Path, config: Path, templates: Path, output: Path) -> None:
    """Write the client for a spec into a new folder, and check it against the spec.

    Raises:
        SpecError: the spec is not usable, the generator warned of anything, or something was dropped.
    """
    document = Document.load(spec)
    document.check_references()
    check_operation_ids(document)
    check_supported(document)
    settings = _settings(config, spec, output)
    data = _parse(document, settings)
    found = resources(document, data)
    check_schemas(document, data, found)
    project = Project(openapi=data, config=settings, custom_template_path=templates)
    project.env.add_extension("jinja2.ext.do")
    environment: Any = project.env
    environment.globals.update(template_globals(found))
    with _tools_on_path(), open(os.devnull, "w", encoding="utf-8") as devnull, _redirected(devnull):
        try:
            errors = project.build()
        except Exception as error:
            raise SpecError(f"{document.path}: the generator failed: {error}") from error
    _refuse(document, errors)
    versions = {"openapi-python-client": version("openapi-python-client"), "ruff": version("ruff")}
    try:
        text = render(contract(document, spec.read_bytes(), found, versions))
    except ValueError as error:
        raise SpecError(f"{document.path}: a number in it is not finite: {error}") from error
    (output / FILE_NAME).write_text(text, encoding="utf-8")
    (output / "py.typed").touch()
    check_import(document, output, found)


def compare(old: Path, new: Path) -> list[str]:
    """The files, relative to the package, that are not the same in both."""
    files = {path.relative_to(root) for root in (old, new) for path in _files(root)}
    return sorted(
        str(file)
        for file in files
        if not (
            (old / file).is_file()
            and (new / file).is_file()
            and filecmp.cmp(old / file, new / file, shallow=False)
        )
    )


def swap_in(new: Path, output: Path, workplace: Path) -> None:
    """Put the new package in the old one's place by renaming; on failure the old one is put back."""
    old = workplace / "old"
    try:
        if output.exists():
            output.rename(old)
        new.rename(output)
    except OSError as error:
        if old.exists():
            old.rename(output)
        raise SpecError(f"{output}: cannot be replaced: {error}") from error


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


@contextmanager
def _workplace(output: Path) -> Generator[Path]:
    """A folder on the output's own file system, so that swapping in is a rename. It is gone afterwards."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    except OSError as error:
        raise SpecError(f"{output.parent}: cannot be written: {error}") from error
    try:
        yield folder
    finally:
        if (folder / "old").exists() and not output.exists():
            (folder / "old").rename(output)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _tools_on_path() -> Generator[None]:
    """The formatter that is installed beside this Python comes first, whatever else the machine has."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


@contextmanager
def _redirected(stream: TextIO) -> Generator[None]:
    """The generator prints where it writes, which is a folder of no interest."""
    before, sys.stdout = sys.stdout, stream
    try:
        yield
    finally:
        sys.stdout = before


def _settings(config: Path, spec: Path, output: Path) -> Config:
    try:
        file = ConfigFile.load_from_path(config)
    except Exception as error:
        raise SpecError(f"{config}: is not a usable generator configuration: {error}") from error
    return Config.from_sources(
        file, MetaType.NONE, spec, "utf-8", overwrite=False, output_path=output
    )


def _parse(document: Document, settings: Config) -> GeneratorData:
    try:
        data = GeneratorData.from_dict(document.root, config=settings)
    except Exception as error:
        raise SpecError(f"{document.path}: the generator cannot read it: {error}") from error
    if isinstance(data, GeneratorError):
        raise SpecError(f"{document.path}: the generator says: {data.header}: {data.detail}")
    _refuse(
        document,
        [
            *(e for c in data.endpoint_collections_by_tag.values() for e in c.parse_errors),
            *data.errors,
        ],
    )
    return data


def _refuse(document: Document, errors: Iterable[GeneratorError]) -> None:
    """Raise for the generator's warnings and errors: each of them means that something would be missing."""
    lines: list[str] = []
    for error in errors:
        text = ": ".join(part.strip() for part in (error.header, error.detail) if part)
        lines.append(str(document.error(_place(text), f"the generator says: {text}")))
    if lines:
        raise SpecError("\n".join(lines))


def _place(message: str) -> str:
    """Where in the spec a message of the generator points to: it names an operation, or a component by its pointer."""
    if operation := re.search(
        r"parsing (GET|PUT|POST|DELETE|OPTIONS|HEAD|PATCH|TRACE) (/\S*) within", message
    ):
        return pointer("paths", operation[2], operation[1].lower())
    component = re.search(r"/components/[^/\s]+/[\w.-]+", message)
    return component[0] if component else ""


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
