"""`python -m project.run_module MODULE VARIABLE [DEFAULT…]`: a module's arguments from a variable.

The Makefile uses it for targets that accept `ARGS=…` or `TESTS=…`. The value never becomes part of
a shell command. The default arguments are used if the variable has none.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from .arguments import ArgumentsError, arguments_from


def main() -> NoReturn:
    """Replace this process by the module, so that signals and the exit status are the module's."""
    module = sys.argv[1]
    variable = sys.argv[2]
    try:
        arguments = arguments_from(variable) or sys.argv[3:]
    except ArgumentsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606  # no shell


if __name__ == "__main__":
    main()
