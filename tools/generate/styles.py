"""Knows how each parameter is written: its `style` and `explode`, or their defaults."""

from __future__ import annotations

from dataclasses import dataclass

from .document import Node

DEFAULT_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
"""OpenAPI 3.1, "Parameter Object": the default of `style` for each `in`."""


@dataclass(frozen=True)
class ParameterStyle:
    """How a list or an object is written as the text of a parameter."""

    style: str
    explode: bool


def parameter_style(parameter: Node) -> ParameterStyle:
    """The style of a parameter."""
    location = str(parameter.get("in"))
    style = str(parameter.get("style", DEFAULT_STYLES.get(location, "form")))
    # OpenAPI 3.1, "Parameter Object": only `form` has this default. For `deepObject`, the other one
    # is undefined.
    default = style in {"form", "deepObject"}
    return ParameterStyle(style, bool(parameter.get("explode", default)))
