"""`make regenerate` and `make push`, in real git repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from project.job_files import SUMMARY_LIMIT, append_summary, code_block, set_output
from project.push import credentials

from tests.support.paths import ROOT
from tests.support.regeneration import Checkout, clone, small_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return small_checkout(tmp_path)


class TestWithoutPatch:
    def test_without_a_difference_it_passes_and_says_so(self, checkout: Checkout) -> None:
        result = checkout.regenerate()

        assert (result.returncode, result.stderr) == (0, "")
        message = "The client and the pages about it are up to date"
        assert result.stdout == f"generated/: done\n{message}.\n"
        assert checkout.summary == f"### {message}\n\n"

    def test_a_difference_fails_and_is_in_the_summary(self, checkout: Checkout) -> None:
        checkout.spec.write_text("two\nfield\n", encoding="utf-8")
        checkout.commit()
        commit = checkout.git("rev-parse", "HEAD")

        result = checkout.regenerate()

        assert result.returncode == 1
        assert "Run `make generate`" in result.stderr
        assert "-one\n+two\n" in result.stdout
        assert "```diff\n" in checkout.summary
        assert "-one\n+two\n" in checkout.summary
        # A new file is a difference too.
        assert "generated/new.py" in checkout.summary
        assert checkout.git("rev-parse", "HEAD") == commit

    def test_only_the_parts_that_differ_are_named(self, checkout: Checkout) -> None:
        (checkout.root / "docs" / "api.md").write_text("edited\n", encoding="utf-8")
        checkout.commit()

        result = checkout.regenerate()

        assert result.returncode == 1
        assert result.stderr.startswith("make regenerate: Not up to date: docs/api.md. Run ")
        assert checkout.summary.startswith("### Not up to date: docs/api.md\n")

    def test_a_file_that_is_generated_no_more_is_a_difference(self, checkout: Checkout) -> None:
        (checkout.root / "generated" / "stale.py").touch()
        checkout.commit()
        (checkout.root / "generated" / "stale.py").unlink()

        result = checkout.regenerate()

        assert result.returncode == 1
        assert "deleted file" in checkout.summary

    def test_the_failure_of_the_generator_is_in_the_summary(self, checkout: Checkout) -> None:
        checkout.spec.write_text("invalid\n", encoding="utf-8")

        result = checkout.regenerate()

        assert result.returncode == 2
        assert "generate: the spec is invalid\n" in result.stderr
        assert "generate: the spec is invalid\n" in checkout.summary

    def test_files_that_a_developer_has_staged_stay_staged(self, checkout: Checkout) -> None:
        checkout.spec.write_text("two\n", encoding="utf-8")
        checkout.git("add", "spec")

        assert checkout.regenerate().returncode == 1

        assert (
            checkout.git("status", "--porcelain")
            == " M docs/api.md\n M generated/client.py\nM  spec/openapi.yaml\n"
        )

    def test_outside_of_a_repository_the_message_is_gits(self, checkout: Checkout) -> None:
        shutil.rmtree(checkout.root / ".git")

        result = checkout.regenerate(GIT_CEILING_DIRECTORIES=str(checkout.root.parent))

        assert result.returncode == 2
        assert "not a git repository" in result.stderr


class TestPatch:
    def test_the_difference_is_pushed_by_the_second_program(self, checkout: Checkout) -> None:
        checkout.spec.write_text("two\nfield\n", encoding="utf-8")
        checkout.commit()
        checkout.git("push", "--quiet", "origin", "change")
        parent = checkout.pushed_commit()

        regeneration = checkout.regenerate(PATCH=str(checkout.patch))
        assert (regeneration.returncode, regeneration.stderr) == (0, "")
        result = checkout.push()

        assert (result.returncode, result.stderr) == (0, "")
        commit = checkout.pushed_commit()
        assert checkout.git("rev-parse", f"{commit}^").strip() == parent
        changed_files = checkout.git("diff", "--name-only", parent, commit).splitlines()
        assert changed_files == ["docs/api.md", "generated/client.py", "generated/new.py"]
        assert f"Commit {commit} was pushed to change." in checkout.summary

    @pytest.mark.parametrize("spec", ["one\n", "invalid\n"])
    def test_no_patch_of_an_earlier_run_remains(self, checkout: Checkout, spec: str) -> None:
        checkout.spec.write_text(spec, encoding="utf-8")
        checkout.git("commit", "--quiet", "--allow-empty", "--all", "--message=Two")
        checkout.patch.parent.mkdir()
        checkout.patch.touch()

        checkout.regenerate(PATCH=str(checkout.patch))

        assert not checkout.patch.exists()

    def test_uncommitted_files_stop_it_before_it_generates(self, checkout: Checkout) -> None:
        (checkout.root / "new.txt").touch()

        result = checkout.regenerate(PATCH=str(checkout.patch))

        assert result.returncode == 2
        assert "1 files are not committed, such as new.txt: commit them" in result.stderr
        assert not checkout.patch.exists()

    def test_an_ignored_and_a_binary_file_are_in_the_patch(self, checkout: Checkout) -> None:
        (checkout.root / ".gitignore").write_text("build/\n__pycache__/\n", encoding="utf-8")
        checkout.commit()
        checkout.git("push", "--quiet", "origin", "change")
        for name in ("build", "__pycache__"):
            (checkout.root / "generated" / name).mkdir()
            (checkout.root / "generated" / name / "data").write_bytes(b"\0\xff")

        checkout.regenerate(PATCH=str(checkout.patch))
        result = checkout.push()

        assert (result.returncode, result.stderr) == (0, "")
        names = checkout.git("ls-tree", "-r", "--name-only", checkout.pushed_commit())
        assert "generated/build/data\n" in names
        assert "__pycache__" not in names


class TestPush:
    @staticmethod
    def write_patch(checkout: Checkout) -> None:
        """Write what is staged as a patch, and restore the last commit."""
        checkout.patch.parent.mkdir(exist_ok=True)
        output = f"--output={checkout.patch}"
        checkout.git("diff", "--cached", "--binary", "--find-renames", output)
        checkout.git("reset", "--quiet", "--hard")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["mv", "spec/openapi.yaml", "generated/a"], "'spec/openapi.yaml', which is no output"),
            (["mv", "generated/client.py", "a.py"], "'a.py', which is no output"),
            (["rm", "spec/openapi.yaml"], "'spec/openapi.yaml', which is no output"),
            (["update-index", "--chmod=+x", "generated/client.py"], "of mode 100755"),
        ],
    )
    def test_another_change_is_rejected(
        self, checkout: Checkout, arguments: list[str], message: str
    ) -> None:
        commit = checkout.pushed_commit()
        checkout.git(*arguments)
        self.write_patch(checkout)

        result = checkout.push()

        assert result.returncode == 2
        assert message in result.stderr
        assert checkout.pushed_commit() == commit

    @pytest.mark.parametrize(
        "name", ["generated.py", "docs/api.md.py", "generated2/a", ".github/a"]
    )
    def test_a_similar_name_is_no_output(self, checkout: Checkout, name: str) -> None:
        path = checkout.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("a\n", encoding="utf-8")
        checkout.git("add", name)
        self.write_patch(checkout)

        result = checkout.push()

        assert result.returncode == 2
        assert f"{name!r}, which is no output" in result.stderr

    def test_a_link_is_rejected(self, checkout: Checkout) -> None:
        (checkout.root / "generated" / "client.py").unlink()
        (checkout.root / "generated" / "client.py").symlink_to("/etc/passwd")
        checkout.git("add", "generated")
        self.write_patch(checkout)

        result = checkout.push()

        assert result.returncode == 2
        assert "'generated/client.py' a file of mode 120000" in result.stderr

    @pytest.mark.parametrize("name", ["generated/../a", "../a", "/a", "generated/.git/a"])
    def test_a_path_that_leads_elsewhere_is_rejected(self, checkout: Checkout, name: str) -> None:
        checkout.patch.parent.mkdir()
        checkout.patch.write_text(
            f"diff --git a/{name} b/{name}\nnew file mode 100644\n"
            f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+a\n",
            encoding="utf-8",
        )

        result = checkout.push()

        assert result.returncode == 2
        assert "git failed" in result.stderr

    @pytest.mark.parametrize("change", ["advanced", "reset", "deleted"])
    def test_a_branch_that_has_moved_stays_as_it_is(self, checkout: Checkout, change: str) -> None:
        first_commit = checkout.pushed_commit()
        checkout.spec.write_text("two\n", encoding="utf-8")
        checkout.commit()
        checkout.git("push", "--quiet", "origin", "change")
        checkout.regenerate(PATCH=str(checkout.patch))
        newer = checkout.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "Three").strip()
        targets = {"advanced": newer, "reset": first_commit, "deleted": ""}
        checkout.git("push", "--quiet", "--force", "origin", f"{targets[change]}:refs/heads/change")
        branches = checkout.git("for-each-ref", cwd=checkout.origin)

        result = checkout.push()

        assert result.returncode == 2
        assert "If change has newer commits" in result.stderr
        assert checkout.git("for-each-ref", cwd=checkout.origin) == branches

    def test_without_a_branch_the_message_says_so(self, checkout: Checkout) -> None:
        checkout.git("checkout", "--quiet", "--detach")

        result = checkout.push()

        assert result.returncode == 2
        assert "no branch is checked out: check one out" in result.stderr

    def test_without_a_patch_the_message_says_so(self, checkout: Checkout) -> None:
        assert "no patch is named: make push PATCH=FILE" in checkout.push(PATCH="").stderr


class TestCredentials:
    @pytest.mark.parametrize(
        ("host", "password"), [("git.example.org", "password=secret\n"), ("example.org", "")]
    )
    def test_git_gets_the_token_for_the_server_and_no_other(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, password: str
    ) -> None:
        monkeypatch.setenv("GITHUB_SERVER_URL", "https://git.example.org")
        monkeypatch.setenv("GITHUB_TOKEN", "secret")
        options = credentials()

        result = subprocess.run(
            ["git", *options, "credential", "fill"],
            input=f"protocol=https\nhost={host}\n\n",
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0",
                "GITHUB_TOKEN": "secret",
            },
            capture_output=True,
            encoding="utf-8",
            timeout=10,
            check=False,
        )

        assert ("username=x-access-token\n" in result.stdout) == bool(password)
        assert password in result.stdout
        assert (result.returncode == 0) == bool(password)
        # Other processes can see arguments.
        assert "secret" not in " ".join(options)

    @pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_SERVER_URL"])
    def test_on_a_developers_machine_gits_own_configuration_is_used(
        self, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv("GITHUB_TOKEN", "secret")
        monkeypatch.setenv("GITHUB_SERVER_URL", "https://git.example.org")
        monkeypatch.delenv(name)

        assert credentials() == []


def test_the_real_generator_is_pushed_after_a_change_of_the_spec(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("spec", "templates", "generated", "tools", "docs"):
        shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=ignored)
    for name in ("generator-config.yaml", ".gitignore", ".gitattributes"):
        shutil.copy(ROOT / name, root)
    checkout = clone(tmp_path, root, root / "tools")
    text = checkout.spec.read_text(encoding="utf-8")
    assert "        starred:\n" in text
    checkout.spec.write_text(text.replace("        starred:\n", "        marked:\n"))
    checkout.commit()
    checkout.git("push", "--quiet", "origin", "change")

    regeneration = checkout.regenerate(PATCH=str(checkout.patch))
    assert (regeneration.returncode, regeneration.stderr) == (0, "")
    result = checkout.push()

    assert (result.returncode, result.stderr) == (0, "")
    assert "+        marked" in checkout.summary
    contract = checkout.git("show", f"{checkout.pushed_commit()}:generated/contract.json")
    assert '"marked"' in contract
    page = checkout.git("show", f"{checkout.pushed_commit()}:docs/api.md")
    assert page == (root / "docs" / "api.md").read_text(encoding="utf-8")


class TestJobFiles:
    def test_outside_of_a_workflow_nothing_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        monkeypatch.delenv("GITHUB_OUTPUT", raising=False)

        append_summary("text")
        set_output("name", "value")

        assert list(tmp_path.iterdir()) == []

    def test_sections_and_outputs_are_appended(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
        monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))

        for text in ("one", "two"):
            append_summary(text)
            set_output(text, f"{text} = {text}")

        assert (tmp_path / "summary").read_text(encoding="utf-8") == "one\ntwo\n"
        assert (tmp_path / "output").read_text(encoding="utf-8") == "one=one = one\ntwo=two = two\n"

    @pytest.mark.parametrize(
        ("name", "value"),
        [("a", "b\nother=1"), ("a", "b\r"), ("a=b", "c"), ("a\n", "b"), ("a<<b", "c"), ("", "c")],
    )
    def test_an_output_cannot_set_another_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))

        with pytest.raises(ValueError, match="an output has one line"):
            set_output(name, value)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "text", ["", "a", "```\n", "a ```` b\n```\n", "x\n" * 400_000, "ü" * 400_000]
    )
    def test_a_code_block_contains_any_text_and_is_limited(self, text: str) -> None:
        block = code_block(text, "diff")

        fence, _, rest_of_line = block.partition("diff\n")
        assert set(fence) == {"`"}
        assert block.endswith(f"\n{fence}\n")
        content = rest_of_line.removesuffix(f"{fence}\n")
        assert fence not in content
        assert len(block.encode()) < SUMMARY_LIMIT
        if len(text) < 100:
            assert content.rstrip("\n") == text.rstrip("\n")
        else:
            assert "The rest is omitted" in content
