"""Compares the spec with the document that the vendor publishes: `make drift`.

Environment variables: `UPSTREAM` names another document, a file or URL. `UPSTREAM_ROOT` names the
folder or URL below which the document's references are read. `ARGS` are further arguments for
specdrift.
"""

from __future__ import annotations

import os
import subprocess
import sys

from .arguments import ArgumentsError, arguments_from

PUBLISHED_DOCUMENT = (
    "https://raw.githubusercontent.com/GoHighLevel/highlevel-api-docs/main/apps/conversations.json"
)
"""The vendor's own description of the conversations API."""


def main() -> int:
    """Run specdrift. The exit status is that of specdrift, or 2 for an invalid `ARGS`."""
    upstream = os.environ.get("UPSTREAM", PUBLISHED_DOCUMENT)
    root = os.environ.get("UPSTREAM_ROOT", root_of(upstream))
    try:
        arguments = arguments_from("ARGS")
    except ArgumentsError as error:
        print(error, file=sys.stderr)
        return 2
    command = [
        *(sys.executable, "-m", "specdrift", "spec/openapi.yaml", upstream),
        # The vendor's document has many operations that the spec leaves out on purpose.
        *("--within-base", "--advise"),
        *("--waivers", "drift-waivers.yaml"),
        *("--root", root),
        *arguments,
    ]
    return subprocess.run(command, check=False).returncode


def root_of(upstream: str) -> str:
    """The folder or URL below which a document's references are read.

    The vendor's repository has the documents in `apps/` and shared schemas beside it, in `common/`.
    So the root is the folder above `apps`. For a document elsewhere it is the document's folder.
    """
    folder, separator, _ = upstream.rpartition("/")
    if not separator:
        return "./"
    return f"{folder}/".removesuffix("/apps/")


if __name__ == "__main__":
    sys.exit(main())
