"""Finds the addresses of a host, and connects to the first one that responds."""

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from .sockets import Address, new_socket

STAGGER_SECONDS = 0.25
"""Seconds after which an async client also tries the next address of a host.

The recommended "Connection Attempt Delay" (RFC 8305, section 5).
"""

_Attempt: TypeAlias = "asyncio.Task[socket.socket]"
"""An attempt to connect to one address."""


async def find_addresses(host: str, port: int) -> Sequence[Address]:
    """Look up the addresses of a host. A name is looked up in a thread."""
    if _is_address(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def connect_to_fastest(addresses: Sequence[Address]) -> socket.socket:
    """Connect to the first address that responds ("Happy Eyeballs", RFC 8305).

    Section 5 only; the order is that of `getaddrinfo`. asyncio's own version of it is not used:
    uvloop has none.

    Args:
        addresses: the addresses, at least one.

    Raises:
        OSError: the error of the last attempt.
    """
    if len(addresses) == 1:
        return await _connect_async(addresses[0])
    remaining_addresses = deque(addresses)
    running_attempts: set[_Attempt] = set()
    finished_attempts: set[_Attempt] = set()
    try:
        while True:
            pause: float | None = None
            if remaining_addresses:
                address = remaining_addresses.popleft()
                running_attempts.add(asyncio.create_task(_connect_async(address)))
            if remaining_addresses:
                pause = STAGGER_SECONDS
            finished_attempts, running_attempts = await asyncio.wait(
                running_attempts, timeout=pause, return_when=asyncio.FIRST_COMPLETED
            )
            winner = _first_success(finished_attempts)
            if winner is not None:
                # First: a cancellation that comes meanwhile still has the winner's socket closed.
                await _abandon([*running_attempts])
                finished_attempts.discard(winner)
                return winner.result()
            if not remaining_addresses and not running_attempts:
                # All attempts failed. This raises the error of the last one.
                return finished_attempts.pop().result()
    finally:
        await _abandon([*finished_attempts, *running_attempts])


def _first_success(attempts: Iterable[_Attempt]) -> "_Attempt | None":
    for attempt in attempts:
        if attempt.exception() is None:
            return attempt
    return None


async def _abandon(attempts: Sequence[_Attempt]) -> None:
    """Cancel attempts that are not needed, and close the sockets that they have connected."""
    for attempt in attempts:
        attempt.add_done_callback(_close_socket_of)
        attempt.cancel()
    running_attempts = [attempt for attempt in attempts if not attempt.done()]
    if running_attempts:
        await asyncio.wait(running_attempts)


def _close_socket_of(attempt: _Attempt) -> None:
    if attempt.cancelled() or attempt.exception() is not None:
        return
    attempt.result().close()


async def _connect_async(address: Address) -> socket.socket:
    loop = asyncio.get_running_loop()
    sock = new_socket(address)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, address[4])
    except BaseException:
        # Also if it is cancelled.
        sock.close()
        raise
    return sock
