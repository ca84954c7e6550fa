"""The command `authorize`: from the user's consent in a browser to tokens in a file."""

import argparse
import os
import re
import secrets
import sys
import threading
import webbrowser
from datetime import UTC, datetime
from enum import IntEnum
from getpass import getpass

from .._highlevel import CLIENT_ID_VARIABLE, CLIENT_SECRET_VARIABLE
from .._runtime.http import default_transport
from .._runtime.secrets import Secret
from ..errors import (
    ArgumentError,
    ConfigurationError,
    CredentialsError,
    LeadConnectorError,
)
from .authorization import OAuth
from .consent import check_redirect_uri, check_scopes
from .options import default_token_url
from .redirect import (
    DeniedError,
    RedirectError,
    RedirectListener,
    RedirectTimeoutError,
)
from .refresh import describe_error
from .stores import FileTokenStore
from .tokens import Tokens

STATE_BYTES = 32
"""Random bytes of the state: nobody guesses 256 bits."""


class ExitStatus(IntEnum):
    """The exit status of the command."""

    SAVED = 0
    DENIED = 1
    UNUSABLE = 2
    INVALID_REDIRECT = 3
    TIMEOUT = 4
    NO_TOKENS = 5


# Messages for programmers name the arguments of `OAuth`, as in `user_type='Company'`.
_ARGUMENT = re.compile(r"""\b(user_type|version|allow_http)=(True|'[^']*'|"[^"]*")""")

_OPTIONS = {
    "user_type": "--user-type",
    "version": "--token-version",
    "allow_http": "--allow-http",
}
"""The options of the command for these arguments."""


def authorize(options: argparse.Namespace) -> int:
    """Carry out the command. Messages go to the standard error, without any secret.

    Returns:
        The exit status.
    """
    try:
        return _authorize(options)
    except RedirectError as error:
        return _fail(_status_of(error), str(error))
    except (ArgumentError, ConfigurationError) as error:
        return _fail(ExitStatus.UNUSABLE, _in_words_of_the_command(str(error)))
    except LeadConnectorError as error:
        return _fail(ExitStatus.NO_TOKENS, _in_words_of_the_command(str(error)))


def _authorize(options: argparse.Namespace) -> int:
    """The steps of the command.

    Raises:
        RedirectError: no usable redirect arrived.
        LeadConnectorError: an option is unusable, or there are no tokens.
    """
    _check_timeout(options.timeout)
    check_scopes(options.scope)
    # Before the user is asked: without a store, the tokens would be lost.
    store = _checked_store(options.store)
    oauth = _oauth(options, store)
    state = secrets.token_urlsafe(STATE_BYTES)
    with _listen(options.redirect_uri, state) as listener:
        redirect_uri = check_redirect_uri(listener.redirect_uri, allow_http=False)
        url = oauth.authorization_url(redirect_uri, options.scope, state)
        _show(url, opens_browser=not options.no_browser)
        code = listener.wait(options.timeout)
    tokens = oauth.exchange_code(code.reveal(), redirect_uri)
    _report(tokens, options.store)
    return ExitStatus.SAVED


def _oauth(options: argparse.Namespace, store: FileTokenStore) -> OAuth:
    client_id = options.client_id or os.environ.get(CLIENT_ID_VARIABLE)
    if not client_id:
        raise ConfigurationError(f"pass --client-id, or set {CLIENT_ID_VARIABLE}")
    token_url = options.token_url
    if token_url is None:
        token_url = default_token_url(allow_http=options.allow_http)
    oauth = OAuth(
        client_id=client_id,
        client_secret=_client_secret().reveal(),
        store=store,
        user_type=options.user_type,
        token_url=token_url,
        authorization_page=options.authorization_page,
        version=options.token_version,
        allow_http=options.allow_http,
    )
    # Before the user is asked: the proxy or the certificates of the environment can be unusable.
    default_transport(token_url).close()
    return oauth


def _client_secret() -> Secret[str]:
    """The client secret, which is no option: other users can see the options of a process."""
    secret = Secret(os.environ.get(CLIENT_SECRET_VARIABLE, ""))
    if not secret.reveal() and sys.stdin.isatty():
        secret = Secret(getpass("Client secret: "))
    if not secret.reveal():
        raise ConfigurationError(f"set {CLIENT_SECRET_VARIABLE} to the client secret")
    return secret


def _check_timeout(seconds: float) -> None:
    # NaN is not positive either.
    if not 0.0 < seconds <= threading.TIMEOUT_MAX:
        raise ConfigurationError("--timeout must be a number of seconds above 0")


def _checked_store(path: str) -> FileTokenStore:
    """The store, which can be locked.

    Raises:
        CredentialsError: it cannot.
    """
    if not path:
        raise ConfigurationError("--store is empty: name a file, such as tokens.json")
    if os.path.isdir(os.path.realpath(path)):
        raise CredentialsError(f"--store {path!r} is a folder: name a file in it")
    store = FileTokenStore(path)
    try:
        with store.lock():
            return store
    except (OSError, ImportError) as error:
        reason = describe_error(error)
        raise CredentialsError(f"--store {path!r} cannot be used: {reason}") from error


def _listen(redirect_uri: str, state: str) -> RedirectListener:
    try:
        return RedirectListener(redirect_uri, state)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(
            f"cannot listen for the redirect to {redirect_uri!r}: {error}; use another "
            "--redirect-uri of the application, or end the program that uses the port"
        ) from error


def _show(url: str, *, opens_browser: bool) -> None:
    """Print the URL, or open it in a browser."""
    if not opens_browser:
        print("Open this URL in a browser on this machine:", file=sys.stderr, flush=True)
        print(url, flush=True)
        return
    print(
        f"A browser opens the authorization page. If it does not, open this URL:\n{url}",
        file=sys.stderr,
        flush=True,
    )
    # In a thread: a browser in the terminal would delay the timeout until it ends.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _report(tokens: Tokens, path: str) -> None:
    """Print whose tokens were saved, and until when the access token is valid."""
    owner = f"location {tokens.location_id}"
    if tokens.user_type == "Company":
        owner = f"agency {tokens.company_id}"
    expiry = datetime.fromtimestamp(tokens.expires_at, UTC)
    print(
        f"Saved the tokens of the {owner.strip()} in {path}. The access token is valid until "
        f"{expiry:%Y-%m-%d %H:%M} UTC; OAuth refreshes it.",
        flush=True,
    )


def _in_words_of_the_command(message: str) -> str:
    """A message with the options of the command in place of the arguments of `OAuth`."""
    return _ARGUMENT.sub(_option_for, message)


def _option_for(argument: re.Match[str]) -> str:
    option = _OPTIONS[argument[1]]
    value = argument[2].strip("'\"")
    if value == "True":
        return option
    return f"{option} {value}"


def _status_of(error: RedirectError) -> ExitStatus:
    if isinstance(error, DeniedError):
        return ExitStatus.DENIED
    if isinstance(error, RedirectTimeoutError):
        return ExitStatus.TIMEOUT
    return ExitStatus.INVALID_REDIRECT


def _fail(status: ExitStatus, message: str) -> int:
    if "tokens were saved" not in message:
        message += ". No tokens were saved."
    print(message, file=sys.stderr)
    return status
