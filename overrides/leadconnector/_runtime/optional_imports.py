"""Imports the packages that only an extra installs, with an error that says how to install them."""

from importlib import import_module
from typing import Any

from ..errors import ConfigurationError


def import_optional(module: str, *, feature: str, requirement: str) -> Any:
    """Import a module of an optional package.

    Args:
        module: the full name of the module.
        feature: the name of the feature that needs it, for the message.
        requirement: the distribution and its lowest version, such as `cryptography>=42.0`.

    Raises:
        ConfigurationError: the package is not installed. The message names the distribution, not
            the extra: services that vendor the client have no extras, and the client is on no
            package index.
        ModuleNotFoundError: the package is installed, but lacks something else.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if _package_of(error.name or "") != _package_of(module):
            raise
        distribution = requirement.partition(">=")[0]
        raise ConfigurationError(
            f"{feature} needs {distribution}, which is not installed: pip install '{requirement}'"
        ) from error


def _package_of(module: str) -> str:
    return module.partition(".")[0]
