"""Changes of public Python names: each kind of change, edits that are no change, and errors."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import griffe
import pytest
from project.surface import SurfaceError, check_out, surface_changes
from project.surface.__main__ import main

from tests.support.paths import ROOT

FILE = "overrides/leadconnector/_client.py"
SOURCE = """
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Optional, Protocol, TypedDict, Union, Unpack

import httpx
from attrs import define, field


class Options(TypedDict, total=False):
    timeout: float | None


class Resource:
    def update(
        self, key: str, *, starred: bool | None = None, mode: Literal["a", "b"] = "a"
    ) -> str | None:
        return None


class _Base:
    def __init__(self, *, token: str | None = None, **options: Unpack[Options]) -> None:
        self.things = Resource()
        self._secret = Resource()

    def _hidden(self, a: int) -> None: ...


class Client(_Base):
    transport: httpx.Client | None

    def close(self) -> None: ...

    @property
    def closed(self) -> bool: ...


class RootError(Exception): ...


class BadError(RootError, ValueError): ...


class Kind(enum.Enum):
    A = "a"
    B = "b"


@define
class Model:
    name: str
    tag: str | None = None
    rest: dict[str, Any] = field(init=False, factory=dict)


@dataclass(frozen=True)
class Response:
    code: int
    headers: Mapping[str, str]


class Store(Protocol):
    def load(self) -> str: ...


def helper(first: int, second: int = 2, *others: int) -> int: ...
"""
NAMES = ["BadError", "Client", "Kind", "Model", "Response", "RootError", "Store", "helper"]
INIT = f"from ._client import {', '.join(NAMES)}\nfrom .models import *\n\n__all__ = {NAMES}\n"


def package(root: Path, source: str = SOURCE, init: str = INIT) -> Path:
    """Create a checkout of a small package. As in this repository, a part of it is a link."""
    folder = root / "overrides" / "leadconnector"
    generated = root / "generated"
    folder.mkdir(parents=True)
    generated.mkdir()
    (folder / "__init__.py").write_text(init)
    (folder / "_client.py").write_text(source)
    (folder / "models.py").write_text("from ._generated import *\n")
    (folder / "_generated").symlink_to("../../generated")
    (generated / "__init__.py").write_text("class Pet:\n    name: str\n\n\n__all__ = ('Pet',)\n")
    return root


def edited(old: str, new: str) -> str:
    """The source of the package, with a text replaced that occurs once."""
    assert SOURCE.count(old) == 1
    return SOURCE.replace(old, new)


def changes_of(tmp_path: Path, source: str) -> list[str]:
    """The changes from the package to one with another source: severity, kind and path."""
    base = package(tmp_path / "old")
    revision = package(tmp_path / "new", source)
    return [
        f"{change.severity} {change.kind} {change.path.removeprefix('leadconnector.')}"
        for change in surface_changes(base, revision)
    ]


def git(repository: Path, *arguments: str) -> str:
    """Run git, independently of the user's settings, and return its output."""
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(repository), *settings, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def committed(root: Path) -> Path:
    """Make a folder a repository with one commit."""
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=One")
    return root


UPDATE = 'key: str, *, starred: bool | None = None, mode: Literal["a", "b"] = "a"'
EDITS: dict[str, tuple[str, str, list[str]]] = {
    # name: the old text, the new text, the expected changes
    "a keyword argument removed": (
        "starred: bool | None = None, ",
        "",
        ["ERR parameter-removed Client.things.update"],
    ),
    "an optional keyword argument added": (
        UPDATE,
        UPDATE + ", deep: bool = False",
        ["INFO parameter-added Client.things.update"],
    ),
    "a required keyword argument added": (
        UPDATE,
        UPDATE + ", deep: bool",
        ["ERR parameter-added Client.things.update"],
    ),
    "an argument that became required": (
        "starred: bool | None = None",
        "starred: bool | None",
        ["ERR parameter-became-required Client.things.update"],
    ),
    "an argument that became optional": (
        "key: str, *",
        "key: str = '', *",
        ["INFO parameter-became-optional Client.things.update"],
    ),
    "another default": (
        '] = "a"',
        '] = "b"',
        ["WARN parameter-default-changed Client.things.update"],
    ),
    "a parameter's type widened": (
        "key: str",
        "key: str | int",
        ["INFO parameter-type-changed Client.things.update"],
    ),
    "a parameter's type narrowed": (
        "starred: bool | None = None",
        "starred: bool = None",
        ["ERR parameter-type-changed Client.things.update"],
    ),
    "a literal narrowed": (
        'Literal["a", "b"]',
        'Literal["a"]',
        ["ERR parameter-type-changed Client.things.update"],
    ),
    "another type of a parameter": (
        "key: str",
        "key: bytes",
        ["WARN parameter-type-changed Client.things.update"],
    ),
    "a parameter of any type": (
        "key: str",
        "key: Any",
        ["WARN parameter-type-changed Client.things.update"],
    ),
    "a return type narrowed": (
        ") -> str | None:",
        ") -> str:",
        ["INFO return-type-changed Client.things.update"],
    ),
    "a return type widened": (
        ") -> str | None:",
        ") -> str | int | None:",
        ["ERR return-type-changed Client.things.update"],
    ),
    "another return type": (
        ") -> str | None:",
        ") -> bytes:",
        ["WARN return-type-changed Client.things.update"],
    ),
    "an async method": (
        "def close(self)",
        "async def close(self)",
        ["ERR async-changed Client.close"],
    ),
    "a static method": (
        "    def close(self)",
        "    @staticmethod\n    def close()",
        ["ERR staticmethod-changed Client.close"],
    ),
    "an option removed": (
        "    timeout: float | None",
        "    pass",
        ["ERR parameter-removed Client.__init__"],
    ),
    "an option added": (
        "    timeout: float | None",
        "    timeout: float | None\n    retries: int",
        ["INFO parameter-added Client.__init__"],
    ),
    "an attribute's type": (
        "httpx.Client | None",
        "httpx.Client",
        ["INFO attribute-type-changed Client.transport"],
    ),
    "a property's type": (
        ") -> bool",
        ") -> bool | None",
        ["ERR attribute-type-changed Client.closed"],
    ),
    "a property that became a method": ("    @property\n", "", ["ERR kind-changed Client.closed"]),
    "a method removed": ("    def close(self) -> None: ...", "", ["ERR removed Client.close"]),
    "a method added": (
        "    def close(self)",
        "    def open(self) -> None: ...\n\n    def close(self)",
        ["INFO added Client.open"],
    ),
    "a method added to a protocol": (
        "    def load(self)",
        "    def lock(self) -> None: ...\n\n    def load(self)",
        ["WARN added Store.lock"],
    ),
    "a base class removed": (
        "(RootError, ValueError)",
        "(RootError)",
        ["ERR base-removed BadError"],
    ),
    "a base class exchanged": (
        "class RootError(Exception)",
        "class RootError(OSError)",
        [
            "ERR base-removed BadError",
            "ERR base-removed RootError",
            "INFO base-added BadError",
            "INFO base-added RootError",
        ],
    ),
    "an enum's member removed": ('    B = "b"\n', "", ["ERR removed Kind.B"]),
    "an enum's member added": (
        '    B = "b"\n',
        '    B = "b"\n    C = "c"\n',
        ["INFO added Kind.C"],
    ),
    "an enum's value": ('B = "b"', 'B = "bee"', ["ERR enum-value-changed Kind.B"]),
    "a model's attribute that need not be there": (
        "    name: str\n",
        "    name: str | None\n",
        ["ERR attribute-type-changed Model.name", "INFO parameter-type-changed Model.__init__"],
    ),
    "a model's attribute that became required": (
        "    tag: str | None = None",
        "    tag: str | None",
        ["ERR parameter-became-required Model.__init__"],
    ),
    "a model's attribute added": (
        "    rest: dict",
        "    size: int = 1\n    rest: dict",
        ["INFO parameter-added Model.__init__", "INFO added Model.size"],
    ),
    "the order of a data class": (
        "    code: int\n    headers: Mapping[str, str]",
        "    headers: Mapping[str, str]\n    code: int",
        ["ERR parameter-moved Response.__init__", "ERR parameter-moved Response.__init__"],
    ),
    "an argument by name alone": (
        "second: int = 2, *others: int",
        "*others: int, second: int = 2",
        ["ERR parameter-moved helper"],
    ),
    "an argument by position alone": (
        "first: int, second",
        "first: int, /, second",
        ["ERR parameter-moved helper"],
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_each_kind_of_change_is_reported_at_its_public_path(tmp_path: Path, name: str) -> None:
    old, new, expected = EDITS[name]

    assert changes_of(tmp_path, edited(old, new)) == expected


@pytest.mark.parametrize("name", EDITS)
def test_a_breaking_change_of_griffe_is_never_just_information(tmp_path: Path, name: str) -> None:
    old, new, expected = EDITS[name]
    base = load_with_griffe(package(tmp_path / "old"))
    revision = load_with_griffe(package(tmp_path / "new", edited(old, new)))

    is_breaking = any(griffe.find_breaking_changes(base, revision))

    assert not is_breaking or any(not line.startswith("INFO") for line in expected)


def load_with_griffe(root: Path) -> griffe.Object | griffe.Alias:
    return griffe.load("leadconnector", search_paths=[root / "overrides"], try_relative_path=False)


EDITS_WITHOUT_CHANGE: dict[str, tuple[str, str]] = {
    # name: the old text, the new text
    "a private method's arguments": ("_hidden(self, a: int)", "_hidden(self, b: str)"),
    "a private attribute": ("        self._secret = Resource()\n", ""),
    "the class of an attribute's value, renamed": ("Resource", "Resources"),
    "a private base renamed": ("_Base", "_Root"),
    "a union in another order": ("str | None = None, **", "None | str = None, **"),
    "a union in another way": (
        "    name: str\n    tag: str | None",
        "    name: str\n    tag: 'str | None'",
    ),
    "a module imported in another way": ("httpx.Client | None", "web.Client | None"),
    "an order of keywords": (
        UPDATE,
        'key: str, *, mode: Literal["b", "a"] = "a", starred: bool | None = None',
    ),
    "a comment": ("class Client", "# A client.\nclass Client"),
    "an optional type in another way": ("tag: str | None", "tag: Optional[str]"),
    "a union of typing": ("tag: str | None", "tag: Union[None, str]"),
    "a private type alias": ("tag: str | None", "tag: _Tag"),
    "a private constant as default": ("tag: str | None = None", "tag: str | None = _NO_TAG"),
    "a docstring": (
        "    def close(self) -> None: ...",
        '    def close(self) -> None:\n        """Close it."""',
    ),
    "a name that is not exported": ("class Client", "class Other: ...\n\n\nclass Client"),
}


@pytest.mark.parametrize("name", EDITS_WITHOUT_CHANGE)
def test_an_edit_that_users_do_not_see_is_no_change(tmp_path: Path, name: str) -> None:
    old, new = EDITS_WITHOUT_CHANGE[name]
    names = "import httpx\nimport httpx as web\n_Tag = str | None\n_NO_TAG = None\n"
    source = SOURCE.replace(old, new).replace("import httpx\n", names)
    assert source.count(new) >= 1

    assert changes_of(tmp_path, source) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("list[str | int]", "list[int | str]"),
        ("dict[str, list[str | None]]", "dict[str, list[None | str]]"),
        ("dict[str, list[str | None]]", "dict[str, list[Optional[str]]]"),
        ('list[Literal["a", "b"]]', 'list[Literal["b", "a"]]'),
        ("Mapping[str, httpx.Client | str]", "Mapping[str, str | httpx.Client]"),
    ],
)
def test_the_order_of_a_nested_union_is_no_change(tmp_path: Path, old: str, new: str) -> None:
    base = package(tmp_path / "old", edited("tag: str", f"tag: {old}"))
    revision = package(tmp_path / "new", edited("tag: str", f"tag: {new}"))

    assert surface_changes(base, revision) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("list[str | int]", "list[str | bytes]"),
        ("list[str | int]", "list[str]"),
        ('list[Literal["a", "b"]]', 'list[Literal["a"]]'),
        ("dict[str, int]", "dict[int, str]"),
    ],
)
def test_another_member_of_a_nested_union_is_a_change(tmp_path: Path, old: str, new: str) -> None:
    base = package(tmp_path / "old", edited("tag: str", f"tag: {old}"))
    revision = package(tmp_path / "new", edited("tag: str", f"tag: {new}"))

    kinds = [change.kind for change in surface_changes(base, revision)]

    assert kinds == ["parameter-type-changed", "attribute-type-changed"]


def test_a_renamed_private_constant_is_no_change_but_its_value_is(tmp_path: Path) -> None:
    base = package(
        tmp_path / "old", "_LIMIT = 2\n" + edited("second: int = 2", "second: int = _LIMIT")
    )
    renamed = package(
        tmp_path / "renamed", "_MAXIMUM = 2\n" + edited("second: int = 2", "second: int = _MAXIMUM")
    )
    changed = package(
        tmp_path / "changed", "_LIMIT = 3\n" + edited("second: int = 2", "second: int = _LIMIT")
    )

    assert surface_changes(base, renamed) == []
    [change] = surface_changes(base, changed)
    assert change.text == "The default of the parameter second was 2, and is now 3."


def test_a_move_between_private_modules_is_no_change(tmp_path: Path) -> None:
    old = package(tmp_path / "old")
    new = package(tmp_path / "new")
    folder = new / "overrides" / "leadconnector"
    (folder / "_client.py").rename(folder / "_other.py")
    (folder / "__init__.py").write_text(INIT.replace("._client", "._other"))

    assert surface_changes(old, new) == []


def test_a_removed_name_is_reported_for_each_module_that_had_it(tmp_path: Path) -> None:
    old = package(tmp_path / "old")
    new = package(tmp_path / "new")
    (new / "generated" / "__init__.py").write_text("__all__ = ()\n")
    (old / "overrides" / "leadconnector" / "__init__.py").write_text(INIT + "__all__ += ['Pet']\n")

    changes = surface_changes(old, new)

    assert [(change.kind, change.path, change.file) for change in changes] == [
        ("removed", "leadconnector.Pet", "generated/__init__.py"),
        ("removed", "leadconnector.models.Pet", "generated/__init__.py"),
    ]


def test_a_break_in_an_undocumented_module_is_a_warning(tmp_path: Path) -> None:
    old = package(tmp_path / "old")
    for module in ("errors", "internals"):
        file = old / "overrides" / "leadconnector" / f"{module}.py"
        file.write_text("def first(): ...\n\n\ndef second(a): ...\n")
    new = tmp_path / "new"
    shutil.copytree(old, new, symlinks=True)
    for module in ("errors", "internals"):
        file = new / "overrides" / "leadconnector" / f"{module}.py"
        file.write_text("def second(b): ...\n")

    changes = {(change.severity, change.kind, change.path) for change in surface_changes(old, new)}

    assert changes >= {
        ("ERR", "removed", "leadconnector.errors.first"),
        ("ERR", "parameter-removed", "leadconnector.errors.second"),
        ("WARN", "removed", "leadconnector.internals.first"),
        ("WARN", "parameter-removed", "leadconnector.internals.second"),
    }


@pytest.mark.parametrize(("decorator", "differs"), [("@pytest.fixture", False), ("", True)])
def test_the_parameters_of_a_fixture_are_no_interface(
    tmp_path: Path, decorator: str, differs: bool
) -> None:
    text = f"import pytest\n\n\n{decorator}\ndef client(PARAMETER): ...\n"
    for name in ("old", "new"):
        errors = package(tmp_path / name) / "overrides" / "leadconnector" / "errors.py"
        errors.write_text(text.replace("PARAMETER", name))

    assert (surface_changes(tmp_path / "old", tmp_path / "new") != []) == differs


def test_a_change_is_printed_as_one_line_with_its_location(tmp_path: Path) -> None:
    source = edited("starred: bool | None = None, ", "")
    [change] = surface_changes(package(tmp_path / "old"), package(tmp_path / "new", source))

    line = source[: source.index("    def update")].count("\n") + 1
    assert (change.file, change.line) == (FILE, line)
    assert str(change) == (
        "ERR  leadconnector.Client.things.update: The parameter starred was removed. "
        f"[parameter-removed] {FILE}:{line}"
    )


def test_the_worst_change_comes_first(tmp_path: Path) -> None:
    source = (
        edited("key: str", "key: str | int")
        .replace('] = "a"', '] = "b"')
        .replace("def close", "async def close")
    )

    assert [line.split()[0] for line in changes_of(tmp_path, source)] == ["ERR", "WARN", "INFO"]


def test_a_revision_is_compared_with_the_working_tree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = committed(package(tmp_path / "repository"))
    status = git(repository, "status", "--porcelain")

    assert main(["HEAD", "--root", str(repository)]) == 0
    assert capsys.readouterr().out == "The public Python surface is as it was in HEAD.\n"

    (repository / FILE).write_text(edited('] = "a"', '] = "b"'))
    assert main(["main", "--root", str(repository)]) == 0
    assert main(["main", "--root", str(repository), "--fail-on", "WARN"]) == 1
    (repository / FILE).write_text(edited("starred: bool | None = None, ", ""))
    assert main(["main", "--root", str(repository)]) == 1
    assert "[parameter-removed]" in capsys.readouterr().out

    git(repository, "checkout", "--quiet", ".")
    assert git(repository, "status", "--porcelain") == status
    assert git(repository, "worktree", "list").count("\n") == 1


def test_reading_a_revision_leaves_no_files_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = committed(package(tmp_path / "repository"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = {path.relative_to(repository) for path in repository.rglob("*")}

    assert main(["HEAD", "--root", str(repository)]) == 0
    assert main(["nowhere", "--root", str(repository)]) == 2

    assert list(scratch.iterdir()) == []
    assert {path.relative_to(repository) for path in repository.rglob("*")} == before


@pytest.mark.parametrize(
    ("revision", "problem"), [("nowhere", "git cannot read it"), ("", "git cannot read it")]
)
def test_an_unreadable_revision_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], revision: str, problem: str
) -> None:
    repository = committed(package(tmp_path / "repository"))

    assert main([revision, "--root", str(repository)]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert problem in err


@pytest.mark.parametrize("revision", ["-x", "--help", "--output=x"])
def test_a_revision_that_looks_like_an_option_is_rejected(tmp_path: Path, revision: str) -> None:
    with pytest.raises(SurfaceError, match="does not start with"):
        check_out(tmp_path, revision, tmp_path / "base")


def test_a_folder_that_is_no_repository_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SurfaceError, match="git cannot read it"):
        check_out(tmp_path, "HEAD", tmp_path / "base")


def test_a_revision_without_the_packages_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()

    with pytest.raises(SurfaceError, match="name a revision that has one"):
        surface_changes(tmp_path / "old", package(tmp_path / "new"))


def test_invalid_python_is_rejected_with_its_location(tmp_path: Path) -> None:
    new = package(tmp_path / "new")
    (new / "generated" / "__init__.py").write_text("class Pet:\n    name: str\n  x\n")

    message = (
        r"^generated/__init__\.py:3: is not valid Python \(.*\): "
        r"correct it, or name another revision$"
    )
    with pytest.raises(SurfaceError, match=message):
        surface_changes(package(tmp_path / "old"), new)


def test_a_removed_argument_of_the_real_client_is_reported(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for folder in ("overrides", "generated", "tools/leadconnector_emulator"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, clone / folder, symlinks=True, ignore=ignored)
    committed(clone)
    command = [sys.executable, "-m", "project.surface", "HEAD", "--root", str(clone)]
    unchanged = subprocess.run(
        command, cwd=ROOT / "tools", capture_output=True, text=True, check=False
    )
    assert (unchanged.returncode, unchanged.stderr) == (0, "")

    resource = next((clone / "generated" / "api").glob("*/__init__.py"))
    text = resource.read_text()
    resource.write_text(text.replace("        starred: bool | Unset = UNSET,\n", ""))
    assert resource.read_text() != text
    changed = subprocess.run(
        command, cwd=ROOT / "tools", capture_output=True, text=True, check=False
    )
    assert changed.returncode == 1
    assert [line.partition(":")[0].split() for line in changed.stdout.splitlines()] == [
        ["ERR", f"leadconnector.{client}.conversations.update_conversation"]
        for client in ("AsyncLeadConnector", "LeadConnector")
    ]
