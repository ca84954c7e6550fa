"""The error of a control request: what is wrong, where, and which values are allowed (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping

from .schema import JsonObject


class ControlProblemError(Exception):
    """Ends a control request with an error response.

    Args:
        status: the status of the response.
        detail: what is wrong, and what to do.
        errors: each invalid value, with its place.
        headers: headers of the response.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[JsonObject] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.headers: Mapping[str, str] = headers or {}


def pointer_to(place: tuple[str | int, ...]) -> str:
    """A place in the body as a JSON pointer in a fragment (RFC 6901, section 6)."""
    escaped_parts = [str(part).replace("~", "~0").replace("/", "~1") for part in place]
    return "#" + "".join(f"/{part}" for part in escaped_parts)


def summary(errors: list[JsonObject]) -> str:
    """All errors of a body in one text."""
    texts: list[str] = []
    for error in errors:
        pointer = str(error.get("pointer", "#"))
        prefix = "" if pointer == "#" else f"{pointer}: "
        texts.append(prefix + str(error["detail"]))
    return "; ".join(texts)
