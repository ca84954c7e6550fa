"""The host names under which the page is served: a foreign web site must not read the log."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
"""The address on which the server listens by default."""

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

PRIVATE_SUFFIXES = (".localhost", ".test", ".local", ".home.arpa", ".internal")
"""Domains that nobody can register (RFC 6761, 6762 and 8375; ICANN reserved `internal`). A service
of Kubernetes ends in `.svc.cluster.local`."""

_HOST_HEADER = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9a-zA-Z._-]+))(?::[0-9]+)?")
"""An address of IPv6 in brackets, or another address or name; and a port (RFC 9110, 7.2)."""


@dataclass(frozen=True)
class HostRules:
    """Decides from the header `Host` whether a request may see the page and its log.

    A web site can point its own host name at this machine (DNS rebinding), so that a browser sends
    its requests here. The browser then names that site in `Host`.
    """

    listens_on_loopback: bool = True
    """Whether only this machine can reach the server."""
    names: frozenset[str] = frozenset()
    """The names and addresses that are allowed in addition, in lower case."""

    def allows(self, host_header: str) -> bool:
        """Whether the page is served under this value of the header `Host`."""
        match = _HOST_HEADER.fullmatch(host_header)
        if match is None:
            return False
        name = str(match[1] or match[2]).lower().removesuffix(".")
        if name in LOOPBACK_HOSTS or name in self.names:
            return True
        # Containers and other machines reach the server under names that it does not know.
        return not self.listens_on_loopback and _is_private(name)


def host_rules(bound_address: str, allowed_hosts: Collection[str]) -> HostRules:
    """The rules of a server that listens on an address.

    Args:
        bound_address: the address.
        allowed_hosts: names that are allowed in addition.
    """
    names = {bound_address.lower()}
    for host in allowed_hosts:
        names.add(host.lower().removesuffix("."))
    return HostRules(is_loopback(bound_address), frozenset(names))


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address of IPv4 or IPv6."""
    parsed_address = ip_address(address)
    # Before Python 3.13, the mapped address ::ffff:127.0.0.1 is not one of loopback.
    mapped_address = getattr(parsed_address, "ipv4_mapped", None)
    if mapped_address is not None:
        return bool(mapped_address.is_loopback)
    return parsed_address.is_loopback


def base_url(bound_address: str, port: int) -> str:
    """The URL by which a client on this machine reaches a server that listens on an address."""
    address = ip_address(bound_address)
    host = bound_address
    if address.is_unspecified:
        # It listens on every address, and a URL needs one.
        host = LOOPBACK if address.version == 4 else "::1"
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}"


def leads_to(url: str, host: str, port: int) -> bool:
    """Whether a URL leads to a server that listens on a host and port of this machine.

    False if a name of both cannot be resolved.
    """
    parts = urlsplit(url)
    default_port = 443 if parts.scheme == "https" else 80
    if (parts.port or default_port) != port:
        return False
    try:
        url_addresses = _addresses(parts.hostname or "")
        host_addresses = _addresses(host)
    except OSError:
        return False
    if any(ip_address(address).is_unspecified for address in host_addresses):
        # It listens on every address of this machine.
        return any(map(_is_of_this_machine, url_addresses))
    return not host_addresses.isdisjoint(url_addresses)


def _addresses(host: str) -> set[str]:
    """The addresses of a name.

    Raises:
        OSError: there are none.
    """
    results = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    # A zone, as in `fe80::1%eth0`, is no part of the address.
    return {str(address[0]).partition("%")[0] for *_, address in results}


def _is_of_this_machine(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Only an address of this machine can be bound. This sends nothing.
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _is_private(name: str) -> bool:
    """Whether no foreign web site can have this name."""
    if _is_address(name):
        return True
    # A name without a dot, such as that of a service of Docker Compose, is not in public DNS.
    return "." not in name or name.endswith(PRIVATE_SUFFIXES)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
