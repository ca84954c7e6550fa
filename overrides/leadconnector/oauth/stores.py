"""Stores tokens in memory, in a file, or in any class with the methods of `TokenStore`."""

import json
import os
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict
from typing import Protocol, cast

from ..errors import ConfigurationError, CredentialsError
from .process_lock import ProcessLock
from .tokens import TokenDocument, Tokens

MAXIMUM_FILE_SIZE = 1 << 20
"""Bytes read from a token file, which has a few hundred."""

PRIVATE_MODE = 0o600
"""Permissions of a token file: only its owner reads and writes it."""

ACCESS_BY_OTHERS = 0o077
"""The permission bits of the group and of all other users."""


class TokenStore(Protocol):
    """The interface of a token store. `OAuth` calls it in its own threads; the methods may block.

    An exception of `load` or `lock` is the cause of the `CredentialsError` that callers get.

    If `save` fails, `OAuth` uses the new tokens all the same, because the old refresh token is used
    up. It saves them again when it next reads the store: at the next refresh, or after the API
    rejected a token.
    """

    def load(self) -> Tokens | None:
        """Return the tokens of the last `save`, or `None` if there are none."""

    def save(self, tokens: Tokens) -> None:
        """Replace the stored tokens, completely or not at all."""

    def lock(self) -> AbstractContextManager[object]:
        """Exclude every other thread and process that shares the store.

        The lock must end when its process dies.
        """
        ...


class MemoryTokenStore:
    """Stores tokens for the life of the process. No other process shares them, not even a fork."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._lock = ProcessLock()

    def load(self) -> Tokens:
        """Return the tokens of the last `save`."""
        return self._tokens

    def save(self, tokens: Tokens) -> None:
        """Replace the tokens."""
        self._tokens = tokens

    def lock(self) -> AbstractContextManager[object]:
        """Exclude other threads."""
        return self._lock.of_this_process()


class FileTokenStore:
    """Stores tokens in a JSON file that all processes of one user on one machine share.

    The file contains the fields of `Tokens`. Each save replaces it. The lock is on a second file,
    `….lock`, which stays. Needs `fcntl`, which Windows does not have.

    Like ssh with a private key, the store rejects a file that other users may read or write.

    Args:
        path: the file, which need not exist yet. Only its owner should have write access to its
            directory. A symbolic link is resolved once, by the constructor.

    Raises:
        ConfigurationError: the path is empty, or no path.
        CredentialsError: the path is that of a directory.
    """

    _requires_refresh_token = True
    """Without one, tokens of a user's authorization are useless after a day."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = resolved_path(path, "the path of a FileTokenStore")
        if os.path.isdir(self._path):
            # Otherwise the lock file would be created beside the directory.
            raise CredentialsError(
                f"a FileTokenStore needs the path of a file. Is a directory: {self._path!r}"
            )

    def load(self) -> Tokens | None:
        """Return the tokens of the last `save`, or `None` if the file is missing.

        Raises:
            CredentialsError: other users may access the file, or it contains no tokens. The message
                never shows its content.
            OSError: the file cannot be read.
        """
        try:
            with open(self._path, "rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                document = TokenDocument(file.read(MAXIMUM_FILE_SIZE))
        except FileNotFoundError:
            return None
        if mode & ACCESS_BY_OTHERS:
            raise CredentialsError(f"other users may access {self._path}: run chmod 600 on it")
        if not document.refresh_token and self._requires_refresh_token:
            raise CredentialsError(f"{self._path} contains no tokens: authorize anew")
        return Tokens(
            access_token=document.access_token,
            refresh_token=document.refresh_token,
            expires_at=document.seconds("expires_at", default=0.0),
            # Files of earlier versions lack these two.
            obtained_at=document.seconds("obtained_at", default=0.0),
            replacements=document.times("replacements"),
            user_type=document.text("user_type"),
            location_id=document.text("location_id"),
            company_id=document.text("company_id"),
            scopes=document.texts("scopes"),
        )

    def save(self, tokens: Tokens) -> None:
        """Replace the file. Call it inside `lock` if other processes share the store.

        Raises:
            OSError: the file is unchanged. The new content was in a file `….new`, which is removed.
                It stays only if the process is killed; the next save replaces it.
        """
        new_path = f"{self._path}.new"
        with suppress(FileNotFoundError):
            os.remove(new_path)
        # O_EXCL: never write through a link that somebody has created in the meantime.
        descriptor = os.open(new_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
        try:
            with open(descriptor, "w") as file:
                print(json.dumps(asdict(tokens)), file=file, flush=True)
                # Without it, a power cut can lose the old tokens and the new ones.
                os.fsync(descriptor)
            os.replace(new_path, self._path)
        except BaseException:
            # It contains tokens, and nobody reads it.
            with suppress(OSError):
                os.remove(new_path)
            raise
        _sync_directory(os.path.dirname(self._path))

    @contextmanager
    def lock(self) -> Generator[None]:
        """Exclude other threads and processes. The kernel releases the lock of a dying process.

        Raises:
            ImportError: the platform has no `fcntl`.
            OSError: the lock file cannot be used.
        """
        from fcntl import LOCK_EX, LOCK_UN, flock  # noqa: PLC0415  # not on every platform

        descriptor = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, PRIVATE_MODE)
        with open(descriptor) as file:
            flock(file, LOCK_EX)
            try:
                yield
            finally:
                # Closing is not enough: a forked process can have the same open file.
                flock(file, LOCK_UN)


def resolved_path(path: object, name: str) -> str:
    """The absolute path without symbolic links. Untyped callers can pass any object.

    Args:
        path: what the caller passed.
        name: names the argument in the message.

    Raises:
        ConfigurationError: it is empty, such as an unset variable of the environment, or no path.
    """
    text: object = path
    if isinstance(path, os.PathLike):
        text = os.fspath(cast("os.PathLike[str]", path))
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigurationError(f"{name} must be text or a pathlib.Path, and not empty")
    return os.path.realpath(text)


def _sync_directory(path: str) -> None:
    """Write a directory to the disk. Otherwise a power cut can undo a rename in it (`fsync(2)`).

    Some systems cannot: Windows opens no directory, and some file systems sync none. That is no
    error. The file itself is complete, with the old tokens or the new ones.
    """
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
