"""The clients of the comparison: what generates each, from which versions, and how it is called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The root of the checkout."""

HERE = Path(__file__).resolve().parent
SPEC = ROOT / "spec" / "openapi.yaml"
BUILD = ROOT / "build" / "compare"
"""Everything that `make compare` and `make bench` build is in here. git ignores it."""


@dataclass(frozen=True, kw_only=True)
class BuiltEnvironment:
    """An environment with fixed versions, and the code that is generated in it."""

    key: str
    """The name of its lock file and of its folder in `BUILD`."""
    requirements: Path = HERE / "requirements"
    """The folder with its lock file."""
    generator: tuple[str, ...] = ()
    """The command that generates its code.

    `{bin}`, `{out}`, `{spec}` and `{here}` are replaced by the scripts of its environment, its
    output folder, the spec, and this folder. Without a command, the code is in its environment.
    """
    path: str = "."
    """The folder in its output folder from which its package is imported."""
    needs_java: bool = False

    @property
    def lock_file(self) -> Path:
        """The versions and hashes of everything in its environment."""
        return self.requirements / f"{self.key}.txt"

    @property
    def folder(self) -> Path:
        """Its environment and generated code."""
        return BUILD / self.key

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return self.folder / "env" / "bin" / "python"

    @property
    def import_path(self) -> Path:
        """The folder from which its package is imported, unless it is installed."""
        return self.folder / "client" / self.path


@dataclass(frozen=True, kw_only=True)
class Client(BuiltEnvironment):
    """A client of the comparison."""

    title: str
    distribution: str
    """The package whose version the page shows."""
    adapter: str
    """Its module in `adapters/`."""
    packages: frozenset[str]
    """The top-level packages of its code. Its own exceptions are defined there."""
    configuration: str
    """The options that differ from the defaults, for the page."""
    caller: str
    """A program that calls it, for a type checker. It reveals the type of the result."""


LEADCONNECTOR = "leadconnector"
"""The key of this project's client."""


def all_clients() -> list[Client]:
    """The clients, in the order of the columns."""
    return [
        leadconnector(),
        openapi_python_client(),
        openapi_generator(),
        stainful(),
        fern(),
        vendor_sdk(),
    ]


def leadconnector() -> Client:
    """This project's client, from the checkout."""
    return Client(
        key=LEADCONNECTOR,
        title="leadconnector",
        distribution="leadconnector",
        adapter="leadconnector_client",
        packages=frozenset({"leadconnector"}),
        configuration="the defaults",
        caller="""\
from leadconnector import LeadConnector

client = LeadConnector(token="token")
result = client.conversations.update_conversation("id", location_id="location", starred=True)
reveal_type(result)
""",
    )


def openapi_python_client() -> Client:
    """The output of the generator that this project uses, without templates of its own."""
    return Client(
        key="openapi-python-client",
        title="openapi-python-client",
        distribution="openapi-python-client",
        adapter="openapi_python_client",
        packages=frozenset({"plain_client"}),
        configuration="`raise_on_unexpected_status=True`, as its README recommends",
        # `--overwrite`, because the folder can be that of an earlier run.
        generator=(
            *("{bin}/openapi-python-client", "generate", "--path", "{spec}"),
            *("--meta", "none", "--overwrite", "--output-path", "{out}/plain_client"),
        ),
        caller="""\
from plain_client.api.conversations import update_conversation
from plain_client.client import AuthenticatedClient
from plain_client.models import ApiVersion, UpdateConversationRequest

client = AuthenticatedClient(base_url="https://example.com", token="token")
body = UpdateConversationRequest(location_id="location", starred=True)
version = ApiVersion("2021-07-28")
result = update_conversation.sync("id", client=client, body=body, version=version)
reveal_type(result)
""",
    )


def openapi_generator() -> Client:
    """OpenAPI Generator, whose PyPI package contains the Java program."""
    return Client(
        key="openapi-generator",
        title="OpenAPI Generator",
        distribution="openapi-generator-cli",
        adapter="openapi_generator",
        packages=frozenset({"openapi_client"}),
        configuration=(
            "`retries=urllib3.Retry(total=2, backoff_factor=0.5, status_forcelist=(429, 500, 502, "
            "503, 504), raise_on_status=False)`"
        ),
        generator=(
            *("{bin}/openapi-generator-cli", "generate", "--generator-name", "python"),
            *("--input-spec", "{spec}", "--output", "{out}"),
        ),
        needs_java=True,
        caller="""\
from openapi_client import (
    ApiClient, ApiVersion, Configuration, ConversationsApi, UpdateConversationRequest,
)

api = ConversationsApi(ApiClient(Configuration(access_token="token")))
body = UpdateConversationRequest(locationId="location", starred=True)
result = api.update_conversation("id", ApiVersion("2021-07-28"), body)
reveal_type(result)
""",
    )


def stainful() -> Client:
    """The open-source generator that reads the configuration of Stainless."""
    return Client(
        key="stainful",
        title="stainful",
        distribution="stainful",
        adapter="stainful",
        packages=frozenset({"stainful_client"}),
        configuration=(
            "`extra_headers` with the required header `Version`, for which the method has no "
            "parameter"
        ),
        generator=(
            *("{bin}/stainful", "generate", "--spec", "{spec}"),
            *("--config", "{here}/stainless.yml", "--out", "{out}"),
        ),
        caller="""\
from stainful_client import Leadconnector

client = Leadconnector(api_key="token")
result = client.conversations.update("id", location_id="location", starred=True)
reveal_type(result)
""",
    )


def fern() -> Client:
    """Fern's output. crozier reproduces it without an account."""
    return Client(
        key="fern",
        title="Fern (crozier)",
        distribution="crozier",
        adapter="fern",
        packages=frozenset({"fern_client"}),
        configuration="the defaults",
        generator=(
            *("{bin}/crozier", "generate", "python", "--no-config", "--spec", "{spec}"),
            *("--output", "{out}", "--package-name", "fern_client"),
            *("--client-class-name", "FernClient"),
        ),
        path="src",
        caller="""\
from fern_client import FernClient

client = FernClient(token="token", version="2021-07-28")
result = client.conversations.update_conversation("id", location_id="location", starred=True)
reveal_type(result)
""",
    )


def vendor_sdk() -> Client:
    """HighLevel's own SDK."""
    return Client(
        key="vendor-sdk",
        title="HighLevel's SDK",
        distribution="gohighlevel-api-client",
        adapter="vendor_sdk",
        packages=frozenset({"highlevel"}),
        configuration=(
            "the base URL and the timeout are set on `get_http_client()`, because it has no "
            "options for them"
        ),
        caller="""\
from highlevel import HighLevel

async def update() -> None:
    client = HighLevel(private_integration_token="token")
    body = {"locationId": "location", "starred": True}
    result = await client.conversations.update_conversation("id", body)
    reveal_type(result)
""",
    )
