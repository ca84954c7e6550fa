"""Sends the requests to GitHub's REST API that an issue and a comment need.

The source of the paths and fields is https://docs.github.com/en/rest/issues.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self, cast

import httpx
from specdrift.terminal import visible

API_URL = "https://api.github.com"
"""GitHub's public service. A GitHub Enterprise server has another one."""

API_VERSION = "2022-11-28"

PAGE_SIZE = 100
"""GitHub's maximum."""

MAXIMUM_PAGES = 200
"""Of one list, which is 20,000 issues. A server that always names a next page must not win."""

TIMEOUT = 30.0
"""Seconds, for connecting and between two parts of a response."""

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_MAXIMUM_MESSAGE_CHARACTERS = 300

_FORBIDDEN = 403
_TOO_MANY_REQUESTS = 429

_HINTS = {
    401: "GITHUB_TOKEN is invalid or expired",
    _FORBIDDEN: (
        "the token lacks a permission: the job needs `issues: write` for an issue,"
        " and `pull-requests: write` for a comment"
    ),
    404: "check GITHUB_REPOSITORY, and that the token may read it",
    410: "issues are disabled: enable them in the settings of the repository",
}
"""What to do about a status that is not temporary."""


class GitHubError(Exception):
    """Nothing was published, or only a part. The message says why and what to do, in one line."""


class Post(NamedTuple):
    """An issue or a comment."""

    number: int
    """The number of an issue, or the id of a comment."""
    body: str
    author: str
    """The login of the account that wrote it."""
    url: str
    """The page in a browser."""


class GitHub:
    """A repository on GitHub, as the account of a token sees it."""

    def __init__(self, repository: str, token: str, api_url: str = API_URL) -> None:
        """Check the settings. Nothing is sent.

        Args:
            repository: the owner and the name, such as `octocat/hello`.
            token: a token of GitHub. No message and no attribute of this object contains it.
            api_url: the URL of the API: https, or http on this machine.

        Raises:
            GitHubError: a setting is not usable.
        """
        if not _REPOSITORY.fullmatch(repository):
            raise GitHubError("GITHUB_REPOSITORY is not OWNER/NAME: set it to your repository")
        # httpx would quote an unusable header in its exception, and so the token.
        if not token.isascii() or not token.isprintable() or " " in token:
            raise GitHubError("GITHUB_TOKEN is not a token: it has spaces or special characters")
        self._repository_path = f"/repos/{repository}"
        self._client = httpx.Client(
            base_url=_checked_url(api_url),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "X-GitHub-Api-Version": API_VERSION,
            },
            timeout=TIMEOUT,
        )

    @classmethod
    def from_environment(cls) -> Self:
        """The repository of a GitHub Actions job, which has these variables.

        Raises:
            GitHubError: a variable is missing or not usable.
        """
        names = ("GITHUB_REPOSITORY", "GITHUB_TOKEN")
        missing_names = [name for name in names if not os.environ.get(name)]
        if missing_names:
            raise GitHubError(
                f"{' and '.join(missing_names)} missing: run this in GitHub Actions with"
                " `GITHUB_TOKEN: ${{ github.token }}`, or set the variables yourself"
            )
        return cls(
            os.environ["GITHUB_REPOSITORY"],
            os.environ["GITHUB_TOKEN"],
            os.environ.get("GITHUB_API_URL") or API_URL,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def open_issues(self) -> Iterator[Post]:
        """All open issues, the oldest first.

        Raises:
            GitHubError: the list could not be read.
        """
        query = {"state": "open", "sort": "created", "direction": "asc"}
        for item in self._list(f"{self._repository_path}/issues", query):
            # GitHub counts pull requests as issues.
            if "pull_request" not in item:
                yield _post(item, "number")

    def create_issue(self, title: str, body: str) -> Post:
        """Open an issue.

        Raises:
            GitHubError: it was not opened, or nobody knows.
        """
        path = f"{self._repository_path}/issues"
        return _post(self._send("POST", path, {"title": title, "body": body}), "number")

    def edit_issue(self, number: int, changes: Mapping[str, str]) -> Post:
        """Change fields of an issue, such as `body` or `state`.

        Raises:
            GitHubError: it was not changed, or nobody knows.
        """
        path = f"{self._repository_path}/issues/{number}"
        return _post(self._send("PATCH", path, changes), "number")

    def comments(self, number: int) -> Iterator[Post]:
        """The comments on an issue or pull request, the oldest first.

        Raises:
            GitHubError: the list could not be read.
        """
        for item in self._list(f"{self._repository_path}/issues/{number}/comments", {}):
            yield _post(item, "id")

    def create_comment(self, number: int, body: str) -> Post:
        """Add a comment to an issue or pull request.

        Raises:
            GitHubError: it was not added, or nobody knows.
        """
        path = f"{self._repository_path}/issues/{number}/comments"
        return _post(self._send("POST", path, {"body": body}), "id")

    def edit_comment(self, comment_id: int, body: str) -> Post:
        """Replace the text of a comment.

        Raises:
            GitHubError: it was not replaced, or nobody knows.
        """
        path = f"{self._repository_path}/issues/comments/{comment_id}"
        return _post(self._send("PATCH", path, {"body": body}), "id")

    def _list(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The objects of a list on all its pages."""
        url = httpx.URL(path, params={**query, "per_page": str(PAGE_SIZE)})
        for _ in range(MAXIMUM_PAGES):
            response = self._request("GET", url)
            items = _json_of(response)
            if not isinstance(items, list):
                raise _unexpected(response)
            for item in cast("list[object]", items):
                yield _object_of(item)
            next_url = response.links.get("next", {}).get("url")
            if next_url is None:
                return
            url = self._url_of_this_api(next_url)
        raise GitHubError(f"GET {path}: the list has more than {MAXIMUM_PAGES} pages")

    def _url_of_this_api(self, text: str) -> httpx.URL:
        """The URL in a response. The token must reach no other server."""
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            raise GitHubError("a response contains an invalid URL of a next page") from None
        base = self._client.base_url
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            raise GitHubError(f"a response leads to another server: {visible(str(url.host))}")
        return url

    def _send(self, method: str, path: str, data: Mapping[str, str]) -> dict[str, Any]:
        response = self._request(method, httpx.URL(path), data)
        return _object_of(_json_of(response))

    def _request(
        self, method: str, url: httpx.URL, data: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            response = self._client.request(method, url, json=data)
        except httpx.HTTPError as error:
            # A text of httpx has no header of the request, and so no token.
            cause = visible(str(error)) or type(error).__name__
            raise GitHubError(
                f"{method} {url.path}: no response from GitHub: {cause}: run the job again"
            ) from None
        if not response.is_success:
            raise GitHubError(_problem_of(response))
        return response


def _checked_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise GitHubError("GITHUB_API_URL is not a URL") from None
    if url.scheme == "https" and url.host:
        return url
    if url.scheme == "http" and url.host in _LOOPBACK_HOSTS:
        return url
    raise GitHubError("GITHUB_API_URL is not https: the token would be readable on its way")


def _json_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise _unexpected(response) from None


def _object_of(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GitHubError("a response of GitHub is not an object, or has one that is none")
    return cast("dict[str, Any]", value)


def _unexpected(response: httpx.Response) -> GitHubError:
    request = response.request
    return GitHubError(
        f"{request.method} {request.url.path}: the response is not what GitHub documents:"
        " check GITHUB_API_URL"
    )


def _post(data: Mapping[str, Any], number_field: str) -> Post:
    number = data.get(number_field)
    if not isinstance(number, int):
        raise GitHubError(f"a response of GitHub has no `{number_field}`: check GITHUB_API_URL")
    # The author is null if the account was deleted, and the text if it is empty.
    user = data.get("user")
    author = _object_of(user).get("login") if user is not None else ""
    return Post(number, str(data.get("body") or ""), str(author), str(data.get("html_url") or ""))


def _problem_of(response: httpx.Response) -> str:
    """What a status means, in one line: the request, GitHub's own message, and what to do."""
    request = response.request
    parts = [
        f"{request.method} {request.url.path}: GitHub returned status {response.status_code}",
        _message_of(response),
        _hint_about(response),
    ]
    return ": ".join(part for part in parts if part)


def _message_of(response: httpx.Response) -> str:
    """GitHub's explanation; empty if there is none."""
    try:
        message = _object_of(response.json()).get("message", "")
    except (ValueError, RecursionError, GitHubError):
        return ""
    text = visible(str(message))
    return text[:_MAXIMUM_MESSAGE_CHARACTERS]


def _hint_about(response: httpx.Response) -> str:
    """What to do; empty if GitHub's own message must do."""
    if _is_rate_limited(response):
        return f"the rate limit is exceeded: run the job again {_end_of_rate_limit(response)}"
    if response.is_redirect:
        return "the repository was moved or renamed: update GITHUB_REPOSITORY"
    if response.is_server_error:
        return "GitHub has a problem: run the job again"
    return _HINTS.get(response.status_code, "")


def _is_rate_limited(response: httpx.Response) -> bool:
    """Whether the request came too early, by GitHub's documentation of its rate limits.

    The source is https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
    """
    if response.status_code == _TOO_MANY_REQUESTS:
        return True
    if response.status_code != _FORBIDDEN:
        return False
    if "retry-after" in response.headers:
        return True
    remaining: str = response.headers.get("x-ratelimit-remaining", "")
    return remaining == "0"


def _end_of_rate_limit(response: httpx.Response) -> str:
    retry_after = response.headers.get("retry-after", "")
    if retry_after.isdecimal():
        return f"in {retry_after[:9]} seconds"
    reset = response.headers.get("x-ratelimit-reset", "")
    if not reset.isdecimal():
        return "later"
    try:
        time = datetime.datetime.fromtimestamp(int(reset), datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return "later"
    return f"after {time:%Y-%m-%d %H:%M} UTC"
