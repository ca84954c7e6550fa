"""The browser page of the socket server: the API reference with a console, and the request log.

The reference is Swagger UI 5, which renders OpenAPI 3.1 and can call it. Its files come from the
package `mkdocs-swagger-ui-tag`, the only package with a current Swagger UI that depends on no web
framework. The package is never imported; only its files are read.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any, cast

from .emulator import Emulator
from .faults import Fault, non_default_fields
from .hosts import HostRules
from .log_redaction import HIDDEN, has_secret_body, hidden_credential, visible_target
from .messages import Exchange, Request, Response

LOGGED_EXCHANGES = 200
"""The number of exchanges that the log shows: the latest ones."""

LOGGED_BODY_LENGTH = 2000
"""The number of characters that the log shows of a request's body."""

LOGGED_TARGET_LENGTH = 2000
"""The number of characters that the log shows of a request's path and query."""

BYTES_PER_CHARACTER = 4
"""The bytes of a character in UTF-8, at most."""

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

HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json; charset=utf-8"
ASSET_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

ASSET_PREFIX = "/_emulator/"
OWN_ASSETS = ("page.css", "page.js", "control.js", "elements.js", "icon.svg")
SWAGGER_UI_PACKAGE = "mkdocs_swagger_ui_tag"
"""The module of the extra `page`."""

SWAGGER_UI_ASSETS = ("stylesheets/swagger-ui.css", "javascripts/swagger-ui-bundle.js")

WITH_SWAGGER_UI = {
    "styles": '<link rel="stylesheet" href="/_emulator/swagger-ui.css">',
    "scripts": '<script defer src="/_emulator/swagger-ui-bundle.js"></script>',
    "notice": "hidden",
}
"""Values of the HTML template."""

WITHOUT_SWAGGER_UI = {"styles": "", "scripts": "", "notice": ""}


PAGE_PATHS = frozenset({"/", "/openapi.json", "/_emulator/log"})
"""The paths of the page besides its files."""

PATHS_OF_PROXY = {"/_emulator/": "/", "/_emulator/openapi.json": "/openapi.json"}
"""Where a `ValidatingProxy` has the page: the paths outside of `/_emulator/` belong to the API."""


class Page:
    """Responds to the requests for the page; all other requests are calls of the API.

    Args:
        emulator: the emulator whose API and log are shown.
        rules: decide under which host names the page is served.
        package: the installed package with Swagger UI's files; without it the page names the extra
            `page`.
        has_control: whether the page shows and changes faults and state.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        rules: HostRules | None = None,
        package: str = SWAGGER_UI_PACKAGE,
        has_control: bool = True,
    ) -> None:
        self._emulator = emulator
        self._has_control = has_control
        self._host_rules = rules or HostRules()
        self._static_files = files("leadconnector_emulator") / "static"
        swagger_ui_assets = _swagger_ui_assets(package)
        self._has_swagger_ui = bool(swagger_ui_assets)
        self._assets: dict[str, Traversable] = dict(swagger_ui_assets)
        for name in OWN_ASSETS:
            self._assets[ASSET_PREFIX + name] = self._static_files / name
        self._template = self._static_files / "index.html"
        # Read once: all responses share these bytes.
        self._content_by_file: dict[Traversable, bytes] = {}

    def respond(self, request: Request) -> Response | None:
        """Respond to a GET or HEAD of one of the page's paths; `None` for any other request."""
        if request.method not in {"GET", "HEAD"}:
            return None
        if not self._emulator.has_page_at_root:
            if not request.path.startswith(ASSET_PREFIX):
                return None
            request = replace(request, target=PATHS_OF_PROXY.get(request.path, request.target))
        # A foreign web site must not read the token or the log.
        if not self._host_rules.allows(request.headers.get("host", "localhost")):
            return self._unknown_host_response(request)
        try:
            return self._respond(request)
        except OSError as error:
            # At the limit of descriptors, a file of the page cannot be opened for the first time.
            reason = error.strerror or str(error)
            return _response(_encoded_json({"message": reason}), JSON_TYPE, status=503)

    def _unknown_host_response(self, request: Request) -> Response | None:
        """404 for a path of the page; its reason contains nothing of the page."""
        if request.path not in PAGE_PATHS and request.path not in self._assets:
            return None
        message = (
            "the page is not served under this host name: allow it with --allow-host NAME, or"
            " Server(allowed_hosts=[NAME])"
        )
        return _response(_encoded_json({"message": message}), JSON_TYPE, status=404)

    def _respond(self, request: Request) -> Response | None:
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
        return _response(self._content(asset), content_type)

    def _content(self, file: Traversable) -> bytes:
        content = self._content_by_file.get(file)
        if content is None:
            content = file.read_bytes()
            self._content_by_file[file] = content
        return content

    def _html(self) -> str:
        info = cast("Mapping[str, object]", self._emulator.spec.root.get("info", {}))
        values = {
            "title": str(info.get("title", "API")),
            "version": str(info.get("version", "")),
            "description": str(info.get("description", "")),
            "token": next(iter(self._emulator.tokens), ""),
            "control": "on" if self._has_control else "off",
            "resources": "on" if self._emulator.stateless_reason is None else "off",
        }
        # Spec and tokens may contain anything; the template's own markup must not be escaped.
        escaped_values = {name: html.escape(value) for name, value in values.items()}
        markup = WITH_SWAGGER_UI if self._has_swagger_ui else WITHOUT_SWAGGER_UI
        template = Template(self._content(self._template).decode("utf-8"))
        return template.substitute(escaped_values, **markup)

    def _spec(self, host: str) -> dict[str, Any]:
        """The spec, with the server that the browser reached as its only server."""
        root = self._emulator.spec.root
        paths = {path: _without_servers(item) for path, item in root["paths"].items()}
        url = f"http://{host}" if host else "/"
        # A webhook is a request to the user's program. The console cannot send it.
        parts = {name: part for name, part in root.items() if name != "webhooks"}
        return {**parts, "paths": paths, "servers": [{"url": url}]}

    def _log(self) -> dict[str, Any]:
        excerpt = self._emulator.latest_exchanges(LOGGED_EXCHANGES)
        first_number = excerpt.total - len(excerpt.exchanges) + 1
        entries: list[dict[str, Any]] = []
        for number, exchange in enumerate(excerpt.exchanges, start=first_number):
            entries.append(_log_entry(number, exchange))
        return {"total": excerpt.total, "dropped": excerpt.dropped, "exchanges": entries}


def has_swagger_ui() -> bool:
    """Whether the files of Swagger UI are installed."""
    return bool(_swagger_ui_assets(SWAGGER_UI_PACKAGE))


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
    entry: dict[str, Any] = {
        "number": number,
        "method": request.method,
        "target": _shortened(visible_target(request), LOGGED_TARGET_LENGTH),
        "status": status,
        "fault": _fault_description(exchange.fault),
        "authorization": _authorization_shown(request),
        "body": _body_shown(request),
    }
    if exchange.findings:
        entry["findings"] = [str(finding) for finding in exchange.findings]
    return entry


def _authorization_shown(request: Request) -> str | None:
    authorization = request.headers.get("authorization")
    if authorization is None:
        return None
    return hidden_credential(authorization)


def _body_shown(request: Request) -> str:
    # A token request contains the client's secret and a refresh token.
    if request.body and has_secret_body(request):
        return HIDDEN
    # The log is read every second, so most of a large body is not decoded.
    first_bytes = request.body[: (LOGGED_BODY_LENGTH + 1) * BYTES_PER_CHARACTER]
    return _shortened(first_bytes.decode("utf-8", "replace"), LOGGED_BODY_LENGTH)


def _shortened(text: str, length: int) -> str:
    if len(text) > length:
        return text[:length] + "…"
    return text


def _fault_description(fault: Fault | None) -> str | None:
    """The fields of a fault that differ from their defaults, as its constructor takes them."""
    if fault is None:
        return None
    values = non_default_fields(fault)
    if fault.header:
        values["header"] = sorted(fault.header)  # names only: a pattern may contain a token
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def _encoded_json(content: object) -> bytes:
    # Dates of a spec become text. Without `<`, no part of the content can become a tag.
    text = json.dumps(content, default=str)
    return text.replace("<", "\\u003c").encode()


def _response(body: bytes, content_type: str, *, status: int = 200) -> Response:
    headers = {
        "Content-Type": content_type,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(status, body, headers)
