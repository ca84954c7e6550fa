"""Compresses bodies to the same bytes at any time.

pytest-xdist needs equal names of tests in all of its processes. So a body in the name of a test
must not contain the time, which gzip adds by default.
"""

import gzip


def gzipped(body: bytes) -> bytes:
    """A body with one gzip member, without a time."""
    return gzip.compress(body, mtime=0)
