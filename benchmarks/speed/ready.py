"""Measures how long a new process takes until a client is ready: `python -m … PEER`.

Ready means: imported, and made with its transport and certificates. Then it calls a port that is
closed: a first call imports what it needs. It prints JSON: seconds of wall and CPU time until it is
ready, the memory of the process in MiB then, and seconds of CPU time of that call.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

URL = "https://127.0.0.1:9"
"""A port that nothing listens on."""


def make_httpx() -> Callable[[], object]:
    """Make the client to which the other one is compared. Returns a call of it."""
    import httpx  # noqa: PLC0415 - the import is measured

    client = httpx.Client()
    return partial(client.put, URL, json={})


def make_leadconnector() -> Callable[[], object]:
    """Make the client of this project, with a transport as the first call makes it."""
    from leadconnector import LeadConnector  # noqa: PLC0415 - the import is measured

    client = LeadConnector(token="token", base_url=URL, retries=0)
    client._connections.transport()  # pyright: ignore[reportPrivateUsage]

    def call() -> object:
        return client.conversations.update_conversation("1", location_id="1")

    return call


def memory() -> float:
    """The resident memory of this process in MiB; 0 where the system has no `/proc`."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    for line in status.read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Measure, and print."""
    make = make_httpx if sys.argv[1] == "httpx" else make_leadconnector
    cpu = time.process_time()
    start = time.perf_counter()
    call = make()
    wall_seconds = time.perf_counter() - start
    cpu_seconds = time.process_time() - cpu
    figures = {"wall": wall_seconds, "cpu": cpu_seconds, "memory": memory()}
    figures["first_call"] = cpu_seconds_of_failure(call)
    print(json.dumps(figures))


def cpu_seconds_of_failure(call: Callable[[], object]) -> float:
    """The seconds of CPU time that a call takes, which cannot connect."""
    cpu = time.process_time()
    try:
        call()
    # Each client has an exception of its own.
    except Exception:
        return time.process_time() - cpu
    raise RuntimeError(f"something responds at {URL}")


if __name__ == "__main__":
    main()
