"""The examples, run as users run them: each in its own process, over a socket."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from leadconnector_emulator import Server

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT


def run(
    example: str, *arguments: str, directory: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run an example. Its environment has only what is passed here."""
    paths = os.pathsep.join(str(ROOT / name) for name in ("overrides", "tools"))
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / example), *arguments],
        cwd=directory,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": paths,
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def environment_for(server: Server, token: str = TOKEN) -> dict[str, str]:
    """The variables that configure a client for a server."""
    return {"LEADCONNECTOR_TOKEN": token, "LEADCONNECTOR_BASE_URL": server.url}


def test_the_sync_example_stars_a_conversation(server: Server, tmp_path: Path) -> None:
    server.emulator.put("conversations", {**server.emulator.example, "starred": False})

    result = run(
        "update_conversation.py",
        CONVERSATION_ID,
        LOCATION_ID,
        directory=tmp_path,
        **environment_for(server),
    )

    assert (result.stderr, result.returncode) == ("", 0)
    assert result.stdout == f"{CONVERSATION_ID}: starred=True, unread_count=0\n"
    assert (server.emulator.get("conversations", CONVERSATION_ID) or {})["starred"] is True


def test_the_async_example_unstars_several_conversations(server: Server, tmp_path: Path) -> None:
    server.emulator.put("conversations", {**server.emulator.example, "id": "other"})

    result = run(
        "update_conversation_async.py",
        LOCATION_ID,
        CONVERSATION_ID,
        "other",
        directory=tmp_path,
        **environment_for(server),
    )

    assert (result.stderr, result.returncode) == ("", 0)
    assert result.stdout == f"{CONVERSATION_ID}: starred=False\nother: starred=False\n"


@pytest.mark.parametrize(
    ("conversation_id", "token", "message"),
    [
        (CONVERSATION_ID, TOKEN, "marked as read"),
        (CONVERSATION_ID, "expired", "the token is not valid"),
        ("unknown", TOKEN, "failed with 400"),
        ("..", TOKEN, "not sent, the argument 'conversation_id' is invalid"),
    ],
)
def test_the_example_of_errors_reports_each_kind_of_error(
    server: Server, tmp_path: Path, conversation_id: str, token: str, message: str
) -> None:
    result = run(
        "handle_errors.py",
        conversation_id,
        LOCATION_ID,
        directory=tmp_path,
        **environment_for(server, token),
    )

    assert (result.stderr, result.returncode) == ("", 0)
    assert message in result.stdout


def test_the_example_of_errors_reports_a_missing_response(tmp_path: Path) -> None:
    environment = {"LEADCONNECTOR_TOKEN": TOKEN, "LEADCONNECTOR_BASE_URL": "http://127.0.0.1:1"}

    result = run(
        "handle_errors.py", CONVERSATION_ID, LOCATION_ID, directory=tmp_path, **environment
    )

    assert "no response after 3 attempt(s)" in result.stdout


@pytest.mark.parametrize(
    "example", ["update_conversation.py", "update_conversation_async.py", "handle_errors.py"]
)
def test_an_example_without_arguments_prints_its_usage(example: str, tmp_path: Path) -> None:
    result = run(example, directory=tmp_path)

    assert result.returncode == 1
    assert f"python examples/{example}" in result.stderr


def test_the_demo_prints_each_step(tmp_path: Path) -> None:
    result = run("demo.py", directory=tmp_path)

    assert (result.stderr, result.returncode) == ("", 0)
    steps = [
        "PUT /conversations/{conversationId}, updateConversation",
        "generated: up to date",
        "client.conversations.update_conversation(conversation_id, location_id,",
        "A mock server, driven by the spec, at http://127.0.0.1:",
        "before  starred=False  unreadCount=3",
        "response = client.conversations.update_conversation(",
        "after   starred=True  unreadCount=0",
        "response = await client.conversations.update_conversation(",
        "after   starred=False  unreadCount=0  feedback={'resolved': True, 'score': 5}",
        "unknown conversation  failed with 400",
        "invalid argument      not sent",
        "wrong token           the token is not valid",
    ]
    positions = [result.stdout.find(step) for step in steps]
    assert -1 not in positions
    assert positions == sorted(positions)
