"""Rejects what the generator, the contract or the session would accept and then drop or get wrong.

Each rule is a function that raises `SpecError`. Its docstring says what would go wrong without it.
"""

from __future__ import annotations

from ..document import Document
from ..walk import all_schemas
from .operations import OPERATION_RULES, PARAMETER_RULES, reject_unusable_server
from .schemas import SCHEMA_RULES

__all__ = ["check_supported"]


def check_supported(document: Document) -> None:
    """Apply every rule, first to operations and parameters, then to schemas.

    Raises:
        SpecError: for the first unsupported construct, with file, line and JSON pointer.
    """
    reject_unusable_server(document)
    for operation in document.operations():
        for operation_rule in OPERATION_RULES:
            operation_rule(document, operation)
        for parameter in document.parameters(operation):
            for parameter_rule in PARAMETER_RULES:
                parameter_rule(document, parameter)
    for schema in all_schemas(document):
        for schema_rule in SCHEMA_RULES:
            schema_rule(document, schema)
