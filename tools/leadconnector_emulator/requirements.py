"""Names the requirements of the emulator where one of them is not installed.

Every pytest run of an environment with the emulator imports its plugin. So this module and the
plugin import none of the requirements: a broken installation must not break other tests.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

REQUIREMENTS = (
    "h11>=0.14",
    "httpx>=0.28,<0.29",
    "jsonschema-rs>=0.49.9",
    "pyyaml>=6.0.1",
)
"""The requirements in pyproject.toml. A checkout, or `pip install --no-deps`, may lack them."""

REQUIRED_MODULES = frozenset({"h11", "httpx", "jsonschema_rs", "yaml"})
"""The modules of the requirements."""


class MissingRequirementError(ImportError):
    """A requirement is not installed. The message names it and says how to install all of them."""


@contextmanager
def names_missing_requirement() -> Generator[None]:
    """Imports inside of this context name the requirements if they fail without one.

    Raises:
        MissingRequirementError: a requirement is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in REQUIRED_MODULES:
            raise
        arguments = " ".join(f"'{requirement}'" for requirement in REQUIREMENTS)
        raise MissingRequirementError(
            f"leadconnector_emulator: {error.name} is not installed: pip install {arguments}",
            name=error.name,
        ) from None
