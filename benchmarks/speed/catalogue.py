"""The peers of the measurement, and what is measured."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.compare.clients import ROOT, BuiltEnvironment

from . import environments

BASELINE = "httpx"
"""The peer that the others are compared to."""


@dataclass(frozen=True)
class PeerEntry:
    """A peer: its module, its environment, and what it lacks."""

    key: str
    title: str
    module: str
    """Its module in `peers/`."""
    environment: BuiltEnvironment
    missing: str
    """What it does less than this project's client, for the page."""
    variant: str = ""
    uses_checkout: bool = False
    """Whether it imports this project's client."""

    @property
    def paths(self) -> list[str]:
        """The folders from which it imports, besides its environment."""
        folders = [ROOT]
        if self.uses_checkout:
            folders.append(ROOT / "overrides")
        if self.environment.generator:
            folders.append(self.environment.import_path)
        return [str(folder) for folder in folders]


NOTHING = "nothing of that: all of it is on"
ONLY_HTTP = "models, retries after a status, rate limit, limits on time and size of a response"
PLAIN = "retries after a status, rate limit, limits on time and size of a response"
AIOHTTP = "models, retries after a status, rate limit, limit on the size of a response"


def all_peers() -> list[PeerEntry]:
    """The peers, in the order of the tables."""
    return [
        PeerEntry(BASELINE, "raw httpx", "httpx_client", environments.OWN, ONLY_HTTP),
        PeerEntry("plain", "plain functions", "plain_functions", environments.OWN, PLAIN),
        PeerEntry("requests", "requests", "requests_session", environments.REQUESTS, ONLY_HTTP),
        PeerEntry("urllib3", "urllib3", "urllib3_pool", environments.URLLIB3, ONLY_HTTP),
        PeerEntry("aiohttp", "aiohttp", "aiohttp_session", environments.AIOHTTP, AIOHTTP),
        PeerEntry(
            "openapi-generator",
            "OpenAPI Generator",
            "openapi_generator",
            environments.OPENAPI_GENERATOR,
            PLAIN,
        ),
        PeerEntry(
            "openapi-generator-aiohttp",
            "OpenAPI Generator, aiohttp",
            "openapi_generator",
            environments.OPENAPI_GENERATOR_AIOHTTP,
            PLAIN,
            variant="aiohttp",
        ),
        PeerEntry(
            "vendor-sdk",
            "HighLevel's SDK",
            "vendor_sdk",
            environments.VENDOR_SDK,
            "models of responses, retries after a status, rate limit",
        ),
        leadconnector("ours", "leadconnector", environments.OWN, ""),
        leadconnector("ours-fast", "leadconnector[fast]", environments.FAST, "fast"),
        leadconnector("ours-httpx", "leadconnector over httpx", environments.OWN, "httpx"),
    ]


def leadconnector(key: str, title: str, environment: BuiltEnvironment, variant: str) -> PeerEntry:
    """This project's client in one configuration."""
    return PeerEntry(
        key,
        title,
        "leadconnector_client",
        environment,
        NOTHING,
        variant=variant,
        uses_checkout=True,
    )


@dataclass(frozen=True)
class Case:
    """One way to call every peer."""

    key: str
    title: str
    mode: str
    """The mode of a worker: `sync`, `async` or `null`."""
    calls: int
    """Calls in a round: short enough for the load of the machine to be the same for all peers."""
    concurrency: int = 1
    is_encrypted: bool = False

    @property
    def group(self) -> str:
        """The name by which `--modes` selects it."""
        return "tls" if self.is_encrypted else self.mode


def all_cases() -> list[Case]:
    """The cases, in the order of the tables."""
    return [
        Case("sync", "sync", "sync", 300),
        Case("async-1", "async, 1 call at once", "async", 200),
        Case("async-10", "async, 10 calls at once", "async", 300, 10),
        Case("async-100", "async, 100 calls at once", "async", 500, 100),
        Case("tls-sync", "sync over TLS", "sync", 200, is_encrypted=True),
        Case("tls-async-10", "async over TLS, 10 calls at once", "async", 200, 10, True),
        Case("null", "sync without a network", "null", 500),
    ]
