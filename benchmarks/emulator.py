"""Measures the emulator: a call of it in this process, and requests over a socket, beside uvicorn with a constant.

Everything is on this machine. The server of each figure is a process of its own on one core, and so is the client,
which does no more than write and read bytes, so that it is not what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any

import uvicorn
from leadconnector_emulator import Emulator, Request, Server

CALLS = 20_000
SECONDS = 2.0
"""How long requests are made for one figure."""
WARM_UP = 0.5
PATIENCE = 30.0
"""How long a process may take that takes much less."""

TOKEN = "benchmark"
LIMIT_MICROSECONDS = 200
LEAST_PER_SECOND = 1_000

HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Version": "2021-07-28",
    "Content-Type": "application/json",
}
WRONG: dict[str, object] = {"locationId": 1, "unreadCount": "3", "starred": "yes"}


def conversation() -> tuple[str, bytes]:
    """Where the first conversation is, and a body that updates it."""
    example = Emulator().example
    body = {
        "locationId": example["locationId"],
        "unreadCount": 3,
        "starred": True,
        "feedback": {"stars": 5},
    }
    return f"/conversations/{example['id']}", json.dumps(body).encode()


# In this process


def requests() -> dict[str, tuple[Request, int]]:
    """What is measured, with the status that it has to have."""
    target, body = conversation()
    headers = {name.lower(): value for name, value in HEADERS.items()}
    without = {name: value for name, value in headers.items() if name != "authorization"}
    return {
        "a valid update": (Request("PUT", target, headers, body), 200),
        "a body with 3 violations": (
            Request("PUT", target, headers, json.dumps(WRONG).encode()),
            422,
        ),
        "no token": (Request("PUT", target, without, body), 401),
    }


def microseconds(request: Request, status: int) -> list[float]:
    """How long each of many calls took."""
    emulator = Emulator(tokens=[TOKEN])
    for _ in range(CALLS // 10):
        emulator.respond(request)
    taken: list[float] = []
    for _ in range(CALLS):
        start = time.perf_counter_ns()
        response = emulator.respond(request)
        taken.append((time.perf_counter_ns() - start) / 1_000)
        if response.status != status:
            raise SystemExit(f"the answer was {response.status} where {status} is measured")
    return taken


# Over a socket


def on_core(number: int) -> None:
    """Keep this process on one core, where the system can."""
    if sys.platform == "linux":
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})


def serve_emulator() -> None:
    """Serve the emulator until standard input ends."""
    on_core(0)
    with Server(Emulator(tokens=[TOKEN])) as server:
        print(server.url.rpartition(":")[2], flush=True)
        sys.stdin.read()


def serve_constant() -> None:
    """Serve a constant of the size of the emulator's answer with uvicorn until the process is ended."""
    on_core(0)
    target, body = conversation()
    headers = {name.lower(): value for name, value in HEADERS.items()}
    answer = b"x" * len(
        Emulator(tokens=[TOKEN]).respond(Request("PUT", target, headers, body)).body
    )
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-length", b"%d" % len(answer))],
    }

    async def constant(
        scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        while (await receive()).get("more_body"):
            pass
        await send(start)
        await send({"type": "http.response.body", "body": answer})

    # Named as TCP, asyncio sends without waiting for acknowledgements: else head and body would be 40 ms apart.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(
        constant,
        http="h11",
        loop="asyncio",
        workers=1,
        lifespan="off",
        access_log=False,
        log_level="error",
    )
    uvicorn.Server(config).run(sockets=[listening])


def drive(port: int, connections: int) -> None:
    """Keep a request going on each of some connections, and print how many were answered in a second."""
    on_core(1)
    target, body = conversation()
    head = [f"PUT {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in HEADERS.items()]
    request = "\r\n".join([*head, "", ""]).encode() + body
    opened = [
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(connections)
    ]
    for each in opened:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    size = length_of_answer(opened[0], request)
    with selectors.DefaultSelector() as selector:
        for each in opened:
            selector.register(each, selectors.EVENT_READ, each)
        missing = dict.fromkeys(opened, size)
        for each in opened:
            each.sendall(request)
        answered, begun = 0, 0.0
        start = time.perf_counter()
        while (now := time.perf_counter() - start) < WARM_UP + SECONDS:
            if not begun and now >= WARM_UP:
                answered, begun = 0, now
            for key, _ in selector.select(PATIENCE):
                ready: socket.socket = key.data
                found = ready.recv(65_536)
                if not found:
                    raise SystemExit("the server has ended a connection")
                missing[ready] -= len(found)
                if missing[ready] == 0:
                    answered += 1
                    missing[ready] = size
                    ready.sendall(request)
        print(answered / (now - begun))
    for each in opened:
        each.close()


def length_of_answer(connection: socket.socket, request: bytes) -> int:
    """How many bytes an answer has: each has as many."""
    connection.sendall(request)
    found = b""
    while b"\r\n\r\n" not in found:
        found += connection.recv(65_536)
    head, _, rest = found.partition(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0] + b" ":
        raise SystemExit(f"the answer was {head!r}")
    lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
    length = next(int(value) for name, _, value in lines if name == b"content-length")
    while len(rest) < length:
        rest += connection.recv(65_536)
    return len(head) + 4 + length


@contextmanager
def running(server: str) -> Generator[int]:
    """A server in a process of its own; its port."""
    command = [sys.executable, __file__, server]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def per_second(server: str, connections: int) -> float:
    """Requests that a server answers in a second."""
    with running(server) as port:
        command = [sys.executable, __file__, "drive", str(port), str(connections)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=True
        )
    return float(done.stdout)


def report() -> None:
    """Print every figure, and whether what is claimed of it holds."""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores\n")
    print("Emulator.respond, µs per call              median      p99")
    for name, (request, status) in requests().items():
        taken = microseconds(request, status)
        held = "at most" if median(taken) <= LIMIT_MICROSECONDS else "NOT at most"
        print(
            f"  {name:<36}{median(taken):>11.1f}{quantiles(taken, n=100)[98]:>9.1f}   {held} {LIMIT_MICROSECONDS}"
        )
    print("\nRequests per second over keep-alive connections, the server on one core")
    for connections in (1, 8):
        emulator, constant = (
            per_second("emulator", connections),
            per_second("constant", connections),
        )
        held = "at least" if emulator >= LEAST_PER_SECOND else "NOT at least"
        print(f"  {connections} connection{'s' * (connections > 1)}")
        print(f"    the emulator's Server{emulator:>26,.0f}   {held} {LEAST_PER_SECOND:,}")
        print(
            f"    uvicorn (h11), a constant{constant:>22,.0f}   the emulator has {emulator / constant:.2f} of it"
        )


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="")
    commands.add_parser("emulator", help="serve the emulator")
    commands.add_parser("constant", help="serve a constant with uvicorn")
    driving = commands.add_parser("drive", help="make requests")
    driving.add_argument("port", type=int)
    driving.add_argument("connections", type=int)
    options = parser.parse_args()
    match options.command:
        case "emulator":
            serve_emulator()
        case "constant":
            serve_constant()
        case "drive":
            drive(options.port, options.connections)
        case _:
            report()


if __name__ == "__main__":
    main()
