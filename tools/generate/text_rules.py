"""Adds to the schema of an argument which texts its location can carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .contract_schemas import ContractSchemas
from .document import is_mapping
from .operations import Argument, Location

MAXIMUM_PATH_LENGTH = 512
"""Characters of one path parameter: longer than any id, shorter than the URL limit of servers."""


@dataclass(frozen=True)
class TextRule:
    """What a text must look like to be sent in one location."""

    pattern: str
    """The regular expression for the whole text."""
    expected: str
    """The same in words, for error messages."""


_PRINTABLE = "[!-~]([ -~]*[!-~])?"

_PATH_RULE = TextRule(
    # A dot segment would change the path (RFC 3986, section 5.2.4).
    pattern=rf"(?!\.\.?\Z)[^\x00-\x1f\x7f-\x9f]{{1,{MAXIMUM_PATH_LENGTH}}}",
    expected=(
        f"1 to {MAXIMUM_PATH_LENGTH} characters, no control characters, "
        "and not '.' or '..', which would change the URL"
    ),
)
_HEADER_RULE = TextRule(
    # RFC 9110, section 5.5, without the obsolete bytes above ASCII.
    pattern=_PRINTABLE,
    expected="printable ASCII, not blank, without spaces at either end",
)
_HEADER_PART_RULE = TextRule(
    pattern=rf"(?![^,]*,){_PRINTABLE}",
    expected="printable ASCII, not blank, without comma or spaces at either end",
)
_COOKIE_RULE = TextRule(
    # RFC 6265, section 4.1.1: the value of a cookie excludes these characters.
    pattern=rf"(?![^;,\" ]*[;,\" ]){_PRINTABLE}",
    expected="printable ASCII, not blank, without space, quote, comma or semicolon",
)
_REQUIRED_BODY_RULE = TextRule(pattern=".+", expected="a non-empty string")

# Percent-encoding does not tell these delimiters from the characters in a value (OpenAPI 3.1.1,
# appendix E).
_DELIMITER_RULES = {
    "spaceDelimited": TextRule(pattern="[^ ]*", expected="without space, which separates values"),
    "pipeDelimited": TextRule(pattern=r"[^|]*", expected="without |, which separates values"),
}

_SCALAR_TYPES = ["string", "number", "integer", "boolean", "null"]


def with_text_rules(argument: Argument, schema: Any, schemas: ContractSchemas) -> Any:
    """The schema of an argument in the contract, with the rules for the texts in its location.

    Args:
        argument: the argument.
        schema: its schema, reduced. `None` for a body that is not validated.
        schemas: the schemas that references lead to.
    """
    if argument.role == "api-version":
        # Callers may send a version that is not in the spec.
        schema = {"type": "string"}
    if schema is None:
        return None
    limited = _with_rule(schema, _rule(argument), schemas)
    if argument.location in (Location.BODY, Location.ADDITIONAL):
        return limited
    return _with_parts(limited, argument, schemas)


def _rule(argument: Argument) -> TextRule | None:
    if argument.location is Location.PATH:
        return _PATH_RULE
    if argument.location is Location.HEADER:
        return _HEADER_RULE
    if argument.location is Location.COOKIE:
        return _COOKIE_RULE
    if argument.is_body_property and argument.required:
        return _REQUIRED_BODY_RULE
    # A query may contain any text, and so may an optional body property.
    return None


def _part_rule(argument: Argument) -> TextRule | None:
    """The rule for the texts in a list or an object."""
    if argument.location is Location.HEADER:
        return _HEADER_PART_RULE
    if argument.location is Location.QUERY and argument.style is not None:
        return _DELIMITER_RULES.get(argument.style.style)
    return _rule(argument)


def _with_rule(schema: Any, rule: TextRule | None, schemas: ContractSchemas) -> Any:
    if rule is None:
        return schema
    # The client reads no keyword beside `$ref`.
    target = _target(schema, schemas)
    # `(?s)`: a line break in a required body text is fine, and `.` must match it.
    return {**target, "x-text": f"(?s){rule.pattern}", "x-expected": rule.expected}


def _with_parts(schema: Any, argument: Argument, schemas: ContractSchemas) -> Any:
    """A schema of a parameter with the rules for the parts of lists and objects."""
    target = _target(schema, schemas)
    changes: dict[str, Any] = {}
    rule = _part_rule(argument)
    for keyword in ("anyOf", "oneOf"):
        if keyword in target:
            changes[keyword] = [_with_parts(item, argument, schemas) for item in target[keyword]]
    if "items" in target:
        changes["items"] = _with_rule(target["items"], rule, schemas)
        # An empty list is not written at all.
        if argument.required:
            changes["minItems"] = max(1, target.get("minItems", 1))
    if "properties" in target:
        changes["properties"] = {
            name: _with_rule(child, rule, schemas) for name, child in target["properties"].items()
        }
    if _is_object(target):
        additional = target.get("additionalProperties", True)
        # There is no form for an object in an object.
        additional_schema = {"type": _SCALAR_TYPES} if additional is True else additional
        if is_mapping(additional_schema):
            changes["additionalProperties"] = _with_rule(additional_schema, rule, schemas)
    if all(target.get(keyword) == value for keyword, value in changes.items()):
        return schema
    return {**target, **changes}


def _is_object(schema: Any) -> bool:
    types = schema.get("type", [])
    return "properties" in schema or types == "object" or "object" in types


def _target(schema: Any, schemas: ContractSchemas) -> Any:
    """A reduced schema, or the one that it refers to."""
    if "$ref" in schema:
        return schemas.target(schema)
    return schema
