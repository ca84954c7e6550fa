"""What a proxy has seen since its start: a reset clears the page, but not the exit status."""

from __future__ import annotations

import threading

from .finding import Finding


class ProxyTotals:
    """The counts for the exit status, and which findings were reported. Thread-safe.

    Args:
        maximum_findings: different findings that are counted. The senders choose names of
            properties, so that their number has no other bound.
    """

    def __init__(self, maximum_findings: int) -> None:
        self._maximum_findings = maximum_findings
        self._lock = threading.Lock()
        self._identities: set[tuple[str, ...]] = set()
        self._failed_exchanges = 0
        self._unchecked_exchanges = 0

    @property
    def findings(self) -> int:
        """The number of different findings."""
        return len(self._identities)

    @property
    def failed_exchanges(self) -> int:
        """The number of requests to which the API sent no complete response."""
        return self._failed_exchanges

    @property
    def unchecked_exchanges(self) -> int:
        """The number of exchanges of which a part could not be compared with the spec."""
        return self._unchecked_exchanges

    def add_finding(self, finding: Finding) -> bool:
        """Count a finding. Return whether it is a new one that is to be reported."""
        with self._lock:
            if finding.identity in self._identities:
                return False
            if len(self._identities) >= self._maximum_findings:
                return False
            self._identities.add(finding.identity)
            return True

    def add_failed_exchange(self) -> None:
        """Count an exchange without a complete response."""
        with self._lock:
            self._failed_exchanges += 1

    def add_unchecked_exchange(self) -> None:
        """Count an exchange that was not compared completely."""
        with self._lock:
            self._unchecked_exchanges += 1
