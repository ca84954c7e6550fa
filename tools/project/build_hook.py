"""Adds files to the distributions, so that an installed package can be copied and verified.

The build backend runs it, in an environment with nothing but the backend. A wheel gets the manifest
and the license of a copy. A source distribution gets the git commit that it was made from, and the
repository's symbolic links: hatchling would replace a link by a copy of its target. The links are
added by name, so that the archive is the same where git checks links out as text files.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.utils import get_reproducible_timestamp

PACKAGE = "leadconnector"
REVISION_FILE = "tools/project/revision.txt"
FILES_OF_A_COPY = ("LICENSE", "_manifest.json")
"""A copy has them in addition to the files that the wheel contains anyway."""

LINKS = {
    "overrides/leadconnector/_generated": "../../generated",
    "tools/leadconnector_emulator/openapi.yaml": "../../spec/openapi.yaml",
}
"""The target of each link of the repository, by the path of the link."""


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
        """Remove the files, and add the links to a source distribution."""
        if version == "editable":
            return
        self.folder.cleanup()
        if self.target_name == "sdist":
            add_links(Path(artifact_path))


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


def add_links(sdist: Path) -> None:
    """Write a source distribution again, with the links at its end.

    Args:
        sdist: the archive; replaced as a whole.
    """
    top_folder = sdist.name.removesuffix(".tar.gz")
    timestamp = get_reproducible_timestamp()
    extended = sdist.with_name(f"{sdist.name}.new")
    with (
        tarfile.open(sdist) as source,
        extended.open("wb") as file,
        # An empty name and a fixed time: two builds have identical bytes.
        gzip.GzipFile("", "wb", fileobj=file, mtime=timestamp) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        for member in source:
            target.addfile(member, source.extractfile(member))
        for path, link_target in LINKS.items():
            link = tarfile.TarInfo(f"{top_folder}/{path}")
            link.type = tarfile.SYMTYPE
            link.linkname = link_target
            link.mode = 0o777
            link.mtime = timestamp
            target.addfile(link)
    extended.chmod(sdist.stat().st_mode)
    extended.replace(sdist)
