"""Provides a thread lock that a forked process does not inherit in a locked state."""

import os
from threading import Lock


class ProcessLock:
    """A lock for the threads of one process; each forked process has a lock of its own."""

    def __init__(self) -> None:
        self._locks: dict[int, Lock] = {}

    def of_this_process(self) -> Lock:
        """The lock that the threads of the current process share.

        After a fork, nobody would release a lock that another thread of the parent had locked.
        """
        return self._locks.setdefault(os.getpid(), Lock())
