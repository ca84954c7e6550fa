"""urllib3, with a pool manager."""

from __future__ import annotations

import urllib3

from benchmarks.speed.peer import HEADERS, Peer, SyncCall, body_of


class Urllib3Pool(Peer):
    """It has no async interface."""

    def sync_call(self) -> SyncCall:
        """`PoolManager.request`, with its own JSON."""
        pool = urllib3.PoolManager(ca_certs=self.settings.certificate)

        def call(number: int) -> object:
            response = pool.request("PUT", self.url(number), json=body_of(number), headers=HEADERS)
            if response.status != 200:
                raise RuntimeError(f"status {response.status}")
            return response.json()

        return call


peer = Urllib3Pool
