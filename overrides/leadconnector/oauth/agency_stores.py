"""Stores the tokens of an agency and of its locations, each with a lock of its own."""

import os
from typing import Protocol
from urllib.parse import quote

from ..errors import CredentialsError
from .process_lock import ProcessLock
from .stores import FileTokenStore, MemoryTokenStore, TokenStore, resolved_path
from .tokens import NO_TOKENS, Tokens

PRIVATE_FOLDER_MODE = 0o700
"""Permissions of the folder with token files: only its owner lists it and creates files in it."""

LONGEST_NAME = 200
"""Characters of a location's id in a file name. Most file systems permit 255 bytes, and the store
appends `.json.lock`."""

AGENCY_NAME = "agency"


class AgencyTokenStore(Protocol):
    """The interface of a store for `AgencyOAuth`.

    Each of its stores has its own lock. While one location's tokens are refreshed, the agency's
    store can be locked too, but no other location's.
    """

    def agency(self) -> TokenStore:
        """Return the store of the agency's tokens."""
        ...

    def location(self, location_id: str) -> TokenStore:
        """Return the store of one location's tokens. It is empty until they are needed.

        The first call for a location calls this in its own thread, and an async client in its event
        loop. So it should not block. The methods of the result run in threads, and may block.
        """
        ...


class MemoryAgencyTokenStore:
    """Stores tokens for the life of the process. No other process shares them, not even a fork.

    Args:
        tokens: the agency's tokens, if there are some already.
    """

    def __init__(self, tokens: Tokens = NO_TOKENS) -> None:
        self._agency = MemoryTokenStore(tokens)
        self._locations: dict[str, MemoryTokenStore] = {}
        self._lock = ProcessLock()

    def agency(self) -> TokenStore:
        """Return the store of the agency's tokens."""
        return self._agency

    def location(self, location_id: str) -> TokenStore:
        """Return the store of one location's tokens."""
        with self._lock.of_this_process():
            return self._locations.setdefault(location_id, MemoryTokenStore(NO_TOKENS))


class FileAgencyTokenStore:
    """Stores tokens in JSON files that all processes of one user on one machine share.

    The agency's tokens are in `agency.json`, and those of a location in `location-ID.json`. Each
    file is one of a `FileTokenStore`, with its own lock. So `authorize --user-type Company` fills
    the file `agency.json`.

    Args:
        folder: the folder of the files. The first use creates it, with access for its owner only.
            An existing folder keeps its permissions; each file is private in any case.

    Raises:
        ConfigurationError: the folder is empty text, or no path.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = resolved_path(folder, "the folder of a FileAgencyTokenStore")

    def agency(self) -> TokenStore:
        """Return the store of the agency's tokens.

        Raises:
            OSError: the folder cannot be created.
        """
        return FileTokenStore(self._path(AGENCY_NAME))

    def location(self, location_id: str) -> TokenStore:
        """Return the store of one location's tokens.

        Raises:
            OSError: the folder cannot be created.
            CredentialsError: no file can have the id in its name.
        """
        # Encoded, no id leads to another folder.
        name = quote(location_id, safe="")
        if len(name) > LONGEST_NAME:
            raise CredentialsError(
                "the location's id is too long for the name of a token file: it may have "
                f"{LONGEST_NAME} characters, percent-encoded"
            )
        return _LocationFile(self._path(f"location-{name}"))

    def _path(self, name: str) -> str:
        os.makedirs(self._folder, PRIVATE_FOLDER_MODE, exist_ok=True)
        return os.path.join(self._folder, f"{name}.json")


class _LocationFile(FileTokenStore):
    """The tokens of a location. Without a refresh token, the agency's token gets new ones."""

    _requires_refresh_token = False
