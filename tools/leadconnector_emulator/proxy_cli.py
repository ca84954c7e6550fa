"""The options of the command line for the validating proxy, for recording and for replaying."""

from __future__ import annotations

import argparse
from pathlib import Path

from .emulator import Emulator
from .faults import read_faults
from .hosts import leads_to
from .proxy import ValidatingProxy
from .record import Recorder
from .redaction import Redaction, security_schemes
from .replay import Replay
from .upstream import DEADLINE

FINDINGS_STATUS = 1
"""The exit status with `--exit-code` if there were findings."""

OPTIONS_OF_THE_MOCK = (
    "token",
    "scope",
    "required_scope",
    "user_type",
    "accept_version",
    "version_status",
    "seed_file",
    "create_missing",
    "rate_limit",
    "refresh_token",
    "location",
    "oauth",
    "company",
    "oauth_location",
    "inactive_location",
    "redirect_uri",
    "webhook_url",
    "webhook_key",
    "webhook_remote",
)
"""Options that have an effect only on responses that the emulator itself generates."""

OPTIONS_OF_THE_PROXY = ("allow_http", "deadline", "report", "exit_code")
"""Options that have an effect only with `--upstream`."""


def add_proxy_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to the parser."""
    parser.add_argument(
        "--upstream",
        metavar="URL",
        help="pass all requests on to this API, and report what deviates from the spec",
    )
    parser.add_argument(
        "--deadline",
        type=float,
        default=DEADLINE,
        metavar="SECONDS",
        help=f"how long the API may take for a response (default: {DEADLINE:g})",
    )
    parser.add_argument(
        "--allow-http",
        action="store_true",
        help="accept an upstream on another machine with plain http; credentials are unencrypted",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="append each different finding to this file, as a line of JSON",
    )
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="exit with 1 if there were findings, or exchanges that could not be compared",
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="append each exchange to this file, without credentials",
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="respond from this record instead of the spec",
    )


def check_proxy_options(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Reject options that have no effect together. The parser ends the program."""
    if options.upstream is not None and options.replay is not None:
        parser.error("--upstream and --replay exclude each other: choose where responses come from")
    if options.replay is not None and options.record is not None:
        parser.error("--record has no effect with --replay, whose responses are recorded already")
    if options.upstream is None:
        _reject(OPTIONS_OF_THE_PROXY, "without --upstream", options, parser)
    if options.upstream is not None:
        _reject(OPTIONS_OF_THE_MOCK, "with --upstream", options, parser)
    if options.replay is not None:
        _reject(OPTIONS_OF_THE_MOCK, "with --replay", options, parser)


def create_remote(options: argparse.Namespace) -> Emulator | None:
    """The proxy or the replay of the options; `None` if the emulator itself responds.

    Raises:
        OSError, ValueError: as `ValidatingProxy` and `Replay` document.
    """
    faults = read_faults(options.faults) if options.faults else ()
    if options.upstream is not None:
        _check_own_address(options)
        return ValidatingProxy(
            options.upstream,
            options.spec,
            deadline=options.deadline,
            allow_http=options.allow_http,
            report=options.report,
            faults=faults,
            seed=options.random_seed,
            log_bytes=options.log_bytes,
        )
    if options.replay is not None:
        return Replay(
            options.replay,
            options.spec,
            faults=faults,
            seed=options.random_seed,
            log_bytes=options.log_bytes,
        )
    return None


def _check_own_address(options: argparse.Namespace) -> None:
    """Reject an upstream that is the proxy itself: each request would come back without end.

    Raises:
        ValueError: it is.
    """
    try:
        is_own_address = leads_to(options.upstream, options.host, options.port)
    except ValueError:
        # `ValidatingProxy` says what is wrong with the URL.
        return
    if is_own_address:
        raise ValueError(
            f"the upstream {options.upstream!r} is the address of this proxy itself: pass the"
            " address of the API, or select another port with --port"
        )


def start_record(options: argparse.Namespace, emulator: Emulator) -> None:
    """Have the emulator save its exchanges, if the options say so.

    Raises:
        OSError, ValueError: as `Recorder` documents.
    """
    if options.record is not None:
        redaction = Redaction(security_schemes(emulator.spec.root))
        emulator.recorder = Recorder(options.record, redaction)


def remote_greeting(url: str, emulator: Emulator, options: argparse.Namespace) -> str | None:
    """How to reach a proxy or a replay; `None` for the emulator itself."""
    if isinstance(emulator, ValidatingProxy):
        lines = [
            f"Requests to {url} go to {emulator.upstream} (Ctrl-C ends it). Use your token of that"
            f" API. The log and the findings are at {url}/_emulator/",
            "",
            f"  export LEADCONNECTOR_BASE_URL={url}",
            "",
        ]
        return "\n".join(lines)
    if isinstance(emulator, Replay):
        lines = [
            f"Responses at {url} come from {options.replay} (Ctrl-C ends it). Any token works."
            f" The log is at {url}/_emulator/",
            "",
            f"  export LEADCONNECTOR_BASE_URL={url} LEADCONNECTOR_TOKEN=replay",
            "",
        ]
        return "\n".join(lines)
    return None


def close_remote(emulator: Emulator) -> None:
    """Close the connections and the files of a proxy, and the record."""
    if isinstance(emulator, ValidatingProxy):
        emulator.close()
    if emulator.recorder is not None:
        emulator.recorder.close()


def exit_status(emulator: Emulator, options: argparse.Namespace) -> int:
    """Print a summary of a proxy, and return the exit status."""
    if not isinstance(emulator, ValidatingProxy):
        return 0
    totals = emulator.totals
    print(
        f"{totals.findings} different findings,"
        f" {totals.failed_exchanges} requests without a response of the API,"
        f" {totals.unchecked_exchanges} exchanges that could not be compared."
    )
    problem_count = totals.findings + totals.failed_exchanges + totals.unchecked_exchanges
    if options.exit_code and problem_count > 0:
        return FINDINGS_STATUS
    return 0


def _reject(
    names: tuple[str, ...],
    condition: str,
    options: argparse.Namespace,
    parser: argparse.ArgumentParser,
) -> None:
    for name in names:
        if getattr(options, name) != parser.get_default(name):
            option = name.replace("_", "-")
            parser.error(f"--{option} has no effect {condition}")
