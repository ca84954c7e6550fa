"""The page on which a user authorizes the application: choose a location or the agency, approve."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from .messages import Request, Response
from .oauth_messages import FORM_MEDIA_TYPE, form_fields, media_type
from .token_endpoint import TokenEndpoint

AUTHORIZATION_PATH = "/oauth/chooselocation"
"""The vendor's path, there on another host than the API."""

PARAMETERS = ("response_type", "client_id", "redirect_uri", "scope", "state")
"""The parameters of an authorization request (RFC 6749, section 4.1.1)."""

AGENCY_CHOICE = "agency"
LOCATION_PREFIX = "location:"

_ORIGIN_PART = re.compile(r"[A-Za-z0-9._:\[\]-]+")
"""A host and a port, as the page's security policy can contain them."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 36rem; padding: 0 1rem }
fieldset { border: 1px solid #767676; border-radius: 6px; margin: 1.5rem 0; padding: .5rem 1rem }
label { display: block; padding: .25rem 0 }
button { font: inherit; margin-right: .5rem; padding: .5rem 1rem }
code { overflow-wrap: anywhere }
"""

_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()


@dataclass(frozen=True)
class _AuthorizationRequest:
    """The parameters of an authorization request, valid or not."""

    parameters: Mapping[str, str]

    def parameter(self, name: str) -> str:
        """A parameter; empty if the request lacks it."""
        return self.parameters.get(name, "")

    @property
    def redirect_uri(self) -> str:
        """Where the browser returns to."""
        return self.parameter("redirect_uri")

    @property
    def scopes(self) -> list[str]:
        """The scopes that the application asks for."""
        return self.parameter("scope").split()

    def redirect(self, parameters: Mapping[str, str]) -> Response:
        """Send the browser back to the application, with the state of its request."""
        values = dict(parameters)
        if self.parameter("state"):
            values["state"] = self.parameter("state")
        separator = "&" if urlsplit(self.redirect_uri).query else "?"
        location = f"{self.redirect_uri}{separator}{urlencode(values)}"
        # 303: the browser follows a form's POST with a GET (RFC 9110, section 15.4.4).
        return Response(303, b"", {"Location": location, "Cache-Control": "no-store"})

    def error(self, error: str, description: str) -> Response:
        """Send the browser back with an error (RFC 6749, section 4.1.2.1)."""
        return self.redirect({"error": error, "error_description": description})


class ConsentPage:
    """Responds to the authorization page's requests.

    Args:
        endpoint: issues the codes.
        example_location: the location to show if the endpoint has none.
    """

    def __init__(self, endpoint: TokenEndpoint, example_location: str) -> None:
        self._endpoint = endpoint
        self._example_location = example_location

    def show(self, request: Request, now: float) -> Response:
        """Show the page, or the reason why the request is invalid."""
        authorization = _read(dict(parse_qsl(request.query, keep_blank_values=True)))
        rejection = self._rejection(authorization)
        if rejection is not None:
            return rejection
        return self._page(authorization)

    def decide(self, request: Request, now: float) -> Response:
        """Redirect to the application, with a code or with the user's refusal."""
        if media_type(request.headers.get("content-type", "")) != FORM_MEDIA_TYPE:
            return _error_page(f"the body must be {FORM_MEDIA_TYPE}")
        fields = form_fields(request.body)
        authorization = _read(fields)
        rejection = self._rejection(authorization)
        if rejection is not None:
            return rejection
        if fields.get("decision") != "approve":
            return authorization.error("access_denied", "The user denied the request")
        choice = fields.get("choice", "")
        if choice == AGENCY_CHOICE:
            return self._approve(authorization, None, now)
        location = choice.removeprefix(LOCATION_PREFIX)
        if not choice.startswith(LOCATION_PREFIX) or not self._endpoint.has_location(location):
            return _error_page("choose the agency or one of its locations")
        return self._approve(authorization, location, now)

    def _approve(
        self, authorization: _AuthorizationRequest, location: str | None, now: float
    ) -> Response:
        code = self._endpoint.authorize(
            authorization.redirect_uri, now, location=location, scopes=set(authorization.scopes)
        )
        return authorization.redirect({"code": code})

    def _rejection(self, authorization: _AuthorizationRequest) -> Response | None:
        """The response to an invalid request; `None` for a valid one."""
        # RFC 6749, section 4.1.2.1: without a valid client and redirect URI, nothing is redirected.
        problem = self._problem_to_show(authorization)
        if problem:
            return _error_page(problem)
        if authorization.parameter("response_type") != "code":
            return authorization.error("unsupported_response_type", "response_type must be code")
        if not authorization.scopes:
            return authorization.error("invalid_scope", "scope is missing")
        allowed_scopes = self._endpoint.scopes
        if allowed_scopes is not None and not set(authorization.scopes) <= set(allowed_scopes):
            return authorization.error("invalid_scope", "the application lacks one of the scopes")
        return None

    def _problem_to_show(self, authorization: _AuthorizationRequest) -> str:
        """The problem of a request that the browser must not take back; empty if there is none."""
        if authorization.parameter("client_id") != self._endpoint.client_id:
            return "no application has this client_id"
        redirect_uri = authorization.redirect_uri
        if not _is_redirect_uri(redirect_uri):
            return "redirect_uri is missing, or is not an http URL"
        allowed_uris = self._endpoint.redirect_uris
        if allowed_uris is not None and redirect_uri not in allowed_uris:
            return "redirect_uri is not one of the application"
        return ""

    def _page(self, authorization: _AuthorizationRequest) -> Response:
        hidden_fields = "".join(
            f'<input type="hidden" name="{name}" value="{_escaped(authorization.parameter(name))}">'
            for name in PARAMETERS
        )
        scopes = "".join(
            f"<li><code>{_escaped(scope)}</code></li>" for scope in authorization.scopes
        )
        body = f"""
<h1>Authorize an application</h1>
<p>The application <code>{_escaped(self._endpoint.client_id)}</code> asks for these scopes:</p>
<ul>{scopes}</ul>
<form method="post" action="{AUTHORIZATION_PATH}">
{hidden_fields}
<fieldset><legend>Who authorizes it?</legend>{self._choices()}</fieldset>
<button name="decision" value="approve">Approve</button>
<button name="decision" value="deny" formnovalidate>Deny</button>
</form>
<p>This is the emulator: no real data is shared.</p>
"""
        return _html_response(200, "Authorize an application", body, authorization.redirect_uri)

    def _choices(self) -> str:
        """The radio buttons for the agency and for each of its locations."""
        company = self._endpoint.company
        choices = [_choice(AGENCY_CHOICE, f"The agency {company}")]
        for location, name in self._locations().items():
            label = f"{name} ({location})" if name else f"The location {location}"
            choices.append(_choice(f"{LOCATION_PREFIX}{location}", label))
        return "".join(choices)

    def _locations(self) -> Mapping[str, str]:
        """The locations with their names, which can be empty."""
        locations = self._endpoint.locations
        if not locations:
            return {self._example_location: ""}
        if isinstance(locations, Mapping):
            return cast("Mapping[str, str]", locations)
        return dict.fromkeys(locations, "")


def _read(parameters: Mapping[str, str]) -> _AuthorizationRequest:
    return _AuthorizationRequest(
        {name: parameters[name] for name in PARAMETERS if name in parameters}
    )


def _choice(value: str, label: str) -> str:
    return (
        f'<label><input type="radio" name="choice" value="{_escaped(value)}" required>'
        f" {_escaped(label)}</label>"
    )


def _is_redirect_uri(redirect_uri: str) -> bool:
    """Whether a browser can be sent to a URI, which becomes a header."""
    if not redirect_uri.isascii() or not redirect_uri.isprintable() or " " in redirect_uri:
        return False
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    if not _ORIGIN_PART.fullmatch(parts.netloc):
        return False
    return parts.scheme in {"http", "https"} and not parts.fragment


def _error_page(problem: str) -> Response:
    body = f"<h1>The request is invalid</h1><p>{_escaped(problem)}</p>"
    return _html_response(400, "The request is invalid", body)


def _html_response(status: int, title: str, body: str, redirect_uri: str = "") -> Response:
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    form_targets = "'self'"
    if redirect_uri:
        # Browsers apply this also to the redirect that follows the form.
        parts = urlsplit(redirect_uri)
        form_targets += f" {parts.scheme}://{parts.netloc}"
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src 'sha256-{_STYLE_HASH}'",
            f"form-action {form_targets}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(status, page.encode(), headers)


def _escaped(text: str) -> str:
    return html.escape(text)
