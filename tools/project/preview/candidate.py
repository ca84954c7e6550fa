"""Installs a candidate, the version of the generator to preview, into its own environment."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate.templates import GENERATOR, UpstreamTemplates, read_templates

from ..environments import create_environment, install, run_program

_VERSION = re.compile(r"\d[\w.!+-]*")
"""The start of every version of PEP 440, so that nothing else becomes an argument of pip."""

_DESCRIBE = """
import json
from importlib.metadata import metadata, version
from importlib.util import find_spec
generator = metadata("openapi-python-client")
print(json.dumps({
    "version": generator["Version"],
    "ruff": version("ruff"),
    "python": generator["Requires-Python"] or "",
    "requirements": generator.get_all("Requires-Dist") or [],
    "package": find_spec("openapi_python_client").submodule_search_locations[0],
}))
"""
"""Prints what is installed, without importing it: an import may fail."""


class VersionError(Exception):
    """A version on the command line is not one. The message has one line."""


@dataclass(frozen=True)
class Candidate:
    """An environment with a version of the generator."""

    python: Path
    version: str
    ruff_version: str
    requirements: tuple[str, ...]
    """What this version requires, with its Python: `httpx<0.29.0,>=0.23.1`, `python >=3.11`."""
    templates: UpstreamTemplates


def check_version(variable: str, value: str) -> None:
    """Check a version that the user chose. An empty one is valid: it means the default.

    Raises:
        VersionError: it is not a version.
    """
    if value and not _VERSION.fullmatch(value):
        raise VersionError(f"{variable}={value}: is not a version such as 0.29.1")


def install_candidate(folder: Path, generator_version: str, ruff_version: str) -> Candidate:
    """Install a version of the generator with its dependencies.

    Args:
        folder: the folder of the environment to create.
        generator_version: the version; the newest one if it is empty.
        ruff_version: the version of the formatter; the installed one if it is empty.

    Raises:
        EnvironmentSetupError: pip failed.
    """
    generator = f"{GENERATOR}=={generator_version}" if generator_version else GENERATOR
    python = create_environment(folder)
    # To standard error, because the report may be written to a file.
    print(f"Installing {generator} into a temporary environment", file=sys.stderr, flush=True)
    install(
        python,
        generator,
        # The same as here, so that only the generator differs.
        f"ruff=={ruff_version or version('ruff')}",
        # The generation step reads the spec with it.
        f"PyYAML=={version('PyYAML')}",
    )
    return describe(python)


def describe(python: Path) -> Candidate:
    """The versions and templates that are installed in an environment.

    Raises:
        EnvironmentSetupError: there is no generator in it.
    """
    # `-I`: the variable PYTHONPATH must not add packages.
    data: Any = json.loads(run_program([str(python), "-I", "-c", _DESCRIBE]))
    templates = read_templates(Path(data["package"]) / "templates")
    requirements = [*data["requirements"], f"python {data['python']}"]
    return Candidate(
        python=python,
        version=data["version"],
        ruff_version=data["ruff"],
        requirements=tuple(requirements),
        templates=UpstreamTemplates(data["version"], templates),
    )
