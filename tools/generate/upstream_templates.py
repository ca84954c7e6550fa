"""Lets a template in `templates/` include the upstream template that it overrides."""

from __future__ import annotations

from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, PrefixLoader

UPSTREAM = "upstream"
"""The folder below which a template finds the templates of openapi-python-client."""


class UpstreamChangedError(Exception):
    """An upstream template no longer contains a line that one of our templates replaces."""


def add_upstream_templates(environment: Environment) -> None:
    """Add upstream's templates below `upstream/`, and the filter `replace_line`."""
    loaders: list[BaseLoader] = [PrefixLoader({UPSTREAM: PackageLoader("openapi_python_client")})]
    if environment.loader is not None:
        loaders.append(environment.loader)
    environment.loader = ChoiceLoader(loaders)
    # Typed as `Any`, because Jinja2 types its filters as a mapping of the built-in ones.
    filters: Any = environment.filters
    filters["replace_line"] = replace_line


def replace_line(code: str, line: str, replacement: str) -> str:
    """Replace a whole line of code.

    Text of the spec is never changed in code, because no literal contains a line break. A line of a
    docstring may match, which changes documentation only.

    Args:
        code: the code that an upstream template rendered.
        line: the line as upstream writes it, with its indentation.
        replacement: the line instead.

    Raises:
        UpstreamChangedError: there is no such line.
    """
    lines = code.split("\n")
    if line not in lines:
        raise UpstreamChangedError(
            f"the upstream template has no line {line.strip()!r}: adapt the template in templates/"
        )
    return "\n".join(replacement if candidate == line else candidate for candidate in lines)
