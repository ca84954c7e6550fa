"""The one logger of the package, so that an application configures it under one name.

Each record has the field `event` in `extra`, which names the step, and fields with its values. The
page docs/observability.md lists them, and a test compares it with the code. A field has no ID and
no token.
"""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .finding import Finding

logger = logging.getLogger("leadconnector")


def log_finding(level: int, finding: "Finding") -> None:
    """Log a deviation of a response or of an event from the spec."""
    logger.log(
        level,
        "%s: %s: %s must be %s (spec: %s) [%s]",
        finding.operation,
        finding.kind,
        finding.subject,
        finding.expected,
        finding.pointer,
        finding.rule,
        extra={
            "event": "drift",
            "operation": finding.operation,
            "kind": finding.kind,
            "rule": finding.rule,
            "path": finding.path,
            "expected": finding.expected,
            "pointer": finding.pointer,
            "value": finding.value,
        },
    )
