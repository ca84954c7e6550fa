"""Star a conversation and mark it as read.

LEADCONNECTOR_TOKEN=… python examples/update_conversation.py CONVERSATION_ID LOCATION_ID
"""

import sys

from leadconnector import LeadConnector, Unset
from leadconnector.models import Conversation


def star(client: LeadConnector, conversation_id: str, location_id: str) -> Conversation | Unset:
    """Star a conversation and mark it as read. Returns the conversation, if the API does."""
    response = client.conversations.update_conversation(
        conversation_id,
        location_id=location_id,
        unread_count=0,
        starred=True,
    )
    return response.conversation


def main(conversation_id: str, location_id: str) -> None:
    with LeadConnector() as client:  # reads the token from LEADCONNECTOR_TOKEN
        conversation = star(client, conversation_id, location_id)
    if isinstance(conversation, Unset):
        print("The update was made. The response does not contain the conversation.")
        return
    state = f"starred={conversation.starred}, unread_count={conversation.unread_count}"
    print(f"{conversation.id}: {state}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
