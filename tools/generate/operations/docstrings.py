"""Writes the docstring of a resource method."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from openapi_python_client.strings import safe_for_docstring

from ..document import Operation
from ..schema_notes import DEPRECATED
from .views import Argument, ResponseView

_WIDTH = 84
"""Columns of the text. The template indents it by 8 more, for at most 92 in the generated code."""

_INDENT = "    "

_OPTIONS = "options: Options of this call alone, such as its `timeout` or additional `headers`."


def method_docstring(
    operation: Operation, arguments: Sequence[Argument], responses: Sequence[ResponseView]
) -> str:
    """The text of a docstring, escaped so that no text of the spec ends it or becomes code."""
    sections = [_summary(operation), _arguments_section(arguments)]
    errors = [response for response in responses if not response.success]
    if errors:
        sections.append(_errors_section(errors))
    return "\n\n".join(sections)


def _summary(operation: Operation) -> str:
    node = operation.node
    summary = str(node.get("summary") or node.get("operationId") or operation.path)
    paragraphs = [_wrap(summary)]
    if node.get("deprecated") is True:
        paragraphs.append(DEPRECATED)
    description = str(node.get("description") or "")
    if description:
        paragraphs.append(_wrap(description))
    return "\n\n".join(paragraphs)


def _arguments_section(arguments: Sequence[Argument]) -> str:
    lines = ["Args:"]
    for argument in sorted(arguments, key=_signature_order):
        lines.append(_wrap(f"{argument.python_name}: {argument.documentation}", _INDENT))
    lines.append(_wrap(_OPTIONS, _INDENT))
    return "\n".join(lines)


def _signature_order(argument: Argument) -> tuple[bool, bool, bool]:
    return argument.signature_order


def _errors_section(errors: Sequence[ResponseView]) -> str:
    statuses = ", ".join(f"{error.status} {error.description}".strip() for error in errors)
    text = f"APIStatusError: the API returned an error status: {statuses}, or any other."
    return f"Raises:\n{_wrap(text, _INDENT)}"


def _wrap(text: str, indent: str = "") -> str:
    words = text.split()
    single_line = " ".join(words)
    escaped = safe_for_docstring(single_line)
    return textwrap.fill(
        escaped,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )
