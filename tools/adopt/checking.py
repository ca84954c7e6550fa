"""Checks operations before they are adopted, so that errors name the published document."""

from __future__ import annotations

from pathlib import Path

from generate.arranged import arrange
from generate.check import check_spec
from generate.document import Document, SpecError
from generate.generate import read_settings

from .errors import AdoptionError


def check_extracted(document: Document, config: Path) -> None:
    """Check that `make generate` would accept some operations.

    Args:
        document: the operations with all that they reach.
        config: the generator's configuration.

    Raises:
        AdoptionError: it would not. The message has each problem with file and line.
    """
    try:
        check_spec(document)
        # Nothing is rendered, so that no folder of this name is written.
        settings = read_settings(config, document.path, Path("checked"))
        arrange(document, settings)
    except SpecError as error:
        raise AdoptionError(str(error)) from error
