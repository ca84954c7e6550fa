"""The token source of an agency, which gets the tokens of its locations with its own."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from .._runtime.checks import has_lone_surrogate
from .._runtime.http import BaseTransport
from .._runtime.log import logger
from .._runtime.protocols import TokenSource
from .._runtime.scalars import Duration
from .._runtime.secrets import Secret, Token, refuse_pickling
from ..errors import (
    APIConnectionError,
    ConfigurationError,
    CredentialsError,
    LeadConnectorError,
    OAuthError,
    ReauthorizationError,
)
from .agency_stores import AgencyTokenStore
from .authorization import OAuth
from .endpoint import Application, TokenEndpoint
from .failures import FailureMemory
from .options import REFRESH_AHEAD, check_application, check_store, check_token_options
from .process_lock import ProcessLock
from .refresh import describe_error
from .stores import TokenStore
from .token_source import RefreshingTokenSource
from .tokens import IssuedToken, Tokens, TokenVersion

MAXIMUM_LOCATIONS = 10_000
"""How many locations an `AgencyOAuth` remembers: our own bound for the memory.

Beyond it, the location that was not used for the longest time is forgotten. Its next call loads its
tokens from the store again.
"""


class AgencyOAuth:
    """A token source that has a token for each location of an agency.

    One authorization of the agency is enough. The first call for a location gets the location's
    tokens with those of the agency. After that they are refreshed as by `OAuth`: once for all
    threads, tasks and processes that share the store.

    A call gets the token of the location that it names: the argument by which the API counts calls,
    such as `location_id`. A call that names none gets the agency's token.
    `client.for_location(location_id)` uses one location's token for all calls.

    Args:
        client_id: the client id of the application.
        client_secret: the client secret of the application.
        store: contains the tokens of the agency and of its locations.
        company_id: the agency. Default: the one that the agency's tokens name.
        token_url: the token endpoint of the agency's tokens. That of the locations' tokens is
            beside it. Default: `/oauth/token` below the base URL of the client. `OAuth` describes
            when to pass it, and which URLs are valid.
        authorization_page: the page where an administrator authorizes the application. Default: the
            vendor's.
        version: the version of the token endpoint: `2021-07-28`, or `v3`, whose names are
            camelCase.
        transport: an httpx transport for the token requests. It is used from any thread and never
            closed. Default: a new one for each request, which uses the environment's proxies.
        refresh_ahead: seconds before its expiry at which a token is refreshed, as a number or a
            `timedelta`.
        allow_http: whether `token_url`, `authorization_page` and redirect URIs may be plain http on
            another machine, as in a test network. The client secret then travels unencrypted.
        clock: returns the seconds since the epoch.

    Raises:
        ConfigurationError: an argument is invalid.
        CredentialsError: the store failed.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        store: AgencyTokenStore,
        company_id: str | None = None,
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
        # A traceback can show the arguments of this frame: see `frames`.
        del client_secret, token_url, authorization_page
        self._application = check_application(client_id, secret, version, transport)
        self._options = check_token_options(secret_url, refresh_ahead, clock, allow_http=allow_http)
        check_store(store, ("agency", "location"))
        self._company_id = _checked_company_id(company_id)
        self._store = store
        self._agency = OAuth(
            client_id=client_id,
            client_secret=secret.reveal(),
            store=_open_store(store.agency),
            user_type="Company",
            token_url=secret_url.reveal(),
            authorization_page=page.reveal(),
            version=version,
            transport=transport,
            refresh_ahead=refresh_ahead,
            allow_http=allow_http,
            clock=clock,
        )
        # Guards the next attribute.
        self._lock = ProcessLock()
        self._locations: OrderedDict[str, RefreshingTokenSource] = OrderedDict()

    __reduce__ = refuse_pickling

    def authorization_url(self, redirect_uri: str, scopes: str | Iterable[str], state: str) -> str:
        """The URL to which to send an administrator of the agency; see `OAuth`.

        Tokens of locations need the scope `oauth.write`.
        """
        return self._agency.authorization_url(redirect_uri, scopes, state)

    def exchange_code(self, code: str, redirect_uri: str) -> Tokens:
        """Exchange an authorization code for the agency's tokens, and save them; see `OAuth`."""
        secret_code = Secret(code)
        del code
        return self._agency.exchange_code(secret_code.reveal(), redirect_uri)

    async def exchange_code_async(self, code: str, redirect_uri: str) -> Tokens:
        """`exchange_code` for asyncio."""
        secret_code = Secret(code)
        del code
        return await self._agency.exchange_code_async(secret_code.reveal(), redirect_uri)

    def get_token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """Return the agency's token, for a call that names no location; see `OAuth`."""
        return self._agency.get_token(base_url, rejected, timeout)

    async def get_token_async(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """Return the agency's token; raises like `get_token`."""
        return await self._agency.get_token_async(base_url, rejected, timeout)

    def for_location(self, location_id: str) -> TokenSource:
        """Return the token source of one location. All calls get the same one.

        Raises:
            ConfigurationError: the id is not a string, empty, or no request can contain it.
            CredentialsError: the store failed.
        """
        if not isinstance(location_id, str) or not location_id:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("location_id must be the id of a location, as a string")
        with self._lock.of_this_process():
            source = self._locations.get(location_id)
            if source is not None:
                self._locations.move_to_end(location_id)
                return source
        # Without the lock: the caller's store may take long, and must not block other locations.
        new_source = self._new_location(location_id)
        with self._lock.of_this_process():
            # Another thread may have been faster. Then its source is the one for all calls.
            source = self._locations.setdefault(location_id, new_source)
            self._locations.move_to_end(location_id)
            if len(self._locations) > MAXIMUM_LOCATIONS:
                self._locations.popitem(last=False)
        return source

    def _new_location(self, location_id: str) -> RefreshingTokenSource:
        _check_encoding(location_id)
        store = _open_store(partial(self._store.location, location_id))
        check_store(store, ("load", "save", "lock"))
        issuer = LocationTokenIssuer(self._application, self._agency, location_id, self._company_id)
        return RefreshingTokenSource(
            issuer, _LocationStore(store, location_id), self._options, location_id
        )


class LocationTokenIssuer:
    """Issues the tokens of one location; a `TokenIssuer`.

    It uses the location's refresh token, if there is one. Otherwise, or if that token is no longer
    valid, it requests new tokens with the agency's token.

    A failed request is remembered, so that calls do not send it again and again. Until
    `failures.pause_after` has passed, its error is raised again: 300 s after a rejection, and 60 s
    at most after a temporary failure. With another token of the agency, the request is another one.
    So it is sent at once after a new authorization. The agency's own token requests have a memory
    of their own, and so has the location's refresh token.

    Args:
        application: how the application authenticates itself.
        agency: supplies the agency's token.
        location_id: the location.
        company_id: the agency; `None` for the one that its tokens name.
    """

    def __init__(
        self, application: Application, agency: OAuth, location_id: str, company_id: str | None
    ) -> None:
        self._endpoint = TokenEndpoint(application)
        self._agency = agency
        self._location_id = location_id
        self._company_id = company_id
        self._failures = FailureMemory()

    def refresh(self, tokens: Tokens, base_url: str, url: str, now: float) -> Tokens:
        """Return new tokens of the location.

        Raises:
            CredentialsError: the agency has no tokens, or they name no company.
            OAuthError: the endpoint rejected the request, or its response has no access token.
            APIConnectionError: the endpoint sent no complete response.
        """
        if not tokens.refresh_token:
            return self._request(base_url, url, now)
        try:
            return self._endpoint.refresh(tokens, base_url, url, now)
        except ReauthorizationError as error:
            # The agency's authorization can still be valid.
            failure = describe_error(error)
            logger.info(
                "the agency's token replaces a location's refresh token: %s",
                failure,
                extra={"event": "location_token_replaced", "failure": failure},
            )
        return self._request(base_url, url, now)

    def _request(self, base_url: str, url: str, now: float) -> Tokens:
        """Request tokens with the agency's token, and with another one after a 401."""
        agency_token = self._agency_token(base_url, rejected=None)
        # Outside of the `try`: a remembered 401 is no reason for another token of the agency.
        self._failures.check(self._subject(agency_token), url, now)
        try:
            return self._request_with(agency_token, url, now)
        except OAuthError as error:
            if error.status_code != 401:
                raise
            # If the agency has to authorize anew, that is the error to raise also next time.
            self._failures.clear()
            new_agency_token = self._agency_token(base_url, rejected=agency_token)
            if new_agency_token == agency_token:
                self._failures.record(self._subject(agency_token), url, error, now)
                raise
        return self._request_with(new_agency_token, url, now)

    def _request_with(self, agency_token: Token, url: str, now: float) -> Tokens:
        """Request tokens with one token of the agency. A failure is remembered."""
        company_id = self._company_of(agency_token)
        try:
            tokens = self._endpoint.location_tokens(
                agency_token, company_id, self._location_id, url, now
            )
        except (OAuthError, APIConnectionError) as error:
            self._failures.record(self._subject(agency_token), url, error, now)
            raise
        self._failures.clear()
        # The agency's token worked. So if the endpoint rejects it later, it was probably revoked,
        # and the agency's `OAuth` replaces it at once.
        agency_token.was_accepted = True
        return tokens

    def _subject(self, agency_token: Token) -> Secret[str]:
        """What distinguishes a request in the memory of failures: the location and the token."""
        return Secret(f"{self._location_id} {agency_token.reveal()}")

    def _company_of(self, agency_token: Token) -> str:
        """The agency of the option, or else of its token.

        Raises:
            CredentialsError: neither names it.
        """
        if self._company_id is not None:
            return self._company_id
        # All tokens of an `OAuth` are of this class.
        if isinstance(agency_token, IssuedToken) and agency_token.company_id:
            return agency_token.company_id
        raise CredentialsError("the agency's tokens name no company: pass company_id=")

    def _agency_token(self, base_url: str, rejected: Token | None) -> Token:
        """The agency's token.

        Raises:
            LeadConnectorError: the agency's. Its message says that it concerns the agency.
        """
        try:
            # Without a timeout: this runs in the refresh thread of the location, which no caller
            # interrupts. The agency's refresh ends by itself, after the timeouts of its request.
            return self._agency.get_token(base_url, rejected, timeout=None)
        except LeadConnectorError as error:
            agency_error = error.with_message(f"the agency's token: {error}")
        # Outside of the handler, so that the original error does not become the context.
        raise agency_error


class _LocationStore:
    """The store of one location, whose tokens are never those of another one.

    On a file system that ignores case, two locations can have the same file.
    """

    def __init__(self, store: TokenStore, location_id: str) -> None:
        self._store = store
        self._location_id = location_id
        self.lock = store.lock

    def load(self) -> Tokens | None:
        """Return the location's tokens, or `None` if the store has none."""
        tokens = self._store.load()
        # A custom store can return any other object, which the token source rejects.
        if isinstance(tokens, Tokens) and tokens.location_id != self._location_id:
            return None
        return tokens

    def save(self, tokens: Tokens) -> None:
        """Replace the stored tokens."""
        # The response may name no location.
        self._store.save(replace(tokens, location_id=self._location_id))


def _open_store(open_store: Callable[[], TokenStore]) -> TokenStore:
    """Open the store of the agency or of a location: call a method of the caller's store.

    Raises:
        CredentialsError: the store failed. The message does not show the error of a custom store.
    """
    try:
        return open_store()
    except LeadConnectorError:
        raise
    except Exception as error:
        raise CredentialsError(f"the token store failed: {describe_error(error)}") from error


def _check_encoding(location_id: str) -> None:
    """Check that a request can contain an id.

    Raises:
        ConfigurationError: the id contains half of a surrogate pair.
    """
    if has_lone_surrogate(location_id):
        raise ConfigurationError("location_id contains half of a surrogate pair")


def _checked_company_id(company_id: object) -> str | None:
    """The option `company_id`; `None` if the agency's tokens name the company.

    Raises:
        ConfigurationError: it is not a string, or empty.
    """
    if company_id is None:
        return None
    if not isinstance(company_id, str) or not company_id:
        raise ConfigurationError("company_id must be the id of the agency, as a string")
    return company_id
