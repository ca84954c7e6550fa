"""Replaces the sources of time in a client, so that a run takes less time than its waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any


def replace_settings(client: Any, **changes: Any) -> None:
    """Change the settings of a client: `clock`, `now`, `random`, `sleep` or `sleep_async`.

    The client has no public option for them, because only tests and long runs need one. Hence
    `Any`: the type checkers reject access to private names.
    """
    client._settings = replace(client._settings, **changes)
    client._make_resources()
