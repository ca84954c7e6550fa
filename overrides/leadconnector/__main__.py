"""Runs the command line: `python -m leadconnector`, also of a copy in another package."""

import sys

from ._command_line import main

if __name__ == "__main__":
    sys.exit(main())
