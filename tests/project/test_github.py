"""The issue about drift and the comment on a pull request, against a server like GitHub's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from project.github import comment, issue
from project.github.body import MAXIMUM_CHARACTERS, cut, digest, digest_in, joined, marked
from project.github.client import GitHub, GitHubError
from project.github.job import ACTIONS_ACCOUNT
from project.github.report_file import MAXIMUM_BYTES, ReportFileError, read_report

from tests.support.github import (
    BOT,
    REPOSITORY,
    TOKEN,
    GitHubServer,
    Rejection,
    serving_github,
)
from tests.support.paths import ROOT
from tests.support.vendor_documents import Json, vendor_files, write_vendor_files

TIMEOUT = 60
"""Seconds. A run takes about two; the limit keeps a failing test from hanging."""


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with serving_github() as running_server:
        yield running_server


@pytest.fixture
def github(server: GitHubServer) -> Iterator[GitHub]:
    with GitHub(REPOSITORY, TOKEN, server.url) as client:
        yield client


class TestBody:
    def test_the_account_of_the_server_is_that_of_github_actions(self) -> None:
        assert BOT == ACTIONS_ACCOUNT

    @given(st.text())
    def test_the_hash_of_a_text_is_in_its_marker(self, text: str) -> None:
        assert digest_in("drift", marked("drift", text)) == digest(text)

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "Some text",
            marked("diff", "text"),
            "> " + marked("drift", "text"),
            "Look:\n" + marked("drift", "text"),
        ],
    )
    def test_a_text_without_the_marker_at_its_start_is_not_recognized(self, body: str) -> None:
        assert digest_in("drift", body) is None

    def test_a_change_behind_the_cut_changes_the_hash(self) -> None:
        text = "a line\n" * 20_000

        assert digest_in("drift", marked("drift", text)) != digest_in(
            "drift", marked("drift", f"{text}one more line\n")
        )

    @given(st.lists(st.text(max_size=100), max_size=30), st.integers(400, 1_000))
    def test_a_cut_text_has_whole_lines_and_says_that_it_is_cut(
        self, lines: list[str], room: int
    ) -> None:
        text = "\n".join(lines)
        result = cut(text, room)

        assert len(result) <= room
        if len(text) <= room:
            assert result == text
        else:
            head = result[: result.index("\n\n**The rest of this report is left out:**")]
            assert text.startswith(f"{head}\n")

    @pytest.mark.parametrize("is_complete", [True, False])
    def test_a_cut_within_details_ends_them(self, is_complete: bool) -> None:
        details = ["<details><summary>1 waived</summary>", "", *["- an item"] * 30]
        if is_complete:
            details += ["", "</details>"]
        text = "\n".join([*details, *["- a line"] * 200])

        result = cut(text, 1_200)

        assert result.count("<details>") == result.count("</details>") == 1

    @given(st.lists(st.integers(0, 90_000), min_size=1, max_size=4))
    def test_joined_sections_need_no_cut_and_share_the_room_fairly(self, sizes: list[int]) -> None:
        sections = [f"# {index}\n" + "a line\n" * (size // 7) for index, size in enumerate(sizes)]
        text = joined(sections)

        assert len(marked("drift", text)) <= MAXIMUM_CHARACTERS
        assert cut(text, MAXIMUM_CHARACTERS - 200) == text
        if sum(len(section) + 3 for section in sections) < MAXIMUM_CHARACTERS - 200:
            assert "left out" not in text
        for index, size in enumerate(sizes):
            assert f"# {index}\n" in text
            if size < MAXIMUM_CHARACTERS // 5:
                assert sections[index] in text


class TestIssue:
    def test_drift_opens_one_issue(self, server: GitHubServer, github: GitHub) -> None:
        messages = issue.synchronize(github, "a report", BOT)

        [post] = server.open_issues
        assert messages == [f"Opened issue 1 ({post['html_url']})."]
        assert post["title"] == issue.TITLE
        assert post["body"].endswith("\na report")

    def test_the_same_drift_changes_nothing(self, server: GitHubServer, github: GitHub) -> None:
        issue.synchronize(github, "a report", BOT)
        server.changes.clear()

        messages = issue.synchronize(github, "a report", BOT)

        assert server.changes == []
        assert messages[0].startswith("Nothing changed since issue 1 ")

    def test_other_drift_updates_the_issue(self, server: GitHubServer, github: GitHub) -> None:
        issue.synchronize(github, "a report", BOT)

        messages = issue.synchronize(github, "another report", BOT)

        [post] = server.open_issues
        assert messages == [f"Updated issue 1 ({post['html_url']})."]
        assert post["body"].endswith("\nanother report")

    def test_the_end_of_drift_closes_the_issue(self, server: GitHubServer, github: GitHub) -> None:
        issue.synchronize(github, "a report", BOT)

        messages = issue.synchronize(github, "", BOT)

        assert server.issues[0]["state"] == "closed"
        assert server.issues[0]["state_reason"] == "completed"
        assert messages == [
            f"Closed issue 1 ({server.issues[0]['html_url']}): there is no drift any more."
        ]

    def test_without_drift_and_without_an_issue_nothing_happens(
        self, server: GitHubServer, github: GitHub
    ) -> None:
        assert issue.synchronize(github, "", BOT) == [
            "There is no drift, and no open issue about it."
        ]
        assert server.changes == []

    def test_drift_after_a_closed_issue_opens_another_one(
        self, server: GitHubServer, github: GitHub
    ) -> None:
        for text in ("a report", "", "a report"):
            issue.synchronize(github, text, BOT)

        assert [post["state"] for post in server.issues] == ["closed", "open"]

    @pytest.mark.parametrize("text", ["a report", "another report"])
    def test_duplicates_are_closed_and_the_oldest_issue_remains(
        self, server: GitHubServer, github: GitHub, text: str
    ) -> None:
        for _ in range(3):
            server.add_issue(marked("drift", "a report"))

        issue.synchronize(github, text, BOT)

        assert [post["number"] for post in server.open_issues] == [1]
        assert server.issues[0]["body"].endswith(text)

    def test_other_issues_and_pull_requests_are_not_touched(
        self, server: GitHubServer, github: GitHub
    ) -> None:
        body = marked("drift", "a report")
        server.add_issue(body, author="mallory")
        server.add_issue(body, pull_request={})
        server.add_issue("About drift")
        server.add_issue(marked("diff", "a report"))
        server.add_issue(body, user=None)
        server.add_issue("").update(body=None)

        issue.synchronize(github, "", BOT)
        assert server.changes == []
        issue.synchronize(github, "a report", BOT)
        assert [method for method, _, _ in server.changes] == ["POST"]

    def test_the_issue_is_found_on_the_last_page(
        self, server: GitHubServer, github: GitHub
    ) -> None:
        for _ in range(7):
            server.add_issue("Another issue")
        server.add_issue(marked("drift", "a report"))
        server.page_size = 3

        issue.synchronize(github, "another report", BOT)

        assert len(server.open_issues) == 8
        assert server.issues[-1]["body"].endswith("another report")
        pages = [request for request in server.requests if request.startswith("GET")]
        assert len(pages) == 3

    def test_a_report_beyond_the_limit_is_cut(self, server: GitHubServer, github: GitHub) -> None:
        issue.synchronize(github, "a long line of a report\n" * 5_000, BOT)

        [post] = server.open_issues
        assert len(post["body"]) <= MAXIMUM_CHARACTERS
        assert "is left out" in post["body"]


class TestComment:
    def test_a_change_adds_one_comment_that_is_updated(
        self, server: GitHubServer, github: GitHub
    ) -> None:
        first = comment.synchronize(github, 3, "a report", BOT)
        second = comment.synchronize(github, 3, "a report", BOT)
        third = comment.synchronize(github, 3, "another report", BOT)

        [post] = server.comments
        assert (post["issue"], post["body"]) == (3, marked("diff", "another report"))
        assert first == f"Added the comment {post['html_url']}."
        assert second.startswith("Nothing changed since ")
        assert third == f"Updated the comment {post['html_url']}."
        assert [method for method, _, _ in server.changes] == ["POST", "PATCH"]

    def test_without_a_change_there_is_no_comment(
        self, server: GitHubServer, github: GitHub
    ) -> None:
        assert comment.synchronize(github, 3, "", BOT) == (
            "Nothing changed, and there is no comment."
        )
        assert server.changes == []

    def test_a_change_that_is_taken_back_is_no_longer_in_the_comment(
        self, server: GitHubServer, github: GitHub
    ) -> None:
        for text in ("a report", "", ""):
            comment.synchronize(github, 3, text, BOT)

        assert server.comments[0]["body"].endswith(comment.NOTHING_CHANGED)
        assert [method for method, _, _ in server.changes] == ["POST", "PATCH"]

    def test_comments_of_others_and_quotations_are_not_touched(
        self, server: GitHubServer, github: GitHub
    ) -> None:
        body = marked("diff", "a report")
        server.add_comment(body, author="mallory", issue=3)
        server.add_comment(f"> {body}", issue=3)
        server.add_comment(body, issue=4)
        server.page_size = 1

        comment.synchronize(github, 3, "another report", BOT)

        assert [method for method, _, _ in server.changes] == ["POST"]

    @pytest.mark.parametrize("number", ["", "0", "-1", "1/../2", "1\n", "٣", "12345678901"])
    def test_a_number_that_is_none_is_rejected(self, number: str) -> None:
        with pytest.raises(comment.NumberError, match="PULL_REQUEST is not the number"):
            comment.number_of_pull_request(number)

    def test_a_text_is_read_from_a_regular_file_only(self, tmp_path: Path) -> None:
        file = tmp_path / "comment.md"
        file.write_bytes(b"text \xff\n")
        link = tmp_path / "link.md"
        link.symlink_to(file)
        pipe = tmp_path / "pipe.md"
        os.mkfifo(pipe)
        large_file = tmp_path / "large.md"
        large_file.write_bytes(b"a" * (MAXIMUM_BYTES + 1))

        assert read_report(str(file), "make x") == "text \ufffd\n"
        for path, problem in {
            link: "Too many levels of symbolic links",
            pipe: "is not a regular file",
            large_file: "has more than 1 MiB",
            tmp_path / "missing.md": "No such file or directory: run `make x` first",
            tmp_path: "is not a regular file",
        }.items():
            with pytest.raises(ReportFileError, match=problem):
                read_report(str(path), "make x")


RATE_LIMIT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000000"}


class TestFailures:
    @pytest.mark.parametrize(
        ("rejection", "parts"),
        [
            (Rejection(401, "Bad credentials"), ["status 401: Bad credentials", "expired"]),
            (
                Rejection(403, "Resource not accessible by integration"),
                ["status 403: Resource not accessible by integration", "`issues: write`"],
            ),
            (
                Rejection(403, "API rate limit exceeded", RATE_LIMIT),
                ["rate limit is exceeded: run the job again after 2027-01-15 08:00 UTC"],
            ),
            (
                Rejection(403, "You have exceeded a secondary rate limit", {"retry-after": "60"}),
                ["run the job again in 60 seconds"],
            ),
            (Rejection(429), ["run the job again later"]),
            (
                Rejection(429, headers={"x-ratelimit-reset": "9" * 30}),
                ["run the job again later"],
            ),
            (Rejection(404, "Not Found"), ["status 404: Not Found", "GITHUB_REPOSITORY"]),
            (Rejection(410, "Issues are disabled"), ["enable them in the settings"]),
            (Rejection(301, headers={"Location": "/x"}), ["moved or renamed"]),
            (Rejection(500, body="<html>"), ["status 500: GitHub has a problem"]),
            (Rejection(502, body="[" * 100_000), ["status 502: GitHub has a problem"]),
            (Rejection(422, "::error::x\n##[error]y"), ["status 422: \\x3a:error"]),
            (Rejection(200, body="<html>"), ["not what GitHub documents"]),
            (Rejection(200, body="{}"), ["not what GitHub documents"]),
            (Rejection(200, body="[1]"), ["not an object"]),
            (Rejection(200, body='[{"user": 1}]'), ["no `number`"]),
        ],
    )
    def test_a_rejected_request_says_what_to_do(
        self, server: GitHubServer, github: GitHub, rejection: Rejection, parts: list[str]
    ) -> None:
        server.rejections["GET"] = rejection

        with pytest.raises(GitHubError) as caught:
            issue.synchronize(github, "a report", BOT)

        message = str(caught.value)
        assert len(message.splitlines()) == 1
        assert [part for part in parts if part not in message] == []
        assert server.changes == []

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_a_rejected_change_is_an_error_that_names_the_request(
        self, server: GitHubServer, github: GitHub, method: str
    ) -> None:
        if method == "PATCH":
            server.add_issue(marked("drift", "an older report"))
        server.rejections[method] = Rejection(403, "Resource not accessible")

        with pytest.raises(GitHubError, match=f"{method} /repos/octo/hello/issues.*: GitHub"):
            issue.synchronize(github, "a report", BOT)

    @pytest.mark.parametrize(
        ("next_url", "problem"),
        [
            ("https://evil.example/issues", "leads to another server: evil.example"),
            ("http://localhost:1/issues", "leads to another server: localhost"),
            ("http://a:port/", "invalid URL"),
        ],
    )
    def test_the_token_is_not_sent_to_the_server_of_a_next_page(
        self, server: GitHubServer, github: GitHub, next_url: str, problem: str
    ) -> None:
        server.add_issue("One")
        server.add_issue("Two")
        server.page_size = 1
        server.next_url = next_url

        with pytest.raises(GitHubError, match=problem):
            list(github.open_issues())

    def test_a_list_that_never_ends_is_an_error(self, server: GitHubServer, github: GitHub) -> None:
        server.add_issue("One")
        server.add_issue("Two")
        server.page_size = 1
        server.next_url = f"{server.url}/repos/{REPOSITORY}/issues?per_page=1&page=1"

        with pytest.raises(GitHubError, match="the list has more than 200 pages"):
            list(github.open_issues())

    def test_a_server_that_does_not_respond_is_an_error(self) -> None:
        with serving_github() as stopped_server:
            url = stopped_server.url
        with (
            GitHub(REPOSITORY, TOKEN, url) as client,
            pytest.raises(GitHubError, match=r"no response from GitHub: .*: run the job again"),
        ):
            list(client.open_issues())

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN missing"),
            ({"GITHUB_REPOSITORY": ""}, "GITHUB_REPOSITORY missing"),
            ({"GITHUB_REPOSITORY": "hello"}, "is not OWNER/NAME"),
            ({"GITHUB_REPOSITORY": "a/b/../c"}, "is not OWNER/NAME"),
            ({"GITHUB_API_URL": "http://api.example"}, "is not https"),
            ({"GITHUB_API_URL": "https://"}, "is not https"),
            ({"GITHUB_API_URL": "http://a:port/"}, "is not a URL"),
            ({"GITHUB_TOKEN": f"{TOKEN}\n"}, "has spaces or special characters"),
            ({"GITHUB_TOKEN": f"{TOKEN} x"}, "has spaces or special characters"),
            ({"GITHUB_TOKEN": f"{TOKEN}é"}, "has spaces or special characters"),
        ],
    )
    def test_an_unusable_setting_is_named_without_its_value(
        self,
        server: GitHubServer,
        monkeypatch: pytest.MonkeyPatch,
        settings: dict[str, str],
        problem: str,
    ) -> None:
        for name, value in {**server.environment(), **settings}.items():
            monkeypatch.setenv(name, value)

        with pytest.raises(GitHubError, match=problem) as caught:
            GitHub.from_environment()

        assert TOKEN not in str(caught.value)
        assert caught.value.__cause__ is None
        assert server.requests == []

    def test_the_token_is_in_no_repr(self, github: GitHub) -> None:
        assert TOKEN not in f"{github!r} {vars(github)!r} {github._client.headers!r}"


HOSTILE = (
    "@octocat #1 GH-1 <img src=x onerror=alert(1)> [a](https://evil.example) "
    "https://evil.example www.evil.example a@evil.example ``` </details> ::error::x ##[error]y"
)


@dataclass
class Job:
    """A job of GitHub Actions that runs `make issue`."""

    server: GitHubServer
    folder: Path
    files: dict[str, Json]

    @property
    def summary(self) -> str:
        path = self.folder / "summary.md"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def compare(self) -> subprocess.CompletedProcess[str]:
        """Run the program of `make drift`, which has no token."""
        documents = write_vendor_files(self.folder / "docs", self.files)
        variables = {
            "UPSTREAM": str(documents),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
        }
        return self._run("project.drift", variables)

    def publish(self) -> subprocess.CompletedProcess[str]:
        """Run the program of `make issue`."""
        return self._run("project.github.issue", self.server.environment())

    def run(self) -> str:
        """Run both steps, which must succeed, and return the output of the second."""
        comparison = self.compare()
        assert (comparison.returncode, comparison.stderr) == (0, "")
        publication = self.publish()
        assert (publication.returncode, publication.stderr) == (0, "")
        assert TOKEN not in publication.stdout
        return publication.stdout

    def _run(self, module: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={"PYTHONPATH": "tools", "REPORT": str(self.folder / "report"), **variables},
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )


class TestJob:
    @pytest.fixture
    def job(self, server: GitHubServer, tmp_path: Path) -> Job:
        return Job(server, tmp_path, vendor_files())

    def test_a_nightly_job_opens_updates_and_closes_the_issue(
        self, job: Job, server: GitHubServer
    ) -> None:
        assert job.run() == "There is no drift, and no open issue about it.\n"
        assert "The spec has no difference without a waiver." in job.summary

        document = job.files["apps/v3/conversations-v3.json"]
        # A difference that is no error: the issue has every difference without a waiver.
        message_types = document["components"]["schemas"]["LastMessageType"]["enum"]
        message_types.append("TYPE_NEW")
        assert job.run().startswith("Opened issue 1 ")
        body = server.issues[0]["body"]
        assert "# Document v2\n\n## Nothing changed except what is waived.\n" in body
        assert "TYPE\\_NEW" in body[body.index("# Document v3") :]
        assert "TYPE\\_NEW" in job.summary

        assert job.run().startswith("Nothing changed since issue 1 ")
        message_types.remove("TYPE_RCS")
        assert job.run().startswith("Updated issue 1 ")
        # Its waiver is not needed any more.
        assert "### Waivers at fault" in server.issues[0]["body"]
        job.files = vendor_files()
        assert job.run().startswith("Closed issue 1 ")
        assert server.open_issues == []

    def test_a_failed_comparison_fails_the_job_and_changes_no_issue(
        self, job: Job, server: GitHubServer
    ) -> None:
        server.add_issue(marked("drift", "a report"))
        assert job.compare().returncode == 0
        (job.folder / "docs" / "apps" / "v3" / "conversations-v3.json").unlink()
        del job.files["apps/v3/conversations-v3.json"]

        comparison = job.compare()

        assert comparison.returncode == 2
        assert "conversations-v3.json: cannot be read: No such file" in comparison.stderr
        assert job.summary.count("# Drift") == 1
        # GitHub skips the next step. It would fail as well: there is no older report.
        publication = job.publish()
        assert (publication.returncode, publication.stdout) == (2, "")
        assert "run `make drift REPORT=…` first" in publication.stderr
        assert server.requests == []

    def test_names_of_a_document_cannot_mention_people_or_add_markup(
        self, job: Job, server: GitHubServer
    ) -> None:
        for path in ("apps/conversations.json", "apps/v3/conversations-v3.json"):
            schemas = job.files[path]["components"]["schemas"]
            schemas["LastMessageType"]["enum"].append(HOSTILE)

        job.run()

        body = server.issues[0]["body"]
        for text in ("@octocat", "#1 ", "GH-1", "GH\\-1", "a@evil"):
            assert text not in body
        # GitHub makes links of bare addresses.
        assert "://evil" not in body
        assert "www.evil" not in body
        html = MarkdownIt("commonmark", {"html": True}).enable("table").render(body)
        for element in ("<img", "<a ", "<pre"):
            assert element not in html
        assert html.count("<details>") == html.count("</details>") == 2

    def test_without_a_token_the_message_says_where_it_comes_from(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("REPORT", str(tmp_path))
        (tmp_path / "issue.md").touch()

        assert issue.main() == 2
        error = capsys.readouterr().err
        assert error.startswith("issue: GITHUB_REPOSITORY and GITHUB_TOKEN missing: ")
        assert "${{ github.token }}" in error

    def test_make_comment_reports_what_it_did(
        self,
        server: GitHubServer,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        file = tmp_path / "comment.md"
        file.write_text("a report", encoding="utf-8")
        settings = {"PULL_REQUEST": "3", "REPORT": str(tmp_path), **server.environment()}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)

        assert comment.main() == 0
        assert capsys.readouterr().out == f"Added the comment {server.comments[0]['html_url']}.\n"
        file.unlink()
        assert comment.main() == 2
        error = capsys.readouterr().err
        assert error.startswith(f"comment: {file}: cannot be read: No such file or directory")
