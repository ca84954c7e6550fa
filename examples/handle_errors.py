"""What can go wrong with an update, and what to do about it.

LEADCONNECTOR_TOKEN=… python examples/handle_errors.py CONVERSATION_ID LOCATION_ID
"""

import sys

from leadconnector import (
    APIConnectionError,
    APIDecodingError,
    APIStatusError,
    ArgumentError,
    AuthenticationError,
    LeadConnector,
    LeadConnectorError,
)


def mark_as_read(  # noqa: PLR0911  # one return per exception
    client: LeadConnector, conversation_id: str, location_id: str
) -> str:
    """Mark a conversation as read. Returns a sentence about the result."""
    try:
        client.conversations.update_conversation(
            conversation_id, location_id=location_id, unread_count=0
        )
    except ArgumentError as error:
        # Nothing was sent. Correct the argument.
        return f"not sent, the argument {error.argument!r} is invalid: {error}"
    except AuthenticationError as error:
        return f"the token is not valid, get a new one: {error.messages}"
    except APIStatusError as error:
        # The support of the API needs the request id.
        return f"failed with {error.status_code}: {error.messages} (request id {error.request_id})"
    except APIDecodingError as error:
        # The API reported success. Do not repeat the update, but look at `error.body`.
        return f"probably marked as read, but the response is unexpected: {error}"
    except APIConnectionError as error:
        # The client has retried already.
        return f"no response after {error.attempts} attempt(s): {error}"
    except LeadConnectorError as error:
        # Every other exception of the client.
        return f"failed: {error}"
    return "marked as read"


def main(conversation_id: str, location_id: str) -> None:
    with LeadConnector() as client:  # reads the token from LEADCONNECTOR_TOKEN
        print(mark_as_read(client, conversation_id, location_id))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
