"""Tests how documents are loaded from files, git and the web.

Every problem is reported in one line, and no reference leaves the allowed roots.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from specdrift import compare
from specdrift.loading import (
    MAXIMUM_BYTES,
    MAXIMUM_DEPTH,
    ComparisonError,
    LoadedDocument,
    ParsedFile,
    load,
    sources,
)
from specdrift.model.document import Document, members, pointer
from specdrift.rules import Source

GIT = shutil.which("git") or "git"
PET = "components:\n  schemas:\n    Pet:\n      type: object\n"
OPERATION = """\
openapi: 3.1.0
paths:
  /pets:
    get:
      responses:
        "200":
          content:
            application/json:
              schema:
                $ref: "{}"
"""
LINE = 10
"""The line of the reference in `OPERATION`."""


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files with their texts, and the folders that they need."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def resolve_references(loaded: LoadedDocument) -> list[str]:
    """Compare a document with itself, so that its references are followed. Return the notes."""
    changes = compare(
        loaded.document,
        loaded.document,
        base_files=loaded.files,
        revision_files=loaded.files,
    )
    assert changes == []
    document = Document(loaded.document, loaded.files)
    schema_steps = ("get", "responses", "200", "content", "application/json", "schema")
    for _, path in document.root.children("paths"):
        path.child(*schema_steps).resolved()
    return loaded.dangling_notes(document.dangling)


def load_error(source: str, **options: Any) -> str:
    """The message about a document, or a reference in it, that cannot be loaded."""
    with pytest.raises(ComparisonError) as caught:
        resolve_references(load(source, **options))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.fixture(name="folder")
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(params=["in C", "in Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Select one of PyYAML's two parsers. The one in C is not part of every installation."""
    if request.param == "in Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)


# Parsing


def test_keys_and_dates_are_loaded_as_text(folder: Path, parser: None) -> None:
    write(
        folder,
        {"a.yaml": "openapi: 3.1.0\non: 1\nyes: 2\n200: 3\n1.0: 4\nnull: 5\nd: 2021-07-28\ne: =\n"},
    )
    expected = {"on": 1, "yes": 2, "200": 3, "1.0": 4, "null": 5, "d": "2021-07-28", "e": "="}
    assert load("a.yaml").document == {"openapi": "3.1.0", **expected}


@pytest.mark.parametrize(
    "text",
    [
        '\ufeff{"openapi":\t"3.1.0",\r\n\t"a": "\\ud83d\\ude00"}',
        "\ufeffopenapi: 3.1.0\r\na: 😀\r\n",
        '{openapi: 3.1.0, a: "😀"}',
        "openapi: 3.1.0\nbase: &base {a: 😀}\n<<: *base\n",
    ],
    ids=["JSON with tabs", "YAML with a mark", "YAML in braces", "YAML that merges"],
)
def test_json_and_yaml_documents_are_loaded(text: str, folder: Path, parser: None) -> None:
    write(folder, {"a": text})
    assert load("a").document["a"] == "😀"


INVALID_FILES: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "a: is not an OpenAPI document: the top level is not a mapping"),
    "a list": (
        "- openapi: 3.1.0\n",
        "a: is not an OpenAPI document: the top level is not a mapping",
    ),
    "YAML that does not parse": ("openapi: 3.1.0\na: {b: [}\n", "a:2: does not parse as YAML: "),
    "JSON that does not parse": ('{"openapi":\n "3.1.0",,}', "a:2: does not parse as JSON: "),
    "a tab for indentation": ("openapi: 3.1.0\na:\n\tb: 1\n", "a:3: does not parse as YAML: "),
    "two documents": ("a: 1\n---\nb: 2\n", "a:2: does not parse as YAML: "),
    "a duplicate key in YAML": (
        "openapi: 3.1.0\na:\n  200: 1\n  '200': 2\n",
        "a:4: duplicate key '200'",
    ),
    "a duplicate key in JSON": (
        '{"a": {"b": 1},\n"c": {"b": 1,\n"b/": 1, "b/": 2}}',
        "a:3: duplicate key 'b/'",
    ),
    "a key that is a list": (
        "openapi: 3.1.0\n? [a]\n: 1\n",
        "a:2: does not parse as YAML: a key must be a string",
    ),
    "an alias that contains itself": (
        "openapi: 3.1.0\na: &a\n  b: *a\n",
        "a:2: does not parse as YAML: an alias contains itself",
    ),
    "an unknown alias": (
        "openapi: 3.1.0\na: *a\n",
        "a:2: does not parse as YAML: found undefined alias",
    ),
    "a tag for a Python object": (
        "a: 1\nb: !!python/name:os.system\n",
        "a:2: does not parse as YAML: JSON has no type for the tag ",
    ),
    "a value that its tag does not allow": (
        "openapi: 3.1.0\na: !!int text\n",
        "a:2: does not parse as YAML: text is not a number that JSON has",
    ),
    "a control character": (
        "openapi: 3.1.0\na: 'é\x01'\n",
        "a:2: does not parse as YAML: a control character",
    ),
    "a lone surrogate": (
        '{"openapi": "3.1.0", "a": "\\uD800"}',
        "a: does not parse as JSON: ",
    ),
    "a number with too many digits": (
        '{"openapi": "3.1.0", "a": ' + "9" * 5000 + "}",
        "a:1: does not parse as JSON: 99999999999999999999… (5,000 characters) is not a number",
    ),
    "bytes that are not UTF-8": (
        b"openapi: 3.1.0\na: \xff\n",
        "a:2: cannot be read: it is not UTF-8",
    ),
    "UTF-16": ("openapi: 3.1.0\n".encode("utf-16"), "a:1: cannot be read: it is not UTF-8"),
    "a deep list": ("openapi: 3.1.0\na:\n  " + "[" * 100_000, "a:3: is nested deeper than"),
    "a deep block list": (
        "openapi: 3.1.0\na:\n" + "- " * 50_000,
        "a:3: is nested deeper than",
    ),
    "a deep object": (
        '{"openapi": "3.1.0",\n"a":' + '{"b":' * 100_000,
        "a:2: is nested deeper than",
    ),
    "an object that is one level too deep": (
        '{"openapi": "3.1.0",\n"a":' + "[" * MAXIMUM_DEPTH + "1" + "]" * MAXIMUM_DEPTH + "}",
        "a:2: is nested deeper than",
    ),
    "aliases that are nested too deeply": (
        "openapi: 3.1.0\n"
        + "".join(f"a{n}: &a{n} [{f'*a{n - 1}' if n else 1}]\n" for n in range(MAXIMUM_DEPTH + 1)),
        "a:2: is nested deeper than",
    ),
    "aliases that expand to too many nodes": (
        "openapi: 3.1.0\na0: &a0 []\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
        "a:9: does not parse as YAML: more than 1000000 nodes once its aliases are expanded",
    ),
    "merges that expand to too many nodes": (
        "openapi: 3.1.0\na0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
        "does not parse as YAML: more than 1000000 nodes once its aliases are expanded",
    ),
    "too many values": (
        '{"openapi": "3.1.0",\n"a":[' + "0," * 1_000_000 + "0]}",
        "a:2: has more than 1,000,000 values",
    ),
    "names that are too long in JSON": (
        '{"openapi": "3.1.0",\n"' + "a" * 100_000 + '":[' + "0," * 2_000 + "0]}",
        "a:2: has more than 1,000,000 values, or names that are too long",
    ),
    "names that are too long in YAML": (
        "openapi: 3.1.0\n? " + "a" * 100_000 + "\n: [" + "0, " * 2_000 + "0]\n",
        "a:3: has more than 1,000,000 values, or names that are too long",
    ),
    "Swagger 2.0": (
        "info: {}\nswagger: '2.0'\n",
        "a:2: is Swagger 2.0, and OpenAPI 3.0, 3.1 or 3.2 is needed",
    ),
    "no version": (
        "info: {}\n",
        "a: has no `openapi` at the top level, and OpenAPI 3.0, 3.1 or 3.2 is needed",
    ),
    "another version": (
        "info: {}\nopenapi: 3.10.0\n",
        "a:2: is OpenAPI 3.10.0, and OpenAPI 3.0, 3.1 or 3.2 is needed",
    ),
}
"""The content of each invalid file, and a part of the error message."""


@pytest.mark.parametrize("name", INVALID_FILES)
def test_invalid_document_is_reported_with_its_line(name: str, folder: Path, parser: None) -> None:
    content, message = INVALID_FILES[name]
    (folder / "a").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert message in load_error("a")


def test_unquoted_values_have_the_types_of_yaml_1_2(folder: Path, parser: None) -> None:
    write(
        folder,
        {
            "a": (
                "openapi: 3.1.0\n"
                "x: [yes, no, on, off, 1:30, 010, true, False, 12, -3, 0, 1.5, 2020-01-01, null]\n"
            )
        },
    )
    texts = ["yes", "no", "on", "off", "1:30", "010"]
    assert load("a").document["x"] == [*texts, True, False, 12, -3, 0, 1.5, "2020-01-01", None]


def test_referenced_pipe_is_rejected_without_waiting(folder: Path) -> None:
    write(folder, {"a": 'openapi: 3.1.0\npaths: {/a: {$ref: "pipe"}}\n'})
    os.mkfifo(folder / "pipe")
    with pytest.raises(ComparisonError, match=r"a:2: .*it is not a regular file"):
        resolve_references(load("a"))


def test_credentials_and_query_of_a_url_are_not_reported(site: Site) -> None:
    site.pages["/a?token=abc"] = "openapi: 3.1.0\n"
    url = site.url.replace("//", "//user:s3cret@")
    loaded = load(f"{url}/a?token=abc")
    assert (loaded.name, loaded.source("/openapi")) == (f"{site.url}/a", Source(f"{site.url}/a", 1))
    assert f"{site.url}/b: cannot be read" in load_error(f"{url}/b?token=abc")


SECRET_URLS = [
    "https://user:SECRET@127.0.0.1:1/x.yaml",
    "HTTPS://u:SECRET@127.0.0.1:1/x.yaml",
    "https://user:p@SECRET@127.0.0.1:1/x.yaml",
    "https://user:SECRETpa/ss@127.0.0.1:1/x.yaml",
    "https://user:SECRET?x@127.0.0.1:1/x",
    "https://user:a#SECRET@127.0.0.1:1/x",
    "https://user:a?SECRET#b/SECRET@127.0.0.1:1/x",
    "https://127.0.0.1:1/x.yaml?token=SECRET",
    "https://127.0.0.1:1/x.yaml#SECRET",
    "https://127.0.0.1:1/x.yaml#a?SECRET",
    "https://u:SECRET@[::1/x",
    "https:/u:SECRET@h/x",
    "https:\\\\u:SECRET@h/x",
    "ftp://u:SECRET@h/x",
    "http://u:SECRET@10.0.0.1/x",
]


@pytest.mark.parametrize("url", SECRET_URLS)
def test_a_secret_in_a_url_is_not_reported(url: str, folder: Path, site: Site) -> None:
    assert "SECRET" not in load_error(url)
    write(folder, {"a.yaml": "openapi: 3.1.0\npaths: {/pets: {$ref: b.yaml}}\n"})
    assert "SECRET" not in load_error("a.yaml", replacements={"b.yaml": url})
    site.pages["/a.yaml"] = url
    if url.startswith("http"):
        assert "SECRET" not in load_error(f"{site.url}/a.yaml")


@given(st.text("S@/:?#.\\", max_size=12), st.text("S@/:?#.\\", max_size=12))
def test_no_text_between_a_password_and_its_host_is_reported(before: str, after: str) -> None:
    url = f"https://user:{before}SECRET{after}@host/x"
    assert "SECRET" not in sources.without_secrets(url)
    assert "SECRET" not in sources.without_secrets(f"https://host/x?{before}SECRET")
    assert "SECRET" not in sources.without_secrets(f"https://host/x#{before}SECRET")


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:SECRETpa/ss@proxy:3128",
        "socks5://user:SECRET@proxy:3128",
        "socks5h://user:SECRET@proxy",
        "foo://user:SECRET@proxy:3128",
        "http://user:SECRET@proxy:port",
        "http://user:SECRET@[::1",
    ],
)
def test_an_unusable_proxy_is_reported_by_its_variable(
    variable: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SOCKS needs a package, which few users install.
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(variable, proxy)
    message = load_error("https://example.com/x.yaml")
    assert f"the proxy of the environment is not usable: {variable}: " in message
    assert "SECRET" not in message


def test_an_unreachable_socks_proxy_is_reported_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:SECRET@127.0.0.1:1")
    message = load_error("https://example.com/x.yaml")
    assert "https://example.com/x.yaml: cannot be " in message
    assert "SECRET" not in message


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unusable_certificates_are_reported_by_their_variable(
    content: str | None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, {} if content is None else {"ca.pem": content})
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    message = load_error("https://127.0.0.1:1/x.yaml")
    assert "the certificates cannot be loaded: check the environment: " in message
    assert "SSL_CERT_FILE" in message


def test_missing_file_and_folder_are_reported(folder: Path) -> None:
    assert "nowhere.yaml: cannot be read: No such file or directory: name a file" in load_error(
        "nowhere.yaml"
    )
    assert ".: cannot be read: Is a directory: name a file" in load_error(".")


def test_large_file_is_read_up_to_the_limit_only(folder: Path) -> None:
    with open(folder / "a", "wb") as file:
        file.truncate(2**40)  # a sparse file: reading all of it would take hours
    assert "a: cannot be read: it has more than 16 MiB" in load_error("a")


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "'3.1'", "3.0", "3.2.0"])
def test_openapi_3_document_without_paths_is_loaded(version: str, folder: Path) -> None:
    write(folder, {"a": f"openapi: {version}\n"})
    assert resolve_references(load("a")) == []


def test_deepest_allowed_document_can_be_compared(folder: Path) -> None:
    deep: Any = 1
    for _ in range(MAXIMUM_DEPTH - 10):
        deep = {"a": deep}
    sides = list[LoadedDocument]()
    for value in ("x", "y"):
        names = [f"S{n}" for n in range(60)]
        unions: dict[str, Any] = {
            name: {"anyOf": [{"$ref": f"#/components/schemas/{after}"}, {"type": "object"}]}
            for name, after in zip(names, [*names[1:], "End"], strict=True)
        }
        end: Any = {"default": deep, "enum": [deep, value], "title": value}
        document = yaml.safe_load(OPERATION.format("#/components/schemas/S0"))
        document["components"] = {"schemas": {**unions, "S39": end, "End": end}}
        write(folder, {value: json.dumps(document)})
        sides.append(load(value))
    assert compare(sides[0].document, sides[1].document)


@given(st.text(), st.sampled_from(["CSafeLoader", "SafeLoader"]))
@example("x: !!bool maybe\n", "CSafeLoader")
@example("x: 0b_\n", "CSafeLoader")
@example('{"": 1, "": 2}', "CSafeLoader")
def test_any_text_is_parsed_or_rejected_in_one_line(text: str, loader: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "CSafeLoader", getattr(yaml, loader), raising=False)
        try:
            parsed_file = ParsedFile.parse("a", content)
            report = "a:" + "".join(f" {line}" for line in parsed_file.lines.values())
        except ComparisonError as error:
            report = str(error)
    assert report.startswith("a:")
    assert len(report.splitlines()) == 1


# Lines of places


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(WORDS, values, max_size=4),
    max_leaves=20,
)


def pointers(value: Any, parent: str = "") -> Iterator[str]:
    """The JSON pointers of all values below a value."""
    for key, child in members(value):
        yield parent + pointer(key)
        yield from pointers(child, parent + pointer(key))


@given(st.dictionaries(WORDS, VALUES, max_size=4), st.sampled_from([None, 1]))
def test_json_and_yaml_have_the_same_places_and_lines(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    from_json = ParsedFile.parse("a", text.encode())
    from_yaml = ParsedFile.parse("a", f"--- {text}".encode())
    assert from_json.data == from_yaml.data == value
    assert from_json.lines == from_yaml.lines
    assert list(from_json.lines) == list(pointers(value))


def test_source_is_the_line_of_a_place_or_of_its_nearest_parent(folder: Path, parser: None) -> None:
    write(
        folder,
        {
            "a.yaml": "# x\n" + OPERATION.format("b.json#/Pet"),
            "b.json": '{\n"Pet":\n {"type": [\n"null"]}}',
        },
    )
    loaded = load("a.yaml")
    resolve_references(loaded)
    assert loaded.source("/paths/~1pets/get") == Source("a.yaml", 5)
    assert loaded.source("/paths/~1pets/get/responses/200/nowhere/at/all") == Source("a.yaml", 7)
    assert loaded.source("/nowhere") == Source("a.yaml", 1)
    assert loaded.source("b.json#/Pet/type/0") == Source("b.json", 4)
    assert loaded.source("") is None
    assert loaded.text("b.json").startswith('{\n"Pet"')
    assert loaded.text("a.yaml").startswith("# x\n")
    assert loaded.text("c.yaml") == ""


def test_values_of_an_alias_have_the_lines_of_the_anchor(folder: Path, parser: None) -> None:
    write(folder, {"a.yaml": "openapi: 3.1.0\na: &a\n  b: 1\nc: *a\n"})
    loaded = load("a.yaml")
    assert [loaded.source(place) for place in ("/c", "/c/b")] == [
        Source("a.yaml", 4),
        Source("a.yaml", 3),
    ]


# References to other files


def test_referenced_file_is_loaded_on_demand(folder: Path) -> None:
    write(folder, {"a.yaml": OPERATION.format("b%20c.yaml#/components/schemas/Pet")})
    loaded = load("a.yaml")
    assert len(loaded.files) == 0
    write(folder, {"b c.yaml": PET})
    assert resolve_references(loaded) == []
    assert list(loaded.files) == ["b%20c.yaml"]
    assert loaded.files["b%20c.yaml"] == yaml.safe_load(PET)


def test_files_can_refer_to_each_other(folder: Path) -> None:
    write(
        folder,
        {
            "spec/a.yaml": OPERATION.format("x/b.yaml#/Pet"),
            "spec/x/b.yaml": "Pet:\n  $ref: ../a.yaml#/paths\n",
        },
    )
    loaded = load("spec/a.yaml")
    resolve_references(loaded)
    assert loaded.files["a.yaml"] is loaded.document
    assert loaded.source("x/b.yaml#/Pet") == Source("spec/x/b.yaml", 1)


OUTSIDE = {
    "above": "../secret.yaml#/components/schemas/Pet",
    "above and beside": "../spec-other/secret.yaml#/components/schemas/Pet",
    "above, in other characters": "%2e%2e/secret.yaml#/components/schemas/Pet",
    "through a link": "link.yaml#/components/schemas/Pet",
    "through a link to a folder": "up/secret.yaml#/components/schemas/Pet",
    "absolute": "/etc/hostname",
    "on the network": "https://example.com/secret.yaml#/components/schemas/Pet",
    "a URL of a file": "file:///etc/hostname",
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_reference_outside_the_roots_is_rejected(name: str, folder: Path) -> None:
    write(
        folder,
        {
            "spec/a.yaml": OPERATION.format(OUTSIDE[name]),
            "secret.yaml": PET,
            "spec-other/secret.yaml": PET,
        },
    )
    (folder / "spec" / "link.yaml").symlink_to(folder / "secret.yaml")
    (folder / "spec" / "up").symlink_to(folder)
    message = load_error("spec/a.yaml", roots=["elsewhere", "https://example.com.evil/"])
    assert message.startswith(
        f"spec/a.yaml:{LINE}: the reference {OUTSIDE[name]!r} leads out of spec: `--"
    )
    assert ("`--root " in message) == (name != "a URL of a file")


def test_root_allows_the_files_in_it(folder: Path) -> None:
    write(
        folder,
        {
            "spec/a.yaml": OPERATION.format("../common/b.yaml#/components/schemas/Pet"),
            "common/b.yaml": PET,
        },
    )
    assert "`--root common` allows it" in load_error("spec/a.yaml")
    loaded = load("spec/a.yaml", roots=["common"])
    resolve_references(loaded)
    assert list(loaded.files) == ["../common/b.yaml"]


@pytest.mark.parametrize("text", [None, "", "just text\n"], ids=["missing", "empty", "no mapping"])
def test_reference_to_missing_or_empty_file_is_reported_with_its_line(
    text: str | None, folder: Path
) -> None:
    write(
        folder,
        {
            "a.yaml": OPERATION.format("b.yaml#/components"),
            **({} if text is None else {"b.yaml": text}),
        },
    )
    message = load_error("a.yaml")
    assert message.startswith(
        f"a.yaml:{LINE}: the reference 'b.yaml#/components' cannot be followed: b.yaml: "
    )
    assert "`--map REFERENCE=FILE`" in message
    assert "`--map REFERENCE=`" in message


def test_referenced_file_has_the_same_checks(folder: Path) -> None:
    write(folder, {"a.yaml": OPERATION.format("b.yaml#/Pet"), "b.yaml": "Pet: 1\nPet: 2\n"})
    assert load_error("a.yaml").startswith("b.yaml:2: duplicate key 'Pet'")


def test_replacement_is_loaded_instead_of_a_missing_file(folder: Path) -> None:
    write(
        folder,
        {
            "spec/a.yaml": OPERATION.format("../b.yaml#/components/schemas/Pet"),
            "else/where.yaml": PET,
        },
    )
    loaded = load("spec/a.yaml", replacements={"../b.yaml": "else/where.yaml"})
    assert resolve_references(loaded) == []
    assert loaded.source("../b.yaml#/components/schemas/Pet/type") == Source("else/where.yaml", 4)
    assert "nowhere.yaml: No such file" in load_error(
        "spec/a.yaml", replacements={"../b.yaml": "nowhere.yaml"}
    )


def test_replacement_applies_to_references_in_other_files(folder: Path) -> None:
    write(
        folder,
        {
            "a.yaml": OPERATION.format("x/b.yaml#/Pet"),
            "x/b.yaml": "Pet:\n  $ref: c.yaml\n",
            "d.yaml": PET,
        },
    )
    loaded = load("a.yaml", replacements={"c.yaml": "d.yaml"})
    resolve_references(loaded)
    assert loaded.files["x/c.yaml"] == yaml.safe_load(PET)


def test_reference_with_empty_replacement_is_noted(folder: Path) -> None:
    write(folder, {"spec/a.yaml": OPERATION.format("../b.yaml#/components/schemas/Pet")})
    loaded = load("spec/a.yaml", replacements={"../b.yaml": ""})
    assert resolve_references(loaded) == [
        f"spec/a.yaml:{LINE}: the reference '../b.yaml#/components/schemas/Pet' leads nowhere:"
        " compared by its text"
    ]


def test_dangling_reference_is_noted_once(folder: Path) -> None:
    text = OPERATION.format("#/components/schemas/Missing")
    text += text[text.index("  /pets:") :].replace("/pets", "/dogs")
    write(folder, {"a.yaml": text})
    assert resolve_references(load("a.yaml")) == [
        f"a.yaml:{LINE}: the reference '#/components/schemas/Missing' leads nowhere:"
        " compared by its text"
    ]


def test_circular_pointers_lead_nowhere(folder: Path) -> None:
    write(
        folder, {"a.yaml": OPERATION.format("#/x/y") + "x:\n  $ref: '#/z/y'\nz:\n  $ref: '#/x/y'\n"}
    )
    assert resolve_references(load("a.yaml")) == [
        "a.yaml:14: the reference '#/x/y' leads nowhere: compared by its text",
        "a.yaml:12: the reference '#/z/y' leads nowhere: compared by its text",
    ]


# Git


def git(folder: Path, *arguments: str) -> None:
    identity = (
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.com",
        "-c",
        "init.defaultBranch=main",
    )
    subprocess.run(
        [GIT, *identity, *arguments], cwd=folder, check=True, capture_output=True, timeout=60
    )


@pytest.fixture(name="repository")
def git_repository(folder: Path) -> Path:
    """A repository in the current folder, whose files were changed after the last commit."""
    write(
        folder,
        {
            "spec/a.yaml": OPERATION.format("../common/b.yaml#/components/schemas/Pet"),
            "common/b.yaml": PET,
        },
    )
    (folder / "spec" / "link.yaml").symlink_to("a.yaml")
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "x")
    write(folder, {"spec/a.yaml": "openapi: 3.0.0\n", "common/b.yaml": "changed: 1\n"})
    return folder


def test_document_and_its_references_are_loaded_from_a_revision(repository: Path) -> None:
    assert f"HEAD:spec/a.yaml:{LINE}: the reference" in load_error(
        "HEAD:spec/a.yaml", roots=["commo", "/"]
    )
    loaded = load("HEAD:spec/a.yaml", roots=["common"])
    resolve_references(loaded)
    assert loaded.source("/openapi") == Source("HEAD:spec/a.yaml", 1)
    assert loaded.source("../common/b.yaml#/components/schemas/Pet") == Source(
        "HEAD:common/b.yaml", 3
    )
    assert loaded.text("HEAD:common/b.yaml") == PET


def test_path_in_a_revision_starts_at_the_top_unless_it_begins_with_a_dot(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "common")
    for path in ("spec/a.yaml", "../spec/a.yaml", "./../spec/a.yaml"):
        loaded = load(f"HEAD:{path}", roots=["common"])
        resolve_references(loaded)
        assert list(loaded.files) == ["../common/b.yaml"]


def test_existing_file_takes_precedence_over_a_revision(repository: Path) -> None:
    write(repository, {"HEAD:spec/a.yaml": "openapi: 3.2.0\n"})
    assert load("HEAD:spec/a.yaml").document == {"openapi": "3.2.0"}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nowhere:spec/a.yaml", "invalid object name 'nowhere'"),
        ("HEAD:spec/nowhere.yaml", "path 'spec/nowhere.yaml' does not exist in 'HEAD'"),
        ("HEAD:spec", "bad file"),
        ("HEAD:../a.yaml", "'../a.yaml' is outside repository"),
        ("^HEAD:spec/a.yaml", "invalid object name '^HEAD'"),
        ("--output=x:spec/a.yaml", "a revision does not begin with a hyphen"),
    ],
)
def test_git_failure_is_reported(source: str, reason: str, repository: Path) -> None:
    message = load_error(source)
    assert message.startswith(f"{source}: cannot be read: ")
    assert reason in message
    assert not (repository / "x").exists()


def test_symbolic_link_in_git_is_not_followed(repository: Path) -> None:
    assert "the top level is not a mapping" in load_error("HEAD:spec/link.yaml")
    write(repository, {"c.yaml": OPERATION.format("spec/link.yaml")})
    git(repository, "add", ".")
    git(repository, "commit", "-m", "x")
    assert "HEAD:spec/link.yaml: it contains neither a mapping nor a list" in load_error(
        "HEAD:c.yaml"
    )


def test_large_committed_file_is_rejected(repository: Path) -> None:
    with open(repository / "big.yaml", "wb") as file:
        file.truncate(MAXIMUM_BYTES + 1)
    git(repository, "add", "big.yaml")
    assert ":big.yaml: cannot be read: it has more than 16 MiB" in load_error(":big.yaml")


def test_revision_without_git_or_repository_is_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "HEAD:a.yaml: cannot be read: not a git repository" in load_error("HEAD:a.yaml")
    monkeypatch.setenv("PATH", str(folder))
    assert "HEAD:./a.yaml: cannot be read: git cannot be run: No such file" in load_error(
        "HEAD:./a.yaml"
    )


# URLs


@dataclass
class Site:
    """A web server. Each path has the text of a document, or the target of a redirect."""

    url: str = ""
    pages: dict[str, str] = field(default_factory=dict[str, str])
    requested_paths: list[str] = field(default_factory=list[str])


@pytest.fixture(name="site")
def running_site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requested_paths.append(self.path)
            page = site.pages.get(self.path)
            if page is None:
                self.send_response(404)
                self.end_headers()
                return
            if page.startswith(("/", "http")):
                self.send_response(302)
                self.send_header("Location", page)
            else:
                self.send_response(200)
            self.end_headers()
            # The client closes the connection if the response is too large.
            with suppress(ConnectionError):
                self.wfile.write(page.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        server.shutdown()
        thread.join()


def test_document_and_its_siblings_are_downloaded(site: Site) -> None:
    site.pages |= {
        "/spec/a.yaml": OPERATION.format("x/b.yaml#/Pet"),
        "/spec/x/b.yaml": "Pet:\n  $ref: c.yaml\n",
        "/spec/x/c.yaml": PET,
    }
    loaded = load(f"{site.url}/spec/a.yaml")
    assert site.requested_paths == ["/spec/a.yaml"]
    resolve_references(loaded)
    assert list(loaded.files) == ["x/b.yaml", "x/c.yaml"]
    assert loaded.source("x/b.yaml#/Pet") == Source(f"{site.url}/spec/x/b.yaml", 1)


@pytest.mark.parametrize(
    "reference", ["../b.yaml", "/b.yaml", "%2e%2e/b.yaml", "//[", "file:///etc/hostname", "ftp://x"]
)
def test_reference_of_a_downloaded_document_stays_below_its_url(reference: str, site: Site) -> None:
    site.pages |= {"/spec/a.yaml": OPERATION.format(reference), "/b.yaml": PET}
    message = load_error(f"{site.url}/spec/a.yaml", roots=["/etc"])
    assert message.startswith(
        f"{site.url}/spec/a.yaml:{LINE}: the reference {reference!r} leads out of {site.url}/spec/"
    )
    assert site.requested_paths == ["/spec/a.yaml"]


def test_url_prefix_as_root_allows_urls_below_it(site: Site, folder: Path) -> None:
    site.pages |= {
        "/common/b.yaml": "Pet:\n  $ref: c.yaml\n",
        "/common/c.yaml": PET,
        "/commons/b.yaml": PET,
    }
    write(folder, {"a.yaml": OPERATION.format(f"{site.url}/common/b.yaml#/Pet")})
    loaded = load("a.yaml", roots=[f"{site.url}/common"])
    resolve_references(loaded)
    assert list(loaded.files) == [f"{site.url}/common/b.yaml", f"{site.url}/common/c.yaml"]
    write(folder, {"a.yaml": OPERATION.format(f"{site.url}/commons/b.yaml#/Pet")})
    assert f"`--root {site.url}/commons/` allows it" in load_error(
        "a.yaml", roots=[f"{site.url}/common"]
    )
    write(folder, {"a.yaml": OPERATION.format("b.yaml")})
    replaced = load("a.yaml", replacements={"b.yaml": f"{site.url}/commons/b.yaml"})
    assert resolve_references(replaced) == []


@pytest.mark.parametrize(("hops", "allowed"), [(3, True), (4, False)])
def test_at_most_three_redirects_are_followed(hops: int, allowed: bool, site: Site) -> None:
    site.pages |= {f"/{n}": f"/{n + 1}" for n in range(hops)} | {f"/{hops}": "openapi: 3.1.0\n"}
    if allowed:
        assert load(f"{site.url}/0").document == {"openapi": "3.1.0"}
    else:
        assert "Exceeded maximum allowed redirects" in load_error(f"{site.url}/0")


@pytest.mark.parametrize(
    "url", ["http://example.com/a.yaml", "ftp://example.com/a.yaml", "file:///etc/hostname"]
)
def test_only_https_is_allowed_for_other_hosts(url: str, site: Site) -> None:
    assert "only https is, and http on this machine" in load_error(url)
    if url.startswith("http"):
        site.pages["/moved"] = url
        assert f"{url} is not allowed: only https is" in load_error(f"{site.url}/moved")


def test_a_redirect_may_lead_below_the_roots_only(site: Site) -> None:
    # The same server under another name is another host.
    other_site = site.url.replace("127.0.0.1", "localhost")
    site.pages |= {"/spec/b.yaml": "openapi: 3.1.0\n", "/c.yaml": "openapi: 3.1.0\n"}
    for target in ("/spec/b.yaml", f"{site.url}/spec/b.yaml", f"{site.url}/spec/x/../b.yaml"):
        site.pages["/spec/a.yaml"] = target
        assert load(f"{site.url}/spec/a.yaml").document == {"openapi": "3.1.0"}
    for target in (
        "/c.yaml",
        "/spec/%2e%2e/c.yaml",
        "/spec/%252e%252e/c.yaml",
        "/spec/..%5cc.yaml",
        f"{site.url}/spec/../c.yaml",
        f"{other_site}/spec/b.yaml",
    ):
        site.pages["/spec/a.yaml"] = target
        message = load_error(f"{site.url}/spec/a.yaml")
        assert f"{site.url}/spec/a.yaml: cannot be read: it redirects to " in message
        assert site.requested_paths[-1] == "/spec/a.yaml"
        is_refused_always = "%" in target
        assert ("which no `--root` allows" in message) == is_refused_always
        assert ("` allows it" in message) != is_refused_always
    assert f"`--root {other_site}/spec/` allows it" in message
    allowed = load(f"{site.url}/spec/a.yaml", roots=[other_site])
    assert allowed.document == {"openapi": "3.1.0"}


def test_each_of_several_redirects_is_checked(site: Site) -> None:
    site.pages |= {
        "/spec/a.yaml": "/spec/b.yaml",
        "/spec/b.yaml": "/c.yaml",
        "/c.yaml": "/spec/d.yaml",
        "/spec/d.yaml": "openapi: 3.1.0\n",
    }
    message = load_error(f"{site.url}/spec/a.yaml")
    assert f"it redirects to {site.url}/c.yaml: `--root {site.url}/` allows it" in message
    assert site.requested_paths == ["/spec/a.yaml", "/spec/b.yaml"]


@pytest.mark.parametrize("has_replacement", [False, True])
def test_a_redirect_of_a_referenced_file_stays_below_the_roots(
    has_replacement: bool, site: Site
) -> None:
    site.pages |= {
        "/spec/a.yaml": OPERATION.format("x/b.yaml#/components/schemas/Pet"),
        "/spec/x/b.yaml": "/secret.yaml",
        "/secret.yaml": PET,
    }
    replacements = {"x/b.yaml": f"{site.url}/spec/x/b.yaml"} if has_replacement else {}
    message = load_error(f"{site.url}/spec/a.yaml", replacements=replacements)
    assert f"it redirects to {site.url}/secret.yaml" in message
    assert "/secret.yaml" not in site.requested_paths
    allowed = load(f"{site.url}/spec/a.yaml", roots=[f"{site.url}/"], replacements=replacements)
    assert resolve_references(allowed) == []


def test_a_document_cannot_name_a_server_on_this_machine(site: Site, folder: Path) -> None:
    site.pages["/b.yaml"] = PET
    write(folder, {"a.yaml": OPERATION.format(f"{site.url}/b.yaml#/components/schemas/Pet")})
    assert "leads out of" in load_error("a.yaml")
    assert site.requested_paths == []
    assert resolve_references(load("a.yaml", roots=[site.url])) == []


@pytest.mark.parametrize(
    ("url", "root", "is_within"),
    [
        ("https://a.example/x/b.yaml", "https://a.example/x", True),
        ("https://a.example/x/b.yaml", "https://A.example:443/x/", True),
        ("https://user:password@a.example/x/b.yaml", "https://a.example/x/", True),
        ("https://a.example/x/b.yaml?token=1", "https://a.example/x/", True),
        ("https://a.example/xy/b.yaml", "https://a.example/x", False),
        ("https://a.example.org/x/b.yaml", "https://a.example/x", False),
        ("https://a.example@evil.example/x/b.yaml", "https://a.example/", False),
        ("http://a.example/x/b.yaml", "https://a.example/x", False),
        ("https://a.example:8443/x/b.yaml", "https://a.example/x", False),
        ("https://a.example/x/%2E%2E/b.yaml", "https://a.example/x", False),
        ("https://a.example/x%2Fb.yaml", "https://a.example/x/", False),
        ("https://[", "https://a.example/x/", False),
        ("https://a.example/x/b.yaml", ".", False),
    ],
)
def test_a_url_is_within_a_root(url: str, root: str, is_within: bool) -> None:
    assert sources.WebFile(url).is_within(root) is is_within


def directives(template: str, count: int) -> str:
    """Many directives, each of another name."""
    return "".join(template.format(number) for number in range(count))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("- a\n" * (15 * 2**18), id="a list"),
        pytest.param("a: [" + "1," * (15 * 2**19) + "1]\n", id="a list in one line"),
        pytest.param("--- a\n" * (5 * 2**19), id="documents"),
        pytest.param("- &a b\n- *a\n" * 2**20, id="aliases"),
        pytest.param("a: [" + "[]," * 2**19 * 3 + "1]\n", id="empty lists"),
        pytest.param("- a\n" * 2**20, id="a list just below the limit of size"),
        pytest.param("[" * 2**20, id="nested lists"),
        pytest.param(directives("%TAG !a{}! x\n", 100_000) + "--- a", id="directives"),
        pytest.param("a: 1\n...\n" + directives("%TAG !a{}! x\n", 9_999), id="late directives"),
        pytest.param(directives("%TAG !a{}! x\r", 9_999) + "--- a", id="other line ends"),
    ],
)
def test_a_long_yaml_text_is_rejected_before_it_is_parsed(
    text: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_text: str) -> None:
        raise AssertionError("the text was composed")

    monkeypatch.setattr("specdrift.loading.yaml_parser._compose", fail)
    write(folder, {"a.yaml": text})
    message = load_error("a.yaml")
    assert "convert it to JSON" in message or "is nested deeper" in message


MERGED = "openapi: 3.1.0\nb: &b {" + ", ".join(f"k{n}: 1" for n in range(30_000)) + "}\n"


@pytest.mark.parametrize(
    "text",
    [
        MERGED + "c:\n" + "- {<<: *b}\n" * 4,
        MERGED + "c: {<<: [*b, *b, *b, *b]}\n",
        MERGED + "c: &c {<<: *b}\nd: &d {<<: *c}\ne: &e {<<: *d}\nf: {<<: *e}\n",
    ],
    ids=["many mappings", "one mapping", "a chain"],
)
def test_many_merged_keys_are_rejected(text: str, folder: Path) -> None:
    write(folder, {"a.yaml": text})
    assert "more than 100,000 keys are merged with <<: convert it to JSON" in load_error("a.yaml")


def test_some_merged_keys_and_directives_are_read(folder: Path) -> None:
    write(folder, {"a.yaml": "%YAML 1.1\n%TAG !a! x\n---\n" + MERGED + "c: [{<<: *b}]\n"})
    assert len(load("a.yaml").document["c"][0]) == 30_000


def test_json_of_that_size_is_read(folder: Path) -> None:
    write(folder, {"a.json": json.dumps({"openapi": "3.1.0", "x": "a" * 15 * 2**20})})
    assert load("a.json").document["openapi"] == "3.1.0"


def test_failed_download_is_reported(site: Site) -> None:
    assert f"{site.url}/a: cannot be read: the server returned status 404" in load_error(
        f"{site.url}/a"
    )
    site.pages["/a"] = "x" * (MAXIMUM_BYTES + 1)
    assert f"{site.url}/a: cannot be read: it has more than 16 MiB" in load_error(f"{site.url}/a")
    site.pages["/a"] = "openapi: [\n"
    assert f"{site.url}/a:2: does not parse as YAML" in load_error(f"{site.url}/a")
    assert "cannot be read: " in load_error("http://127.0.0.1:1/a")
    assert "cannot be read: " in load_error("https://[/a")


def test_slow_download_is_aborted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.pages["/a"] = "openapi: 3.1.0\n"
    monkeypatch.setattr(sources, "MAXIMUM_SECONDS", -1)
    assert "the response takes more than" in load_error(f"{site.url}/a")


@pytest.mark.parametrize(
    ("start", "part"),
    [
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b"x"),
        (b"HTTP/1.1 ", b"2"),
    ],
    ids=["interim responses", "a header", "a body", "a status line"],
)
def test_a_trickle_of_any_part_of_a_response_is_aborted(
    start: bytes, part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(start)
            while not stopped.wait(0.01):
                connection.sendall(part)

    monkeypatch.setattr(sources, "MAXIMUM_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        message = load_error(f"http://127.0.0.1:{server.getsockname()[1]}/a")
        stopped.set()
        thread.join()
    assert "the response takes more than 0 seconds" in message


def test_referenced_file_is_read_once(folder: Path) -> None:
    write(folder, {"a.yaml": OPERATION.format("b.yaml#/components/schemas/Pet"), "b.yaml": PET})
    loaded = load("a.yaml")
    resolve_references(loaded)
    (folder / "b.yaml").unlink()
    assert loaded.files["b.yaml"] == yaml.safe_load(PET)
