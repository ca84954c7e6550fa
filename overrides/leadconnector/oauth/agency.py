"""The token source of an agency, which gets the tokens of its locations with its own."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from .._highlevel import TOKEN_PATH
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

Result = TypeVar("Result")


class AgencyOAuth:
    """A token source that has a token for each location of an agency.

    One authorization of the agency is enough. The first call for a location gets the location's
    tokens with those of the agency. After that they are refreshed as by `OAuth`: once for all
    threads, tasks and processes that share the store.

    A call gets the token of the location that it names: the argument by which the API counts calls,
    such as `location_id`. A call that names none gets the agency's token.
    `client.for_location(location_id)` uses one location's token for all calls.

    Args:
        client_id: as for `OAuth`.
        client_secret: as for `OAuth`.
        store: contains the tokens of the agency and of its locations.
        company_id: the agency. Default: the one that the agency's tokens name.
        token_url: as for `OAuth`. The endpoint for the tokens of a location is beside it.
        authorization_page: as for `OAuth`.
        version: as for `OAuth`.
        transport: as for `OAuth`.
        refresh_ahead: as for `OAuth`.
        allow_http: as for `OAuth`.
        clock: as for `OAuth`.

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
        # As in `OAuth`: a traceback can show the arguments of this frame.
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
            ConfigurationError: the id is no text, empty, or no request can carry it.
            CredentialsError: the store failed.
        """
        if not isinstance(location_id, str) or not location_id:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("location_id must be the id of a location, as text")
        with self._lock.of_this_process():
            source = self._locations.get(location_id)
            if source is None:
                source = self._new_location(location_id)
                self._locations[location_id] = source
                if len(self._locations) > MAXIMUM_LOCATIONS:
                    self._locations.popitem(last=False)
            self._locations.move_to_end(location_id)
            return source

    def _new_location(self, location_id: str) -> RefreshingTokenSource:
        _check_encoding(location_id)
        store = _open_store(lambda: self._store.location(location_id))
        check_store(store, ("load", "save", "lock"))
        issuer = LocationTokenIssuer(self._application, self._agency, location_id, self._company_id)
        return RefreshingTokenSource(
            issuer, _LocationStore(store, location_id), self._options, location_id
        )


class LocationTokenIssuer:
    """Issues the tokens of one location; a `TokenIssuer`.

    Args:
        application: how the application authenticates itself.
        agency: supplies the agency's token.
        location_id: the location.
        company_id: the agency; empty for the one that its tokens name.
    """

    def __init__(
        self, application: Application, agency: OAuth, location_id: str, company_id: str
    ) -> None:
        self._endpoint = TokenEndpoint(application)
        self._agency = agency
        self._location_id = location_id
        self._company_id = company_id
        self._failures = FailureMemory()

    def refresh(self, tokens: Tokens, url: str, now: float) -> Tokens:
        """Use the location's refresh token; without a valid one, the agency's token.

        Raises:
            CredentialsError: the agency has no tokens, or they name no company.
            OAuthError: the endpoint rejected the request, or its response has no access token.
            APIConnectionError: the endpoint sent no complete response.
        """
        if tokens.refresh_token:
            try:
                return self._endpoint.refresh(tokens, url, now)
            except ReauthorizationError as error:
                # The agency's authorization can still be valid.
                logger.info("the agency's token replaces a location's refresh token: %s", error)
        # It names the request together with the URL; there is no refresh token.
        credential = Secret(self._location_id)
        self._failures.check(credential, url, now)
        try:
            new_tokens = self._request(url, now)
        except (OAuthError, APIConnectionError) as error:
            self._failures.record(credential, url, error, now)
            raise
        self._failures.clear()
        return new_tokens

    def _request(self, url: str, now: float) -> Tokens:
        """Get the location's tokens, with another token of the agency after a 401."""
        token = self._agency_token(url, rejected=None)
        try:
            return self._request_with(token, url, now)
        except OAuthError as error:
            if error.status_code != 401:
                raise
            new_token = self._agency_token(url, rejected=token)
            if new_token == token:
                raise
        return self._request_with(new_token, url, now)

    def _request_with(self, token: Token, url: str, now: float) -> Tokens:
        company_id = self._company_id
        if not company_id and isinstance(token, IssuedToken):
            company_id = token.company_id
        if not company_id:
            raise CredentialsError("the agency's tokens name no company: pass company_id=")
        tokens = self._endpoint.location_tokens(token, company_id, self._location_id, url, now)
        token.was_accepted = True
        return tokens

    def _agency_token(self, url: str, rejected: Token | None) -> Token:
        """The agency's token.

        Raises:
            LeadConnectorError: the agency's. Its message says that it concerns the agency.
        """
        # Without `token_url`, the agency's token is refreshed where the location's is.
        base_url = url.removesuffix(TOKEN_PATH)
        try:
            return self._agency.get_token(base_url, rejected, None)
        except LeadConnectorError as error:
            details = dict(vars(error))
            cause = error.__cause__
            raise type(error)(f"the agency's token: {error}", **details) from cause


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
        if not isinstance(tokens, Tokens) or tokens.location_id != self._location_id:
            return None
        return tokens

    def save(self, tokens: Tokens) -> None:
        """Replace the stored tokens."""
        # The response may name no location.
        self._store.save(replace(tokens, location_id=self._location_id))


def _open_store(open_store: Callable[[], TokenStore]) -> TokenStore:
    """Open a store of the agency's.

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
    """Check that a request can carry an id.

    Raises:
        ConfigurationError: the id contains half of a surrogate pair.
    """
    try:
        location_id.encode()
    except UnicodeEncodeError:
        raise ConfigurationError("location_id contains half of a surrogate pair") from None


def _checked_company_id(company_id: object) -> str:
    if company_id is None:
        return ""
    if not isinstance(company_id, str) or not company_id:
        raise ConfigurationError("company_id must be the id of the agency, as text")
    return company_id
