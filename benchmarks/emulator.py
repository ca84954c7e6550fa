"""Measures the emulator: calls in this process, and requests over a socket.

The socket figures are compared with uvicorn returning a constant. Server and client are separate
processes on separate cores of this machine. The client only writes and reads bytes, so that it
does not limit the server.
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
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import uvicorn
from leadconnector_emulator import Emulator, Request, Server

CALLS = 20_000
"""Calls for each figure in process."""
SECONDS = 2.0
"""Seconds of requests for each figure over a socket."""
WARM_UP = 0.5
"""Seconds of requests before these."""
TIMEOUT = 30.0
"""Seconds: a bound for each step, so that nothing hangs."""

TOKEN = "benchmark"
MAXIMUM_MICROSECONDS = 200
"""The documented limit of a call in process (median)."""
MINIMUM_PER_SECOND = 1_000
"""The documented rate of requests over a socket."""

HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Version": "2021-07-28",
    "Content-Type": "application/json",
}
INVALID_BODY: dict[str, object] = {"locationId": 1, "unreadCount": "3", "starred": "yes"}


def update_request() -> Request:
    """A valid update of the example conversation."""
    example = Emulator().example
    body = {
        "locationId": example["locationId"],
        "unreadCount": 3,
        "starred": True,
        "feedback": {"stars": 5},
    }
    headers = {name.lower(): value for name, value in HEADERS.items()}
    target = f"/conversations/{example['id']}"
    return Request("PUT", target, headers, json.dumps(body).encode())


# In this process


@dataclass(frozen=True)
class Case:
    """A request to measure, and the status that it must return."""

    name: str
    request: Request
    status: int


def cases() -> list[Case]:
    """The requests that are measured in process."""
    valid = update_request()
    invalid_body = json.dumps(INVALID_BODY).encode()
    invalid = Request(valid.method, valid.target, valid.headers, invalid_body)
    headers_without_token = {
        name: value for name, value in valid.headers.items() if name != "authorization"
    }
    without_token = Request(valid.method, valid.target, headers_without_token, valid.body)
    return [
        Case("a valid update", valid, 200),
        Case("a body with 3 violations", invalid, 422),
        Case("no token", without_token, 401),
    ]


def measure_calls(case: Case) -> list[float]:
    """The duration of each call in microseconds."""
    emulator = Emulator(tokens=[TOKEN])
    for _ in range(CALLS // 10):
        emulator.respond(case.request)
    durations: list[float] = []
    for _ in range(CALLS):
        start = time.perf_counter_ns()
        response = emulator.respond(case.request)
        nanoseconds = time.perf_counter_ns() - start
        durations.append(nanoseconds / 1_000)
        if response.status != case.status:
            raise SystemExit(f"{case.name}: the status is {response.status}, not {case.status}")
    return durations


# Servers, each in a process of its own


def pin_to_core(number: int) -> None:
    """Keep this process on one core, where the system supports it."""
    if sys.platform == "linux":
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})


def serve_emulator() -> None:
    """Serve the emulator until standard input ends. Prints the port."""
    pin_to_core(0)
    with Server(Emulator(tokens=[TOKEN])) as server:
        port = server.url.rpartition(":")[2]
        print(port, flush=True)
        sys.stdin.read()


def serve_constant() -> None:
    """Serve a constant with uvicorn until the process is terminated. Prints the port.

    The constant is as long as the emulator's response.
    """
    pin_to_core(0)
    response = Emulator(tokens=[TOKEN]).respond(update_request())
    body = b"x" * len(response.body)
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-length", b"%d" % len(body))],
    }

    async def constant(
        scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        while (await receive()).get("more_body"):
            pass
        await send(start)
        await send({"type": "http.response.body", "body": body})

    # asyncio sets TCP_NODELAY only on sockets with an explicit protocol. Without it, head and body
    # would be 40 ms apart.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    port = listener.getsockname()[1]
    print(port, flush=True)
    config = uvicorn.Config(
        constant,
        http="h11",
        loop="asyncio",
        workers=1,
        lifespan="off",
        access_log=False,
        log_level="error",
    )
    uvicorn.Server(config).run(sockets=[listener])


# The client, in a process of its own


def drive(port: int, connection_count: int) -> None:
    """Keep one request in flight on each connection. Prints the responses per second."""
    pin_to_core(1)
    request = encoded_request(port)
    connections = [connect(port) for _ in range(connection_count)]
    size = response_size(connections[0], request)
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
            connection.sendall(request)
        print(responses_per_second(selector, request, size))
    for connection in connections:
        connection.close()


def encoded_request(port: int) -> bytes:
    """The bytes of a valid update."""
    request = update_request()
    lines = [
        f"PUT {request.target} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Content-Length: {len(request.body)}",
    ]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    head = "\r\n".join([*lines, "", ""])
    return head.encode() + request.body


def connect(port: int) -> socket.socket:
    """A connection that sends without delay."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def responses_per_second(
    selector: selectors.BaseSelector, request: bytes, response_size: int
) -> float:
    """Count responses for some seconds after a warm-up. Every response has the same size."""
    start = time.perf_counter()
    count_responses(selector, request, response_size, until=start + WARM_UP)
    measured_from = time.perf_counter()
    end = measured_from + SECONDS
    responses = count_responses(selector, request, response_size, until=end)
    return responses / (time.perf_counter() - measured_from)


def count_responses(
    selector: selectors.BaseSelector, request: bytes, response_size: int, *, until: float
) -> int:
    """Read responses and send the next requests until a time of `time.perf_counter`.

    A response that is incomplete at the end counts for the next call: each selector key stores how
    many of its bytes are missing.
    """
    responses = 0
    while time.perf_counter() < until:
        for key, _ in selector.select(TIMEOUT):
            connection: Any = key.fileobj
            data = connection.recv(65_536)
            if not data:
                raise SystemExit("the server has closed a connection")
            missing_bytes: int = (key.data or response_size) - len(data)
            selector.modify(connection, selectors.EVENT_READ, missing_bytes)
            if missing_bytes == 0:
                responses += 1
                connection.sendall(request)
    return responses


def response_size(connection: socket.socket, request: bytes) -> int:
    """The bytes of one response, including its head."""
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    status_line = head.partition(b"\r\n")[0]
    if b" 200" not in status_line:
        raise SystemExit(f"the response is {status_line!r}")
    content_length = content_length_of(head)
    while len(body) < content_length:
        body += connection.recv(65_536)
    return len(head) + len(b"\r\n\r\n") + content_length


def content_length_of(head: bytes) -> int:
    """The value of the header Content-Length."""
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    raise SystemExit("the response has no Content-Length")


# The report


@contextmanager
def running(server: str) -> Generator[int]:
    """Run a server in another process; yields its port."""
    command = [sys.executable, __file__, server]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            yield int(process.stdout.readline())
        finally:
            process.terminate()
            try:
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


def measure_server(server: str, connection_count: int) -> float:
    """Requests per second of a server."""
    with running(server) as port:
        command = [sys.executable, __file__, "drive", str(port), str(connection_count)]
        result = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT, check=True
        )
    return float(result.stdout)


def report_calls() -> None:
    """Print the duration of calls in process, compared with the documented limit."""
    print("Emulator.respond, µs per call              median      p99")
    for case in cases():
        durations = measure_calls(case)
        median_duration = median(durations)
        percentile_99 = quantiles(durations, n=100)[98]
        verdict = "at most"
        if median_duration > MAXIMUM_MICROSECONDS:
            verdict = "NOT at most"
        print(
            f"  {case.name:<36}{median_duration:>11.1f}{percentile_99:>9.1f}"
            f"   {verdict} {MAXIMUM_MICROSECONDS}"
        )


def report_servers(connection_count: int) -> None:
    """Print the requests per second of both servers, compared with the documented rate."""
    emulator_rate = measure_server("emulator", connection_count)
    constant_rate = measure_server("constant", connection_count)
    ratio = emulator_rate / constant_rate
    verdict = "at least"
    if emulator_rate < MINIMUM_PER_SECOND:
        verdict = "NOT at least"
    print(f"  connections: {connection_count}")
    print(f"    the emulator's Server{emulator_rate:>26,.0f}   {verdict} {MINIMUM_PER_SECOND:,}")
    print(f"    uvicorn (h11), a constant{constant_rate:>22,.0f}   emulator/uvicorn {ratio:.2f}")


def report() -> None:
    """Print every figure."""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores\n")
    report_calls()
    print("\nRequests per second over keep-alive connections, the server on one core")
    for connection_count in (1, 8):
        report_servers(connection_count)


def main() -> None:
    """Print the report, or run one of its processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="")
    commands.add_parser("emulator", help="serve the emulator")
    commands.add_parser("constant", help="serve a constant with uvicorn")
    drive_parser = commands.add_parser("drive", help="send requests")
    drive_parser.add_argument("port", type=int)
    drive_parser.add_argument("connections", type=int)
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
