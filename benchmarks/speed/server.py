"""The server of the measurements: nginx if it is installed, otherwise the emulator."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compare.clients import ROOT

from .peer import RATE_LIMIT_HEADERS, RESPONSE_BODY

TIMEOUT = 20.0
"""Seconds until a server must accept connections, or must have ended."""

NGINX = "nginx"

CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    default_type application/json;
    # No connection ends during a run, whatever the order of the peers is.
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        {tls}
        {headers}
        location / {{ return 200 '{body}'; }}
    }}
}}
"""

WITHOUT_NGINX = (
    "nginx is not installed, so the emulator responds: it is slower than most peers, "
    "and there are no figures over TLS; on Debian: apt-get install nginx-light"
)

TLS = """\
listen 127.0.0.1:{port} ssl backlog=1024;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;"""


class ServerError(Exception):
    """The server cannot be started. The message says why."""


@dataclass(frozen=True)
class RunningServer:
    """A server that accepts connections."""

    name: str
    url: str
    tls_url: str | None
    """`None` without TLS."""
    certificate: str | None
    warning: str
    """Why the figures are of limited use; may be empty."""


@contextmanager
def serving(folder: Path) -> Generator[RunningServer]:
    """Run a server until the block ends.

    Args:
        folder: an empty folder for its files.

    Raises:
        ServerError: it does not start.
    """
    program = shutil.which(NGINX)
    if program is None:
        with serving_emulator(WITHOUT_NGINX) as server:
            yield server
        return
    with serving_nginx(program, folder) as server:
        yield server


@contextmanager
def serving_emulator(warning: str) -> Generator[RunningServer]:
    """Run the emulator in a process of its own.

    Args:
        warning: why it is used.
    """
    command = [sys.executable, "-m", "benchmarks.speed.emulated"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            url = process.stdout.readline().strip()
            if not url:
                raise ServerError("the emulator does not start: see its output above")
            yield RunningServer("the emulator", url, None, None, warning)
        finally:
            stop(process)


@contextmanager
def serving_nginx(program: str, folder: Path) -> Generator[RunningServer]:
    """Run nginx with a configuration of its own."""
    certificate, warning = make_certificate(folder)
    port = free_port()
    tls_port = free_port()
    tls = ""
    if certificate is not None:
        tls = TLS.format(port=tls_port, folder=folder)
    configuration = CONFIGURATION.format(
        folder=folder, port=port, tls=tls, headers=header_lines(), body=RESPONSE_BODY.decode()
    )
    (folder / "nginx.conf").write_text(configuration, encoding="utf-8")
    command = [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    version = nginx_version(program)
    log = folder / "nginx.log"
    with log.open("w", encoding="utf-8") as file, subprocess.Popen(command, stderr=file) as process:
        try:
            wait_for_port(process, port, log)
            tls_url = None
            if certificate is not None:
                tls_url = f"https://127.0.0.1:{tls_port}"
            url = f"http://127.0.0.1:{port}"
            yield RunningServer(version, url, tls_url, certificate, warning)
        finally:
            stop(process)


def header_lines() -> str:
    """The directives that add the headers of the real API."""
    lines = [f"add_header {name} {value};" for name, value in RATE_LIMIT_HEADERS.items()]
    return "\n        ".join(lines)


def nginx_version(program: str) -> str:
    """The version as nginx writes it, such as `nginx/1.22.1`."""
    result = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
    return result.stderr.strip().removeprefix("nginx version: ")


def make_certificate(folder: Path) -> tuple[str | None, str]:
    """Make a certificate for 127.0.0.1. Returns its file, or why there is none."""
    program = shutil.which("openssl")
    if program is None:
        return None, "openssl is not installed, so there are no figures over TLS"
    file = folder / "certificate.pem"
    command = [
        *(program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem")),
        *("-out", str(file)),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return None, f"openssl makes no certificate: {result.stderr.strip()[-200:]}"
    return str(file), ""


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until a server accepts connections.

    Raises:
        ServerError: it has ended, or takes too long.
    """
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            reason = log.read_text(encoding="utf-8").strip()[-500:]
            raise ServerError(f"nginx ended with status {process.returncode}: {reason}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise ServerError(f"nginx accepts no connection within {TIMEOUT:.0f} s")


def stop(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """End a process that this program has started."""
    process.terminate()
    try:
        process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
