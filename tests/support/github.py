"""A server on the loopback interface with the part of GitHub's REST API that the programs use."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]

REPOSITORY = "octo/hello"
TOKEN = "ghs_secret-token-of-a-job"
BOT = "github-actions[bot]"

MAXIMUM_CHARACTERS = 65_536
"""GitHub rejects a longer text."""


@dataclass
class Rejection:
    """A response that is no success."""

    status: int
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None
    """The body, if it is not JSON with the message."""


@dataclass
class GitHubServer:
    """The data of a repository, and the requests that changed it."""

    url: str = ""
    issues: list[Json] = field(default_factory=list[Json])
    comments: list[Json] = field(default_factory=list[Json])
    changes: list[tuple[str, str, Json]] = field(default_factory=list[tuple[str, str, Json]])
    """Method, path and data of each request that is not a GET."""
    requests: list[str] = field(default_factory=list[str])
    """Method and path of all requests."""
    page_size: int = 100
    rejections: dict[str, Rejection] = field(default_factory=dict[str, Rejection])
    """The rejection of a method."""
    next_url: str | None = None
    """What the header `Link` names instead of the next page."""

    def add_issue(self, body: str, author: str = BOT, **fields: Any) -> Json:
        issue: Json = {
            "number": len(self.issues) + 1,
            "title": "A title",
            "body": body,
            "state": "open",
            "user": {"login": author},
            "html_url": f"https://github.example/{REPOSITORY}/issues/{len(self.issues) + 1}",
            **fields,
        }
        self.issues.append(issue)
        return issue

    def add_comment(self, body: str, author: str = BOT, issue: int = 1) -> Json:
        comment: Json = {
            "id": len(self.comments) + 1001,
            "body": body,
            "user": {"login": author},
            "issue": issue,
            "html_url": f"https://github.example/{REPOSITORY}/pull/{issue}#{len(self.comments)}",
        }
        self.comments.append(comment)
        return comment

    @property
    def open_issues(self) -> list[Json]:
        return [issue for issue in self.issues if issue["state"] == "open"]

    def environment(self) -> dict[str, str]:
        """The variables of a job."""
        return {
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": TOKEN,
        }

    def change(self, method: str, path: str, data: Json) -> tuple[int, Json]:
        """Apply a POST or PATCH. Returns the status and the body of the response."""
        self.changes.append((method, path, data))
        if len(data.get("body", "")) > MAXIMUM_CHARACTERS:
            return 422, {"message": "body is too long (maximum is 65536 characters)"}
        parts = path.removeprefix(f"/repos/{REPOSITORY}/issues").strip("/").split("/")
        match (method, parts):
            case ("POST", [""]):
                return 201, self.add_issue(data["body"], title=data["title"])
            case ("POST", [number, "comments"]):
                return 201, self.add_comment(data["body"], issue=int(number))
            case ("PATCH", ["comments", comment_id]):
                item = next(item for item in self.comments if item["id"] == int(comment_id))
            case ("PATCH", [number]):
                item = self.issues[int(number) - 1]
            case _:
                return 404, {"message": "Not Found"}
        item.update(data)
        return 200, item

    def list(self, path: str) -> list[Json] | None:
        """The list at a path; None if there is none."""
        parts = path.removeprefix(f"/repos/{REPOSITORY}/issues").strip("/").split("/")
        match parts:
            case [""]:
                return self.open_issues
            case [number, "comments"]:
                return [item for item in self.comments if item["issue"] == int(number)]
            case _:
                return None


class _Handler(BaseHTTPRequestHandler):
    github: GitHubServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if self._is_rejected():
            return
        items = self.github.list(url.path)
        if items is None:
            self._respond(404, {"message": "Not Found"})
            return
        query = parse_qs(url.query)
        page = int(query.get("page", ["1"])[0])
        size = min(int(query["per_page"][0]), self.github.page_size)
        headers: dict[str, str] = {}
        if page * size < len(items):
            next_url = f"{self.github.url}{url.path}?per_page={size}&page={page + 1}"
            headers["Link"] = f'<{self.github.next_url or next_url}>; rel="next", <x>; rel="last"'
        self._respond(200, items[(page - 1) * size : page * size], headers)

    def do_PATCH(self) -> None:
        self._change()

    def do_POST(self) -> None:
        self._change()

    def _change(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        data: Json = json.loads(self.rfile.read(length))
        if not self._is_rejected():
            self._respond(*self.github.change(self.command, self.path, data))

    def _is_rejected(self) -> bool:
        self.github.requests.append(f"{self.command} {self.path}")
        rejection = self.github.rejections.get(self.command)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            rejection = Rejection(401, "Bad credentials")
        if rejection is None:
            return False
        body = rejection.body
        data = {"message": rejection.message} if body is None else body
        self._respond(rejection.status, data, rejection.headers)
        return True

    def _respond(self, status: int, data: object, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        text = data if isinstance(data, str) else json.dumps(data)
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving_github() -> Generator[GitHubServer]:
    """Serve a repository without issues."""
    github = GitHubServer()
    handler = type("Handler", (_Handler,), {"github": github})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        github.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield github
        finally:
            server.shutdown()
            thread.join()
