"""The data that loading and comparison share: a public surface, a change of it, an error."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import griffe

PACKAGES = {"leadconnector": "overrides", "leadconnector_emulator": "tools"}
"""The packages that users import, and their folders in a checkout."""

COPY = {"leadconnector": "."}
"""The package in the folder of a vendored copy."""

DOCUMENTED_MODULES = {
    "leadconnector",
    "leadconnector.errors",
    "leadconnector.models",
    "leadconnector_emulator",
    "leadconnector_emulator.pytest_plugin",
}
"""The modules from which the documentation imports, and the one with the fixtures of pytest.

Other modules, such as `leadconnector.rate_limit.redis_script`, are parts of the implementation.
"""

Severity: TypeAlias = Literal["ERR", "WARN", "INFO"]
"""`ERR` breaks correct code, `WARN` may break it, `INFO` does not."""

SEVERITIES: tuple[Severity, ...] = ("ERR", "WARN", "INFO")
"""All severities, the worst first. The names are those of oasdiff and specdrift."""

PythonObject: TypeAlias = "griffe.Object | griffe.Alias"
"""A module, class, function or attribute; an alias if it comes from outside of the packages."""

Expression: TypeAlias = "griffe.Expr | str | None"
"""A piece of source code, such as an annotation. A string if griffe cannot resolve its names."""


class SurfaceError(Exception):
    """The two sides cannot be compared. The message says why, in one line."""


@dataclass(frozen=True)
class Location:
    """Where an object is defined."""

    file: str
    """The path, relative to the root of the checkout."""
    line: int
    """The first line is 1."""


@dataclass(frozen=True)
class SurfaceChange:
    """One change for users of the packages."""

    severity: Severity
    kind: str
    """Such as `parameter-removed`."""
    path: str
    """The public path, such as `leadconnector.LeadConnector.conversations`."""
    text: str
    """A sentence."""
    file: str
    """The file of the definition, relative to the root.

    In the working tree; in the revision if the definition no longer exists.
    """
    line: int
    """The first line is 1."""
    parameter: str = ""
    """The parameter that changed; empty if it is the object itself."""

    @property
    def name(self) -> str:
        """The name that users write: the parameter, or the last part of the path.

        For a special method, such as a constructor, it is the name of the class.
        """
        if self.parameter:
            return self.parameter
        parent, _, name = self.path.rpartition(".")
        if name.startswith("__"):
            return parent.rpartition(".")[2]
        return name

    def __str__(self) -> str:
        location = f"{self.file}:{self.line}"
        return f"{self.severity:4} {self.path}: {self.text} [{self.kind}] {location}"


@dataclass
class Surface:
    """The public names of one checkout."""

    root: Path
    objects: dict[str, PythonObject] = field(default_factory=dict[str, "PythonObject"])
    """Every public object by its public path. Aliases within the packages are resolved."""
    bases: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """For the path of each class: the names of all its base classes, direct and indirect.

    Private base classes are left out, because users cannot name them.
    """

    def module_of(self, path: str) -> str:
        """The module of a public path: the path itself, or the nearest one around it."""
        while path and not isinstance(self.objects.get(path), griffe.Module):
            path = path.rpartition(".")[0]
        return path

    def location(self, path: str) -> Location:
        """Where the object at a public path is defined."""
        public_object = self.objects[path]
        parent = public_object.parent
        if isinstance(public_object, griffe.Alias):
            # It is defined in another distribution. Only the import statement is in this checkout.
            file = parent.filepath if parent else ""
            return Location(
                relative_path(Path(str(file)), self.root), public_object.alias_lineno or 1
            )
        # A generated constructor has no line of its own. Its class has one.
        parent_line = parent.lineno if parent else None
        file = relative_path(Path(str(public_object.filepath)), self.root)
        return Location(file, public_object.lineno or parent_line or 1)


def relative_path(file: Path, root: Path) -> str:
    """A path relative to the root of the checkout, with links resolved."""
    return os.path.relpath(file.resolve(), root.resolve())
