"""Reads bytes from a file, a git revision or a URL, within limits on size, time and location.

Every read failure is an `OSError`. The callers add what was being read and why.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

import httpx

from ..model.document import file_of

MAXIMUM_BYTES = 16 * 2**20
"""Per file. The vendor's largest document has 0.5 MB, and GitHub's, a very large one, has 12 MB."""

MAXIMUM_SECONDS = 60.0
"""For one download in total, with redirects, so that a slow trickle of bytes ends."""

_IDLE_SECONDS = 10
"""For connecting, and between two parts of an HTTP response."""

_MAXIMUM_REDIRECTS = 3
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*:[/\\]+)(?P<place>.*)", re.DOTALL)
"""A URL, also one with another number of slashes, which may be a mistake."""

_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")
_CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


STANDARD_INPUT = "-"
"""What a user writes instead of a path to pass the text of a document."""


class Origin(ABC):
    """The place of a document: a file, a file in a git revision, or a URL."""

    @property
    @abstractmethod
    def display_name(self) -> str:
        """The name for messages and reports, without secrets."""

    @property
    @abstractmethod
    def folder(self) -> str:
        """The folder that contains the document, in the form of a root."""

    @property
    def may_be_endless(self) -> bool:
        """Whether the content may never end, as that of a pipe or a device."""
        return False

    @abstractmethod
    def sibling(self, reference: str) -> Origin:
        """The place that a relative reference in this document leads to."""

    @abstractmethod
    def is_within(self, root: str) -> bool:
        """Whether the place is inside a root: a folder, or the prefix of URLs."""

    @property
    def can_be_allowed(self) -> bool:
        """Whether a root can allow the place, so that a message may suggest it."""
        return True

    @abstractmethod
    def read(self, roots: Sequence[str]) -> bytes:
        """Read the content.

        Args:
            roots: where a redirect may lead to: folders, and prefixes of URLs.

        Raises:
            OSError: the content cannot be read, or exceeds a limit.
        """


def origin_of(source: str) -> Origin:
    """Interpret a command-line argument: a URL, `REVISION:PATH` in git, or a path.

    Raises:
        OSError: git is needed to interpret the path, and fails.
    """
    if source == STANDARD_INPUT:
        return StandardInput()
    if os.path.exists(source) or ":" not in source:
        return LocalFile(source)
    if "://" in source:
        return WebFile(source)
    revision, _, path = source.partition(":")
    # Git counts a path from the top of the repository unless it begins with a dot.
    if path.startswith(("./", "../")):
        current_folder = _run_git("rev-parse", "--show-prefix").decode().rstrip("\n")
        path = posixpath.join(current_folder, path)
    return CommittedFile(revision, posixpath.normpath(path))


def without_secrets(source: str) -> str:
    """Remove the credentials, the query and the fragment of a URL, which may contain secrets.

    A password may contain `/`, `?`, `#` and `@` although it should not. So all text before the last
    `@` is removed. If that `@` follows a `?` or `#`, nobody knows whether a password or a query is
    on which side of it, so only the scheme remains.
    """
    url = _URL.fullmatch(source)
    if url is None:
        return source
    place, *query = re.split("[?#]", url["place"], maxsplit=1)
    if "@" in "".join(query):
        return f"{url['scheme']}…"
    return url["scheme"] + place.rpartition("@")[2]


def cause_of(error: OSError) -> str:
    """The cause of a read failure, without the file name that `str` may repeat."""
    return error.strerror or str(error)


@dataclass(frozen=True)
class LocalFile(Origin):
    """A file on this machine."""

    path: str

    @property
    def display_name(self) -> str:
        """The path as it was given."""
        return self.path

    @property
    def folder(self) -> str:
        """The folder of the file."""
        return file_of(".", self.path)

    @property
    def may_be_endless(self) -> bool:
        """Whether it is a pipe or a device. A folder is not: reading it fails."""
        if not os.path.exists(self.path):
            return False
        return not os.path.isfile(self.path) and not os.path.isdir(self.path)

    def sibling(self, reference: str) -> LocalFile:
        """The file at a path relative to this one."""
        return LocalFile(_sibling_path(reference, self.path))

    def is_within(self, root: str) -> bool:
        """Whether the file is inside a folder."""
        # Compare real paths, so that no symbolic link leads out of the root.
        real_path = os.path.realpath(self.path)
        real_root = os.path.realpath(root)
        return os.path.commonpath([real_path, real_root]) == real_root

    def read(self, roots: Sequence[str]) -> bytes:
        """Read the file. There are no redirects."""
        with open(self.path, "rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
        _check_size(len(content))
        return content


@dataclass(frozen=True)
class StandardInput(Origin):
    """The standard input. Its references are relative to the current directory."""

    @property
    def display_name(self) -> str:
        """A name that no file usually has."""
        return "<standard input>"

    @property
    def folder(self) -> str:
        """The current directory."""
        return "."

    def sibling(self, reference: str) -> LocalFile:
        """The file at a path relative to the current directory."""
        return LocalFile(_sibling_path(reference, ""))

    def is_within(self, root: str) -> bool:
        """No root contains it, so that no reference leads to it."""
        return False

    def read(self, roots: Sequence[str]) -> bytes:
        """Read everything. There are no redirects."""
        # A closed standard input is None, although its type does not allow that.
        if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise OSError("there is no standard input")
        content = sys.stdin.buffer.read(MAXIMUM_BYTES + 1)
        _check_size(len(content))
        return content


@dataclass(frozen=True)
class CommittedFile(Origin):
    """A file in a git revision. Git does not follow symbolic links, so they cannot leave a root."""

    revision: str
    path: str
    """From the top of the repository."""

    @property
    def display_name(self) -> str:
        """`REVISION:PATH`, as git names a file."""
        return f"{self.revision}:{self.path}"

    @property
    def folder(self) -> str:
        """The folder of the file in the repository."""
        return file_of(".", self.path)

    def sibling(self, reference: str) -> CommittedFile:
        """The file at a path relative to this one, in the same revision."""
        return CommittedFile(self.revision, _sibling_path(reference, self.path))

    def is_within(self, root: str) -> bool:
        """Whether the file is inside a folder of the repository."""
        path = PurePosixPath(self.path)
        return ".." not in path.parts and path.is_relative_to(posixpath.normpath(root))

    def read(self, roots: Sequence[str]) -> bytes:
        """Read the file from git's object store. There are no redirects."""
        # Git would take such a revision for an option. --end-of-options is a second protection.
        if self.revision.startswith("-"):
            raise OSError("a revision does not begin with a hyphen")
        size = _run_git("cat-file", "-s", "--end-of-options", self.display_name)
        _check_size(int(size))
        return _run_git("cat-file", "blob", "--end-of-options", self.display_name)


@dataclass(frozen=True)
class WebFile(Origin):
    """A document at an HTTPS URL, or at an HTTP URL of this machine."""

    url: str

    @property
    def display_name(self) -> str:
        """The URL without credentials and query."""
        return without_secrets(self.url)

    @property
    def folder(self) -> str:
        """The URL up to its last slash."""
        return file_of(".", self.url)

    def sibling(self, reference: str) -> WebFile:
        """The document at a URL relative to this one."""
        return WebFile(file_of(reference, self.url))

    def is_within(self, root: str) -> bool:
        """Whether the URL begins with a prefix, after both are normalized."""
        try:
            url = httpx.URL(self.url)
            root_url = httpx.URL(root)
        except httpx.InvalidURL:
            return False
        # Credentials do not count: `https://user@host/` is the same place as `https://host/`.
        if (url.scheme, url.host, url.port) != (root_url.scheme, root_url.host, root_url.port):
            return False
        # The server may decode `%2e%2e` and leave the root.
        if ".." in unquote(url.path).replace("\\", "/").split("/"):
            return False
        path = _encoded_path(url)
        root_path = _encoded_path(root_url)
        return path == root_path or path.startswith(f"{root_path.rstrip('/')}/")

    @property
    def can_be_allowed(self) -> bool:
        """Whether the URL has an allowed scheme, and no step up that a server may decode."""
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL:
            return False
        return _is_secure(url) and self.is_within(self.folder)

    def read(self, roots: Sequence[str]) -> bytes:
        """Download the document, within `MAXIMUM_SECONDS`."""
        # httpx limits the time between two parts only, and a server can send a header byte by byte.
        # Nothing can end such a request from outside, so a thread waits for it.
        result: Future[bytes] = Future()
        threading.Thread(target=self._download, args=(roots, result), daemon=True).start()
        done, _ = wait([result], timeout=MAXIMUM_SECONDS)
        if not done:
            raise OSError(f"the response takes more than {MAXIMUM_SECONDS:.0f} seconds")
        return result.result()

    def _download(self, roots: Sequence[str], result: Future[bytes]) -> None:
        try:
            result.set_result(self._content(roots))
        except BaseException as error:  # the caller raises it
            result.set_exception(error)

    def _content(self, roots: Sequence[str]) -> bytes:
        def check(request: httpx.Request) -> None:
            _reject_insecure_request(request)
            _reject_redirect_out_of(roots, request)

        with _http_client(check) as client:
            try:
                # Without compression, the size limit applies to what is received.
                with client.stream(
                    "GET", self.url, headers={"Accept-Encoding": "identity"}
                ) as response:
                    return _body_of(response)
            except httpx.InvalidURL:
                # Its text may contain a part of a password, and so may the original exception.
                raise OSError("it is not a valid URL") from None
            except httpx.HTTPError as error:
                if isinstance(error.__context__, httpx.InvalidURL):
                    raise OSError("it redirects to an invalid URL") from None
                raise OSError(str(error) or type(error).__name__) from error


def _http_client(check: Callable[[httpx.Request], None]) -> httpx.Client:
    """Create the client of one download.

    Raises:
        OSError: a variable of the environment is not usable. The message names the variables only,
            because a proxy's URL may contain a password.
    """
    try:
        context = httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        names = _defined_variables(_CERTIFICATE_VARIABLES)
        raise OSError(
            f"the certificates cannot be loaded: check the environment: {names}"
        ) from error
    try:
        return httpx.Client(
            verify=context,
            follow_redirects=True,
            max_redirects=_MAXIMUM_REDIRECTS,
            timeout=_IDLE_SECONDS,
            # httpx calls the hook for every redirect as well.
            event_hooks={"request": [check]},
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        # ImportError: SOCKS needs a package that is not a dependency.
        names = _defined_variables(_PROXY_VARIABLES)
        raise OSError(
            f"the proxy of the environment is not usable: {names}: name an http or https proxy"
        ) from None


def _defined_variables(names: Sequence[str]) -> str:
    """The variables of the environment with these names, in lower or upper case."""
    lower_names = {name.lower() for name in names}
    defined_names = [name for name, value in os.environ.items() if value]
    return ", ".join(sorted(name for name in defined_names if name.lower() in lower_names))


def _sibling_path(reference: str, path: str) -> str:
    # A path with a NUL byte would raise ValueError instead of OSError.
    relative_path = unquote(reference).replace("\0", "")
    return file_of(relative_path, path)


def _check_size(size: int) -> None:
    if size > MAXIMUM_BYTES:
        raise OSError(f"it has more than {MAXIMUM_BYTES >> 20} MiB")


def _run_git(*arguments: str) -> bytes:
    """The output of a git command in the current directory."""
    try:
        result = subprocess.run(
            ["git", *arguments],  # noqa: S607  # the git on the user's PATH
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise OSError(f"git cannot be run: {cause_of(error)}") from error
    if result.returncode != 0:
        message = result.stderr.decode(errors="replace").strip()
        first_line = message.partition("\n")[0]
        raise OSError(first_line.removeprefix("fatal: "))
    return result.stdout


def _reject_insecure_request(request: httpx.Request) -> None:
    if _is_secure(request.url):
        return
    url = without_secrets(str(request.url))
    raise OSError(f"{url} is not allowed: only https is, and http on this machine")


def _is_secure(url: httpx.URL) -> bool:
    if url.scheme == "https":
        return True
    return url.scheme == "http" and url.host in _LOOPBACK_HOSTS


def _reject_redirect_out_of(roots: Sequence[str], request: httpx.Request) -> None:
    """Reject a redirect to a place that a reference may not lead to either.

    A server on this machine is therefore asked only if the user named it.
    """
    target = WebFile(str(request.url))
    if any(target.is_within(root) for root in roots):
        return
    if not target.can_be_allowed:
        raise OSError(f"it redirects to {target.display_name}, which no `--root` allows")
    root = without_secrets(target.folder)
    raise OSError(f"it redirects to {target.display_name}: `--root {root}` allows it")


def _encoded_path(url: httpx.URL) -> str:
    """The path of a URL as it is sent, without the query."""
    return url.raw_path.decode("ascii").partition("?")[0]


def _body_of(response: httpx.Response) -> bytes:
    """Read a response body within the limits on size and time."""
    if response.status_code != 200:
        raise OSError(f"the server returned status {response.status_code}")
    deadline = time.monotonic() + MAXIMUM_SECONDS
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        _check_size(len(content))
        if time.monotonic() > deadline:
            raise OSError(f"the response takes more than {MAXIMUM_SECONDS:.0f} seconds")
    return bytes(content)
