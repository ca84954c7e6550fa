"""Runs openapi-python-client over a checked spec."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError

from .check import check_operation_ids
from .contract import FILE_NAME, contract, render
from .document import Document, SpecError, pointer
from .operations import resources, template_globals
from .unsupported import check_supported
from .verify import check_import, check_schemas


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
