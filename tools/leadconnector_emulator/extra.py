"""Names the extra `emulator` where a package of it is not installed.

Every pytest run of an environment with the client imports the emulator's plugin. So this module and
the plugin import nothing that the extra brings.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

EXTRA_MODULES = frozenset({"h11", "jsonschema_rs", "yaml"})
"""The modules of the extra that the emulator imports."""


class MissingExtraError(ImportError):
    """A package of the extra is not installed. The message names it and says how to install it."""


@contextmanager
def names_missing_extra() -> Generator[None]:
    """Imports inside of this context name the extra if they fail without it.

    Raises:
        MissingExtraError: a package of the extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in EXTRA_MODULES:
            raise
        raise MissingExtraError(
            f"leadconnector_emulator: {error.name} is not installed:"
            " pip install 'leadconnector[emulator]'",
            name=error.name,
        ) from None
