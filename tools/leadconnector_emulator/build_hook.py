"""Adds the spec to the sdist and the wheel of the emulator.

In the repository, `openapi.yaml` is a link to the spec, outside of this folder. Where git checks
links out as text files, it is a file that contains only a path. So the hook adds the spec itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SPEC_IN_REPOSITORY = "../../spec/openapi.yaml"
"""The spec, from this folder."""

SPEC_IN_SDIST = "openapi.yaml"
"""The spec in an unpacked sdist, which contains only this folder."""


class SpecHook(BuildHookInterface[BuilderConfig]):
    """Adds the spec as a regular file."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds.

        Args:
            version: the kind of wheel or sdist: `standard` or `editable`.
            build_data: what hatchling builds; changed in place.
        """
        if version == "editable":
            # The package in this folder is used, with its link.
            return
        folder = Path(self.root)
        spec = folder / SPEC_IN_REPOSITORY
        if not spec.is_file():
            spec = folder / SPEC_IN_SDIST
        build_data["force_include"][str(spec)] = "openapi.yaml"
