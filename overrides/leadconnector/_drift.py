"""Tells where an answer is not as the spec describes it, without ever telling what was in it."""

from functools import cache
from typing import NamedTuple

from ._contract import Finding, Place, Plan, Schema, load_contract


class Misfit(NamedTuple):
    """Why no generated model can hold an answer."""

    path: str
    """Where in the answer, as a JSON path; `$` is the whole."""
    problem: str
    """What is wrong there; never what was there."""


class Reading(NamedTuple):
    """An answer, read as the spec has it."""

    data: object
    """As a generated model takes it; of no use where there is a misfit."""
    misfit: Misfit | None
    """Why no generated model can hold it, where that is so."""
    findings: tuple[Finding, ...]
    """All that is not as documented."""

    def __repr__(self) -> str:  # a traceback's variables may be shown
        return f"Reading({len(self.findings)} findings)"


def read(operation_id: str, status_key: str, data: object) -> Reading:
    """Hold an answer against what the spec has for it.

    A name that is not documented is a finding, unless the spec says what others there may be; it stays in the data.

    Args:
        operation_id: the operation.
        status_key: the response, as the contract names it: `200`, `2XX`, `default`; another is as one without a schema.
        data: what `json.loads` gave.
    """
    plan, place = _plan(operation_id, status_key), Place([])
    try:
        fitted = plan.fit(data, place) if plan else data
    except RecursionError:
        return Reading(None, Misfit("$", "is nested too deeply"), ())
    if isinstance(fitted, Finding):
        return Reading(None, Misfit(fitted.path, f"must be {fitted.expected}"), tuple(place.found))
    return Reading(fitted, None, tuple(place.found))


def undocumented_status(operation_id: str, status: int) -> Finding:
    """The finding for an answer whose status the operation does not document."""
    known: Schema = load_contract()["operations"][operation_id]
    rule = f"response-{'success' if 200 <= status < 300 else 'non-success'}-status-added"
    expected = f"of status {', '.join(sorted(known['responses']))}"
    return Finding("undocumented-status", rule, known["name"], f"{known['pointer']}/responses", "$", expected)


def undocumented_content_type(operation_id: str, status_key: str, content_type: str) -> Finding | None:
    """The finding for an answer whose media type the operation does not document; a documented range covers its types.

    A response that documents no content may have any type.

    Args:
        operation_id: the operation.
        status_key: the response, as for `read`.
        content_type: the answer's `Content-Type`; empty where it has none, which is a finding.
    """
    known: Schema = load_contract()["operations"][operation_id]
    response: Schema = known["responses"].get(status_key, {})
    documented: list[str] = response.get("media_types", [])
    given = content_type.partition(";")[0].strip().lower()
    if not documented or not {given, f"{given.partition('/')[0]}/*", "*/*"}.isdisjoint(documented):
        return None
    rule, expected = "response-media-type-added", f"of type {' or '.join(documented)}"
    return Finding("undocumented-content-type", rule, known["name"], f"{response['pointer']}/content", "$", expected)


@cache
def _plan(operation_id: str, status_key: str) -> Plan | None:
    known: Schema = load_contract()["operations"][operation_id]
    response: Schema = known["responses"].get(status_key, {})
    return Plan(response["schema"], response["schema_pointer"], known["name"], {}) if "schema" in response else None
