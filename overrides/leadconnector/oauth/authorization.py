"""The token source of one authorization, from the first step: the user's consent."""

import time
from collections.abc import Callable, Iterable
from threading import Thread

from .._runtime.http import BaseTransport
from .._runtime.scalars import Duration
from .._runtime.secrets import Secret, refuse_pickling
from ..errors import ArgumentError, ConfigurationError, CredentialsError, LeadConnectorError
from .consent import ConsentRequest, check_code, check_redirect_uri, check_scopes, check_state
from .endpoint import TokenEndpoint
from .options import (
    REFRESH_AHEAD,
    check_application,
    check_authorization_page,
    check_store,
    check_token_options,
    default_token_url,
)
from .refresh import Work, describe_error
from .stores import TokenStore
from .token_source import RefreshingTokenSource
from .tokens import USER_TYPES, Tokens, TokenVersion, UserType


class OAuth(RefreshingTokenSource):
    """A token source that refreshes its access token. Clients, threads and processes may share it.

    `authorization_url` and `exchange_code` get the first tokens. After that, it refreshes them.

    A thread of its own runs each refresh. While it refreshes a token that expires soon, callers
    still get the old token. They wait only if their token has expired or was rejected. Nothing
    interrupts a refresh: a caller who gives up only stops waiting.

    A token that the API rejects is replaced at most twice an hour, and not if it is new: then the
    API rejects it for another reason, such as a missing scope. See `rejection`.

    Args:
        client_id: the client id of the application.
        client_secret: the client secret of the application.
        store: contains the tokens of the authorization, and later the refreshed ones.
        user_type: the class of the tokens: `Location`, or `Company` for those of an agency. Tokens
            that name their class keep it.
        token_url: the token endpoint, which receives the refresh token and the client secret. By
            default, it is `/oauth/token` below the base URL of the client whose call starts the
            refresh. So pass it if clients with different base URLs share this object. The scheme
            must be https, except for a loopback host or with `allow_http`. By default,
            `exchange_code` uses `LEADCONNECTOR_BASE_URL`, or else the server in the spec.
        authorization_page: the page where users authorize the application. Default: the vendor's.
        version: the version of the token endpoint: `2021-07-28`, or `v3`, whose names are
            camelCase.
        transport: an httpx transport for the token requests. It is used from any thread and never
            closed. By default, each refresh opens a new one, which uses the environment's proxies.
            Without a proxy, that one repeats a failed attempt to connect up to two times.
        refresh_ahead: seconds before its expiry at which a token is refreshed, as a number or a
            `timedelta`. A token that is loaded with less than twice this time left is refreshed
            after half of the time left.
        allow_http: whether `token_url`, `authorization_page` and redirect URIs may be plain http on
            another machine, as in a test network. The client secret then travels unencrypted.
        clock: returns the seconds since the epoch.

    Raises:
        ConfigurationError: an argument is invalid.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        store: TokenStore,
        user_type: UserType = "Location",
        token_url: str | None = None,
        authorization_page: str | None = None,
        version: TokenVersion = "2021-07-28",
        transport: BaseTransport | None = None,
        refresh_ahead: Duration = REFRESH_AHEAD,
        allow_http: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        secret = Secret(client_secret)
        secret_url = Secret(token_url)
        page = Secret(authorization_page)
        # The checks below can raise, and a traceback can show the arguments of this frame: see
        # `frames`. An invalid URL can contain a password.
        del client_secret, token_url, authorization_page
        application = check_application(client_id, secret, version, transport)
        check_store(store, ("load", "save", "lock"))
        options = check_token_options(secret_url, refresh_ahead, clock, allow_http=allow_http)
        self._client_id = client_id
        self._user_type: UserType = _checked_user_type(user_type)
        self._authorization_page = check_authorization_page(page, allow_http=allow_http)
        self._allow_http = allow_http
        self._endpoint = TokenEndpoint(application, user_type)
        super().__init__(self._endpoint, store, options)

    __reduce__ = refuse_pickling

    def authorization_url(self, redirect_uri: str, scopes: str | Iterable[str], state: str) -> str:
        """The URL to which to send the user, who chooses a location or an agency and consents.

        The page then redirects to `redirect_uri` with the parameters `code` and `state`. Or with
        `error`, if the user declines.

        Args:
            redirect_uri: one of the redirect URIs of the application: https, or http of loopback.
            scopes: the scopes that the application asks for, such as `conversations.write`.
            state: a random text of `secrets.token_urlsafe()`. Accept a redirect only if it has the
                same one. Otherwise, an attacker could have the user use the attacker's code.

        Raises:
            ArgumentError: an argument is invalid.
        """
        request = ConsentRequest(
            self._client_id,
            check_redirect_uri(redirect_uri, allow_http=self._allow_http),
            check_scopes(scopes),
            check_state(state),
        )
        return request.url(self._authorization_page)

    def exchange_code(
        self, code: str, redirect_uri: str, *, user_type: UserType | None = None
    ) -> Tokens:
        """Exchange an authorization code for tokens, and save them in the store.

        The tokens replace those in the store, also for clients that use this object. If this
        raises, the store is unchanged.

        Args:
            code: the parameter `code` of the redirect. It can be used once, and soon expires.
            redirect_uri: the one of `authorization_url`.
            user_type: the class of the tokens. Default: the option of this object.

        Raises:
            ReauthorizationError: the code was used already, has expired, or belongs to another
                redirect URI.
            OAuthError: the token endpoint rejected the request, or its response lacks the access
                token or the refresh token.
            APIConnectionError: the token endpoint sent no complete response.
            CredentialsError: the store failed, or the tokens are of another class.
            ArgumentError: an argument is invalid. Nothing was sent.
        """
        secret_code: Secret[object] = Secret(code)
        del code
        return self._start_exchange(secret_code, redirect_uri, user_type).wait(None)

    async def exchange_code_async(
        self, code: str, redirect_uri: str, *, user_type: UserType | None = None
    ) -> Tokens:
        """`exchange_code` for asyncio. A cancellation does not interrupt it: the tokens are saved.

        It raises like `exchange_code`.
        """
        secret_code: Secret[object] = Secret(code)
        del code
        return await self._start_exchange(secret_code, redirect_uri, user_type).wait_async()

    def _start_exchange(
        self, code: Secret[object], redirect_uri: str, user_type: UserType | None
    ) -> Work[Tokens]:
        """Start a thread that exchanges a code. An interrupted caller would lose the tokens."""
        exchange = _Exchange(
            check_code(code),
            check_redirect_uri(redirect_uri, allow_http=self._allow_http),
            _argument_user_type(user_type) or self._user_type,
            self._token_url or default_token_url(allow_http=self._allow_http),
        )
        work = Work[Tokens]()
        thread = Thread(
            target=self._run_exchange,
            args=(work, exchange),
            name="leadconnector-exchange",
            # As for a refresh: the interpreter waits for it at exit.
            daemon=False,
        )
        thread.start()
        return work

    def _run_exchange(self, work: "Work[Tokens]", exchange: "_Exchange") -> None:
        """Exchange a code and set the outcome. This is the main function of the thread."""
        try:
            # It would use its tokens after those of the exchange.
            self.wait_for_refresh()
            tokens = self._exchange_and_save(exchange)
        # A store may raise anything, also SystemExit. The waiter must get an outcome.
        except BaseException as error:
            work.fail(error)
        else:
            work.succeed(tokens)

    def _exchange_and_save(self, exchange: "_Exchange") -> Tokens:
        step = "the token store cannot be locked, and the code was not sent"
        try:
            with self._store.lock():
                step = "the store's lock failed, and no tokens were saved: authorize again"
                now = self._clock()
                tokens = self._endpoint.exchange_code(
                    exchange.code, exchange.redirect_uri, exchange.user_type, exchange.url, now
                )
                _check_class(tokens, exchange.user_type)
                step = "the new tokens could not be saved: correct that, then authorize again"
                self._store.save(tokens)
                self.use_new_tokens(tokens, now)
        except LeadConnectorError:
            raise
        except BaseException as error:
            raise CredentialsError(f"{step} ({describe_error(error)})") from error
        return tokens


class _Exchange:
    """The arguments of one exchange."""

    __slots__ = ("code", "redirect_uri", "url", "user_type")

    def __init__(self, code: Secret[str], redirect_uri: str, user_type: UserType, url: str) -> None:
        self.code = code
        self.redirect_uri = redirect_uri
        self.user_type: UserType = user_type
        self.url = url


def _checked_user_type(user_type: object) -> UserType:
    for known_type in USER_TYPES:
        if user_type == known_type:
            return known_type
    raise ConfigurationError("user_type must be Location or Company")


def _argument_user_type(user_type: object) -> UserType | None:
    if user_type is None:
        return None
    try:
        return _checked_user_type(user_type)
    except ConfigurationError as error:
        raise ArgumentError(str(error), argument="user_type") from None


def _check_class(tokens: Tokens, user_type: UserType) -> None:
    """Check that tokens are of the class that the application asked for.

    Raises:
        CredentialsError: operations would reject them with 401.
    """
    if tokens.user_type in {"", user_type}:
        return
    owners = {"Location": "one location", "Company": "an agency"}
    raise CredentialsError(
        f"the user authorized the application for {owners[tokens.user_type]}, but user_type is "
        f"{user_type}: pass user_type={tokens.user_type!r}, or let the user choose "
        f"{owners[user_type]} (no tokens were saved)"
    )
