"""requests, with a session."""

from __future__ import annotations

from typing import Any

import requests

from benchmarks.speed.peer import HEADERS, Peer, SyncCall, body_of


class RequestsSession(Peer):
    """It has no async interface."""

    def sync_call(self) -> SyncCall:
        """`Session.put`."""
        session = requests.Session()
        session.headers.update(HEADERS)
        if self.settings.certificate is not None:
            session.verify = self.settings.certificate

        def call(number: int) -> Any:
            response = session.put(self.url(number), json=body_of(number), timeout=60)
            response.raise_for_status()
            return response.json()

        return call


peer = RequestsSession
