"""Reads a checked spec with the generator, and arranges the result as the client needs it.

`make generate` renders the result. `make adopt` only wants to know that there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openapi_python_client.config import Config
from openapi_python_client.parser import GeneratorData

from .document import Document
from .generate import parse_spec
from .generator_view import simplify
from .operations import Resource, arrange_resources
from .schema_notes import add_notes, remove_defaults
from .tolerance import with_optional_responses
from .verify import verify_schemas
from .webhooks import Webhook, find_webhooks


@dataclass(frozen=True)
class ArrangedSpec:
    """The parts of a client, before they are rendered."""

    document: Document
    """The spec as the generator reads it."""
    data: GeneratorData
    resources: Sequence[Resource]
    webhooks: Sequence[Webhook]


def arrange(document: Document, settings: Config) -> ArrangedSpec:
    """Read a spec with the generator, and compare the result with the spec.

    Args:
        document: the spec, which `check_spec` accepts. It stays as it is.
        settings: the generator's settings.

    Raises:
        SpecError: the generator warned, or something got lost.
    """
    tolerant_document = with_optional_responses(document)
    add_notes(tolerant_document)
    simplify(tolerant_document)
    data = parse_spec(tolerant_document, settings)
    remove_defaults(data)
    resources = arrange_resources(document, data)
    webhooks = find_webhooks(document, data)
    verify_schemas(tolerant_document, data, resources, webhooks)
    return ArrangedSpec(tolerant_document, data, resources, webhooks)
