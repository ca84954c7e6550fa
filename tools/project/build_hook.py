"""Adds files to the distributions, so that an installed package can be copied and verified.

The build backend runs it, in an environment with nothing but the backend. A wheel gets the manifest
and the license of a copy. A source distribution gets the git commit that it was made from.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "leadconnector"
REVISION_FILE = "tools/project/revision.txt"
FILES_OF_A_COPY = ("LICENSE", "_manifest.json")
"""A copy has them in addition to the files that the wheel contains anyway."""


class BuildHook(BuildHookInterface[Any]):
    """Writes the additional files before a build, and removes them after it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to the build.

        Args:
            version: `standard`, or `editable` for an editable installation.
            build_data: what the build backend is asked to do.

        Raises:
            subprocess.CalledProcessError: the package cannot be copied. The reason was printed.
        """
        if version == "editable":
            # It uses the checkout, whose files change.
            return
        # If the build fails, Python removes the folder when the process ends.
        self.folder = tempfile.TemporaryDirectory(prefix="leadconnector-build-")
        copy = vendored_copy(Path(self.root), Path(self.folder.name))
        if self.target_name == "wheel":
            for name in FILES_OF_A_COPY:
                build_data["force_include"][str(copy / name)] = f"{PACKAGE}/{name}"
        else:
            revision_file = Path(self.folder.name, "revision.txt")
            revision_file.write_text(f"{revision_of(copy)}\n", encoding="ascii")
            build_data["force_include"][str(revision_file)] = REVISION_FILE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the files."""
        if version != "editable":
            self.folder.cleanup()


def vendored_copy(root: Path, folder: Path) -> Path:
    """Copy the package of a checkout into a folder."""
    command = [sys.executable, "-B", str(root / "tools" / "project" / "vendor.py")]
    environment = {**os.environ, "DEST": str(folder), "FORCE": ""}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return folder / PACKAGE


def revision_of(copy: Path) -> str:
    """The revision in the manifest of a copy; `unknown` if it names none."""
    manifest = json.loads((copy / "_manifest.json").read_bytes())
    return str(manifest["revision"] or "unknown")
