"""A process for `test_oauth`. Many threads and tasks get a token at once, or it locks the store."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

from leadconnector._runtime.secrets import Secret, Token
from leadconnector.oauth import FileTokenStore, OAuth

TIMEOUT = 30.0
CALLERS = 12
"""Threads, and as many tasks, that get a token in one process."""


def get_many_tokens(
    oauth: OAuth, url: str, rejected: str, *, threads: int, tasks: int
) -> list[str]:
    """The result of each caller: a token, or the name of an exception."""
    results: list[str] = []
    rejected_token = Token(Secret(rejected)) if rejected else None

    def get_token() -> None:
        try:
            results.append(oauth.get_token(url, rejected_token, TIMEOUT).reveal())
        except Exception as error:
            results.append(type(error).__name__)

    async def get_tokens() -> None:
        calls = [oauth.get_token_async(url, rejected_token, TIMEOUT) for _ in range(tasks)]
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(outcome, Token):
                results.append(outcome.reveal())
            else:
                results.append(type(outcome).__name__)

    running = [threading.Thread(target=get_token) for _ in range(threads)]
    for thread in running:
        thread.start()
    asyncio.run(get_tokens())
    for thread in running:
        thread.join()
    return results


def main(command: str, path: str, url: str, rejected: str) -> None:
    store = FileTokenStore(path)
    if command == "lock":
        with store.lock():
            print("locked", flush=True)
            # The test kills the process before that.
            time.sleep(60)
    print("ready", flush=True)
    sys.stdin.readline()
    oauth = OAuth(client_id="client", client_secret="client-secret", store=store)
    print(*get_many_tokens(oauth, url, rejected, threads=CALLERS, tasks=CALLERS), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
