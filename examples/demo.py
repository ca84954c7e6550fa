"""`make demo`: from the spec to an updated conversation, over a real socket.

Runs the functions of the other examples against a mock server that is driven by the spec.
"""

import asyncio
import inspect
import sys
from collections.abc import Callable

import generate.__main__ as generation
from generate.reading import load_document
from handle_errors import mark_as_read
from leadconnector import AsyncLeadConnector, LeadConnector
from leadconnector_emulator import Emulator, Server
from update_conversation import star
from update_conversation_async import unstar

TOKEN = "a-token-of-the-demonstration"
PRINTED_FIELDS = ("starred", "unreadCount", "feedback")


def main() -> int:
    """Run all steps. The exit status is 1 if the client cannot be generated."""
    print_operations()
    if not generate_client():
        return 1
    # The emulator contains the conversation of the spec's example. Its fields get visible values.
    emulator = Emulator(tokens=[TOKEN])
    emulator.put("conversations", {**emulator.example, "starred": False, "unreadCount": 3})
    conversation_id = str(emulator.example["id"])
    location_id = str(emulator.example["locationId"])
    with Server(emulator) as server:
        print_heading(f"A mock server, driven by the spec, at {server.url}")
        print(f"  before  {state_of(emulator, conversation_id)}")
        update(server.url, conversation_id, location_id)
        print(f"  after   {state_of(emulator, conversation_id)}")

        print_heading("The same for asyncio")
        asyncio.run(update_asynchronously(server.url, conversation_id, location_id))
        print(f"  after   {state_of(emulator, conversation_id)}")

        print_heading("Errors, as examples/handle_errors.py reports them")
        print_errors(server.url, conversation_id, location_id)
    return 0


def print_operations() -> None:
    """Print the operations of the spec."""
    print_heading("The spec, written by hand")
    spec = load_document(generation.SPEC)
    for operation in spec.operations():
        method = operation.method.upper()
        operation_id = operation.node.get("operationId")
        print(f"  spec/openapi.yaml: {method} {operation.path}, {operation_id}")


def generate_client() -> bool:
    """Regenerate the client and print its method. Returns False if generation fails."""
    print_heading("The client, generated from it")
    # The same as `make generate`.
    if generation.main([]) != 0:
        return False
    with LeadConnector(token=TOKEN) as client:
        signature = inspect.signature(client.conversations.update_conversation)
    print(f"  client.conversations.update_conversation({', '.join(signature.parameters)})")
    return True


def update(url: str, conversation_id: str, location_id: str) -> None:
    """Run the example for the sync client."""
    print(f"\n{body_of(star)}\n")
    with LeadConnector(token=TOKEN, base_url=url) as client:
        print(f"  returns {star(client, conversation_id, location_id)!r}\n")


async def update_asynchronously(url: str, conversation_id: str, location_id: str) -> None:
    """Run the example for the async client."""
    print(f"{body_of(unstar)}\n")
    async with AsyncLeadConnector(token=TOKEN, base_url=url) as client:
        await unstar(client, conversation_id, location_id)


def print_errors(url: str, conversation_id: str, location_id: str) -> None:
    """Run the example of errors, with an error of each kind."""
    with LeadConnector(token=TOKEN, base_url=url) as client:
        unknown = mark_as_read(client, "an-unknown-conversation", location_id)
        print(f"  unknown conversation  {unknown}")
        print(f"  invalid argument      {mark_as_read(client, '..', location_id)}")
    with LeadConnector(token="expired", base_url=url) as client:
        print(f"  wrong token           {mark_as_read(client, conversation_id, location_id)}")


def state_of(emulator: Emulator, conversation_id: str) -> str:
    """The fields of a conversation in the emulator that the examples change."""
    conversation = emulator.get("conversations", conversation_id) or {}
    names = [name for name in PRINTED_FIELDS if name in conversation]
    return "  ".join(f"{name}={conversation[name]!r}" for name in names)


def body_of(function: Callable[..., object]) -> str:
    """The call of the client in an example's source: without signature, docstring and return."""
    lines = inspect.getsource(function).splitlines()
    first = next(number for number, line in enumerate(lines) if "client.conversations" in line)
    return "\n".join(lines[first:-1])


def print_heading(text: str) -> None:
    """Print an underlined line."""
    print(f"\n{text}\n{'-' * len(text)}")


if __name__ == "__main__":
    sys.exit(main())
