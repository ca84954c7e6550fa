"""Values that occur in every fuzzed call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TOKEN = "9c48df2694a849b6089f9d0d3513efe"
"""The token of the client. It must never appear in an exception."""

CONVERSATION_ID = "tDtDnQdgm2LXpyiqYvZ6"
LOCATION_ID = "tDtDnQdgm2LXpyiqYvZ6"

PRIVATE_MESSAGE = "a secret complaint"
"""The content of the conversation. It must never appear in an exception."""

SMALLEST_SUCCESS: Mapping[str, Any] = {
    "success": True,
    "conversation": {
        "id": CONVERSATION_ID,
        "locationId": LOCATION_ID,
        "contactId": "contact",
        "deleted": False,
    },
}
"""The body of a success with only the required fields, and an id."""

DOCUMENTED_BODIES: Mapping[int, Mapping[str, Any]] = {
    200: {
        "success": True,
        "conversation": {
            "id": CONVERSATION_ID,
            "locationId": CONVERSATION_ID,
            "contactId": CONVERSATION_ID,
            "assignedTo": CONVERSATION_ID,
            "userId": CONVERSATION_ID,
            "lastMessageBody": PRIVATE_MESSAGE,
            "lastMessageDate": "1628008053263",
            "lastMessageType": "TYPE_SMS",
            "unreadCount": 1,
            "inbox": False,
            "starred": False,
            "deleted": False,
        },
    },
    400: {"statusCode": 400, "message": "Bad Request"},
    401: {
        "statusCode": 401,
        "message": "Invalid token: access token is invalid",
        "error": "Unauthorized",
    },
    422: {
        "statusCode": 422,
        "message": ["Unprocessable Entity", "Never"],
        "error": "Unprocessable Entity",
    },
}
"""A valid body for each status in the spec."""
