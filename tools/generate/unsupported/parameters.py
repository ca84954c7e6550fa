"""Rules for parameters: how their values are written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..document import Document, Node, SpecError
from ..shapes import parts, structures
from ..styles import DEFAULT_STYLES, parameter_style
from .schemas import find_unknown_role

_QUERY_STYLES = frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"})
_DELIMITED_STYLES = frozenset({"spaceDelimited", "pipeDelimited"})


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2. Names of headers are tokens, and so are those of cookies (RFC 6265)."""


def find_unsendable_name(document: Document, parameter: Node) -> Iterator[SpecError]:
    """A header or cookie with another name could not be sent, or would change another one."""
    location = str(parameter.get("in"))
    name = str(parameter.get("name"))
    if location in {"cookie", "header"} and not _TOKEN.fullmatch(name):
        yield document.error(
            parameter.pointer,
            f"the name of a {location} parameter must have letters, digits and characters such as"
            f" - and _ only, not {name!r}",
        )


def find_other_style(document: Document, parameter: Node) -> Iterator[SpecError]:
    """The generated code cannot write other styles, and OpenAPI leaves some of them undefined."""
    location = str(parameter.get("in"))
    style = parameter_style(parameter)
    supported = {DEFAULT_STYLES.get(location, "form")}
    if location == "query":
        supported |= _QUERY_STYLES
    if style.style not in supported:
        yield document.error(
            parameter.pointer,
            f"style {style.style} is not supported for a {location} parameter: use"
            f" {', '.join(sorted(supported))}",
        )
        return
    shapes = structures(document, parameter.child("schema"))
    # OpenAPI 3.1, "Style Examples": such combinations are undefined.
    if style.style in _DELIMITED_STYLES and (style.explode or not shapes):
        yield document.error(
            parameter.pointer,
            f"style {style.style} is undefined with explode: true, and for a single value",
        )
    if style.style == "deepObject" and (not style.explode or shapes != frozenset({"object"})):
        yield document.error(
            parameter.pointer, "style deepObject is defined for objects with explode: true only"
        )
    # OpenAPI 3.1.1, appendix D: the values would be separated as in a query.
    if location == "cookie" and style.explode and shapes:
        yield document.error(
            parameter.pointer, "a list or an object in a cookie needs explode: false"
        )


def find_nested_parameter(document: Document, parameter: Node) -> Iterator[SpecError]:
    """OpenAPI 3.1 does not define how a list or an object within another one is written."""
    for part in parts(document, parameter.child("schema")):
        if structures(document, part):
            yield document.error(
                part.pointer,
                "a list or an object inside of a parameter is undefined: use text with JSON",
            )


def find_allow_reserved(document: Document, parameter: Node) -> Iterator[SpecError]:
    """The generated code encodes all reserved characters of a value."""
    if parameter.get("allowReserved"):
        yield document.error(parameter.pointer, "allowReserved is not supported")


PARAMETER_RULES = (
    find_unsendable_name,
    find_other_style,
    find_nested_parameter,
    find_allow_reserved,
    find_unknown_role,
)
