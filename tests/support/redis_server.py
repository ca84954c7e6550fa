"""A real Redis on a free loopback port, that tests start, stop and halt."""

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
"""How long what takes much less may take: a bound, so that no test hangs."""


def executable() -> str:
    """Debian's server; CI installs it, so there it may not be missing."""
    found = shutil.which("redis-server")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("redis-server is not installed")
    return found


class RedisServer:
    """A server that stores nothing on disk, with a password."""

    PASSWORD = "a-password-that-nothing-shows"

    def __init__(self, folder: Path) -> None:
        self._executable, self._folder = executable(), folder
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"redis://:{self.PASSWORD}@127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        port, password = str(self.port), self.PASSWORD
        options = [
            "--save",
            "",
            "--appendonly",
            "no",
            "--port",
            port,
            "--bind",
            "127.0.0.1",
            "--requirepass",
            password,
        ]
        self._process = subprocess.Popen(
            [self._executable, *options, "--dir", str(self._folder)],
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self._process.stdout is not None
        assert any("Ready to accept connections" in line for line in self._process.stdout)

    def stop(self) -> None:
        """Kill it: what it held is gone."""
        self.resume()
        self._process.kill()
        self._process.wait(SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def halt(self) -> None:
        """Let it take connections and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def timed(self, seconds: float) -> str:
        """The URL, with another time to wait for an answer."""
        return f"{self.url}?timeout={seconds}&socket_timeout={seconds}&socket_connect_timeout={seconds}"

    def client(self) -> Any:
        """A client, to look at what it holds; not all of redis-py is typed."""
        return redis.Redis(port=self.port, password=self.PASSWORD, socket_timeout=SECONDS)
