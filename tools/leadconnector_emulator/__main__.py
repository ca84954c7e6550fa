"""`python -m leadconnector_emulator`: the API on a loopback socket until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .emulator import TOKEN, Emulator
from .faults import read_faults
from .rate_limits import RateLimits
from .server import Server
from .spec import SPEC
from .token_endpoint import TokenEndpoint


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal comes. Exit status 0, or 2 with the reason."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if bool(options.refresh_token) != bool(options.location):
        parser.error("--refresh-token and --location go together")
    try:
        emulator = Emulator(
            options.spec,
            tokens=[options.token],
            conversations=read_seed(options.seed_file) if options.seed_file else None,
            create_missing=options.create_missing,
            rate_limits=options.rate,
            token_endpoint=TokenEndpoint(refresh_tokens={options.refresh_token: options.location})
            if options.refresh_token
            else None,
            faults=read_faults(options.faults) if options.faults else (),
            seed=options.random_seed,
        )
    except (OSError, ValueError) as error:
        print(f"leadconnector_emulator: {error}", file=sys.stderr)
        return 2
    try:
        server = Server(emulator, port=options.port)
    except (OSError, OverflowError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        reason = reason.partition(" (")[0]
        print(
            f"leadconnector_emulator: port {options.port}: {reason}; --port 0 takes a free one",
            file=sys.stderr,
        )
        return 2
    ending = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, ending
    )  # one that comes early waits, whichever thread it meets
    with server:
        print(greeting(server.url, options.token, emulator), flush=True)
        signal.sigwait(ending)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="leadconnector_emulator", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8080, help="the port on 127.0.0.1; 0 takes a free one"
    )
    parser.add_argument(
        "--spec", type=Path, default=SPEC, metavar="FILE", help="the OpenAPI document to play"
    )
    parser.add_argument("--token", default=TOKEN, help="the bearer token to accept")
    parser.add_argument(
        "--seed-file", type=Path, metavar="FILE", help="the first conversations: a JSON list"
    )
    parser.add_argument(
        "--create-missing",
        action="store_true",
        help="make a conversation that is not there on demand",
    )
    parser.add_argument(
        "--faults", type=Path, metavar="FILE", help="rules of misbehaviour: a YAML or JSON list"
    )
    parser.add_argument(
        "--random-seed", type=int, default=0, help="for faults that have a probability"
    )
    parser.add_argument(
        "--rate",
        type=rate,
        default=RateLimits(),
        metavar="REQUESTS/SECONDS",
        help="the burst limit, or `off` (default: 100/10)",
    )
    parser.add_argument(
        "--refresh-token",
        metavar="TOKEN",
        help="offer /oauth/token, which accepts this refresh token",
    )
    parser.add_argument("--location", default="", help="the location that the refresh token is for")
    return parser


def rate(text: str) -> RateLimits | None:
    """A rate limit as the command line has it: `100/10`, or `off`.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    if text == "off":
        return None
    found = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)s?", text)
    if found is None or not float(found[2]):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither REQUESTS/SECONDS, such as 100/10, nor off"
        )
    return RateLimits(burst=int(found[1]), interval=float(found[2]))


def read_seed(path: Path) -> list[Mapping[str, Any]]:
    """The conversations in a file: a JSON list of objects, each with an `id`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such list; the message says where.
    """
    try:
        data: Any = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: is no JSON: {error}") from error
    items: list[Any] = data if data.__class__ is list else [None]
    conversations: list[Mapping[str, Any]] = []
    for number, item in enumerate(items, 1):
        if item.__class__ is not dict or not isinstance(item.get("id"), str):
            raise ValueError(
                f"{path}: item {number} is not an object with an `id`; a list of such is needed"
            )
        conversations.append(item)
    return conversations


def greeting(url: str, token: str, emulator: Emulator) -> str:
    """How to reach the emulator: its address, the environment for the client, and a line of curl made from the spec."""
    operation = emulator.spec.operations[0]
    resource = next(iter(emulator.seed), emulator.example)
    path = re.sub(r"\{[^}]*\}", str(resource.get("id", "1")), operation.path)
    headers = [f"Authorization: Bearer {token}", "Content-Type: application/json"]
    for parameter in operation.parameters:
        if parameter.location == "header" and parameter.required:
            headers.insert(1, f"{parameter.name}: {emulator.spec.sample(parameter.schema.schema)}")
    described: dict[str, Any] = (
        emulator.spec.sample(operation.body.schema) if operation.body else dict[str, Any]()
    )
    data = {name: resource.get(name, value) for name, value in described.items() if value != {}}
    options = "".join(f" \\\n    -H {shlex.quote(header)}" for header in headers)
    environment = f"LEADCONNECTOR_BASE_URL={url} LEADCONNECTOR_TOKEN={shlex.quote(token)}"
    return "\n".join(
        [
            f"The API is at {url} (Ctrl-C ends it); open it in a browser for its reference and a console.",
            "",
            f"  export {environment}",
            "",
            f"  curl -X {operation.method} {shlex.quote(url + path)}{options} \\",
            f"    -d {shlex.quote(json.dumps(data))}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
