"""Checks the options that the clients and `OAuth` have in common."""

from ..errors import ArgumentError, ConfigurationError


def check_flag(name: str, value: object) -> bool:
    """Return an option that is a truth value.

    Raises:
        ConfigurationError: it is none. Text such as "false" would count as true.
    """
    if type(value) is not bool:
        raise ConfigurationError(f"{name} must be True or False")
    return value


def check_transport(transport: object, method: str) -> None:
    """Check the option `transport`.

    Args:
        transport: what the caller passed; `None` means the default transport.
        method: the name of the method that sends a request.

    Raises:
        ConfigurationError: it has no such method, or it is a class.
    """
    if isinstance(transport, type):
        raise ConfigurationError(f"transport must be an instance, not the class {transport}")
    if transport is not None and not callable(getattr(transport, method, None)):
        raise ConfigurationError(f"transport must be an httpx transport with the method {method}")


def check_rate_limit_key(value: object, requirement: str) -> str:
    """Return the argument that selects the requests that the API counts together.

    Args:
        value: what the caller passed.
        requirement: what it must be; it starts with the name of the argument.

    Raises:
        ArgumentError: it is no text that a request could contain.
    """
    name = requirement.partition(" ")[0]
    if not isinstance(value, str):
        raise ArgumentError(requirement, argument=name)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ArgumentError(f"{requirement} without half of a surrogate pair", argument=name)
    return str(value)
