"""Rewrites and breaks the OpenAPI documents of a folder, and verifies what specdrift reports.

Each equivalent rewrite, alone and in chains, must be silent. Each breaking edit must be an error.
The tests of specdrift verify the same on generated documents and on the spec.
"""

from __future__ import annotations

import argparse
import sys

import pytest

TESTS = [
    "tests/specdrift/test_compare_rewrites.py",
    "tests/specdrift/test_compare_breaking_edits.py",
]


def main() -> int:
    """Run the tests of real documents with those of the folder."""
    parser = argparse.ArgumentParser(prog="make rewrites", description=__doc__)
    parser.add_argument("folder", help="a folder that contains OpenAPI documents")
    arguments = parser.parse_args()
    return pytest.main([*TESTS, "-q", "-k", "real_document", "--documents", arguments.folder])


if __name__ == "__main__":
    sys.exit(main())
