"""Finds what the generator, the contract or the session would accept and then drop or get wrong.

Each rule is a function that yields an error for each place. Its docstring says what would go wrong
without it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..document import Document, SpecError
from ..files import find_shared_files
from ..walk import all_schemas
from .bodies import BODY_RULES
from .names import find_colliding_parameters
from .operations import OPERATION_RULES, find_other_credentials, find_unusable_server
from .paging import find_unused_paging_roles
from .parameters import PARAMETER_RULES
from .schemas import SCHEMA_RULES

__all__ = ["find_unsupported"]


def find_unsupported(document: Document) -> Iterator[SpecError]:
    """Yield an error for each unsupported construct, with file, line and JSON pointer.

    The references of the document have to be checked before.
    """
    yield from find_unusable_server(document)
    yield from find_other_credentials(document)
    for operation in document.operations():
        for operation_rule in (*OPERATION_RULES, *BODY_RULES, find_colliding_parameters):
            yield from operation_rule(document, operation)
        for parameter in document.parameters(operation):
            for parameter_rule in PARAMETER_RULES:
                yield from parameter_rule(document, parameter)
    for schema in all_schemas(document):
        for schema_rule in SCHEMA_RULES:
            yield from schema_rule(document, schema)
    yield from find_shared_files(document)
    yield from find_unused_paging_roles(document)
