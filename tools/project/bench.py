"""Runs every script in benchmarks/, one after the other: `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the scripts. The exit status is 0, or that of the first script that failed."""
    for script in sorted(Path("benchmarks").glob("*.py")):
        status = subprocess.run([sys.executable, str(script)], check=False).returncode
        if status != 0:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
