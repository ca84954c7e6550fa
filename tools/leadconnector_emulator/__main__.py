"""`python -m leadconnector_emulator`: the API on a loopback socket until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from ._core import TOKEN, Emulator
from ._server import Server
from ._spec import SPEC


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal comes. Exit status 0, or 2 with the reason."""
    parser = argparse.ArgumentParser(prog="leadconnector_emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="the port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--spec", type=Path, default=SPEC, help="the OpenAPI document to play")
    parser.add_argument("--token", default=TOKEN, help="the bearer token to accept")
    options = parser.parse_args(arguments)
    try:
        emulator = Emulator(options.spec, tokens=[options.token])
    except OSError as error:
        print(f"leadconnector_emulator: the spec cannot be read: {error}", file=sys.stderr)
        return 2
    try:
        server = Server(emulator, port=options.port)
    except (OSError, OverflowError) as error:
        print(f"leadconnector_emulator: port {options.port}: {error}; --port 0 takes a free one", file=sys.stderr)
        return 2
    ending = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending)  # one that comes early waits, whichever thread it meets
    with server:
        print(greeting(server.url, options.token, emulator), flush=True)
        signal.sigwait(ending)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def greeting(url: str, token: str, emulator: Emulator) -> str:
    """How to reach the emulator: its address, the environment for the client, and a line of curl."""
    conversation = emulator.example
    data = json.dumps({"locationId": conversation["locationId"], "starred": False})
    return "\n".join(
        [
            f"The API is at {url} (Ctrl-C ends it).",
            "",
            f"  export LEADCONNECTOR_BASE_URL={url} LEADCONNECTOR_TOKEN={token}",
            "",
            f"  curl -X PUT {url}/conversations/{conversation['id']} -H 'Authorization: Bearer {token}' \\",
            "    -H 'Version: 2021-07-28' -H 'Content-Type: application/json' \\",
            f"    -d '{data}'",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
