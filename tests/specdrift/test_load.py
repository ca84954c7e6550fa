"""Documents are read from files, git and the web; whatever is wrong is told in one line, and nothing escapes a root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
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
from specdrift import compare, loading
from specdrift.loading import MAXIMUM_BYTES, MAXIMUM_DEPTH, ComparisonError, Loaded, Text, load
from specdrift.model.document import Document, is_list, is_mapping, pointer
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
"""Where the reference of `OPERATION` stands."""


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def compared(loaded: Loaded) -> Loaded:
    """What was loaded, after a comparison with itself has asked for all that it refers to."""
    document = Document(loaded.document, loaded.files)
    assert (
        compare(
            loaded.document, loaded.document, base_files=loaded.files, revision_files=loaded.files
        )
        == []
    )
    for _, path in document.root.children("paths"):
        path.child("get", "responses", "200", "content", "application/json", "schema").resolved()
    loaded.note(document.dangling)
    return loaded


def refusal(source: str, **options: Any) -> str:
    """What is said where a document, or what it refers to, is refused."""
    with pytest.raises(ComparisonError) as caught:
        compared(load(source, **options))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.fixture(name="here")
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, as the current one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(params=["in C", "in Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of YAML: that in C is not everywhere."""
    if request.param == "in Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)


# What a text means


def test_keys_and_dates_stay_the_text_that_they_are_written_as(here: Path, parser: None) -> None:
    write(
        here,
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
def test_each_way_to_write_a_document_is_read(text: str, here: Path, parser: None) -> None:
    write(here, {"a": text})
    assert load("a").document["a"] == "😀"


BAD: dict[str, tuple[str | bytes, str]] = {
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
    "an alias in itself": (
        "openapi: 3.1.0\na: &a\n  b: *a\n",
        "a:2: does not parse as YAML: an alias contains itself",
    ),
    "an unknown alias": (
        "openapi: 3.1.0\na: *a\n",
        "a:2: does not parse as YAML: found undefined alias",
    ),
    "an object of Python": (
        "a: 1\nb: !!python/name:os.system\n",
        "a:2: does not parse as YAML: the tag ",
    ),
    "a value that its tag does not fit": (
        "openapi: 3.1.0\na: !!int text\n",
        "a: does not parse as YAML: ",
    ),
    "a control character": (
        "openapi: 3.1.0\na: 'é\x01'\n",
        "a:2: does not parse as YAML: a control character",
    ),
    "half of a pair of surrogates": (
        '{"openapi": "3.1.0", "a": "\\uD800"}',
        "a: does not parse as JSON: ",
    ),
    "a number without end": (
        '{"openapi": "3.1.0", "a": ' + "9" * 5000 + "}",
        "a: does not parse as JSON: ",
    ),
    "bytes that are no text": (
        b"openapi: 3.1.0\na: \xff\n",
        "a:2: cannot be read: it is not UTF-8",
    ),
    "UTF-16": ("openapi: 3.1.0\n".encode("utf-16"), "a:1: cannot be read: it is not UTF-8"),
    "a deep list": ("openapi: 3.1.0\na:\n  " + "[" * 100_000, "a:3: is nested deeper than"),
    "a deep list of a kind without brackets": (
        "openapi: 3.1.0\na:\n" + "- " * 50_000,
        "a:3: is nested deeper than",
    ),
    "a deep object": ('{"openapi": "3.1.0",\n"a":' + '{"b":' * 5_000, "a:2: is nested deeper than"),
    "an object too deep by one": (
        '{"openapi": "3.1.0",\n"a":' + "[" * MAXIMUM_DEPTH + "1" + "]" * MAXIMUM_DEPTH + "}",
        "a:2: is nested deeper than",
    ),
    "an alias that is deep": (
        "openapi: 3.1.0\n"
        + "".join(f"a{n}: &a{n} [{f'*a{n - 1}' if n else 1}]\n" for n in range(MAXIMUM_DEPTH + 1)),
        "a:2: is nested deeper than",
    ),
    "aliases that explode": (
        "openapi: 3.1.0\na0: &a0 []\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
        "a:9: does not parse as YAML: more than 1000000 nodes once its aliases are written out",
    ),
    "merged mappings that explode": (
        "openapi: 3.1.0\na0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
        "does not parse as YAML: more than 1000000 nodes once its aliases are written out",
    ),
    "more values than fit": (
        '{"openapi": "3.1.0",\n"a":[' + "0," * 1_000_000 + "0]}",
        "a:2: holds more than 1,000,000 values",
    ),
    "a long name of much": (
        '{"openapi": "3.1.0",\n"' + "a" * 100_000 + '":[' + "0," * 2_000 + "0]}",
        "a:2: holds more than 1,000,000 values, or too long names",
    ),
    "a long name of much, in YAML": (
        "openapi: 3.1.0\n? " + "a" * 100_000 + "\n: [" + "0, " * 2_000 + "0]\n",
        "a:3: holds more than 1,000,000 values, or too long names",
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


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_compared_is_told_with_its_line(name: str, here: Path, parser: None) -> None:
    text, expected = BAD[name]
    (here / "a").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert expected in refusal("a")


def test_what_only_yaml_before_1_2_takes_for_something_else_stays_text(
    here: Path, parser: None
) -> None:
    write(
        here,
        {
            "a": "openapi: 3.1.0\nx: [yes, no, on, off, 1:30, 010, true, False, 12, -3, 0, 1.5, 2020-01-01, null]\n"
        },
    )
    texts = ["yes", "no", "on", "off", "1:30", "010"]
    assert load("a").document["x"] == [*texts, True, False, 12, -3, 0, 1.5, "2020-01-01", None]


def test_a_pipe_that_is_referred_to_is_not_waited_for(here: Path) -> None:
    write(here, {"a": 'openapi: 3.1.0\npaths: {/a: {$ref: "pipe"}}\n'})
    os.mkfifo(here / "pipe")
    with pytest.raises(ComparisonError, match=r"a:2: .*it is no regular file"):
        compared(load("a"))


def test_a_password_and_a_query_of_a_url_are_in_no_report(site: Site) -> None:
    site.pages["/a?token=abc"] = "openapi: 3.1.0\n"
    url = site.url.replace("//", "//user:s3cret@")
    loaded = load(f"{url}/a?token=abc")
    assert (loaded.name, loaded.source("/openapi")) == (f"{site.url}/a", Source(f"{site.url}/a", 1))
    assert f"{site.url}/b: cannot be read" in refusal(f"{url}/b?token=abc")


def test_a_file_that_is_not_there_or_is_a_folder_is_told(here: Path) -> None:
    assert "nowhere.yaml: cannot be read: No such file or directory: name a file" in refusal(
        "nowhere.yaml"
    )
    assert ".: cannot be read: Is a directory: name a file" in refusal(".")


def test_of_a_file_that_is_too_large_no_more_is_read_than_the_bound(here: Path) -> None:
    with open(here / "a", "wb") as file:
        file.truncate(2**40)  # a hole: to read it whole would take hours
    assert "a: cannot be read: it has more than 16 MiB" in refusal("a")


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "'3.1'", "3.0", "3.2.0"])
def test_a_document_may_be_of_each_version_of_openapi_3_and_without_paths(
    version: str, here: Path
) -> None:
    write(here, {"a": f"openapi: {version}\n"})
    assert compared(load("a")).notes == []


def test_the_deepest_document_that_is_read_can_be_compared(here: Path) -> None:
    deep: Any = 1
    for _ in range(MAXIMUM_DEPTH - 10):
        deep = {"a": deep}
    sides = list[Loaded]()
    for value in ("x", "y"):
        names = [f"S{n}" for n in range(60)]
        unions: dict[str, Any] = {
            name: {"anyOf": [{"$ref": f"#/components/schemas/{after}"}, {"type": "object"}]}
            for name, after in zip(names, [*names[1:], "End"], strict=True)
        }
        end: Any = {"default": deep, "enum": [deep, value], "title": value}
        document = yaml.safe_load(OPERATION.format("#/components/schemas/S0"))
        document["components"] = {"schemas": {**unions, "S39": end, "End": end}}
        write(here, {value: json.dumps(document)})
        sides.append(load(value))
    assert compare(sides[0].document, sides[1].document)


@given(st.text(), st.sampled_from(["CSafeLoader", "SafeLoader"]))
@example("x: !!bool maybe\n", "CSafeLoader")
@example("x: 0b_\n", "CSafeLoader")
@example('{"": 1, "": 2}', "CSafeLoader")
def test_any_text_is_read_or_refused_in_one_line(text: str, loader: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "CSafeLoader", getattr(yaml, loader), raising=False)
        try:
            told = "a:" + "".join(f" {line}" for line in Text.parse("a", content).lines.values())
        except ComparisonError as error:
            told = str(error)
    assert told.startswith("a:")
    assert len(told.splitlines()) == 1


# Where a place is


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(WORDS, values, max_size=4),
    max_leaves=20,
)


def places(value: Any, place: str = "") -> Iterator[str]:
    """The JSON pointers of all that is in a value."""
    members = value.items() if is_mapping(value) else enumerate(value) if is_list(value) else ()
    for key, child in members:
        yield place + pointer(key)
        yield from places(child, place + pointer(key))


@given(st.dictionaries(WORDS, VALUES, max_size=4), st.sampled_from([None, 1]))
def test_json_has_its_places_on_the_lines_on_which_yaml_has_them(
    value: Any, indent: int | None
) -> None:
    text = json.dumps(value, indent=indent)
    read = Text.parse("a", text.encode())
    as_yaml = Text.parse("a", f"--- {text}".encode())
    assert (read.data, read.lines) == (as_yaml.data, as_yaml.lines) == (value, as_yaml.lines)
    assert list(read.lines) == list(places(value))


def test_a_place_is_told_with_its_line_or_that_of_what_surrounds_it(
    here: Path, parser: None
) -> None:
    write(
        here,
        {
            "a.yaml": "# x\n" + OPERATION.format("b.json#/Pet"),
            "b.json": '{\n"Pet":\n {"type": [\n"null"]}}',
        },
    )
    loaded = compared(load("a.yaml"))
    assert loaded.source("/paths/~1pets/get") == Source("a.yaml", 5)
    assert loaded.source("/paths/~1pets/get/responses/200/nowhere/at/all") == Source("a.yaml", 7)
    assert loaded.source("/nowhere") == Source("a.yaml", 1)
    assert loaded.source("b.json#/Pet/type/0") == Source("b.json", 4)
    assert loaded.source("") is None
    assert loaded.text("b.json").startswith('{\n"Pet"')
    assert loaded.text("a.yaml").startswith("# x\n")
    assert loaded.text("c.yaml") == ""


def test_what_an_alias_stands_for_is_told_where_it_is_written(here: Path, parser: None) -> None:
    write(here, {"a.yaml": "openapi: 3.1.0\na: &a\n  b: 1\nc: *a\n"})
    loaded = load("a.yaml")
    assert [loaded.source(place) for place in ("/c", "/c/b")] == [
        Source("a.yaml", 4),
        Source("a.yaml", 3),
    ]


# References to other files


def test_a_file_is_read_only_when_it_is_asked_for(here: Path) -> None:
    write(here, {"a.yaml": OPERATION.format("b%20c.yaml#/components/schemas/Pet")})
    loaded = load("a.yaml")
    assert len(loaded.files) == 0
    write(here, {"b c.yaml": PET})
    assert list(compared(loaded).files) == ["b%20c.yaml"]
    assert loaded.files["b%20c.yaml"] == yaml.safe_load(PET)
    assert loaded.notes == []


def test_files_may_refer_to_each_other(here: Path) -> None:
    write(
        here,
        {
            "spec/a.yaml": OPERATION.format("x/b.yaml#/Pet"),
            "spec/x/b.yaml": "Pet:\n  $ref: ../a.yaml#/paths\n",
        },
    )
    loaded = compared(load("spec/a.yaml"))
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
def test_a_reference_out_of_the_root_is_refused(name: str, here: Path) -> None:
    write(
        here,
        {
            "spec/a.yaml": OPERATION.format(OUTSIDE[name]),
            "secret.yaml": PET,
            "spec-other/secret.yaml": PET,
        },
    )
    (here / "spec" / "link.yaml").symlink_to(here / "secret.yaml")
    (here / "spec" / "up").symlink_to(here)
    message = refusal("spec/a.yaml", roots=["elsewhere", "https://example.com.evil/"])
    assert message.startswith(
        f"spec/a.yaml:{LINE}: the reference {OUTSIDE[name]!r} leads out of spec: `--root "
    )


def test_a_root_allows_what_is_in_it(here: Path) -> None:
    write(
        here,
        {
            "spec/a.yaml": OPERATION.format("../common/b.yaml#/components/schemas/Pet"),
            "common/b.yaml": PET,
        },
    )
    assert "`--root common` allows it" in refusal("spec/a.yaml")
    assert list(compared(load("spec/a.yaml", roots=["common"])).files) == ["../common/b.yaml"]


@pytest.mark.parametrize("text", [None, "", "just text\n"], ids=["missing", "empty", "no mapping"])
def test_a_reference_to_what_holds_nothing_is_told_with_its_line(
    text: str | None, here: Path
) -> None:
    write(
        here,
        {
            "a.yaml": OPERATION.format("b.yaml#/components"),
            **({} if text is None else {"b.yaml": text}),
        },
    )
    message = refusal("a.yaml")
    assert message.startswith(
        f"a.yaml:{LINE}: the reference 'b.yaml#/components' cannot be followed: b.yaml: "
    )
    assert "`--map REFERENCE=FILE`" in message
    assert "`--map REFERENCE=`" in message


def test_a_file_that_is_referred_to_is_held_to_the_same_bounds(here: Path) -> None:
    write(here, {"a.yaml": OPERATION.format("b.yaml#/Pet"), "b.yaml": "Pet: 1\nPet: 2\n"})
    assert refusal("a.yaml").startswith("b.yaml:2: duplicate key 'Pet'")


def test_another_file_may_stand_in_for_one_that_is_not_there(here: Path) -> None:
    write(
        here,
        {
            "spec/a.yaml": OPERATION.format("../b.yaml#/components/schemas/Pet"),
            "else/where.yaml": PET,
        },
    )
    loaded = compared(load("spec/a.yaml", replacements={"../b.yaml": "else/where.yaml"}))
    assert loaded.source("../b.yaml#/components/schemas/Pet/type") == Source("else/where.yaml", 4)
    assert loaded.notes == []
    assert "nowhere.yaml: No such file" in refusal(
        "spec/a.yaml", replacements={"../b.yaml": "nowhere.yaml"}
    )


def test_a_stand_in_is_found_by_the_reference_as_it_is_written_in_another_file(here: Path) -> None:
    write(
        here,
        {
            "a.yaml": OPERATION.format("x/b.yaml#/Pet"),
            "x/b.yaml": "Pet:\n  $ref: c.yaml\n",
            "d.yaml": PET,
        },
    )
    assert compared(load("a.yaml", replacements={"c.yaml": "d.yaml"})).files[
        "x/c.yaml"
    ] == yaml.safe_load(PET)


def test_a_reference_that_shall_lead_nowhere_is_noted(here: Path) -> None:
    write(here, {"spec/a.yaml": OPERATION.format("../b.yaml#/components/schemas/Pet")})
    assert compared(load("spec/a.yaml", replacements={"../b.yaml": ""})).notes == [
        f"spec/a.yaml:{LINE}: the reference '../b.yaml#/components/schemas/Pet' leads nowhere: compared by its text"
    ]


def test_a_reference_that_leads_nowhere_is_noted_once(here: Path) -> None:
    text = OPERATION.format("#/components/schemas/Missing")
    text += text[text.index("  /pets:") :].replace("/pets", "/dogs")
    write(here, {"a.yaml": text})
    assert compared(load("a.yaml")).notes == [
        f"a.yaml:{LINE}: the reference '#/components/schemas/Missing' leads nowhere: compared by its text"
    ]


def test_pointers_that_lead_through_each_other_without_end_lead_nowhere(here: Path) -> None:
    write(
        here, {"a.yaml": OPERATION.format("#/x/y") + "x:\n  $ref: '#/z/y'\nz:\n  $ref: '#/x/y'\n"}
    )
    assert compared(load("a.yaml")).notes == [
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
def committed(here: Path) -> Path:
    """A repository, as the current folder, whose files have another content since the last commit."""
    write(
        here,
        {
            "spec/a.yaml": OPERATION.format("../common/b.yaml#/components/schemas/Pet"),
            "common/b.yaml": PET,
        },
    )
    (here / "spec" / "link.yaml").symlink_to("a.yaml")
    git(here, "init")
    git(here, "add", ".")
    git(here, "commit", "-m", "x")
    write(here, {"spec/a.yaml": "openapi: 3.0.0\n", "common/b.yaml": "changed: 1\n"})
    return here


def test_a_document_is_read_at_a_revision_with_all_that_it_refers_to(repository: Path) -> None:
    assert f"HEAD:spec/a.yaml:{LINE}: the reference" in refusal(
        "HEAD:spec/a.yaml", roots=["commo", "/"]
    )
    loaded = compared(load("HEAD:spec/a.yaml", roots=["common"]))
    assert loaded.source("/openapi") == Source("HEAD:spec/a.yaml", 1)
    assert loaded.source("../common/b.yaml#/components/schemas/Pet") == Source(
        "HEAD:common/b.yaml", 3
    )
    assert loaded.text("HEAD:common/b.yaml") == PET


def test_a_path_of_a_revision_is_from_the_top_unless_it_begins_with_a_dot(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "common")
    for path in ("spec/a.yaml", "../spec/a.yaml", "./../spec/a.yaml"):
        assert list(compared(load(f"HEAD:{path}", roots=["common"])).files) == ["../common/b.yaml"]


def test_a_file_comes_before_a_revision(repository: Path) -> None:
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
def test_what_git_does_not_have_is_told(source: str, reason: str, repository: Path) -> None:
    message = refusal(source)
    assert message.startswith(f"{source}: cannot be read: ")
    assert reason in message
    assert not (repository / "x").exists()


def test_a_link_in_git_leads_nowhere(repository: Path) -> None:
    assert "the top level is not a mapping" in refusal("HEAD:spec/link.yaml")
    write(repository, {"c.yaml": OPERATION.format("spec/link.yaml")})
    git(repository, "add", ".")
    git(repository, "commit", "-m", "x")
    assert "HEAD:spec/link.yaml: it holds neither a mapping nor a list" in refusal("HEAD:c.yaml")


def test_a_commit_that_has_too_large_a_file_is_refused(repository: Path) -> None:
    with open(repository / "big.yaml", "wb") as file:
        file.truncate(MAXIMUM_BYTES + 1)
    git(repository, "add", "big.yaml")
    assert ":big.yaml: cannot be read: it has more than 16 MiB" in refusal(":big.yaml")


def test_without_git_or_a_repository_a_revision_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "HEAD:a.yaml: cannot be read: not a git repository" in refusal("HEAD:a.yaml")
    monkeypatch.setenv("PATH", str(here))
    assert "HEAD:./a.yaml: cannot be read: git cannot be run: No such file" in refusal(
        "HEAD:./a.yaml"
    )


# The web


@dataclass
class Site:
    """A web server, with what it answers by path: a document, or where to go instead."""

    url: str = ""
    pages: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[str] = field(default_factory=list[str])


@pytest.fixture(name="site")
def running_site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            page = site.pages.get(self.path)
            moved = page is not None and page.startswith(("/", "http"))
            self.send_response(404 if page is None else 302 if moved else 200)
            if page and moved:
                self.send_header("Location", page)
            self.end_headers()
            with suppress(ConnectionError):  # who asks hangs up when it is too much
                self.wfile.write((page or "").encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        server.shutdown()
        thread.join()


def test_a_document_is_read_from_the_web_with_what_is_beside_it(site: Site) -> None:
    site.pages |= {
        "/spec/a.yaml": OPERATION.format("x/b.yaml#/Pet"),
        "/spec/x/b.yaml": "Pet:\n  $ref: c.yaml\n",
        "/spec/x/c.yaml": PET,
    }
    loaded = load(f"{site.url}/spec/a.yaml")
    assert site.asked == ["/spec/a.yaml"]
    assert list(compared(loaded).files) == ["x/b.yaml", "x/c.yaml"]
    assert loaded.source("x/b.yaml#/Pet") == Source(f"{site.url}/spec/x/b.yaml", 1)


@pytest.mark.parametrize(
    "reference", ["../b.yaml", "/b.yaml", "%2e%2e/b.yaml", "//[", "file:///etc/hostname", "ftp://x"]
)
def test_a_reference_from_the_web_leads_to_no_file_and_out_of_no_root(
    reference: str, site: Site
) -> None:
    site.pages |= {"/spec/a.yaml": OPERATION.format(reference), "/b.yaml": PET}
    message = refusal(f"{site.url}/spec/a.yaml", roots=["/etc"])
    assert message.startswith(
        f"{site.url}/spec/a.yaml:{LINE}: the reference {reference!r} leads out of {site.url}/spec/"
    )
    assert site.asked == ["/spec/a.yaml"]


def test_a_prefix_allows_what_is_on_the_web(site: Site, here: Path) -> None:
    site.pages |= {
        "/common/b.yaml": "Pet:\n  $ref: c.yaml\n",
        "/common/c.yaml": PET,
        "/commons/b.yaml": PET,
    }
    write(here, {"a.yaml": OPERATION.format(f"{site.url}/common/b.yaml#/Pet")})
    loaded = compared(load("a.yaml", roots=[f"{site.url}/common"]))
    assert list(loaded.files) == [f"{site.url}/common/b.yaml", f"{site.url}/common/c.yaml"]
    write(here, {"a.yaml": OPERATION.format(f"{site.url}/commons/b.yaml#/Pet")})
    assert f"`--root {site.url}/commons/` allows it" in refusal(
        "a.yaml", roots=[f"{site.url}/common"]
    )
    write(here, {"a.yaml": OPERATION.format("b.yaml")})
    assert (
        compared(load("a.yaml", replacements={"b.yaml": f"{site.url}/commons/b.yaml"})).notes == []
    )


@pytest.mark.parametrize(("hops", "allowed"), [(3, True), (4, False)])
def test_three_redirects_are_followed(hops: int, allowed: bool, site: Site) -> None:
    site.pages |= {f"/{n}": f"/{n + 1}" for n in range(hops)} | {f"/{hops}": "openapi: 3.1.0\n"}
    if allowed:
        assert load(f"{site.url}/0").document == {"openapi": "3.1.0"}
    else:
        assert "Exceeded maximum allowed redirects" in refusal(f"{site.url}/0")


@pytest.mark.parametrize(
    "url", ["http://example.com/a.yaml", "ftp://example.com/a.yaml", "file:///etc/hostname"]
)
def test_only_https_is_read_from_elsewhere(url: str, site: Site) -> None:
    assert "only https is, and http on this machine" in refusal(url)
    if url.startswith("http"):
        site.pages["/moved"] = url
        assert f"{url} is not read: only https is" in refusal(f"{site.url}/moved")


def test_an_answer_that_is_no_document_is_told(site: Site) -> None:
    assert f"{site.url}/a: cannot be read: the server answers with 404" in refusal(f"{site.url}/a")
    site.pages["/a"] = "x" * (MAXIMUM_BYTES + 1)
    assert f"{site.url}/a: cannot be read: it has more than 16 MiB" in refusal(f"{site.url}/a")
    site.pages["/a"] = "openapi: [\n"
    assert f"{site.url}/a:2: does not parse as YAML" in refusal(f"{site.url}/a")
    assert "cannot be read: " in refusal("http://127.0.0.1:1/a")
    assert "cannot be read: " in refusal("https://[/a")


def test_an_answer_that_trickles_in_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/a"] = "openapi: 3.1.0\n"
    monkeypatch.setattr(loading, "MAXIMUM_SECONDS", -1)
    assert "the answer takes more than" in refusal(f"{site.url}/a")


def test_a_file_is_read_once(here: Path) -> None:
    write(here, {"a.yaml": OPERATION.format("b.yaml#/components/schemas/Pet"), "b.yaml": PET})
    loaded = compared(load("a.yaml"))
    (here / "b.yaml").unlink()
    assert loaded.files["b.yaml"] == yaml.safe_load(PET)
