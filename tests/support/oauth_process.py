"""A process of its own for `test_oauth`: many threads and tasks ask for a token at once, or one holds the lock."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

from leadconnector._runtime.secrets import Secret, Token
from leadconnector.oauth import FileTokenStore, OAuth


def made(path: str) -> OAuth:
    return OAuth(client_id="client", client_secret="client-secret", store=FileTokenStore(path))


def swarm(oauth: OAuth, url: str, rejected: str, threads: int, tasks: int) -> list[str]:
    """What each of them gets: a token, or the name of an exception."""
    found: list[str] = []
    refused = Token(Secret(rejected)) if rejected else None

    def ask() -> None:
        try:
            found.append(oauth.get_token(url, refused, 30.0).reveal())
        except Exception as error:
            found.append(type(error).__name__)

    async def ask_all() -> None:
        asked = (oauth.get_token_async(url, refused, 30.0) for _ in range(tasks))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        found.extend(
            each.reveal() if isinstance(each, Token) else type(each).__name__ for each in outcomes
        )

    running = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in running:
        thread.start()
    asyncio.run(ask_all())
    for thread in running:
        thread.join()
    return found


def main(command: str, path: str, url: str, rejected: str) -> None:
    if command == "lock":
        with FileTokenStore(path).lock():
            print("locked", flush=True)
            time.sleep(60)  # it is killed
    print("ready", flush=True)
    sys.stdin.readline()
    print(*swarm(made(path), url, rejected, 12, 12), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
