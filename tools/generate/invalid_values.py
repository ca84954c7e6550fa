"""Finds the values of a spec that the generator's own model of an OpenAPI document rejects.

The generator reports them as one text without lines. The places are in the exception that it turns
into that text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openapi_python_client.schema import OpenAPI
from pydantic import ValidationError

from .document import Document, SpecError, is_list, is_mapping, json_pointer


def find_invalid_values(document: Document) -> Iterator[SpecError]:
    """Yield an error for each place with such a value."""
    try:
        OpenAPI.model_validate(document.root)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    else:
        return
    messages: dict[str, list[str]] = {}
    for problem in problems:
        pointer = _pointer_at(document, problem["loc"])
        message = problem["msg"]
        if problem["type"] == "missing":
            pointer += json_pointer(str(problem["loc"][-1]))
            message = "it is missing"
        # A value of one of several types has a problem with each type.
        messages.setdefault(pointer, []).append(message)
    for pointer, reasons in messages.items():
        reason = "; or: ".join(dict.fromkeys(reasons))
        yield document.error(pointer, f"the generator reports: {reason}")


def _pointer_at(document: Document, location: Sequence[int | str]) -> str:
    """The JSON pointer of a location of pydantic.

    A location also names types, such as `list[str]`, and a member that is missing. The document
    does not contain them, so they are left out.
    """
    node = document.top
    for step in location:
        if is_mapping(node.value) and step in node.value:
            node = node.child(str(step))
        elif is_list(node.value) and isinstance(step, int):
            node = list(node.elements())[step]
    return node.pointer
