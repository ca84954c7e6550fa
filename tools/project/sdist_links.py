"""Adds the repository's symbolic links to the sdist, so that its tree works like a checkout.

hatchling would replace a link by a copy of its target. The links are added by name, so that the
sdist is the same where git checks links out as text files.
"""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.utils import get_reproducible_timestamp

LINKS = {
    "overrides/leadconnector/_generated": "../../generated",
    "tools/leadconnector_emulator/openapi.yaml": "../../spec/openapi.yaml",
}
"""The target of each link, by the path of the link in the repository."""


class LinksHook(BuildHookInterface[BuilderConfig]):
    """Adds the links to the built sdist."""

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called by hatchling after it has built the sdist."""
        sdist = Path(artifact_path)
        add_links(sdist, sdist.name.removesuffix(".tar.gz"))


def add_links(sdist: Path, top_folder: str) -> None:
    """Rewrite an sdist with the links at its end.

    Args:
        sdist: the archive; replaced as a whole.
        top_folder: the folder that contains all files in the archive.
    """
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
