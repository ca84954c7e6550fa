"""Renders the pages: a Markdown index for readers, and the names that Sphinx documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .client import Client, Method, Model, Resource

INDEX_HEAD = """\
# API index

The methods and models of the client, for version {api_version} of the API. `make generate` writes
this page.

`AsyncLeadConnector` has the same methods; await their results. Pass the arguments of the path by
position or by name, and all others by name. An argument that is not required can be left out. Every
field of a response can be `UNSET`: see
[Fields that are left out](../README.md#fields-that-are-left-out-unset).

Every method also has the argument `options`: see
[Options of one call](requests.md#options-of-one-call). The attribute `with_raw_response` of a
resource has the same methods, which return an `APIResponse`: see
[Raw responses](requests.md#raw-responses).

## Methods
"""

MODELS_HEAD = "\n## Models\n"

REFERENCE = """\
Resources
=========

.. `make generate` writes this page.

The attributes of a client, one for each tag of the spec. :doc:`/api` lists all their methods.
"""

RESOURCE_CLASS = """
.. autoclass:: leadconnector._generated.api.{name}.{class_name}
   :members:
   :exclude-members: with_raw_response
   :class-doc-from: class
"""


def index_page(client: Client) -> str:
    """The text of docs/api.md."""
    parts = [
        INDEX_HEAD.format(api_version=client.api_version),
        *(text for resource in client.resources for text in _resource_section(resource)),
        MODELS_HEAD,
        *_model_import(client.models),
        *(text for model in client.models for text in _model_section(model)),
    ]
    return "".join(parts)


def reference_page(client: Client) -> str:
    """The text of docs/reference/resources.rst."""
    classes = [
        RESOURCE_CLASS.format(name=resource.name, class_name=class_name)
        for resource in client.resources
        for class_name in (resource.class_name, f"Async{resource.class_name}")
    ]
    return REFERENCE + "".join(classes)


def _resource_section(resource: Resource) -> Iterator[str]:
    yield f"\n### `client.{resource.name}`\n"
    for method in resource.methods:
        yield from _method_section(resource, method)


def _method_section(resource: Resource, method: Method) -> Iterator[str]:
    operation = method.operation
    yield f"\n#### `{resource.name}.{method.name}`\n"
    request = _code(f"{operation['method']} {operation['path']}")
    yield f"\nSends {request}. Returns {_code(method.returns)}.\n"
    yield f"\n{_responses_sentence(operation['responses'])}\n"
    if method.iteration:
        name = _code(f"{resource.name}.{method.iteration}")
        yield (
            f"\n{name} takes the same arguments, and iterates over the items of all pages: see"
            " [Lists](lists.md).\n"
        )
    if not method.arguments:
        return
    yield "\n| argument | type | required | sent as |\n|---|---|---|---|\n"
    parameter_by_argument = {
        parameter["argument"]: parameter for parameter in operation["arguments"]
    }
    for argument in method.arguments:
        parameter = parameter_by_argument[argument.name]
        required = "yes" if parameter["required"] else "no"
        cells = (_cell(argument.name), _cell(argument.type), required, _place(parameter))
        yield f"| {' | '.join(cells)} |\n"


def _responses_sentence(responses: Mapping[str, object]) -> str:
    statuses = ", ".join(f"`{status}`" for status in sorted(responses))
    return f"The spec documents these statuses: {statuses}."


def _place(parameter: Mapping[str, str]) -> str:
    """Where the request contains an argument: `body`, `header`, `path` or `query`, and its name."""
    if parameter["in"] == "additional":
        return "body: other properties"
    if parameter["name"] == "":
        return parameter["in"]
    return f"{parameter['in']}: {_cell(parameter['name'])}"


def _model_import(models: Iterable[Model]) -> Iterator[str]:
    yield "\n```python\nfrom leadconnector.models import (\n"
    yield from (f"    {model.name},\n" for model in models)
    yield ")\n```\n"


def _model_section(model: Model) -> Iterator[str]:
    yield f"\n### `{model.name}`\n"
    if model.values:
        values = ", ".join(_code(value) for value in model.values)
        yield f"\nAn enum. The spec lists these values: {values}.\n"
        return
    yield "\n| field | type |\n|---|---|\n"
    for field in model.fields:
        yield f"| {_cell(field.name)} | {_cell(field.type)} |\n"


def _code(text: str) -> str:
    """Code in Markdown. The spec chooses names, so a name can contain backticks."""
    fence = "`"
    while fence in text:
        fence += "`"
    if fence == "`":
        return f"`{text}`"
    return f"{fence} {text} {fence}"


def _cell(text: str) -> str:
    """Code in a table. GitHub ends a cell at a `|`, also within code, unless it is escaped."""
    return _code(text).replace("|", "\\|")
