"""The requests of the emulated OAuth server: their fields in both versions, and their responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl

from .messages import Request

FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"
JSON_MEDIA_TYPE = "application/json"

V3 = "v3"
"""The value of the header `Version` that selects the names in camelCase."""

V2_NAMES = (
    "client_id",
    "client_secret",
    "grant_type",
    "code",
    "redirect_uri",
    "refresh_token",
    "user_type",
)
"""The fields of a token request, as v2 names them."""


@dataclass(frozen=True)
class TokenResponse:
    """The status and the JSON of a response to a token request."""

    status: int
    content: dict[str, Any]


class TokenRequestError(Exception):
    """Ends a token request with an error response."""

    def __init__(self, response: TokenResponse) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(frozen=True)
class TokenRequest:
    """A request to `/oauth/token`, with the names of v2."""

    fields: Mapping[str, str]
    is_v3: bool = False

    def field(self, name: str) -> str:
        """The value of a field; empty if the request lacks it."""
        return self.fields.get(name, "")

    def name(self, name: str) -> str:
        """The name of a field as the request's version has it."""
        return camel_case(name) if self.is_v3 else name

    def error(self, error: str, description: str, *, status: int = 400) -> TokenResponse:
        """An error response: that of RFC 6749, section 5.2, or that of v3."""
        if not self.is_v3:
            return TokenResponse(status, {"error": error, "error_description": description})
        return api_error(status, description)

    def rejection(self, error: str, description: str) -> TokenRequestError:
        """What a step raises to end the request with an error response of status 400."""
        return TokenRequestError(self.error(error, description))

    def success(self, content: Mapping[str, Any]) -> TokenResponse:
        """A success with the names of the version."""
        return success(content, is_v3=self.is_v3)


def success(content: Mapping[str, Any], *, is_v3: bool) -> TokenResponse:
    """A success with the names of a version.

    Args:
        content: the members with the names of v2.
        is_v3: whether to use the names of v3.
    """
    if not is_v3:
        return TokenResponse(200, dict(content))
    return TokenResponse(200, {camel_case(name): value for name, value in content.items()})


def api_error(status: int, message: str | list[str]) -> TokenResponse:
    """An error of the API itself, in the schemas that the vendor documents for OAuth."""
    errors = {401: "Unauthorized", 422: "Unprocessable Entity"}
    content: dict[str, Any] = {"statusCode": status, "message": message}
    if status in errors:
        content["error"] = errors[status]
    return TokenResponse(status, content)


def camel_case(name: str) -> str:
    """A name such as `access_token` as `accessToken`."""
    first_word, *words = name.split("_")
    return first_word + "".join(word.capitalize() for word in words)


def media_type(content_type: str) -> str:
    """The media type of a header `Content-Type`, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a form; none if the body is no form."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def json_fields(body: bytes) -> dict[str, str]:
    """The texts of a JSON object; none if the body is anything else."""
    try:
        members: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(members, dict):
        return {}
    items = cast("dict[str, object]", members).items()
    return {name: value for name, value in items if isinstance(value, str)}


def request_fields(request: Request) -> dict[str, str] | None:
    """The fields of a form or of a JSON object; `None` for another media type."""
    content_type = media_type(request.headers.get("content-type", ""))
    if content_type == FORM_MEDIA_TYPE:
        return form_fields(request.body)
    if content_type == JSON_MEDIA_TYPE:
        return json_fields(request.body)
    return None


def read_token_request(fields: Mapping[str, str], *, is_v3: bool) -> TokenRequest:
    """A token request with the names of v2, whatever names its version has."""
    if not is_v3:
        return TokenRequest(fields)
    renamed: dict[str, str] = {}
    for name in V2_NAMES:
        if camel_case(name) in fields:
            renamed[name] = fields[camel_case(name)]
    return TokenRequest(renamed, is_v3=True)
