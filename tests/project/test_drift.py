"""`make drift`: which documents it reads and where, what it prints, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import drift, drift_report
from project.drift import V2, V3, Comparison, comparisons_with, root_of

from tests.support.paths import ROOT
from tests.support.site import Site, serving
from tests.support.vendor_documents import Json, vendor_files, write_vendor_files

TIMEOUT = 60
"""Seconds. A comparison takes about one; the limit keeps a failing test from hanging."""

PUBLISHED = "https://raw.githubusercontent.com/GoHighLevel/highlevel-api-docs/main"


def run_drift(
    upstream: str, arguments: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the program of `make drift` in the checkout, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "project.drift"],
        cwd=ROOT,
        env={"PYTHONPATH": "tools", "UPSTREAM": upstream, "ARGS": arguments, **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )


def with_required_property(document: Json) -> Json:
    document["components"]["schemas"]["UpdateConversationRequest"]["required"].append("starred")
    return document


@pytest.fixture
def site() -> Iterator[Site]:
    """The vendor's repository on a server."""
    pages = {f"/{path}": json.dumps(data) for path, data in vendor_files().items()}
    with serving(pages) as running_site:
        yield running_site


class TestSources:
    @pytest.mark.parametrize(
        ("upstream", "prefix"),
        [
            ("", f"{PUBLISHED}/"),
            ("https://a.example/copy/", "https://a.example/copy/"),
            (str(ROOT), f"{ROOT}/"),
            ("missing/", "missing/"),
        ],
    )
    def test_a_copy_of_the_repository_has_both_documents(self, upstream: str, prefix: str) -> None:
        assert comparisons_with(upstream) == [
            Comparison(V2, f"{prefix}apps/conversations.json"),
            Comparison(V3, f"{prefix}apps/v3/conversations-v3.json"),
        ]

    @pytest.mark.parametrize(
        ("upstream", "document", "source"),
        [
            ("v2", V2, f"{PUBLISHED}/apps/conversations.json"),
            ("v3", V3, f"{PUBLISHED}/apps/v3/conversations-v3.json"),
            ("./v3", V2, "./v3"),
            ("a/conversations-v3.json", V3, "a/conversations-v3.json"),
            ("HEAD:conversations-v3.json", V3, "HEAD:conversations-v3.json"),
            ("https://a.example/conversations-v3.json?token=a/b", V3, None),
            ("a/another name.yaml", V2, "a/another name.yaml"),
        ],
    )
    def test_a_name_or_a_file_is_one_document(
        self, upstream: str, document: drift.PublishedDocument, source: str | None
    ) -> None:
        assert comparisons_with(upstream) == [Comparison(document, source or upstream)]

    @pytest.mark.parametrize(
        ("source", "root"),
        [
            (f"{PUBLISHED}/apps/v3/conversations-v3.json", PUBLISHED),
            ("a/apps/v3/conversations-v3.json", "a"),
            ("a/v3/conversations-v3.json", "a/v3/"),
            ("apps/conversations.json", "./"),
            ("apps/v3/conversations-v3.json", "./"),
            ("/apps/conversations.json", "/"),
            ("https://a.example/x/apps/conversations.json?token=a/b", "https://a.example/x"),
        ],
    )
    def test_references_are_read_from_the_folder_above_apps(self, source: str, root: str) -> None:
        assert root_of(source) == root

    @pytest.mark.parametrize(
        ("source", "prefix"),
        [
            ("a/conversations-v3.json", "a/"),
            ("conversations-v3.json", ""),
            ("HEAD:conversations-v3.json", "HEAD:"),
            ("https://a.example/conversations-v3.json?token=a/b", "https://a.example/"),
        ],
    )
    def test_the_map_of_v3_leads_to_a_file_beside_the_document(
        self, source: str, prefix: str
    ) -> None:
        arguments = Comparison(V3, source).arguments("", [])

        place = f"{prefix}common/common-schemas.json"
        assert arguments[arguments.index("--map") + 1] == f"../common/common-schemas.json={place}"

    def test_no_map_leads_out_of_the_folder_of_its_document(self) -> None:
        places = [place for document in drift.DOCUMENTS for place in document.replacements.values()]

        assert places
        assert not any(place.startswith("/") or ".." in place or ":" in place for place in places)


class TestBothDocuments:
    def test_each_is_compared_under_its_name_with_its_own_waivers(self, tmp_path: Path) -> None:
        folder = write_vendor_files(tmp_path, vendor_files())

        result = run_drift(str(folder), "--fail-on INFO")

        assert (result.returncode, result.stderr) == (0, ""), result.stdout
        first, second = result.stdout.split("Document v2\n")[1].split("Document v3\n")
        assert "0 ERR, 0 WARN, 0 INFO, 12 waived" in first
        assert "0 ERR, 0 WARN, 0 INFO, 14 waived" in second
        # A reference that is compared by its text would be a note.
        assert "Notes" not in result.stdout

    def test_both_are_read_from_a_server_with_the_map_of_v3(self, site: Site) -> None:
        result = run_drift(f"{site.url}/", "--fail-on INFO")

        assert (result.returncode, result.stderr) == (0, ""), result.stdout
        assert sorted(site.requested_paths) == sorted(site.pages)

    def test_a_broken_reference_of_v3_hides_no_difference(self, tmp_path: Path) -> None:
        files = vendor_files()
        schemas = files["apps/v3/common/common-schemas.json"]["components"]["schemas"]
        schemas["Unauthorized"]["properties"]["statusCode"]["type"] = "string"

        result = run_drift(str(write_vendor_files(tmp_path, files)))

        assert result.returncode == 1
        assert "response-property-type-changed" in result.stdout.split("Document v3\n")[1]

    def test_the_exit_status_is_the_worse_one(self, tmp_path: Path) -> None:
        files = vendor_files()
        # The second document has no difference.
        with_required_property(files[V2.path])

        result = run_drift(str(write_vendor_files(tmp_path, files)))

        assert (result.returncode, result.stderr) == (1, "")
        assert result.stdout.count("request-property-became-required") == 1

    @pytest.mark.parametrize(("path", "name"), [(V2.path, "v2"), (V3.path, "v3")])
    def test_a_failed_download_is_a_failure_also_if_the_other_document_differs(
        self, site: Site, path: str, name: str
    ) -> None:
        files = vendor_files()
        site.pages |= {
            f"/{document.path}": json.dumps(with_required_property(files[document.path]))
            for document in drift.DOCUMENTS
        }
        del site.pages[f"/{path}"]

        result = run_drift(f"{site.url}/")

        assert result.returncode == 2
        assert f"{site.url}/{path}: cannot be read: the server returned status 404" in result.stderr
        assert f"The document {name} was not compared." in result.stdout
        assert result.stdout.count("request-property-became-required") == 1

    def test_the_file_of_the_map_cannot_redirect_out_of_the_repository(self, site: Site) -> None:
        folder = f"{site.url}/docs/"
        site.pages |= {f"/docs{path}": page for path, page in site.pages.items()}
        site.pages["/secret.json"] = "{}"
        site.redirects["/docs/apps/v3/common/common-schemas.json"] = "/secret.json"

        result = run_drift(folder)

        assert result.returncode == 2
        assert "it redirects to" in result.stderr
        assert "/secret.json" not in site.requested_paths

    def test_the_file_of_the_map_can_redirect_within_the_repository(self, site: Site) -> None:
        site.redirects["/apps/v3/common/common-schemas.json"] = "/common/common-schemas.json"

        result = run_drift(f"{site.url}/", "--fail-on INFO")

        assert (result.returncode, result.stderr) == (0, ""), result.stdout

    def test_markdown_has_a_heading_for_each_document(self, tmp_path: Path) -> None:
        folder = write_vendor_files(tmp_path, vendor_files())

        result = run_drift(str(folder), "--format=markdown")

        headings = [line for line in result.stdout.splitlines() if line.startswith("# ")]
        assert headings == ["# Document v2", "# Document v3"]

    @pytest.mark.parametrize(
        "arguments", ["--format json", "--format=sarif", "--format html", "--write json=a.json"]
    )
    def test_output_for_one_document_is_rejected_before_anything_is_read(
        self, site: Site, arguments: str
    ) -> None:
        result = run_drift(f"{site.url}/", arguments)

        assert (result.returncode, result.stdout) == (2, "")
        assert "add UPSTREAM=v2 or UPSTREAM=v3" in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert site.requested_paths == []

    def test_an_option_without_its_value_is_left_to_specdrift(self) -> None:
        drift.check_that_reports_can_follow_each_other(["--format"])

        assert drift.output_options(["--write"]).format == "text"

    def test_a_full_standard_output_is_a_failure_and_not_a_difference(self, tmp_path: Path) -> None:
        folder = write_vendor_files(tmp_path, vendor_files())
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run(
                [sys.executable, "-m", "project.drift"],
                cwd=ROOT,
                env={"PYTHONPATH": "tools", "UPSTREAM": str(folder)},
                stdout=full,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                timeout=TIMEOUT,
                check=False,
            )

        assert (result.returncode, result.stderr) == (
            2,
            "standard output: cannot be written: No space left on device\n",
        )


class TestOneDocument:
    @pytest.mark.parametrize(("document", "waived"), [(V2, 12), (V3, 14)])
    def test_a_file_is_compared_as_the_published_document_of_its_name(
        self, tmp_path: Path, document: drift.PublishedDocument, waived: int
    ) -> None:
        folder = write_vendor_files(tmp_path, vendor_files())

        result = run_drift(str(folder / document.path), "--format json --fail-on INFO")

        assert (result.returncode, result.stderr) == (0, "")
        assert json.loads(result.stdout)["counts"]["waived"] == waived


class TestReport:
    def test_the_report_of_one_document_is_written_like_that_of_both(self, tmp_path: Path) -> None:
        files = vendor_files()
        with_required_property(files[V3.path])
        document = write_vendor_files(tmp_path / "docs", files) / V3.path
        folder = tmp_path / "a" / "report"
        folder.mkdir(parents=True)
        (folder / "issue.md").write_text("an older report", encoding="utf-8")

        result = run_drift(str(document), REPORT=str(folder))

        # A difference is no failure of the job: the issue reports it.
        assert (result.returncode, result.stderr) == (0, "")
        assert "Document v3\n" in result.stdout
        assert "request-property-became-required" in result.stdout
        text = (folder / "issue.md").read_text(encoding="utf-8")
        assert text.startswith(drift_report.INTRODUCTION)
        assert "became required" in text[text.index("# Document v3") :]
        assert sorted(path.name for path in folder.iterdir()) == ["issue.md", "v3.md"]

    def test_a_folder_that_cannot_be_created_is_one_line(self, tmp_path: Path, site: Site) -> None:
        (tmp_path / "file").touch()
        folder = tmp_path / "file" / "report"

        result = run_drift(f"{site.url}/", REPORT=str(folder))

        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == f"{folder}: cannot be written: Not a directory\n"
        assert site.requested_paths == []

    @pytest.mark.parametrize(
        ("upstream", "arguments"),
        [
            ("", "'"),
            ("", "--format json"),
            ("", "--nonsense"),
            # It passes, and compares nothing.
            ("", "--help"),
            ("missing.json", ""),
        ],
    )
    def test_after_any_failure_no_report_of_an_earlier_run_remains(
        self, tmp_path: Path, upstream: str, arguments: str
    ) -> None:
        documents = write_vendor_files(tmp_path / "docs", vendor_files())
        folder = tmp_path / "report"
        folder.mkdir()
        for name in ("issue.md", "v2.md", "v3.md"):
            (folder / name).write_text("an older report", encoding="utf-8")

        result = run_drift(upstream or str(documents), arguments, REPORT=str(folder))

        assert result.returncode == 2
        assert list(folder.iterdir()) == []

    def test_a_summary_that_cannot_be_written_leaves_no_text(self, tmp_path: Path) -> None:
        documents = write_vendor_files(tmp_path / "docs", vendor_files())
        folder = tmp_path / "report"

        result = run_drift(str(documents), REPORT=str(folder), GITHUB_STEP_SUMMARY=str(tmp_path))

        assert result.returncode == 2
        assert not (folder / "issue.md").exists()
