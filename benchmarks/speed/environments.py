"""The environments in which the peers run. The comparison's program builds them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.compare.clients import BuiltEnvironment, openapi_generator, vendor_sdk

REQUIREMENTS = Path(__file__).resolve().parent / "requirements"

OWN = BuiltEnvironment(key="leadconnector")
"""The dependencies of this project's client. They contain httpx.

Raw httpx runs in the same versions. So sniffio is installed, which makes its async client faster.
"""

FAST = BuiltEnvironment(key="leadconnector-fast", requirements=REQUIREMENTS)
"""`OWN` with the extra `fast`."""

REQUESTS = BuiltEnvironment(key="requests", requirements=REQUIREMENTS)
URLLIB3 = BuiltEnvironment(key="urllib3", requirements=REQUIREMENTS)
AIOHTTP = BuiltEnvironment(key="aiohttp", requirements=REQUIREMENTS)
OPENAPI_GENERATOR = openapi_generator()
VENDOR_SDK = vendor_sdk()

OPENAPI_GENERATOR_AIOHTTP = BuiltEnvironment(
    key="openapi-generator-aiohttp",
    requirements=REQUIREMENTS,
    generator=(
        *("{bin}/openapi-generator-cli", "generate", "--generator-name", "python"),
        *("--library", "asyncio", "--input-spec", "{spec}", "--output", "{out}"),
    ),
    needs_java=True,
)
"""OpenAPI Generator with its library for asyncio, which sends with aiohttp."""
