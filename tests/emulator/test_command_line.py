"""The options of the emulator's command line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from leadconnector_emulator import Emulator, RateLimits, cli
from leadconnector_emulator.cli import greeting, main, parse_rate_limit, read_conversations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100/10", RateLimits()),
        ("5/0.5", RateLimits(burst=5, interval=0.5)),
        ("5/2s", RateLimits(burst=5, interval=2.0)),
        ("off", None),
    ],
)
def test_a_rate_limit_is_requests_and_seconds_or_off(
    text: str, expected: RateLimits | None
) -> None:
    assert parse_rate_limit(text) == expected


@pytest.mark.parametrize("text", ["", "100", "100/0", "many/10", "-1/10", "100/10/1"])
def test_an_invalid_rate_limit_is_rejected(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="REQUESTS/SECONDS"):
        parse_rate_limit(text)


def test_conversations_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "seed.json"
    file.write_text(json.dumps([{"id": "a", "starred": True}, {"id": "b"}]))

    assert read_conversations(file) == [{"id": "a", "starred": True}, {"id": "b"}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not JSON"),
        ('{"id": "a"}', "is not a list of conversations"),
        ('[{"id": "a"}, {"id": 5}]', "item 2 is not an object"),
        ("[null]", "item 1 is not an object"),
    ],
)
def test_an_invalid_seed_file_raises_with_the_place(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "seed.json"
    file.write_text(text)

    with pytest.raises(ValueError, match=reason):
        read_conversations(file)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--seed-file", "["),
        ("--faults", "- {dropp: before}"),
        ("--spec", "[never"),
        ("--spec", "- a list"),
        ("--spec", "{}"),
    ],
)
def test_an_invalid_file_is_one_error_line_and_status_2(
    tmp_path: Path, option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text(text)

    assert main(["--port", "0", option, str(file)]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("leadconnector_emulator: ")
    assert str(file) in output.err
    assert output.err.count("\n") == 1


@pytest.mark.parametrize("user_type", ["Location", "Company"])
def test_scopes_that_no_operation_requires_are_one_error_line_and_status_2(
    user_type: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--port", "0", "--user-type", user_type]
    assert main([*options, "--scope", "conversations.readonly"]) == 2

    output = capsys.readouterr()
    assert output.out == ""
    assert "--scope has no effect" in output.err
    assert "--required-scope" in output.err
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "is_named"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("::", True)],
)
def test_the_greeting_says_how_other_machines_connect(host: str, is_named: bool) -> None:
    text = greeting("http://127.0.0.1:8080", "emulator", Emulator(), host=host)
    assert ('"http://NAME:8080", allow_http=True' in text) == is_named


@pytest.mark.parametrize("is_installed", [True, False])
def test_the_greeting_says_what_to_install_if_the_page_has_no_reference(
    is_installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "has_swagger_ui", lambda: is_installed)

    first_line = greeting("http://127.0.0.1:8080", "emulator", Emulator()).splitlines()[0]

    command = "pip install 'mkdocs-swagger-ui-tag>=0.8'"
    assert (command in first_line) == (not is_installed)


@pytest.mark.parametrize("token", ["", " ", "Bearer abc", "bearer abc", "a b", "a\n", "\xe9"])
def test_an_invalid_token_is_one_error_line_and_status_2(
    token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", f"--token={token}"]) == 2

    output = capsys.readouterr()
    assert "token" in output.err
    assert output.err.count("\n") == 1
