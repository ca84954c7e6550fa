"""A real Redis on a free loopback port, that tests start, stop and suspend."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

SECONDS = 10
"""A bound for what takes much less time, so that no test hangs."""


def executable() -> str:
    """Return the path of redis-server.

    Without it, the test is skipped. In CI, which installs it, the test fails.
    """
    path = shutil.which("redis-server")
    if path is not None:
        return path
    message = "redis-server is not installed"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


class RedisServer:
    """A server with a password, which stores nothing on disk."""

    PASSWORD = "a-password-that-nothing-shows"

    def __init__(self, folder: Path) -> None:
        self._executable = executable()
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://:{self.PASSWORD}@127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        command = [self._executable, "--dir", str(self._folder)]
        command += ["--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--requirepass", self.PASSWORD]
        # Both ways of storing on disk are off.
        command += ["--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
        assert self._process.stdout is not None
        assert any("Ready to accept connections" in line for line in self._process.stdout)

    def stop(self) -> None:
        """Kill it. It loses its data."""
        # A suspended process would not end.
        self.resume()
        self._process.kill()
        self._process.wait(SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def suspend(self) -> None:
        """Have it accept connections, but not respond."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Have it respond again."""
        self._process.send_signal(signal.SIGCONT)

    def url_with_timeout(self, seconds: float) -> str:
        """Return the URL with another time to wait for a reply."""
        options = ("timeout", "socket_timeout", "socket_connect_timeout")
        query = "&".join(f"{option}={seconds}" for option in options)
        return f"{self.url}?{query}"

    def client(self) -> Any:
        """Return a client, to look at the data. Not all of redis-py is typed."""
        return redis.Redis(port=self.port, password=self.PASSWORD, socket_timeout=SECONDS)


def free_port() -> int:
    """Return a port of the loopback interface that is free at the moment."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])
