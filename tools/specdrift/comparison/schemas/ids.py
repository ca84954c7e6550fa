"""Writes the keywords of schemas in the way that check ids contain them."""

from __future__ import annotations

import re


def keyword_in_id(keyword: str) -> str:
    """Return a keyword as in check ids: `max-length` for `maxLength`, `min` for `minimum`."""
    dashed = re.sub("([A-Z])", r"-\1", keyword).lower()
    # oasdiff shortens the two longest keywords: `minimum` to `min`, `exclusiveMaximum` to
    # `exclusive-max`. No other keyword contains "imum".
    return dashed.replace("imum", "")
