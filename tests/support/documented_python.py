"""Stands in for `.venv/bin/python` in the commands of the documentation.

It runs Python with the same arguments. A server that runs until Ctrl-C is interrupted as soon as it
prints its address. It gets a free port of the loopback interface, since the documented port may be
in use.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

SERVER_COMMANDS = (["-m", "leadconnector_emulator"], ["-m", "project.run_module"])
"""The second one is that of `make emulator`. Its arguments are in an environment variable."""

SERVER_OPTIONS = ["--host", "127.0.0.1", "--port", "0"]


def main(arguments: list[str]) -> int:
    """Run Python. The exit status is that of Python; 0 for an interrupted server."""
    if arguments[:2] not in SERVER_COMMANDS:
        return subprocess.run([sys.executable, *arguments], check=False).returncode
    if arguments[1] == "project.run_module":
        options = shlex.join(SERVER_OPTIONS)
        os.environ["ARGS"] = f"{os.environ.get('ARGS', '')} {options}"
        return run_server(arguments)
    return run_server([*arguments, *SERVER_OPTIONS])


def run_server(arguments: list[str]) -> int:
    """Run Python until its output shows that a server accepts connections, or has failed."""
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, encoding="utf-8"
    ) as server:
        assert server.stdout is not None
        if any("http://127.0.0.1:" in line for line in server.stdout):
            server.send_signal(signal.SIGINT)
            server.communicate()
            return 0
    return server.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
