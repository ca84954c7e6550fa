"""Reads documents from files, git and the web so that all that is wrong with one is told in a line that says where."""

from __future__ import annotations

import itertools
import json
import os
import posixpath
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeAlias
from urllib.parse import unquote

import httpx
import yaml

from ._document import file_of, is_list, is_mapping, pointer
from ._rules import Source

MAXIMUM_BYTES = 16 * 2**20
"""Of a file. The vendor's largest has 0.5 MB, and the largest that are in wide use, such as GitHub's, have 12."""

MAXIMUM_NODES = 1_000_000
"""Of a file, aliases written out; the vendor's largest has a few tens of thousands."""

MAXIMUM_DEPTH = 128
"""How many steps lead to a place, where documents have 30: Python lets functions call each other 1,000 deep."""

MAXIMUM_SECONDS = 60.0
"""For one answer from the web, however it trickles in."""

_TOO_LARGE = f"it has more than {MAXIMUM_BYTES >> 20} MiB"
_TOO_DEEP = f"is nested deeper than {MAXIMUM_DEPTH} levels: move parts of it to `components`"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(_TAG + kind for kind in ("map", "seq", "str", "int", "float", "bool", "null", "merge"))
_JSON = re.compile(r'\s*\{\s*["}]')
_JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]|[^\s\[\]{},:"]+')
_VERSION = re.compile(r"3\.[012](\.|$)")


class ComparisonError(Exception):
    """What was asked for cannot be compared; says in one line where and why, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


def load(source: str, *, roots: Sequence[str] = (), replacements: Mapping[str, str] | None = None) -> Loaded:
    """Read a document, and nothing that it refers to until somebody asks for that.

    Args:
        source: the path of a file, `REV:path` in the git repository of the current directory, or an https URL.
        roots: from where references may be read, beside the folder of the document: folders (of the repository, for
            `REV:path`) and prefixes of URLs.
        replacements: what to read instead of the file of a reference, by its text without a fragment; where that is
            empty the reference leads nowhere. What the other file refers to is looked for as if it stood in the first
            one's place.

    Raises:
        ComparisonError: it cannot be read, or is no OpenAPI 3 document.
    """
    text = read(source)
    return Loaded(text, OtherFiles(_origin(source), text, roots, replacements or {}))


def read(source: str) -> Text:
    """Read YAML or JSON, whatever it is about.

    Raises:
        ComparisonError: it cannot be read, or does not parse.
    """
    try:
        return Text.parse(source, _origin(source).read())
    except OSError as error:
        raise ComparisonError(
            f"{source}: cannot be read: {_cause(error)}: name a file, REV:path in this git repository, or an https URL"
        ) from error


class Loaded:
    """A document, what it refers to, and where all of it is written."""

    def __init__(self, text: Text, files: OtherFiles) -> None:
        self.name = text.name
        """What it was asked for by."""
        self.document = _checked(text)
        self.files = files
        self.notes: list[str] = []
        """What a reader must know beside; see `note`."""

    def text(self, file: str) -> str:
        """The text of a file that was read, by its name in a `Source`; else empty."""
        return next((text.text for text in self.files.texts.values() if text and text.name == file), "")

    def source(self, location: str) -> Source | None:
        """Where a place is written, or the nearest one around it that is; None for the empty location, which is none.

        Args:
            location: as a change has it, such as `/paths/~1pets` or `../common.json#/components`.
        """
        file, mark, place = location.partition("#")
        text = self.files.texts.get(file) if mark else None
        if not location:
            return None
        return text.source(place) if text else self.files.main.source(location)

    def note(self, dangling: Mapping[str, str]) -> None:
        """Add a note for each reference of `Document.dangling`, once for all places that have the same text."""
        told = set[str]()
        for location, text in dangling.items():
            if text not in told:
                where = self.source(f"{location}/$ref")
                self.notes.append(f"{where}: the reference {text!r} leads nowhere: compared by its text")
                told.add(text)


class OtherFiles(Mapping[str, Any]):
    """The files that a document refers to, by the path that leads there from it. A file is read when it is asked for.

    Whoever asks for one gets a `ComparisonError` where it may not or cannot be read: what it holds would go uncompared.
    """

    def __init__(self, origin: _Origin, main: Text, roots: Sequence[str], replacements: Mapping[str, str]) -> None:
        self._origin = origin
        self._roots = (origin.folder, *roots)
        self._replacements = replacements
        self.main = main
        self.texts: dict[str, Text | None] = {"": main}
        """What was read so far, the document itself included; None where a reference shall lead nowhere."""

    def __getitem__(self, file: str) -> Any:
        if file not in self.texts:
            self.texts[file] = self._read(file)
        text = self.texts[file]
        if text is None:
            raise KeyError(file)
        return text.data

    def __iter__(self) -> Iterator[str]:
        return (file for file, text in self.texts.items() if file and text)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _read(self, file: str) -> Text | None:
        others = (
            other
            for written, other in self._replacements.items()
            for base in list(self.texts)
            if file_of(written, base) == file
        )
        other = next(others, None)
        if other == "":
            return None
        beside = _Web(file) if "://" in file else self._origin.beside(file)
        if other is None and not any(beside.is_within(root) for root in self._roots):
            raise ComparisonError(
                f"{self._asked(file)} leads out of {self._roots[0] or '.'}: `--root {beside.folder or '.'}` allows it,"
                " and `--map REFERENCE=FILE` gives another file"
            )
        try:
            origin = beside if other is None else _origin(other)
            known = (text for text in self.texts.values() if text and text.name == str(origin))
            text = next(known, None) or Text.parse(str(origin), origin.read())
            if not (is_mapping(text.data) or is_list(text.data)):  # such as a symbolic link, to git
                raise OSError("it holds neither a mapping nor a list")
            return text
        except OSError as error:
            raise ComparisonError(
                f"{self._asked(file)} cannot be followed: {other or beside}: {_cause(error)}: `--map REFERENCE=FILE`"
                " gives another file, and `--map REFERENCE=` compares it by its text"
            ) from error

    def _asked(self, file: str) -> str:
        """Where the first reference to a file is written, and its text."""
        for base, text in self.texts.items():
            for place, value in _strings(text.data if text else None):
                name = value.partition("#")[0]
                written = place.endswith("/$ref") or "/mapping/" in place
                if text and written and name and file_of(name, base) == file:
                    return f"{text.source(place)}: the reference {value!r}"
        return f"{self.main.name}: the reference {file!r}"


@dataclass(frozen=True)
class Text:
    """A file that was read: its text, and the data that it means."""

    name: str
    text: str
    data: Any
    lines: Mapping[str, int]
    """The line of each place, by its JSON pointer. What an alias stands for has that of the anchor."""

    @classmethod
    def parse(cls, name: str, content: bytes) -> Text:
        """Parse a file of YAML or JSON, to be called by a name.

        Raises:
            ComparisonError: it is not UTF-8, does not parse, has a duplicate key, or is out of bounds.
        """
        try:
            text = content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ComparisonError(f"{name}:{line}: cannot be read: it is not UTF-8: save it as that") from error
        try:
            return cls(name, text, *(_from_json(text) if _JSON.match(text) else _from_yaml(text)))
        except _ParseError as error:
            raise ComparisonError(f"{name}{f':{error.line}' if error.line else ''}: {error}") from error

    def source(self, place: str) -> Source:
        """Where a JSON pointer leads, or else the nearest place around it that is there."""
        while place and place not in self.lines:
            place = place.rpartition("/")[0]
        return Source(self.name, self.lines.get(place, 1))


def _checked(text: Text) -> dict[str, Any]:
    """The data of what is an OpenAPI 3 document."""
    data = text.data
    if not is_mapping(data):
        raise ComparisonError(f"{text.name}: is not an OpenAPI document: the top level is not a mapping: name another")
    needed = "OpenAPI 3.0, 3.1 or 3.2 is needed"
    if "swagger" in data:
        where = text.source("/swagger")
        raise ComparisonError(f"{where}: is Swagger {data['swagger']!s:.20}, and {needed}: convert it first")
    if "openapi" not in data:
        raise ComparisonError(f"{text.name}: has no `openapi` at the top level, and {needed}: name another file")
    if not _VERSION.match(str(data["openapi"])):
        where = text.source("/openapi")
        raise ComparisonError(f"{where}: is OpenAPI {data['openapi']!s:.20}, and {needed}: convert it first")
    return data


# Where a text is kept: by `read` no more is read than the bound, and what fails is an OSError


@dataclass(frozen=True)
class _File:
    """A file on this machine."""

    path: str

    def __str__(self) -> str:
        return self.path

    @property
    def folder(self) -> str:
        """What it stands in, as a root is written."""
        return os.path.dirname(self.path)

    def beside(self, name: str) -> _File:
        """The file to which a relative reference leads from this one."""
        return _File(_path(name, self.path))

    def is_within(self, root: str) -> bool:
        """Whether it may be read where what is in a root may."""
        inner, outer = os.path.realpath(self.path), os.path.realpath(root)
        return os.path.commonpath([inner, outer]) == outer

    def read(self) -> bytes:
        """Its content."""
        with open(self.path, "rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
        if len(content) > MAXIMUM_BYTES:
            raise OSError(_TOO_LARGE)
        return content


@dataclass(frozen=True)
class _Committed:
    """A file as git has it. A symbolic link is the text of where it leads: git follows none."""

    revision: str
    path: str
    """From the top of the repository."""

    def __str__(self) -> str:
        return f"{self.revision}:{self.path}"

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.path)

    def beside(self, name: str) -> _Committed:
        return _Committed(self.revision, _path(name, self.path))

    def is_within(self, root: str) -> bool:
        path = PurePosixPath(self.path)
        return ".." not in path.parts and path.is_relative_to(posixpath.normpath(root))

    def read(self) -> bytes:
        if self.revision.startswith("-"):
            raise OSError("a revision does not begin with a hyphen")
        if int(_git("cat-file", "-s", "--end-of-options", str(self))) > MAXIMUM_BYTES:
            raise OSError(_TOO_LARGE)
        return _git("cat-file", "blob", "--end-of-options", str(self))


@dataclass(frozen=True)
class _Web:
    """What a server answers with."""

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def folder(self) -> str:
        return file_of(".", self.url)

    def beside(self, name: str) -> _Web:
        return _Web(file_of(name, self.url))

    def is_within(self, root: str) -> bool:
        inside = self.url == root or self.url.startswith(root.rstrip("/") + "/")
        return inside and ".." not in unquote(self.url).split("/")

    def read(self) -> bytes:
        content = bytearray()
        end = time.monotonic() + MAXIMUM_SECONDS
        settings: dict[str, Any] = {"follow_redirects": True, "max_redirects": 3, "timeout": 10}
        hooks = {"request": [_refuse_what_is_not_safe]}  # called for a redirect as well
        try:
            with (
                httpx.Client(**settings, event_hooks=hooks, headers={"Accept-Encoding": "identity"}) as client,
                client.stream("GET", self.url) as response,
            ):
                if response.status_code != 200:
                    raise OSError(f"the server answers with {response.status_code}")
                for part in response.iter_bytes():
                    content += part
                    if len(content) > MAXIMUM_BYTES:
                        raise OSError(_TOO_LARGE)
                    if time.monotonic() > end:
                        raise OSError(f"the answer takes more than {MAXIMUM_SECONDS:.0f} seconds")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(str(error) or type(error).__name__) from error
        return bytes(content)


_Origin: TypeAlias = _File | _Committed | _Web


def _origin(source: str) -> _Origin:
    if os.path.exists(source) or ":" not in source:
        return _File(source)
    if "://" in source:
        return _Web(source)
    revision, _, path = source.partition(":")
    if path.startswith(("./", "../")):  # as git has it: from the current directory, not from the top
        path = posixpath.join(_git("rev-parse", "--show-prefix").decode().rstrip("\n"), path)
    return _Committed(revision, posixpath.normpath(path))


def _path(name: str, base: str) -> str:
    """The path to which a relative reference leads; no path has a NUL in it."""
    return file_of(unquote(name).replace("\0", ""), base)


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S607
    except OSError as error:
        raise OSError(f"git cannot be run: {_cause(error)}") from error
    if done.returncode:
        raise OSError(done.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: "))
    return done.stdout


def _refuse_what_is_not_safe(request: httpx.Request) -> None:
    url = request.url
    if url.scheme != "https" and not (url.scheme == "http" and url.host in _LOOPBACK):
        raise OSError(f"{url} is not read: only https is, and http on this machine")


def _cause(error: OSError) -> str:
    return error.strerror or str(error)


# What a text means, and where its places are


class _ParseError(Exception):
    def __init__(self, problem: str, line: int | None) -> None:
        super().__init__(problem)
        self.line = line


def _from_json(text: str) -> tuple[Any, dict[str, int]]:
    try:
        data: Any = json.loads(text)
        if "\\ud" in text.lower():  # half of a pair of surrogates is no text that could be told
            json.dumps(data, ensure_ascii=False).encode()
    except RecursionError:
        data = None  # it is told with the line
    except ValueError as error:
        problem, line = getattr(error, "msg", str(error)), getattr(error, "lineno", None)
        raise _ParseError(f"does not parse as JSON: {problem}", line) from error
    return data, _lines(_json_places(text))


def _json_places(text: str) -> Iterator[tuple[str, int]]:
    """The JSON pointers of a text of JSON, in its order, each with its line."""
    around: list[tuple[str, Iterator[int] | None]] = []
    place: str | None = ""
    line, start = 1, 0
    for found in _JSON_TOKEN.finditer(text):
        line, start, token = line + text.count("\n", start, found.start()), found.start(), found[0]
        if token in {"}", "]"}:
            around.pop()
        elif token != ",":
            if place is None:
                above, numbers = around[-1]
                place = above + pointer(json.loads(token) if numbers is None else next(numbers))
                yield place, line
                if numbers is None:  # that was the key; its value comes next
                    continue
            if token in {"{", "["}:
                around.append((place, itertools.count() if token == "[" else None))
            place = None


def _lines(places: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, line in places:
        if place.count("/") > MAXIMUM_DEPTH:
            raise _ParseError(_TOO_DEEP, line)
        if place in found:
            key = place.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
            raise _ParseError(f"duplicate key {key!r}: one of them must go", line)
        found[place] = line
    return found


def _from_yaml(text: str) -> tuple[Any, dict[str, int]]:
    try:
        around = 0
        for event in yaml.parse(text, Loader=_loader_type()):  # to compose what is deep would bring the process down
            if isinstance(event, yaml.NodeEvent) and around > MAXIMUM_DEPTH:
                raise _ParseError(_TOO_DEEP, event.start_mark.line + 1 if event.start_mark else None)
            around += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        loader: Any = _loader(text)
        root = loader.get_single_node()
        if root is None:
            return None, {}
        _count(root, {})
        lines = _lines(_yaml_places(root))
        return loader.construct_document(root), lines
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise _ParseError(f"does not parse as YAML: {error.problem}", line) from error
    except yaml.reader.ReaderError as error:
        found = yaml.reader.Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else None
        raise _ParseError("does not parse as YAML: a control character is not allowed", line) from error
    except (ValueError, LookupError) as error:  # a value that its tag does not fit
        raise _ParseError(f"does not parse as YAML: {error}", None) from error


def _loader_type() -> type[yaml.SafeLoader]:
    """The loader in C, where that is installed."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _loader(text: str) -> yaml.SafeLoader:
    """YAML as JSON has it: a date stays the text that it is on the wire."""
    loader = _loader_type()(text)
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in _TAGS]
        for first, resolvers in loader.yaml_implicit_resolvers.items()
    }
    return loader


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """How many nodes there are from one on, aliases written out. What JSON does not have is refused; keys become text.

    Args:
        node: the first.
        known: the counts of those that were looked at; 0 while that goes on.
    """
    if known.get(id(node)) == 0:
        raise _unfit(node, "an alias contains itself")
    if id(node) not in known:
        known[id(node)] = 0
        if node.tag not in _TAGS:
            raise _unfit(node, f"the tag {node.tag!r} is none that JSON has a value for")
        for key in (key for key, _ in node.value) if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                raise _unfit(key, "a key must be a string")
            if key.tag != f"{_TAG}merge":
                key.tag = f"{_TAG}str"
        known[id(node)] = 1 + sum(_count(child, known) for _, _, child in _children(node))
    if known[id(node)] > MAXIMUM_NODES:
        raise _unfit(node, f"more than {MAXIMUM_NODES} nodes once its aliases are written out")
    return known[id(node)]


def _unfit(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _yaml_places(root: yaml.Node) -> Iterator[tuple[str, int]]:
    """The JSON pointers below a node of YAML, each with its line; aliases are written out."""
    todo = [("", root)]
    for above, node in todo:
        for name, mark, child in _children(node):
            place = above + pointer(name)
            yield place, mark.line + 1
            todo.append((place, child))


def _children(node: yaml.Node) -> Iterable[tuple[object, Any, yaml.Node]]:
    """What is in a mapping or a list, each by its name, with the mark where that is written."""
    if isinstance(node, yaml.MappingNode):
        return ((key.value, key.start_mark, value) for key, value in node.value)
    if isinstance(node, yaml.SequenceNode):
        return ((index, value.start_mark, value) for index, value in enumerate(node.value))
    return ()


def _strings(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """The texts in a value, each with its place."""
    if isinstance(value, str):
        yield place, value
    members = value.items() if is_mapping(value) else enumerate(value) if is_list(value) else ()
    for key, child in members:
        yield from _strings(child, place + pointer(key))
