"""Writes the docstring of a resource method."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from openapi_python_client.strings import safe_for_docstring

from ..document import Operation
from ..schema_notes import DEPRECATED
from .views import Argument, ResponseView, in_signature_order

_WIDTH = 84
"""Columns of the text. The template indents it by 8 more, for at most 92 in the generated code."""

_INDENT = "    "

_OPTIONS = "options: Options of this call alone, such as its `timeout` or additional `headers`."

_PUBLIC = "The operation is public: the client sends no token."

_PAGE_OPTIONS = "options: Options of the call of each page."


def method_docstring(
    operation: Operation,
    arguments: Sequence[Argument],
    responses: Sequence[ResponseView],
    *,
    with_token: bool,
) -> str:
    """The text of a docstring, escaped so that no text of the spec ends it or becomes code.

    Args:
        operation: the operation.
        arguments: the arguments of the method.
        responses: its responses.
        with_token: whether the client sends its token.
    """
    sections = [_summary(operation)]
    if not with_token:
        sections.append(_PUBLIC)
    sections.append(_arguments_section(arguments, _OPTIONS))
    errors = [response for response in responses if not response.success]
    if errors:
        sections.append(_errors_section(errors))
    return "\n\n".join(sections)


def iteration_docstring(
    operation: Operation,
    method_name: str,
    arguments: Sequence[Argument],
    starts: Sequence[Argument],
    size: Argument | None,
) -> str:
    """The text of the docstring of a method that iterates over the pages of an operation.

    Args:
        operation: the operation.
        method_name: the name of the method that returns one page.
        arguments: the arguments of the method.
        starts: those that say where the iteration starts.
        size: the one that limits the items of a page, if there is one.
    """
    paragraphs = [
        _wrap(_title(operation)),
        _wrap(
            f"Iterates over the items of all pages, each a call of `{method_name}`. A page is"
            " requested when its first item is asked for."
        ),
    ]
    names = " and ".join(f"`{argument.python_name}`" for argument in starts)
    start = f"The iteration starts at {names}"
    if not any(argument in arguments and argument.required for argument in starts):
        start += ", by default with the first item"
    if size is not None:
        start += f". `{size.python_name}` is the size of a page, not of the result"
    paragraphs.append(_wrap(f"{start}."))
    maximum = "max_items: The largest number of items. Default: no limit."
    paragraphs.append(_arguments_section(arguments, maximum, _PAGE_OPTIONS))
    errors = (
        f"LeadConnectorError: an error of `{method_name}`, when the first item of a page is"
        " requested."
    )
    paragraphs.append(f"Raises:\n{_wrap(errors, _INDENT)}")
    return "\n\n".join(paragraphs)


def _title(operation: Operation) -> str:
    node = operation.node
    return str(node.get("summary") or node.get("operationId") or operation.path)


def _summary(operation: Operation) -> str:
    node = operation.node
    paragraphs = [_wrap(_title(operation))]
    if node.get("deprecated") is True:
        paragraphs.append(DEPRECATED)
    description = str(node.get("description") or "")
    if description:
        paragraphs.append(_wrap(description))
    return "\n\n".join(paragraphs)


def _arguments_section(arguments: Sequence[Argument], *more: str) -> str:
    lines = ["Args:"]
    for argument in in_signature_order(arguments):
        lines.append(_wrap(f"{argument.python_name}: {argument.documentation}", _INDENT))
    lines += [_wrap(text, _INDENT) for text in more]
    return "\n".join(lines)


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
