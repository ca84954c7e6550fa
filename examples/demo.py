"""`make demo`: from the spec to a conversation updated over a real socket, with the other examples as they are."""

import asyncio
import inspect
import sys
from collections.abc import Callable

import generate.__main__ as generation
from generate.load import load_document
from handle_errors import mark_as_read
from leadconnector import AsyncLeadConnector, LeadConnector
from leadconnector_emulator import Emulator, Server
from update_conversation import star
from update_conversation_async import unstar

TOKEN = "a-token-of-the-demonstration"
SHOWN = ("starred", "unreadCount", "feedback")


def main() -> int:
    heading("The spec, written by hand")
    spec = load_document(generation.SPEC)
    for operation in spec.operations():
        print(
            f"  spec/openapi.yaml: {operation.method.upper()} {operation.path}, {operation.node.get('operationId')}"
        )

    heading("The client, generated from it")
    if generation.main([]) != 0:
        return 1
    parameters = inspect.signature(
        LeadConnector(token=TOKEN).conversations.update_conversation
    ).parameters
    print(f"  client.conversations.update_conversation({', '.join(parameters)})")

    emulator = Emulator(tokens=[TOKEN])
    emulator.put("conversations", {**emulator.example, "starred": False, "unreadCount": 3})
    conversation_id = str(emulator.example["id"])
    location_id = str(emulator.example["locationId"])
    with Server(emulator) as server:
        heading(f"The API, played from the spec at {server.url}")
        print(f"  before  {shown(emulator, conversation_id)}")

        with LeadConnector(token=TOKEN, base_url=server.url) as client:
            print(f"\n{call_in(star)}\n")
            print(f"  returns {star(client, conversation_id, location_id)!r}\n")
            print(f"  after   {shown(emulator, conversation_id)}")

        heading("The same for asyncio")
        asyncio.run(update_asynchronously(server.url, conversation_id, location_id))
        print(f"  after   {shown(emulator, conversation_id)}")

        heading("What goes wrong, as examples/handle_errors.py tells it")
        with LeadConnector(token=TOKEN, base_url=server.url) as client:
            print(f"  unknown conversation  {mark_as_read(client, 'nobody-knows-it', location_id)}")
            print(f"  refused argument      {mark_as_read(client, '..', location_id)}")
        with LeadConnector(token="expired", base_url=server.url) as client:
            print(f"  wrong token           {mark_as_read(client, conversation_id, location_id)}")
    return 0


async def update_asynchronously(url: str, conversation_id: str, location_id: str) -> None:
    async with AsyncLeadConnector(token=TOKEN, base_url=url) as client:
        print(f"{call_in(unstar)}\n")
        await unstar(client, conversation_id, location_id)


def shown(emulator: Emulator, conversation_id: str) -> str:
    conversation = emulator.get("conversations", conversation_id) or {}
    return "  ".join(f"{name}={conversation[name]!r}" for name in SHOWN if name in conversation)


def call_in(function: Callable[..., object]) -> str:
    """The call of the client in an example's source."""
    lines = inspect.getsource(function).splitlines()[1:-1]
    return "\n".join(lines)


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


if __name__ == "__main__":
    sys.exit(main())
