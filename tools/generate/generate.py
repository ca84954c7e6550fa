"""Runs openapi-python-client: reads the checked spec with it, and renders the package."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import attrs
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.responses import BYTES_SOURCE, TEXT_SOURCE
from openapi_python_client.schema import UntrustedString
from openapi_python_client.strings import PythonCode, safe_for_docstring

from .document import (
    Document,
    SpecError,
    is_ignored_header,
    json_pointer,
    raise_together,
)
from .files import request_and_response_contents
from .generator_api import (
    headers_of_all_types,
    local_property,
    shallow_endpoint_copies,
    spec_name,
)
from .inline_classes import corrected_inline_classes
from .media_types import is_file, is_text
from .operations import RAW_RESPONSES, BodyEncodings, OperationView, Resource
from .operations.arguments import free_name
from .styles import ParameterStyle
from .unions import UnionBranches
from .upstream_templates import add_upstream_templates

_NAME = re.compile(r"\w+")

_OPERATION_IN_MESSAGE = re.compile(
    r"parsing (GET|PUT|POST|DELETE|OPTIONS|HEAD|PATCH|TRACE) (/\S*) within"
)
_TEXT_OBJECT = re.compile(r"<[\w.]*UntrustedString object at 0x[0-9a-fA-F]+>")
_TYPE = re.compile(r"<class '(?:[\w.]*\.)?(\w+)'>")
_SET_OF_TYPES = re.compile(rf"\{{{_TYPE.pattern}(?:, {_TYPE.pattern})*\}}")
_COMPONENT_IN_MESSAGE = re.compile(r"/components/[^/\s]+/[\w.-]+")


def read_settings(config: Path, spec: Path, output: Path) -> Config:
    """The generator's settings from its configuration file.

    Raises:
        SpecError: the file cannot be read, or is not a generator configuration.
    """
    try:
        file = ConfigFile.load_from_path(config)
    except Exception as error:
        raise SpecError(f"{config}: is not a usable generator configuration: {error}") from error
    # `overwrite=False`: the output is a new folder, because `overwrite` leaves stale files behind.
    return Config.from_sources(
        file, MetaType.NONE, spec, "utf-8", overwrite=False, output_path=output
    )


def parse_spec(document: Document, settings: Config) -> GeneratorData:
    """The spec as the generator reads it.

    Raises:
        SpecError: the generator failed, or warned that it drops something.
    """
    settings = attrs.evolve(settings, content_type_overrides=_media_type_overrides(document))
    try:
        with headers_of_all_types(), shallow_endpoint_copies(), corrected_inline_classes():
            data = GeneratorData.from_dict(document.root, config=settings)
    except Exception as error:
        # Unforeseen specs make the generator raise any exception, such as AttributeError.
        reason = _stable_text(str(error))
        raise SpecError(f"{document.path}: the generator cannot read it: {reason}") from error
    if isinstance(data, GeneratorError):
        reason = _stable_text(f"{data.header}: {data.detail}")
        raise SpecError(f"{document.path}: the generator reports: {reason}")
    # With a warning the generator continues, but without the parameter or operation in question.
    warnings: list[GeneratorError] = []
    for collection in data.endpoint_collections_by_tag.values():
        warnings += collection.parse_errors
        for endpoint in collection.endpoints:
            _remove_ignored_headers(endpoint)
            _correct_response_sources(endpoint)
            _rename_parameter_of_body(endpoint, settings)
    for model in data.models:
        # Our macros write forms without its method `to_multipart`.
        model.is_multipart_body = False
    _reject_warnings(document, [*warnings, *data.errors])
    return data


def _remove_ignored_headers(endpoint: Endpoint) -> None:
    """Remove the header parameters that are not read. openapi-python-client 0.29.1 sends them.

    The client sends these headers itself, so a request would have two of each.
    """
    endpoint.header_parameters = [
        prop
        for prop in endpoint.header_parameters
        if not is_ignored_header("header", spec_name(prop))
    ]


def _media_type_overrides(document: Document) -> dict[str, str]:
    """Other media types for those that openapi-python-client 0.29.1 does not support.

    It then generates a body of bytes. `BodyEncodings` and `_correct_response_sources` know which
    bodies are texts.
    """
    overrides: dict[str, str] = {}
    for media_type, _ in request_and_response_contents(document):
        if is_text(media_type) or is_file(media_type):
            overrides[media_type] = "application/octet-stream"
    return overrides


def _correct_response_sources(endpoint: Endpoint) -> None:
    """Read a text as text, although its media type was replaced."""
    for response in endpoint.responses:
        if response.source == BYTES_SOURCE and not isinstance(response.prop, FileProperty):
            response.source = TEXT_SOURCE


def _rename_parameter_of_body(endpoint: Endpoint, settings: Config) -> None:
    """Rename a parameter `body` beside a request body, which is an argument of that name too.

    openapi-python-client 0.29.1 generates a function with two arguments of one name.
    """
    if not endpoint.bodies:
        return
    used_names = {str(prop.python_name) for _, prop in endpoint.iter_all_parameters()}
    for location, prop in endpoint.iter_all_parameters():
        if str(prop.python_name) == "body":
            new_name = free_name("body", location.value, used_names)
            prop.set_python_name(UntrustedString(new_name), settings)


def render_package(
    document: Document,
    data: GeneratorData,
    resources: Sequence[Resource],
    union_branches: UnionBranches,
    settings: Config,
    templates: Path,
) -> None:
    """Render the package into the output folder of the settings, and format it.

    Raises:
        SpecError: a template or a formatter failed.
    """
    project = _ProjectWithRawResponses(
        openapi=data, config=settings, custom_template_path=templates
    )
    # `endpoint_init.py.jinja` collects import lines with `do`.
    project.env.add_extension("jinja2.ext.do")
    add_upstream_templates(project.env)
    # Typed as `Any`, because Jinja2 types its globals as a mapping of the built-in ones.
    environment: Any = project.env
    # No template changes during a run. Otherwise Jinja2 looks at the file for every import in one.
    environment.auto_reload = False
    encodings = BodyEncodings(document, resources)
    environment.globals.update(_template_globals(resources, union_branches, encodings))
    with _formatter_on_path(), _silenced():
        try:
            errors = project.build()
        except Exception as error:
            # Templates raise exceptions of Jinja2 or of Python.
            reason = _stable_text(str(error))
            raise SpecError(f"{document.path}: the generator failed: {reason}") from error
    _reject_warnings(document, errors)


class _ProjectWithRawResponses(Project):
    """The generator, which also renders a module with raw responses for each resource.

    It has no hook for further modules. They must exist before it formats the package.
    """

    def _build_api(self) -> None:
        super()._build_api()
        template = self.env.get_template("endpoint_init.py.jinja")
        for tag, collection in self.openapi.endpoint_collections_by_tag.items():
            code = template.render(endpoint_collection=collection, is_raw=True)
            path = self.package_dir / "api" / tag / f"{RAW_RESPONSES}.py"
            path.write_text(code, encoding=self.config.file_encoding)


def used_imports(code: str, candidates: Iterable[str]) -> str:
    """The import lines, sorted, of the names that the code uses.

    ruff cannot do this: it keeps unused imports in an `__init__.py`, where they may be re-exports.
    """
    lines: set[str] = set()
    used_names = set(_NAME.findall(code))
    for candidate in candidates:
        # A candidate is `import name` or `from module import name, name as alias`.
        module, _, names = candidate.rpartition("import ")
        for name in names.split(", "):
            if name.rpartition(" ")[2] in used_names:
                lines.add(f"{module}import {name}")
    return "\n".join(sorted(lines))


def _template_globals(
    resources: Sequence[Resource], union_branches: UnionBranches, encodings: BodyEncodings
) -> dict[str, object]:
    """What the templates in `templates/` use beside the generator's own variables."""
    resources_by_tag = {resource.tag: resource for resource in resources}
    operations_by_endpoint = {
        _key_of(operation.endpoint): operation
        for resource in resources
        for operation in resource.operations
    }

    def operation_of(endpoint: Endpoint) -> OperationView:
        return operations_by_endpoint[_key_of(endpoint)]

    def style_of(endpoint: Endpoint, location: str, prop: PropertyProtocol) -> ParameterStyle:
        return operation_of(endpoint).style(location, spec_name(prop))

    return {
        "branch_pointers": union_branches.pointers,
        # openapi-python-client 0.29.1 sets it for `endpoint_module.py.jinja` alone. Jinja2 then
        # evaluates the templates that this one imports again for each operation.
        "isbool": _is_boolean,
        "encoding_of": encodings.encoding,
        "local_property": local_property,
        "resources": resources,
        "operation_of": operation_of,
        "resource_of": resources_by_tag.__getitem__,
        "style_of": style_of,
        "used_imports": used_imports,
        "docstring_text": safe_for_docstring,
    }


def _is_boolean(prop: PropertyProtocol) -> bool:
    return prop.get_base_type_string() == PythonCode("bool")


def _key_of(endpoint: Endpoint) -> tuple[str, str]:
    """Identifies an endpoint. It has no hash itself, and a template can have a copy."""
    return endpoint.method, endpoint.path.get_untrusted_value()


def _reject_warnings(document: Document, warnings: Iterable[GeneratorError]) -> None:
    """Raise `SpecError` if there are warnings: each one means that the client misses something."""
    causes: list[SpecError] = []
    consequences: list[SpecError] = []
    for warning in warnings:
        parts = [part.strip() for part in (warning.header, warning.detail) if part]
        message = _stable_text(": ".join(parts))
        error = document.error(_pointer_in(message), f"the generator reports: {message}")
        # An operation loses what refers to a component that was not processed.
        group = causes if error.pointer.startswith("/components/") else consequences
        group.append(error)
    raise_together(causes, consequences)


def _stable_text(message: str) -> str:
    """A message of the generator in one line, which is the same in every run.

    openapi-python-client 0.29.1 writes some texts of the spec as objects with an address, and
    types as a set, whose order varies.
    """
    message = _TEXT_OBJECT.sub("a text of the spec", message)
    message = _SET_OF_TYPES.sub(_in_order, message)
    return " ".join(message.split())


def _in_order(types: re.Match[str]) -> str:
    return " and ".join(sorted(_TYPE.findall(types[0])))


def _pointer_in(message: str) -> str:
    """The JSON pointer of the operation or component that a message of the generator names."""
    operation = _OPERATION_IN_MESSAGE.search(message)
    if operation:
        method = operation[1].lower()
        return json_pointer("paths", operation[2], method)
    component = _COMPONENT_IN_MESSAGE.search(message)
    if component:
        return component[0]
    # The error then names the file without a line.
    return ""


@contextmanager
def _formatter_on_path() -> Generator[None]:
    """Put the ruff that is installed beside this Python first on the path.

    The generator calls `ruff` by name, and another version could format differently.
    """
    previous_path = os.environ.get("PATH", "")
    own_programs = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([own_programs, previous_path])
    try:
        yield
    finally:
        os.environ["PATH"] = previous_path


@contextmanager
def _silenced() -> Generator[None]:
    """The generator prints the name of its output folder, which is a temporary one."""
    with open(os.devnull, "w", encoding="utf-8") as devnull, redirect_stdout(devnull):
        yield
