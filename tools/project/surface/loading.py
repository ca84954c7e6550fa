"""Collects the public names of a checkout: every public path, and the object at that path.

Only public paths count. The place of a definition does not matter: a class may move from one
private module to another.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import griffe

from .classes import (
    base_classes,
    class_of_attribute,
    generated_constructor,
    has_generated_constructor,
    resolve,
)
from .model import PACKAGES, PythonObject, Surface, SurfaceError, relative_path

INTERNAL_SPECIAL_NAMES = {"__post_init__", "__slots__", "__match_args__"}
"""Special names that are details of an implementation."""

MIRRORS = {"with_raw_response"}
"""Attributes whose methods follow from those of the same object.

A change of a method would otherwise be reported twice.
"""


class LazyNames(griffe.Extension):
    """Has griffe count every name in `__all__` as one that exists at run time.

    A module that imports its names at their first use (PEP 562) shows them only to type checkers.
    griffe would leave them out of `from … import *`.
    """

    def on_module_members(self, *, mod: griffe.Module, **_: object) -> None:
        """Called by griffe for each module."""
        for name in mod.exports or ():
            # Another module's `__all__` in it is an expression, not a text.
            member = mod.members.get(str(name))
            if member is not None:
                member.runtime = True


def load_surface(root: Path, packages: Mapping[str, str] = PACKAGES) -> Surface:
    """Collect the public surface of a checkout. It is empty if there are no packages.

    Args:
        root: the checkout, or another folder with packages.
        packages: the folder of each package, relative to the root.

    Raises:
        SurfaceError: a file is not valid Python, or griffe cannot load it.
    """
    try:
        return collect(root, load_packages(root, packages))
    except griffe.GriffeError as error:
        raise SurfaceError(f"{root}: {' '.join(str(error).split())}") from error


def load_packages(root: Path, folders: Mapping[str, str]) -> list[griffe.Object]:
    """Load the packages with griffe, without importing them."""
    loader = griffe.GriffeLoader(
        # The first one shows the keys of `**options: Unpack[Options]` as keyword arguments.
        extensions=griffe.load_extensions("unpack_typeddict", LazyNames),
        search_paths=[root / folder for folder in sorted(set(folders.values()))],
        # Inspection would import the code.
        allow_inspection=False,
    )
    packages: list[griffe.Object] = []
    for name, folder in folders.items():
        package = root / folder / name
        # An older revision may lack one of the packages.
        if not (package / "__init__.py").is_file():
            continue
        check_syntax(package, root)
        loaded = loader.load(name, try_relative_path=False)
        if isinstance(loaded, griffe.Object):
            packages.append(loaded)
    loader.resolve_aliases(external=False, implicit=True)
    return packages


def check_syntax(package: Path, root: Path) -> None:
    """Reject invalid Python. griffe would skip such a file and report all of it as removed."""
    for file in python_files(package):
        try:
            ast.parse(file.read_bytes())
        except (SyntaxError, ValueError) as error:
            # A ValueError, for null bytes, has neither line nor message.
            line = getattr(error, "lineno", None) or 1
            message = getattr(error, "msg", error)
            raise SurfaceError(
                f"{relative_path(file, root)}:{line}: is not valid Python ({message}): "
                "correct it, or name another revision"
            ) from error


def python_files(package: Path) -> Iterator[Path]:
    """The Python files of a package. Links are followed: `_generated` is one."""
    for folder, _, names in os.walk(package, followlinks=True):
        for name in sorted(names):
            if name.endswith(".py"):
                yield Path(folder, name)


def collect(root: Path, packages: list[griffe.Object]) -> Surface:
    """Collect the public objects of loaded packages."""
    surface = Surface(root)
    for package in packages:
        collect_module(surface, package.path, package)
    public_definitions = {
        public_object.canonical_path
        for public_object in surface.objects.values()
        if isinstance(public_object, griffe.Object)
    }
    for path, public_object in list(surface.objects.items()):
        if isinstance(public_object, griffe.Class):
            collect_class(surface, path, public_object, public_definitions)
    return surface


def collect_module(surface: Surface, path: str, module: PythonObject) -> None:
    """Add a module and its public members to a surface."""
    surface.objects[path] = module
    for name, member in module.members.items():
        if isinstance(member, griffe.Module):
            if not name.startswith("_"):
                collect_module(surface, f"{path}.{name}", member)
        elif member.is_public:
            surface.objects[f"{path}.{name}"] = resolve(member)


def collect_class(
    surface: Surface, path: str, class_: griffe.Class, public_definitions: set[str]
) -> None:
    """Add the public members of a class to a surface.

    If an attribute has a value of a private class, its members are added below the attribute.
    Example: `leadconnector.LeadConnector.conversations.update_conversation`.

    Args:
        surface: the surface to add to.
        path: the public path of the class, or of an attribute with a value of this class.
        class_: the class.
        public_definitions: the canonical paths of the classes that have a public path already.
    """
    surface.bases[path] = visible_bases(class_, public_definitions)
    if has_generated_constructor(class_):
        class_.set_member("__init__", generated_constructor(class_))
    for name, member in class_.all_members.items():
        if not is_public_member(name):
            continue
        member_path = f"{path}.{name}"
        member_object = resolve(member)
        surface.objects[member_path] = member_object
        if name in MIRRORS:
            continue
        inner_class = class_behind(member_object)
        if inner_class is None or inner_class.canonical_path in public_definitions:
            continue
        # The inner class counts as public from here on. This also ends the recursion for a class
        # with an attribute of its own type.
        inner_definitions = {*public_definitions, inner_class.canonical_path}
        collect_class(surface, member_path, inner_class, inner_definitions)
        if inner_class is not member_object:
            # Users get the value from the attribute. They never call its constructor.
            surface.objects.pop(f"{member_path}.__init__", None)


def class_behind(member: PythonObject) -> griffe.Class | None:
    """A nested class itself, or the class of an attribute's value."""
    if isinstance(member, griffe.Class):
        return member
    return class_of_attribute(member)


def visible_bases(class_: griffe.Class, public_definitions: set[str]) -> frozenset[str]:
    """The names of the bases of a class that users can name."""
    names: set[str] = set()
    for base in base_classes(class_):
        if not base.is_local:
            names.add(base.path)
        elif base.path in public_definitions:
            # Only the last part: the class may move to another module.
            names.add(base.path.rpartition(".")[2])
    return frozenset(names)


def is_public_member(name: str) -> bool:
    """Whether users see a member of a class, by its name."""
    if not name.startswith("_"):
        return True
    is_special = name.startswith("__") and name.endswith("__")
    if not is_special or name in INTERNAL_SPECIAL_NAMES:
        return False
    # Every object has `__repr__`. A class that overrides it offers nothing new.
    return name == "__init__" or not hasattr(object, name)
