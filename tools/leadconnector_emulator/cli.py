"""The command line, `python -m leadconnector_emulator`: serves the API until Ctrl-C."""

from __future__ import annotations

import argparse
import errno
import importlib.metadata
import json
import re
import shlex
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from .access import USER_TYPES, TokenAccess
from .emulator import TOKEN, Emulator
from .exchange_log import MAXIMUM_LOG_BYTES
from .faults import read_faults
from .hosts import LOOPBACK, LOOPBACK_HOSTS
from .oauth_options import (
    add_oauth_options,
    check_oauth_options,
    oauth_greeting,
    token_endpoint_of,
)
from .operation import Operation
from .page import has_swagger_ui
from .places import PATH_PARAMETER
from .proxy_cli import (
    add_proxy_options,
    check_proxy_options,
    close_remote,
    create_remote,
    exit_status,
    remote_greeting,
    start_record,
)
from .rate_limits import RateLimits
from .schema import CompiledSchema, JsonObject
from .server import Server
from .spec import SPEC
from .webhooks import Webhooks

PROGRAM = "leadconnector_emulator"

HOST_ERRORS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENETUNREACH})
"""Errors of `bind` that concern the address; the others concern the port."""

OPEN_CONTROL = (
    "Warning: --control lets everyone who can reach this machine change the emulator, and read its"
    " tokens, below /_emulator/."
)

USAGE_ERROR = 2
"""The exit status of a wrong option, as argparse has it."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    The exit status is 0, 2 after an error message, or 1 for findings with `--exit-code`.
    """
    parser = _argument_parser()
    options = parser.parse_args(arguments)
    check_oauth_options(parser, options)
    check_proxy_options(options, parser)

    try:
        emulator = create_remote(options) or _create_emulator(options)
        _check_scopes(options, emulator)
        start_record(options, emulator)
    except (ImportError, OSError, TypeError, ValueError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return USAGE_ERROR
    try:
        server = Server(
            emulator,
            port=options.port,
            host=options.host,
            allowed_hosts=options.allow_host,
            control=options.control,
        )
    except (OSError, OverflowError, ValueError) as error:
        print(f"{PROGRAM}: {_listening_problem(error, options)}", file=sys.stderr)
        close_remote(emulator)
        return USAGE_ERROR

    message = remote_greeting(server.url, emulator, options)
    if message is None:
        message = greeting(server.url, options.token, emulator, host=options.host)
    if server.has_open_control:
        message = f"{message}\n\n{OPEN_CONTROL}"
    _serve(server, message)
    close_remote(emulator)
    return exit_status(emulator, options)


def _version() -> str:
    """The version of the installed distribution. A checkout on `PYTHONPATH` has none."""
    try:
        return importlib.metadata.version("leadconnector-emulator")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed, so its version is unknown)"


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--version",
        action="version",
        version=f"leadconnector-emulator {_version()}",
        help="print the version of the emulator, and exit",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8080,
        help="the port; 0 selects a free one",
    )
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        metavar="ADDRESS",
        help="the address to listen on; 0.0.0.0 or :: lets everyone who can reach this machine"
        " read the recorded requests (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further host name under which the page is served; may be repeated",
    )
    parser.add_argument(
        "--control",
        action=argparse.BooleanOptionalAction,
        help="whether /_emulator/ controls faults, state, tokens, time and log over HTTP; everyone"
        " who reaches it can do so (default: only if no other machine can connect)",
    )
    parser.add_argument(
        "--spec",
        type=Path,
        default=SPEC,
        metavar="FILE",
        help="the OpenAPI document that drives the mock server",
    )
    parser.add_argument(
        "--token",
        default=TOKEN,
        help="the bearer token to accept",
    )
    parser.add_argument(
        "--scope",
        action="append",
        metavar="SCOPE",
        help="a scope of the tokens; may be repeated (default: every scope); needs --required-scope"
        " where the spec lists no scopes",
    )
    parser.add_argument(
        "--required-scope",
        action="append",
        default=[],
        metavar="SCOPE",
        help="a scope that each operation requires for which the spec lists none; may be repeated",
    )
    parser.add_argument(
        "--user-type",
        choices=USER_TYPES,
        default="Location",
        help="the class of the tokens; operations that name a location reject Company",
    )
    parser.add_argument(
        "--accept-version",
        action="append",
        default=[],
        metavar="VERSION",
        help="a value of the header Version to accept besides the spec's; may be repeated",
    )
    parser.add_argument(
        "--version-status",
        type=int,
        choices=(400, 401),
        default=401,
        help="the status for another or a missing Version (default: 401, as the live API)",
    )
    parser.add_argument(
        "--log-bytes",
        type=int,
        default=MAXIMUM_LOG_BYTES,
        metavar="BYTES",
        help="the bound of the request log; beyond it the oldest requests are dropped"
        " (default: 64 MiB)",
    )
    parser.add_argument(
        "--seed-file",
        type=Path,
        metavar="FILE",
        help="the initial conversations: a JSON list",
    )
    parser.add_argument(
        "--create-missing",
        action="store_true",
        help="create a conversation that does not exist on demand",
    )
    parser.add_argument(
        "--faults",
        type=Path,
        metavar="FILE",
        help="rules of misbehaviour: a YAML or JSON list",
    )
    parser.add_argument(
        "--random-seed",
        type=int,
        default=0,
        help="for faults that have a probability",
    )
    parser.add_argument(
        "--rate-limit",
        type=parse_rate_limit,
        default=RateLimits(),
        metavar="REQUESTS/SECONDS",
        help="the burst limit, or `off` (default: 100/10)",
    )
    add_oauth_options(parser)
    parser.add_argument(
        "--webhook-url",
        metavar="URL",
        help="send events to this URL, signed; it must be on this machine",
    )
    parser.add_argument(
        "--webhook-key",
        type=Path,
        metavar="FILE",
        help="the Ed25519 private key that signs the events, in PEM (default: a new one)",
    )
    parser.add_argument(
        "--webhook-remote",
        action="store_true",
        help="allow a webhook URL on another machine; events contain data of conversations",
    )
    add_proxy_options(parser)
    return parser


def _create_webhooks(options: argparse.Namespace) -> Webhooks | None:
    """Read the options for events; `None` without a URL.

    Raises:
        ImportError: cryptography is not installed.
        OSError: the file of the key cannot be read.
        ValueError: the URL or the key is invalid, or there is no URL for them.
    """
    if options.webhook_url is None:
        if options.webhook_key or options.webhook_remote:
            raise ValueError("--webhook-key and --webhook-remote need --webhook-url")
        return None
    private_key: bytes | None = None
    if options.webhook_key:
        private_key = options.webhook_key.read_bytes()
    return Webhooks(
        options.webhook_url, private_key=private_key, allow_remote=options.webhook_remote
    )


def _create_emulator(options: argparse.Namespace) -> Emulator:
    conversations: list[Mapping[str, Any]] | None = None
    if options.seed_file:
        conversations = read_conversations(options.seed_file)
    access = TokenAccess(scopes=options.scope, user_type=options.user_type)
    return Emulator(
        options.spec,
        tokens={options.token: access},
        conversations=conversations,
        create_missing=options.create_missing,
        rate_limits=options.rate_limit,
        token_endpoint=token_endpoint_of(options),
        faults=read_faults(options.faults) if options.faults else (),
        seed=options.random_seed,
        additional_versions=options.accept_version,
        version_status=options.version_status,
        required_scopes=options.required_scope,
        log_bytes=options.log_bytes,
        webhooks=_create_webhooks(options),
    )


def _check_scopes(options: argparse.Namespace, emulator: Emulator) -> None:
    """Reject scopes of the tokens where no operation requires a scope.

    Raises:
        ValueError: `--scope` has no effect.
    """
    if not options.scope or options.required_scope:
        return
    if any(operation.scope_alternatives for operation in emulator.spec.operations):
        return
    raise ValueError(
        "--scope has no effect, since the spec lists no scopes: name the scope that the operations"
        " require with --required-scope"
    )


def _listening_problem(
    error: OSError | OverflowError | ValueError, options: argparse.Namespace
) -> str:
    """Why the server cannot listen, and what to do."""
    reason = str(error)
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    if _concerns_host(error):
        return (
            f"host {options.host!r}: {reason}; use an address of this machine, 127.0.0.1, or"
            " 0.0.0.0 for every address"
        )
    return f"port {options.port}: {reason}; --port 0 selects a free one"


def _concerns_host(error: OSError | OverflowError | ValueError) -> bool:
    if isinstance(error, OSError):
        return isinstance(error, socket.gaierror) or error.errno in HOST_ERRORS
    return isinstance(error, ValueError)


def _serve(server: Server, message: str) -> None:
    """Serve until a signal arrives."""
    end_signals = {signal.SIGINT, signal.SIGTERM}
    # A blocked signal waits for `sigwait`, even if it arrives early. The server's thread inherits
    # the mask, so the signal cannot interrupt that thread.
    previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, end_signals)
    with server:
        print(message, flush=True)
        signal.sigwait(end_signals)
    signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)


def parse_rate_limit(text: str) -> RateLimits | None:
    """Parse the value of `--rate-limit`: `100/10`, or `off` for `None`.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    if text == "off":
        return None
    match = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)s?", text)
    # An interval of zero would allow nothing to be counted.
    if match is None or float(match[2]) == 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither REQUESTS/SECONDS, such as 100/10, nor off"
        )
    return RateLimits(burst=int(match[1]), interval=float(match[2]))


def read_conversations(path: Path) -> list[Mapping[str, Any]]:
    """Read the conversations of a file: a JSON list of objects, each with an `id`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a list; the message contains the number of the first bad item.
    """
    try:
        items: object = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: is not JSON: {error}") from error
    if not isinstance(items, list):
        raise ValueError(f"{path}: is not a list of conversations")

    conversations: list[Mapping[str, Any]] = []
    for number, item in enumerate(cast("list[object]", items), start=1):
        if not _is_conversation(item):
            raise ValueError(f"{path}: item {number} is not an object with an `id`")
        conversations.append(cast("Mapping[str, Any]", item))
    return conversations


def _is_conversation(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    return isinstance(cast("dict[str, Any]", item).get("id"), str)


def _other_machines(host: str, url: str) -> list[str]:
    """How other machines reach a server that listens on more than this one; in lines."""
    if host in LOOPBACK_HOSTS:
        return []
    port = urlsplit(url).port
    return [
        "Other machines reach it under the name or address of this one, such as its service name in"
        " Compose:",
        "",
        f'  LeadConnector(base_url="http://NAME:{port}", allow_http=True)',
        "",
    ]


def greeting(url: str, token: str, emulator: Emulator, *, host: str = LOOPBACK) -> str:
    """How to reach the emulator: the address, the client's environment, and a curl command."""
    environment = f"LEADCONNECTOR_BASE_URL={url} LEADCONNECTOR_TOKEN={shlex.quote(token)}"
    lines = [
        f"The API is at {url} (Ctrl-C ends it). {_page_hint()}",
        "",
        f"  export {environment}",
        "",
        *_other_machines(host, url),
        *oauth_greeting(url, emulator.token_endpoint),
        *_webhook_hint(emulator),
        *curl_command(url, token, emulator),
    ]
    return "\n".join(lines)


def _webhook_hint(emulator: Emulator) -> list[str]:
    """Where events are sent, and how to verify them; in lines."""
    if emulator.webhooks is None:
        return []
    return [
        f"Events are sent to {emulator.webhooks.url}. A receiver verifies them with this key:",
        "",
        f'  public_key = "{emulator.webhooks.public_key}"',
        "",
    ]


def _page_hint() -> str:
    """What the page at the address shows."""
    if has_swagger_ui():
        return "Open it in a browser for the reference, a console and the request log."
    return (
        "Open it in a browser for the request log. For the reference and a console:"
        " pip install 'mkdocs-swagger-ui-tag>=0.8'."
    )


def curl_command(url: str, token: str, emulator: Emulator) -> list[str]:
    """A curl command for the first operation of the spec, in lines."""
    operation = emulator.spec.operations[0]
    resource: Mapping[str, Any] = emulator.example
    if emulator.initial_conversations:
        resource = emulator.initial_conversations[0]
    resource_id = str(resource.get("id", "1"))
    path = PATH_PARAMETER.sub(resource_id, operation.path)
    query = urlencode(_required_query(operation, emulator))
    target = f"{url}{path}?{query}" if query else f"{url}{path}"

    parts = [f"curl -X {operation.method} {shlex.quote(target)}"]
    for header in _curl_headers(operation, token, emulator):
        parts.append(f"-H {shlex.quote(header)}")
    if operation.body_schema is not None:
        body = json.dumps(_curl_body(operation.body_schema, resource, emulator))
        parts.append(f"-d {shlex.quote(body)}")
    command = " \\\n    ".join(parts)
    return f"  {command}".splitlines()


def _required_query(operation: Operation, emulator: Emulator) -> list[tuple[str, str]]:
    """The names and values of the query parameters without which a request is rejected."""
    pairs: list[tuple[str, str]] = []
    for parameter in operation.parameters:
        if parameter.location == "query" and parameter.required:
            sample: Any = emulator.spec.sample(parameter.schema.schema)
            text = sample if isinstance(sample, str) else json.dumps(sample)
            pairs.append((parameter.name, text))
    return pairs


def _curl_headers(operation: Operation, token: str, emulator: Emulator) -> list[str]:
    headers = [f"Authorization: Bearer {token}"]
    for parameter in operation.parameters:
        if parameter.location == "header" and parameter.required:
            headers.append(f"{parameter.name}: {emulator.spec.sample(parameter.schema.schema)}")
    if operation.body_schema is not None:
        headers.append("Content-Type: application/json")
    return headers


def _curl_body(schema: CompiledSchema, resource: Mapping[str, Any], emulator: Emulator) -> Any:
    """The spec's example body. One that is an object has the values of the resource."""
    sample: object = emulator.spec.request_sample(schema.schema)
    if not isinstance(sample, dict):
        return sample
    example = cast("JsonObject", sample)
    body: JsonObject = {}
    for name, value in example.items():
        # A free-form object has an empty example, which says nothing.
        if value != {}:
            body[name] = resource.get(name, value)
    return body
