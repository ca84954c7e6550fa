"""The browser page of the socket server: the API reference with a console, and the request log.

The reference is Swagger UI 5, which renders OpenAPI 3.1 and can call it. Its files come from the
package `mkdocs-swagger-ui-tag`, the only package with a current Swagger UI that depends on no web
framework. The package is never imported; only its files are read.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any, cast

from .emulator import Emulator
from .faults import Fault
from .messages import Exchange, Request, Response
from .token_endpoint import TOKEN_PATH

LOGGED_EXCHANGES = 200
"""The number of exchanges that the log shows: the latest ones."""

LOGGED_BODY_LENGTH = 2000
"""The number of characters that the log shows of a request's body."""

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Swagger UI's style sheet contains its icons
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
"""The browser lets the page reach no other origin, whatever the spec or the log contains."""

HIDDEN = "…"
"""What the log shows in place of a secret."""

LOOPBACK_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)

HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json; charset=utf-8"
ASSET_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

ASSET_PREFIX = "/_emulator/"
OWN_ASSETS = ("page.css", "page.js", "icon.svg")
SWAGGER_UI_ASSETS = ("stylesheets/swagger-ui.css", "javascripts/swagger-ui-bundle.js")

WITH_SWAGGER_UI = {
    "styles": '<link rel="stylesheet" href="/_emulator/swagger-ui.css">',
    "scripts": '<script defer src="/_emulator/swagger-ui-bundle.js"></script>',
    "notice": "hidden",
}
"""Values of the HTML template."""

WITHOUT_SWAGGER_UI = {"styles": "", "scripts": "", "notice": ""}


class Page:
    """Responds to the requests for the page; all other requests are calls of the API.

    Args:
        emulator: the emulator whose API and log are shown.
        package: the installed package with Swagger UI's files; without it the page says so.
    """

    def __init__(self, emulator: Emulator, *, package: str = "mkdocs_swagger_ui_tag") -> None:
        self._emulator = emulator
        self._static_files = files("leadconnector_emulator") / "static"
        swagger_ui_assets = _swagger_ui_assets(package)
        self._has_swagger_ui = bool(swagger_ui_assets)
        self._assets: dict[str, Traversable] = dict(swagger_ui_assets)
        for name in OWN_ASSETS:
            self._assets[ASSET_PREFIX + name] = self._static_files / name

    def respond(self, request: Request) -> Response | None:
        """Respond to a GET or HEAD of one of the page's paths; `None` for any other request."""
        if request.method not in {"GET", "HEAD"}:
            return None
        # A web site can point its own host name at 127.0.0.1 (DNS rebinding). It must not read
        # the token or the log.
        if not LOOPBACK_HOST.fullmatch(request.headers.get("host", "localhost")):
            return None

        match request.path:
            case "/":
                return _response(self._html().encode(), HTML_TYPE)
            case "/openapi.json":
                host = request.headers.get("host", "")
                return _response(_encoded_json(self._spec(host)), JSON_TYPE)
            case "/_emulator/log":
                return _response(_encoded_json(self._log()), JSON_TYPE)
            case path:
                return self._asset_response(path)

    def _asset_response(self, path: str) -> Response | None:
        asset = self._assets.get(path)
        if asset is None:
            return None
        content_type = ASSET_TYPES[Path(asset.name).suffix]
        return _response(asset.read_bytes(), content_type)

    def _html(self) -> str:
        info = cast("Mapping[str, object]", self._emulator.spec.root.get("info", {}))
        values = {
            "title": str(info.get("title", "API")),
            "version": str(info.get("version", "")),
            "description": str(info.get("description", "")),
            "token": next(iter(self._emulator.tokens), ""),
        }
        # Spec and tokens may contain anything; the template's own markup must not be escaped.
        escaped_values = {name: html.escape(value) for name, value in values.items()}
        markup = WITH_SWAGGER_UI if self._has_swagger_ui else WITHOUT_SWAGGER_UI
        template_file = self._static_files / "index.html"
        template = Template(template_file.read_text(encoding="utf-8"))
        return template.substitute(escaped_values, **markup)

    def _spec(self, host: str) -> dict[str, Any]:
        """The spec, with the server that the browser reached as its only server."""
        root = self._emulator.spec.root
        paths = {path: _without_servers(item) for path, item in root["paths"].items()}
        url = f"http://{host}" if host else "/"
        return {**root, "paths": paths, "servers": [{"url": url}]}

    def _log(self) -> dict[str, Any]:
        exchanges = self._emulator.exchanges
        # Another thread may append meanwhile, so the total is read once.
        total = len(exchanges)
        start = max(0, total - LOGGED_EXCHANGES)
        entries: list[dict[str, Any]] = []
        for number, exchange in enumerate(exchanges[start:total], start=start + 1):
            entries.append(_log_entry(number, exchange))
        return {"total": total, "exchanges": entries}


def _swagger_ui_assets(package: str) -> dict[str, Traversable]:
    """Swagger UI's files by their path on the server; empty if the package does not have them."""
    package_spec = find_spec(package)
    if package_spec is None:
        return {}
    for folder in package_spec.submodule_search_locations or []:
        paths = [Path(folder) / "swagger-ui" / name for name in SWAGGER_UI_ASSETS]
        if all(path.is_file() for path in paths):
            return {ASSET_PREFIX + path.name: path for path in paths}
    return {}


def _without_servers(path_item: Mapping[str, Any]) -> dict[str, Any]:
    """A path item without its servers, and without the servers of its operations."""
    stripped_item: dict[str, Any] = {}
    for name, child in path_item.items():
        if name == "servers":
            continue
        if isinstance(child, dict):
            operation = cast("dict[str, Any]", child)
            stripped_item[name] = {
                key: value for key, value in operation.items() if key != "servers"
            }
        else:
            stripped_item[name] = child
    return stripped_item


def _log_entry(number: int, exchange: Exchange) -> dict[str, Any]:
    """What the log shows of an exchange; it contains no secret."""
    request = exchange.request
    response = exchange.response
    status: int | None = response.status
    if response.delivery.drop in {"before", "within"}:
        status = None  # the client has not received it
    return {
        "number": number,
        "method": request.method,
        "target": request.target,
        "status": status,
        "fault": _fault_description(exchange.fault),
        "authorization": _authorization_shown(request),
        "body": _body_shown(request),
    }


def _authorization_shown(request: Request) -> str | None:
    authorization = request.headers.get("authorization")
    if authorization is None:
        return None
    if authorization.lower().startswith("bearer "):
        return f"Bearer {HIDDEN}"
    return HIDDEN


def _body_shown(request: Request) -> str:
    body = request.body.decode("utf-8", "replace")
    # A token request contains the client's secret and a refresh token.
    if body and request.path == TOKEN_PATH:
        return HIDDEN
    if len(body) > LOGGED_BODY_LENGTH:
        return body[:LOGGED_BODY_LENGTH] + "…"
    return body


def _fault_description(fault: object) -> str | None:
    """The fields of a fault that differ from their defaults, as its constructor takes them."""
    if fault is None:
        return None
    if not isinstance(fault, Fault):
        return str(fault)
    default_values = vars(Fault())
    values: dict[str, object] = {}
    for name, value in vars(fault).items():
        if value != default_values[name]:
            values[name] = value
    if fault.header:
        values["header"] = sorted(fault.header)  # names only: a pattern may contain a token
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def _encoded_json(content: object) -> bytes:
    # Dates of a spec become text. Without `<`, no part of the content can become a tag.
    text = json.dumps(content, default=str)
    return text.replace("<", "\\u003c").encode()


def _response(body: bytes, content_type: str) -> Response:
    headers = {
        "Content-Type": content_type,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(200, body, headers)
