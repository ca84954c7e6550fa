"""A number that JSON cannot have is the fault of the document, wherever it is: exit code 2."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specdrift import TooComplexError, compare
from specdrift.cli import main
from specdrift.loading import ComparisonError, ParsedFile

from tests.specdrift.documents import Json, api

START = "openapi: 3.1.0\npaths:\n  /a:\n    put:\n      parameters:\n        - name: q\n"
DOCUMENT = START + "          in: query\n          schema:\n            type: number\n"
LINE = DOCUMENT.count("\n") + 1

KEYWORDS = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxItems",
    "const",
    "default",
    "example",
    "enum",
    "examples",
]

UNUSABLE = {
    "a long hexadecimal number": "0x" + "f" * 5000,
    "a hexadecimal number beyond a float": "0x" + "f" * 300,
    "5,000 digits": "9" * 5000,
    "400 digits": "-" + "9" * 400,
    "5,000 digits before a point": "9" * 5000 + ".5",
    "a huge exponent": "1e999999999",
    "a huge exponent after a point": "1.5e+400",
    "infinity": ".inf",
    "negative infinity": "-.Inf",
    "not a number": ".NaN",
}

JSON_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1E+400", "9" * 400, "9" * 5000 + ".5"]

ORDINARY = {
    # YAML 1.2, section 10.3.2: neither an octal number of YAML 1.1, nor a sexagesimal one, nor one
    # with underscores, nor a date, is a number.
    "0777": "0777",
    "0b11": "0b11",
    "1:30": "1:30",
    "1:30.5": "1:30.5",
    "1_000": "1_000",
    "1_000.5": "1_000.5",
    "2001-99-99": "2001-99-99",
    "2001-12-14t21:59:43.10-05:00": "2001-12-14t21:59:43.10-05:00",
    "99999-01-01": "99999-01-01",
    "1e": "1e",
    ".": ".",
    "0x1F": 31,
    "1e3": 1000.0,
    "-1.5E-3": -0.0015,
    ".5": 0.5,
    "5.": 5.0,
    "12": 12,
    "1e-999": 0.0,
    "0." + "1" * 5000: 1 / 9,
}


def written(keyword: str, value: str) -> str:
    """A line of YAML with a value: lists for the keywords that need one."""
    if keyword in {"enum", "examples"}:
        return f"            {keyword}: [{value}]\n"
    return f"            {keyword}: {value}\n"


@pytest.mark.parametrize("keyword", KEYWORDS)
@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_number_is_reported_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, keyword: str
) -> None:
    base = tmp_path / "base.yaml"
    revision = tmp_path / "revision.yaml"
    base.write_text(DOCUMENT, encoding="utf-8")
    revision.write_text(DOCUMENT + written(keyword, UNUSABLE[name]), encoding="utf-8")

    for arguments in ([base, revision], [revision, base], [revision, revision]):
        assert main([str(argument) for argument in arguments]) == 2
        message = capsys.readouterr().err
        assert message.startswith(f"specdrift: {revision}:{LINE}: does not parse as YAML: ")
        assert "is not a number that JSON has" in message
        assert len(message) < 300


@pytest.mark.parametrize("number", JSON_NUMBERS)
def test_an_unusable_number_in_json_is_reported_with_its_line(number: str) -> None:
    text = f'{{"openapi": "3.1.0",\n"a": ["NaN 1e999",\n{number}]}}'

    with pytest.raises(ComparisonError, match=r"^a:3: does not parse as JSON: .* JSON has$"):
        ParsedFile.parse("a", text.encode())


@pytest.mark.parametrize("tag", ["!!int", "!!float"])
@pytest.mark.parametrize(
    "value",
    [
        "text",
        "''",
        "1:",
        ".inf",
        "0x",
        "1:30",
        ":".join(["1"] * 300),
        ":".join(["1"] * 300) + ".5",
        ":".join(["1"] * 500_000),
        "1_000",
        "0b11",
        "'____'",
        "'+'",
        "9" * 5000,
        "{a: 1}",
        "[1]",
        "{'=': '1e999'}",
    ],
)
def test_a_tag_does_not_make_a_number(tag: str, value: str) -> None:
    with pytest.raises(ComparisonError, match=r"^a:2: does not parse as YAML: "):
        ParsedFile.parse("a", f"openapi: 3.1.0\na: {tag} {value}\n".encode())


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("!!int ''", "an empty text is not a number that JSON has"),
        ("!!bool 'x'", "x is not true or false"),
        ("!!bool 'yes'", "yes is not true or false"),
        ("!!bool {a: 1}", "the tag !!bool does not match the value"),
        ("!!null [1]", "the tag !!null does not match the value"),
        ("!!str {a: 1}", "the tag !!str does not match the value"),
        ("!!map x", "the tag !!map does not match the value"),
        ("!!seq {a: 1}", "the tag !!seq does not match the value"),
    ],
)
def test_a_value_that_does_not_match_its_tag_is_reported_with_its_line(
    value: str, problem: str
) -> None:
    with pytest.raises(ComparisonError) as caught:
        ParsedFile.parse("a", f"openapi: 3.1.0\na: {value}\n".encode())

    assert str(caught.value) == f"a:2: does not parse as YAML: {problem}"


@pytest.mark.parametrize(
    ("value", "number"), [("!!float 1", 1.0), ("!!int 0x1F", 31), ("!!float '1e3'", 1000.0)]
)
def test_a_tagged_number_of_yaml_1_2_is_read(value: str, number: float) -> None:
    assert ParsedFile.parse("a", f"a: {value}\n".encode()).data == {"a": number}


@pytest.mark.parametrize("text", ORDINARY)
def test_an_unquoted_value_is_read_as_in_yaml_1_2(text: str) -> None:
    data = ParsedFile.parse("a", f"a: {text}\n".encode()).data

    assert data == {"a": ORDINARY[text]}
    assert type(data["a"]) is type(ORDINARY[text])


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
@settings(deadline=None)
def test_every_number_of_json_means_the_same_in_yaml(number: float) -> None:
    text = json.dumps(number)

    from_yaml = ParsedFile.parse("a", f"a: {text}\n".encode()).data["a"]
    from_json = ParsedFile.parse("a", f'{{"a": {text}}}'.encode()).data["a"]

    assert from_yaml == from_json == number
    assert math.isfinite(from_yaml)


LONG_INTEGER = 10**5000
"""More digits than Python writes as text."""


@pytest.mark.parametrize(
    ("base_schema", "revised_schema"),
    [
        ({"maximum": 1}, {"maximum": LONG_INTEGER}),
        ({"maximum": -LONG_INTEGER}, {"maximum": 1}),
        ({"maxLength": LONG_INTEGER}, {"maxLength": LONG_INTEGER + 1}),
        ({"enum": [1]}, {"enum": [1, LONG_INTEGER]}),
        ({"const": 1}, {"const": LONG_INTEGER}),
        ({"default": {"a": [LONG_INTEGER]}}, {"default": {"a": [1]}}),
    ],
)
def test_compare_rejects_an_integer_that_is_too_long_with_its_location(
    base_schema: Json, revised_schema: Json
) -> None:
    expected = r"^/paths/~1pets~1{id}/put/requestBody/.*: an integer has too many digits"
    with pytest.raises(TooComplexError, match=expected):
        compare(api(base_schema), api(revised_schema))


def test_compare_rejects_an_integer_that_is_too_long_in_a_referenced_file() -> None:
    base = api({"$ref": "common.json#/a"})
    base_files = {"common.json": {"a": {"maximum": 1}}}
    revised_files = {"common.json": {"a": {"maximum": LONG_INTEGER}}}
    with pytest.raises(TooComplexError, match=r"^common\.json#/a/maximum: an integer has"):
        compare(base, base, base_files=base_files, revision_files=revised_files)


def test_the_search_for_a_long_integer_ends_in_a_document_that_contains_itself() -> None:
    revision = api({"maximum": LONG_INTEGER})
    revision["x-self"] = revision
    with pytest.raises(TooComplexError, match="an integer has too many digits"):
        compare(api({"maximum": 1}), revision)
