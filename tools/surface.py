"""`python -m surface REV`: what changed in the Python that users see, between a git revision and the working tree.

griffe reads both without importing them. Its own `find_breaking_changes` knows nothing of types, bases that were
exchanged, values of enums, constructors that attrs makes, or methods of a private class that a client keeps as an
attribute (`client.conversations`); and it names private places. So what is compared here is what hangs below each
public path; where a thing is defined is no part of it.

Types are compared by the last part of their names, a union or `Literal` by its members. What goes in may have more of
them (INFO), must not have fewer (ERR); what comes out, attributes included, the other way round. Where some went and
others came, or where one side says nothing or `Any`, nobody can tell from names alone: WARN.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import griffe
from specdrift.report.report import LEVELS
from specdrift.rules import Level

PACKAGES = {"leadconnector": "overrides", "leadconnector_emulator": "tools"}
"""The packages that users import, and the folders that they are in."""

_ROOT = Path(__file__).resolve().parents[1]
_MADE = {"attrs.define", "attrs.frozen", "attr.define", "attr.frozen", "typing.NamedTuple"}
"""Decorators and bases that make a constructor of a class's attributes, and that griffe does not know."""

_OURS = {"__post_init__", "__slots__", "__match_args__"}
"""Special names that are no user's affair."""

_NONE = frozenset[str]()

_Thing: TypeAlias = "griffe.Object | griffe.Alias"
_Expression: TypeAlias = "griffe.Expr | str | None"


class SurfaceError(Exception):
    """The two cannot be compared; the message says why, in one line."""


@dataclass(frozen=True)
class SurfaceChange:
    """One thing that changed for who imports the packages."""

    level: Level
    """`ERR` breaks code that is in order, `WARN` may, `INFO` does not."""
    kind: str
    """Such as `parameter-removed`."""
    path: str
    """Where users find it, such as `leadconnector.LeadConnector.conversations`."""
    text: str
    file: str
    """Where it is defined, relative to the root: in the working tree, or in the revision if it is no longer there."""
    line: int
    """The first line is 1."""

    def __str__(self) -> str:
        return f"{self.level:4} {self.path}: {self.text} [{self.kind}] {self.file}:{self.line}"


@dataclass
class _Surface:
    """What users of one checkout see."""

    root: Path
    things: dict[str, _Thing] = field(default_factory=dict[str, "_Thing"])
    """By public path; aliases are resolved, but for those that lead out of the packages."""
    bases: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """The names of all bases, however far up, of each class by its path; without those that no user sees."""

    def place(self, path: str) -> tuple[str, int]:
        """The file and line where something is defined."""
        thing = self.things[path]
        if isinstance(
            thing, griffe.Alias
        ):  # it leads out of the packages: only where it comes in is ours
            return _relative(
                Path(str(thing.parent.filepath if thing.parent else "")), self.root
            ), thing.alias_lineno or 1
        above = (
            thing.parent.lineno if thing.parent else None
        )  # where a constructor is that nobody wrote
        return _relative(Path(str(thing.filepath)), self.root), thing.lineno or above or 1


def surface_changes(base: Path, revision: Path) -> list[SurfaceChange]:
    """What changed from one checkout to another, the worst first. What is seen by several paths is told by the first.

    Args:
        base: the root of the older checkout.
        revision: the root of the newer one.

    Raises:
        SurfaceError: one of them cannot be read, or the older one has none of the packages.
    """
    old, new = _read(base), _read(revision)
    if not old.things:
        raise SurfaceError(
            f"there is no package in it ({', '.join(PACKAGES)}): name a revision that has one"
        )
    found: dict[tuple[object, ...], SurfaceChange] = {}
    for path in sorted(old.things | new.things, key=lambda path: (path.count("."), path)):
        parent, _, name = path.rpartition(".")
        if (parent in old.things) != (parent in new.things):
            continue  # said of what has it
        side = new if path in new.things else old
        file, line = side.place(path)
        for level, kind, text in _changes(path, old, new):
            # A name that comes or goes is told for each module: the other may have it as before.
            named = path if kind in ("added", "removed") and parent not in side.bases else name
            found.setdefault(
                (kind, named, text, file, line), SurfaceChange(level, kind, path, text, file, line)
            )
    return sorted(found.values(), key=lambda change: (LEVELS.index(change.level), change.path))


def _relative(file: Path, root: Path) -> str:
    return os.path.relpath(file.resolve(), root.resolve())


def _changes(path: str, old: _Surface, new: _Surface) -> Iterator[tuple[Level, str, str]]:
    """What changed at a path: levels, kinds and sentences."""
    owner = new.bases.get(path.rpartition(".")[0], _NONE)
    if path not in new.things:
        yield "ERR", "removed", f"The {old.things[path].kind.value} was removed."
        return
    after = new.things[path]
    if path not in old.things:
        in_protocol = "typing.Protocol" in owner  # who implements it lacks this
        yield "WARN" if in_protocol else "INFO", "added", f"The {after.kind.value} was added."
        return
    before = old.things[path]
    if before.kind is not after.kind:
        yield "ERR", "kind-changed", f"The {before.kind.value} became a {after.kind.value}."
    was, now = old.bases.get(path, _NONE), new.bases.get(path, _NONE)
    for name in sorted(was - now):
        yield "ERR", "base-removed", f"It is no {name} any more."
    for name in sorted(now - was):
        yield "INFO", "base-added", f"It is a {name} now."
    if isinstance(before, griffe.Function) and isinstance(after, griffe.Function):
        yield from _of_functions(before, after)
    if isinstance(before, griffe.Attribute) and isinstance(after, griffe.Attribute):
        yield from _of_types("attribute", "It", after.annotation, before.annotation)
        if any(name.startswith("enum.") for name in owner) and str(before.value) != str(
            after.value
        ):
            yield (
                "ERR",
                "enum-value-changed",
                f"Its value was {before.value}, and is {after.value}.",
            )


def _of_functions(
    before: griffe.Function, after: griffe.Function
) -> Iterator[tuple[Level, str, str]]:
    for label in ("async", "classmethod", "staticmethod"):
        if (label in before.labels) != (label in after.labels):
            yield (
                "ERR",
                f"{label}-changed",
                f"It is {label if label in after.labels else f'no {label}'} now.",
            )
    yield from _of_types("return", "What it returns", after.returns, before.returns)
    old, new = _parameters(before), _parameters(after)
    rest = any(parameter.kind is griffe.ParameterKind.var_keyword for parameter in new.values())
    for name, parameter in old.items():
        if name not in new and not (rest and parameter.kind is griffe.ParameterKind.keyword_only):
            yield "ERR", "parameter-removed", f"The parameter {name} was removed."
    for name, parameter in new.items():
        level: Level = "ERR" if parameter.required else "INFO"
        need = "required" if parameter.required else "optional"
        if name not in old:
            yield level, "parameter-added", f"The parameter {name} was added, and is {need}."
            continue
        was = old[name]
        if was.required != parameter.required:
            yield level, f"parameter-became-{need}", f"The parameter {name} became {need}."
        elif str(was.default) != str(parameter.default):
            text = f"The parameter {name} is {parameter.default} by default, not {was.default}."
            yield "WARN", "parameter-default-changed", text
        lost = _ways(was, old) - _ways(parameter, new)
        if lost:
            yield (
                "ERR",
                "parameter-moved",
                f"The parameter {name} can no longer be given {' or '.join(sorted(lost))}.",
            )
        yield from _of_types(
            "parameter", f"The parameter {name}", was.annotation, parameter.annotation
        )


def _parameters(function: griffe.Function) -> dict[str, griffe.Parameter]:
    """The parameters that a caller gives."""
    bound = (
        function.parent is not None
        and function.parent.is_class
        and "staticmethod" not in function.labels
    )
    return {parameter.name: parameter for parameter in list(function.parameters)[bound:]}


def _ways(parameter: griffe.Parameter, parameters: dict[str, griffe.Parameter]) -> set[str]:
    """In which ways a parameter can be given."""
    kind, number = (
        parameter.kind.value if parameter.kind else "",
        f"as number {list(parameters).index(parameter.name) + 1}",
    )
    ways = {
        "keyword-only": {"by name"},
        "positional-only": {number},
        "positional or keyword": {"by name", number},
    }
    return ways.get(kind, {f"as {kind}"})


def _of_types(
    kind: str, what: str, inner: _Expression, outer: _Expression
) -> Iterator[tuple[Level, str, str]]:
    """Whether a type still fits: `outer` must have all that `inner` has."""
    has, must = _members(outer), _members(inner)
    if has == must:
        return
    old, new = (must, has) if kind == "parameter" else (has, must)
    texts = [" | ".join(sorted(members)) or "anything" for members in (old, new)]
    known = bool(has and must)
    level: Level = (
        "WARN" if not known else "INFO" if has > must else "ERR" if has < must else "WARN"
    )
    yield level, f"{kind}-type-changed", f"{what} was {texts[0]}, and is {texts[1]}."


def _members(annotation: _Expression) -> frozenset[str]:
    """The members of a union as text; none where anything will do."""
    if isinstance(annotation, griffe.ExprBinOp) and annotation.operator == "|":
        left, right = _members(annotation.left), _members(annotation.right)
        return left | right if left and right else frozenset()
    if isinstance(annotation, griffe.ExprSubscript) and annotation.canonical_path.endswith(
        ".Literal"
    ):
        values = annotation.slice
        parts = values.elements if isinstance(values, griffe.ExprTuple) else [values]
        return frozenset(f"Literal[{part}]" for part in parts)
    text = _text(annotation)
    return frozenset() if text in ("", "Any") else frozenset({text})


def _text(annotation: _Expression) -> str:
    """A type by the last parts of the names in it, whatever they were imported as."""
    if not isinstance(annotation, griffe.Expr):
        return annotation or ""
    words: list[str] = []
    for part in annotation:
        if str(part) == "." and words:
            words.pop()
        elif str(part) != ".":
            words.append(
                part.canonical_path.rpartition(".")[2] if isinstance(part, griffe.Expr) else part
            )
    return "".join(words)


def _read(root: Path) -> _Surface:
    found = _Surface(root)
    loader = griffe.GriffeLoader(
        extensions=griffe.load_extensions(
            "unpack_typeddict"
        ),  # so that `**options: Unpack[Options]` are keywords
        search_paths=[root / folder for folder in sorted(set(PACKAGES.values()))],
        allow_inspection=False,
    )
    try:
        modules: list[griffe.Object] = []
        for package, folder in PACKAGES.items():
            if (root / folder / package / "__init__.py").is_file():
                _check(root / folder / package, root)
                loaded = loader.load(package, try_relative_path=False)
                modules += [loaded] if isinstance(loaded, griffe.Object) else []
        loader.resolve_aliases(external=False, implicit=True)
        for module in modules:
            _take_module(found, module.path, module)
        public = {
            thing.canonical_path
            for thing in found.things.values()
            if isinstance(thing, griffe.Object)
        }
        for path, thing in list(found.things.items()):
            if isinstance(thing, griffe.Class):
                _take_class(found, path, thing, public)
    except griffe.GriffeError as error:
        raise SurfaceError(f"{root}: {' '.join(str(error).split())}") from error
    return found


def _check(package: Path, root: Path) -> None:
    """Refuse what is no Python: griffe would pass over it in silence."""
    for folder, _, files in os.walk(package, followlinks=True):
        for file in sorted(Path(folder, name) for name in files if name.endswith(".py")):
            try:
                ast.parse(file.read_bytes())
            except (SyntaxError, ValueError) as error:
                place = f"{_relative(file, root)}:{getattr(error, 'lineno', None) or 1}"
                raise SurfaceError(
                    f"{place}: is no Python ({getattr(error, 'msg', error)}): mend it, or name another revision"
                ) from error


def _take_module(found: _Surface, path: str, module: _Thing) -> None:
    found.things[path] = module
    for name, member in module.members.items():
        if isinstance(member, griffe.Module):
            if not name.startswith("_"):
                _take_module(found, f"{path}.{name}", member)
        elif member.is_public:
            found.things[f"{path}.{name}"] = _target(member)


def _take_class(found: _Surface, path: str, class_: griffe.Class, known: set[str]) -> None:
    """Take what is below a class in, and what is below attributes that keep one of a class without a public name."""
    bases = frozenset(_bases(class_))
    found.bases[path] = frozenset(
        name.rpartition(".")[2] if name.startswith("*") else name
        for name in bases
        if name[0] != "*" or name[1:] in known
    )
    makers = {
        decorator.value.canonical_path
        for decorator in class_.decorators
        if not isinstance(decorator.value, str)
    }
    if (makers | bases) & _MADE and "__init__" not in class_.members:
        class_.set_member("__init__", _constructor(class_))
    for name, member in class_.all_members.items():
        special = name.startswith("__") and name.endswith("__")
        of_users = (
            special and name not in _OURS and (name == "__init__" or not hasattr(object, name))
        )
        if name.startswith("_") and not of_users:
            continue
        below = f"{path}.{name}"
        thing = found.things[below] = _target(member)
        inner = thing if isinstance(thing, griffe.Class) else _kept(thing)
        if inner is not None and inner.canonical_path not in known:
            _take_class(found, below, inner, {*known, inner.canonical_path})
            if inner is not thing:
                found.things.pop(f"{below}.__init__", None)  # users do not make it


def _target(thing: _Thing) -> _Thing:
    try:
        return thing.final_target if isinstance(thing, griffe.Alias) else thing
    except (griffe.AliasResolutionError, griffe.CyclicAliasError):
        return thing


def _named(expression: _Expression, modules: griffe.ModulesCollection) -> griffe.Class | None:
    """The class of our packages that an expression names."""
    if (
        not isinstance(expression, griffe.Expr)
        or expression.canonical_path.partition(".")[0] not in PACKAGES
    ):
        return None
    try:
        found: _Thing = _target(modules[expression.canonical_path])
    except KeyError:
        return None
    return found if isinstance(found, griffe.Class) else None


def _kept(thing: _Thing) -> griffe.Class | None:
    """The class of what an attribute holds: the one it is made of, or annotated with."""
    if not isinstance(thing, griffe.Attribute):
        return None
    made = thing.value if isinstance(thing.value, griffe.ExprCall) else None
    return _named(made, thing.modules_collection) or _named(
        thing.annotation, thing.modules_collection
    )


def _bases(class_: griffe.Class) -> Iterator[str]:
    """The canonical names of all that a class is; those of our packages after an asterisk."""
    for base in class_.bases:
        found = _named(base, class_.modules_collection)
        if found is None:
            yield base.canonical_path if isinstance(base, griffe.Expr) else base
        elif found is not class_:
            yield f"*{found.canonical_path}"
            yield from _bases(found)


def _constructor(class_: griffe.Class) -> griffe.Function:
    """The constructor that attrs, or a named tuple, makes of the annotated attributes."""
    kinds = griffe.ParameterKind
    by_name = any("kw_only=True" in str(decorator.value) for decorator in class_.decorators)
    parameters = [griffe.Parameter("self", kind=kinds.positional_or_keyword)]
    for name, member in class_.all_members.items():
        attribute = _target(member)
        if (
            not isinstance(attribute, griffe.Attribute)
            or not attribute.annotation
            or "property" in attribute.labels
        ):
            continue
        text, default = str(attribute.value), attribute.value
        if isinstance(default, griffe.ExprCall) and default.canonical_path in (
            "attrs.field",
            "attr.field",
        ):
            if "init=False" in text:
                continue
            default = default if "default=" in text or "factory=" in text else None
        kind = (
            kinds.keyword_only if by_name or "kw_only=True" in text else kinds.positional_or_keyword
        )
        annotation = attribute.annotation
        parameters.append(
            griffe.Parameter(name.lstrip("_"), annotation=annotation, kind=kind, default=default)
        )
    return griffe.Function(
        "__init__", parameters=griffe.Parameters(*parameters), returns="None", parent=class_
    )


def check_out(repository: Path, revision: str, folder: Path) -> None:
    """Write the files of a revision into a folder, and touch nothing else: no work tree, no index, no branch.

    Raises:
        SurfaceError: there is no such revision.
    """
    if revision.startswith("-"):
        raise SurfaceError(
            f"{revision}: a revision does not start with `-`: name a commit, branch or tag"
        )
    git = shutil.which("git")
    if git is None:
        raise SurfaceError("git is not installed, and the revision is read with it: install it")
    environment = {**os.environ, "GIT_INDEX_FILE": str(folder.with_name("index"))}
    for command in (
        ["read-tree", f"{revision}^{{tree}}"],
        ["checkout-index", "--all", f"--prefix={folder}/"],
    ):
        run = [git, "-C", str(repository), *command]
        ended = subprocess.run(run, env=environment, check=False, capture_output=True, text=True)
        if ended.returncode:
            told = " ".join(ended.stderr.split()) or f"it ended with status {ended.returncode}"
            raise SurfaceError(f"{revision}: git cannot read it in {repository}: {told}")


def main(arguments: list[str] | None = None) -> int:
    """Tell what changed. Exit status 0, 1 if something is as bad as `--fail-on`, or 2 with the reason."""
    parser = argparse.ArgumentParser(
        prog="surface", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("revision", metavar="REV", help="a git revision, such as main or HEAD~1")
    parser.add_argument(
        "--fail-on", choices=LEVELS, default="ERR", help="the least level of exit status 1"
    )
    parser.add_argument("--root", type=Path, default=_ROOT, help="the working tree")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="surface-") as folder:
            base = Path(folder, "base")
            check_out(options.root, options.revision, base)
            changes = surface_changes(base, options.root)
    except SurfaceError as error:
        print(f"surface: {error}", file=sys.stderr)
        return 2
    for change in changes:
        print(change)
    if not changes:
        print(f"The public Python surface is as it was in {options.revision}.")
    return int(
        any(LEVELS.index(change.level) <= LEVELS.index(options.fail_on) for change in changes)
    )


def _end(number: int, frame: object) -> None:
    sys.exit(128 + number)  # an exception, so that the revision's files are cleared away


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main())
