"""The options of the command `authorize`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # `argparse` has no public type for the result of `add_subparsers`.
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

    Commands = _SubParsersAction[argparse.ArgumentParser]

DEFAULT_REDIRECT_URI = "http://localhost:8976/oauth/callback"
"""Our own choice of a port. It must be a redirect URI of the application."""

DEFAULT_SECONDS = 300.0
"""How long the command waits for the user: our own choice."""

_EXIT_STATUSES = """
exit status:
  0  the tokens are saved
  1  the user denied the request, or the authorization page reported an error
  2  an option, the environment or the store is unusable
  3  the redirect has another state, came for another host, or has no valid code
  4  no redirect arrived in time
  5  the token endpoint issued no usable tokens, or did not respond

The client secret is read from LEADCONNECTOR_CLIENT_SECRET, or asked for. No output shows a secret.
"""


def add_authorize(commands: Commands) -> None:
    """Add the command `authorize` to a program."""
    command = commands.add_parser(
        "authorize",
        help="let a user authorize an application, and save the tokens",
        description=(
            "Opens the authorization page in a browser, receives its redirect on this machine, and "
            "saves the tokens in a file for FileTokenStore."
        ),
        epilog=_EXIT_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument(
        "--store",
        required=True,
        metavar="FILE",
        help="the file of the FileTokenStore; for an AgencyOAuth, agency.json in its folder",
    )
    command.add_argument(
        "--scope",
        required=True,
        action="append",
        metavar="SCOPE",
        help="a scope to ask for, such as conversations.write; may be repeated",
    )
    command.add_argument(
        "--client-id",
        metavar="ID",
        help="the client id of the application (default: LEADCONNECTOR_CLIENT_ID)",
    )
    command.add_argument(
        "--user-type",
        choices=("Location", "Company"),
        default="Location",
        help="the class of the tokens; Company for an agency (default: Location)",
    )
    command.add_argument(
        "--redirect-uri",
        default=DEFAULT_REDIRECT_URI,
        metavar="URI",
        help=(
            "a redirect URI of the application on this machine; port 0 selects a free one "
            f"(default: {DEFAULT_REDIRECT_URI})"
        ),
    )
    command.add_argument(
        "--no-browser",
        action="store_true",
        help="print the URL instead of opening a browser",
    )
    command.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_SECONDS,
        metavar="SECONDS",
        help=f"how long to wait for the redirect (default: {DEFAULT_SECONDS:.0f})",
    )
    command.add_argument(
        "--authorization-page",
        metavar="URL",
        help="the authorization page (default: the vendor's)",
    )
    command.add_argument(
        "--token-url",
        metavar="URL",
        help="the token endpoint (default: /oauth/token of LEADCONNECTOR_BASE_URL, else the API's)",
    )
    command.add_argument(
        "--token-version",
        choices=("2021-07-28", "v3"),
        default="2021-07-28",
        help="the version of the token endpoint (default: 2021-07-28)",
    )
    command.add_argument(
        "--allow-http",
        action="store_true",
        help="permit plain http to another machine, as in a test network",
    )
