"""Verifies where numbers look like strings: in forms and text, and not in JSON."""

import pytest
from specdrift import compare

from tests.specdrift.documents import TEXT, Json, api, object_with

NUMBER: Json = {"type": "integer"}


def body(media_type: str, schema: Json) -> Json:
    """Return a document whose request has a property in a media type."""
    return api(requestBody={"content": {media_type: {"schema": object_with(schema)}}})


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/problem+json",
        "application/x-ndjson",
        "application/jsonl",
        "application/json-seq",
        "application/yaml",
        "application/cbor",
        "text/json",
        "application/*",
        "*/*",
    ],
)
def test_a_number_is_no_string_where_values_have_types(media_type: str) -> None:
    changes = compare(body(media_type, NUMBER), body(media_type, TEXT))
    assert {change.level for change in changes} == {"ERR"}


@pytest.mark.parametrize(
    "media_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/csv",
        "application/xml",
        "application/atom+xml",
    ],
)
def test_a_number_looks_like_a_string_where_values_are_text(media_type: str) -> None:
    changes = compare(body(media_type, NUMBER), body(media_type, TEXT))
    assert {change.level for change in changes} == {"INFO"}


def test_a_parameter_with_json_content_has_typed_values() -> None:
    def query(schema: Json) -> Json:
        content = {"application/json": {"schema": schema}}
        return api(parameters=[{"name": "q", "in": "query", "content": content}])

    assert {change.level for change in compare(query(NUMBER), query(TEXT))} == {"ERR"}


def test_a_header_with_json_content_has_typed_values() -> None:
    def header(schema: Json) -> Json:
        content = {"application/json": {"schema": schema}}
        return api(responses={"200": {"headers": {"X-A": {"content": content}}}})

    assert {change.level for change in compare(header(TEXT), header(NUMBER))} == {"ERR"}


@pytest.mark.parametrize("covering", ["2XX", "default"])
def test_a_new_status_is_compared_with_the_range_that_described_it(covering: str) -> None:
    def responses(**schemas: Json) -> Json:
        return api(
            responses={
                status.removeprefix("_"): {"content": {"application/json": {"schema": schema}}}
                for status, schema in schemas.items()
            }
        )

    base = responses(**{covering: TEXT})
    same = responses(**{covering: TEXT, "_200": TEXT})
    other = responses(**{covering: TEXT, "_200": NUMBER})
    assert {change.level for change in compare(base, same)} == {"INFO"}
    assert "ERR" in {change.level for change in compare(base, other)}
