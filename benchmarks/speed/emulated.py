"""Serves the emulator for the measurements, until standard input ends. Prints its URL."""

from __future__ import annotations

import sys

from leadconnector_emulator import Emulator, Server

from .peer import TOKEN


def main() -> None:
    """Serve without a rate limit: every peer would meet it at another moment."""
    emulator = Emulator(tokens=[TOKEN], create_missing=True)
    with Server(emulator) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
