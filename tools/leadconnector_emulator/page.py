"""What a browser sees of the emulator: the API reference with a console, and the log of the requests.

The reference is Swagger UI 5, which renders and tries out OpenAPI 3.1 better than a page of our own would, out of the
files of `mkdocs-swagger-ui-tag`: of the packages with a current Swagger UI it is the one that pulls in no web framework
(the files are read where they lie; the package is never imported).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any, cast

from .emulator import Emulator
from .faults import Fault
from .messages import Exchange, Request, Response
from .token_endpoint import PATH as OAUTH_PATH

SHOWN = 200
"""Exchanges that the log shows: the last ones."""

BODY = 2000
"""Characters that the log shows of a request's body."""

SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # its arrows and locks are pictures in its style sheet
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
"""The browser lets the page reach no other origin, whatever is in the spec or the log."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_JSON = "application/json; charset=utf-8"
_OWN = ("page.css", "page.js", "icon.svg")
_SWAGGER_UI = ("stylesheets/swagger-ui.css", "javascripts/swagger-ui-bundle.js")
_REFERENCE = {
    "styles": '<link rel="stylesheet" href="/_emulator/swagger-ui.css">',
    "scripts": '<script defer src="/_emulator/swagger-ui-bundle.js"></script>',
    "notice": "hidden",
}
_NO_REFERENCE = {"styles": "", "scripts": "", "notice": ""}


_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)


class Page:
    """Answers what a browser asks for the page; everything else is the API's.

    Args:
        emulator: whose API and log are shown.
        package: the installed package that Swagger UI's files are in; where it is missing the page says so.
    """

    def __init__(self, emulator: Emulator, *, package: str = "mkdocs_swagger_ui_tag") -> None:
        self._emulator = emulator
        self._files = files("leadconnector_emulator") / "static"
        swagger_ui = _swagger_ui(package)
        self._reference = bool(swagger_ui)
        self._assets = {f"/_emulator/{name}": self._files / name for name in _OWN} | swagger_ui

    def respond(self, request: Request) -> Response | None:
        """The answer to a GET or HEAD of one of the page's paths; `None` for any other request."""
        if request.method not in {"GET", "HEAD"}:
            return None
        if not _LOCAL.fullmatch(request.headers.get("host", "localhost")):
            return None  # a foreign name that leads here: its pages must read neither the token nor the log
        if request.path == "/":
            return _response(self._html().encode(), _TYPES[".html"])
        if request.path == "/openapi.json":
            return _response(_json(self._spec(request.headers.get("host", ""))), _JSON)
        if request.path == "/_emulator/log":
            return _response(_json(self._log()), _JSON)
        asset = self._assets.get(request.path)
        return (
            None
            if asset is None
            else _response(asset.read_bytes(), _TYPES[Path(asset.name).suffix])
        )

    def _html(self) -> str:
        info = cast("Mapping[str, object]", self._emulator.spec.root.get("info", {}))
        values = {
            "title": str(info.get("title", "API")),
            "version": str(info.get("version", "")),
            "description": str(info.get("description", "")),
            "token": next(iter(self._emulator.tokens), ""),
        }
        escaped = {name: html.escape(value) for name, value in values.items()}
        template = Template((self._files / "index.html").read_text(encoding="utf-8"))
        return template.substitute(escaped, **(_REFERENCE if self._reference else _NO_REFERENCE))

    def _spec(self, host: str) -> dict[str, Any]:
        """The spec as it is, but that every call goes to the server which the browser reached."""
        root = self._emulator.spec.root
        spec = {
            **root,
            "paths": {path: _without_servers(item) for path, item in root["paths"].items()},
        }
        return spec | {"servers": [{"url": f"http://{host}" if host else "/"}]}

    def _log(self) -> dict[str, Any]:
        exchanges = self._emulator.exchanges
        total = len(exchanges)
        start = max(0, total - SHOWN)
        shown = [
            _entry(number, each) for number, each in enumerate(exchanges[start:total], start + 1)
        ]
        return {"total": total, "exchanges": shown}


def _swagger_ui(package: str) -> dict[str, Traversable]:
    """Swagger UI's files by their path on the server, if the package has them all."""
    found = find_spec(package)
    for folder in (found.submodule_search_locations or []) if found is not None else []:
        paths = [Path(folder) / "swagger-ui" / name for name in _SWAGGER_UI]
        if all(path.is_file() for path in paths):
            return {f"/_emulator/{path.name}": path for path in paths}
    return {}


def _without_servers(item: Mapping[str, Any]) -> dict[str, Any]:
    """A path item that names no server of its own, nor does an operation in it."""
    operations = {
        name: cast("dict[str, Any]", child)
        for name, child in item.items()
        if isinstance(child, dict)
    }
    own = {
        name: {key: value for key, value in each.items() if key != "servers"}
        for name, each in operations.items()
    }
    return {name: own.get(name, child) for name, child in item.items() if name != "servers"}


def _entry(number: int, exchange: Exchange) -> dict[str, Any]:
    """What the log shows of an exchange; a secret is not part of it."""
    request, response = exchange.request, exchange.response
    authorization = request.headers.get("authorization")
    if authorization is not None:
        authorization = "Bearer …" if authorization.lower().startswith("bearer ") else "…"
    body = request.body.decode("utf-8", "replace")
    return {
        "number": number,
        "method": request.method,
        "target": request.target,
        "status": None if response.delivery.drop in {"before", "within"} else response.status,
        "fault": _rule(exchange.fault),
        "authorization": authorization,
        # A request for a token is made of secrets.
        "body": "…"
        if body and request.path == OAUTH_PATH
        else body
        if len(body) <= BODY
        else body[:BODY] + "…",
    }


def _rule(fault: object) -> str | None:
    """A fault as it was written: what is at its default is left out."""
    if not isinstance(fault, Fault):
        return None if fault is None else str(fault)
    default = Fault()
    said = {each.name: getattr(fault, each.name) for each in fields(fault)}
    changed = {name: value for name, value in said.items() if value != getattr(default, name)}
    if fault.header:
        changed["header"] = sorted(fault.header)  # by name alone: what it looks for may be a token
    return ", ".join(f"{name}={value!r}" for name, value in changed.items())


def _json(content: object) -> bytes:
    # A date that YAML read from a spec is shown as it was written; no `<` is left that could begin a tag.
    return json.dumps(content, default=str).replace("<", "\\u003c").encode()


def _response(body: bytes, content_type: str) -> Response:
    headers = {
        "Content-Type": content_type,
        "Content-Security-Policy": SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(200, body, headers)
