"""Measures how long a new process takes until a client is ready: `python -m … PEER`.

Ready means: imported, and made with its transport and certificates. No request is sent. It prints
JSON: seconds of wall and CPU time, and the memory of the process in MiB.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

URL = "https://127.0.0.1:9"


def make_httpx() -> object:
    """The client to which the other one is compared."""
    import httpx  # noqa: PLC0415 - the import is measured

    return httpx.Client()


def make_leadconnector() -> object:
    """The client of this project, with a transport as the first call makes it."""
    from leadconnector import LeadConnector  # noqa: PLC0415 - the import is measured

    client = LeadConnector(token="token", base_url=URL)
    client._connections.transport()  # pyright: ignore[reportPrivateUsage]
    return client


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
    client = make()
    wall_seconds = time.perf_counter() - start
    cpu_seconds = time.process_time() - cpu
    figures = {"wall": wall_seconds, "cpu": cpu_seconds, "memory": memory()}
    print(json.dumps(figures))
    del client


if __name__ == "__main__":
    main()
