"""A row of the comparison, and the replies that several rows share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .observation import Evidence
from .outcomes import Expectation, Judgement, Outcome, judge_call
from .server import SOCKET_TIMEOUT, Reply, Script, in_order, response

CONVERSATION_ID = "tDtDnQdgm2LXpyiqYvZ6"
LOCATION_ID = "ve9EPM428h8vShlRW1KT"
TOKEN = "comparison-token-5d41402abc4b2a76"
"""Long and unusual, so that a search finds only this token."""

TARGET = f"/conversations/{CONVERSATION_ID}"

CONTENT: Mapping[str, Any] = {
    "success": True,
    "conversation": {
        "id": CONVERSATION_ID,
        "locationId": LOCATION_ID,
        "contactId": "9VEmS0si86GW6gXWU89b",
        "lastMessageBody": "Hello, this is the message body.",
        "lastMessageType": "TYPE_SMS",
        "starred": True,
        "deleted": False,
    },
}
"""A response that matches the spec."""

BODY = json.dumps(CONTENT).encode()

UPDATED: Mapping[str, Any] = {
    "success": True,
    "conversation.id": CONVERSATION_ID,
    "conversation.starred": True,
    "conversation.deleted": False,
}
"""What the result must contain."""

UPDATE_EXPECTED = Expectation(data=UPDATED)
"""The call must return the updated conversation."""

TIMEOUT = 2.0
"""Seconds: the client's timeout where the server does not respond."""

LIMIT = 60.0
"""Seconds after which a call counts as waiting for ever.

Three attempts with a timeout of 2 s, and the pauses between them, take a third of that.
"""

LONG_LIMIT = 240.0
"""The same where a client's defaults decide: three attempts of 60 s, and the pauses."""

NEVER = Reply([], delay=SOCKET_TIMEOUT)
"""The server reads the request and stays silent."""

JSON_HEADER = "Content-Type: application/json"

Judge = Callable[[Evidence, Expectation], Judgement]


@dataclass(frozen=True)
class Scenario:
    """A row of the comparison."""

    key: str
    title: str
    wanted: frozenset[Outcome]
    script: Callable[[], Script]
    """Makes the replies of the server. Each client gets a server of its own."""
    judge: Judge = judge_call
    expectation: Expectation = UPDATE_EXPECTED
    mode: str = "call"
    """What `adapters/run.py` does."""
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Arguments that differ from the usual ones."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Client options that differ from the usual ones."""
    calls: int = 1
    workers: int = 1
    limit: float = LIMIT
    """Seconds after which the call counts as waiting for ever."""

    @property
    def is_slow(self) -> bool:
        """Whether the scenario mostly waits, so that many can run at the same time."""
        return self.limit > LIMIT


@dataclass(frozen=True)
class Group:
    """Rows with a common heading."""

    title: str
    introduction: str
    scenarios: tuple[Scenario, ...]


def success(body: bytes = BODY, headers: tuple[str, ...] = (JSON_HEADER,)) -> Reply:
    """The reply of a server that made the update, with any body."""
    return Reply([response(200, body, headers=headers)], is_applied=True)


def rejection(status: int, body: bytes = b"", headers: tuple[str, ...] = (JSON_HEADER,)) -> Reply:
    """The reply of a server that did not make the update."""
    return Reply([response(status, body, headers=headers)])


def always(*replies: Reply) -> Callable[[], Script]:
    """The same replies for each client."""

    def script() -> Script:
        return in_order(*replies)

    return script
