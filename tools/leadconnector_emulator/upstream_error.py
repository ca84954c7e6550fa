"""Why there is no response of the upstream, as an exception and as a response."""

from __future__ import annotations

import json
from typing import Literal

from .messages import Response

UpstreamStatus = Literal[502, 504]

_ERROR_NAMES: dict[UpstreamStatus, str] = {502: "Bad Gateway", 504: "Gateway Timeout"}


class UpstreamError(Exception):
    """There is no complete response. The message says what happened, where, and what to do."""

    def __init__(self, status: UpstreamStatus, message: str) -> None:
        super().__init__(message)
        self.status: UpstreamStatus = status
        """502, or 504 after a time limit (RFC 9110, sections 15.6.3 and 15.6.5)."""

    def response(self) -> Response:
        """The response for the client: JSON, in the form of the vendor's errors."""
        content = {
            "statusCode": self.status,
            "message": str(self),
            "error": _ERROR_NAMES[self.status],
        }
        headers = {"Content-Type": "application/json", "X-Emulator-Error": "upstream"}
        return Response(self.status, json.dumps(content).encode(), headers)
