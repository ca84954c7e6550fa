"""Unstar several conversations at once.

LEADCONNECTOR_TOKEN=… python examples/update_conversation_async.py LOCATION_ID CONVERSATION_ID…
"""

import asyncio
import sys

from leadconnector import AsyncLeadConnector, Unset
from leadconnector.models import Conversation


async def unstar(
    client: AsyncLeadConnector, conversation_id: str, location_id: str
) -> Conversation | Unset:
    """Unstar a conversation and set its feedback. Returns the conversation, if the API does."""
    response = await client.conversations.update_conversation(
        conversation_id,
        location_id=location_id,
        starred=False,
        feedback={"resolved": True, "score": 5},
    )
    return response.conversation


async def main(location_id: str, *conversation_ids: str) -> None:
    async with AsyncLeadConnector() as client:  # reads the token from LEADCONNECTOR_TOKEN
        updates = [
            unstar(client, conversation_id, location_id) for conversation_id in conversation_ids
        ]
        for conversation in await asyncio.gather(*updates):
            if isinstance(conversation, Unset):
                print("The update was made. The response does not contain the conversation.")
                continue
            print(f"{conversation.id}: starred={conversation.starred}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
