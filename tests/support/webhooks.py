"""Signs events as the vendor does, with a key of the tests."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))

PUBLIC_KEY = b64encode(PRIVATE_KEY.public_key().public_bytes_raw()).decode()
"""The key for `verify`."""

CREATED_AT = 1_738_074_900.0
"""When `EVENT` was created, in seconds since 1970."""

EVENT: dict[str, Any] = {
    "type": "ConversationUnreadUpdate",
    "timestamp": "2025-01-28T14:35:00.000Z",
    "webhookId": "abc123xyz",
    "locationId": "ADVlSQnPsdq3hinusd6C3",
    "id": "MzKIpg0rEIH2ZUGKf6BS",
    "contactId": "zsYhPBOUsEHtrK508Wm9",
    "deleted": False,
    "inbox": False,
    "starred": True,
    "unreadCount": 0,
}
"""The vendor's example, with the parts that its guide shows for every event."""


def encoded(event: object) -> bytes:
    """The body of an event."""
    return json.dumps(event).encode()


BODY = encoded(EVENT)


def signature(body: bytes, key: Ed25519PrivateKey = PRIVATE_KEY) -> str:
    """The value of the signature header."""
    return b64encode(key.sign(body)).decode()


def signed(body: bytes, key: Ed25519PrivateKey = PRIVATE_KEY) -> dict[str, str]:
    """The headers of a request with this body."""
    return {"Content-Type": "application/json", "X-GHL-Signature": signature(body, key)}


def clock() -> float:
    """Ten seconds after `EVENT` was created."""
    return CREATED_AT + 10
