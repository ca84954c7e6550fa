"""The options of the command line for the OAuth server."""

from __future__ import annotations

import argparse

from .consent_page import AUTHORIZATION_PATH
from .token_endpoint import TOKEN_PATH, TokenEndpoint

_OAUTH_OPTIONS = ("company", "oauth_location", "redirect_uri", "inactive_location")
"""Options that have an effect only with `--oauth`."""


def add_oauth_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to the program."""
    group = parser.add_argument_group("OAuth")
    group.add_argument(
        "--refresh-token",
        metavar="TOKEN",
        help="enable /oauth/token, which accepts this refresh token",
    )
    group.add_argument(
        "--location",
        default="",
        help="the location of the refresh token",
    )
    group.add_argument(
        "--oauth",
        action="store_true",
        help="enable the authorization page, /oauth/token and /oauth/locationToken; the client id"
        " is `client`, and the secret is `client-secret`",
    )
    group.add_argument(
        "--company",
        metavar="ID",
        help="the agency on the authorization page (default: company-1)",
    )
    group.add_argument(
        "--oauth-location",
        action="append",
        metavar="ID",
        help="a location of the agency; may be repeated (default: every location)",
    )
    group.add_argument(
        "--inactive-location",
        action="append",
        metavar="ID",
        help="a location that gets no tokens, because it is not active; may be repeated",
    )
    group.add_argument(
        "--redirect-uri",
        action="append",
        metavar="URI",
        help="a redirect URI of the application; may be repeated (default: every URI)",
    )


def check_oauth_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End the program if options do not go together."""
    if bool(options.refresh_token) != bool(options.location):
        parser.error("--refresh-token and --location go together")
    for name in _OAUTH_OPTIONS:
        if getattr(options, name) and not options.oauth:
            parser.error(f"--{name.replace('_', '-')} needs --oauth")


def token_endpoint_of(options: argparse.Namespace) -> TokenEndpoint | None:
    """The OAuth server of the options; `None` for none."""
    if not options.oauth and not options.refresh_token:
        return None
    refresh_tokens: dict[str, str] = {}
    if options.refresh_token:
        refresh_tokens[options.refresh_token] = options.location
    endpoint = TokenEndpoint(
        refresh_tokens=refresh_tokens,
        scopes=options.scope,
        user_type=options.user_type,
        locations=options.oauth_location or (),
        inactive_locations=options.inactive_location or (),
        redirect_uris=options.redirect_uri,
    )
    if options.company:
        endpoint.company = options.company
    return endpoint


def oauth_greeting(url: str, endpoint: TokenEndpoint | None) -> list[str]:
    """How a client reaches the OAuth server, in lines; nothing without one."""
    if endpoint is None:
        return []
    return [
        f"The authorization page is {url}{AUTHORIZATION_PATH}, and the token endpoint"
        f" {url}{TOKEN_PATH}:",
        "",
        f'  OAuth(client_id="{endpoint.client_id}", client_secret=…, store=…,'
        f' token_url="{url}{TOKEN_PATH}",',
        f'        authorization_page="{url}{AUTHORIZATION_PATH}")',
        "",
    ]
