"""What users have authorized: installations of the application, and their authorization codes."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from .access import UserType

MAXIMUM_CODES = 1_000
"""The codes that are remembered, used or not. Beyond it, the oldest one is forgotten."""


@dataclass(frozen=True)
class Installation:
    """An application that one user has installed, in a location or for an agency."""

    owner: str
    """The location, or the company of an agency's installation."""
    company: str = ""
    """The company; empty if responses do not name it."""
    user_type: UserType | None = None
    """The class of its tokens; `None` for that of the endpoint."""
    scopes: Collection[str] | None = None
    """The scopes that the user approved; `None` for those of the endpoint."""


@dataclass
class AuthorizationCode:
    """A code that the authorization page has sent to the application."""

    installation: Installation
    redirect_uri: str
    expires_at: float
    """Seconds of the emulator's clock."""
    is_used: bool = False


class AuthorizationCodes:
    """Issues codes, each for one use."""

    def __init__(self) -> None:
        # The oldest one first.
        self._codes: OrderedDict[str, AuthorizationCode] = OrderedDict()

    def issue(self, installation: Installation, redirect_uri: str, expires_at: float) -> str:
        """Issue a code for an installation."""
        code = f"code-{secrets.token_urlsafe(24)}"
        self._codes[code] = AuthorizationCode(installation, redirect_uri, expires_at)
        if len(self._codes) > MAXIMUM_CODES:
            self._codes.popitem(last=False)
        return code

    def get(self, code: str) -> AuthorizationCode | None:
        """A code that was issued, used or not."""
        return self._codes.get(code)
