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
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import httpx
import yaml

from ..model.document import file_of, is_list, is_mapping, pointer, unescaped
from ..rules import Source

MAXIMUM_BYTES = 16 * 2**20
"""Of a file. The vendor's largest has 0.5 MB, and the largest that are in wide use, such as GitHub's, have 12."""

MAXIMUM_NODES = 1_000_000
"""Of a file, aliases written out; the vendor's largest has a few tens of thousands."""

MAXIMUM_CHARACTERS = 128 * 2**20
"""Of the JSON pointers of all places of a file together, which stay in memory; the vendor's largest has 2 million."""

MAXIMUM_DEPTH = 128
"""How many steps lead to a place, where documents have 30: Python lets functions call each other 1,000 deep."""

MAXIMUM_SECONDS = 60.0
"""For one answer from the web, however it trickles in."""

_TOO_DEEP = f"is nested deeper than {MAXIMUM_DEPTH} levels: move parts of it to `components`"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(
    _TAG + kind for kind in ("map", "seq", "str", "int", "float", "bool", "null", "merge")
)
# As YAML 1.2 has them, and JSON: `no` is text, and so is 1:30.
_PATTERNS = {
    f"{_TAG}bool": re.compile("(?:true|True|TRUE|false|False|FALSE)$"),
    f"{_TAG}int": re.compile("(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$"),
}
_JSON = re.compile(r'\s*\{\s*["}]')
_JSON_TOKEN = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[\[\]{}]|[^\s\[\]{},:"]+')
_VERSION = re.compile(r"3\.[012](\.|$)")


class ComparisonError(Exception):
    """What was asked for cannot be compared; says in one line where and why, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


def load(
    source: str, *, roots: Sequence[str] = (), replacements: Mapping[str, str] | None = None
) -> Loaded:
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
    name = _shown(source)
    try:
        return Text.parse(name, _origin(source).read())
    except OSError as error:
        raise ComparisonError(
            f"{name}: cannot be read: {_cause(error)}: name a file, REV:path in this git repository, or an https URL"
        ) from error


def _shown(source: str) -> str:
    """What a report may show of a source: of a URL neither a password nor a query, which may hold one."""
    return re.sub("(?<=://)[^/@]*@", "", source).partition("?")[0] if "://" in source else source


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
        return next((text.text for text in self.files.texts.values() if text.name == file), "")

    def source(self, location: str) -> Source | None:
        """Where a place is written, or the nearest one around it that is; None for the empty location, which is none.

        Args:
            location: as a change has it, such as `/paths/~1pets` or `../common.json#/components`.
        """
        if not location:
            return None
        file, mark, place = location.partition("#")
        texts = self.files.texts
        return texts[file].source(place) if mark and file in texts else texts[""].source(location)

    def note(self, dangling: Mapping[str, str]) -> None:
        """Add a note for each reference of `Document.dangling`, once for all places that have the same text."""
        first = dict[str, Source | None]()
        for location, text in dangling.items():
            first.setdefault(text, self.source(f"{location}/$ref"))
        for text, where in first.items():
            self.notes.append(
                f"{where}: the reference {text!r} leads nowhere: compared by its text"
            )


class OtherFiles(Mapping[str, Any]):
    """The files that a document refers to, by the path that leads there from it. A file is read when it is asked for.

    Whoever asks for one gets a `ComparisonError` where it may not or cannot be read: what it holds would go uncompared.
    """

    def __init__(
        self, origin: _File, main: Text, roots: Sequence[str], replacements: Mapping[str, str]
    ) -> None:
        self._origin = origin
        self._roots = (origin.folder, *roots)
        self._instead = replacements
        self.texts = {"": main}
        """What was read so far, the document itself included."""

    def __getitem__(self, file: str) -> Any:
        if file not in self.texts:
            self.texts[file] = self._read(file)
        return self.texts[file].data

    def __iter__(self) -> Iterator[str]:
        return filter(None, self.texts)

    def __len__(self) -> int:
        return len(self.texts) - 1

    def _read(self, file: str) -> Text:
        others = (
            other
            for name, other in self._instead.items()
            for base in self.texts
            if file_of(name, base) == file
        )
        other = next(others, None)
        if other == "":  # the reference shall lead nowhere
            raise KeyError(file)
        beside = _Web(file) if "://" in file else self._origin.beside(file)
        if other is None and not any(beside.is_within(root) for root in self._roots):
            raise ComparisonError(
                f"{self._asked(file)} leads out of {_shown(self._roots[0])}: `--root {_shown(beside.folder)}` allows"
                " it, and `--map REFERENCE=FILE` gives another file"
            )
        try:
            origin = beside if other is None else _origin(other)
            path = origin.path
            if (
                type(origin) is _File
                and os.path.exists(path)
                and not (os.path.isfile(path) or os.path.isdir(path))
            ):
                raise OSError("it is no regular file, and might never end")
            named = (
                "" if isinstance(origin, _Web) else str(origin)
            )  # a URL is not told with its query
            known = (text for text in self.texts.values() if text.name == named)
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
            for place, value in _strings(text.data):
                name = value.partition("#")[0]
                is_reference = place.endswith("/$ref") or "/mapping/" in place
                if is_reference and name and file_of(name, base) == file:
                    return f"{text.source(place)}: the reference {value!r}"
        return f"{self.texts[''].name}: the reference {file!r}"


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
            raise ComparisonError(
                f"{name}:{line}: cannot be read: it is not UTF-8: save it as that"
            ) from error
        return cls(name, text, *(_from_json if _JSON.match(text) else _from_yaml)(name, text))

    def source(self, place: str) -> Source:
        """Where a JSON pointer leads, or else the nearest place around it that is there."""
        while place and place not in self.lines:
            place = place.rpartition("/")[0]
        return Source(self.name, self.lines.get(place, 1))


def _checked(text: Text) -> dict[str, Any]:
    """The data of what is an OpenAPI 3 document."""
    data = text.data
    if not is_mapping(data):
        raise ComparisonError(
            f"{text.name}: is not an OpenAPI document: the top level is not a mapping: name another"
        )
    needed = "OpenAPI 3.0, 3.1 or 3.2 is needed"
    if not {"swagger", "openapi"} & data.keys():
        raise ComparisonError(
            f"{text.name}: has no `openapi` at the top level, and {needed}: name another file"
        )
    key, kind = ("swagger", "Swagger") if "swagger" in data else ("openapi", "OpenAPI")
    if key == "swagger" or not _VERSION.match(str(data[key])):
        raise ComparisonError(
            f"{text.source(f'/{key}')}: is {kind} {data[key]!s:.20}, and {needed}: convert it first"
        )
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
        return file_of(".", self.path)

    def beside(self, name: str) -> _File:
        """The file to which a relative reference leads from this one; no path has a NUL in it."""
        return replace(self, path=file_of(unquote(name).replace("\0", ""), self.path))

    def is_within(self, root: str) -> bool:
        """Whether it may be read where what is in a root may."""
        inner, outer = os.path.realpath(self.path), os.path.realpath(root)
        return os.path.commonpath([inner, outer]) == outer

    def read(self) -> bytes:
        """Its content."""
        with open(self.path, "rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
        _check_size(len(content))
        return content


@dataclass(frozen=True)
class _Committed(_File):
    """A file as git has it, from the top. A symbolic link is the text of where it leads: git follows none."""

    revision: str

    def __str__(self) -> str:
        return f"{self.revision}:{self.path}"

    def is_within(self, root: str) -> bool:
        path = PurePosixPath(self.path)
        return ".." not in path.parts and path.is_relative_to(posixpath.normpath(root))

    def read(self) -> bytes:
        if self.revision.startswith("-"):
            raise OSError("a revision does not begin with a hyphen")
        _check_size(int(_git("cat-file", "-s", "--end-of-options", str(self))))
        return _git("cat-file", "blob", "--end-of-options", str(self))


class _Web(_File):
    """What a server answers with; its path is the URL."""

    def __str__(self) -> str:
        return _shown(self.path)

    def beside(self, name: str) -> _File:
        return _Web(file_of(name, self.path))

    def is_within(self, root: str) -> bool:
        inside = self.path == root or self.path.startswith(root.rstrip("/") + "/")
        return inside and ".." not in unquote(self.path).split("/")

    def read(self) -> bytes:
        content, end = bytearray(), time.monotonic() + MAXIMUM_SECONDS
        hooks = {"request": [_refuse_what_is_not_safe]}  # called for a redirect as well
        try:
            client = httpx.Client(
                follow_redirects=True, max_redirects=3, timeout=10, event_hooks=hooks
            )
            with (
                client,
                client.stream(
                    "GET", self.path, headers={"Accept-Encoding": "identity"}
                ) as response,
            ):
                if response.status_code != 200:
                    raise OSError(f"the server answers with {response.status_code}")
                for part in response.iter_bytes():
                    content += part
                    _check_size(len(content))
                    if time.monotonic() > end:
                        raise OSError(f"the answer takes more than {MAXIMUM_SECONDS:.0f} seconds")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(str(error) or type(error).__name__) from error
        return bytes(content)


def _origin(source: str) -> _File:
    if os.path.exists(source) or ":" not in source:
        return _File(source)
    if "://" in source:
        return _Web(source)
    revision, _, path = source.partition(":")
    if path.startswith(
        ("./", "../")
    ):  # as git has it: from the current directory, not from the top
        path = posixpath.join(_git("rev-parse", "--show-prefix").decode().rstrip("\n"), path)
    return _Committed(posixpath.normpath(path), revision)


def _check_size(size: int) -> None:
    if size > MAXIMUM_BYTES:
        raise OSError(f"it has more than {MAXIMUM_BYTES >> 20} MiB")


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607  # whichever git the user's PATH names
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise OSError(f"git cannot be run: {_cause(error)}") from error
    if done.returncode:
        raise OSError(
            done.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
        )
    return done.stdout


def _refuse_what_is_not_safe(request: httpx.Request) -> None:
    url = request.url
    if url.scheme != "https" and not (url.scheme == "http" and url.host in _LOOPBACK):
        raise OSError(f"{_shown(str(url))} is not read: only https is, and http on this machine")


def _cause(error: OSError) -> str:
    return error.strerror or str(error)


# What a text means, and where its places are


def _fault(name: str, line: int | None, problem: str) -> ComparisonError:
    return ComparisonError(f"{name}{f':{line}' if line else ''}: {problem}")


def _from_json(name: str, text: str) -> tuple[Any, dict[str, int]]:
    try:
        data: Any = json.loads(text)
        if "\\ud" in text.lower():  # half of a pair of surrogates is no text that could be told
            json.dumps(data, ensure_ascii=False).encode()
    except RecursionError:
        data = None  # it is told with the line
    except ValueError as error:
        problem, line = getattr(error, "msg", str(error)), getattr(error, "lineno", None)
        raise _fault(name, line, f"does not parse as JSON: {problem}") from error
    return data, _lines(name, _json_places(text))


def _json_places(text: str) -> Iterator[tuple[str, int]]:
    """The JSON pointers of a text of JSON, in its order, each with its line."""
    around: list[tuple[str, Iterator[int] | None]] = [("", None)]
    place, line, start = "", 1, 0
    for found in _JSON_TOKEN.finditer(text):
        line, start, (key, colon) = (
            line + text.count("\n", start, found.start()),
            found.start(),
            found.groups(),
        )
        if found[0] in {"}", "]"}:
            around.pop()
            continue
        above, numbers = around[-1]
        if numbers or colon:
            place = above + pointer(next(numbers) if numbers else json.loads(key))
            yield place, line
        if found[0] in {"{", "["}:
            around.append((place, itertools.count() if found[0] == "[" else None))


def _lines(name: str, places: Iterable[tuple[str, int]]) -> dict[str, int]:
    found, characters = dict[str, int](), 0
    for place, line in places:
        if place.count("/") > MAXIMUM_DEPTH:
            raise _fault(name, line, _TOO_DEEP)
        characters += len(place)
        if len(found) == MAXIMUM_NODES or characters > MAXIMUM_CHARACTERS:
            raise _fault(
                name, line, f"holds more than {MAXIMUM_NODES:,} values, or too long names: split it"
            )
        if place in found:
            key = unescaped(place.rpartition("/")[2])
            raise _fault(name, line, f"duplicate key {key!r}: one of them must go")
        found[place] = line
    return found


def _from_yaml(name: str, text: str) -> tuple[Any, dict[str, int]]:
    if found := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _fault(name, line, "does not parse as YAML: a control character is not allowed")
    loader_type: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # that in C is not everywhere
    try:
        around = 0
        for event in yaml.parse(
            text, Loader=loader_type
        ):  # to compose what is deep would bring the process down
            if isinstance(event, yaml.NodeEvent) and around > MAXIMUM_DEPTH:
                raise _fault(
                    name, event.start_mark.line + 1 if event.start_mark else None, _TOO_DEEP
                )
            around += isinstance(event, yaml.CollectionStartEvent) - isinstance(
                event, yaml.CollectionEndEvent
            )
        loader = loader_type(text)
        known = (
            loader.yaml_implicit_resolvers
        )  # without those of dates: as JSON has it, they stay text
        loader.yaml_implicit_resolvers = {
            first: [
                (tag, _PATTERNS.get(tag, pattern)) for tag, pattern in known[first] if tag in _TAGS
            ]
            for first in known
        }
        root = loader.get_single_node()
        if root is None:
            return None, {}
        _count(root, {})
        lines = _lines(name, _yaml_places(root))
        return loader.construct_document(root), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _fault(
            name, mark.line + 1 if mark else None, f"does not parse as YAML: {error.problem}"
        ) from error
    except (ValueError, LookupError) as error:  # a value that its tag does not fit
        raise _fault(name, None, f"does not parse as YAML: {error}") from error


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
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
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


def _yaml_places(node: yaml.Node, above: str = "") -> Iterator[tuple[str, int]]:
    """The JSON pointers below a node of YAML, each with its line; aliases are written out."""
    for name, mark, child in _children(node):
        place = above + pointer(name)
        yield place, mark.line + 1
        yield from _yaml_places(child, place)


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
