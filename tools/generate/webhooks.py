"""Reads the webhooks of the spec, and writes `webhooks.py`, which names their models.

openapi-python-client ignores `webhooks`. It generates the models of their bodies anyway, because
they are components.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties import ModelProperty

from .document import Document, Node
from .generator_api import model_name, models_by_pointer

FILE_NAME = "webhooks.py"

_MEDIA_TYPE = "application/json"

_COMPONENTS = "/components/schemas/"

_DOCSTRING = '''"""The models of the webhooks: of the events that the API sends."""
'''

_MODULE_WITHOUT_WEBHOOKS = f"""{_DOCSTRING}
from typing import Never, TypeAlias

WebhookModel: TypeAlias = Never

__all__ = ()
"""


@dataclass(frozen=True)
class Webhook:
    """One webhook of the spec: an event that the API sends."""

    event_type: str
    """Its name in the spec, which is the value of `type` in the event."""
    body: Node
    """The schema of its body, which is a reference to a component."""
    model: ModelProperty
    """The generator's model of the body."""


def webhook_bodies(document: Document) -> Iterator[tuple[str, Node]]:
    """The webhooks of a spec by name, each with the schema of its JSON body.

    Without those whose body is no reference to a component: it would have no model with a name.
    """
    for name, reference in document.top.child("webhooks").entries():
        # OpenAPI 3.1, "OpenAPI Object": a webhook is a path item. Events are sent with POST.
        operation = document.resolve(reference).child("post")
        content = document.resolve(operation.child("requestBody")).child("content")
        body = content.child(_MEDIA_TYPE, "schema")
        if isinstance(body.get("$ref"), str):
            yield name, body


def find_webhooks(document: Document, data: GeneratorData) -> tuple[Webhook, ...]:
    """The webhooks of a spec, each with the generator's model of its body.

    Others have a remark.

    Args:
        document: the spec.
        data: the same spec, as the generator parsed it.

    Raises:
        SpecError: a reference leads nowhere.
    """
    models = models_by_pointer(data)
    webhooks: list[Webhook] = []
    for name, body in webhook_bodies(document):
        model = models.get(document.resolve(body).pointer)
        if model is not None:
            webhooks.append(Webhook(name, body, model))
    readable_names = {webhook.event_type for webhook in webhooks}
    for name, webhook in document.top.child("webhooks").entries():
        if name not in readable_names:
            document.remark(
                webhook.pointer,
                f"a webhook is not read: it needs a post operation with a body of {_MEDIA_TYPE},"
                f" whose schema is a $ref to an object in #{_COMPONENTS}",
            )
    return tuple(webhooks)


def write_webhooks(webhooks: Sequence[Webhook], output: Path) -> None:
    """Write the module that names the models of the webhooks.

    Args:
        webhooks: the webhooks of the spec.
        output: the folder of the generated package.
    """
    names = sorted({model_name(webhook.model) for webhook in webhooks})
    (output / FILE_NAME).write_text(_module(names), encoding="utf-8")


def _module(names: Sequence[str]) -> str:
    """The code of the module. Type checkers import the models; at run time nothing is imported."""
    if not names:
        return _MODULE_WITHOUT_WEBHOOKS
    lines = [
        _DOCSTRING,
        "from __future__ import annotations",
        "",
        "from typing import TYPE_CHECKING, TypeAlias",
        "",
        "if TYPE_CHECKING:",
        *(f"    from .models import {name}" for name in names),
        "",
        f'WebhookModel: TypeAlias = "{" | ".join(names)}"',
        "",
        "__all__ = (",
        *(f'    "{name}",' for name in names),
        ")",
        "",
    ]
    return "\n".join(lines)
