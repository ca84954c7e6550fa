"""Checks the options that `OAuth` and `AgencyOAuth` have in common."""

from collections.abc import Callable, Iterable
from typing import cast

from .._highlevel import AUTHORIZATION_PAGE, BASE_URL_VARIABLE, TOKEN_PATH
from .._options import default_base_url
from .._runtime.checks import check_flag, check_transport
from .._runtime.http import BaseTransport, check_base_url
from .._runtime.scalars import Duration, seconds_of
from .._runtime.secrets import Secret
from ..errors import ConfigurationError
from .endpoint import Application, is_valid_credential
from .token_source import TokenOptions
from .tokens import TOKEN_VERSIONS, TokenVersion

REFRESH_AHEAD = 300.0
"""Default of the seconds before its expiry at which a token is refreshed."""


def check_application(
    client_id: str,
    client_secret: Secret[str],
    version: TokenVersion,
    transport: BaseTransport | None,
) -> Application:
    """The application of the options. Untyped callers can pass any object.

    Raises:
        ConfigurationError: an option is invalid.
    """
    if not is_valid_credential(client_id) or not is_valid_credential(client_secret.reveal()):
        raise ConfigurationError(
            "client_id and client_secret must be printable ASCII, and not empty"
        )
    if version not in TOKEN_VERSIONS:
        raise ConfigurationError(f"version must be one of {', '.join(TOKEN_VERSIONS)}")
    check_transport(transport, "handle_request")
    return Application(client_id, client_secret, version, transport)


def check_token_options(
    token_url: Secret[str | None],
    refresh_ahead: Duration,
    clock: Callable[[], float],
    *,
    allow_http: bool,
) -> TokenOptions:
    """The options of a token source.

    Raises:
        ConfigurationError: an option is invalid.
    """
    check_flag("allow_http", allow_http)
    seconds = seconds_of(refresh_ahead)
    if seconds is None or seconds < 0:
        raise ConfigurationError("refresh_ahead must be 0 s or more, as a number or a timedelta")
    if not callable(clock):
        raise ConfigurationError("clock must be callable")
    return TokenOptions(_validated_url(token_url, allow_http=allow_http), seconds, clock)


def default_token_url(*, allow_http: bool) -> str:
    """The token endpoint below the base URL of the environment or the spec.

    Raises:
        ConfigurationError: the environment variable is no base URL.
    """
    checked_url = check_base_url(default_base_url(), BASE_URL_VARIABLE, allow_http=allow_http)
    return f"{checked_url}{TOKEN_PATH}"


def check_authorization_page(option: Secret[str | None], *, allow_http: bool) -> str:
    """The URL of the page where users authorize the application; by default the vendor's.

    Raises:
        ConfigurationError: it is not a URL without a query.
    """
    if option.reveal() is None:
        return AUTHORIZATION_PAGE
    url = cast("Secret[str]", option)
    return check_base_url(url.reveal(), "authorization_page", allow_http=allow_http)


def check_store(store: object, methods: Iterable[str]) -> None:
    """Check the option `store`.

    Raises:
        ConfigurationError: it lacks a method, or is a class.
    """
    if isinstance(store, type):
        raise ConfigurationError(f"store must be an instance, not the class {store.__name__}")
    for method in methods:
        if not callable(getattr(store, method, None)):
            raise ConfigurationError(f"store must be a token store with the method {method}")


def _validated_url(option: Secret[str | None], *, allow_http: bool) -> str | None:
    """The option `token_url`; `None` for the default."""
    if option.reveal() is None:
        return None
    url = cast("Secret[str]", option)
    return check_base_url(url.reveal(), "token_url", allow_http=allow_http)
