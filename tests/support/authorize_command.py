"""Runs the command `authorize` as a process, for an application of an emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from leadconnector_emulator import Emulator, Server, TokenEndpoint

from tests.support.calling import LOCATION_ID

SECONDS = 30
"""The timeout of each step: a bound, so that no test hangs."""

SCOPES = ("conversations.write", "oauth.write")
SECRET = "client-secret"


class Run:
    """A process with the command, and the emulator that it talks to."""

    def __init__(self, process: subprocess.Popen[str], store: Path) -> None:
        self.process = process
        self.store = store
        self.url = ""

    def read_url(self) -> str:
        """Wait for the URL that the process prints."""
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        return self.url

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the URL."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    def redirect(self, headers: dict[str, str] | None = None, **parameters: str) -> httpx.Response:
        """Do what a browser does that is redirected with these parameters."""
        uri = self.parameters["redirect_uri"]
        return httpx.get(uri, params=parameters, headers=headers, timeout=SECONDS)

    def end(self) -> tuple[int, str, str]:
        """The exit status and the outputs."""
        output, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, output, errors


class Command:
    """Starts the command for the application of an emulator."""

    def __init__(self, server: Server, store: Path) -> None:
        self.server = server
        self.store = store

    @property
    def endpoint(self) -> TokenEndpoint:
        endpoint = self.server.emulator.token_endpoint
        assert endpoint is not None
        return endpoint

    def arguments(self, *options: str) -> list[str]:
        return [
            "authorize",
            "--client-id=client",
            f"--store={self.store}",
            *(f"--scope={scope}" for scope in SCOPES),
            "--redirect-uri=http://localhost:0/callback",
            f"--authorization-page={self.server.url}/oauth/chooselocation",
            f"--token-url={self.server.url}/oauth/token",
            "--no-browser",
            *options,
        ]

    @contextmanager
    def started(self, *options: str, **environment: str) -> Generator[Run]:
        """A running process, which ends with the block."""
        variables = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LEADCONNECTOR_CLIENT_SECRET": SECRET,
            **environment,
        }
        with subprocess.Popen(
            [sys.executable, "-m", "leadconnector", *self.arguments(*options)],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            try:
                yield Run(process, self.store)
            finally:
                process.kill()

    def code(self, run: Run, location: str | None = LOCATION_ID) -> str:
        """A code for the redirect of a process, without a browser."""
        return self.endpoint.authorize(
            run.parameters["redirect_uri"],
            self.server.emulator.clock(),
            location=location,
            scopes=SCOPES,
        )


@contextmanager
def emulated_command(store: Path) -> Generator[Command]:
    """The command, for an emulator with two locations."""
    endpoint = TokenEndpoint(locations={LOCATION_ID: "Main street", "other": "Second street"})
    with Server(Emulator(tokens=[], token_endpoint=endpoint)) as server:
        yield Command(server, store)


def assert_failed(run: Run, status: int, text: str) -> None:
    """Verify how a process ended, and that it saved and printed nothing that it must not."""
    actual_status, output, errors = run.end()
    assert (actual_status, text in errors) == (status, True), errors
    assert "Traceback" not in errors
    assert "o tokens were saved" in errors
    assert SECRET not in output + errors
    assert not run.store.exists()
