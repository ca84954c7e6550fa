"""Generates a client from an OpenAPI document, and compares the client with the document.

Each method of both clients is called with values for all parameters and properties, and gets each
documented response. Prints one line for each fault, and exits with status 1 if there is one.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from benchmarks.long.conformance.checking import Check
from benchmarks.long.conformance.documents import Document
from benchmarks.long.conformance.packages import GenerationError, generate, imported

NAME = "conformance_client"
"""The name of the generated package."""


def main() -> int:
    """Check a client, and print the faults and the figures."""
    parser = argparse.ArgumentParser(prog="make conform", description=__doc__)
    parser.add_argument("spec", type=Path, help="an OpenAPI document in one file")
    parser.add_argument("--only", default="", metavar="TEXT", help="only paths that contain TEXT")
    arguments = parser.parse_args()
    document = Document.from_text(arguments.spec.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        try:
            generate(arguments.spec, Path(folder), NAME)
        except GenerationError as error:
            print(error, file=sys.stderr)
            return 2
        # The samples deviate from the spec on purpose, and the client logs that.
        logging.getLogger("leadconnector").setLevel(logging.CRITICAL)
        with imported(Path(folder), NAME) as package:
            report = Check(document, package, only=arguments.only).run()
    for fault in report.faults:
        print(fault)
    print(report.summary())
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
