"""Checks operations before they are adopted, so that errors name the published document."""

from __future__ import annotations

from pathlib import Path

from generate.check import check_spec
from generate.document import Document, SpecError
from generate.generate import parse_spec, read_settings
from generate.generator_view import simplify
from generate.operations import arrange_resources
from generate.tolerance import with_optional_responses
from generate.verify import verify_schemas
from generate.webhooks import find_webhooks

from .errors import AdoptionError


def check_extracted(document: Document, config: Path) -> None:
    """Check that `make generate` would accept some operations.

    Args:
        document: the operations with all that they reach.
        config: the generator's configuration.

    Raises:
        AdoptionError: it would not. The message has each problem with file and line.
    """
    try:
        check_spec(document)
        generator_document = with_optional_responses(document)
        simplify(generator_document)
        settings = read_settings(config, document.path, Path("checked"))
        data = parse_spec(generator_document, settings)
        resources = arrange_resources(document, data)
        verify_schemas(generator_document, data, resources, find_webhooks(document, data))
    except SpecError as error:
        raise AdoptionError(str(error)) from error
